//! `cargo xtask components` and `compose`: the components as separate files, for other hosts.

use crate::machine::{self, GUEST_BUILD, PLUG, run};
use crate::timings::step;
use anyhow::{Context, Result};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A guest: its package, and the name of its component.
type Guest = (&'static str, &'static str);

const TECTON: Guest = ("beamlet-tecton", "tecton");
const EDGE: Guest = ("beamlet-edge", "edge");
const HELLO: Guest = ("beamlet-bench-hello", "hello");

/// What to compose.
#[derive(Args)]
pub(crate) struct Composition {
    /// The handler to plug in [default: the Tecton handler]
    #[arg(long, value_name = "FILE.wasm")]
    handler: Option<PathBuf>,
}

/// Builds all components, and prints where they are.
pub(crate) fn components() -> Result<()> {
    machine::ensure_target()?;
    machine::build(&[GUEST_BUILD])?;
    for guest in [TECTON, EDGE] {
        println!("{}", component(guest)?.display());
    }
    Ok(())
}

/// Plugs a handler into the edge, and prints where the result is.
pub(crate) fn compose(composition: &Composition) -> Result<()> {
    machine::ensure_target()?;
    machine::build(&[GUEST_BUILD, PLUG])?;
    let handler = match &composition.handler {
        Some(handler) => handler.clone(),
        None => component(TECTON)?,
    };
    println!("{}", with_edge(&handler)?.display());
    Ok(())
}

/// The Tecton handler in the edge. `GUEST_BUILD` and `PLUG` are built already.
pub(crate) fn tecton_edge() -> Result<PathBuf> {
    with_edge(&component(TECTON)?)
}

/// The component that answers with a word. `GUEST_BUILD` is built already.
pub(crate) fn hello() -> Result<PathBuf> {
    component(HELLO)
}

/// Builds a guest to `target/components/NAME.wasm`: the same bytes as the host has built in, as it
/// is built and stamped in the same way.
fn component((package, name): Guest) -> Result<PathBuf> {
    let built = guests().join("components").join(format!("{package}.wasm"));
    let mut build = Command::new(machine::binary(GUEST_BUILD));
    build.arg(machine::root()).arg(guests()).arg(package);
    step(format!("build the component {name}"), || run(&mut build))?;
    let component = directory()?.join(format!("{name}.wasm"));
    fs::copy(&built, &component).with_context(|| format!("{} is missing", built.display()))?;
    Ok(component)
}

/// Notes the revision of the components' sources: a host with an older component in it is built
/// anew.
pub(crate) fn note_revision() -> Result<()> {
    let guests = guests();
    let noted = beamlet_revision::note(machine::root(), &guests);
    noted.map(drop).with_context(|| format!("{} cannot be written", guests.display()))
}

/// Where guests are built.
fn guests() -> PathBuf {
    machine::target_dir().join("guests")
}

/// Plugs a handler into the edge: `target/components/HANDLER-edge.wasm`.
fn with_edge(handler: &Path) -> Result<PathBuf> {
    let edge = component(EDGE)?;
    let name = handler.file_stem().with_context(|| format!("{} is no file", handler.display()))?;
    let composed = directory()?.join(format!("{}-edge.wasm", name.to_string_lossy()));
    let mut plug = Command::new(machine::binary(PLUG));
    run(plug.arg(edge).arg("--plug").arg(handler).arg("--output").arg(&composed))?;
    Ok(composed)
}

fn directory() -> Result<PathBuf> {
    let directory = machine::target_dir().join("components");
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

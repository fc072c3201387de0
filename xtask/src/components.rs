//! `cargo xtask components` and `compose`: the components as files of their own, for other hosts
//! than ours.

use crate::machine::{self, run};
use crate::tools;
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

/// Builds all components, and says where they are.
pub(crate) fn components() -> Result<()> {
    machine::ensure_target()?;
    for guest in [TECTON, EDGE] {
        println!("{}", component(guest)?.display());
    }
    Ok(())
}

/// Plugs a handler into the edge, and says where the whole is.
pub(crate) fn compose(composition: &Composition) -> Result<()> {
    machine::ensure_target()?;
    let handler = match &composition.handler {
        Some(handler) => handler.clone(),
        None => component(TECTON)?,
    };
    println!("{}", with_edge(&handler)?.display());
    Ok(())
}

/// The Tecton handler in the edge.
pub(crate) fn tecton_edge() -> Result<PathBuf> {
    with_edge(&component(TECTON)?)
}

/// The component that says but a word.
pub(crate) fn hello() -> Result<PathBuf> {
    component(HELLO)
}

/// Builds a guest to `target/components/NAME.wasm`: the same bytes as the host has built in, as it
/// is built and stamped in the same way.
fn component((package, name): Guest) -> Result<PathBuf> {
    let built = beamlet_guest_build::component(machine::root(), &guests(), package)?;
    let component = directory()?.join(format!("{name}.wasm"));
    fs::copy(&built, &component).with_context(|| format!("{} is missing", built.display()))?;
    Ok(component)
}

/// Notes the revision of the components' sources: a host with an older component in it is built
/// anew.
pub(crate) fn note_revision() -> Result<()> {
    beamlet_guest_build::note_revision(machine::root(), &guests()).map(|_| ())
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
    let wac = tools::WAC.ensure()?;
    run(Command::new(wac)
        .arg("plug")
        .arg(edge)
        .arg("--plug")
        .arg(handler)
        .arg("-o")
        .arg(&composed))?;
    Ok(composed)
}

fn directory() -> Result<PathBuf> {
    let directory = machine::target_dir().join("components");
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

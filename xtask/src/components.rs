//! `cargo xtask components` and `compose`: the components as files of their own, for other hosts
//! than ours.

use crate::machine::{self, cargo, run};
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
/// is the same build.
fn component((package, name): Guest) -> Result<PathBuf> {
    let guests = machine::target_dir().join("guests");
    run(cargo(&["build", "--package", package, "--target", "wasm32-wasip2"])
        .args(["--profile", "guest", "--target-dir"])
        .arg(&guests)
        // As for the host's own build: what is said of flags and wrappers is about the host.
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER"))?;
    let built = guests.join(format!("wasm32-wasip2/guest/{}.wasm", package.replace('-', "_")));
    let component = directory()?.join(format!("{name}.wasm"));
    fs::copy(&built, &component).with_context(|| format!("{} is missing", built.display()))?;
    Ok(component)
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

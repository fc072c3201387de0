//! Builds packages of the workspace as components: `GUESTS/components/PACKAGE.wasm`.

use anyhow::{Context, Result};
use std::env::args_os;
use std::path::PathBuf;

/// Without clap, as the host's build script would have to compile it, too.
fn main() -> Result<()> {
    const USAGE: &str = "usage: beamlet-guest-build ROOT GUESTS PACKAGE…";
    let mut arguments = args_os().skip(1);
    let root = PathBuf::from(arguments.next().context(USAGE)?);
    let guests = PathBuf::from(arguments.next().context(USAGE)?);
    for package in arguments {
        let package = package.to_str().context(USAGE)?;
        beamlet_guest_build::component(&root, &guests, package)?;
    }
    Ok(())
}

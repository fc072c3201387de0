//! Builds the Tecton handler as a component, so that it is built into the library.
//!
//! A cargo inside cargo, with a target directory of its own: the outer one holds the lock on
//! its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = here.parent().expect("the host is in the workspace").to_path_buf();
    for input in ["guest", "config", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    let component = build(&root);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("tecton.wasm");
    fs::copy(&component, &out).expect("the component can be copied to OUT_DIR");
}

fn build(root: &Path) -> PathBuf {
    let target = guests_dir(root);
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets it"));
    cargo.current_dir(root).arg("build").args(["--package", "beamlet-tecton"]);
    cargo.args(["--target", "wasm32-wasip2", "--profile", "guest", "--target-dir"]).arg(&target);
    // What the outer cargo says of flags, wrappers and targets is about the host.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let about_host =
            name.starts_with("CARGO_") && name != "CARGO_HOME" && name != "CARGO_NET_OFFLINE";
        let wrapper = [
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTFLAGS",
            "RUSTDOCFLAGS",
            "CLIPPY_ARGS",
        ];
        if about_host || wrapper.contains(&name.as_str()) {
            cargo.env_remove(&name);
        }
    }
    let built = cargo.status().expect("cargo can be started");
    assert!(
        built.success(),
        "the Tecton component did not build; where the target is missing: rustup target add wasm32-wasip2"
    );
    target.join("wasm32-wasip2/guest/beamlet_tecton.wasm")
}

/// One directory for all profiles and commands: `guests` beside the profile's own.
fn guests_dir(root: &Path) -> PathBuf {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    // target/PROFILE/build/PACKAGE-HASH/out
    match out.ancestors().nth(4) {
        Some(target) => target.join("guests"),
        None => root.join("target/guests"),
    }
}

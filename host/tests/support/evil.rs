//! The component of `tests/evil`, built when a test first asks for it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The behaviours whose tests are in `sandbox.rs`.
pub const OF_THE_SANDBOX: [&str; 7] = [
    "call",
    "call-in-setup",
    "call-and-panic",
    "call-and-blame",
    "diary",
    "echo-config",
    "look-around",
];

/// The component's file.
pub fn component() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build)
}

/// As the host's build script builds its handler, and beside it.
fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // Beside the directory that cargo gives to integration tests: target/tmp.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("guests");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or(env!("CARGO").into()));
    cargo.current_dir(root).args(["build", "--quiet", "--package", "beamlet-evil"]);
    cargo.args(["--target", "wasm32-wasip2", "--profile", "guest", "--target-dir"]).arg(&target);
    // What the outer cargo says of flags, wrappers and targets is about the host.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let kept = ["CARGO_HOME", "CARGO_NET_OFFLINE"].contains(&name.as_str());
        let flags = ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTFLAGS", "RUSTDOCFLAGS"];
        if (name.starts_with("CARGO_") && !kept) || flags.contains(&name.as_str()) {
            cargo.env_remove(&name);
        }
    }
    let built = cargo.output().unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "the evil component did not build:\n{said}");
    target.join("wasm32-wasip2/guest/beamlet_evil.wasm")
}

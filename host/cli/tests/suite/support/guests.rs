//! The components of the workspace's guests, built when a test first asks for one.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The component of `tests/evil`.
pub fn evil() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("beamlet-evil"))
}

/// The component of `tests/broken`.
pub fn broken() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("beamlet-broken"))
}

/// The component of `examples/key-value`.
pub fn key_value() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("beamlet-key-value"))
}

/// As the host's build script builds its handler, and beside it.
fn build(package: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    // Beside the directory that cargo gives to integration tests: target/tmp.
    let guests = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("guests");
    beamlet_guest_build::component(root, &guests, package).unwrap()
}

/// The behaviours whose tests are in `sandbox.rs`.
pub const OF_THE_SANDBOX: [&str; 6] =
    ["call", "call-in-setup", "call-and-panic", "call-and-blame", "echo-config", "look-around"];

/// The one whose test is in `lifecycle.rs`.
pub const OF_THE_LIFECYCLE: [&str; 1] = ["diary"];

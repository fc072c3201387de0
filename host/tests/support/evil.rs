//! The component of `tests/evil`, built when a test first asks for it.

use std::path::{Path, PathBuf};
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
    let guests = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("guests");
    beamlet_guest_build::component(root, &guests, "beamlet-evil").unwrap()
}

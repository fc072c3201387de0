//! The handler of `tests/evil`.

use super::guests;
use std::path::Path;

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
    guests::evil()
}

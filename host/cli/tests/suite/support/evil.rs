//! The handler of `tests/evil`.

use super::guests;
use std::path::Path;

/// The behaviours whose tests are in `sandbox.rs`.
pub const OF_THE_SANDBOX: [&str; 6] =
    ["call", "call-in-setup", "call-and-panic", "call-and-blame", "echo-config", "look-around"];

/// The one whose test is in `lifecycle.rs`.
pub const OF_THE_LIFECYCLE: [&str; 1] = ["diary"];

/// The component's file.
pub fn component() -> &'static Path {
    guests::evil()
}

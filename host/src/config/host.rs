//! The host's own tables: `run` and `sandbox`.

use crate::sandbox::Permissions;
use beamlet_config::{Problem, Problems, Section};
use beamlet_egress::Timeouts;
use serde_json::Value;
use std::time::Duration;

/// `[run]`: how rows are run through the handler. What the command line says comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// Bundles in flight at once, each in an instance of its own.
    pub in_flight: usize,
    /// Rows of a bundle.
    pub bundle_size: usize,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions { in_flight: 8, bundle_size: 1000 }
    }
}

/// `[sandbox]`: what an instance may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SandboxOptions {
    /// Memory and time.
    pub permissions: Permissions,
    /// How long requests may take.
    pub timeouts: Timeouts,
}

/// The most bundles in flight: each is an instance.
pub(crate) const MOST_IN_FLIGHT: usize = 256;
/// The most rows of a bundle: they and their features are in memory at once.
pub(crate) const MOST_ROWS: usize = 1_000_000;

/// Reads both tables.
pub(super) fn read(config: &Value, found: &mut Vec<Problem>) -> (RunOptions, SandboxOptions) {
    let problems = Problems::default();
    let root = Section::root(config, &problems);
    let read = (run(root.section("run", false)), sandbox(root.section("sandbox", false)));
    if let Err(all) = problems.or(Some(())) {
        found.extend(all);
    }
    read
}

fn run(section: Section<'_>) -> RunOptions {
    let default = RunOptions::default();
    let number = |name, most: usize| section.integer(name, 1..=most as i64).map(|n| n as usize);
    let options = RunOptions {
        in_flight: number("in_flight", MOST_IN_FLIGHT).unwrap_or(default.in_flight),
        bundle_size: number("bundle_size", MOST_ROWS).unwrap_or(default.bundle_size),
    };
    section.close();
    options
}

fn sandbox(section: Section<'_>) -> SandboxOptions {
    let mut options = SandboxOptions::default();
    let an_hour = 3_600_000;
    let ms = |name, into: &mut Duration| {
        if let Some(ms) = section.integer(name, 1..=an_hour) {
            *into = Duration::from_millis(ms as u64);
        }
    };
    ms("deadline_ms", &mut options.permissions.deadline);
    ms("connect_timeout_ms", &mut options.timeouts.connect);
    ms("first_byte_timeout_ms", &mut options.timeouts.first_byte);
    ms("between_bytes_timeout_ms", &mut options.timeouts.between_bytes);
    if let Some(mib) = section.integer("memory_mib", 1..=4096) {
        options.permissions.memory = (mib as usize) << 20;
    }
    section.close();
    options
}

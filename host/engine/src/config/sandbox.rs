//! `[sandbox]`: what an instance may use.

use crate::sandbox::Permissions;
use beamlet_config::Section;
use beamlet_egress::{PrivateAddresses, Timeouts};
use std::time::Duration;

/// `[sandbox]`: what an instance may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SandboxOptions {
    /// Memory and time.
    pub permissions: Permissions,
    /// How long requests may take.
    pub timeouts: Timeouts,
    /// Whether the store is asked directly, whatever proxies the environment names.
    pub no_proxy: bool,
    /// Whether names of stores may stand for addresses of private networks.
    pub private_addresses: PrivateAddresses,
}

pub(super) fn read(section: Section<'_>) -> SandboxOptions {
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
    match section.text("proxy") {
        None | Some("environment") => {}
        Some("none") => options.no_proxy = true,
        // It may hold a password.
        Some(_) => section.problem(
            "proxy",
            "must be environment, for the proxies that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name, or none",
        ),
    }
    match section.text("private_addresses") {
        None | Some("allow") => {}
        Some("deny") => options.private_addresses = PrivateAddresses::Deny,
        Some(other) => {
            section.problem("private_addresses", format!("must be allow or deny, is `{other}`"));
        }
    }
    section.close();
    options
}

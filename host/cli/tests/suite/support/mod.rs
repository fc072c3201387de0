//! Helpers that make a case visible in three lines: a store, a command line, a plugin.
#![allow(dead_code, unreachable_pub)] // each suite uses some of them

pub mod beamlet;
pub mod guests;
pub mod key_value;
pub mod library;
pub mod rows;
pub mod server;
pub mod store;

/// Snapshots without what changes from run to run.
pub fn redacted(check: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"(127\.0\.0\.1|localhost):\d+", "[store]");
    settings.add_filter(r"\d+ rows a second, [\d.]+ s", "[speed]");
    settings.add_filter(r"\S*/guests/components/", "[guests]/");
    settings.add_filter(r"behaviour\.rs:\d+:\d+", "behaviour.rs:[line]");
    settings.bind(check);
}

//! Reads `[run]`, with the tables in it, and `[sandbox]`. Options of the command line override them.

use super::options::{FailurePolicy, MaxFailures, OutputOptions, RunOptions, SandboxOptions};
use super::secret;
use crate::enrich::{CacheOptions, RetryOptions};
use beamlet_config::{Section, parse_url};
use beamlet_contract::join::OnConflict;
use beamlet_egress::{BreakerOptions, PrivateAddresses, ThrottleOptions};
use serde_json::Value;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The most bundles in flight, as each needs an instance.
const MOST_IN_FLIGHT: usize = 256;
/// The most rows of a bundle, as they and their features are in memory at once.
const MOST_ROWS: usize = 1_000_000;
/// The most bundles that are read and not yet written.
const MOST_WINDOW: usize = 65_536;

const A_DAY_MS: i64 = 86_400_000;
const A_YEAR_S: i64 = 31_536_000;

/// Reads `[run]`. Files in it are relative to `directory`.
pub(super) fn run(section: Section<'_>, directory: &Path) -> (RunOptions, OutputOptions) {
    let mut options = RunOptions::default();
    let count = |name, most: usize| section.integer(name, 1..=most as i64).map(|n| n as usize);
    if let Some(bundles) = count("in_flight", MOST_IN_FLIGHT) {
        options.enrich.in_flight = bundles;
    }
    options.enrich.threads = count("threads", MOST_IN_FLIGHT).and_then(NonZero::new);
    if let Some(rows) = count("bundle_size", MOST_ROWS) {
        options.bundle_size = rows;
    }
    ms(&section, "max_bundle_wait_ms", 0, &mut options.max_bundle_wait);
    options.window = count("window", MOST_WINDOW).and_then(NonZero::new);
    options.ordered = section.boolean("ordered").unwrap_or(options.ordered);
    options.enrich.coalesce = section.boolean("coalesce").unwrap_or(options.enrich.coalesce);
    ms(&section, "linger_ms", 0, &mut options.enrich.linger);
    let dead_letter = section.text("dead_letter").map(|path| match path {
        // Standard output, as on the command line.
        "-" => PathBuf::from(path),
        path => directory.join(path),
    });
    options.on_failure = on_failure(&section, dead_letter.is_some());
    options.max_failures = max_failures(&section);
    options.enrich.retry = retry(section.section("retry", false));
    let limits = &mut options.limits;
    (limits.throttle, limits.requests_per_second) = throttle(section.section("throttle", false));
    limits.breaker = breaker(section.section("breaker", false));
    options.enrich.cache = cache(section.section("cache", false), directory);
    let on_conflict = on_conflict(&section);
    section.close();
    (options, OutputOptions { on_conflict, dead_letter })
}

fn on_failure(section: &Section<'_>, dead_letter: bool) -> FailurePolicy {
    let named = section.text("on_failure");
    match (named, dead_letter) {
        (None | Some("dead-letter"), true) => FailurePolicy::DeadLetter,
        (None | Some("fail"), false) => FailurePolicy::Fail,
        (Some("keep"), false) => FailurePolicy::Keep,
        (Some("dead-letter"), false) => {
            section.problem("dead_letter", "is required: the file that dead letters go to");
            FailurePolicy::DeadLetter
        }
        (Some(other @ ("fail" | "keep")), true) => {
            section.problem(
                "on_failure",
                format!("is `{other}`, and `dead_letter` names a file; take one of them away"),
            );
            FailurePolicy::DeadLetter
        }
        (Some(other), _) => {
            let message = format!("must be fail, keep or dead-letter, is `{other}`");
            section.problem("on_failure", message);
            FailurePolicy::Fail
        }
    }
}

/// A number of rows, or a share of them as a text.
fn max_failures(section: &Section<'_>) -> Option<MaxFailures> {
    let text = match section.value("max_failures")? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.parse() {
        Ok(most) => Some(most),
        Err(message) => {
            section.problem("max_failures", message);
            None
        }
    }
}

fn on_conflict(section: &Section<'_>) -> OnConflict {
    let suffix = section.text("suffix");
    match (section.text("on_conflict"), suffix) {
        (None | Some("left"), None) => OnConflict::Left,
        (Some("right"), None) => OnConflict::Right,
        (Some("error"), None) => OnConflict::Error,
        (None | Some("suffix"), Some("")) => {
            section.problem("suffix", "must not be empty");
            OnConflict::Left
        }
        (None | Some("suffix"), Some(suffix)) => OnConflict::Suffix(suffix.to_owned()),
        (Some("suffix"), None) => {
            section.problem("suffix", "is required: what goes behind a feature's name");
            OnConflict::Left
        }
        (Some("left" | "right" | "error"), Some(_)) => {
            section.problem("suffix", "has no effect unless `on_conflict` is suffix");
            OnConflict::Left
        }
        (Some(other), _) => {
            let message = format!("must be left, right, error or suffix, is `{other}`");
            section.problem("on_conflict", message);
            OnConflict::Left
        }
    }
}

fn ms(section: &Section<'_>, name: &'static str, least: i64, into: &mut Duration) {
    if let Some(ms) = section.integer(name, least..=A_DAY_MS) {
        *into = Duration::from_millis(ms as u64);
    }
}

fn seconds(section: &Section<'_>, name: &'static str, least: i64, into: &mut Duration) {
    if let Some(seconds) = section.integer(name, least..=A_YEAR_S) {
        *into = Duration::from_secs(seconds as u64);
    }
}

fn number(section: &Section<'_>, name: &'static str, least: i64, most: i64, into: &mut u32) {
    if let Some(number) = section.integer(name, least..=most) {
        *into = number as u32;
    }
}

fn retry(section: Section<'_>) -> RetryOptions {
    let mut options = RetryOptions::default();
    number(&section, "max_attempts", 1, 100, &mut options.max_attempts);
    ms(&section, "backoff_ms", 0, &mut options.backoff);
    ms(&section, "max_backoff_ms", 0, &mut options.max_backoff);
    if let Some(share) = section.number("budget", 0.0..=1.0) {
        options.budget = share as f32;
    }
    number(&section, "min_per_second", 0, 1_000_000, &mut options.min_per_second);
    ms(&section, "deadline_ms", 1, &mut options.deadline);
    section.close();
    options
}

fn throttle(section: Section<'_>) -> (Option<ThrottleOptions>, Option<NonZero<u32>>) {
    let mut options = ThrottleOptions::default();
    let count = |name| section.integer(name, 1..=65_536).map(|count| count as usize);
    options.most = count("max_requests").unwrap_or(options.most);
    options.fewest = count("min_requests").unwrap_or(options.fewest);
    if options.fewest > options.most {
        let most = options.most;
        section.problem("min_requests", format!("must not be more than `max_requests`, {most}"));
    }
    let rate = section.integer("requests_per_second", 1..=1_000_000);
    let rate = rate.and_then(|rate| NonZero::new(rate as u32));
    section.close();
    (Some(options), rate)
}

fn breaker(section: Section<'_>) -> Option<BreakerOptions> {
    let mut options = BreakerOptions::default();
    let enabled = section.boolean("enabled").unwrap_or(true);
    if let Some(share) = section.number("failure_rate", 0.01..=1.0) {
        options.failure_rate = share;
    }
    number(&section, "min_requests", 1, 1_000_000, &mut options.min_requests);
    ms(&section, "window_ms", 100, &mut options.window);
    ms(&section, "open_ms", 1, &mut options.open);
    section.close();
    enabled.then_some(options)
}

/// The presence of the table turns the cache on.
fn cache(section: Section<'_>, directory: &Path) -> Option<CacheOptions> {
    let mut options = CacheOptions::default();
    let there = section.is_there();
    if let Some(mib) = section.integer("memory_mib", 0..=1 << 20) {
        options.memory = (mib as u64) << 20;
    }
    seconds(&section, "ttl_s", 1, &mut options.ttl);
    seconds(&section, "missing_ttl_s", 0, &mut options.missing_ttl);
    seconds(&section, "stale_s", 0, &mut options.stale);
    options.redis = redis(&section, directory);
    if there && options.memory == 0 && options.redis.is_none() {
        section.problem("memory_mib", "is 0, and there is no `redis`: nothing would be kept");
    }
    section.close();
    there.then_some(options)
}

/// A URL, or where one is kept: it may hold a password.
fn redis(section: &Section<'_>, directory: &Path) -> Option<String> {
    let url = match section.value("redis")? {
        Value::String(url) => url.clone(),
        reference => match secret::read(directory, reference) {
            Some(Ok(url)) => url,
            Some(Err(why)) => {
                section.problem("redis", why);
                return None;
            }
            None => {
                section.problem(
                    "redis",
                    "must be a URL, or { env = \"NAME\" } or { file = \"PATH\" }",
                );
                return None;
            }
        },
    };
    if let Err(why) = parse_url(&url, &["redis", "rediss"]) {
        let form = "must be a URL such as redis://localhost:6379/0, or rediss:// for TLS";
        section.problem("redis", format!("{form}; {why}"));
        return None;
    }
    Some(url)
}

/// Reads `[sandbox]`.
pub(super) fn sandbox(section: Section<'_>) -> SandboxOptions {
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
        // The value is not shown, as it may hold a password.
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

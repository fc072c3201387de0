//! State that an instance keeps between calls.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A handler was set up.
pub(crate) static SET_UP: Flag = Flag(AtomicBool::new(false));
/// Rows were received.
pub(crate) static PROCESSED: Flag = Flag(AtomicBool::new(false));
/// A bundle was dropped before its end.
pub(crate) static DROPPED: Flag = Flag(AtomicBool::new(false));
/// The store has failed.
pub(crate) static FAILED: Flag = Flag(AtomicBool::new(false));
/// Answers of the store came in another order than its requests.
pub(crate) static OUT_OF_ORDER: Flag = Flag(AtomicBool::new(false));

/// How often the handler was described.
pub(crate) static DESCRIBED: Count = Count(AtomicU64::new(0));
/// How often the outputs were asked for.
pub(crate) static OUTPUTS: Count = Count(AtomicU64::new(0));
/// How often the counters were asked for.
pub(crate) static COUNTED: Count = Count(AtomicU64::new(0));
/// How many bundles were started.
pub(crate) static BUNDLES: Count = Count(AtomicU64::new(0));
/// How many rows were asked for, over all bundles.
pub(crate) static ROWS: Count = Count(AtomicU64::new(0));
/// The last row of which an answer came, from 1.
pub(crate) static LAST: Count = Count(AtomicU64::new(0));
/// How many requests were made other than those for rows, and how many of them failed.
pub(crate) static OTHER_REQUESTS: [Count; 2] = [Count(AtomicU64::new(0)), Count(AtomicU64::new(0))];

/// Whether something has happened.
pub(crate) struct Flag(AtomicBool);

impl Flag {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often something has happened.
pub(crate) struct Count(AtomicU64);

impl Count {
    /// Adds one, and returns the count before.
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

/// The promise to break before there is a configuration: tests write its name into the bytes of the
/// component, after this text.
#[used]
static MARK: [u8; 48] = *b"beamlet-broken-mark:                            ";

/// The name in the mark; empty in an unchanged component.
pub(crate) fn marked() -> String {
    // SAFETY: it is a static, and initialised. An ordinary read would be folded into a constant.
    let mark = unsafe { std::ptr::read_volatile(&raw const MARK) };
    let name = mark.split(|byte| *byte == b':').next_back().unwrap_or_default();
    String::from_utf8_lossy(name).trim().to_owned()
}

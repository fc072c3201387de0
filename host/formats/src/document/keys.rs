//! The top-level keys that one reader's documents have had, so that a join need not look for a
//! feature's name in every row.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// More names than any schema has: keys that are data (ids, dates) must not fill the memory.
const MOST_KEYS: usize = 4_096;

/// A set that grows to a limit, then takes every key for seen.
#[derive(Debug, Default)]
pub(super) struct Keys {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    names: HashSet<Box<str>>,
    overflown: bool,
}

impl Keys {
    pub(super) fn add<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if seen.overflown || seen.names.contains(name) {
                continue;
            }
            if seen.names.len() == MOST_KEYS {
                *seen = Seen { overflown: true, ..Seen::default() };
            } else {
                seen.names.insert(name.into());
            }
        }
    }

    /// Whether a row may have had the key; `false` is certain.
    pub(super) fn may_have(&self, name: &str) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.overflown || seen.names.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_without_end_are_all_taken_for_seen() {
        let keys = Keys::default();
        keys.add(["a"].into_iter());
        assert!(keys.may_have("a") && !keys.may_have("b"));
        let many: Vec<_> = (0..=MOST_KEYS).map(|it| it.to_string()).collect();
        keys.add(many.iter().map(String::as_str));
        assert!(keys.may_have("a") && keys.may_have("b"));
        assert!(keys.seen.lock().unwrap().names.is_empty());
    }
}

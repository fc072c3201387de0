//! What stands for a Redis in a library that is built without the feature `redis`: there is none.

use super::memory::Memory;
use super::{CacheError, Kept};

/// Cannot be made.
pub(super) enum Redis {}

/// Never comes.
pub(super) enum Failed {}

impl Redis {
    pub(super) fn new(_: &str, _: &[&str]) -> Result<Self, CacheError> {
        Err(CacheError(
            "`redis` is configured, and this program is built without the feature `redis`"
                .to_owned(),
        ))
    }

    pub(super) async fn get(&self, _: &[&[u8]], _: &Memory) -> Result<Vec<Option<Kept>>, Failed> {
        match *self {}
    }

    pub(super) async fn put(&self, _: &[(Box<[u8]>, Kept)]) -> Result<(), Failed> {
        match *self {}
    }
}

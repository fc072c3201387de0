//! What a bundle promises, over a store that answers when the test says so.
#![allow(clippy::unwrap_used)]

mod get;
mod order;
mod refusal;
mod support;

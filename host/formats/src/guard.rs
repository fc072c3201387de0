//! Turns panics of a parser or an encoder into errors.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Whether panics of this thread are caught by [`guarded`].
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `run` and turns a panic into an error: a library that panics on its input has found bad
/// input. The panic prints nothing, because the error has its message.
pub(crate) fn guarded<T, E: ToString>(run: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                before(panic);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let answer = catch_unwind(AssertUnwindSafe(run));
    GUARDED.set(outer);
    match answer {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(panic) => Err(message(panic.as_ref())),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("its parser panicked").to_owned()
}

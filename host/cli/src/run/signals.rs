//! SIGINT, SIGTERM and SIGHUP: the first one lets what is in flight come to its end, a second one
//! stops. Whatever ends the process, no unfinished file stays.

use super::super::say;
use crate::pipeline::Stop;
use beamlet_formats::discard_unfinished;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How long a last message may wait for who reads standard error.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The signals that end a run.
pub(super) struct Signals {
    /// Whether there are rows in flight, which are worth an end in good order.
    running: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on: stops the run at the first signal, and the process at the second.
    /// SIGQUIT does not wait for a second, and before the run there is nothing to wait for.
    pub(super) fn listen(stop: Stop) -> Self {
        let mut all = vec![
            ("SIGINT", SignalKind::interrupt()),
            ("SIGTERM", SignalKind::terminate()),
            ("SIGQUIT", SignalKind::quit()),
        ];
        // `nohup` has it ignored, and means it.
        if !is_ignored(SignalKind::hangup()) {
            all.push(("SIGHUP", SignalKind::hangup()));
        }
        let running = Arc::new(AtomicBool::new(false));
        for (name, kind) in all {
            // A signal that cannot be listened to ends the process, as it always has.
            let Ok(mut signal) = signal(kind) else { continue };
            let (stop, running) = (stop.clone(), running.clone());
            tokio::spawn(async move {
                while signal.recv().await.is_some() {
                    let is_first = !stop.is_stopped() && running.load(Ordering::SeqCst);
                    if !is_first || kind == SignalKind::quit() {
                        end(name, kind);
                    }
                    // First what counts: who reads the message may be slow.
                    stop.stop();
                    tokio::task::spawn_blocking(move || {
                        say(format_args!("{name}: no more rows are read; once more stops at once"));
                    });
                }
            });
        }
        Signals { running }
    }

    /// Rows are read from now on.
    pub(super) fn run_begins(&self) {
        self.running.store(true, Ordering::SeqCst);
    }
}

/// Ends the process as a shell tells that a signal ended it.
fn end(name: &'static str, kind: SignalKind) -> ! {
    discard_unfinished();
    let (said, hear) = mpsc::channel();
    std::thread::spawn(move || {
        say(format_args!("{name}: stopped"));
        let _ = said.send(());
    });
    let _ = hear.recv_timeout(LAST_WORDS);
    std::process::exit(128 + kind.as_raw_value());
}

/// Whether the process was started with a signal ignored, as far as the system tells.
fn is_ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}

//! SIGINT, SIGTERM and SIGHUP: after the first signal, bundles in flight are finished; a second one
//! ends the process. In each case, no unfinished file is left.

use super::super::say;
use crate::pipeline::Stop;
use beamlet_formats::discard_unfinished;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How long the last message may wait for the reader of standard error.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The signals that end a run.
pub(super) struct Signals {
    /// Whether the run has started, so that there may be rows in flight.
    running: Arc<AtomicBool>,
}

impl Signals {
    /// Starts to listen: the first signal stops the run, the second one ends the process. SIGQUIT
    /// and any signal before the run end the process immediately.
    pub(super) fn listen(stop: Stop) -> Self {
        let mut all = vec![
            ("SIGINT", SignalKind::interrupt()),
            ("SIGTERM", SignalKind::terminate()),
            ("SIGQUIT", SignalKind::quit()),
        ];
        // Under `nohup` it is ignored and must stay so.
        if !is_ignored(SignalKind::hangup()) {
            all.push(("SIGHUP", SignalKind::hangup()));
        }
        let running = Arc::new(AtomicBool::new(false));
        for (name, kind) in all {
            // A signal without a listener keeps its default: it ends the process.
            let Ok(mut signal) = signal(kind) else { continue };
            let (stop, running) = (stop.clone(), running.clone());
            tokio::spawn(async move {
                while signal.recv().await.is_some() {
                    let is_first = !stop.is_stopped() && running.load(Ordering::SeqCst);
                    if !is_first || kind == SignalKind::quit() {
                        end(name, kind);
                    }
                    // Stop before printing, because the reader of the message may be slow.
                    stop.stop();
                    tokio::task::spawn_blocking(move || {
                        say(format_args!(
                            "{name}: no more rows are read; a second signal ends the run immediately"
                        ));
                    });
                }
            });
        }
        Signals { running }
    }

    /// The run has started, and rows are read.
    pub(super) fn run_begins(&self) {
        self.running.store(true, Ordering::SeqCst);
    }
}

/// Ends the process with the exit code of a shell for this signal.
fn end(name: &'static str, kind: SignalKind) -> ! {
    discard_unfinished();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        say(format_args!("{name}: stopped"));
        let _ = sender.send(());
    });
    let _ = receiver.recv_timeout(LAST_WORDS);
    std::process::exit(128 + kind.as_raw_value());
}

/// Whether the process was started with a signal ignored, as far as that can be found out.
fn is_ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}

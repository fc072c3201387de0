//! SIGINT and SIGTERM: the first one lets what is in flight come to its end, a second one stops.

use beamlet::run::Stop;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Stops the run at the first signal, and the process at the second.
pub(super) fn drain(stop: Stop) {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without a handler a signal ends the process, as it always has.
        return;
    };
    tokio::spawn(async move {
        let name = either(&mut interrupt, &mut terminate).await.0;
        eprintln!("{name}: no more rows are read; once more stops at once");
        stop.stop();
        let (name, number) = either(&mut interrupt, &mut terminate).await;
        eprintln!("{name}: stopped");
        // As a shell tells a process that a signal ended.
        std::process::exit(128 + number);
    });
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) -> (&'static str, i32) {
    tokio::select! {
        _ = interrupt.recv() => ("SIGINT", SignalKind::interrupt().as_raw_value()),
        _ = terminate.recv() => ("SIGTERM", SignalKind::terminate().as_raw_value()),
    }
}

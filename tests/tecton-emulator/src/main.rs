//! The binary `tecton-emulator`: serves a repository file until it is stopped.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use tecton_emulator::{Emulator, RepositoryFile};
use tokio::io::AsyncReadExt as _;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

/// Emulates Tecton's online HTTP API over the CSV files that a repository file names.
///
/// When it is ready it prints one line, `listening on http://ADDRESS:PORT`. It ends on SIGTERM and
/// SIGINT. Counts are at /_emulator/stats.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The repository file (TOML): workspaces, services, views, api keys, settings, faults.
    #[arg(long, value_name = "FILE")]
    repository: PathBuf,

    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Delay every answer by this, for example 5ms; overrides the file's setting.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    latency: Option<Duration>,

    /// Worker threads [default: one per core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,

    /// A key that may read every workspace, in addition to those of the file.
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,

    /// End when standard input ends, so as not to outlive the process that started this one.
    #[arg(long)]
    exit_with_stdin: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut runtime = runtime::Builder::new_multi_thread();
    if let Some(threads) = arguments.threads {
        runtime.worker_threads(threads.into());
    }
    let runtime = runtime.enable_all().build()?;
    let result = runtime.block_on(serve(arguments));
    // A read of standard input cannot be called off; it must not keep the process.
    runtime.shutdown_background();
    result
}

async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let mut file = RepositoryFile::read(&arguments.repository)?;
    if let Some(key) = arguments.api_key {
        file.repository = file.repository.api_key(key);
    }
    let mut builder = Emulator::of_file(file).listen(arguments.listen);
    if let Some(latency) = arguments.latency {
        builder = builder.latency(latency);
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = builder.start().await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on {}", running.url())
        .and_then(|()| stdout.flush())
        .context("cannot print the address")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = end_of_stdin(), if arguments.exit_with_stdin => {}
    }
    running.stop().await;
    Ok(())
}

async fn end_of_stdin() {
    let mut stdin = tokio::io::stdin();
    let mut dropped = [0; 1024];
    while !matches!(stdin.read(&mut dropped).await, Ok(0) | Err(_)) {}
}

//! The progress of a run: a bar on a terminal, a line every ten seconds elsewhere.

use super::super::arguments::ShowProgress;
use super::super::say;
use crate::pipeline::RunMetrics;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How often the bar is drawn.
const DRAWN: Duration = Duration::from_millis(100);
/// How often a line is written where there is no terminal.
const WRITTEN: Duration = Duration::from_secs(10);

/// The task that shows the progress.
pub(super) struct Progress {
    task: JoinHandle<()>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts to show a run, unless the user asked for nothing.
    pub(super) fn start(metrics: Arc<RunMetrics>, show: ShowProgress) -> Option<Self> {
        let terminal = std::io::stderr().is_terminal();
        match (show, terminal) {
            (ShowProgress::Never, _) => None,
            (ShowProgress::Auto, true) => {
                let bar = bar(&metrics);
                let drawn = bar.clone();
                let started = Instant::now();
                let task = tokio::spawn(every(DRAWN, move || {
                    drawn.set_position(metrics.input.read());
                    drawn.set_message(message(&metrics, started.elapsed()));
                }));
                Some(Progress { task, bar: Some(bar) })
            }
            (ShowProgress::Auto | ShowProgress::Lines, _) => {
                let started = Instant::now();
                let task = tokio::spawn(every(WRITTEN, move || {
                    say(line(&metrics, started.elapsed()));
                }));
                Some(Progress { task, bar: None })
            }
        }
    }

    pub(super) fn end(self) {
        self.task.abort();
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

async fn every(time: Duration, show: impl Fn()) {
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + time, time);
    loop {
        ticks.tick().await;
        show();
    }
}

/// A bar by the bytes of the input where their number is known, and else a spinner.
fn bar(metrics: &RunMetrics) -> ProgressBar {
    let (bar, template) = match metrics.input.total() {
        Some(bytes) => (
            ProgressBar::new(bytes),
            "{bar:30} {percent:>3} %  {msg}  {elapsed_precise}, {eta_precise} to come",
        ),
        None => (ProgressBar::new_spinner(), "{spinner}  {msg}  {elapsed_precise}"),
    };
    // A test makes sure that the templates are valid.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// How many rows there were, how many a second, and how many of them failed or are missing.
fn message(metrics: &RunMetrics, elapsed: Duration) -> String {
    let rows = metrics.written.get() + metrics.dead_letters.get();
    let rate = rows as f64 / elapsed.as_secs_f64();
    let mut text = format!("{rows} rows, {rate:.0} a second");
    for (count, name) in [(metrics.failed.get(), "failed"), (metrics.missing.get(), "missing")] {
        if count > 0 {
            text = format!("{text}, {count} {name}");
        }
    }
    text
}

fn line(metrics: &RunMetrics, elapsed: Duration) -> String {
    let mut text = format!("{} after {:.0} s", message(metrics, elapsed), elapsed.as_secs_f64());
    if let Some(total) = metrics.input.total().filter(|total| *total > 0) {
        let share = metrics.input.read() as f64 / total as f64;
        text = format!("{text}, {:.0} % of the input", 100.0 * share.min(1.0));
        if share > 0.0 {
            let left = elapsed.as_secs_f64() * (1.0 / share - 1.0);
            text = format!("{text}, {:.0} s to come", left.max(0.0));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_rows_and_their_rate() {
        let metrics = RunMetrics::default();
        metrics.written.add(1500);
        metrics.dead_letters.add(100);
        metrics.failed.add(100);
        metrics.missing.add(7);
        let line = line(&metrics, Duration::from_secs(10));
        assert_eq!(line, "1600 rows, 160 a second, 100 failed, 7 missing after 10 s");
    }

    #[test]
    fn the_templates_of_the_bar_are_valid() {
        let bar = bar(&RunMetrics::default());
        bar.set_message("3 rows");
        bar.finish_and_clear();
    }
}

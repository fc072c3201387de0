//! How long each step took, by the clock and in CPU time of all processes that it started.

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A step that has ended.
struct Step {
    name: String,
    clock: Duration,
    cpu: Option<Duration>,
}

static STEPS: Mutex<Vec<Step>> = Mutex::new(Vec::new());

/// Runs a step and records its time, whether it succeeds or not. Steps do not nest.
pub(crate) fn step<T>(name: impl Into<String>, run: impl FnOnce() -> Result<T>) -> Result<T> {
    let (began, cpu_before) = (Instant::now(), children_cpu());
    let result = run();
    let cpu = children_cpu().zip(cpu_before).map(|(after, before)| after.saturating_sub(before));
    let step = Step { name: name.into(), clock: began.elapsed(), cpu };
    append(&step);
    STEPS.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(step);
    result
}

/// Prints the steps so far as a table.
pub(crate) fn print() {
    let steps = STEPS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_header(["step", "seconds", "CPU seconds"]);
    let seconds = |duration: Duration| format!("{:.1}", duration.as_secs_f64());
    let cpu = |step: &Step| step.cpu.map_or_else(String::new, seconds);
    for step in steps.iter() {
        table.add_row([step.name.clone(), seconds(step.clock), cpu(step)]);
    }
    let total = Step {
        name: "all".to_owned(),
        clock: steps.iter().map(|step| step.clock).sum(),
        cpu: steps.iter().map(|step| step.cpu).sum(),
    };
    table.add_row([total.name.clone(), seconds(total.clock), cpu(&total)]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    eprintln!("\n{table}");
}

/// Appends a step to the file that `BEAMLET_TIMINGS` names, for a script of several commands:
/// name, seconds, CPU seconds, with tabs between.
fn append(step: &Step) {
    let Some(file) = std::env::var_os("BEAMLET_TIMINGS") else { return };
    let cpu = step.cpu.map_or_else(|| "-".to_owned(), |cpu| format!("{:.0}", cpu.as_secs_f64()));
    let line = format!("{}\t{:.0}\t{cpu}\n", step.name, step.clock.as_secs_f64());
    let file = OpenOptions::new().create(true).append(true).open(file);
    if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
        eprintln!("warning: BEAMLET_TIMINGS cannot be written: {error}");
    }
}

/// The CPU time of ended children and of theirs. Known where there is `/proc`.
fn children_cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    children_of(&stat)
}

/// proc(5): after the name in parentheses, `cutime` and `cstime` are fields 14 and 15, in ticks
/// of which Linux shows a hundred a second.
fn children_of(stat: &str) -> Option<Duration> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks(13)? + ticks(14)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_time_of_children_is_read_behind_a_name_with_spaces_and_parentheses() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 2 3 4 50 60 700 80 20 0 1 0 9 10";
        assert_eq!(children_of(stat), Some(Duration::from_millis(7800)));
        assert_eq!(children_of("7 (a) S 1"), None);
    }
}

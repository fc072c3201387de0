//! Callgrind's output: instructions by function and source file, summed up by part of the program.
//!
//! The format is valgrind's "Callgrind Format Specification". A line of cost belongs to the source
//! file that the last `fl=`, `fi=` or `fe=` named, so that inlined code counts where it was
//! written.

use anyhow::{Context, Result};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// A function, by the number of its object, file and name.
type Function = (u32, u32, u32);

/// What was counted.
#[derive(Default)]
pub(crate) struct Profile {
    names: Names,
    /// Instructions of a function itself, by the file that they were written in.
    own: HashMap<(Function, u32), u64>,
    /// Instructions of a function called by another one, with all that it calls: callee, caller.
    calls: HashMap<Function, HashMap<Function, u64>>,
}

/// What numbers stand for.
#[derive(Default)]
struct Names {
    objects: HashMap<u32, String>,
    files: HashMap<u32, String>,
}

/// Says which part of the program code belongs to.
pub(crate) trait Parts {
    /// The part that code of this object and source file belongs to; none where it serves the
    /// part that calls it, as the standard library does.
    fn of(&self, object: &str, file: &str) -> Option<usize>;
}

impl Profile {
    /// Reads callgrind's output.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("{} is missing", path.display()))?;
        let mut profile = Profile::default();
        let (mut function, mut file_now) = ((0, 0, 0), 0);
        let mut callee: Function = (0, 0, 0);
        let mut called = false;
        for line in BufReader::new(file).lines() {
            let line = line?;
            let Some((key, value)) = line.split_once('=') else {
                let Some(cost) = cost(&line) else { continue };
                if std::mem::take(&mut called) {
                    *profile.calls.entry(callee).or_default().entry(function).or_default() += cost;
                    callee = function;
                } else {
                    *profile.own.entry((function, file_now)).or_default() += cost;
                }
                continue;
            };
            let names = &mut profile.names;
            match key {
                "ob" => function.0 = names.object(value),
                "fl" => {
                    file_now = names.file(value);
                    function.1 = file_now;
                }
                "fi" | "fe" => file_now = names.file(value),
                "fn" => {
                    function.2 = number(value);
                    // A call names only what differs from the calling function.
                    callee = function;
                }
                "cob" => callee.0 = names.object(value),
                "cfi" | "cfl" => callee.1 = names.file(value),
                "cfn" => callee.2 = number(value),
                "calls" => called = true,
                _ => {}
            }
        }
        Ok(profile)
    }

    /// Instructions by part; what serves no part is last. Code of no part counts for those that
    /// call it, by what they call it for.
    pub(crate) fn by_part(&self, parts: &impl Parts, count: usize) -> Vec<f64> {
        let part = |function: &Function, file: u32| {
            let name = |names: &HashMap<u32, String>, number| {
                names.get(&number).map(String::as_str).unwrap_or_default().to_owned()
            };
            parts.of(&name(&self.names.objects, function.0), &name(&self.names.files, file))
        };
        let mut sums = vec![0.0; count + 1];
        let mut serving: HashMap<Function, f64> = HashMap::new();
        for ((function, file), cost) in &self.own {
            // Inlined code of no part counts for the function that it is in.
            match part(function, *file).or_else(|| part(function, function.1)) {
                Some(part) => sums[part] += *cost as f64,
                None => *serving.entry(*function).or_default() += *cost as f64,
            }
        }
        // Each round moves what serves one call up. Circles of calls keep a rest.
        for _ in 0..64 {
            let mut next: HashMap<Function, f64> = HashMap::new();
            for (function, cost) in serving.drain() {
                let callers = self.calls.get(&function);
                let callers = callers.into_iter().flatten().filter(|(by, _)| **by != function);
                let callers: Vec<_> = callers.collect();
                let all: u64 = callers.iter().map(|(_, cost)| **cost).sum();
                if all == 0 {
                    sums[count] += cost;
                }
                for (caller, weight) in callers {
                    let share = cost * *weight as f64 / all.max(1) as f64;
                    match part(caller, caller.1) {
                        Some(part) => sums[part] += share,
                        None => *next.entry(*caller).or_default() += share,
                    }
                }
            }
            serving = next;
        }
        sums[count] += serving.values().sum::<f64>();
        sums
    }
}

impl Names {
    fn object(&mut self, value: &str) -> u32 {
        name(&mut self.objects, value)
    }

    fn file(&mut self, value: &str) -> u32 {
        name(&mut self.files, value)
    }
}

/// The number of `(7) name`, or of `(7)` once the name is known.
fn name(names: &mut HashMap<u32, String>, value: &str) -> u32 {
    let number = number(value);
    if let Some((_, name)) = value.split_once(") ") {
        names.insert(number, name.to_owned());
    }
    number
}

fn number(value: &str) -> u32 {
    let digits = value.trim_start_matches('(').split(')').next();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

/// The cost of a line `POSITION COST`; none for what is no such line.
fn cost(line: &str) -> Option<u64> {
    let (position, cost) = line.split_once(' ')?;
    let position = position.trim_start_matches(['+', '-', '*']);
    position.chars().all(|digit| digit.is_ascii_digit()).then_some(())?;
    cost.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct ByFile;

    impl Parts for ByFile {
        fn of(&self, _: &str, file: &str) -> Option<usize> {
            match file {
                "a.rs" => Some(0),
                "b.rs" => Some(1),
                _ => None,
            }
        }
    }

    fn by_part(text: &str) -> Vec<f64> {
        let file = std::env::temp_dir().join(format!("beamlet-callgrind-{}", text.len()));
        std::fs::write(&file, text).unwrap();
        let profile = Profile::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        profile.by_part(&ByFile, 2)
    }

    #[test]
    fn inlined_code_counts_where_it_was_written() {
        let text =
            "events: Ir\nob=(1) app\nfl=(1) a.rs\nfn=(1) f\n1 10\nfi=(2) b.rs\n+7 5\nfe=(1)\n* 2\n";
        assert_eq!(by_part(text), [12.0, 5.0, 0.0]);
    }

    #[test]
    fn what_serves_others_counts_for_its_callers_by_what_they_call_it_for() {
        let text = "events: Ir\n\
            ob=(1) app\nfl=(1) a.rs\nfn=(1) f\n1 10\ncob=(2) libc\ncfi=(3) malloc.c\ncfn=(3) malloc\ncalls=1 9\n1 30\n\
            fl=(2) b.rs\nfn=(2) g\n1 20\ncob=(2)\ncfi=(3)\ncfn=(3)\ncalls=3 9\n2 90\n\
            ob=(2)\nfl=(3)\nfn=(3)\n9 120\n";
        assert_eq!(by_part(text), [40.0, 110.0, 0.0]);
    }

    #[test]
    fn what_nobody_calls_is_left_over() {
        assert_eq!(by_part("ob=(1) app\nfl=(3) std.rs\nfn=(1) f\n1 10\n"), [0.0, 0.0, 10.0]);
    }
}

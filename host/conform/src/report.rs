//! What came of the checks: for a person, and for a program.

use super::breach::Breach;
use super::check::Check;
use serde_json::{Value, json};
use std::fmt;

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The promise holds.
    Passed,
    /// It is broken.
    Failed(Breach),
    /// There is nothing to look at; the text says why.
    NotApplicable(String),
    /// It could not be looked at, as the promise of that check is broken.
    NotLookedAt(&'static str),
}

/// What came of all checks that were made, in their order.
pub struct Report {
    /// The handler's name and version, as far as it told them.
    pub handler: String,
    /// The checks, with what came of them.
    pub checks: Vec<(&'static Check, Outcome)>,
}

impl Report {
    /// Whether every promise that could be looked at holds.
    pub fn passed(&self) -> bool {
        !self.checks.iter().any(|(_, outcome)| matches!(outcome, Outcome::Failed(_)))
    }

    /// The names of the checks that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = |(check, outcome): &(&'static Check, Outcome)| {
            matches!(outcome, Outcome::Failed(_)).then_some(check.name)
        };
        self.checks.iter().filter_map(failed).collect()
    }

    /// The report for a program. `again` is the command that made it.
    pub fn json(&self, again: &str) -> Value {
        let check = |(check, outcome): &(&'static Check, Outcome)| {
            let mut value = json!({
                "name": check.name,
                "promise": check.promise,
                "contract": check.place,
                "outcome": outcome.word().replace(' ', "_"),
            });
            match outcome {
                Outcome::Passed => {}
                Outcome::Failed(breach) => {
                    value["done"] = json!(breach.done);
                    value["expected"] = json!(breach.expected);
                    value["came"] = json!(breach.came);
                    value["again"] = json!(format!("{again} --only {}", check.name));
                }
                Outcome::NotApplicable(why) => value["why"] = json!(why),
                Outcome::NotLookedAt(failed) => value["because_of"] = json!(failed),
            }
            value
        };
        let [passed, failed, not_applicable, not_looked_at] = self.counts();
        json!({
            "handler": self.handler,
            "passed": self.passed(),
            "counts": {
                "ok": passed,
                "failed": failed,
                "not_applicable": not_applicable,
                "not_looked_at": not_looked_at,
            },
            "checks": self.checks.iter().map(check).collect::<Value>(),
        })
    }

    /// How many passed, failed, were not applicable, and were not looked at.
    fn counts(&self) -> [usize; 4] {
        let count = |is: fn(&Outcome) -> bool| {
            self.checks.iter().filter(|(_, outcome)| is(outcome)).count()
        };
        [
            count(|outcome| *outcome == Outcome::Passed),
            count(|outcome| matches!(outcome, Outcome::Failed(_))),
            count(|outcome| matches!(outcome, Outcome::NotApplicable(_))),
            count(|outcome| matches!(outcome, Outcome::NotLookedAt(_))),
        ]
    }

    /// The report for a person: a line a check, then what failed. `again` is the command that made
    /// it.
    pub fn told(&self, again: &str) -> impl fmt::Display {
        Told { report: self, again: again.to_owned() }
    }
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Outcome::Passed => "ok",
            Outcome::Failed(_) => "failed",
            Outcome::NotApplicable(_) => "not applicable",
            Outcome::NotLookedAt(_) => "not looked at",
        }
    }
}

/// As the line of a check ends.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Passed => f.write_str("ok"),
            Outcome::Failed(_) => f.write_str("FAILED"),
            Outcome::NotApplicable(why) => write!(f, "not applicable: {why}"),
            Outcome::NotLookedAt(failed) => write!(f, "not looked at: {failed} failed"),
        }
    }
}

struct Told<'r> {
    report: &'r Report,
    again: String,
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks = &self.report.checks;
        let longest = checks.iter().map(|(check, _)| check.name.len()).max().unwrap_or_default();
        for (check, outcome) in checks {
            writeln!(f, "{:longest$}  {outcome}", check.name)?;
        }
        for (check, outcome) in checks {
            let Outcome::Failed(breach) = outcome else { continue };
            writeln!(f, "\n{}: {}", check.name, check.promise)?;
            writeln!(f, "  done      {}", breach.done)?;
            writeln!(f, "  expected  {}", breach.expected)?;
            writeln!(f, "  came      {}", breach.came)?;
            writeln!(f, "  contract  {}", check.place)?;
            writeln!(f, "  again     {} --only {}", self.again, check.name)?;
        }
        let [passed, failed, not_applicable, not_looked_at] = self.report.counts();
        let noun = if checks.len() == 1 { "check" } else { "checks" };
        write!(
            f,
            "\n{}: {} {noun}, {passed} ok, {failed} failed",
            self.report.handler,
            checks.len()
        )?;
        if not_looked_at > 0 {
            write!(f, ", {not_looked_at} not looked at")?;
        }
        write!(f, ", {not_applicable} not applicable")
    }
}

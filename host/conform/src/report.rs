//! The results of all checks, as text and as JSON.

use super::breach::Breach;
use super::check::Check;
use serde_json::{Value, json};
use std::fmt;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// The promise holds.
    Passed,
    /// The promise is broken.
    Failed(Breach),
    /// The promise could not be tested; the text says why.
    NotApplicable(String),
    /// The promise was not looked at, because the named check failed.
    NotLookedAt(&'static str),
}

/// The results of all checks that ran, in their order.
pub struct Report {
    /// The handler's name and version, or the name of its file if `describe` failed.
    pub handler: String,
    /// The checks and their results.
    pub checks: Vec<(&'static Check, CheckOutcome)>,
}

impl Report {
    /// Whether no check failed.
    pub fn passed(&self) -> bool {
        !self.checks.iter().any(|(_, outcome)| matches!(outcome, CheckOutcome::Failed(_)))
    }

    /// The names of the checks that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = |(check, outcome): &(&'static Check, CheckOutcome)| {
            matches!(outcome, CheckOutcome::Failed(_)).then_some(check.name)
        };
        self.checks.iter().filter_map(failed).collect()
    }

    /// The report as JSON. `again` is the command that repeats it.
    pub fn json(&self, again: &str) -> Value {
        let check = |(check, outcome): &(&'static Check, CheckOutcome)| {
            let mut value = json!({
                "name": check.name,
                "promise": check.promise,
                "contract": check.place,
                "outcome": outcome.word().replace(' ', "_"),
            });
            match outcome {
                CheckOutcome::Passed => {}
                CheckOutcome::Failed(breach) => {
                    value["done"] = json!(breach.done);
                    value["expected"] = json!(breach.expected);
                    value["came"] = json!(breach.came);
                    value["again"] = json!(format!("{again} --only {}", check.name));
                }
                CheckOutcome::NotApplicable(why) => value["why"] = json!(why),
                CheckOutcome::NotLookedAt(failed) => value["because_of"] = json!(failed),
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

    /// The numbers of checks that passed, failed, were not applicable, and were not looked at.
    fn counts(&self) -> [usize; 4] {
        let count = |is: fn(&CheckOutcome) -> bool| {
            self.checks.iter().filter(|(_, outcome)| is(outcome)).count()
        };
        [
            count(|outcome| *outcome == CheckOutcome::Passed),
            count(|outcome| matches!(outcome, CheckOutcome::Failed(_))),
            count(|outcome| matches!(outcome, CheckOutcome::NotApplicable(_))),
            count(|outcome| matches!(outcome, CheckOutcome::NotLookedAt(_))),
        ]
    }

    /// The report as text: one line for each check, then details of the failures. `again` is the
    /// command that repeats it.
    pub fn text(&self, again: &str) -> impl fmt::Display {
        Text { report: self, again: again.to_owned() }
    }
}

impl CheckOutcome {
    fn word(&self) -> &'static str {
        match self {
            CheckOutcome::Passed => "ok",
            CheckOutcome::Failed(_) => "failed",
            CheckOutcome::NotApplicable(_) => "not applicable",
            CheckOutcome::NotLookedAt(_) => "not looked at",
        }
    }
}

/// The end of a check's line.
impl fmt::Display for CheckOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckOutcome::Passed => f.write_str("ok"),
            CheckOutcome::Failed(_) => f.write_str("FAILED"),
            CheckOutcome::NotApplicable(why) => write!(f, "not applicable: {why}"),
            CheckOutcome::NotLookedAt(failed) => write!(f, "not looked at: {failed} failed"),
        }
    }
}

struct Text<'r> {
    report: &'r Report,
    again: String,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks = &self.report.checks;
        let longest = checks.iter().map(|(check, _)| check.name.len()).max().unwrap_or_default();
        for (check, outcome) in checks {
            writeln!(f, "{:longest$}  {outcome}", check.name)?;
        }
        for (check, outcome) in checks {
            let CheckOutcome::Failed(breach) = outcome else { continue };
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

//! How many rows may fail.

use std::fmt;
use std::str::FromStr;

/// How many rows may fail before the run does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxFailures {
    /// So many.
    Rows(u64),
    /// A share of the rows that are answered, in percent, once there are
    /// [enough](Self::ENOUGH) of them; and of all rows, however few, where `of_all` says so.
    Percent {
        /// From 0 to 100.
        percent: f64,
        /// Whether an input of fewer rows is judged, too, at its end.
        of_all: bool,
    },
}

impl MaxFailures {
    /// What holds where failed rows are set aside and nothing else is said: a tenth of more than a
    /// few rows is no matter of single rows.
    pub const OF_DEAD_LETTERS: Self = Self::Percent { percent: 10.0, of_all: false };

    /// So many rows tell a share.
    pub const ENOUGH: u64 = 1_000;

    /// Whether more rows have failed, of those that are answered, than may. `ended` says that no more
    /// come.
    pub fn is_exceeded(&self, failed: u64, answered: u64, ended: bool) -> bool {
        match self {
            Self::Rows(most) => failed > *most,
            Self::Percent { percent, of_all } => {
                let tells = answered >= Self::ENOUGH || (*of_all && ended);
                tells && 100.0 * failed as f64 > percent * answered as f64
            }
        }
    }
}

impl FromStr for MaxFailures {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "write a number of rows, such as 100, or a share of them, such as 10%";
        let Some(percent) = text.trim().strip_suffix('%') else {
            return text.trim().parse().map(Self::Rows).map_err(|_| WRONG);
        };
        match percent.trim_end().parse() {
            Ok(percent) if (0.0..=100.0).contains(&percent) => {
                Ok(Self::Percent { percent, of_all: true })
            }
            _ => Err(WRONG),
        }
    }
}

impl fmt::Display for MaxFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "{rows}"),
            Self::Percent { percent, .. } => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_told_by_a_thousand_rows_and_a_number_at_once() {
        let share = MaxFailures::OF_DEAD_LETTERS;
        assert!(!share.is_exceeded(999, 999, true));
        assert!(!share.is_exceeded(100, 1000, false));
        assert!(share.is_exceeded(101, 1000, false));
        assert!(MaxFailures::Rows(2).is_exceeded(3, 3, false));
        assert!(!MaxFailures::Rows(2).is_exceeded(2, 2, true));
    }

    #[test]
    fn a_stated_share_holds_for_a_few_rows_too_when_no_more_come() {
        let share: MaxFailures = "10%".parse().unwrap();
        assert!(!share.is_exceeded(2, 10, false));
        assert!(share.is_exceeded(2, 10, true));
        assert!(!share.is_exceeded(1, 10, true));
    }

    #[test]
    fn what_is_no_number_and_no_share_is_refused() {
        for text in ["", "%", "-1", "101%", "ten", "1.5", "NaN%", "10%%"] {
            assert!(text.parse::<MaxFailures>().is_err(), "{text}");
        }
    }
}

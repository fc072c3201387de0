//! A `[[fault]]` table of the repository file.

use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::{Fault, FaultAnswer, FaultBody, Lateness, StatusFault, When};
use crate::endpoint::Endpoint;
use crate::settings::duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    endpoint: Option<Endpoint>,
    first: Option<u64>,
    rate: Option<f64>,
    seed: Option<u64>,

    status: Option<u16>,
    retry_after: Option<RetryAfter>,
    message: Option<String>,
    code: Option<u8>,
    body: Option<FaultBody>,
    #[serde(default)]
    not_json: bool,
    #[serde(default)]
    wrong_count: bool,
    #[serde(default)]
    truncated: bool,
    #[serde(default)]
    gzip: bool,
    hang: Option<Span>,
    late: Option<Late>,
    slow_body: Option<Span>,
    #[serde(default)]
    reset: bool,
}

#[derive(Deserialize)]
struct Span(#[serde(deserialize_with = "duration")] Duration);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Late {
    #[serde(deserialize_with = "duration")]
    median: Duration,
    #[serde(deserialize_with = "duration")]
    p99: Duration,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RetryAfter {
    Seconds(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = Table::deserialize(deserializer)?;
        let when = table.when().map_err(D::Error::custom)?;
        let endpoint = table.endpoint;
        let answer = table.answer().map_err(D::Error::custom)?;
        Ok(Self { when, endpoint, answer })
    }
}

impl Table {
    fn when(&self) -> Result<When, &'static str> {
        match (self.first, self.rate, self.seed) {
            (Some(_), Some(_), _) => Err("a fault has either first or rate"),
            (_, None, Some(_)) => Err("a fault's seed goes with its rate"),
            (Some(count), None, None) => Ok(When::First(count)),
            (None, None, None) => Ok(When::Every),
            (None, Some(share), seed) if (0.0..=1.0).contains(&share) => {
                Ok(When::Rate { share, seed: seed.unwrap_or(0) })
            }
            (None, Some(_), _) => Err("a fault's rate is from 0 to 1"),
        }
    }

    fn answer(self) -> Result<FaultAnswer, &'static str> {
        let of_status = self.retry_after.is_some()
            || self.message.is_some()
            || self.code.is_some()
            || self.body.is_some();
        if self.status.is_none() && of_status {
            return Err("a fault's retry_after, message, code and body go with its status");
        }
        if self.status.is_some_and(|status| !(100..=999).contains(&status)) {
            return Err("a fault's status is from 100 to 999");
        }
        let status = self.status.map(|status| {
            FaultAnswer::Status(StatusFault {
                status,
                retry_after: self.retry_after.map(RetryAfter::text),
                message: self.message,
                code: self.code,
                body: self.body.unwrap_or_default(),
            })
        });
        let answers = [
            status,
            self.not_json.then_some(FaultAnswer::NotJson),
            self.wrong_count.then_some(FaultAnswer::WrongCount),
            self.truncated.then_some(FaultAnswer::Truncated),
            self.gzip.then_some(FaultAnswer::Gzip),
            self.hang.map(|Span(duration)| FaultAnswer::Hang(duration)),
            self.late.map(|Late { median, p99 }| FaultAnswer::Late(Lateness { median, p99 })),
            self.slow_body.map(|Span(duration)| FaultAnswer::SlowBody(duration)),
            self.reset.then_some(FaultAnswer::Reset),
        ];
        let mut answers = answers.into_iter().flatten();
        match (answers.next(), answers.next()) {
            (Some(answer), None) => Ok(answer),
            _ => Err(
                "a fault has exactly one of status, not_json, wrong_count, truncated, gzip, hang, late, slow_body, reset",
            ),
        }
    }
}

impl RetryAfter {
    fn text(self) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Text(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Fault, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn a_table_says_when_and_what() {
        let fault = read("first = 2\nstatus = 429\nretry_after = 1").unwrap();
        let answer = StatusFault::new(429).retry_after("1");
        assert_eq!(fault, Fault::first(2, answer.into()));

        let fault = read("rate = 0.5\nseed = 7\nhang = \"10s\"").unwrap();
        let answer = FaultAnswer::Hang(Duration::from_secs(10));
        assert_eq!(fault, Fault::rate(0.5, 7, answer));

        let fault = read("late = { median = \"7ms\", p99 = \"29ms\" }").unwrap();
        let (median, p99) = (Duration::from_millis(7), Duration::from_millis(29));
        assert_eq!(fault, Fault::every(FaultAnswer::Late(Lateness { median, p99 })));

        let fault = read("endpoint = \"get-features-batch\"\nreset = true").unwrap();
        let expected = Fault::every(FaultAnswer::Reset).on(Endpoint::GetFeaturesBatch);
        assert_eq!(fault, expected);
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused() {
        assert!(read("first = 1").unwrap_err().contains("exactly one of"));
        assert!(read("reset = true\nstatus = 500").is_err());
        assert!(read("rate = 2.0\nreset = true").unwrap_err().contains("0 to 1"));
        assert!(read("reset = true\nbody = \"html\"").is_err());
        assert!(read("status = 5").is_err());
    }
}

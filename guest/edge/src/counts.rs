//! Metrics of requests, added up, as Prometheus reads them.
//!
//! `wasmtime serve` gives each request a fresh instance, so nothing in memory outlives a request.
//! [`Totals`] adds up in a file that all instances of a server share. One instance at a time reads,
//! adds and renames the file: the one that could make the directory `lock`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

/// Counts by the name of their sample, labels included: `name{label="value"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<String, u64>);

/// The metrics of the service itself, with their descriptions.
const HELP: [(&str, &str); 5] = [
    ("beamlet_edge_broken_off_total", "Answers that broke off after they had begun"),
    ("beamlet_edge_request_bytes_total", "Bytes of bodies that were read"),
    ("beamlet_edge_requests_total", "Requests that were answered"),
    ("beamlet_edge_response_bytes_total", "Bytes of bodies that were written"),
    ("beamlet_edge_rows_total", "Rows that were answered, by outcome"),
];

impl Counts {
    /// Adds to a sample.
    pub fn add(&mut self, sample: impl Into<String>, more: u64) {
        *self.0.entry(sample.into()).or_default() += more;
    }

    /// Adds all counts of another.
    pub fn merge(&mut self, other: &Counts) {
        other.0.iter().for_each(|(sample, more)| self.add(sample.as_str(), *more));
    }

    /// Adds a counter of the handler.
    pub fn of_handler(&mut self, name: &str, more: u64) {
        self.add(format!("beamlet_handler_{name}_total"), more);
    }

    /// All samples, a line each, for [`of_text`](Self::of_text).
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (sample, count) in &self.0 {
            let _ = writeln!(text, "{sample} {count}");
        }
        text
    }

    /// Reads the text that [`to_text`](Self::to_text) wrote; `None` for any other text.
    pub fn of_text(text: &str) -> Option<Self> {
        let pair = |line: &str| {
            let (sample, count) = line.rsplit_once(' ')?;
            Some((sample.to_owned(), count.parse().ok()?))
        };
        text.lines().map(pair).collect::<Option<_>>().map(Counts)
    }

    /// The exposition format of Prometheus, version 0.0.4.
    pub fn exposition(&self) -> String {
        let mut text = String::new();
        let mut last = "";
        for (sample, count) in &self.0 {
            let name = sample.split('{').next().unwrap_or_default();
            if name != last {
                let help = HELP.iter().find(|(known, _)| *known == name);
                let help = help.map_or("Counted by the handler", |(_, help)| help);
                let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
                last = name;
            }
            let _ = writeln!(text, "{sample} {count}");
        }
        text
    }
}

/// How long an instance waits for another before it gives up.
const PATIENCE: Duration = Duration::from_secs(2);
/// How old a lock is whose instance has ended without removing it.
const STALE: Duration = Duration::from_secs(10);
/// How long to wait before the next attempt.
const PAUSE: Duration = Duration::from_millis(2);

/// The totals in a directory.
pub struct Totals {
    directory: PathBuf,
}

/// Exists while an instance adds.
struct Lock(PathBuf);

impl Totals {
    /// The totals in this directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Totals { directory: directory.into() }
    }

    /// The totals so far.
    ///
    /// # Errors
    /// The file cannot be read, or is not a file of totals.
    pub fn read(&self) -> Result<Counts, Error> {
        match fs::read_to_string(self.file()) {
            Ok(text) => Counts::of_text(&text)
                .ok_or_else(|| Error::new(ErrorKind::InvalidData, "the totals are not readable")),
            // No request has been counted yet. The directory has to exist.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::metadata(&self.directory).map(|_| Counts::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Adds the counts of a request.
    ///
    /// # Errors
    /// The files cannot be written, or another instance holds the lock for too long.
    pub fn add(&self, more: &Counts) -> Result<(), Error> {
        let _lock = Lock::take(&self.directory)?;
        let mut counts = self.read()?;
        counts.merge(more);
        let written = self.directory.join("totals.new");
        fs::write(&written, counts.to_text())?;
        fs::rename(written, self.file())
    }

    fn file(&self) -> PathBuf {
        self.directory.join("totals.txt")
    }
}

impl Lock {
    fn take(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("lock");
        let mut waited = Duration::ZERO;
        loop {
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Lock(path)),
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                Err(_) if waited >= PATIENCE => {
                    return Err(Error::new(ErrorKind::TimedOut, "the totals are busy"));
                }
                Err(_) if is_stale(&path) => drop(fs::remove_dir(&path)),
                Err(_) => {
                    sleep(PAUSE);
                    waited += PAUSE;
                }
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

fn is_stale(lock: &Path) -> bool {
    let made = fs::metadata(lock).and_then(|lock| lock.modified());
    let age = made.ok().and_then(|made| SystemTime::now().duration_since(made).ok());
    age.is_some_and(|age| age > STALE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn counts() -> Counts {
        let mut counts = Counts::default();
        counts.add("beamlet_edge_rows_total{outcome=\"missing\"}", 2);
        counts.add("beamlet_edge_rows_total{outcome=\"enriched\"}", 3);
        counts.of_handler("features_retrieved", 3);
        counts
    }

    #[test]
    fn counts_are_written_as_prometheus_reads_them() {
        assert_snapshot!(counts().exposition(), @r#"
        # HELP beamlet_edge_rows_total Rows that were answered, by outcome
        # TYPE beamlet_edge_rows_total counter
        beamlet_edge_rows_total{outcome="enriched"} 3
        beamlet_edge_rows_total{outcome="missing"} 2
        # HELP beamlet_handler_features_retrieved_total Counted by the handler
        # TYPE beamlet_handler_features_retrieved_total counter
        beamlet_handler_features_retrieved_total 3
        "#);
    }

    #[test]
    fn counts_are_read_as_they_were_written_and_added_up() {
        let mut twice = Counts::of_text(&counts().to_text()).unwrap();
        assert_eq!(twice, counts());
        twice.merge(&counts());
        assert!(twice.to_text().contains("outcome=\"enriched\"} 6\n"));
        assert_eq!(Counts::of_text("half a li"), None);
    }

    fn one() -> Counts {
        let mut counts = Counts::default();
        counts.add("requests", 1);
        counts
    }

    #[test]
    fn what_many_instances_add_at_the_same_time_is_all_there() {
        let directory = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let totals = Totals::new(directory.path());
                scope.spawn(move || (0..25).for_each(|_| totals.add(&one()).unwrap()));
            }
        });
        let totals = Totals::new(directory.path()).read().unwrap();
        assert_eq!(totals.to_text(), "requests 100\n");
    }

    #[test]
    fn a_lock_of_an_instance_that_has_ended_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let lock = directory.path().join("lock");
        fs::create_dir(&lock).unwrap();
        let long_ago = SystemTime::now() - 2 * STALE;
        fs::File::open(&lock).unwrap().set_modified(long_ago).unwrap();
        Totals::new(directory.path()).add(&one()).unwrap();
        assert!(!lock.exists());
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error_and_not_a_count_of_nothing() {
        let totals = Totals::new("/nowhere/at/all");
        assert!(totals.read().is_err());
        assert!(totals.add(&one()).is_err());
    }
}

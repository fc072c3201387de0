//! The ways to misbehave. Each has a test of its own in `host/cli/tests`, and another test checks
//! that.

use crate::probe::look_around;
use crate::probe::post;
use beamlet_guest::{Batch, Blobs, Column, Enriched, Error, ErrorKind, RowFailure, Texts, Values};
use serde_json::Value;
use std::hint::black_box;

/// The behaviours, by the names that a configuration calls them.
pub(crate) const NAMES: [&str; 30] = [
    "healthy",
    "trap",
    "trap-on-a-row",
    "panic",
    "spin",
    "spin-in-setup",
    "wait",
    "allocate",
    "chatter",
    "diary",
    "too-few-rows",
    "too-many-rows",
    "no-rows-at-all",
    "nulls-out-of-range",
    "nulls-that-descend",
    "missing-out-of-range",
    "missing-that-descends",
    "row-in-two-lists",
    "short-column",
    "text-beyond-its-end",
    "field-twice",
    "huge-string",
    "one-buffer-many-times",
    "refuse",
    "call",
    "call-in-setup",
    "call-and-panic",
    "call-and-blame",
    "echo-config",
    "look-around",
];

/// A behaviour with its parameters.
pub(crate) struct Behaviour {
    name: String,
    /// The whole configuration, unchanged.
    config: String,
    /// `/retrieval/url`, for behaviours that call a server.
    url: String,
    /// `/connection/api_key`: the key, or what stands in its place.
    key: String,
}

impl Behaviour {
    pub(crate) fn read(config: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(config).map_err(|error| error.to_string())?;
        let text = |pointer| json.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let name = text("/retrieval/evil");
        if !NAMES.contains(&name) {
            return Err(format!("{name:?} is no behaviour"));
        }
        Ok(Behaviour {
            name: name.to_owned(),
            config: config.to_owned(),
            url: text("/retrieval/url").to_owned(),
            key: text("/connection/api_key").to_owned(),
        })
    }

    /// What to do while the handler is set up.
    pub(crate) fn set_up(&self) -> Result<(), String> {
        match self.name.as_str() {
            "spin-in-setup" => spin(),
            "call-in-setup" => Err(post(&self.url, &self.key)),
            _ => Ok(()),
        }
    }

    /// With a diary, writes down each call.
    pub(crate) fn note(&self, what: std::fmt::Arguments<'_>) {
        if self.name == "diary" {
            eprintln!("{what}");
        }
    }

    /// What to do at the end. A diary is then shown by a trap.
    pub(crate) fn tear_down(&self) {
        self.note(format_args!("teardown"));
        if self.name == "diary" {
            std::arch::wasm32::unreachable();
        }
    }

    /// What to do with the rows of a `process` call.
    pub(crate) fn process(&self, shown: &Batch) -> Result<Vec<Enriched>, Error> {
        let rows = shown.rows;
        let good = || one(numbers("n", rows), rows);
        Ok(match self.name.as_str() {
            "trap" => std::arch::wasm32::unreachable(),
            "trap-on-a-row" if says_boom(shown) => std::arch::wasm32::unreachable(),
            "panic" => panic!("no plane has {rows} wings"),
            "spin" => spin(),
            "wait" => wait(),
            "allocate" => allocate(),
            "chatter" => {
                (0..1000).for_each(|line| eprintln!("{line:063}"));
                good()
            }
            "too-many-rows" => one(numbers("n", rows + 1), rows + 1),
            "no-rows-at-all" => Vec::new(),
            "too-few-rows" => one(numbers("n", rows - 1), rows - 1),
            "nulls-out-of-range" => one(Column { nulls: vec![rows], ..numbers("n", rows) }, rows),
            "nulls-that-descend" => one(Column { nulls: vec![1, 0], ..numbers("n", rows) }, rows),
            "missing-out-of-range" => with(good(), |answer| answer.missing = vec![rows]),
            "missing-that-descends" => with(good(), |answer| answer.missing = vec![1, 0]),
            "row-in-two-lists" => with(good(), |answer| {
                answer.missing = vec![1];
                answer.failures = vec![RowFailure { row: 1, error: refusal("not this one") }];
            }),
            "short-column" => one(numbers("n", rows - 1), rows),
            "text-beyond-its-end" => {
                let texts =
                    Texts { text: "abc".to_owned(), ends: (1..=rows + 1).skip(1).collect() };
                let column = Column { values: Values::Strings(texts), ..numbers("n", rows) };
                one(column, rows)
            }
            "field-twice" => with(good(), |answer| {
                answer.fields.columns.push(numbers("n", rows));
            }),
            "huge-string" => return Err(refusal(&"x".repeat(100 << 20))),
            "one-buffer-many-times" => one_buffer_many_times(rows),
            "refuse" => return Err(refusal("these rows are not to its taste")),
            "call" => return Err(refusal(&post(&self.url, &self.key))),
            "call-and-panic" => panic!("{}", post(&self.url, &self.key)),
            "call-and-blame" => {
                let kind = ErrorKind::Other(post(&self.url, &self.key));
                return Err(Error::new(kind, "see its kind"));
            }
            "echo-config" => return Err(refusal(&self.config)),
            "look-around" => return Err(refusal(&look_around())),
            _ => good(),
        })
    }
}

/// Whether a row is the one that no handler survives.
fn says_boom(rows: &Batch) -> bool {
    rows.columns.iter().any(|column| match &column.values {
        Values::Strings(texts) => texts.text.contains("boom"),
        _ => false,
    })
}

fn refusal(message: &str) -> Error {
    Error::new(ErrorKind::Other("evil".to_owned()), message)
}

fn numbers(name: &str, count: u32) -> Column {
    let values = Values::Int64s((0..i64::from(count)).collect());
    Column { name: name.to_owned(), values, nulls: Vec::new() }
}

fn one(column: Column, rows: u32) -> Vec<Enriched> {
    let fields = Batch { rows, columns: vec![column] };
    vec![Enriched { fields, missing: Vec::new(), null_keys: Vec::new(), failures: Vec::new() }]
}

fn with(mut answers: Vec<Enriched>, change: impl Fn(&mut Enriched)) -> Vec<Enriched> {
    answers.iter_mut().for_each(change);
    answers
}

fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Sleeps for ever without using CPU.
fn wait() -> ! {
    loop {
        std::thread::sleep(std::time::Duration::from_secs(3600));
    }
}

fn allocate() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; 1 << 20]));
    }
}

/// A thousand columns of ten mebibytes that all use the same memory: a host that copies each one
/// needs a thousand times the memory of the handler.
fn one_buffer_many_times(rows: u32) -> Vec<Enriched> {
    let bytes = Vec::leak(vec![1; 10 << 20]);
    let (start, length) = (bytes.as_mut_ptr(), bytes.len());
    // SAFETY: they are never dropped: the host copies them, or discards the instance.
    let alias = || unsafe { Vec::from_raw_parts(start, length, length) };
    let columns = (0..1000).map(|at| Column {
        name: at.to_string(),
        values: Values::Bytes(Blobs {
            bytes: alias(),
            ends: (0..rows).map(|row| if row + 1 < rows { 0 } else { length as u32 }).collect(),
        }),
        nulls: Vec::new(),
    });
    let fields = Batch { rows, columns: columns.collect() };
    vec![Enriched { fields, missing: Vec::new(), null_keys: Vec::new(), failures: Vec::new() }]
}

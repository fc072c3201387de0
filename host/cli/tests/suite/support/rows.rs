//! The expected join of `data/`, computed independently of the host.

use super::store::data;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The features of a plane that are numbers; the others are text.
const NUMBERS: [&str; 4] = ["year", "engines", "seats", "speed"];
/// The fields of a flight that are text; the others are numbers.
const TEXTS: [&str; 5] = ["carrier", "tailnum", "origin", "dest", "time_hour"];

/// A CSV file: its header, and its rows.
pub struct Table {
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub fn read(text: &[u8]) -> Self {
        let mut reader = csv::Reader::from_reader(text);
        let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
        let header = cells(reader.headers().unwrap());
        let rows = reader.records().map(|record| cells(&record.unwrap())).collect();
        Table { header, rows }
    }

    pub fn of_data(name: &str) -> Self {
        Table::read(&std::fs::read(data(name)).unwrap())
    }
}

/// The planes.
pub struct Planes {
    table: Table,
    /// By tail number.
    by_tailnum: HashMap<String, usize>,
}

impl Planes {
    pub fn of_data() -> Self {
        let table = Table::of_data("planes.csv");
        let by_tailnum =
            table.rows.iter().enumerate().map(|(at, row)| (row[0].clone(), at)).collect();
        Planes { table, by_tailnum }
    }

    /// The names and cells of a plane's features; `NA` where there is none.
    pub fn features(&self, tailnum: &str) -> Vec<(&str, &str)> {
        let plane = self.by_tailnum.get(tailnum).map(|at| &self.table.rows[*at]);
        let cell = |at: usize| plane.map_or("NA", |plane| &plane[at]);
        let names = self.table.header.iter().enumerate().skip(1);
        names.map(|(at, name)| (name.as_str(), cell(at))).collect()
    }
}

/// Flights of the sample, and the planes behind them.
pub struct Join {
    pub flights: Table,
    planes: Planes,
}

impl Join {
    pub fn of_data() -> Self {
        Join { flights: Table::of_data("flights-sample.csv"), planes: Planes::of_data() }
    }

    /// A flight's own fields, typed.
    pub fn own(&self, flight: &[String]) -> Map<String, Value> {
        let value = |(name, cell): (&String, &String)| {
            let value = typed(cell, !TEXTS.contains(&name.as_str()));
            (name.clone(), value)
        };
        self.flights.header.iter().zip(flight).map(value).collect()
    }

    /// A flight's own fields, and those of its plane behind them.
    pub fn enriched(&self, flight: &[String]) -> Value {
        let mut row = self.own(flight);
        for (name, cell) in self.features(flight) {
            let number = NUMBERS.contains(&name);
            row.insert(format!("planes.{name}"), typed(cell, number));
        }
        Value::Object(row)
    }

    /// The names and cells of its plane's features; `NA` where there is none.
    pub fn features(&self, flight: &[String]) -> Vec<(&str, &str)> {
        let tailnum = self.flights.header.iter().position(|name| name == "tailnum").unwrap();
        self.planes.features(&flight[tailnum])
    }

    /// The sample as NDJSON, written by hand.
    pub fn ndjson(&self) -> String {
        self.flights.rows.iter().map(|row| format!("{}\n", Value::Object(self.own(row)))).collect()
    }
}

fn typed(cell: &str, number: bool) -> Value {
    match cell {
        "NA" => Value::Null,
        cell if number => Value::from(cell.parse::<i64>().unwrap()),
        cell => Value::from(cell),
    }
}

//! What each step costs, in nanoseconds per row, on the sample of flights: `cargo bench -p beamlet-rows`.

use std::hint::black_box;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use beamlet_rows::{
    Field, Format, ReadOptions, Reader, Rows, Source, Target, WriteOptions, Writer,
};

/// The sample is read this often, so that a measurement takes some hundred milliseconds.
const TIMES: usize = 30;
const BATCH: usize = 1_000;

fn main() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/flights-sample.csv");
    let csv = std::fs::read(sample).expect("the sample of flights is in the repository");
    let header = csv.iter().position(|byte| *byte == b'\n').expect("the sample has a header") + 1;
    let csv = &*[&csv[..header], &csv[header..].repeat(TIMES)].concat().leak();
    let ndjson = &*as_ndjson(csv).leak();
    let one = [Field::required("tailnum")];
    let three =
        [Field::required("tailnum"), Field::required("distance"), Field::optional("dep_delay")];

    for (name, format, input) in [("ndjson", Format::Ndjson, ndjson), ("csv", Format::Csv, csv)] {
        measure(&format!("{name} read"), || each(input, format, |rows| drop(black_box(rows))));
        for (fields, label) in [(&one[..], "1 field"), (&three[..], "3 fields")] {
            measure(&format!("{name} read + project {label}"), || {
                each(input, format, |rows| {
                    drop(black_box(rows.project(fields).expect("the sample has the fields")))
                })
            });
        }
    }
    for (name, from, input, to) in [
        ("splice: ndjson write", Format::Ndjson, ndjson, Format::Ndjson),
        ("csv write", Format::Csv, csv, Format::Csv),
        ("csv → ndjson write", Format::Csv, csv, Format::Ndjson),
        ("ndjson → csv write", Format::Ndjson, ndjson, Format::Csv),
    ] {
        let mut batches = Vec::new();
        each(input, from, |rows| {
            rows.project(&one).expect("the sample has the field");
            let features = features(rows.len());
            batches.push((rows, features));
        });
        measure(&format!("{name}, 3 features"), || {
            let target = Target::stream("sink", io::sink());
            let mut writer = Writer::create(target, to, WriteOptions { null: "NA".into() })
                .expect("a sink opens");
            for (rows, features) in &batches {
                writer.write(rows, Some(features)).expect("a sink takes all");
            }
            writer.finish().expect("a sink takes all").rows
        });
    }
}

fn measure(name: &str, mut run: impl FnMut() -> u64) {
    run();
    let best = (0..5).map(|_| {
        let start = Instant::now();
        let rows = run();
        start.elapsed().as_nanos() as f64 / rows as f64
    });
    println!("{name:<36}{:>8.0} ns/row", best.fold(f64::INFINITY, f64::min));
}

fn each(input: &'static [u8], format: Format, mut visit: impl FnMut(Rows)) -> u64 {
    let source = Source::stream("sample", input);
    let options = ReadOptions { null: "NA".into(), ..ReadOptions::default() };
    let mut reader = Reader::open(source, format, options).expect("the sample opens");
    let mut count = 0;
    while let Some(rows) = reader.next(BATCH).expect("the sample is well-formed") {
        count += rows.len() as u64;
        visit(rows);
    }
    count
}

fn features(rows: usize) -> RecordBatch {
    let texts: StringArray =
        (0..rows).map(|row| (row % 7 != 0).then_some("Fixed wing multi engine")).collect();
    let integers: Int64Array =
        (0..rows as i64).map(|row| (row % 7 != 0).then_some(1950 + row % 60)).collect();
    let floats: Float64Array =
        (0..rows).map(|row| (row % 7 != 0).then_some(row as f64 / 3.0)).collect();
    let columns = [
        ("plane.type", Arc::new(texts) as ArrayRef),
        ("plane.year", Arc::new(integers)),
        ("plane.score", Arc::new(floats)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .expect("equal lengths")
}

fn as_ndjson(csv: &'static [u8]) -> Vec<u8> {
    let file =
        std::env::temp_dir().join(format!("beamlet-rows-bench-{}.ndjson", std::process::id()));
    let mut writer = Writer::create(Target::path(&file), Format::Ndjson, WriteOptions::default())
        .expect("a temporary file");
    each(csv, Format::Csv, |rows| writer.write(&rows, None).expect("the sample has its types"));
    writer.finish().expect("a temporary file");
    let text = std::fs::read(&file).expect("it is written");
    std::fs::remove_file(&file).expect("it is there");
    text
}

//! The cost of each step, in nanoseconds per row, on the sample of flights: `cargo bench -p
//! beamlet-formats`.

use std::hint::black_box;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use beamlet_formats::{
    Compression, Field, Format, ReadOptions, Reader, Rows, Source, Target, WriteOptions, Writer,
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
        measure_write(name, input, from, to);
    }
    if std::env::args().all(|it| it != "text") {
        packed_and_columnar(ndjson, csv);
    }
}

/// The formats that are no text, and the packed ones, each as a file of the sample.
fn packed_and_columnar(ndjson: &'static [u8], csv: &'static [u8]) {
    let three =
        [Field::required("tailnum"), Field::required("distance"), Field::optional("dep_delay")];
    for (name, format) in
        [("parquet", Format::Parquet), ("arrow", Format::Arrow), ("arrows", Format::Arrows)]
    {
        let file = &*converted(csv, Format::Csv, format, Compression::None).leak();
        measure(&format!("{name} read"), || each(file, format, |rows| drop(black_box(rows))));
        measure(&format!("{name} read + project 3 fields"), || {
            each(file, format, |rows| {
                drop(black_box(rows.project(&three).expect("the sample has the fields")))
            })
        });
        for (from, to, input, input_format) in [
            (name, name, file, format),
            ("csv", name, csv, Format::Csv),
            ("ndjson", name, ndjson, Format::Ndjson),
        ] {
            measure_write(&format!("{from} → {to} write"), input, input_format, format);
        }
        measure_write(&format!("{name} → ndjson write"), file, format, Format::Ndjson);
    }
    let rows = each(ndjson, Format::Ndjson, drop);
    for (name, compression) in [("gzip", Compression::Gzip), ("zstd", Compression::Zstd)] {
        let file = &*converted(ndjson, Format::Ndjson, Format::Ndjson, compression).leak();
        measure(&format!("ndjson {name} read ({} %)", 100 * file.len() / ndjson.len()), || {
            let options = ReadOptions { compression: Some(compression), ..ReadOptions::default() };
            let source = Source::stream("sample", file);
            let mut reader = Reader::open(source, Format::Ndjson, options).expect("it opens");
            let mut count = 0;
            while let Some(rows) = reader.next(BATCH).expect("the sample is well-formed") {
                count += rows.len() as u64;
            }
            count
        });
        measure(&format!("ndjson {name} read + write"), || {
            black_box(converted(ndjson, Format::Ndjson, Format::Ndjson, compression));
            rows
        });
    }
}

/// All of `input` in another format.
fn converted(input: &'static [u8], from: Format, to: Format, compression: Compression) -> Vec<u8> {
    let sink = Sink::default();
    let options = WriteOptions { compression: Some(compression), ..WriteOptions::default() };
    let mut writer =
        Writer::create(Target::stream("sink", sink.clone()), to, options).expect("it opens");
    each(input, from, |rows| writer.write(&rows, None).expect("the sample converts"));
    writer.finish().expect("a sink takes all");
    let mut bytes = sink.0.lock().expect("one thread");
    std::mem::take(&mut bytes)
}

#[derive(Clone, Default)]
struct Sink(Arc<std::sync::Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("one thread").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn measure_write(name: &str, input: &'static [u8], from: Format, to: Format) {
    let mut batches = Vec::new();
    each(input, from, |rows| {
        // As in a run, in which the rows are known to be whole before they are written.
        rows.project(&[]).expect("the sample is well-formed");
        let features = features(rows.len());
        batches.push((rows, features));
    });
    measure(&format!("{name}, 3 features"), || {
        let target = Target::stream("sink", io::sink());
        let options = WriteOptions { null: "NA".into(), ..WriteOptions::default() };
        let mut writer = Writer::create(target, to, options).expect("a sink opens");
        for (rows, features) in &batches {
            writer.write(rows, Some(features)).expect("a sink takes all");
        }
        writer.finish().expect("a sink takes all").rows
    });
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

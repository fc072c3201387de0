//! Checks with unusual input: each row is answered or the bundle is rejected, and no call traps.

use super::breach::{Kept, Verdict};
use super::rows::all;
use super::session::Session;
use super::subject::Subject;
use super::values::{case, count};
use beamlet::raw::beamlet::enrichment::types::{Batch, Texts, Values};

/// Asks for rows with these values in every field.
async fn ask(subject: &Subject, check: &'static str, what: &str, values: Values) -> Verdict {
    let names = subject.input_names();
    let count = count(&values) as u32;
    // Without nulls, and with a null as the last value.
    for nulls in [vec![], vec![count - 1]] {
        let (mut session, handler) = Session::ready(subject, check, None).await?;
        session.doing = format!("{count} rows with {what} in every field");
        let rows: Batch = all(&names, &values, &nulls, count);
        session.bundle(handler, &[rows]).await?;
    }
    Ok(Kept::Yes)
}

async fn ask_all(subject: &Subject, check: &'static str, odd: Vec<(&str, Values)>) -> Verdict {
    subject.ordinary().await?;
    if subject.inputs.is_empty() {
        return Ok(Kept::NotApplicable("the handler reads no field".to_owned()));
    }
    for (what, values) in odd {
        ask(subject, check, what, values).await?;
    }
    Ok(Kept::Yes)
}

/// Texts that are empty, huge, or consist of unusual characters.
pub(super) async fn texts(subject: &Subject) -> Verdict {
    let control: String = (0..0x20_u8).map(char::from).chain(['\u{7f}', '\u{85}']).collect();
    let odd = [
        String::new(),
        " ".to_owned(),
        control,
        "\u{10ffff}\u{1f9ed}\u{fffd}\u{feff}\u{202e}".to_owned(),
        "e\u{301}\u{0}".to_owned(),
        "\"}],\\\"'`${x}\\u0000%00\r\nx: y".to_owned(),
        "NaN".to_owned(),
        "null".to_owned(),
        "-9223372036854775809".to_owned(),
        "../../../".repeat(50),
    ];
    let odd = vec![
        ("odd texts", Values::Strings(odd.into_iter().collect())),
        ("a text of 1 MiB", Values::Strings(["\u{fc}".repeat(1 << 19)].into_iter().collect())),
    ];
    ask_all(subject, "odd/texts", odd).await
}

/// Numbers at the limits of their types, and floats that are not numbers.
pub(super) async fn numbers(subject: &Subject) -> Verdict {
    let floats = vec![
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE / 4.0,
        -0.0,
        9_007_199_254_740_993.0,
    ];
    let odd = vec![
        ("the limits of int64", Values::Int64s(vec![i64::MIN, -1, 0, 1 << 53, i64::MAX])),
        ("odd floats", Values::Float64s(floats)),
        ("odd short floats", Values::Float32s(vec![f32::NAN, f32::MAX, f32::NEG_INFINITY])),
        ("the limits of int8", Values::Int8s(vec![i8::MIN, i8::MAX])),
        ("times out of any calendar", Values::Timestamps(vec![i64::MIN, i64::MAX])),
        ("days out of any calendar", Values::Dates(vec![i32::MIN, i32::MAX])),
    ];
    ask_all(subject, "odd/numbers", odd).await
}

/// Every case of `values`.
pub(super) async fn types(subject: &Subject) -> Verdict {
    let texts = |list: &[&str]| -> Texts { list.iter().collect() };
    let odd = vec![
        Values::Booleans(vec![true, false]),
        Values::Int8s(vec![1, 2]),
        Values::Int16s(vec![1, 2]),
        Values::Int32s(vec![1, 2]),
        Values::Int64s(vec![1, 2]),
        Values::Float32s(vec![0.5, 2.0]),
        Values::Float64s(vec![0.5, 2.0]),
        Values::Strings(texts(&["a", "1"])),
        Values::Bytes([vec![], vec![0, 0xff]].into_iter().collect()),
        Values::Timestamps(vec![0, 1]),
        Values::Dates(vec![0, 1]),
        Values::Decimals(texts(&["-12.50", "7"])),
        Values::BooleanLists([vec![], vec![true]].into_iter().collect()),
        Values::Int64Lists([vec![], vec![1]].into_iter().collect()),
        Values::Float32Lists([vec![], vec![0.5]].into_iter().collect()),
        Values::Float64Lists([vec![], vec![0.5]].into_iter().collect()),
        Values::StringLists([vec![], vec![""]].into_iter().collect()),
        Values::Json(texts(&["{\"a\":[1,null]}", "\"text\"", "7", "1.5", "[]", "null"])),
    ];
    let odd = odd.into_iter().map(|values| (case(&values), values)).collect();
    ask_all(subject, "odd/types", odd).await
}

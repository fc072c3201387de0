//! Tests of expressions over a row, and that the fast path and the interpreter agree.

use super::interpreter::describe;
use super::*;
use crate::{Batch, Column, Texts, Values};
use insta::assert_snapshot;
use proptest::prelude::*;

fn column(name: &str, values: Values, nulls: &[u32]) -> Column {
    Column { name: name.to_owned(), values, nulls: nulls.to_vec() }
}

fn texts(list: &[&str]) -> Texts {
    list.iter().collect()
}

/// One row with a field of each type; `none` is null.
fn flight() -> Batch {
    let columns = vec![
        column("tailnum", Values::Strings(texts(&["n123-ab"])), &[]),
        column("code", Values::Strings(texts(&[" Äx "])), &[]),
        column("flight", Values::Int64s(vec![1545]), &[]),
        column("small", Values::Int8s(vec![-3]), &[]),
        column("delay", Values::Float64s(vec![2.5]), &[]),
        column("ratio", Values::Float32s(vec![0.1]), &[]),
        column("late", Values::Booleans(vec![true]), &[]),
        column("at", Values::Timestamps(vec![1_357_034_400_123_456]), &[]),
        column("day", Values::Dates(vec![15_706]), &[]),
        column("price", Values::Decimals(texts(&["12.50"])), &[]),
        column("raw", Values::Bytes([b"ab"].into_iter().collect()), &[]),
        column("stops", Values::StringLists([["EWR", "IAH"]].into_iter().collect()), &[]),
        column("plane", Values::Json(texts(&[r#"{"year": 1999, "maker": null}"#])), &[]),
        column("none", Values::Strings(texts(&[""])), &[0]),
        column("far", Values::Timestamps(vec![i64::MAX]), &[]),
        column("big", Values::Json(texts(&["18446744073709551615"])), &[]),
    ];
    Batch { rows: 1, columns }
}

fn parse(source: &str) -> Expression {
    Expression::parse(source).unwrap_or_else(|why| panic!("{source}: {}", why.join("; ")))
}

/// The value of an expression over [`flight`], or why it has none.
fn value(source: &str) -> String {
    let rows = flight();
    let expression = parse(source);
    let frame = Frame::bind(expression.reads(), &rows).unwrap();
    let resolver = RowResolver::new(&frame);
    match expression.evaluate(&Session::new(&resolver)) {
        Ok(Datum::Text(text)) => format!("{text:?}"),
        Ok(value) => format!("{value:?}"),
        Err(why) => format!("no value: {why}"),
    }
}

fn problems(source: &str) -> String {
    match Expression::parse(source) {
        Ok(_) => "fine".to_owned(),
        Err(why) => why.join("\n"),
    }
}

fn reads(source: &str) -> String {
    let expression = parse(source);
    let shown = |read: &Read| format!("{}{}", read.name, if read.required { "" } else { "?" });
    expression.reads().iter().map(shown).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_syntax_error_has_its_position() {
    assert_snapshot!(problems("row.a +"), @"is not CEL: at column 8: mismatched input '<EOF>' expecting expression");
    assert_snapshot!(problems("row.a\n  ? 1"), @"is not CEL: at line 2, column 6: expected ':' in conditional expression");
    assert_snapshot!(problems("\"open"), @"is not CEL: at column 1: unterminated string literal");
    assert_snapshot!(problems("row.?a"), @"is not CEL: at column 4: unsupported syntax '.?'");
    assert_snapshot!(problems("has(row)"), @"is not CEL: at column 5: invalid argument to has() macro");
    assert_snapshot!(problems("  "), @"must not be empty; write an expression such as `row.x`");
    assert_snapshot!(problems(&"(".repeat(500)), @r"
    is not CEL: expression recursion limit exceeded: 96
    is not CEL: error recovery attempt limit exceeded: 30
    ");
}

#[test]
fn an_expression_is_over_the_named_fields_of_row() {
    assert_snapshot!(problems("tailnum"), @"unknown variable `tailnum`; an expression is over `row`, as in `row.tailnum`");
    assert_snapshot!(problems("row"), @"uses `row` as a whole; only fields that are named, as `row.x`, are shown to the handler");
    assert_snapshot!(problems("size(row)"), @"uses `row` as a whole; only fields that are named, as `row.x`, are shown to the handler");
    assert_snapshot!(problems("row[row.name]"), @r#"computes the name in `row[…]`; only fields that are named, as `row["x"]`, are shown to the handler"#);
    assert_snapshot!(problems("row.a.upper()"), @"unknown function `upper`; did you mean `upperAscii`?");
    assert_snapshot!(problems("[1].map(row, row + 1)[0]"), @"calls the variable of a macro `row`; name it otherwise");
    assert_snapshot!(problems("Plane{year: 1}"), @r#"cannot make a message `Plane`; a map is `{"x": 1}`"#);
    assert_snapshot!(problems("1 / 0"), @"fails for every row: a division by zero");
    assert_snapshot!(problems("row.a.format([1])"), @"unknown function `format`");
    assert_snapshot!(problems("x + y"), @r"
    unknown variable `x`; an expression is over `row`, as in `row.x`
    unknown variable `y`; an expression is over `row`, as in `row.y`
    ");
}

#[test]
fn the_fields_read_are_derived_and_one_behind_has_may_be_absent() {
    let cases = [
        ("row.a", "a"),
        ("row[\"a-b\"] + row.a", "a-b a"),
        ("has(row.a)", "a?"),
        ("has(row.a) ? row.a : 'x'", "a?"),
        ("!has(row.a) ? 'x' : row.a", "a?"),
        ("has(row.a) ? 'x' : row.a", "a"),
        ("has(row.a) && row.a == 'x'", "a?"),
        ("row.a == 'x' && has(row.a)", "a"),
        ("!has(row.a) || row.a == 'x'", "a?"),
        ("has(row.a) && has(row.b) ? row.a + row.b : ''", "a? b?"),
        ("has(row.a) || has(row.b) ? row.a : ''", "a b?"),
        ("(has(row.a) ? row.a : '') + row.a", "a"),
        ("has(row.a) ? row[\"a\"] : ''", "a?"),
        ("row.list.map(x, x + row.a).join('')", "list a"),
        ("row.list.exists(a, a == row.b)", "list b"),
        ("has(row.a.b) ? row.a.b : 1", "a"),
        ("has(row.a) && has(row.a.b) ? row.a.b : 1", "a?"),
        ("type(row.a) == string", "a"),
        ("'constant'", ""),
    ];
    for (source, wanted) in cases {
        assert_eq!(reads(source), wanted, "{source}");
    }
}

#[test]
fn fields_of_every_type_have_values() {
    let lines: Vec<String> = flight()
        .columns
        .iter()
        .map(|column| format!("{}: {}", column.name, value(&format!("row.{}", column.name))))
        .collect();
    assert_snapshot!(lines.join("\n"), @r#"
    tailnum: "n123-ab"
    code: " Äx "
    flight: Integer(1545)
    small: Integer(-3)
    delay: Float(2.5)
    ratio: Float(0.1)
    late: Boolean(true)
    at: Timestamp(1357034400123456)
    day: "2013-01-01"
    price: "12.50"
    raw: Bytes([97, 98])
    stops: Json(Array [String("EWR"), String("IAH")])
    plane: Json(Object {"year": Number(1999), "maker": Null})
    none: Null
    far: Refused("a timestamp outside of the years 1 to 9999")
    big: Refused("an integer above the greatest int64")
    "#);
}

#[test]
fn functions_that_keys_need_are_there() {
    let cases = [
        ("row.tailnum.upperAscii()", r#""N123-AB""#),
        ("row.tailnum.upperAscii().lowerAscii()", r#""n123-ab""#),
        ("row.code.trim()", r#""Äx""#),
        ("row.code.trim().substring(1)", r#""x""#),
        ("row.code.trim().substring(0, 1)", r#""Ä""#),
        ("row.tailnum.split('-')[1]", r#""ab""#),
        ("row.tailnum.split('-').join('_')", r#""n123_ab""#),
        ("row.tailnum.split('-', 1)[0]", r#""n123-ab""#),
        ("row.tailnum.replace('-', '')", r#""n123ab""#),
        ("row.tailnum.replace('n', '', 1)", r#""123-ab""#),
        ("row.tailnum + '/' + string(row.flight)", r#""n123-ab/1545""#),
        ("int(row.tailnum.substring(1, 4)) + 1", "Integer(124)"),
        ("double(row.flight) / 2.0", "Float(772.5)"),
        ("bool('true')", "Boolean(true)"),
        ("row.late ? 'late' : 'on time'", r#""late""#),
        ("row.tailnum.matches('^n[0-9]+-..$')", "Boolean(true)"),
        ("matches(row.tailnum, 'x')", "Boolean(false)"),
        ("row.tailnum.startsWith('n1') && row.tailnum.endsWith('b')", "Boolean(true)"),
        ("row.tailnum.contains('3-') || false", "Boolean(true)"),
        ("size(row.code)", "Integer(4)"),
        ("row.stops[0]", r#""EWR""#),
        ("row.stops.map(x, x.lowerAscii()).join('-')", r#""ewr-iah""#),
        ("'EWR' in row.stops", "Boolean(true)"),
        ("row.plane.year", "Integer(1999)"),
        ("row.plane.maker", "Null"),
        ("has(row.plane.maker)", "Boolean(true)"),
        ("has(row.plane.wings)", "Boolean(false)"),
        ("has(row.none)", "Boolean(false)"),
        ("has(row.late)", "Boolean(true)"),
        ("row.none == null", "Boolean(true)"),
        ("string(row.raw)", r#""ab""#),
        ("double(row.price)", "Float(12.5)"),
        ("string(row.delay)", r#""2.5""#),
        ("string(row.at)", r#""2013-01-01T10:00:00.123456Z""#),
        ("string(timestamp('2013-01-01T10:00:00+02:00'))", r#""2013-01-01T08:00:00Z""#),
        ("timestamp(row.day + 'T00:00:00Z').getFullYear()", "Integer(2013)"),
        ("row.at.getHours()", "Integer(10)"),
        ("row.at.getHours('-05:30')", "Integer(4)"),
        ("row.at.getDayOfWeek()", "Integer(2)"),
        ("row.at.getDayOfYear()", "Integer(0)"),
        ("row.at.getMilliseconds()", "Integer(123)"),
        ("int(row.at)", "Integer(1357034400)"),
        ("string(row.at - duration('24h'))", r#""2012-12-31T10:00:00.123456Z""#),
        ("(row.at - timestamp('2013-01-01T00:00:00Z')).getHours()", "Integer(10)"),
        ("row.at > timestamp(0)", "Boolean(true)"),
        ("timestamp(0)", "Timestamp(0)"),
        ("{'a': [row.flight, null]}", r#"Json(Object {"a": Array [Number(1545), Null]})"#),
        ("[row.delay, double('NaN')]", r#"Json(Array [Number(2.5), String("NaN")])"#),
        ("row.flight == 1545 ? 'a' : 'b'", r#""a""#),
        ("row.flight != 1545", "Boolean(false)"),
        ("row.flight == 1545.0", "Boolean(true)"),
        ("row.none.x || true", "Boolean(true)"),
        ("5u", "Integer(5)"),
        ("type(row.flight) == int", "Boolean(true)"),
    ];
    for (source, wanted) in cases {
        assert_eq!(value(source), wanted, "{source}");
    }
}

#[test]
fn why_there_is_no_value_never_shows_what_the_row_holds() {
    let sources = [
        "row.none.upperAscii()",
        "int(row.tailnum)",
        "row.tailnum + 1",
        "row.flight / 0",
        "row.flight % 0",
        "row.flight + 9223372036854775807",
        "-(row.flight - 9223372036854775807 - 1546)",
        "row.stops[7]",
        "row.plane.wings",
        "row.plane[row.tailnum]",
        "{row.tailnum: 1, row.tailnum: 2}",
        "row.tailnum.matches(row.tailnum + '(')",
        "timestamp(row.tailnum)",
        "row.at.getHours('Europe/Berlin')",
        "row.at + duration('99999999h')",
        "duration(row.tailnum)",
        "row.tailnum < row.flight",
        "row.late && row.tailnum",
        "row.tailnum ? 1 : 2",
        "row.tailnum.substring(9)",
        "row.tailnum.split('-')[5]",
        "uint(row.small)",
        "int(row.delay * 1e300)",
        "row.far.getFullYear()",
        "row.flight.upperAscii()",
        "row.flight.exists(x, x)",
        "row.tailnum in row.tailnum",
        "!row.tailnum",
    ];
    let lines: Vec<String> =
        sources.iter().map(|source| format!("{source} -> {}", value(source))).collect();
    let lines = lines.join("\n");
    for secret in ["n123", "1545", "EWR", "1999"] {
        assert!(!lines.replace("1546", "").contains(secret), "{secret} is shown");
    }
    assert_snapshot!(lines, @r"
    row.none.upperAscii() -> no value: null_type has no upperAscii()
    int(row.tailnum) -> no value: int() does not take this value
    row.tailnum + 1 -> no value: add does not take string and int
    row.flight / 0 -> no value: a division by zero
    row.flight % 0 -> no value: a division by zero
    row.flight + 9223372036854775807 -> no value: a number out of range
    -(row.flight - 9223372036854775807 - 1546) -> no value: a number out of range
    row.stops[7] -> no value: an index beyond the end of its list
    row.plane.wings -> no value: a key is not in its map
    row.plane[row.tailnum] -> no value: a key is not in its map
    {row.tailnum: 1, row.tailnum: 2} -> no value: a map with one key twice
    row.tailnum.matches(row.tailnum + '(') -> no value: matches() does not take this value
    timestamp(row.tailnum) -> no value: timestamp() does not take this value
    row.at.getHours('Europe/Berlin') -> no value: getHours() does not take this value
    row.at + duration('99999999h') -> no value: duration() does not take this value
    duration(row.tailnum) -> no value: duration() does not take this value
    row.tailnum < row.flight -> no value: < does not take string and int
    row.late && row.tailnum -> no value: && does not take bool and string
    row.tailnum ? 1 : 2 -> no value: is string where bool must be
    row.tailnum.substring(9) -> no value: substring() does not take this value
    row.tailnum.split('-')[5] -> no value: an index beyond the end of its list
    uint(row.small) -> no value: uint() does not take this value
    int(row.delay * 1e300) -> no value: the value is out of the range of int()
    row.far.getFullYear() -> no value: a value out of range has no getFullYear()
    row.flight.upperAscii() -> no value: int has no upperAscii()
    row.flight.exists(x, x) -> no value: is int where iterable must be
    row.tailnum in row.tailnum -> no value: in does not take string and string
    !row.tailnum -> no value: ! does not take string
    ");
}

#[test]
fn a_value_that_cannot_be_sent_says_what_it_is() {
    assert_snapshot!(value("row.raw"), @"Bytes([97, 98])");
    assert_snapshot!(value("bytes(row.tailnum)"), @r#"Refused("bytes")"#);
    assert_snapshot!(value("duration('1h')"), @r#"Refused("a duration")"#);
    assert_snapshot!(value("[duration('1h')]"), @r#"Refused("a duration")"#);
    assert_snapshot!(value("{1: 2}"), @r#"Refused("a map with a key that is not a string")"#);
    assert_snapshot!(value("type(1)"), @r#"Refused("a type")"#);
    assert_snapshot!(value("18446744073709551615u"), @r#"Refused("an integer above the greatest int64")"#);
    assert_snapshot!(value("row.big"), @r#"Refused("an integer above the greatest int64")"#);
}

/// Expressions of every kind over fields of every type, most of them not of fitting types.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(
            flight().columns.iter().map(|c| format!("row.{}", c.name)).collect::<Vec<_>>()
        ),
        prop::sample::select(vec![
            "1",
            "-1",
            "0",
            "'a'",
            "''",
            "true",
            "null",
            "2.5",
            "'-'",
            "[1]",
            "{'a': 1}",
            "3u",
            "b'x'",
            "9223372036854775807",
            "-9223372036854775808",
            "1e308",
            "duration('1h')",
            "timestamp(0)"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        let names = |list: Vec<&'static str>| prop::sample::select(list);
        prop_oneof![
            (
                two.clone(),
                names(vec!["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "in"])
            )
                .prop_map(|((a, b), op)| format!("({a} {op} {b})")),
            (inner.clone(), two.clone()).prop_map(|(c, (a, b))| format!("({c} ? {a} : {b})")),
            (
                inner.clone(),
                names(vec![
                    "string",
                    "int",
                    "double",
                    "bool",
                    "uint",
                    "size",
                    "type",
                    "timestamp",
                    "duration",
                    "bytes",
                    "!",
                    "-"
                ])
            )
                .prop_map(|(a, f)| format!("{f}({a})")),
            (
                inner.clone(),
                names(vec![
                    "lowerAscii",
                    "upperAscii",
                    "trim",
                    "reverse",
                    "getHours",
                    "getDayOfYear",
                    "size",
                    "join"
                ])
            )
                .prop_map(|(a, f)| format!("({a}).{f}()")),
            (
                two.clone(),
                names(vec![
                    "startsWith",
                    "endsWith",
                    "contains",
                    "split",
                    "indexOf",
                    "lastIndexOf",
                    "substring",
                    "charAt",
                    "matches",
                    "join",
                    "getHours"
                ])
            )
                .prop_map(|((a, b), f)| format!("({a}).{f}({b})")),
            ((inner.clone(), two.clone()), names(vec!["replace", "substring", "indexOf", "split"]))
                .prop_map(|((a, (b, c)), f)| format!("({a}).{f}({b}, {c})")),
            two.clone().prop_map(|(a, b)| format!("({a})[{b}]")),
            two.clone().prop_map(|(a, b)| format!("({a}).map(x, {b})")),
            two.clone().prop_map(|(a, b)| format!("({a}).exists(x, x == {b})")),
            two.prop_map(|(a, b)| format!("[{a}, {b}]")),
            inner.prop_map(|a| format!("{{'k': {a}}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    /// No row and no expression can make the handler panic, and the fast path has the same results
    /// as the interpreter.
    #[test]
    fn an_expression_ends_with_a_value_or_a_reason_and_both_ways_agree(source in expressions()) {
        let rows = flight();
        if let Ok(expression) = Expression::parse(&source) {
            let frame = Frame::bind(expression.reads(), &rows).unwrap();
            let resolver = RowResolver::new(&frame);
            let session = Session::new(&resolver);
            let value = expression.evaluate(&session);
            let interpreted = session.interpret(&expression.tree).map_err(|e| describe(&e));
            if expression.fast_path.is_some() {
                let same = match (&value, &interpreted) {
                    (Ok(Datum::Float(a)), Ok(Datum::Float(b))) => a.to_bits() == b.to_bits(),
                    (Ok(Datum::Bytes(_)), Ok(Datum::Refused(_))) => true,
                    (Ok(a), Ok(b)) => a == b,
                    (Err(a), Err(b)) => a == b,
                    _ => false,
                };
                prop_assert!(same, "{} is {:?}, and interpreted {:?}", source, value, interpreted);
            }
        }
    }
}

//! That no expression can end the handler, and that both ways to evaluate one agree.

use super::tests::flight;
use super::*;
use proptest::prelude::*;

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

    /// No row and no expression can make the handler panic, and the operators of our own come
    /// to what the interpreter comes to.
    #[test]
    fn an_expression_ends_with_a_value_or_a_reason_and_both_ways_agree(source in expressions()) {
        let rows = flight();
        if let Ok(expression) = Expression::parse(&source) {
            let frame = Frame::bind(expression.reads(), &rows).unwrap();
            let resolver = RowResolver::new(&frame);
            let session = Session::new(&resolver);
            let value = expression.evaluate(&session);
            let interpreted = session.interpret(&expression.tree).map_err(|e| failure::told(&e));
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

//! The fields that come out: what `outputs` and `check` tell of them, and what comes.

use super::breach::{Breach, Kept, Verdict};
use super::config::placed;
use super::session::Session;
use super::subject::Subject;
use crate::contract::beamlet::enrichment::types::Values;
use crate::contract::exports::beamlet::enrichment::enrichment_handler as wit;
use std::collections::HashSet;

/// What `outputs` tells; the reason where it tells nothing.
async fn told(
    session: &mut Session<'_>,
    handler: wasmtime::component::ResourceAny,
) -> Result<Result<Vec<(String, String)>, String>, Breach> {
    Ok(match session.outputs(handler).await? {
        Ok(fields) => {
            Ok(fields.into_iter().map(|wit::Field { name, type_ }| (name, type_)).collect())
        }
        Err(error) => Err(format!("the store tells no fields: {}", error.message)),
    })
}

/// Names once each, and types of the contract.
pub(super) async fn declared(subject: &Subject) -> Verdict {
    const CHECK: &str = "outputs/declared";
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "asked for the outputs".to_owned();
    let fields = match told(&mut session, handler).await? {
        Ok(fields) => fields,
        Err(why) => return Ok(Kept::NotApplicable(subject.redact(why))),
    };
    let mut names = HashSet::new();
    for (name, of) in &fields {
        if !names.insert(name) {
            let came = format!("`{name}` is there twice");
            return Err(session.breach(CHECK, "a name for each field", came));
        }
        if !is_type(of) {
            let came = format!("`{name}` is of type {of:?}");
            let expected = "one of `boolean`, `int64`, `float32`, `float64`, `string`, \
                            `timestamp`, `array<T>`, `struct<name: T, ...>` and `map<string, T>`";
            return Err(session.breach(CHECK, expected, came));
        }
    }
    Ok(Kept::Yes)
}

/// The same fields in the same order, each time they are asked for.
pub(super) async fn stable(subject: &Subject) -> Verdict {
    const CHECK: &str = "outputs/stable";
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "asked for the outputs, twice, and a second instance once".to_owned();
    let first = match told(&mut session, handler).await? {
        Ok(fields) => fields,
        Err(why) => return Ok(Kept::NotApplicable(subject.redact(why))),
    };
    let again = told(&mut session, handler).await?;
    let (mut other, handler) = Session::ready(subject, CHECK, None).await?;
    let third = told(&mut other, handler).await?;
    if Ok(&first) != again.as_ref() || Ok(&first) != third.as_ref() {
        let came = "other fields, another order, or none";
        return Err(session.breach(CHECK, "the same fields in the same order", came));
    }
    Ok(Kept::Yes)
}

/// The fields of answers: what is wrong with them was noted while answers were read.
pub(super) async fn answers(subject: &Subject) -> Verdict {
    subject.ordinary().await?;
    if !subject.declares_fields() {
        return Ok(Kept::NotApplicable("the store tells no fields".to_owned()));
    }
    Ok(Kept::Yes)
}

/// What `check` finds has its place in the configuration, and something to say.
pub(super) async fn findings(subject: &Subject) -> Verdict {
    const CHECK: &str = "check/findings";
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "handler.check".to_owned();
    let report = match session.check(handler).await? {
        Ok(report) => report,
        Err(error) => {
            let why = format!("the store cannot tell now: {}", error.message);
            return Ok(Kept::NotApplicable(subject.redact(why)));
        }
    };
    for finding in &report.findings {
        placed(&session, CHECK, &finding.path, &subject.config)?;
        if finding.message.trim().is_empty() {
            let came = format!("the finding at {:?} has no message", finding.path);
            return Err(session.breach(CHECK, "what was found", came));
        }
    }
    Ok(Kept::Yes)
}

/// `check` tells the fields that `outputs` tells, and calls no run a problem that works.
pub(super) async fn agrees(subject: &Subject) -> Verdict {
    const CHECK: &str = "check/agrees";
    let ordinary = subject.ordinary().await?;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "handler.check".to_owned();
    let Ok(report) = session.check(handler).await? else {
        return Ok(Kept::NotApplicable("the store cannot tell now".to_owned()));
    };
    let problem = report.findings.iter().find(|it| it.severity == wit::Severity::Problem);
    if let Some(problem) = problem.filter(|_| ordinary.known() > 0) {
        let came = format!("a problem at {:?}: {}", problem.path, problem.message);
        return Err(session.breach(CHECK, "no problem: rows are enriched", came));
    }
    let Ok(fields) = told(&mut session, handler).await? else {
        return Ok(Kept::NotApplicable("the store tells no fields".to_owned()));
    };
    let of_check = report.outputs.into_iter().map(|wit::Field { name, type_ }| (name, type_));
    if problem.is_none() && !of_check.eq(fields) {
        let came = "other fields, or another order";
        return Err(session.breach(CHECK, "the fields that `outputs` tells", came));
    }
    Ok(Kept::Yes)
}

/// Whether values may stand for a field of that type.
pub(super) fn fits(values: &Values, of: &str) -> bool {
    match (values, of) {
        (Values::Booleans(_), "boolean")
        | (Values::Int64s(_), "int64")
        | (Values::Float32s(_), "float32")
        | (Values::Float64s(_), "float64")
        | (Values::Strings(_), "string")
        | (Values::Timestamps(_), "timestamp")
        | (Values::BooleanLists(_), "array<boolean>")
        | (Values::Int64Lists(_), "array<int64>")
        | (Values::Float32Lists(_), "array<float32>")
        | (Values::Float64Lists(_), "array<float64>")
        | (Values::StringLists(_), "array<string>") => true,
        // What nests, and lists with nulls in them.
        (Values::Json(_), of) => {
            ["array<", "struct<", "map<"].iter().any(|start| of.starts_with(start))
        }
        _ => false,
    }
}

/// Whether a text is a type, as the contract spells types.
fn is_type(text: &str) -> bool {
    after_type(text).is_some_and(|rest| rest.trim().is_empty())
}

/// What stands behind the type at the start of a text.
fn after_type(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let named = |open: &str| text.strip_prefix(open);
    if let Some(rest) = named("array<") {
        return after_type(rest)?.trim_start().strip_prefix('>');
    }
    if let Some(rest) = named("map<") {
        let rest = after_type(rest)?.trim_start().strip_prefix(',')?;
        return after_type(rest)?.trim_start().strip_prefix('>');
    }
    if let Some(mut rest) = named("struct<") {
        loop {
            let (name, of) = rest.split_once(':')?;
            if name.trim().is_empty() {
                return None;
            }
            rest = after_type(of)?.trim_start();
            match rest.strip_prefix(',') {
                Some(next) => rest = next,
                None => return rest.strip_prefix('>'),
            }
        }
    }
    ["boolean", "int64", "float32", "float64", "string", "timestamp"]
        .iter()
        .find_map(|name| text.strip_prefix(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_that_the_contract_spells() {
        for text in [
            "boolean",
            "array<array<float32>>",
            "struct<a: int64, b: map<string, array<string>>>",
            "map<string, timestamp>",
        ] {
            assert!(is_type(text), "{text}");
        }
        for text in
            ["", "int", "int6", "int64 ", "array<>", "array<int64", "struct<int64>", "int64>"]
        {
            assert_eq!(is_type(text), text == "int64 ", "{text}");
        }
    }

    #[test]
    fn lists_with_nulls_in_them_may_come_as_json_and_numbers_may_not() {
        let json = Values::Json(super::super::rows::joined(["[1,null]"]));
        assert!(fits(&json, "array<int64>") && fits(&json, "struct<a: int64>"));
        assert!(!fits(&json, "int64") && !fits(&Values::Int32s(vec![]), "int64"));
        assert!(fits(&Values::Int64s(vec![]), "int64"));
    }
}

//! The fields that come out: what `outputs` and `check` tell of them, and what comes.

use super::breach::{Breach, Kept, Verdict};
use super::config::placed;
use super::session::Session;
use super::subject::Subject;
use beamlet::raw::beamlet::enrichment::types::Severity;
use beamlet::raw::beamlet::enrichment::types::Values;
use beamlet::raw::exports::beamlet::enrichment::enrichment_handler as wit;
use beamlet_contract::FieldType;
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
        if let Err(why) = of.parse::<FieldType>() {
            let came = format!("`{name}` is of type {of:?}: {why}");
            return Err(session.breach(CHECK, "a type of the contract", came));
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
    let problem = report.findings.iter().find(|it| it.severity == Severity::Problem);
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

/// Whether values may stand for a field of that type. One that is none is told by itself.
pub(super) fn fits(values: &Values, of: &str) -> bool {
    of.parse::<FieldType>().map_or(true, |of| of.may_come_as(&type_of(values)))
}

/// The type of the values that a case carries.
fn type_of(values: &Values) -> FieldType {
    match values {
        Values::Booleans(_) => FieldType::Boolean,
        Values::Int8s(_) => FieldType::Int8,
        Values::Int16s(_) => FieldType::Int16,
        Values::Int32s(_) => FieldType::Int32,
        Values::Int64s(_) => FieldType::Int64,
        Values::Float32s(_) => FieldType::Float32,
        Values::Float64s(_) => FieldType::Float64,
        Values::Strings(_) => FieldType::String,
        Values::Bytes(_) => FieldType::Bytes,
        Values::Timestamps(_) => FieldType::Timestamp,
        Values::Dates(_) => FieldType::Date,
        Values::Decimals(_) => FieldType::Decimal,
        Values::BooleanLists(_) => FieldType::array(FieldType::Boolean),
        Values::Int64Lists(_) => FieldType::array(FieldType::Int64),
        Values::Float32Lists(_) => FieldType::array(FieldType::Float32),
        Values::Float64Lists(_) => FieldType::array(FieldType::Float64),
        Values::StringLists(_) => FieldType::array(FieldType::String),
        Values::Json(_) => FieldType::Json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_with_nulls_in_them_may_come_as_json_and_numbers_may_not() {
        let json = Values::Json(["[1,null]"].into_iter().collect());
        assert!(fits(&json, "array<int64>") && fits(&json, "struct<a: int64>"));
        assert!(!fits(&json, "int64") && !fits(&Values::Int32s(vec![]), "int64"));
        assert!(fits(&Values::Int64s(vec![]), "int64") && fits(&Values::Int32s(vec![]), "int32"));
    }
}

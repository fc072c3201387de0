//! Checks of `outputs` and `check`: the declared fields, and the fields of answers.

use super::breach::{Breach, Kept, Verdict};
use super::config::placed;
use super::session::Session;
use super::subject::Subject;
use beamlet::raw::beamlet::enrichment::types::Severity;
use beamlet::raw::exports::beamlet::enrichment::enrichment_handler as wit;
use beamlet_contract::FieldType;
use std::collections::HashSet;

/// The fields that `outputs` declares, or the reason why there are none.
async fn declared_fields(
    session: &mut Session<'_>,
    handler: wasmtime::component::ResourceAny,
) -> Result<Result<Vec<(String, String)>, String>, Breach> {
    Ok(match session.outputs(handler).await? {
        Ok(fields) => {
            Ok(fields.into_iter().map(|wit::Field { name, type_ }| (name, type_)).collect())
        }
        Err(error) => Err(format!("the outputs are not known: {}", error.message)),
    })
}

/// Names are unique, and types are those of the contract.
pub(super) async fn declared(subject: &Subject) -> Verdict {
    const CHECK: &str = "outputs/declared";
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "asked for the outputs".to_owned();
    let fields = match declared_fields(&mut session, handler).await? {
        Ok(fields) => fields,
        Err(why) => return Ok(Kept::NotApplicable(subject.redact(why))),
    };
    let mut names = HashSet::new();
    for (name, of) in &fields {
        if !names.insert(name) {
            let came = format!("`{name}` appears twice");
            return Err(session.breach(CHECK, "a name for each field", came));
        }
        if let Err(why) = of.parse::<FieldType>() {
            let came = format!("`{name}` is of type {of:?}: {why}");
            return Err(session.breach(CHECK, "a type of the contract", came));
        }
    }
    Ok(Kept::Yes)
}

/// The fields are the same, in the same order, in every call.
pub(super) async fn stable(subject: &Subject) -> Verdict {
    const CHECK: &str = "outputs/stable";
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "asked for the outputs, twice, and a second instance once".to_owned();
    let first = match declared_fields(&mut session, handler).await? {
        Ok(fields) => fields,
        Err(why) => return Ok(Kept::NotApplicable(subject.redact(why))),
    };
    let again = declared_fields(&mut session, handler).await?;
    let (mut other, handler) = Session::ready(subject, CHECK, None).await?;
    let third = declared_fields(&mut other, handler).await?;
    if Ok(&first) != again.as_ref() || Ok(&first) != third.as_ref() {
        let came = "other fields, another order, or none";
        return Err(session.breach(CHECK, "the same fields in the same order", came));
    }
    Ok(Kept::Yes)
}

/// The fields of answers. Breaches were noted while the answers were read.
pub(super) async fn answers(subject: &Subject) -> Verdict {
    subject.ordinary().await?;
    if !subject.declares_fields() {
        return Ok(Kept::NotApplicable("the outputs are not known".to_owned()));
    }
    Ok(Kept::Yes)
}

/// Each finding of `check` has a place in the configuration, and a message.
pub(super) async fn findings(subject: &Subject) -> Verdict {
    const CHECK: &str = "check/findings";
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "handler.check".to_owned();
    let report = match session.check(handler).await? {
        Ok(report) => report,
        Err(error) => {
            let why = format!("the store cannot be checked now: {}", error.message);
            return Ok(Kept::NotApplicable(subject.redact(why)));
        }
    };
    for finding in &report.findings {
        placed(&session, CHECK, &finding.path, &subject.config)?;
        if finding.message.trim().is_empty() {
            let came = format!("the finding at {:?} has no message", finding.path);
            return Err(session.breach(CHECK, "a message", came));
        }
    }
    Ok(Kept::Yes)
}

/// `check` returns the same fields as `outputs`, and reports no problem if rows are enriched.
pub(super) async fn agrees(subject: &Subject) -> Verdict {
    const CHECK: &str = "check/agrees";
    let ordinary = subject.ordinary().await?;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "handler.check".to_owned();
    let Ok(report) = session.check(handler).await? else {
        return Ok(Kept::NotApplicable("the store cannot be checked now".to_owned()));
    };
    let problem = report.findings.iter().find(|it| it.severity == Severity::Problem);
    if let Some(problem) = problem.filter(|_| ordinary.known() > 0) {
        let came = format!("a problem at {:?}: {}", problem.path, problem.message);
        return Err(session.breach(CHECK, "no problem: rows are enriched", came));
    }
    let Ok(fields) = declared_fields(&mut session, handler).await? else {
        return Ok(Kept::NotApplicable("the outputs are not known".to_owned()));
    };
    let of_check = report.outputs.into_iter().map(|wit::Field { name, type_ }| (name, type_));
    if problem.is_none() && !of_check.eq(fields) {
        let came = "other fields, or another order";
        return Err(session.breach(CHECK, "the fields that `outputs` declares", came));
    }
    Ok(Kept::Yes)
}

//! Checks of `inputs`: the fields that a handler reads do not change, and it uses no others.

use super::breach::{Kept, Verdict};
use super::session::Session;
use super::subject::Subject;
use super::text::{TextAnswer, json_rows};
use beamlet::raw::{Script, ScriptedStore};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Each field is listed once.
pub(super) async fn unique(subject: &Subject) -> Verdict {
    const CHECK: &str = "inputs/unique";
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "asked for the inputs".to_owned();
    let mut names = HashSet::new();
    for input in session.inputs(handler).await? {
        if !names.insert(input.name.clone()) {
            let came = format!("`{}` appears twice", input.name);
            return Err(session.breach(CHECK, "each field once", came));
        }
    }
    Ok(Kept::Yes)
}

/// The fields are the same, in the same order, on every instance, before and after a bundle.
pub(super) async fn stable(subject: &Subject) -> Verdict {
    const CHECK: &str = "inputs/stable";
    let ordinary = subject.ordinary().await?;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "asked for the inputs before a bundle, and after it".to_owned();
    let before = session.inputs(handler).await?;
    let _ = session.bundle(handler, &[subject.batch(&ordinary.rows)]).await?;
    let after = session.inputs(handler).await?;
    let names =
        |inputs: &[beamlet::raw::exports::beamlet::enrichment::enrichment_handler::Input]| {
            inputs.iter().map(|input| (input.name.clone(), input.required)).collect::<Vec<_>>()
        };
    if names(&before) != names(&subject.inputs) || names(&after) != names(&before) {
        let came = "other fields, or another order";
        return Err(session.breach(CHECK, "the same fields as at first", came));
    }
    Ok(Kept::Yes)
}

/// A row without a required field is rejected.
pub(super) async fn required(subject: &Subject) -> Verdict {
    const CHECK: &str = "inputs/required";
    subject.ordinary().await?;
    let Some(field) = subject.inputs.iter().find(|input| input.required).map(|it| &it.name) else {
        return Ok(Kept::NotApplicable("no field is required".to_owned()));
    };
    let rows = match json_rows(subject, &subject.ordinary_rows()[..1]) {
        Ok(rows) => rows,
        Err(why) => return Ok(Kept::NotApplicable(why)),
    };
    let without = rows.into_iter().map(|mut row| {
        row.remove(field);
        Value::Object(row)
    });
    let (mut session, _) = Session::ready(subject, CHECK, None).await?;
    session.doing = format!("enrichment-json.enrich with a row without `{field}`");
    let rows = Value::Array(without.collect()).to_string();
    let Ok(text) = session.text_enrich(&subject.setup.config, &rows).await? else {
        return Ok(Kept::Yes);
    };
    match TextAnswer::read(&text) {
        Ok(answer) if answer.failures.iter().any(|failure| failure.row == 0) => Ok(Kept::Yes),
        Ok(_) => {
            let expected = "an error, or a failure of the row: the field is required";
            Err(session.breach(CHECK, expected, "an answer"))
        }
        Err(why) => Err(session.breach("text/answer", "an answer of the contract's form", why)),
    }
}

/// A row without an optional field gets the same answer as with null.
pub(super) async fn optional(subject: &Subject) -> Verdict {
    const CHECK: &str = "inputs/optional";
    subject.ordinary().await?;
    let Some(field) = subject.inputs.iter().find(|input| !input.required).map(|it| &it.name) else {
        return Ok(Kept::NotApplicable("every field is required".to_owned()));
    };
    let rows = match json_rows(subject, &subject.ordinary_rows()[..1]) {
        Ok(rows) => rows,
        Err(why) => return Ok(Kept::NotApplicable(why)),
    };
    let (mut session, _) = Session::ready(subject, CHECK, None).await?;
    session.doing = format!("enrichment-json.enrich with a row without `{field}`, and with null");
    let mut answers = Vec::new();
    for absent in [true, false] {
        let rows = rows.iter().cloned().map(|mut row| {
            row.insert(field.clone(), Value::Null);
            if absent {
                row.remove(field);
            }
            Value::Object(row)
        });
        let rows = Value::Array(rows.collect()).to_string();
        let text = session.text_enrich(&subject.setup.config, &rows).await?;
        answers.push(match text.map(|text| TextAnswer::read(&text)) {
            Err(_) => None,
            Ok(Ok(mut answer)) => {
                answer.rows.iter_mut().for_each(|row| drop(row.remove(field)));
                Some(answer)
            }
            Ok(Err(why)) => {
                let expected = "an answer of the contract's form";
                return Err(session.breach("text/answer", expected, why));
            }
        });
    }
    if answers[0] != answers[1] {
        let expected = "the same answer: an absent field counts as null";
        return Err(session.breach(CHECK, expected, "another answer"));
    }
    Ok(Kept::Yes)
}

/// Values of fields that the handler does not read never reach the store.
pub(super) async fn withheld(subject: &Subject) -> Verdict {
    const CHECK: &str = "inputs/withheld";
    const CANARY: &str = "canary-71c2-55ad";
    subject.ordinary().await?;
    let rows = match json_rows(subject, &subject.rows_with_keys()[..1]) {
        Ok(rows) => rows,
        Err(why) => return Ok(Kept::NotApplicable(why)),
    };
    let scripted = ScriptedStore::new(Script::Answer { status: 503, retry_after: None, body: "" });
    let mut session = Session::new(subject, CHECK, Some(scripted.clone())).await?;
    session.doing = "enrichment-json.enrich with a row that has one more field".to_owned();
    let more = rows.into_iter().map(|mut row| {
        row.insert("a field that nobody reads".to_owned(), json!(CANARY));
        Value::Object(row)
    });
    let rows = Value::Array(more.collect()).to_string();
    let _ = session.text_enrich(&subject.setup.config, &rows).await?;
    if scripted.requests() == 0 {
        return Ok(Kept::NotApplicable("the handler made no request".to_owned()));
    }
    if scripted.has_heard(CANARY) {
        let expected = "requests contain only fields that `inputs` names";
        return Err(session.breach(CHECK, expected, "its value was in a request"));
    }
    Ok(Kept::Yes)
}

//! Checks of `enrichment-json`: the text interface agrees with the typed one.

use super::answer::{Answered, kind};
use super::breach::{Breach, Kept, Verdict};
use super::config::{changed_texts, pairs};
use super::rows::{Row, describe_rows};
use super::session::Session;
use super::subject::Subject;
use super::values::case;
use beamlet::raw::beamlet::enrichment::types::{Column, Texts, Values};
use beamlet_contract::Outcome;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The answer of `enrich`.
#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct TextAnswer {
    pub(super) rows: Vec<Map<String, Value>>,
    missing: Vec<u32>,
    null_keys: Vec<u32>,
    pub(super) failures: Vec<Failure>,
}

/// A row that failed.
#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Failure {
    pub(super) row: u32,
    error: TextError,
}

#[derive(Debug, Deserialize)]
struct TextError {
    kind: String,
}

/// Two errors are equal if a runner would treat them the same.
impl PartialEq for TextError {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl TextAnswer {
    /// Parses an answer. The error says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("it is not valid: {error}"))
    }
}

/// Rows as JSON. The error says why that is not possible.
pub(super) fn json_rows(
    subject: &Subject,
    rows: &[Row],
) -> Result<Vec<Map<String, Value>>, String> {
    let batch = subject.batch(rows);
    let mut objects = vec![Map::new(); rows.len()];
    for column in &batch.columns {
        let values = values(column).ok_or_else(|| {
            let (name, case) = (&column.name, case(&column.values));
            format!("the field `{name}` of your rows holds {case}, which JSON cannot represent")
        })?;
        for (at, (object, value)) in objects.iter_mut().zip(values).enumerate() {
            let null = column.nulls.binary_search(&(at as u32)).is_ok();
            object.insert(column.name.clone(), if null { Value::Null } else { value });
        }
    }
    Ok(objects)
}

fn values(column: &Column) -> Option<Vec<Value>> {
    fn texts(texts: &Texts) -> Vec<&str> {
        let mut start = 0;
        let text = |end: &u32| {
            let text = texts.text.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            text
        };
        texts.ends.iter().map(text).collect()
    }
    Some(match &column.values {
        Values::Booleans(list) => list.iter().map(|value| json!(value)).collect(),
        Values::Int8s(list) => list.iter().map(|value| json!(value)).collect(),
        Values::Int16s(list) => list.iter().map(|value| json!(value)).collect(),
        Values::Int32s(list) => list.iter().map(|value| json!(value)).collect(),
        Values::Int64s(list) => list.iter().map(|value| json!(value)).collect(),
        Values::Strings(list) => texts(list).into_iter().map(Value::from).collect(),
        Values::Json(list) => {
            let parsed = texts(list).into_iter().map(serde_json::from_str);
            parsed.map(Result::unwrap_or_default).collect()
        }
        Values::Float64s(list) if list.iter().all(|value| value.is_finite()) => {
            list.iter().map(|value| json!(value)).collect()
        }
        _ => return None,
    })
}

/// `describe` is the same in both interfaces.
pub(super) async fn describe(subject: &Subject) -> Verdict {
    const CHECK: &str = "text/describe";
    let mut session = Session::new(subject, CHECK, None).await?;
    session.doing = "describe in both interfaces".to_owned();
    let typed = session.describe().await?;
    let text = session.text_describe().await?;
    let expected = "a JSON object of `name`, `version` and `config_schema`, as `describe` of \
                    enrichment-handler returns them";
    let Ok(description) = serde_json::from_str::<Value>(&text) else {
        return Err(session.breach(CHECK, expected, "not JSON"));
    };
    let schema: Value = serde_json::from_str(&typed.config_schema).unwrap_or_default();
    for (name, value) in
        [("name", json!(typed.name)), ("version", json!(typed.version)), ("config_schema", schema)]
    {
        if description.get(name) != Some(&value) {
            let came = match description.get(name) {
                None => format!("no `{name}`"),
                Some(_) => format!("another `{name}`"),
            };
            return Err(session.breach(CHECK, expected, came));
        }
    }
    Ok(Kept::Yes)
}

/// `validate` is the same in both interfaces.
pub(super) async fn validate(subject: &Subject) -> Verdict {
    const CHECK: &str = "text/validate";
    let mut session = Session::new(subject, CHECK, None).await?;
    let given = ("with the given configuration".to_owned(), subject.config.to_string());
    let odd = ("with a text that is not JSON".to_owned(), "{".to_owned());
    for (done, config) in changed_texts(&subject.config).into_iter().chain([given, odd]) {
        session.doing = format!("validate {done} in both interfaces");
        let typed = session.validate(&config).await?;
        let text = session.text_validate(&config).await?;
        let (Ok(problems) | Err(problems)) = &typed;
        let expected: Value = pairs(problems)
            .into_iter()
            .map(|(path, message)| json!({ "path": path, "message": message }))
            .collect();
        let what = if typed.is_ok() { "an answer" } else { "an error" };
        let wanted = format!("{what} with {}", subject.describe_problems(problems));
        let came = match (&typed, &text) {
            (Ok(_), Err(_)) => "an error".to_owned(),
            (Err(_), Ok(_)) => "an answer".to_owned(),
            (_, Ok(text) | Err(text)) => match serde_json::from_str::<Value>(text) {
                Ok(reported) if reported == expected => continue,
                Ok(_) => "other problems".to_owned(),
                Err(_) => "not JSON".to_owned(),
            },
        };
        return Err(session.breach(CHECK, wanted, came));
    }
    Ok(Kept::Yes)
}

/// Asks `enrich` for the ordinary rows, changed by `change`, and returns the rows and the answer.
async fn enriched(
    subject: &Subject,
    check: &'static str,
    change: impl Fn(&mut Map<String, Value>),
) -> Result<Result<(Vec<Map<String, Value>>, TextAnswer, String), Kept>, Breach> {
    let ordinary = subject.ordinary().await?;
    let mut rows = match json_rows(subject, &ordinary.rows) {
        Ok(rows) => rows,
        Err(why) => return Ok(Err(Kept::NotApplicable(why))),
    };
    rows.iter_mut().for_each(change);
    let mut session = Session::new(subject, check, None).await?;
    session.doing = format!("enrichment-json.enrich with {}", describe_rows(&ordinary.rows));
    let text = serde_json::to_string(&rows).unwrap_or_default();
    match session.text_enrich(&subject.setup.config, &text).await? {
        Ok(answer) => match TextAnswer::read(&answer) {
            Ok(answer) if answer.rows.len() == rows.len() => {
                Ok(Ok((rows, answer, session.doing.clone())))
            }
            Ok(answer) => {
                let came = format!("{} rows for {}", answer.rows.len(), rows.len());
                Err(session.breach("text/answer", "as many rows as were given", came))
            }
            Err(why) => {
                let expected = "a JSON object of `rows`, `missing`, `null_keys` and `failures`";
                Err(session.breach("text/answer", expected, why))
            }
        },
        Err(error) => {
            let expected = "an answer: enrichment-handler gives one to the same rows";
            Err(session.breach("text/answer", expected, format!("the error {error}")))
        }
    }
}

/// The answer has the form of the contract.
pub(super) async fn answer(subject: &Subject) -> Verdict {
    const CHECK: &str = "text/answer";
    Ok(match enriched(subject, CHECK, |_| ()).await? {
        Ok(_) => Kept::Yes,
        Err(not) => not,
    })
}

/// `enrich` agrees with enrichment-handler.
pub(super) async fn agrees(subject: &Subject) -> Verdict {
    const CHECK: &str = "text/agrees";
    let ordinary = subject.ordinary().await?;
    let (_, answer, done) = match enriched(subject, CHECK, |_| ()).await? {
        Ok(answer) => answer,
        Err(not) => return Ok(not),
    };
    let breach = |came: String| Breach {
        check: CHECK,
        done: done.clone(),
        expected: "what enrichment-handler answers to the same rows".to_owned(),
        came,
    };
    let positions = |is: fn(&Answered) -> bool| -> Vec<u32> {
        let rows = (0..).zip(&ordinary.answers);
        rows.filter(|(_, row)| is(row)).map(|(at, _)| at).collect()
    };
    let failed: Vec<u32> = answer.failures.iter().map(|failure| failure.row).collect();
    let lists = [
        ("missing", &answer.missing, positions(|row| row.outcome == Outcome::Missing)),
        ("null_keys", &answer.null_keys, positions(|row| row.outcome == Outcome::NullKey)),
        ("failures", &failed, positions(|row| matches!(row.outcome, Outcome::Failed(_)))),
    ];
    for (name, came, expected) in lists {
        if *came != expected {
            return Err(breach(format!("`{name}` names rows {came:?}, and not {expected:?}")));
        }
    }
    for failure in &answer.failures {
        if let Outcome::Failed(error) = &ordinary.answers[failure.row as usize].outcome
            && kind(&error.0) != failure.error.kind
        {
            let came = format!("row {} failed with {}", failure.row, failure.error.kind);
            return Err(breach(format!("{came}, and not {}", kind(&error.0))));
        }
    }
    let own = subject.input_names();
    let rows = answer.rows.iter().zip(&ordinary.answers).enumerate();
    for (at, (row, typed)) in rows.filter(|(_, (_, typed))| typed.outcome == Outcome::Enriched) {
        for (name, value) in &typed.fields {
            // A row's own value is kept, and a time may be spelled in another way.
            let skipped = own.contains(name) || ordinary.is_volatile(name);
            if !skipped && !row.get(name).is_some_and(|it| alike(it, value)) {
                return Err(breach(format!("row {at} has another value in `{name}`")));
            }
        }
    }
    Ok(Kept::Yes)
}

/// Whether two values are equivalent: a text can represent a number, for example a time.
fn alike(text: &Value, typed: &Value) -> bool {
    match (text, typed) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::String(_), Value::Number(_)) => true,
        (a, b) => a == b,
    }
}

/// A row's own fields come first, unchanged, even if a feature has the same name.
pub(super) async fn own_fields(subject: &Subject) -> Verdict {
    const CHECK: &str = "text/own-fields";
    let ordinary = subject.ordinary().await?;
    let fields = ordinary.answers.iter().flat_map(|row| row.fields.iter().map(|(name, _)| name));
    let inputs = subject.input_names();
    let clash = fields.filter(|name| !inputs.contains(name)).min().cloned();
    let change = |row: &mut Map<String, Value>| {
        row.insert("a field of its own".to_owned(), json!({ "b": [1.50, null], "a": "\u{1f9ed}" }));
        if let Some(name) = &clash {
            row.insert(name.clone(), json!("the row's own"));
        }
    };
    let (rows, answer, done) = match enriched(subject, CHECK, change).await? {
        Ok(answer) => answer,
        Err(not) => return Ok(not),
    };
    for (at, (given, came)) in rows.iter().zip(&answer.rows).enumerate() {
        let kept = given.iter().eq(came.iter().take(given.len()));
        if !kept {
            return Err(Breach {
                check: CHECK,
                done,
                expected: "each row's own fields first, in their order and with their values"
                    .to_owned(),
                came: format!("the first fields of row {at} differ"),
            });
        }
    }
    Ok(Kept::Yes)
}

/// Errors are reported as JSON.
pub(super) async fn errors(subject: &Subject) -> Verdict {
    const CHECK: &str = "text/errors";
    subject.ordinary().await?;
    let config = &*subject.setup.config;
    let cases = [
        (config, "", "error", "an empty text for rows"),
        (config, "{}", "error", "an object for rows"),
        (config, "[1]", "error", "a number for a row"),
        ("[]", "[]", "problems", "a configuration that is not an object"),
        ("{", "[]", "problems", "a configuration that is not JSON"),
    ];
    let mut session = Session::new(subject, CHECK, None).await?;
    for (config, rows, key, what) in cases {
        session.doing = format!("enrichment-json.enrich with {what}");
        let expected = format!("an error: a JSON object with `{key}`");
        let came = match session.text_enrich(config, rows).await? {
            Ok(_) => "an answer".to_owned(),
            Err(text) => match serde_json::from_str::<Value>(&text) {
                Ok(Value::Object(object)) if object.contains_key(key) => continue,
                Ok(_) => format!("JSON without `{key}`"),
                Err(_) => "not JSON".to_owned(),
            },
        };
        return Err(session.breach(CHECK, expected, came));
    }
    Ok(Kept::Yes)
}

//! Checks of `describe`: name, version and schema of a handler.

use super::breach::{Breach, Kept, Verdict};
use super::session::Session;
use super::subject::Subject;
use serde_json::Value;

/// The configuration's schema, parsed.
async fn schema(subject: &Subject, check: &'static str) -> Result<(String, Value), Breach> {
    let mut session = Session::new(subject, check, None).await?;
    session.doing = "called describe on a new instance".to_owned();
    let text = session.describe().await?.config_schema;
    match serde_json::from_str(&text) {
        Ok(schema) => Ok((text, schema)),
        Err(error) => {
            let came = format!("`config-schema` is not JSON: {error}");
            Err(session.breach("describe/schema", "a JSON Schema, draft 2020-12", came))
        }
    }
}

/// The name is short, and the version follows semantic versioning.
pub(super) async fn name(subject: &Subject) -> Verdict {
    const CHECK: &str = "describe/name";
    let mut session = Session::new(subject, CHECK, None).await?;
    session.doing = "called describe on a new instance".to_owned();
    let description = session.describe().await?;
    if description.name.trim().is_empty() || description.name.contains(char::is_whitespace) {
        let came = format!("the name {:?}", description.name);
        return Err(session.breach(CHECK, "a short name, such as `tecton`", came));
    }
    if let Err(why) = semver::Version::parse(&description.version) {
        let came = format!("the version {:?}: {why}", description.version);
        return Err(session.breach(CHECK, "a version in semantic versioning", came));
    }
    Ok(Kept::Yes)
}

/// The description is the same in every call and every instance.
pub(super) async fn stable(subject: &Subject) -> Verdict {
    const CHECK: &str = "describe/stable";
    let parts =
        |it: beamlet::raw::exports::beamlet::enrichment::enrichment_handler::Description| {
            (it.name, it.version, it.config_schema)
        };
    let mut session = Session::new(subject, CHECK, None).await?;
    session.doing = "called describe twice, then on a second instance that was set up".to_owned();
    let first = parts(session.describe().await?);
    let again = parts(session.describe().await?);
    let (mut other, _) = Session::ready(subject, CHECK, None).await?;
    other.doing = session.doing.clone();
    let third = parts(other.describe().await?);
    if first != again || first != third {
        let came = "the description differs".to_owned();
        return Err(session.breach(CHECK, "the same description each time", came));
    }
    Ok(Kept::Yes)
}

/// The schema is a JSON Schema.
pub(super) async fn is_schema(subject: &Subject) -> Verdict {
    const CHECK: &str = "describe/schema";
    let (_, schema) = schema(subject, CHECK).await?;
    let breach = |came: String| Breach {
        check: CHECK,
        done: "read `config-schema`".to_owned(),
        expected: "a JSON Schema, draft 2020-12".to_owned(),
        came,
    };
    let draft = schema.get("$schema").and_then(Value::as_str);
    if let Some(other) = draft.filter(|draft| !draft.contains("json-schema.org/draft/2020-12/")) {
        return Err(breach(format!("`$schema` is {other}")));
    }
    if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
        return Err(breach(format!(
            "at {:?}: {}",
            error.instance_path().to_string(),
            error.masked()
        )));
    }
    match jsonschema::draft202012::new(&schema) {
        Ok(_) => Ok(Kept::Yes),
        Err(error) => Err(breach(error.masked().to_string())),
    }
}

/// The schema accepts the configuration that the handler accepts.
pub(super) async fn accepts(subject: &Subject) -> Verdict {
    const CHECK: &str = "config/schema-accepts";
    let (_, schema) = schema(subject, CHECK).await?;
    let Ok(validator) = jsonschema::draft202012::new(&schema) else {
        is_schema(subject).await?;
        return Ok(Kept::NotApplicable("the schema cannot be compiled".to_owned()));
    };
    let wrong = validator.iter_errors(&subject.config).next();
    match wrong {
        None => Ok(Kept::Yes),
        Some(error) => Err(Breach {
            check: CHECK,
            done: "checked the given configuration against `config-schema`".to_owned(),
            expected: "it is valid, as `validate` calls it".to_owned(),
            came: format!("at {:?}: {}", error.instance_path().to_string(), error.masked()),
        }),
    }
}

//! Checks of `validate` and `setup`, with the given configuration and with many changed ones.

use super::breach::{Breach, Kept, Verdict};
use super::session::Session;
use super::subject::Subject;
use beamlet::raw::beamlet::enrichment::types::Diagnostic;
use beamlet::raw::{Script, ScriptedStore};
use beamlet_contract::pointer::{child, unescaped};
use serde_json::{Value, json};

/// A store that must not be called.
const UNASKED: Script = Script::Answer { status: 503, retry_after: None, body: "" };
/// Replaces each secret. No message may contain it.
const CANARY: &str = "canary-4b1d-9e7f";
/// The largest number of configurations to try.
const MOST: usize = 400;

/// A changed configuration, and a description of the change.
struct Changed {
    done: String,
    text: String,
    /// As JSON.
    value: Value,
}

/// The given configuration is accepted.
pub(super) async fn accepted(subject: &Subject) -> Verdict {
    const CHECK: &str = "config/accepts";
    let (mut session, _) = Session::ready(subject, CHECK, None).await?;
    session.doing = "validate with the given configuration".to_owned();
    match session.validate(&subject.setup.config).await? {
        Ok(_) => Ok(Kept::Yes),
        Err(problems) => {
            let came = subject.describe_problems(&problems);
            Err(session.breach(CHECK, "no problem, because `setup` accepts it", came))
        }
    }
}

/// `describe`, `validate` and `setup` do not call the store.
pub(super) async fn asks_no_store(subject: &Subject) -> Verdict {
    const CHECK: &str = "config/asks-no-store";
    let scripted = ScriptedStore::new(UNASKED);
    let (mut session, _) = Session::ready(subject, CHECK, Some(scripted.clone())).await?;
    session.doing = "setup, describe and validate".to_owned();
    session.describe().await?;
    let _ = session.validate(&subject.setup.config).await?;
    match scripted.requests() {
        0 => Ok(Kept::Yes),
        1 => Err(session.breach(CHECK, "no request", "a request")),
        count => Err(session.breach(CHECK, "no request", format!("{count} requests"))),
    }
}

/// A text that is not one JSON object is reported as a problem.
pub(super) async fn odd_texts(subject: &Subject) -> Verdict {
    const CHECK: &str = "config/odd-texts";
    let mut session = Session::new(subject, CHECK, None).await?;
    for (text, what) in texts(&subject.setup.config) {
        session.doing = format!("validate with {what}");
        if session.validate(&text).await?.is_ok() {
            return Err(session.breach(
                CHECK,
                "a problem: it is not one JSON object",
                "it is valid",
            ));
        }
    }
    session.doing = "validate with objects in 10,000 objects".to_owned();
    let _ = session.validate(&nested("{\"a\":", "1", "}", 10_000)).await?;
    Ok(Kept::Yes)
}

fn nested(open: &str, inside: &str, close: &str, depth: usize) -> String {
    format!("{}{inside}{}", open.repeat(depth), close.repeat(depth))
}

/// Texts that are not a JSON object, with a description of each.
fn texts(config: &str) -> Vec<(String, &'static str)> {
    vec![
        (String::new(), "an empty text"),
        (" \n".to_owned(), "white space"),
        ("{".to_owned(), "an object that is cut off"),
        ("connection = 1".to_owned(), "a text that is not JSON"),
        (format!("{config}}}"), "the given configuration followed by a brace"),
        ("null".to_owned(), "null"),
        ("true".to_owned(), "true"),
        ("-0.5e300".to_owned(), "a number"),
        ("1e999".to_owned(), "a number that is too large"),
        ("NaN".to_owned(), "NaN"),
        ("\"text\"".to_owned(), "a string"),
        ("\"\\ud800\"".to_owned(), "half of a surrogate pair"),
        ("[]".to_owned(), "an empty array"),
        (format!("[{config}]"), "the given configuration in an array"),
        (nested("[", "", "]", 100_000), "arrays in 100,000 arrays"),
        (format!("\"{}\"", "x".repeat(1 << 20)), "a string of 1 MiB"),
    ]
}

/// `setup` rejects exactly what `validate` rejects, with the same problems.
pub(super) async fn setup_agrees(subject: &Subject) -> Verdict {
    const CHECK: &str = "config/setup-agrees";
    let texts = texts(&subject.setup.config).into_iter();
    let odd = texts.map(|(text, what)| (text, format!("with {what}")));
    let changed = changes(&subject.config).into_iter();
    let changed = changed.map(|Changed { done, text, .. }| (text, done));
    for (text, what) in changed.chain(odd) {
        let mut session = Session::new(subject, CHECK, None).await?;
        session.doing = format!("validate and handler.setup {what}");
        let validated = session.validate(&text).await?;
        let set_up = session.setup(&text).await?;
        match (validated, set_up) {
            (Ok(_), Ok(_)) => {}
            (Ok(_), Err(problems)) => {
                let came = format!("`setup` reported {}", subject.describe_problems(&problems));
                return Err(session.breach(
                    CHECK,
                    "a handler: `validate` reported no problem",
                    came,
                ));
            }
            (Err(problems), Ok(_)) => {
                let described = subject.describe_problems(&problems);
                let expected = format!("no handler: `validate` reported {described}");
                return Err(session.breach(CHECK, expected, "a handler"));
            }
            (Err(validated), Err(refused)) => {
                if pairs(&validated) != pairs(&refused) {
                    let expected = format!(
                        "what `validate` reported: {}",
                        subject.describe_problems(&validated)
                    );
                    let came = subject.describe_problems(&refused);
                    return Err(session.breach(CHECK, expected, came));
                }
            }
        }
    }
    Ok(Kept::Yes)
}

/// Problems as pairs, for comparisons.
pub(super) fn pairs(problems: &[Diagnostic]) -> Vec<(&str, &str)> {
    problems.iter().map(|problem| (problem.path.as_str(), problem.message.as_str())).collect()
}

/// A rejected configuration comes with a message about what is wrong.
pub(super) async fn problems(subject: &Subject) -> Verdict {
    const CHECK: &str = "config/problems";
    let mut refused = 0;
    let mut session = Session::new(subject, CHECK, None).await?;
    for Changed { done, text, .. } in changes(&subject.config) {
        session.doing = format!("validate {done}");
        let Err(problems) = session.validate(&text).await? else { continue };
        refused += 1;
        let silent = problems.iter().any(|problem| problem.message.trim().is_empty());
        if problems.is_empty() || silent {
            let came = subject.describe_problems(&problems);
            return Err(session.breach(CHECK, "problems, each with a message", came));
        }
    }
    Ok(match refused {
        0 => Kept::NotApplicable("no change makes the configuration invalid".to_owned()),
        _ => Kept::Yes,
    })
}

/// Each problem has a JSON Pointer to a place in the configuration, or to where something is
/// missing.
pub(super) async fn pointers(subject: &Subject) -> Verdict {
    const CHECK: &str = "config/pointers";
    let mut session = Session::new(subject, CHECK, None).await?;
    for Changed { done, text, value } in changes(&subject.config) {
        session.doing = format!("validate {done}");
        let (Ok(reported) | Err(reported)) = session.validate(&text).await?;
        for problem in reported {
            if let Err(why) = leads(&problem.path, &value) {
                let came = format!("{:?}, {why}", problem.path);
                let expected = "a JSON Pointer into the configuration, or to where something is \
                                missing in it";
                return Err(session.breach(CHECK, expected, came));
            }
        }
    }
    Ok(Kept::Yes)
}

/// No problem contains a secret.
pub(super) async fn secrets(subject: &Subject) -> Verdict {
    const CHECK: &str = "config/secrets";
    let mut secrets = Vec::new();
    let placeholders = subject.setup.egress.secrets();
    each(&subject.config, String::new(), &mut |pointer, value| {
        if value.as_str().is_some_and(|text| placeholders.is_placeholder(text)) {
            secrets.push(pointer.to_owned());
        }
    });
    if secrets.is_empty() {
        return Ok(Kept::NotApplicable("the configuration has no secret".to_owned()));
    }
    let mut session = Session::new(subject, CHECK, None).await?;
    // Valid and invalid forms of a secret: as it is, with a line end, as an element, as a key.
    for secret in [json!(CANARY), json!(format!("{CANARY}\n")), json!([CANARY]), json!({CANARY: 1})]
    {
        let mut config = subject.config.clone();
        for pointer in &secrets {
            if let Some(value) = config.pointer_mut(pointer) {
                *value = secret.clone();
            }
        }
        let changed = changes(&config).into_iter().map(|it| (it.text, it.done));
        let unchanged = (config.to_string(), "with other secrets".to_owned());
        for (text, done) in changed.chain([unchanged]) {
            session.doing = format!("validate {done}, with another secret");
            let (Ok(reported) | Err(reported)) = session.validate(&text).await?;
            // A key of an object is a name, which messages may contain.
            let reveals = |it: &Diagnostic| it.message.contains(CANARY) && !secret.is_object();
            if let Some(problem) = reported.iter().find(|it| reveals(it)) {
                let came = format!("the problem of {:?} contains it", problem.path);
                return Err(session.breach(CHECK, "a message without the secret", came));
            }
        }
    }
    Ok(Kept::Yes)
}

/// The configuration with one value removed, changed to another type, or added, at every place.
fn changes(config: &Value) -> Vec<Changed> {
    let mut places = Vec::new();
    each(config, String::new(), &mut |pointer, value| {
        places.push((pointer.to_owned(), value.is_object()));
    });
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0.5),
        json!(1e300),
        json!(""),
        json!("\u{1}\u{10ffff}"),
        json!([]),
        json!([{}]),
        json!({}),
        json!({"": {"~/": 1}}),
    ];
    let mut changed = Vec::new();
    for (pointer, is_object) in &places {
        for other in &others {
            let mut config = config.clone();
            if let Some(value) = config.pointer_mut(pointer) {
                *value = other.clone();
            }
            changed.push((format!("with {other} at {pointer:?}"), config));
        }
        if let Some((parent, key)) = parent(pointer) {
            let mut config = config.clone();
            if let Some(Value::Object(map)) = config.pointer_mut(parent) {
                map.remove(&key);
            }
            changed.push((format!("without {pointer:?}"), config));
        }
        if *is_object {
            let mut config = config.clone();
            if let Some(Value::Object(map)) = config.pointer_mut(pointer) {
                map.insert("a/b~c no such key".to_owned(), json!(1));
            }
            changed.push((format!("with an unknown key in {pointer:?}"), config));
        }
    }
    let step = changed.len().div_ceil(MOST).max(1);
    let of = |(done, value): (String, Value)| Changed { done, text: value.to_string(), value };
    changed.into_iter().step_by(step).filter(|(_, value)| value.is_object()).map(of).collect()
}

/// Visits each value, with the pointer to it.
fn each(value: &Value, at: String, visit: &mut impl FnMut(&str, &Value)) {
    visit(&at, value);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                each(value, child(&at, key), visit);
            }
        }
        Value::Array(list) => {
            for (position, value) in list.iter().enumerate() {
                each(value, child(&at, &position.to_string()), visit);
            }
        }
        _ => {}
    }
}

/// The changed configurations as texts, to compare the two interfaces.
pub(super) fn changed_texts(config: &Value) -> Vec<(String, String)> {
    changes(config).into_iter().map(|changed| (changed.done, changed.text)).collect()
}

/// Checks the place of a finding. A breach counts for `check`.
pub(super) fn placed(
    session: &Session<'_>,
    check: &'static str,
    path: &str,
    config: &Value,
) -> Result<(), Breach> {
    leads(path, config).map_err(|why| {
        let expected = "a JSON Pointer into the configuration, or to where something is missing";
        session.breach(check, expected, format!("{path:?}, {why}"))
    })
}

/// Whether a pointer leads to a value, or to a place where one could be. The error says why not.
fn leads(pointer: &str, config: &Value) -> Result<(), String> {
    if pointer.is_empty() {
        return Ok(());
    }
    let Some(tokens) = pointer.strip_prefix('/') else {
        return Err("which does not start with a slash".to_owned());
    };
    let mut value = Some(config);
    let mut so_far = String::new();
    for token in tokens.split('/') {
        let key = unescaped(token).ok_or("which has a `~` that is neither `~0` nor `~1`")?;
        value = match value {
            // A missing value may contain anything.
            None | Some(Value::Null) => None,
            Some(Value::Object(map)) => map.get(&*key),
            Some(Value::Array(list)) => match key.parse::<usize>() {
                Ok(at) => list.get(at),
                Err(_) => return Err(format!("and {so_far:?} is an array")),
            },
            Some(other) => {
                let is = beamlet_config::kind(other);
                return Err(format!("and {so_far:?} is {is}, with nothing in it"));
            }
        };
        so_far = format!("{so_far}/{token}");
    }
    Ok(())
}

/// The pointer to the parent, and the key in it; `None` for the whole document.
fn parent(pointer: &str) -> Option<(&str, String)> {
    let (parent, token) = pointer.rsplit_once('/')?;
    Some((parent, unescaped(token)?.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pointer_may_lead_to_a_value_or_to_a_missing_one() {
        let config = json!({ "a": { "b/c": [1, { "d": null }] }, "": 1 });
        for pointer in ["", "/", "/a", "/a/b~1c/1/d", "/a/none", "/none/deeper", "/a/b~1c/1/d/e"] {
            assert_eq!(leads(pointer, &config), Ok(()), "{pointer}");
        }
    }

    #[test]
    fn a_pointer_that_is_invalid_or_leads_through_a_value_is_an_error() {
        let config = json!({ "a": 1, "b": [] });
        let why = |pointer| leads(pointer, &config).unwrap_err();
        assert_eq!(why("a"), "which does not start with a slash");
        assert_eq!(why("/~2"), "which has a `~` that is neither `~0` nor `~1`");
        assert_eq!(why("/a/x"), "and \"/a\" is a number, with nothing in it");
        assert_eq!(why("/b/x"), "and \"/b\" is an array");
    }

    #[test]
    fn the_parent_of_a_pointer_is_the_pointer_to_the_enclosing_value() {
        assert_eq!(parent("/a/b~1c"), Some(("/a", "b/c".to_owned())));
        assert_eq!(parent("/a"), Some(("", "a".to_owned())));
        assert_eq!(parent(""), None);
    }
}

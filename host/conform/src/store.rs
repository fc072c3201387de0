//! Checks with a store that fails. It is scripted inside the host, so that no real store has to
//! fail.

use super::answer::{Answered, kind};
use super::breach::{Breach, Kept, Verdict};
use super::bundle::Ran;
use super::rows::describe_rows;
use super::session::Session;
use super::subject::Subject;
use beamlet::raw::beamlet::enrichment::types::Error;
use beamlet::raw::beamlet::enrichment::types::Severity;
use beamlet::raw::exports::beamlet::enrichment::enrichment_handler as wit;
use beamlet::raw::{Script, ScriptedStore};
use beamlet_contract::Outcome;

const fn answers(status: u16, body: &'static str) -> Script {
    Script::Answer { status, retry_after: None, body }
}

/// A failure of the store, and the error that the handler has to report.
struct Failing {
    script: Script,
    what: &'static str,
    /// The kind of the error, if the contract defines it.
    kind: Option<&'static str>,
    /// Whether the same rows may succeed later, if the contract defines it.
    retryable: Option<bool>,
}

/// The HTTP status of a failed answer.
fn status(script: Script) -> Option<u16> {
    match script {
        Script::Answer { status, .. } if status != 200 => Some(status),
        _ => None,
    }
}

/// All failures of a store.
fn failures() -> Vec<Failing> {
    let failing = |script, what, kind, retryable| Failing { script, what, kind, retryable };
    let busy = Script::Answer { status: 429, retry_after: Some("7"), body: "busy" };
    vec![
        failing(Script::Refuses, "that refuses connections", Some("unavailable"), Some(true)),
        failing(Script::TimesOut, "that does not answer in time", Some("timed-out"), Some(true)),
        failing(Script::Denies, "to which access is not granted", Some("denied"), Some(false)),
        failing(Script::BreaksOff, "whose answers are cut off", None, None),
        failing(answers(401, ""), "that answers 401", Some("unauthenticated"), None),
        failing(answers(403, "<html>no</html>"), "that answers 403", Some("forbidden"), None),
        failing(busy, "that answers 429", Some("throttled"), Some(true)),
        failing(answers(500, "{\"message\":\"x\"}"), "that answers 500", None, None),
        failing(answers(503, "\u{0}"), "that answers 503", Some("unavailable"), Some(true)),
        failing(answers(200, ""), "that answers nothing", Some("bad-response"), None),
        failing(
            answers(200, "<html>"),
            "that answers something other than JSON",
            Some("bad-response"),
            None,
        ),
        failing(answers(200, "[[[[[1,null]]]]]"), "that answers lists", Some("bad-response"), None),
        failing(
            answers(200, "\"\\ud800\""),
            "that answers half a surrogate pair",
            Some("bad-response"),
            None,
        ),
    ]
}

/// Asks for rows with keys while the store fails; `None` if the handler made no request.
async fn ask(subject: &Subject, failing: &Failing) -> Result<Option<(String, Ran)>, Breach> {
    let scripted = ScriptedStore::new(failing.script);
    let trap = "store/survives";
    let (mut session, handler) = Session::ready(subject, trap, Some(scripted.clone())).await?;
    session.counted = "store/rows";
    let rows = subject.rows_with_keys();
    session.doing = format!("{} from a store {}", describe_rows(&rows), failing.what);
    let ran = session.bundle(handler, &[subject.batch(&rows)]).await?;
    Ok((scripted.requests() > 0).then_some((session.doing, ran)))
}

/// The errors in a bundle's answers.
fn errors(ran: Ran) -> Vec<Error> {
    match ran {
        Ran::Refused(error) => vec![error],
        Ran::Answered(rows) => {
            let error = |row: Answered| match row.outcome {
                Outcome::Failed(error) => Some(error.0),
                _ => None,
            };
            rows.into_iter().filter_map(error).collect()
        }
    }
}

fn unasked() -> Kept {
    Kept::NotApplicable("the handler made no request".to_owned())
}

/// No call traps, and no row is lost.
pub(super) async fn survives(subject: &Subject) -> Verdict {
    subject.ordinary().await?;
    let mut asked = false;
    for failing in failures() {
        asked |= ask(subject, &failing).await?.is_some();
    }
    Ok(if asked { Kept::Yes } else { unasked() })
}

/// A row without an answer from the store is neither enriched nor missing.
pub(super) async fn no_answer_made_up(subject: &Subject) -> Verdict {
    const CHECK: &str = "store/failures";
    subject.ordinary().await?;
    let mut asked = false;
    for failing in failures() {
        let Some((done, ran)) = ask(subject, &failing).await? else { continue };
        asked = true;
        let Ran::Answered(rows) = ran else { continue };
        if let Some(at) = rows.iter().position(Answered::is_answer) {
            let expected = "each row is in `failures`, or the bundle fails".to_owned();
            let came = format!("row {at} is {}", rows[at].word());
            return Err(Breach { check: CHECK, done, expected, came });
        }
    }
    Ok(if asked { Kept::Yes } else { unasked() })
}

/// The kind of the error, by which a runner decides what to do.
pub(super) async fn kinds(subject: &Subject) -> Verdict {
    const CHECK: &str = "store/kinds";
    each_error(subject, CHECK, |failing, error| {
        let (expected, came) = (failing.kind?, kind(error));
        (came != expected).then(|| (format!("an error of kind {expected}"), came))
    })
    .await
}

/// The status with which the store answered.
pub(super) async fn statuses(subject: &Subject) -> Verdict {
    const CHECK: &str = "store/status";
    each_error(subject, CHECK, |failing, error| {
        let expected = status(failing.script)?;
        let came = error.http_status.map_or("none".to_owned(), |status| status.to_string());
        (error.http_status != Some(expected)).then(|| (format!("http-status {expected}"), came))
    })
    .await
}

/// Whether a retry can succeed.
pub(super) async fn retryable(subject: &Subject) -> Verdict {
    const CHECK: &str = "store/retryable";
    each_error(subject, CHECK, |failing, error| {
        let expected = failing.retryable?;
        let came = format!("retryable is {}", error.retryable);
        (error.retryable != expected).then(|| (format!("retryable is {expected}"), came))
    })
    .await
}

/// The time that the store asks to wait.
pub(super) async fn retry_after(subject: &Subject) -> Verdict {
    const CHECK: &str = "store/retry-after";
    each_error(subject, CHECK, |failing, error| {
        let Script::Answer { retry_after: Some(_), .. } = failing.script else { return None };
        let came = error.retry_after_ms.map_or("none".to_owned(), |ms| format!("{ms} ms"));
        let expected = "retry-after-ms 7000, because the store sent `retry-after: 7`";
        (error.retry_after_ms != Some(7000)).then(|| (expected.to_owned(), came))
    })
    .await
}

/// Checks each error of each failure.
async fn each_error(
    subject: &Subject,
    check: &'static str,
    wrong: impl Fn(&Failing, &Error) -> Option<(String, String)>,
) -> Verdict {
    subject.ordinary().await?;
    let mut asked = false;
    for failing in failures() {
        let Some((done, ran)) = ask(subject, &failing).await? else { continue };
        asked = true;
        if let Some((expected, came)) = errors(ran).iter().find_map(|error| wrong(&failing, error))
        {
            return Err(Breach { check, done, expected, came });
        }
    }
    Ok(if asked { Kept::Yes } else { unasked() })
}

/// The instance gives the same answers as before when the store has recovered.
pub(super) async fn recovers(subject: &Subject) -> Verdict {
    const CHECK: &str = "store/recovers";
    let ordinary = subject.ordinary().await?;
    let scripted = ScriptedStore::new(answers(503, ""));
    let (mut session, handler) = Session::ready(subject, CHECK, Some(scripted.clone())).await?;
    let rows = subject.batch(&ordinary.rows);
    session.doing = format!("{} from a store that answers 503", describe_rows(&ordinary.rows));
    session.counted = "store/rows";
    let _ = session.bundle(handler, std::slice::from_ref(&rows)).await?;
    if scripted.requests() == 0 {
        return Ok(unasked());
    }
    scripted.follow(Script::Real);
    session.doing.push_str(", and again after it has recovered, in the next bundle");
    let came = session.answers(CHECK, handler, &[rows]).await?;
    ordinary.compare(&session, CHECK, &ordinary.answers, &came)?;
    Ok(Kept::Yes)
}

/// `outputs` is an error if the store failed.
pub(super) async fn outputs(subject: &Subject) -> Verdict {
    const CHECK: &str = "store/outputs";
    let mut asked = false;
    for failing in failures() {
        let scripted = ScriptedStore::new(failing.script);
        let (mut session, handler) = Session::ready(subject, CHECK, Some(scripted.clone())).await?;
        session.doing = format!("asked for the outputs, with a store {}", failing.what);
        let reported = session.outputs(handler).await?;
        let requests = scripted.requests();
        asked |= requests > 0;
        if let (Ok(fields), true) = (reported, requests > 0) {
            let came = format!("{} fields", fields.len());
            return Err(session.breach(CHECK, "an error, because the store failed", came));
        }
    }
    Ok(if asked { Kept::Yes } else { unasked() })
}

/// `check` reports a problem if the store fails.
pub(super) async fn check(subject: &Subject) -> Verdict {
    const CHECK: &str = "store/check";
    let mut asked = false;
    for failing in failures() {
        let scripted = ScriptedStore::new(failing.script);
        let (mut session, handler) = Session::ready(subject, CHECK, Some(scripted.clone())).await?;
        session.doing = format!("handler.check, with a store {}", failing.what);
        let reported = session.check(handler).await?;
        let requests = scripted.requests();
        asked |= requests > 0;
        let fine = |report: &wit::Report| {
            report.findings.iter().all(|finding| finding.severity != Severity::Problem)
        };
        if reported.is_ok_and(|report| fine(&report)) && requests > 0 {
            let expected = "an error, or a finding that is a problem";
            return Err(session.breach(CHECK, expected, "no problem"));
        }
    }
    Ok(if asked { Kept::Yes } else { unasked() })
}

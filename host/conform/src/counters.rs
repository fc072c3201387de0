//! Checks of a handler's counters.

use super::breach::{Breach, Kept, Verdict};
use super::rows::describe_rows;
use super::session::Session;
use super::subject::Subject;
use beamlet::raw::{Script, ScriptedStore};
use beamlet_contract::Outcome;
use std::collections::HashSet;

/// The counters that users know from Beam.
const RETRIEVED: &str = "features_retrieved";
const REQUESTS: &str = "feature_retrieval_requests";
const ERRORS: &str = "feature_retrieval_errors";

fn value(counters: &[(String, u64)], name: &str) -> Option<u64> {
    counters.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
}

/// Names are in snake case and unique.
pub(super) async fn names(subject: &Subject) -> Verdict {
    const CHECK: &str = "counters/names";
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "asked for the counters after setup".to_owned();
    let mut known = HashSet::new();
    for (name, _) in session.counters(handler).await? {
        let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        let snake = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !first || !name.bytes().all(snake) {
            return Err(session.breach(CHECK, "names in snake case", format!("{name:?}")));
        }
        if !known.insert(name.clone()) {
            return Err(session.breach(
                CHECK,
                "each counter once",
                format!("`{name}` appears twice"),
            ));
        }
    }
    Ok(Kept::Yes)
}

/// The three counters that every handler has.
pub(super) async fn standard(subject: &Subject) -> Verdict {
    const CHECK: &str = "counters/standard";
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "asked for the counters after setup".to_owned();
    let counters = session.counters(handler).await?;
    match [RETRIEVED, REQUESTS, ERRORS].iter().find(|name| value(&counters, name).is_none()) {
        None => Ok(Kept::Yes),
        Some(name) => Err(session.breach(CHECK, format!("a counter `{name}`"), "none")),
    }
}

/// Counters never decrease, over calls and bundles.
pub(super) async fn monotonous(subject: &Subject) -> Verdict {
    const CHECK: &str = "counters/monotonous";
    let ordinary = subject.ordinary().await?;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = format!(
        "asked for the counters after each call of three bundles of {}",
        describe_rows(&ordinary.rows)
    );
    let mut before = session.counters(handler).await?;
    for _ in 0..3 {
        let mut running = session.begin(handler).await?;
        let given = session.give(&mut running, &subject.batch(&ordinary.rows)).await?;
        let during = session.counters(handler).await?;
        rises(&session, CHECK, &before, &during)?;
        if given.is_ok() {
            session.end(running).await?;
        } else {
            session.abandon(running).await?;
        }
        before = session.counters(handler).await?;
        rises(&session, CHECK, &during, &before)?;
    }
    Ok(Kept::Yes)
}

fn rises(
    session: &Session<'_>,
    check: &'static str,
    before: &[(String, u64)],
    after: &[(String, u64)],
) -> Result<(), Breach> {
    for (name, first) in before {
        let came = match value(after, name) {
            Some(now) if now >= *first => continue,
            Some(now) => format!("`{name}` was {first} and is {now}"),
            None => format!("`{name}` is absent"),
        };
        return Err(session.breach(check, "counters that never decrease", came));
    }
    Ok(())
}

/// Counts one for each enriched row, and one for each request.
pub(super) async fn exact(subject: &Subject) -> Verdict {
    const CHECK: &str = "counters/exact";
    let ordinary = subject.ordinary().await?;
    let scripted = ScriptedStore::new(Script::Real);
    let (mut session, handler) = Session::ready(subject, CHECK, Some(scripted.clone())).await?;
    session.doing = format!("{} in one bundle", describe_rows(&ordinary.rows));
    let answers = session.answers(CHECK, handler, &[subject.batch(&ordinary.rows)]).await?;
    let enriched = answers.iter().filter(|row| row.outcome == Outcome::Enriched).count() as u64;
    let counters = session.counters(handler).await?;
    let counted = [(RETRIEVED, enriched), (REQUESTS, scripted.requests())];
    for (name, expected) in counted {
        if let Some(came) = value(&counters, name).filter(|came| *came != expected) {
            return Err(session.breach(CHECK, format!("`{name}` is {expected}"), came.to_string()));
        }
    }
    Ok(Kept::Yes)
}

/// Counts one for each failed request.
pub(super) async fn errors(subject: &Subject) -> Verdict {
    const CHECK: &str = "counters/errors";
    subject.ordinary().await?;
    let scripted = ScriptedStore::new(Script::Answer { status: 503, retry_after: None, body: "" });
    let (mut session, handler) = Session::ready(subject, CHECK, Some(scripted.clone())).await?;
    let rows = subject.rows_with_keys();
    session.doing = format!("{} from a store that answers 503", describe_rows(&rows));
    let _ = session.bundle(handler, &[subject.batch(&rows)]).await?;
    let counters = session.counters(handler).await?;
    match (scripted.requests(), value(&counters, ERRORS)) {
        (0, _) => Ok(Kept::NotApplicable("the handler made no request".to_owned())),
        (_, None) => Ok(Kept::NotApplicable(format!("there is no counter `{ERRORS}`"))),
        (requests, Some(errors)) if errors == requests => Ok(Kept::Yes),
        (requests, Some(errors)) => {
            let expected = format!("`{ERRORS}` is {requests}, as many as requests were made");
            Err(session.breach(CHECK, expected, errors.to_string()))
        }
    }
}

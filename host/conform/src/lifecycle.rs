//! Checks of an instance's life: set up, bundles, tear down.

use super::breach::{Kept, Verdict};
use super::rows::describe_rows;
use super::session::Session;
use super::subject::Subject;

/// One bundle.
pub(super) async fn one_bundle(subject: &Subject) -> Verdict {
    subject.ordinary().await?;
    Ok(Kept::Yes)
}

/// Several bundles, one after another.
pub(super) async fn bundles(subject: &Subject) -> Verdict {
    const CHECK: &str = "lifecycle/bundles";
    let ordinary = subject.ordinary().await?;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    let rows = subject.batch(&ordinary.rows);
    for number in 1..=3 {
        session.doing =
            format!("{} as bundle {number} of an instance", describe_rows(&ordinary.rows));
        let came = session.answers(CHECK, handler, std::slice::from_ref(&rows)).await?;
        ordinary.compare(&session, CHECK, &ordinary.answers, &came)?;
    }
    Ok(Kept::Yes)
}

/// A bundle after one that was dropped before it was finished.
pub(super) async fn dropped(subject: &Subject) -> Verdict {
    const CHECK: &str = "lifecycle/dropped-bundle";
    let ordinary = subject.ordinary().await?;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "started a bundle, passed rows to it, and dropped it".to_owned();
    let mut running = session.begin(handler).await?;
    let given = session.give(&mut running, &subject.batch(&ordinary.rows[..1])).await?;
    if let Err(error) = given {
        let came = format!("the bundle failed: {}", error.message);
        return Err(session.breach(CHECK, "rows are accepted", came));
    }
    session.abandon(running).await?;
    session.doing =
        format!("{} in the bundle after one that was dropped", describe_rows(&ordinary.rows));
    let came = session.answers(CHECK, handler, &[subject.batch(&ordinary.rows)]).await?;
    ordinary.compare(&session, CHECK, &ordinary.answers, &came)?;
    Ok(Kept::Yes)
}

/// Several instances at the same time.
pub(super) async fn instances(subject: &Subject) -> Verdict {
    const CHECK: &str = "lifecycle/instances";
    let ordinary = subject.ordinary().await?;
    let rows = subject.batch(&ordinary.rows);
    let mut running = Vec::new();
    for number in 1..=3 {
        let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
        session.doing =
            format!("{} in each of three instances, turn by turn", describe_rows(&ordinary.rows));
        let mut bundle = session.begin(handler).await?;
        if let Err(error) = session.give(&mut bundle, &rows).await? {
            let came = format!("in instance {number}, the bundle failed: {}", error.message);
            return Err(session.breach(CHECK, "rows are accepted", came));
        }
        running.push((session, bundle));
    }
    // The last one is finished first, and all of them before answers are compared.
    let mut ended = Vec::new();
    for (mut session, bundle) in running.into_iter().rev() {
        let ran = session.end(bundle).await?;
        ended.push((session, ran));
    }
    for (session, ran) in ended {
        let came = session.answered(CHECK, ran)?;
        ordinary.compare(&session, CHECK, &ordinary.answers, &came)?;
    }
    Ok(Kept::Yes)
}

/// A handler that is dropped before any bundle, and after one.
pub(super) async fn tear_down(subject: &Subject) -> Verdict {
    const CHECK: &str = "lifecycle/tear-down";
    let ordinary = subject.ordinary().await?;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "set up, and dropped the handler".to_owned();
    session.drop(handler).await?;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "set up, ran a bundle, and dropped the handler".to_owned();
    let _ = session.bundle(handler, &[subject.batch(&ordinary.rows)]).await?;
    session.drop(handler).await?;
    Ok(Kept::Yes)
}

/// A bundle without rows.
pub(super) async fn empty_bundle(subject: &Subject) -> Verdict {
    const CHECK: &str = "lifecycle/empty-bundle";
    subject.ordinary().await?;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.counted = CHECK;
    session.doing = "a bundle without a call of process".to_owned();
    session.answers(CHECK, handler, &[]).await?;
    Ok(Kept::Yes)
}

/// Calls without rows.
pub(super) async fn empty_calls(subject: &Subject) -> Verdict {
    const CHECK: &str = "lifecycle/empty-calls";
    subject.ordinary().await?;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.counted = CHECK;
    session.doing = "a bundle with two calls of process that have no row".to_owned();
    let none = subject.batch(&[]);
    session.answers(CHECK, handler, &[none.clone(), none]).await?;
    Ok(Kept::Yes)
}

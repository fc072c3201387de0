//! Checks of answers: one for each row, in their order, and the same however rows are split into
//! calls.

use super::breach::{Kept, Verdict};
use super::rows::{Row, describe_rows};
use super::session::Session;
use super::subject::Subject;
use beamlet::raw::{Script, ScriptedStore};
use beamlet_contract::Outcome;
use std::time::Duration;

/// The form of the answers to ordinary rows. Breaches were noted while the answers were read.
pub(super) async fn form(subject: &Subject) -> Verdict {
    subject.ordinary().await?;
    Ok(Kept::Yes)
}

/// In reverse order, the rows get the same answers in reverse order.
pub(super) async fn order(subject: &Subject) -> Verdict {
    const CHECK: &str = "answers/order";
    let ordinary = subject.ordinary().await?;
    if !ordinary.are_distinct() {
        let why = "all rows got equal answers; pass rows that the store knows with --keys";
        return Ok(Kept::NotApplicable(why.to_owned()));
    }
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    let rows: Vec<Row> = ordinary.rows.iter().rev().copied().collect();
    session.doing = format!("{} in one bundle, from the last to the first", describe_rows(&rows));
    let came = session.answers(CHECK, handler, &[subject.batch(&rows)]).await?;
    let expected: Vec<_> = ordinary.answers.iter().rev().cloned().collect();
    ordinary.compare(&session, CHECK, &expected, &came)?;
    Ok(Kept::Yes)
}

/// A row in a bundle of its own gets the same answer as among others.
pub(super) async fn alone(subject: &Subject) -> Verdict {
    const CHECK: &str = "answers/alone";
    let ordinary = subject.ordinary().await?;
    let mut came = Vec::new();
    for row in &ordinary.rows {
        let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
        session.doing = format!("{} in a bundle of its own", describe_rows(&[*row]));
        came.extend(session.answers(CHECK, handler, &[subject.batch(&[*row])]).await?);
    }
    let mut session = Session::new(subject, CHECK, None).await?;
    session.doing = format!("{}, each in a bundle of its own", describe_rows(&ordinary.rows));
    ordinary.compare(&session, CHECK, &ordinary.answers, &came)?;
    Ok(Kept::Yes)
}

/// Rows in calls of any size get the same answers as in one call.
pub(super) async fn cuts(subject: &Subject) -> Verdict {
    const CHECK: &str = "answers/cuts";
    let ordinary = subject.ordinary().await?;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    let four = |_| ordinary.rows.iter().zip(&ordinary.answers);
    let (rows, expected): (Vec<Row>, Vec<_>) =
        (0..4).flat_map(four).map(|(row, answer)| (*row, answer.clone())).unzip();
    let mut calls = Vec::new();
    let mut rest = &rows[..];
    for size in [0, 1, 7, 0, 2, 11, usize::MAX] {
        let (now, later) = rest.split_at(size.min(rest.len()));
        calls.push(subject.batch(now));
        rest = later;
    }
    session.doing = format!("{} in calls of 0, 1, 7, 0, 2, 11 and the rest", describe_rows(&rows));
    let came = session.answers(CHECK, handler, &calls).await?;
    ordinary.compare(&session, CHECK, &expected, &came)?;
    Ok(Kept::Yes)
}

/// Equal rows get equal answers.
pub(super) async fn duplicates(subject: &Subject) -> Verdict {
    const CHECK: &str = "answers/duplicates";
    let ordinary = subject.ordinary().await?;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    let rows: Vec<Row> = ordinary.rows.iter().flat_map(|row| [*row; 3]).collect();
    let expected = ordinary.answers.iter().flat_map(|row| std::iter::repeat_n(row.clone(), 3));
    session.doing = "each row three times in succession".to_owned();
    let came = session.answers(CHECK, handler, &[subject.batch(&rows)]).await?;
    ordinary.compare(&session, CHECK, &expected.collect::<Vec<_>>(), &came)?;
    Ok(Kept::Yes)
}

/// Rows with only nulls are answered, and a null key is not reported as missing.
pub(super) async fn nulls(subject: &Subject) -> Verdict {
    const CHECK: &str = "answers/nulls";
    subject.ordinary().await?;
    if subject.inputs.is_empty() {
        return Ok(Kept::NotApplicable("the handler reads no field".to_owned()));
    }
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.doing = "25 rows with null in every field".to_owned();
    let came = session.answers(CHECK, handler, &[subject.batch(&[Row::Null; 25])]).await?;
    if let Some(at) = came.iter().position(|row| row.outcome == Outcome::Missing) {
        let came = format!("row {at} is in `missing`");
        let expected = "a row whose key is null and for which the store has nothing is in \
                        `null-keys`, and not in `missing`";
        return Err(session.breach(CHECK, expected, came));
    }
    Ok(Kept::Yes)
}

/// Very many rows, in calls of growing size.
pub(super) async fn many(subject: &Subject) -> Verdict {
    const CHECK: &str = "answers/many";
    let ordinary = subject.ordinary().await?;
    let total = subject.many as usize;
    let (mut session, handler) = Session::ready(subject, CHECK, None).await?;
    session.counted = CHECK;
    let mut calls = Vec::new();
    let mut made = 0;
    for size in [0, 1, 7, 1000].into_iter().chain(std::iter::repeat(10_000)) {
        let now = made..total.min(made + size);
        // Ordinary rows, alternating with rows that no store knows.
        let row = |at: usize| match ordinary.rows.get(at / 2 % ordinary.rows.len()) {
            Some(row) if at.is_multiple_of(2) => *row,
            _ => Row::Generated(1000 + at as u64),
        };
        made = now.end;
        calls.push(now.map(row).collect::<Vec<Row>>());
        if made == total {
            break;
        }
    }
    session.doing = format!("{total} rows in calls of 0, 1, 7, 1000 and 10,000");
    let mut running = session.begin(handler).await?;
    for rows in calls {
        if let Err(error) = session.give(&mut running, &subject.batch(&rows)).await? {
            let came = format!("the bundle failed: {}", error.message);
            return Err(session.breach(CHECK, "an answer for each row", came));
        }
    }
    let ran = session.end(running).await?;
    session.answered(CHECK, ran)?;
    Ok(Kept::Yes)
}

/// Requests that the store answers out of order.
pub(super) async fn late(subject: &Subject) -> Verdict {
    const CHECK: &str = "answers/late";
    let ordinary = subject.ordinary().await?;
    let scripted = ScriptedStore::new(Script::EverySecondLate(Duration::from_millis(40)));
    let (mut session, handler) = Session::ready(subject, CHECK, Some(scripted.clone())).await?;
    let rows = (0..8).flat_map(|_| ordinary.rows.iter().zip(&ordinary.answers));
    let (rows, expected): (Vec<Row>, Vec<_>) =
        rows.map(|(row, answer)| (*row, answer.clone())).unzip();
    session.doing =
        format!("{} from a store that delays every second answer by 40 ms", describe_rows(&rows));
    let came = session.answers(CHECK, handler, &[subject.batch(&rows)]).await?;
    ordinary.compare(&session, CHECK, &expected, &came)?;
    Ok(match scripted.requests() {
        0 | 1 => Kept::NotApplicable("the rows went into one request".to_owned()),
        _ => Kept::Yes,
    })
}

//! Asks for the ordinary rows, and compares other answers to the same rows with theirs.

use super::answer::{Answered, Ordinary, kind};
use super::breach::Breach;
use super::bundle::Ran;
use super::rows::{Row, describe_rows};
use super::session::Session;
use super::subject::Subject;
use beamlet::raw::exports::beamlet::enrichment::enrichment_handler as wit;

impl Subject {
    /// The answers to the ordinary rows, in a bundle with one call. All checks compare with these
    /// answers.
    pub(super) async fn ordinary(&self) -> Result<&Ordinary, Breach> {
        let asked = self.ordinary.get_or_init(|| async {
            self.ask_outputs().await?;
            let rows = self.ordinary_rows();
            let first = self.ask_afresh(&rows).await?;
            let second = self.ask_afresh(&rows).await?;
            let volatile = volatile(&first, &second);
            Ok(Ordinary { rows, answers: first, volatile })
        });
        asked.await.as_ref().map_err(Clone::clone)
    }

    async fn ask_afresh(&self, rows: &[Row]) -> Result<Vec<Answered>, Breach> {
        let (mut session, handler) = Session::ready(self, "lifecycle/one-bundle", None).await?;
        session.doing = format!("{} in one bundle", describe_rows(rows));
        match session.bundle(handler, &[self.batch(rows)]).await? {
            Ran::Answered(rows) => Ok(rows),
            Ran::Refused(error) => {
                let came = format!("the bundle failed: {}: {}", kind(&error), error.message);
                let expected = "an answer for each row: the store is there, and the keys are of \
                                its type";
                Err(session.breach("lifecycle/one-bundle", expected, came))
            }
        }
    }

    async fn ask_outputs(&self) -> Result<(), Breach> {
        if self.outputs.initialized() {
            return Ok(());
        }
        let (mut session, handler) = Session::ready(self, "outputs/declared", None).await?;
        let declared = session.outputs(handler).await?.ok();
        let field = |wit::Field { name, type_ }: wit::Field| (name, type_);
        let declared = declared.map(|fields| fields.into_iter().map(field).collect());
        let _ = self.outputs.set(declared);
        Ok(())
    }
}

impl Ordinary {
    /// Compares answers with the expected ones, for the promise of `check`. The right answers in a
    /// wrong order are a breach of `answers/order`, unless `answers/late` is being tested.
    pub(super) fn compare(
        &self,
        session: &Session<'_>,
        check: &'static str,
        expected: &[Answered],
        came: &[Answered],
    ) -> Result<(), Breach> {
        let of = |rows: &[Answered]| rows.iter().map(|row| self.stable(row)).collect::<Vec<_>>();
        let (expected, came) = (of(expected), of(came));
        if expected == came {
            return Ok(());
        }
        let sorted = |rows: &[Answered]| {
            let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
            rows.sort_unstable();
            rows
        };
        let differs = |(first, second): &(&Answered, &Answered)| first != second;
        let at = expected.iter().zip(&came).position(|pair| differs(&pair)).unwrap_or_default();
        let (wanted, got) = (expected[at].describe(), came[at].describe());
        if check != "answers/late" && sorted(&expected) == sorted(&came) {
            let came = format!("all answers are right, but row {at} has that of another row");
            return Err(session.breach("answers/order", "answers in the order of the rows", came));
        }
        let expected = format!("row {at} {wanted}, as when these rows were asked for first");
        let came = if wanted == got {
            format!("row {at} {got}, with other values")
        } else {
            format!("row {at} {got}")
        };
        Err(session.breach(check, expected, came))
    }
}

/// The fields that differ between two answers for the same rows.
fn volatile(first: &[Answered], second: &[Answered]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (first, second) in first.iter().zip(second) {
        for (name, value) in &first.fields {
            let other = second.fields.iter().find(|(other, _)| other == name);
            if other.is_none_or(|(_, other)| other != value) && !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}

//! Some rows of a body, from their texts to the text that answers them.

use crate::bindings::beamlet::enrichment::enrichment_handler::Bundle;
use crate::instance::Instance;
use crate::media::Form;
use crate::told::Told;
use beamlet_guest::contract::Outcome;
use beamlet_guest::json::{NotARow, Row, error_json, splice, to_batch};
use beamlet_guest::{Enriched, Error, ErrorKind};

/// The member of a row that tells why it could not be enriched.
pub(crate) const FAILURE: &str = "beamlet_error";

/// A piece, answered.
pub(crate) struct Answered {
    /// The rows, in the form they came in, without the array's brackets.
    pub(crate) text: Vec<u8>,
    /// What became of them.
    pub(crate) told: Told,
    /// What all of them failed with, where they did.
    pub(crate) all_failed: Option<Error>,
}

/// A row of the piece, or why it is none.
pub(crate) type Read<'a> = Result<Row<'a>, String>;

/// Reads a row that the handler can be asked for. The outer error breaks the body: an array is one
/// text of JSON, lines are each their own.
pub(crate) fn read<'a>(
    bytes: &'a [u8],
    form: Form,
    inputs: &[(String, bool)],
) -> Result<Read<'a>, NotARow> {
    let row = str::from_utf8(bytes).map_err(NotARow::from).and_then(Row::read);
    let row = match row {
        Ok(row) => row,
        Err(why @ (NotARow::NotJson(_) | NotARow::NotUtf8(_))) if form == Form::Array => {
            return Err(why);
        }
        Err(why) => return Ok(Err(why.to_string())),
    };
    if row.has(FAILURE) {
        return Ok(Err(format!(
            "has a field `{FAILURE}`, which is where failures are told; leave it out"
        )));
    }
    let lacks = inputs.iter().find(|(name, required)| *required && !row.has(name));
    Ok(match lacks {
        Some((name, _)) => Err(format!("has no field `{name}`")),
        None => Ok(row),
    })
}

/// Enriches the rows of a piece as one bundle. `first` is the number of its first row; `begun`,
/// whether a row of the body was answered before.
pub(crate) fn answer(
    instance: &Instance,
    form: Form,
    first: usize,
    texts: &[&[u8]],
    rows: Vec<Read<'_>>,
) -> Answered {
    let mut writing = Writing { form, first, text: Vec::new(), told: Told::default() };
    let mut good = Vec::with_capacity(rows.len());
    let mut bad = Vec::new();
    for (at, row) in rows.into_iter().enumerate() {
        match row {
            Ok(row) => good.push((at, row)),
            Err(what) => {
                let message = format!("row {} {what}", first + at);
                bad.push((at, Error::new(ErrorKind::InvalidInput, message)));
            }
        }
    }
    let (places, good): (Vec<_>, Vec<_>) = good.into_iter().unzip();
    let answers = if good.is_empty() { Vec::new() } else { ask(instance, &good) };
    let all_failed = all_failed(&answers, good.len(), &bad);
    let mut bad = bad.into_iter().peekable();
    splice(&good, &answers, false, |at, row, outcome| {
        while let Some((at, error)) = bad.next_if(|(place, _)| *place < places[at]) {
            writing.bad(at, texts[at], &error);
        }
        writing.row(places[at], row, outcome);
    });
    bad.for_each(|(at, error)| writing.bad(at, texts[at], &error));
    Answered { text: writing.text, told: writing.told, all_failed }
}

/// Asks the handler for rows; what fails the bundle fails each of them.
fn ask(instance: &Instance, rows: &[Row<'_>]) -> Vec<Enriched> {
    let inputs: Vec<_> =
        instance.inputs.iter().map(|(name, required)| (name.as_str(), *required)).collect();
    let answers = to_batch(rows, &inputs).map_err(Error::from).and_then(|batch| {
        let bundle = instance.handler.start_bundle();
        let mut answers = bundle.process(&batch)?;
        answers.extend(Bundle::finish(bundle)?);
        let answered: usize = answers.iter().map(|answer| answer.fields.rows as usize).sum();
        match answered == rows.len() {
            true => Ok(answers),
            false => Err(Error::new(
                ErrorKind::Other("bad-handler".to_owned()),
                format!("the handler answered {answered} rows of {}", rows.len()),
            )),
        }
    });
    answers.unwrap_or_else(|error| vec![Enriched::failed(rows.len() as u32, &error)])
}

/// What every row failed with, where it is one kind of thing.
fn all_failed(answers: &[Enriched], rows: usize, bad: &[(usize, Error)]) -> Option<Error> {
    let failures = answers.iter().flat_map(|answer| &answer.failures).map(|failure| &failure.error);
    let mut failures = failures.chain(bad.iter().map(|(_, error)| error));
    let first = failures.next()?;
    let mut count = 1;
    for error in failures {
        if error.kind.name() != first.kind.name() || error.http_status != first.http_status {
            return None;
        }
        count += 1;
    }
    (count == rows + bad.len()).then(|| first.clone())
}

/// The text of a piece, as it grows.
struct Writing {
    form: Form,
    first: usize,
    text: Vec<u8>,
    told: Told,
}

impl Writing {
    /// A row that a handler answered, its text without the closing brace.
    fn row(&mut self, at: usize, row: &[u8], outcome: Outcome<&Error>) {
        self.told.row(outcome);
        self.begin(at);
        self.text.extend_from_slice(row);
        if let Outcome::Failed(error) = outcome {
            if row.last() != Some(&b'{') {
                self.text.push(b',');
            }
            let member = format!("\"{FAILURE}\":{}", error_json(error));
            self.text.extend_from_slice(member.as_bytes());
        }
        self.end();
    }

    /// A row that no handler was asked for: what there is of it, and why.
    fn bad(&mut self, at: usize, text: &[u8], error: &Error) {
        match str::from_utf8(text).ok().and_then(|text| Row::read(text).ok()) {
            // It says that it failed, if not why.
            Some(row) if row.has(FAILURE) => {
                self.told.row(Outcome::Failed(error));
                self.begin(at);
                row.open(&mut self.text);
                self.end();
            }
            Some(row) => {
                let mut open = Vec::new();
                row.open(&mut open);
                self.row(at, &open, Outcome::Failed(error));
            }
            None => self.row(at, b"{", Outcome::Failed(error)),
        }
    }

    fn begin(&mut self, at: usize) {
        if self.form == Form::Array && self.first + at > 0 {
            self.text.extend_from_slice(b",\n");
        }
    }

    fn end(&mut self) {
        self.text.push(b'}');
        if self.form == Form::Lines {
            self.text.push(b'\n');
        }
    }
}

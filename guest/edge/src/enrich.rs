//! `POST /enrich`: rows in, rows with their features out, piece by piece.
//!
//! A small body is read as a whole and checked before the store is asked, so that a bad row in it
//! becomes a status. The rows of a larger body are answered as they arrive, and a bad row is reported
//! in its place.

use crate::bindings::beamlet::enrichment::enrichment_handler::Bundle;
use crate::http::{Body, Gone, Read, Reply, send_problem};
use crate::instance::{Instance, Record};
use crate::problem::Problem;
use crate::rows::{Broken, Form, MAX_ROW_BYTES, Rows};
use crate::summary::{Summary, TRAILERS};
use beamlet_guest::bindings::wasi::http::types::{IncomingRequest, ResponseOutparam};
use beamlet_guest::contract::Outcome;
use beamlet_guest::json::{NotARow, Row, error_json, splice, to_batch};
use beamlet_guest::{Enriched, Error, ErrorKind};

/// A body of at most so many bytes is checked as a whole before any row of it is enriched, where the
/// request states its length.
const WHOLE_BYTES: u64 = 256 << 10;
/// The most rows of a piece, which is one bundle of the handler.
const PIECE_ROWS: usize = 1000;
/// The most bytes of a piece, without its last row.
const PIECE_BYTES: usize = 256 << 10;

/// Why an answer ends early.
enum Stop {
    /// Sent as a status, where the head has not been sent.
    Problem(Box<Problem>),
    /// The client has closed the connection.
    Gone,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Stop::Problem(Box::new(problem))
    }
}

impl From<Gone> for Stop {
    fn from(Gone: Gone) -> Self {
        Stop::Gone
    }
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        let status = if matches!(broken, Broken::TooLong(_)) { 413 } else { 400 };
        Problem::new(status, broken.to_string()).into()
    }
}

/// An answer, before its head is sent and after.
enum Answer {
    Due(ResponseOutparam),
    Begun(Reply),
    /// Being moved from one to the other.
    Lost,
}

/// Answers a request.
pub(crate) fn enrich(
    instance: &Instance,
    request: &IncomingRequest,
    out: ResponseOutparam,
    record: &mut Record<'_>,
) {
    let mut answer = Answer::Due(out);
    let stopped = exchange(instance, request, &mut answer, record);
    match (stopped, answer) {
        (Ok(()), _) => {}
        (Err(Stop::Problem(problem)), Answer::Due(out)) => send_problem(out, record, &problem),
        // The answer is dropped, so the client sees that it is not complete.
        (Err(Stop::Problem(problem)), _) => {
            record.summary.broken_off = true;
            record.summary.error = problem.body["detail"].as_str().map(str::to_owned);
        }
        (Err(Stop::Gone), _) => {
            record.summary.broken_off = true;
            record.summary.error = Some("the client went away".to_owned());
        }
    }
}

fn exchange(
    instance: &Instance,
    request: &IncomingRequest,
    answer: &mut Answer,
    record: &mut Record<'_>,
) -> Result<(), Stop> {
    let header = |name: &str| {
        let values = request.headers().get(name);
        values.into_iter().next().and_then(|value| String::from_utf8(value).ok())
    };
    let form = header("content-type").and_then(|value| Form::of(&value)).ok_or_else(|| {
        let detail = "content-type must be application/json, for an array of objects, or \
                      application/x-ndjson, for an object a line; both in UTF-8";
        Problem::new(415, detail).header("accept", "application/json, application/x-ndjson")
    })?;
    let length = header("content-length").and_then(|length| length.parse::<u64>().ok());
    let limit = instance.settings.max_body_bytes;
    if length.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let body = Body::of(request).ok_or_else(|| Problem::new(500, "the body was taken"))?;
    let whole = length.is_some_and(|length| length <= WHOLE_BYTES);
    let mut pieces = Pieces { body, rows: Rows::new(form), limit, ended: false };
    if whole {
        while !pieces.ended {
            pieces.more(record, true)?;
        }
    }
    let mut first = true;
    loop {
        pieces.fill(record)?;
        let texts: Vec<&[u8]> = pieces.rows.rows().collect();
        let start = pieces.rows.first();
        if first && whole {
            check(instance, form, &pieces.rows)?;
        }
        first = false;
        if !texts.is_empty() {
            let rows = read(instance, form, start, &texts)?;
            let mut answered = answer_piece(instance, form, start, &texts, rows);
            let due = matches!(answer, Answer::Due(_));
            if let Some(error) = answered.all_failed.take().filter(|_| due) {
                return Err(Problem::of_store(&error).into());
            }
            record.summary.enriched += answered.summary.enriched;
            record.summary.missing += answered.summary.missing;
            record.summary.null_keys += answered.summary.null_keys;
            record.summary.failed += answered.summary.failed;
            write(answer, form, &answered.text, record)?;
        }
        pieces.rows.clear();
        if pieces.rows.is_done() {
            break;
        }
    }
    finish(answer, form, record)
}

/// Reads the rows of a piece.
///
/// # Errors
/// A row that is not JSON breaks the array that it is a part of.
fn read<'a>(
    instance: &Instance,
    form: Form,
    start: usize,
    texts: &[&'a [u8]],
) -> Result<Vec<ReadRow<'a>>, Stop> {
    let mut rows = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        rows.push(
            read_row(text, form, &instance.inputs)
                .map_err(|why| Problem::new(400, format!("row {} {why}", start + at)))?,
        );
    }
    Ok(rows)
}

/// Checks all rows of a body that has arrived as a whole, and reports all bad ones.
fn check(instance: &Instance, form: Form, first: &Rows) -> Result<(), Stop> {
    let mut bad = Vec::new();
    let mut rows = first.clone();
    loop {
        let start = rows.first();
        for (at, text) in rows.rows().enumerate() {
            let what = match read_row(text, form, &instance.inputs) {
                Ok(Ok(_)) => continue,
                Ok(Err(what)) => what,
                Err(why) => why.to_string(),
            };
            bad.push((start + at, what));
        }
        rows.clear();
        if rows.is_done() {
            break;
        }
        rows.cut(PIECE_ROWS)?;
    }
    match bad.is_empty() {
        true => Ok(()),
        false => Err(Problem::of_rows(&bad).into()),
    }
}

fn too_large(limit: u64) -> Stop {
    let detail = format!(
        "the body is larger than {limit} bytes, the largest body that is accepted \
         (BEAMLET_MAX_BODY_BYTES)"
    );
    Problem::new(413, detail).into()
}

/// Writes rows. The first ones are preceded by the head and the beginning of the array.
fn write(
    answer: &mut Answer,
    form: Form,
    text: &[u8],
    record: &mut Record<'_>,
) -> Result<(), Stop> {
    if let Answer::Due(_) = answer
        && let Answer::Due(out) = std::mem::replace(answer, Answer::Lost)
    {
        record.summary.status = 200;
        let names = TRAILERS.join(", ");
        let headers = [("content-type", form.content_type()), ("trailer", names.as_str())];
        *answer = Answer::Begun(Reply::start(out, 200, &headers)?);
        if form == Form::Array {
            write(answer, form, b"[", record)?;
        }
    }
    let Answer::Begun(reply) = answer else { return Err(Stop::Gone) };
    reply.write(text)?;
    record.summary.bytes_out += text.len() as u64;
    Ok(())
}

fn finish(answer: &mut Answer, form: Form, record: &mut Record<'_>) -> Result<(), Stop> {
    write(answer, form, if form == Form::Array { b"]\n" } else { b"" }, record)?;
    let Answer::Begun(reply) = std::mem::replace(answer, Answer::Lost) else { return Ok(()) };
    record.close();
    let trailers: Vec<_> = TRAILERS.into_iter().zip(record.summary.trailers()).collect();
    Ok(reply.finish(&trailers)?)
}

/// A body that is cut into pieces.
struct Pieces {
    body: Body,
    rows: Rows,
    limit: u64,
    ended: bool,
}

impl Pieces {
    /// Reads more of the body. Without `wait`, false where no byte has arrived.
    fn more(&mut self, record: &mut Record<'_>, wait: bool) -> Result<bool, Stop> {
        loop {
            match self.body.read().map_err(|why| Problem::new(400, why))? {
                Read::Bytes(bytes) => {
                    record.summary.bytes_in += bytes.len() as u64;
                    if record.summary.bytes_in > self.limit {
                        return Err(too_large(self.limit));
                    }
                    self.rows.push(&bytes);
                    return Ok(true);
                }
                Read::Nothing if wait => self.body.wait(),
                Read::Nothing => return Ok(false),
                Read::End => {
                    self.ended = true;
                    self.rows.end();
                    return Ok(true);
                }
            }
        }
    }

    /// Fills a piece with the rows that have arrived, up to the limits of a piece. Waits for the
    /// first row.
    fn fill(&mut self, record: &mut Record<'_>) -> Result<(), Stop> {
        loop {
            self.rows.cut(PIECE_ROWS)?;
            let rows = self.rows.rows().len();
            let full = rows >= PIECE_ROWS
                || self.rows.pending_bytes() >= PIECE_BYTES && rows > 0
                || self.rows.pending_bytes() > PIECE_BYTES + MAX_ROW_BYTES;
            if full || self.ended || !self.more(record, rows == 0)? {
                return Ok(());
            }
        }
    }
}

/// The member of a row that says why it could not be enriched.
const FAILURE: &str = "beamlet_error";

/// The answer for a piece.
struct Answered {
    /// The rows, in the form they came in, without the array's brackets.
    text: Vec<u8>,
    /// The number of rows by outcome.
    summary: Summary,
    /// The error that all of them failed with, where they failed with one.
    all_failed: Option<Error>,
}

/// A row of the piece, or what is wrong with it.
type ReadRow<'a> = Result<Row<'a>, String>;

/// Reads a row and checks that it has the fields that the handler reads. The outer error is one
/// that breaks the body: an array is a single JSON text, while each line is a text of its own.
fn read_row<'a>(
    bytes: &'a [u8],
    form: Form,
    inputs: &[(String, bool)],
) -> Result<ReadRow<'a>, NotARow> {
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
            "has a field `{FAILURE}`, where failures are reported; leave it out"
        )));
    }
    let lacks = inputs.iter().find(|(name, required)| *required && !row.has(name));
    Ok(match lacks {
        Some((name, _)) => Err(format!("has no field `{name}`")),
        None => Ok(row),
    })
}

/// Enriches the rows of a piece as one bundle. `first` is the number, in the whole body, of the
/// first row of the piece; `texts` and `rows` are the same rows, as text and parsed. A row that
/// could not be read fails alone, and the handler is asked for the others.
fn answer_piece(
    instance: &Instance,
    form: Form,
    first: usize,
    texts: &[&[u8]],
    rows: Vec<ReadRow<'_>>,
) -> Answered {
    let mut writing = Writing { form, first, text: Vec::new(), summary: Summary::default() };
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
    Answered { text: writing.text, summary: writing.summary, all_failed }
}

/// Asks the handler for rows. An error of the bundle fails each of them.
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

/// The error of the first row, where all rows failed with errors of the same kind and status.
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

/// The text of a piece that is being written.
struct Writing {
    form: Form,
    first: usize,
    text: Vec<u8>,
    summary: Summary,
}

impl Writing {
    /// Writes a row that the handler answered: its text without the closing brace.
    fn row(&mut self, at: usize, row: &[u8], outcome: Outcome<&Error>) {
        self.summary.row(outcome);
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

    /// Writes a row that the handler was not asked for: as much of it as could be read, and why.
    fn bad(&mut self, at: usize, text: &[u8], error: &Error) {
        match str::from_utf8(text).ok().and_then(|text| Row::read(text).ok()) {
            // The member is the client's own: the row is written as it came.
            Some(row) if row.has(FAILURE) => {
                self.summary.row(Outcome::Failed(error));
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

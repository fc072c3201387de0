//! `POST /enrich`: a body of rows in, the same rows with their features out, piece by piece.
//!
//! A small body is read whole and checked before anything is asked for, so that a bad row in it is
//! a status. Of another one the rows are answered as they come, and a bad row is told in its place.

use crate::account::Account;
use crate::body::{Body, Read};
use crate::instance::Instance;
use crate::media::Form;
use crate::piece;
use crate::problem::Problem;
use crate::reply::{self, Gone, Reply};
use crate::split::{Broken, MAX_ROW_BYTES, Rows};
use crate::told::TRAILERS;
use beamlet_guest::bindings::wasi::http::types::{IncomingRequest, ResponseOutparam};

/// A body of at most so many bytes, where the request states its length, is checked as a whole before
/// any of it is enriched.
const WHOLE_BYTES: u64 = 256 << 10;
/// The most rows of a piece: a bundle of the handler's.
const PIECE_ROWS: usize = 1000;
/// The most bytes of a piece, but for its last row.
const PIECE_BYTES: usize = 256 << 10;

/// Why an answer cannot be gone on with.
enum Stop {
    /// For a status, where none has been sent.
    Problem(Box<Problem>),
    /// Nobody takes the answer.
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

/// An answer: before its head is sent, and after.
enum Answer {
    Due(ResponseOutparam),
    Begun(Reply),
    /// On its way from the one to the other.
    Lost,
}

/// Answers a request.
pub(crate) fn enrich(
    instance: &Instance,
    request: &IncomingRequest,
    out: ResponseOutparam,
    account: &mut Account<'_>,
) {
    let mut answer = Answer::Due(out);
    let stopped = exchange(instance, request, &mut answer, account);
    match (stopped, answer) {
        (Ok(()), _) => {}
        (Err(Stop::Problem(problem)), Answer::Due(out)) => reply::problem(out, account, &problem),
        // Dropped, the answer breaks off, and who reads it sees that it is not whole.
        (Err(Stop::Problem(problem)), _) => {
            account.told.broken_off = true;
            account.told.error = problem.body["detail"].as_str().map(str::to_owned);
        }
        (Err(Stop::Gone), _) => {
            account.told.broken_off = true;
            account.told.error = Some("the client went away".to_owned());
        }
    }
}

fn exchange(
    instance: &Instance,
    request: &IncomingRequest,
    answer: &mut Answer,
    account: &mut Account<'_>,
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
            pieces.more(account, true)?;
        }
    }
    let mut first = true;
    loop {
        pieces.fill(account)?;
        let texts: Vec<&[u8]> = pieces.rows.rows().collect();
        let start = pieces.rows.first();
        if first && whole {
            check(instance, form, &pieces.rows)?;
        }
        first = false;
        if !texts.is_empty() {
            let rows = read(instance, form, start, &texts)?;
            let mut answered = piece::answer(instance, form, start, &texts, rows);
            let due = matches!(answer, Answer::Due(_));
            if let Some(error) = answered.all_failed.take().filter(|_| due) {
                return Err(Problem::of_store(&error).into());
            }
            account.told.enriched += answered.told.enriched;
            account.told.missing += answered.told.missing;
            account.told.null_keys += answered.told.null_keys;
            account.told.failed += answered.told.failed;
            write(answer, form, &answered.text, account)?;
        }
        pieces.rows.clear();
        if pieces.rows.is_done() {
            break;
        }
    }
    finish(answer, form, account)
}

/// Reads the rows of a piece; what breaks the body ends it.
fn read<'a>(
    instance: &Instance,
    form: Form,
    start: usize,
    texts: &[&'a [u8]],
) -> Result<Vec<piece::Read<'a>>, Stop> {
    let mut rows = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        rows.push(
            piece::read(text, form, &instance.inputs)
                .map_err(|why| Problem::new(400, format!("row {} {why}", start + at)))?,
        );
    }
    Ok(rows)
}

/// Checks all rows of a body that is there as a whole, and tells all that are bad.
fn check(instance: &Instance, form: Form, first: &Rows) -> Result<(), Stop> {
    let mut bad = Vec::new();
    let mut rows = first.clone();
    loop {
        let start = rows.first();
        for (at, text) in rows.rows().enumerate() {
            let what = match piece::read(text, form, &instance.inputs) {
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
        "the body is larger than {limit} bytes, which is the most that is taken \
         (BEAMLET_MAX_BODY_BYTES)"
    );
    Problem::new(413, detail).into()
}

/// Writes rows, behind the head and the array's begin where they are the first.
fn write(
    answer: &mut Answer,
    form: Form,
    text: &[u8],
    account: &mut Account<'_>,
) -> Result<(), Stop> {
    if let Answer::Due(_) = answer
        && let Answer::Due(out) = std::mem::replace(answer, Answer::Lost)
    {
        account.told.status = 200;
        let names = TRAILERS.join(", ");
        let headers = [("content-type", form.content_type()), ("trailer", names.as_str())];
        *answer = Answer::Begun(Reply::start(out, 200, &headers)?);
        if form == Form::Array {
            write(answer, form, b"[", account)?;
        }
    }
    let Answer::Begun(reply) = answer else { return Err(Stop::Gone) };
    reply.write(text)?;
    account.told.bytes_out += text.len() as u64;
    Ok(())
}

fn finish(answer: &mut Answer, form: Form, account: &mut Account<'_>) -> Result<(), Stop> {
    write(answer, form, if form == Form::Array { b"]\n" } else { b"" }, account)?;
    let Answer::Begun(reply) = std::mem::replace(answer, Answer::Lost) else { return Ok(()) };
    account.close();
    let trailers: Vec<_> = TRAILERS.into_iter().zip(account.told.trailers()).collect();
    Ok(reply.finish(&trailers)?)
}

/// A body on its way into pieces.
struct Pieces {
    body: Body,
    rows: Rows,
    limit: u64,
    ended: bool,
}

impl Pieces {
    /// Takes more of the body; false where nothing is there, and it was not to be waited for.
    fn more(&mut self, account: &mut Account<'_>, wait: bool) -> Result<bool, Stop> {
        loop {
            match self.body.read().map_err(|why| Problem::new(400, why))? {
                Read::Bytes(bytes) => {
                    account.told.bytes_in += bytes.len() as u64;
                    if account.told.bytes_in > self.limit {
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

    /// Takes a piece: what is there, as far as a piece may hold it; where not even a row is, waits.
    fn fill(&mut self, account: &mut Account<'_>) -> Result<(), Stop> {
        loop {
            self.rows.cut(PIECE_ROWS)?;
            let rows = self.rows.rows().len();
            let full = rows >= PIECE_ROWS
                || self.rows.pending_bytes() >= PIECE_BYTES && rows > 0
                || self.rows.pending_bytes() > PIECE_BYTES + MAX_ROW_BYTES;
            if full || self.ended || !self.more(account, rows == 0)? {
                return Ok(());
            }
        }
    }
}

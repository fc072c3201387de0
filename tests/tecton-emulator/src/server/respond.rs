//! One request: its route, the fault that it may get, its answer, and the delay before it.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER,
};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use super::State;
use super::body::{self, AnswerBody, ReadError};
use crate::api::{self, ApiError};
use crate::endpoint::Endpoint;
use crate::faults::{FaultAnswer, FaultBody, StatusFault};
use crate::settings::LateAnswer;

const STATS: &str = "/_emulator/stats";
const RESET: &str = "/_emulator/reset";

/// The connection is to be reset instead of an answer.
#[derive(Debug, thiserror::Error)]
#[error("reset on purpose")]
pub(super) struct ResetConnection;

type Answer = Response<AnswerBody>;

/// Answers a request; an error resets the connection.
pub(super) async fn respond(
    state: &State,
    request: Request<Incoming>,
) -> Result<Answer, ResetConnection> {
    if let Some(answer) = administer(state, &request) {
        return Ok(answer);
    }
    let started = Instant::now();
    let serving = state.counters.request();
    let served = match route(&request) {
        Ok(endpoint) => serve(state, endpoint, request, started, serving.at_once).await?,
        Err(error) => Served::of_error(&error),
    };
    let served = delay(state, served, started).await;
    let status = served.answer.status().as_u16();
    state.counters.answer(status, served.entities);
    Ok(served.answer)
}

/// An answer with what its delay and the counts need.
struct Served {
    answer: Answer,
    entities: usize,
    latency_budget: Option<Duration>,
}

impl Served {
    fn of(answer: Answer) -> Self {
        Self { answer, entities: 0, latency_budget: None }
    }

    fn of_error(error: &ApiError) -> Self {
        let mut answer = json(status(error.status), error.body());
        if error.status == StatusCode::METHOD_NOT_ALLOWED.as_u16() {
            let headers = answer.headers_mut();
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        Self::of(answer)
    }
}

fn route<B>(request: &Request<B>) -> Result<Endpoint, ApiError> {
    let endpoint = Endpoint::of_path(request.uri().path()).ok_or_else(ApiError::no_such_path)?;
    match *request.method() {
        Method::POST => Ok(endpoint),
        _ => Err(ApiError::no_such_method()),
    }
}

async fn serve(
    state: &State,
    endpoint: Endpoint,
    request: Request<Incoming>,
    started: Instant,
    at_once: u64,
) -> Result<Served, ResetConnection> {
    let settings = &state.settings;
    let (head, body) = request.into_parts();
    let body = match body::read(body, settings.max_request_bytes).await {
        Ok(body) => body,
        Err(ReadError::TooLarge) => {
            return Ok(Served::of_error(&ApiError::too_large(settings.max_request_bytes)));
        }
        Err(ReadError::Gone) => return Err(ResetConnection),
    };
    let faults = state.faults();
    let fault = faults.next(endpoint);
    match &fault {
        Some(FaultAnswer::Status(fault)) => return Ok(Served::of(status_fault(fault))),
        Some(FaultAnswer::NotJson) => {
            return Ok(Served::of(text(StatusCode::OK, "text/plain", "not JSON")));
        }
        Some(FaultAnswer::Hang(duration)) => tokio::time::sleep(*duration).await,
        Some(FaultAnswer::Reset) => return Err(ResetConnection),
        // How late it is has been drawn.
        Some(
            FaultAnswer::WrongCount
            | FaultAnswer::Truncated
            | FaultAnswer::Gzip
            | FaultAnswer::SlowBody(_)
            | FaultAnswer::Late(_),
        )
        | None => {}
    }
    if settings.max_concurrent_requests.is_some_and(|maximum| at_once > maximum) {
        return Ok(Served::of_error(&ApiError::too_many_requests()));
    }
    let request = api::Request {
        endpoint,
        authorization: head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes),
        body: &body,
        started,
        wrong_count: fault == Some(FaultAnswer::WrongCount),
    };
    let answered = match api::answer(&state.catalog(), settings, &request) {
        Ok(answered) => answered,
        Err(error) => return Ok(Served::of_error(&error)),
    };
    let is_gzip = fault == Some(FaultAnswer::Gzip);
    let body = match fault {
        Some(FaultAnswer::Gzip) => gzip(&answered.body).into(),
        Some(FaultAnswer::Truncated) => AnswerBody::truncated(&answered.body),
        Some(FaultAnswer::SlowBody(time)) => AnswerBody::slow(answered.body, time),
        _ => answered.body.into(),
    };
    let mut answer = json(StatusCode::OK, body);
    if is_gzip {
        answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(Served { answer, entities: answered.entities, latency_budget: answered.latency_budget })
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

/// Holds an answer back until the latency has passed, or as long as it may take; one that takes
/// longer has timed out.
async fn delay(state: &State, served: Served, started: Instant) -> Served {
    let settings = &state.settings;
    let Some(alarm) = &state.alarm else {
        return served;
    };
    let longest = settings.longest(served.latency_budget);
    alarm.wait_until(started + settings.latency.min(longest)).await;
    match settings.late_answer {
        LateAnswer::GatewayTimeout if settings.is_late(served.latency_budget) => {
            Served::of_error(&ApiError::timed_out())
        }
        // What was late is not in it.
        LateAnswer::GatewayTimeout | LateAnswer::TimedOutFeatures => served,
    }
}

/// The emulator's own paths.
fn administer<B>(state: &State, request: &Request<B>) -> Option<Answer> {
    let path = request.uri().path();
    if !path.starts_with("/_emulator/") {
        return None;
    }
    Some(match (path, request.method()) {
        (STATS, &Method::GET) => {
            // A struct of numbers has no way to fail.
            let stats = serde_json::to_string(&state.counters.snapshot()).unwrap_or_default();
            json(StatusCode::OK, stats)
        }
        (RESET, &Method::POST) => {
            state.reset();
            json(StatusCode::OK, "{}")
        }
        (STATS | RESET, _) => Served::of_error(&ApiError::no_such_method()).answer,
        _ => Served::of_error(&ApiError::no_such_path()).answer,
    })
}

fn status_fault(fault: &StatusFault) -> Answer {
    let mut error = ApiError::of_status(fault.status, fault.message.as_deref());
    error.code = fault.code.unwrap_or(error.code);
    let code = status(fault.status);
    let mut answer = match fault.body {
        FaultBody::Json => json(code, error.body()),
        FaultBody::Empty => {
            let mut answer = Response::new(AnswerBody::Whole(None));
            *answer.status_mut() = code;
            answer
        }
        FaultBody::Html => {
            let message = &error.message;
            let page = format!(
                "<html>\r\n<head><title>{message}</title></head>\r\n<body>\r\n\
                 <center><h1>{message}</h1></center>\r\n</body>\r\n</html>\r\n"
            );
            text(code, "text/html", page)
        }
    };
    if let Some(value) = &fault.retry_after
        && let Ok(value) = HeaderValue::from_str(value)
    {
        answer.headers_mut().insert(RETRY_AFTER, value);
    }
    answer
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn json(status: StatusCode, body: impl Into<AnswerBody>) -> Answer {
    text(status, "application/json", body)
}

fn text(status: StatusCode, content_type: &'static str, body: impl Into<AnswerBody>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}

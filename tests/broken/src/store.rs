//! The handler itself: a key-value store over HTTP, and the promises that are broken where rows
//! become requests and responses become columns.

use crate::state::{FAILED, LAST, OUT_OF_ORDER, ROWS};
use beamlet_guest::config::{Problem, Problems, Section};
use beamlet_guest::{
    BaseUrl, Batch, Batching, Column, Enriched, Error, ErrorKind, Field, Handler, Input, Request,
    Response, Target, Timeouts, Transport, Values, WasiHttp,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(crate) struct Store {
    pub(crate) broken: String,
    key: String,
    lookup: Arc<Target>,
    open: Arc<Target>,
    close: Arc<Target>,
}

/// A row's key, and its number over all bundles.
pub(crate) struct Asked {
    key: Option<String>,
    number: u64,
}

impl Store {
    /// A request other than those for rows. Returns the store's counts if it answers.
    pub(crate) fn ask(&self, request: Request) -> Option<u64> {
        let mut calls = vec![WasiHttp.send(request)];
        crate::state::OTHER_REQUESTS[0].next();
        let answer = beamlet_guest::run(WasiHttp.any(&mut calls)).1.ok();
        let count = answer.filter(|it| it.status == 200).and_then(|it| it.json::<u64>().ok());
        if count.is_none() {
            crate::state::OTHER_REQUESTS[1].next();
        }
        count
    }

    /// Reports to the store that a bundle begins, and returns how many are open.
    pub(crate) fn open(&self) -> Option<u64> {
        self.ask(Request::json(&self.open, &json!({})))
    }

    /// Reports to the store that a bundle ends.
    pub(crate) fn close(&self) {
        self.ask(Request::get(&self.close, "?reason=finished"));
    }

    /// Sends the store data that it should not get.
    pub(crate) fn leak(&self, rows: &str) {
        self.ask(Request::json(&self.lookup, &json!({ "keys": [], "rows": rows })));
    }

    fn is(&self, broken: &str) -> bool {
        self.broken == broken
    }

    /// The declared outputs.
    pub(crate) fn fields(&self) -> Vec<Field> {
        let field = |name: &str, of: &str| Field { name: name.to_owned(), type_: of.to_owned() };
        let number = if self.is("outputs/types") { "float64" } else { "int64" };
        let tags = if self.is("outputs/declared") { "array<list>" } else { "array<string>" };
        let mut fields = vec![field("n", number), field("t", "string"), field("tags", tags)];
        if self.is("outputs/fields") {
            fields.push(field("ghost", "string"));
        }
        fields
    }

    fn refusal(&self, response: &Response) -> Error {
        let mut error = response.refusal(None);
        match (self.broken.as_str(), response.status) {
            ("store/kinds", 503) => error.kind = ErrorKind::BadResponse,
            ("store/status", 403) => error.http_status = None,
            ("store/retryable", 429) => error.retryable = false,
            ("store/retry-after", 429) => error.retry_after_ms = None,
            _ => {}
        }
        error
    }
}

impl Handler for Store {
    const NAME: &'static str = "broken";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    type Entity = Asked;

    fn config_schema() -> String {
        let broken = crate::state::marked();
        let url = if broken == "config/schema-accepts" { "integer" } else { "string" };
        let table = if broken == "describe/schema" { json!(5) } else { json!("object") };
        let schema = json!({
            "type": table,
            "properties": {
                "connection": { "type": "object", "properties": {
                    "url": { "type": url },
                    "api_key": { "type": "string", "writeOnly": true },
                } },
                "retrieval": { "type": "object", "properties": {
                    "key": { "type": "string" },
                    "broken": { "type": "string" },
                } },
            },
        });
        schema.to_string()
    }

    fn new(config: &Value) -> Result<Self, Vec<Problem>> {
        let problems = Problems::default();
        let root = Section::root(config, &problems);
        let connection = root.section("connection", true);
        let url = connection.required_text("url").and_then(|url| {
            let url = BaseUrl::parse(url, "https://store.example");
            url.map_err(|why| connection.problem("url", why)).ok()
        });
        let key = connection.required_text("api_key").unwrap_or_default();
        connection.close();
        let retrieval = root.section("retrieval", true);
        let broken = retrieval.text("broken").unwrap_or_default().to_owned();
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let shown = if broken == "config/secrets" { key } else { "it" };
            problems.add("/connection/api_key", format!("must be printable, {shown:?} is not"));
        }
        let field = retrieval.required_text("key");
        retrieval.close();
        root.close();
        let headers = vec![
            ("content-type".to_owned(), b"application/json".to_vec()),
            ("authorization".to_owned(), format!("Bearer {key}").into_bytes()),
        ];
        let made = url.zip(field).map(|(url, field)| {
            let target = |at| Arc::new(url.target(at, headers.clone(), Timeouts::default()));
            Store {
                broken: broken.clone(),
                key: field.to_owned(),
                lookup: target("/lookup"),
                open: target("/open"),
                close: target("/close"),
            }
        });
        problems.or(made).map_err(|mut problems| {
            match broken.as_str() {
                "config/problems" => problems.iter_mut().for_each(|it| it.message.clear()),
                "config/pointers" => {
                    problems.iter_mut().for_each(|it| it.path = it.path.replace('/', "."));
                }
                _ => {}
            }
            problems
        })
    }

    fn inputs(&self) -> Vec<Input> {
        let mut inputs = vec![
            Input { name: self.key.clone(), required: true },
            Input { name: "hint".to_owned(), required: false },
        ];
        if self.is("inputs/unique") {
            inputs.insert(1, inputs[0].clone());
        }
        inputs
    }

    fn batching(&self) -> Batching {
        // One at a time, answers cannot come out of order.
        let wide = self.is("answers/late") && ROWS.get() > 100;
        Batching { max_batch_size: 4, max_in_flight: if wide { 2 } else { 1 } }
    }

    fn entities(&self, rows: &Batch) -> Result<Vec<Result<Asked, Error>>, Error> {
        if let Some(column) = rows.column(&self.key) {
            trap_on(&self.broken, &column.values);
        }
        let first = ROWS.get();
        ROWS.set(first + u64::from(rows.rows));
        let keys = rows.keys(&self.key)?.into_iter().zip(first..);
        let mut entities: Vec<Result<Asked, Error>> =
            keys.map(|(key, number)| key.map(|key| Asked { key, number })).collect();
        if self.is("answers/order") {
            entities.reverse();
        }
        Ok(entities)
    }

    fn request(&self, asked: &[Asked]) -> Request {
        let keys: Vec<&String> = asked.iter().filter_map(|asked| asked.key.as_ref()).collect();
        Request::json(&self.lookup, &json!({ "keys": keys }))
    }

    fn answer(&self, asked: &[Asked], response: &Response) -> Result<Enriched, Error> {
        let first = asked.first().map_or(0, |asked| asked.number + 1);
        if LAST.get() > first {
            OUT_OF_ORDER.set();
        }
        LAST.set(first);
        let none = Map::new();
        let values: Map<String, Value> = match (self.broken.as_str(), response.status) {
            (_, 200) => {
                let answer: Map<String, Value> = response.json()?;
                let values = answer.get("values").and_then(Value::as_object);
                values.cloned().ok_or_else(|| {
                    let message = "the store's answer has no `values`";
                    Error::new(ErrorKind::BadResponse, message)
                })?
            }
            ("store/failures", 500) => none,
            ("store/survives", 500) => panic!("nobody expects a 500"),
            (_, status) => {
                if status == 503 {
                    FAILED.set();
                }
                return Err(self.refusal(response));
            }
        };
        Ok(self.columns(asked, &values))
    }

    fn outputs_request(&self) -> Request {
        Request::json(&self.lookup, &json!({ "keys": [] }))
    }

    fn outputs(&self, response: &Response) -> Result<Vec<Field>, Error> {
        if response.status != 200 {
            return Err(self.refusal(response));
        }
        let _: Map<String, Value> = response.json()?;
        if self.is("columns/decimals") {
            let message = "a decimal has no name among the types of fields";
            return Err(Error::new(ErrorKind::Other("unnamed".to_owned()), message));
        }
        Ok(self.fields())
    }
}

impl Store {
    fn columns(&self, asked: &[Asked], values: &Map<String, Value>) -> Enriched {
        let column = |name: &str, values| Column { name: name.to_owned(), values, nulls: vec![] };
        let (mut numbers, mut texts, mut tags) = (Vec::new(), Vec::new(), Vec::new());
        let mut enriched = Enriched::failed(0, &Error::new(ErrorKind::BadResponse, ""));
        let mut nulls = Vec::new();
        for (row, asked) in (0..).zip(asked) {
            let known = asked.key.as_ref().map(|key| values.get(key));
            let found = known.flatten();
            match known {
                None if self.is("answers/nulls") => enriched.missing.push(row),
                None => enriched.null_keys.push(row),
                Some(None) => enriched.missing.push(row),
                Some(Some(_)) => {}
            }
            if found.is_none() {
                nulls.push(row);
            }
            let of = |name: &str| found.and_then(|found| found.get(name));
            numbers.push(of("n").and_then(Value::as_i64).unwrap_or_default());
            texts.push(of("t").and_then(Value::as_str).unwrap_or_default());
            tags.push(of("tags").map_or_else(|| "null".to_owned(), Value::to_string));
        }
        let mut columns = vec![
            column("n", Values::Int64s(numbers)),
            column("t", Values::Strings(texts.into_iter().collect())),
            column("tags", Values::Json(tags.into_iter().collect())),
        ];
        if self.is("columns/decimals") {
            let decimals = asked.iter().map(|_| "1e3").collect();
            columns.push(column("d", Values::Decimals(decimals)));
        }
        columns.iter_mut().for_each(|column| column.nulls.clone_from(&nulls));
        enriched.fields = Batch { rows: asked.len() as u32, columns };
        enriched
    }
}

/// Traps on unusual input.
fn trap_on(broken: &str, values: &Values) {
    let trap = match (broken, values) {
        ("odd/texts", Values::Strings(texts)) => texts.text.contains('\u{1}'),
        ("odd/numbers", Values::Float64s(list)) => list.iter().any(|number| number.is_nan()),
        ("odd/types", Values::BooleanLists(_)) => true,
        _ => false,
    };
    assert!(!trap, "nobody expects that");
}

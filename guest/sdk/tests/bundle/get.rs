//! A store that is asked with GET, a key a request, over sockets.

use beamlet_guest::columns::{Cell, column};
use beamlet_guest::config::Problem;
use beamlet_guest::transport::percent_encoded;
use beamlet_guest::{
    BaseUrl, Batch, Batching, Bundle, Column, Counters, Enriched, Error, Field, FieldType, Handler,
    Input, Request, Response, Target, Timeouts, Transport, TransportError, Values,
};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// Asks for `/features/KEY`; the store answers with a text.
struct OneByOne(Arc<Target>);

impl Handler for OneByOne {
    const NAME: &'static str = "one-by-one";
    const VERSION: &'static str = "1.0.0";
    type Entity = Option<String>;

    fn config_schema() -> String {
        "{}".to_owned()
    }

    fn new(config: &serde_json::Value) -> Result<Self, Vec<Problem>> {
        let url = BaseUrl::parse(config.as_str().unwrap(), "http://store.example").unwrap();
        let headers = vec![("x-token".to_owned(), b"t0p".to_vec())];
        Ok(OneByOne(Arc::new(url.target("/features", headers, Timeouts::default()))))
    }

    fn inputs(&self) -> Vec<Input> {
        vec![Input { name: "key".to_owned(), required: true }]
    }

    fn batching(&self) -> Batching {
        Batching { max_batch_size: 1, max_in_flight: 2 }
    }

    fn entities(&self, rows: &Batch) -> Result<Vec<Result<Self::Entity, Error>>, Error> {
        rows.keys("key")
    }

    fn request(&self, keys: &[Self::Entity]) -> Request {
        let key = keys[0].as_deref().unwrap_or_default();
        Request::get(&self.0, format!("/{}", percent_encoded(key)))
    }

    fn answer(&self, _: &[Self::Entity], response: &Response) -> Result<Enriched, Error> {
        if response.status != 200 {
            return Err(response.refusal(None));
        }
        let text = String::from_utf8_lossy(&response.body);
        let column = column("text", &FieldType::String, vec![Cell::Text(text)]).unwrap();
        Ok(Enriched {
            fields: Batch { rows: 1, columns: vec![column] },
            missing: Vec::new(),
            null_keys: Vec::new(),
            failures: Vec::new(),
        })
    }

    fn outputs_request(&self) -> Request {
        Request::get(&self.0, "?names=true")
    }

    fn outputs(&self, _: &Response) -> Result<Vec<Field>, Error> {
        Ok(Vec::new())
    }
}

/// A connection a request.
struct Sockets;

impl Transport for Sockets {
    type Call = Result<Response, TransportError>;

    fn send(&self, request: Request) -> Self::Call {
        exchange(&request).map_err(|error| TransportError::Unreachable(error.to_string()))
    }

    async fn any(&self, calls: &mut Vec<Self::Call>) -> (usize, Result<Response, TransportError>) {
        (0, calls.swap_remove(0))
    }
}

fn exchange(request: &Request) -> std::io::Result<Response> {
    let mut stream = TcpStream::connect(&request.target.authority)?;
    write!(stream, "{} {} HTTP/1.1\r\n", request.method, request.path_with_query())?;
    for (name, value) in &request.target.headers {
        write!(stream, "{name}: {}\r\n", String::from_utf8_lossy(value))?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&request.body)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(500);
    Ok(Response { status, retry_after: None, location: None, body: body.into() })
}

/// A store that answers with the head of each request.
fn store() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/base", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                match line.trim_end() {
                    "" => break,
                    line => head.push(line.to_owned()),
                }
            }
            let answer = format!("HTTP/1.1 200 OK\r\n\r\n{}", head.join("; "));
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}

fn keys(keys: &[&str]) -> Batch {
    let values = Values::Strings(keys.iter().collect());
    let column = Column { name: "key".to_owned(), values, nulls: Vec::new() };
    Batch { rows: keys.len() as u32, columns: vec![column] }
}

fn run(url: &str, rows: &Batch) -> Vec<Enriched> {
    let handler = Arc::new(OneByOne::new(&url.into()).unwrap());
    let mut bundle = Bundle::new(handler, Arc::new(Sockets), Arc::new(Counters::default()));
    crate::support::now(async {
        let mut answers = bundle.process(rows).await.unwrap();
        answers.extend(bundle.finish().await.unwrap());
        answers
    })
}

#[test]
fn keys_go_into_the_path_of_a_get_and_nothing_into_its_body() {
    let answers = run(&store(), &keys(&["k1", "a/b?"]));
    let Values::Strings(heads) = &answers[0].fields.columns[0].values else { panic!("texts") };
    assert_eq!(
        heads.iter().collect::<Vec<_>>(),
        [
            "GET /base/features/k1 HTTP/1.1; x-token: t0p",
            "GET /base/features/a%2Fb%3F HTTP/1.1; x-token: t0p",
        ]
    );
}

#[test]
fn an_error_names_the_method_and_the_target_without_the_key() {
    // Nobody listens there any more.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let answers = run(&format!("http://{address}"), &keys(&["k1"]));
    let message = &answers[0].failures[0].error.message;
    assert!(message.starts_with(&format!("GET http://{address}/features: ")), "{message}");
}

//! A store whose answer has no end in sight: half a gigabyte, whatever its status.

use super::refused::first_line;
use crate::support::beamlet::Beamlet;
use crate::support::redacted;
use crate::support::store::{config, folder_of};
use insta::assert_snapshot;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

const LENGTH: usize = 500 << 20;

/// Answers each request with so many bytes, as far as the client reads them.
fn flood(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(stream, status));
        }
    });
    url
}

/// An error is the client's going away.
fn answer(mut stream: TcpStream, status: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line)? > 0 && line != "\r\n" {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    reader.read_exact(&mut vec![0; length])?;
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {LENGTH}\r\n\r\n")?;
    let piece = vec![b'x'; 1 << 20];
    (0..LENGTH >> 20).try_for_each(|_| stream.write_all(&piece))
}

fn told(status: &'static str) -> String {
    let folder = folder_of(&(config(&flood(status)) + "[run.retry]\nmax_attempts = 1\n"));
    let ended = Beamlet::run(&folder, "--output out.ndjson").stdin("{\"tailnum\":\"N1\"}\n").end();
    assert_eq!((ended.code, folder.names()), (Some(1), vec!["beamlet.toml".to_owned()]));
    first_line(&ended).to_owned()
}

#[test]
fn half_a_gigabyte_is_no_answer() {
    redacted(
        || assert_snapshot!(told("200 OK"), @"error: standard input:1: bad-response: POST http://[store]/api/v1/feature-service/get-features-batch: the answer is larger than 32 MiB"),
    );
}

#[test]
fn half_a_gigabyte_of_an_error_is_told_by_its_status_and_its_beginning() {
    redacted(
        || assert_snapshot!(told("500 Internal Server Error"), @"error: standard input:1: unavailable: the feature store answered 500: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"),
    );
}

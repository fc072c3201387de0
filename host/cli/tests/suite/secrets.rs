//! Secrets reach the store and appear nowhere else: not in messages, not in a summary, not in an
//! output.

use crate::support::beamlet::{Beamlet, Ended, Folder};
use crate::support::server::{Server, answer, header};
use crate::support::store::{KEY, Store, config};
use serde_json::json;

/// The header's secret. No part of it occurs in a word.
const TOKEN: &str = "Hx8v-Qy3z-Bn6k-Wf1j";

/// Where the header's secret may be written.
const WRITTEN: [&str; 3] = ["'Hx8v-Qy3z-Bn6k-Wf1j'", "{ env = 'TOKEN' }", "{ file = 'token.txt' }"];

/// A folder with a configuration that sends the secret as the header `x-token`.
fn folder(url: &str, written: &str) -> Folder {
    let folder = Folder::new();
    let kwargs = format!("kwargs.headers = {{ x-token = {written} }}\n\n[retrieval]");
    folder.write("beamlet.toml", config(url).replace("[retrieval]", &kwargs));
    folder.write("token.txt", format!("{TOKEN}\n"));
    folder.write("rows.ndjson", "{\"tailnum\":\"N10156\"}\n");
    folder
}

/// The commands that read a configuration.
const COMMANDS: [&str; 4] = [
    "run --config beamlet.toml --input rows.ndjson --output out.ndjson --summary summary.json",
    "check --config beamlet.toml",
    "validate --config beamlet.toml",
    "describe --config beamlet.toml",
];

fn end(folder: &Folder, command: &str) -> Ended {
    Beamlet::new(folder, command).env("TOKEN", TOKEN).end()
}

/// Neither the secrets, nor parts of them that a person would know them by.
#[track_caller]
fn assert_tells_no_secret(ended: &Ended, folder: &Folder) {
    let mut texts = vec![ended.stdout.clone(), ended.stderr.clone()];
    let written = ["beamlet.toml", "token.txt"];
    let results = folder.contents().into_iter().filter(|(name, _)| !written.contains(&&**name));
    texts.extend(results.map(|(_, content)| String::from_utf8_lossy(&content).into_owned()));
    for part in [TOKEN, KEY].iter().flat_map(|secret| secret.as_bytes().windows(8)) {
        let part = std::str::from_utf8(part).unwrap();
        assert!(texts.iter().all(|text| !text.contains(part)), "{part} in {texts:?}");
    }
}

#[test]
fn a_secret_header_shows_nowhere_when_all_goes_well() {
    let store = Store::start();
    for written in WRITTEN {
        for command in COMMANDS {
            let folder = folder(&store.url(), written);
            let ended = end(&folder, command);
            assert_eq!(ended.code, Some(0), "{command}: {ended}");
            assert_tells_no_secret(&ended, &folder);
        }
    }
}

#[test]
fn a_secret_header_reaches_the_store_and_is_redacted_if_the_store_echoes_it() {
    for status in ["200 OK", "400 Bad Request", "401 Unauthorized", "500 Oops"] {
        for written in WRITTEN {
            for command in &COMMANDS[..2] {
                let server = Server::that_answers(move |request| {
                    let token = header(request, "x-token").unwrap_or("no token");
                    let key = header(request, "authorization").unwrap_or("no key");
                    let message = format!("got {token} and {key}");
                    answer(status, &json!({ "message": message, "code": 3 }).to_string())
                });
                let folder = folder(&server.url(), written);
                let ended = end(&folder, command);
                assert_ne!(ended.code, Some(0), "{ended}");
                assert_tells_no_secret(&ended, &folder);
                let received = server.received();
                let sent = |request: &String| {
                    header(request, "x-token") == Some(TOKEN)
                        && header(request, "authorization") == Some(&format!("Tecton-key {KEY}"))
                };
                assert!(!received.is_empty() && received.iter().all(sent), "{received:?}");
                if status != "200 OK" {
                    let reported = format!("{ended}");
                    assert!(
                        reported.contains("got [secret] and Tecton-key [secret]"),
                        "{reported}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_secret_header_that_cannot_be_sent_is_reported_by_name() {
    let folder = folder("http://127.0.0.1:1", "\"Hx8v-Qy3z-Bn6k\\nWf1j\"");
    for command in COMMANDS {
        let ended = end(&folder, command);
        assert_eq!(ended.code, Some(2), "{command}: {ended}");
        assert!(ended.to_string().contains("/connection/kwargs/headers/x-token"), "{ended}");
        assert_tells_no_secret(&ended, &folder);
    }
}

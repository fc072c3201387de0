//! What a handler cannot do: reach what its user did not name, see the machine, hold a secret.
//!
//! The handler is `tests/evil`: it tries, and tells what came of it.

use crate::support::beamlet::Beamlet;
use crate::support::evil::{OF_THE_SANDBOX, component};
use crate::support::guests;
use crate::support::library::{bundle, evil, evil_config, setup, tailnums};
use crate::support::redacted;
use crate::support::server::{Server, answer, header};
use crate::support::store::{KEY, folder_of};
use beamlet::plugin::{ErrorKind, Instance, PluginError, Setup};
use insta::assert_snapshot;

/// The behaviours that are for this suite, each with one of its tests.
const TESTED: [(&str, fn()); 6] = [
    ("call", a_destination_that_was_not_granted_is_refused_and_remembered),
    ("call-in-setup", a_key_that_came_back_is_blotted_out_of_the_problems_of_a_configuration),
    ("call-and-panic", a_key_that_came_back_is_blotted_out_of_what_a_handler_writes_when_it_panics),
    ("call-and-blame", a_key_that_came_back_is_blotted_out_of_a_kind_that_a_handler_makes_up),
    ("echo-config", a_handler_holds_a_placeholder_in_place_of_the_key),
    ("look-around", a_handler_sees_no_files_no_sockets_no_environment_and_no_arguments),
];

#[test]
fn every_behaviour_that_is_for_this_suite_has_a_test_here() {
    assert_eq!(TESTED.map(|(name, _)| name), OF_THE_SANDBOX);
}

/// What the handler says when it is given a row, with what its instances shared.
async fn says(behaviour: &str, config: &str) -> (PluginError, Setup) {
    let plugin = evil();
    let setup = setup(&plugin, &evil_config(behaviour, config)).await;
    let mut instance = Instance::set_up(&plugin, &setup).await.unwrap();
    (bundle(&mut instance, &tailnums(&[Some("N1")])).await.unwrap_err(), setup)
}

/// A server that says what it was told.
fn echo() -> Server {
    Server::that_answers(|request| answer("200 OK", header(request, "authorization").unwrap()))
}

/// Names a server as the one to call, without a URL that would grant it.
fn ungranted(server: &Server) -> String {
    format!("retrieval.url = '{}'", server.url().strip_prefix("http://").unwrap())
}

/// Names a server as the one to call, and so grants it.
fn granted(server: &Server) -> String {
    format!("retrieval.url = '{}'", server.url())
}

#[tokio::test]
async fn a_destination_that_the_configuration_names_is_reached() {
    let server = echo();
    let (error, setup) = says("call", &granted(&server)).await;
    assert_snapshot!(error, @"the handler refused the bundle: evil: 200: Tecton-key [secret]");
    assert_eq!((server.heard().len(), setup.egress.refused()), (1, vec![]));
}

#[tokio::test]
async fn a_destination_that_was_not_granted_is_refused_and_remembered() {
    let server = echo();
    let (error, setup) = says("call", &ungranted(&server)).await;
    assert_snapshot!(error, @"the handler refused the bundle: evil: ErrorCode::HttpRequestDenied");
    let why = format!("{} is not granted: the configuration does not name it", server.url());
    assert_eq!(setup.egress.refused(), [why]);
    assert_eq!(setup.egress.requests(), 0);
    assert!(server.heard().is_empty());
}

#[tokio::test]
async fn another_port_of_a_granted_host_is_not_granted() {
    let (server, other) = (echo(), echo());
    let config = format!("{}\nconnection.url = '{}'", ungranted(&server), other.url());
    let (error, _) = says("call", &config).await;
    assert_snapshot!(error, @"the handler refused the bundle: evil: ErrorCode::HttpRequestDenied");
    assert!(server.heard().is_empty() && other.heard().is_empty());
}

#[test]
fn the_command_line_names_the_destination_that_was_refused() {
    let server = echo();
    let folder = folder_of(&evil_config("call", &ungranted(&server)));
    let handler = component().display();
    let ended = Beamlet::run(&folder, &format!("--handler {handler} --output out.ndjson"))
        .stdin("{\"tailnum\":\"N1\"}\n")
        .end();
    redacted(|| {
        assert_snapshot!(ended, @"
        error: standard input:1: the bundle from here to line 1: the handler refused the bundle: evil: ErrorCode::HttpRequestDenied
        refused: http://[store] is not granted: the configuration does not name it
        1 row in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        0 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
    assert_eq!(folder.names(), ["beamlet.toml"]);
}

#[tokio::test]
async fn a_handler_sees_no_files_no_sockets_no_environment_and_no_arguments() {
    let (error, _) = says("look-around", "").await;
    assert_snapshot!(error, @"
    the handler refused the bundle: evil: list /: refused, NotFound
    list .: refused, NotFound
    read /etc/passwd: refused, NotFound
    write /tmp/evil: refused, NotFound
    connect: refused, PermissionDenied
    listen: refused, PermissionDenied
    bind udp: refused, PermissionDenied
    resolve localhost: refused, PermissionDenied
    read stdin: 0
    environment: []
    arguments: []
    ");
}

/// What handlers import, and what each of it is to them.
#[test]
fn what_a_component_imports_is_given_or_is_empty() {
    const GIVEN: [&str; 13] = [
        "beamlet:enrichment/types",
        "wasi:cli/exit",
        "wasi:cli/stderr",
        "wasi:cli/stdin",
        "wasi:cli/stdout",
        "wasi:clocks/monotonic-clock",
        "wasi:clocks/wall-clock",
        "wasi:http/outgoing-handler",
        "wasi:http/types",
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:random/insecure-seed",
    ];
    const EMPTY: [&str; 12] = [
        "wasi:cli/environment",
        "wasi:cli/terminal-input",
        "wasi:cli/terminal-output",
        "wasi:cli/terminal-stderr",
        "wasi:cli/terminal-stdin",
        "wasi:cli/terminal-stdout",
        "wasi:filesystem/preopens",
        "wasi:filesystem/types",
        "wasi:sockets/instance-network",
        "wasi:sockets/ip-name-lookup",
        "wasi:sockets/network",
        "wasi:sockets/tcp",
    ];
    const SOCKETS: [&str; 3] =
        ["wasi:sockets/tcp-create-socket", "wasi:sockets/udp", "wasi:sockets/udp-create-socket"];
    for component in [component(), guests::key_value(), guests::broken()] {
        let bytes = std::fs::read(component).unwrap();
        let decoded = wit_component::decode(&bytes).unwrap();
        let wit_component::DecodedWasm::Component(resolve, world) = decoded else {
            panic!("no component")
        };
        for key in resolve.worlds[world].imports.keys() {
            let name = resolve.name_world_key(key);
            let name = name.split('@').next().unwrap_or_default();
            let is_known = [&GIVEN[..], &EMPTY, &SOCKETS].iter().any(|list| list.contains(&name));
            assert!(is_known, "{name} is neither given nor empty");
        }
    }
}

#[test]
fn what_a_handler_prints_does_not_get_among_the_rows() {
    let folder = folder_of(&evil_config("look-around", ""));
    let ended = Beamlet::run(&folder, &format!("--handler {}", component().display()))
        .stdin("{\"tailnum\":\"N1\"}\n{\"tailnum\":\"N2\"}\n")
        .env("BEAMLET_TEST_SECRET", "of the environment")
        .end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(!ended.stderr.contains("of the environment"), "{ended}");
    assert!(ended.stderr.contains("read stdin: 0"), "{ended}");
}

#[tokio::test]
async fn a_handler_holds_a_placeholder_in_place_of_the_key() {
    let (error, _) = says("echo-config", "retrieval.note = 'as it came'").await;
    assert_snapshot!(error, @r#"the handler refused the bundle: evil: {"connection":{"api_key":"beamlet-secret-0000"},"retrieval":{"evil":"echo-config","note":"as it came"}}"#);
}

#[tokio::test]
async fn a_key_of_the_environment_or_of_a_file_is_a_placeholder_too() {
    let folder = folder_of(
        "retrieval.evil = 'echo-config'
        connection.api_key = { file = 'key' }
        connection.other_key = { env = 'BEAMLET_TEST_KEY' }",
    );
    folder.write("key", KEY);
    let ended = Beamlet::run(&folder, &format!("--handler {}", component().display()))
        .stdin("{\"tailnum\":\"N1\"}\n")
        .env("BEAMLET_TEST_KEY", "another-key-of-4711")
        .end();
    redacted(|| {
        assert_snapshot!(ended, @r#"
        error: standard input:1: the bundle from here to line 1: the handler refused the bundle: evil: {"connection":{"api_key":"beamlet-secret-0000","other_key":"beamlet-secret-0001"},"retrieval":{"evil":"echo-config"}}
        1 row in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        0 requests, [speed]
        failed: what was written to standard output is not complete
        exit code 1
        "#)
    });
}

#[tokio::test]
async fn the_server_gets_the_key_in_a_header_and_a_placeholder_anywhere_else() {
    let server = echo();
    says("call", &granted(&server)).await;
    let request = &server.heard()[0];
    let expected = format!("Tecton-key {KEY}");
    assert_eq!(header(request, "authorization"), Some(expected.as_str()));
    assert_eq!(request.matches(KEY).count(), 1, "{request}");
    assert_eq!(request.matches("beamlet-secret-0000").count(), 2, "{request}");
}

#[tokio::test]
async fn a_key_that_came_back_is_blotted_out_of_what_a_handler_says() {
    let server = echo();
    let (error, _) = says("call", &granted(&server)).await;
    assert_snapshot!(error, @"the handler refused the bundle: evil: 200: Tecton-key [secret]");
}

#[tokio::test]
async fn a_key_that_came_back_is_blotted_out_of_what_a_handler_writes_when_it_panics() {
    let server = echo();
    let (error, _) = says("call-and-panic", &granted(&server)).await;
    assert!(matches!(error, PluginError::Trap { .. }));
    assert!(!error.to_string().contains(KEY) && !format!("{error:?}").contains(KEY), "{error:?}");
    assert!(error.to_string().contains("200: Tecton-key [secret]"), "{error}");
}

#[tokio::test]
async fn a_key_that_came_back_is_blotted_out_of_the_problems_of_a_configuration() {
    let (server, plugin) = (echo(), evil());
    let setup = setup(&plugin, &evil_config("call-in-setup", &granted(&server))).await;
    let error = Instance::set_up(&plugin, &setup).await.err().unwrap();
    assert_snapshot!(error, @"the configuration has a problem: /retrieval/evil: 200: Tecton-key [secret]");
}

#[tokio::test]
async fn a_key_that_came_back_is_blotted_out_of_a_kind_that_a_handler_makes_up() {
    let server = echo();
    let (error, _) = says("call-and-blame", &granted(&server)).await;
    let PluginError::Refused(error) = error else { panic!("{error}") };
    let kind = ErrorKind::Other("200: Tecton-key [secret]".to_owned());
    assert_eq!(error.kind, kind);
}

#[tokio::test]
async fn a_key_is_in_no_debug_text_of_what_instances_share() {
    let plugin = evil();
    let setup = setup(&plugin, &evil_config("healthy", "")).await;
    assert!(!setup.config.contains(KEY));
    assert!(!format!("{:?}", setup.egress.secrets()).contains(KEY));
}

//! The handlers of this repository keep every promise, and `docs/guide/writing-a-handler.md` is
//! right: its files are those of the example, and its commands work.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::guests;
use crate::support::key_value::{KeyValueStore, TOKEN, keys_ndjson};
use crate::support::store::{Store, data};

/// The checks that did not pass, of the report in `report.json`.
fn not_passed(folder: &Folder) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&folder.read("report.json")).unwrap();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    let others = checks.filter(|check| check["outcome"] != "ok");
    others
        .map(|check| (text(check, "name"), text(check, "outcome") + ": " + &text(check, "why")))
        .collect()
}

#[test]
fn the_tecton_handler_keeps_every_promise() {
    let store = Store::start();
    let folder = store.folder();
    let keys = data("flights-sample.csv");
    let arguments = format!(
        "conform tecton --config beamlet.toml --keys {} --null NA --rows 20000 --json report.json",
        keys.display()
    );
    let ended = Beamlet::new(&folder, &arguments).end();
    assert_eq!(ended.code, Some(0), "{ended}");
    let optional =
        ("inputs/optional".to_owned(), "not_applicable: every field is required".to_owned());
    assert_eq!(not_passed(&folder), [optional]);
}

/// A folder with a configuration of the example, and keys.
pub(crate) fn example(store: &KeyValueStore) -> Folder {
    let folder = Folder::new();
    let config = include_str!("../../../../../examples/key-value/beamlet.toml");
    assert!(config.contains("http://127.0.0.1:8080"), "the example's URL");
    folder.write("beamlet.toml", config.replace("http://127.0.0.1:8080", &store.url()));
    folder.write("rows.ndjson", keys_ndjson());
    std::fs::copy(guests::key_value(), folder.file("key_value.wasm")).unwrap();
    folder
}

#[test]
fn the_handler_of_the_guide_keeps_every_promise() {
    let store = KeyValueStore::start();
    let folder = example(&store);
    let arguments =
        "conform key_value.wasm --config beamlet.toml --keys rows.ndjson --json report.json";
    let ended = Beamlet::new(&folder, arguments).env("STORE_API_KEY", TOKEN).end();
    assert_eq!(ended.code, Some(0), "{ended}");
    let optional =
        ("inputs/optional".to_owned(), "not_applicable: every field is required".to_owned());
    assert_eq!(not_passed(&folder), [optional]);
}

#[test]
fn the_handler_of_the_guide_enriches_rows() {
    let store = KeyValueStore::start();
    let folder = example(&store);
    folder.write("rows.ndjson", "{\"key\":\"k3\",\"own\":1}\n{\"key\":\"x\"}\n{\"key\":null}\n");
    let arguments = "run --handler key_value.wasm --config beamlet.toml --input rows.ndjson";
    let rows = Beamlet::new(&folder, arguments).env("STORE_API_KEY", TOKEN).succeed();
    insta::assert_snapshot!(rows, @r#"
{"key":"k3","own":1,"even":false,"n":3,"t":"text 3","x":0.75}
{"key":"x","even":null,"n":null,"t":null,"x":null}
{"key":null,"even":null,"n":null,"t":null,"x":null}
"#);
}

const GUIDE: &str = include_str!("../../../../../docs/guide/writing-a-handler.md");

/// A block of code, and the file that the line before it names.
struct Block {
    language: String,
    file: Option<String>,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut before = "";
    let mut lines = GUIDE.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let file = before.strip_prefix('`').and_then(|rest| rest.strip_suffix("`:"));
            let (language, file) = (language.to_owned(), file.map(str::to_owned));
            blocks.push(Block { language, file, text: text.join("\n") });
        } else if !line.is_empty() {
            before = line;
        }
    }
    blocks
}

/// The commands, in their order.
fn commands() -> Vec<String> {
    let blocks = blocks().into_iter().filter(|block| block.language == "sh");
    blocks.flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn every_block_of_code_is_a_file_of_the_example_and_every_file_is_a_block() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut shown = Vec::new();
    for block in blocks().into_iter().filter(|block| block.language != "sh") {
        let file = block.file.expect("a block of code follows the name of its file");
        let text = std::fs::read_to_string(root.join(&file)).unwrap();
        assert!(text.trim_end() == block.text, "{file} is another one in the guide");
        shown.push(file);
    }
    shown.sort();
    let files = ["Cargo.toml", "beamlet.toml", "src/lib.rs"];
    assert_eq!(shown, files.map(|file| format!("examples/key-value/{file}")));
    let sources = std::fs::read_dir(root.join("examples/key-value/src")).unwrap();
    assert_eq!(sources.count(), 1, "a source that the guide does not show");
}

#[test]
fn the_rust_of_the_example_stays_short() {
    let rust = blocks().into_iter().filter(|block| block.language == "rust");
    let lines: usize = rust.map(|block| block.text.lines().count()).sum();
    assert!(lines < 130, "{lines} lines");
}

#[test]
fn every_command_of_the_guide_works() {
    let store = KeyValueStore::start();
    let folder = example(&store);
    let mut done = Vec::new();
    for command in commands() {
        let (program, rest) = command.split_once(' ').unwrap();
        match program {
            "beamlet" => {
                let ended = Beamlet::new(&folder, rest).env("STORE_API_KEY", TOKEN).end();
                assert_eq!(ended.code, Some(0), "{command}\n{ended}");
            }
            "cargo" if rest.starts_with("new ") => {
                let empty = Folder::new();
                let arguments = rest.split(' ').chain(["--vcs", "none"]);
                let made = Command::new("cargo").args(arguments).current_dir(empty.path()).output();
                let made = made.unwrap();
                assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
                assert!(empty.file("examples/key-value/src/lib.rs").exists());
            }
            // What the tests build their own component with.
            "cargo" => assert_eq!(
                rest,
                "build --package beamlet-key-value --target wasm32-wasip2 --profile guest"
            ),
            "cp" => {
                assert_eq!(rest, "target/wasm32-wasip2/guest/beamlet_key_value.wasm key_value.wasm")
            }
            "export" => assert_eq!(rest, "STORE_API_KEY=…"),
            _ => panic!("{command}"),
        }
        done.push(program.to_owned());
    }
    assert_eq!(done.iter().filter(|program| *program == "beamlet").count(), 4);
    assert_eq!(folder.read("enriched.ndjson").lines().count(), 12);
}

#[test]
fn the_guide_names_only_options_that_conform_has() {
    let help = Beamlet::new(&Folder::new(), "conform --help").succeed();
    for option in ["--keys", "--only", "--list", "--rows", "--json", "--config"] {
        assert!(GUIDE.contains(option) && help.contains(option), "{option}");
    }
}

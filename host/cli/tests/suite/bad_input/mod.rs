//! Everything that a user or a store can get wrong: the messages of `beamlet run`, its exit code,
//! and that it leaves nothing half done and shows no secret.

mod component;
mod configuration;
mod rows;
mod servers;
mod store;

use crate::support::beamlet::{Beamlet, Ended, Folder};
use crate::support::store::{KEY, Store, config, folder_of};

/// Runs a command that must fail, and checks that it leaves only a summary and does not show the
/// key.
#[track_caller]
pub(crate) fn refused(folder: &Folder, arguments: &str) -> Ended {
    let before = folder.names();
    let arguments = format!("{arguments} --output out.ndjson --summary summary.json");
    let ended = Beamlet::new(folder, &arguments).end();
    assert_ne!(ended.code, Some(0));
    let left = folder.names().into_iter().filter(|name| name != "summary.json");
    assert_eq!(left.collect::<Vec<_>>(), before);
    assert_tells_no_key(&ended, folder);
    ended
}

/// Checks for the key, and for any recognisable part of it.
#[track_caller]
pub(crate) fn assert_tells_no_key(ended: &Ended, folder: &Folder) {
    let mut texts = vec![ended.stdout.clone(), ended.stderr.clone()];
    let results = folder.contents().into_iter().filter(|(name, _)| !name.starts_with("beamlet."));
    texts.extend(results.map(|(_, content)| String::from_utf8_lossy(&content).into_owned()));
    for part in KEY.as_bytes().windows(8).map(|part| std::str::from_utf8(part).unwrap()) {
        assert!(texts.iter().all(|text| !text.contains(part)), "{part} of the key in {texts:?}");
    }
}

/// Runs rows of this text, in a file of this name, against a good store.
#[track_caller]
pub(crate) fn refused_rows(name: &str, text: impl AsRef<[u8]>) -> Ended {
    let store = Store::start();
    let folder = store.folder();
    folder.write(name, text);
    refused(&folder, &format!("run --config beamlet.toml --input {name}"))
}

/// Runs one good row with this configuration, in a file of this name.
#[track_caller]
pub(crate) fn refused_config(name: &str, text: &str) -> Ended {
    let folder = Folder::new();
    folder.write(name, text);
    refused_by(&folder, &format!("--config {name}"))
}

/// Runs one good row against a store at this URL.
#[track_caller]
pub(crate) fn refused_by_store(url: &str) -> Ended {
    refused_by(&folder_of(&config(url)), "--config beamlet.toml")
}

#[track_caller]
pub(crate) fn refused_by(folder: &Folder, arguments: &str) -> Ended {
    folder.write("rows.ndjson", "{\"tailnum\":\"N10156\"}\n");
    refused(folder, &format!("run --input rows.ndjson {arguments}"))
}

/// Runs one good row through a component of these bytes.
#[track_caller]
pub(crate) fn refused_component(bytes: impl AsRef<[u8]>) -> Ended {
    let folder = folder_of(&config("http://127.0.0.1:1"));
    folder.write("handler.wasm", bytes);
    refused_by(&folder, "--config beamlet.toml --handler handler.wasm")
}

pub(crate) fn first_line(ended: &Ended) -> &str {
    ended.stderr.lines().next().unwrap()
}

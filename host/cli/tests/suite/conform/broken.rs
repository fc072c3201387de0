//! For each check there is a handler that fails it, and no other check.

use crate::support::guests;
use crate::support::key_value::{KeyValueStore, TOKEN, keys};
use crate::support::library::{runtime, setup};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use beamlet::plugin::Plugin;
use beamlet_conform::{CHECKS, CheckOutcome, Report, Suite};
use futures_util::{StreamExt, stream};
use std::sync::Arc;

/// What the name of a broken promise is written behind in the component's bytes, padded to its
/// length.
const MARK: &[u8; 48] = b"beamlet-broken-mark:                            ";

/// The component, with a promise that it breaks before it has a configuration.
fn marked(name: &str) -> Plugin {
    let mut bytes = std::fs::read(guests::broken()).unwrap();
    let mut places = bytes.windows(MARK.len()).enumerate().filter(|(_, it)| it == MARK);
    let (at, _) = places.next().expect("the mark is there");
    assert!(places.next().is_none(), "the mark is there once");
    drop(places);
    let start = at + "beamlet-broken-mark:".len();
    bytes[start..start + name.len()].copy_from_slice(name.as_bytes());
    Plugin::from_bytes(runtime(), name, &bytes).unwrap()
}

/// The promises that are broken without a configuration.
fn needs_mark(name: &str) -> bool {
    name.starts_with("describe/")
        || ["config/schema-accepts", "config/odd-texts", "text/describe"].contains(&name)
}

async fn report(broken: &str) -> Report {
    let store = KeyValueStore::start();
    let mark = needs_mark(broken);
    let plugin = match mark {
        true => marked(broken),
        false => Plugin::from_file(runtime(), guests::broken()).unwrap(),
    };
    let config = format!(
        "[connection]\nurl = '{}'\napi_key = '{TOKEN}'\n[retrieval]\nkey = 'key'\nbroken = '{}'\n",
        store.url(),
        if mark { "" } else { broken }
    );
    let setup = setup(&plugin, &config).await;
    let keys: ArrayRef = Arc::new(StringArray::from(keys()));
    let hints: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>; 12]));
    let rows = RecordBatch::try_from_iter([("key", keys.clone()), ("hint", hints)]).unwrap();
    let rows = if broken == "inputs/unique" {
        RecordBatch::try_from_iter([("key", keys.clone()), ("key", keys)]).unwrap()
    } else {
        rows
    };
    Suite::new(plugin, setup).samples(&rows).unwrap().many(3000).run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_keeps_every_promise_passes_every_check() {
    let report = report("").await;
    let others: Vec<String> = report
        .checks
        .iter()
        .filter(|(_, outcome)| *outcome != CheckOutcome::Passed)
        .map(|(check, outcome)| format!("{}: {outcome:?}", check.name))
        .collect();
    assert_eq!(others, [""; 0]);
    assert_eq!(report.checks.len(), CHECKS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn for_each_check_there_is_a_handler_that_fails_it_and_no_other() {
    // Most of the time goes by while a late store is waited for.
    let reports = stream::iter(CHECKS)
        .map(|check| async move { (check.name, report(check.name).await) })
        .buffered(8);
    let wrong: Vec<String> = reports
        .filter_map(|(name, report)| async move {
            (report.failed() != [name])
                .then(|| format!("{name}: {:?}\n{}", report.failed(), report.text("again")))
        })
        .collect()
        .await;
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CHECKS.len(), wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_was_not_looked_at_names_the_failure() {
    let report = report("columns/length").await;
    for (check, outcome) in &report.checks {
        let after = ["answers/", "lifecycle/", "odd/", "store/kinds"];
        if check.name != "columns/length" && after.iter().any(|start| check.name.starts_with(start))
        {
            assert_eq!(*outcome, CheckOutcome::NotLookedAt("columns/length"), "{}", check.name);
        }
    }
}

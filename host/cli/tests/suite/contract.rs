//! Rules for every item of the contract in `wit/`.

use std::path::Path;
use wit_component::WitPrinter;
use wit_parser::{Docs, Resolve, Stability, TypeDefKind, UnresolvedPackageGroup};

/// Every item of the package, by name, with its documentation and its gate.
fn items() -> Vec<(String, Docs, Stability)> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(&wit).expect("the contract resolves");
    let package = &resolve.packages[package];
    let mut items = Vec::new();
    for (name, world) in &package.worlds {
        let world = &resolve.worlds[*world];
        items.push((name.clone(), world.docs.clone(), world.stability.clone()));
    }
    for (interface_name, interface) in &package.interfaces {
        let interface = &resolve.interfaces[*interface];
        items.push((interface_name.clone(), interface.docs.clone(), interface.stability.clone()));
        for (name, function) in &interface.functions {
            let name = format!("{interface_name}.{name}");
            items.push((name, function.docs.clone(), function.stability.clone()));
        }
        for (name, id) in &interface.types {
            let item = &resolve.types[*id];
            // A name that is used from another interface is documented there.
            if matches!(item.kind, TypeDefKind::Type(_)) {
                continue;
            }
            let name = format!("{interface_name}.{name}");
            if let TypeDefKind::Record(record) = &item.kind {
                for field in &record.fields {
                    items.push((
                        format!("{name}.{}", field.name),
                        field.docs.clone(),
                        item.stability.clone(),
                    ));
                }
            }
            items.push((name, item.docs.clone(), item.stability.clone()));
        }
    }
    items
}

#[test]
fn every_item_is_documented() {
    let items = items();
    assert!(items.len() > 40, "the package has more items than {}", items.len());
    let bare: Vec<_> =
        items.iter().filter(|(_, docs, _)| docs.is_empty()).map(|item| &item.0).collect();
    assert!(bare.is_empty(), "without documentation: {bare:?}");
}

#[test]
fn every_item_of_the_contract_names_the_version_that_added_it() {
    let open: Vec<_> = items()
        .into_iter()
        .filter(|(_, _, stability)| !matches!(stability, Stability::Stable { .. }))
        .map(|item| item.0)
        .collect();
    assert!(open.is_empty(), "without @since: {open:?}");
}

#[test]
fn the_contract_resolves_without_a_network() {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let main = UnresolvedPackageGroup::parse_dir(&wit).expect("the contract parses").main;
    for (package, _) in main.foreign_deps {
        let name = &package.name;
        let file = wit.join("deps").join(format!("{name}.wit"));
        assert!(file.exists(), "{} is not vendored at {}", package, file.display());
    }
}

/// The contract's version, and its text: without comments, and in one form whatever the layout.
fn text() -> (String, String) {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(&wit).expect("the contract resolves");
    let version = resolve.packages[package].name.version.clone().expect("it has a version");
    let mut printer = WitPrinter::default();
    printer.emit_docs(false).print(&resolve, package, &[]).expect("the contract prints");
    (version.to_string(), String::from(printer.output))
}

/// To freeze a new version: raise it in `wit/`, and run this test with `BEAMLET_FREEZE_WIT=1`, once.
#[test]
fn the_contract_changes_only_with_its_version() {
    let (version, text) = text();
    let released = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/released");
    let file = released.join(format!("{version}.wit"));
    if !file.exists() && std::env::var_os("BEAMLET_FREEZE_WIT").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let frozen = std::fs::read_to_string(&file).unwrap_or_else(|_| {
        panic!(
            "wit/ has the version {version}, and there is no wit/released/{version}.wit; \
             where the version is meant, BEAMLET_FREEZE_WIT=1 cargo test --release -p beamlet-cli \
             --test contract writes it"
        )
    });
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (now, then) = (lines(&text), lines(&frozen));
    let new: Vec<&String> = now.iter().filter(|line| !then.contains(line)).collect();
    let gone: Vec<&String> = then.iter().filter(|line| !now.contains(line)).collect();
    assert!(
        now == then,
        "wit/ is not what {version} was: raise the version in every file of wit/, and say \
         @since of what is new\nnew: {new:#?}\ngone: {gone:#?}"
    );
}

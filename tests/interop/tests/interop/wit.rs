//! Reads the contract with the libraries under `wasm-tools component wit`.

use beamlet_interop::{built, root};
use wit_component::{DecodedWasm, WitPrinter, decode, encode};
use wit_parser::{PackageId, Resolve};

/// The contract in `wit/`.
fn contract() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).unwrap();
    (resolve, package)
}

/// A package and what it depends on, as text.
fn print(resolve: &Resolve, package: PackageId, docs: bool) -> String {
    let others = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package);
    let others: Vec<PackageId> = others.collect();
    let mut printer = WitPrinter::default();
    printer.emit_docs(docs);
    printer.print(resolve, package, &others).unwrap();
    printer.output.to_string()
}

/// The first package of a text: the contract, without what it depends on.
fn first(text: &str) -> &str {
    text.split("\npackage ").next().unwrap()
}

#[test]
fn the_contract_comes_back_from_its_binary_form_word_for_word() {
    let (resolve, package) = contract();
    let binary = encode(&resolve, package).unwrap();
    let DecodedWasm::WitPackage(decoded, decoded_package) = decode(&binary).unwrap() else {
        panic!("the contract is read as a component");
    };
    let back = print(&decoded, decoded_package, true);
    assert!(first(&back).contains("interface enrichment-handler"));
    assert_eq!(first(&back), first(&print(&resolve, package, true)));
}

#[test]
fn what_was_released_is_what_is_read_in_wit() {
    let (resolve, package) = contract();
    let version = resolve.packages[package].name.version.clone().unwrap();
    let released = format!("wit/released/{version}.wit");
    let released = std::fs::read_to_string(root().join(released)).unwrap();
    assert_eq!(first(&print(&resolve, package, false)).trim(), released.trim());
}

#[test]
fn the_component_has_the_contracts_interfaces() {
    // Of the lines of an interface the order is the component's own.
    let lines = |text: &str| {
        let text = text.split("package beamlet:enrichment@0.2.0").nth(1).unwrap().to_owned();
        let text = text.split("\npackage ").next().unwrap().to_owned();
        let text = text.split("\nworld ").next().unwrap().to_owned();
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty() && !line.starts_with("@since") && line.len() > 1)
            .collect();
        lines.sort();
        lines
    };
    let (resolve, package) = contract();
    let contract = lines(&print(&resolve, package, false));
    assert!(contract.len() > 80, "{contract:#?}");
    let component = std::fs::read(built("components/tecton.wasm")).unwrap();
    let component = decode(&component).unwrap();
    assert_eq!(lines(&print(component.resolve(), component.package(), true)), contract);
}

//! Metadata in a component, where `wasm-tools metadata show` and `wkg` read it.

use crate::cargo::Package;
use anyhow::Result;
use wasm_encoder::{ComponentSection, CustomSection};
use wasm_metadata::{AddMetadata, AddMetadataField};

/// What a component is stamped with in addition to what its package says.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The commit of its sources, where there is one.
    pub revision: Option<String>,
    /// The version of the compiler, where it is known.
    pub rustc: Option<String>,
}

/// Adds custom sections to a component: its name, version, description, licence, the revision of its
/// sources, its language and its tools. They do not change what it does.
///
/// # Errors
/// The bytes are not a component.
pub fn stamp(component: &[u8], package: &Package, origin: &Origin) -> Result<Vec<u8>> {
    let mut add = AddMetadata::default();
    add.name = AddMetadataField::Set(package.name.clone());
    add.language = vec![("Rust".to_owned(), String::new())];
    let rustc = origin.rustc.iter().map(|version| ("rustc".to_owned(), version.clone()));
    let own = ("beamlet-guest-build".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    add.processed_by = rustc.chain([own]).collect();
    let mut stamped = add.to_wasm(component)?;
    // The names are those of the OCI image specification's annotations.
    let sections = [
        ("version", Some(package.version.as_str())),
        ("description", package.description.as_deref()),
        ("licenses", package.license.as_deref()),
        ("source", package.repository.as_deref()),
        ("homepage", package.homepage.as_deref()),
        ("revision", origin.revision.as_deref()),
    ];
    for (name, text) in sections {
        let Some(text) = text else { continue };
        let section = CustomSection { name: name.into(), data: text.as_bytes().into() };
        section.append_to_component(&mut stamped);
    }
    Ok(stamped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::{Parser, Payload};

    fn package() -> Package {
        Package {
            name: "beamlet-redis".to_owned(),
            version: "1.2.3".to_owned(),
            description: Some("Beamlet's handler for a Redis of yours.".to_owned()),
            license: Some("Apache-2.0".to_owned()),
            repository: None,
            homepage: None,
        }
    }

    fn component() -> Vec<u8> {
        wat::parse_str("(component (core module (func)) (instance))").unwrap()
    }

    /// The custom sections of the component itself, by name.
    fn sections(component: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut depth = 0;
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(component) {
            match payload.unwrap() {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::CustomSection(section) if depth == 0 => {
                    found.push((section.name().to_owned(), section.data().to_vec()));
                }
                _ => {}
            }
        }
        found
    }

    #[test]
    fn a_component_says_what_it_is_and_nothing_that_is_not_known() {
        let origin =
            Origin { revision: Some("0123abc".to_owned()), rustc: Some("1.95.0".to_owned()) };
        let stamped = stamp(&component(), &package(), &origin).unwrap();
        let texts: Vec<String> = sections(&stamped)
            .into_iter()
            .filter(|(name, _)| name != "component-name" && name != "producers")
            .map(|(name, data)| format!("{name}: {}", String::from_utf8(data).unwrap()))
            .collect();
        assert_eq!(
            texts,
            [
                "version: 1.2.3",
                "description: Beamlet's handler for a Redis of yours.",
                "licenses: Apache-2.0",
                "revision: 0123abc",
            ]
        );
        let nothing = stamp(&component(), &package(), &Origin::default()).unwrap();
        assert!(sections(&nothing).iter().all(|(name, _)| name != "revision"));
    }

    #[test]
    fn a_component_says_its_name_its_language_and_its_tools() {
        let origin = Origin { revision: None, rustc: Some("1.95.0".to_owned()) };
        let stamped = stamp(&component(), &package(), &origin).unwrap();
        let of = |wanted: &str| {
            let found = sections(&stamped).into_iter().find(|(name, _)| name == wanted);
            String::from_utf8_lossy(&found.expect(wanted).1).into_owned()
        };
        assert!(of("component-name").contains("beamlet-redis"));
        let producers = of("producers");
        for text in ["language", "Rust", "processed-by", "rustc", "1.95.0", "beamlet-guest-build"] {
            assert!(producers.contains(text), "{text} is not in {producers:?}");
        }
    }

    #[test]
    fn the_same_component_is_stamped_with_the_same_bytes() {
        let stamped = || stamp(&component(), &package(), &Origin::default()).unwrap();
        assert_eq!(stamped(), stamped());
    }
}

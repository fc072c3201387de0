//! A handler component, compiled and linked, ready to be instantiated.

use crate::bindings::EnrichmentPluginPre;
use crate::sandbox::{Runtime, State, denied};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// The interface that a handler exports, without its version.
const INTERFACE: &str = "beamlet:enrichment/enrichment-handler";
/// The other interface that it exports.
const TEXT_INTERFACE: &str = "beamlet:enrichment/enrichment-json";
/// The version of the contract that this host speaks.
const VERSION: &str = "0.2.0";
/// The version of WASI that handlers are given.
const WASI: &str = "0.2";

/// The Tecton handler, built with this library.
#[cfg(feature = "tecton")]
static TECTON: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tecton.wasm"));

/// A component cannot be used as a handler.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are no component.
    #[error("{name}: {why}")]
    NoComponent {
        /// The file, or the handler's name.
        name: String,
        /// What they are instead.
        why: String,
    },
    /// The component is none of a handler.
    #[error("{name}: {why}")]
    NoHandler {
        /// The file, or the handler's name.
        name: String,
        /// What it exports, or imports, instead.
        why: String,
    },
}

/// A handler component, compiled. Cheap to clone.
#[derive(Clone)]
pub struct Plugin {
    pub(crate) runtime: Runtime,
    pub(crate) pre: Arc<EnrichmentPluginPre<State>>,
    name: Arc<str>,
    digest: Arc<str>,
}

impl Plugin {
    /// The Tecton handler that is built in.
    ///
    /// # Errors
    /// The machine cannot compile it.
    #[cfg(feature = "tecton")]
    pub fn tecton(runtime: &Runtime) -> Result<Self, LoadError> {
        Plugin::from_bytes(runtime, "tecton", TECTON)
    }

    /// Loads a component from a file, `.wasm` or the text format.
    ///
    /// # Errors
    /// The file cannot be read, or is no handler component.
    pub fn from_file(runtime: &Runtime, path: &Path) -> Result<Self, LoadError> {
        let bytes = std::fs::read(path)
            .map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
        Plugin::from_bytes(runtime, &path.display().to_string(), &bytes)
    }

    /// Loads a component from its bytes. `name` is for messages.
    ///
    /// # Errors
    /// The bytes are no handler component.
    pub fn from_bytes(runtime: &Runtime, name: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        let no_component = |why| LoadError::NoComponent { name: name.to_owned(), why };
        let no_handler = |why| LoadError::NoHandler { name: name.to_owned(), why };
        if let Some(why) = not_a_component(bytes) {
            return Err(no_component(why.to_owned()));
        }
        let component = Component::from_binary(&runtime.engine, bytes)
            .map_err(|error| no_component(format!("is no valid component: {error:#}")))?;
        check_exports(runtime, &component).map_err(no_handler)?;
        check_imports(runtime, &component).map_err(no_handler)?;
        let mut linker = (*runtime.linker).clone();
        let pre = denied::add_to_linker(&mut linker, &runtime.engine, &component)
            .and_then(|()| linker.instantiate_pre(&component))
            .map_err(|error| {
                no_handler(format!("imports what a handler does not get: {error:#}"))
            })?;
        let pre = EnrichmentPluginPre::new(pre).map_err(|error| {
            no_handler(format!("does not keep to the contract {VERSION}: {error:#}"))
        })?;
        let digest =
            Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let pre = Arc::new(pre);
        Ok(Plugin { runtime: runtime.clone(), pre, name: name.into(), digest: digest.into() })
    }

    /// The name it was loaded by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SHA-256 of the component's bytes, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// What the bytes are instead, where they are no component.
fn not_a_component(bytes: &[u8]) -> Option<&'static str> {
    // The magic number, then a version and a layer: 1 is a module's, 0x0d with layer 1 a component's.
    match bytes {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => None,
        [0, b'a', b's', b'm', ..] => Some(
            "is a WebAssembly module, not a component; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`",
        ),
        [] => Some("is empty, not a WebAssembly component"),
        _ => Some("is not a WebAssembly component"),
    }
}

/// Checks that the component exports the handler's interfaces in a version that fits.
fn check_exports(runtime: &Runtime, component: &Component) -> Result<(), String> {
    let component_type = component.component_type();
    let exports: Vec<String> = component_type
        .exports(&runtime.engine)
        .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentInstance(_)))
        .map(|(name, _)| name.to_owned())
        .collect();
    for interface in [INTERFACE, TEXT_INTERFACE] {
        let wanted = format!("{interface}@{VERSION}");
        let of = |name: &&String| name.split('@').next() == Some(interface);
        if let Some(other) = exports.iter().find(of).filter(|_| !exports.contains(&wanted)) {
            return Err(format!(
                "speaks the contract in version {}, this host in {VERSION}; rebuild the handler or take the host of that version",
                version(other)
            ));
        }
    }
    let wanted = format!("{INTERFACE}@{VERSION}");
    if exports.contains(&wanted) {
        return Ok(());
    }
    let exported = exports.join(", ");
    let exports = |interface: &str| exports.iter().any(|name| name.starts_with(interface));
    Err(if exported.is_empty() {
        format!("exports no interface; a handler exports {wanted}")
    } else if exports("wasi:http/incoming-handler@") || exports("wasi:http/handler@") {
        format!(
            "is a component that serves HTTP (it exports {exported}), for `wasmtime serve` and the edge; a handler exports {wanted}"
        )
    } else {
        format!("exports {exported}; a handler exports {wanted}")
    })
}

/// The version in the name of an interface.
fn version(name: &str) -> &str {
    name.split('@').nth(1).unwrap_or("none")
}

/// What is wrong with what the component imports, where that is a version.
fn check_imports(runtime: &Runtime, component: &Component) -> Result<(), String> {
    let component_type = component.component_type();
    for (name, _) in component_type.imports(&runtime.engine) {
        let package = name.split('/').next().unwrap_or_default();
        let (there, given) = (version(name), given(package));
        // A patch of the same minor version is the same interface, and may be older or newer.
        let fits = given.is_none_or(|given| minor(there) == minor(given));
        if let Some(given) = given.filter(|_| !fits) {
            return Err(format!(
                "imports {name}, in version {there}; this host gives {package} in version {given}: rebuild the handler for that"
            ));
        }
    }
    Ok(())
}

/// The version of a package that handlers are given.
fn given(package: &str) -> Option<&'static str> {
    match package {
        "beamlet:enrichment" => Some(VERSION),
        package if package.starts_with("wasi:") => Some(WASI),
        _ => None,
    }
}

/// Major and minor of a version.
fn minor(version: &str) -> Vec<&str> {
    version.split('.').take(2).collect()
}

//! From a reference to a component's bytes: the manifest, the component, and the cache of both.
//!
//! The cache is `oci/sha256/HEX` in its directory, for manifests and components alike. A file gets its
//! name when it is complete, and is hashed whenever it is read: one that was changed counts as absent,
//! and is replaced.

use crate::client::Client;
use crate::error::RegistryError;
use crate::reference::{Digest, Reference, Version};
use serde::Deserialize;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How large a manifest may be: the size that the specification asks registries to accept.
const MANIFEST_LIMIT: u64 = 4 << 20;
/// How large a component may be: forty times the Tecton handler.
const COMPONENT_LIMIT: u64 = 64 << 20;

/// A component's bytes, verified: from `cache` where they are, else from the registry, and then
/// kept in `cache`. A component that is in the cache needs no registry.
///
/// # Errors
/// The reference has no digest, the registry does not give what it names, or that is no component.
pub async fn pull(reference: &Reference, cache: Option<&Path>) -> Result<Vec<u8>, RegistryError> {
    let digest = match reference.version() {
        Version::Digest(digest) => digest,
        Version::Tag(tag) => return Err(unpinned(reference, tag).await),
    };
    let cache = Cache::new(cache);
    let no_component =
        |why| RegistryError::NoComponent { reference: Box::new(reference.clone()), why };
    let mut client = Client::new(reference)?;
    let (manifest, is_new) = match cache.get(digest) {
        Some(manifest) => (manifest, false),
        None => (manifest_of(&mut client, reference, digest).await?, true),
    };
    let component = component_of(&manifest).map_err(no_component)?;
    if let Some(bytes) = cache.get(&component.digest) {
        if is_new {
            cache.put(digest, &manifest);
        }
        return Ok(bytes);
    }
    let bytes = bytes_of(&mut client, reference, &component).await?;
    // The component first, so that a manifest in the cache always has its component there.
    cache.put(&component.digest, &bytes);
    if is_new {
        cache.put(digest, &manifest);
    }
    Ok(bytes)
}

/// What to write instead of a tag.
async fn unpinned(reference: &Reference, tag: &str) -> RegistryError {
    let asked = async {
        let url = reference.url("manifests", &tag);
        Client::new(reference)?.get(&url, ACCEPTED, "manifest", MANIFEST_LIMIT).await
    };
    match asked.await {
        Ok(manifest) => RegistryError::Unpinned {
            reference: Box::new(reference.clone()),
            pinned: Box::new(reference.pinned(Digest::of(&manifest))),
        },
        Err(error) => error,
    }
}

async fn manifest_of(
    client: &mut Client<'_>,
    reference: &Reference,
    digest: &Digest,
) -> Result<Vec<u8>, RegistryError> {
    let url = reference.url("manifests", digest);
    let bytes = client.get(&url, ACCEPTED, "manifest", MANIFEST_LIMIT).await?;
    verified(bytes, reference, "manifest", digest)
}

async fn bytes_of(
    client: &mut Client<'_>,
    reference: &Reference,
    component: &Component,
) -> Result<Vec<u8>, RegistryError> {
    const WHAT: &str = "component";
    if component.size > COMPONENT_LIMIT {
        let (what, limit) = (WHAT, COMPONENT_LIMIT);
        return Err(RegistryError::TooLarge {
            reference: Box::new(reference.clone()),
            what,
            limit,
        });
    }
    let url = reference.url("blobs", &component.digest);
    let bytes = client.get(&url, "*/*", WHAT, component.size).await?;
    if (bytes.len() as u64) < component.size {
        return Err(RegistryError::Incomplete {
            reference: Box::new(reference.clone()),
            why: format!("{} of the component's {} bytes came", bytes.len(), component.size),
        });
    }
    verified(bytes, reference, WHAT, &component.digest)
}

fn verified(
    bytes: Vec<u8>,
    reference: &Reference,
    what: &'static str,
    wanted: &Digest,
) -> Result<Vec<u8>, RegistryError> {
    let got = Digest::of(&bytes);
    if got == *wanted {
        return Ok(bytes);
    }
    Err(RegistryError::Digest {
        reference: Box::new(reference.clone()),
        what,
        wanted: wanted.clone(),
        got,
    })
}

/// The media types to ask for: a manifest, and an index of manifests, which gets an error of its own.
const ACCEPTED: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";
/// The media type of a component, as CNCF's guidance for WebAssembly in OCI has it.
const COMPONENT: &str = "application/wasm";

/// Where a component is, and how large.
#[derive(Debug)]
struct Component {
    digest: Digest,
    size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
    /// Only an index has them.
    #[serde(default)]
    manifests: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
    size: u64,
}

/// The component of a manifest; the error says what it has instead.
fn component_of(manifest: &[u8]) -> Result<Component, String> {
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|error| format!("the manifest is none of an OCI registry: {error}"))?;
    if !manifest.manifests.is_empty() {
        return Err("this is an index of several; name the digest of one of them".to_owned());
    }
    let [layer] = manifest.layers.as_slice() else {
        return Err(format!(
            "the manifest has {} layers, not one; a component is put there with `wkg oci push`",
            manifest.layers.len()
        ));
    };
    if layer.media_type != COMPONENT {
        return Err(format!(
            "the layer is {}, not {COMPONENT}; a component is put there with `wkg oci push`",
            layer.media_type.escape_debug()
        ));
    }
    let digest =
        layer.digest.parse().map_err(|why| format!("the layer's digest is none: {why}"))?;
    Ok(Component { digest, size: layer.size })
}

/// Blobs in a directory; none are kept where there is no directory.
#[derive(Clone, Debug)]
struct Cache(Option<PathBuf>);

impl Cache {
    fn new(directory: Option<&Path>) -> Self {
        Cache(directory.map(|directory| directory.join("oci/sha256")))
    }

    /// The bytes of this digest, if they are there.
    fn get(&self, digest: &Digest) -> Option<Vec<u8>> {
        let bytes = std::fs::read(self.0.as_ref()?.join(digest.hex())).ok()?;
        if Digest::of(&bytes) != *digest {
            tracing::warn!(%digest, "the cache holds other bytes under this digest; they are pulled again");
            return None;
        }
        Some(bytes)
    }

    /// Keeps bytes that have been verified. Where that cannot be, they are pulled again next time.
    fn put(&self, digest: &Digest, bytes: &[u8]) {
        let Some(directory) = &self.0 else { return };
        if let Err(error) = write(directory, digest, bytes) {
            tracing::warn!(%error, directory = %directory.display(), "what was pulled could not be kept");
        }
    }
}

fn write(directory: &Path, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(directory.join(digest.hex()))?;
    Ok(())
}

//! From a reference to a component's bytes.

use crate::Digest;
use crate::cache::Cache;
use crate::client::Client;
use crate::error::RegistryError;
use crate::manifest::{self, ACCEPTED, Component};
use crate::reference::{Reference, Version};
use std::path::Path;

/// How large a manifest may be: what the specification asks registries to take.
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
    let component = manifest::component(&manifest).map_err(no_component)?;
    if let Some(bytes) = cache.get(&component.digest) {
        if is_new {
            cache.put(digest, &manifest);
        }
        return Ok(bytes);
    }
    let bytes = bytes_of(&mut client, reference, &component).await?;
    // The component first: who finds the manifest finds the component, too.
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

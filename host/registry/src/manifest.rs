//! What a registry has under a digest: a list of one component.

use crate::Digest;
use serde::Deserialize;

/// The media types to ask for: a manifest, and an index of manifests, so that it is told as such.
pub(crate) const ACCEPTED: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";
/// The media type of a component, as CNCF's guidance for WebAssembly in OCI has it.
const COMPONENT: &str = "application/wasm";

/// Where a component is, and how large.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
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
pub(crate) fn component(manifest: &[u8]) -> Result<Component, String> {
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

//! What has been pulled, by digest, so that no registry is needed the next time.
//!
//! `oci/sha256/HEX` in the cache's directory, manifests and components alike. A file has its name
//! only when it is complete, and is hashed whenever it is read: one that was changed counts as
//! absent, and is replaced.

use crate::Digest;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Blobs in a directory; none are kept where there is no directory.
#[derive(Clone, Debug)]
pub(crate) struct Cache(Option<PathBuf>);

impl Cache {
    pub(crate) fn new(directory: Option<&Path>) -> Self {
        Cache(directory.map(|directory| directory.join("oci/sha256")))
    }

    /// The bytes of this digest, if they are there.
    pub(crate) fn get(&self, digest: &Digest) -> Option<Vec<u8>> {
        let bytes = std::fs::read(self.0.as_ref()?.join(digest.hex())).ok()?;
        if Digest::of(&bytes) != *digest {
            tracing::warn!(%digest, "the cache holds other bytes under this digest; they are pulled again");
            return None;
        }
        Some(bytes)
    }

    /// Keeps bytes that have been verified. Where that cannot be, they are pulled again next time.
    pub(crate) fn put(&self, digest: &Digest, bytes: &[u8]) {
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

//! Who asks, as `docker login` keeps it.

use docker_credential::{CredentialRetrievalError, DockerCredential};
use std::fmt;

/// A user of a registry.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// What docker's configuration has for a registry: `DOCKER_CONFIG`, or `~/.docker`. The error says
/// why what it has cannot be used.
pub(crate) fn of(registry: &str) -> Result<Option<Credentials>, String> {
    match docker_credential::get_credential(registry) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(Some(Credentials { user, password }))
        }
        Ok(DockerCredential::IdentityToken(_)) => Err(
            "docker's configuration has an identity token for it, which is not supported; log in with a user and a password"
                .to_owned(),
        ),
        Err(
            CredentialRetrievalError::NoCredentialConfigured
            | CredentialRetrievalError::ConfigNotFound
            | CredentialRetrievalError::ConfigReadError,
        ) => Ok(None),
        // What a helper printed may hold anything.
        Err(CredentialRetrievalError::HelperFailure { helper, .. }) => {
            Err(format!("docker's credential helper `{helper}` failed"))
        }
        Err(_) => Err("docker's configuration has something for it that cannot be read".to_owned()),
    }
}

//! The requests of the OCI distribution specification that a pull needs, with the credentials that
//! `docker login` keeps.

use crate::error::RegistryError;
use crate::reference::Reference;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use http_auth::ChallengeRef;
use http_auth::parser::ChallengeParser;
use reqwest::header::{ACCEPT, WWW_AUTHENTICATE};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use std::fmt;
use std::time::Duration;
use url::Url;

/// Until there is a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Until an answer begins, and between two parts of it.
const READ: Duration = Duration::from_secs(30);
/// How many bytes of an error or a token are read at most.
const SMALL: u64 = 64 << 10;

/// A client for one name in one registry.
pub(crate) struct Client<'r> {
    http: reqwest::Client,
    reference: &'r Reference,
    /// What the registry asks for, once it has named it.
    authorization: Option<Authorization>,
}

enum Authorization {
    Basic(Credentials),
    Bearer(String),
}

/// A registry's answer in case of an error.
#[derive(Deserialize)]
struct Errors {
    errors: Vec<OneError>,
}

#[derive(Deserialize)]
struct OneError {
    code: String,
    #[serde(default)]
    message: String,
}

/// The answer of a registry's token service; it has one of the two names.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl<'r> Client<'r> {
    pub(crate) fn new(reference: &'r Reference) -> Result<Self, RegistryError> {
        let is_local = reference.is_local();
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(beamlet_egress::tls::trusting())
            .user_agent(concat!("beamlet/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(READ)
            // A redirect to plain HTTP is not followed either.
            .https_only(!is_local);
        if is_local {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| RegistryError::Client(error.to_string()))?;
        Ok(Client { http, reference, authorization: None })
    }

    /// The bytes under a URL, at most `limit` of them.
    pub(crate) async fn get(
        &mut self,
        url: &str,
        accept: &str,
        what: &'static str,
        limit: u64,
    ) -> Result<Vec<u8>, RegistryError> {
        let mut response = self.ask(url, accept).await?;
        if response.status() == StatusCode::UNAUTHORIZED && self.authorization.is_none() {
            self.authorization = Some(self.authorize(&response).await?);
            response = self.ask(url, accept).await?;
        }
        let status = response.status();
        if !status.is_success() {
            return Err(self.refused(response, what).await);
        }
        self.body(response, what, limit).await
    }

    async fn ask(&self, url: &str, accept: &str) -> Result<Response, RegistryError> {
        let request = self.http.get(url).header(ACCEPT, accept);
        let request = match &self.authorization {
            Some(Authorization::Basic(user)) => {
                request.basic_auth(&user.user, Some(&user.password))
            }
            Some(Authorization::Bearer(token)) => request.bearer_auth(token),
            None => request,
        };
        self.send(request).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, RegistryError> {
        request
            .send()
            .await
            .map_err(|error| RegistryError::unreachable(self.reference.registry(), &error))
    }

    /// The body of an answer, up to a limit.
    async fn body(
        &self,
        mut response: Response,
        what: &'static str,
        limit: u64,
    ) -> Result<Vec<u8>, RegistryError> {
        let too_large =
            || RegistryError::TooLarge { reference: Box::new(self.reference.clone()), what, limit };
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await;
            let chunk = chunk
                .map_err(|error| RegistryError::unreachable(self.reference.registry(), &error))?;
            let Some(chunk) = chunk else { return Ok(body) };
            if (body.len() + chunk.len()) as u64 > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// The authorization that the registry asks for.
    async fn authorize(&self, response: &Response) -> Result<Authorization, RegistryError> {
        let headers: Vec<&str> = response
            .headers()
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .collect();
        let challenges: Vec<ChallengeRef<'_>> = headers
            .iter()
            .flat_map(|header| ChallengeParser::new(header).filter_map(Result::ok))
            .collect();
        let of = |scheme: &str| {
            challenges.iter().find(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme))
        };
        let user =
            credentials_of(self.reference.registry()).map_err(|why| self.unauthorized(&why))?;
        if let Some(challenge) = of("Bearer") {
            return self.token(challenge, user).await.map(Authorization::Bearer);
        }
        match (of("Basic"), user) {
            (Some(_), Some(user)) => Ok(Authorization::Basic(user)),
            (Some(_), None) => Err(self.unauthorized(&self.log_in())),
            (None, _) => {
                Err(self.unauthorized("the registry refuses, and names no way to authenticate"))
            }
        }
    }

    /// A token from the service that the registry names.
    async fn token(
        &self,
        challenge: &ChallengeRef<'_>,
        user: Option<Credentials>,
    ) -> Result<String, RegistryError> {
        let parameter = |name: &str| {
            let mut parameters = challenge.params.iter();
            let found = parameters.find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped())
        };
        let realm = parameter("realm").and_then(|realm| Url::parse(&realm).ok());
        let mut url =
            realm.ok_or_else(|| self.unauthorized("the registry names no service for tokens"))?;
        let scope = format!("repository:{}:pull", self.reference.name());
        for (name, value) in [("service", parameter("service")), ("scope", Some(scope))] {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        let is_known = user.is_some();
        let mut request = self.http.get(url);
        if let Some(user) = user {
            request = request.basic_auth(user.user, Some(user.password));
        }
        let response = self.send(request).await?;
        if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(self.unauthorized(&if is_known {
                self.log_in_anew()
            } else {
                self.log_in()
            }));
        }
        let status = response.status();
        let body = self.body(response, "token", SMALL).await?;
        let token = serde_json::from_slice::<Token>(&body).ok().filter(|_| status.is_success());
        token.and_then(|token| token.token.or(token.access_token)).ok_or_else(|| {
            self.unauthorized(&format!("the registry's service for tokens gave none ({status})"))
        })
    }

    /// The error that a registry's answer stands for.
    async fn refused(&self, response: Response, what: &'static str) -> RegistryError {
        let reference = Box::new(self.reference.clone());
        let status = response.status();
        let body = self.body(response, what, SMALL).await.unwrap_or_default();
        let message = serde_json::from_slice::<Errors>(&body)
            .ok()
            .and_then(|errors| errors.errors.into_iter().next())
            .map(|first| format!("{}: {}", short(&first.code), short(&first.message)))
            .unwrap_or_default();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                self.unauthorized(&match self.authorization {
                    Some(Authorization::Basic(_)) => self.log_in_anew(),
                    _ => self.log_in(),
                })
            }
            StatusCode::NOT_FOUND => RegistryError::NotFound { reference, what, message },
            _ => RegistryError::Status { reference, status: status.as_u16(), message },
        }
    }

    fn unauthorized(&self, why: &str) -> RegistryError {
        RegistryError::Unauthorized {
            reference: Box::new(self.reference.clone()),
            why: why.to_owned(),
        }
    }

    fn log_in(&self) -> String {
        format!(
            "the registry does not serve this to everybody; `docker login {}` saves credentials",
            self.reference.registry()
        )
    }

    fn log_in_anew(&self) -> String {
        format!(
            "the registry does not accept the credentials in docker's configuration; `docker login {}` replaces them",
            self.reference.registry()
        )
    }
}

/// The beginning of a text of the registry's, on one line.
fn short(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}

/// A user of a registry.
#[derive(Clone)]
struct Credentials {
    user: String,
    password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// The credentials that docker's configuration (`DOCKER_CONFIG`, or `~/.docker`) has for a registry. The
/// error says why they cannot be used.
fn credentials_of(registry: &str) -> Result<Option<Credentials>, String> {
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
        // The output of a helper is not shown: it may hold the password.
        Err(CredentialRetrievalError::HelperFailure { helper, .. }) => {
            Err(format!("docker's credential helper `{helper}` failed"))
        }
        Err(_) => Err("docker's configuration has something for it that cannot be read".to_owned()),
    }
}

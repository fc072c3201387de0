//! The API as pure functions: a request's body in, an answer's body or an error of Tecton's table
//! out. No sockets here.

mod answer;
mod entity;
mod error;
mod features;
mod metadata;
mod options;
mod request;

use std::borrow::Cow;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::catalog::{Access, Catalog, Service};
use crate::endpoint::Endpoint;
use crate::settings::Settings;

pub(crate) use error::ApiError;

/// A request, its body complete.
pub(crate) struct Request<'r> {
    pub(crate) endpoint: Endpoint,
    pub(crate) authorization: Option<&'r [u8]>,
    pub(crate) body: &'r [u8],
    pub(crate) started: Instant,
    /// Leaves one result out, on purpose.
    pub(crate) wrong_count: bool,
}

/// An answer with 200.
pub(crate) struct Answered {
    pub(crate) body: Bytes,
    pub(crate) entities: usize,
    /// The request's `latencyBudgetMs`.
    pub(crate) latency_budget: Option<Duration>,
}

/// Answers a request: authentication, JSON, the service named, authorisation, the service found,
/// then what the endpoint checks.
pub(crate) fn answer(
    catalog: &Catalog,
    settings: &Settings,
    request: &Request<'_>,
) -> Result<Answered, ApiError> {
    let access = authenticate(catalog, request.authorization)?;
    let text = std::str::from_utf8(request.body)
        .map_err(|error| ApiError::malformed(&format!("body is not UTF-8: {error}")))?;
    match request.endpoint {
        Endpoint::GetFeatures => {
            let params: request::Single<'_> = request::read(text, settings.unknown_fields)?;
            let service = find(catalog, access, &params.workspace, &params.service, request)?;
            features::single(service, settings, &params, request)
        }
        Endpoint::GetFeaturesBatch => {
            let params: request::Batch<'_> = request::read(text, settings.unknown_fields)?;
            let service = find(catalog, access, &params.workspace, &params.service, request)?;
            features::batch(service, settings, &params, request)
        }
        Endpoint::Metadata => {
            let params: request::Describe<'_> = request::read(text, settings.unknown_fields)?;
            let service = find(catalog, access, &params.workspace, &params.service, request)?;
            Ok(Answered { body: service.description.clone(), entities: 0, latency_budget: None })
        }
    }
}

fn authenticate<'c>(
    catalog: &'c Catalog,
    authorization: Option<&[u8]>,
) -> Result<&'c Access, ApiError> {
    const SCHEME: &[u8] = b"Tecton-key ";
    authorization
        .and_then(|header| header.split_at_checked(SCHEME.len()))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))
        .and_then(|(_, key)| std::str::from_utf8(key).ok())
        .and_then(|key| catalog.access(key.trim()))
        .ok_or_else(ApiError::unauthenticated)
}

fn find<'c>(
    catalog: &'c Catalog,
    access: &Access,
    workspace: &Option<Cow<'_, str>>,
    service: &Option<Cow<'_, str>>,
    request: &Request<'_>,
) -> Result<&'c Service, ApiError> {
    let workspace = named(workspace, "workspaceName")?;
    let service = named(service, "featureServiceName")?;
    if !access.allows(workspace) {
        return Err(ApiError::not_authorized());
    }
    catalog.service(workspace, service).ok_or_else(|| match request.endpoint {
        Endpoint::Metadata => ApiError::unknown_service(service, workspace),
        _ => ApiError::unable_to_query(service, workspace),
    })
}

fn named<'p>(name: &'p Option<Cow<'_, str>>, field: &str) -> Result<&'p str, ApiError> {
    match name.as_deref() {
        Some(name) if !name.is_empty() => Ok(name),
        _ => Err(ApiError::missing_field(field)),
    }
}

//! `get-features` and `get-features-batch`: from checked parameters to the answer's text.

use std::time::Duration;

use super::answer::{Found, OnFailure, write_features};
use super::entity::{ContextStrictness, Entity};
use super::error::ApiError;
use super::metadata::{Asked, Shape, write_metadata};
use super::options::{MetadataOptions, RequestOptions};
use super::request::{Batch, Single};
use super::{Answered, Request};
use crate::catalog::Service;
use crate::settings::{EmptyRequestData, LateAnswer, Settings, StructMembers, UnknownFields};
use crate::value::Strictness;

/// Bytes to reserve for each entity: more than most services' rows need.
const BYTES_PER_ENTITY: usize = 256;

/// One entity.
pub(super) fn single(
    service: &Service,
    settings: &Settings,
    params: &Single<'_>,
    request: &Request<'_>,
) -> Result<Answered, ApiError> {
    let strictness = strictness(&params.request_options, settings);
    let entity =
        Entity::check(service, &params.join_key_map, &params.request_context_map, strictness)?;
    has_data(service)?;
    let entities = [entity];
    let found = found(service, settings, &params.request_options, &entities);
    let mut failed = Vec::new();
    let mut on_failure = match params.allow_partial_results {
        true => OnFailure::Note(&mut failed),
        false => OnFailure::Refuse,
    };
    let mut out = String::with_capacity(BYTES_PER_ENTITY * 2);
    out.push_str(r#"{"result":{"#);
    match request.wrong_count {
        true => out.push_str(r#""features":[]"#),
        false => write_features(service, &found, 0, &entities[0], &mut on_failure, &mut out)?,
    }
    out.push('}');
    let shape = Shape::Single { failed: &failed };
    let options = &params.request_options;
    let asked = asked(params.metadata_options, options, settings, request);
    let budget = options.latency_budget_ms;
    Ok(finish(service, asked, budget, &found, &shape, out))
}

/// Several entities. One error rejects all of them.
pub(super) fn batch(
    service: &Service,
    settings: &Settings,
    params: &Batch<'_>,
    request: &Request<'_>,
) -> Result<Answered, ApiError> {
    let size = params.request_data.len();
    if size > settings.max_batch_size {
        return Err(ApiError::batch_size(size, settings.max_batch_size));
    }
    if size == 0 && settings.empty_request_data == EmptyRequestData::Refuse {
        return Err(ApiError::empty_batch());
    }
    let strictness = strictness(&params.request_options, settings);
    let entities = params
        .request_data
        .iter()
        .map(|data| {
            Entity::check(service, &data.join_key_map, &data.request_context_map, strictness)
        })
        .collect::<Result<Vec<_>, _>>()?;
    has_data(service)?;
    let found = found(service, settings, &params.request_options, &entities);
    let answered = match request.wrong_count {
        true => &entities[..size.saturating_sub(1)],
        false => &entities[..],
    };
    let mut out = String::with_capacity(BYTES_PER_ENTITY * (size + 1));
    out.push_str(r#"{"result":["#);
    for (position, entity) in answered.iter().enumerate() {
        out.push_str(if position == 0 { "{" } else { ",{" });
        let mut on_failure = OnFailure::Refuse;
        write_features(service, &found, position, entity, &mut on_failure, &mut out)?;
        out.push('}');
    }
    out.push(']');
    let options = &params.request_options;
    let asked = asked(params.metadata_options, options, settings, request);
    let budget = options.latency_budget_ms;
    Ok(finish(service, asked, budget, &found, &Shape::Batch, out))
}

/// Adds the metadata and closes the answer.
fn finish(
    service: &Service,
    asked: Option<Asked>,
    latency_budget: Option<Duration>,
    found: &Found,
    shape: &Shape<'_>,
    mut out: String,
) -> Answered {
    if let Some(asked) = asked {
        write_metadata(service, &asked, found, shape, &mut out);
    }
    out.push('}');
    Answered { body: out.into(), entities: found.entities, latency_budget }
}

/// The requested metadata, if any.
fn asked(
    metadata_options: Option<MetadataOptions>,
    request_options: &RequestOptions,
    settings: &Settings,
    request: &Request<'_>,
) -> Option<Asked> {
    let empty = settings.empty_metadata_options;
    let options = MetadataOptions::resolve(metadata_options, empty)?;
    Some(Asked {
        options,
        reads_cache: request_options.read_from_cache != Some(false),
        elapsed: request.started.elapsed() + settings.latency,
    })
}

/// The rows in the online store; none if it takes too long and the setting is to answer with nulls.
fn found(
    service: &Service,
    settings: &Settings,
    options: &RequestOptions,
    entities: &[Entity<'_>],
) -> Found {
    let late = settings.is_late(options.latency_budget_ms);
    match settings.late_answer {
        LateAnswer::TimedOutFeatures if late => Found::timed_out(service, entities.len()),
        LateAnswer::TimedOutFeatures | LateAnswer::GatewayTimeout => {
            Found::look_up(service, entities)
        }
    }
}

fn strictness(options: &RequestOptions, settings: &Settings) -> ContextStrictness {
    let ignore = options
        .ignore_extra_request_context_fields
        .unwrap_or(settings.extra_request_context == UnknownFields::Ignore);
    let of = |ignore| match ignore {
        true => Strictness::IgnoreExtraFields,
        false => Strictness::RefuseExtraFields,
    };
    let members = match settings.extra_struct_members {
        StructMembers::AsContextKeys => of(ignore),
        StructMembers::Ignore => of(true),
        StructMembers::Refuse => of(false),
    };
    ContextStrictness { keys: of(ignore), members }
}

fn has_data(service: &Service) -> Result<(), ApiError> {
    match &service.unmaterialized {
        Some(view) => Err(ApiError::not_materialized(view)),
        None => Ok(()),
    }
}

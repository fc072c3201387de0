//! Checks one entity's join keys and request context against the service, in the order of Tecton's
//! error table.

use std::borrow::Cow;

use super::error::ApiError;
use crate::catalog::{Inputs, KeyValue, Service};
use crate::data_type::Field;
use crate::json::{Json, Object};
use crate::value::{Strictness, Value, read_json, to_cel};

const JOIN_KEY_MAP: &str = "joinKeyMap";
const REQUEST_CONTEXT_MAP: &str = "requestContextMap";

/// How extra members of the request context are treated.
#[derive(Clone, Copy)]
pub(super) struct ContextStrictness {
    /// For keys that the service does not have.
    pub(super) keys: Strictness,
    /// For members that a struct's type does not have.
    pub(super) members: Strictness,
}

/// An entity that has every key of its service, each of its type.
pub(super) struct Entity<'r> {
    /// In the order of the service's join keys.
    pub(super) join_keys: Vec<KeyValue<'r>>,
    /// Inputs of expressions; empty if the service has none.
    pub(super) inputs: Inputs,
}

impl<'r> Entity<'r> {
    pub(super) fn check(
        service: &Service,
        join_key_map: &'r Object<'r>,
        request_context_map: &Object<'_>,
        strictness: ContextStrictness,
    ) -> Result<Self, ApiError> {
        let join_keys = check_join_keys(&service.join_keys, join_key_map)?;
        let context = check_context(&service.request_context, request_context_map, strictness)?;
        let inputs = match service.computed.is_empty() {
            true => Inputs::default(),
            false => inputs(service, &join_keys, &context),
        };
        Ok(Self { join_keys, inputs })
    }
}

fn check_join_keys<'r>(
    keys: &[Field],
    Object(members): &'r Object<'r>,
) -> Result<Vec<KeyValue<'r>>, ApiError> {
    // A misspelled key is also a missing one; the message that helps is the unknown one.
    if let Some(name) = unknown(keys, members) {
        return Err(ApiError::unknown_join_key(name, keys));
    }
    keys.iter()
        .map(|key| {
            let json =
                member(members, &key.name).ok_or_else(|| ApiError::missing_join_key(&key.name))?;
            KeyValue::read(json, &key.data_type)
                .map_err(|_| ApiError::unexpected_type(&key.name, JOIN_KEY_MAP, &key.data_type))
        })
        .collect()
}

fn check_context(
    keys: &[Field],
    Object(members): &Object<'_>,
    strictness: ContextStrictness,
) -> Result<Vec<Value>, ApiError> {
    if strictness.keys == Strictness::RefuseExtraFields
        && let Some(name) = unknown(keys, members)
    {
        return Err(ApiError::unknown_context_key(name, keys));
    }
    keys.iter()
        .map(|key| {
            let json = member(members, &key.name)
                .ok_or_else(|| ApiError::missing_context_key(&key.name))?;
            read_json(json, &key.data_type, strictness.members).map_err(|_| {
                ApiError::unexpected_type(&key.name, REQUEST_CONTEXT_MAP, &key.data_type)
            })
        })
        .collect()
}

type Member<'r> = (Cow<'r, str>, Json<'r>);

fn unknown<'m>(keys: &[Field], members: &'m [Member<'_>]) -> Option<&'m str> {
    let is_known = |name: &str| keys.iter().any(|key| key.name == name);
    let names = members.iter().map(|(name, _)| name.as_ref());
    names.into_iter().find(|name| !is_known(name))
}

fn member<'m, 'r>(members: &'m [Member<'r>], name: &str) -> Option<&'m Json<'r>> {
    let found = members.iter().rev().find(|(other, _)| other == name);
    found.map(|(_, value)| value)
}

fn inputs(service: &Service, join_keys: &[KeyValue<'_>], context: &[Value]) -> Inputs {
    let join_keys = service.join_keys.iter().zip(join_keys).map(|(key, value)| {
        let value = match value {
            KeyValue::Null => cel::Value::Null,
            KeyValue::Int64(number) => cel::Value::Int(*number),
            KeyValue::Text(text) => cel::Value::from(*text),
        };
        (key.name.clone(), value)
    });
    let context = service.request_context.iter().zip(context);
    let context = context.map(|(key, value)| (key.name.clone(), to_cel(value)));
    Inputs(join_keys.chain(context).collect())
}

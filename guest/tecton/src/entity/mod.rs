//! From a row to its part of a request: join keys and request context in the names and the
//! spelling of Tecton's HTTP API.

use crate::config::Retrieval;
use crate::service::Service;
use beamlet_guest::config::kind;
use beamlet_guest::encode::{Encoder, Integers};
use beamlet_guest::slots::{Entity, Role, Slot, Slots, Template};
use beamlet_guest::{Batch, Datum, Error, ErrorKind, Input};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tecton takes an int64 as a decimal string.
pub(crate) const ENCODER: Encoder = Encoder { integers: Integers::Strings };

/// How a row becomes an entity.
pub(crate) struct EntityRule {
    slots: Slots,
    /// The request context that is the same for every row.
    constants: Map<String, Value>,
    context: Mutex<Context>,
}

/// What is known of the request context that the service takes.
enum Context {
    /// The service was not asked yet: values are sent in the type that the row has.
    Unknown(Arc<Template>),
    /// The service was asked; the error fails every row.
    Known(Result<Arc<Template>, Error>),
}

impl EntityRule {
    pub(crate) fn new(retrieval: Retrieval) -> Self {
        let Retrieval { entity_id, entity_row_fn, request_context_fn, .. } = retrieval;
        let slot = |role| move |(name, expression)| Slot::new(name, expression, role);
        let mut slots: Vec<Slot> = match entity_id.is_empty() {
            true => entity_row_fn.into_iter().map(slot(Role::JoinKey)).collect(),
            false => vec![Slot::field(entity_id, "entity_id")],
        };
        slots.extend(request_context_fn.into_iter().map(slot(Role::RequestContext)));
        let slots = Slots::new(slots);
        let constants = retrieval.request_context_map;
        let context = Mutex::new(match template(&slots, &constants, None) {
            Ok(template) => Context::Unknown(Arc::new(template)),
            Err(error) => Context::Known(Err(error)),
        });
        EntityRule { slots, constants, context }
    }

    /// Whether the types that the service takes have to be known before a row is asked for. They
    /// decide how an integer in the request context is spelled: as a number for a float64, as a
    /// string for an int64.
    pub(crate) fn wants_types(&self) -> bool {
        let slot = |slot: &Slot| {
            !slot.is_key()
                && !matches!(slot.expression.yields(), Some(Datum::Float(_) | Datum::Text(_)))
        };
        let constant =
            |value: &Value| !matches!(value, Value::Null | Value::Bool(_) | Value::String(_));
        matches!(*self.context(), Context::Unknown(_))
            && (self.slots.iter().any(slot) || self.constants.values().any(constant))
    }

    /// Learns the types that the service takes; without it, values are sent in the type that the
    /// row has.
    pub(crate) fn learn(&self, service: Option<&Service>) {
        let mut context = self.context();
        match (&*context, service) {
            (_, Some(service)) if service.is_wildcard() => {
                let message = "the feature service is a wildcard feature service: it answers with \
                               many rows for one entity, and a row is enriched with one; name \
                               another in `retrieval.feature_service_name`";
                *context = Context::Known(Err(Error::new(ErrorKind::InvalidInput, message)));
            }
            (_, Some(service)) => {
                let typed = template(&self.slots, &self.constants, Some(service));
                *context = Context::Known(typed.map(Arc::new));
            }
            (Context::Unknown(template), None) => {
                let template = template.clone();
                *context = Context::Known(Ok(template));
            }
            (Context::Known(_), None) => {}
        }
    }

    fn context(&self) -> MutexGuard<'_, Context> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn template(&self) -> Result<Arc<Template>, Error> {
        match &*self.context() {
            Context::Unknown(template) => Ok(template.clone()),
            Context::Known(template) => template.clone(),
        }
    }

    /// The fields that the rule reads.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        self.slots.inputs()
    }

    /// An entity of each row: the members of an object, without the braces.
    pub(crate) fn entities(&self, rows: &Batch) -> Result<Vec<Result<Entity, Error>>, Error> {
        self.slots.entities(rows, &*self.template()?, ENCODER)
    }

    /// The join keys and request context parameters that are computed.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter()
    }
}

/// An entity but for the values of its slots, with the types that the service takes, where they
/// are known.
///
/// # Errors
/// A constant cannot be converted to the type that the service takes.
fn template(
    slots: &Slots,
    constants: &Map<String, Value>,
    service: Option<&Service>,
) -> Result<Template, Error> {
    let of = |name: &str| {
        let wanted = service?.context.iter().find(|wanted| wanted.name == name);
        wanted.map(|wanted| wanted.of.clone())
    };
    let mut template = Template::default();
    template.text().push_str("\"joinKeyMap\":{");
    for (at, slot) in slots.iter().filter(|slot| slot.is_key()).enumerate() {
        template.member(&slot.name, at == 0);
        template.slot(None);
    }
    template.text().push('}');
    let context: Vec<&Slot> = slots.iter().filter(|slot| !slot.is_key()).collect();
    if context.is_empty() && constants.is_empty() {
        return Ok(template);
    }
    template.text().push_str(",\"requestContextMap\":{");
    for (at, (name, value)) in constants.iter().enumerate() {
        template.member(name, at == 0);
        match of(name) {
            None => ENCODER.constant(template.text(), value),
            Some(of) => ENCODER.json(template.text(), value, &of).map_err(|why| {
                let is = kind(value);
                let message = format!(
                    "the request context parameter `{name}` is {is} in \
                     `retrieval.request_context_map`; {why}"
                );
                Error::new(ErrorKind::InvalidInput, message)
            })?,
        }
    }
    for (at, slot) in (constants.len()..).zip(context) {
        template.member(&slot.name, at == 0);
        template.slot(of(&slot.name));
    }
    template.text().push('}');
    Ok(template)
}

#[cfg(test)]
mod tests;

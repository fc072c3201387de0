//! From a row to what it asks the store for: its join keys and its request context, as Tecton
//! wants them on the wire.

use crate::config::Retrieval;
use crate::expression::{Datum, Expression, Frame, RowResolver, Session};
use crate::service::Service;
use crate::wire;
use beamlet_guest::FieldType;
use beamlet_guest::config::kind;
use beamlet_guest::{Batch, Error, ErrorKind, Input};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What one row asks for.
pub struct Entity {
    /// The row's part of a request: members of an object, without the braces.
    pub(crate) members: String,
    /// Whether it has join keys, and all are null.
    pub(crate) null_key: bool,
}

/// How a row becomes an entity.
pub(crate) struct EntityRule {
    slots: Vec<Slot>,
    /// The request context that is the same for every row.
    constants: Map<String, Value>,
    /// Whether the one join key is a field of the same name.
    by_name: bool,
    context: Mutex<Context>,
}

/// A value of an entity that is computed for each row.
struct Slot {
    name: String,
    expression: Expression,
    is_key: bool,
}

/// What is known of the request context that the service takes.
enum Context {
    /// Nothing yet: values go out as the row has them.
    Unknown(Arc<Template>),
    /// It was asked.
    Known(Result<Arc<Template>, Error>),
}

/// An entity but for the values of its slots.
struct Template {
    /// What stands before the value of each slot, and the type that the service takes for it.
    before: Vec<(String, Option<FieldType>)>,
    /// What stands behind the last value.
    end: String,
}

impl EntityRule {
    pub(crate) fn new(retrieval: Retrieval) -> Self {
        let by_name = !retrieval.entity_id.is_empty();
        let keys = if by_name {
            let field = Expression::field(&retrieval.entity_id);
            vec![(retrieval.entity_id, field)]
        } else {
            retrieval.entity_row_fn
        };
        let slot = |is_key| {
            move |(name, expression): (String, Expression)| Slot { name, expression, is_key }
        };
        let context = retrieval.request_context_fn.into_iter().map(slot(false));
        let slots: Vec<Slot> = keys.into_iter().map(slot(true)).chain(context).collect();
        let constants = retrieval.request_context_map;
        let template = Template::new(&slots, &constants, None);
        let context = Mutex::new(match template {
            Ok(template) => Context::Unknown(Arc::new(template)),
            Err(error) => Context::Known(Err(error)),
        });
        EntityRule { slots, constants, by_name, context }
    }

    /// Whether the types that the service takes have to be known before a row is asked for: there
    /// is a request context, and what stands in it may be of another type than it looks.
    pub(crate) fn wants_types(&self) -> bool {
        let slot = |slot: &Slot| {
            !slot.is_key
                && !matches!(slot.expression.yields(), Some(Datum::Float(_) | Datum::Text(_)))
        };
        let constant =
            |value: &Value| !matches!(value, Value::Null | Value::Bool(_) | Value::String(_));
        matches!(*self.context(), Context::Unknown(_))
            && (self.slots.iter().any(slot) || self.constants.values().any(constant))
    }

    /// Learns the types that the service takes; without it, values go out as the row has them.
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
                let typed = Template::new(&self.slots, &self.constants, Some(service));
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
        let mut inputs: Vec<Input> = Vec::new();
        for read in self.slots.iter().flat_map(|slot| slot.expression.reads()) {
            match inputs.iter_mut().find(|input| input.name == read.name) {
                Some(input) => input.required |= read.required,
                None => inputs.push(Input { name: read.name.clone(), required: read.required }),
            }
        }
        inputs
    }

    /// An entity of each row.
    pub(crate) fn entities(&self, rows: &Batch) -> Result<Vec<Result<Entity, Error>>, Error> {
        let frames = self.slots.iter().map(|slot| {
            Frame::bind(slot.expression.reads(), rows).map_err(|field| self.no_field(slot, field))
        });
        let frames: Vec<Frame<'_>> = frames.collect::<Result<_, _>>()?;
        let resolvers: Vec<RowResolver<'_>> = frames.iter().map(RowResolver::new).collect();
        let sessions: Vec<Session<'_>> = resolvers.iter().map(Session::new).collect();
        let template = self.template()?;
        let before: usize = template.before.iter().map(|(before, _)| before.len()).sum();
        let capacity = before + template.end.len() + 24 * self.slots.len();
        Ok((0..rows.rows as usize)
            .map(|row| {
                sessions.iter().for_each(|session| session.go_to(row));
                self.entity(&sessions, &template, capacity)
            })
            .collect())
    }

    /// The entity of the row that the sessions are at.
    fn entity<'a>(
        &'a self,
        sessions: &[Session<'a>],
        template: &Template,
        capacity: usize,
    ) -> Result<Entity, Error> {
        let mut members = String::with_capacity(capacity);
        let (mut keys, mut nulls) = (0, 0);
        for ((slot, session), (before, of)) in self.slots.iter().zip(sessions).zip(&template.before)
        {
            members.push_str(before);
            let value =
                slot.expression.evaluate(session).map_err(|why| self.no_value(slot, &why))?;
            if slot.is_key {
                keys += 1;
                nulls += u32::from(value == Datum::Null);
                wire::push_key(&mut members, &value)
            } else if let Some(of) = of {
                wire::push_typed(&mut members, &value, of)
            } else {
                wire::push_context(&mut members, &value)
            }
            .map_err(|refused| self.refused(slot, &value, &refused))?;
        }
        members.push_str(&template.end);
        Ok(Entity { members, null_key: keys > 0 && keys == nulls })
    }

    fn no_field(&self, slot: &Slot, field: &str) -> Error {
        let why = if self.by_name && slot.is_key {
            "which is the entity_id".to_owned()
        } else {
            format!("which {} reads", slot.told())
        };
        Error::new(ErrorKind::InvalidInput, format!("the rows have no field `{field}`, {why}"))
    }

    fn no_value(&self, slot: &Slot, why: &str) -> Error {
        let source = slot.expression.source();
        let message = format!("{} has no value in this row: `{source}`: {why}", slot.told());
        Error::new(ErrorKind::InvalidInput, message)
    }

    fn refused(&self, slot: &Slot, value: &Datum<'_>, refused: &wire::Refused) -> Error {
        let (kind, why) = (value.kind(), refused.why());
        let message = if self.by_name && slot.is_key {
            format!("field `{}` is {kind}; {why}", slot.name)
        } else {
            format!("{} is {kind}: `{}`; {why}", slot.told(), slot.expression.source())
        };
        Error::new(ErrorKind::InvalidInput, message)
    }

    /// Each join key and request context parameter that is computed, with its expression.
    pub(crate) fn computed(&self) -> impl Iterator<Item = (&str, bool, &Expression)> {
        self.slots.iter().map(|slot| (slot.name.as_str(), slot.is_key, &slot.expression))
    }
}

impl Template {
    /// With the types that the service takes, where it is known.
    ///
    /// # Errors
    /// A constant is not of the type that the service takes for it.
    fn new(
        slots: &[Slot],
        constants: &Map<String, Value>,
        service: Option<&Service>,
    ) -> Result<Self, Error> {
        let of = |name: &str| {
            let wanted = service?.context.iter().find(|wanted| wanted.name == name);
            wanted.map(|wanted| wanted.of.clone())
        };
        let mut template = Template { before: Vec::new(), end: String::new() };
        template.end.push_str("\"joinKeyMap\":{");
        let (keys, context): (Vec<&Slot>, Vec<&Slot>) = slots.iter().partition(|slot| slot.is_key);
        for (at, slot) in keys.into_iter().enumerate() {
            template.member(at, &slot.name);
            template.slot(None);
        }
        template.end.push('}');
        if context.is_empty() && constants.is_empty() {
            return Ok(template);
        }
        template.end.push_str(",\"requestContextMap\":{");
        for (at, (name, value)) in constants.iter().enumerate() {
            template.member(at, name);
            match of(name) {
                None => template.end.push_str(&wire::constant(value.clone()).to_string()),
                Some(of) => wire::push_json(&mut template.end, value, &of).map_err(|refused| {
                    let (is, why) = (kind(value), refused.why());
                    let message = format!(
                        "the request context parameter `{name}` is {is} in \
                         `retrieval.request_context_map`; {why}"
                    );
                    Error::new(ErrorKind::InvalidInput, message)
                })?,
            }
        }
        for (at, slot) in (constants.len()..).zip(context) {
            template.member(at, &slot.name);
            template.slot(of(&slot.name));
        }
        template.end.push('}');
        Ok(template)
    }

    fn member(&mut self, at: usize, name: &str) {
        if at > 0 {
            self.end.push(',');
        }
        wire::push_string(&mut self.end, name);
        self.end.push(':');
    }

    /// Makes room for a value of that type.
    fn slot(&mut self, of: Option<FieldType>) {
        self.before.push((std::mem::take(&mut self.end), of));
    }
}

impl Slot {
    fn told(&self) -> String {
        let what = if self.is_key { "join key" } else { "request context parameter" };
        format!("the {what} `{}`", self.name)
    }
}

#[cfg(test)]
#[path = "entity_tests.rs"]
mod tests;

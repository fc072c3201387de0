//! From a row to what it asks the store for: its join keys and its request context, as Tecton
//! wants them on the wire.

use crate::config::Retrieval;
use crate::expression::{Datum, Expression, Frame, RowResolver, Session};
use crate::wire;
use beamlet_guest::{Batch, Error, ErrorKind, Input};
use serde_json::Value;

/// What one row asks for.
pub struct Entity {
    /// The row's part of a request: members of an object, without the braces.
    pub(crate) members: String,
    /// Whether it has join keys, and all are null.
    pub(crate) null_key: bool,
}

/// How a row becomes an entity: texts that are the same for every row, and values between them.
pub(crate) struct EntityRule {
    slots: Vec<Slot>,
    /// What stands behind the last value.
    end: String,
    /// Whether the one join key is a field of the same name.
    by_name: bool,
}

/// A value of an entity, and what stands before it.
struct Slot {
    before: String,
    name: String,
    expression: Expression,
    is_key: bool,
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
        let mut rule = EntityRule { slots: Vec::new(), end: String::new(), by_name };
        rule.object("\"joinKeyMap\":{", &[], keys, true);
        let constants: Vec<(String, String)> = retrieval
            .request_context_map
            .into_iter()
            .map(|(name, value)| (name, wire::constant(value).to_string()))
            .collect();
        if !constants.is_empty() || !retrieval.request_context_fn.is_empty() {
            let context = retrieval.request_context_fn;
            rule.object(",\"requestContextMap\":{", &constants, context, false);
        }
        rule
    }

    /// Adds an object: constants, then a slot for each expression.
    fn object(
        &mut self,
        open: &str,
        constants: &[(String, String)],
        expressions: Vec<(String, Expression)>,
        is_key: bool,
    ) {
        self.end.push_str(open);
        let mut first = true;
        let mut member = |end: &mut String, name: &str| {
            if !std::mem::take(&mut first) {
                end.push(',');
            }
            end.push_str(&Value::from(name).to_string());
            end.push(':');
        };
        for (name, value) in constants {
            member(&mut self.end, name);
            self.end.push_str(value);
        }
        for (name, expression) in expressions {
            member(&mut self.end, &name);
            let before = std::mem::take(&mut self.end);
            self.slots.push(Slot { before, name, expression, is_key });
        }
        self.end.push('}');
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
        let fixed = self.end.len() + self.slots.iter().map(|slot| slot.before.len()).sum::<usize>();
        let capacity = fixed + 24 * self.slots.len();
        Ok((0..rows.rows as usize)
            .map(|row| {
                sessions.iter().for_each(|session| session.go_to(row));
                self.entity(&sessions, capacity)
            })
            .collect())
    }

    /// The entity of the row that the sessions are at.
    fn entity<'a>(&'a self, sessions: &[Session<'a>], capacity: usize) -> Result<Entity, Error> {
        let mut members = String::with_capacity(capacity);
        let (mut keys, mut nulls) = (0, 0);
        for (slot, session) in self.slots.iter().zip(sessions) {
            members.push_str(&slot.before);
            let value =
                slot.expression.evaluate(session).map_err(|why| self.no_value(slot, &why))?;
            if slot.is_key {
                keys += 1;
                nulls += u32::from(value == Datum::Null);
                wire::push_key(&mut members, &value)
            } else {
                wire::push_context(&mut members, &value)
            }
            .map_err(|refused| self.refused(slot, &value, &refused))?;
        }
        members.push_str(&self.end);
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

impl Slot {
    fn told(&self) -> String {
        let what = if self.is_key { "join key" } else { "request context parameter" };
        format!("the {what} `{}`", self.name)
    }
}

#[cfg(test)]
#[path = "entity_tests.rs"]
mod tests;

//! From rows to entities: the values that a handler computes for each row, and the text of a
//! request that they are spliced into.
//!
//! A [`Slot`] is a join key or a request context parameter whose value an expression computes. A
//! [`Template`] is everything of an entity that is the same in every row. [`Slots::entities`]
//! splices one into the other; [`Slots::map`] gives the values alone, for stores whose requests
//! have another shape.

use crate::config::{Section, kind};
use crate::datum::Datum;
use crate::encode::{Encoder, NotEncoded, push_string};
use crate::expression::{Expression, Frame, RowResolver, Session};
use crate::{Batch, Error, ErrorKind, FieldType, Input};
use serde_json::{Map, Value};

/// What a slot's value is to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A part of the key that names the entity. A row whose join keys are all null has a null key.
    JoinKey,
    /// A value that the store computes with.
    RequestContext,
}

/// A value of an entity that is computed for each row.
#[derive(Debug)]
pub struct Slot {
    /// The name that the store knows it by.
    pub name: String,
    /// What computes it.
    pub expression: Expression,
    /// What it is to the store.
    pub role: Role,
    /// The key of the configuration that names the field, where the slot is that field.
    setting: Option<&'static str>,
}

impl Slot {
    /// A slot that an expression computes.
    pub fn new(name: impl Into<String>, expression: Expression, role: Role) -> Self {
        Slot { name: name.into(), expression, role, setting: None }
    }

    /// A join key that is the field of the same name. Errors name the field, and the key of the
    /// configuration that names it.
    pub fn field(name: impl Into<String>, setting: &'static str) -> Self {
        let name = name.into();
        let expression = Expression::field(&name);
        Slot { name, expression, role: Role::JoinKey, setting: Some(setting) }
    }

    /// Whether it is a join key.
    pub fn is_key(&self) -> bool {
        self.role == Role::JoinKey
    }

    fn describe(&self) -> String {
        let what = if self.is_key() { "join key" } else { "request context parameter" };
        format!("the {what} `{}`", self.name)
    }

    fn no_field(&self, field: &str) -> Error {
        let why = match self.setting {
            Some(setting) => format!("which is the {setting}"),
            None => format!("which {} reads", self.describe()),
        };
        invalid(format!("the rows have no field `{field}`, {why}"))
    }

    fn no_value(&self, why: &str) -> Error {
        let source = self.expression.source();
        invalid(format!("{} has no value in this row: `{source}`: {why}", self.describe()))
    }

    fn not_encoded(&self, value: &Datum<'_>, why: &NotEncoded) -> Error {
        let is = value.kind();
        invalid(match self.setting {
            Some(_) => format!("field `{}` is {is}; {why}", self.name),
            None => format!("{} is {is}: `{}`; {why}", self.describe(), self.expression.source()),
        })
    }
}

/// Everything of an entity but the values of its slots.
#[derive(Debug, Default)]
pub struct Template {
    /// The text before the value of each slot, and the type that the store takes for it.
    before: Vec<(String, Option<FieldType>)>,
    /// The text behind the last value.
    end: String,
}

impl Template {
    /// The text behind the last slot so far, to append to.
    pub fn text(&mut self) -> &mut String {
        &mut self.end
    }

    /// Appends the name of a member of a JSON object, and a comma before it where the object has
    /// members already.
    pub fn member(&mut self, name: &str, is_first: bool) {
        if !is_first {
            self.end.push(',');
        }
        push_string(&mut self.end, name);
        self.end.push(':');
    }

    /// Puts the next slot here. Its values are converted to the type, where it is known.
    pub fn slot(&mut self, of: Option<FieldType>) {
        self.before.push((std::mem::take(&mut self.end), of));
    }
}

/// What one row asks for.
#[derive(Debug)]
pub struct Entity {
    /// The row's part of a request: the template with the row's values.
    pub text: String,
    /// Whether it has join keys, and all are null.
    pub null_key: bool,
}

/// The values that are computed for each row.
#[derive(Debug)]
pub struct Slots(Vec<Slot>);

impl Slots {
    /// Slots in the order in which a [`Template`] has them.
    pub fn new(slots: Vec<Slot>) -> Self {
        Slots(slots)
    }

    /// The slots, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter()
    }

    /// The fields that the expressions read, for [`Handler::inputs`](crate::Handler::inputs).
    pub fn inputs(&self) -> Vec<Input> {
        let mut inputs: Vec<Input> = Vec::new();
        for read in self.0.iter().flat_map(|slot| slot.expression.reads()) {
            match inputs.iter_mut().find(|input| input.name == read.name) {
                Some(input) => input.required |= read.required,
                None => inputs.push(Input { name: read.name.clone(), required: read.required }),
            }
        }
        inputs
    }

    /// Makes something of each row's values. A row for which `make` fails fails alone.
    ///
    /// # Errors
    /// The batch has no column for a field that an expression reads.
    pub fn map<E>(
        &self,
        rows: &Batch,
        mut make: impl FnMut(&RowValues<'_, '_>) -> Result<E, Error>,
    ) -> Result<Vec<Result<E, Error>>, Error> {
        let frames = self.0.iter().map(|slot| {
            Frame::bind(slot.expression.reads(), rows).map_err(|field| slot.no_field(field))
        });
        let frames: Vec<Frame<'_>> = frames.collect::<Result<_, _>>()?;
        let resolvers: Vec<RowResolver<'_>> = frames.iter().map(RowResolver::new).collect();
        let sessions: Vec<Session<'_>> = resolvers.iter().map(Session::new).collect();
        let values = RowValues { slots: &self.0, sessions: &sessions };
        Ok((0..rows.rows as usize)
            .map(|row| {
                sessions.iter().for_each(|session| session.go_to(row));
                make(&values)
            })
            .collect())
    }

    /// An entity of each row: the template with the row's values. A row with a value that cannot
    /// be sent fails alone.
    ///
    /// # Errors
    /// The batch has no column for a field that an expression reads.
    pub fn entities(
        &self,
        rows: &Batch,
        template: &Template,
        encoder: Encoder,
    ) -> Result<Vec<Result<Entity, Error>>, Error> {
        let before: usize = template.before.iter().map(|(before, _)| before.len()).sum();
        let capacity = before + template.end.len() + 24 * self.0.len();
        self.map(rows, |values| {
            let mut text = String::with_capacity(capacity);
            let (mut keys, mut nulls) = (0, 0);
            for (at, (slot, (before, of))) in self.0.iter().zip(&template.before).enumerate() {
                text.push_str(before);
                let value = values.get(at)?;
                if slot.is_key() {
                    keys += 1;
                    nulls += u32::from(value == Datum::Null);
                }
                match of {
                    Some(of) => encoder.typed(&mut text, &value, of),
                    None if slot.is_key() => encoder.key(&mut text, &value),
                    None => encoder.value(&mut text, &value),
                }
                .map_err(|why| slot.not_encoded(&value, &why))?;
            }
            text.push_str(&template.end);
            Ok(Entity { text, null_key: keys > 0 && keys == nulls })
        })
    }
}

/// The values of one row's slots.
pub struct RowValues<'s, 'a> {
    slots: &'a [Slot],
    sessions: &'s [Session<'a>],
}

impl<'a> RowValues<'_, 'a> {
    /// The value of the slot at a position.
    ///
    /// # Errors
    /// The expression has no value in this row. The message names types, and never a value.
    pub fn get(&self, at: usize) -> Result<Datum<'a>, Error> {
        let slot = &self.slots[at];
        slot.expression.evaluate(&self.sessions[at]).map_err(|why| slot.no_value(&why))
    }
}

/// Reads an object of names and expressions. A wrong expression becomes a problem and is left out.
pub fn read_expressions(section: &Section<'_>) -> Vec<(String, Expression)> {
    let mut read = Vec::new();
    for (name, value) in section.entries() {
        match value.as_str().map(Expression::parse) {
            Some(Ok(expression)) => read.push((name.to_owned(), expression)),
            Some(Err(problems)) => {
                problems.into_iter().for_each(|why| section.problem(name, why));
            }
            None => {
                let is = kind(value);
                section.problem(name, format!("must be an expression in a string, is {is}"));
            }
        }
    }
    read
}

/// Reads an object of names and constants: any JSON but integers above the greatest int64.
pub fn read_constants(section: &Section<'_>) -> Map<String, Value> {
    let mut read = Map::new();
    for (name, value) in section.entries() {
        if has_uint64(value) {
            section.problem(name, "holds an integer above 9223372036854775807, the greatest int64");
        }
        read.insert(name.to_owned(), value.clone());
    }
    read
}

fn has_uint64(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_u64() && !number.is_i64(),
        Value::Array(list) => list.iter().any(has_uint64),
        Value::Object(map) => map.values().any(has_uint64),
        _ => false,
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::Integers;
    use crate::{Column, Values};

    fn rows() -> Batch {
        let column = |name: &str, values, nulls| Column { name: name.to_owned(), values, nulls };
        let users = Values::Strings(["Ann", "Bob", ""].into_iter().collect());
        let columns = vec![
            column("user", users, vec![2]),
            column("n", Values::Int64s(vec![1, 2, 0]), vec![2]),
        ];
        Batch { rows: 3, columns }
    }

    fn slot(name: &str, source: &str, role: Role) -> Slot {
        Slot::new(name, Expression::parse(source).unwrap(), role)
    }

    fn slots() -> Slots {
        Slots::new(vec![
            slot("user", "has(row.user) ? row.user.lowerAscii() : null", Role::JoinKey),
            slot("n", "has(row.n) ? row.n * 10 : null", Role::RequestContext),
        ])
    }

    #[test]
    fn values_are_spliced_into_the_template_as_the_store_takes_them() {
        let mut template = Template::default();
        template.text().push('{');
        template.member("user", true);
        template.slot(None);
        template.member("n", false);
        template.slot(Some(FieldType::Float64));
        template.text().push('}');
        let encoder = Encoder { integers: Integers::Numbers };
        let entities = slots().entities(&rows(), &template, encoder).unwrap();
        let entities: Vec<_> =
            entities.into_iter().map(|e| e.map(|e| (e.text, e.null_key)).unwrap()).collect();
        assert_eq!(
            entities,
            [
                (r#"{"user":"ann","n":10}"#.to_owned(), false),
                (r#"{"user":"bob","n":20}"#.to_owned(), false),
                (r#"{"user":null,"n":null}"#.to_owned(), true),
            ]
        );
    }

    #[test]
    fn a_store_with_requests_of_another_shape_gets_the_values_alone() {
        let slots = slots();
        let values =
            slots.map(&rows(), |values| Ok((values.get(0)?.kind(), values.get(1)?.kind())));
        let values: Vec<_> = values.unwrap().into_iter().map(Result::unwrap).collect();
        assert_eq!(values[0], ("a string", "an integer"));
        assert_eq!(values[2], ("null", "null"));
        assert_eq!(slots.inputs().len(), 2);
    }

    #[test]
    fn a_slot_that_is_a_field_is_named_as_the_configuration_names_it() {
        let slots = Slots::new(vec![Slot::field("absent", "entity_id")]);
        let error = slots.map(&rows(), |_| Ok(())).unwrap_err();
        assert_eq!(error.message, "the rows have no field `absent`, which is the entity_id");
    }
}

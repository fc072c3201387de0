//! What a handler asks of a row.

/// A field that [`Rows::project`](crate::Rows::project) shall bring.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name, as the row spells it.
    pub name: String,
    /// Whether a row without the field is an error; otherwise it is null.
    pub required: bool,
}

impl Field {
    /// A field that every row must have; its value may be null.
    pub fn required(name: impl Into<String>) -> Self {
        Self { name: name.into(), required: true }
    }

    /// A field that is null where a row does not have it.
    pub fn optional(name: impl Into<String>) -> Self {
        Self { name: name.into(), required: false }
    }
}

//! Columns of Rust values: the type of the values is the type of the column.

use super::cells::is_decimal;
use crate::{
    Blobs, BooleanLists, Column, FieldType, Float32Lists, Float64Lists, Int64Lists, StringLists,
    Texts, Values,
};
use serde::Serialize;
use std::borrow::Cow;

impl Column {
    /// A column of a value a row; `None` is null.
    ///
    /// ```
    /// use beamlet_guest::Column;
    /// use beamlet_guest::columns::{Decimal, Json, Timestamp};
    ///
    /// let year = Column::of("year", [Some(1998_i64), None]);
    /// assert_eq!(year.nulls, [1]);
    /// let embedding = Column::of("embedding", [Some(vec![0.25_f32, 0.5]), Some(vec![])]);
    /// let seen = Column::of("seen", [Some(Timestamp(1_700_000_000_000_000))]);
    /// let price = Column::of("price", [Decimal::new("12.50")]);
    /// let plane = Column::of("plane", [Some(Json(("A320", Some(180), None::<bool>)))]);
    /// ```
    pub fn of<T: ColumnValue>(
        name: impl Into<String>,
        values: impl IntoIterator<Item = Option<T>>,
    ) -> Column {
        let mut nulls = Vec::new();
        let mut list = T::List::default();
        for (row, value) in (0..).zip(values) {
            match value {
                Some(value) => value.push_to(&mut list),
                None => {
                    nulls.push(row);
                    T::push_null_to(&mut list);
                }
            }
        }
        Column { name: name.into(), values: T::values(list), nulls }
    }
}

/// A Rust type whose values make a column.
///
/// | Rust | column |
/// |---|---|
/// | `bool`, `i8` to `i64`, `f32`, `f64` | `boolean`, `int8` to `int64`, `float32`, `float64` |
/// | `&str`, `String`, `Cow<str>` | `string` |
/// | `&[u8]`, `Vec<u8>` | `bytes` |
/// | [`Date`], [`Timestamp`], [`Decimal`] | `date`, `timestamp`, `decimal` |
/// | slices and vectors of `bool`, `i64`, `f32`, `f64`, `&str` and `String` | `array<…>` of them |
/// | [`Json`] of anything serde serializes | `json`, and every `array<…>`, `map<string, …>` and `struct<…>` |
pub trait ColumnValue {
    /// The values so far.
    type List: Default;

    /// Appends the value.
    fn push_to(self, list: &mut Self::List);

    /// Appends a value that stands for null.
    fn push_null_to(list: &mut Self::List);

    /// The values of the column.
    fn values(list: Self::List) -> Values;

    /// The type of the column. A handler that declares a nested type for [`Json`] names it itself.
    fn field_type() -> FieldType;
}

/// A day since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub i32);

/// Microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp(pub i64);

/// A number in decimal notation, of any precision: `-12.50`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal<'a>(Cow<'a, str>);

impl<'a> Decimal<'a> {
    /// The number in a text: digits, perhaps with a sign before them and a point between them.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        is_decimal(&text).then_some(Decimal(text))
    }
}

/// Any value that serde serializes, as JSON. For a nested type, serialize its parts as the grammar
/// says: integers as numbers, structs as objects, dates as `2024-02-29`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// Types of one value a row.
macro_rules! flat {
    ($($value:ty => $list:ty, $case:ident, $of:expr, |$it:ident| $get:expr;)*) => {$(
        impl ColumnValue for $value {
            type List = Vec<$list>;

            fn push_to(self, list: &mut Self::List) {
                let $it = self;
                list.push($get);
            }

            fn push_null_to(list: &mut Self::List) {
                list.push(Default::default());
            }

            fn values(list: Self::List) -> Values {
                Values::$case(list)
            }

            fn field_type() -> FieldType {
                $of
            }
        }
    )*};
}

flat! {
    bool => bool, Booleans, FieldType::Boolean, |it| it;
    i8 => i8, Int8s, FieldType::Int8, |it| it;
    i16 => i16, Int16s, FieldType::Int16, |it| it;
    i32 => i32, Int32s, FieldType::Int32, |it| it;
    i64 => i64, Int64s, FieldType::Int64, |it| it;
    f32 => f32, Float32s, FieldType::Float32, |it| it;
    f64 => f64, Float64s, FieldType::Float64, |it| it;
    Date => i32, Dates, FieldType::Date, |it| it.0;
    Timestamp => i64, Timestamps, FieldType::Timestamp, |it| it.0;
}

/// Types that are stored one behind the other.
macro_rules! pushed {
    ($($value:ty => $list:ident, $case:ident, $of:expr, $null:expr;)*) => {$(
        impl ColumnValue for $value {
            type List = $list;

            fn push_to(self, list: &mut Self::List) {
                list.push(self.as_ref());
            }

            fn push_null_to(list: &mut Self::List) {
                list.push($null);
            }

            fn values(list: Self::List) -> Values {
                Values::$case(list)
            }

            fn field_type() -> FieldType {
                $of
            }
        }
    )*};
}

pushed! {
    &str => Texts, Strings, FieldType::String, "";
    String => Texts, Strings, FieldType::String, "";
    Cow<'_, str> => Texts, Strings, FieldType::String, "";
    Decimal<'_> => Texts, Decimals, FieldType::Decimal, "";
    &[u8] => Blobs, Bytes, FieldType::Bytes, &[];
    Vec<u8> => Blobs, Bytes, FieldType::Bytes, &[];
    &[bool] => BooleanLists, BooleanLists, FieldType::array(FieldType::Boolean), &[];
    Vec<bool> => BooleanLists, BooleanLists, FieldType::array(FieldType::Boolean), &[];
    &[i64] => Int64Lists, Int64Lists, FieldType::array(FieldType::Int64), &[];
    Vec<i64> => Int64Lists, Int64Lists, FieldType::array(FieldType::Int64), &[];
    &[f32] => Float32Lists, Float32Lists, FieldType::array(FieldType::Float32), &[];
    Vec<f32> => Float32Lists, Float32Lists, FieldType::array(FieldType::Float32), &[];
    &[f64] => Float64Lists, Float64Lists, FieldType::array(FieldType::Float64), &[];
    Vec<f64> => Float64Lists, Float64Lists, FieldType::array(FieldType::Float64), &[];
}

impl AsRef<str> for Decimal<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Lists of texts.
macro_rules! texts {
    ($($value:ty),*) => {$(
        impl ColumnValue for $value {
            type List = StringLists;

            fn push_to(self, list: &mut Self::List) {
                list.push(self);
            }

            fn push_null_to(list: &mut Self::List) {
                list.end();
            }

            fn values(list: Self::List) -> Values {
                Values::StringLists(list)
            }

            fn field_type() -> FieldType {
                FieldType::array(FieldType::String)
            }
        }
    )*};
}

texts!(&[&str], Vec<&str>, &[String], Vec<String>);

impl<T: Serialize> ColumnValue for Json<T> {
    type List = Texts;

    fn push_to(self, list: &mut Self::List) {
        // Only a map whose keys are no texts cannot be JSON.
        list.push(serde_json::to_string(&self.0).as_deref().unwrap_or("null"));
    }

    fn push_null_to(list: &mut Self::List) {
        list.push("null");
    }

    fn values(list: Self::List) -> Values {
        Values::Json(list)
    }

    fn field_type() -> FieldType {
        FieldType::Json
    }
}

#[cfg(test)]
mod tests {
    use super::super::cells::{Cell, column};
    use super::*;
    use serde_json::{Value, json};

    /// A column of one value and a null, of Rust values, and the same as JSON.
    fn native(of: &FieldType) -> (Column, Value) {
        fn two<T: ColumnValue>(value: T) -> Column {
            Column::of("f", [Some(value), None])
        }
        match of {
            FieldType::Boolean => (two(true), json!(true)),
            FieldType::Int8 => (two(-1_i8), json!(-1)),
            FieldType::Int16 => (two(-2_i16), json!(-2)),
            FieldType::Int32 => (two(-3_i32), json!(-3)),
            FieldType::Int64 => (two(-4_i64), json!(-4)),
            FieldType::Float32 => (two(0.5_f32), json!(0.5)),
            FieldType::Float64 => (two(0.25_f64), json!(0.25)),
            FieldType::String => (two("é"), json!("é")),
            FieldType::Bytes => (two(&[0_u8, 1][..]), json!("AAE=")),
            FieldType::Date => (two(Date(19_782)), json!("2024-02-29")),
            FieldType::Timestamp => (two(Timestamp(1)), json!("1970-01-01T00:00:00.000001Z")),
            FieldType::Decimal => (two(Decimal::new("-12.50").unwrap()), json!("-12.50")),
            FieldType::Json => (two(Json(json!({ "a": [1] }))), json!({ "a": [1] })),
            FieldType::Array(element) => match **element {
                FieldType::Boolean => (two(vec![true, false]), json!([true, false])),
                FieldType::Int64 => (two(vec![1_i64]), json!([1])),
                FieldType::Float32 => (two(vec![0.5_f32]), json!([0.5])),
                FieldType::Float64 => (two(vec![0.25_f64]), json!([0.25])),
                FieldType::String => (two(vec!["a", ""]), json!(["a", ""])),
                _ => (two(Json([["2024-02-29"]])), json!([["2024-02-29"]])),
            },
            FieldType::Map(_) => (two(Json(json!({ "k": null }))), json!({ "k": null })),
            FieldType::Struct(_) => (two(Json(json!({ "a": 1 }))), json!({ "a": 1 })),
        }
    }

    #[test]
    fn every_type_of_the_grammar_can_be_made_of_rust_values_and_of_json() {
        for of in [
            "boolean",
            "int8",
            "int16",
            "int32",
            "int64",
            "float32",
            "float64",
            "string",
            "bytes",
            "date",
            "timestamp",
            "decimal",
            "json",
            "array<boolean>",
            "array<int64>",
            "array<float32>",
            "array<float64>",
            "array<string>",
            "array<array<date>>",
            "map<string, int64>",
            "struct<a: int8>",
        ] {
            let of: FieldType = of.parse().unwrap();
            let (native, json) = native(&of);
            let cells = vec![Cell::from(&json), Cell::Null];
            let of_cells = column("f", &of, cells).unwrap();
            assert_eq!(format!("{native:?}"), format!("{of_cells:?}"), "{of}");
        }
    }

    #[test]
    fn a_column_says_its_own_type() {
        assert_eq!(Timestamp::field_type(), FieldType::Timestamp);
        assert_eq!(<Vec<f32>>::field_type().to_string(), "array<float32>");
        assert_eq!(<Cow<'_, str>>::field_type(), FieldType::String);
    }

    #[test]
    fn a_decimal_is_checked_when_it_is_made() {
        assert!(Decimal::new("12").is_some() && Decimal::new("-0.5".to_owned()).is_some());
        for text in ["", "-", "1e3", "1.", ".5", "+1", "NaN"] {
            assert_eq!(Decimal::new(text), None, "{text}");
        }
    }
}

//! What points in time and lengths of time have in common as values of CEL: they are numbers,
//! equal to and compared with their own kind alone, and can be added and subtracted.

use cel::ExecutionError;
use cel::common::value::Val;

/// Makes a value of a number that has a static [`Type`](cel::common::types::Type).
macro_rules! scalar {
    ($value:ident, $type:ident) => {
        impl Val for $value {
            fn get_type(&self) -> &Type {
                &$type
            }

            fn cel_type() -> &'static Type {
                &$type
            }

            fn as_adder<'b, 'v>(&'b self) -> Option<&'b (dyn Adder + 'v)>
            where
                Self: 'v,
            {
                Some(self)
            }

            fn as_subtractor<'b, 'v>(&'b self) -> Option<&'b (dyn Subtractor + 'v)>
            where
                Self: 'v,
            {
                Some(self)
            }

            fn as_comparer(&self) -> Option<&dyn Comparer> {
                Some(self)
            }

            fn equals(&self, other: &dyn Val) -> bool {
                other.downcast_ref::<$value>() == Some(self)
            }

            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
            where
                Self: 'v,
            {
                Box::new(*self)
            }

            fn as_any(&self) -> Option<&dyn Any> {
                Some(self)
            }
        }

        impl StaticVal for $value {}

        impl Comparer for $value {
            fn compare(&self, other: &dyn Val) -> Result<Ordering, ExecutionError> {
                let same = other.downcast_ref::<$value>();
                same.map(|other| self.cmp(other))
                    .ok_or_else(|| super::scalar::no_overload("_<_", self, other))
            }
        }
    };
}
pub(super) use scalar;

pub(super) fn no_overload(name: &str, left: &dyn Val, right: &dyn Val) -> ExecutionError {
    let types = [left, right].map(|value| value.get_type().name().to_owned());
    ExecutionError::no_such_overload(name, types.into())
}

pub(super) fn out_of_range(name: &str) -> ExecutionError {
    ExecutionError::function_error(name, "integer overflow")
}

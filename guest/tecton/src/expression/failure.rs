//! Why an expression has no value, in words that hold nothing of the row.

use cel::ExecutionError;

/// What went wrong, with types but without values.
#[expect(clippy::wildcard_enum_match_arm, reason = "the set is open")]
pub(super) fn told(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchOverload(overload) => {
            let types = overload.argument_types();
            let name = operator(overload.function());
            match (overload.is_member_function(), types) {
                (true, [target, arguments @ ..]) => {
                    format!("{target} has no {name}({})", arguments.join(", "))
                }
                _ if name.starts_with(char::is_alphabetic) && name != "in" => {
                    format!("{name}() does not take {}", types.join(" and "))
                }
                _ => format!("{name} does not take {}", types.join(" and ")),
            }
        }
        ExecutionError::UnsupportedBinaryOperator(name, left, right) => {
            format!("{name} does not take {} and {}", left.type_of(), right.type_of())
        }
        ExecutionError::FunctionError { function, message } => match message.as_str() {
            "integer overflow" => format!("the value is out of the range of {function}()"),
            _ => format!("{function}() does not take this value"),
        },
        ExecutionError::UnexpectedType { got, want } => format!("is {got} where {want} must be"),
        ExecutionError::NoSuchKey(_) => "a key is not in its map".to_owned(),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "a division by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number out of range".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "an index beyond the end of its list".to_owned(),
        ExecutionError::UndeclaredReference(name) => format!("unknown name `{name}`"),
        ExecutionError::DuplicateKey(_) => "a map with one key twice".to_owned(),
        ExecutionError::ValuesNotComparable(left, right) => {
            format!("{} and {} cannot be compared", left.type_of(), right.type_of())
        }
        ExecutionError::UnsupportedKeyType(key) => {
            format!("{} cannot be a key of a map", key.type_of())
        }
        _ => "it cannot be evaluated".to_owned(),
    }
}

/// An operator or a function as it is written.
fn operator(name: &str) -> &str {
    match name {
        "_[_]" => "[]",
        "_._" => "a selection",
        name => name.trim_matches(['_', '@']),
    }
}

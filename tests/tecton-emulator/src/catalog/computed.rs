//! Computed features: a CEL expression over the entity's join keys and request context, what
//! Tecton calls a realtime feature view.

use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Env, Program};

use super::Place;
use crate::data_type::DataType;
use crate::repository::RepositoryError;
use crate::value::{Value, from_cel, write_wire};

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A compiled expression and the type that its result must have.
#[derive(Debug)]
pub(crate) struct Computed {
    pub(crate) name: String,
    data_type: DataType,
    program: Program,
    /// The inputs that it reads.
    inputs: Vec<String>,
}

/// An expression has no result; the text says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) String);

impl Computed {
    /// Compiles; `inputs` are the names that the expression may use.
    pub(super) fn compile(
        name: String,
        data_type: &DataType,
        expression: &str,
        inputs: &[&str],
        place: &Place<'_>,
    ) -> Result<Self, RepositoryError> {
        let program = ENVIRONMENT
            .compile(expression)
            .map_err(|error| place.problem(format!("expression `{expression}`: {error}")))?;
        let mut used = Vec::new();
        free_names(program.expression(), &mut Vec::new(), &mut used);
        let is_type = |name: &str| ENVIRONMENT.types().find_type(name).is_some();
        used.retain(|name| !is_type(name));
        if let Some(unknown) = used.iter().find(|name| !inputs.contains(&name.as_str())) {
            return Err(place.problem(format!(
                "expression `{expression}` reads `{unknown}`, which is no join key and no \
                 request_context key of the service; it has [{}]",
                inputs.join(" ")
            )));
        }
        Ok(Self { name, data_type: data_type.clone(), program, inputs: used })
    }

    /// Appends the feature's JSON. An expression that fails on a null input gives null, because a
    /// row without an amount must not fail the whole batch.
    pub(crate) fn write(&self, inputs: &Inputs, out: &mut String) -> Result<(), Failure> {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        let mut has_null = false;
        for name in &self.inputs {
            let value = inputs.get(name);
            has_null |= value == cel::Value::Null;
            context.add_variable_from_value(name.as_str(), value);
        }
        let value = match self.program.execute(&context) {
            Ok(result) => from_cel(&result, &self.data_type).map_err(|_| {
                let found = result.type_of();
                Failure(format!("its result is {found}, not {}", self.data_type))
            })?,
            Err(_) if has_null => Value::Null,
            Err(error) => return Err(Failure(error.to_string())),
        };
        write_wire(&value, out);
        Ok(())
    }
}

/// The variables of one entity.
#[derive(Debug, Default)]
pub(crate) struct Inputs(pub(crate) Vec<(String, cel::Value)>);

impl Inputs {
    fn get(&self, name: &str) -> cel::Value {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map_or(cel::Value::Null, |(_, value)| value.clone())
    }
}

/// Collects the names that an expression reads, without those that it binds itself (`x` in
/// `list.map(x, x + 1)`).
fn free_names<'e>(expression: &'e IdedExpr, bound: &mut Vec<&'e str>, found: &mut Vec<String>) {
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) => {}
        Expr::Ident(name) => {
            let is_bound = bound.contains(&name.as_str());
            if !is_bound && !found.contains(name) {
                found.push(name.clone());
            }
        }
        Expr::Select(select) => free_names(&select.operand, bound, found),
        Expr::Call(call) => {
            for part in call.target.iter().map(|target| &**target).chain(&call.args) {
                free_names(part, bound, found);
            }
        }
        Expr::List(list) => {
            for element in &list.elements {
                free_names(element, bound, found);
            }
        }
        Expr::Map(map) => entry_names(map.entries.iter().map(|entry| &entry.expr), bound, found),
        Expr::Struct(fields) => {
            entry_names(fields.entries.iter().map(|entry| &entry.expr), bound, found);
        }
        Expr::Comprehension(comprehension) => {
            free_names(&comprehension.iter_range, bound, found);
            let before = bound.len();
            bound.push(&comprehension.iter_var);
            bound.extend(comprehension.iter_var2.as_deref());
            bound.push(&comprehension.accu_var);
            for part in [
                &comprehension.accu_init,
                &comprehension.loop_cond,
                &comprehension.loop_step,
                &comprehension.result,
            ] {
                free_names(part, bound, found);
            }
            bound.truncate(before);
        }
    }
}

fn entry_names<'e>(
    entries: impl Iterator<Item = &'e EntryExpr>,
    bound: &mut Vec<&'e str>,
    found: &mut Vec<String>,
) {
    for entry in entries {
        match entry {
            EntryExpr::StructField(field) => free_names(&field.value, bound, found),
            EntryExpr::MapEntry(entry) => {
                free_names(&entry.key, bound, found);
                free_names(&entry.value, bound, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::Repository;

    fn compile(expression: &str, data_type: &str) -> Result<Computed, RepositoryError> {
        let repository = Repository::new();
        let place = Place::of_repository(&repository);
        let data_type = data_type.parse().unwrap();
        Computed::compile("v.f".to_owned(), &data_type, expression, &["a", "b"], &place)
    }

    fn result(expression: &str, data_type: &str, a: cel::Value) -> Result<String, Failure> {
        let mut out = String::new();
        let inputs = Inputs(vec![("a".to_owned(), a)]);
        let computed = compile(expression, data_type).unwrap();
        computed.write(&inputs, &mut out)?;
        Ok(out)
    }

    #[test]
    fn a_result_is_written_in_the_features_type() {
        let five = cel::Value::Int(5);
        assert_eq!(result("a + 1", "int64", five.clone()).unwrap(), r#""6""#);
        assert_eq!(result("a > 3", "boolean", five.clone()).unwrap(), "true");
        assert_eq!(result("[a].map(x, x * 2)", "array<int64>", five).unwrap(), r#"["10"]"#);
    }

    #[test]
    fn a_failure_on_a_null_is_null_and_another_is_a_failure() {
        assert_eq!(result("1 / a", "int64", cel::Value::Null).unwrap(), "null");
        assert!(result("1 / a", "int64", cel::Value::Int(0)).is_err());
    }

    #[test]
    fn a_result_of_another_type_is_a_failure() {
        let failure = result("a", "int64", cel::Value::from("x")).unwrap_err();
        assert_eq!(failure.0, "its result is string, not int64");
    }

    #[test]
    fn a_name_that_the_service_lacks_is_refused_when_compiled() {
        let problem = compile("a + c", "int64").unwrap_err().to_string();
        assert!(problem.contains("reads `c`"), "{problem}");
        assert!(compile("[1].exists(c, c == a)", "boolean").is_ok());
        assert!(compile("a +", "int64").is_err());
    }
}

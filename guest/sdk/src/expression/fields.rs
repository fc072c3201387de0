//! The fields of the row that an expression reads: found when it is parsed, and bound to the columns
//! of a batch when it is evaluated.

use super::functions;
use crate::config::nearest;
use crate::datum::Datum;
use crate::{Batch, Column};
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue,
    SelectExpr, operators,
};

/// A field of the row that an expression reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The field's name.
    pub name: String,
    /// Whether it is read where no `has()` stands guard.
    pub required: bool,
}

/// The one variable that there is.
const ROW: &str = "row";
/// The first character of a name that stands for a field. No name in CEL can have it.
const MARK: char = '\u{e000}';
/// Names of types, which `type(x)` is compared with.
const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// The position of the field that a name stands for.
pub(super) fn position(name: &str) -> Option<usize> {
    name.strip_prefix(MARK)?.parse().ok()
}

/// The expression that reads the field at a position.
pub(super) fn field(at: usize) -> IdedExpr {
    IdedExpr { id: 0, expr: Expr::Ident(format!("{MARK}{at}")) }
}

/// Walks an expression, and replaces each `row.x` by a name for its position.
#[derive(Default)]
pub(super) struct FieldWalk {
    reads: Vec<Read>,
    problems: Vec<String>,
    /// FieldWalk that are present at this point of the walk, because `has()` was true.
    guarded: Vec<String>,
    /// Variables of the enclosing comprehensions.
    variables: Vec<String>,
}

impl FieldWalk {
    /// The fields, or every problem.
    pub(super) fn end(mut self) -> Result<Vec<Read>, Vec<String>> {
        if self.problems.is_empty() {
            return Ok(self.reads);
        }
        self.problems.dedup();
        Err(self.problems)
    }

    fn problem(&mut self, message: impl Into<String>) {
        self.problems.push(message.into());
    }

    /// Notes a field, and gives what reads it.
    fn read(&mut self, name: String, required: bool) -> Expr {
        let at = match self.reads.iter_mut().position(|read| read.name == name) {
            Some(at) => at,
            None => {
                self.reads.push(Read { name, required: false });
                self.reads.len() - 1
            }
        };
        self.reads[at].required |= required;
        field(at).expr
    }

    /// The same expression over the fields that it reads.
    pub(super) fn replace(&mut self, expr: IdedExpr) -> IdedExpr {
        IdedExpr { id: expr.id, expr: self.replaced(expr.expr) }
    }

    fn replaced(&mut self, expr: Expr) -> Expr {
        match expr {
            Expr::Ident(name) => {
                self.variable(&name);
                Expr::Ident(name)
            }
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(comprehension) => self.comprehension(*comprehension),
            Expr::List(mut list) => {
                list.elements = list.elements.into_iter().map(|e| self.replace(e)).collect();
                Expr::List(list)
            }
            Expr::Map(mut map) => {
                map.entries = map.entries.into_iter().map(|entry| self.entry(entry)).collect();
                Expr::Map(map)
            }
            Expr::Struct(message) => {
                let name = &message.type_name;
                self.problem(format!("cannot make a message `{name}`; a map is `{{\"x\": 1}}`"));
                Expr::Struct(message)
            }
            Expr::Literal(_) | Expr::Unspecified => expr,
        }
    }

    fn variable(&mut self, name: &str) {
        let known = name.starts_with('@') || TYPES.contains(&name);
        if known || self.variables.iter().any(|variable| variable == name) {
            return;
        }
        if name == ROW {
            self.problem(
                "uses `row` as a whole; only fields that are named, as `row.x`, are shown to the handler",
            );
        } else {
            self.problem(format!(
                "unknown variable `{name}`; an expression is over `row`, as in `row.{name}`"
            ));
        }
    }

    fn select(&mut self, select: SelectExpr) -> Expr {
        if !is_row(&select.operand) {
            let operand = Box::new(self.replace(*select.operand));
            return Expr::Select(SelectExpr { operand, ..select });
        }
        if select.test {
            // A field that is absent is shown as null.
            let field = IdedExpr { id: 0, expr: self.read(select.field, false) };
            let null = IdedExpr { id: 0, expr: Expr::Literal(LiteralValue::Null) };
            return call(operators::NOT_EQUALS, vec![field, null]);
        }
        let required = !self.guarded.contains(&select.field);
        self.read(select.field, required)
    }

    fn call(&mut self, mut call: CallExpr) -> Expr {
        if call.func_name == operators::INDEX && call.args.first().is_some_and(is_row) {
            let Some(Expr::Literal(LiteralValue::String(name))) = call.args.get(1).map(|a| &a.expr)
            else {
                self.problem(
                    "computes the name in `row[…]`; only fields that are named, as `row[\"x\"]`, are shown to the handler",
                );
                return Expr::Call(call);
            };
            let name = name.inner().to_owned();
            let required = !self.guarded.contains(&name);
            return self.read(name, required);
        }
        self.function(&call);
        if call.target.is_none() {
            call.func_name = functions::name_within(&call.func_name).to_owned();
        }
        let target = call.target.take().map(|target| Box::new(self.replace(*target)));
        let branch = match (call.func_name.as_str(), call.args.len()) {
            (operators::CONDITIONAL, 3) => {
                [Vec::new(), present(&call.args[0]), absent(&call.args[0])]
            }
            (operators::LOGICAL_AND, 2) => [Vec::new(), present(&call.args[0]), Vec::new()],
            (operators::LOGICAL_OR, 2) => [Vec::new(), absent(&call.args[0]), Vec::new()],
            _ => Default::default(),
        };
        let guards = branch.into_iter().chain(std::iter::repeat(Vec::new()));
        let args = call.args.into_iter().zip(guards).map(|(arg, guards)| {
            let outside = self.guarded.len();
            self.guarded.extend(guards);
            let arg = self.replace(arg);
            self.guarded.truncate(outside);
            arg
        });
        let args = args.collect();
        Expr::Call(CallExpr { target, args, ..call })
    }

    fn function(&mut self, call: &CallExpr) {
        let name = call.func_name.as_str();
        if functions::is_known(name) {
            return;
        }
        let known = functions::names();
        let hint = match nearest(name, &known) {
            Some(known) => format!("; did you mean `{known}`?"),
            None => String::new(),
        };
        self.problem(format!("unknown function `{name}`{hint}"));
    }

    fn comprehension(&mut self, c: ComprehensionExpr) -> Expr {
        let variables: Vec<String> =
            [Some(&c.iter_var), c.iter_var2.as_ref()].into_iter().flatten().cloned().collect();
        if variables.iter().any(|variable| variable == ROW) {
            self.problem("calls the variable of a macro `row`; name it otherwise");
        }
        let iter_range = self.replace(c.iter_range);
        let accu_init = self.replace(c.accu_init);
        let outside = self.variables.len();
        self.variables.push(c.accu_var.clone());
        let result = self.replace(c.result);
        self.variables.extend(variables);
        let loop_cond = self.replace(c.loop_cond);
        let loop_step = self.replace(c.loop_step);
        self.variables.truncate(outside);
        Expr::Comprehension(Box::new(ComprehensionExpr {
            iter_range,
            accu_init,
            loop_cond,
            loop_step,
            result,
            iter_var: c.iter_var,
            iter_var2: c.iter_var2,
            accu_var: c.accu_var,
        }))
    }

    fn entry(&mut self, entry: IdedEntryExpr) -> IdedEntryExpr {
        let expr = match entry.expr {
            EntryExpr::MapEntry(mut pair) => {
                pair.key = self.replace(pair.key);
                pair.value = self.replace(pair.value);
                EntryExpr::MapEntry(pair)
            }
            EntryExpr::StructField(mut field) => {
                field.value = self.replace(field.value);
                EntryExpr::StructField(field)
            }
        };
        IdedEntryExpr { id: entry.id, expr }
    }
}

fn call(name: &str, args: Vec<IdedExpr>) -> Expr {
    Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args })
}

fn is_row(expr: &IdedExpr) -> bool {
    matches!(&expr.expr, Expr::Ident(name) if name == ROW)
}

/// The fields that are there where the condition holds.
fn present(condition: &IdedExpr) -> Vec<String> {
    match &condition.expr {
        Expr::Select(select) if select.test && is_row(&select.operand) => {
            vec![select.field.clone()]
        }
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [a, b]) => [present(a), present(b)].concat(),
            (operators::LOGICAL_NOT, [a]) => absent(a),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The fields that are there where the condition does not hold.
fn absent(condition: &IdedExpr) -> Vec<String> {
    match &condition.expr {
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_OR, [a, b]) => [absent(a), absent(b)].concat(),
            (operators::LOGICAL_NOT, [a]) => present(a),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The columns of a batch that expressions read, in the order of their reads.
#[derive(Debug, Default)]
pub(crate) struct Frame<'a> {
    fields: Vec<Bound<'a>>,
}

#[derive(Debug)]
struct Bound<'a> {
    column: &'a Column,
    /// Empty where no value is null.
    nulls: Vec<bool>,
}

impl<'a> Frame<'a> {
    /// The columns of a batch; the error is a field that is not there.
    pub(crate) fn bind<'r>(reads: &'r [Read], rows: &'a Batch) -> Result<Self, &'r str> {
        let bind = |read: &'r Read| -> Result<Bound<'a>, &'r str> {
            let column = rows.column(&read.name).ok_or(read.name.as_str())?;
            let nulls = if column.nulls.is_empty() { Vec::new() } else { column.null_mask() };
            Ok(Bound { column, nulls })
        };
        Ok(Frame { fields: reads.iter().map(bind).collect::<Result<_, _>>()? })
    }
}

/// One row of a frame.
#[derive(Clone, Copy)]
pub(super) struct RowView<'a> {
    pub(super) frame: &'a Frame<'a>,
    pub(super) at: usize,
}

impl<'a> RowView<'a> {
    pub(super) fn is_null(self, field: usize) -> bool {
        self.frame.fields[field].nulls.get(self.at).copied().unwrap_or(false)
    }

    pub(super) fn get(self, field: usize) -> Datum<'a> {
        if self.is_null(field) {
            return Datum::Null;
        }
        Datum::of_column(self.frame.fields[field].column, self.at)
    }
}

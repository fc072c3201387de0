//! Expressions in CEL over a row: parsed at set-up, and evaluated for each row.
//!
//! A fast path evaluates expressions of common shapes. The interpreter of the `cel` crate evaluates
//! all others. Where both can, they have the same result.

mod fast_path;
mod fields;
mod functions;
mod interpreter;
mod time;

pub(crate) use fields::Frame;
pub use fields::Read;
pub(crate) use interpreter::{RowResolver, Session};

use crate::datum::Datum;
use cel::common::ast::{Expr, IdedExpr, operators};
use cel::parser::PrattParser;
use fast_path::FastPath;
use fields::FieldWalk;

/// An expression that has been parsed.
#[derive(Debug)]
pub struct Expression {
    source: String,
    /// Each `row.x` is replaced by a name that holds its position in `reads`.
    tree: IdedExpr,
    reads: Vec<Read>,
    /// The same, where its shape is a common one.
    fast_path: Option<FastPath>,
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// It is not CEL, or not an expression over `row`: every problem, for the end of a message, with its
    /// position where it has one.
    pub fn parse(source: &str) -> Result<Self, Vec<String>> {
        if source.trim().is_empty() {
            return Err(vec!["must not be empty; write an expression such as `row.x`".to_owned()]);
        }
        let tree =
            PrattParser::default().parse(source).map_err(|errors| syntax_errors(&errors.errors))?;
        let mut fields = FieldWalk::default();
        let tree = fields.replace(tree);
        let reads = fields.end()?;
        let fast_path = FastPath::of(&tree);
        let expression = Expression { source: source.to_owned(), tree, reads, fast_path };
        match expression.constant() {
            Some(Err(why)) => Err(vec![format!("fails for every row: {why}")]),
            _ => Ok(expression),
        }
    }

    /// The text that was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The fields that it reads.
    pub fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// The field of the same name, as an expression.
    pub fn field(name: &str) -> Self {
        Expression {
            source: format!("row[{name:?}]"),
            tree: fields::field(0),
            reads: vec![Read { name: name.to_owned(), required: true }],
            fast_path: Some(FastPath::Field(0)),
        }
    }

    /// Its value, where it is the same for every row. The error says why there is none.
    pub fn constant(&self) -> Option<Result<Datum<'static>, String>> {
        let frame = Frame::default();
        let resolver = RowResolver::new(&frame);
        let session = Session::new(&resolver);
        self.reads.is_empty().then(|| self.evaluate(&session).map(Datum::into_owned))
    }

    /// A value of the type of its results, where the expression alone shows that type.
    pub fn yields(&self) -> Option<Datum<'static>> {
        yields(&self.tree.expr)
    }

    /// Its value for the row that the session is at. The error says why there is none, and never
    /// shows a value of the row.
    pub(crate) fn evaluate<'a>(&'a self, session: &Session<'a>) -> Result<Datum<'a>, String> {
        if let Some(fast_path) = &self.fast_path
            && let Ok(value) = fast_path.evaluate(session.row())
        {
            return Ok(value);
        }
        session.interpret(&self.tree).map_err(|error| interpreter::describe(&error))
    }
}

fn yields(expression: &Expr) -> Option<Datum<'static>> {
    use operators::{
        CONDITIONAL, EQUALS, GREATER, GREATER_EQUALS, IN, LESS, LESS_EQUALS, LOGICAL_AND,
        LOGICAL_NOT, LOGICAL_OR, NOT_EQUALS,
    };
    let Expr::Call(call) = expression else { return None };
    match call.func_name.as_str() {
        EQUALS | NOT_EQUALS | LESS | LESS_EQUALS | GREATER | GREATER_EQUALS | IN | LOGICAL_AND
        | LOGICAL_OR | LOGICAL_NOT | "startsWith" | "endsWith" | "contains" => {
            Some(Datum::Boolean(true))
        }
        "double" => Some(Datum::Float(1.0)),
        "int" | "size" => Some(Datum::Integer(1)),
        "string" => Some(Datum::Text("".into())),
        CONDITIONAL => match call.args.as_slice() {
            [_, one, other] => {
                yields(&one.expr).filter(|of| yields(&other.expr).as_ref() == Some(of))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The errors of the parser. Only the first two: later ones are mostly consequences.
fn syntax_errors(errors: &[cel::ParseError]) -> Vec<String> {
    let mut messages: Vec<String> = errors.iter().map(syntax_error).collect();
    messages.dedup();
    messages.truncate(2);
    messages
}

/// The position and message of an error.
fn syntax_error(error: &cel::ParseError) -> String {
    let (line, column) = error.pos;
    let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
    match (line, column) {
        (..=0, _) => format!("is not CEL: {message}"),
        (1, column) => format!("is not CEL: at column {column}: {message}"),
        (line, column) => format!("is not CEL: at line {line}, column {column}: {message}"),
    }
}

#[cfg(test)]
mod tests;

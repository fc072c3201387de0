//! Expressions in CEL over a row: from their text, read at set-up, to a value for each row.
//!
//! Common shapes are evaluated by a few operators of our own ([`fast_path`]); whatever those do not
//! cover goes to the interpreter of the `cel` crate, with the same result.

mod fast_path;
mod fields;
mod functions;
mod interpreter;
mod row;
mod time;

pub use fields::Read;
pub(crate) use interpreter::{RowResolver, Session};
pub(crate) use row::Frame;

use crate::datum::Datum;
use cel::common::ast::{Expr, IdedExpr, operators};
use cel::parser::PrattParser;
use fast_path::FastPath;
use fields::Fields;

/// An expression that has been read.
#[derive(Debug)]
pub struct Expression {
    source: String,
    /// With each `row.x` replaced by a name that tells its position in `reads`.
    tree: IdedExpr,
    reads: Vec<Read>,
    /// The same, where its shape is a common one.
    fast_path: Option<FastPath>,
}

impl Expression {
    /// Reads an expression; the errors tell, for after the name of its key, what is wrong.
    ///
    /// # Errors
    /// It is no CEL, or not one over `row`: every problem, with its position where it has one.
    pub fn parse(source: &str) -> Result<Self, Vec<String>> {
        if source.trim().is_empty() {
            return Err(vec!["must not be empty; write an expression such as `row.x`".to_owned()]);
        }
        let tree =
            PrattParser::default().parse(source).map_err(|errors| syntax_errors(&errors.errors))?;
        let mut fields = Fields::default();
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

    /// Its value, where it is the same for every row; the error tells why it has none.
    pub fn constant(&self) -> Option<Result<Datum<'static>, String>> {
        let frame = Frame::default();
        let resolver = RowResolver::new(&frame);
        let session = Session::new(&resolver);
        self.reads.is_empty().then(|| self.evaluate(&session).map(Datum::into_owned))
    }

    /// A value of the type that it yields, where that is the same for every row and shows in what
    /// is written.
    pub fn yields(&self) -> Option<Datum<'static>> {
        yields(&self.tree.expr)
    }

    /// Its value for the row that the session is at; the error tells why there is none, and
    /// never what the row holds.
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

/// What the parser found. Behind the first errors it is but guessing.
fn syntax_errors(errors: &[cel::ParseError]) -> Vec<String> {
    let mut told: Vec<String> = errors.iter().map(syntax_error).collect();
    told.dedup();
    told.truncate(2);
    told
}

/// Position and message of what the parser found.
fn syntax_error(error: &cel::ParseError) -> String {
    let (line, column) = error.pos;
    let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
    match (line, column) {
        (..=0, _) => format!("is no CEL: {message}"),
        (1, column) => format!("is no CEL: at column {column}: {message}"),
        (line, column) => format!("is no CEL: at line {line}, column {column}: {message}"),
    }
}

#[cfg(test)]
mod tests;

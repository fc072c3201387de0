//! Common shapes of expressions, evaluated without the interpreter: fields, constants, conditions,
//! and the functions that keys are most often made with.
//!
//! No case here is an error: where operands are not scalars of the expected types, the interpreter
//! evaluates the expression, and reports errors.

use super::fields::{self, RowView};
use crate::datum::Datum;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};
use std::borrow::Cow;

/// The operands are not of the expected types: the interpreter has to evaluate the expression.
#[derive(Debug)]
pub(super) struct NotScalar;

type Scalar<'a> = Result<Datum<'a>, NotScalar>;

/// An expression of a common shape.
#[derive(Debug)]
pub(super) enum FastPath {
    Field(usize),
    Constant(Datum<'static>),
    /// The concatenation of texts.
    Concat(Vec<FastPath>),
    Change(Change, Box<FastPath>),
    Test(Test, Box<FastPath>, String),
    Equal(Box<FastPath>, Box<FastPath>),
    Not(Box<FastPath>),
    And(Box<FastPath>, Box<FastPath>),
    Or(Box<FastPath>, Box<FastPath>),
    If(Box<[FastPath; 3]>),
}

/// One value made of another.
#[derive(Debug)]
pub(super) enum Change {
    Lower,
    Upper,
    Trim,
    Replace(String, String),
    /// `split(separator)[at]`.
    Piece(String, usize),
    /// From one code point to before another, or to the end.
    Substring(usize, Option<usize>),
    ToText,
    ToInteger,
}

/// A question about a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Test {
    StartsWith,
    EndsWith,
    Contains,
}

impl FastPath {
    /// The expression, where its shape is a common one.
    pub(super) fn of(tree: &IdedExpr) -> Option<FastPath> {
        match &tree.expr {
            Expr::Ident(name) => fields::position(name).map(FastPath::Field),
            Expr::Literal(literal) => constant(literal).map(FastPath::Constant),
            Expr::Call(call) => of_call(call),
            _ => None,
        }
    }

    pub(super) fn evaluate<'a>(&'a self, row: RowView<'a>) -> Scalar<'a> {
        Ok(match self {
            FastPath::Field(at) => row.get(*at),
            FastPath::Constant(Datum::Text(text)) => Datum::Text(Cow::Borrowed(text)),
            FastPath::Constant(value) => value.clone(),
            FastPath::Concat(parts) => {
                let mut whole = String::with_capacity(32);
                for part in parts {
                    whole.push_str(&part.text(row)?);
                }
                Datum::Text(whole.into())
            }
            FastPath::Change(change, of) => change.apply(of.evaluate(row)?)?,
            FastPath::Test(test, of, with) => Datum::Boolean(test.holds(&of.text(row)?, with)),
            FastPath::Equal(left, right) => Datum::Boolean(left.equals(right, row)?),
            FastPath::Not(of) => Datum::Boolean(!of.boolean(row)?),
            FastPath::And(left, right) => Datum::Boolean(left.boolean(row)? && right.boolean(row)?),
            FastPath::Or(left, right) => Datum::Boolean(left.boolean(row)? || right.boolean(row)?),
            FastPath::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                let branch = if condition.boolean(row)? { then } else { otherwise };
                branch.evaluate(row)?
            }
        })
    }

    fn text<'a>(&'a self, row: RowView<'a>) -> Result<Cow<'a, str>, NotScalar> {
        match self.evaluate(row)? {
            Datum::Text(text) => Ok(text),
            _ => Err(NotScalar),
        }
    }

    fn boolean(&self, row: RowView<'_>) -> Result<bool, NotScalar> {
        match self.evaluate(row)? {
            Datum::Boolean(value) => Ok(value),
            _ => Err(NotScalar),
        }
    }

    fn equals(&self, other: &FastPath, row: RowView<'_>) -> Result<bool, NotScalar> {
        // Checking for null is cheaper than reading the value.
        if let (FastPath::Field(at), FastPath::Constant(Datum::Null)) = (self, other) {
            return Ok(row.is_null(*at) || row.get(*at) == Datum::Null);
        }
        match (self.evaluate(row)?, other.evaluate(row)?) {
            (Datum::Text(left), Datum::Text(right)) => Ok(left == right),
            (Datum::Integer(left), Datum::Integer(right)) => Ok(left == right),
            (Datum::Boolean(left), Datum::Boolean(right)) => Ok(left == right),
            (Datum::Null, Datum::Null) => Ok(true),
            _ => Err(NotScalar),
        }
    }
}

impl Change {
    fn apply(&self, value: Datum<'_>) -> Scalar<'static> {
        let text = match (self, value) {
            (Change::ToText | Change::ToInteger, Datum::Integer(value)) => {
                return Ok(match self {
                    Change::ToText => {
                        Datum::Text(itoa::Buffer::new().format(value).to_owned().into())
                    }
                    _ => Datum::Integer(value),
                });
            }
            (_, Datum::Text(text)) => text,
            _ => return Err(NotScalar),
        };
        let changed = match self {
            Change::Lower => text.to_ascii_lowercase(),
            Change::Upper => text.to_ascii_uppercase(),
            Change::Trim => text.trim().to_owned(),
            Change::Replace(from, to) => text.replace(from, to),
            Change::Piece(separator, at) => {
                text.split(separator).nth(*at).ok_or(NotScalar)?.to_owned()
            }
            Change::Substring(from, to) => {
                substring(&text, *from, *to).ok_or(NotScalar)?.to_owned()
            }
            Change::ToText => text.into_owned(),
            Change::ToInteger => {
                return text.parse().map(Datum::Integer).map_err(|_| NotScalar);
            }
        };
        Ok(Datum::Text(changed.into()))
    }
}

/// The part between two positions, in code points; both must be there.
fn substring(text: &str, from: usize, to: Option<usize>) -> Option<&str> {
    let mut bounds = text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len()));
    let start = bounds.nth(from)?;
    let end = match to {
        None => text.len(),
        Some(to) if to == from => start,
        Some(to) => bounds.nth(to.checked_sub(from)? - 1)?,
    };
    text.get(start..end)
}

impl Test {
    fn holds(self, text: &str, with: &str) -> bool {
        match self {
            Test::StartsWith => text.starts_with(with),
            Test::EndsWith => text.ends_with(with),
            Test::Contains => text.contains(with),
        }
    }
}

fn constant(literal: &LiteralValue) -> Option<Datum<'static>> {
    Some(match literal {
        LiteralValue::Boolean(value) => Datum::Boolean(*value.inner()),
        LiteralValue::Int(value) => Datum::Integer(*value.inner()),
        LiteralValue::Double(value) => Datum::Float(*value.inner()),
        LiteralValue::String(text) => Datum::Text(text.inner().to_owned().into()),
        LiteralValue::Null => Datum::Null,
        LiteralValue::Bytes(_) | LiteralValue::UInt(_) => return None,
    })
}

/// The text of a literal.
fn text(expr: &IdedExpr) -> Option<String> {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner().to_owned()),
        _ => None,
    }
}

/// The position that a literal gives.
fn position(expr: &IdedExpr) -> Option<usize> {
    match &expr.expr {
        Expr::Literal(LiteralValue::Int(value)) => usize::try_from(*value.inner()).ok(),
        _ => None,
    }
}

fn of_call(call: &CallExpr) -> Option<FastPath> {
    let boxed = |expr| FastPath::of(expr).map(Box::new);
    let change = |change, expr| Some(FastPath::Change(change, boxed(expr)?));
    let test = |test, expr, with| Some(FastPath::Test(test, boxed(expr)?, text(with)?));
    let name = call.func_name.as_str();
    Some(match (&call.target, call.args.as_slice()) {
        (None, [condition, then, otherwise]) if name == operators::CONDITIONAL => {
            let parts = [FastPath::of(condition)?, FastPath::of(then)?, FastPath::of(otherwise)?];
            FastPath::If(Box::new(parts))
        }
        (None, [left, right]) => match name {
            operators::ADD => concat(FastPath::of(left)?, FastPath::of(right)?),
            operators::EQUALS => FastPath::Equal(boxed(left)?, boxed(right)?),
            operators::NOT_EQUALS => {
                FastPath::Not(Box::new(FastPath::Equal(boxed(left)?, boxed(right)?)))
            }
            operators::LOGICAL_AND => FastPath::And(boxed(left)?, boxed(right)?),
            operators::LOGICAL_OR => FastPath::Or(boxed(left)?, boxed(right)?),
            operators::INDEX => piece(left, right)?,
            _ => return None,
        },
        (None, [of]) => match name {
            operators::LOGICAL_NOT => FastPath::Not(boxed(of)?),
            "string" => change(Change::ToText, of)?,
            "int" => change(Change::ToInteger, of)?,
            _ => return None,
        },
        (Some(of), []) => match name {
            "lowerAscii" => change(Change::Lower, of)?,
            "upperAscii" => change(Change::Upper, of)?,
            "trim" => change(Change::Trim, of)?,
            _ => return None,
        },
        (Some(of), [with]) => match name {
            "startsWith" => test(Test::StartsWith, of, with)?,
            "endsWith" => test(Test::EndsWith, of, with)?,
            "contains" => test(Test::Contains, of, with)?,
            "substring" => change(Change::Substring(position(with)?, None), of)?,
            _ => return None,
        },
        (Some(of), [one, two]) => match name {
            "replace" => change(Change::Replace(text(one)?, text(two)?), of)?,
            "substring" => change(Change::Substring(position(one)?, Some(position(two)?)), of)?,
            _ => return None,
        },
        _ => return None,
    })
}

/// `x.split(separator)[at]`.
fn piece(list: &IdedExpr, at: &IdedExpr) -> Option<FastPath> {
    let Expr::Call(split) = &list.expr else { return None };
    let (Some(of), [separator], "split") =
        (&split.target, split.args.as_slice(), split.func_name.as_str())
    else {
        return None;
    };
    let separator = text(separator).filter(|separator| !separator.is_empty())?;
    let change = Change::Piece(separator, position(at)?);
    Some(FastPath::Change(change, Box::new(FastPath::of(of)?)))
}

/// Chains of `+` become one list.
fn concat(left: FastPath, right: FastPath) -> FastPath {
    let mut parts = match left {
        FastPath::Concat(parts) => parts,
        other => vec![other],
    };
    parts.push(right);
    FastPath::Concat(parts)
}

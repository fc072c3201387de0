//! The types of fields, as text.
//!
//! ```text
//! type   = "boolean" | "int8" | "int16" | "int32" | "int64" | "float32" | "float64" | "string"
//!        | "bytes" | "date" | "timestamp" | "decimal" | "json"
//!        | "array<" type ">" | "map<string, " type ">" | "struct<" member {", " member} ">"
//! member = name ": " type
//! name   = any text without  < > , : "  and without space at its ends | a JSON string
//! ```
//!
//! Space between the parts does not matter. A type nests at most [`MAX_DEPTH`] deep.

use std::fmt;
use std::str::FromStr;

/// How deep a type may nest, so that no text overflows the stack of a parser.
pub const MAX_DEPTH: usize = 64;

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// `true` or `false`.
    Boolean,
    /// A signed integer of 8 bits.
    Int8,
    /// A signed integer of 16 bits.
    Int16,
    /// A signed integer of 32 bits.
    Int32,
    /// A signed integer of 64 bits.
    Int64,
    /// A float of 32 bits.
    Float32,
    /// A float of 64 bits.
    Float64,
    /// Unicode text.
    String,
    /// Bytes; in JSON, base64 with padding (RFC 4648, section 4).
    Bytes,
    /// A day; in JSON, `2024-02-29`.
    Date,
    /// A moment in microseconds since the Unix epoch, UTC; in JSON, RFC 3339.
    Timestamp,
    /// A number in decimal notation, of any precision; in JSON, a string such as `-12.50`.
    Decimal,
    /// Any JSON value, for values that fit no other type.
    Json,
    /// A list. Its elements may be null.
    Array(Box<FieldType>),
    /// Keys that are strings, and values of one type, which may be null.
    Map(Box<FieldType>),
    /// Named members, each of which may be null.
    Struct(Vec<Member>),
}

/// A name with its type: a member of a struct, written `name: type`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// The name: unique in its struct.
    pub name: String,
    /// The type.
    pub of: FieldType,
}

/// A text is no type: where, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no type: expected {expected} at character {position}")]
pub struct TypeError {
    /// The whole text, or its beginning where it is long.
    pub text: String,
    /// What was expected.
    pub expected: &'static str,
    /// Where, in characters from 1.
    pub position: usize,
}

/// The types without parts, by their names.
const SIMPLE: [(&str, FieldType); 13] = [
    ("boolean", FieldType::Boolean),
    ("int8", FieldType::Int8),
    ("int16", FieldType::Int16),
    ("int32", FieldType::Int32),
    ("int64", FieldType::Int64),
    ("float32", FieldType::Float32),
    ("float64", FieldType::Float64),
    ("string", FieldType::String),
    ("bytes", FieldType::Bytes),
    ("date", FieldType::Date),
    ("timestamp", FieldType::Timestamp),
    ("decimal", FieldType::Decimal),
    ("json", FieldType::Json),
];

/// What a type may be, for messages.
pub const EXPECTED: &str = "one of boolean, int8, int16, int32, int64, float32, float64, string, \
                            bytes, date, timestamp, decimal, json, array<…>, map<string, …>, \
                            struct<name: …>";

impl FieldType {
    /// A list of such elements.
    pub fn array(element: FieldType) -> Self {
        FieldType::Array(Box::new(element))
    }

    /// A map from strings to such values.
    pub fn map(value: FieldType) -> Self {
        FieldType::Map(Box::new(value))
    }

    /// Whether a field of this type may come as values of the type `values`: of the same type, or, for
    /// lists, maps and structs, as JSON texts, as a list with a null in it has no other form.
    pub fn may_come_as(&self, values: &FieldType) -> bool {
        let has_parts =
            matches!(self, FieldType::Array(_) | FieldType::Map(_) | FieldType::Struct(_));
        self == values || (has_parts && *values == FieldType::Json)
    }
}

impl Member {
    /// A member of that name and type.
    pub fn new(name: impl Into<String>, of: FieldType) -> Self {
        Member { name: name.into(), of }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldType::Array(element) => write!(f, "array<{element}>"),
            FieldType::Map(value) => write!(f, "map<string, {value}>"),
            FieldType::Struct(members) => {
                f.write_str("struct<")?;
                for (at, member) in members.iter().enumerate() {
                    write!(f, "{}{member}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str(">")
            }
            simple => {
                let name = SIMPLE.iter().find(|(_, of)| of == simple).map(|(name, _)| *name);
                f.write_str(name.unwrap_or_default())
            }
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_str();
        let is_plain = !name.is_empty()
            && name.trim() == name
            && !name.contains(|c: char| matches!(c, '<' | '>' | ',' | ':' | '"') || c.is_control());
        match is_plain {
            true => write!(f, "{name}: {}", self.of),
            false => write!(f, "{}: {}", Quoted(name), self.of),
        }
    }
}

/// A text as a JSON string.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                c if c.is_control() && (c as u32) < 0x1_0000 => write!(f, "\\u{:04x}", c as u32)?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

impl FromStr for FieldType {
    type Err = TypeError;

    fn from_str(text: &str) -> Result<Self, TypeError> {
        let mut parser = Parser { text, rest: text };
        let of = parser.field_type(0)?;
        parser.end()?;
        Ok(of)
    }
}

impl FromStr for Member {
    type Err = TypeError;

    fn from_str(text: &str) -> Result<Self, TypeError> {
        let mut parser = Parser { text, rest: text };
        let member = parser.member(0)?;
        parser.end()?;
        Ok(member)
    }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn field_type(&mut self, depth: usize) -> Result<FieldType, TypeError> {
        self.skip_space();
        if depth > MAX_DEPTH {
            return Err(self.expected("at most 64 levels of nesting"));
        }
        let start = self.rest;
        let end = self.rest.find(['<', '>', ',']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word.trim_end() {
            "array" => {
                self.symbol('<', "`<` and the type of the elements")?;
                let element = self.field_type(depth + 1)?;
                self.symbol('>', "`>`")?;
                Ok(FieldType::array(element))
            }
            "map" => {
                self.symbol('<', "`<string, ` and the type of the values")?;
                self.skip_space();
                self.rest = self
                    .rest
                    .strip_prefix("string")
                    .ok_or_else(|| self.expected("string, the only type of a map's keys"))?;
                self.symbol(',', "`,` and the type of the values")?;
                let value = self.field_type(depth + 1)?;
                self.symbol('>', "`>`")?;
                Ok(FieldType::map(value))
            }
            "struct" => {
                self.symbol('<', "`<` and the members")?;
                Ok(FieldType::Struct(self.members(depth + 1)?))
            }
            name => match SIMPLE.iter().find(|(simple, _)| *simple == name) {
                Some((_, of)) => Ok(of.clone()),
                None => {
                    self.rest = start;
                    Err(self.expected(EXPECTED))
                }
            },
        }
    }

    /// The members of a struct, to its closing `>`.
    fn members(&mut self, depth: usize) -> Result<Vec<Member>, TypeError> {
        let mut members: Vec<Member> = Vec::new();
        loop {
            self.skip_space();
            let start = self.rest;
            let member = self.member(depth)?;
            if members.iter().any(|other| other.name == member.name) {
                self.rest = start;
                return Err(self.expected("a member of another name"));
            }
            members.push(member);
            self.skip_space();
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => {
                    self.symbol('>', "`,` or `>`")?;
                    return Ok(members);
                }
            }
        }
    }

    fn member(&mut self, depth: usize) -> Result<Member, TypeError> {
        self.skip_space();
        let name = match self.rest.strip_prefix('"') {
            Some(rest) => {
                let (name, rest) = unquoted(rest)
                    .ok_or_else(|| self.expected("a name that is a whole JSON string"))?;
                self.rest = rest;
                name
            }
            None => {
                let end = self.rest.find(['<', '>', ',', ':', '"']).unwrap_or(self.rest.len());
                let (name, rest) = self.rest.split_at(end);
                if name.trim().is_empty() {
                    return Err(self.expected("a name"));
                }
                self.rest = rest;
                name.trim().to_owned()
            }
        };
        self.symbol(':', "`:` and a type")?;
        Ok(Member { name, of: self.field_type(depth)? })
    }

    fn symbol(&mut self, symbol: char, expected: &'static str) -> Result<(), TypeError> {
        self.skip_space();
        self.rest = self.rest.strip_prefix(symbol).ok_or_else(|| self.expected(expected))?;
        Ok(())
    }

    fn end(&mut self) -> Result<(), TypeError> {
        self.skip_space();
        if self.rest.is_empty() { Ok(()) } else { Err(self.expected("nothing more")) }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn expected(&self, expected: &'static str) -> TypeError {
        /// The longest text that a message repeats, in characters.
        const LONGEST: usize = 200;
        let read = &self.text[..self.text.len() - self.rest.len()];
        let text = match self.text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &self.text[..end]),
            None => self.text.to_owned(),
        };
        TypeError { text, expected, position: read.chars().count() + 1 }
    }
}

/// The text of a JSON string whose opening quote is read, and the rest behind it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return Some((name, rest.as_str())),
            '\\' => name.push(match rest.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let unit = code_unit(&mut rest)?;
                    if (0xD800..0xDC00).contains(&unit) {
                        rest = rest.as_str().strip_prefix("\\u")?.chars();
                        let low =
                            code_unit(&mut rest)?.checked_sub(0xDC00).filter(|it| *it < 0x400)?;
                        char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + low)?
                    } else {
                        char::from_u32(unit)?
                    }
                }
                c @ ('"' | '\\' | '/') => c,
                _ => return None,
            }),
            c if (c as u32) < 0x20 => return None,
            c => name.push(c),
        }
    }
}

fn code_unit(rest: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit * 16 + rest.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn problem(text: &str) -> String {
        text.parse::<FieldType>().unwrap_err().to_string()
    }

    pub(crate) fn any_type() -> impl Strategy<Value = FieldType> {
        let simple = proptest::sample::select(SIMPLE.map(|(_, of)| of).to_vec());
        simple.prop_recursive(4, 24, 4, |inner| {
            let names =
                proptest::collection::hash_set("\\PC{0,6}|[a-z]{1,5}|[ \"<>,:\\\\\n]{1,4}", 1..4);
            let members = (names, proptest::collection::vec(inner.clone(), 4));
            prop_oneof![
                inner.clone().prop_map(FieldType::array),
                inner.prop_map(FieldType::map),
                members.prop_map(|(names, types)| {
                    let members = names.into_iter().zip(types);
                    FieldType::Struct(members.map(|(name, of)| Member { name, of }).collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_type_reads_back_from_its_text_whatever_its_members_are_called(of in any_type()) {
            prop_assert_eq!(of.to_string().parse::<FieldType>(), Ok(of));
        }

        #[test]
        fn no_text_is_more_than_refused(text in "[a-z0-9<>,: \"\\\\u]{0,40}") {
            let _ = text.parse::<FieldType>();
        }
    }

    #[test]
    fn a_type_is_written_as_people_write_it() {
        for text in [
            "boolean",
            "timestamp",
            "array<float32>",
            "map<string, array<int64>>",
            "struct<a: int64, b c: struct<d: date>, e-f.g: decimal>",
            "struct<\"a: b\": json, \"\": bytes>",
        ] {
            assert_eq!(text.parse::<FieldType>().unwrap().to_string(), text);
        }
        let tight: FieldType = "struct<a:string,b:map<string,int64>>".parse().unwrap();
        let loose = " struct < a : string , \"b\" : map < string , int64 > > ".parse();
        assert_eq!(Ok(tight), loose);
    }

    #[test]
    fn an_error_says_what_was_expected_and_where() {
        assert!(problem("int46").contains("expected one of boolean, int8"));
        assert!(problem("array<string").ends_with("expected `>` at character 13"));
        assert!(problem("map<int64, string>").contains("expected string, the only type"));
        assert!(problem("struct<a: string, a: int64>").contains("another name at character 19"));
        assert!(problem("struct<>").ends_with("expected a name at character 8"));
        assert!(problem("struct<a>").contains("`:` and a type"));
        assert!(problem("struct<\"a: int64>").contains("a whole JSON string"));
        assert!(problem("int64 x").contains("expected one of"));
        assert!(problem("int64>").contains("nothing more at character 6"));
        assert!(problem("").contains("at character 1"));
    }

    #[test]
    fn a_type_nests_to_a_limit() {
        let nested = |levels| format!("{}int64{}", "array<".repeat(levels), ">".repeat(levels));
        assert!(nested(MAX_DEPTH).parse::<FieldType>().is_ok());
        assert!(problem(&nested(MAX_DEPTH + 1)).contains("64 levels"));
        assert!(problem(&"array<".repeat(100_000)).len() < 1000);
    }

    #[test]
    fn a_member_is_a_name_with_a_type() {
        let member: Member = "user_id: int64".parse().unwrap();
        assert_eq!(member, Member::new("user_id", FieldType::Int64));
        assert!("user_id".parse::<Member>().is_err());
        assert!("a: int64, b: int64".parse::<Member>().is_err());
        let member: Member = r#""\u00e9\ud83d\ude00\n": json"#.parse().unwrap();
        assert_eq!(member.name, "é😀\n");
    }

    #[test]
    fn what_has_parts_may_come_as_json_and_a_number_may_not() {
        let array: FieldType = "array<int64>".parse().unwrap();
        assert!(array.may_come_as(&FieldType::Json) && array.may_come_as(&array));
        assert!(!FieldType::Int64.may_come_as(&FieldType::Json));
        assert!(!FieldType::Int64.may_come_as(&FieldType::Int32));
        assert!(FieldType::Json.may_come_as(&FieldType::Json));
    }
}

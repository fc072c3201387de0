//! How features join the fields of a row: own fields first, features behind them, and one column where
//! both have a name.

use std::collections::{HashMap, HashSet};

/// Which value is written where a row and a feature have the same name.
///
/// For an NDJSON row that stays NDJSON, its own keys decide; for other rows, the header or the schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// The row's own field stays, and the feature is left out, as Beam's `cross_join` has it.
    #[default]
    Left,
    /// The feature's value stands in the own field's place, also where it is null. A row that is
    /// written without features keeps its own.
    Right,
    /// The run fails.
    Error,
    /// The feature gets this behind its name. Where that name is taken too, the run fails.
    Suffix(String),
}

/// A column of the output, and what it may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The position among the own fields.
    pub own: Option<usize>,
    /// The position among the features.
    pub feature: Option<usize>,
}

/// Names that conflict.
#[derive(Debug, PartialEq, Eq)]
pub enum Clash {
    /// A row and the features have the field, and the rule is [`OnConflict::Error`].
    Conflict {
        /// The field.
        field: String,
    },
    /// The name that a suffix makes is taken, too.
    Suffix {
        /// The field.
        field: String,
        /// What the suffix makes of it.
        renamed: String,
    },
}

impl Clash {
    /// The field that a row and the features have.
    pub fn field(&self) -> &str {
        let (Self::Conflict { field } | Self::Suffix { field, .. }) = self;
        field
    }
}

/// The columns for fields and features of these names. Where a column has both, the format decides row
/// by row which one is written.
pub fn columns<'a>(
    own: impl Iterator<Item = &'a str>,
    features: &[String],
    on_conflict: &OnConflict,
) -> Result<Vec<Column>, Clash> {
    let mut columns: Vec<_> = own
        .enumerate()
        .map(|(position, name)| Column {
            name: name.to_owned(),
            own: Some(position),
            feature: None,
        })
        .collect();
    let own: HashMap<_, _> =
        columns.iter().enumerate().map(|(position, it)| (it.name.clone(), position)).collect();
    let names: HashSet<_> = features.iter().collect();
    for (position, name) in features.iter().enumerate() {
        let name = match (own.get(name), on_conflict) {
            (None, _) => name.clone(),
            (Some(column), OnConflict::Left | OnConflict::Right) => {
                columns[*column].feature = Some(position);
                continue;
            }
            (Some(_), OnConflict::Error) => return Err(Clash::Conflict { field: name.clone() }),
            (Some(_), OnConflict::Suffix(suffix)) => {
                let renamed = format!("{name}{suffix}");
                if own.contains_key(&renamed) || names.contains(&renamed) {
                    return Err(Clash::Suffix { field: name.clone(), renamed });
                }
                renamed
            }
        };
        columns.push(Column { name, own: None, feature: Some(position) });
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(own: &[&str], features: &[&str], on_conflict: OnConflict) -> Result<String, Clash> {
        let features: Vec<_> = features.iter().map(|it| (*it).to_owned()).collect();
        let columns = columns(own.iter().copied(), &features, &on_conflict)?;
        let show = |it: &Column| {
            let part = |of: Option<usize>| of.map_or("-".to_owned(), |at| at.to_string());
            format!("{}:{}/{}", it.name, part(it.own), part(it.feature))
        };
        Ok(columns.iter().map(show).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn own_fields_come_first_and_a_shared_name_is_one_column() {
        for policy in [OnConflict::Left, OnConflict::Right] {
            let columns = names(&["a", "b"], &["c", "a", "d"], policy).unwrap();
            assert_eq!(columns, "a:0/1 b:1/- c:-/0 d:-/2");
        }
    }

    #[test]
    fn a_suffix_makes_it_two_unless_that_name_is_taken() {
        let suffix = || OnConflict::Suffix("_f".to_owned());
        assert_eq!(names(&["a"], &["a", "b"], suffix()).unwrap(), "a:0/- a_f:-/0 b:-/1");
        let taken = Clash::Suffix { field: "a".to_owned(), renamed: "a_f".to_owned() };
        assert_eq!(names(&["a", "a_f"], &["a"], suffix()).unwrap_err(), taken);
        assert_eq!(names(&["a"], &["a", "a_f"], suffix()).unwrap_err(), taken);
        let empty = OnConflict::Suffix(String::new());
        assert!(names(&["a"], &["a"], empty).is_err());
    }

    #[test]
    fn a_conflict_can_be_an_error() {
        let conflict = Clash::Conflict { field: "a".to_owned() };
        assert_eq!(names(&["a"], &["a"], OnConflict::Error).unwrap_err(), conflict);
    }
}

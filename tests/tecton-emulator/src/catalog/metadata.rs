//! The part of an answer's metadata that does not depend on the entity: written once, in every
//! combination that `metadataOptions` can request.

use std::fmt::Write as _;

use crate::json::quote;
use crate::repository::Feature;

/// Which of the constant members are requested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) names: bool,
    pub(crate) data_types: bool,
    pub(crate) descriptions: bool,
    pub(crate) tags: bool,
}

const COMBINATIONS: usize = 16;

impl Described {
    pub(crate) fn any(self) -> bool {
        self.number() != 0
    }

    fn number(self) -> usize {
        usize::from(self.names)
            | usize::from(self.data_types) << 1
            | usize::from(self.descriptions) << 2
            | usize::from(self.tags) << 3
    }

    fn of_number(number: usize) -> Self {
        Self {
            names: number & 1 != 0,
            data_types: number & 2 != 0,
            descriptions: number & 4 != 0,
            tags: number & 8 != 0,
        }
    }
}

/// The features' constant metadata for each combination.
#[derive(Debug)]
pub(crate) struct FeatureTexts(Vec<Combination>);

#[derive(Debug, Default)]
struct Combination {
    members: Vec<Box<str>>,
    array: String,
}

impl FeatureTexts {
    /// `features` with the names of their views.
    pub(super) fn write(features: &[(&str, &Feature)]) -> Self {
        Self(
            (0..COMBINATIONS)
                .map(|number| Combination::write(Described::of_number(number), features))
                .collect(),
        )
    }

    /// The members of each feature's object, without its braces; empty if none is requested.
    pub(crate) fn members(&self, described: Described) -> &[Box<str>] {
        &self.0[described.number()].members
    }

    /// The whole array: `[{…},{…}]`.
    pub(crate) fn array(&self, described: Described) -> &str {
        &self.0[described.number()].array
    }
}

impl Combination {
    fn write(described: Described, features: &[(&str, &Feature)]) -> Self {
        let members: Vec<Box<str>> = features
            .iter()
            .map(|(view, feature)| members(described, view, feature).into())
            .collect();
        let array = format!("[{{{}}}]", members.join("},{"));
        let array = if members.is_empty() { "[]".to_owned() } else { array };
        Self { members, array }
    }
}

fn members(described: Described, view: &str, feature: &Feature) -> String {
    let mut members = Vec::new();
    if described.names {
        let name = quote(&format!("{view}.{}", feature.name));
        members.push(format!(r#""name":{name}"#));
    }
    if described.data_types {
        members.push(format!(r#""dataType":{}"#, feature.data_type.json()));
    }
    if let (true, Some(description)) = (described.descriptions, &feature.description) {
        members.push(format!(r#""description":{}"#, quote(description)));
    }
    if described.tags && !feature.tags.is_empty() {
        let mut tags = String::new();
        for (index, (name, value)) in feature.tags.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(tags, "{comma}{}:{}", quote(name), quote(value));
        }
        members.push(format!(r#""tags":{{{tags}}}"#));
    }
    members.join(",")
}

//! How sections are read, and which problems are reported.

use crate::{Problems, Section};
use serde_json::{Value, json};

fn problems_of(config: Value, read: impl Fn(&Section<'_>)) -> Vec<(String, String)> {
    let problems = Problems::default();
    let root = Section::root(&config, &problems);
    read(&root);
    root.close();
    let all = problems.or(Some(())).err().unwrap_or_default();
    all.into_iter().map(|problem| (problem.path, problem.message)).collect()
}

fn pair(path: &str, message: &str) -> (String, String) {
    (path.to_owned(), message.to_owned())
}

#[test]
fn every_problem_is_reported_with_its_place() {
    let found = problems_of(json!({"size": 12, "name": 7, "flag": "no"}), |root| {
        root.integer("size", 1..=10);
        root.required_text("name");
        root.boolean("flag");
        root.required_text("key");
    });
    assert_eq!(
        found,
        [
            pair("/size", "must be from 1 to 10, is 12"),
            pair("/name", "must be a string, is a number"),
            pair("/flag", "must be true or false, is a string"),
            pair("/key", "is required"),
        ]
    );
}

#[test]
fn an_unknown_key_is_reported_with_the_nearest_known_one() {
    let found = problems_of(json!({"entity_ids": "x"}), |root| {
        root.text("entity_id");
    });
    assert_eq!(found, [pair("/entity_ids", "unknown key `entity_ids`; did you mean `entity_id`?")]);
}

#[test]
fn a_key_with_a_slash_or_a_tilde_is_escaped_in_its_pointer() {
    let found = problems_of(json!({"a/b~c": 1}), |_| {});
    assert_eq!(found[0].0, "/a~1b~0c");
}

#[test]
fn a_section_of_another_type_is_one_problem_and_not_one_a_key() {
    let found = problems_of(json!({"connection": []}), |root| {
        let connection = root.section("connection", true);
        connection.required_text("url");
        connection.close();
    });
    assert_eq!(found, [pair("/connection", "must be an object, is an array")]);
}

#[test]
fn a_required_section_that_is_missing_is_one_problem() {
    let found = problems_of(json!({}), |root| {
        root.section("connection", true).required_text("url");
    });
    assert_eq!(found, [pair("/connection", "is required")]);
}

#[test]
fn a_key_may_be_in_camel_case_where_that_is_allowed_but_not_in_both() {
    let read = |root: &Section<'_>| {
        root.boolean("include_names");
        root.boolean("include_types");
    };
    let problems = Problems::default();
    let config = json!({"includeNames": true, "include_types": true});
    let root = Section::root(&config, &problems).in_either_case();
    assert_eq!(root.boolean("include_names"), Some(true));
    read(&root);
    root.close();
    assert!(problems.or(Some(())).is_ok());

    let problems = Problems::default();
    let config =
        json!({"includeNames": true, "include_names": true, "includeTypes": 1, "includeName": 1});
    let root = Section::root(&config, &problems).in_either_case();
    read(&root);
    root.close();
    let found: Vec<String> =
        problems.or(Some(())).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "/includeNames: is `include_names` once more; write it once",
            "/includeTypes: must be true or false, is a number",
            "/includeName: unknown key `includeName`; did you mean `include_names`?",
        ]
    );
}

#[test]
fn an_unknown_key_may_pass_with_a_warning() {
    let problems = Problems::default();
    let config = json!({"timeout": 1});
    let root = Section::root(&config, &problems);
    root.integer("timeout_ms", 1..=2);
    root.close_leniently();
    let found: Vec<String> = problems.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        ["/timeout: unknown key `timeout` has no effect; did you mean `timeout_ms`?"]
    );
    assert!(problems.or(Some(())).is_ok());
}

#[test]
fn a_whole_number_of_any_size_is_out_of_range_and_not_of_another_type() {
    let found = problems_of(json!({"size": u64::MAX, "least": i64::MIN}), |root| {
        root.integer("size", 1..=10);
        root.integer("least", 1..=10);
    });
    assert_eq!(
        found,
        [
            pair("/size", "must be from 1 to 10, is 18446744073709551615"),
            pair("/least", "must be from 1 to 10, is -9223372036854775808"),
        ]
    );
}

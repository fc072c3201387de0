//! The variables that name a live Tecton.

use super::tecton::{SHOP_COMPUTES, Tecton};
use crate::support::store::{KEY, shop};
use serde_json::{Map, Value};

/// What has to be set, all or none of it.
const REQUIRED: [&str; 4] =
    ["TECTON_URL", "TECTON_API_KEY", "TECTON_WORKSPACE", "TECTON_FEATURE_SERVICE"];

/// An entity that is there, as a JSON object: its join keys, and what request context there is.
const ENTITY: &str = "TECTON_ENTITY";

/// The Tecton that variables name, or `None` where none of them is set.
fn tecton(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Tecton>, String> {
    let (mut values, mut missing) = (Vec::new(), Vec::new());
    for name in REQUIRED {
        match variable(name).filter(|value| !value.is_empty()) {
            Some(value) => values.push(value),
            None => missing.push(name),
        }
    }
    if missing.len() == REQUIRED.len() {
        return Ok(None);
    }
    let Ok([url, key, workspace, service]) = <[String; 4]>::try_from(values) else {
        let missing = missing.join(" and ");
        return Err(format!("{missing}: not set, though others of the four are; set all or none"));
    };
    let entity = variable(ENTITY).map(|text| {
        let entity: Map<String, Value> = serde_json::from_str(&text)
            .map_err(|error| format!("{ENTITY}: is no JSON object: {error}"))?;
        Ok::<_, String>(entity)
    });
    Ok(Some(Tecton::found(url, key, workspace, service, entity.transpose()?)))
}

/// The one that the environment names.
pub(crate) fn live() -> Tecton {
    let found = tecton(|name| std::env::var(name).ok()).unwrap_or_else(|why| panic!("{why}"));
    found.unwrap_or_else(|| panic!("{}: not set; they name a live Tecton", REQUIRED.join(", ")))
}

/// An emulator, found as a live one is, with this text as the variable of the entity.
pub(crate) fn of_an_emulator(entity: Option<&str>) -> Tecton {
    let emulator = shop().start_blocking().unwrap();
    let url = emulator.url();
    let variable = |name: &str| {
        Some(match name {
            "TECTON_URL" => url.clone(),
            "TECTON_API_KEY" => KEY.to_owned(),
            "TECTON_WORKSPACE" => "prod".to_owned(),
            "TECTON_FEATURE_SERVICE" => "shop".to_owned(),
            _ => return entity.map(str::to_owned),
        })
    };
    tecton(variable).unwrap().unwrap().kept_by(emulator, SHOP_COMPUTES)
}

#[test]
fn without_variables_there_is_no_live_tecton() {
    assert!(tecton(|_| None).unwrap().is_none());
    assert!(tecton(|_| Some(String::new())).unwrap().is_none());
}

#[test]
fn a_part_of_the_variables_is_an_error_that_names_the_others() {
    let some = |name: &str| ["TECTON_URL", "TECTON_API_KEY"].contains(&name).then(|| "x".into());
    let why = tecton(some).err().unwrap();
    insta::assert_snapshot!(why, @"TECTON_WORKSPACE and TECTON_FEATURE_SERVICE: not set, though others of the four are; set all or none");
}

#[test]
fn an_entity_that_is_no_object_is_an_error() {
    let why = tecton(|_| Some("7".into())).err().unwrap();
    insta::assert_snapshot!(why, @"TECTON_ENTITY: is no JSON object: invalid type: integer `7`, expected a map at line 1 column 1");
}

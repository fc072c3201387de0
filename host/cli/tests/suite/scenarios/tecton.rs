//! A Tecton for the scenarios: an emulator, or a live one that environment variables name.

use beamlet_egress::{Destination, Egress, Secrets};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::{Map, Value, json};
use tecton_emulator::Background;

use crate::support::store::{self, KEY, shop};

/// A row, or a part of one.
pub(crate) type Row = Map<String, Value>;

/// A Tecton, and one of its feature services.
pub(crate) struct Tecton {
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) workspace: String,
    pub(crate) feature_service: String,
    /// The service's outputs: name and type of each.
    pub(crate) join_keys: Vec<Described>,
    pub(crate) context: Vec<Described>,
    pub(crate) features: Vec<Described>,
    /// An entity that is there, with the request context that goes with it.
    pub(crate) entity: Option<Row>,
    /// Its features, where they are known.
    pub(crate) exact: Option<Row>,
    /// The features that are computed of the request alone, where that is known.
    pub(crate) computed: Option<&'static [&'static str]>,
    /// Where it is one: it lives as long as this.
    emulator: Option<Background>,
}

/// A key or a feature.
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) data_type: Value,
}

/// What the [shop](store::shop) computes.
pub(crate) const SHOP_COMPUTES: &[&str] = &["amount.is_large"];

/// An entity of the shop.
pub(crate) const SHOPPER: &str = r#"{"user_id": "u1", "ad_id": 5417, "amount": 250.0}"#;

impl Tecton {
    /// An emulator of the planes in `data/`.
    pub(crate) fn of_planes() -> Self {
        let emulator = store::planes().start_blocking().unwrap();
        let service = "planes_features".to_owned();
        let entity = object(json!({ "tailnum": "N10156" }));
        let exact = object(json!({
            "planes.year": 2004, "planes.type": "Fixed wing multi engine",
            "planes.manufacturer": "EMBRAER", "planes.model": "EMB-145XR", "planes.engines": 2,
            "planes.seats": 55, "planes.speed": null, "planes.engine": "Turbo-fan",
        }));
        let found = Tecton::found(emulator.url(), KEY.into(), "prod".into(), service, Some(entity));
        Tecton { exact: Some(exact), ..found.kept_by(emulator, &[]) }
    }

    /// The one at a URL; asks it what its feature service takes and gives.
    pub(crate) fn found(
        url: String,
        key: String,
        workspace: String,
        feature_service: String,
        entity: Option<Row>,
    ) -> Self {
        let described = metadata(&url, &key, &workspace, &feature_service);
        // Empty lists may be absent.
        let list = |name: &str| {
            let list = described[name].as_array().into_iter().flatten();
            let described = |value: &Value| Described {
                name: value["name"].as_str().unwrap().to_owned(),
                data_type: value["dataType"].clone(),
            };
            list.map(described).collect()
        };
        Tecton {
            join_keys: list("inputJoinKeys"),
            context: list("inputRequestContextKeys"),
            features: list("featureValues"),
            url,
            key,
            workspace,
            feature_service,
            entity,
            exact: None,
            computed: None,
            emulator: None,
        }
    }

    /// The same, with the emulator that it is, of which the computed features are known.
    pub(crate) fn kept_by(self, emulator: Background, computed: &'static [&'static str]) -> Self {
        Tecton { emulator: Some(emulator), computed: Some(computed), ..self }
    }

    /// Whether it is a live one, of which we know only its metadata.
    pub(crate) fn is_live(&self) -> bool {
        self.emulator.is_none()
    }

    /// A row for an entity that is not there, another one for each number.
    pub(crate) fn unknown(&self, number: i64) -> Row {
        let key = |key: &Described| {
            let value = match key.data_type["type"].as_str() {
                Some("int64") => json!(-9_007_199_254_740_993 - number),
                _ => json!(format!("no-such-entity-{number}")),
            };
            (key.name.clone(), value)
        };
        self.with_context(self.join_keys.iter().map(key).collect())
    }

    /// The row of the entity that is there.
    pub(crate) fn known(&self) -> Option<Row> {
        self.entity.clone().map(|entity| self.with_context(entity))
    }

    /// Fills in what request context a row has not: of what the entity has, else anything of the
    /// right type.
    fn with_context(&self, mut row: Row) -> Row {
        for Described { name, data_type } in &self.context {
            let of_entity = self.entity.as_ref().and_then(|entity| entity.get(name).cloned());
            row.entry(name).or_insert_with(|| of_entity.unwrap_or_else(|| anything(data_type)));
        }
        row
    }
}

/// A value of a type.
fn anything(of: &Value) -> Value {
    match of["type"].as_str().unwrap() {
        "int64" => json!(0),
        "float32" | "float64" => json!(0.0),
        "boolean" => json!(false),
        "timestamp" => json!("2025-01-01T00:00:00Z"),
        "array" => json!([]),
        "map" => json!({}),
        "struct" => {
            let fields = of["fields"].as_array().into_iter().flatten();
            let field = |field: &Value| {
                (field["name"].as_str().unwrap().to_owned(), anything(&field["dataType"]))
            };
            Value::Object(fields.map(field).collect())
        }
        _ => json!(""),
    }
}

fn object(value: Value) -> Row {
    value.as_object().unwrap().clone()
}

/// Asks the metadata endpoint.
fn metadata(url: &str, key: &str, workspace: &str, feature_service: &str) -> Value {
    let params = json!({ "workspaceName": workspace, "featureServiceName": feature_service });
    let endpoint = format!("{}/api/v1/feature-service/metadata", url.trim_end_matches('/'));
    let request = http::Request::post(&endpoint)
        .header("authorization", format!("Tecton-key {key}"))
        .header("content-type", "application/json")
        .body(Full::<Bytes>::from(json!({ "params": params }).to_string()))
        .unwrap();
    let asked = async {
        let allowed = Destination::of_text(url).into_iter().collect();
        let egress = Egress::new(allowed, Secrets::default(), Default::default());
        let answer = egress.send(request, egress.timeouts()).await.map_err(|e| e.to_string())?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|e| e.to_string())?.to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        if status.is_success() { Ok(body) } else { Err(format!("{status}: {body}")) }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let metadata_text: Result<String, String> = runtime.block_on(asked);
    let metadata_text = metadata_text.unwrap_or_else(|why| panic!("POST {endpoint}: {why}"));
    serde_json::from_str(&metadata_text).unwrap()
}

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
fn an_incomplete_set_of_variables_is_an_error_that_names_the_missing_ones() {
    let some = |name: &str| ["TECTON_URL", "TECTON_API_KEY"].contains(&name).then(|| "x".into());
    let why = tecton(some).err().unwrap();
    insta::assert_snapshot!(why, @"TECTON_WORKSPACE and TECTON_FEATURE_SERVICE: not set, though others of the four are; set all or none");
}

#[test]
fn an_entity_that_is_not_an_object_is_an_error() {
    let why = tecton(|_| Some("7".into())).err().unwrap();
    insta::assert_snapshot!(why, @"TECTON_ENTITY: is no JSON object: invalid type: integer `7`, expected a map at line 1 column 1");
}

//! What a feature service says of itself.

use crate::data_type::{DataType, WireType};
use crate::refusal::refusal;
use beamlet_guest::{Error, ErrorKind, Field, Response};
use serde::Deserialize;

/// The answer of the metadata endpoint; empty lists may be absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow, default)]
    feature_values: Vec<Feature<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feature<'a> {
    name: String,
    #[serde(borrow)]
    data_type: WireType<'a>,
}

/// The features that come out, with their types.
pub(crate) fn outputs(response: &Response) -> Result<Vec<Field>, Error> {
    if response.status != 200 {
        return Err(refusal(response));
    }
    let metadata: Metadata<'_> = serde_json::from_slice(&response.body).map_err(|error| {
        Error::new(
            ErrorKind::BadResponse,
            format!("the metadata is not what Tecton promises: {error}"),
        )
    })?;
    let field = |feature: &Feature<'_>| Field {
        name: feature.name.clone(),
        type_: DataType::from(&feature.data_type).to_string(),
    };
    Ok(metadata.feature_values.iter().map(field).collect())
}

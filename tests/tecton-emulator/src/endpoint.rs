//! The three endpoints of the API and their paths.

use serde::Deserialize;

/// An endpoint. In a repository file it is named by the last part of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// One entity.
    GetFeatures,
    /// Several entities of one feature service.
    GetFeaturesBatch,
    /// A service's inputs and outputs.
    Metadata,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 3] = [Self::GetFeatures, Self::GetFeaturesBatch, Self::Metadata];

    /// The path, from the server's root.
    pub fn path(self) -> &'static str {
        match self {
            Self::GetFeatures => "/api/v1/feature-service/get-features",
            Self::GetFeaturesBatch => "/api/v1/feature-service/get-features-batch",
            Self::Metadata => "/api/v1/feature-service/metadata",
        }
    }

    pub(crate) fn of_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }
}

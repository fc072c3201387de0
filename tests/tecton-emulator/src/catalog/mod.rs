//! A [`Repository`] prepared for fast answers: keys and services in hash maps, stored rows already
//! as JSON, expressions compiled, metadata written out.

mod computed;
mod entity_key;
mod metadata;
mod place;
mod service;
mod source;
mod view;

use hashbrown::{HashMap, HashSet};

use crate::repository::{Repository, RepositoryError, Workspace};

pub(crate) use computed::{Computed, Failure, Inputs};
pub(crate) use entity_key::{EntityKey, KeyValue};
pub(crate) use metadata::{Described, FeatureTexts};
pub(crate) use place::Place;
pub(crate) use service::{Part, Service};
pub(crate) use view::{RowNumber, View};

/// What the emulator serves.
#[derive(Debug)]
pub(crate) struct Catalog {
    api_keys: HashMap<String, Access>,
    workspaces: HashMap<String, HashMap<String, Service>>,
}

/// The workspaces that a key may read.
#[derive(Debug)]
pub(crate) enum Access {
    Every,
    Only(HashSet<String>),
}

impl Access {
    pub(crate) fn allows(&self, workspace: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Only(names) => names.contains(workspace),
        }
    }
}

impl Catalog {
    /// Reads the sources and compiles everything.
    pub(crate) fn load(repository: &Repository) -> Result<Self, RepositoryError> {
        let place = Place::of_repository(repository);
        let mut workspaces = HashMap::new();
        for workspace in &repository.workspaces {
            let place = place.within("workspace", &workspace.name);
            let services = load_workspace(workspace, &place)?;
            if workspaces.insert(workspace.name.clone(), services).is_some() {
                return Err(place.problem("there are two of this name; rename one"));
            }
        }
        let mut api_keys = HashMap::new();
        for api_key in &repository.api_keys {
            if api_key.key.is_empty() {
                return Err(place.problem("an api key is empty; give it a text"));
            }
            let access = match &api_key.workspaces {
                None => Access::Every,
                Some(names) => Access::Only(names.iter().cloned().collect()),
            };
            if api_keys.insert(api_key.key.clone(), access).is_some() {
                return Err(place.problem("one api key is there twice; name its workspaces in one"));
            }
        }
        Ok(Self { api_keys, workspaces })
    }

    pub(crate) fn access(&self, api_key: &str) -> Option<&Access> {
        self.api_keys.get(api_key)
    }

    /// A service of a live workspace.
    pub(crate) fn service(&self, workspace: &str, name: &str) -> Option<&Service> {
        self.workspaces.get(workspace)?.get(name)
    }
}

/// The services of a workspace. One that is not live has none, but they are checked.
fn load_workspace(
    workspace: &Workspace,
    place: &Place<'_>,
) -> Result<HashMap<String, Service>, RepositoryError> {
    let mut services = HashMap::new();
    for described in &workspace.services {
        let place = place.within("service", &described.name);
        let service = Service::load(described, &place)?;
        if services.insert(described.name.clone(), service).is_some() {
            return Err(place.problem("there are two of this name; rename one"));
        }
    }
    if !workspace.live {
        services.clear();
    }
    Ok(services)
}

//! A prepared feature service: its keys, its views, and how their values form an answer.

use bytes::Bytes;

use super::view::StoredFeature;
use super::{Computed, FeatureTexts, Place, View};
use crate::data_type::{DataType, Field, fields_json};
use crate::repository::{Feature, FeatureService, FeatureValue, FeatureView, RepositoryError};

/// A feature service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) join_keys: Vec<Field>,
    pub(crate) request_context: Vec<Field>,
    /// The views with rows.
    pub(crate) views: Vec<View>,
    pub(crate) computed: Vec<Computed>,
    /// The parts of a row of the answer, in order.
    pub(crate) parts: Vec<Part>,
    pub(crate) feature_texts: FeatureTexts,
    /// The first view without data in the online store.
    pub(crate) unmaterialized: Option<String>,
    /// The answer of the metadata endpoint.
    pub(crate) description: Bytes,
}

/// A piece of a row of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// `count` neighbouring features of a view with rows.
    Stored { view: usize, run: usize, count: usize },
    /// One computed feature.
    Computed(usize),
}

impl Service {
    pub(super) fn load(
        described: &FeatureService,
        place: &Place<'_>,
    ) -> Result<Self, RepositoryError> {
        check_names(described, place)?;
        let features: Vec<(&str, &Feature)> = described
            .views
            .iter()
            .flat_map(|view| view.features.iter().map(|feature| (view.name.as_str(), feature)))
            .collect();
        let unmaterialized = described.views.iter().find(|view| !view.materialized);
        let mut service = Self {
            join_keys: described.join_keys.clone(),
            request_context: described.request_context.clone(),
            views: Vec::new(),
            computed: Vec::new(),
            parts: Vec::new(),
            feature_texts: FeatureTexts::write(&features),
            unmaterialized: unmaterialized.map(|view| view.name.clone()),
            description: describe(described, &features).into(),
        };
        // One view without data refuses every request, so its features are only ever described.
        for view in described.views.iter().filter(|view| view.materialized) {
            service.add(view, &place.within("view", &view.name))?;
        }
        Ok(service)
    }

    fn add(&mut self, view: &FeatureView, place: &Place<'_>) -> Result<(), RepositoryError> {
        let mut runs: Vec<Vec<StoredFeature<'_>>> = Vec::new();
        for feature in &view.features {
            match &feature.value {
                FeatureValue::Column(column) => {
                    let position = self.views.len();
                    self.extend_run(position, &mut runs).push(StoredFeature {
                        column,
                        data_type: &feature.data_type,
                        name: &feature.name,
                    });
                }
                FeatureValue::Expression(expression) => {
                    let place = place.within("feature", &feature.name);
                    self.compile(&view.name, feature, expression, &place)?;
                }
            }
        }
        match &view.source {
            Some(source) => {
                let view = View::load(view, source, &runs, &self.join_keys, place)?;
                self.views.push(view);
                Ok(())
            }
            None if runs.is_empty() => Ok(()),
            None => Err(place.problem("it has stored features and no source; give it one")),
        }
    }

    /// The run that the next stored feature of the view at `position` belongs to.
    fn extend_run<'r, 'f>(
        &mut self,
        position: usize,
        runs: &'r mut Vec<Vec<StoredFeature<'f>>>,
    ) -> &'r mut Vec<StoredFeature<'f>> {
        match self.parts.last_mut() {
            Some(Part::Stored { view, count, .. }) if *view == position => *count += 1,
            _ => {
                self.parts.push(Part::Stored { view: position, run: runs.len(), count: 1 });
                runs.push(Vec::new());
            }
        }
        let last = runs.len() - 1;
        &mut runs[last]
    }

    fn compile(
        &mut self,
        view: &str,
        feature: &Feature,
        expression: &str,
        place: &Place<'_>,
    ) -> Result<(), RepositoryError> {
        let keys = self.join_keys.iter().chain(&self.request_context);
        let inputs: Vec<&str> = keys.map(|key| key.name.as_str()).collect();
        let name = format!("{view}.{}", feature.name);
        let computed = Computed::compile(name, &feature.data_type, expression, &inputs, place)?;
        self.parts.push(Part::Computed(self.computed.len()));
        self.computed.push(computed);
        Ok(())
    }
}

fn check_names(service: &FeatureService, place: &Place<'_>) -> Result<(), RepositoryError> {
    for key in &service.join_keys {
        if !matches!(key.data_type, DataType::Int64 | DataType::String) {
            let Field { name, data_type } = key;
            return Err(
                place.problem(format!("join key `{name}` is {data_type}; make it int64 or string"))
            );
        }
    }
    let keys = service.join_keys.iter().chain(&service.request_context);
    only_once(keys.map(|key| &key.name), "key", place)?;
    only_once(service.views.iter().map(|view| &view.name), "view", place)?;
    for view in &service.views {
        let place = place.within("view", &view.name);
        let names = view.features.iter().map(|feature| &feature.name);
        only_once(names, "feature", &place)?;
    }
    Ok(())
}

fn only_once<'n>(
    names: impl Iterator<Item = &'n String>,
    kind: &str,
    place: &Place<'_>,
) -> Result<(), RepositoryError> {
    let mut seen = hashbrown::HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(place.problem(format!("{kind} `{name}` is there twice; rename one")));
        }
    }
    Ok(())
}

/// The metadata endpoint's answer. An empty list of inputs is left out. `featureValues` is always
/// there, because Tecton's own client reads it for every service.
fn describe(service: &FeatureService, features: &[(&str, &Feature)]) -> String {
    let values: Vec<Field> = features
        .iter()
        .map(|(view, feature)| {
            let name = format!("{view}.{}", feature.name);
            Field::new(name, feature.data_type.clone())
        })
        .collect();
    let mut answer = r#"{"featureServiceType":"DEFAULT""#.to_owned();
    for (member, inputs) in [
        ("inputJoinKeys", &service.join_keys),
        ("inputRequestContextKeys", &service.request_context),
    ] {
        if !inputs.is_empty() {
            answer.push_str(&format!(r#","{member}":{}"#, fields_json(inputs)));
        }
    }
    answer.push_str(&format!(r#","featureValues":{}}}"#, fields_json(&values)));
    answer
}

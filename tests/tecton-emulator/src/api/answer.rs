//! The rows of an answer: which stored row each entity has, and its features' JSON.

use super::entity::Entity;
use super::error::ApiError;
use crate::catalog::{EntityKey, Failure, Part, RowNumber, Service};

/// What the online store has of a request's entities.
pub(super) struct Found {
    /// Entity by entity, a row for each of the service's views.
    rows: Vec<Option<RowNumber>>,
    views: usize,
    pub(super) entities: usize,
    /// Whether the online store timed out.
    pub(super) timed_out: bool,
}

impl Found {
    /// Looks every entity up in every view.
    pub(super) fn look_up(service: &Service, entities: &[Entity<'_>]) -> Self {
        let mut scratch = EntityKey::default();
        let mut rows = Vec::with_capacity(entities.len() * service.views.len());
        for entity in entities {
            for view in &service.views {
                rows.push(view.find(&entity.join_keys, &mut scratch));
            }
        }
        Self { rows, views: service.views.len(), entities: entities.len(), timed_out: false }
    }

    /// No rows, because the online store took too long.
    pub(super) fn timed_out(service: &Service, entities: usize) -> Self {
        let views = service.views.len();
        Self { rows: vec![None; entities * views], views, entities, timed_out: true }
    }

    /// The row of an entity in a view.
    pub(super) fn row(&self, entity: usize, view: usize) -> Option<RowNumber> {
        self.rows[entity * self.views + view]
    }
}

/// What to do if a computed feature fails.
pub(super) enum OnFailure<'f> {
    /// The request fails.
    Refuse,
    /// It is null, and its position among the computed features is noted.
    Note(&'f mut Vec<usize>),
}

/// Appends `"features":[…]` of one entity.
pub(super) fn write_features(
    service: &Service,
    found: &Found,
    position: usize,
    entity: &Entity<'_>,
    on_failure: &mut OnFailure<'_>,
    out: &mut String,
) -> Result<(), ApiError> {
    out.push_str(r#""features":["#);
    for (index, part) in service.parts.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match part {
            Part::Stored { view, run, .. } => {
                let row = found.row(position, *view);
                out.push_str(service.views[*view].text(*run, row));
            }
            Part::Computed(number) => {
                let computed = &service.computed[*number];
                match (computed.write(&entity.inputs, out), &mut *on_failure) {
                    (Ok(()), _) => {}
                    (Err(_), OnFailure::Note(failed)) => {
                        failed.push(*number);
                        out.push_str("null");
                    }
                    (Err(Failure(problem)), OnFailure::Refuse) => {
                        return Err(ApiError::failed_feature(&computed.name, &problem));
                    }
                }
            }
        }
    }
    out.push(']');
    Ok(())
}

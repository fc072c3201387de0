//! Rows in, features out, each row answered once, whatever happens to an instance, a request, or the
//! store.
//!
//! ```text
//! rows ─▶ keys ─▶ cache ─▶ coalesce ─▶ ask (instances, retry) ─▶ answers
//!           └── equal rows are one ──┘
//! ```
//!
//! An [`Enricher`] is shared by all bundles of a run. It sets up instances as bundles need them, asks for
//! equal rows once, retries what may succeed later, and reports the outcome of each row.
//! [`enrich`](Enricher::enrich) is async and may be called for any number of bundles at once;
//! [`enrich_blocking`](Enricher::enrich_blocking) needs no runtime. Instances run on threads of the
//! enricher's own.
//!
//! ```
//! # use std::sync::Arc;
//! use arrow_array::{ArrayRef, RecordBatch, StringArray, cast::AsArray, types::Int64Type};
//! use beamlet::enrich::{CacheOptions, EnrichOptions, Enricher, Outcome};
//! # use beamlet::plugin::{Plugin, Setup};
//! # use beamlet::sandbox::{Destination, Egress, Limits, Runtime, RuntimeOptions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = Runtime::new(&RuntimeOptions::default())?;
//! # let plugin = Plugin::tecton(&runtime)?;
//! # let store = tecton_emulator::Emulator::of_file(tecton_emulator::RepositoryFile::read(
//! #     concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/tecton-repository.toml"))?).start_blocking()?;
//! # let config = serde_json::json!({
//! #     "connection": { "url": store.url(), "default_workspace_name": "prod", "api_key": "demo-key" },
//! #     "retrieval": { "feature_service_name": "planes_features", "entity_id": "tailnum" },
//! # });
//! # let allowed = Destination::of_text(&store.url()).into_iter().collect();
//! # let egress = Egress::new(allowed, Default::default(), Default::default());
//! # let egress = Arc::new(egress.limited(&Limits::default()));
//! # let setup = Setup::new(config.to_string(), egress);
//! let options = EnrichOptions::default().cache(Some(CacheOptions::default()));
//! let enricher = Enricher::set_up(plugin, setup, options).await?;
//!
//! let tailnums: ArrayRef = Arc::new(StringArray::from(vec!["N10156", "N0", "N10156"]));
//! let rows = RecordBatch::try_from_iter([("tailnum", tailnums)])?;
//! let answers = enricher.enrich(&rows).await?;
//!
//! assert_eq!(*answers.outcome(1), Outcome::Missing);
//! let features = answers.features()?;
//! let years = features.column_by_name("planes.year").unwrap().as_primitive::<Int64Type>();
//! assert_eq!(years.iter().collect::<Vec<_>>(), [Some(2004), None, Some(2004)]);
//! assert_eq!(enricher.metrics().asked.get(), 2); // of three, two are equal
//! enricher.tear_down().await;
//! # Ok(())
//! # }
//! ```

mod answers;
mod ask;
mod cache;
mod coalesce;
mod declared;
mod enricher;
mod error;
mod gather;
mod instances;
mod join;
mod keys;
mod metrics;
mod options;
mod retry;
mod shown;
mod workers;

pub use answers::{Answers, Outcome, RowFailure};
pub use beamlet_contract::join::OnConflict;
pub use enricher::Enricher;
pub use error::{CacheError, EnrichError, FeaturesError, JoinError};
pub use metrics::{Meter, Metrics};
pub use options::{CacheOptions, EnrichOptions, RetryOptions};
pub(crate) use workers::blocking;

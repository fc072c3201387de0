//! A handler and its life, as Beam's DoFn has it: load, set up, start a bundle, process,
//! finish, tear down.
//!
//! | Beam's DoFn | here |
//! |---|---|
//! | the class, in a worker's process | [`Plugin`]: compiled once, shared by all |
//! | `Setup` | [`Instance::set_up`] |
//! | `StartBundle` | [`Instance::start_bundle`] |
//! | `ProcessElement` | [`Bundle::process`], for any number of rows at once |
//! | `FinishBundle` | [`Bundle::finish`] |
//! | `Teardown` | [`Instance::tear_down`]; dropping an instance does, too |
//!
//! An instance serves many bundles, one at a time: a [`Bundle`] borrows it. Instances are `Send`, and any
//! number of them run at the same time. One that traps, takes too long or violates the contract is
//! finished, and no other; its bundle has to be given to another instance. [`enrich`](crate::enrich)
//! does that, and more.
//!
//! ```
//! # use std::sync::Arc;
//! use arrow_array::{ArrayRef, RecordBatch, StringArray};
//! use beamlet::plugin::{Instance, Plugin, Setup};
//! use beamlet::sandbox::{Destination, Egress, Permissions, Runtime, RuntimeOptions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = Runtime::new(&RuntimeOptions::default())?;
//! let plugin = Plugin::tecton(&runtime)?; // or Plugin::from_file(&runtime, path)
//! # let store = tecton_emulator::Emulator::of_file(tecton_emulator::RepositoryFile::read(
//! #     concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/tecton-repository.toml"))?).start_blocking()?;
//! # let url = store.url();
//!
//! let config = serde_json::json!({
//!     "connection": { "url": url, "default_workspace_name": "prod", "api_key": "demo-key" },
//!     "retrieval": { "feature_service_name": "planes_features", "entity_id": "tailnum" },
//! });
//! let validation = plugin.validate(&config, &Permissions::default()).await?;
//! assert!(validation.problems.is_empty());
//!
//! // The way out: to the store, and to nothing else.
//! let store = Destination::of_text(&url).into_iter().collect();
//! let egress = Arc::new(Egress::new(store, Default::default(), Default::default()));
//! let setup = Setup::new(config.to_string(), egress);
//!
//! let mut instance = Instance::set_up(&plugin, &setup).await?;
//! assert_eq!(instance.inputs()[0].name, "tailnum");
//!
//! let tailnums: ArrayRef = Arc::new(StringArray::from(vec!["N10156", "N0"]));
//! let rows = RecordBatch::try_from_iter([("tailnum", tailnums)])?;
//! let mut bundle = instance.start_bundle().await?;
//! let mut answers = bundle.process(&rows).await?; // may hold rows back
//! answers.extend(bundle.finish().await?);
//! assert_eq!(answers[0].rows(), 2);
//! assert_eq!(answers[0].missing, [1]);
//!
//! assert!(instance.counters().await?.contains(&("features_retrieved".to_owned(), 1)));
//! instance.tear_down().await?;
//! # Ok(())
//! # }
//! ```

mod answer;
mod component;
pub(crate) mod error;
mod inspect;
mod instance;
pub(crate) mod sandboxed;

pub use answer::{Enriched, Failure};
#[doc(inline)]
pub use beamlet_config::Problem;
#[doc(inline)]
pub use beamlet_contract::ErrorKind;
pub use component::{LoadError, Plugin};
pub use error::{HandlerError, PluginError};
pub use inspect::{CheckReport, Description, Diagnostic, Input, OutputField, Severity, Validation};
pub use instance::{Bundle, Instance, Setup};

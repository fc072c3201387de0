//! An emulator of Tecton's online HTTP API: feature services over CSV files, answered on loopback
//! with the real API's shapes, statuses and error messages, fast enough to benchmark clients, and
//! with faults that a test can request.
//!
//! ```
//! use tecton_emulator::{DataType, Emulator, FeatureService, FeatureView, Repository, Workspace};
//!
//! let users = FeatureView::of_csv("users", "user_id,visits\nu1,37\n")
//!     .feature("visits", DataType::Int64);
//! let service = FeatureService::new("fs")
//!     .join_key("user_id", DataType::String)
//!     .view(users);
//! let repository = Repository::new()
//!     .api_key("demo-key")
//!     .workspace(Workspace::live("prod").service(service));
//!
//! let emulator = Emulator::builder(repository).start_blocking()?;
//! println!("{}/api/v1/feature-service/get-features", emulator.url());
//! assert_eq!(emulator.stats().requests, 0);
//! # Ok::<(), tecton_emulator::StartError>(())
//! ```
//!
//! The same from a file: [`RepositoryFile::read`] and [`Emulator::of_file`].

mod api;
mod catalog;
mod data_type;
mod endpoint;
mod faults;
mod json;
mod repository;
mod server;
mod settings;
mod stats;
mod value;

pub use data_type::{DataType, DataTypeError, Field};
pub use endpoint::Endpoint;
pub use faults::{Fault, FaultAnswer, FaultBody, Lateness, StatusFault, When};
pub use repository::{
    ApiKey, Feature, FeatureService, FeatureValue, FeatureView, Repository, RepositoryError,
    RepositoryFile, Rows, Source, ViewKey, Workspace,
};
pub use server::{Background, Builder, Emulator, Running, StartError};
pub use settings::{
    EmptyMetadataOptions, EmptyRequestData, LateAnswer, Settings, StructMembers, UnknownFields,
};
pub use stats::Stats;

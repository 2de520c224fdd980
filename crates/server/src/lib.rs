//! HTTP API, jobs and the embedded UI, in one process.
//!
//! Routes translate between wire types and the store; jobs do the work that outlives a request. Nothing here judges:
//! packages are found and matched in `seareeve-scan`, images read in `seareeve-image`, facts judged in
//! `seareeve-posture`, audit events by `seareeve-audit` and `seareeve-detect`.

mod advisories;
mod audit;
mod auth;
mod clusters;
pub mod config;
mod connectors;
mod error;
mod events;
mod intel;
mod java_index;
mod jobs;
mod lifecycle;
mod pdf;
mod posture;
pub mod registries;
mod routes;
mod running;
mod state;
mod tls;
mod ui;
mod vex;

pub use lifecycle::{Server, check_certificate, check_store, make_private_folder, sign_in_path};
pub use routes::openapi_json;

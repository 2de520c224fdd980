//! From Kubernetes' objects, arguments and configuration to facts. Pure: where they come from is for `collect`.
//!
//! `docs/reference/facts-kubernetes.md` says what each fact holds.

#![warn(clippy::indexing_slicing)]

mod admission;
mod alone;
mod cluster;
mod component;
mod flags;
mod json;
mod manifests;
mod namespace;
mod network;
mod node;
mod nodes;
mod object;
mod pods;
mod rbac;
mod resource;
mod service_account;
mod snapshot;
mod stance;
mod state;
mod trim;
mod views;
mod workload;

pub use alone::alone;
pub use component::{
    COMPONENTS, ConfigFile, Observed, Seen, TOLD_FILES, component, of_command, reduced,
};
pub use flags::Flags;
pub use json::Slim;
pub use manifests::{Documents, Other, Trouble, documents, value};
pub use nodes::{Joined, NODE_KINDS, Stranger, belongs, join};
pub use object::{NotRead, Object, Origin};
pub use pods::containers;
pub use rbac::{Power, Subject, powers_of};
pub use resource::{Api, Reading, Resource};
pub use snapshot::{KINDS, Label, snapshot};
pub use state::{About, Change, FactKey, Gap, Key, Kind, State};
pub use views::{View, views};

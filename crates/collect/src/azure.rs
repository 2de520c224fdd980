//! What Seareeve reads of Azure: the documents that Resource Manager has of clusters and registries, and the facts that
//! they come to (`docs/reference/facts-azure.md`).
//!
//! Azure is only read, with `GET`: [`REQUESTS`] is all that is ever asked for, with the action that a role needs for
//! each. No key, password or kubeconfig is among it. What may not be read is a gap with the action that is missing, and
//! nothing else is lost. Documents that somebody saved come to the same facts without a network.

mod assertion;
mod client;
mod cloud;
mod credentials;
mod estate;
mod facts;
mod id;
mod join;
mod login;
mod read;
mod requests;
mod saved;

pub use client::{AskError, Limits, Pause};
pub use cloud::{Cloud, CloudError};
pub use credentials::{Credentials, CredentialsError, Secret};
pub use estate::{Cluster, Estate, Gap, Part, Registry, Subscription};
pub use facts::{ENVIRONMENT, Label, REGISTRY};
pub use join::{JoinError, Known, Likeness, joined, likeness};
pub use read::{Azure, Seen};
pub use requests::{REQUESTS, Request};
pub use saved::{Saved, saved};

//! What Seareeve reads of Kubernetes: a cluster through its API, and manifests from files.
//!
//! A cluster is only read, with `get`, `list` and `watch`; no Secret is ever asked for, and of ConfigMaps only the
//! metadata is. `deploy/kubernetes/reader-clusterrole.yaml` is all that it needs. A resource that may not be read is
//! a gap in the state, and nothing else is lost. Only [`Actor`] changes something: it makes the requests that it is told to,
//! for simulated attacks.
//!
//! The client is ours, over ureq, as those of registries and engines are: kube-rs would bring a second HTTP stack
//! with its runtime, and reads replies whole where these have limits of bytes and are cut down while they come.

mod act;
mod client;
mod cluster;
mod connection;
mod credentials;
mod exec;
mod files;
mod kubeconfig;
mod line;
mod list;
#[cfg(target_os = "linux")]
pub(crate) mod node;
mod observe;
#[cfg(target_os = "linux")]
mod process;
mod pulse;
mod stop;
mod watch;
mod wire;

pub use act::Actor;
pub use client::{AskError, Limits};
pub use cluster::{Cluster, Told};
pub use connection::{Connection, ConnectionError};
pub use credentials::{ClientCertificate, Credentials};
pub use exec::Exec;
pub use files::{Manifests, manifests};
pub use kubeconfig::KubeconfigError;
#[cfg(target_os = "linux")]
pub use node::node;
pub use observe::{Observation, ObserveError, Refusal, Taker, Wanted, observe};
#[cfg(target_os = "linux")]
pub use process::components;
pub use stop::Stop;
pub use watch::Pace;

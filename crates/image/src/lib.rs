//! Reads a container image in one pass per layer, keeps the files asked for, and lets others be looked at while
//! they pass.
//!
//! Sources stand in one file each: `archive/docker.rs`, `archive/layout.rs`, `registry.rs`, `engine.rs`. Each turns
//! what it finds into a `Plan` (what the image says about itself) and opens its layers; from there on nothing knows
//! where the bytes came from. `layers.rs` reads several at a time, each from the cache (`cache.rs`), in place where
//! it lies uncompressed on a disk (`layer/in_place.rs`), or as a stream that is hashed and unpacked
//! (`layer/unpack.rs`). All are walked the same way (`tar/`, `layer/collect.rs`) and laid over each other
//! (`tree.rs`). A directory (`directory.rs`) is an image of one layer.
//!
//! Everything read here is hostile. No file of an image is ever written under a name: what an engine gives, and
//! archives that are compressed as a whole, lie in a file without one while they are read. Nothing is executed, no
//! link is followed outside the tree in memory, and every amount has a [`Limits`] entry. A broken layer is a
//! [`seareeve_model::Problem`] and the rest is still read; a broken manifest is a [`ReadError`].
//!
//! This crate does not know what a package or a secret is, and must not: a [`Selector`] says what it wants.

#![warn(clippy::indexing_slicing)]

mod archive;
mod cache;
mod credentials;
mod directory;
mod engine;
mod environment;
mod error;
mod exact;
mod hashing;
mod inspect;
mod layer;
mod layers;
mod limits;
mod manifest;
mod options;
mod packing;
mod plan;
mod problems;
mod progress;
mod read;
mod registry;
mod seekable;
mod spool;
mod tar;
mod tree;
mod watch;

pub use cache::LayerCache;
pub use credentials::{
    CredentialError, Credentials, Login, RegistryName, RegistryNameError, Secret,
};
pub use engine::{EngineImage, Located, Place, locate};
pub use environment::Environment;
pub use error::ReadError;
pub use inspect::{Access, FileFacts, Inspector, Selector};
pub use layer::LayerFiles;
pub use limits::Limits;
pub use options::{LeastRate, Options, Platform, PlatformError, Verify};
pub use progress::{Progress, Stage};
pub use read::{Configuration, Contents, Source, read};
pub use registry::{Attachment, Referrer, attachments, referrers};
pub use seareeve_engine::{Endpoint, EndpointError};
pub use seareeve_trust::{Authorities, AuthoritiesError};
pub use tree::{File, FileTree, Note};

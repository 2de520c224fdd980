//! Reads a container image in one streamed pass per layer and keeps only the files asked for.
//!
//! Sources stand in one file each: `archive/docker.rs`, `archive/layout.rs`, `registry.rs`. Each turns
//! what it finds into a `Plan` (what the image says about itself) and opens its layers one by one; from
//! there on nothing knows where the bytes came from: unpack and hash (`layer/stream.rs`), walk the tar
//! (`tar/`), keep the wanted (`layer.rs`), lay the layers over each other (`tree.rs`).
//!
//! Everything read here is hostile. No file of an image is ever written, nothing is executed, no link is followed
//! outside the tree in memory, and every amount has a [`Limits`] entry. A broken layer is a
//! [`seareeve_model::Problem`] and the rest is still read; a broken manifest is a [`ReadError`].
//!
//! This crate does not know what a package is, and must not: `seareeve-scan` says which paths it wants.

#![warn(clippy::indexing_slicing)]

mod archive;
mod authorities;
mod cache;
mod credentials;
mod directory;
mod engine;
mod environment;
mod error;
mod hashing;
mod inspect;
mod layer;
mod layers;
mod limits;
mod manifest;
mod options;
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

pub use authorities::{Authorities, AuthoritiesError};
pub use cache::LayerCache;
pub use credentials::{
    CredentialError, Credentials, Login, RegistryName, RegistryNameError, Secret,
};
pub use engine::{Endpoint, EndpointError, EngineImage, Located, Place, locate};
pub use environment::Environment;
pub use error::ReadError;
pub use inspect::{FileFacts, Inspector, Selector};
pub use layer::LayerFiles;
pub use limits::Limits;
pub use options::{Options, Platform, PlatformError, Verify};
pub use progress::{Progress, Stage};
pub use read::{Configuration, Contents, Source, read};
pub use registry::{Attachment, Referrer, attachments, referrers};
pub use tree::{File, FileTree, Note};

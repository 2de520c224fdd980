//! The words of Seareeve: digests, references, packages, images, advisories and findings as typed values.
//!
//! Constructors check, fields are plain where any value is valid. This crate does no I/O, knows no wire
//! format and no database: wire types live in `seareeve-api`, rows in `seareeve-store`.

#![warn(clippy::indexing_slicing)]

mod advisory;
mod digest;
mod finding;
mod image;
mod image_path;
mod image_reference;
mod package;
mod problem;
mod purl;
mod secret;
mod severity;

pub use advisory::{CvssVector, DatabaseInfo, DatabaseKind, DatabaseSource, Reference};
pub use digest::{Digest, DigestError};
pub use finding::{AdvisoryMatch, Finding, FindingStatus, SeveritySource, Vulnerability};
pub use image::{Distro, Image, Layer};
pub use image_path::ImagePath;
pub use image_reference::{ImageReference, ImageReferenceError};
pub use package::{InstalledPackage, Inventory, Package, PackageKind, SourcePackage};
pub use problem::{Problem, ProblemCode};
pub use purl::{Purl, PurlError};
pub use secret::{Confidence, SecretFinding, SecretPlace};
pub use severity::{Severity, SeverityError};

//! The words of Seareeve: digests, references, packages, images, advisories and findings as typed values.
//!
//! Constructors check, fields are plain where any value is valid. This crate does no I/O, knows no wire
//! format and no database: wire types live in `seareeve-api`, rows in `seareeve-store`. Facts and alerts are the
//! exceptions: their form is agreed, because facts are replayed and alerts are handed on.

#![warn(clippy::indexing_slicing)]

mod advisory;
mod alert;
mod digest;
mod exploitation;
mod fact;
mod fact_delta;
mod finding;
mod image;
mod image_path;
mod image_reference;
mod notice;
mod package;
mod problem;
mod purl;
mod secret;
mod severity;
mod suppression;

pub use advisory::{
    CvssVector, DatabaseFeed, DatabaseInfo, DatabaseKind, DatabaseSource, Reference,
};
pub use alert::{Alert, AlertSeverity, Correlated, Entity, Evidence, Matched, Priority, Sample};
pub use digest::{Digest, DigestError};
pub use exploitation::{Epss, KnownExploited, Probability};
pub use fact::{Collection, CollectionStatus, Fact, FactKind, FactKindError, Snapshot};
pub use fact_delta::{FactDelta, FactIndex};
pub use finding::{AdvisoryMatch, Finding, FindingStatus, SeveritySource, Vulnerability};
pub use image::{Distro, ExtendedSupport, Image, Layer, ReleaseSupport};
pub use image_path::ImagePath;
pub use image_reference::{ImageReference, ImageReferenceError};
pub use notice::{Notice, NoticeCode};
pub use package::{InstalledPackage, Inventory, Package, PackageKind, SourcePackage};
pub use problem::{Problem, ProblemCode};
pub use purl::{Purl, PurlError, PurlParts};
pub use secret::{Confidence, SecretFinding, SecretPlace};
pub use severity::{Severity, SeverityError};
pub use suppression::{SuppressedBy, Suppression, VexJustification, VexStatus, VexVerdict};

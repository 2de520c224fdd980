//! From images to packages, through the front doors of `seareeve-image` and this crate.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod golden;
mod images;
mod made;
mod random;
mod rpm;
mod sbom;
mod secrets;

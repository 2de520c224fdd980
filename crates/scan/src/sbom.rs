//! Inventories in the formats in which SBOMs are exchanged: CycloneDX and SPDX, as JSON.
//!
//! ```text
//! Inventory ── notes, identity ─→ cyclonedx::write, spdx::write ─→ JSON
//! JSON ── envelope ─→ cyclonedx::read, spdx::read ─→ Said ── gather, names ─→ Inventory
//! ```
//! What we write says all of the inventory: the parts for which the formats have no words stand in `notes`,
//! so what is read back is equal. What others write is read as well as their words allow, and what is not
//! understood becomes a problem. The same input gives the same bytes: nothing here asks a clock or for chance.

mod cyclonedx;
mod envelope;
mod gaps;
mod gather;
mod identity;
mod image;
mod json;
mod names;
mod notes;
mod spdx;

use std::io;

use jiff::Timestamp;
use seareeve_model::{Finding, Inventory};

pub use envelope::ReadError;

/// The largest document that [`read`] takes, in bytes. Who reads a file asks for its size first.
pub const LARGEST: usize = 256 * 1024 * 1024;

/// The formats that we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CycloneDX 1.6. Carries findings as `vulnerabilities`.
    CycloneDx,
    /// SPDX 2.3. Has no words for findings but links to their advisories.
    Spdx,
}

/// Writes an inventory, and its `findings` where it was matched (one list per package, as
/// [`crate::match_inventory`] gives them).
///
/// `time` is what the document says of when it was made: the caller decides, so that the same image gives the
/// same bytes. [`time_of`] is the usual answer.
///
/// # Errors
/// Those of `out`.
pub fn write(
    format: Format,
    inventory: &Inventory,
    findings: Option<&[Vec<Finding>]>,
    time: Timestamp,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let document = Document::new(inventory, findings, time);
    match format {
        Format::CycloneDx => cyclonedx::write(&document, out),
        Format::Spdx => spdx::write(&document, out),
    }
}

/// The time of an inventory's document: when its image was made, or the beginning of 1970 where the image does
/// not say. Reproducible, unlike now; who sets `SOURCE_DATE_EPOCH` wants that instead.
#[must_use]
pub fn time_of(inventory: &Inventory) -> Timestamp {
    inventory.image.created.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Reads a document: CycloneDX 1.2 and later or SPDX 2.2 and 2.3, as it is, in an in-toto statement, in a DSSE
/// envelope, or as GitHub hands it out.
///
/// An inventory has an image. Where the document names none, the document itself stands in for it, with its
/// digest; packages of which it is not said which layer brought them are in a layer that is the document.
///
/// # Errors
/// When `bytes` are not such a document. What is wrong in one becomes a problem of the inventory instead.
pub fn read(bytes: &[u8]) -> Result<Inventory, ReadError> {
    envelope::read(bytes)
}

/// What is written, with the names by which its parts refer to each other.
struct Document<'a> {
    inventory: &'a Inventory,
    findings: Option<&'a [Vec<Finding>]>,
    /// Within the years that RFC 3339 and both schemas can write.
    time: Timestamp,
    /// One per package, in order.
    ids: Vec<String>,
}

impl<'a> Document<'a> {
    fn new(
        inventory: &'a Inventory,
        findings: Option<&'a [Vec<Finding>]>,
        time: Timestamp,
    ) -> Self {
        Self {
            inventory,
            findings,
            time: identity::writable(time),
            ids: inventory
                .packages
                .iter()
                .map(identity::of_package)
                .collect(),
        }
    }

    /// The findings of the package at `index`; none where nothing was matched.
    fn findings_of(&self, index: usize) -> &'a [Finding] {
        self.findings
            .and_then(|findings| findings.get(index))
            .map_or(&[], Vec::as_slice)
    }
}

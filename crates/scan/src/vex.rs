//! VEX: what the makers of an image or a package say of a vulnerability that a scanner finds in it.
//!
//! ```text
//! OpenVEX ─┐
//! CSAF     ─┼─ parse ─→ VexDocument ── apply ─→ findings with a verdict; some of them no longer count
//! CycloneDX ┘
//! ```
//! A statement speaks of products. A product is the image itself (by digest or name), or a package in it (by its
//! package URL); with subcomponents, only those packages of the product are meant. Of several statements about
//! one finding the latest counts. Nothing is removed: a finding that does not count any more says why.

mod csaf;
mod cyclonedx;
mod json;
mod openvex;
mod product;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use seareeve_model::{
    Finding, InstalledPackage, Inventory, Notice, NoticeCode, SuppressedBy, Suppression,
    VexJustification, VexStatus, VexVerdict,
};

#[cfg(test)]
pub(crate) use tests::sample;

use crate::Matches;
use json::At;
use product::{Images, Target};

/// No document is larger. Red Hat's largest have some tens of megabytes.
const MAX_DOCUMENT: usize = 128 << 20;

/// Why a document cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum VexError {
    /// It is not JSON. Whoever gave it is at fault.
    #[error("failed to read the VEX document {document} as JSON")]
    Json {
        /// The name it was given under.
        document: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It is JSON of another kind.
    #[error("{document} is neither OpenVEX nor CSAF 2.0 nor CycloneDX")]
    Unknown {
        /// The name it was given under.
        document: String,
    },
    /// Something in it is not as its format says.
    #[error("the VEX document {document} is malformed: {path} {why}")]
    Malformed {
        /// The name it was given under.
        document: String,
        /// Where, such as `statements[2].status`.
        path: String,
        /// What is wrong there.
        why: String,
    },
    /// It is larger than any real one.
    #[error("the VEX document {document} is larger than {} MiB", MAX_DOCUMENT >> 20)]
    TooLarge {
        /// The name it was given under.
        document: String,
    },
}

/// A VEX document of any format.
#[derive(Clone, Debug, PartialEq)]
pub struct VexDocument {
    /// The name it was given under, and its author.
    source: String,
    statements: Vec<Statement>,
    /// Places of products that name nothing which could be found in an image.
    unusable: Vec<String>,
}

impl VexDocument {
    /// How many statements it makes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    /// How verdicts name it: the name it was given under, and its author.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it makes none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Statement {
    vulnerabilities: Vec<String>,
    targets: Vec<Target>,
    status: VexStatus,
    justification: Option<VexJustification>,
    /// The impact, or what to do.
    text: String,
    timestamp: Option<Timestamp>,
}

/// What a format's reader makes of a document.
struct Content {
    author: String,
    statements: Vec<Statement>,
    unusable: Vec<String>,
}

/// Reads a document; `name` is said wherever it counts, such as its file name.
///
/// # Errors
/// When it is no VEX document of a known format, or breaks the rules of its format. A product that names nothing
/// which could be in an image is no error; [`apply`] says so.
pub fn parse(name: &str, content: &[u8]) -> Result<VexDocument, VexError> {
    let document = name.to_owned();
    if content.len() > MAX_DOCUMENT {
        return Err(VexError::TooLarge { document });
    }
    let json: serde_json::Value = match serde_json::from_slice(content) {
        Ok(json) => json,
        Err(source) => return Err(VexError::Json { document, source }),
    };
    let root = At::root(&json);
    let read = if json.get("@context").is_some() {
        openvex::read(&root)
    } else if json.pointer("/document/csaf_version").is_some() {
        csaf::read(&root)
    } else if json.get("bomFormat").and_then(|format| format.as_str()) == Some("CycloneDX") {
        cyclonedx::read(&root)
    } else {
        return Err(VexError::Unknown { document });
    };
    match read {
        Ok(content) => Ok(VexDocument {
            source: if content.author.is_empty() {
                document
            } else {
                format!("{document} ({})", content.author)
            },
            statements: content.statements,
            unusable: content.unusable,
        }),
        Err(json::Malformed { path, why }) => Err(VexError::Malformed {
            document,
            path,
            why,
        }),
    }
}

/// Gives each finding the verdict of the latest statement about it. What is not affected, or fixed whatever its
/// version says, is suppressed from then on. Documents of which nothing fits are told as notices.
pub fn apply(documents: &[VexDocument], inventory: &Inventory, matches: &mut Matches) {
    let mut by_id: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
    for (at, document) in documents.iter().enumerate() {
        for (number, statement) in document.statements.iter().enumerate() {
            for id in &statement.vulnerabilities {
                by_id.entry(id).or_default().push((at, number));
            }
        }
    }
    let images = Images::new(inventory);
    let mut used: BTreeMap<usize, u64> = BTreeMap::new();
    for (installed, findings) in inventory.packages.iter().zip(&mut matches.findings) {
        for finding in findings {
            let Some((at, statement)) = latest(documents, &by_id, &images, installed, finding)
            else {
                continue;
            };
            let count = used.entry(at).or_default();
            *count = count.saturating_add(1);
            if let Some(document) = documents.get(at) {
                judge(finding, statement, &document.source);
            }
        }
    }
    for (at, document) in documents.iter().enumerate() {
        let mut note = |message: String| {
            let notice = Notice::new(NoticeCode::VexUnused, document.source.as_str(), message);
            matches.notices.push(notice);
        };
        if let Some(first) = document.unusable.first() {
            let message = match document.unusable.len() {
                1 => format!("{first} names nothing that can be found in an image"),
                count => format!(
                    "{count} products name nothing that can be found in an image, {first} first"
                ),
            };
            note(message);
        }
        if !used.contains_key(&at) {
            note("no statement fits any finding".to_owned());
        }
    }
}

/// The latest statement about a finding; of equally old ones the last.
fn latest<'a>(
    documents: &'a [VexDocument],
    by_id: &HashMap<&str, Vec<(usize, usize)>>,
    images: &Images<'_>,
    installed: &InstalledPackage,
    finding: &Finding,
) -> Option<(usize, &'a Statement)> {
    let vulnerability = &finding.vulnerability;
    let records = finding.advisories.iter().map(|advisory| &advisory.id);
    let ids = std::iter::once(&vulnerability.id)
        .chain(&vulnerability.aliases)
        .chain(records);
    let candidates = ids.filter_map(|id| by_id.get(id.as_str())).flatten();
    let statements = candidates.filter_map(|(at, number)| {
        let statement = documents.get(*at)?.statements.get(*number)?;
        Some(((statement.timestamp, *at, *number), *at, statement))
    });
    let about = statements.filter(|(_, _, statement)| {
        let mut targets = statement.targets.iter();
        targets.any(|target| images.contain(target, installed))
    });
    let (_, at, statement) = about.max_by_key(|(age, ..)| *age)?;
    Some((at, statement))
}

fn judge(finding: &mut Finding, statement: &Statement, source: &str) {
    if statement.status.suppresses() && finding.suppressed.is_none() {
        finding.suppressed = Some(Suppression {
            by: SuppressedBy::Vex,
            reason: reason(statement),
            source: source.to_owned(),
            expires: None,
        });
    }
    finding.vex = Some(VexVerdict {
        status: statement.status,
        justification: statement.justification,
        statement: statement.text.clone(),
        document: source.to_owned(),
        timestamp: statement.timestamp,
    });
}

/// `not affected: vulnerable code not in execute path; the parser is never called`.
fn reason(statement: &Statement) -> String {
    let mut reason = statement.status.as_str().replace('_', " ");
    if let Some(justification) = statement.justification {
        reason.push_str(": ");
        reason.push_str(&justification.as_str().replace('_', " "));
    }
    if !statement.text.is_empty() {
        reason.push_str("; ");
        reason.push_str(&statement.text);
    }
    reason
}

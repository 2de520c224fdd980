//! What stands in the file, as `postcard` writes it. Changing anything here needs a new format version.
//!
//! Texts are borrowed from the mapped file. Severities are numbers here, because a stored form is a
//! promise and the types of `model` have none.

use jiff::Timestamp;
use seareeve_model::{CvssVector, Reference, Severity, SeveritySource, Vulnerability};
use serde::{Deserialize, Serialize};

/// A key of the index.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredKey<'a> {
    pub(crate) ecosystem: &'a str,
    pub(crate) name: &'a str,
    /// Changes with everything that can alter a finding of this package.
    pub(crate) hash: [u8; 16],
}

/// What one record says about one package. All entries of a key stand together.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredEntry<'a> {
    pub(crate) record: u32,
    pub(crate) vulnerabilities: Vec<u32>,
    #[serde(borrow)]
    pub(crate) statement: Statement<'a>,
}

/// Which versions are affected, and how the record's author rates that.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Statement<'a> {
    #[serde(borrow)]
    pub(crate) versions: Vec<&'a str>,
    /// The streams of modules that are meant, if modules are and the record says which (`nodejs:18`).
    #[serde(borrow)]
    pub(crate) streams: Vec<&'a str>,
    #[serde(borrow)]
    pub(crate) ranges: Vec<Range<'a>>,
    /// The rating of this package: of the distribution, or by its own CVSS vectors.
    pub(crate) rating: Option<StoredRating>,
    pub(crate) end_of_life: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Range<'a> {
    /// OSV's `SEMVER`: compared as semantic versions, whatever the ecosystem.
    pub(crate) semver: bool,
    #[serde(borrow)]
    pub(crate) events: Vec<Event<'a>>,
}

/// At the same version events stand in this order: the study's rule is introduced before fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum EventKind {
    Introduced,
    Fixed,
    LastAffected,
    Limit,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event<'a> {
    pub(crate) kind: EventKind,
    pub(crate) version: &'a str,
}

/// Positions in `SeveritySource::ALL` and `Severity::ALL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredRating(u8, u8);

impl StoredRating {
    pub(crate) fn new(source: SeveritySource, severity: Severity) -> Self {
        Self(
            position(&SeveritySource::ALL, &source),
            position(&Severity::ALL, &severity),
        )
    }

    /// `None` when the file is damaged.
    pub(crate) fn read(self) -> Option<(SeveritySource, Severity)> {
        let source = SeveritySource::ALL.get(usize::from(self.0))?;
        let severity = Severity::ALL.get(usize::from(self.1))?;
        Some((*source, *severity))
    }
}

fn position<T: PartialEq>(all: &[T], value: &T) -> u8 {
    let at = all.iter().position(|item| item == value);
    // The lists hold every variant and have fewer than 256.
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredRecord<'a> {
    pub(crate) id: &'a str,
    pub(crate) modified: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredVulnerability {
    pub(crate) id: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) title: String,
    pub(crate) description: String,
    /// Version, vector, score.
    pub(crate) cvss: Vec<(String, String, f64)>,
    pub(crate) published: Option<i64>,
    pub(crate) modified: Option<i64>,
    /// Kind, address.
    pub(crate) references: Vec<(String, String)>,
    /// The best rating that does not depend on the package.
    pub(crate) rating: Option<StoredRating>,
}

impl StoredVulnerability {
    pub(crate) fn into_model(self) -> Vulnerability {
        let cvss = self.cvss.into_iter();
        let references = self.references.into_iter();
        Vulnerability {
            id: self.id,
            aliases: self.aliases,
            title: self.title,
            description: self.description,
            cvss: cvss
                .map(|(version, vector, score)| CvssVector {
                    version,
                    vector,
                    score,
                })
                .collect(),
            published: timestamp(self.published),
            modified: timestamp(self.modified),
            references: references
                .map(|(kind, url)| Reference { kind, url })
                .collect(),
        }
    }
}

/// The share of one ecosystem, and the whole.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredInfo {
    pub(crate) starter: bool,
    pub(crate) advisories: u64,
    /// Ecosystem, records, newest change.
    pub(crate) sources: Vec<(String, u64, Option<i64>)>,
}

/// Microseconds since 1970, as everything stores times here.
pub(crate) fn timestamp(microseconds: Option<i64>) -> Option<Timestamp> {
    microseconds.and_then(|value| Timestamp::from_microsecond(value).ok())
}

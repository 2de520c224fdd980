//! What stands in the file, as `postcard` writes it. Changing anything here needs a new format version.
//!
//! Texts are borrowed from the mapped file. Severities are numbers here, because a stored form is a
//! promise and the types of `model` have none.

use jiff::Timestamp;
use jiff::civil::Date;
use seareeve_model::{
    CvssVector, DatabaseFeed, Epss, KnownExploited, Probability, Reference, Severity,
    SeveritySource, Vulnerability,
};
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
    pub(crate) disposition: Disposition,
}

/// What a distribution has decided about one of its packages, beyond the versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Disposition {
    /// Nothing.
    #[default]
    None,
    /// There is no security impact.
    Unimportant,
    /// It will be fixed with something else, later.
    FixDeferred,
    /// It will not be fixed.
    WillNotFix,
    /// The release is no longer looked after.
    EndOfLife,
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
    pub(crate) exploited: Option<StoredExploited>,
    /// In a section of its own, because it changes every day: what is here changes the hash of each package
    /// that has the vulnerability.
    #[serde(skip)]
    pub(crate) epss: Option<Epss>,
}

/// Year, month, day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredDate(i16, i8, i8);

impl From<Date> for StoredDate {
    fn from(date: Date) -> Self {
        Self(date.year(), date.month(), date.day())
    }
}

impl StoredDate {
    /// `None` when the file is damaged.
    pub(crate) fn read(self) -> Option<Date> {
        Date::new(self.0, self.1, self.2).ok()
    }
}

/// That a vulnerability is exploited; without dates when a record says so, not the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredExploited {
    pub(crate) added: Option<StoredDate>,
    pub(crate) due: Option<StoredDate>,
    pub(crate) ransomware: bool,
}

impl StoredExploited {
    pub(crate) fn into_model(self) -> KnownExploited {
        KnownExploited {
            date_added: self.added.and_then(StoredDate::read),
            due_date: self.due.and_then(StoredDate::read),
            ransomware: self.ransomware,
        }
    }
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
            known_exploited: self.exploited.map(StoredExploited::into_model),
            epss: self.epss,
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
    pub(crate) exploited: Option<StoredFeed>,
    pub(crate) epss: Option<StoredFeed>,
}

/// What came to the summary later, behind it: who does not know it reads the file all the same, and where it is missing
/// the file is older.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct StoredMore {
    /// Records that were left out as they are of no vulnerability.
    pub(crate) bug_fixes: u64,
}

/// Edition and size of a feed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct StoredFeed {
    pub(crate) date: StoredDate,
    pub(crate) entries: u64,
    pub(crate) used: u64,
}

impl StoredFeed {
    /// `None` when the file is damaged.
    pub(crate) fn read(self) -> Option<DatabaseFeed> {
        Some(DatabaseFeed {
            date: self.date.read()?,
            entries: self.entries,
            used: self.used,
        })
    }
}

/// Score and percentile of one vulnerability, in billionths, as the section of EPSS holds them: eight bytes each,
/// found by the vulnerability's number.
pub(crate) type ScoreBytes = [u8; 8];

/// Stands where a vulnerability has no score: no number of billionths of one is as large.
pub(crate) const NO_SCORE: u32 = u32::MAX;

pub(crate) fn score_bytes(scores: Option<(u32, u32)>) -> ScoreBytes {
    let (score, percentile) = scores.unwrap_or((NO_SCORE, NO_SCORE));
    let mut bytes = ScoreBytes::default();
    let (front, back) = bytes.split_at_mut(4);
    front.copy_from_slice(&score.to_le_bytes());
    back.copy_from_slice(&percentile.to_le_bytes());
    bytes
}

pub(crate) fn read_scores(bytes: ScoreBytes) -> Option<(Probability, Probability)> {
    let [a, b, c, d, rest @ ..] = bytes;
    let score = Probability::new(f64::from(u32::from_le_bytes([a, b, c, d])) / BILLION)?;
    let percentile = Probability::new(f64::from(u32::from_le_bytes(rest)) / BILLION)?;
    Some((score, percentile))
}

/// A probability in billionths, which is more than FIRST publishes and fits 32 bits.
pub(crate) fn billionths(probability: Probability) -> u32 {
    // At most 1, so at most 1e9.
    (probability.get() * BILLION).round() as u32
}

const BILLION: f64 = 1e9;

/// Microseconds since 1970, as everything stores times here.
pub(crate) fn timestamp(microseconds: Option<i64>) -> Option<Timestamp> {
    microseconds.and_then(|value| Timestamp::from_microsecond(value).ok())
}

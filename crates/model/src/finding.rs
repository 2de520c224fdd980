//! A finding: one vulnerability in one package.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{CvssVector, Epss, KnownExploited, Reference, Severity, Suppression, VexVerdict};

/// What can be done about a finding. The words are those that Trivy's users know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingStatus {
    /// A version with the fix exists.
    Fixed,
    /// Vulnerable, and no fixed version is known.
    Affected,
    /// The distribution has decided not to fix it.
    WillNotFix,
    /// The distribution will fix it later, without an advisory of its own.
    FixDeferred,
    /// The release is no longer looked after.
    EndOfLife,
}

impl FindingStatus {
    /// All statuses.
    pub const ALL: [Self; 5] = [
        Self::Fixed,
        Self::Affected,
        Self::WillNotFix,
        Self::FixDeferred,
        Self::EndOfLife,
    ];

    /// The stable name used on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Affected => "affected",
            Self::WillNotFix => "will_not_fix",
            Self::FixDeferred => "fix_deferred",
            Self::EndOfLife => "end_of_life",
        }
    }

    /// The status with the stable name `text`, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Who says how severe a finding is, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SeveritySource {
    /// The distribution's own word for this package.
    Distribution,
    /// Computed from a CVSS v4.0 vector.
    CvssV4,
    /// Computed from a CVSS v3.0 or v3.1 vector.
    CvssV3,
    /// Computed from a CVSS v2.0 vector.
    CvssV2,
    /// A word of the advisory database, without a vector (GitHub's `MODERATE`).
    Database,
    /// Nobody has rated it.
    None,
}

impl SeveritySource {
    /// All sources.
    pub const ALL: [Self; 6] = [
        Self::Distribution,
        Self::CvssV4,
        Self::CvssV3,
        Self::CvssV2,
        Self::Database,
        Self::None,
    ];

    /// The stable name used on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Distribution => "distribution",
            Self::CvssV4 => "cvss_v4",
            Self::CvssV3 => "cvss_v3",
            Self::CvssV2 => "cvss_v2",
            Self::Database => "database",
            Self::None => "none",
        }
    }

    /// The source with the stable name `text`, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

/// Evidence: the advisory record that hit, and by which statement of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AdvisoryMatch {
    /// The record's own id, such as `DLA-3449-1`.
    pub id: String,
    /// The statement that hit, in words: `>= 0, < 3.0.15-1~deb12u1` or `listed version 2.19.1`.
    pub range: String,
    /// When the record last changed.
    pub modified: Option<Timestamp>,
}

/// One vulnerability, whichever packages it hits. Records that are aliases of each other make one
/// vulnerability; everything here is the same for every package that has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Vulnerability {
    /// The CVE where there is one, otherwise the best known other id.
    pub id: String,
    /// All other ids of the same vulnerability, sorted.
    pub aliases: Vec<String>,
    /// One line; the first words of the description where no record has a summary.
    pub title: String,
    /// Markdown; empty when no record has one.
    pub description: String,
    /// All vectors known, v4 first.
    pub cvss: Vec<CvssVector>,
    /// First publication among the records.
    pub published: Option<Timestamp>,
    /// Last change among the records.
    pub modified: Option<Timestamp>,
    /// Further reading, without doubles.
    pub references: Vec<Reference>,
    /// Whether it is known to be exploited.
    pub known_exploited: Option<KnownExploited>,
    /// How probable it is that it will be; where the database has FIRST's scores.
    pub epss: Option<Epss>,
}

/// One vulnerability in one package.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What is wrong. Shared, because an image has the same vulnerability in many packages.
    pub vulnerability: Arc<Vulnerability>,
    /// The severity by the best source there is.
    pub severity: Severity,
    /// Who says so.
    pub severity_source: SeveritySource,
    /// What can be done.
    pub status: FindingStatus,
    /// Versions that fix it and are newer than the installed one, lowest first.
    pub fixed_versions: Vec<String>,
    /// The remedy in words: `upgrade openssl to 3.0.15-1~deb12u1`.
    pub remediation: String,
    /// Evidence: the records that hit this package, sorted by id. Never empty.
    pub advisories: Vec<AdvisoryMatch>,
    /// What a VEX document says of it.
    pub vex: Option<VexVerdict>,
    /// Why it does not count; `None` when it does.
    pub suppressed: Option<Suppression>,
}

impl Finding {
    /// Whether `id` means this finding: the vulnerability's own id, an alias, or a record that hit.
    #[must_use]
    pub fn is_called(&self, id: &str) -> bool {
        let vulnerability = &self.vulnerability;
        vulnerability.id == id
            || vulnerability.aliases.iter().any(|alias| alias == id)
            || self.advisories.iter().any(|advisory| advisory.id == id)
    }

    /// Every id by which this finding may be asked for, besides the vulnerability's own: its aliases
    /// and the records that hit. Sorted, without doubles.
    #[must_use]
    pub fn aliases(&self) -> Vec<&str> {
        let records = self.advisories.iter().map(|advisory| advisory.id.as_str());
        let aliases = self.vulnerability.aliases.iter().map(String::as_str);
        let mut all: Vec<&str> = aliases
            .chain(records)
            .filter(|id| *id != self.vulnerability.id)
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

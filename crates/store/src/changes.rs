//! Counts: what a change wrote, and how many findings there are of each severity.

use std::ops::AddAssign;

use seareeve_model::Severity;

/// How many rows a change wrote. All zero when there was nothing to change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows that are new.
    pub inserted: u64,
    /// Rows with another content than before.
    pub updated: u64,
    /// Rows that are gone.
    pub deleted: u64,
    /// Images whose summary (the counts kept with the image) was rewritten.
    pub summaries: u64,
}

impl Changes {
    /// All rows written.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.inserted + self.updated + self.deleted + self.summaries
    }
}

impl AddAssign for Changes {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.summaries += other.summaries;
    }
}

/// Findings by severity. A finding is a (package, vulnerability) pair, at however many paths the package lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeverityCounts {
    /// Critical.
    pub critical: u64,
    /// High.
    pub high: u64,
    /// Medium.
    pub medium: u64,
    /// Low.
    pub low: u64,
    /// Not rated by anybody.
    pub unknown: u64,
}

impl SeverityCounts {
    /// Findings of all severities.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.critical + self.high + self.medium + self.low + self.unknown
    }

    /// Findings of this severity.
    #[must_use]
    pub fn get(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Unknown => self.unknown,
        }
    }

    pub(crate) fn get_mut(&mut self, severity: Severity) -> &mut u64 {
        match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Unknown => &mut self.unknown,
        }
    }
}

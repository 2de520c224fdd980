//! How bad a finding is, on the five steps that scanners of this field share.

use std::fmt;
use std::str::FromStr;

/// Severity, lowest first, so that `>=` reads as "at least".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Nobody has rated it yet. Not the same as harmless.
    #[default]
    Unknown,
    /// Little or no effect, or hard to reach.
    Low,
    /// Limited effect or several conditions.
    Medium,
    /// Serious effect.
    High,
    /// Remote compromise without conditions, or known to be exploited that way.
    Critical,
}

/// The text is not one of the five severities. The user's fault.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a severity: use UNKNOWN, LOW, MEDIUM, HIGH or CRITICAL")]
pub struct SeverityError(String);

impl Severity {
    /// All severities, lowest first.
    pub const ALL: [Self; 5] = [
        Self::Unknown,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The lower-case name used on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The qualitative rating of a CVSS base score (CVSS v3.1 section 5, v4.0 section 6).
    /// A score of 0.0 ("None") is [`Severity::Low`], because a scored advisory is not unknown.
    #[must_use]
    pub fn from_cvss_score(score: f64) -> Self {
        if score >= 9.0 {
            Self::Critical
        } else if score >= 7.0 {
            Self::High
        } else if score >= 4.0 {
            Self::Medium
        } else {
            Self::Low
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = SeverityError;

    /// Case does not matter: Trivy's users write `HIGH`, our JSON says `high`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| SeverityError(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_parses_and_rates() {
        assert!(Severity::Critical > Severity::High && Severity::Low > Severity::Unknown);
        assert_eq!("HIGH".parse::<Severity>().unwrap(), Severity::High);
        assert!("severe".parse::<Severity>().is_err());
        let rated = [0.0, 3.9, 4.0, 6.9, 7.0, 8.9, 9.0].map(Severity::from_cvss_score);
        use Severity::{Critical, High, Low, Medium};
        assert_eq!(rated, [Low, Low, Medium, Medium, High, High, Critical]);
    }
}

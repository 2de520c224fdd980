//! What is said of a finding beyond its advisory: whether it is exploited, what a VEX document thinks of it, and why
//! it does not count.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use seareeve_model as model;

/// An entry of CISA's catalogue of known exploited vulnerabilities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnownExploited {
    /// When it came into the catalogue; `null` when another source says that it is exploited.
    #[schema(value_type = Option<String>, format = Date)]
    pub date_added: Option<Date>,
    /// Until when agencies of the United States have to mend it.
    #[schema(value_type = Option<String>, format = Date)]
    pub due_date: Option<Date>,
    /// Whether it is known to be used for extortion.
    pub ransomware: bool,
}

/// FIRST's estimate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Epss {
    /// Probability of being exploited within the next 30 days, 0.0 to 1.0.
    pub score: f64,
    /// Share of all vulnerabilities whose score is as high at most, 0.0 to 1.0.
    pub percentile: f64,
    /// The day of the estimate.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
}

/// What a VEX document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VexVerdict {
    /// `not_affected`, `affected`, `fixed` or `under_investigation`.
    pub status: String,
    /// Why it is not affected, in the document's format's own word.
    pub justification: Option<String>,
    /// The document's own words; may be empty.
    pub statement: String,
    /// The document and its author.
    pub document: String,
    /// When the statement was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub timestamp: Option<Timestamp>,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Suppression {
    /// `distribution`, `vex` or `ignore_file`.
    pub by: String,
    /// Why, in words.
    pub reason: String,
    /// Where it is said.
    pub source: String,
    /// From when on it counts again.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
}

impl From<&model::KnownExploited> for KnownExploited {
    fn from(known: &model::KnownExploited) -> Self {
        Self {
            date_added: known.date_added,
            due_date: known.due_date,
            ransomware: known.ransomware,
        }
    }
}

impl From<&model::Epss> for Epss {
    fn from(epss: &model::Epss) -> Self {
        Self {
            score: epss.score.get(),
            percentile: epss.percentile.get(),
            date: epss.date,
        }
    }
}

impl From<&model::VexVerdict> for VexVerdict {
    fn from(verdict: &model::VexVerdict) -> Self {
        let justification = verdict.justification;
        Self {
            status: verdict.status.as_str().to_owned(),
            justification: justification.map(|reason| reason.as_str().to_owned()),
            statement: verdict.statement.clone(),
            document: verdict.document.clone(),
            timestamp: verdict.timestamp,
        }
    }
}

impl From<&model::Suppression> for Suppression {
    fn from(suppression: &model::Suppression) -> Self {
        Self {
            by: suppression.by.as_str().to_owned(),
            reason: suppression.reason.clone(),
            source: suppression.source.clone(),
            expires: suppression.expires,
        }
    }
}

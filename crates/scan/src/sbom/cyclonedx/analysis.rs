//! What has been said of a finding: by the distribution, in VEX documents, by the user. Findings of which
//! different things were said do not share an entry.

use seareeve_model::{Finding, FindingStatus, SuppressedBy, VexJustification, VexStatus};
use serde::Serialize;

use crate::sbom::identity;

/// Without `state`, nobody has said whether it can be exploited here. Others would read one as that: so none is
/// written of what the user only wants out of sight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Analysis {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<[&'static str; 1]>,
    detail: String,
    #[serde(rename = "lastUpdated", skip_serializing_if = "Option::is_none")]
    last_updated: Option<String>,
    /// Who keeps it from counting, and until when: with another answer it is another judgement.
    #[serde(skip)]
    suppressed: Option<(SuppressedBy, Option<jiff::Timestamp>)>,
}

impl Analysis {
    pub(super) fn of(finding: &Finding) -> Self {
        let (response, known) = remedy(finding.status);
        let (verdict, suppression) = (finding.vex.as_ref(), finding.suppressed.as_ref());
        let by = suppression.map(|suppression| suppression.by);
        let state = match (verdict, by) {
            (Some(verdict), _) => Some(state(verdict.status)),
            (None, Some(SuppressedBy::Distribution)) => Some("not_affected"),
            (None, Some(SuppressedBy::Vex | SuppressedBy::IgnoreFile) | None) => None,
        };
        let mut details = Vec::new();
        if let Some(suppression) = suppression {
            details.push(format!("{} ({})", suppression.reason, suppression.source));
        }
        // What suppresses by VEX is the verdict in other words.
        if let Some(verdict) = verdict.filter(|_| by != Some(SuppressedBy::Vex)) {
            let word = verdict.status.as_str().replace('_', " ");
            let text = match verdict.statement.as_str() {
                "" => format!("{word} ({})", verdict.document),
                statement => format!("{word}: {statement} ({})", verdict.document),
            };
            details.push(text);
        }
        if suppression.is_none() {
            details.push(known.to_owned());
        }
        Self {
            state,
            justification: verdict
                .and_then(|verdict| verdict.justification)
                .and_then(justification),
            response: match by {
                None => response,
                // Whoever looks after the image has decided to live with it.
                Some(SuppressedBy::IgnoreFile) => Some("will_not_fix"),
                Some(SuppressedBy::Distribution | SuppressedBy::Vex) => None,
            }
            .map(|response| [response]),
            detail: details.join("; "),
            last_updated: verdict
                .and_then(|verdict| verdict.timestamp)
                .map(|time| identity::seconds(identity::writable(time))),
            suppressed: suppression.map(|suppression| (suppression.by, suppression.expires)),
        }
    }

    /// What to say of the versions.
    pub(super) fn version_status(&self) -> &'static str {
        match self.state {
            Some("not_affected") => "unaffected",
            _ => "affected",
        }
    }
}

fn state(status: VexStatus) -> &'static str {
    match status {
        VexStatus::NotAffected => "not_affected",
        VexStatus::Affected => "exploitable",
        VexStatus::Fixed => "resolved",
        VexStatus::UnderInvestigation => "in_triage",
    }
}

/// The reason among CycloneDX's nine. One of the others has no like among them; the detail has it in words.
fn justification(reason: VexJustification) -> Option<&'static str> {
    use VexJustification as Reason;
    let like = match reason {
        Reason::ComponentNotPresent | Reason::VulnerableCodeNotPresent => Reason::CodeNotPresent,
        Reason::VulnerableCodeNotInExecutePath => Reason::CodeNotReachable,
        Reason::InlineMitigationsAlreadyExist => Reason::ProtectedByMitigatingControl,
        Reason::VulnerableCodeCannotBeControlledByAdversary => return None,
        Reason::CodeNotPresent
        | Reason::CodeNotReachable
        | Reason::RequiresConfiguration
        | Reason::RequiresDependency
        | Reason::RequiresEnvironment
        | Reason::ProtectedByCompiler
        | Reason::ProtectedAtRuntime
        | Reason::ProtectedAtPerimeter
        | Reason::ProtectedByMitigatingControl => reason,
    };
    Some(like.as_str())
}

/// What can be done about what counts.
fn remedy(status: FindingStatus) -> (Option<&'static str>, &'static str) {
    match status {
        FindingStatus::Fixed => (Some("update"), "a version with the fix exists"),
        FindingStatus::Affected => (None, "no fixed version is known"),
        FindingStatus::WillNotFix => (
            Some("will_not_fix"),
            "the distribution has decided not to fix it",
        ),
        FindingStatus::FixDeferred => (None, "the distribution will fix it later"),
        FindingStatus::EndOfLife => (Some("can_not_fix"), "the release is no longer looked after"),
    }
}

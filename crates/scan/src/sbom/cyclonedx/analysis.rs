//! What has been found out about a vulnerability in this image, as CycloneDX has it: VEX in its own words.

use std::borrow::Cow;

use seareeve_model::{
    Finding, FindingStatus, SuppressedBy, VexJustification, VexStatus, VexVerdict,
};
use serde::Serialize;

/// Without a `state`, nobody has looked into whether it can be exploited here.
#[derive(Serialize)]
pub(super) struct Analysis<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<[&'static str; 1]>,
    detail: Cow<'a, str>,
}

/// What findings of one entry have in common besides the advisories' word.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Verdict<'a> {
    suppression: Option<(SuppressedBy, &'a str, &'a str)>,
    vex: Option<(VexStatus, Option<VexJustification>, &'a str)>,
}

impl<'a> Verdict<'a> {
    pub(super) fn of(finding: &'a Finding) -> Self {
        let suppressed = finding.suppressed.as_ref();
        let verdict = finding.vex.as_ref();
        Self {
            suppression: suppressed.map(|why| (why.by, why.reason.as_str(), why.source.as_str())),
            vex: verdict.map(|vex| (vex.status, vex.justification, vex.statement.as_str())),
        }
    }
}

impl<'a> Analysis<'a> {
    pub(super) fn of(finding: &'a Finding) -> Self {
        let (response, said) = said_by_advisories(finding.status);
        let judged = |state, justification, detail: &'a str| Self {
            state: Some(state),
            justification,
            response,
            detail: match detail {
                "" => Cow::Borrowed(said),
                detail => Cow::Borrowed(detail),
            },
        };
        let by = finding.suppressed.as_ref();
        match (by.map(|why| (why.by, why)), &finding.vex) {
            (Some((SuppressedBy::Distribution, why)), _) => {
                judged("not_affected", None, &why.reason)
            }
            // Who accepts a risk does not say that there is none.
            (Some((SuppressedBy::IgnoreFile, why)), None) => Self {
                state: None,
                justification: None,
                response: Some(["will_not_fix"]),
                detail: Cow::Owned(format!("accepted: {}", why.reason)),
            },
            (_, Some(vex)) => judged(state(vex), justification(vex), &vex.statement),
            (Some((SuppressedBy::Vex, why)), None) => judged("not_affected", None, &why.reason),
            (None, None) => Self {
                state: None,
                justification: None,
                response,
                detail: Cow::Borrowed(said),
            },
        }
    }

    /// Whether the versions named are not affected, whatever their numbers say.
    pub(super) fn is_unaffected(&self) -> bool {
        matches!(self.state, Some("not_affected" | "resolved"))
    }
}

fn said_by_advisories(status: FindingStatus) -> (Option<[&'static str; 1]>, &'static str) {
    let (response, detail) = match status {
        FindingStatus::Fixed => (Some("update"), "a version with the fix exists"),
        FindingStatus::Affected => (None, "no fixed version is known"),
        FindingStatus::WillNotFix => (
            Some("will_not_fix"),
            "the distribution has decided not to fix it",
        ),
        FindingStatus::FixDeferred => (None, "the distribution will fix it later"),
        FindingStatus::EndOfLife => (Some("can_not_fix"), "the release is no longer looked after"),
    };
    (response.map(|response| [response]), detail)
}

fn state(vex: &VexVerdict) -> &'static str {
    match vex.status {
        VexStatus::NotAffected => "not_affected",
        VexStatus::Affected => "exploitable",
        VexStatus::Fixed => "resolved",
        VexStatus::UnderInvestigation => "in_triage",
    }
}

/// CycloneDX's own nine stand as they are; the five that OpenVEX and CSAF share become the nearest of them.
fn justification(vex: &VexVerdict) -> Option<&'static str> {
    use VexJustification as Reason;
    Some(match vex.justification? {
        Reason::ComponentNotPresent | Reason::VulnerableCodeNotPresent => {
            Reason::CodeNotPresent.as_str()
        }
        Reason::VulnerableCodeNotInExecutePath
        | Reason::VulnerableCodeCannotBeControlledByAdversary => Reason::CodeNotReachable.as_str(),
        Reason::InlineMitigationsAlreadyExist => Reason::ProtectedByMitigatingControl.as_str(),
        reason @ (Reason::CodeNotPresent
        | Reason::CodeNotReachable
        | Reason::RequiresConfiguration
        | Reason::RequiresDependency
        | Reason::RequiresEnvironment
        | Reason::ProtectedByCompiler
        | Reason::ProtectedAtRuntime
        | Reason::ProtectedAtPerimeter
        | Reason::ProtectedByMitigatingControl) => reason.as_str(),
    })
}

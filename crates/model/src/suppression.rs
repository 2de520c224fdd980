//! Findings that do not count: who says so, why, and until when. They stay in every report, apart from the rest.

use jiff::Timestamp;

/// Why a finding is taken out of lists and gates. It is never deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Who says so.
    pub by: SuppressedBy,
    /// Why, in words for people.
    pub reason: String,
    /// Where it is said: the record of a distribution, the VEX document, the ignore file and its line.
    pub source: String,
    /// From when on it counts again.
    pub expires: Option<Timestamp>,
}

/// Who can take a finding out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SuppressedBy {
    /// The distribution: there is no security impact in its package.
    Distribution,
    /// A VEX document.
    Vex,
    /// An ignore file of the user.
    IgnoreFile,
}

impl SuppressedBy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Distribution, Self::Vex, Self::IgnoreFile];

    /// The stable name used on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Distribution => "distribution",
            Self::Vex => "vex",
            Self::IgnoreFile => "ignore_file",
        }
    }

    /// The one with the stable name `text`, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == text)
    }
}

/// What a VEX document says about one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexVerdict {
    /// Its status.
    pub status: VexStatus,
    /// Why it is not affected, where the document gives one of the agreed reasons.
    pub justification: Option<VexJustification>,
    /// The document's own words: the impact, or what to do. May be empty.
    pub statement: String,
    /// The document and its author, for people.
    pub document: String,
    /// When the statement was made.
    pub timestamp: Option<Timestamp>,
}

/// The four statuses that all VEX formats share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VexStatus {
    /// No remedy is needed.
    NotAffected,
    /// Remedies are recommended.
    Affected,
    /// This version has the fix, whatever its number says.
    Fixed,
    /// Nobody knows yet.
    UnderInvestigation,
}

impl VexStatus {
    /// All statuses.
    pub const ALL: [Self; 4] = [
        Self::NotAffected,
        Self::Affected,
        Self::Fixed,
        Self::UnderInvestigation,
    ];

    /// The stable name used on the wire and in the store, which is OpenVEX's.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
        }
    }

    /// The status with the stable name `text`, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether a finding of that status does not count.
    #[must_use]
    pub fn suppresses(self) -> bool {
        match self {
            Self::NotAffected | Self::Fixed => true,
            Self::Affected | Self::UnderInvestigation => false,
        }
    }
}

/// The agreed reasons for not being affected: five that OpenVEX and CSAF share, and CycloneDX's nine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VexJustification {
    /// The component is not in the product.
    ComponentNotPresent,
    /// The component is there, its vulnerable code is not.
    VulnerableCodeNotPresent,
    /// The vulnerable code is never run.
    VulnerableCodeNotInExecutePath,
    /// An attacker cannot steer the vulnerable code.
    VulnerableCodeCannotBeControlledByAdversary,
    /// The product already keeps it from being exploited.
    InlineMitigationsAlreadyExist,
    /// CycloneDX: the code was removed or left out.
    CodeNotPresent,
    /// CycloneDX: the code is not called.
    CodeNotReachable,
    /// CycloneDX: only exploitable with a setting that is not set.
    RequiresConfiguration,
    /// CycloneDX: only exploitable with a dependency that is not there.
    RequiresDependency,
    /// CycloneDX: only exploitable in another environment.
    RequiresEnvironment,
    /// CycloneDX: a compiler's flag prevents it.
    ProtectedByCompiler,
    /// CycloneDX: prevented while it runs.
    ProtectedAtRuntime,
    /// CycloneDX: blocked by what stands around the product.
    ProtectedAtPerimeter,
    /// CycloneDX: another control prevents it.
    ProtectedByMitigatingControl,
}

impl VexJustification {
    /// All reasons.
    pub const ALL: [Self; 14] = [
        Self::ComponentNotPresent,
        Self::VulnerableCodeNotPresent,
        Self::VulnerableCodeNotInExecutePath,
        Self::VulnerableCodeCannotBeControlledByAdversary,
        Self::InlineMitigationsAlreadyExist,
        Self::CodeNotPresent,
        Self::CodeNotReachable,
        Self::RequiresConfiguration,
        Self::RequiresDependency,
        Self::RequiresEnvironment,
        Self::ProtectedByCompiler,
        Self::ProtectedAtRuntime,
        Self::ProtectedAtPerimeter,
        Self::ProtectedByMitigatingControl,
    ];

    /// The word of the format that it comes from, which is also used on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ComponentNotPresent => "component_not_present",
            Self::VulnerableCodeNotPresent => "vulnerable_code_not_present",
            Self::VulnerableCodeNotInExecutePath => "vulnerable_code_not_in_execute_path",
            Self::VulnerableCodeCannotBeControlledByAdversary => {
                "vulnerable_code_cannot_be_controlled_by_adversary"
            }
            Self::InlineMitigationsAlreadyExist => "inline_mitigations_already_exist",
            Self::CodeNotPresent => "code_not_present",
            Self::CodeNotReachable => "code_not_reachable",
            Self::RequiresConfiguration => "requires_configuration",
            Self::RequiresDependency => "requires_dependency",
            Self::RequiresEnvironment => "requires_environment",
            Self::ProtectedByCompiler => "protected_by_compiler",
            Self::ProtectedAtRuntime => "protected_at_runtime",
            Self::ProtectedAtPerimeter => "protected_at_perimeter",
            Self::ProtectedByMitigatingControl => "protected_by_mitigating_control",
        }
    }

    /// The reason with the stable name `text`, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|justification| justification.as_str() == text)
    }
}

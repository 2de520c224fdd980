//! What could not be read or judged. A partial result always says so ("could not check" is never "fine").

use std::fmt;

/// One thing that a run could not read, understand or judge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// What kind of gap this is.
    pub code: ProblemCode,
    /// Where: a layer digest, a path in the image, an ecosystem. Lossy text, for people.
    pub place: String,
    /// What happened, in a sentence without a full stop.
    pub message: String,
}

/// The kinds of gap. A user decides by it whether the rest of the result is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemCode {
    /// A layer, or the rest of it, was not read.
    LayerUnreadable,
    /// A wanted file was not read whole.
    FileUnreadable,
    /// A package record was understood in part or not at all.
    PackageUnreadable,
    /// The content disagrees with what the image says about itself (a digest, a size).
    ContentMismatch,
    /// A limit of ours was reached and the rest left out.
    LimitReached,
    /// The operating system, or its release, is not known to us: its packages were not matched.
    DistroUnknown,
    /// A version could not be compared with an advisory's.
    VersionUnreadable,
    /// The advisory database holds nothing for this ecosystem, so nothing can be said about its packages.
    AdvisoriesMissing,
    /// An advisory record, or a part of it, could not be used when the database was built.
    AdvisoryUnreadable,
}

impl ProblemCode {
    /// All codes, for generated pages and for parsing.
    pub const ALL: [Self; 9] = [
        Self::LayerUnreadable,
        Self::FileUnreadable,
        Self::PackageUnreadable,
        Self::ContentMismatch,
        Self::LimitReached,
        Self::DistroUnknown,
        Self::VersionUnreadable,
        Self::AdvisoriesMissing,
        Self::AdvisoryUnreadable,
    ];

    /// The stable name used on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LayerUnreadable => "layer_unreadable",
            Self::FileUnreadable => "file_unreadable",
            Self::PackageUnreadable => "package_unreadable",
            Self::ContentMismatch => "content_mismatch",
            Self::LimitReached => "limit_reached",
            Self::DistroUnknown => "distro_unknown",
            Self::VersionUnreadable => "version_unreadable",
            Self::AdvisoriesMissing => "advisories_missing",
            Self::AdvisoryUnreadable => "advisory_unreadable",
        }
    }

    /// The code with the stable name `text`, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }
}

impl Problem {
    /// A problem at `place`.
    pub fn new(code: ProblemCode, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            place: place.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

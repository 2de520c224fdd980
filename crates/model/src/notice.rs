//! What a reader should know beside the findings. Unlike a [`crate::Problem`], a notice makes no result partial.

use std::fmt;

/// One thing worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// What kind it is.
    pub code: NoticeCode,
    /// What it is about: a file and its line, a document, a distribution. For people.
    pub place: String,
    /// In a sentence without a full stop.
    pub message: String,
}

/// The kinds of notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoticeCode {
    /// The distribution's release is past its end of life.
    EndOfLife,
    /// An entry of an ignore file is past its date: what it hid counts again.
    IgnoreExpired,
    /// An entry of an ignore file fits no finding.
    IgnoreUnused,
    /// No statement of a VEX document fits any finding.
    VexUnused,
}

impl NoticeCode {
    /// All codes.
    pub const ALL: [Self; 4] = [
        Self::EndOfLife,
        Self::IgnoreExpired,
        Self::IgnoreUnused,
        Self::VexUnused,
    ];

    /// The stable name used on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EndOfLife => "end_of_life",
            Self::IgnoreExpired => "ignore_expired",
            Self::IgnoreUnused => "ignore_unused",
            Self::VexUnused => "vex_unused",
        }
    }
}

impl Notice {
    /// A notice about `place`.
    pub fn new(code: NoticeCode, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            place: place.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

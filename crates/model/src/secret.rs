//! A secret that an image carries: what kind, where, and never the secret itself.

use crate::{ImagePath, Severity};

/// A credential found in an image. It says of which kind and at which place; nothing in it was copied from the
/// secret, not even masked or hashed: a hash of a weak password is the password.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretFinding {
    /// Where it stands.
    pub place: SecretPlace,
    /// Line of the file or text, from 1.
    pub line: u32,
    /// Byte of that line at which the secret begins, from 1.
    pub column: u32,
    /// Id of the rule that found it, such as `github-token`.
    pub rule: String,
    /// What it is, in a few words: the rule's title.
    pub title: String,
    /// Who issued it, such as `GitHub`.
    pub provider: String,
    /// What its loss would mean.
    pub severity: Severity,
    /// How sure the rule can be.
    pub confidence: Confidence,
}

/// The place of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretPlace {
    /// A field of the image's configuration, such as `config.Env[3] DATABASE_URL` or `history[7]`.
    Configuration {
        /// The field, as in the configuration's JSON.
        field: String,
    },
    /// A file of the image.
    File {
        /// Its path.
        path: ImagePath,
        /// Index of the layer that holds it.
        layer: u32,
        /// Whether a higher layer replaced or removed the file. Whoever has the image still has the secret.
        is_hidden: bool,
    },
}

/// How sure a rule is that what it found is a secret, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// A value that looks random, assigned to a name that sounds secret.
    Low,
    /// The form fits, but other things share it.
    Medium,
    /// The form is the issuer's own, or the content was checked.
    High,
}

impl Confidence {
    /// All, lowest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The lower-case name used on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The confidence with this name, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.as_str() == text)
    }
}

//! Secrets of an image: their kind and place. Nothing of a secret itself is on the wire, because nobody who sends it
//! knows it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use seareeve_model as model;

use crate::{SeverityCounts, Suppression};

/// A credential that an image carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportSecret {
    /// The rule that found it, such as `github-token`.
    pub rule: String,
    /// What it is.
    pub title: String,
    /// Who issues such secrets.
    pub provider: String,
    /// `critical`, `high`, `medium`, `low` or `unknown`: what its loss would mean.
    pub severity: String,
    /// `high`, `medium` or `low`: how sure the rule can be.
    pub confidence: String,
    /// The file, for a secret in one.
    pub path: Option<String>,
    /// The field of the image's configuration, for a secret there, such as `config.Env[3] DATABASE_URL`.
    pub field: Option<String>,
    /// Digest (diff id) of the layer that holds the file.
    pub layer: Option<String>,
    /// Whether a higher layer replaced or removed the file. Whoever has the image still has the secret.
    pub is_hidden: bool,
    /// Line, from 1.
    pub line: u32,
    /// Byte of that line, from 1.
    pub column: u32,
    /// What to do.
    pub remediation: String,
    /// Why it does not count.
    #[serde(default)]
    pub suppression: Option<Suppression>,
}

impl ReportSecret {
    /// The wire form; `layers` are the image's, to name the layer by its digest.
    #[must_use]
    pub fn new(
        secret: &model::SecretFinding,
        layers: &[model::Layer],
        remediation: &str,
        suppression: Option<&model::Suppression>,
    ) -> Self {
        let (path, field, layer, is_hidden) = match &secret.place {
            model::SecretPlace::Configuration { field } => (None, Some(field.clone()), None, false),
            model::SecretPlace::File {
                path,
                layer,
                is_hidden,
            } => {
                let index = usize::try_from(*layer).ok();
                let layer = index.and_then(|index| layers.get(index));
                let layer = layer.map(|layer| layer.diff_id.to_string());
                (Some(path.to_string()), None, layer, *is_hidden)
            }
        };
        Self {
            rule: secret.rule.clone(),
            title: secret.title.clone(),
            provider: secret.provider.clone(),
            severity: secret.severity.as_str().to_owned(),
            confidence: secret.confidence.as_str().to_owned(),
            path,
            field,
            layer,
            is_hidden,
            line: secret.line,
            column: secret.column,
            remediation: remediation.to_owned(),
            suppression: suppression.map(Suppression::from),
        }
    }
}

/// A credential that an image carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretView {
    /// The rule that found it, such as `github-token`.
    pub rule: String,
    /// What it is, in a few words.
    pub title: String,
    /// Who issued it.
    pub provider: String,
    /// What its loss would mean: `critical`, `high`, `medium` or `low`.
    pub severity: String,
    /// How sure the rule can be: `high`, `medium` or `low`.
    pub confidence: String,
    /// `file`, or `configuration` for a field of the image's configuration.
    pub kind: String,
    /// The file, or the field.
    pub path: String,
    /// Index of the layer that holds the file; absent in the configuration.
    pub layer: Option<u32>,
    /// Whether a higher layer replaced or removed the file. Whoever has the image still has the secret.
    pub is_hidden: bool,
    /// Line of the file or the field's text, from 1.
    pub line: u32,
    /// Byte of that line at which it begins, from 1.
    pub column: u32,
    /// What to do. Absent when the rule is not known any more.
    pub remediation: Option<String>,
}

/// Secrets of an image, worst first, a page of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretPage {
    /// The secrets.
    pub secrets: Vec<SecretView>,
    /// How many there are of each severity, with all filters applied but that of the severity.
    pub counts: SeverityCounts,
    /// Whether the image was looked through for secrets: a list of packages that was sent says nothing of them.
    pub looked: bool,
    /// To be sent as `cursor` for the next page.
    pub next: Option<String>,
}

//! Values that stand where a secret will be, from `content/secrets/lists/placeholders.yaml`.

use serde::Deserialize;

use super::checks::contains;

/// The file `lists/placeholders.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lists {
    #[serde(rename = "id")]
    _id: String,
    /// Parts that make anything a placeholder.
    always: Vec<String>,
    /// Parts that make a value without a form of its own a placeholder.
    words: Vec<String>,
    /// Whole values that are as good as none.
    values: Vec<String>,
}

/// The lists in lower case.
pub(super) struct Placeholders {
    always: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
    values: Vec<Vec<u8>>,
}

impl Placeholders {
    pub(super) fn new(lists: Lists) -> Self {
        let lower = |list: Vec<String>| -> Vec<Vec<u8>> {
            list.into_iter()
                .map(|text| text.to_ascii_lowercase().into_bytes())
                .collect()
        };
        Self {
            always: lower(lists.always),
            words: lower(lists.words),
            values: lower(lists.values),
        }
    }

    /// Whether the text is nobody's secret, whatever form it has.
    pub(super) fn is_placeholder(&self, text: &[u8]) -> bool {
        // Six equal characters in a row: one random token in ten million.
        let runs = text.chunk_by(|a, b| a == b).any(|run| run.len() >= 6);
        let lower = text.to_ascii_lowercase();
        runs || self.always.iter().any(|part| contains(&lower, part))
    }

    /// Whether the text is a placeholder, a default, or a word that names a secret rather than being one.
    pub(super) fn is_word(&self, text: &[u8]) -> bool {
        let lower = text.to_ascii_lowercase();
        let repeated = text.len() > 2 && text.chunk_by(|a, b| a == b).count() == 1;
        repeated
            || self.is_placeholder(text)
            || self.values.contains(&lower)
            || self.words.iter().any(|part| contains(&lower, part))
    }
}

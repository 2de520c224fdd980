//! What rules are called by.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use crate::rules::{Book, RuleEntry};

/// The ids of a load's detections.
pub(super) struct Ids<'b>(BTreeSet<&'b str>);

impl<'b> Ids<'b> {
    pub(super) fn of(book: &'b Book) -> Self {
        let details = book
            .rules
            .entries
            .iter()
            .filter_map(|rule| rule.details.as_ref());
        Self(details.map(|details| details.id.as_str()).collect())
    }

    /// What a rule is called by: a detection says it, else it is the name. Detections keep theirs, so that rules of
    /// Falco's load beside them whatever they are named.
    pub(super) fn id(&self, rule: &RuleEntry) -> String {
        if let Some(details) = &rule.details {
            return details.id.clone();
        }
        let slug = slug(&rule.name);
        match self.0.contains(slug.as_str()) {
            true => format!("rule-{slug}"),
            false => slug,
        }
    }
}

/// A name as an id. One without letters that ids have becomes a number.
fn slug(name: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric();
    let words = name.split(|c| !is_part(c)).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    if words.is_empty() {
        let digest = Sha256::digest(name);
        let digits = digest.iter().take(8).map(|byte| format!("{byte:02x}"));
        return format!("rule-{}", digits.collect::<String>());
    }
    words.join("-")
}

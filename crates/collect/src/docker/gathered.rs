//! What was gathered of each kind, while it is gathered: several engines may add to one kind, and one may fail.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_engine::AskError;
use seareeve_model::{Collection, CollectionStatus, Fact, FactKind};

use seareeve_redact as redact;

/// Reasons that are told of one kind.
const DETAILS: usize = 10;

/// All kinds.
#[derive(Debug, Default)]
pub(crate) struct Gathered(BTreeMap<&'static str, Kind>);

#[derive(Debug, Default)]
struct Kind {
    items: Vec<Fact>,
    sources: BTreeSet<String>,
    failures: Vec<(CollectionStatus, String)>,
}

impl Gathered {
    /// Notes that a kind was asked for.
    pub(crate) fn source(&mut self, kind: &'static str, source: impl Into<String>) {
        self.0
            .entry(kind)
            .or_default()
            .sources
            .insert(source.into());
    }

    pub(crate) fn add(&mut self, kind: &'static str, fact: Fact) {
        self.0.entry(kind).or_default().items.push(fact);
    }

    /// Notes why a kind is not there, or not whole.
    pub(crate) fn fail(
        &mut self,
        kind: &'static str,
        status: CollectionStatus,
        detail: impl Into<String>,
    ) {
        let kind = self.0.entry(kind).or_default();
        // What engines and files say of their failures may quote what nobody should keep.
        let failure = (status, redact::text(&detail.into()));
        if kind.failures.len() < DETAILS && !kind.failures.contains(&failure) {
            kind.failures.push(failure);
        }
    }

    /// What was noted of a kind so far.
    pub(crate) fn failures(&self, kind: &str) -> &[(CollectionStatus, String)] {
        self.0.get(kind).map_or(&[], |kind| &kind.failures)
    }

    /// Notes that an engine gave no answer.
    pub(crate) fn refused(&mut self, kind: &'static str, error: &AskError) {
        self.fail(kind, status(error), error.to_string());
    }

    /// The collections. A failure of one engine is seen even where others answered; that one lacks something does
    /// not matter where another has it.
    pub(crate) fn finish(self) -> BTreeMap<FactKind, Collection> {
        let kinds = self.0.into_iter().filter_map(|(name, mut kind)| {
            kind.items.sort_by(|a, b| a.id.cmp(&b.id));
            // Ids are unique whatever an engine says.
            kind.items.dedup_by(|a, b| a.id == b.id);
            let has_items = !kind.items.is_empty();
            let worst = kind.failures.iter().map(|(status, _)| *status).max();
            // That there is none is not known where one of them could not be asked.
            let is_known = !has_items && worst == Some(CollectionStatus::Absent);
            kind.failures
                .retain(|(status, _)| is_known || *status != CollectionStatus::Absent);
            let worst = kind.failures.iter().map(|(status, _)| *status).max();
            let details: Vec<String> = kind
                .failures
                .into_iter()
                .map(|(_, detail)| detail)
                .collect();
            let sources: Vec<String> = kind.sources.into_iter().collect();
            let collection = Collection {
                status: worst.unwrap_or(CollectionStatus::Ok),
                detail: (!details.is_empty()).then(|| details.join("; ")),
                source: sources.join(", "),
                items: kind.items,
            };
            // Names of kinds are ours.
            Some((FactKind::new(name).ok()?, collection))
        });
        kinds.collect()
    }
}

/// What an engine's failure makes of a kind.
pub(crate) fn status(error: &AskError) -> CollectionStatus {
    match error.status() {
        _ if error.is_denied() => CollectionStatus::Denied,
        Some(404 | 501) => CollectionStatus::Unsupported,
        _ => CollectionStatus::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_does_not_hide_what_others_gave() {
        let fact = |id: &str| Fact {
            id: id.to_owned(),
            name: id.to_owned(),
            data: serde_json::json!({}),
        };
        let mut gathered = Gathered::default();
        gathered.source("docker.swarm", "b");
        gathered.source("docker.swarm", "a");
        gathered.add("docker.swarm", fact("2"));
        gathered.add("docker.swarm", fact("1"));
        gathered.add("docker.swarm", fact("1"));
        gathered.fail("docker.swarm", CollectionStatus::Absent, "no swarm");
        gathered.fail("docker.image", CollectionStatus::Absent, "none");
        gathered.fail("docker.image", CollectionStatus::Denied, "no right");
        let finished = gathered.finish();
        let swarm = &finished[&FactKind::new("docker.swarm").unwrap()];
        assert_eq!((swarm.status, &swarm.detail), (CollectionStatus::Ok, &None));
        assert_eq!(swarm.items, [fact("1"), fact("2")]);
        assert_eq!(swarm.source, "a, b");
        let image = &finished[&FactKind::new("docker.image").unwrap()];
        assert_eq!(image.status, CollectionStatus::Denied);
        assert_eq!(image.detail.as_deref(), Some("no right"));
    }
}

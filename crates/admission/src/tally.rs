//! What was decided, counted and sampled within limits, until somebody takes it away.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Effect};
use crate::review::{Operation, Review};

/// Pairs of recommendation and namespace that are counted apart; what comes later is counted under [`OTHERS`].
const MOST_COUNTS: usize = 5_000;
/// Samples of one count, and of all.
const MOST_SAMPLES_EACH: usize = 3;
const MOST_SAMPLES: usize = 200;
/// Characters of a sample's message.
const MOST_CHARACTERS: usize = 500;
/// Stands for namespaces that there was no room for.
const OTHERS: &str = "(others)";

type Key = (String, String, Effect);

/// Counts and samples since they were taken last.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: BTreeMap<Key, u64>,
    samples: BTreeMap<Key, Vec<Sample>>,
    sampled: usize,
    reviews: u64,
}

/// What is sent to the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Reviews that were answered, all together.
    pub reviews: u64,
    /// By recommendation, namespace and effect.
    pub counts: Vec<Count>,
    /// Some of what was counted.
    pub samples: Vec<Sample>,
}

/// How often something was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The recommendation's id.
    pub recommendation: String,
    /// The namespace.
    pub namespace: String,
    /// `denied`, `warned`, `audited` or `unchecked`.
    pub effect: String,
    /// How often.
    pub count: u64,
}

/// One decision with its details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The recommendation's id.
    pub recommendation: String,
    /// The namespace.
    pub namespace: String,
    /// See [`Count::effect`].
    pub effect: String,
    /// When.
    pub at: Timestamp,
    /// `create` or `update`.
    pub operation: String,
    /// The object's kind.
    pub kind: String,
    /// The object's name, or what its name begins with.
    pub name: String,
    /// Who asked.
    pub user: String,
    /// What is wrong.
    pub message: String,
}

impl Tally {
    /// Counts an answer. A dry run leaves no trace.
    pub fn add(&mut self, review: &Review, answer: &Answer, now: Timestamp) {
        if review.is_dry_run {
            return;
        }
        self.reviews = self.reviews.saturating_add(1);
        for decision in &answer.decisions {
            let mut key = (
                decision.recommendation.clone(),
                review.namespace.clone(),
                decision.effect,
            );
            if !self.counts.contains_key(&key) && self.counts.len() >= MOST_COUNTS {
                key.1 = OTHERS.to_owned();
            }
            let count = self.counts.entry(key.clone()).or_default();
            *count = count.saturating_add(1);
            let kept = self.samples.entry(key).or_default();
            if kept.len() >= MOST_SAMPLES_EACH || self.sampled >= MOST_SAMPLES {
                continue;
            }
            self.sampled = self.sampled.saturating_add(1);
            kept.push(Sample {
                recommendation: decision.recommendation.clone(),
                namespace: review.namespace.clone(),
                effect: decision.effect.as_str().to_owned(),
                at: now,
                operation: operation(review.operation),
                kind: review.kind.clone(),
                name: name(review),
                user: review.user.clone(),
                message: decision
                    .messages
                    .join("; ")
                    .chars()
                    .take(MOST_CHARACTERS)
                    .collect(),
            });
        }
    }

    /// Counts a request that nobody looked into: a body that is no review, or too many at once.
    pub fn add_unread(&mut self) {
        self.reviews = self.reviews.saturating_add(1);
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reviews == 0 && self.counts.is_empty()
    }

    /// What was counted, and begins anew.
    pub fn take(&mut self) -> Report {
        let taken = std::mem::take(self);
        Report {
            reviews: taken.reviews,
            counts: taken
                .counts
                .into_iter()
                .map(|((recommendation, namespace, effect), count)| Count {
                    recommendation,
                    namespace,
                    effect: effect.as_str().to_owned(),
                    count,
                })
                .collect(),
            samples: taken.samples.into_values().flatten().collect(),
        }
    }

    /// Puts back what could not be told.
    pub fn put_back(&mut self, report: Report) {
        self.reviews = self.reviews.saturating_add(report.reviews);
        for count in report.counts {
            let Some(effect) = effect(&count.effect) else {
                continue;
            };
            let mut key = (count.recommendation, count.namespace, effect);
            if !self.counts.contains_key(&key) && self.counts.len() >= MOST_COUNTS {
                key.1 = OTHERS.to_owned();
            }
            let sum = self.counts.entry(key).or_default();
            *sum = sum.saturating_add(count.count);
        }
        for sample in report.samples {
            let Some(effect) = effect(&sample.effect) else {
                continue;
            };
            let key = (
                sample.recommendation.clone(),
                sample.namespace.clone(),
                effect,
            );
            let kept = self.samples.entry(key).or_default();
            if kept.len() < MOST_SAMPLES_EACH && self.sampled < MOST_SAMPLES {
                self.sampled = self.sampled.saturating_add(1);
                kept.push(sample);
            }
        }
    }
}

fn effect(word: &str) -> Option<Effect> {
    Effect::ALL
        .into_iter()
        .find(|effect| effect.as_str() == word)
}

fn operation(operation: Operation) -> String {
    operation.to_string()
}

/// The object's name; of one that the API server names, what the name will begin with.
fn name(review: &Review) -> String {
    if !review.name.is_empty() {
        return review.name.clone();
    }
    let text = |pointer| review.object.as_ref()?.pointer(pointer)?.as_str();
    let name = text("/metadata/name").or_else(|| text("/metadata/generateName"));
    name.unwrap_or_default().chars().take(253).collect()
}

//! A recommendation × one asset's facts → healthy or not.

use jiff::Timestamp;
use seareeve_model::Snapshot;
use serde_json::{Map, Value};

use crate::assess::Statements;
use crate::catalogue::Recommendation;
use crate::health::health_by_checks;
use crate::judge::judge;
use crate::library::Library;
use crate::score::Health;
use crate::verdict::Outcome;

/// What the checks of a recommendation say of an asset that is judged whole, and why. Nothing where no check of it is
/// about any kind of fact that the asset has: its collector does not look at that. `set`: parameters that people set.
#[must_use]
pub fn recommend(
    library: &Library,
    recommendation: &Recommendation,
    set: &Map<String, Value>,
    snapshot: &Snapshot,
    statements: &Statements,
    now: Timestamp,
) -> Option<(Health, Option<String>)> {
    let has = |kind: &seareeve_model::FactKind| snapshot.facts.contains_key(kind);
    let uses = recommendation.uses_on(library, set, &has);
    if uses.is_empty() {
        return None;
    }
    let verdicts: Vec<_> = uses
        .iter()
        .filter_map(|used| {
            let mut verdict = judge(library.check(&used.check)?, &used.params(), snapshot, now);
            let exceptions = &statements.exceptions;
            exceptions.apply_to(&mut verdict, None, &snapshot.asset_name, now);
            let failing = verdict.objects.iter();
            let failing = failing.filter(|object| object.outcome == Outcome::Fail);
            let count = failing.count();
            Some((verdict, count))
        })
        .collect();
    let (health, reason) = health_by_checks(&verdicts);
    // Of one object there is more to say than that it fails, or why nobody can tell.
    let said = verdicts.iter().flat_map(|(verdict, _)| {
        let deciding = verdict.objects.iter();
        let deciding = deciding.filter(|object| match health {
            Health::Unhealthy => object.outcome == Outcome::Fail,
            Health::Unknown => matches!(
                object.outcome,
                Outcome::NotCollected | Outcome::Error | Outcome::NeedsReview
            ),
            Health::Healthy | Health::NotApplicable => false,
        });
        deciding.flat_map(|object| {
            let items = object.items.iter().map(|item| item.message.clone());
            items.chain(object.reason.clone())
        })
    });
    let said: Vec<String> = said.take(3).collect();
    Some((
        health,
        if said.is_empty() {
            reason
        } else {
            Some(said.join("; "))
        },
    ))
}

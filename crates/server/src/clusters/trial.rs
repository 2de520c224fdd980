//! What a recommendation would say of a cluster by other settings than are in force. Nothing is kept of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use seareeve_model::{Collection, Fact, FactKind};
use seareeve_posture::{Outcome, Recommendation, Standing, Use};
use seareeve_store::assets::Health;
use seareeve_store::clusters::{self, Cluster};
use seareeve_store::recommendation_settings::RecommendationSetting;

use super::model::{Asked, Model, excluded_namespaces, is_judged, joined, uses};
use crate::posture::judging::Concern;
use crate::posture::{Content, Said};
use crate::state::App;

/// What a recommendation says of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Outlook {
    /// In one word; nothing where it is not judged.
    pub(crate) health: Option<Health>,
    /// The objects that fail: their names by their ids.
    pub(crate) failing: BTreeMap<String, String>,
}

/// What is tried.
pub(crate) struct Trial<'t> {
    pub(crate) recommendation: &'t Recommendation,
    pub(crate) setting: &'t RecommendationSetting,
    pub(crate) said: &'t Said,
    pub(crate) now: Timestamp,
}

/// What a recommendation says of a cluster as it is set, and what it would say. Nothing for a cluster whose facts are not
/// all there yet.
pub(crate) async fn trial(
    app: &Arc<App>,
    cluster: &Cluster,
    trial: &Trial<'_>,
) -> anyhow::Result<Option<(Outlook, Outlook)>> {
    let Some(model) = app.clusters.read(app, cluster.asset).await? else {
        return Ok(None);
    };
    let content = app.content();
    let one = trial.recommendation;
    let fresh: Vec<Use> = uses(&content, one, Some(trial.setting));
    let checks = fresh
        .iter()
        .filter_map(|used| content.library.check(&used.check));
    let mut kinds: BTreeSet<FactKind> = BTreeSet::new();
    let mut objects: BTreeSet<FactKind> = BTreeSet::new();
    for check in checks {
        kinds.extend(check.reads().cloned());
        objects.insert(check.on().clone());
    }
    let mut facts: BTreeMap<FactKind, Vec<Fact>> = BTreeMap::new();
    for kind in kinds {
        let kept = model.joined_facts(&kind);
        let found = match kept {
            Some(found) => found,
            None => clusters::facts(&app.store, cluster.asset, &kind).await?,
        };
        facts.insert(kind, found);
    }
    let statements = trial.said.statements(cluster.asset);
    let concern = Concern {
        said: trial.said,
        asset: cluster.asset,
        now: trial.now,
    };
    let look = |standing: &Standing, setting: Option<&RecommendationSetting>| {
        if !is_judged(one, setting) || one.benchmark.is_some() {
            return Outlook::default();
        }
        let asked = Asked {
            recommendation: one,
            setting,
            statements: &statements,
            now: trial.now,
        };
        let tallied = model.tally_by(&content, standing, &asked);
        let failing = failing(&content, &model, standing, &asked);
        let health = model.told(&content, one, joined(tallied), cluster, &concern);
        Outlook {
            health: Some(health),
            failing,
        }
    };
    let now = look(&model.standing, trial.said.settings.get(&one.id));
    let standing = judged(&content, &model, fresh, facts, &objects, trial.now);
    let after = look(&standing, Some(trial.setting));
    Ok(Some((now, after)))
}

/// Facts judged by some checks alone.
fn judged(
    content: &Content,
    model: &Model,
    uses: Vec<Use>,
    mut facts: BTreeMap<FactKind, Vec<Fact>>,
    objects: &BTreeSet<FactKind>,
    now: Timestamp,
) -> Standing {
    let mut standing = Standing::new(&content.library, uses, []);
    for (kind, collection) in model.standing.collections() {
        if facts.contains_key(kind) {
            let collection = Collection {
                items: Vec::new(),
                ..collection.clone()
            };
            standing.set_collection(kind, &collection);
        }
    }
    // What is read beside the objects has to be there before them.
    let beside: Vec<FactKind> = facts
        .keys()
        .filter(|kind| !objects.contains(*kind))
        .cloned()
        .collect();
    for kind in beside.iter().chain(objects) {
        if let Some(found) = facts.remove(kind) {
            standing.put_all(&content.library, kind, found, now);
        }
    }
    standing
}

/// The objects that fail, those aside that are left out or may fail.
fn failing(
    content: &Content,
    model: &Model,
    standing: &Standing,
    asked: &Asked<'_>,
) -> BTreeMap<String, String> {
    let excluded = excluded_namespaces(asked.recommendation, asked.setting);
    let exceptions = &asked.statements.exceptions;
    let mut failing = BTreeMap::new();
    for used in uses(content, asked.recommendation, asked.setting) {
        let found = standing.with(&used, &[Outcome::Fail]);
        let counted = found.filter(|object| {
            !excluded.contains(&*object.namespace)
                && !exceptions.covers(&used.check, &model.name, &object.name, asked.now)
        });
        failing.extend(counted.map(|object| (object.id.clone(), object.name.clone())));
    }
    failing
}

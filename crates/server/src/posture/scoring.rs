//! The secure score of what is stored.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use seareeve_posture::{Judged, Score, score};
use seareeve_store::assets::{HealthChange, HealthEntry, HealthState};
use seareeve_store::scores::{self, Cause, ScorePoint};
use seareeve_store::{AssetId, StoreError, Tx};

use super::Content;

/// The score of what recommendations say. `entries` are all of it.
pub(crate) fn score_of<'e>(
    content: &Content,
    entries: impl IntoIterator<Item = &'e HealthEntry>,
) -> Score {
    let entries: Vec<&HealthEntry> = entries.into_iter().collect();
    let assets: Vec<String> = entries.iter().map(|one| one.asset.to_string()).collect();
    let judged = entries.iter().zip(&assets).flat_map(|(entry, asset)| {
        let id = entry.health.recommendation.as_str();
        let recommendation = content.catalogue.recommendation(id);
        let groups = recommendation.map(|one| one.score_groups.iter());
        groups.into_iter().flatten().map(move |group| Judged {
            group,
            recommendation: id,
            asset,
            health: health(entry.health.state),
            counts: recommendation.is_some_and(|one| !one.preview),
        })
    });
    score(&content.catalogue.points(), judged)
}

fn health(state: HealthState) -> seareeve_posture::Health {
    match state {
        HealthState::Healthy => seareeve_posture::Health::Healthy,
        HealthState::Unhealthy => seareeve_posture::Health::Unhealthy,
        HealthState::NotApplicable => seareeve_posture::Health::NotApplicable,
        HealthState::Unknown => seareeve_posture::Health::Unknown,
    }
}

/// Those of an environment; all for none.
pub(crate) fn within(entries: Vec<HealthEntry>, environment: Option<&str>) -> Vec<HealthEntry> {
    match environment {
        None => entries,
        Some(name) => entries
            .into_iter()
            .filter(|entry| entry.environment == name)
            .collect(),
    }
}

/// What of the score changes when a recommendation says something else of an asset.
pub(crate) fn cause(asset: AssetId, change: HealthChange) -> Cause {
    Cause {
        recommendation: change.recommendation,
        asset,
        asset_name: change.asset_name,
        was: change.was.map(|state| state.as_str().to_owned()),
        health: change.health.map(|state| state.as_str().to_owned()),
    }
}

/// Notes the scores of all and of each environment, in the transaction that changes them.
pub(crate) async fn note(
    tx: &mut Tx,
    content: &Content,
    causes: Vec<Cause>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let entries = seareeve_store::assets::health_in(tx).await?;
    let mut of_all: BTreeMap<AssetId, &str> = BTreeMap::new();
    let mut by_environment: BTreeMap<&str, Vec<&HealthEntry>> = BTreeMap::new();
    for entry in &entries {
        of_all.insert(entry.asset, &entry.environment);
        let of_it = by_environment.entry(&entry.environment).or_default();
        of_it.push(entry);
    }
    let point = |score: &Score, causes: Vec<Cause>| ScorePoint {
        at: now,
        points: score.current(),
        most: score.max(),
        causes,
    };
    let known = scores::environments(tx).await?;
    let names: BTreeSet<&str> = known
        .iter()
        .map(String::as_str)
        .chain(by_environment.keys().copied())
        .collect();
    for name in names {
        let of_it = by_environment.get(name).into_iter().flatten().copied();
        let score = score_of(content, of_it);
        // An asset that is gone, or was moved, may have been here: then this score differs, and no other one does.
        let is_here = |cause: &&Cause| {
            let is_moved = cause.recommendation.is_empty();
            is_moved || of_all.get(&cause.asset).is_none_or(|of| *of == name)
        };
        let here = causes.iter().filter(is_here).cloned().collect();
        scores::put(tx, name, &point(&score, here)).await?;
    }
    scores::put(tx, "", &point(&score_of(content, &entries), causes)).await
}

/// What would be said if unhealthy assets were mended, or taken out by an exemption.
#[derive(Clone, Debug, Default)]
pub(crate) struct WhatIf {
    /// Only by this recommendation; by all for none.
    pub(crate) recommendation: Option<String>,
    /// Only these assets; all for none.
    pub(crate) assets: BTreeSet<AssetId>,
    /// Only of this environment; of all for none.
    pub(crate) environment: Option<String>,
    /// Exempt, rather than mended.
    pub(crate) is_exempt: bool,
}

impl WhatIf {
    /// What would be said.
    pub(crate) fn of(&self, entries: &[HealthEntry]) -> Vec<HealthEntry> {
        let mut after = entries.to_vec();
        for entry in &mut after {
            let recommendation = self.recommendation.as_ref();
            let environment = self.environment.as_ref();
            let is_meant = recommendation.is_none_or(|id| entry.health.recommendation == *id)
                && environment.is_none_or(|name| entry.environment == *name)
                && (self.assets.is_empty() || self.assets.contains(&entry.asset));
            match (is_meant, self.is_exempt) {
                (true, true) => entry.health.state = HealthState::NotApplicable,
                (true, false) if entry.health.state == HealthState::Unhealthy => {
                    entry.health.state = HealthState::Healthy;
                }
                _ => {}
            }
        }
        after
    }
}

/// What one group's points hang on.
#[derive(Default)]
struct Standing<'e> {
    healthy: u64,
    unhealthy: u64,
    /// By recommendation, assets that only it holds back: those that would be healthy, and those that would be unknown.
    only: BTreeMap<&'e str, (u64, u64)>,
    max: f64,
}

/// What one asset is in a group.
#[derive(Default)]
struct Said<'e> {
    needs: Vec<&'e str>,
    is_unknown: bool,
    is_healthy: bool,
}

/// What assets are in groups, and what the groups' points hang on.
struct Standings<'e> {
    said: BTreeMap<(&'e str, AssetId), Said<'e>>,
    groups: BTreeMap<&'e str, Standing<'e>>,
}

fn standings<'e>(content: &'e Content, entries: &'e [HealthEntry]) -> Standings<'e> {
    let points = content.catalogue.points();
    let mut said: BTreeMap<(&str, AssetId), Said<'_>> = BTreeMap::new();
    for entry in entries {
        let known = content
            .catalogue
            .recommendation(&entry.health.recommendation);
        let Some(recommendation) = known.filter(|one| !one.preview) else {
            continue;
        };
        for group in &recommendation.score_groups {
            let of_asset = said.entry((group, entry.asset)).or_default();
            match entry.health.state {
                HealthState::Healthy => of_asset.is_healthy = true,
                HealthState::Unhealthy => of_asset.needs.push(&recommendation.id),
                HealthState::Unknown => of_asset.is_unknown = true,
                HealthState::NotApplicable => {}
            }
        }
    }
    let mut groups: BTreeMap<&str, Standing<'_>> = BTreeMap::new();
    for ((group, _), asset) in &said {
        let standing = groups.entry(group).or_default();
        standing.max = points.get(*group).copied().unwrap_or_default();
        if let [first, rest @ ..] = asset.needs.as_slice() {
            standing.unhealthy += 1;
            if rest.is_empty() {
                let only = standing.only.entry(first).or_default();
                match asset.is_unknown {
                    true => only.1 += 1,
                    false => only.0 += 1,
                }
            }
        } else if asset.is_healthy && !asset.is_unknown {
            standing.healthy += 1;
        }
    }
    Standings { said, groups }
}

impl Standing<'_> {
    /// What comes back when so many assets become healthy, and so many unknown.
    fn gain(&self, mended: u64, unknown: u64) -> f64 {
        let share = |healthy: u64, unhealthy: u64| match healthy + unhealthy {
            0 => 0.0,
            all => self.max * healthy as f64 / all as f64,
        };
        let left = self.unhealthy.saturating_sub(mended + unknown);
        share(self.healthy + mended, left) - share(self.healthy, self.unhealthy)
    }
}

/// The points that come back when no asset needs a recommendation any more, by recommendation. In one pass: reckoning
/// a whole score for each recommendation took a second with 10,000 assets.
pub(crate) fn potentials<'e>(
    content: &'e Content,
    entries: &'e [HealthEntry],
) -> BTreeMap<&'e str, f64> {
    let mut potentials: BTreeMap<&str, f64> = BTreeMap::new();
    for standing in standings(content, entries).groups.values() {
        for (recommendation, (mended, unknown)) in &standing.only {
            let gain = standing.gain(*mended, *unknown);
            *potentials.entry(recommendation).or_default() += gain;
        }
    }
    potentials
}

/// The points that come back when one asset needs nothing more, and those of each of its recommendations alone.
pub(crate) fn potentials_of<'e>(
    content: &'e Content,
    entries: &'e [HealthEntry],
    asset: AssetId,
) -> (f64, BTreeMap<&'e str, f64>) {
    let standings = standings(content, entries);
    let (mut all, mut each) = (0.0, BTreeMap::new());
    for (group, standing) in &standings.groups {
        let Some(said) = standings.said.get(&(*group, asset)) else {
            continue;
        };
        let Some((first, rest)) = said.needs.split_first() else {
            continue;
        };
        let (mended, unknown) = if said.is_unknown { (0, 1) } else { (1, 0) };
        let gain = standing.gain(mended, unknown);
        all += gain;
        if rest.is_empty() {
            *each.entry(*first).or_default() += gain;
        }
    }
    (all, each)
}

#[cfg(test)]
mod tests {
    use seareeve_store::assets::Health;

    use super::*;
    use crate::posture::own;

    fn entry(recommendation: &str, asset: i64, state: HealthState) -> HealthEntry {
        HealthEntry {
            asset: AssetId(asset),
            asset_name: format!("a{asset}"),
            asset_kind: "kubernetes-cluster".to_owned(),
            environment: "default".to_owned(),
            health: Health {
                recommendation: recommendation.to_owned(),
                state,
                reason: None,
                exemption: None,
            },
            since: Timestamp::UNIX_EPOCH,
        }
    }

    /// The worked example of `reference.md`, section 4.1: a group of 6 points, 4 healthy and 74 unhealthy assets.
    #[test]
    fn the_worked_example_comes_out() {
        let content = own::content(&[]);
        let group = "remediate-vulnerabilities";
        let one = content
            .catalogue
            .recommendation("registry-image-vulnerabilities");
        assert!(one.is_some_and(|one| one.score_groups == [group] && !one.preview));
        let states = (0..78).map(|at| match at < 4 {
            true => HealthState::Healthy,
            false => HealthState::Unhealthy,
        });
        let entries: Vec<HealthEntry> = states
            .zip(0..)
            .map(|(state, at)| entry("registry-image-vulnerabilities", at, state))
            .collect();
        let score = score_of(&content, &entries);
        let part = &score.groups[group];
        assert_eq!(format!("{:.2}", part.current), "0.31");
        assert_eq!(format!("{:.2}", part.potential()), "5.69");
        // An exempt asset leaves both sides: 6 / 77 × 4.
        let what_if = WhatIf {
            assets: BTreeSet::from([AssetId(70)]),
            is_exempt: true,
            ..WhatIf::default()
        };
        let score = score_of(&content, &what_if.of(&entries));
        assert_eq!(format!("{:.4}", score.groups[group].current), "0.3117");
        // Three of them mended: 6 / 78 × 7.
        let what_if = WhatIf {
            assets: [70, 71, 72].map(AssetId).into(),
            ..WhatIf::default()
        };
        let score = score_of(&content, &what_if.of(&entries));
        assert_eq!(format!("{:.4}", score.groups[group].current), "0.5385");
    }

    /// What is reckoned in one pass is what the whole score says.
    #[test]
    fn potentials_are_those_of_the_whole_score() {
        let content = own::content(&[]);
        let ids: Vec<String> = content
            .catalogue
            .recommendations()
            .map(|one| one.id.clone())
            .collect();
        // A pattern in which every combination of states meets on some asset.
        let mut entries = Vec::new();
        let mut seed = 1_u32;
        for asset in 0..40 {
            for id in &ids {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let state = match seed >> 28 {
                    0 => HealthState::Unknown,
                    1 => HealthState::Unhealthy,
                    2 | 3 => HealthState::NotApplicable,
                    _ => HealthState::Healthy,
                };
                entries.push(entry(id, asset, state));
            }
        }
        let before = score_of(&content, &entries).current();
        let found = potentials(&content, &entries);
        assert!(found.values().any(|gain| *gain > 0.0), "{found:?}");
        for id in &ids {
            let what_if = WhatIf {
                recommendation: Some(id.clone()),
                ..WhatIf::default()
            };
            let after = score_of(&content, &what_if.of(&entries)).current();
            let gain = found.get(id.as_str()).copied().unwrap_or_default();
            assert!((after - before - gain).abs() < 1e-9, "{id}: {gain}");
        }
        for asset in (0..40).map(AssetId) {
            let (all, each) = potentials_of(&content, &entries, asset);
            let mended = |recommendation: Option<&String>| {
                let what_if = WhatIf {
                    recommendation: recommendation.cloned(),
                    assets: BTreeSet::from([asset]),
                    ..WhatIf::default()
                };
                score_of(&content, &what_if.of(&entries)).current() - before
            };
            assert!((mended(None) - all).abs() < 1e-9, "{asset}: {all}");
            for id in ids.iter().step_by(7) {
                let gain = each.get(id.as_str()).copied().unwrap_or_default();
                assert!((mended(Some(id)) - gain).abs() < 1e-9, "{asset} {id}");
            }
        }
    }
}

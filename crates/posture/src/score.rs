//! The secure score: what share of the points that an environment can have it has, and where the rest lies.
//!
//! Recommendations belong to score groups, and a group has points. An asset counts as healthy in a group when it is
//! healthy for every recommendation of the group that concerns it; it is unhealthy once, however many fail. Each asset
//! is worth the same share of the group's points. What is not applicable (also because somebody made an exemption) and
//! what could not be told counts in neither; the latter is shown beside the score, never as healthy.

use std::collections::{BTreeMap, BTreeSet};

/// What a recommendation says of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// It needs nothing.
    Healthy,
    /// It needs what is recommended.
    Unhealthy,
    /// It is not concerned.
    NotApplicable,
    /// It could not be told.
    Unknown,
}

/// One recommendation's word on one asset, for one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<'a> {
    /// The score group.
    pub group: &'a str,
    /// The recommendation.
    pub recommendation: &'a str,
    /// The asset.
    pub asset: &'a str,
    /// What it says.
    pub health: Health,
    /// Whether it counts: previews and people's own recommendations do not.
    pub counts: bool,
}

/// A group's part of the score.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupScore {
    /// Its points.
    pub max: f64,
    /// Those that are there.
    pub current: f64,
    /// Assets that are healthy for all of its recommendations.
    pub healthy: BTreeSet<String>,
    /// Assets that are not, with the recommendations that say so.
    pub unhealthy: BTreeMap<String, BTreeSet<String>>,
    /// Assets of which nothing could be told, or not all and nothing bad.
    pub unknown: BTreeSet<String>,
}

/// A whole score.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// By group; one that concerns no asset is not there.
    pub groups: BTreeMap<String, GroupScore>,
}

/// What recommendations say of one asset.
type Said<'a> = Vec<(Health, &'a str)>;

/// The score of what recommendations say. `points` are the groups' points.
#[must_use]
pub fn score<'a>(
    points: &BTreeMap<String, f64>,
    judged: impl IntoIterator<Item = Judged<'a>>,
) -> Score {
    let mut assets: BTreeMap<&str, BTreeMap<&str, Said<'_>>> = BTreeMap::new();
    for one in judged {
        if one.counts && points.contains_key(one.group) {
            let group = assets.entry(one.group).or_default();
            let asset = group.entry(one.asset).or_default();
            asset.push((one.health, one.recommendation));
        }
    }
    let mut groups = BTreeMap::new();
    for (group, assets) in assets {
        let mut score = GroupScore {
            max: points.get(group).copied().unwrap_or_default(),
            ..GroupScore::default()
        };
        for (asset, said) in assets {
            let with = |health: Health| {
                said.iter()
                    .filter(move |(said, _)| *said == health)
                    .map(|(_, recommendation)| (*recommendation).to_owned())
            };
            let unhealthy: BTreeSet<String> = with(Health::Unhealthy).collect();
            if !unhealthy.is_empty() {
                score.unhealthy.insert(asset.to_owned(), unhealthy);
            } else if with(Health::Unknown).next().is_some() {
                score.unknown.insert(asset.to_owned());
            } else if with(Health::Healthy).next().is_some() {
                score.healthy.insert(asset.to_owned());
            }
        }
        let counted = score.healthy.len() + score.unhealthy.len();
        if counted > 0 {
            score.current = score.per_asset() * count(score.healthy.len());
        }
        if counted > 0 || !score.unknown.is_empty() {
            groups.insert(group.to_owned(), score);
        }
    }
    Score { groups }
}

impl GroupScore {
    /// The points that one asset is worth.
    #[must_use]
    pub fn per_asset(&self) -> f64 {
        let assets = self.healthy.len() + self.unhealthy.len();
        if assets == 0 {
            0.0
        } else {
            self.max / count(assets)
        }
    }

    /// The points to be had.
    #[must_use]
    pub fn potential(&self) -> f64 {
        self.per_asset() * count(self.unhealthy.len())
    }

    /// Whether any asset was judged: only then do its points count in the whole.
    #[must_use]
    pub fn is_assessed(&self) -> bool {
        !self.healthy.is_empty() || !self.unhealthy.is_empty()
    }
}

impl Score {
    /// The points that are there.
    #[must_use]
    pub fn current(&self) -> f64 {
        self.assessed().map(|group| group.current).sum()
    }

    /// The points that there can be: those of groups of which any asset was judged.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.assessed().map(|group| group.max).sum()
    }

    /// The first as a share of the second, from 0 to 1; nothing when nothing that has points was judged.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let max = self.max();
        (max > 0.0).then(|| self.current() / max)
    }

    fn assessed(&self) -> impl Iterator<Item = &GroupScore> {
        self.groups.values().filter(|group| group.is_assessed())
    }
}

/// Counts of assets are far below what a float holds exactly.
fn count(assets: usize) -> f64 {
    u32::try_from(assets).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said<'a>(recommendation: &'a str, asset: &'a str, health: Health) -> Judged<'a> {
        Judged {
            group: "vulnerabilities",
            recommendation,
            asset,
            health,
            counts: true,
        }
    }

    fn points() -> BTreeMap<String, f64> {
        BTreeMap::from([
            ("vulnerabilities".to_owned(), 6.0),
            ("access".to_owned(), 4.0),
            ("practices".to_owned(), 0.0),
        ])
    }

    /// The example of the product that ours replaces: `reference.md`, section 4.1.
    #[test]
    fn the_worked_example_is_met() {
        let names: Vec<String> = (0..78).map(|at| format!("asset {at}")).collect();
        let judged = names.iter().enumerate().map(|(at, name)| {
            let health = if at < 4 {
                Health::Healthy
            } else {
                Health::Unhealthy
            };
            said("images", name, health)
        });
        let score = score(&points(), judged);
        let group = &score.groups["vulnerabilities"];
        assert_eq!(format!("{:.2}", group.current), "0.31");
        assert_eq!(format!("{:.2}", group.potential()), "5.69");
        assert_eq!(format!("{:.3}", group.per_asset()), "0.077");
    }

    #[test]
    fn an_asset_is_unhealthy_once_and_healthy_only_for_all() {
        let score = score(
            &points(),
            [
                said("images", "a", Health::Healthy),
                said("sources", "a", Health::Unhealthy),
                said("add-on", "a", Health::Unhealthy),
                said("images", "b", Health::Healthy),
                said("sources", "b", Health::NotApplicable),
                said("images", "c", Health::NotApplicable),
                said("images", "d", Health::Healthy),
                said("sources", "d", Health::Unknown),
            ],
        );
        let group = &score.groups["vulnerabilities"];
        let unhealthy: Vec<&String> = group.unhealthy.keys().collect();
        assert_eq!(unhealthy, ["a"]);
        assert_eq!(group.unhealthy["a"].len(), 2);
        assert_eq!(group.healthy, BTreeSet::from(["b".to_owned()]));
        assert_eq!(group.unknown, BTreeSet::from(["d".to_owned()]));
        assert!((group.current - 3.0).abs() < 1e-9);
    }

    #[test]
    fn only_groups_with_judged_assets_count_in_the_whole() {
        let mut judged = vec![
            said("images", "a", Health::Healthy),
            said("images", "b", Health::Unhealthy),
            Judged {
                group: "access",
                ..said("roles", "c", Health::Unknown)
            },
            Judged {
                group: "practices",
                ..said("namespace", "c", Health::Unhealthy)
            },
        ];
        let before = score(&points(), judged.clone());
        assert_eq!((before.current(), before.max()), (3.0, 6.0));
        assert_eq!(before.share(), Some(0.5));
        // Neither a preview nor a group that nobody knows changes it.
        judged.push(Judged {
            counts: false,
            ..said("preview", "a", Health::Unhealthy)
        });
        judged.push(Judged {
            group: "own",
            ..said("own", "a", Health::Unhealthy)
        });
        assert_eq!(score(&points(), judged), before);
        assert_eq!(score(&points(), []).share(), None);
    }

    fn health() -> impl Strategy<Value = Health> {
        prop_oneof![
            Just(Health::Healthy),
            Just(Health::Unhealthy),
            Just(Health::NotApplicable),
            Just(Health::Unknown),
        ]
    }

    proptest! {
        #[test]
        fn points_add_up_and_mending_never_costs(
            said in proptest::collection::vec((0..3_usize, 0..4_usize, 0..6_usize, health()), 0..60),
            mended in 0..60_usize,
        ) {
            let groups = ["vulnerabilities", "access", "practices"];
            let names = ["a", "b", "c", "d", "e", "f"];
            let judge = |said: &[(usize, usize, usize, Health)]| {
                score(&points(), said.iter().map(|(group, recommendation, asset, health)| Judged {
                    group: groups[*group],
                    recommendation: names[*recommendation],
                    asset: names[*asset],
                    health: *health,
                    counts: true,
                }))
            };
            let before = judge(&said);
            for group in before.groups.values().filter(|group| group.is_assessed()) {
                prop_assert!((group.current + group.potential() - group.max).abs() < 1e-9);
            }
            prop_assert!(before.current() <= before.max() + 1e-9);
            let mut after = said;
            if let Some(one) = after.get_mut(mended)
                && one.3 == Health::Unhealthy
            {
                one.3 = Health::Healthy;
                prop_assert!(judge(&after).current() + 1e-9 >= before.current());
            }
        }
    }
}

//! The secure score of what is stored: made of sums that are kept, whatever the number of assets.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use seareeve_posture::Catalogue;
use seareeve_store::assets::{self, HealthChange, HealthEntry, HealthState};
use seareeve_store::health_counts::{self, Counts, Share};
use seareeve_store::scores::{self, Cause, ScorePoint};
use seareeve_store::{AssetId, StoreError, Tx, environments};

use super::Content;
use super::counting::{Standing, Word, share};

/// What is counted of assets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    /// By group; one that concerns no asset is not there.
    pub(crate) groups: BTreeMap<String, GroupSums>,
    /// Assets by what each recommendation says of them: healthy, unhealthy, not applicable, unknown.
    pub(crate) said: BTreeMap<String, [u32; 4]>,
}

/// What is counted of a score group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct GroupSums {
    /// Its points.
    pub(crate) max: f64,
    /// Assets that are healthy for all of its recommendations.
    pub(crate) healthy: u32,
    /// Assets that are not.
    pub(crate) unhealthy: u32,
    /// Assets of which nothing bad is known, and not all.
    pub(crate) unknown: u32,
    unhealthy_and_unknown: u32,
    /// By recommendation, what assets are that only it holds back: healthy, and unknown.
    mended: BTreeMap<String, (u32, u32)>,
    exempt: BTreeMap<String, Vec<(Standing, Standing, u32)>>,
}

impl Sums {
    /// What the numbers say.
    pub(crate) fn of(content: &Content, counts: &Counts) -> Self {
        let points = content.catalogue.points();
        let mut sums = Self::default();
        for (key, number) in counts {
            let number = u32::try_from(*number).unwrap_or_default();
            let Some(word) = Word::parse(&key.word).filter(|_| number > 0) else {
                continue;
            };
            if key.group.is_empty() {
                let [healthy, unhealthy, not_applicable, unknown] =
                    sums.said.entry(key.recommendation.clone()).or_default();
                match word {
                    Word::Is(Standing::Healthy) => *healthy = number,
                    Word::Is(Standing::Unhealthy) => *unhealthy = number,
                    Word::Is(Standing::Unknown) => *unknown = number,
                    Word::NotApplicable => *not_applicable = number,
                    Word::Is(Standing::Out)
                    | Word::UnhealthyAndUnknown
                    | Word::Mended(_)
                    | Word::Exempt(..) => {}
                }
                continue;
            }
            let Some(max) = points.get(&key.group) else {
                continue;
            };
            let group = sums.groups.entry(key.group.clone()).or_default();
            group.max = *max;
            let id = &key.recommendation;
            match word {
                Word::Is(Standing::Healthy) => group.healthy = number,
                Word::Is(Standing::Unhealthy) => group.unhealthy = number,
                Word::Is(Standing::Unknown) => group.unknown = number,
                Word::UnhealthyAndUnknown => group.unhealthy_and_unknown = number,
                Word::Mended(Standing::Healthy) => {
                    group.mended.entry(id.clone()).or_default().0 = number;
                }
                Word::Mended(_) => group.mended.entry(id.clone()).or_default().1 = number,
                Word::Exempt(from, to) => {
                    let moved = group.exempt.entry(id.clone()).or_default();
                    moved.push((from, to, number));
                }
                Word::Is(Standing::Out) | Word::NotApplicable => {}
            }
        }
        sums.groups
            .retain(|_, group| group.is_assessed() || group.unknown > 0);
        sums
    }

    /// The points that are there.
    pub(crate) fn current(&self) -> f64 {
        // A sum of nothing is -0.
        0.0 + self.groups.values().map(GroupSums::current).sum::<f64>()
    }

    /// The points that there can be: those of groups of which any asset was judged.
    pub(crate) fn max(&self) -> f64 {
        let assessed = self.groups.values().filter(|group| group.is_assessed());
        0.0 + assessed.map(|group| group.max).sum::<f64>()
    }

    /// The first as a share of the second; nothing when nothing that has points was judged.
    pub(crate) fn share(&self) -> Option<f64> {
        let max = self.max();
        (max > 0.0).then(|| self.current() / max)
    }

    /// The points that come back when no asset needs a recommendation any more, by recommendation.
    pub(crate) fn potentials(&self) -> BTreeMap<&str, f64> {
        let mut potentials: BTreeMap<&str, f64> = BTreeMap::new();
        for group in self.groups.values() {
            for (recommendation, points) in group.gains() {
                *potentials.entry(recommendation).or_default() += points;
            }
        }
        potentials
    }

    /// The points that come back when one asset needs nothing more, and those of each of its recommendations alone.
    pub(crate) fn potentials_of<'e>(
        &self,
        catalogue: &Catalogue,
        entries: &'e [HealthEntry],
    ) -> (f64, BTreeMap<&'e str, f64>) {
        let (mut all, mut each): (f64, BTreeMap<&str, f64>) = (0.0, BTreeMap::new());
        for (id, group) in &self.groups {
            let counts = |entry: &&HealthEntry| {
                let known = catalogue.recommendation(&entry.health.recommendation);
                known.is_some_and(|one| !one.preview && one.score_groups.contains(id))
            };
            let said: Vec<&HealthEntry> = entries.iter().filter(counts).collect();
            let with = |state| move |entry: &&&HealthEntry| entry.health.state == state;
            let needs: Vec<&&HealthEntry> =
                said.iter().filter(with(HealthState::Unhealthy)).collect();
            let Some((first, rest)) = needs.split_first() else {
                continue;
            };
            let gain = match said.iter().any(|one| with(HealthState::Unknown)(&one)) {
                true => group.gain(0, 1),
                false => group.gain(1, 0),
            };
            all += gain;
            if rest.is_empty() {
                *each.entry(&first.health.recommendation).or_default() += gain;
            }
        }
        (all, each)
    }
}

impl GroupSums {
    /// Whether any asset was judged: only then do its points count in the whole.
    pub(crate) fn is_assessed(&self) -> bool {
        self.healthy > 0 || self.unhealthy > 0
    }

    /// The points that one asset is worth.
    pub(crate) fn per_asset(&self) -> f64 {
        match self.healthy.saturating_add(self.unhealthy) {
            0 => 0.0,
            assets => self.max / f64::from(assets),
        }
    }

    /// The points that are there.
    pub(crate) fn current(&self) -> f64 {
        self.per_asset() * f64::from(self.healthy)
    }

    /// The points to be had.
    pub(crate) fn potential(&self) -> f64 {
        self.per_asset() * f64::from(self.unhealthy)
    }

    /// The points that come back in this group when no asset needs a recommendation any more, by recommendation.
    pub(crate) fn gains(&self) -> impl Iterator<Item = (&str, f64)> {
        let all = self.mended.iter();
        all.map(|(id, (mended, unknown))| (id.as_str(), self.gain(*mended, *unknown)))
    }

    /// What comes back when so many assets become healthy, and so many unknown.
    fn gain(&self, mended: u32, unknown: u32) -> f64 {
        let mut after = self.clone();
        after.healthy = after.healthy.saturating_add(mended);
        let less = mended.saturating_add(unknown);
        after.unhealthy = after.unhealthy.saturating_sub(less);
        after.current() - self.current()
    }

    fn place(&mut self, standing: Standing) -> Option<&mut u32> {
        match standing {
            Standing::Healthy => Some(&mut self.healthy),
            Standing::Unhealthy => Some(&mut self.unhealthy),
            Standing::Unknown => Some(&mut self.unknown),
            Standing::Out => None,
        }
    }

    fn shift(&mut self, from: Standing, to: Standing, number: u32) {
        if let Some(place) = self.place(from) {
            *place = place.saturating_sub(number);
        }
        if let Some(place) = self.place(to) {
            *place = place.saturating_add(number);
        }
    }
}

/// Which environments' scores may differ.
pub(crate) enum Differ<'d> {
    /// Any of them.
    Any,
    /// These.
    Of(&'d BTreeSet<String>),
}

/// Counts what recommendations say of an asset now, in the transaction that changes it. Returns the environments whose
/// sums differ by it.
pub(crate) async fn count(
    tx: &mut Tx,
    content: &Content,
    asset: AssetId,
) -> Result<BTreeSet<String>, StoreError> {
    let entries = assets::health_in(tx, asset).await?;
    health_counts::settle(tx, asset, &share_of(content, &entries)).await
}

fn share_of(content: &Content, entries: &[HealthEntry]) -> Share {
    let said = entries.iter();
    let said = said.map(|one| (one.health.recommendation.as_str(), one.health.state));
    share(&content.catalogue, said)
}

/// Counts what is said of one asset `after` in place of what was said of it `before`.
pub(crate) fn exchange(
    content: &Content,
    counts: &mut Counts,
    before: &[HealthEntry],
    after: &[HealthEntry],
) {
    for key in share_of(content, before).counted {
        *counts.entry(key).or_default() -= 1;
    }
    for key in share_of(content, after).counted {
        *counts.entry(key).or_default() += 1;
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

/// Notes the scores of all and of the environments that differ, in the transaction that changes them.
pub(crate) async fn note(
    tx: &mut Tx,
    content: &Content,
    differ: Differ<'_>,
    causes: Vec<Cause>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let names = match differ {
        Differ::Of(names) => names.clone(),
        Differ::Any => {
            let known = scores::environments(tx).await?.into_iter();
            known
                .chain(health_counts::environments(tx).await?)
                .collect()
        }
    };
    let of_causes = causes.iter().map(|cause| cause.asset);
    let places = environments::of_these(tx, of_causes).await?;
    let point = |sums: &Sums, causes: Vec<Cause>| ScorePoint {
        at: now,
        points: sums.current(),
        most: sums.max(),
        causes,
    };
    for name in names.iter().filter(|name| !name.is_empty()) {
        let sums = Sums::of(content, &health_counts::counts_in(tx, name).await?);
        // An asset that is gone, or was moved, may have been here: then this score differs, and no other one does.
        let is_here = |cause: &&Cause| {
            let is_moved = cause.recommendation.is_empty();
            is_moved || places.get(&cause.asset).is_none_or(|of| of == name)
        };
        let here = causes.iter().filter(is_here).cloned().collect();
        scores::put(tx, name, &point(&sums, here)).await?;
    }
    let all = Sums::of(content, &health_counts::counts_in(tx, "").await?);
    scores::put(tx, "", &point(&all, causes)).await
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
    /// What would be said of assets.
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

    /// What the sums would be. `meant` are those of the assets that are meant, where all of them are.
    pub(crate) fn sums(&self, sums: &Sums, meant: &Sums) -> Sums {
        let mut after = sums.clone();
        for (id, group) in &mut after.groups {
            let Some(meant) = meant.groups.get(id) else {
                continue;
            };
            match (&self.recommendation, self.is_exempt) {
                (None, false) => {
                    let unknown = meant.unhealthy_and_unknown;
                    let healthy = meant.unhealthy.saturating_sub(unknown);
                    group.shift(Standing::Unhealthy, Standing::Healthy, healthy);
                    group.shift(Standing::Unhealthy, Standing::Unknown, unknown);
                }
                (None, true) => {
                    group.shift(Standing::Healthy, Standing::Out, meant.healthy);
                    group.shift(Standing::Unhealthy, Standing::Out, meant.unhealthy);
                    group.shift(Standing::Unknown, Standing::Out, meant.unknown);
                }
                (Some(recommendation), false) => {
                    let mended = meant.mended.get(recommendation).copied();
                    let (healthy, unknown) = mended.unwrap_or_default();
                    group.shift(Standing::Unhealthy, Standing::Healthy, healthy);
                    group.shift(Standing::Unhealthy, Standing::Unknown, unknown);
                }
                (Some(recommendation), true) => {
                    for (from, to, number) in meant.exempt.get(recommendation).into_iter().flatten()
                    {
                        group.shift(*from, *to, *number);
                    }
                }
            }
        }
        after
            .groups
            .retain(|_, group| group.is_assessed() || group.unknown > 0);
        after
    }

    /// What the numbers would be by these assets alone, of which `entries` are all that is said.
    pub(crate) fn counts(
        &self,
        content: &Content,
        counts: &Counts,
        entries: &[HealthEntry],
    ) -> Counts {
        let mut after = counts.clone();
        let mut by_asset: BTreeMap<AssetId, Vec<HealthEntry>> = BTreeMap::new();
        for entry in entries {
            by_asset.entry(entry.asset).or_default().push(entry.clone());
        }
        for said in by_asset.values() {
            exchange(content, &mut after, said, &self.of(said));
        }
        after
    }
}

#[cfg(test)]
mod tests;

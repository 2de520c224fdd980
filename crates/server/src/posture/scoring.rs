//! The secure score of what is stored.

use jiff::Timestamp;
use seareeve_posture::{Judged, Score, score};
use seareeve_store::assets::{HealthEntry, HealthState};
use seareeve_store::scores::{self, Cause, ScorePoint};
use seareeve_store::{AssetId, StoreError, Tx};

use super::Content;

/// The score of what recommendations say. `entries` are all of it.
pub(crate) fn score_of(content: &Content, entries: &[HealthEntry]) -> Score {
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

/// Notes the score in the transaction that changes it.
pub(crate) async fn note(
    tx: &mut Tx,
    content: &Content,
    causes: Vec<Cause>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let entries = seareeve_store::assets::health_in(tx).await?;
    let score = score_of(content, &entries);
    let point = ScorePoint {
        at: now,
        points: score.current(),
        most: score.max(),
        causes,
    };
    scores::put(tx, &point).await
}

/// What would be said if unhealthy assets were mended: of one recommendation or all, one asset or all.
pub(crate) fn mended(
    entries: &[HealthEntry],
    recommendation: Option<&str>,
    asset: Option<AssetId>,
) -> Vec<HealthEntry> {
    let mut after = entries.to_vec();
    for entry in &mut after {
        let is_meant = recommendation.is_none_or(|id| entry.health.recommendation == id)
            && asset.is_none_or(|asset| entry.asset == asset);
        if is_meant && entry.health.state == HealthState::Unhealthy {
            entry.health.state = HealthState::Healthy;
        }
    }
    after
}

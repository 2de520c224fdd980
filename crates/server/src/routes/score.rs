//! The secure score: what it is, what it was, and what it would be.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use jiff::SignedDuration;
use seareeve_api::{
    ErrorBody, Score, ScoreAsset, ScoreCause, ScoreGroup, ScoreGroupDetail, ScoreHistory,
    ScorePoint,
};
use seareeve_posture as judge;
use seareeve_store::assets::{self, HealthState};
use seareeve_store::health_counts::{self, Member};
use seareeve_store::{AssetId, scores};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture::Content;
use crate::posture::counting::Standing;
use crate::posture::scoring::{GroupSums, Sums, WhatIf};
use crate::state::App;

/// Points of a history at most.
const MOST_POINTS: usize = 2_000;
/// Assets that the score itself names in each group.
const SHOWN: usize = 100;
/// Assets of one kind that a group names.
const MOST_ASSETS: usize = 1_000;
/// Assets that are asked about by name.
const MOST_NAMED: usize = 500;
/// Pages of assets that are looked through for those that would still need something.
const MOST_PAGES: usize = 6;

/// Where.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ScopeQuery {
    /// The score of this environment; of all together, if absent.
    environment: Option<String>,
}

/// What if.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhatIfQuery {
    /// Only by this recommendation; by all, if absent.
    recommendation: Option<String>,
    /// Only these assets, joined by commas; all of them, if absent.
    asset: Option<String>,
    /// The score of this environment, and only assets of it; all together, if absent.
    environment: Option<String>,
    /// Only assets of this environment, in the score of all together.
    of: Option<String>,
    /// What becomes of them: `healthy` (the default), or `exempt`.
    then: Option<String>,
}

/// Since when.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// How many days back, 1 to 3,650; 30, if absent.
    days: Option<u32>,
    /// The score of this environment; of all together, if absent.
    environment: Option<String>,
}

/// The secure score, and which assets cost how much of it.
#[utoipa::path(get, operation_id = "get_score", path = "/api/v1/score", tag = "recommendations", params(ScopeQuery),
    responses((status = 200, body = Score), (status = 401, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<ScopeQuery>,
) -> ApiResult<Json<Score>> {
    let environment = query.environment.unwrap_or_default();
    let content = app.content();
    let sums = Sums::of(
        &content,
        &health_counts::counts(&app.store, &environment).await?,
    );
    wire(&app, &content, &sums, &environment, None)
        .await
        .map(Json)
}

/// A score group with its assets: each of its points comes from one of them.
#[utoipa::path(get, operation_id = "get_score_group", path = "/api/v1/score/groups/{id}", tag = "recommendations",
    params(("id" = String, Path, description = "The group"), ScopeQuery),
    responses((status = 200, body = ScoreGroupDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn group(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ScopeQuery>,
) -> ApiResult<Json<ScoreGroupDetail>> {
    let environment = query.environment.unwrap_or_default();
    let content = app.content();
    let sums = Sums::of(
        &content,
        &health_counts::counts(&app.store, &environment).await?,
    );
    let mut groups = content.catalogue.groups().iter();
    let group = groups.find(|group| group.id == id);
    let (part, group) = sums
        .groups
        .get(&id)
        .zip(group)
        .ok_or_else(|| ApiError::not_found("score group with assets"))?;
    let of = |standing: Standing| {
        health_counts::members(
            &app.store,
            &id,
            standing.as_str(),
            &environment,
            None,
            MOST_ASSETS,
        )
    };
    let plain = |member: Member| ScoreAsset {
        id: member.asset.0,
        name: member.name,
        kind: member.kind,
        recommendations: Vec::new(),
    };
    let healthy = of(Standing::Healthy).await?.items;
    let unknown = of(Standing::Unknown).await?.items;
    let unhealthy = needing(&app, &content, &id, &environment, None, MOST_ASSETS).await?;
    let shown = unhealthy.iter().take(SHOWN).cloned().collect();
    Ok(Json(ScoreGroupDetail {
        group: group_wire(&content, group, part, shown),
        healthy_assets: healthy.into_iter().map(plain).collect(),
        unhealthy_assets: unhealthy,
        unknown_assets: unknown.into_iter().map(plain).collect(),
    }))
}

/// The secure score as it would be if unhealthy assets were mended, or exempt.
#[utoipa::path(get, operation_id = "get_score_if", path = "/api/v1/score/what-if", tag = "recommendations", params(WhatIfQuery),
    responses((status = 200, body = Score), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn what_if(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<WhatIfQuery>,
) -> ApiResult<Json<Score>> {
    let number = |text: &str| {
        let id = text.trim().parse().map(AssetId);
        id.map_err(|_no_number: std::num::ParseIntError| {
            ApiError::bad_request("assets are numbers, joined by commas")
        })
    };
    let asked = query.asset.as_deref().unwrap_or_default().split(',');
    let assets = asked.filter(|text| !text.is_empty()).map(number);
    let what_if = WhatIf {
        recommendation: query.recommendation,
        assets: assets.collect::<ApiResult<_>>()?,
        environment: query.of,
        is_exempt: match query.then.as_deref() {
            None | Some("healthy") => false,
            Some("exempt") => true,
            Some(_) => return Err(ApiError::bad_request("then is healthy or exempt")),
        },
    };
    if what_if.assets.len() > MOST_NAMED {
        return Err(ApiError::bad_request(
            "at most 500 assets are asked for by name",
        ));
    }
    let environment = query.environment.unwrap_or_default();
    let content = app.content();
    let counts = health_counts::counts(&app.store, &environment).await?;
    let after = if what_if.assets.is_empty() {
        let sums = Sums::of(&content, &counts);
        let meant = match (&what_if.environment, environment.as_str()) {
            (None, _) => sums.clone(),
            (Some(of), "") => Sums::of(&content, &health_counts::counts(&app.store, of).await?),
            (Some(of), within) if of == within => sums.clone(),
            // Nothing of one environment is in another.
            (Some(_), _) => Sums::default(),
        };
        what_if.sums(&sums, &meant)
    } else {
        let mut said = assets::health_of_all(&app.store, what_if.assets.iter().copied()).await?;
        said.retain(|entry| environment.is_empty() || entry.environment == environment);
        Sums::of(&content, &what_if.counts(&content, &counts, &said))
    };
    wire(&app, &content, &after, &environment, Some(&what_if))
        .await
        .map(Json)
}

/// The secure score as it was, and what changed it.
#[utoipa::path(get, operation_id = "get_score_history", path = "/api/v1/score/history", tag = "recommendations", params(HistoryQuery),
    responses((status = 200, body = ScoreHistory), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn history(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<HistoryQuery>,
) -> ApiResult<Json<ScoreHistory>> {
    let days = query.days.unwrap_or(30);
    if !(1..=3_650).contains(&days) {
        return Err(ApiError::bad_request("ask for 1 to 3,650 days"));
    }
    let since = app.now() - SignedDuration::from_hours(24 * i64::from(days));
    let environment = query.environment.unwrap_or_default();
    let points = scores::list(&app.store, &environment, since, MOST_POINTS).await?;
    let cause = |cause: scores::Cause| ScoreCause {
        recommendation: cause.recommendation,
        asset: cause.asset.0,
        asset_name: cause.asset_name,
        was: cause.was,
        health: cause.health,
    };
    let points = points.into_iter().map(|point| ScorePoint {
        at: point.at,
        points: point.points,
        max: point.most,
        causes: point.causes.into_iter().map(cause).collect(),
    });
    Ok(Json(ScoreHistory {
        points: points.collect(),
    }))
}

/// Assets that need something in a group, by name: at most so many, as they are, or as they would be.
async fn needing(
    app: &App,
    content: &Content,
    group: &str,
    environment: &str,
    what_if: Option<&WhatIf>,
    most: usize,
) -> ApiResult<Vec<ScoreAsset>> {
    let mut needing = Vec::new();
    let mut after = None;
    // Those that would be mended are passed over; who names them one by one would not look at more.
    for _ in 0..MOST_PAGES {
        let state = Standing::Unhealthy.as_str();
        let page =
            health_counts::members(&app.store, group, state, environment, after.as_ref(), most);
        let page = page.await?;
        let ids = page.items.iter().map(|member| member.asset);
        let said = assets::health_of_all(&app.store, ids).await?;
        let said = match what_if {
            Some(what_if) => what_if.of(&said),
            None => said,
        };
        let mut needs: BTreeMap<AssetId, Vec<String>> = BTreeMap::new();
        for entry in said {
            let id = entry.health.recommendation;
            let known = content.catalogue.recommendation(&id);
            let counts = known.is_some_and(|one| {
                !one.preview && one.score_groups.iter().any(|known| known == group)
            });
            if counts && entry.health.state == HealthState::Unhealthy {
                needs.entry(entry.asset).or_default().push(id);
            }
        }
        for member in page.items {
            if let Some(recommendations) = needs.remove(&member.asset) {
                needing.push(ScoreAsset {
                    id: member.asset.0,
                    name: member.name,
                    kind: member.kind,
                    recommendations,
                });
            }
        }
        after = page.next;
        if after.is_none() || needing.len() >= most {
            break;
        }
    }
    needing.truncate(most);
    Ok(needing)
}

async fn wire(
    app: &App,
    content: &Content,
    sums: &Sums,
    environment: &str,
    what_if: Option<&WhatIf>,
) -> ApiResult<Score> {
    let mut groups = Vec::new();
    for group in content.catalogue.groups() {
        let Some(part) = sums.groups.get(&group.id) else {
            continue;
        };
        let unhealthy = match part.unhealthy {
            0 => Vec::new(),
            _ => needing(app, content, &group.id, environment, what_if, SHOWN).await?,
        };
        groups.push(group_wire(content, group, part, unhealthy));
    }
    groups.sort_by(|a, b| b.potential.total_cmp(&a.potential));
    Ok(Score {
        points: sums.current(),
        max: sums.max(),
        share: sums.share(),
        groups,
    })
}

fn group_wire(
    content: &Content,
    group: &judge::ScoreGroup,
    part: &GroupSums,
    unhealthy: Vec<ScoreAsset>,
) -> ScoreGroup {
    let all = content.catalogue.recommendations();
    ScoreGroup {
        id: group.id.clone(),
        title: group.title.clone(),
        max: part.max,
        current: part.current(),
        potential: part.potential(),
        per_asset: part.per_asset(),
        healthy: part.healthy,
        unhealthy,
        unhealthy_count: part.unhealthy,
        unknown: part.unknown,
        recommendations: all
            .filter(|one| one.score_groups.contains(&group.id))
            .map(|one| one.id.clone())
            .collect(),
    }
}

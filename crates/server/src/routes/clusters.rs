//! Kubernetes clusters, and what is said of them.

pub(super) mod sides;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use seareeve_api::{
    ClusterAudit, ClusterCloud, ClusterDetail, ClusterNode, ClusterPage, ClusterRecommendation,
    ClusterSummary, ClusterWatch, ErrorBody, HostHistory, PostureReport, ReportBenchmark,
    ReportGap, ReportObject, posture_report, report_object,
};
use seareeve_model::{Collection, CollectionStatus, Fact, FactKind, Snapshot};
use seareeve_posture::{Assessment, CheckVerdict, ObjectVerdict, Outcome, Statements, Use};
use seareeve_store::assets::{self, Asset, AssetFilter, AssetSort, HealthState};
use seareeve_store::clusters::{self, Cluster};
use seareeve_store::users::Role;
use seareeve_store::{AssetId, alerts, audit_clusters, recommendation_settings};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OwnedRwLockReadGuard;
use utoipa::IntoParams;

use super::hosts::{HistoryQuery, ReportQuery, changes, forget, recommended, wanted};
use super::query::{counts, cursor, next};
use super::scans::limit;
use crate::auth::caller::Caller;
use crate::clusters::{Model, excluded_namespaces, is_judged};
use crate::error::{ApiError, ApiResult};
use crate::posture::Said;
use crate::state::App;

/// Objects of one check that a report lists; the workloads' page lists all.
const LISTED: usize = 20;
/// Objects that a recommendation lists.
const RECOMMENDED: usize = 200;
/// Outcomes that people have to do something about, worst first.
const TELLING: [Outcome; 5] = [
    Outcome::Fail,
    Outcome::Error,
    Outcome::NotCollected,
    Outcome::NeedsReview,
    Outcome::Excepted,
];

/// Which clusters.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ClusterQuery {
    /// Part of a name or a uid.
    q: Option<String>,
    /// `healthy`, `unhealthy`, `not_applicable` or `unknown`.
    status: Option<String>,
    /// `severity` (worst first) or `name`.
    sort: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

/// All clusters: those that are watched, and those that only their cloud tells of.
#[utoipa::path(get, operation_id = "list_clusters", path = "/api/v1/clusters", tag = "clusters", params(ClusterQuery),
    responses((status = 200, body = ClusterPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<ClusterQuery>,
) -> ApiResult<Json<ClusterPage>> {
    let state = query.status.as_deref().map(|word| {
        HealthState::parse(word).ok_or_else(|| {
            ApiError::bad_request("a status is healthy, unhealthy, not_applicable or unknown")
        })
    });
    let filter = AssetFilter {
        kind: clusters::KIND.to_owned(),
        query: query.q.unwrap_or_default(),
        state: state.transpose()?,
        engine: String::new(),
    };
    let sort = match query.sort.as_deref() {
        None | Some("severity") => AssetSort::Severity,
        Some("name") => AssetSort::Name,
        Some(_) => return Err(ApiError::bad_request("sort by severity or name")),
    };
    let after = cursor(query.cursor);
    let most = limit(query.limit);
    let page = assets::list(&app.store, &filter, sort, after.as_ref(), most).await?;
    let known = clusters::all(&app.store).await?.into_iter();
    let known: BTreeMap<AssetId, Cluster> = known.map(|cluster| (cluster.asset, cluster)).collect();
    let mut clouds = sides::Clouds::load(&app).await?;
    let rows = page.items.into_iter();
    let rows = rows.map(|asset| match known.get(&asset.id) {
        Some(cluster) => summary(cluster, asset, clouds.of(cluster.asset)),
        None => clouds.unwatched(asset),
    });
    Ok(Json(ClusterPage {
        clusters: rows.collect(),
        next: next(page.next),
    }))
}

/// One cluster with its nodes, benchmarks and recommendations.
#[utoipa::path(get, operation_id = "get_cluster", path = "/api/v1/clusters/{id}", tag = "clusters", params(("id" = i64, Path, description = "The cluster")),
    responses((status = 200, body = ClusterDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Json<ClusterDetail>> {
    let (asset, cluster) = cluster(&app, id).await?;
    let recommendations = recommended(&app, asset.id).await?;
    let mut detail = ClusterDetail {
        endpoint: None,
        platform: None,
        collector: asset.collector.clone(),
        collected_at: cluster.collected_at,
        judged_at: asset.judged,
        node_list: Vec::new(),
        benchmarks: Vec::new(),
        recommendations,
        gaps: gaps(&cluster.collections),
        audit: audited(&app, cluster.asset).await?,
        summary: summary(
            &cluster,
            asset,
            sides::Clouds::load(&app).await?.of(cluster.asset),
        ),
    };
    let Some(model) = model(&app, cluster.asset).await? else {
        return Ok(Json(detail));
    };
    let said = Said::load(&app.store).await.map_err(ApiError::from_any)?;
    let statements = said.statements(cluster.asset);
    let text = |pointer: &str| model.about(pointer).and_then(Value::as_str);
    detail.endpoint = text("/endpoint").map(str::to_owned);
    detail.platform = text("/platform").map(str::to_owned);
    detail.node_list = model
        .nodes()
        .iter()
        .map(|fact| node(&model, fact))
        .collect();
    detail.gaps = gaps(model.standing.collections());
    let content = app.content();
    for (id, version) in wanted(&app, clusters::KIND, None)? {
        let mut editions = model.benchmarks.iter();
        let edition = editions.find(|one| one.id == id && one.version == version);
        if let Some(benchmark) = edition {
            let assessment = model.assess(&content, benchmark, &statements, app.now());
            detail.benchmarks.push(ReportBenchmark::from(&assessment));
        }
    }
    Ok(Json(detail))
}

/// Whether a cluster's audit events are judged, and what somebody has to deal with.
async fn audited(app: &App, asset: AssetId) -> ApiResult<Vec<ClusterAudit>> {
    let mut audited = Vec::new();
    for cluster in audit_clusters::of_asset(&app.store, asset).await? {
        let open = alerts::open_of(&app.store, &cluster.name).await?;
        let open = open.into_iter();
        audited.push(ClusterAudit {
            known_by: cluster.asset_by.unwrap_or_default(),
            on_since: cluster.on_since,
            last_event: cluster.last_event,
            problem: cluster.problem,
            open_alerts: open
                .map(|(severity, count)| (severity.as_str().to_owned(), count))
                .collect(),
            name: cluster.name,
        });
    }
    Ok(audited)
}

/// What a benchmark says of a cluster, as `seareeve k8s --benchmark … --format json` prints it; of each check the first
/// objects that fail or could not be judged.
#[utoipa::path(get, operation_id = "get_cluster_report", path = "/api/v1/clusters/{id}/report", tag = "clusters",
    params(("id" = i64, Path, description = "The cluster"), ReportQuery),
    responses((status = 200, body = PostureReport), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn report(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Json<PostureReport>> {
    let (asset, cluster) = cluster(&app, id).await?;
    let asked = wanted(&app, clusters::KIND, query.benchmark.as_deref())?;
    let said = Said::load(&app.store).await.map_err(ApiError::from_any)?;
    let statements = said.statements(asset.id);
    let now = app.now();
    let content = app.content();
    let library = &content.library;
    let model = model(&app, asset.id).await?;
    let mut assessments = Vec::new();
    let mut collections: BTreeMap<FactKind, Collection> = cluster.collections.clone();
    let mut unlisted = Vec::new();
    if let Some(model) = &model {
        let is_asked = |one: &&seareeve_posture::Benchmark| {
            let mut asked = asked.iter();
            asked.any(|(id, version)| one.id == *id && one.version == *version)
        };
        for benchmark in model.benchmarks.iter().filter(is_asked) {
            assessments.push(model.assess(&content, benchmark, &statements, now));
        }
        let uses: BTreeSet<Use> = assessments.iter().flat_map(shown).cloned().collect();
        let looked = look(&app, model, asset.id, &uses, &statements, LISTED).await?;
        for assessment in &mut assessments {
            unlisted.extend(fill(assessment, &looked));
        }
        let without_items = |collection: &Collection| Collection {
            items: Vec::new(),
            ..collection.clone()
        };
        let known = model.standing.collections();
        collections = known
            .map(|(kind, collection)| (kind.clone(), without_items(collection)))
            .collect();
    }
    let snapshot = Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: asset.kind,
        asset_id: asset.external_id,
        asset_name: asset.name,
        collected_at: cluster.collected_at,
        collector: asset.collector,
        facts: collections,
    };
    let mut report = posture_report(library, &snapshot, &assessments);
    for (control, unlisted) in report.controls.iter_mut().zip(unlisted) {
        control.unlisted = unlisted;
    }
    Ok(Json(report))
}

/// How the controls of a cluster changed.
#[utoipa::path(get, operation_id = "get_cluster_history", path = "/api/v1/clusters/{id}/history", tag = "clusters",
    params(("id" = i64, Path, description = "The cluster"), HistoryQuery),
    responses((status = 200, body = HostHistory), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn history(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
    Query(query): Query<HistoryQuery>,
) -> ApiResult<Json<HostHistory>> {
    let (asset, _) = cluster(&app, id).await?;
    changes(&app, asset.id, query).await
}

/// What a recommendation says of a cluster, object by object.
#[utoipa::path(get, operation_id = "get_cluster_recommendation", path = "/api/v1/clusters/{id}/recommendations/{recommendation}",
    tag = "clusters",
    params(("id" = i64, Path, description = "The cluster"), ("recommendation" = String, Path, description = "The recommendation")),
    responses((status = 200, body = ClusterRecommendation), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn recommendation(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path((id, recommendation)): Path<(i64, String)>,
) -> ApiResult<Json<ClusterRecommendation>> {
    let (asset, _) = cluster(&app, id).await?;
    let missing = || ApiError::not_found("recommendation");
    let content = app.content();
    let known = content.catalogue.recommendation(&recommendation);
    let known = known.ok_or_else(missing)?;
    let settings = recommendation_settings::list(&app.store).await?;
    let setting = settings
        .iter()
        .find(|one| one.recommendation == recommendation);
    if !is_judged(known, setting) {
        return Err(missing());
    }
    let mut said = recommended(&app, asset.id).await?.into_iter();
    let said = said.find(|one| one.id == recommendation);
    let excluded = excluded_namespaces(known, setting);
    let mut answer = ClusterRecommendation {
        said: said.ok_or_else(missing)?,
        unhealthy: Vec::new(),
        unhealthy_count: 0,
        healthy_count: 0,
        not_applicable_count: 0,
        unknown_count: 0,
        excluded_namespaces: excluded.iter().cloned().collect(),
    };
    let Some(model) = model(&app, asset.id).await? else {
        return Ok(Json(answer));
    };
    let people = Said::load(&app.store).await.map_err(ApiError::from_any)?;
    let statements = people.statements(asset.id);
    let now = app.now();
    for tallied in model.tally(&content, known, &statements, now) {
        for (outcome, count) in &tallied.tally.counts {
            let place = match outcome {
                Outcome::Fail => &mut answer.unhealthy_count,
                Outcome::Pass | Outcome::Excepted => &mut answer.healthy_count,
                Outcome::NotApplicable => &mut answer.not_applicable_count,
                Outcome::NotCollected | Outcome::Error | Outcome::NeedsReview => {
                    &mut answer.unknown_count
                }
            };
            *place += *count as u64;
        }
        let failing = model.standing.with(&tallied.used, &[Outcome::Fail]);
        let ids: Vec<String> = failing
            .filter(|object| !excluded.contains(&*object.namespace))
            .filter(|object| {
                !statements
                    .exceptions
                    .covers(&tallied.used.check, &model.name, &object.name, now)
            })
            .map(|object| object.id.clone())
            .take(RECOMMENDED.saturating_sub(answer.unhealthy.len()))
            .collect();
        let found = verdicts(&app, &model, asset.id, &tallied.used, &ids).await?;
        let objects = found
            .iter()
            .map(|found| report_object(&tallied.used.check, found));
        answer.unhealthy.extend(objects);
    }
    let name = |object: &ReportObject| (object.name.clone(), object.id.clone());
    answer.unhealthy.sort_by_key(name);
    Ok(Json(answer))
}

/// Forget a cluster. Its sensors' tokens end. For operators.
#[utoipa::path(delete, operation_id = "delete_cluster", path = "/api/v1/clusters/{id}", tag = "clusters", params(("id" = i64, Path, description = "The cluster")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::Operator)?;
    let (asset, _) = cluster(&app, id).await?;
    forget(&app, &asset, "cluster").await?;
    app.clusters.forget(asset.id);
    Ok(StatusCode::NO_CONTENT)
}

/// The cluster of this number.
pub(super) async fn cluster(app: &App, id: i64) -> ApiResult<(Asset, Cluster)> {
    let asset = assets::get(&app.store, AssetId(id)).await?;
    let cluster = clusters::get(&app.store, AssetId(id)).await?;
    let found = asset.zip(cluster);
    found.ok_or_else(|| ApiError::not_found("cluster"))
}

/// What is said of a cluster, in memory.
pub(super) type Read = OwnedRwLockReadGuard<Option<Model>, Model>;

/// What is said of a cluster; nothing before its facts are all there.
pub(super) async fn model(app: &Arc<App>, asset: AssetId) -> ApiResult<Option<Read>> {
    let read = app.clusters.read(app, asset).await;
    read.map_err(ApiError::from_any)
}

/// What a check says of these objects, with all that was found.
pub(super) async fn verdicts(
    app: &App,
    model: &Model,
    asset: AssetId,
    used: &Use,
    ids: &[String],
) -> ApiResult<Vec<ObjectVerdict>> {
    let content = app.content();
    let Some(check) = content.library.check(&used.check) else {
        return Ok(Vec::new());
    };
    let facts = facts(app, model, asset, check.on(), ids).await?;
    let look = |fact: &Fact| {
        let library = &content.library;
        model.standing.look(library, used, fact, app.now())
    };
    Ok(facts.iter().filter_map(look).collect())
}

/// The facts of these ids, as they were judged.
pub(super) async fn facts(
    app: &App,
    model: &Model,
    asset: AssetId,
    kind: &FactKind,
    ids: &[String],
) -> ApiResult<Vec<Fact>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(mut joined) = model.joined_facts(kind) {
        joined.retain(|fact| ids.contains(&fact.id));
        return Ok(joined);
    }
    let ids = ids.iter().map(String::as_str);
    Ok(clusters::some(&app.store, asset, kind, ids).await?)
}

/// What a check says of the first objects that people have to do something about, and of how many others.
type Looked = BTreeMap<Use, (Vec<ObjectVerdict>, u64)>;

async fn look(
    app: &App,
    model: &Model,
    asset: AssetId,
    uses: &BTreeSet<Use>,
    statements: &Statements,
    most: usize,
) -> ApiResult<Looked> {
    let now = app.now();
    let mut looked = Looked::new();
    for used in uses {
        let mut ids = Vec::new();
        let mut count: u64 = 0;
        for outcome in TELLING {
            for object in model.standing.with(used, &[outcome]) {
                count += 1;
                if ids.len() < most {
                    ids.push(object.id.clone());
                }
            }
        }
        let mut found = verdicts(app, model, asset, used, &ids).await?;
        for verdict in &mut found {
            statements
                .exceptions
                .mark(&used.check, &model.name, verdict, now);
        }
        let listed = found.len() as u64;
        looked.insert(used.clone(), (found, count.saturating_sub(listed)));
    }
    Ok(looked)
}

/// The checks whose objects a report shows.
fn shown<'a>(assessment: &'a Assessment<'_>) -> impl Iterator<Item = &'a Use> {
    let controls = assessment.controls.iter();
    controls.flat_map(|verdict| {
        let control = verdict.control;
        control.checks.iter().chain(&control.evidence)
    })
}

/// Puts objects into an assessment that is without, and says for each control how many others there are.
fn fill(assessment: &mut Assessment<'_>, looked: &Looked) -> Vec<u64> {
    let controls = assessment.controls.iter_mut();
    controls
        .map(|verdict| {
            let control = verdict.control;
            let checks = put(&control.checks, &mut verdict.checks, looked);
            let evidence = put(&control.evidence, &mut verdict.evidence, looked);
            if control.checks.is_empty() {
                evidence
            } else {
                checks
            }
        })
        .collect()
}

fn put(uses: &[Use], verdicts: &mut [CheckVerdict], looked: &Looked) -> u64 {
    let mut unlisted: u64 = 0;
    for verdict in verdicts {
        let used = uses.iter().find(|used| used.check == verdict.check);
        if let Some((objects, others)) = used.and_then(|used| looked.get(used)) {
            verdict.objects.clone_from(objects);
            unlisted = unlisted.saturating_add(*others);
        }
    }
    unlisted
}

fn gaps<'a>(
    collections: impl IntoIterator<Item = (&'a FactKind, &'a Collection)>,
) -> Vec<ReportGap> {
    let is_gap = |status: CollectionStatus| {
        !matches!(status, CollectionStatus::Ok | CollectionStatus::Absent)
    };
    let gaps = collections.into_iter();
    gaps.filter(|(_, collection)| is_gap(collection.status))
        .map(|(kind, collection)| ReportGap {
            kind: kind.to_string(),
            status: collection.status.as_str().to_owned(),
            source: collection.source.clone(),
            detail: collection.detail.clone().unwrap_or_default(),
        })
        .collect()
}

fn node(model: &Model, fact: &Fact) -> ClusterNode {
    let text = |pointer: &str| {
        let text = fact.data.pointer(pointer).and_then(Value::as_str);
        text.map(|text| text.chars().take(300).collect::<String>())
    };
    let roles = fact.data.get("roles").and_then(Value::as_array);
    let runtime = [text("/runtime/name"), text("/runtime/version")];
    let runtime: Vec<String> = runtime.into_iter().flatten().collect();
    ClusterNode {
        name: fact.name.clone(),
        version: text("/kubelet"),
        os_image: text("/os_image"),
        runtime: (!runtime.is_empty()).then(|| runtime.join(" ")),
        roles: roles
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        ready: fact.data.get("ready").and_then(Value::as_bool),
        host: model.hosts.get(&fact.name).map(|host| host.0),
    }
}

fn summary(cluster: &Cluster, asset: Asset, cloud: Option<ClusterCloud>) -> ClusterSummary {
    let failing = cluster.collections.values().filter(|collection| {
        matches!(
            collection.status,
            CollectionStatus::Denied | CollectionStatus::Error
        )
    });
    // What several kinds of facts suffer from is said once.
    let mut said: Vec<&str> = Vec::new();
    for collection in failing {
        let detail = collection.detail.as_deref().unwrap_or_default();
        if !said.contains(&detail) {
            said.push(detail);
        }
    }
    let (state, reason) = match &cluster.trouble {
        Some(why) => ("unreachable", Some(why.clone())),
        None if !cluster.is_whole => ("reading", Some("its facts are on their way".to_owned())),
        None if !said.is_empty() => ("partial", Some(said.join("; "))),
        None => ("watching", None),
    };
    ClusterSummary {
        id: asset.id.0,
        uid: asset.external_id,
        name: asset.name,
        version: cluster.summary.version.clone(),
        provider: cluster.summary.provider.clone(),
        nodes: cluster.summary.nodes,
        namespaces: cluster.summary.namespaces,
        workloads: cluster.summary.workloads,
        state: asset.state.as_str().to_owned(),
        reason: asset.reason,
        failed: counts(asset.failed),
        watch: ClusterWatch {
            by: cluster.watcher.clone(),
            state: state.to_owned(),
            reason,
            since: cluster.trouble_since,
        },
        cloud,
        first_seen: asset.first_seen,
        last_seen: asset.last_seen,
    }
}

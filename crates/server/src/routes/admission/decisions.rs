//! What webhooks decided.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use jiff::SignedDuration;
use seareeve_api::{
    AdmissionActivity, AdmissionCount, AdmissionEvent, AdmissionGate, AdmissionReport,
    AdmissionReportTaken, AdmissionSample, AdmissionTotal, ErrorBody,
};
use seareeve_store::admission::{self, DecisionFilter, NewCount, NewSample};
use seareeve_store::users::Role;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{GateCaller, cluster_name, policies};
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Counts and samples of one report at most.
const MOST_COUNTS: usize = 10_000;
const MOST_SAMPLES: usize = 500;
/// Characters of a name and of a message at most.
const MOST_NAME: usize = 1_024;
const MOST_MESSAGE: usize = 2_000;
/// What is shown at most.
const SHOWN_COUNTS: i64 = 5_000;
const SHOWN_SAMPLES: i64 = 200;
/// Of those who refused one certificate.
const MOST_REFUSALS: usize = 100;
/// What a decision can be.
const EFFECTS: [&str; 4] = ["denied", "warned", "audited", "unchecked"];

/// Which decisions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct DecisionQuery {
    /// Of this cluster.
    cluster: Option<String>,
    /// By this recommendation.
    recommendation: Option<String>,
    /// In this namespace.
    namespace: Option<String>,
}

/// What webhooks decided: counts, and the last 200 samples.
#[utoipa::path(get, operation_id = "list_admission_decisions", path = "/api/v1/admission/decisions", tag = "admission",
    params(DecisionQuery),
    responses((status = 200, body = AdmissionActivity), (status = 401, body = ErrorBody)))]
pub(in crate::routes) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<DecisionQuery>,
) -> ApiResult<Json<AdmissionActivity>> {
    let filter = DecisionFilter {
        cluster: query.cluster,
        recommendation: query.recommendation,
        namespace: query.namespace,
    };
    let counts = admission::counts(&app.store, &filter, SHOWN_COUNTS).await?;
    let samples = admission::samples(&app.store, &filter, SHOWN_SAMPLES).await?;
    let mut gates = Vec::new();
    for gate in admission::gates(&app.store).await? {
        let is_asked = filter.cluster.as_ref();
        if is_asked.is_some_and(|cluster| *cluster != gate.cluster) {
            continue;
        }
        let current = match gate.policy.is_empty() {
            true => None,
            false => {
                let wanted = policies::in_force(&app, &gate.cluster).await?;
                Some(wanted.digest == gate.policy)
            }
        };
        let away = gate.is_away(app.now());
        let certificate = gate.certificate.as_deref().map(serde_json::from_str);
        gates.push(AdmissionGate {
            cluster: gate.cluster,
            name: gate.name,
            version: gate.version,
            current,
            reviews: gate.reviews,
            away,
            certificate: certificate.transpose().map_err(ApiError::internal)?,
            first_seen: gate.first_seen,
            last_seen: gate.last_seen,
        });
    }
    Ok(Json(AdmissionActivity {
        gates,
        counts: counts
            .into_iter()
            .map(|row| AdmissionTotal {
                cluster: row.cluster,
                counted: AdmissionCount {
                    recommendation: row.counted.recommendation,
                    namespace: row.counted.namespace,
                    effect: row.counted.effect,
                    count: row.counted.decisions,
                },
                first_seen: row.first_seen,
                last_seen: row.last_seen,
            })
            .collect(),
        samples: samples
            .into_iter()
            .map(|row| AdmissionEvent {
                cluster: row.cluster,
                sample: AdmissionSample {
                    recommendation: row.said.recommendation,
                    namespace: row.said.namespace,
                    effect: row.said.effect,
                    at: row.said.at,
                    operation: row.said.operation,
                    kind: row.said.kind,
                    name: row.said.name,
                    user: row.said.user,
                    message: row.said.message,
                },
            })
            .collect(),
    }))
}

/// Tell what a webhook decided since it told last. For webhooks: with a sensor's token, or one of an operator. Sent
/// twice, a report counts once.
#[utoipa::path(post, operation_id = "report_admission_decisions", path = "/api/v1/admission/decisions", tag = "admission",
    security(("session" = []), ("token" = []), ("sensor" = [])), request_body = AdmissionReport,
    responses((status = 200, body = AdmissionReportTaken), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(in crate::routes) async fn report(
    State(app): State<Arc<App>>,
    caller: GateCaller,
    Json(given): Json<AdmissionReport>,
) -> ApiResult<Json<AdmissionReportTaken>> {
    caller.require(Role::Operator)?;
    let cluster = cluster_name(Some(&given.cluster))?;
    check(&given)?;
    let now = app.now();
    // Clocks of other machines may be wrong; nothing happened later than now.
    let latest = now.checked_add(SignedDuration::from_mins(5)).unwrap_or(now);
    let certificate = given.certificate.as_ref().map(serde_json::to_string);
    let report = admission::Report {
        id: given.id,
        cluster,
        gate: given.gate,
        version: given.version,
        policy: given.policy,
        reviews: given.reviews,
        certificate: certificate.transpose().map_err(ApiError::internal)?,
        counts: given
            .counts
            .into_iter()
            .map(|count| NewCount {
                recommendation: count.recommendation,
                namespace: count.namespace,
                effect: count.effect,
                decisions: count.count,
            })
            .collect(),
        samples: given
            .samples
            .into_iter()
            .map(|sample| NewSample {
                recommendation: sample.recommendation,
                namespace: sample.namespace,
                effect: sample.effect,
                at: if sample.at > latest { now } else { sample.at },
                operation: sample.operation,
                kind: sample.kind,
                name: sample.name,
                user: sample.user,
                message: sample.message,
            })
            .collect(),
    };
    let mut tx = app.store.begin().await?;
    let new = admission::add_report(&mut tx, &report, now).await?;
    tx.commit().await?;
    Ok(Json(AdmissionReportTaken { new }))
}

fn check(given: &AdmissionReport) -> ApiResult<()> {
    let refused = |why: &str| Err(ApiError::bad_request(why));
    if given.cluster.is_empty() || given.gate.is_empty() || given.id.is_empty() {
        return refused("a report names itself, its cluster and its webhook");
    }
    if given.counts.len() > MOST_COUNTS || given.samples.len() > MOST_SAMPLES {
        return refused("a report has at most 10,000 counts and 500 samples");
    }
    let counted = given
        .counts
        .iter()
        .map(|count| (&count.effect, [&count.recommendation, &count.namespace]));
    let sampled = given
        .samples
        .iter()
        .map(|sample| (&sample.effect, [&sample.recommendation, &sample.namespace]));
    for (effect, names) in counted.chain(sampled) {
        if !EFFECTS.contains(&effect.as_str()) {
            return refused("an effect is denied, warned, audited or unchecked");
        }
        if names.iter().any(|name| name.len() > MOST_NAME) {
            return refused("a name is too long");
        }
    }
    let words = [&given.gate, &given.id, &given.version, &given.policy].into_iter();
    let of_samples = given.samples.iter();
    let of_samples = of_samples.flat_map(|one| [&one.operation, &one.kind, &one.name, &one.user]);
    let certificate = given.certificate.as_ref();
    let refusals = certificate.map_or(&[][..], |one| &one.refusals);
    if refusals.len() > MOST_REFUSALS {
        return refused("a certificate is refused by at most 100");
    }
    let of_refusals = refusals.iter().flat_map(|one| [&one.by, &one.why]);
    let mut words = words.chain(of_samples).chain(of_refusals);
    if words.any(|word| word.len() > MOST_NAME) {
        return refused("a name is too long");
    }
    let problem = certificate.and_then(|one| one.problem.as_ref());
    let mut messages = given.samples.iter().map(|one| &one.message).chain(problem);
    if messages.any(|message| message.len() > 4 * MOST_MESSAGE) {
        return refused("a message is too long");
    }
    Ok(())
}

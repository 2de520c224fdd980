//! The recommendations that admission can enforce.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use seareeve_admission::{Mode, Policy, PolicyFile, export};
use seareeve_api::{AdmissionRule, AdmissionRuleList, ErrorBody};

use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// The recommendations that admission can enforce, with what can be set.
#[utoipa::path(get, operation_id = "list_admission_rules", path = "/api/v1/admission/rules", tag = "admission",
    responses((status = 200, body = AdmissionRuleList), (status = 401, body = ErrorBody)))]
pub(in crate::routes) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<AdmissionRuleList>> {
    let content = app.content();
    let mut all = PolicyFile::default();
    for recommendation in Policy::enforceable(&content.catalogue) {
        let rule = all.recommendations.entry(recommendation.id.clone());
        rule.or_default().mode = Some(Mode::Audit);
    }
    let all = Policy::new(all, &content.library, &content.catalogue).map_err(ApiError::internal)?;
    let unsaid = Policy::new(PolicyFile::default(), &content.library, &content.catalogue);
    let unsaid = unsaid.map_err(ApiError::internal)?;
    let exported = export(&all, &content.library);
    let rules = Policy::enforceable(&content.catalogue).map(|recommendation| {
        let mut left_out = exported.not_exported.iter();
        AdmissionRule {
            id: recommendation.id.clone(),
            title: recommendation.title.clone(),
            severity: recommendation.severity.as_str().to_owned(),
            why: recommendation.why.clone(),
            parameters: recommendation.parameters.clone().into_iter().collect(),
            excluded_namespaces: recommendation.excluded_namespaces.clone(),
            about_scans: recommendation.parameters.contains_key("excluded_findings"),
            waits: !unsaid.modes("").any(|(id, _)| id == recommendation.id),
            not_exported: left_out
                .find(|one| one.recommendation == recommendation.id)
                .map(|one| one.reason.clone()),
        }
    });
    Ok(Json(AdmissionRuleList {
        rules: rules.collect(),
    }))
}

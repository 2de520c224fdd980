//! Exemptions: assets that a recommendation does not count.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use seareeve_api::{ErrorBody, Exemption, ExemptionList, NewExemption};
use seareeve_store::exemptions::{self, ExemptionKind};
use seareeve_store::users::Role;
use seareeve_store::{AssetId, ExemptionId, assets};

use super::statements;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::jobs::Meant;
use crate::state::App;

/// All exemptions, those that have ended included.
#[utoipa::path(get, operation_id = "list_exemptions", path = "/api/v1/exemptions", tag = "statements",
    responses((status = 200, body = ExemptionList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<ExemptionList>> {
    let exemptions = exemptions::list(&app.store).await?;
    Ok(Json(ExemptionList {
        exemptions: exemptions.into_iter().map(wire).collect(),
    }))
}

/// Take an asset, an environment, or all, out of a recommendation: they become not applicable there. For security admins.
#[utoipa::path(post, operation_id = "create_exemption", path = "/api/v1/exemptions", tag = "statements", request_body = NewExemption,
    responses((status = 201, body = Exemption), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewExemption>,
) -> ApiResult<(StatusCode, Json<Exemption>)> {
    let now = statements::may_say(&app, &caller, &given.reason, given.expires)?;
    let content = app.content();
    if content
        .catalogue
        .recommendation(&given.recommendation)
        .is_none()
    {
        return Err(ApiError::bad_request("no recommendation has this id"));
    }
    let kind = ExemptionKind::parse(&given.kind)
        .ok_or_else(|| ApiError::bad_request("an exemption is mitigated or a waiver"))?;
    if let Some(name) = &given.environment {
        super::assets::environment_name(name)?;
        if given.asset.is_some() {
            return Err(ApiError::bad_request(
                "an exemption is about one asset, or an environment, or all",
            ));
        }
    }
    let asset = match given.asset {
        None => None,
        Some(id) => {
            let asset = assets::get(&app.store, AssetId(id)).await?;
            Some(asset.ok_or_else(|| ApiError::not_found("asset"))?)
        }
    };
    let said = exemptions::NewExemption {
        recommendation: given.recommendation,
        asset: asset.as_ref().map(|asset| asset.id),
        environment: given.environment,
        kind,
        reason: given.reason.trim().to_owned(),
        expires: given.expires,
    };
    let mut tx = app.store.begin().await?;
    let id = exemptions::create(&mut tx, &said, &caller.user.name, now).await?;
    let meant = Meant::of_exemption(&said, &content);
    statements::judge_some(&app, tx, &meant, now).await?;
    let exemption = exemptions::Exemption {
        id,
        asset_name: asset.map(|asset| asset.name),
        said,
        author: caller.user.name,
        created: now,
    };
    Ok((StatusCode::CREATED, Json(wire(exemption))))
}

/// Take an exemption back. For security admins.
#[utoipa::path(delete, operation_id = "delete_exemption", path = "/api/v1/exemptions/{id}", tag = "statements",
    params(("id" = i64, Path, description = "The exemption")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let mut tx = app.store.begin().await?;
    let said = exemptions::delete(&mut tx, ExemptionId(id)).await?;
    let said = said.ok_or_else(|| ApiError::not_found("exemption"))?;
    let meant = Meant::of_exemption(&said, &app.content());
    statements::judge_some(&app, tx, &meant, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wire(exemption: exemptions::Exemption) -> Exemption {
    let said = exemption.said;
    Exemption {
        id: exemption.id.0,
        asset_name: exemption.asset_name,
        author: exemption.author,
        created: exemption.created,
        said: NewExemption {
            recommendation: said.recommendation,
            asset: said.asset.map(|asset| asset.0),
            environment: said.environment,
            kind: said.kind.as_str().to_owned(),
            reason: said.reason,
            expires: said.expires,
        },
    }
}

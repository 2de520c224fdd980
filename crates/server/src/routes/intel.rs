//! Lists of threat intelligence.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use seareeve_api::{
    ErrorBody, Event, IntelList, IntelListChange, IntelLists, IntelNamed, IntelUnused, NewIntelList,
};
use seareeve_store::users::Role;
use seareeve_store::{IntelListId, intel_lists};
use tracing::info;

use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::intel::{self, settings};
use crate::state::App;

/// Lists at most.
const MOST: usize = 100;
/// Hours between two looks at most.
const MOST_HOURS: u32 = 720;

/// All lists, and what they may extend.
#[utoipa::path(get, operation_id = "list_intel_lists", path = "/api/v1/intel/lists", tag = "intel",
    responses((status = 200, body = IntelLists), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<IntelLists>> {
    let lists = intel_lists::list(&app.store).await?;
    let lists: Result<_, _> = lists.into_iter().map(|list| wire(&app, list)).collect();
    let content = app.audit.content();
    let joined = &content.known().joined;
    let number = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let named = intel::named().into_iter().map(|named| {
        let mut added = joined.added();
        let added = added.find(|(name, _)| *name == named.name);
        IntelNamed {
            added: added.map_or(0, |(_, items)| number(items.len())),
            own: number(named.own.len()),
            takes: named
                .takes
                .iter()
                .map(|kind| kind.as_str().to_owned())
                .collect(),
            name: named.name,
            title: named.title,
        }
    });
    Ok(Json(IntelLists {
        lists: lists?,
        named: named.collect(),
    }))
}

/// Make a list. One with an address is fetched at once; another one is empty until it is uploaded. No secret is taken: it
/// is named. For security admins.
#[utoipa::path(post, operation_id = "create_intel_list", path = "/api/v1/intel/lists", tag = "intel",
    request_body = NewIntelList,
    responses((status = 201, body = IntelList), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewIntelList>,
) -> ApiResult<(StatusCode, Json<IntelList>)> {
    caller.require(Role::SecurityAdmin)?;
    let name = given.name.trim();
    if !(1..=100).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(ApiError::bad_request("a name has 1 to 100 characters"));
    }
    hours(given.every_hours)?;
    if let Some(fault) = settings::fault(&given.settings) {
        return Err(ApiError::bad_request(fault));
    }
    let named = intel::named();
    let is_known = |list: &String| named.iter().any(|named| named.name == *list);
    if let Some(unknown) = given.extends.iter().find(|list| !is_known(list)) {
        let known: Vec<&str> = named.iter().map(|named| named.name.as_str()).collect();
        let known = known.join(", ");
        return Err(ApiError::bad_request(format!(
            "{unknown} is no list that others may extend: {known}"
        )));
    }
    let extends: BTreeSet<String> = given.extends.into_iter().collect();
    let extends: Vec<String> = extends.into_iter().collect();
    if intel_lists::list(&app.store).await?.len() >= MOST {
        return Err(ApiError::conflict("there are too many lists"));
    }
    let text = serde_json::to_string(&given.settings).map_err(ApiError::internal)?;
    let new = intel_lists::NewIntelList {
        name,
        settings: &text,
        extends: &extends,
        every_hours: given.every_hours,
        author: &caller.user.name,
    };
    let mut tx = app.store.begin().await?;
    let id = intel_lists::create(&mut tx, &new, app.now()).await?;
    tx.commit().await?;
    info!(list = %name, user = %caller.user.name, "a list of threat intelligence was made");
    if given.settings.address.is_some() {
        app.intel.want(id);
    }
    Ok((StatusCode::CREATED, Json(one(&app, id.0).await?)))
}

/// One list.
#[utoipa::path(get, operation_id = "get_intel_list", path = "/api/v1/intel/lists/{id}", tag = "intel",
    params(("id" = i64, Path, description = "The list")),
    responses((status = 200, body = IntelList), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Json<IntelList>> {
    Ok(Json(one(&app, id).await?))
}

/// Switch a list on or off, or say how often it is looked for. For security admins.
#[utoipa::path(patch, operation_id = "change_intel_list", path = "/api/v1/intel/lists/{id}", tag = "intel",
    params(("id" = i64, Path, description = "The list")), request_body = IntelListChange,
    responses((status = 200, body = IntelList), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(given): Json<IntelListChange>,
) -> ApiResult<Json<IntelList>> {
    caller.require(Role::SecurityAdmin)?;
    let list = find(&app, id).await?;
    let every_hours = given.every_hours.unwrap_or(list.every_hours);
    hours(every_hours)?;
    let is_on = given.is_on.unwrap_or(list.is_on);
    let mut tx = app.store.begin().await?;
    intel_lists::change(&mut tx, list.id, is_on, every_hours).await?;
    tx.commit().await?;
    renew(&app).await?;
    app.intel.changed.notify_one();
    Ok(Json(one(&app, id).await?))
}

/// Forget a list, and what it added. For security admins.
#[utoipa::path(delete, operation_id = "delete_intel_list", path = "/api/v1/intel/lists/{id}", tag = "intel",
    params(("id" = i64, Path, description = "The list")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let list = find(&app, id).await?;
    let mut tx = app.store.begin().await?;
    intel_lists::delete(&mut tx, list.id).await?;
    tx.commit().await?;
    info!(list = %list.name, user = %caller.user.name, "a list of threat intelligence was forgotten");
    renew(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a list be fetched now. For operators.
#[utoipa::path(post, operation_id = "fetch_intel_list", path = "/api/v1/intel/lists/{id}/fetch", tag = "intel",
    params(("id" = i64, Path, description = "The list")),
    responses((status = 202, body = IntelList), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn fetch(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<(StatusCode, Json<IntelList>)> {
    caller.require(Role::Operator)?;
    let list = find(&app, id).await?;
    let settings = settings::settings(&list).map_err(ApiError::from_any)?;
    if settings.address.is_none() {
        return Err(ApiError::bad_request(
            "this list has no address: upload what it says",
        ));
    }
    app.intel.want(list.id);
    Ok((StatusCode::ACCEPTED, Json(one(&app, id).await?)))
}

/// Put what a list says in place of what it said: a file of the list's format, up to 64 MiB. For security admins.
#[utoipa::path(put, operation_id = "upload_intel_list", path = "/api/v1/intel/lists/{id}/content", tag = "intel",
    params(("id" = i64, Path, description = "The list")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = IntelList), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(super) async fn upload(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
    body: Bytes,
) -> ApiResult<Json<IntelList>> {
    caller.require(Role::SecurityAdmin)?;
    let list = find(&app, id).await?;
    let settings = settings::settings(&list).map_err(ApiError::from_any)?;
    if settings.address.is_some() {
        return Err(ApiError::bad_request(
            "this list is fetched from its address",
        ));
    }
    let taken = intel::fetch::take(&app, &list, body.to_vec()).await;
    taken.map_err(|error| match error.downcast::<intel::fetch::Refused>() {
        Ok(refused) => ApiError::bad_request(format!("{:#}", refused.0)),
        Err(error) => ApiError::from_any(error),
    })?;
    renew(&app).await?;
    app.events.publish(Event::Alerts);
    Ok(Json(one(&app, id).await?))
}

fn hours(hours: u32) -> ApiResult<()> {
    if hours > MOST_HOURS {
        return Err(ApiError::bad_request(
            "a list is looked for every 720 hours or more often, or (0) when asked",
        ));
    }
    Ok(())
}

async fn renew(app: &App) -> ApiResult<()> {
    intel::renew(app).await.map_err(ApiError::from_any)
}

async fn find(app: &App, id: i64) -> ApiResult<intel_lists::IntelList> {
    let list = intel_lists::get(&app.store, IntelListId(id)).await?;
    list.ok_or_else(|| ApiError::not_found("list"))
}

async fn one(app: &App, id: i64) -> ApiResult<IntelList> {
    let list = find(app, id).await?;
    wire(app, list)
}

fn wire(app: &App, list: intel_lists::IntelList) -> ApiResult<IntelList> {
    let content = app.audit.content();
    let left_out = content.known().joined.left_out(&list.name).into_iter();
    Ok(IntelList {
        settings: settings::settings(&list).map_err(ApiError::from_any)?,
        reading: app.intel.is_wanted(list.id),
        left_out: left_out
            .map(|(reason, count)| IntelUnused {
                reason: reason.to_owned(),
                count,
                example: String::new(),
            })
            .collect(),
        id: list.id.0,
        name: list.name,
        extends: list.extends,
        every_hours: list.every_hours,
        is_on: list.is_on,
        author: list.author,
        created: list.created,
        tried: list.tried,
        succeeded: list.succeeded,
        changed: list.changed,
        problem: list.problem,
        entries: list.entries,
        unused: list
            .unused
            .into_iter()
            .map(|unused| IntelUnused {
                reason: unused.reason,
                count: unused.count,
                example: unused.example,
            })
            .collect(),
    })
}

//! What API servers send to: `POST /audit/{cluster}`, as `--audit-webhook-config-file` has them do.
//!
//! A slow receiver lets requests pile up in the API server until it dies, so a body is not parsed here: it is looked
//! at just enough to refuse what can be no list of events, appended to the cluster's lane, and acknowledged. Whoever
//! is one too many is told at once; the API server tries again by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use seareeve_audit::Form;
use seareeve_bus::AppendError;
use seareeve_store::audit_sources::{self, HEARD_EVERY};
use seareeve_store::{AuditSourceId, StoreError};
use tracing::warn;

use crate::auth::caller::bearer;
use crate::auth::secret;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// The largest body, as it comes.
pub(crate) const MOST_BODY: usize = 32 << 20;
/// Time for a body to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Seconds after which whoever was refused may try again.
const LATER: u64 = 2;
/// What is said of a source that brings more than its lane holds.
pub(super) const FULL: &str =
    "the lane is full: events come faster than they are judged (audit.spool_mib)";
/// By this prefix secret scanners recognise a webhook's token.
pub(crate) const PREFIX: &str = "seareeve_audit_";

/// Takes a list of audit events.
pub(crate) async fn receive(
    State(app): State<Arc<App>>,
    Path(cluster): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Response> {
    let refused = || ApiError::bad_credentials("no audit webhook of this cluster has this token");
    let token = bearer(&headers).ok_or_else(refused)?;
    let (source, desk) = app
        .audit
        .by_token(&secret::hash(token))
        .filter(|(_, desk)| desk.name == cluster)
        .ok_or_else(refused)?;
    let form = form(&headers)?;
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok())
        .unwrap_or(MOST_BODY);
    if length > MOST_BODY {
        return Err(ApiError::too_large("a body has at most 32 MiB"));
    }
    let kib = u32::try_from(length.div_ceil(1024).max(1)).unwrap_or(u32::MAX);
    let Ok(_room) = Arc::clone(&app.audit.room).try_acquire_many_owned(kib) else {
        return Err(ApiError::rate_limited(LATER));
    };
    let body = match tokio::time::timeout(PATIENCE, read(body, length)).await {
        Ok(Ok(Some(body))) => body,
        Ok(Ok(None)) => return Err(ApiError::too_large("a body has at most 32 MiB")),
        Ok(Err(_broken)) => return Err(ApiError::bad_request("the body broke off")),
        Err(_elapsed) => return Err(ApiError::bad_request("the body did not come in time")),
    };
    if !begins_well(form, &body) {
        return Err(ApiError::bad_request("the body is no list of events"));
    }
    let arrived = app.now().as_millisecond();
    match desk.lane.append(tag(form), arrived, body).await {
        Ok(()) => {}
        Err(AppendError::Full) => {
            warn!(cluster, "the lane of audit events is full");
            // Whoever is turned away is told at once, and waits for no database.
            app.audit.heard.note(source, app.now(), true);
            return Err(ApiError::rate_limited(LATER));
        }
        Err(AppendError::TooLarge { .. }) => {
            return Err(ApiError::too_large("a body has at most 32 MiB"));
        }
        Err(error @ (AppendError::Disk(_) | AppendError::Nats(_) | AppendError::Closed)) => {
            return Err(ApiError::unavailable(&anyhow::Error::new(error)));
        }
    }
    app.audit.heard.note(source, app.now(), false);
    Ok((
        StatusCode::OK,
        [(header::CONTENT_TYPE, "application/json")],
        "{}",
    )
        .into_response())
}

/// A body of at most `most` bytes; nothing, if it is longer. Collected by itself: the usual way copies it once more.
async fn read(body: Body, most: usize) -> Result<Option<Vec<u8>>, axum::Error> {
    let mut chunks = body.into_data_stream();
    let mut bytes = seareeve_bus::buffer(most);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if chunk.len() > most.saturating_sub(bytes.len()) {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// The number by which lanes say how a frame's payload is packed. They are stored.
pub(crate) fn tag(form: Form) -> u8 {
    match form {
        Form::Json => 0,
        Form::Gzip => 1,
        Form::Lines => 2,
    }
}

/// The form of a number.
pub(crate) fn form_of(number: u8) -> Option<Form> {
    [Form::Json, Form::Gzip, Form::Lines]
        .into_iter()
        .find(|form| tag(*form) == number)
}

fn begins_well(form: Form, body: &[u8]) -> bool {
    match form {
        Form::Json | Form::Lines => body
            .iter()
            .find(|byte| !byte.is_ascii_whitespace())
            .is_some_and(|byte| *byte == b'{'),
        Form::Gzip => body.starts_with(&[0x1f, 0x8b]),
    }
}

fn form(headers: &HeaderMap) -> ApiResult<Form> {
    let encoding = headers
        .get(header::CONTENT_ENCODING)
        .and_then(|encoding| encoding.to_str().ok());
    match encoding {
        None | Some("" | "identity") => Ok(Form::Json),
        Some("gzip") => Ok(Form::Gzip),
        Some(_) => Err(ApiError::bad_request("send JSON, as it is or as gzip")),
    }
}

/// Which sources were heard of, and which were turned away: written down now and then by `flush`, so that no request
/// waits for the database.
#[derive(Default)]
pub(crate) struct Heard(Mutex<BTreeMap<i64, Last>>);

/// When a source was heard of last, and whether it was turned away since that was written down.
struct Last {
    at: Timestamp,
    was_full: bool,
}

impl Heard {
    fn note(&self, source: AuditSourceId, at: Timestamp, is_full: bool) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = heard.entry(source.0).or_insert(Last {
            at,
            was_full: false,
        });
        last.at = at;
        last.was_full |= is_full;
    }

    fn drain(&self) -> BTreeMap<i64, Last> {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *heard)
    }
}

/// Writes down which sources were heard of.
pub(super) async fn flush(app: &App) -> Result<(), StoreError> {
    let heard = app.audit.heard.drain();
    if heard.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    for (source, Last { at, was_full }) in heard {
        let source = AuditSourceId(source);
        audit_sources::heard(&mut tx, source, None, at).await?;
        if was_full {
            audit_sources::failed(&mut tx, source, FULL, at).await?;
        }
    }
    tx.commit().await
}

/// How often [`flush`] is to be called.
pub(super) const FLUSH_EVERY: Duration = HEARD_EVERY.unsigned_abs();

//! Server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::stream::{self, Stream, StreamExt as _};
use seareeve_api::{ErrorBody, Event};
use tokio_stream::wrappers::BroadcastStream;

use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::events::Numbered;
use crate::state::App;

/// How long one answer lasts.
const LONGEST: Duration = Duration::from_secs(300);

/// What changes, as it changes. A client that comes back with `Last-Event-ID` gets what it missed.
#[utoipa::path(get, operation_id = "watch_events", path = "/api/v1/events", tag = "status",
    responses((status = 200, body = Event, content_type = "text/event-stream"), (status = 401, body = ErrorBody)))]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    _caller: Caller,
    headers: HeaderMap,
) -> ApiResult<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>> {
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok());
    let (missed, receiver) = app.events.subscribe(last);
    // A reader that is too slow loses events; it is told, and asks for everything again.
    let live = BroadcastStream::new(receiver).map(|received| {
        received.unwrap_or(Numbered {
            id: 0,
            event: Event::Reset,
        })
    });
    let stop = app.shutdown.clone();
    // Whoever is signed out meanwhile hears nothing more: a client comes back by itself, and is asked who it is.
    let ended = async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LONGEST) => {}
        }
    };
    let stream = stream::iter(missed)
        .chain(live)
        .take_until(ended)
        .filter_map(move |numbered| {
            let id = app.events.id(numbered.id);
            let event = sse::Event::default().id(id).json_data(&numbered.event).ok();
            async move { event.map(Ok) }
        });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(20))))
}

//! Requests and their answers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::StreamExt;
use jiff::Timestamp;
use seareeve_admission::{Answer, Effect, Gate, Review, reply};
use tokio::sync::OwnedSemaphorePermit;
use tracing::{debug, warn};

use crate::memory::{Memory, Sight};

/// Bytes of a review at most: the object and what it was before, of which the API server takes 3 MiB each.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Bytes that are still taken, and forgotten, of a body that is too large, so that its sender gets to read why.
const MOST_DRAINED: usize = 64 * 1024 * 1024;
/// From here on a review is judged away from the threads that wait for the network.
const LARGE: usize = 64 * 1024;
/// How long a body may take to come.
const BODY: Duration = Duration::from_secs(5);
/// How long judging may take. The API server waits as long as its configuration says, and then goes on without us.
const JUDGING: Duration = Duration::from_secs(4);
/// How long the first review of an image waits for what the server knows of it, if that answers at all. Without that,
/// the first pod of every new image would be let in as one that nobody scanned.
const FIRST_SIGHT: Duration = Duration::from_secs(1);

pub(crate) fn router(memory: Arc<Memory>) -> Router {
    Router::new()
        .route("/validate", post(validate))
        .route("/healthz", get(|| async { "ok\n" }))
        .with_state(memory)
}

/// Answers one review. What is none is refused with 400; what cannot be judged in time is let in with a warning.
async fn validate(State(memory): State<Arc<Memory>>, request: Request) -> Response {
    let Ok(turn) = Arc::clone(&memory.turns).try_acquire_owned() else {
        // Without reading it, its uid is not known; the API server takes any error for no answer, and lets it in.
        memory.unread();
        return refused(StatusCode::SERVICE_UNAVAILABLE, "too many reviews at once");
    };
    let body = match tokio::time::timeout(BODY, body(request.into_body())).await {
        Ok(Ok(body)) => body,
        Ok(Err(response)) => {
            memory.unread();
            return response;
        }
        Err(_elapsed) => {
            memory.unread();
            return refused(
                StatusCode::REQUEST_TIMEOUT,
                "the review did not come in time",
            );
        }
    };
    let review = match Review::read(&body) {
        Ok(review) => Arc::new(review),
        Err(error) => {
            memory.unread();
            debug!(%error, "a body is no review");
            return refused(StatusCode::BAD_REQUEST, &error.to_string());
        }
    };
    let now = Timestamp::now();
    let turn = Arc::new(turn);
    let is_large = body.len() >= LARGE;
    let (mut answer, unheard) = judged(&memory, &review, is_large, &turn, now).await;
    if !unheard.is_empty() && memory.hears_of(&unheard, FIRST_SIGHT).await {
        (answer, _) = judged(&memory, &review, is_large, &turn, now).await;
    }
    memory.count(&review, &answer, now);
    if !answer.is_allowed {
        let decisions = answer.decisions.iter();
        let denied = decisions.filter(|decision| decision.effect == Effect::Denied);
        let recommendations: Vec<&str> = denied.map(|one| one.recommendation.as_str()).collect();
        debug!(
            namespace = review.namespace,
            recommendations = recommendations.join(","),
            "refused"
        );
    }
    let text = reply(&review.uid, &answer).to_string();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// The answer to a review, and the images that nobody has heard of yet.
async fn judged(
    memory: &Arc<Memory>,
    review: &Arc<Review>,
    is_large: bool,
    turn: &Arc<OwnedSemaphorePermit>,
    now: Timestamp,
) -> (Answer, Vec<String>) {
    if !is_large {
        return decide(memory, review, now);
    }
    let (memory, review, turn) = (Arc::clone(memory), Arc::clone(review), Arc::clone(turn));
    let judging = tokio::task::spawn_blocking(move || {
        // As long as it takes, even if nobody waits any more: threads are few.
        let _turn = turn;
        decide(&memory, &review, now)
    });
    let answer = match tokio::time::timeout(JUDGING, judging).await {
        Ok(Ok(judged)) => return judged,
        Ok(Err(error)) => {
            warn!(error = %error, "judging a review failed");
            Answer::unchecked("an error of its own")
        }
        Err(_elapsed) => Answer::unchecked("it took too long"),
    };
    (answer, Vec::new())
}

/// An error of our own lets the object in, too.
fn decide(memory: &Memory, review: &Review, now: Timestamp) -> (Answer, Vec<String>) {
    let in_force = memory.in_force();
    let sight = Sight::new(memory);
    let answer = Gate::new(&memory.library, &in_force.policy).decide(review, &sight, now);
    (answer, sight.unheard())
}

/// The whole body. Who is refused while still sending would see a broken connection instead of the answer, so a body
/// that is too large is taken to its end, within bounds.
async fn body(body: Body) -> Result<Vec<u8>, Response> {
    let mut stream = body.into_data_stream();
    let mut kept = Vec::new();
    let mut taken = 0_usize;
    while let Some(chunk) = stream.next().await {
        let chunk: Bytes = chunk.map_err(|error| {
            debug!(%error, "a body could not be read");
            refused(StatusCode::BAD_REQUEST, "the review broke off")
        })?;
        taken = taken.saturating_add(chunk.len());
        if taken > MOST_DRAINED {
            break;
        }
        if taken <= MOST_BYTES {
            kept.extend_from_slice(&chunk);
        }
    }
    if taken > MOST_BYTES {
        let why = "a review of at most 8 MiB is wanted";
        return Err(refused(StatusCode::PAYLOAD_TOO_LARGE, why));
    }
    Ok(kept)
}

/// A refusal. It ends the connection: part of the body may still be on its way.
fn refused(status: StatusCode, why: &str) -> Response {
    let close = [(header::CONNECTION, "close")];
    (status, close, format!("{why}\n")).into_response()
}

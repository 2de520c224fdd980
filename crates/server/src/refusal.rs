//! Lets whoever is refused while still sending read why.
//!
//! A connection that is closed while its other end writes is reset, and the answer on it is lost: the sender sees a broken
//! connection, and tries again. So what is left of a refused request's body is taken and forgotten, within bounds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt as _;
use futures_util::stream::poll_fn;

/// Bytes that are taken at most.
const MOST_TAKEN: usize = 64 << 20;
/// Time for them at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers as `next` does, once the sender is done.
pub(crate) async fn readable(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // Whoever asks first whether it may send has sent nothing yet, and would by being read.
    if body.is_end_stream() || parts.headers.contains_key(header::EXPECT) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let chunks = Arc::new(Mutex::new(body.into_data_stream()));
    let given = Body::from_stream(shared(Arc::clone(&chunks)));
    let mut response = next.run(Request::from_parts(parts, given)).await;
    let status = response.status();
    if (status.is_client_error() || status.is_server_error()) && !forget(chunks).await {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// The rest of a body that somebody else has begun to read, too.
fn shared(
    chunks: Arc<Mutex<BodyDataStream>>,
) -> impl futures_util::Stream<Item = Result<Bytes, axum::Error>> {
    poll_fn(move |context| {
        let mut chunks = chunks.lock().unwrap_or_else(PoisonError::into_inner);
        chunks.poll_next_unpin(context)
    })
}

/// Takes what is left. Says whether it came to its end.
async fn forget(chunks: Arc<Mutex<BodyDataStream>>) -> bool {
    let taking = async {
        let mut rest = shared(chunks);
        let mut taken = 0_usize;
        while let Some(chunk) = rest.next().await {
            let Ok(chunk) = chunk else {
                return false;
            };
            taken = taken.saturating_add(chunk.len());
            if taken > MOST_TAKEN {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(PATIENCE, taking)
        .await
        .unwrap_or(false)
}

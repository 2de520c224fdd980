//! Requests and their answers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::StreamExt;
use jiff::Timestamp;
use seareeve_admission::{Answer, Effect, Gate, Policy, Review, reply};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use tracing::{debug, warn};

use crate::certificates::{Certificates, Peer};
use crate::memory::{Memory, Sight};

/// Bytes of a review at most: the object and what it was before, of which the API server takes 3 MiB each.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Bytes that are still taken, and forgotten, of a body that is too large, so that its sender gets to read why.
const MOST_DRAINED: usize = 64 * 1024 * 1024;
/// From here on a review is judged away from the threads that wait for the network.
const LARGE: usize = 64 * 1024;
/// How long an answer may take, with all that it waits for. The API server goes on without one after 5 seconds, or as
/// its configuration says.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long a review that names an image of which nothing is known waits for what the server knows of it, if that
/// answers at all. Without that, the first pod of every new image would be let in as one that nobody scanned.
const FIRST_SIGHT: Duration = Duration::from_secs(1);

/// What requests are answered from, and who learns that they came.
#[derive(Clone)]
struct Desk {
    memory: Arc<Memory>,
    certificates: Arc<Certificates>,
}

pub(crate) fn router(memory: Arc<Memory>, certificates: Arc<Certificates>) -> Router {
    Router::new()
        .route("/validate", post(validate))
        .route("/healthz", get(|| async { "ok\n" }))
        .with_state(Desk {
            memory,
            certificates,
        })
}

/// Answers one review. What is none is refused with 400; what cannot be judged in time is let in with a warning.
async fn validate(
    State(Desk {
        memory,
        certificates,
    }): State<Desk>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    let deadline = Instant::now() + patience(request.uri().query());
    let Ok(turn) = Arc::clone(&memory.turns).try_acquire_owned() else {
        // Without reading it, its uid is not known; the API server takes any error for no answer, and lets it in.
        memory.unread();
        return refused(StatusCode::SERVICE_UNAVAILABLE, "too many reviews at once");
    };
    let body = match timeout_at(deadline, body(request.into_body())).await {
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
    certificates.trusted(peer);
    let case = Case {
        memory: Arc::clone(&memory),
        review: Arc::clone(&review),
        is_large: body.len() >= LARGE,
        now: Timestamp::now(),
        deadline,
        _turn: Arc::new(turn),
    };
    let answer = case.answer().await;
    memory.count(&review, &answer, case.now);
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

/// How long an answer may take. The API server says how long it waits (`?timeout=5s`): an answer that comes later is none,
/// so a part of that is left for the way.
fn patience(query: Option<&str>) -> Duration {
    let mut all = query.into_iter().flat_map(|query| query.split('&'));
    let said = all.find_map(|one| {
        one.strip_prefix("timeout=")?
            .strip_suffix('s')?
            .parse()
            .ok()
    });
    said.map_or(PATIENCE, |seconds: u32| {
        (Duration::from_secs(seconds.into()) * 4 / 5).min(PATIENCE)
    })
}

/// How long news of images are waited for, of the time that is left: half of that is for judging again.
fn first_sight(left: Duration) -> Duration {
    FIRST_SIGHT.min(left / 2)
}

/// A review on its way to an answer.
#[derive(Clone)]
struct Case {
    memory: Arc<Memory>,
    review: Arc<Review>,
    is_large: bool,
    now: Timestamp,
    /// When somebody must have answered.
    deadline: Instant,
    /// Kept for as long as it is judged, even if nobody waits any more: threads are few.
    _turn: Arc<OwnedSemaphorePermit>,
}

impl Case {
    /// The answer; a second one where the server said something of images that the review names.
    async fn answer(&self) -> Answer {
        let (first, unheard, policy) = match self.judged().await {
            Ok(judged) => judged,
            Err(why) => return Answer::unchecked(why),
        };
        if unheard.is_empty() || is_final(&first, &policy) {
            return first;
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if !self.memory.hears_of(&unheard, first_sight(left)).await {
            return first;
        }
        self.judged().await.map_or(first, |(second, ..)| second)
    }

    /// Judges it; or why it could not be judged.
    async fn judged(&self) -> Result<Judged, &'static str> {
        if !self.is_large {
            return Ok(self.decide());
        }
        let case = self.clone();
        let judging = tokio::task::spawn_blocking(move || case.decide());
        match timeout_at(self.deadline, judging).await {
            Ok(Ok(judged)) => Ok(judged),
            Ok(Err(error)) => {
                warn!(error = %error, "judging a review failed");
                Err("an error of its own")
            }
            Err(_elapsed) => Err("it took too long"),
        }
    }

    fn decide(&self) -> Judged {
        let policy = self.memory.in_force().policy;
        let sight = Sight::new(&self.memory);
        let answer =
            Gate::new(&self.memory.library, &policy).decide(&self.review, &sight, self.now);
        (answer, sight.unheard(), policy)
    }
}

/// An answer, the images that nobody has heard of yet, and the policy that it was made by.
type Judged = (Answer, Vec<String>, Arc<Policy>);

/// Whether it is refused for what no scan can change.
fn is_final(answer: &Answer, policy: &Policy) -> bool {
    let mut decisions = answer.decisions.iter();
    decisions.any(|one| one.effect == Effect::Denied && !policy.is_about_scans(&one.recommendation))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::Ordering;
    use std::sync::mpsc;

    use futures_util::FutureExt as _;
    use seareeve_admission::{Counts, Scanned, Severities};
    use serde_json::json;

    use super::*;
    use crate::memory::tests::memory;

    const POLICY: &str = "{schema: seareeve.admission/1, mode: 'off', recommendations: {\
        kubernetes-privileged: {mode: deny}, \
        kubernetes-vulnerable-images: {mode: deny, unscanned: UNSCANNED}}}";
    const APP: &str = "docker.io/library/app:2";

    fn policy(unscanned: &str) -> String {
        POLICY.replace("UNSCANNED", unscanned)
    }

    fn case(memory: &Arc<Memory>, is_privileged: bool, patience: Duration) -> Case {
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "u", "kind": {"kind": "Pod"}, "operation": "CREATE", "namespace": "shop",
            "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [
                {"name": "app", "image": "app:2", "securityContext": {"privileged": is_privileged}}]}}}});
        Case {
            memory: Arc::clone(memory),
            review: Arc::new(Review::read(review.to_string().as_bytes()).unwrap()),
            is_large: false,
            now: Timestamp::UNIX_EPOCH,
            deadline: Instant::now() + patience,
            _turn: Arc::new(Arc::clone(&memory.turns).try_acquire_owned().unwrap()),
        }
    }

    fn grave() -> Scanned {
        let critical = Counts {
            fixable: 1,
            unfixable: 0,
        };
        let findings = Severities {
            critical,
            ..Severities::default()
        };
        Scanned { findings }
    }

    fn learn(memory: &Memory, scanned: Option<Scanned>) {
        memory.learn(BTreeMap::from([(APP.to_owned(), scanned)]));
    }

    /// The server's part: answers the next question.
    async fn answers(memory: &Memory, scanned: Option<Scanned>) {
        while memory.take_wanted(10).is_empty() {
            tokio::task::yield_now().await;
        }
        learn(memory, scanned);
    }

    #[tokio::test]
    async fn an_image_that_was_scanned_after_somebody_asked_is_refused_at_once() {
        let (memory, seconds) = memory(&policy("audit"));
        memory.note_server(true);
        let first = case(&memory, false, PATIENCE);
        let (first, ()) = tokio::join!(first.answer(), answers(&memory, None));
        assert!(first.is_allowed, "nobody scanned it");
        seconds.store(2 * 3600, Ordering::SeqCst);
        let second = case(&memory, false, PATIENCE);
        let (second, ()) = tokio::join!(second.answer(), answers(&memory, Some(grave())));
        assert!(!second.is_allowed, "{second:?}");
    }

    #[tokio::test]
    async fn only_what_a_scan_may_change_waits_for_one() {
        let (memory, _) = memory(&policy("deny"));
        memory.note_server(true);
        // Privileged it stays: nobody answers, and nobody waits.
        let certain = case(&memory, true, PATIENCE);
        let answer = certain.answer().now_or_never().expect("it is certain");
        assert!(!answer.is_allowed);
        // Refused because nobody scanned it: somebody may have, and found nothing.
        let open = case(&memory, false, PATIENCE);
        assert!(open.answer().now_or_never().is_none());
        let clean = Scanned {
            findings: Severities::default(),
        };
        let (answer, ()) = tokio::join!(open.answer(), answers(&memory, Some(clean)));
        assert!(answer.is_allowed, "{answer:?}");
    }

    #[test]
    fn a_second_answer_that_does_not_come_in_time_leaves_the_first() {
        // All large reviews are judged by one thread, and that is taken before the second time.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let (memory, _) = memory(&policy("deny"));
        memory.note_server(true);
        let (free, is_free) = mpsc::channel::<()>();
        runtime.block_on(async {
            let large = Case {
                is_large: true,
                ..case(&memory, false, Duration::from_secs(2))
            };
            let server = async {
                while memory.take_wanted(10).is_empty() {
                    tokio::task::yield_now().await;
                }
                drop(tokio::task::spawn_blocking(move || is_free.recv()));
                learn(&memory, None);
            };
            let (answer, ()) = tokio::join!(large.answer(), server);
            assert!(!answer.is_allowed, "{answer:?}");
            // Without a first one, it is let in.
            let late = Case {
                is_large: true,
                ..case(&memory, true, Duration::ZERO)
            };
            assert!(late.answer().await.is_allowed);
        });
        drop(free);
    }

    #[test]
    fn an_answer_comes_before_the_api_server_goes_on() {
        let millis = |query| patience(query).as_millis();
        assert_eq!(millis(None), 4_000);
        assert_eq!(millis(Some("timeout=1s")), 800);
        assert_eq!(millis(Some("a=b&timeout=3s")), 2_400);
        for odd in [
            "timeout=30s",
            "timeout=4294967295s",
            "timeout=1m0s",
            "timeout=-1s",
            "timeout",
        ] {
            assert_eq!(millis(Some(odd)), 4_000, "{odd}");
        }
        assert_eq!(first_sight(patience(None)).as_millis(), 1_000);
        let short = patience(Some("timeout=1s"));
        assert_eq!(first_sight(short).as_millis(), 400);
    }
}

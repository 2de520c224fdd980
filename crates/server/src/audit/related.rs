//! What the one who raised an alert did before and after it, as far as events are kept.

use jiff::{SignedDuration, Timestamp};
use seareeve_api::{RelatedRequest, RelatedRequests};
use seareeve_store::alerts::{self, Alert};
use seareeve_store::{Store, audit_blocks, audit_clusters};
use serde::Deserialize;

use super::kept;

/// Requests that are listed.
const MOST: usize = 500;
/// Blocks that are in memory at a time.
const BLOCKS: usize = 16;
/// Blocks that are looked through.
const MOST_BLOCKS: usize = 20_000;

/// Requests of an alert's user within a time of it.
pub(crate) async fn requests(
    store: &Store,
    alert: &Alert,
    around: SignedDuration,
) -> anyhow::Result<RelatedRequests> {
    let mut related = RelatedRequests {
        user: user(store, alert).await?,
        requests: Vec::new(),
        is_cut: false,
        kept_since: None,
    };
    let Some(cluster) = audit_clusters::get(store, &alert.cluster).await? else {
        return Ok(related);
    };
    related.kept_since = audit_blocks::kept(store, cluster.id).await?.first;
    if related.user.is_empty() {
        return Ok(related);
    }
    let (from, to) = (alert.first_seen - around, alert.last_seen + around);
    let mut after = 0;
    for _ in 0..MOST_BLOCKS / BLOCKS {
        let found = audit_blocks::between(store, cluster.id, from, to, after, BLOCKS).await?;
        let (blocks, last) = found;
        if blocks.is_empty() {
            break;
        }
        after = last;
        let user = related.user.clone();
        let reading = move || {
            let mut requests = Vec::new();
            for block in &blocks {
                kept::lines(block, |line| {
                    requests.extend(read(line, &user, from, to));
                })?;
            }
            anyhow::Ok(requests)
        };
        related
            .requests
            .extend(tokio::task::spawn_blocking(reading).await??);
        if related.requests.len() > MOST {
            break;
        }
    }
    related
        .requests
        .sort_by(|a, b| (a.at, &a.audit_id).cmp(&(b.at, &b.audit_id)));
    // Requests of two stages are one.
    related
        .requests
        .dedup_by(|later, earlier| later.audit_id == earlier.audit_id);
    related.is_cut = related.requests.len() > MOST;
    related.requests.truncate(MOST);
    Ok(related)
}

/// Who raised an alert: as its first event says.
async fn user(store: &Store, alert: &Alert) -> anyhow::Result<String> {
    let first = alerts::occurrences(store, alert.id, 1).await?;
    let event = first.first().and_then(|event| event.evidence.as_deref());
    let event: Option<Event> = event.and_then(|text| serde_json::from_str(text).ok());
    Ok(event.map(|event| event.user.username).unwrap_or_default())
}

/// What is shown of an event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(rename = "auditID")]
    audit_id: String,
    #[serde(default)]
    verb: String,
    #[serde(default, rename = "requestURI")]
    request_uri: String,
    #[serde(default)]
    user: User,
    object_ref: Option<Object>,
    response_status: Option<Status>,
    #[serde(default, rename = "sourceIPs")]
    source_ips: Vec<String>,
    user_agent: Option<String>,
    request_received_timestamp: Option<Timestamp>,
    stage_timestamp: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Deserialize)]
struct Object {
    resource: Option<String>,
    subresource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    code: Option<u16>,
}

fn read(line: &str, user: &str, from: Timestamp, to: Timestamp) -> Option<RelatedRequest> {
    // Most lines are of others: a look for the name spares reading them.
    if !line.contains(user) {
        return None;
    }
    let event: Event = serde_json::from_str(line).ok()?;
    let at = event.request_received_timestamp.or(event.stage_timestamp)?;
    if event.user.username != user || at < from || at > to {
        return None;
    }
    let object = event.object_ref;
    let resource = object.as_ref().and_then(|object| {
        let resource = object.resource.as_deref()?;
        Some(match &object.subresource {
            Some(part) => format!("{resource}/{part}"),
            None => resource.to_owned(),
        })
    });
    let (namespace, name) = object.map_or((None, None), |object| (object.namespace, object.name));
    let path = event.request_uri.split('?').next().unwrap_or_default();
    Some(RelatedRequest {
        at,
        audit_id: event.audit_id,
        verb: event.verb,
        resource: resource.unwrap_or_else(|| path.to_owned()),
        namespace,
        name,
        code: event.response_status.and_then(|status| status.code),
        source_ip: event.source_ips.into_iter().next(),
        user_agent: event.user_agent,
    })
}

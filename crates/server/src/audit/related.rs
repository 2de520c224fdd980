//! What the one who raised an alert did before and after it, as far as events are kept.

use jiff::{SignedDuration, Timestamp};
use seareeve_api::{RelatedRequest, RelatedRequests};
use seareeve_store::alerts::{self, Alert};
use seareeve_store::{Store, audit_blocks, audit_clusters};
use serde::Deserialize;

use super::kept;

/// Requests that are listed: so many before an alert, and so many from it on, those that are nearest to it.
const MOST: usize = 250;
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
    let mut nearest = Nearest {
        to: alert.first_seen,
        requests: Vec::new(),
        is_cut: false,
    };
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
            for block in &blocks {
                kept::lines(block, |line| {
                    nearest.requests.extend(read(line, &user, from, to));
                })?;
                nearest.cut();
            }
            anyhow::Ok(nearest)
        };
        nearest = tokio::task::spawn_blocking(reading).await??;
        // Blocks come in the order of time.
        if nearest.is_full() {
            break;
        }
    }
    related.requests = nearest.requests;
    related.is_cut = nearest.is_cut;
    Ok(related)
}

/// The requests nearest to a time.
struct Nearest {
    to: Timestamp,
    requests: Vec<RelatedRequest>,
    is_cut: bool,
}

impl Nearest {
    /// Puts requests in order, and leaves out those that are too far away.
    fn cut(&mut self) {
        let requests = &mut self.requests;
        requests.sort_by(|a, b| (a.at, &a.audit_id).cmp(&(b.at, &b.audit_id)));
        // The stages of a request are one. Its id alone would not do: clients may choose it, and so hide behind another.
        requests.dedup_by(|later, earlier| {
            (later.at, &later.audit_id) == (earlier.at, &earlier.audit_id)
        });
        let before = requests.partition_point(|request| request.at < self.to);
        let most = before.min(MOST).saturating_add(MOST);
        let far = before.saturating_sub(MOST);
        requests.drain(..far);
        self.is_cut |= far > 0 || requests.len() > most;
        requests.truncate(most);
    }

    fn is_full(&self) -> bool {
        let before = self
            .requests
            .partition_point(|request| request.at < self.to);
        self.requests.len().saturating_sub(before) >= MOST && self.is_cut
    }
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
    // Most lines are of others: a look for the name spares reading them, where JSON can write it in one way only.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@ ".contains(&byte);
    if user.bytes().all(is_plain) && !line.contains(user) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, user: &str, second: i64) -> String {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
        serde_json::json!({
            "auditID": id, "verb": "get", "requestURI": "/api/v1/nodes", "user": {"username": user},
            "requestReceivedTimestamp": at,
        })
        .to_string()
    }

    fn of(line: &str, user: &str) -> Option<RelatedRequest> {
        read(line, user, Timestamp::UNIX_EPOCH, Timestamp::MAX)
    }

    #[test]
    fn a_user_is_found_however_json_writes_the_name() {
        for user in ["eve", r"CORP\eve", "o'hara <eve>", "ève"] {
            assert!(of(&line("a", user, 1), user).is_some(), "{user}");
        }
        let escaped = line("a", "eve<x>", 1).replace('<', r"\u003c");
        assert!(of(&escaped, "eve<x>").is_some());
        assert!(of(&line("a", "evelyn", 1), "eve").is_none());
    }

    #[test]
    fn the_nearest_stay_and_a_chosen_id_hides_nothing() {
        let at = |second| of(&line("chosen", "eve", second), "eve");
        let mut nearest = Nearest {
            to: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000),
            requests: (1..1_010).filter_map(at).chain(at(999)).collect(),
            is_cut: false,
        };
        nearest.cut();
        assert!(nearest.is_cut && !nearest.is_full());
        let seconds: Vec<i64> = nearest
            .requests
            .iter()
            .map(|one| one.at.as_second())
            .collect();
        assert_eq!(seconds, (750..1_010).collect::<Vec<_>>());
        nearest.requests.extend((1_010..2_000).filter_map(at));
        nearest.cut();
        assert!(nearest.is_full());
        let last = nearest.requests.last().map(|one| one.at.as_second());
        assert_eq!(last, Some(1_249));
    }
}

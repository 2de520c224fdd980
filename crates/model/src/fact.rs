//! Facts: what a collector saw of an asset, before anybody judges it.
//!
//! A [`Snapshot`] is stored, sent to servers and replayed, so its form is agreed: [`Snapshot::SCHEMA`] names it, and
//! changes when its meaning does. Secrets are taken out where facts are collected, never later.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// All that was seen of one asset at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// [`Snapshot::SCHEMA`].
    pub schema: String,
    /// What kind of asset it is: `docker-host`, `kubernetes-cluster`, `kubernetes-node`, `azure-subscription`.
    pub asset_kind: String,
    /// What makes the asset the same one next time: a machine id, the uid of the namespace `kube-system`.
    pub asset_id: String,
    /// For people.
    pub asset_name: String,
    /// When collecting began.
    pub collected_at: Timestamp,
    /// The program and its version.
    pub collector: String,
    /// By kind. A kind that is missing was not asked for.
    pub facts: BTreeMap<FactKind, Collection>,
}

/// The facts of one kind, and whether they could be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// How collecting them went.
    pub status: CollectionStatus,
    /// Why they are not, or not all, there; nothing when all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Where they come from: a socket, a file, an API path.
    pub source: String,
    /// One for a kind that there is one of (`docker.daemon`), any number for others (`docker.container`).
    pub items: Vec<Fact>,
}

/// One document that checks are written against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Unique within its kind and asset, and the same next time: a container's id, a namespace and name.
    pub id: String,
    /// For people.
    pub name: String,
    /// As the source gives it, with secrets and nulls taken out, and what is derived added.
    pub data: Value,
}

/// What a fact is about: `docker.container`, `host.file`. Lower case words, joined by points.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FactKind(String);

/// A text that is no [`FactKind`]. The fault of who wrote it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no kind of fact: lower case words joined by points are wanted")]
pub struct FactKindError(String);

/// How collecting the facts of one kind went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectionStatus {
    /// All of them are there, which may be none.
    Ok,
    /// What they are about does not exist on this asset: no swarm, no systemd.
    Absent,
    /// The collector may not see them.
    Denied,
    /// This kind of asset, engine or version cannot say.
    Unsupported,
    /// Something went wrong.
    Error,
}

impl Snapshot {
    /// The form of this version.
    pub const SCHEMA: &str = "seareeve.facts/1";
}

impl Collection {
    /// All facts of a kind.
    pub fn of(source: impl Into<String>, items: Vec<Fact>) -> Self {
        Self {
            status: CollectionStatus::Ok,
            detail: None,
            source: source.into(),
            items,
        }
    }

    /// None, because `status`.
    pub fn none(
        status: CollectionStatus,
        source: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            detail: Some(detail.into()),
            source: source.into(),
            items: Vec::new(),
        }
    }
}

impl FactKind {
    /// Checks the form.
    ///
    /// # Errors
    /// When `text` is not lower case words joined by points.
    pub fn new(text: impl Into<String>) -> Result<Self, FactKindError> {
        let text = text.into();
        let is_word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if text.len() <= 64 && text.split('.').all(is_word) {
            Ok(Self(text))
        } else {
            Err(FactKindError(text.chars().take(100).collect()))
        }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FactKind {
    type Error = FactKindError;

    fn try_from(text: String) -> Result<Self, FactKindError> {
        Self::new(text)
    }
}

impl From<FactKind> for String {
    fn from(kind: FactKind) -> Self {
        kind.0
    }
}

impl fmt::Display for FactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CollectionStatus {
    /// The stable name used on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Absent => "absent",
            Self::Denied => "denied",
            Self::Unsupported => "unsupported",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_words_joined_by_points() {
        for good in ["host", "docker.container", "k8s.pod-spec", "a1.b2.c3"] {
            assert_eq!(FactKind::new(good).map(String::from), Ok(good.to_owned()));
        }
        for bad in ["", ".", "host.", "Host", "1a", "a b", "a..b", "ä"] {
            assert_eq!(FactKind::new(bad), Err(FactKindError(bad.to_owned())));
        }
        assert!(FactKind::new("a".repeat(65)).is_err());
    }

    #[test]
    fn snapshots_survive_being_stored() {
        let container = Fact {
            id: "4f".to_owned(),
            name: "web".to_owned(),
            data: serde_json::json!({"HostConfig": {"Privileged": true}}),
        };
        let facts = [
            (
                "docker.container",
                Collection::of("/run/docker.sock", vec![container]),
            ),
            (
                "docker.swarm",
                Collection::none(
                    CollectionStatus::Absent,
                    "/swarm",
                    "this node is in no swarm",
                ),
            ),
        ];
        let snapshot = Snapshot {
            schema: Snapshot::SCHEMA.to_owned(),
            asset_kind: "docker-host".to_owned(),
            asset_id: "m1".to_owned(),
            asset_name: "build-1".to_owned(),
            collected_at: Timestamp::UNIX_EPOCH,
            collector: "seareeve 0.1.0".to_owned(),
            facts: facts
                .into_iter()
                .map(|(kind, facts)| (FactKind::new(kind).unwrap(), facts))
                .collect(),
        };
        let text = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot);
        let odd = text.replace("docker.swarm", "Docker Swarm");
        assert!(serde_json::from_str::<Snapshot>(&odd).is_err());
    }
}

//! Facts of an asset that is too large to be sent whole each time: first a list of what there is, by hashes, then what
//! the receiver does not have, and from then on what changes.
//!
//! Like [`crate::Snapshot`], these are sent to servers, so their form is agreed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::fact::{Collection, Fact, FactKind};

/// What there is of an asset, without the facts themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactIndex {
    /// [`FactIndex::SCHEMA`].
    pub schema: String,
    /// See [`crate::Snapshot::asset_kind`].
    pub asset_kind: String,
    /// See [`crate::Snapshot::asset_id`].
    pub asset_id: String,
    /// For people.
    pub asset_name: String,
    /// When collecting began.
    pub collected_at: Timestamp,
    /// The program and its version.
    pub collector: String,
    /// How collecting went, by kind, without the facts.
    pub collections: BTreeMap<FactKind, Collection>,
    /// By kind and id, [`Fact::hash`].
    pub hashes: BTreeMap<FactKind, BTreeMap<String, String>>,
}

/// What of an asset is different from what the receiver has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactDelta {
    /// [`FactDelta::SCHEMA`].
    pub schema: String,
    /// See [`crate::Snapshot::asset_id`].
    pub asset_id: String,
    /// When it was so.
    pub collected_at: Timestamp,
    /// The revision that the receiver named last. One that has another is sent an index first.
    pub base: String,
    /// Whether others follow at once: nothing is judged before the last.
    #[serde(default)]
    pub more: bool,
    /// How collecting went, without the facts: only kinds of which it went otherwise than before.
    #[serde(default)]
    pub collections: BTreeMap<FactKind, Collection>,
    /// Facts that are new or different.
    #[serde(default)]
    pub put: BTreeMap<FactKind, Vec<Fact>>,
    /// Ids of facts that are gone.
    #[serde(default)]
    pub gone: BTreeMap<FactKind, Vec<String>>,
    /// Why the asset cannot be seen at present: what was sent is how it was. The next message without says that it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl FactIndex {
    /// The form of this version.
    pub const SCHEMA: &str = "seareeve.fact-index/1";
}

impl FactDelta {
    /// The form of this version.
    pub const SCHEMA: &str = "seareeve.fact-delta/1";

    /// One that says that nothing has changed.
    #[must_use]
    pub fn nothing(asset_id: &str, base: &str, collected_at: Timestamp) -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            asset_id: asset_id.to_owned(),
            collected_at,
            base: base.to_owned(),
            more: false,
            collections: BTreeMap::new(),
            put: BTreeMap::new(),
            gone: BTreeMap::new(),
            trouble: None,
        }
    }

    /// Whether it says that nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.collections.is_empty() && self.put.is_empty() && self.gone.is_empty()
    }
}

impl Fact {
    /// What tells it from another of its kind and id: 128 bits of SHA-256 over its JSON, as hexadecimal text.
    #[must_use]
    pub fn hash(&self) -> String {
        use std::fmt::Write as _;
        let json = serde_json::to_vec(self).expect("JSON values can be written");
        let digest = Sha256::digest(json);
        let mut text = String::with_capacity(32);
        for byte in digest.iter().take(16) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_is_no_difference() {
        let fact = |data: &str| Fact {
            id: "a".to_owned(),
            name: "a".to_owned(),
            data: serde_json::from_str(data).unwrap(),
        };
        let one = fact(r#"{"a": 1, "b": [2, null]}"#);
        assert_eq!(one.hash(), fact(r#"{"b":[2,null],"a":1}"#).hash());
        assert_ne!(one.hash(), fact(r#"{"b":[2],"a":1}"#).hash());
        assert_eq!(one.hash().len(), 32);
    }

    #[test]
    fn deltas_survive_being_sent() {
        let kind = FactKind::new("kubernetes.service").unwrap();
        let mut delta = FactDelta::nothing("c1", "7", Timestamp::UNIX_EPOCH);
        assert!(delta.is_empty());
        delta.put.insert(
            kind.clone(),
            vec![Fact {
                id: "Service/shop/web".to_owned(),
                name: "web".to_owned(),
                data: json!({"spec": {}}),
            }],
        );
        delta.gone.insert(kind, vec!["Service/shop/old".to_owned()]);
        let text = serde_json::to_string(&delta).unwrap();
        assert_eq!(serde_json::from_str::<FactDelta>(&text).unwrap(), delta);
    }
}

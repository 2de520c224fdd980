//! OSV records as they are found in the world (schema 1.7.5), read with patience.
//!
//! Unknown fields are ignored and `null` means absent. Real archives also hold a single object where the
//! schema asks for a list, and words where it asks for numbers: what we do not need never fails a record.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

/// One OSV record, of any ecosystem and with any severity.
#[derive(Debug, Deserialize)]
pub struct OsvRecord {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) modified: Option<String>,
    #[serde(default)]
    pub(crate) published: Option<String>,
    #[serde(default)]
    pub(crate) withdrawn: Option<String>,
    #[serde(default, deserialize_with = "many")]
    pub(crate) aliases: Vec<String>,
    #[serde(default, deserialize_with = "many")]
    pub(crate) upstream: Vec<String>,
    #[serde(default, deserialize_with = "many")]
    pub(crate) related: Vec<String>,
    #[serde(default)]
    pub(crate) summary: Option<String>,
    #[serde(default)]
    pub(crate) details: Option<String>,
    #[serde(default, deserialize_with = "many")]
    pub(crate) severity: Vec<OsvSeverity>,
    #[serde(default, deserialize_with = "many")]
    pub(crate) affected: Vec<OsvAffected>,
    #[serde(default, deserialize_with = "many")]
    pub(crate) references: Vec<OsvReference>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) database_specific: Option<Specific>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct OsvSeverity {
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) score: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct OsvReference {
    #[serde(rename = "type", default)]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct OsvAffected {
    #[serde(default)]
    pub(crate) package: Option<OsvPackage>,
    #[serde(default, deserialize_with = "many")]
    pub(crate) ranges: Vec<OsvRange>,
    #[serde(default, deserialize_with = "many")]
    pub(crate) versions: Vec<String>,
    #[serde(default, deserialize_with = "many")]
    pub(crate) severity: Vec<OsvSeverity>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) ecosystem_specific: Option<Specific>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) database_specific: Option<Specific>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct OsvPackage {
    #[serde(default)]
    pub(crate) ecosystem: String,
    #[serde(default)]
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct OsvRange {
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "many")]
    pub(crate) events: Vec<OsvEvent>,
}

/// One event. The schema allows one key; a record with several says several things.
#[derive(Debug, Deserialize)]
pub(crate) struct OsvEvent {
    #[serde(default)]
    pub(crate) introduced: Option<String>,
    #[serde(default)]
    pub(crate) fixed: Option<String>,
    #[serde(default)]
    pub(crate) last_affected: Option<String>,
    #[serde(default)]
    pub(crate) limit: Option<String>,
}

/// What we read of the parts that every database shapes as it likes.
#[derive(Debug, Deserialize)]
pub(crate) struct Specific {
    /// Debian's word for the package.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) urgency: Option<String>,
    /// GitHub's, Bitnami's, OSS-Fuzz's and openEuler's word.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) severity: Option<String>,
    /// What a distribution has decided, in its own words (Ubuntu's `deferred`, Debian's `postponed`).
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) status: Option<String>,
    /// The same under Red Hat's name (`Will not fix`).
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) fix_state: Option<String>,
    /// Ours, in the starter set.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) known_exploited: Option<bool>,
}

/// A list, where a single item and `null` are also understood.
fn many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Many<T> {
        List(Vec<T>),
        One(T),
    }
    Ok(match Option::<Many<T>>::deserialize(deserializer)? {
        Some(Many::List(list)) => list,
        Some(Many::One(item)) => vec![item],
        None => Vec::new(),
    })
}

/// A value that is of use only in the shape we know.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lenient<T> {
        Known(T),
        Unknown(IgnoredAny),
    }
    Ok(match Lenient::<T>::deserialize(deserializer)? {
        Lenient::Known(value) => Some(value),
        Lenient::Unknown(IgnoredAny) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<OsvRecord, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn reads_the_quirks_of_real_records() {
        let record = read(
            r#"{"id": "ELA-669-1", "aliases": null, "new_field": [1], "database_specific": "none",
            "affected": [{"package": {"ecosystem": "Debian:8", "name": "http-parser"},
              "ranges": {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1-2"}]},
              "versions": null, "ecosystem_specific": {"urgency": 7}},
             {"ranges": [{"type": "GIT", "repo": "x", "events": [{"introduced": "0"}]}]}],
            "severity": [{"type": "CVSS_V3", "score": 9.8}]}"#,
        )
        .unwrap();
        assert_eq!(
            record.affected[0].ranges[0].events[1].fixed.as_deref(),
            Some("2.1-2")
        );
        assert!(
            record.affected[0]
                .ecosystem_specific
                .as_ref()
                .unwrap()
                .urgency
                .is_none()
        );
        assert!(record.affected[1].package.is_none());
        assert!(record.aliases.is_empty() && record.severity[0].score.is_none());
    }

    #[test]
    fn refuses_what_is_no_record() {
        for bad in [
            "[]",
            "{}",
            r#"{"id": 1}"#,
            r#"{"id": "A", "affected": "all"}"#,
            "{",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

//! One event of an engine, as Docker's API has it and Podman's does, too.

use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Longest id that is one.
const MAX_ID: usize = 128;

/// What matters of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in nanoseconds since 1970.
    pub at_nanos: i64,
    /// What it says.
    pub news: News,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Something that facts tell of may be different now.
    Change,
    /// A command was started in a container.
    Exec {
        /// The container's id.
        container: String,
        /// Its name.
        name: String,
        /// The engine's id of it.
        exec: Option<String>,
        /// As the event has it.
        command: String,
    },
    /// Nothing that facts tell of.
    Nothing,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "Type", default)]
    kind: String,
    #[serde(rename = "Action", default)]
    action: String,
    #[serde(rename = "Actor", default)]
    actor: Actor,
    #[serde(default)]
    time: i64,
    #[serde(rename = "timeNano", default)]
    time_nano: i64,
}

#[derive(Default, Deserialize)]
struct Actor {
    #[serde(rename = "ID", default)]
    id: String,
    #[serde(rename = "Attributes", default)]
    attributes: Option<BTreeMap<String, String>>,
}

impl Event {
    /// Reads a line of an engine's events. None for what is no event: an engine that says such things is not
    /// understood, and looked at.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        // A list would do as well, read field by field.
        if line.first() != Some(&b'{') {
            return None;
        }
        let raw: Raw = serde_json::from_slice(line).ok()?;
        let at_nanos = match raw.time_nano {
            0 => raw.time.saturating_mul(1_000_000_000),
            nanos => nanos,
        };
        let news = news(raw);
        Some(Self { at_nanos, news })
    }

    /// When it happened, where the number is a time.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        Timestamp::from_nanosecond(self.at_nanos.into()).ok()
    }
}

fn news(raw: Raw) -> News {
    let (action, rest) = match raw.action.split_once(':') {
        Some((action, rest)) => (action, rest.trim()),
        None => (raw.action.as_str(), ""),
    };
    match (raw.kind.as_str(), action) {
        // Podman says `exec`.
        ("container", "exec_start" | "exec") => {
            let attributes = raw.actor.attributes.unwrap_or_default();
            let id = |text: &String| {
                !text.is_empty()
                    && text.len() <= MAX_ID
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            };
            News::Exec {
                exec: attributes.get("execID").filter(|text| id(text)).cloned(),
                name: attributes.get("name").cloned().unwrap_or_default(),
                container: Some(raw.actor.id).filter(id).unwrap_or_default(),
                command: rest.to_owned(),
            }
        }
        (
            "container",
            "create" | "init" | "start" | "restart" | "die" | "died" | "stop" | "destroy"
            | "remove" | "rename" | "update" | "pause" | "unpause",
        ) => News::Change,
        // Health, signals, people who look or copy: no fact says them.
        ("container", _) => News::Nothing,
        ("image", "push" | "save") | ("volume", "mount" | "unmount") => News::Nothing,
        _ => News::Change,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_apart() {
        let news = |line: &str| Event::parse(line.as_bytes()).map(|event| event.news);
        for (kind, action, changes) in [
            ("container", "start", true),
            ("container", "health_status: healthy", false),
            ("container", "exec_die", false),
            ("container", "kill", false),
            ("image", "pull", true),
            ("image", "push", false),
            ("volume", "mount", false),
            ("network", "connect", true),
            ("daemon", "reload", true),
            ("something", "new", true),
        ] {
            let line = format!(r#"{{"Type":"{kind}","Action":"{action}","time":1}}"#);
            let expected = if changes { News::Change } else { News::Nothing };
            assert_eq!(news(&line), Some(expected), "{line}");
        }
        let line = r#"{"Type":"container","Action":"exec_start: sh -c id","Actor":{"ID":"4f","Attributes":{"execID":"ab","name":"web"}},"time":2,"timeNano":2000000001}"#;
        let event = Event::parse(line.as_bytes()).unwrap();
        assert_eq!(event.at_nanos, 2_000_000_001);
        assert_eq!(
            event.news,
            News::Exec {
                container: "4f".to_owned(),
                name: "web".to_owned(),
                exec: Some("ab".to_owned()),
                command: "sh -c id".to_owned(),
            }
        );
        // What would lead elsewhere in an address is no id.
        let odd = line.replace("\"ab\"", "\"../x\"");
        assert!(matches!(news(&odd), Some(News::Exec { exec: None, .. })));
        for bad in ["", "[]", "null", "{\"Actor\":1}", "<html>"] {
            assert_eq!(news(bad), None, "{bad}");
        }
    }
}

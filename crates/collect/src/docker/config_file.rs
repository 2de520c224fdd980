//! `daemon.json`, as `dockerd` reads it.

use std::io;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

use crate::host::root::Root;
use seareeve_redact as redact;

/// Bytes of the file.
const FILE: u64 = 4 << 20;

/// Seconds by which the start of a process may be told wrong.
const INEXACT: i64 = 2;

/// Keys whose value is an object. `dockerd` takes any other object for a heading, and what is in it for keys.
const OBJECTS: &[&str] = &[
    "builder",
    "containerd-features",
    "default-network-opts",
    "default-ulimits",
    "features",
    "log-opts",
    "proxies",
    "runtimes",
];

/// The file, or why it is not there.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: Utf8PathBuf,
    pub(crate) state: State,
    pub(crate) modified_unix: Option<i64>,
    /// Whether it was written after the engine started, where that can be told.
    pub(crate) changed_since_start: Option<bool>,
}

/// What became of reading it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// Its keys, headings taken away.
    Read(Map<String, Value>),
    /// It does not exist.
    Absent,
    /// We may not read it.
    Denied(String),
    /// It is no configuration.
    Broken(String),
}

impl ConfigFile {
    pub(crate) fn read(root: &Root, path: &Utf8Path) -> Self {
        let state = match root.read(path, FILE) {
            Ok(bytes) => parse(&bytes),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound => State::Absent,
                io::ErrorKind::PermissionDenied => State::Denied(error.to_string()),
                _ => State::Broken(error.to_string()),
            },
        };
        let metadata = root.metadata(path).ok();
        Self {
            path: path.to_owned(),
            state,
            modified_unix: metadata.map(|(_, metadata)| metadata.mtime()),
            changed_since_start: None,
        }
    }

    /// The same, beside an engine that started then.
    pub(crate) fn beside(mut self, started_unix: Option<i64>) -> Self {
        let both = self.modified_unix.zip(started_unix);
        self.changed_since_start =
            both.map(|(modified, started)| modified > started.saturating_add(INEXACT));
        self
    }

    /// Of an engine whose files are out of sight.
    pub(crate) fn unseen() -> Self {
        Self {
            path: Utf8PathBuf::new(),
            state: State::Denied("the engine's files are out of sight".to_owned()),
            modified_unix: None,
            changed_since_start: None,
        }
    }

    /// Why it does not say what the engine runs with.
    pub(crate) fn uncertain(&self) -> Option<String> {
        let changed = || {
            format!(
                "{} was changed after the engine started, which may not know of it yet",
                self.path
            )
        };
        let is_changed = self.changed_since_start == Some(true);
        self.why().or_else(|| is_changed.then(changed))
    }

    /// Why keys cannot be told.
    pub(crate) fn why(&self) -> Option<String> {
        match &self.state {
            State::Read(_) | State::Absent => None,
            State::Denied(why) => Some(format!("{} could not be read: {why}", self.path)),
            State::Broken(why) => Some(format!("{} is not understood: {why}", self.path)),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        match &self.state {
            State::Read(keys) => keys.get(key),
            State::Absent | State::Denied(_) | State::Broken(_) => None,
        }
    }

    pub(crate) fn data(&self) -> Value {
        let (status, keys) = match &self.state {
            State::Read(keys) => {
                let mut keys = keys.clone();
                redact::map(&mut keys);
                ("ok", keys)
            }
            State::Absent => ("absent", Map::new()),
            State::Denied(_) => ("denied", Map::new()),
            State::Broken(_) => ("error", Map::new()),
        };
        let mut data = json!({
            "path": self.path, "exists": self.state != State::Absent, "status": status,
            "detail": self.why().unwrap_or_default(), "keys": keys,
        });
        if let (Some(changed), Value::Object(data)) = (self.changed_since_start, &mut data) {
            data.insert("changed_since_start".to_owned(), changed.into());
        }
        data
    }
}

fn parse(bytes: &[u8]) -> State {
    // A byte order mark is allowed, and an empty file says nothing.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return State::Read(Map::new());
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(keys)) => State::Read(without_headings(keys)),
        Ok(_) => State::Broken("it is no object".to_owned()),
        Err(error) => State::Broken(error.to_string()),
    }
}

fn without_headings(keys: Map<String, Value>) -> Map<String, Value> {
    let mut flat = Map::new();
    for (key, value) in keys {
        match value {
            Value::Object(below) if !OBJECTS.contains(&key.as_str()) => flat.extend(below),
            // As if it were not there.
            Value::Null => {}
            value => {
                flat.insert(key, value);
            }
        }
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_as_dockerd_reads_it() {
        for (text, expected) in [
            ("", json!({})),
            (" \n", json!({})),
            ("\u{feff}{\"debug\": true}", json!({"debug": true})),
            (
                r#"{"network": {"icc": false}, "log-opts": {"a": "b"}, "x": null}"#,
                json!({"icc": false, "log-opts": {"a": "b"}}),
            ),
        ] {
            let Value::Object(expected) = expected else {
                panic!()
            };
            assert_eq!(parse(text.as_bytes()), State::Read(expected), "{text}");
        }
        for text in ["{", "[]", "{\"a\": 1,}", "1"] {
            assert!(matches!(parse(text.as_bytes()), State::Broken(_)), "{text}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_says_nothing_and_a_broken_one_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let absent = ConfigFile::read(&root, "/daemon.json".into());
        assert_eq!((absent.why(), absent.state), (None, State::Absent));
        std::fs::write(folder.path().join("daemon.json"), "{").unwrap();
        let broken = ConfigFile::read(&root, "/daemon.json".into());
        assert!(
            broken
                .why()
                .unwrap()
                .starts_with("/daemon.json is not understood")
        );
        std::fs::write(
            folder.path().join("daemon.json"),
            r#"{"log-opts": {"splunk-token": "x"}}"#,
        )
        .unwrap();
        let data = ConfigFile::read(&root, "/daemon.json".into())
            .beside(Some(0))
            .data();
        assert_eq!(
            data["keys"],
            json!({"log-opts": {"splunk-token": redact::REDACTED}})
        );
        assert_eq!(data["changed_since_start"], json!(true));
    }
}

//! Takes credentials out of events before anything of them is stored or sent on.
//!
//! By what stands where: bodies of secrets and tokens whole, values that their name calls a credential, and in all other
//! text what looks like one. The event stays JSON and keeps its shape, so that it can still be read and replayed.

mod text;

use std::borrow::Cow;

use seareeve_model::Alert;
use seareeve_redact::REDACTED;
use serde_json::Value;

use crate::json::{Node, Tree};
use crate::record::Record;
use text::gaps;

/// What stands in the place of what was taken out.
pub const MARK: &str = REDACTED;
/// The annotation of events whose bodies were left out.
pub const WITHOUT_BODIES: &str = "seareeve/without-bodies";
/// Shortest removed text that is looked for in an alert: shorter ones stand everywhere.
const SHORTEST: usize = 4;
/// How often JSON in strings of JSON is followed.
const MAX_NESTED: usize = 4;

/// An event without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// The event as JSON.
    pub json: String,
    /// What was taken out, for [`redact_alert`]. Not to be kept.
    pub removed: Vec<String>,
    /// The bodies could not be read and are missing, rather than kept unread.
    pub is_without_bodies: bool,
}

/// Takes credentials out of an event. `None`: it is no event, and nothing of it can be kept.
#[must_use]
pub fn redact(event: &[u8]) -> Option<Redacted> {
    let record = Record::read(event).ok()?;
    let target = record.target.unwrap_or_default();
    let resource = target.resource.unwrap_or_default();
    let part = target.subresource.unwrap_or_default();
    let is_secret = resource.is("secrets")
        || resource.is("tokenreviews")
        || (resource.is("serviceaccounts") && part.is("token"));
    let tree = (!record.is_cut()).then(|| Tree::read(event).ok()).flatten();
    let root = tree.as_ref().and_then(Tree::root);
    let Some(root) = root else {
        return Some(without_bodies(&record));
    };
    let mut redaction = Redaction::default();
    for (key, value) in root.members() {
        let is_body = key.is("requestObject") || key.is("responseObject");
        match value.str() {
            Some(uri) if key.is("requestURI") => redaction.uri(value, &uri),
            _ if is_body && is_secret => redaction.body_of_secret(value),
            _ => redaction.value(&key.decode(), value, false),
        }
    }
    Some(redaction.finish(event))
}

/// An event without credentials and without bodies, for one that is too long to be kept whole. It says so in the
/// annotation [`WITHOUT_BODIES`]. `None`: it is no event.
#[must_use]
pub fn redact_bodies(event: &[u8]) -> Option<Redacted> {
    Some(without_bodies(&Record::read(event).ok()?))
}

/// Takes out of an alert what was taken out of its event, and whatever else looks like a credential.
pub fn redact_alert(alert: &mut Alert, removed: &[String]) {
    let mut removed: Vec<&str> = removed.iter().map(String::as_str).collect();
    removed.retain(|text| text.len() >= SHORTEST && *text != REDACTED);
    // The longest first: one may be a part of another.
    removed.sort_by_key(|text| std::cmp::Reverse(text.len()));
    removed.dedup();
    let clean = |text: &mut String| {
        for secret in &removed {
            if text.contains(secret) {
                *text = text.replace(secret, REDACTED);
            }
        }
        if let Some(redacted) = text::redacted(text) {
            *text = redacted;
        }
    };
    clean(&mut alert.output);
    clean(&mut alert.description);
    alert.remediation.iter_mut().for_each(clean);
    alert
        .output_fields
        .values_mut()
        .for_each(|value| each_text(value, &clean));
    for entity in &mut alert.entities {
        entity.fields.values_mut().for_each(clean);
    }
    for matched in &mut alert.evidence.matched {
        matched.seen.iter_mut().for_each(clean);
        matched.wanted.iter_mut().for_each(clean);
    }
    alert.evidence.reasons.iter_mut().for_each(clean);
    if let Some(correlated) = &mut alert.evidence.correlated {
        correlated.group.values_mut().for_each(clean);
        let outputs = correlated
            .samples
            .iter_mut()
            .map(|sample| &mut sample.output);
        outputs.for_each(clean);
    }
}

fn each_text(value: &mut Value, clean: &impl Fn(&mut String)) {
    match value {
        Value::String(text) => clean(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, clean)),
        Value::Object(members) => members.values_mut().for_each(|item| each_text(item, clean)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The metadata alone, for events whose bodies cannot be looked through.
fn without_bodies(record: &Record<'_>) -> Redacted {
    let text = |text: crate::json::Text<'_>| Value::String(seareeve_redact::text(&text.decode()));
    let target = record.target.unwrap_or_default();
    let mut event = serde_json::json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "auditID": text(record.audit_id),
        "stage": text(record.stage_text),
        "level": text(record.level),
        "verb": text(record.verb),
        "user": {"username": text(record.user.name)},
        "sourceIPs": record.addresses.iter().map(|address| text(*address)).collect::<Vec<_>>(),
        "objectRef": {},
        "annotations": {WITHOUT_BODIES: "true"},
    });
    let mut put = |pointer: &str, key: &str, value: Option<Value>| {
        let place = event.pointer_mut(pointer).and_then(Value::as_object_mut);
        if let (Some(place), Some(value)) = (place, value) {
            place.insert(key.to_owned(), value);
        }
    };
    for (key, value) in [
        ("resource", target.resource),
        ("namespace", target.namespace),
        ("name", target.name),
        ("apiGroup", target.group),
        ("apiVersion", target.version),
        ("subresource", target.subresource),
    ] {
        put("/objectRef", key, value.map(text));
    }
    for (key, value) in [
        ("userAgent", record.agent),
        ("requestReceivedTimestamp", record.received),
        ("stageTimestamp", record.staged),
    ] {
        put("", key, value.map(text));
    }
    let code = record.status.and_then(|status| status.code);
    let code = code.and_then(|code| serde_json::from_slice::<u16>(code).ok());
    put(
        "",
        "responseStatus",
        code.map(|code| serde_json::json!({"code": code})),
    );
    let mut redaction = Redaction::default();
    let uri = record.uri.decode();
    let clean = redaction.clean_uri(&uri);
    put(
        "",
        "requestURI",
        Some(Value::String(clean.unwrap_or_else(|| uri.into_owned()))),
    );
    Redacted {
        json: event.to_string(),
        removed: redaction.removed,
        is_without_bodies: true,
    }
}

/// What is to be changed in a text.
#[derive(Default)]
struct Redaction {
    /// Places in the text, in their order, and what comes there.
    edits: Vec<(std::ops::Range<usize>, String)>,
    removed: Vec<String>,
    nested: usize,
}

impl Redaction {
    fn finish(self, text: &[u8]) -> Redacted {
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        for (place, instead) in &self.edits {
            out.extend_from_slice(text.get(at..place.start).unwrap_or_default());
            out.extend_from_slice(instead.as_bytes());
            at = place.end;
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        Redacted {
            json: String::from_utf8_lossy(&out).into_owned(),
            removed: self.removed,
            is_without_bodies: false,
        }
    }

    /// A value that is called `key`. `is_secret`: all texts in it are credentials.
    fn value(&mut self, key: &str, node: Node<'_>, is_secret: bool) {
        if node.is_object() {
            self.object(node, is_secret);
        } else if node.is_list() {
            self.list(key, node, is_secret);
        } else if let Some(text) = node.str() {
            if is_secret || is_credential(key, &text) {
                self.remove(node, &text);
            } else {
                self.text(node, &text);
            }
        } else if is_secret && !node.is_null() {
            // A pin is a number.
            self.remove(node, &node.rendered());
        }
    }

    fn object(&mut self, node: Node<'_>, is_secret: bool) {
        let text = |key| node.get(key).and_then(Node::text);
        let is_of_secret =
            text("kind").is_some_and(|kind| kind.is("Secret") || kind.is("SecretList"));
        if is_of_secret {
            return self.body_of_secret(node);
        }
        let is_of_token = text("kind").is_some_and(|kind| {
            kind.is("TokenRequest") || kind.is("TokenReview") || kind.is("OAuthAccessToken")
        });
        // A variable, a header, a parameter: one member is the name of another.
        let named = node
            .get("name")
            .or_else(|| node.get("key"))
            .and_then(Node::str);
        for (key, value) in node.members() {
            let key = key.decode();
            let is_named = key == "value"
                && named
                    .as_ref()
                    .is_some_and(|name| seareeve_redact::is_credential_name(name));
            let is_token = is_of_token && key == "token";
            self.value(&key, value, is_secret || is_named || is_token);
        }
    }

    fn list(&mut self, key: &str, node: Node<'_>, is_secret: bool) {
        let words: Option<Vec<String>> = node
            .items()
            .map(|item| item.str().map(Cow::into_owned))
            .collect();
        let Some(words) = words.filter(|words| !is_secret && !words.is_empty()) else {
            for item in node.items() {
                self.value(key, item, is_secret);
            }
            return;
        };
        // A list of texts may be a command line, where one text says what the next is.
        let clean = seareeve_redact::arguments(&words);
        for ((item, word), clean) in node.items().zip(&words).zip(&clean) {
            if word == clean {
                self.value(key, item, is_secret);
            } else {
                self.replace(item, word, clean);
            }
        }
    }

    /// Bodies of requests about secrets: whole, a list of them, a patch of either kind.
    fn body_of_secret(&mut self, node: Node<'_>) {
        if node.is_list() {
            for operation in node.items() {
                self.body_of_secret(operation);
            }
            return;
        }
        for (key, value) in node.members() {
            let key = key.decode();
            match key.as_ref() {
                // A patch of the type says nothing that is secret, and its rules are few.
                "data" | "stringData" | "value" | "token" | "spec" | "status" => {
                    self.value(&key, value, true);
                }
                "items" => value.items().for_each(|item| self.body_of_secret(item)),
                _ => self.value(&key, value, false),
            }
        }
    }

    /// Any other text: JSON, lines of settings, or words.
    fn text(&mut self, node: Node<'_>, text: &str) {
        let first = text.trim_start().bytes().next();
        if matches!(first, Some(b'{' | b'['))
            && self.nested < MAX_NESTED
            && let Some(clean) = self.nested_json(text)
        {
            if clean != text {
                self.put(node, &clean);
            }
            return;
        }
        if let Some(clean) = text::redacted(text) {
            self.replace(node, text, &clean);
        }
    }

    /// JSON in a string: `kubectl apply` keeps the whole object in an annotation.
    fn nested_json(&mut self, text: &str) -> Option<String> {
        let tree = Tree::read(text.as_bytes()).ok()?;
        let mut inner = Self {
            nested: self.nested.saturating_add(1),
            ..Self::default()
        };
        inner.value("", tree.root()?, false);
        let inner = inner.finish(text.as_bytes());
        self.removed.extend(inner.removed);
        Some(inner.json)
    }

    fn uri(&mut self, node: Node<'_>, uri: &str) {
        if let Some(clean) = self.clean_uri(uri) {
            self.put(node, &clean);
        }
    }

    /// The address without credentials in its parameters: `command` is a command line, word by word.
    fn clean_uri(&mut self, uri: &str) -> Option<String> {
        let (path, query) = uri.split_once('?')?;
        let pairs: Vec<(&str, &str)> = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .collect();
        let decoded: Vec<String> = pairs
            .iter()
            .map(|(_, value)| crate::uri::decode(value, true).into_owned())
            .collect();
        let is_word = |index: &usize| {
            let name = pairs
                .get(*index)
                .map(|(name, _)| crate::uri::decode(name, true));
            name.is_some_and(|name| name == "command")
        };
        let places: Vec<usize> = (0..pairs.len()).filter(is_word).collect();
        let words: Vec<String> = places
            .iter()
            .filter_map(|place| decoded.get(*place).cloned())
            .collect();
        let mut clean = decoded.clone();
        for (place, word) in places.iter().zip(seareeve_redact::arguments(&words)) {
            if let Some(value) = clean.get_mut(*place) {
                *value = text::redacted(&word).unwrap_or(word);
            }
        }
        for (index, (name, _)) in pairs.iter().enumerate() {
            let Some(value) = clean.get_mut(index).filter(|_| !is_word(&index)) else {
                continue;
            };
            if is_credential(&crate::uri::decode(name, true), value) {
                REDACTED.clone_into(value);
            } else if let Some(redacted) = text::redacted(value) {
                *value = redacted;
            }
        }
        if clean == decoded {
            return None;
        }
        let mut parts = Vec::with_capacity(pairs.len());
        for (((name, raw), old), new) in pairs.iter().zip(&decoded).zip(&clean) {
            if old == new {
                parts.push(format!("{name}={raw}"));
            } else {
                for gap in gaps(old, new) {
                    self.removed.push(encode(&gap));
                    self.removed.push(gap);
                }
                self.removed.push((*raw).to_owned());
                parts.push(format!("{name}={}", encode(new)));
            }
        }
        Some(format!("{path}?{}", parts.join("&")))
    }

    fn remove(&mut self, node: Node<'_>, text: &str) {
        if text.is_empty() || text == REDACTED {
            return;
        }
        self.removed.push(text.to_owned());
        self.put(node, REDACTED);
    }

    fn replace(&mut self, node: Node<'_>, old: &str, new: &str) {
        self.removed.extend(gaps(old, new));
        self.put(node, new);
    }

    fn put(&mut self, node: Node<'_>, new: &str) {
        let span = node.span();
        // The span of a string is without its quotes.
        let around = usize::from(node.text().is_some());
        let place = span.start.saturating_sub(around)..span.end.saturating_add(around);
        self.edits.push((place, Value::from(new).to_string()));
    }
}

/// Whether a value is a credential because of what it is called.
fn is_credential(name: &str, value: &str) -> bool {
    seareeve_redact::is_credential_name(name) && !value.is_empty() && !is_plain(name, value)
}

/// Values that are called so and are none: names of kinds and resources, and settings that are switches.
fn is_plain(name: &str, value: &str) -> bool {
    // `resources: [secrets]` of a rule comes under the name `resources`; what is called `secret` in a list of
    // volumes is a reference, and objects are no text.
    matches!(value, "true" | "false" | "None" | "Opaque") || name.starts_with("f:")
}

fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~[]".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests;

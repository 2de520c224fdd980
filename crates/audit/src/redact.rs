//! Takes credentials out of events before anything of them is stored or sent on.
//!
//! By what stands where: bodies of secrets and tokens whole, values that their name calls a credential, and in all other
//! text what looks like one. The event stays JSON and keeps its shape, so that it can still be read and replayed.
//!
//! Nearly all events are kept, so this is done for all of them. Only objects and lists in which there can be a
//! credential at all ([`Places`]) are looked into; everything else is copied as it stands.

mod part;
mod places;
mod text;

use std::borrow::Cow;

use seareeve_model::Alert;
use seareeve_redact::REDACTED;
use serde_json::{Map, Value, json};

use crate::json::Text;
use crate::record::{Record, User};
use part::{Kind, Member, Part};
use places::Places;

/// What stands in the place of what was taken out.
pub const MARK: &str = REDACTED;
/// The annotation of events whose bodies were left out.
pub const WITHOUT_BODIES: &str = "seareeve/without-bodies";
/// How often JSON in strings of JSON is followed.
const MAX_NESTED: usize = 4;
/// Deepest nesting that is followed, of Kubernetes' objects some thirty.
const MAX_DEPTH: usize = 256;
/// Most words of one list.
const MAX_WORDS: usize = 20_000;
/// Members of an object that are remembered while they are looked at.
const MAX_FIRST: usize = 32;
/// How often, on the whole, the bytes of an event are stepped over, which they are once for each level of nesting.
const MAX_STEPS: usize = 32;

/// An event without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// The event as JSON.
    pub json: String,
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
    let body = if is_secret {
        Bodies::OfSecret
    } else {
        Bodies::Other
    };
    let mut redaction = Redaction::new(event);
    if record.is_cut() || redaction.event(body).is_none() {
        return Some(without_bodies(&record));
    }
    Some(redaction.finish())
}

/// An event without credentials and without bodies, for one that is too long to be kept whole. It says so in the
/// annotation [`WITHOUT_BODIES`]. `None`: it is no event.
#[must_use]
pub fn redact_bodies(event: &[u8]) -> Option<Redacted> {
    let record = Record::read(event).ok()?;
    Some(without_bodies(&record))
}

/// A text of an event's metadata without credentials. `None`: it may be JSON, which this is not for.
pub(crate) fn metadata(text: &str, is_address: bool) -> Option<Cow<'_, str>> {
    let clean = match is_address {
        true => clean_uri(text),
        false if matches!(text.trim_start().bytes().next(), Some(b'{' | b'[')) => return None,
        false => text::redacted(text),
    };
    Some(clean.map_or(Cow::Borrowed(text), Cow::Owned))
}

/// Takes out of an alert what looks like a credential. It is made of an event without those
/// ([`AuditEvent`](crate::AuditEvent)); this is for what only looks like one where several texts were joined.
pub fn redact_alert(alert: &mut Alert) {
    let clean = |text: &mut String| {
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
    let text = |text: Text<'_>| Value::String(seareeve_redact::text(&text.decode()));
    let list = |list: &[Text<'_>]| list.iter().map(|item| text(*item)).collect::<Vec<_>>();
    let user = |user: &User<'_>| {
        let extra = user.extra.iter();
        let extra = extra.map(|(key, value)| (key.decode().into_owned(), json!([text(*value)])));
        json!({
            "username": text(user.name),
            "uid": user.uid.map(text),
            "groups": list(&user.groups),
            "extra": extra.collect::<Map<_, _>>(),
        })
    };
    let target = record.target.unwrap_or_default();
    let status = record.status.unwrap_or_default();
    let code = status
        .code
        .and_then(|code| serde_json::from_slice::<u16>(code).ok());
    let annotations = record.annotations.iter();
    let mut annotations: Map<_, _> = annotations
        .map(|(key, value)| (key.decode().into_owned(), text(*value)))
        .collect();
    annotations.insert(WITHOUT_BODIES.to_owned(), json!("true"));
    let uri = record.uri.decode();
    let mut event = json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": text(record.level),
        "auditID": text(record.audit_id),
        "stage": text(record.stage_text),
        "requestURI": clean_uri(&uri).unwrap_or_else(|| uri.into_owned()),
        "verb": text(record.verb),
        "user": user(&record.user),
        "impersonatedUser": record.impersonated.as_ref().map(user),
        "sourceIPs": list(&record.addresses),
        "userAgent": record.agent.map(text),
        "objectRef": {
            "resource": target.resource.map(text),
            "namespace": target.namespace.map(text),
            "name": target.name.map(text),
            "uid": target.uid.map(text),
            "apiGroup": target.group.map(text),
            "apiVersion": target.version.map(text),
            "subresource": target.subresource.map(text),
        },
        "responseStatus": code.map(|code| {
            json!({"code": code, "reason": status.reason.map(text), "message": status.message.map(text)})
        }),
        "requestReceivedTimestamp": record.received.map(text),
        "stageTimestamp": record.staged.map(text),
        "annotations": annotations,
    });
    drop_nulls(&mut event);
    Redacted {
        json: event.to_string(),
        is_without_bodies: true,
    }
}

/// Leaves out what is not there.
fn drop_nulls(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(drop_nulls);
    }
}

/// What the bodies of an event are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bodies {
    OfSecret,
    Other,
}

/// A text that is being copied without its credentials. Steps are `None` where it cannot be looked through: it is no
/// JSON, or too much of it.
struct Redaction<'t> {
    text: &'t [u8],
    places: Places,
    /// What is copied already, and up to where.
    out: Vec<u8>,
    at: usize,
    nested: usize,
    depth: usize,
    /// Bytes that were stepped over.
    steps: usize,
}

impl<'t> Redaction<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            places: Places::of(text),
            out: Vec::with_capacity(text.len()),
            at: 0,
            nested: 0,
            depth: 0,
            steps: 0,
        }
    }

    fn finish(mut self) -> Redacted {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.out.extend_from_slice(rest);
        let lossy = |error: std::string::FromUtf8Error| {
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        };
        Redacted {
            json: String::from_utf8(self.out).unwrap_or_else(lossy),
            is_without_bodies: false,
        }
    }

    /// The text as an event.
    fn event(&mut self, bodies: Bodies) -> Option<()> {
        let mut members = Part::whole(self.text).members()?;
        while let Some(member) = members.member()? {
            let (key, value) = (member.key, member.value);
            let is_body = key.is("requestObject") || key.is("responseObject");
            if is_body && bodies == Bodies::OfSecret {
                self.body_of_secret(value)?;
            } else if key.is("requestURI") && value.kind() == Kind::String {
                let uri = value.string()?.decode();
                if let Some(clean) = clean_uri(&uri) {
                    self.put(value, &clean)?;
                }
            } else if self.places.is_in(member.at, value.end) {
                self.value(&key.decode(), value, false)?;
            }
        }
        // What is not looked into must be of a form that others can read later.
        (members.depth() <= MAX_DEPTH).then_some(())
    }

    /// A value that is called `key`. `is_secret`: all texts in it are credentials.
    fn value(&mut self, key: &str, part: Part<'_>, is_secret: bool) -> Option<()> {
        match part.kind() {
            Kind::Object => self.inside(part, |this| this.object(part, is_secret)),
            Kind::List => self.inside(part, |this| this.list(key, part, is_secret)),
            Kind::String => {
                let text = part.string()?.decode();
                if is_secret || is_credential(key, &text) {
                    self.remove(part, &text)
                } else {
                    self.string(part, &text)
                }
            }
            // A pin is a number.
            Kind::Scalar if is_secret && part.raw() != b"null" => {
                self.remove(part, &String::from_utf8_lossy(part.raw()))
            }
            Kind::Scalar => Some(()),
        }
    }

    /// Goes into an object or a list, unless it is too deep or that was done too often.
    fn inside(&mut self, part: Part<'_>, look: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.steps = self.steps.saturating_add(part.raw().len());
        let most = self.text.len().saturating_mul(MAX_STEPS);
        if self.depth >= MAX_DEPTH || self.steps > most {
            return None;
        }
        self.depth = self.depth.saturating_add(1);
        look(self)?;
        self.depth = self.depth.saturating_sub(1);
        Some(())
    }

    fn object(&mut self, part: Part<'_>, is_secret: bool) -> Option<()> {
        let (mut kind, mut name, mut other_name, mut path) = (None, None, None, None);
        // Stepping over members is what takes time, so it is done once where they are few.
        let mut first: Vec<Member<'_>> = Vec::new();
        let mut members = part.members()?;
        let mut others = members.clone();
        while let Some(member) = members.member()? {
            if first.len() < MAX_FIRST {
                first.push(member);
                others = members.clone();
            }
            let place = match member.key.decode().as_ref() {
                "kind" => &mut kind,
                "name" => &mut name,
                "key" => &mut other_name,
                "path" => &mut path,
                _ => continue,
            };
            place.get_or_insert(member.value);
        }
        let kind = kind.and_then(Part::string);
        let kind = kind.map(|kind| kind.decode()).unwrap_or_default();
        if matches!(kind.as_ref(), "Secret" | "SecretList") {
            return self.body_of_secret(part);
        }
        let is_of_token = matches!(
            kind.as_ref(),
            "TokenRequest" | "TokenReview" | "OAuthAccessToken"
        );
        // A variable, a header, a parameter: one member is the name of another.
        let name = name.or(other_name).and_then(Part::string);
        // Of a JSON patch it is the last step of the path.
        let path = path.and_then(Part::string).map(|path| path.decode());
        let step = path.as_deref().and_then(|path| path.rsplit('/').next());
        let step = step.map(|step| step.replace("~1", "/"));
        let is_named = name.is_some_and(|name| seareeve_redact::is_credential_name(&name.decode()))
            || step.is_some_and(|step| seareeve_redact::is_credential_name(&step));
        let mut look = |member: Member<'_>| {
            let key = member.key.decode();
            let is_secret =
                is_secret || (is_named && key == "value") || (is_of_token && key == "token");
            if is_secret || self.places.is_in(member.at, member.value.end) {
                self.value(&key, member.value, is_secret)?;
            }
            Some(())
        };
        first.into_iter().try_for_each(&mut look)?;
        while let Some(member) = others.member()? {
            look(member)?;
        }
        Some(())
    }

    fn list(&mut self, key: &str, part: Part<'_>, is_secret: bool) -> Option<()> {
        let words = if is_secret { None } else { words(part)? };
        let Some(words) = words else {
            let is_named = seareeve_redact::is_credential_name(key);
            let mut items = part.items()?;
            while let Some(item) = items.item()? {
                if is_secret || is_named || self.places.is_in(item.start, item.end) {
                    self.value(key, item, is_secret)?;
                }
            }
            return Some(());
        };
        // A list of texts may be a command line, where one text says what the next is.
        let clean = seareeve_redact::arguments(&words);
        let mut items = part.items()?;
        for (word, clean) in words.iter().zip(&clean) {
            let item = items.item()??;
            if word == clean {
                self.value(key, item, false)?;
            } else {
                self.put(item, clean)?;
            }
        }
        Some(())
    }

    /// Bodies of requests about secrets: whole, a list of them, a patch of either kind.
    fn body_of_secret(&mut self, part: Part<'_>) -> Option<()> {
        match part.kind() {
            Kind::Object => self.inside(part, |this| this.secret(part)),
            Kind::List => self.inside(part, |this| {
                let mut items = part.items()?;
                while let Some(item) = items.item()? {
                    this.body_of_secret(item)?;
                }
                Some(())
            }),
            Kind::String | Kind::Scalar => self.value("", part, true),
        }
    }

    fn secret(&mut self, part: Part<'_>) -> Option<()> {
        let mut members = part.members()?;
        while let Some(member) = members.member()? {
            let (key, value) = (member.key.decode(), member.value);
            match key.as_ref() {
                // A patch of the type says nothing that is secret, and its rules are few.
                "data" | "stringData" | "value" | "token" => self.value(&key, value, true)?,
                "items" => self.body_of_secret(value)?,
                // Of tokens: for whom and how long they are is no secret.
                "spec" | "status" if value.kind() == Kind::Object => self.body_of_secret(value)?,
                _ if self.places.is_in(member.at, value.end) => self.value(&key, value, false)?,
                _ => {}
            }
        }
        Some(())
    }

    /// Any other text: JSON, lines of settings, or words.
    fn string(&mut self, part: Part<'_>, text: &str) -> Option<()> {
        let first = text.trim_start().bytes().next();
        if matches!(first, Some(b'{' | b'['))
            && self.nested < MAX_NESTED
            && let Some(clean) = self.nested_json(text)
        {
            if clean == text {
                return Some(());
            }
            return self.put(part, &clean);
        }
        match text::redacted(text) {
            Some(clean) => self.put(part, &clean),
            None => Some(()),
        }
    }

    /// JSON in a string: `kubectl apply` keeps the whole object in an annotation.
    fn nested_json(&mut self, text: &str) -> Option<String> {
        let mut inner = Redaction {
            nested: self.nested.saturating_add(1),
            depth: self.depth,
            ..Redaction::new(text.as_bytes())
        };
        inner.value("", Part::whole(text.as_bytes()), false)?;
        Some(inner.finish().json)
    }

    fn remove(&mut self, part: Part<'_>, text: &str) -> Option<()> {
        if text.is_empty() || text == REDACTED {
            return Some(());
        }
        self.put(part, REDACTED)
    }

    /// Puts a text in place of a value; what is between it and the last one is copied.
    fn put(&mut self, part: Part<'_>, new: &str) -> Option<()> {
        let before = self.text.get(self.at..part.start)?;
        self.out.extend_from_slice(before);
        serde_json::to_writer(&mut self.out, new).ok()?;
        self.at = part.end;
        Some(())
    }
}

/// The texts of a list that holds nothing else.
fn words(list: Part<'_>) -> Option<Option<Vec<String>>> {
    let mut words = Vec::new();
    let mut items = list.items()?;
    while let Some(item) = items.item()? {
        if item.kind() != Kind::String {
            return Some(None);
        }
        if words.len() >= MAX_WORDS {
            return None;
        }
        words.push(item.string()?.decode().into_owned());
    }
    Some((!words.is_empty()).then_some(words))
}

/// The address without credentials in its parameters: `command` is a command line, word by word.
fn clean_uri(uri: &str) -> Option<String> {
    let (path, query) = uri.split_once('?')?;
    if !query.contains('%') && seareeve_redact::marks(query.as_bytes()).is_empty() {
        return None;
    }
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
            parts.push(format!("{name}={}", encode(new)));
        }
    }
    Some(format!("{path}?{}", parts.join("&")))
}

/// Whether a value is a credential because of what it is called.
fn is_credential(name: &str, value: &str) -> bool {
    seareeve_redact::is_credential_name(name) && !value.is_empty() && !is_plain(name, value)
}

/// Annotations by which the API server says whose old token was shown: names of accounts.
const OF_TOKENS: [&str; 2] = [
    "authentication.k8s.io/legacy-token",
    "authentication.k8s.io/stale-token",
];

/// Values that are called so and are none: names of kinds and resources, and settings that are switches.
fn is_plain(name: &str, value: &str) -> bool {
    // `resources: [secrets]` of a rule comes under the name `resources`; what is called `secret` in a list of
    // volumes is a reference, and objects are no text.
    matches!(value, "true" | "false" | "None" | "Opaque")
        || name.starts_with("f:")
        || OF_TOKENS.contains(&name)
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

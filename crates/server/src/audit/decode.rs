//! What came, taken apart into events: lists of the API server, and what log services wrap events in.
//!
//! The text is cut where events begin and end, without being understood; so one event that is broken costs only itself.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use seareeve_audit::Record;
use seareeve_bus::Frame;
use sha2::{Digest as _, Sha256};

use super::receive::Form;
use super::wrapped;

/// Bytes of a body, unpacked.
const MOST_UNPACKED: u64 = 64 << 20;
/// Bytes of an event. API servers cut theirs at much less, if told to; etcd takes objects of 1.5 MiB.
const MOST_EVENT: usize = 8 << 20;
/// Values in values.
const MOST_DEPTH: usize = 512;

/// What a frame held.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) events: Vec<Raw>,
    /// What was no event.
    pub(super) broken: u64,
    /// Why, of the last of them.
    pub(super) problem: Option<String>,
}

/// An event, not understood yet.
#[derive(Debug)]
pub(super) struct Raw {
    /// When the request was received by the API server, in unix microseconds.
    pub(super) at: i64,
    /// Of the whole text: equal for an event that is sent twice. Its own id would not do, since clients may choose it.
    pub(super) key: u128,
    pub(super) text: Vec<u8>,
}

/// Takes a frame apart.
pub(super) fn decode(frame: &Frame) -> Decoded {
    let mut decoded = Decoded::default();
    match Form::of(frame.tag) {
        None => decoded.fail(format!("a frame has the unknown form {}", frame.tag)),
        Some(Form::Json) => decoded.document(&frame.payload),
        Some(Form::Lines) => decoded.lines(&frame.payload),
        Some(Form::Gzip) => {
            let mut text = Vec::new();
            let unpacked = MultiGzDecoder::new(frame.payload.as_slice())
                .take(MOST_UNPACKED + 1)
                .read_to_end(&mut text);
            match unpacked {
                Ok(bytes) if u64::try_from(bytes).is_ok_and(|bytes| bytes <= MOST_UNPACKED) => {
                    decoded.document(&text);
                }
                Ok(_) => decoded.fail("a body is larger than 64 MiB unpacked".to_owned()),
                Err(error) => decoded.fail(format!("a body cannot be unpacked: {error}")),
            }
        }
    }
    decoded
}

impl Decoded {
    pub(super) fn fail(&mut self, why: String) {
        self.broken += 1;
        self.problem = Some(why);
    }

    /// Documents, one on a line.
    fn lines(&mut self, text: &[u8]) {
        for line in text.split(|byte| *byte == b'\n') {
            if !line.trim_ascii().is_empty() {
                self.document(line);
            }
        }
    }

    /// A list of events, one event, or what a log service made of them.
    pub(super) fn document(&mut self, text: &[u8]) {
        let Some(members) = Members::of(text) else {
            return self.fail("what came is no JSON object".to_owned());
        };
        let mut wrapper = None;
        for (key, value) in members {
            match key {
                b"items" => wrapper = Some((Wrapper::List, value)),
                b"records" => wrapper = Some((Wrapper::Azure, value)),
                b"logEvents" => wrapper = Some((Wrapper::CloudWatch, value)),
                b"protoPayload" => wrapper = Some((Wrapper::Google, value)),
                // It stands at the beginning of events, whose bodies may be long.
                b"auditID" => break,
                _ => {}
            }
        }
        match wrapper {
            None => self.event(text),
            Some((Wrapper::List, items)) => self.items(items, Self::event),
            Some((Wrapper::Azure, records)) => self.items(records, wrapped::azure),
            Some((Wrapper::CloudWatch, events)) => self.items(events, wrapped::cloud_watch),
            Some((Wrapper::Google, _)) => wrapped::google(self, text),
        }
    }

    /// Each item of an array.
    fn items(&mut self, array: &[u8], mut each: impl FnMut(&mut Self, &[u8])) {
        let mut rest = array.trim_ascii();
        let Some(inner) = rest.strip_prefix(b"[") else {
            return self.fail("a list of events is no list".to_owned());
        };
        rest = inner;
        loop {
            rest = rest.trim_ascii_start();
            rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
            if rest.is_empty() {
                return self.fail("a list of events breaks off".to_owned());
            }
            if rest.starts_with(b"]") {
                return;
            }
            let Some(end) = value_end(rest) else {
                // What is left may still be an event that was cut.
                each(self, rest);
                return;
            };
            let (item, after) = rest.split_at(end);
            each(self, item);
            rest = after;
        }
    }

    /// One event.
    pub(super) fn event(&mut self, text: &[u8]) {
        if text.len() > MOST_EVENT {
            return self.fail(format!("an event has {} bytes", text.len()));
        }
        match Record::read(text) {
            Ok(record) => {
                let hash = Sha256::digest(text);
                let mut key = [0; 16];
                key.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
                self.events.push(Raw {
                    at: i64::try_from(record.time() / 1_000).unwrap_or(i64::MAX),
                    key: u128::from_be_bytes(key),
                    text: text.to_vec(),
                });
            }
            Err(error) => self.fail(error.to_string()),
        }
    }

    /// An event that stands as text in another document.
    pub(super) fn quoted(&mut self, text: &Cow<'_, str>) {
        self.document(text.trim().as_bytes());
    }
}

/// What events are wrapped in.
#[derive(Clone, Copy)]
enum Wrapper {
    List,
    Azure,
    CloudWatch,
    Google,
}

/// The members of an object, as far as it goes.
struct Members<'a>(&'a [u8]);

impl<'a> Members<'a> {
    fn of(text: &'a [u8]) -> Option<Self> {
        text.trim_ascii().strip_prefix(b"{").map(Self)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.trim_ascii_start();
        let text = text.strip_prefix(b",").unwrap_or(text).trim_ascii_start();
        let (key, rest) = text.split_at_checked(string_end(text)?)?;
        let value = rest.trim_ascii_start().strip_prefix(b":")?;
        let value = value.trim_ascii_start();
        // A value that breaks off goes as far as there is text.
        let end = value_end(value).unwrap_or(value.len());
        let (value, rest) = value.split_at_checked(end)?;
        self.0 = rest;
        let key = key.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some((key, value))
    }
}

/// Behind the string at the beginning of `text`.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut place = 1;
    if text.first() != Some(&b'"') {
        return None;
    }
    loop {
        match text.get(place)? {
            b'"' => return Some(place + 1),
            b'\\' => place += 2,
            _ => place += 1,
        }
    }
}

/// Behind the value at the beginning of `text`. Nothing if it breaks off.
fn value_end(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut place = 0;
    loop {
        match text.get(place)? {
            b'"' => place += string_end(text.get(place..)?)?,
            b'{' | b'[' => {
                depth += 1;
                place += 1;
                if depth > MOST_DEPTH {
                    return None;
                }
            }
            b'}' | b']' => {
                // The end of what the value stands in.
                if depth == 0 {
                    return Some(place);
                }
                depth -= 1;
                place += 1;
            }
            b',' if depth == 0 => return Some(place),
            _ => {
                place += 1;
                if depth == 0 && place == text.len() {
                    return Some(place);
                }
                continue;
            }
        }
        if depth == 0 {
            return Some(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str) -> String {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{id}","stage":"ResponseComplete","requestURI":"/x?a=[\"]","verb":"get","user":{{"username":"a"}},"objectRef":{{"resource":"pods"}},"requestReceivedTimestamp":"2026-01-01T00:00:01.000002Z","stageTimestamp":"2026-01-01T00:00:02Z"}}"#
        )
    }

    fn decode_text(form: Form, text: &str) -> Decoded {
        decode(&Frame {
            position: 0,
            next: 1,
            arrived: 0,
            tag: form.tag(),
            payload: text.as_bytes().to_vec(),
        })
    }

    #[test]
    fn lists_and_lines_are_taken_apart() {
        let list = format!(
            r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{{}},"items":[{}, {}]}}"#,
            event("a"),
            event("b")
        );
        let decoded = decode_text(Form::Json, &list);
        assert_eq!((decoded.events.len(), decoded.broken), (2, 0), "{decoded:?}");
        assert_eq!(decoded.events[0].at, 1_767_225_601_000_002);
        assert_eq!(decoded.events[1].text, event("b").into_bytes());
        assert_ne!(decoded.events[0].key, decoded.events[1].key);
        let lines = format!("{}\n\n{}\n", event("a"), event("b"));
        assert_eq!(decode_text(Form::Lines, &lines).events.len(), 2);
        assert_eq!(decode_text(Form::Json, &event("a")).events.len(), 1);
        let empty = decode_text(Form::Json, r#"{"kind":"EventList","items":[]}"#);
        assert_eq!((empty.events.len(), empty.broken), (0, 0));
    }

    #[test]
    fn what_is_broken_is_counted_and_the_rest_is_read() {
        let list = format!(
            r#"{{"kind":"EventList","items":[{},{{"auditID":7}},12,"x",{},{{"kind":"Pod"}}]}}"#,
            event("a"),
            event("b")
        );
        let decoded = decode_text(Form::Json, &list);
        assert_eq!((decoded.events.len(), decoded.broken), (2, 4));
        for (text, events) in [
            ("", 0),
            ("[]", 0),
            ("nonsense", 0),
            ("{", 0),
            (r#"{"items":"#, 0),
            (r#"{"items":{}}"#, 0),
            (r#"{"items":["#, 0),
            (&format!(r#"{{"items":[{}"#, event("a")), 1),
            (&format!(r#"{{"items":[{}"#, "[".repeat(100_000)), 0),
        ] {
            let decoded = decode_text(Form::Json, text);
            assert_eq!(decoded.events.len(), events, "{text:.40}");
            assert!(decoded.broken > 0, "{text:.40}");
        }
    }
}

//! What came, taken apart into events, some of them at a time: a frame is large enough already.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use seareeve_audit::{Found, Record, unpack};
use seareeve_bus::Frame;
use sha2::{Digest as _, Sha256};

use super::receive::Form;

/// Bytes of a body, unpacked.
const MOST_UNPACKED: u64 = 64 << 20;
/// Bytes of an event. etcd takes objects of 1.5 MiB, but lists of them are bodies too.
const MOST_EVENT: usize = 8 << 20;

/// Bytes of events that are handed on at once.
const MOST_AT_ONCE: usize = 2 << 20;

/// What a frame held, or a part of it.
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

/// Takes a frame apart, and calls `each` for one part of it after the other, until that says that it wants no more.
pub(super) fn decode(frame: Frame, each: &mut dyn FnMut(Decoded) -> bool) {
    let mut apart = Apart {
        decoded: Decoded::default(),
        bytes: 0,
        is_wanted: true,
        each,
    };
    match Form::of(frame.tag) {
        None => apart.fail(format!("a frame has the unknown form {}", frame.tag)),
        Some(Form::Json) => apart.document(&frame.payload),
        Some(Form::Lines) => {
            let lines = frame.payload.split(|byte| *byte == b'\n');
            for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
                apart.document(line);
            }
        }
        Some(Form::Gzip) => {
            let text = unpacked(&frame.payload);
            drop(frame);
            match text {
                Ok(text) => apart.document(&text),
                Err(why) => apart.fail(why),
            }
        }
    }
    apart.hand_on();
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>, String> {
    // The last bytes say how many there are, as a rule; a buffer that grows would be twice as large.
    let told = packed.last_chunk().map(|told| u32::from_le_bytes(*told));
    let told = u64::from(told.unwrap_or_default()).min(MOST_UNPACKED);
    let mut text = Vec::with_capacity(usize::try_from(told + 1).unwrap_or_default());
    let read = MultiGzDecoder::new(packed)
        .take(MOST_UNPACKED + 1)
        .read_to_end(&mut text);
    match read {
        Ok(bytes) if u64::try_from(bytes).is_ok_and(|bytes| bytes <= MOST_UNPACKED) => Ok(text),
        Ok(_) => Err("a body is larger than 64 MiB unpacked".to_owned()),
        Err(error) => Err(format!("a body cannot be unpacked: {error}")),
    }
}

/// A frame that is being taken apart.
struct Apart<'e> {
    decoded: Decoded,
    /// Of the events in it.
    bytes: usize,
    is_wanted: bool,
    each: &'e mut dyn FnMut(Decoded) -> bool,
}

impl Apart<'_> {
    fn fail(&mut self, why: String) {
        self.decoded.broken += 1;
        self.decoded.problem = Some(why);
    }

    fn hand_on(&mut self) {
        self.bytes = 0;
        let decoded = std::mem::take(&mut self.decoded);
        self.is_wanted = self.is_wanted && (self.each)(decoded);
    }

    /// A list of events, one event, or what a log service made of them.
    fn document(&mut self, text: &[u8]) {
        unpack(text, &mut |found| match found {
            Found::Event(text) => self.event(&text),
            Found::Other => {}
            Found::Broken(why) => self.fail(why.to_string()),
        });
    }

    fn event(&mut self, text: &[u8]) {
        if !self.is_wanted {
            return;
        }
        if text.len() > MOST_EVENT {
            return self.fail(format!("an event has {} bytes", text.len()));
        }
        match Record::read(text) {
            Ok(record) => {
                let hash = Sha256::digest(text);
                let mut key = [0; 16];
                key.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
                self.bytes += text.len();
                self.decoded.events.push(Raw {
                    at: i64::try_from(record.time() / 1_000).unwrap_or(i64::MAX),
                    key: u128::from_be_bytes(key),
                    text: text.to_vec(),
                });
            }
            Err(error) => self.fail(error.to_string()),
        }
        if self.bytes >= MOST_AT_ONCE {
            self.hand_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn event(id: &str) -> String {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{id}","stage":"ResponseComplete","requestURI":"/x?a=[\"]","verb":"get","user":{{"username":"a"}},"objectRef":{{"resource":"pods"}},"requestReceivedTimestamp":"2026-01-01T00:00:01.000002Z","stageTimestamp":"2026-01-01T00:00:02Z"}}"#
        )
    }

    fn frame(form: Form, payload: &[u8]) -> Frame {
        Frame {
            position: 0,
            next: 1,
            arrived: 0,
            tag: form.tag(),
            payload: payload.to_vec(),
        }
    }

    fn of(form: Form, payload: &[u8]) -> Decoded {
        let mut all = Decoded::default();
        decode(frame(form, payload), &mut |part| {
            all.events.extend(part.events);
            all.broken += part.broken;
            all.problem = part.problem.or(all.problem.take());
            true
        });
        all
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn lists_lines_and_packed_lists_hold_the_same_events() {
        let list = format!(
            r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{{}},"items":[{}, {}]}}"#,
            event("a"),
            event("b")
        );
        let lines = format!("{}\n\n{}\n", event("a"), event("b"));
        for decoded in [
            of(Form::Json, list.as_bytes()),
            of(Form::Gzip, &packed(list.as_bytes())),
            of(Form::Lines, lines.as_bytes()),
        ] {
            assert_eq!(
                (decoded.events.len(), decoded.broken),
                (2, 0),
                "{decoded:?}"
            );
            assert_eq!(decoded.events[0].at, 1_767_225_601_000_002);
            assert_eq!(decoded.events[1].text, event("b").into_bytes());
            assert_ne!(decoded.events[0].key, decoded.events[1].key);
        }
    }

    #[test]
    fn a_large_frame_is_handed_on_in_small_parts() {
        let padding = "x".repeat(1 << 20);
        let one = |id: usize| event(&id.to_string()).replace("/x?", &format!("/{padding}?"));
        let items: Vec<String> = (0..12).map(one).collect();
        let list = format!(r#"{{"kind":"EventList","items":[{}]}}"#, items.join(","));
        let (mut parts, mut events) = (0, 0);
        decode(frame(Form::Gzip, &packed(list.as_bytes())), &mut |part| {
            let bytes: usize = part.events.iter().map(|event| event.text.len()).sum();
            assert!(bytes <= MOST_AT_ONCE + (1 << 20) + 1_000, "{bytes}");
            parts += 1;
            events += part.events.len();
            true
        });
        assert_eq!((parts, events), (7, 12));
        // Whoever stops gets no more.
        let mut parts = 0;
        decode(frame(Form::Json, list.as_bytes()), &mut |_| {
            parts += 1;
            false
        });
        assert_eq!(parts, 1);
    }

    #[test]
    fn what_is_broken_is_counted_and_the_rest_is_read() {
        let list = format!(
            r#"{{"kind":"EventList","items":[{},{{"auditID":7}},12,"x",{},{{"kind":"Pod"}}]}}"#,
            event("a"),
            event("b")
        );
        let decoded = of(Form::Json, list.as_bytes());
        assert_eq!((decoded.events.len(), decoded.broken), (2, 4));
        let bomb = packed(&vec![b' '; (64 << 20) + 1]);
        for (form, payload) in [
            (Form::Json, &b"nonsense"[..]),
            (Form::Json, b""),
            (Form::Json, br#"{"items":{}}"#),
            (Form::Gzip, b"nonsense"),
            (Form::Gzip, &bomb),
        ] {
            let decoded = of(form, payload);
            assert_eq!((decoded.events.len(), decoded.broken), (0, 1), "{form:?}");
            assert!(decoded.problem.is_some());
        }
    }
}

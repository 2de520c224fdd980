//! What came, taken apart into events.

use std::collections::BTreeMap;

use seareeve_audit::{Fault, Part, Record, events_in};
use seareeve_bus::Frame;
use sha2::{Digest as _, Sha256};

use super::receive::form_of;

/// Bytes of events that are given in one go: so many of a frame are in memory besides the frame itself.
const PIECE: usize = 2 << 20;
/// What an event takes besides its text, while it waits.
pub(super) const OVERHEAD: usize = 256;
/// Milliseconds by which an event may have happened after it came: clocks differ. One from much later would make all
/// that detections remember look old.
const MOST_AHEAD: i64 = 24 * 3_600 * 1_000;

/// A part of what a frame held.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) events: Vec<Raw>,
    pub(super) broken: Broken,
    bytes: usize,
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

/// What was no event, or could not be judged in full.
#[derive(Debug, Default)]
pub(super) struct Broken {
    /// How many, by the fault's name.
    pub(super) kinds: BTreeMap<&'static str, u64>,
    /// What is wrong with the last of them.
    pub(super) problem: Option<String>,
}

impl Broken {
    pub(super) fn add(&mut self, fault: &Fault) {
        *self.kinds.entry(fault.name()).or_default() += 1;
        self.problem = Some(fault.to_string());
    }
}

/// Takes a frame apart, piece by piece. `give` says whether more is wanted.
pub(super) fn decode(frame: &Frame, give: &mut dyn FnMut(Decoded) -> bool) {
    let mut decoded = Decoded::default();
    let mut is_wanted = true;
    match form_of(frame.tag) {
        None => decoded.broken.add(&Fault::Form { tag: frame.tag }),
        Some(form) => events_in(form, &frame.payload, &mut |part| {
            if !is_wanted {
                return;
            }
            match part {
                Part::Event(text) => decoded.event(text, frame.arrived),
                Part::Other => {}
                Part::Broken(fault) => decoded.broken.add(&fault),
            }
            if decoded.bytes >= PIECE {
                is_wanted = give(std::mem::take(&mut decoded));
            }
        }),
    }
    if is_wanted {
        give(decoded);
    }
}

impl Decoded {
    fn event(&mut self, text: &[u8], arrived: i64) {
        match read(text, arrived) {
            Ok(at) => {
                let hash = Sha256::digest(text);
                let mut key = [0; 16];
                key.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
                self.bytes += text.len() + OVERHEAD;
                self.events.push(Raw {
                    at,
                    key: u128::from_be_bytes(key),
                    text: text.to_vec(),
                });
            }
            Err(fault) => self.broken.add(&fault),
        }
    }
}

/// When an event happened, in unix microseconds.
fn read(text: &[u8], arrived: i64) -> Result<i64, Fault> {
    let record = Record::read(text)?;
    let at = i64::try_from(record.time() / 1_000).unwrap_or(i64::MAX);
    if at == 0 {
        return Err(Fault::NoTime);
    }
    if at / 1_000 > arrived.saturating_add(MOST_AHEAD) {
        return Err(Fault::Ahead);
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use seareeve_audit::Form;

    use super::super::receive::tag;
    use super::*;

    /// 2026-01-01.
    const NEW_YEAR: i64 = 1_767_225_600_000;

    fn event(id: &str, time: &str) -> String {
        format!(
            r#"{{"kind":"Event","auditID":"{id}","stage":"ResponseComplete","verb":"get","objectRef":{{"resource":"pods"}},"requestReceivedTimestamp":"{time}"}}"#
        )
    }

    fn pieces(tag: u8, payload: Vec<u8>) -> Vec<Decoded> {
        let frame = Frame {
            position: 0,
            next: 1,
            arrived: NEW_YEAR,
            tag,
            payload,
        };
        let mut pieces = Vec::new();
        decode(&frame, &mut |decoded| {
            pieces.push(decoded);
            true
        });
        pieces
    }

    #[test]
    fn events_have_a_time_and_a_key_and_what_is_broken_has_a_name() {
        let good = event("a", "2026-01-01T00:00:01.000002Z");
        let list = [
            good.as_str(),
            &event("b", "2026-01-01T00:00:01Z"),
            &event("c", "9999-12-31T23:59:59Z"),
            &event("d", "2026-01-03T00:00:00Z"),
            &event("e", "1969-12-31T23:59:59Z"),
            &event("f", "yesterday"),
            r#"{"auditID":"g"}"#,
            r#"{"auditID":7}"#,
            "{}",
            "12",
            r#"{"kind":"Pod"}"#,
            r#"{"kind":"Event","apiVersion":"v2"}"#,
        ];
        let list = format!(r#"{{"kind":"EventList","items":[{}]}}"#, list.join(","));
        let [decoded] = pieces(tag(Form::Json), list.into_bytes())
            .try_into()
            .unwrap();
        let [first, second]: [Raw; 2] = decoded.events.try_into().unwrap();
        assert_eq!(first.at, 1_767_225_601_000_002);
        assert_eq!(first.text, good.into_bytes());
        assert_ne!(first.key, second.key);
        let named = [
            ("no-audit-id", 1),
            ("no-json", 1),
            ("no-time", 4),
            ("other-kind", 1),
            ("time-ahead", 1),
            ("unknown-version", 1),
            ("wrong-type", 1),
        ];
        assert_eq!(decoded.broken.kinds, named.into());
        let problem = decoded.broken.problem.unwrap();
        assert_eq!(problem, r#"it is of the unknown version "v2""#);
        let [decoded] = pieces(9, Vec::new()).try_into().unwrap();
        assert_eq!(decoded.broken.kinds, [("unknown-form", 1)].into());
    }

    #[test]
    fn a_large_frame_comes_in_pieces() {
        let events = (0..20_000).map(|number| event(&number.to_string(), "2026-01-01T00:00:00Z"));
        let lines: Vec<String> = events.collect();
        let pieces = pieces(tag(Form::Lines), lines.join("\n").into_bytes());
        assert!(pieces.len() > 2);
        let events: usize = pieces.iter().map(|piece| piece.events.len()).sum();
        assert_eq!(events, 20_000);
        assert!(pieces.iter().all(|piece| piece.bytes < PIECE + (1 << 10)));
    }
}

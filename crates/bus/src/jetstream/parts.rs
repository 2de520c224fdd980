//! A frame as messages, and messages as a frame.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::{self, Read};
use std::time::Duration;

use async_nats::HeaderMap;
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::REMEMBERED;
use crate::Frame;

/// Bytes of a part: NATS takes messages of 1 MiB unless told otherwise.
const PART: usize = 512 << 10;
/// Parts of frames that are not whole yet, in bytes. They come one after the other, so more means that somebody died
/// on the way.
const MOST_OPEN: usize = 64 << 20;
/// No frame is larger unpacked, whatever its parts say.
const MOST_UNPACKED: usize = 64 << 20;

/// Time after which nobody sends what is missing of a frame: longer than the server remembers the ids of its parts.
const GIVEN_UP: Duration = Duration::from_secs(2 * REMEMBERED.as_secs());

const FRAME: &str = "Seareeve-Frame";
const PLACE: &str = "Seareeve-Part";
const COUNT: &str = "Seareeve-Parts";
const ARRIVED: &str = "Seareeve-Arrived";
const TAG: &str = "Seareeve-Tag";

/// A frame that is cut.
pub(super) struct Parts {
    id: String,
    tag: u8,
    packed: Vec<u8>,
}

/// One message.
pub(super) struct Part {
    pub(super) id: String,
    pub(super) headers: HeaderMap,
    pub(super) payload: Vec<u8>,
}

impl Parts {
    /// Cuts a frame of `lane`. All lanes share what the server remembers, and the same may come in several.
    pub(super) fn cut(lane: &str, tag: u8, payload: &[u8]) -> io::Result<Self> {
        let mut hash = Sha256::new();
        hash.update(lane);
        hash.update([0, tag]);
        hash.update(payload);
        let mut id = String::new();
        for byte in hash.finalize().iter().take(16) {
            // Writing to a String cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        Ok(Self {
            id,
            tag,
            packed: zstd::bulk::compress(payload, 1)?,
        })
    }

    pub(super) fn messages(&self, arrived: i64) -> impl Iterator<Item = Part> {
        let count = self.packed.len().div_ceil(PART);
        self.packed
            .chunks(PART)
            .enumerate()
            .map(move |(place, part)| {
                let mut headers = HeaderMap::new();
                headers.insert(FRAME, self.id.as_str());
                headers.insert(PLACE, place.to_string().as_str());
                headers.insert(COUNT, count.to_string().as_str());
                headers.insert(ARRIVED, arrived.to_string().as_str());
                headers.insert(TAG, self.tag.to_string().as_str());
                Part {
                    id: format!("{}-{place}", self.id),
                    headers,
                    payload: part.to_vec(),
                }
            })
    }
}

/// Frames of which not all parts have come.
#[derive(Default)]
pub(super) struct Assembly {
    open: BTreeMap<String, Open>,
    bytes: usize,
}

struct Open {
    first: u64,
    /// When the newest of its parts came, in unix milliseconds.
    arrived: i64,
    count: usize,
    parts: BTreeMap<usize, Vec<u8>>,
}

impl Assembly {
    /// Takes a message in; gives the frame that it completes. A message that is none of ours is told and left out.
    pub(super) fn add(
        &mut self,
        sequence: u64,
        headers: Option<&HeaderMap>,
        payload: &[u8],
    ) -> Option<Frame> {
        let read = headers.and_then(|headers| {
            let text = |name: &str| headers.get(name).map(|value| value.as_str());
            Some((
                text(FRAME)?.to_owned(),
                text(PLACE)?.parse::<usize>().ok()?,
                text(COUNT)?.parse::<usize>().ok()?,
                text(ARRIVED)?.parse::<i64>().ok()?,
                text(TAG)?.parse::<u8>().ok()?,
            ))
        });
        let Some((id, place, count, arrived, tag)) = read
            .filter(|(_, place, count, ..)| place < count && *count <= MOST_OPEN.div_ceil(PART))
        else {
            warn!(sequence, "a message in the stream is not ours");
            return None;
        };
        let open = self.open.entry(id.clone()).or_insert_with(|| Open {
            first: sequence,
            arrived,
            count,
            parts: BTreeMap::new(),
        });
        open.arrived = open.arrived.max(arrived);
        let before = open.parts.insert(place, payload.to_vec());
        self.bytes =
            (self.bytes + payload.len()).saturating_sub(before.map_or(0, |part| part.len()));
        if open.parts.len() < open.count {
            self.make_room();
            self.give_up(arrived);
            return None;
        }
        let open = self.open.remove(&id)?;
        self.give_up(arrived);
        self.bytes = self.bytes.saturating_sub(open.bytes());
        match unpacked(open.parts) {
            Ok(payload) => Some(Frame {
                position: open.first,
                next: sequence.saturating_add(1),
                arrived,
                tag,
                payload,
            }),
            Err(error) => {
                warn!(sequence, error = %error, "a frame in the stream cannot be unpacked");
                None
            }
        }
    }

    /// Where the oldest frame begins that is not whole.
    pub(super) fn first(&self) -> Option<u64> {
        self.open.values().map(|open| open.first).min()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whoever sent the oldest ones died before it was told that they are safe; it sends them again, whole.
    fn make_room(&mut self) {
        while self.bytes > MOST_OPEN {
            let oldest = self
                .open
                .iter()
                .min_by_key(|(_, open)| open.first)
                .map(|(id, _)| id.clone());
            let Some(open) = oldest.and_then(|id| self.open.remove(&id)) else {
                return;
            };
            self.forget(&open);
        }
    }

    /// Whoever sent it died, and sends it again from its beginning by now, if at all: until then nothing behind it could
    /// be done with, and the stream would fill up.
    fn give_up(&mut self, now: i64) {
        let before = now.saturating_sub(i64::try_from(GIVEN_UP.as_millis()).unwrap_or(i64::MAX));
        let old = self.open.extract_if(.., |_, open| open.arrived < before);
        for open in old.map(|(_, open)| open).collect::<Vec<_>>() {
            self.forget(&open);
        }
    }

    fn forget(&mut self, open: &Open) {
        self.bytes = self.bytes.saturating_sub(open.bytes());
        warn!(
            sequence = open.first,
            "a frame in the stream never came whole"
        );
    }
}

impl Open {
    fn bytes(&self) -> usize {
        self.parts.values().map(Vec::len).sum()
    }
}

/// The frame of these parts, each of which is let go as soon as it is read.
fn unpacked(parts: BTreeMap<usize, Vec<u8>>) -> io::Result<Vec<u8>> {
    let packed: usize = parts.values().map(Vec::len).sum();
    let mut reader = zstd::Decoder::new(Chained {
        parts: parts.into_values().collect(),
        at: 0,
    })?;
    let mut payload = crate::buffer(packed.saturating_mul(8).min(MOST_UNPACKED));
    let most = u64::try_from(MOST_UNPACKED).unwrap_or(u64::MAX);
    reader.by_ref().take(most).read_to_end(&mut payload)?;
    if reader.read(&mut [0])? > 0 {
        return Err(io::Error::other("it is larger than a frame may be"));
    }
    Ok(payload)
}

struct Chained {
    parts: VecDeque<Vec<u8>>,
    at: usize,
}

impl Read for Chained {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(first) = self.parts.front() {
            let mut rest = first.get(self.at..).unwrap_or_default();
            if rest.is_empty() {
                self.parts.pop_front();
                self.at = 0;
                continue;
            }
            let read = rest.read(buffer)?;
            self.at = self.at.saturating_add(read);
            return Ok(read);
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that do not compress.
    fn noise(bytes: usize) -> Vec<u8> {
        let mut state = 1_u64;
        std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            u8::try_from(state >> 56).unwrap()
        })
        .take(bytes)
        .collect()
    }

    #[test]
    fn frames_come_whole_whatever_comes_between() {
        let payload = noise(2 * PART + 7);
        let cut = Parts::cut("a", 3, &payload).unwrap();
        let long: Vec<Part> = cut.messages(5).collect();
        assert!(long.len() > 2);
        let other = Parts::cut("a", 0, b"short").unwrap();
        let mut assembly = Assembly::default();
        let mut sequence = 9;
        let mut frames = Vec::new();
        let first_half = long.iter().take(2);
        let rest = long.iter().skip(1);
        let short: Vec<Part> = other.messages(6).collect();
        for part in first_half.chain(&short).chain(rest) {
            sequence += 1;
            frames.extend(assembly.add(sequence, Some(&part.headers), &part.payload));
            if frames.is_empty() {
                assert_eq!(assembly.first(), Some(10));
            }
        }
        assert_eq!(frames.len(), 2);
        assert_eq!(
            (frames[0].payload.as_slice(), frames[0].position),
            (&b"short"[..], 12)
        );
        assert_eq!(
            (frames[1].tag, frames[1].arrived, frames[1].position),
            (3, 5, 10)
        );
        assert!(frames[1].payload == payload);
        assert_eq!((assembly.first(), assembly.bytes), (None, 0));
        assert_eq!(assembly.add(1, None, b"x"), None);
    }

    #[test]
    fn what_never_comes_whole_does_not_hold_up_the_rest() {
        let ids = |lane: &str| -> Vec<String> {
            let cut = Parts::cut(lane, 0, b"the same").unwrap();
            cut.messages(0).map(|part| part.id).collect()
        };
        assert_ne!(ids("a"), ids("b"), "the same in another lane is another");
        let mut assembly = Assembly::default();
        let mut add = |sequence, part: &Part| {
            let frame = assembly.add(sequence, Some(&part.headers), &part.payload);
            (frame.is_some(), assembly.first(), assembly.bytes > 0)
        };
        let half = Parts::cut("a", 0, &noise(2 * PART)).unwrap();
        let half = half.messages(0).next().unwrap();
        assert_eq!(add(1, &half), (false, Some(1), true));
        let whole = Parts::cut("a", 0, b"whole").unwrap();
        let at = |arrived| whole.messages(arrived).next().unwrap();
        let most = i64::try_from(GIVEN_UP.as_millis()).unwrap();
        assert_eq!(add(2, &at(most)), (true, Some(1), true));
        assert_eq!(add(3, &at(most + 1)), (true, None, false));
    }
}

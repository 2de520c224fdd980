//! A frame as messages, and messages as a frame.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use async_nats::HeaderMap;
use sha2::{Digest as _, Sha256};
use tracing::warn;

use crate::Frame;

/// Bytes of a part: NATS takes messages of 1 MiB unless told otherwise.
const PART: usize = 512 << 10;
/// Parts of frames that are not whole yet, in bytes. They come one after the other, so more means that somebody died
/// on the way.
const MOST_OPEN: usize = 64 << 20;
/// No frame is larger unpacked, whatever its parts say.
const MOST_UNPACKED: usize = 64 << 20;

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
    pub(super) fn cut(tag: u8, payload: &[u8]) -> io::Result<Self> {
        let mut hash = Sha256::new();
        hash.update([tag]);
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
            count,
            parts: BTreeMap::new(),
        });
        let before = open.parts.insert(place, payload.to_vec());
        self.bytes =
            (self.bytes + payload.len()).saturating_sub(before.map_or(0, |part| part.len()));
        if open.parts.len() < open.count {
            self.make_room();
            return None;
        }
        let open = self.open.remove(&id)?;
        let packed: Vec<u8> = open.parts.into_values().flatten().collect();
        self.bytes = self.bytes.saturating_sub(packed.len());
        match zstd::bulk::decompress(&packed, MOST_UNPACKED) {
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
            let bytes: usize = open.parts.values().map(Vec::len).sum();
            self.bytes = self.bytes.saturating_sub(bytes);
            warn!(
                sequence = open.first,
                "a frame in the stream never came whole"
            );
        }
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
        let cut = Parts::cut(3, &payload).unwrap();
        let long: Vec<Part> = cut.messages(5).collect();
        assert!(long.len() > 2);
        let other = Parts::cut(0, b"short").unwrap();
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
}

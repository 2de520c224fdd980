//! The fast loop: decodes symbols while there is plenty of input and room.
//!
//! What it costs is the chain from one symbol to the next: shift, mask, look up. So the next entry is looked up
//! before anything is done with the last one, and before the bits are filled up: there are always enough for it. And
//! what the mask leaves is the entry's place in bytes, since multiplying it would be one more link of the chain.
//! Checks of bounds are few and beside the chain; without them it would be faster by 1 in 100.

use crate::InflateError;
use crate::bits::{Bits, Input};
use crate::table::Tables;

/// Input that one turn looks at: it fills up the bits twice, which uses up seven bytes and looks at eight.
const TURN_INPUT: usize = 16;
/// Output that one turn may write: literals, the longest match, and what a copy in words reaches beyond its end.
const TURN_OUTPUT: usize = 3 + 258 + STRIDE;
/// How much is copied of a match at least.
const STRIDE: usize = 48;

/// Input that the loop needs for a first turn, before which it fills up the bits.
pub(crate) const FAST_INPUT: usize = TURN_INPUT + 8;
/// Room that the loop needs for a first turn.
pub(crate) const FAST_OUTPUT: usize = TURN_OUTPUT;

/// Why the loop stopped.
pub(crate) enum Stop {
    /// Too little input or room for another turn.
    Edge,
    /// At the end of the block.
    BlockEnd,
}

/// Decodes symbols into `out[at..]`, at least one, and moves `at` on, up to an error too.
#[inline(never)]
pub(crate) fn decode(
    tables: &Tables,
    kept: &mut Bits,
    input: &mut Input<'_>,
    out: &mut [u8],
    at: &mut usize,
) -> Result<Stop, InflateError> {
    let mut rest = input.rest();
    let Some(ahead) = rest.first_chunk() else {
        return Ok(Stop::Edge);
    };
    let mut bits = *kept;
    rest = &rest[bits.start_fast(*ahead)..];
    let mut to = *at;
    let mut entry = tables.literal(bits);
    let stop = loop {
        let Some(ahead) = rest.first_chunk::<TURN_INPUT>() else {
            break Ok(Stop::Edge);
        };
        let Some(room) = out
            .get_mut(to..)
            .and_then(|room| room.first_chunk_mut::<TURN_OUTPUT>())
        else {
            break Ok(Stop::Edge);
        };
        // At least 54 bits are held and not spent. Three symbols use up 11, 11 and 20 of them at most, which leaves
        // enough to look up whatever follows.
        //
        // Whether a literal comes first is as good as random, and guessing wrong would cost more than looking a
        // length up twice. So there is no branch: only a literal is counted and used up.
        room[0] = entry.literal();
        let mut count = entry.literals();
        bits.use_up(entry.used_by_literal());
        entry = tables.literal(bits);
        if entry.is_literal() {
            room[count] = entry.literal();
            count += 1;
            bits.use_up(entry.used_by_literal());
            entry = tables.literal(bits);
            if entry.is_literal() {
                room[count] = entry.literal();
                to += count + 1;
                bits.use_up(entry.used_by_literal());
                entry = tables.literal(bits);
                rest = &rest[bits.refill(next(ahead, 0))..];
                continue;
            }
        }
        to += count;
        let mut before = bits.next();
        bits.use_up(entry.used_by_other());
        if entry.is_exception() {
            if entry.is_further() {
                before = bits.next();
                entry = tables.further_literal(entry, before);
                if entry.is_literal() {
                    out[to] = entry.literal();
                    to += 1;
                    bits.use_up(entry.used_by_literal());
                    entry = tables.literal(bits);
                    rest = &rest[bits.refill(next(ahead, 0))..];
                    continue;
                }
                bits.use_up(entry.used_by_other());
            }
            if entry.is_exception() {
                if !entry.is_end() {
                    break Err(InflateError::Code);
                }
                break Ok(Stop::BlockEnd);
            }
        }
        let length = entry.length(before);
        let mut far = tables.distance(bits);
        let used = bits.refill(next(ahead, 0));
        if far.is_exception() {
            if !far.is_further() {
                break Err(InflateError::Code);
            }
            bits.use_up(far.to_use_up());
            far = tables.further_distance(far, bits.next());
            if far.is_exception() {
                break Err(InflateError::Code);
            }
        }
        let before = bits.next();
        bits.use_up(far.to_use_up());
        entry = tables.literal(bits);
        let distance = far.value(before);
        if distance > to {
            break Err(InflateError::Distance);
        }
        let used = used + bits.refill(next(ahead, used));
        rest = &rest[used..];
        copy(out, to, distance, length);
        to += length;
    };
    *at = to;
    let stop = stop?;
    // All of what is given back came in this call: a symbol that was begun in an earlier one is decoded.
    input.at = input.bytes.len() - rest.len();
    bits.end_fast(input);
    *kept = bits;
    Ok(stop)
}

/// The eight bytes at `at`, which is at most 7.
#[inline(always)]
fn next(ahead: &[u8; TURN_INPUT], at: usize) -> [u8; 8] {
    let at = at & 7;
    let mut next = [0; 8];
    next.copy_from_slice(&ahead[at..at + 8]);
    next
}

/// Copies a match; may write up to `STRIDE` bytes at its start, or 15 beyond its end.
#[inline(always)]
fn copy(out: &mut [u8], to: usize, distance: usize, length: usize) {
    // There is always room.
    let Some(place) = out
        .get_mut(to - distance..)
        .and_then(|rest| rest.get_mut(..distance + STRIDE))
    else {
        return;
    };
    // Most matches are shorter than this and do not overlap themselves: a loop, or a branch by the distance, would be
    // guessed wrong at each of them. All is read before any of it is written, because reading what was just written
    // in other words waits for it.
    let mut words = [0; STRIDE];
    words.copy_from_slice(&place[..STRIDE]);
    place[distance..].copy_from_slice(&words);
    if length > distance.min(STRIDE) {
        copy_slowly(out, to, distance, length);
    }
}

/// Any other match. Out of the way: the loop has too few registers for it.
#[cold]
#[inline(never)]
fn copy_slowly(out: &mut [u8], mut to: usize, distance: usize, length: usize) {
    let end = to + length;
    if distance >= 16 {
        while to < end {
            let Some(word) = word(out, to - distance) else {
                return;
            };
            put(out, to, word);
            to += 16;
        }
        return;
    }
    // The bytes that are repeated, as often as they fit.
    let Some(word) = word(out, to - distance) else {
        return;
    };
    let mut bits = 8 * distance;
    let mut pattern = u128::from_le_bytes(word) & !(u128::MAX << bits);
    while bits < 128 {
        pattern |= pattern << bits;
        bits *= 2;
    }
    while to < end {
        put(out, to, pattern.to_le_bytes());
        to += 16 - 16 % distance;
    }
}

#[inline(always)]
fn word(out: &[u8], at: usize) -> Option<[u8; 16]> {
    out.get(at..).and_then(|rest| rest.first_chunk()).copied()
}

#[inline(always)]
fn put(out: &mut [u8], at: usize, word: [u8; 16]) {
    if let Some(place) = out.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *place = word;
    }
}

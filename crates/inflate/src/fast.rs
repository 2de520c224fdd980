//! The fast loop: decodes symbols while there is plenty of input and room.
//!
//! What it costs is the chain from one symbol to the next: shift, mask, look up. So the next entry is looked up
//! before anything is done with the last one, and before the bits are filled up: there are always enough for it.
//! Checks of bounds are few and beside the chain; without them it would be faster by 1 in 100.

use crate::InflateError;
use crate::bits::{Bits, Input};
use crate::symbols::{END, EXCEPTION, FURTHER, LITERAL, value};
use crate::table::{DISTANCE_BITS, LITERAL_BITS, Tables};

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
    rest = &rest[bits.refill(*ahead)..];
    let mut to = *at;
    let mut entry = tables.literal(bits.index(LITERAL_BITS));
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
        // At least 56 bits are held. Three symbols use up 11, 11 and 20 of them at most, which leaves enough to
        // look up whatever follows.
        let mut before = bits.from(0);
        bits.use_up(entry);
        if entry & LITERAL != 0 {
            room[0] = (entry >> 16) as u8;
            to += 1;
            entry = tables.literal(bits.index(LITERAL_BITS));
            before = bits.from(0);
            bits.use_up(entry);
            if entry & LITERAL != 0 {
                room[1] = (entry >> 16) as u8;
                to += 1;
                entry = tables.literal(bits.index(LITERAL_BITS));
                before = bits.from(0);
                bits.use_up(entry);
                if entry & LITERAL != 0 {
                    room[2] = (entry >> 16) as u8;
                    to += 1;
                    entry = tables.literal(bits.index(LITERAL_BITS));
                    rest = &rest[bits.refill(next(ahead, 0))..];
                    continue;
                }
            }
        }
        if entry & EXCEPTION != 0 {
            if entry & FURTHER != 0 {
                before = bits.from(0);
                entry = tables.further_literal(entry, before);
                bits.use_up(entry);
                if entry & LITERAL != 0 {
                    out[to] = (entry >> 16) as u8;
                    to += 1;
                    entry = tables.literal(bits.index(LITERAL_BITS));
                    rest = &rest[bits.refill(next(ahead, 0))..];
                    continue;
                }
            }
            if entry & EXCEPTION != 0 {
                if entry & END == 0 {
                    break Err(InflateError::Code);
                }
                break Ok(Stop::BlockEnd);
            }
        }
        let length = value(entry, before);
        let mut far = tables.distance(bits.index(DISTANCE_BITS));
        let used = bits.refill(next(ahead, 0));
        if far & EXCEPTION != 0 {
            if far & FURTHER == 0 {
                break Err(InflateError::Code);
            }
            bits.use_up(far);
            far = tables.further_distance(far, bits.from(0));
            if far & EXCEPTION != 0 {
                break Err(InflateError::Code);
            }
        }
        before = bits.from(0);
        bits.use_up(far);
        entry = tables.literal(bits.index(LITERAL_BITS));
        let distance = value(far, before);
        if distance > to {
            break Err(InflateError::Distance);
        }
        let used = used + bits.refill(next(ahead, used));
        rest = &rest[used..];
        copy(out, to, distance, length);
        to += length;
    };
    // All of what is given back came in this call: a symbol that was begun in an earlier one is decoded.
    input.at = input.bytes.len() - rest.len();
    bits.give_back(input);
    *kept = bits;
    *at = to;
    stop
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
    if distance < 16 {
        return copy_near(out, to, distance, length);
    }
    // There is always room. Most matches are shorter than this: a loop would be guessed wrong at each of them.
    let Some(place) = out
        .get_mut(to - distance..)
        .and_then(|rest| rest.get_mut(..distance + STRIDE))
    else {
        return;
    };
    copy_word::<16>(place, 0, distance);
    copy_word::<16>(place, 16, distance + 16);
    copy_word::<16>(place, 32, distance + 32);
    if length > STRIDE {
        copy_long(out, to, distance, length);
    }
}

/// The rest of a match that is longer than `STRIDE`. Out of the way, as is the next: the loop has too few
/// registers for them.
#[inline(never)]
fn copy_long(out: &mut [u8], to: usize, distance: usize, length: usize) {
    let end = to + length;
    let mut to = to + STRIDE;
    while to < end {
        copy_word::<16>(out, to - distance, to);
        to += 16;
    }
}

/// A match that overlaps itself within a word.
#[cold]
#[inline(never)]
fn copy_near(out: &mut [u8], to: usize, distance: usize, length: usize) {
    let (mut from, mut to, end) = (to - distance, to, to + length);
    if distance == 1 {
        let byte = out[from];
        out[to..end].fill(byte);
        return;
    }
    // Of each word the first `distance` bytes are right.
    let step = distance.min(8);
    while to < end {
        copy_word::<8>(out, from, to);
        from += step;
        to += step;
    }
}

#[inline(always)]
fn copy_word<const N: usize>(out: &mut [u8], from: usize, to: usize) {
    let Some(word) = out
        .get(from..)
        .and_then(|rest| rest.first_chunk::<N>())
        .copied()
    else {
        return;
    };
    if let Some(place) = out
        .get_mut(to..)
        .and_then(|rest| rest.first_chunk_mut::<N>())
    {
        *place = word;
    }
}

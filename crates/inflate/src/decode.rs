//! The decoder: a careful loop that stops anywhere, and a fast one for where there is room to run.

use crate::table::{
    self, CODE_LENGTH_BITS, CODE_LENGTH_ROOM, DISTANCE_BITS, DISTANCE_ROOM, DISTANCES, END,
    EXCEPTION, FURTHER, LITERAL, LITERAL_BITS, LITERAL_ROOM, LITERALS,
};

/// Input that one turn of the fast loop may use up or look at.
const FAST_INPUT: usize = 32;
/// Output that one turn of the fast loop may write: three literals, the longest match, and the words that reach
/// beyond its end.
const FAST_OUTPUT: usize = 3 + 258 + 48;

const LITERAL_MASK: u64 = (1 << LITERAL_BITS) - 1;
const DISTANCE_MASK: u64 = (1 << DISTANCE_BITS) - 1;
const CODE_LENGTH_MASK: u64 = (1 << CODE_LENGTH_BITS) - 1;

/// The order in which the lengths of the code length codes are written (RFC 1951, 3.2.7).
const CODE_LENGTH_ORDER: [u8; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// A DEFLATE stream being decoded.
pub struct Inflate {
    state: State,
    is_last: bool,
    /// The next bits of the stream, lowest first. Between calls all bits beyond `held` are zero.
    bits: u64,
    held: u32,
    literals: Box<[u32; LITERAL_ROOM]>,
    distances: Box<[u32; DISTANCE_ROOM]>,
    /// Lengths of the codes while they are read, and their numbers.
    lengths: [u8; LITERALS + DISTANCES],
    literal_count: usize,
    distance_count: usize,
    code_lengths: [u32; CODE_LENGTH_ROOM],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Block,
    StoredLength,
    Stored { left: usize },
    Counts,
    CodeLengths { read: usize, of: usize },
    Lengths { read: usize },
    Codes,
    Match { left: usize, distance: usize },
    Done,
}

/// What one call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Bytes of input used up.
    pub consumed: usize,
    /// Bytes of output written.
    pub produced: usize,
    /// Why it stopped.
    pub status: Status,
}

/// Why decoding stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All input is used up, and there is more to the stream.
    NeedsInput,
    /// The output is full, and there may be more to the stream.
    NeedsOutput,
    /// The stream is at its end. Input behind it was not used.
    Done,
}

/// The bytes are no DEFLATE stream. The fault of whoever made them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// A block of a type that does not exist.
    #[error("a block has the invalid type 3")]
    BlockType,
    /// A stored block whose length and its complement differ.
    #[error("the length of a stored block is damaged")]
    StoredLength,
    /// More codes than there are symbols.
    #[error("a block has too many codes")]
    TooManyCodes,
    /// Lengths of codes that make no code.
    #[error("a block has an invalid set of code lengths")]
    CodeLengths,
    /// A block without a code for its end.
    #[error("a block has no code for its end")]
    NoEnd,
    /// Bits that stand for nothing.
    #[error("a code is invalid")]
    Code,
    /// A match that starts before the first byte.
    #[error("a distance reaches back too far")]
    Distance,
}

/// The bytes of input not used yet.
struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Default for Inflate {
    fn default() -> Self {
        Self::new()
    }
}

impl Inflate {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Block,
            is_last: false,
            bits: 0,
            held: 0,
            literals: Box::new([0; LITERAL_ROOM]),
            distances: Box::new([0; DISTANCE_ROOM]),
            lengths: [0; LITERALS + DISTANCES],
            literal_count: 0,
            distance_count: 0,
            code_lengths: [0; CODE_LENGTH_ROOM],
        }
    }

    /// Starts anew, for another stream.
    pub fn reset(&mut self) {
        self.state = State::Block;
        self.is_last = false;
        self.bits = 0;
        self.held = 0;
    }

    /// Decodes from `input` into `out[at..]`. `out[..at]` holds what was produced last: at least 32 KiB of it, or
    /// all there is.
    ///
    /// # Errors
    /// When the bytes are no DEFLATE stream. What was written to `out` in this call is worth nothing then, and
    /// the decoder must be reset.
    pub fn inflate(
        &mut self,
        input: &[u8],
        out: &mut [u8],
        at: usize,
    ) -> Result<Step, InflateError> {
        let mut input = Input {
            bytes: input,
            at: 0,
        };
        let mut position = at;
        let status = self.run(&mut input, out, &mut position)?;
        Ok(Step {
            consumed: input.at,
            produced: position - at,
            status,
        })
    }

    fn run(
        &mut self,
        input: &mut Input<'_>,
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<Status, InflateError> {
        loop {
            match self.state {
                State::Block => {
                    if self.is_last {
                        self.state = State::Done;
                        continue;
                    }
                    let Some(head) = self.take(input, 3) else {
                        return Ok(Status::NeedsInput);
                    };
                    self.is_last = head & 1 == 1;
                    self.state = match head >> 1 {
                        0 => State::StoredLength,
                        1 => {
                            self.fixed_codes()?;
                            State::Codes
                        }
                        2 => State::Counts,
                        _ => return Err(InflateError::BlockType),
                    };
                }
                State::StoredLength => {
                    // The rest of the byte is padding. Fewer than eight bits are held between symbols, or those of
                    // this field.
                    let padding = self.held % 8;
                    self.drop_bits(padding);
                    let Some(word) = self.take(input, 32) else {
                        return Ok(Status::NeedsInput);
                    };
                    let (length, complement) = (word & 0xffff, word >> 16);
                    if length != !complement & 0xffff {
                        return Err(InflateError::StoredLength);
                    }
                    self.state = State::Stored {
                        left: length as usize,
                    };
                }
                State::Stored { left: 0 } => self.state = State::Block,
                State::Stored { left } => {
                    let from = input.bytes.get(input.at..).unwrap_or_default();
                    let to = out.get_mut(*at..).unwrap_or_default();
                    if to.is_empty() {
                        return Ok(Status::NeedsOutput);
                    }
                    if from.is_empty() {
                        return Ok(Status::NeedsInput);
                    }
                    let count = left.min(from.len()).min(to.len());
                    to[..count].copy_from_slice(&from[..count]);
                    input.at += count;
                    *at += count;
                    self.state = State::Stored { left: left - count };
                }
                State::Counts => {
                    let Some(word) = self.take(input, 14) else {
                        return Ok(Status::NeedsInput);
                    };
                    self.literal_count = (word & 31) as usize + 257;
                    self.distance_count = (word >> 5 & 31) as usize + 1;
                    if self.literal_count > 286 || self.distance_count > 30 {
                        return Err(InflateError::TooManyCodes);
                    }
                    self.lengths[..19].fill(0);
                    self.state = State::CodeLengths {
                        read: 0,
                        of: (word >> 10) as usize + 4,
                    };
                }
                State::CodeLengths { read, of } if read < of => {
                    let Some(length) = self.take(input, 3) else {
                        return Ok(Status::NeedsInput);
                    };
                    self.lengths[usize::from(CODE_LENGTH_ORDER[read])] = length as u8;
                    self.state = State::CodeLengths { read: read + 1, of };
                }
                State::CodeLengths { .. } => {
                    table::code_lengths(&self.lengths[..19], &mut self.code_lengths)
                        .map_err(|_| InflateError::CodeLengths)?;
                    self.state = State::Lengths { read: 0 };
                }
                State::Lengths { read } if read < self.literal_count + self.distance_count => {
                    let Some(read) = self.code_length(input, read)? else {
                        return Ok(Status::NeedsInput);
                    };
                    self.state = State::Lengths { read };
                }
                State::Lengths { .. } => {
                    self.dynamic_codes()?;
                    self.state = State::Codes;
                }
                State::Codes => {
                    let room = out.len().saturating_sub(*at);
                    if input.left() >= FAST_INPUT && room >= FAST_OUTPUT {
                        self.fast(input, out, at)?;
                    } else if let Some(status) = self.careful(input, out, at)? {
                        return Ok(status);
                    }
                }
                State::Match { left: 0, .. } => self.state = State::Codes,
                State::Match { left, distance } => {
                    let room = out.len() - *at;
                    if room == 0 {
                        return Ok(Status::NeedsOutput);
                    }
                    let count = left.min(room);
                    let from = at.checked_sub(distance).ok_or(InflateError::Distance)?;
                    for index in 0..count {
                        out[*at + index] = out[from + index];
                    }
                    *at += count;
                    self.state = State::Match {
                        left: left - count,
                        distance,
                    };
                }
                State::Done => return Ok(Status::Done),
            }
        }
    }

    fn fixed_codes(&mut self) -> Result<(), InflateError> {
        self.lengths[..144].fill(8);
        self.lengths[144..256].fill(9);
        self.lengths[256..280].fill(7);
        self.lengths[280..288].fill(8);
        self.lengths[LITERALS..].fill(5);
        table::literals(&self.lengths[..LITERALS], &mut self.literals)
            .and_then(|()| table::distances(&self.lengths[LITERALS..], &mut self.distances))
            .map_err(|_| InflateError::CodeLengths)
    }

    fn dynamic_codes(&mut self) -> Result<(), InflateError> {
        let (literals, rest) = self.lengths.split_at(self.literal_count);
        if literals[256] == 0 {
            return Err(InflateError::NoEnd);
        }
        table::literals(literals, &mut self.literals)
            .and_then(|()| table::distances(&rest[..self.distance_count], &mut self.distances))
            .map_err(|_| InflateError::CodeLengths)
    }

    /// Reads one length, or several repeated; how many are known then. `None` without enough input.
    fn code_length(
        &mut self,
        input: &mut Input<'_>,
        read: usize,
    ) -> Result<Option<usize>, InflateError> {
        let entry = loop {
            let entry = self.code_lengths[(self.bits & CODE_LENGTH_MASK) as usize];
            if entry & 0xff <= self.held {
                break entry;
            }
            if !self.fill(input) {
                return Ok(None);
            }
        };
        let (symbol, bits) = ((entry >> 16) as u8, entry & 0xff);
        let (extra, least) = match symbol {
            16 => (2, 3),
            17 => (3, 3),
            18 => (7, 11),
            _ => (0, 1),
        };
        while self.held < bits + extra {
            if !self.fill(input) {
                return Ok(None);
            }
        }
        let more = (self.bits >> bits & ((1 << extra) - 1)) as usize;
        self.drop_bits(bits + extra);
        let length = match symbol {
            16 => read
                .checked_sub(1)
                .map(|before| self.lengths[before])
                .ok_or(InflateError::CodeLengths)?,
            17 | 18 => 0,
            length => length,
        };
        let end = read + least + more;
        if end > self.literal_count + self.distance_count {
            return Err(InflateError::CodeLengths);
        }
        self.lengths[read..end].fill(length);
        Ok(Some(end))
    }

    /// Decodes one literal, match or end, if there is all of it. `None`: go on.
    fn careful(
        &mut self,
        input: &mut Input<'_>,
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<Option<Status>, InflateError> {
        if *at >= out.len() {
            return Ok(Some(Status::NeedsOutput));
        }
        // Byte by byte, so that never a whole byte too many is held.
        let (entry, used, saved) = loop {
            let mut entry = self.literals[(self.bits & LITERAL_MASK) as usize];
            let mut used = 0;
            let mut saved = self.bits;
            if entry & (LITERAL | EXCEPTION) == EXCEPTION && entry & FURTHER != 0 {
                used = entry & 0xff;
                saved >>= used;
                let mask = (1_u64 << (entry >> 8 & 15)) - 1;
                let index = (entry >> 16) as usize + (saved & mask) as usize;
                entry = self.literals[index % LITERAL_ROOM];
            }
            if used + (entry & 0xff) <= self.held {
                break (entry, used + (entry & 0xff), saved);
            }
            if !self.fill(input) {
                return Ok(Some(Status::NeedsInput));
            }
        };
        if entry & LITERAL != 0 {
            self.drop_bits(used);
            out[*at] = (entry >> 16) as u8;
            *at += 1;
            return Ok(None);
        }
        if entry & EXCEPTION != 0 {
            if entry & END == 0 {
                return Err(InflateError::Code);
            }
            self.drop_bits(used);
            self.state = State::Block;
            return Ok(None);
        }
        let left = base_and_extra(entry, saved);
        let (distance, used) = loop {
            let mut saved = self.bits >> used;
            let mut entry = self.distances[(saved & DISTANCE_MASK) as usize];
            let mut used = used;
            if entry & EXCEPTION != 0 && entry & FURTHER != 0 {
                used += entry & 0xff;
                saved >>= entry & 0xff;
                let mask = (1_u64 << (entry >> 8 & 15)) - 1;
                let index = (entry >> 16) as usize + (saved & mask) as usize;
                entry = self.distances[index % DISTANCE_ROOM];
            }
            used += entry & 0xff;
            if used <= self.held {
                if entry & EXCEPTION != 0 {
                    return Err(InflateError::Code);
                }
                break (base_and_extra(entry, saved), used);
            }
            if !self.fill(input) {
                return Ok(Some(Status::NeedsInput));
            }
        };
        self.drop_bits(used);
        if distance > *at {
            return Err(InflateError::Distance);
        }
        self.state = State::Match { left, distance };
        Ok(None)
    }

    /// Decodes while there is plenty of input and room. The state is one that `run` goes on from.
    fn fast(
        &mut self,
        input: &mut Input<'_>,
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<(), InflateError> {
        let literals = &*self.literals;
        let distances = &*self.distances;
        let bytes = input.bytes;
        let last_input = bytes.len() - FAST_INPUT;
        let last_output = out.len() - FAST_OUTPUT;
        let (mut bits, mut held) = (self.bits, self.held);
        let (mut from, mut to) = (input.at, *at);
        let mut result = Ok(());

        // The number of bits held stands in the lowest six bits of `held`: an entry is subtracted as it is.
        macro_rules! refill {
            () => {
                bits |= word(bytes, from) << (held & 63);
                from += 7 - ((held >> 3) & 7) as usize;
                held |= 56;
            };
        }
        macro_rules! use_up {
            ($entry:expr) => {
                bits = bits.wrapping_shr($entry);
                held = held.wrapping_sub($entry);
            };
        }

        refill!();
        let mut entry = literals[(bits & LITERAL_MASK) as usize];
        'symbols: loop {
            let mut saved = bits;
            use_up!(entry);
            if entry & LITERAL != 0 {
                out[to] = (entry >> 16) as u8;
                to += 1;
                entry = literals[(bits & LITERAL_MASK) as usize];
                saved = bits;
                use_up!(entry);
                if entry & LITERAL != 0 {
                    out[to] = (entry >> 16) as u8;
                    to += 1;
                    entry = literals[(bits & LITERAL_MASK) as usize];
                    saved = bits;
                    use_up!(entry);
                    if entry & LITERAL != 0 {
                        out[to] = (entry >> 16) as u8;
                        to += 1;
                        refill!();
                        entry = literals[(bits & LITERAL_MASK) as usize];
                        if from > last_input || to > last_output {
                            break 'symbols;
                        }
                        continue 'symbols;
                    }
                }
            }
            if entry & EXCEPTION != 0 {
                if entry & FURTHER != 0 {
                    let mask = (1_u64 << (entry >> 8 & 15)) - 1;
                    let index = (entry >> 16) as usize + (bits & mask) as usize;
                    entry = literals[index % LITERAL_ROOM];
                    saved = bits;
                    use_up!(entry);
                    if entry & LITERAL != 0 {
                        out[to] = (entry >> 16) as u8;
                        to += 1;
                        refill!();
                        entry = literals[(bits & LITERAL_MASK) as usize];
                        if from > last_input || to > last_output {
                            break 'symbols;
                        }
                        continue 'symbols;
                    }
                }
                if entry & EXCEPTION != 0 {
                    if entry & END == 0 {
                        result = Err(InflateError::Code);
                    }
                    self.state = State::Block;
                    // The end is used up, unlike an entry that was only looked up.
                    entry = 0;
                    break 'symbols;
                }
            }
            let length = base_and_extra(entry, saved);
            refill!();
            let mut far = distances[(bits & DISTANCE_MASK) as usize];
            if far & EXCEPTION != 0 {
                if far & FURTHER == 0 {
                    result = Err(InflateError::Code);
                    break 'symbols;
                }
                use_up!(far);
                let mask = (1_u64 << (far >> 8 & 15)) - 1;
                let index = (far >> 16) as usize + (bits & mask) as usize;
                far = distances[index % DISTANCE_ROOM];
                if far & EXCEPTION != 0 {
                    result = Err(InflateError::Code);
                    break 'symbols;
                }
            }
            let saved = bits;
            use_up!(far);
            let distance = base_and_extra(far, saved);
            if distance > to {
                result = Err(InflateError::Distance);
                break 'symbols;
            }
            // Looked up before the copy, which takes its time.
            refill!();
            entry = literals[(bits & LITERAL_MASK) as usize];
            copy(out, to, distance, length);
            to += length;
            if from > last_input || to > last_output {
                break 'symbols;
            }
        }
        // Whole bytes that are held go back. All of them came in this call: fewer than eight bits were held before.
        let held = held & 63;
        let back = held / 8;
        self.held = held % 8;
        self.bits = bits & ((1 << self.held) - 1);
        input.at = from - back as usize;
        *at = to;
        let _ = entry;
        result
    }

    /// Takes `count` bits; `None`, with what there is held, if there is not enough input.
    fn take(&mut self, input: &mut Input<'_>, count: u32) -> Option<u32> {
        while self.held < count {
            if !self.fill(input) {
                return None;
            }
        }
        let taken = self.bits & ((1 << count) - 1);
        self.drop_bits(count);
        Some(taken as u32)
    }

    /// Holds one more byte. False without input.
    fn fill(&mut self, input: &mut Input<'_>) -> bool {
        let Some(byte) = input.bytes.get(input.at) else {
            return false;
        };
        self.bits |= u64::from(*byte) << self.held;
        self.held += 8;
        input.at += 1;
        true
    }

    fn drop_bits(&mut self, count: u32) {
        self.bits >>= count;
        self.held -= count;
    }
}

impl Input<'_> {
    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }
}

/// The base value of an entry and its extra bits, which stand behind the code in `bits`.
#[inline(always)]
fn base_and_extra(entry: u32, bits: u64) -> usize {
    let extra = (bits & !(u64::MAX << (entry & 63))) >> (entry >> 8 & 63);
    (entry >> 16) as usize + extra as usize
}

/// The eight bytes at `at`.
#[inline(always)]
fn word(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u64::from_le_bytes(*word))
}

/// Copies a match; may write up to 32 bytes beyond its end.
#[inline(always)]
fn copy(out: &mut [u8], to: usize, distance: usize, length: usize) {
    let (mut from, mut to, end) = (to - distance, to, to + length);
    if distance >= 16 {
        // Most matches are shorter than this: a loop would be guessed wrong at each of them.
        for _ in 0..3 {
            copy_word::<16>(out, from, to);
            from += 16;
            to += 16;
        }
        while to < end {
            copy_word::<16>(out, from, to);
            from += 16;
            to += 16;
        }
    } else if distance >= 8 {
        while to < end {
            copy_word::<8>(out, from, to);
            from += 8;
            to += 8;
        }
    } else if distance == 1 {
        let byte = out[from];
        out[to..end].fill(byte);
    } else {
        // Of each word the first `distance` bytes are right.
        while to < end {
            copy_word::<8>(out, from, to);
            from += distance;
            to += distance;
        }
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

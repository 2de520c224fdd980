//! The decoder: goes from block to block, stops anywhere, and hands over to the fast loop where there is room to
//! run.

use crate::WINDOW;
use crate::bits::{Bits, Input};
use crate::fast::{self, FAST_INPUT, FAST_OUTPUT, Stop};
use crate::symbols::{CODE_LENGTHS, DISTANCES, LITERALS};
use crate::table::{self, NoCode, Tables};

/// The order in which the lengths of the code length codes are written (RFC 1951, 3.2.7).
const CODE_LENGTH_ORDER: [u8; CODE_LENGTHS] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// A DEFLATE stream being decoded.
pub struct Inflate {
    state: State,
    is_last: bool,
    bits: Bits,
    /// How far a match may reach back now: over what was decoded of this stream, if that is less than a window.
    history: usize,
    tables: Box<Tables>,
    codes: Codes,
}

/// The codes of a block while they are read.
struct Codes {
    literal_count: usize,
    distance_count: usize,
    code_lengths: table::CodeLengths,
    lengths: [u8; LITERALS + DISTANCES],
}

#[derive(Clone, Copy)]
enum State {
    Block,
    StoredLength,
    Stored { left: usize },
    Counts,
    CodeLengths { read: usize, of: usize },
    Lengths { read: usize },
    Symbols,
    Match { left: usize, distance: usize },
    Done,
}

/// Why decoding stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All input is used up, and there is more to the stream.
    NeedsInput,
    /// The output is full, and there is more to the stream.
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

impl From<NoCode> for InflateError {
    fn from(_: NoCode) -> Self {
        Self::CodeLengths
    }
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
            bits: Bits::default(),
            history: 0,
            tables: Box::new(Tables::new()),
            codes: Codes {
                literal_count: 0,
                distance_count: 0,
                code_lengths: table::CodeLengths::new(),
                lengths: [0; LITERALS + DISTANCES],
            },
        }
    }

    /// Starts anew, for another stream.
    pub fn reset(&mut self) {
        self.state = State::Block;
        self.is_last = false;
        self.bits = Bits::default();
        self.history = 0;
    }

    /// Decodes from `input` into `out[at..]`, and moves both on by what was used and written. `at` says how far it
    /// came before an error, too.
    ///
    /// `out[..at]` holds what was written last: at least [`WINDOW`] bytes of it, or all there is. What lies in
    /// `out` behind the new place is overwritten as well.
    ///
    /// # Errors
    /// When the bytes are no DEFLATE stream. The decoder must be reset then.
    pub fn inflate(
        &mut self,
        input: &mut &[u8],
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<Status, InflateError> {
        // What lies before the start of the stream is out of reach.
        let start = at.saturating_sub(self.history);
        let out = out.get_mut(start..).unwrap_or_default();
        let mut used = Input::new(input);
        let mut to = *at - start;
        let result = self.run(&mut used, out, &mut to);
        *input = used.rest();
        *at = start + to;
        self.history = to.min(WINDOW);
        result
    }

    fn run(
        &mut self,
        input: &mut Input<'_>,
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<Status, InflateError> {
        loop {
            match self.state {
                State::Block if self.is_last => self.state = State::Done,
                State::Block => {
                    let Some(head) = self.bits.take(3, input) else {
                        return Ok(Status::NeedsInput);
                    };
                    self.is_last = head & 1 == 1;
                    self.state = match head >> 1 {
                        0 => State::StoredLength,
                        1 => {
                            self.tables.fix()?;
                            State::Symbols
                        }
                        2 => State::Counts,
                        _ => return Err(InflateError::BlockType),
                    };
                }
                State::StoredLength => {
                    // The rest of the byte is padding. Otherwise whole bytes of the length are held.
                    self.bits.drop(self.bits.held() % 8);
                    let Some(word) = self.bits.take(32, input) else {
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
                    let from = input.rest();
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
                    let Some(word) = self.bits.take(14, input) else {
                        return Ok(Status::NeedsInput);
                    };
                    let of = self.codes.start(word)?;
                    self.state = State::CodeLengths { read: 0, of };
                }
                State::CodeLengths { read, of } if read < of => {
                    let Some(length) = self.bits.take(3, input) else {
                        return Ok(Status::NeedsInput);
                    };
                    let symbol = usize::from(CODE_LENGTH_ORDER[read]);
                    self.codes.lengths[symbol] = length as u8;
                    self.state = State::CodeLengths { read: read + 1, of };
                }
                State::CodeLengths { .. } => {
                    let lengths = &self.codes.lengths[..CODE_LENGTHS];
                    self.codes.code_lengths.set(lengths)?;
                    self.state = State::Lengths { read: 0 };
                }
                State::Lengths { read } => {
                    let read = self.codes.read(read, &mut self.bits, input)?;
                    if read < self.codes.count() {
                        self.state = State::Lengths { read };
                        return Ok(Status::NeedsInput);
                    }
                    self.codes.finish(&mut self.tables)?;
                    self.state = State::Symbols;
                }
                State::Symbols => {
                    let room = out.len().saturating_sub(*at);
                    if input.rest().len() >= FAST_INPUT && room >= FAST_OUTPUT {
                        match fast::decode(&self.tables, &mut self.bits, input, out, at)? {
                            Stop::Edge => {}
                            Stop::BlockEnd => self.state = State::Block,
                        }
                    } else if let Some(status) = self.symbol(input, out, at)? {
                        return Ok(status);
                    }
                }
                State::Match { left: 0, .. } => self.state = State::Symbols,
                State::Match { left, distance } => {
                    let count = left.min(out.len().saturating_sub(*at));
                    if count == 0 {
                        return Ok(Status::NeedsOutput);
                    }
                    // Checked when the match was read, but what lies before `at` is up to the caller.
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

    /// Decodes one literal, match or end, if there is all of it. `None`: go on.
    fn symbol(
        &mut self,
        input: &mut Input<'_>,
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<Option<Status>, InflateError> {
        // Byte by byte, so that never a whole byte too many is held.
        let (entry, before) = loop {
            let (entry, before) = self.tables.find_literal(self.bits.from(0));
            if before + entry.used() <= self.bits.held() {
                break (entry, before);
            }
            if !self.bits.fill(input) {
                return Ok(Some(Status::NeedsInput));
            }
        };
        let after = before + entry.used();
        if entry.is_literal() {
            let Some(place) = out.get_mut(*at) else {
                return Ok(Some(Status::NeedsOutput));
            };
            *place = entry.literal();
            *at += 1;
            self.bits.drop(after);
            return Ok(None);
        }
        if entry.is_exception() {
            if !entry.is_end() {
                return Err(InflateError::Code);
            }
            self.bits.drop(after);
            self.state = State::Block;
            return Ok(None);
        }
        let (far, far_before) = loop {
            let (far, before) = self.tables.find_distance(self.bits.from(after));
            let before = after + before;
            if before + far.used() <= self.bits.held() {
                break (far, before);
            }
            if !self.bits.fill(input) {
                return Ok(Some(Status::NeedsInput));
            }
        };
        if far.is_exception() {
            return Err(InflateError::Code);
        }
        let left = entry.length(self.bits.from(before));
        let distance = far.value(self.bits.from(far_before));
        if distance > *at {
            return Err(InflateError::Distance);
        }
        self.bits.drop(far_before + far.used());
        self.state = State::Match { left, distance };
        Ok(None)
    }
}

impl Codes {
    /// Lengths to read.
    fn count(&self) -> usize {
        self.literal_count + self.distance_count
    }

    /// Starts with the counts of the block's header: how many code length codes follow.
    fn start(&mut self, counts: u32) -> Result<usize, InflateError> {
        self.literal_count = (counts & 31) as usize + 257;
        self.distance_count = (counts >> 5 & 31) as usize + 1;
        if self.literal_count > 286 || self.distance_count > 30 {
            return Err(InflateError::TooManyCodes);
        }
        self.lengths[..CODE_LENGTHS].fill(0);
        Ok((counts >> 10) as usize + 4)
    }

    /// Reads lengths as far as there is input: how many are known then.
    fn read(
        &mut self,
        mut read: usize,
        bits: &mut Bits,
        input: &mut Input<'_>,
    ) -> Result<usize, InflateError> {
        while read < self.count() {
            let (symbol, code) = self.code_lengths.find(bits.from(0));
            let (extra, least) = match symbol {
                16 => (2, 3),
                17 => (3, 3),
                18 => (7, 11),
                _ => (0, 1),
            };
            if bits.held() < code + extra {
                if bits.fill_up(input) || bits.fill(input) {
                    continue;
                }
                return Ok(read);
            }
            bits.drop(code);
            let end = read + least + bits.first(extra) as usize;
            bits.drop(extra);
            let length = match symbol {
                16 if read == 0 => return Err(InflateError::CodeLengths),
                16 => self.lengths[read - 1],
                17 | 18 => 0,
                length => length,
            };
            if end > self.count() {
                return Err(InflateError::CodeLengths);
            }
            self.lengths[read..end].fill(length);
            read = end;
        }
        bits.give_back(input);
        Ok(read)
    }

    /// Makes the tables when all lengths are known.
    fn finish(&self, tables: &mut Tables) -> Result<(), InflateError> {
        let (literals, distances) = self.lengths[..self.count()].split_at(self.literal_count);
        if literals[256] == 0 {
            return Err(InflateError::NoEnd);
        }
        Ok(tables.set(literals, distances)?)
    }
}

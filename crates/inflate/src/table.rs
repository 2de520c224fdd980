//! Decoding tables: what the next bits of the stream mean, looked up at once.
//!
//! A table has a first level that is looked up by the next bits, and second levels for the codes that are longer.

use crate::bits::Bits;
use crate::entry::{Entry, LiteralEntry, SIZE, ValueEntry};
use crate::symbols::{
    CODE_LENGTH_MEANINGS, DISTANCE_MEANINGS, DISTANCES, LITERAL_MEANINGS, LITERALS,
};

/// Longest code.
const LONGEST: usize = 15;

/// Bits of the first levels. Larger tables cost more to build and fall out of the cache, smaller ones need a
/// second look more often.
const LITERAL_BITS: u32 = 11;
const DISTANCE_BITS: u32 = 8;
const CODE_LENGTH_BITS: u32 = 7;

/// Room for every possible set of codes (zlib's `enough`: 2,342 entries for 288 symbols and 11 bits, 402 for 32
/// and 8), as a power of two, so that a masked index is within it.
const LITERAL_ROOM: usize = 4096;
const DISTANCE_ROOM: usize = 512;

/// The codes of a block. In this order and so aligned, no entry lies across two lines of a processor's cache.
#[repr(C, align(64))]
pub(crate) struct Tables {
    /// Entries, as bytes, because the fast loop looks them up by offset.
    literals: [[u8; SIZE]; LITERAL_ROOM],
    distances: [[u8; SIZE]; DISTANCE_ROOM],
    /// Whether these are the fixed codes: a stream of many small blocks would have them made for each.
    are_fixed: bool,
}

impl Tables {
    pub(crate) fn new() -> Self {
        Self {
            literals: [LiteralEntry::NOTHING.to_bytes(); LITERAL_ROOM],
            distances: [ValueEntry::NOTHING.to_bytes(); DISTANCE_ROOM],
            are_fixed: false,
        }
    }

    /// The fixed codes (RFC 1951, 3.2.6).
    pub(crate) fn fix(&mut self) -> Result<(), NoCode> {
        if self.are_fixed {
            return Ok(());
        }
        let mut literals = [8; LITERALS];
        literals[144..256].fill(9);
        literals[256..280].fill(7);
        self.set(&literals, &[5; DISTANCES])?;
        self.are_fixed = true;
        Ok(())
    }

    /// The codes with these lengths.
    pub(crate) fn set(&mut self, literals: &[u8], distances: &[u8]) -> Result<(), NoCode> {
        self.are_fixed = false;
        let (meanings, table) = (&LITERAL_MEANINGS, &mut self.literals);
        build(literals, meanings, LITERAL_BITS, Gaps::Allowed, table)?;
        let (meanings, table) = (&DISTANCE_MEANINGS, &mut self.distances);
        build(distances, meanings, DISTANCE_BITS, Gaps::Allowed, table)
    }

    /// The entry for the next bits.
    #[inline(always)]
    pub(crate) fn literal(&self, bits: Bits) -> LiteralEntry {
        at_offset(&self.literals, bits.offset::<LITERAL_BITS>())
    }

    /// The entry of the second level that `entry` says to look at, by the bits behind those of it.
    #[inline(always)]
    pub(crate) fn further_literal(&self, entry: LiteralEntry, bits: u64) -> LiteralEntry {
        LiteralEntry::from_bytes(self.literals[entry.place(bits) % LITERAL_ROOM])
    }

    /// The entry for the next bits.
    #[inline(always)]
    pub(crate) fn distance(&self, bits: Bits) -> ValueEntry {
        at_offset(&self.distances, bits.offset::<DISTANCE_BITS>())
    }

    /// The entry of the second level that `entry` says to look at, by the bits behind those of it.
    #[inline(always)]
    pub(crate) fn further_distance(&self, entry: ValueEntry, bits: u64) -> ValueEntry {
        ValueEntry::from_bytes(self.distances[entry.place(bits) % DISTANCE_ROOM])
    }

    /// The entry of the next literal, length or end, and the bits used up before those that it says.
    pub(crate) fn find_literal(&self, bits: u64) -> (LiteralEntry, u32) {
        let entry = LiteralEntry::from_bytes(self.literals[bits as usize % (1 << LITERAL_BITS)]);
        if entry.is_exception() && entry.is_further() {
            let before = entry.used();
            (self.further_literal(entry, bits >> before), before)
        } else {
            (entry, 0)
        }
    }

    /// The entry of the next distance, and the bits used up before those that it says.
    pub(crate) fn find_distance(&self, bits: u64) -> (ValueEntry, u32) {
        let entry = ValueEntry::from_bytes(self.distances[bits as usize % (1 << DISTANCE_BITS)]);
        if entry.is_exception() && entry.is_further() {
            let before = entry.used();
            (self.further_distance(entry, bits >> before), before)
        } else {
            (entry, 0)
        }
    }
}

/// The entry that starts at `offset`.
#[inline(always)]
fn at_offset<E: Entry, const ROOM: usize>(table: &[[u8; SIZE]; ROOM], offset: usize) -> E {
    let mut entry = [0; SIZE];
    entry.copy_from_slice(&table.as_flattened()[offset..offset + SIZE]);
    E::from_bytes(entry)
}

/// The code of the lengths of codes.
pub(crate) struct CodeLengths([[u8; SIZE]; 1 << CODE_LENGTH_BITS]);

impl CodeLengths {
    pub(crate) fn new() -> Self {
        Self([ValueEntry::NOTHING.to_bytes(); 1 << CODE_LENGTH_BITS])
    }

    pub(crate) fn set(&mut self, lengths: &[u8]) -> Result<(), NoCode> {
        let (meanings, table) = (&CODE_LENGTH_MEANINGS, &mut self.0);
        build(lengths, meanings, CODE_LENGTH_BITS, Gaps::Refused, table)
    }

    /// The next symbol, and the bits that its code uses up.
    pub(crate) fn find(&self, bits: u64) -> (u8, u32) {
        let entry = ValueEntry::from_bytes(self.0[bits as usize % (1 << CODE_LENGTH_BITS)]);
        (entry.value(0) as u8, entry.used())
    }
}

/// The lengths do not make a code: some bits would mean two things, or nothing.
pub(crate) struct NoCode;

/// Whether there may be bits that mean nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gaps {
    /// As zlib allows them: a code of no symbols, or of one symbol with one bit. Whoever uses the missing codes
    /// gets an error then.
    Allowed,
    Refused,
}

/// Builds the table of the canonical Huffman code with these code lengths.
fn build<E: Entry>(
    lengths: &[u8],
    meanings: &[E],
    first_bits: u32,
    gaps: Gaps,
    table: &mut [[u8; SIZE]],
) -> Result<(), NoCode> {
    let mut counts = [0_u32; LONGEST + 1];
    for length in lengths {
        counts[usize::from(*length) & LONGEST] += 1;
    }
    counts[0] = 0;
    // Where the symbols of each length start in the list of symbols sorted by length, and what of the space of
    // codes is used.
    let mut starts = [0_u32; LONGEST + 2];
    let mut space = 0_u32;
    let mut longest = 0;
    for length in 1..=LONGEST {
        starts[length + 1] = starts[length] + counts[length];
        space = (space << 1) + counts[length];
        if counts[length] > 0 {
            longest = length;
        }
        if space > 1 << length {
            return Err(NoCode);
        }
    }
    let first_size = 1_usize << first_bits;
    if space < 1 << LONGEST {
        if gaps == Gaps::Refused || longest > 1 {
            return Err(NoCode);
        }
        let Some(first_level) = table.get_mut(..first_size) else {
            return Err(NoCode);
        };
        first_level.fill(E::NOTHING.to_bytes());
        if longest == 1 {
            let symbol = lengths.iter().position(|length| *length == 1).unwrap_or(0);
            let one = meanings.get(symbol).copied().unwrap_or(E::NOTHING).coded(1);
            first_level
                .iter_mut()
                .step_by(2)
                .for_each(|slot| *slot = one.to_bytes());
        }
        return Ok(());
    }
    let mut sorted = [0_u16; LITERALS];
    let mut next = starts;
    for (symbol, length) in lengths.iter().enumerate() {
        let length = usize::from(*length) & LONGEST;
        if length > 0
            && let Some(slot) = sorted.get_mut(next[length] as usize)
        {
            *slot = symbol as u16;
            next[length] += 1;
        }
    }
    let mut symbols = sorted.iter().map(|symbol| {
        meanings
            .get(usize::from(*symbol))
            .copied()
            .unwrap_or(E::NOTHING)
    });

    // Codes are read from their first bit, which is the lowest here, so they are counted up with bits reversed.
    let mut code = 0_usize;
    let mut length = 1_usize;
    let mut size = 2_usize;
    // The first level: filled as far as the codes of one length need, then doubled.
    while length <= first_bits as usize {
        for _ in 0..counts[length] {
            if let (Some(slot), Some(meaning)) = (table.get_mut(code), symbols.next()) {
                *slot = meaning.coded(length as u32).to_bytes();
            }
            if code == size - 1 {
                // All bits set: the last code. Fill up the rest.
                while size < first_size {
                    table.copy_within(..size, size);
                    size *= 2;
                }
                return Ok(());
            }
            code = increment(code, size);
        }
        length += 1;
        if length <= first_bits as usize {
            table.copy_within(..size, size);
            size *= 2;
        }
    }
    // Longer codes: a second level for each first part.
    let mut end = first_size;
    let mut part = usize::MAX;
    let mut start = 0;
    let mut further_bits;
    loop {
        while length <= LONGEST && counts[length] == 0 {
            length += 1;
        }
        if length > LONGEST {
            return Err(NoCode);
        }
        size = 1 << length;
        for remaining in (1..=counts[length]).rev() {
            if code & (first_size - 1) != part {
                part = code & (first_size - 1);
                start = end;
                // As many bits as the codes with this first part need to be complete.
                further_bits = length as u32 - first_bits;
                let mut room = remaining;
                let mut at = length;
                while room < 1 << further_bits && at < LONGEST {
                    at += 1;
                    further_bits += 1;
                    room = (room << 1) + counts[at];
                }
                end = start + (1 << further_bits);
                if let Some(slot) = table.get_mut(part) {
                    *slot = E::further(start, further_bits, first_bits).to_bytes();
                }
            }
            let Some(meaning) = symbols.next() else {
                return Err(NoCode);
            };
            let own_bits = length as u32 - first_bits;
            let entry = meaning.coded(own_bits).to_bytes();
            let step = 1 << own_bits;
            let mut at = start + (code >> first_bits);
            while at < end {
                if let Some(slot) = table.get_mut(at) {
                    *slot = entry;
                }
                at += step;
            }
            if code == size - 1 {
                return Ok(());
            }
            code = increment(code, size);
        }
        length += 1;
    }
}

/// The next code of the same length, bits reversed; `size` is `1 << length`.
fn increment(code: usize, size: usize) -> usize {
    let bit = 1 << (usize::BITS - 1 - ((size - 1) ^ code).leading_zeros());
    (code & (bit - 1)) | bit
}

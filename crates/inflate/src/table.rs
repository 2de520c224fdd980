//! Decoding tables: what the next bits of the stream mean, looked up at once.
//!
//! A table has a first level that is looked up by the next bits, and second levels for the codes that are longer.
//! An entry of either holds in its lowest byte the bits to use up, so that the decoder subtracts it as it is.

/// Longest code.
pub(crate) const LONGEST: usize = 15;
/// Symbols of the literal and length alphabet, and of the distance alphabet, with those that are never valid.
pub(crate) const LITERALS: usize = 288;
pub(crate) const DISTANCES: usize = 32;

/// Bits of the first levels. Larger tables cost more to build and fall out of the cache, smaller ones need a
/// second look more often.
pub(crate) const LITERAL_BITS: u32 = 11;
pub(crate) const DISTANCE_BITS: u32 = 8;
pub(crate) const CODE_LENGTH_BITS: u32 = 7;

/// An entry is a literal: `literal << 16 | bits`.
pub(crate) const LITERAL: u32 = 1 << 31;
/// An entry is neither a literal nor a base value: see the next two. None of them: a code that stands for nothing.
pub(crate) const EXCEPTION: u32 = 1 << 15;
/// Look further: `start << 16 | bits of the second level << 8 | bits`.
pub(crate) const FURTHER: u32 = 1 << 14;
/// The end of the block.
pub(crate) const END: u32 = 1 << 13;

/// Room for every possible set of codes (zlib's `enough`: 2,342 entries for 288 symbols and 11 bits, 402 for 32
/// and 8), as a power of two, so that a masked index is within it.
pub(crate) const LITERAL_ROOM: usize = 4096;
pub(crate) const DISTANCE_ROOM: usize = 512;
pub(crate) const CODE_LENGTH_ROOM: usize = 128;

/// A base value and its extra bits (RFC 1951, 3.2.5), without the code's own bits.
const fn value(base: u32, extra: u32) -> u32 {
    base << 16 | extra
}

/// What literal and length symbols mean. Symbols 286 and 287 take part in the code but never occur.
static LITERAL_MEANINGS: [u32; LITERALS] = {
    let mut meanings = [EXCEPTION; LITERALS];
    let mut literal = 0;
    while literal < 256 {
        meanings[literal] = LITERAL | (literal as u32) << 16;
        literal += 1;
    }
    meanings[256] = EXCEPTION | END;
    // Eight lengths with no extra bits, then four for each number of them; 258 has a symbol of its own.
    let mut symbol = 0;
    let mut base = 3;
    while symbol < 28 {
        let extra = if symbol < 8 { 0 } else { symbol / 4 - 1 };
        meanings[257 + symbol] = value(base, extra as u32);
        base += 1 << extra;
        symbol += 1;
    }
    meanings[285] = value(258, 0);
    meanings
};

/// What distance symbols mean. 30 and 31 take part in the code but never occur.
static DISTANCE_MEANINGS: [u32; DISTANCES] = {
    let mut meanings = [EXCEPTION; DISTANCES];
    let mut symbol = 0;
    let mut base = 1;
    while symbol < 30 {
        let extra = if symbol < 4 { 0 } else { symbol / 2 - 1 };
        meanings[symbol] = value(base, extra as u32);
        base += 1 << extra;
        symbol += 1;
    }
    meanings
};

/// Code length symbols mean themselves.
static CODE_LENGTH_MEANINGS: [u32; 19] = {
    let mut meanings = [0; 19];
    let mut symbol = 0;
    while symbol < 19 {
        meanings[symbol] = value(symbol as u32, 0);
        symbol += 1;
    }
    meanings
};

/// The lengths do not make a code: some bits would mean two things, or nothing.
pub(crate) struct Unusable;

pub(crate) fn literals(lengths: &[u8], table: &mut [u32; LITERAL_ROOM]) -> Result<(), Unusable> {
    build(lengths, &LITERAL_MEANINGS, LITERAL_BITS, true, table)
}

pub(crate) fn distances(lengths: &[u8], table: &mut [u32; DISTANCE_ROOM]) -> Result<(), Unusable> {
    build(lengths, &DISTANCE_MEANINGS, DISTANCE_BITS, true, table)
}

pub(crate) fn code_lengths(
    lengths: &[u8],
    table: &mut [u32; CODE_LENGTH_ROOM],
) -> Result<(), Unusable> {
    build(
        lengths,
        &CODE_LENGTH_MEANINGS,
        CODE_LENGTH_BITS,
        false,
        table,
    )
}

/// The entry of a symbol whose code uses `bits` bits of this level.
fn entry(meaning: u32, bits: u32) -> u32 {
    // The extra bits stand in the lowest byte already.
    if meaning & (LITERAL | EXCEPTION) == 0 {
        meaning + (bits << 8 | bits)
    } else {
        meaning | bits
    }
}

/// Builds the table of the canonical Huffman code with these code lengths.
///
/// zlib accepts an incomplete code of one symbol with a code of one bit, and a code of no symbols, where
/// `may_be_incomplete`; whoever uses the missing codes then gets an error.
fn build(
    lengths: &[u8],
    meanings: &[u32],
    first_bits: u32,
    may_be_incomplete: bool,
    table: &mut [u32],
) -> Result<(), Unusable> {
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
            return Err(Unusable);
        }
    }
    let first_size = 1_usize << first_bits;
    if space < 1 << LONGEST {
        if !may_be_incomplete || longest > 1 {
            return Err(Unusable);
        }
        let Some(first_level) = table.get_mut(..first_size) else {
            return Err(Unusable);
        };
        first_level.fill(EXCEPTION);
        if longest == 1 {
            let symbol = lengths.iter().position(|length| *length == 1).unwrap_or(0);
            let one = entry(meanings.get(symbol).copied().unwrap_or(EXCEPTION), 1);
            first_level
                .iter_mut()
                .step_by(2)
                .for_each(|slot| *slot = one);
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
            .unwrap_or(EXCEPTION)
    });

    // Codes are read from their first bit, which is the lowest here, so they are counted up with bits reversed.
    let mut code = 0_usize;
    let mut length = 1_usize;
    let mut size = 2_usize;
    // The first level: filled as far as the codes of one length need, then doubled.
    while length <= first_bits as usize {
        for _ in 0..counts[length] {
            if let (Some(slot), Some(meaning)) = (table.get_mut(code), symbols.next()) {
                *slot = entry(meaning, length as u32);
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
    let mut further_bits = 0;
    loop {
        while length <= LONGEST && counts[length] == 0 {
            length += 1;
        }
        if length > LONGEST {
            return Err(Unusable);
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
                    *slot =
                        (start as u32) << 16 | EXCEPTION | FURTHER | further_bits << 8 | first_bits;
                }
            }
            let Some(meaning) = symbols.next() else {
                return Err(Unusable);
            };
            let own_bits = length as u32 - first_bits;
            let entry = entry(meaning, own_bits);
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

//! What the symbols of the three alphabets mean, in the form that the entries of tables have.

/// Symbols of the literal and length alphabet, and of the distance alphabet, with those that are never valid.
pub(crate) const LITERALS: usize = 288;
pub(crate) const DISTANCES: usize = 32;
pub(crate) const CODE_LENGTHS: usize = 19;

// An entry of a table, from its lowest bit on:
//
//  0..6    bits to use up, extra bits included
//  6..8    flags
//  8..12   bits of the code alone, behind which the extra bits stand; or bits of the second level
//  12..16  number of extra bits
//  16..31  literal, base value, or where the second level starts
//  31      flag

/// Look further, in a second level. Only with `EXCEPTION`.
pub(crate) const FURTHER: u32 = 1 << 6;
/// Neither a literal nor a base value, but the end or, without one of the flags, a code that stands for nothing.
pub(crate) const EXCEPTION: u32 = 1 << 7;
/// The end of the block. Only with `EXCEPTION` and without `FURTHER`.
pub(crate) const END: u32 = 1 << 16;
/// A literal.
pub(crate) const LITERAL: u32 = 1 << 31;

/// Bits that an entry uses up.
#[inline(always)]
pub(crate) fn used(entry: u32) -> u32 {
    entry & 63
}

/// Whether an entry says to look further.
#[inline(always)]
pub(crate) fn is_further(entry: u32) -> bool {
    entry & (EXCEPTION | FURTHER) == EXCEPTION | FURTHER
}

/// Where to look further, by the bits behind those of the entry.
#[inline(always)]
pub(crate) fn further(entry: u32, bits: u64) -> usize {
    let index = bits as u32 & !(u32::MAX << (entry >> 8 & 15));
    ((entry >> 16) + index) as usize
}

/// The base value of an entry and its extra bits, which stand behind the code in `bits`.
///
/// That the number of extra bits stands in the entry twice is for speed: were it worked out of the bits to use up,
/// the compiler would mask those for both, and looking up symbols would take longer by that.
#[inline(always)]
pub(crate) fn value(entry: u32, bits: u64) -> usize {
    let extra = (bits >> (entry >> 8 & 15)) as u32 & !(u32::MAX << (entry >> 12 & 15));
    ((entry >> 16) + extra) as usize
}

/// The entry of a symbol whose code uses `bits` bits of this level. The extra bits stand in its meaning already.
pub(crate) fn entry(meaning: u32, bits: u32) -> u32 {
    meaning + (bits << 8 | bits)
}

/// A base value and its extra bits (RFC 1951, 3.2.5), without the code's own bits.
const fn meaning(base: u32, extra: u32) -> u32 {
    base << 16 | extra << 12 | extra
}

/// What literal and length symbols mean. Symbols 286 and 287 take part in the code but never occur.
pub(crate) static LITERAL_MEANINGS: [u32; LITERALS] = {
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
        meanings[257 + symbol] = meaning(base, extra as u32);
        base += 1 << extra;
        symbol += 1;
    }
    meanings[285] = meaning(258, 0);
    meanings
};

/// What distance symbols mean. 30 and 31 take part in the code but never occur.
pub(crate) static DISTANCE_MEANINGS: [u32; DISTANCES] = {
    let mut meanings = [EXCEPTION; DISTANCES];
    let mut symbol = 0;
    let mut base = 1;
    while symbol < 30 {
        let extra = if symbol < 4 { 0 } else { symbol / 2 - 1 };
        meanings[symbol] = meaning(base, extra as u32);
        base += 1 << extra;
        symbol += 1;
    }
    meanings
};

/// Code length symbols mean themselves.
pub(crate) static CODE_LENGTH_MEANINGS: [u32; CODE_LENGTHS] = {
    let mut meanings = [0; CODE_LENGTHS];
    let mut symbol = 0;
    while symbol < CODE_LENGTHS {
        meanings[symbol] = meaning(symbol as u32, 0);
        symbol += 1;
    }
    meanings
};

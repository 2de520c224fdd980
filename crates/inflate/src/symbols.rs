//! What the symbols of the three alphabets mean (RFC 1951, 3.2.5 and 3.2.7).

use crate::entry::{Entry, LiteralEntry, ValueEntry};

/// Symbols of the literal and length alphabet, and of the distance alphabet, with those that are never valid.
pub(crate) const LITERALS: usize = 288;
pub(crate) const DISTANCES: usize = 32;
pub(crate) const CODE_LENGTHS: usize = 19;

/// Symbols 286 and 287 take part in the code but never occur.
pub(crate) static LITERAL_MEANINGS: [LiteralEntry; LITERALS] = {
    let mut meanings = [LiteralEntry::NOTHING; LITERALS];
    let mut literal = 0;
    while literal < 256 {
        meanings[literal] = LiteralEntry::of_literal(literal as u8);
        literal += 1;
    }
    meanings[256] = LiteralEntry::BLOCK_END;
    // Eight lengths with no extra bits, then four for each number of them; 258 has a symbol of its own.
    let mut symbol = 0;
    let mut base = 3;
    while symbol < 28 {
        let extra = if symbol < 8 { 0 } else { symbol / 4 - 1 };
        meanings[257 + symbol] = LiteralEntry::of_length(base, extra as u32);
        base += 1 << extra;
        symbol += 1;
    }
    meanings[285] = LiteralEntry::of_length(258, 0);
    meanings
};

/// Symbols 30 and 31 take part in the code but never occur.
pub(crate) static DISTANCE_MEANINGS: [ValueEntry; DISTANCES] = {
    let mut meanings = [ValueEntry::NOTHING; DISTANCES];
    let mut symbol = 0;
    let mut base = 1;
    while symbol < 30 {
        let extra = if symbol < 4 { 0 } else { symbol / 2 - 1 };
        meanings[symbol] = ValueEntry::of(base, extra as u32);
        base += 1 << extra;
        symbol += 1;
    }
    meanings
};

/// Code length symbols mean themselves.
pub(crate) static CODE_LENGTH_MEANINGS: [ValueEntry; CODE_LENGTHS] = {
    let mut meanings = [ValueEntry::NOTHING; CODE_LENGTHS];
    let mut symbol = 0;
    while symbol < CODE_LENGTHS {
        meanings[symbol] = ValueEntry::of(symbol as u32, 0);
        symbol += 1;
    }
    meanings
};

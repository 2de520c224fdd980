//! Entries of decoding tables: all that a code says, in a word.

/// Bytes of an entry as a table holds it.
pub(crate) const SIZE: usize = 4;

/// What a table is made of.
pub(crate) trait Entry: Copy {
    /// Bits that stand for nothing.
    const NOTHING: Self;

    /// As a table holds it.
    fn to_bytes(self) -> [u8; SIZE];

    /// As a table held it.
    fn from_bytes(bytes: [u8; SIZE]) -> Self;

    /// The entry of a symbol of which this is the meaning and whose code uses `bits` bits of this level.
    fn coded(self, bits: u32) -> Self;

    /// An entry that says to look further, by the `more` bits behind the `bits` of this level.
    fn further(start: usize, more: u32, bits: u32) -> Self;
}

/// What a code for a literal, a length or the end says. From its lowest bit on:
///
/// ```text
///  0..6    bits to use up, of a literal; of anything else none, so that it can be used up before it is known
///          not to be a literal
///  6..8    flags
///  8..14   bits to use up, of anything else, extra bits included
/// 14..18   bits of the code alone, behind which the extra bits stand; or bits of the second level
/// 18..21   number of extra bits
/// 22..31   length
/// 31       flag
///
/// 16..24   literal, instead of all from bit 8 on
/// 18..31   where the second level starts, instead of all from there on
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LiteralEntry(u32);

impl LiteralEntry {
    const FURTHER: u32 = 1 << 6;
    const EXCEPTION: u32 = 1 << 7;
    /// Only with `EXCEPTION` and without `FURTHER`.
    const END: u32 = 1 << 22;
    const LITERAL: u32 = 1 << 31;

    pub(crate) const BLOCK_END: Self = Self(Self::EXCEPTION | Self::END);

    pub(crate) const fn of_literal(literal: u8) -> Self {
        Self(Self::LITERAL | (literal as u32) << 16)
    }

    pub(crate) const fn of_length(base: u32, extra: u32) -> Self {
        Self(base << 22 | extra << 18 | extra << 8)
    }

    #[inline(always)]
    pub(crate) fn is_literal(self) -> bool {
        self.0 & Self::LITERAL != 0
    }

    /// 1 for a literal, 0 for anything else.
    #[inline(always)]
    pub(crate) fn literals(self) -> usize {
        (self.0 >> 31) as usize
    }

    #[inline(always)]
    pub(crate) fn literal(self) -> u8 {
        (self.0 >> 16) as u8
    }

    /// Neither a literal nor a length.
    #[inline(always)]
    pub(crate) fn is_exception(self) -> bool {
        self.0 & Self::EXCEPTION != 0
    }

    #[inline(always)]
    pub(crate) fn is_further(self) -> bool {
        self.0 & Self::FURTHER != 0
    }

    /// Of an exception: whether it is the end. Otherwise it stands for nothing.
    #[inline(always)]
    pub(crate) fn is_end(self) -> bool {
        self.0 & Self::END != 0
    }

    /// In the lowest six bits: what to use up if it is a literal.
    #[inline(always)]
    pub(crate) fn used_by_literal(self) -> u32 {
        self.0
    }

    /// In the lowest six bits: what to use up if it is no literal.
    #[inline(always)]
    pub(crate) fn used_by_other(self) -> u32 {
        self.0 >> 8
    }

    /// The bits to use up.
    pub(crate) fn used(self) -> u32 {
        let used = if self.is_literal() {
            self.used_by_literal()
        } else {
            self.used_by_other()
        };
        used & 63
    }

    /// Where to look further, by the bits behind those of this entry.
    #[inline(always)]
    pub(crate) fn place(self, bits: u64) -> usize {
        let more = bits as u32 & !(u32::MAX << (self.0 >> 14 & 15));
        ((self.0 >> 18) + more) as usize
    }

    /// The length, by the bits that the code stands in.
    ///
    /// That the number of extra bits stands in the entry twice is for speed: were it worked out of the bits to use
    /// up, the compiler would mask those for both, and looking up the next symbol would take longer by that.
    #[inline(always)]
    pub(crate) fn length(self, bits: u64) -> usize {
        let extra = (bits >> (self.0 >> 14 & 15)) as u32 & !(u32::MAX << (self.0 >> 18 & 7));
        ((self.0 >> 22) + extra) as usize
    }
}

impl Entry for LiteralEntry {
    const NOTHING: Self = Self(Self::EXCEPTION);

    #[inline(always)]
    fn to_bytes(self) -> [u8; SIZE] {
        self.0.to_le_bytes()
    }

    #[inline(always)]
    fn from_bytes(bytes: [u8; SIZE]) -> Self {
        Self(u32::from_le_bytes(bytes))
    }

    fn coded(self, bits: u32) -> Self {
        // The extra bits are in it already.
        if self.is_literal() {
            Self(self.0 | bits)
        } else {
            Self(self.0 + (bits << 8 | bits << 14))
        }
    }

    fn further(start: usize, more: u32, bits: u32) -> Self {
        let flags = Self::EXCEPTION | Self::FURTHER;
        Self(flags | (start as u32) << 18 | more << 14 | bits << 8)
    }
}

/// What a code for a distance or the length of a code says. From its lowest bit on:
///
/// ```text
///  0..6    bits to use up, extra bits included
///  6..8    flags
///  8..12   bits of the code alone, behind which the extra bits stand; or bits of the second level
/// 12..16   number of extra bits
/// 16..32   base value; or where the second level starts
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueEntry(u32);

impl ValueEntry {
    const FURTHER: u32 = 1 << 6;
    const EXCEPTION: u32 = 1 << 7;

    pub(crate) const fn of(base: u32, extra: u32) -> Self {
        Self(base << 16 | extra << 12 | extra)
    }

    /// No value.
    #[inline(always)]
    pub(crate) fn is_exception(self) -> bool {
        self.0 & Self::EXCEPTION != 0
    }

    #[inline(always)]
    pub(crate) fn is_further(self) -> bool {
        self.0 & Self::FURTHER != 0
    }

    /// In the lowest six bits: what to use up.
    #[inline(always)]
    pub(crate) fn to_use_up(self) -> u32 {
        self.0
    }

    /// The bits to use up.
    pub(crate) fn used(self) -> u32 {
        self.0 & 63
    }

    /// Where to look further, by the bits behind those of this entry.
    #[inline(always)]
    pub(crate) fn place(self, bits: u64) -> usize {
        let more = bits as u32 & !(u32::MAX << (self.0 >> 8 & 15));
        ((self.0 >> 16) + more) as usize
    }

    /// The value, by the bits that the code stands in.
    #[inline(always)]
    pub(crate) fn value(self, bits: u64) -> usize {
        let extra = (bits >> (self.0 >> 8 & 15)) as u32 & !(u32::MAX << (self.0 >> 12 & 15));
        ((self.0 >> 16) + extra) as usize
    }
}

impl Entry for ValueEntry {
    const NOTHING: Self = Self(Self::EXCEPTION);

    #[inline(always)]
    fn to_bytes(self) -> [u8; SIZE] {
        self.0.to_le_bytes()
    }

    #[inline(always)]
    fn from_bytes(bytes: [u8; SIZE]) -> Self {
        Self(u32::from_le_bytes(bytes))
    }

    fn coded(self, bits: u32) -> Self {
        Self(self.0 + (bits << 8 | bits))
    }

    fn further(start: usize, more: u32, bits: u32) -> Self {
        let flags = Self::EXCEPTION | Self::FURTHER;
        Self(flags | (start as u32) << 16 | more << 8 | bits)
    }
}

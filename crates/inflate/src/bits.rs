//! The input, and the bits of it that are looked at.

use crate::entry::SIZE;

/// The input of one call, and how much of it is used.
pub(crate) struct Input<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

/// Bits that were used up and are kept below the next ones by the fast loop. With them, masking gives the offset of
/// an entry in a table at once: a processor takes longer for an address of which a part is multiplied.
pub(crate) const SPENT: u32 = SIZE.trailing_zeros();

/// The next bits of the stream, lowest first.
///
/// Between calls, and wherever a byte is added alone, all bits beyond `held` are zero.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bits {
    bits: u64,
    held: u32,
}

impl Bits {
    pub(crate) fn held(self) -> u32 {
        self.held
    }

    /// The bits from the `skip`th on.
    pub(crate) fn from(self, skip: u32) -> u64 {
        self.bits >> skip
    }

    /// The next `count` bits.
    pub(crate) fn first(self, count: u32) -> u64 {
        self.bits & !(u64::MAX << count)
    }

    /// Takes `count` bits; `None`, with what there is held, if there is not enough input.
    pub(crate) fn take(&mut self, count: u32, input: &mut Input<'_>) -> Option<u32> {
        while self.held < count {
            if !self.fill(input) {
                return None;
            }
        }
        let taken = self.first(count) as u32;
        self.drop(count);
        Some(taken)
    }

    /// Holds one more byte. False without input.
    pub(crate) fn fill(&mut self, input: &mut Input<'_>) -> bool {
        let Some(byte) = input.bytes.get(input.at) else {
            return false;
        };
        self.bits |= u64::from(*byte) << self.held;
        self.held += 8;
        input.at += 1;
        true
    }

    /// Holds as many more bytes as there is room for. False with too little input. What is not needed is given
    /// back in the same call.
    pub(crate) fn fill_up(&mut self, input: &mut Input<'_>) -> bool {
        let Some(word) = input.rest().first_chunk() else {
            return false;
        };
        input.at += self.refill(*word);
        self.bits &= !(u64::MAX << self.held);
        true
    }

    /// Lets `count` bits go, which are held.
    pub(crate) fn drop(&mut self, count: u32) {
        self.bits >>= count;
        self.held -= count;
    }

    /// Gives whole bytes back to the input that they came from.
    pub(crate) fn give_back(&mut self, input: &mut Input<'_>) {
        let bytes = self.held as usize / 8;
        debug_assert!(bytes <= input.at, "bytes of an earlier call are held");
        input.at = input.at.saturating_sub(bytes);
        self.held %= 8;
        self.bits &= !(u64::MAX << self.held);
    }

    /// As the fast loop has them: with room for the [`SPENT`] ones, and filled up. How many of the next bytes that
    /// used.
    #[inline(always)]
    pub(crate) fn start_fast(&mut self, next: [u8; 8]) -> usize {
        debug_assert!(self.held + SPENT < 64, "bits are lost");
        self.bits <<= SPENT;
        self.held += SPENT;
        self.refill(next)
    }

    /// As they are outside of the fast loop, with the bytes that are not needed given back.
    pub(crate) fn end_fast(&mut self, input: &mut Input<'_>) {
        self.bits >>= SPENT;
        self.held = (self.held & 63) - SPENT;
        self.give_back(input);
    }

    /// What comes next in the fast loop, as the offset of an entry of a table that is looked up by `COUNT` bits.
    #[inline(always)]
    pub(crate) fn offset<const COUNT: u32>(self) -> usize {
        let mask = !(u64::MAX << COUNT) << SPENT;
        (self.bits & mask) as usize
    }

    /// What comes next in the fast loop.
    #[inline(always)]
    pub(crate) fn next(self) -> u64 {
        self.bits >> SPENT
    }

    /// Fills up to at least 56 bits, with the spent ones, with the next bytes: how many of them were used.
    ///
    /// Only the lowest six bits of `held` need to be right. Bits beyond it are those of the bytes that were not
    /// used, so that adding them again changes nothing.
    #[inline(always)]
    pub(crate) fn refill(&mut self, next: [u8; 8]) -> usize {
        self.bits |= u64::from_le_bytes(next) << (self.held & 63);
        let used = 7 - (self.held >> 3 & 7) as usize;
        self.held |= 56;
        used
    }

    /// Lets as many bits go as the lowest six bits of `entry` say. The rest of it ends up in `held`, where only
    /// the lowest six count.
    #[inline(always)]
    pub(crate) fn use_up(&mut self, entry: u32) {
        self.bits = self.bits.wrapping_shr(entry);
        self.held = self.held.wrapping_sub(entry);
    }
}

//! Anything at all, beside zlib.

use proptest::prelude::*;

use crate::support::{Numbers, Pieces, check_like_zlib, deflate};

fn pieces() -> impl Strategy<Value = Pieces> {
    (1_usize..3000, 1_usize..3000).prop_map(|(input, room)| Pieces { input, room })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_bytes_are_judged_as_by_zlib(
        packed in prop::collection::vec(any::<u8>(), 0..2000),
        pieces in pieces(),
    ) {
        check_like_zlib(&packed, pieces);
    }

    /// Any bytes as a dynamic block: one byte of a thousand begins one else.
    #[test]
    fn any_dynamic_block_is_judged_as_by_zlib(
        mut packed in prop::collection::vec(any::<u8>(), 100..2000),
        pieces in pieces(),
    ) {
        // Not the last, dynamic; 286 literals at most.
        packed[0] = packed[0] & 0x78 | 4;
        check_like_zlib(&packed, pieces);
    }

    #[test]
    fn a_stream_with_damage_is_judged_as_by_zlib(
        seed in any::<u64>(),
        kinds in 2_usize..256,
        level in 0_u32..10,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        pieces in pieces(),
    ) {
        let mut numbers = Numbers(seed);
        let mut content = Vec::new();
        for _ in 0..400 {
            let count = 1 + numbers.below(40);
            if content.len() > 50 && numbers.below(2) == 0 {
                let from = numbers.below(content.len() - 40);
                content.extend_from_within(from..from + count);
            } else {
                content.extend_from_slice(&numbers.bytes(count, kinds));
            }
        }
        let mut packed = deflate(&content, level);
        for (at, byte) in damage {
            let at = at.index(packed.len());
            packed[at] ^= byte;
        }
        check_like_zlib(&packed, pieces);
    }
}

//! Damaged streams: the same must be accepted and refused as by zlib.

use crate::support::{Pieces, check_like_zlib, contents, deflate};

#[test]
fn every_flipped_bit_is_judged_as_by_zlib() {
    let pieces = Pieces {
        input: usize::MAX,
        room: 1 << 14,
    };
    for (_, content) in contents() {
        // The end of a content, too: there the window is full and the blocks are dynamic.
        for content in [
            &content[..content.len().min(400)],
            &content[content.len().saturating_sub(1000)..],
        ] {
            for level in [0, 1, 6] {
                let mut packed = deflate(content, level);
                // The fast loop wants something behind.
                packed.extend_from_slice(&[0x5a; 40]);
                for bit in 0..(packed.len() - 40) * 8 {
                    packed[bit / 8] ^= 1 << (bit % 8);
                    check_like_zlib(&packed, pieces);
                    packed[bit / 8] ^= 1 << (bit % 8);
                }
            }
        }
    }
}

#[test]
fn every_flipped_bit_is_judged_as_by_zlib_in_small_pieces() {
    let pieces = Pieces { input: 3, room: 11 };
    for (_, content) in contents() {
        let mut packed = deflate(&content[..content.len().min(150)], 6);
        for bit in 0..packed.len() * 8 {
            packed[bit / 8] ^= 1 << (bit % 8);
            check_like_zlib(&packed, pieces);
            packed[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

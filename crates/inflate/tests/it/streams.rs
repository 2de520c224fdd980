//! Streams that zlib makes.

use crate::support::{AWKWARD, End, Pieces, WHOLE, check_like_zlib, contents, deflate, ours};

#[test]
fn whatever_zlib_packs_comes_out_again_in_any_pieces() {
    for (name, content) in contents() {
        for level in 0..=9 {
            let packed = deflate(&content, level);
            let pieces = if level == 6 { &AWKWARD[..] } else { &[WHOLE] };
            for pieces in pieces {
                let (output, end) = ours(&packed, *pieces);
                assert_eq!(
                    end,
                    End::Whole { unused: 0 },
                    "{name}, level {level}, {pieces:?}"
                );
                assert!(output == content, "{name}, level {level}, {pieces:?}");
            }
        }
    }
}

#[test]
fn what_follows_a_stream_is_not_used() {
    for (name, content) in contents() {
        let mut packed = deflate(&content, 6);
        packed.extend_from_slice(&[0xff; 100]);
        for pieces in AWKWARD {
            let (_, end) = ours(&packed, pieces);
            assert_eq!(end, End::Whole { unused: 100 }, "{name}, {pieces:?}");
        }
    }
}

#[test]
fn a_room_of_exactly_the_content_is_enough() {
    for (name, content) in contents() {
        let packed = deflate(&content, 6);
        let exact = Pieces {
            input: usize::MAX,
            room: content.len(),
        };
        let (output, end) = ours(&packed, exact);
        assert_eq!(end, End::Whole { unused: 0 }, "{name}");
        assert!(output == content, "{name}");
    }
}

#[test]
fn a_stream_that_is_cut_anywhere_wants_more() {
    for (name, content) in contents() {
        let content = &content[..content.len().min(3000)];
        for level in [0, 1, 6] {
            let packed = deflate(content, level);
            for length in 0..packed.len() {
                let (output, end) = ours(&packed[..length], WHOLE);
                assert_eq!(end, End::Truncated, "{name}, level {level}, {length}");
                assert!(content.starts_with(&output), "{name}, {level}, {length}");
            }
            check_like_zlib(&packed[..packed.len() / 2], WHOLE);
        }
    }
}

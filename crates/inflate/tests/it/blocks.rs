//! Blocks made by hand: what zlib never writes, but reads.

use seareeve_inflate::{Inflate, InflateError};

use crate::support::{AWKWARD, End, Numbers, Pieces, WHOLE, check_like_zlib, drive, ours, zlib};
use crate::writer::Token::{Distance, Literal, Match, Symbol};
use crate::writer::{Token, Writer, random_code};

const END: Token = Symbol(256);

/// Lengths with one bit for `a`, and the others of the same length, for which their number must fit.
fn lengths(count: usize, symbols: &[(usize, u8)]) -> Vec<u8> {
    let mut lengths = vec![0; count];
    for (symbol, length) in symbols {
        lengths[*symbol] = *length;
    }
    lengths
}

#[test]
fn blocks_of_all_types_follow_each_other() {
    let a = usize::from(b'a');
    let literals = lengths(258, &[(a, 2), (256, 2), (257, 1)]);
    let mut writer = Writer::default();
    let near = Match {
        length: 3,
        distance: 1,
    };
    let packed = writer
        .fixed(0, &[Literal(b'x'), Literal(b'y'), END])
        .stored(0, b"stored")
        .stored(0, b"")
        .dynamic(0, &literals, &[1], &[Literal(b'a'), near, END])
        .fixed(0, &[END])
        .stored(1, b"end")
        .finish();
    for pieces in AWKWARD {
        let (output, end) = ours(&packed, pieces);
        assert_eq!(end, End::Whole { unused: 0 });
        assert_eq!(output, b"xystoredaaaaend");
        check_like_zlib(&packed, pieces);
    }
}

#[test]
fn every_error_has_its_name() {
    let a = usize::from(b'a');
    let good = lengths(258, &[(a, 2), (256, 2), (257, 1)]);
    let no_end = lengths(258, &[(a, 1), (257, 1)]);
    let too_many = lengths(257, &[(a, 1), (98, 1), (256, 1)]);
    let too_few = lengths(257, &[(a, 2), (256, 2)]);
    let one = lengths(257, &[(256, 1)]);
    let match_first = [Match {
        length: 3,
        distance: 1,
    }];
    let mut w = Writer::default();
    let cases = [
        (w.put(7, 3).finish(), InflateError::BlockType),
        (w.put(1, 3).put(0, 37).finish(), InflateError::StoredLength),
        // 287 literals; 31 distances; a repetition of nothing; more lengths than there are symbols.
        (
            w.put(5, 3).put(30, 5).put(0, 9).finish(),
            InflateError::TooManyCodes,
        ),
        (
            w.put(5, 3).put(0, 5).put(30, 5).put(0, 4).finish(),
            InflateError::TooManyCodes,
        ),
        (
            w.put(5, 3).put(0, 14).put(0o0011, 12).put(0, 8).finish(),
            InflateError::CodeLengths,
        ),
        (
            w.put(5, 3)
                .put(0, 14)
                .put(0o0110, 12)
                .put(0xffff, 16)
                .finish(),
            InflateError::CodeLengths,
        ),
        // Code length codes that are incomplete, and too many.
        (
            w.put(5, 3).put(0, 14).put(0o1000, 12).finish(),
            InflateError::CodeLengths,
        ),
        (
            w.put(5, 3).put(0, 14).put(0o1111, 12).finish(),
            InflateError::CodeLengths,
        ),
        (w.head(1, &no_end, &[1]).finish(), InflateError::NoEnd),
        (
            w.head(1, &too_many, &[1]).finish(),
            InflateError::CodeLengths,
        ),
        (
            w.head(1, &too_few, &[1]).finish(),
            InflateError::CodeLengths,
        ),
        (w.head(1, &good, &[2]).finish(), InflateError::CodeLengths),
        (
            w.head(1, &good, &[1, 1, 1]).finish(),
            InflateError::CodeLengths,
        ),
        (
            w.put(5, 3).put(0, 14).put(0, 12).finish(),
            InflateError::CodeLengths,
        ),
        // The code of one symbol has one bit, which is 0.
        (w.head(1, &one, &[0]).put(1, 1).finish(), InflateError::Code),
        (
            w.dynamic(1, &good, &[0], &[Literal(b'a')])
                .put(0, 9)
                .finish(),
            InflateError::Code,
        ),
        (
            w.dynamic(1, &good, &[1], &[Literal(b'a'), Symbol(257)])
                .put(1, 1)
                .finish(),
            InflateError::Code,
        ),
        (w.fixed(1, &[Symbol(286)]).finish(), InflateError::Code),
        (w.fixed(1, &[Symbol(287)]).finish(), InflateError::Code),
        (
            w.fixed(1, &[Literal(0), Distance(30)]).finish(),
            InflateError::Code,
        ),
        (
            w.fixed(1, &[Literal(0), Distance(31)]).finish(),
            InflateError::Code,
        ),
        (w.fixed(1, &match_first).finish(), InflateError::Distance),
    ];
    for (number, (packed, expected)) in cases.into_iter().enumerate() {
        let (_, status, _) = drive(&mut Inflate::new(), &packed, WHOLE);
        assert_eq!(status, Err(expected), "case {number}: {packed:02x?}");
        let zeros = [&packed[..], &[0; 40]].concat();
        assert_eq!(zlib(&zeros).1, End::Broken, "case {number}: {packed:02x?}");
        for pieces in AWKWARD {
            check_like_zlib(&zeros, pieces);
        }
    }
}

#[test]
fn an_error_behind_a_cut_is_found() {
    for count in 0..40 {
        let mut tokens: Vec<Token> = (0..count).map(Literal).collect();
        tokens.push(Distance(30));
        tokens.extend((0..60).map(Literal));
        let packed = Writer::default().fixed(1, &tokens).finish();
        for input in 20..40 {
            check_like_zlib(&packed, Pieces { input, room: 1000 });
        }
    }
}

#[test]
fn a_code_of_one_symbol_may_be_used() {
    let packed = Writer::default()
        .dynamic(1, &lengths(257, &[(256, 1)]), &[0], &[END])
        .finish();
    assert_eq!(ours(&packed, WHOLE), (Vec::new(), End::Whole { unused: 0 }));
    let literals = lengths(258, &[(7, 2), (256, 2), (257, 1)]);
    let near = Match {
        length: 3,
        distance: 1,
    };
    let packed = Writer::default()
        .dynamic(1, &literals, &[1], &[Literal(7), near, END])
        .finish();
    assert_eq!(ours(&packed, WHOLE), (vec![7; 4], End::Whole { unused: 0 }));
    check_like_zlib(&packed, WHOLE);
}

#[test]
fn a_match_reaches_as_far_as_the_first_byte_and_the_window() {
    let reaching = |literals: usize, distance: usize| {
        let mut tokens: Vec<Token> = (0..literals).map(|at| Literal(at as u8)).collect();
        tokens.push(Match {
            length: 258,
            distance,
        });
        // Enough behind it for the fast loop.
        tokens.extend((0..100).map(|_| Literal(1)));
        tokens.push(END);
        Writer::default().fixed(1, &tokens).finish()
    };
    let cases = [
        (1, 1, true),
        (1, 2, false),
        (300, 300, true),
        (300, 301, false),
        (5000, 5000, true),
        (5000, 5001, false),
        (32_767, 32_768, false),
        (32_768, 32_768, true),
        (70_000, 32_768, true),
    ];
    for (literals, distance, is_good) in cases {
        let packed = reaching(literals, distance);
        assert_eq!(ours(&packed, WHOLE).1 != End::Broken, is_good);
        for pieces in AWKWARD {
            check_like_zlib(&packed, pieces);
        }
    }
}

#[test]
fn any_code_and_any_distance_is_decoded() {
    for seed in 0..300 {
        let numbers = &mut Numbers(seed);
        let count = 2 + numbers.below(285);
        let literals = random_code(numbers, count, 286, 256);
        let count = 2 + numbers.below(29);
        let distances = random_code(numbers, count, 30, 0);
        let mut tokens = Vec::new();
        let mut written = 0;
        for _ in 0..2000 {
            let symbol = numbers.below(286);
            if literals[symbol] == 0 || symbol == 256 {
                continue;
            }
            if symbol < 256 {
                tokens.push(Literal(symbol as u8));
                written += 1;
                continue;
            }
            let length = 3 + numbers.below(256);
            let distance = 1 + numbers.below(written.clamp(1, 32_768));
            if written >= distance && Writer::has(&literals, &distances, length, distance) {
                tokens.push(Match { length, distance });
                written += length;
            }
        }
        tokens.push(END);
        let packed = Writer::default()
            .dynamic(1, &literals, &distances, &tokens)
            .finish();
        let (output, end) = ours(&packed, WHOLE);
        assert_eq!(
            (end, output.len()),
            (End::Whole { unused: 0 }, written),
            "seed {seed}"
        );
        check_like_zlib(&packed, AWKWARD[seed as usize % AWKWARD.len()]);
    }
}

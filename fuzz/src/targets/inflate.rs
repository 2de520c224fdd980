//! DEFLATE in pieces of any size: the same must come out as of zlib, and the same be refused. And any gzip.

use flate2::{Decompress, FlushDecompress};
use seareeve_inflate::{Checksum, Gzip, Inflate, Status, WINDOW};

use crate::Target;
use crate::made;

pub(super) const TARGET: Target = Target {
    name: "inflate",
    run,
    longest: 4 << 10,
    seeds,
    words: &[],
};

/// A small input may be of a long content. More of it says nothing new.
const ENOUGH: usize = 1 << 20;

/// How a stream ended.
#[derive(Debug, PartialEq)]
enum End {
    Whole { unused: usize },
    Truncated,
    Broken,
    Long,
}

fn run(data: &[u8]) {
    let [pieces, room, packed @ ..] = data else {
        return;
    };
    let piece = 1 + usize::from(*pieces) * usize::from(*pieces);
    let room = 1 + usize::from(*room) * usize::from(*room);
    let mut decoder = Inflate::new();
    let (ours, end) = drive(packed, piece, room, |input, out, at| {
        decoder.inflate(input, out, at).map_err(drop)
    });
    let (mut theirs, mut their_end) = zlib(packed);
    if (&end, &their_end) == (&End::Broken, &End::Truncated) {
        // A code without symbols is refused at once; zlib refuses what it reads by it.
        (theirs, their_end) = zlib(&[packed, &[0; 64]].concat());
    }
    if end != End::Long && their_end != End::Long {
        assert_eq!(end, their_end);
        assert!(ours == theirs);
    }
    let mut decoder = Gzip::new(Checksum::Verify);
    drive(packed, piece, room, |input, out, at| {
        decoder.inflate(input, out, at).map_err(drop)
    });
}

fn drive(
    packed: &[u8],
    piece: usize,
    room: usize,
    mut decode: impl FnMut(&mut &[u8], &mut [u8], &mut usize) -> Result<Status, ()>,
) -> (Vec<u8>, End) {
    let mut output = Vec::new();
    let mut out = vec![0; WINDOW + room];
    let mut at = 0;
    let mut end = room;
    let mut left = packed.len();
    for mut input in packed.chunks(piece) {
        left -= input.len();
        loop {
            let from = at;
            let status = decode(&mut input, &mut out[..end], &mut at);
            output.extend_from_slice(&out[from..at]);
            match status {
                Ok(Status::NeedsInput) => break,
                Ok(Status::NeedsOutput) if output.len() > ENOUGH => return (output, End::Long),
                Ok(Status::NeedsOutput) => {
                    let history = at.min(WINDOW);
                    out.copy_within(at - history..at, 0);
                    at = history;
                    end = history + room;
                }
                Ok(Status::Done) => {
                    let unused = left + input.len();
                    return (output, End::Whole { unused });
                }
                Err(()) => return (output, End::Broken),
            }
        }
    }
    (output, End::Truncated)
}

fn zlib(packed: &[u8]) -> (Vec<u8>, End) {
    let mut decoder = Decompress::new(false);
    let mut output = Vec::new();
    let mut room = vec![0; 1 << 16];
    loop {
        let (used, made) = (decoder.total_in(), decoder.total_out());
        let rest = packed.get(length(used)..).unwrap_or_default();
        let result = decoder.decompress(rest, &mut room, FlushDecompress::None);
        output.extend_from_slice(&room[..length(decoder.total_out() - made)]);
        match result {
            Ok(flate2::Status::StreamEnd) => {
                let unused = packed.len() - length(decoder.total_in());
                return (output, End::Whole { unused });
            }
            Ok(_) if decoder.total_in() == used && decoder.total_out() == made => {
                return (output, End::Truncated);
            }
            Ok(_) if output.len() > ENOUGH => return (output, End::Long),
            Ok(_) => {}
            Err(_) => return (output, End::Broken),
        }
    }
}

fn length(bytes: u64) -> usize {
    usize::try_from(bytes).expect("less than the input and what came of it")
}

/// Blocks of each kind, bare and in gzip.
fn seeds() -> Vec<Vec<u8>> {
    let text = b"abcabcabcabd The same again: abcabcabcabd. ".repeat(4);
    let mut dynamic = text.clone();
    dynamic.extend(0..=255);
    let contents: [&[u8]; 4] = [b"", b"a", &text, &dynamic];
    let mut seeds = Vec::new();
    for content in contents {
        for (pieces, room) in [(0_u8, 0_u8), (3, 2), (255, 255)] {
            let gzip = made::gzip(content);
            // The ten bytes of a header without a name, and the eight behind the stream.
            let deflate = gzip
                .get(10..gzip.len().saturating_sub(8))
                .unwrap_or_default();
            seeds.push([&[pieces, room], deflate].concat());
            seeds.push([&[pieces, room], gzip.as_slice()].concat());
        }
        let mut stored = vec![9, 9, 1];
        let length = u16::try_from(content.len()).expect("a short text");
        stored.extend(length.to_le_bytes());
        stored.extend((!length).to_le_bytes());
        stored.extend(content);
        seeds.push(stored);
    }
    seeds
}

//! Decoding in pieces, by this crate and by zlib.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use seareeve_inflate::{Inflate, InflateError, Status, WINDOW};

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Whole, with so many bytes behind it.
    Whole {
        unused: usize,
    },
    Truncated,
    Broken,
}

/// How much is given to the decoder at once, and how much room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pieces {
    pub(crate) input: usize,
    pub(crate) room: usize,
}

pub(crate) const WHOLE: Pieces = Pieces {
    input: usize::MAX,
    room: 1 << 20,
};

pub(crate) const AWKWARD: [Pieces; 7] = [
    Pieces { input: 1, room: 1 },
    Pieces {
        input: 1,
        room: 5000,
    },
    Pieces { input: 2, room: 3 },
    Pieces {
        input: 7,
        room: 258,
    },
    Pieces {
        input: 100,
        room: 400,
    },
    Pieces {
        input: 65_536,
        room: 309,
    },
    WHOLE,
];

/// Something that decodes: `Inflate` or `Gzip`.
pub(crate) trait Decode {
    type Error;

    fn decode(
        &mut self,
        input: &mut &[u8],
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<Status, Self::Error>;
}

impl Decode for Inflate {
    type Error = InflateError;

    fn decode(
        &mut self,
        input: &mut &[u8],
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<Status, InflateError> {
        self.inflate(input, out, at)
    }
}

/// Decodes as a caller does, who keeps one window of history: what came out, and how it stopped; with the bytes
/// that were not used.
pub(crate) fn drive<D: Decode>(
    decoder: &mut D,
    packed: &[u8],
    pieces: Pieces,
) -> (Vec<u8>, Result<Status, D::Error>, usize) {
    let mut out = vec![0xaa; WINDOW + pieces.room];
    let mut output = Vec::new();
    let mut at = 0;
    let mut history = 0;
    let mut given = 0_usize;
    loop {
        let piece = &packed[given..packed.len().min(given.saturating_add(pieces.input))];
        given += piece.len();
        let mut rest = piece;
        loop {
            let from = at;
            let end = history + pieces.room;
            let status = decoder.decode(&mut rest, &mut out[..end], &mut at);
            output.extend_from_slice(&out[from..at]);
            match status {
                Ok(Status::NeedsInput) => {
                    assert!(rest.is_empty(), "it asks for input and has some");
                    break;
                }
                Ok(Status::NeedsOutput) => {
                    assert_eq!(at, end, "it asks for room and has some");
                    history = at.min(WINDOW);
                    out.copy_within(at - history..at, 0);
                    // What is no history must not be looked at.
                    out[history..].fill(0x55);
                    at = history;
                }
                ended => return (output, ended, packed.len() - given + rest.len()),
            }
        }
        if given == packed.len() {
            return (output, Ok(Status::NeedsInput), 0);
        }
    }
}

pub(crate) fn ours(packed: &[u8], pieces: Pieces) -> (Vec<u8>, End) {
    let (output, status, unused) = drive(&mut Inflate::new(), packed, pieces);
    let end = match status {
        Ok(Status::Done) => End::Whole { unused },
        Ok(_) => End::Truncated,
        Err(_) => End::Broken,
    };
    (output, end)
}

pub(crate) fn zlib(packed: &[u8]) -> (Vec<u8>, End) {
    let mut decoder = Decompress::new(false);
    let mut output = Vec::new();
    let mut room = vec![0; 1 << 16];
    let end = loop {
        let (used, made) = (decoder.total_in(), decoder.total_out());
        let rest = &packed[used as usize..];
        let result = decoder.decompress(rest, &mut room, FlushDecompress::None);
        output.extend_from_slice(&room[..(decoder.total_out() - made) as usize]);
        match result {
            Ok(flate2::Status::StreamEnd) => {
                break End::Whole {
                    unused: packed.len() - decoder.total_in() as usize,
                };
            }
            Ok(_) if decoder.total_in() == used && decoder.total_out() == made => {
                break End::Truncated;
            }
            Ok(_) => {}
            Err(_) => break End::Broken,
        }
    };
    (output, end)
}

/// Both must say the same of `packed`, whatever it is.
pub(crate) fn check_like_zlib(packed: &[u8], pieces: Pieces) {
    let (output, end) = ours(packed, pieces);
    let (mut expected, mut expected_end) = zlib(packed);
    if (end, expected_end) == (End::Broken, End::Truncated) {
        // A code without symbols is refused at once; zlib refuses what it reads by it.
        (expected, expected_end) = zlib(&[packed, &[0; 64]].concat());
    }
    assert_eq!(
        (end, output.len()),
        (expected_end, expected.len()),
        "{pieces:?}, {} bytes: {:02x?}",
        packed.len(),
        packed.get(..64)
    );
    assert!(output == expected, "{pieces:?}: the output differs");
}

pub(crate) fn deflate(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = Compress::new(Compression::new(level), false);
    let mut packed = Vec::with_capacity(bytes.len() + bytes.len() / 8 + 1024);
    let status = encoder
        .compress_vec(bytes, &mut packed, FlushCompress::Finish)
        .unwrap();
    assert_eq!(status, flate2::Status::StreamEnd);
    packed
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    pub(crate) fn bytes(&mut self, count: usize, kinds: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(kinds) as u8).collect()
    }
}

/// Contents of different character, by name.
pub(crate) fn contents() -> Vec<(&'static str, Vec<u8>)> {
    let mut numbers = Numbers(1);
    let mut program = Vec::new();
    // Words of a small vocabulary among noise: matches near and far, and literals.
    let words: Vec<Vec<u8>> = (0..300)
        .map(|_| {
            let length = 2 + numbers.below(30);
            numbers.bytes(length, 256)
        })
        .collect();
    while program.len() < 300_000 {
        program.extend_from_slice(&words[numbers.below(words.len())]);
        let noise = numbers.below(4);
        program.extend_from_slice(&numbers.bytes(noise, 256));
    }
    let mut periodic = Vec::new();
    for period in 1..70 {
        let pattern = numbers.bytes(period, 256);
        periodic.extend(pattern.iter().cycle().take(300 + period * 7));
    }
    let far = numbers.bytes(WINDOW, 256);
    vec![
        ("nothing", Vec::new()),
        ("one byte", vec![7]),
        ("zeros", vec![0; 200_000]),
        ("text", b"one and two and three and four and ".repeat(3000)),
        ("noise", numbers.bytes(150_000, 256)),
        ("few kinds", numbers.bytes(150_000, 5)),
        ("program", program),
        ("periods", periodic),
        ("the farthest match", [far.clone(), far].concat()),
    ]
}

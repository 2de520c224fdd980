//! Headers, trailers, several members, and what follows them.

use std::io::Write as _;

use flate2::{Compression, Crc, GzBuilder};
use seareeve_inflate::{Checksum, Gzip, GzipError, InflateError, Status};

use crate::support::{AWKWARD, Decode, Pieces, WHOLE, contents, deflate, drive};

/// A member with nothing in its header but these flags and this part.
fn member(flags: u8, part: &[u8], content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255];
    bytes.extend_from_slice(part);
    bytes.extend(deflate(content, 6));
    let mut crc = Crc::new();
    crc.update(content);
    bytes.extend(crc.sum().to_le_bytes());
    bytes.extend((content.len() as u32).to_le_bytes());
    bytes
}

impl Decode for Gzip {
    type Error = GzipError;

    fn decode(
        &mut self,
        input: &mut &[u8],
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<Status, GzipError> {
        self.inflate(input, out, at)
    }
}

/// What came out, and how it ended.
fn unpack(packed: &[u8], checksum: Checksum, pieces: Pieces) -> (Vec<u8>, Result<(), GzipError>) {
    let mut decoder = Gzip::new(checksum);
    let (output, status, _) = drive(&mut decoder, packed, pieces);
    let end = status.and_then(|status| {
        assert_eq!(status, Status::NeedsInput);
        decoder.finish()
    });
    (output, end)
}

fn check(packed: &[u8], output: &[u8], end: Result<(), GzipError>) {
    for pieces in AWKWARD {
        let (found, found_end) = unpack(packed, Checksum::Verify, pieces);
        assert_eq!(found_end, end, "{pieces:?}");
        assert!(found == output, "{pieces:?}");
    }
}

#[test]
fn members_of_all_contents_come_out_joined() {
    let mut packed = Vec::new();
    let mut joined = Vec::new();
    for (_, content) in contents() {
        packed.extend(member(0, b"", &content));
        joined.extend(content);
    }
    check(&packed, &joined, Ok(()));
}

#[test]
fn every_part_of_the_header_is_passed_over() {
    let mut encoder = GzBuilder::new()
        .extra(vec![b'x'; 300])
        .filename("name")
        .comment("comment")
        .mtime(1)
        .write(Vec::new(), Compression::default());
    encoder.write_all(b"content").unwrap();
    check(&encoder.finish().unwrap(), b"content", Ok(()));

    let long = [&[b'n'; 200_000][..], &[0]].concat();
    let parts: [(u8, &[u8]); 6] = [
        (1, b""),
        (4, &[0, 0]),
        (4, &[1, 0, 9]),
        (8, &long),
        (16, b"\0"),
        (4 | 8 | 16, b"\x02\0xxname\0comment\0"),
    ];
    for (flags, part) in parts {
        check(&member(flags, part, b"content"), b"content", Ok(()));
        // And with the checksum of all that.
        let head = [&[0x1f, 0x8b, 8, flags | 2, 0, 0, 0, 0, 0, 255], part].concat();
        let mut crc = Crc::new();
        crc.update(&head);
        let sum = crc.sum().to_le_bytes();
        let good = [part, &sum[..2]].concat();
        check(&member(flags | 2, &good, b"content"), b"content", Ok(()));
        let bad = [part, &[sum[0] ^ 1, sum[1]]].concat();
        let packed = member(flags | 2, &bad, b"content");
        check(&packed, b"", Err(GzipError::HeaderChecksum));
    }
}

#[test]
fn what_is_no_gzip_is_refused() {
    let good = member(0, b"", b"content");
    let with = |at: usize, byte: u8| {
        let mut packed = good.clone();
        packed[at] = byte;
        packed
    };
    check(&with(0, 0), b"", Err(GzipError::Magic));
    check(&with(0, 0x1e), b"", Err(GzipError::Magic));
    check(&with(1, 0), b"", Err(GzipError::Magic));
    check(&with(2, 7), b"", Err(GzipError::Method(7)));
    check(&with(3, 0x20), b"", Err(GzipError::Flags));
    check(
        &with(10, 7),
        b"",
        Err(GzipError::Inflate(InflateError::BlockType)),
    );
    let end = good.len();
    check(
        &with(end - 8, !good[end - 8]),
        b"content",
        Err(GzipError::Checksum),
    );
    check(
        &with(end - 1, !good[end - 1]),
        b"content",
        Err(GzipError::Size),
    );
}

#[test]
fn the_checksum_is_only_compared_when_asked() {
    let mut packed = member(0, b"", b"content");
    let crc = packed.len() - 8;
    packed[crc] ^= 1;
    let (output, end) = unpack(&packed, Checksum::Skip, WHOLE);
    assert_eq!((output.as_slice(), end), (&b"content"[..], Ok(())));
    packed[crc + 4] ^= 1;
    let (output, end) = unpack(&packed, Checksum::Skip, WHOLE);
    assert_eq!(
        (output.as_slice(), end),
        (&b"content"[..], Err(GzipError::Size))
    );
}

#[test]
fn zeros_may_follow_and_nothing_else() {
    let good = member(0, b"", b"content");
    let followed = |by: &[u8]| [&good[..], by].concat();
    check(&followed(&[0]), b"content", Ok(()));
    check(&followed(&[0; 5000]), b"content", Ok(()));
    check(&followed(b"x"), b"content", Err(GzipError::Garbage));
    check(&followed(&[0, 0, 1]), b"content", Err(GzipError::Garbage));
    check(&followed(&[0x1f, 0]), b"content", Err(GzipError::Garbage));
    check(
        &[&followed(&[0; 7])[..], &good].concat(),
        b"content",
        Err(GzipError::Garbage),
    );
}

#[test]
fn a_stream_that_is_cut_anywhere_is_truncated() {
    let first = member(4 | 8 | 16, b"\x02\0xxname\0comment\0", b"content");
    let packed = [&first[..], &member(0, b"", b" and more")].concat();
    for length in 0..packed.len() {
        let (output, end) = unpack(&packed[..length], Checksum::Verify, WHOLE);
        let expected = if length == first.len() {
            Ok(())
        } else {
            Err(GzipError::Truncated)
        };
        assert_eq!(end, expected, "{length}");
        assert!(b"content and more".starts_with(&output), "{length}");
    }
}

#[test]
fn a_match_does_not_reach_into_the_member_before() {
    let content = b"some content to repeat";
    // A fixed block: the shortest match at distance 1, then the end.
    let match_first = [0b0000_0011, 0b0000_0010, 0, 0];
    let mut packed = member(0, b"", content);
    packed.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    packed.extend(match_first);
    packed.extend([0; 40]);
    let broken = GzipError::Inflate(InflateError::Distance);
    check(&packed, content, Err(broken));
}

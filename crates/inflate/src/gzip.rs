//! gzip (RFC 1952): members one after another, each a header, a DEFLATE stream, and a trailer that proves it.
//!
//! Behind the last member there may be zeros, as tapes and padded files have them. Anything else there is an
//! error, as it is for Go and thus for the programs that unpack images: what they refuse is not silently half
//! read here.

use crate::decode::{Inflate, InflateError, Status};

// Bits of the header's FLG. The lowest says that it is probably text, which nobody cares about.
const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// A gzip stream being decoded.
pub struct Gzip {
    state: State,
    checksum: Checksum,
    inflate: Inflate,
    /// What the header says is in it and was not read yet.
    flags: u8,
    /// Of the header, then of the content.
    crc: crc32fast::Hasher,
    /// Of the content, modulo 2^32.
    size: u32,
    /// Whether a member was read to its end.
    has_member: bool,
}

/// Whether the CRC-32 of the content is compared with the one in the trailer. The size always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// Yes.
    Verify,
    /// No: a stronger digest is verified elsewhere.
    Skip,
}

#[derive(Clone, Copy)]
enum State {
    /// In the part of the header that is always there, of which so much was read.
    Header {
        read: usize,
    },
    /// In a number of two or eight bytes, lowest byte first.
    ExtraLength(Number),
    Extra {
        left: u64,
    },
    Name,
    Comment,
    HeaderCrc(Number),
    /// Before the next part of the header.
    Part,
    Content,
    Trailer(Number),
    Padding,
}

#[derive(Clone, Copy, Default)]
struct Number {
    value: u64,
    read: u32,
}

/// The bytes are no gzip stream. The fault of whoever made them, or of what lost their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GzipError {
    /// It does not start like gzip.
    #[error("it does not start with gzip's magic number")]
    Magic,
    /// Packed with something else than DEFLATE.
    #[error("the compression method {0} is unknown")]
    Method(u8),
    /// The header has parts that nobody knows.
    #[error("the header has unknown flags")]
    Flags,
    /// The header does not have the checksum that it says.
    #[error("the checksum of the header is wrong")]
    HeaderChecksum,
    /// The content cannot be decoded.
    #[error(transparent)]
    Inflate(#[from] InflateError),
    /// The content does not have the checksum that the trailer says.
    #[error("the checksum is wrong")]
    Checksum,
    /// The content does not have the size that the trailer says.
    #[error("the size is wrong")]
    Size,
    /// Behind the last member is something that is neither a member nor zeros.
    #[error("garbage follows the gzip stream")]
    Garbage,
    /// It ends within a member.
    #[error("it ends too early")]
    Truncated,
}

impl Gzip {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new(checksum: Checksum) -> Self {
        Self {
            state: State::Header { read: 0 },
            checksum,
            inflate: Inflate::new(),
            flags: 0,
            crc: crc32fast::Hasher::new(),
            size: 0,
            has_member: false,
        }
    }

    /// Decodes from `input` into `out[at..]`, as [`Inflate::inflate`] does, and never is done: whether another
    /// member follows is known only when the input ends. Ask [`Gzip::finish`] then.
    ///
    /// # Errors
    /// When the bytes are no gzip stream. The decoder is of no use any more then.
    pub fn inflate(
        &mut self,
        input: &mut &[u8],
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<Status, GzipError> {
        loop {
            match self.state {
                State::Content => {
                    let from = *at;
                    let result = self.inflate.inflate(input, out, at);
                    let content = out.get(from..*at).unwrap_or_default();
                    if self.checksum == Checksum::Verify {
                        self.crc.update(content);
                    }
                    self.size = self.size.wrapping_add(content.len() as u32);
                    match result? {
                        Status::Done => self.state = State::Trailer(Number::default()),
                        status => return Ok(status),
                    }
                }
                State::Part => self.next_part(),
                _ => {
                    let Some((byte, rest)) = input.split_first() else {
                        return Ok(Status::NeedsInput);
                    };
                    *input = rest;
                    self.byte(*byte)?;
                }
            }
        }
    }

    /// Says whether the stream may end where its input ended.
    ///
    /// # Errors
    /// When it may not.
    pub fn finish(&self) -> Result<(), GzipError> {
        match self.state {
            State::Header { read: 0 } | State::Padding if self.has_member => Ok(()),
            _ => Err(GzipError::Truncated),
        }
    }

    /// Goes on by one byte of a header, a trailer or what follows the last.
    fn byte(&mut self, byte: u8) -> Result<(), GzipError> {
        // The checksum of the header is of all of it that comes before.
        if !matches!(
            self.state,
            State::HeaderCrc(_) | State::Trailer(_) | State::Padding
        ) {
            self.crc.update(&[byte]);
        }
        self.state = match self.state {
            State::Header { read } => {
                self.check_header(read, byte)?;
                match read {
                    0 if byte == 0 => State::Padding,
                    9 => State::Part,
                    _ => State::Header { read: read + 1 },
                }
            }
            State::ExtraLength(number) => match number.with(byte, 2) {
                Ok(0) => State::Part,
                Ok(left) => State::Extra { left },
                Err(number) => State::ExtraLength(number),
            },
            State::Extra { left: 1 } => State::Part,
            State::Extra { left } => State::Extra { left: left - 1 },
            State::Name | State::Comment if byte == 0 => State::Part,
            State::HeaderCrc(number) => match number.with(byte, 2) {
                Ok(crc) if crc != u64::from(self.crc.clone().finalize() & 0xffff) => {
                    return Err(GzipError::HeaderChecksum);
                }
                Ok(_) => State::Part,
                Err(number) => State::HeaderCrc(number),
            },
            State::Trailer(number) => match number.with(byte, 8) {
                Ok(trailer) => {
                    self.check_trailer(trailer)?;
                    State::Header { read: 0 }
                }
                Err(number) => State::Trailer(number),
            },
            State::Padding if byte != 0 => return Err(GzipError::Garbage),
            state @ (State::Name
            | State::Comment
            | State::Padding
            | State::Part
            | State::Content) => state,
        };
        Ok(())
    }

    fn check_header(&mut self, at: usize, byte: u8) -> Result<(), GzipError> {
        match at {
            0 if byte == 0 && self.has_member => {}
            0 if byte != 0x1f && self.has_member => return Err(GzipError::Garbage),
            0 if byte != 0x1f => return Err(GzipError::Magic),
            1 if byte != 0x8b && self.has_member => return Err(GzipError::Garbage),
            1 if byte != 0x8b => return Err(GzipError::Magic),
            2 if byte != 8 => return Err(GzipError::Method(byte)),
            3 if byte & RESERVED != 0 => return Err(GzipError::Flags),
            3 => self.flags = byte,
            // The time, the effort and the system that it was made with or on.
            _ => {}
        }
        Ok(())
    }

    /// Goes to the part of the header that is next (RFC 1952, 2.3), or to the content.
    fn next_part(&mut self) {
        let (flag, state) = [
            (EXTRA, State::ExtraLength(Number::default())),
            (NAME, State::Name),
            (COMMENT, State::Comment),
            (HEADER_CRC, State::HeaderCrc(Number::default())),
        ]
        .into_iter()
        .find(|(flag, _)| self.flags & flag != 0)
        .unwrap_or((0, State::Content));
        self.flags &= !flag;
        self.state = state;
        if let State::Content = state {
            self.inflate.reset();
            self.crc.reset();
            self.size = 0;
        }
    }

    fn check_trailer(&mut self, trailer: u64) -> Result<(), GzipError> {
        let (crc, size) = (trailer as u32, (trailer >> 32) as u32);
        if self.checksum == Checksum::Verify && crc != self.crc.clone().finalize() {
            return Err(GzipError::Checksum);
        }
        if size != self.size {
            return Err(GzipError::Size);
        }
        self.crc.reset();
        self.has_member = true;
        Ok(())
    }
}

impl Number {
    /// Adds a byte: the number if it has `length` of them now.
    fn with(self, byte: u8, length: u32) -> Result<u64, Self> {
        let value = self.value | u64::from(byte) << (8 * self.read);
        let read = self.read + 1;
        if read == length {
            Ok(value)
        } else {
            Err(Self { value, read })
        }
    }
}

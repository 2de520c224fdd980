//! The least that reading packed layers can cost: each file named on the command line is unpacked by the decoders
//! that this crate uses, and its tar headers are stepped through. Nothing is hashed, no path is looked at, nothing
//! is kept, and there is one thread. `cargo xtask bench scan` sets it beside the scanner.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write as _};

use seareeve_inflate::{Checksum, Gzip, Status, WINDOW};
use zstd::zstd_safe::DParameter;

/// Bytes unpacked at once.
const CHUNK: usize = 256 * 1024;

/// Bytes of a block of a tar archive.
const BLOCK: usize = 512;

fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args_os().skip(1) {
        let mut packed = BufReader::with_capacity(128 * 1024, File::open(&path)?);
        let mut steps = Steps::default();
        match packed.fill_buf()? {
            [0x1f, 0x8b, ..] => gunzip(packed, &mut steps)?,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
                decoder.set_parameter(DParameter::ForceIgnoreChecksum(true))?;
                unpack(decoder, &mut steps)?;
            }
            _ => unpack(packed, &mut steps)?,
        }
        writeln!(io::stdout(), "{} entries", steps.entries)?;
    }
    Ok(())
}

fn unpack(mut from: impl Read, steps: &mut Steps) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        steps.take(chunk.get(..read).unwrap_or_default());
    }
}

fn gunzip(mut from: impl BufRead, steps: &mut Steps) -> Result<(), Box<dyn Error>> {
    let mut gzip = Gzip::new(Checksum::Skip);
    let mut chunk = vec![0; WINDOW + CHUNK];
    let (mut start, mut end) = (0, 0);
    loop {
        let packed = from.fill_buf()?;
        if packed.is_empty() {
            steps.take(chunk.get(start..end).unwrap_or_default());
            return Ok(gzip.finish()?);
        }
        let mut rest = packed;
        let status = gzip.inflate(&mut rest, &mut chunk, &mut end)?;
        let used = packed.len() - rest.len();
        from.consume(used);
        if status == Status::NeedsOutput {
            steps.take(chunk.get(start..end).unwrap_or_default());
            // What follows may refer back to this.
            chunk.copy_within(end - WINDOW..end, 0);
            (start, end) = (WINDOW, WINDOW);
        }
    }
}

/// Goes from header to header.
#[derive(Default)]
struct Steps {
    entries: u64,
    /// Of the header at hand.
    block: Vec<u8>,
    /// Bytes up to the next header.
    skip: usize,
}

impl Steps {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let passed = self.skip.min(bytes.len());
            self.skip -= passed;
            bytes = bytes.get(passed..).unwrap_or_default();
            let wanted = (BLOCK - self.block.len()).min(bytes.len());
            let (header, rest) = bytes.split_at(wanted);
            self.block.extend_from_slice(header);
            bytes = rest;
            if self.block.len() == BLOCK {
                self.entries += u64::from(self.block.first() != Some(&0));
                self.skip = size(&self.block).next_multiple_of(BLOCK);
                self.block.clear();
            }
        }
    }
}

/// The size in octal digits. Enough for archives of our own making.
fn size(block: &[u8]) -> usize {
    let digits = block.get(124..136).unwrap_or_default();
    let digits = digits.iter().filter(|byte| (b'0'..=b'7').contains(*byte));
    digits.fold(0, |size, digit| size * 8 + usize::from(digit - b'0'))
}

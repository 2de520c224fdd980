//! The frame of the advisory file: a header, then sections; a section is a blob or a table of rows.
//!
//! ```text
//! magic 8 · format 4 · zero 4 · built 8 · SHA-256 of all that follows the header 32
//! · eight sections: offset 8, length 8 · first 16 bytes of the SHA-256 of the header so far
//! table: rows one after another · their starts and the end of the last, 8 each · number of rows 8
//! ```
//! Numbers are little-endian. Reading never trusts a number: what does not fit is [`Damage`].

use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;

use sha2::{Digest as _, Sha256};

const MAGIC: [u8; 8] = *b"SEAREEVE";
/// Raised with every change of this file or of `stored.rs`.
pub(super) const FORMAT: u32 = 2;
pub(super) const SECTIONS: usize = 8;
const NUMBERS: usize = 8 + 4 + 4 + 8 + 32;
const HEADER: usize = NUMBERS + SECTIONS * 16 + 16;

/// The sections in the order in which they stand.
#[derive(Clone, Copy)]
pub(super) enum Section {
    Info,
    Keys,
    Entries,
    Records,
    Ids,
    Dictionary,
    Vulnerabilities,
    Epss,
}

/// Something in the file is not what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    NotADatabase,
    OtherFormat(u32),
    Part(&'static str),
}

pub(super) struct Header {
    pub(super) built: i64,
    pub(super) digest: [u8; 32],
    sections: [Range<usize>; SECTIONS],
}

impl Header {
    pub(super) fn read(file: &[u8]) -> Result<Self, Damage> {
        if !file.starts_with(&MAGIC) {
            return Err(Damage::NotADatabase);
        }
        let mut at = MAGIC.len();
        let format = u32::from_le_bytes(take(file, &mut at)?);
        if format != FORMAT {
            return Err(Damage::OtherFormat(format));
        }
        let _zero: [u8; 4] = take(file, &mut at)?;
        let built = i64::from_le_bytes(take(file, &mut at)?);
        let digest = take(file, &mut at)?;
        let mut sections: [Range<usize>; SECTIONS] = Default::default();
        for section in &mut sections {
            let start = position(take(file, &mut at)?)?;
            let length = position(take(file, &mut at)?)?;
            let end = start.checked_add(length).ok_or(Damage::Part("header"))?;
            if start < HEADER || end > file.len() {
                return Err(Damage::Part("header"));
            }
            *section = start..end;
        }
        let signed = file.get(..at).ok_or(Damage::Part("header"))?;
        let check: [u8; 16] = take(file, &mut at)?;
        if !Sha256::digest(signed).starts_with(&check) {
            return Err(Damage::Part("header"));
        }
        Ok(Self {
            built,
            digest,
            sections,
        })
    }

    /// Whether the content still has the digest that it was written with.
    pub(super) fn is_content_whole(&self, file: &[u8]) -> bool {
        let content = file.get(HEADER..).unwrap_or_default();
        Sha256::digest(content).as_slice() == self.digest
    }

    pub(super) fn section<'a>(&self, file: &'a [u8], section: Section) -> &'a [u8] {
        let range = self.sections.get(section as usize).cloned().unwrap_or(0..0);
        file.get(range).unwrap_or_default()
    }
}

fn take<const N: usize>(file: &[u8], at: &mut usize) -> Result<[u8; N], Damage> {
    let bytes = file.get(*at..).and_then(<[u8]>::first_chunk::<N>);
    *at = at.saturating_add(N);
    bytes.copied().ok_or(Damage::Part("header"))
}

fn position(bytes: [u8; 8]) -> Result<usize, Damage> {
    usize::try_from(u64::from_le_bytes(bytes)).map_err(|_too_large| Damage::Part("header"))
}

/// Rows of any length, found by number.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    name: &'static str,
    rows: &'a [u8],
    starts: &'a [[u8; 8]],
}

impl<'a> Table<'a> {
    pub(super) fn read(section: &'a [u8], name: &'static str) -> Result<Self, Damage> {
        let damage = Damage::Part(name);
        let (rest, count) = section.split_last_chunk::<8>().ok_or(damage)?;
        let count = usize::try_from(u64::from_le_bytes(*count)).ok();
        let bytes = count.and_then(|count| count.checked_add(1)?.checked_mul(8));
        let split = bytes.and_then(|bytes| rest.len().checked_sub(bytes));
        let (rows, starts) = rest.split_at_checked(split.ok_or(damage)?).ok_or(damage)?;
        let (starts, _) = starts.as_chunks::<8>();
        Ok(Self { name, rows, starts })
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(super) fn row(&self, number: usize) -> Result<&'a [u8], Damage> {
        let start = |number: usize| {
            let bytes = self.starts.get(number)?;
            usize::try_from(u64::from_le_bytes(*bytes)).ok()
        };
        let row = start(number)
            .zip(number.checked_add(1).and_then(start))
            .and_then(|(start, end)| self.rows.get(start..end));
        row.ok_or(Damage::Part(self.name))
    }
}

/// Writes the file front to back: sections in their order, then the header over the space kept for it.
pub(super) struct FileWriter<W> {
    out: W,
    at: u64,
    hasher: Sha256,
    sections: Vec<(u64, u64)>,
}

impl<W: Write + Seek> FileWriter<W> {
    pub(super) fn start(mut out: W) -> io::Result<Self> {
        out.write_all(&[0; HEADER])?;
        Ok(Self {
            out,
            at: HEADER as u64,
            hasher: Sha256::new(),
            sections: Vec::with_capacity(SECTIONS),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.hasher.update(bytes);
        self.at = self.at.saturating_add(bytes.len() as u64);
        Ok(())
    }

    pub(super) fn blob(&mut self, bytes: &[u8]) -> io::Result<()> {
        let start = self.at;
        self.write(bytes)?;
        self.sections.push((start, bytes.len() as u64));
        Ok(())
    }

    /// Writes a table; `rows` hands each row to the function it is given.
    pub(super) fn table<E: From<io::Error>>(
        &mut self,
        rows: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.at;
        let mut starts = vec![0_u64];
        rows(&mut |row| {
            self.write(row)?;
            starts.push(self.at.saturating_sub(start));
            Ok(())
        })?;
        let count = starts.len().saturating_sub(1) as u64;
        for number in starts {
            self.write(&number.to_le_bytes())?;
        }
        self.write(&count.to_le_bytes())?;
        self.sections.push((start, self.at.saturating_sub(start)));
        Ok(())
    }

    /// Writes the header and returns the digest of the content. `built` is no part of the digest: the same
    /// content built twice is the same content.
    pub(super) fn finish(mut self, built: i64) -> io::Result<([u8; 32], W)> {
        debug_assert_eq!(
            self.sections.len(),
            SECTIONS,
            "every section is written once"
        );
        let digest: [u8; 32] = self.hasher.finalize().into();
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&FORMAT.to_le_bytes());
        header.extend_from_slice(&[0; 4]);
        header.extend_from_slice(&built.to_le_bytes());
        header.extend_from_slice(&digest);
        for (start, length) in self.sections {
            header.extend_from_slice(&start.to_le_bytes());
            header.extend_from_slice(&length.to_le_bytes());
        }
        let check = Sha256::digest(&header);
        header.extend_from_slice(check.first_chunk::<16>().unwrap_or(&[0; 16]));
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header)?;
        Ok((digest, self.out))
    }
}

/// Gives a damaged header a valid check, for tests that look behind it.
#[cfg(test)]
pub(super) fn sign(file: &mut [u8]) {
    let end = HEADER - 16;
    if let Some((signed, check)) = file.split_at_mut_checked(end)
        && let Some(check) = check.first_chunk_mut::<16>()
    {
        check.copy_from_slice(&Sha256::digest(signed)[..16]);
    }
}

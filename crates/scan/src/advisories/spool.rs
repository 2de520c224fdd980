//! Where the bulk of the records waits while a database is built: memory for small sets, an unnamed
//! temporary file for OSV's gigabytes.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use camino::Utf8Path;

/// Bytes that were put aside, to be read again in any order once writing is over.
pub(super) enum Spool {
    Memory(Vec<u8>),
    File { out: BufWriter<File>, length: u64 },
}

/// Where something lies in a [`Spool`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: u64,
    length: u32,
}

impl Spool {
    pub(super) fn memory() -> Self {
        Self::Memory(Vec::new())
    }

    /// A file without a name in `folder`: the system's own folder for such files is often in memory.
    pub(super) fn file(folder: &Utf8Path) -> io::Result<Self> {
        let out = BufWriter::with_capacity(1 << 18, tempfile::tempfile_in(folder)?);
        Ok(Self::File { out, length: 0 })
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> io::Result<Span> {
        let too_large = |_| io::Error::from(io::ErrorKind::FileTooLarge);
        let length = u32::try_from(bytes.len()).map_err(too_large)?;
        let start = match self {
            Self::Memory(all) => {
                let start = all.len() as u64;
                all.extend_from_slice(bytes);
                start
            }
            Self::File { out, length: end } => {
                let start = *end;
                out.write_all(bytes)?;
                *end = end.saturating_add(u64::from(length));
                start
            }
        };
        Ok(Span { start, length })
    }

    pub(super) fn get(&mut self, span: Span) -> io::Result<Vec<u8>> {
        let lost = || io::Error::from(io::ErrorKind::UnexpectedEof);
        match self {
            Self::Memory(all) => {
                let start = usize::try_from(span.start).map_err(|_too_large| lost())?;
                let rest = all.get(start..).ok_or_else(lost)?;
                let bytes = rest.get(..span.length as usize).ok_or_else(lost)?;
                Ok(bytes.to_vec())
            }
            Self::File { out, .. } => {
                out.flush()?;
                let file = out.get_mut();
                file.seek(SeekFrom::Start(span.start))?;
                let mut bytes = vec![0; span.length as usize];
                file.read_exact(&mut bytes)?;
                Ok(bytes)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_put_in() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        for mut spool in [Spool::memory(), Spool::file(folder).unwrap()] {
            let spans: Vec<Span> = (0..100_u8)
                .map(|n| spool.put(&vec![n; usize::from(n)]).unwrap())
                .collect();
            for (n, span) in (0..100_u8).zip(spans).rev() {
                assert_eq!(spool.get(span).unwrap(), vec![n; usize::from(n)]);
            }
        }
    }
}

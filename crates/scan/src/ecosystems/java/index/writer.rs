//! Writes the file. Archives come in any order, and there are tens of millions of them: records wait in files by the
//! beginning of their keys, and only one of those is sorted in memory at a time. Texts are held, each once.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write};

use camino::Utf8Path;

use super::super::Coordinates;
use super::{KEY, MAGIC, RECORD};

/// Files that records wait in.
const HEAPS: usize = 16;

/// An index that is being written.
pub(super) struct Writer {
    heaps: Vec<BufWriter<File>>,
    texts: Texts,
}

impl Writer {
    /// What waits, waits in `folder`: the system's own folder for such files is often in memory.
    pub(super) fn new(folder: &Utf8Path) -> io::Result<Self> {
        let heap = |_| Ok(BufWriter::new(tempfile::tempfile_in(folder)?));
        Ok(Self {
            heaps: (0..HEAPS).map(heap).collect::<io::Result<_>>()?,
            texts: Texts::default(),
        })
    }

    /// Makes `group:artifact` ready to be given to [`Writer::add`], which needs not be told it again and again.
    pub(super) fn name(&mut self, group: &str, artifact: &str) -> io::Result<u32> {
        self.texts.offset(&format!("{group}:{artifact}"))
    }

    pub(super) fn add(&mut self, sha1: &[u8; 20], name: u32, version: &str) -> io::Result<()> {
        let version = self.texts.offset(version)?;
        let [first, ..] = sha1;
        // The first four bits.
        let heap = self.heaps.get_mut(usize::from(first >> 4));
        let heap = heap.ok_or(io::ErrorKind::InvalidInput)?;
        heap.write_all(sha1.get(..KEY).unwrap_or_default())?;
        heap.write_all(&name.to_le_bytes())?;
        heap.write_all(&version.to_le_bytes())
    }

    /// Adds an archive by all that is known of it.
    pub(super) fn add_named(&mut self, sha1: &[u8; 20], known: &Coordinates) -> io::Result<()> {
        let name = self.name(&known.group, &known.artifact)?;
        self.add(sha1, name, &known.version)
    }

    /// Writes all of it: how many archives there are. Where several are equal, the first by name stands for all.
    pub(super) fn finish(self, file: &mut File) -> io::Result<u64> {
        let Self { heaps, texts } = self;
        let mut out = BufWriter::new(&mut *file);
        let head = |archives: u64| {
            let numbers = [archives, texts.bytes.len() as u64].map(u64::to_le_bytes);
            [&MAGIC[..], numbers.as_flattened()].concat()
        };
        out.write_all(&head(0))?;
        let mut archives = 0_u64;
        for heap in heaps {
            let mut heap = heap.into_inner()?;
            heap.seek(SeekFrom::Start(0))?;
            let mut bytes = Vec::new();
            heap.read_to_end(&mut bytes)?;
            let (records, _) = bytes.as_chunks_mut::<RECORD>();
            let parts = |record: &[u8; RECORD]| {
                let (key, texts_of) = record.split_at(KEY);
                let key: [u8; KEY] = key.try_into().unwrap_or_default();
                let (name, version) = texts_of.split_at(4);
                (key, texts.get(name), texts.get(version))
            };
            records.sort_unstable_by(|a, b| parts(a).cmp(&parts(b)));
            for same in records.chunk_by(|a, b| a.first_chunk::<KEY>() == b.first_chunk::<KEY>()) {
                out.write_all(same.first().map_or(&[], |first| first.as_slice()))?;
                archives = archives.saturating_add(1);
            }
        }
        out.write_all(&texts.bytes)?;
        out.flush()?;
        drop(out);
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&head(archives))?;
        Ok(archives)
    }
}

/// Texts, each of which is written once.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    /// By their hashes. Of two with the same, the second is written whenever it comes.
    offsets: HashMap<u64, u32>,
    hasher: RandomState,
}

impl Texts {
    fn offset(&mut self, text: &str) -> io::Result<u32> {
        let hash = self.hasher.hash_one(text);
        if let Some(offset) = self.offsets.get(&hash)
            && self.get(&offset.to_le_bytes()) == text.as_bytes()
        {
            return Ok(*offset);
        }
        let too_large = |_| io::Error::from(io::ErrorKind::FileTooLarge);
        let offset = u32::try_from(self.bytes.len()).map_err(too_large)?;
        let length = u16::try_from(text.len()).map_err(too_large)?;
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        self.offsets.insert(hash, offset);
        Ok(offset)
    }

    /// The text at an offset as a record has it; empty for one that was never given.
    fn get(&self, offset: &[u8]) -> &[u8] {
        let text = || {
            let offset = usize::try_from(u32::from_le_bytes(*offset.first_chunk()?)).ok()?;
            let rest = self.bytes.get(offset..)?;
            let (length, rest) = rest.split_first_chunk()?;
            rest.get(..usize::from(u16::from_le_bytes(*length)))
        };
        text().unwrap_or_default()
    }
}

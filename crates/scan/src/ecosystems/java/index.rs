//! Which archive has which SHA-1: a file of its own, for archives that do not say what they are.
//!
//! Sorted keys of eight bytes, the beginning of the SHA-1, so that a look-up is a binary search in the file: no
//! start-up cost, no memory, and sixteen bytes for an archive besides its name. Eight bytes tell far more
//! archives apart than there are.
//!
//! Layout, all numbers little-endian: [`MAGIC`]; the number of keys, `u64`; the bytes of the texts, `u64`; the keys
//! (eight bytes, and the offsets of two texts, `u32` each: `group:artifact` and version); the texts, each behind
//! its length, `u16`.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::Coordinates;

/// What the file begins with: name and format.
const MAGIC: &[u8; 16] = b"seareeve-java\0\0\x01";
const HEADER: u64 = 32;
const KEY: usize = 8;
const RECORD: usize = 16;

/// Names of Java archives by their SHA-1, in a file that stays on disk.
#[derive(Debug)]
pub struct JavaIndex {
    file: File,
    keys: u64,
    texts: u64,
}

/// Why an index cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JavaIndexError {
    /// The file cannot be opened, read or written. When it does not exist, there is no index.
    #[error("failed to open or write the Java index {path}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is something else, or of another version of Seareeve: build it again.
    #[error("this is not a Java index of this version")]
    NotAnIndex,
    /// The file is damaged: build it again.
    #[error("the Java index is damaged")]
    Damaged,
    /// A list to build from has a line that is not `SHA-1 group:artifact:version`. The fault of its writer.
    #[error("line {line} is not a SHA-1 and group:artifact:version")]
    Line {
        /// Its number, from 1.
        line: usize,
    },
}

impl JavaIndex {
    /// Opens a file that [`JavaIndex::build`] wrote.
    ///
    /// # Errors
    /// When the file cannot be opened or is no index.
    pub fn open(path: &Utf8Path) -> Result<Self, JavaIndexError> {
        let failed = |source| JavaIndexError::File {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut header = [0; HEADER as usize];
        if length < HEADER {
            return Err(JavaIndexError::NotAnIndex);
        }
        file.read_exact_at(&mut header, 0).map_err(failed)?;
        if !header.starts_with(MAGIC) {
            return Err(JavaIndexError::NotAnIndex);
        }
        let number = |at: usize| {
            let bytes = header.get(at..).and_then(|bytes| bytes.first_chunk());
            bytes.map(|bytes| u64::from_le_bytes(*bytes))
        };
        let (Some(keys), Some(texts)) = (number(16), number(24)) else {
            return Err(JavaIndexError::NotAnIndex);
        };
        let whole = keys
            .checked_mul(RECORD as u64)
            .and_then(|keys| keys.checked_add(texts)?.checked_add(HEADER));
        if whole != Some(length) {
            return Err(JavaIndexError::Damaged);
        }
        Ok(Self { file, keys, texts })
    }

    /// Group, artifact and version of the archive with this SHA-1.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn get(&self, sha1: &[u8; 20]) -> Result<Option<(String, String, String)>, JavaIndexError> {
        let (mut low, mut high) = (0, self.keys);
        while low < high {
            let middle = low.midpoint(high);
            let mut record = [0; RECORD];
            let at = middle.saturating_mul(RECORD as u64).saturating_add(HEADER);
            self.read(&mut record, at)?;
            let (key, texts) = record.split_at(KEY);
            match key.cmp(sha1.get(..KEY).unwrap_or_default()) {
                std::cmp::Ordering::Less => low = middle.saturating_add(1),
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let (name, version) = texts.split_at(4);
                    let name = self.text(name)?;
                    let (group, artifact) = name.split_once(':').ok_or(JavaIndexError::Damaged)?;
                    let version = self.text(version)?;
                    let checked = Coordinates::checked(group, artifact, &version);
                    let known = checked.ok_or(JavaIndexError::Damaged)?;
                    return Ok(Some((known.group, known.artifact, known.version)));
                }
            }
        }
        Ok(None)
    }

    fn text(&self, offset: &[u8]) -> Result<String, JavaIndexError> {
        let offset = offset.first_chunk().ok_or(JavaIndexError::Damaged)?;
        let offset = u64::from(u32::from_le_bytes(*offset));
        let start = self
            .keys
            .saturating_mul(RECORD as u64)
            .saturating_add(HEADER);
        if offset >= self.texts {
            return Err(JavaIndexError::Damaged);
        }
        let at = start.saturating_add(offset);
        let mut length = [0; 2];
        self.read(&mut length, at)?;
        let mut text = vec![0; u16::from_le_bytes(length).into()];
        self.read(&mut text, at.saturating_add(2))?;
        String::from_utf8(text).ok().ok_or(JavaIndexError::Damaged)
    }

    fn read(&self, into: &mut [u8], at: u64) -> Result<(), JavaIndexError> {
        // The file was whole when it was opened.
        let read = self.file.read_exact_at(into, at);
        read.ok().ok_or(JavaIndexError::Damaged)
    }

    /// Writes an index of `lines`, each `SHA-1 group:artifact:version`, and puts it in the place of `path` when it
    /// is whole. Where several archives are equal, the first by name stands for all. Returns how many it holds.
    ///
    /// # Errors
    /// When a line cannot be read, or the file not written.
    pub fn build(
        lines: impl IntoIterator<Item = String>,
        path: &Utf8Path,
    ) -> Result<u64, JavaIndexError> {
        let mut known: BTreeMap<[u8; KEY], Coordinates> = BTreeMap::new();
        for (index, line) in lines.into_iter().enumerate() {
            let line_number = index.saturating_add(1);
            let (key, name) = parse(&line).ok_or(JavaIndexError::Line { line: line_number })?;
            let held = known.entry(key).or_insert_with(|| name.clone());
            if name < *held {
                *held = name;
            }
        }
        let failed = |source| JavaIndexError::File {
            path: path.to_owned(),
            source,
        };
        let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
        let folder = folder.unwrap_or(Utf8Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        write(&known, &mut io::BufWriter::new(&mut file)).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(known.len() as u64)
    }
}

fn write(known: &BTreeMap<[u8; KEY], Coordinates>, file: &mut impl io::Write) -> io::Result<()> {
    let mut texts = Texts::default();
    let mut records = Vec::with_capacity(known.len().saturating_mul(RECORD));
    for (key, name) in known {
        records.extend_from_slice(key);
        let coordinates = format!("{}:{}", name.group, name.artifact);
        records.extend_from_slice(&texts.offset(coordinates)?.to_le_bytes());
        records.extend_from_slice(&texts.offset(name.version.clone())?.to_le_bytes());
    }
    file.write_all(MAGIC)?;
    file.write_all(&(known.len() as u64).to_le_bytes())?;
    file.write_all(&(texts.bytes.len() as u64).to_le_bytes())?;
    file.write_all(&records)?;
    file.write_all(&texts.bytes)?;
    file.flush()
}

/// Texts, each of which is written once.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    offsets: HashMap<String, u32>,
}

impl Texts {
    fn offset(&mut self, text: String) -> io::Result<u32> {
        if let Some(offset) = self.offsets.get(&text) {
            return Ok(*offset);
        }
        let too_large = |_| io::Error::from(io::ErrorKind::FileTooLarge);
        let offset = u32::try_from(self.bytes.len()).map_err(too_large)?;
        let length = u16::try_from(text.len()).map_err(too_large)?;
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        self.offsets.insert(text, offset);
        Ok(offset)
    }
}

fn parse(line: &str) -> Option<([u8; KEY], Coordinates)> {
    let (sha1, name) = line.trim().split_once(char::is_whitespace)?;
    if sha1.len() != 40 || !sha1.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; KEY];
    for (index, byte) in key.iter_mut().enumerate() {
        let digits = sha1.get(index.checked_mul(2)?..)?.get(..2)?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    let mut parts = name.trim().splitn(3, ':');
    let name = Coordinates::checked(parts.next()?, parts.next()?, parts.next()?)?;
    Some((key, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha1(first: u8, last: u8) -> [u8; 20] {
        let mut sha1 = [first; 20];
        sha1[19] = last;
        sha1
    }

    fn line(first: u8, name: &str) -> String {
        format!("{} {name}", format!("{first:02x}").repeat(20))
    }

    #[test]
    fn finds_what_was_built_in_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path())
            .unwrap()
            .join("java.index");
        for count in [0, 1, 2, 200_u8] {
            let lines = (0..count).map(|n| line(n, &format!("g{n}:a:1.{n}")));
            assert_eq!(JavaIndex::build(lines, &path).unwrap(), u64::from(count));
            let index = JavaIndex::open(&path).unwrap();
            for n in 0..=255 {
                let found = index.get(&sha1(n, 7)).unwrap();
                let expected =
                    (n < count).then(|| (format!("g{n}"), "a".to_owned(), format!("1.{n}")));
                assert_eq!(found, expected, "{n} of {count}");
            }
        }
    }

    #[test]
    fn equal_archives_have_the_first_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path())
            .unwrap()
            .join("java.index");
        for order in [["b:b:1", "a:z:2"], ["a:z:2", "b:b:1"]] {
            let lines = order.map(|name| line(9, name));
            assert_eq!(JavaIndex::build(lines, &path).unwrap(), 1);
            let found = JavaIndex::open(&path).unwrap().get(&sha1(9, 9)).unwrap();
            assert_eq!(found.unwrap().0, "a");
        }
    }

    #[test]
    fn bad_lines_and_damaged_files_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path())
            .unwrap()
            .join("java.index");
        for bad in [
            "",
            "x g:a:1",
            &"0".repeat(40),
            &line(1, "g:a"),
            &line(1, "g:a:"),
        ] {
            let built = JavaIndex::build([line(1, "g:a:1"), bad.to_owned()], &path);
            assert!(
                matches!(built, Err(JavaIndexError::Line { line: 2 })),
                "{bad}"
            );
            assert!(!path.exists(), "nothing is left of a failed build");
        }
        assert!(matches!(
            JavaIndex::open(&path),
            Err(JavaIndexError::File { .. })
        ));
        JavaIndex::build([line(1, "g:a:1"), line(2, "g:b:1")], &path).unwrap();
        let good = std::fs::read(&path).unwrap();
        for length in 0..good.len() {
            std::fs::write(&path, &good[..length]).unwrap();
            assert!(JavaIndex::open(&path).is_err(), "{length} bytes");
        }
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0xff;
            std::fs::write(&path, &bytes).unwrap();
            // Whatever is damaged, there is an answer.
            let _ = JavaIndex::open(&path).map(|index| index.get(&sha1(1, 0)).is_ok());
        }
    }
}

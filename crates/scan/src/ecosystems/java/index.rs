//! Which archive has which SHA-1: a file of its own, for archives that do not say what they are.
//!
//! Sorted keys of eight bytes, the beginning of the SHA-1, so that a look-up is a binary search in the file: no
//! start-up cost, no memory, and sixteen bytes for an archive besides its name. Eight bytes tell far more
//! archives apart than there are.
//!
//! `writer` makes it, of what `source` reads.
//!
//! Layout, all numbers little-endian: [`MAGIC`]; the number of keys, `u64`; the bytes of the texts, `u64`; the keys
//! (eight bytes, and the offsets of two texts, `u32` each: `group:artifact` and version); the texts, each behind
//! its length, `u16`.

mod source;
mod writer;

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_model::Problem;

use super::Coordinates;
use source::Problems;
use writer::Writer;

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
    /// What to build from cannot be read or unpacked.
    #[error("failed to read {path}")]
    Source {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What to build from names no archive. The fault of whoever chose the file.
    #[error(
        "{path} names no Java archives: it must be Trivy's Java database, or a list of SHA-1, group, artifact and version"
    )]
    NoArchives {
        /// The file.
        path: Utf8PathBuf,
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

    /// How many archives it knows.
    #[must_use]
    pub fn archives(&self) -> u64 {
        self.keys
    }

    /// Builds an index of what the file `from` says, and puts it in the place of `path` when it is whole: Trivy's
    /// Java database, or a list with `SHA-1,group,artifact,version` on each line (or tabs, or
    /// `SHA-1 group:artifact:version`), packed by gzip or zstd or not. Where several archives are equal, the first by
    /// name stands for all.
    ///
    /// # Errors
    /// When `from` cannot be read or names nothing, or the index cannot be written.
    pub fn build(from: &Utf8Path, path: &Utf8Path) -> Result<JavaIndexReport, JavaIndexError> {
        let failed = |source| JavaIndexError::File {
            path: path.to_owned(),
            source,
        };
        let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
        let folder = folder.unwrap_or(Utf8Path::new("."));
        let mut writer = Writer::new(folder).map_err(failed)?;
        let mut problems = Problems::default();
        source::read(from, folder, &mut writer, &mut problems).map_err(|source| {
            JavaIndexError::Source {
                path: from.to_owned(),
                source,
            }
        })?;
        let problems = problems.into_list();
        let mut file = tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(0o644))
            .tempfile_in(folder)
            .map_err(failed)?;
        let archives = writer.finish(file.as_file_mut()).map_err(failed)?;
        if archives == 0 && !problems.is_empty() {
            return Err(JavaIndexError::NoArchives {
                path: from.to_owned(),
            });
        }
        file.as_file().sync_all().map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(JavaIndexReport { archives, problems })
    }
}

/// What building an index gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JavaIndexReport {
    /// Archives that it knows.
    pub archives: u64,
    /// What could not be used.
    pub problems: Vec<Problem>,
}

#[cfg(test)]
mod tests {
    use sha1::{Digest as _, Sha1};

    use super::*;

    fn sha1(first: u8, last: u8) -> [u8; 20] {
        let mut sha1 = [first; 20];
        sha1[19] = last;
        sha1
    }

    fn line(first: u8, name: &str) -> String {
        format!("{} {name}", format!("{first:02x}").repeat(20))
    }

    /// An index of what `content` says.
    struct Made {
        folder: tempfile::TempDir,
        report: Result<JavaIndexReport, JavaIndexError>,
    }

    impl Made {
        fn of(content: &[u8]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("from"), content).unwrap();
            let mut made = Self {
                folder,
                report: Err(JavaIndexError::NotAnIndex),
            };
            made.report = JavaIndex::build(&made.path("from"), &made.path("index"));
            made
        }

        fn path(&self, name: &str) -> Utf8PathBuf {
            Utf8Path::from_path(self.folder.path()).unwrap().join(name)
        }

        fn get(&self, sha1: &[u8; 20]) -> Option<String> {
            let index = JavaIndex::open(&self.path("index")).unwrap();
            let found = index.get(sha1).unwrap();
            found.map(|(group, artifact, version)| format!("{group}:{artifact}:{version}"))
        }

        fn problems(&self) -> Vec<String> {
            let problems = &self.report.as_ref().unwrap().problems;
            problems.iter().map(ToString::to_string).collect()
        }
    }

    #[test]
    fn finds_what_was_built_in_and_nothing_else() {
        for count in [0, 1, 2, 200_u8] {
            let lines: String = (0..count)
                .map(|n| line(n, &format!("g{n}:a:1.{n}")) + "\n")
                .collect();
            let made = Made::of(lines.as_bytes());
            assert_eq!(made.report.as_ref().unwrap().archives, u64::from(count));
            for n in 0..=255 {
                let expected = (n < count).then(|| format!("g{n}:a:1.{n}"));
                assert_eq!(made.get(&sha1(n, 7)), expected, "{n} of {count}");
            }
        }
    }

    #[test]
    fn equal_archives_have_the_first_name() {
        for order in [["b:b:1", "a:z:2"], ["a:z:2", "b:b:1"]] {
            let made = Made::of(order.map(|name| line(9, name)).join("\n").as_bytes());
            assert_eq!(made.report.as_ref().unwrap().archives, 1);
            assert_eq!(made.get(&sha1(9, 9)).as_deref(), Some("a:z:2"));
        }
    }

    #[test]
    fn lists_are_read_as_people_write_them() {
        let hex = |byte: u8| format!("{byte:02X}").repeat(20);
        let list = format!(
            "SHA1,Group,Artifact,Version\r\n{},org.x,a,1.0\r\n\r\n\"{}\",\"org.x\",\"b\",\"2\",jar\r\n# more\n{}\torg.x\tc\t3\n{}  org.x:d:4",
            hex(0x11),
            hex(0x22),
            hex(0x33),
            hex(0x44)
        );
        let packed = zstd::bulk::compress(list.as_bytes(), 0).unwrap();
        for content in [list.as_bytes(), &packed] {
            let made = Made::of(content);
            assert_eq!(made.problems(), [""; 0]);
            let all = [0x11, 0x22, 0x33, 0x44].map(|byte| made.get(&sha1(byte, byte)).unwrap());
            assert_eq!(all, ["org.x:a:1.0", "org.x:b:2", "org.x:c:3", "org.x:d:4"]);
        }
    }

    /// SQLite 3.40 made it with the statements that Trivy's own builder uses, in pages of 512 bytes: 201 archives called
    /// `archive N`, one of them with values that go on on other pages, and three rows that name none.
    const TRIVY: &[u8] = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/java/trivy-java.db.zst"
    ));

    #[test]
    fn trivys_database_is_read() {
        let plain = zstd::decode_all(TRIVY).unwrap();
        for content in [TRIVY, &plain] {
            let made = Made::of(content);
            assert_eq!(made.report.as_ref().unwrap().archives, 201);
            assert_eq!(
                made.problems(),
                [201, 202, 203].map(|row| format!("indices: row {row} names no archive"))
            );
            for n in 0..200_usize {
                let sha1 = Sha1::digest(format!("archive {n}")).into();
                let artifact = n % 40 + 1;
                let expected = format!("org.example.g{}:artifact-{artifact}:1.{n}", artifact % 4);
                assert_eq!(made.get(&sha1), Some(expected));
            }
            let long = made.get(&Sha1::digest("archive 200").into());
            assert_eq!(long.as_deref(), Some("org.example.g2:artifact-2:9"));
        }
    }

    #[test]
    fn a_damaged_database_never_ends_in_a_panic() {
        let plain = zstd::decode_all(TRIVY).unwrap();
        for at in (0..plain.len()).step_by(211) {
            let mut bytes = plain.clone();
            bytes[at] ^= 0xff;
            let _ = Made::of(&bytes).report;
        }
        for length in (0..plain.len()).step_by(4999) {
            let _ = Made::of(&plain[..length]).report;
        }
        let other = Made::of(&plain[..512]);
        assert!(matches!(
            other.report,
            Err(JavaIndexError::NoArchives { .. })
        ));
        let cut = Made::of(&TRIVY[..200]);
        assert!(matches!(cut.report, Err(JavaIndexError::Source { .. })));
    }

    #[test]
    fn a_bad_line_is_told_and_the_others_are_used() {
        let long = "x".repeat(10_000);
        let bad = [
            "x g:a:1",
            &"0".repeat(40),
            &line(1, "g:a"),
            &line(1, "g:a:"),
            &long,
            "\u{fffd}",
        ];
        for bad in bad {
            let made = Made::of(
                [&line(1, "g:a:1"), bad, &line(2, "g:a:2")]
                    .join("\n")
                    .as_bytes(),
            );
            assert_eq!(
                made.problems(),
                ["line 2: it is not a SHA-1 with group, artifact and version"],
                "{bad}"
            );
            assert_eq!(made.get(&sha1(2, 0)).as_deref(), Some("g:a:2"));
            let alone = Made::of(bad.as_bytes());
            assert!(matches!(
                alone.report,
                Err(JavaIndexError::NoArchives { .. })
            ));
            assert!(
                !alone.path("index").exists(),
                "nothing is left of a failed build"
            );
        }
        let many = Made::of((line(1, "g:a:1") + "\n" + &"?\n".repeat(100)).as_bytes());
        assert_eq!(many.problems().len(), 21);
        assert_eq!(many.problems()[20], "the rest: 80 more could not be used");
    }

    #[test]
    fn a_damaged_file_is_an_error_and_never_a_panic() {
        let made = Made::of([line(1, "g:a:1"), line(2, "g:b:1")].join("\n").as_bytes());
        let path = made.path("index");
        let absent = JavaIndex::open(&made.path("absent"));
        assert!(matches!(absent, Err(JavaIndexError::File { .. })));
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

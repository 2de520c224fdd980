//! A file that is written to: rotated by renaming or by copying and truncating, or begun anew.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::time::Duration;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::Feed;

/// How often the file is looked at while nothing comes.
const LOOK: Duration = Duration::from_millis(250);
/// Bytes that are read in one go.
const CHUNK: usize = 1 << 20;
/// Bytes of a line. A longer one is left out.
const MOST_LINE: usize = 16 << 20;
/// Bytes at the beginning by which a file is recognised.
const HEAD: usize = 256;

/// Follows a file until it cannot be read.
pub(super) async fn follow(
    feed: &Feed,
    path: &str,
    from_start: bool,
    position: Option<&str>,
) -> anyhow::Result<()> {
    let position: Option<Position> = position
        .map(serde_json::from_str)
        .transpose()
        .context("how far the file was read cannot be understood")?;
    let mut tail = Tail::new(Utf8PathBuf::from(path), position, from_start);
    let mut was_missing = false;
    loop {
        let (back, chunk) = tokio::task::spawn_blocking(move || {
            let mut tail = tail;
            let chunk = tail.read();
            (tail, chunk)
        })
        .await?;
        tail = back;
        let chunk = chunk.with_context(|| format!("failed to read {path}"))?;
        if chunk.left_out > 0 {
            let why = format!("{path}: a line has more than 16 MiB and was left out");
            feed.tell(&why).await;
        }
        if chunk.has_lost {
            let why = format!(
                "{path} was rotated away while it was not read, and what it became was not found: some of it may be lost"
            );
            feed.tell(&why).await;
        }
        if chunk.is_missing && !was_missing {
            feed.fail(&anyhow::anyhow!("there is no file {path} yet"))
                .await;
        }
        let is_back = was_missing && !chunk.is_missing;
        was_missing = chunk.is_missing;
        if chunk.has_moved || is_back {
            let position = serde_json::to_string(&tail.position)?;
            feed.append(chunk.lines, &position).await?;
        } else {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// How far a file is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    device: u64,
    inode: u64,
    offset: u64,
    /// The first bytes, of which there are no more than were read: another file may get the same number.
    head: Vec<u8>,
}

/// What one read gave.
#[derive(Debug, Default, PartialEq, Eq)]
struct Chunk {
    /// Whole lines.
    lines: Vec<u8>,
    /// Lines that are too long.
    left_out: u64,
    /// Whether the position is another than before.
    has_moved: bool,
    /// Whether what stood behind the position may be gone.
    has_lost: bool,
    /// Whether there is no file at the path.
    is_missing: bool,
}

/// Opens what is a file: a pipe would keep whoever opens it waiting.
fn open_file(path: &Utf8Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    File::open(path)
}

/// Reads a file as it grows.
struct Tail {
    path: Utf8PathBuf,
    from_start: bool,
    position: Option<Position>,
    file: Option<File>,
    /// Files to read before the one at the path.
    older: VecDeque<Utf8PathBuf>,
    /// A line that is too long is being passed over.
    is_skipping: bool,
}

impl Tail {
    fn new(path: Utf8PathBuf, position: Option<Position>, from_start: bool) -> Self {
        Self {
            path,
            from_start,
            position,
            file: None,
            older: VecDeque::new(),
            is_skipping: false,
        }
    }

    /// What has come since the last time.
    fn read(&mut self) -> io::Result<Chunk> {
        let mut chunk = Chunk::default();
        if self.file.is_none() && !self.open(&mut chunk)? {
            chunk.is_missing = true;
            return Ok(chunk);
        }
        let (Some(file), Some(position)) = (&self.file, &mut self.position) else {
            return Ok(chunk);
        };
        let mut length = file.metadata()?.len();
        if length < position.offset || !is_same_head(file, position)? {
            self.begin_anew(&mut chunk)?;
            length = match &self.file {
                Some(file) => file.metadata()?.len(),
                None => return Ok(chunk),
            };
        }
        let Some(position) = &self.position else {
            return Ok(chunk);
        };
        let before = position.offset;
        if length > before {
            self.lines(&mut chunk)?;
        }
        let Some(position) = &self.position else {
            return Ok(chunk);
        };
        if position.offset != before || chunk.has_moved {
            chunk.has_moved = true;
        } else if self.is_left()? {
            self.finish(&mut chunk)?;
        }
        Ok(chunk)
    }

    /// Goes on in a file that was begun anew: with what was copied away before, which nobody may have read to its end.
    fn begin_anew(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        info!(path = %self.path, "the file was begun anew");
        chunk.has_moved = true;
        let Some(position) = &mut self.position else {
            return Ok(());
        };
        // What never was more than looked at has nothing that could be known again.
        let copy = if position.head.is_empty() {
            None
        } else {
            let known = position.clone();
            let (copy, older) = older_files(&self.path, |path, metadata| {
                (metadata.dev(), metadata.ino()) != (known.device, known.inode)
                    && metadata.len() >= known.offset
                    && File::open(path)
                        .is_ok_and(|file| is_same_head(&file, &known).unwrap_or(false))
            })?;
            copy.map(|copy| (copy, older))
        };
        if let Some((copy, older)) = copy {
            let metadata = copy.metadata()?;
            position.device = metadata.dev();
            position.inode = metadata.ino();
            self.older = older;
            self.older.push_back(self.path.clone());
            self.file = Some(copy);
            return Ok(());
        }
        position.offset = 0;
        position.head.clear();
        self.is_skipping = false;
        Ok(())
    }

    /// Reads whole lines at the offset.
    fn lines(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        let (Some(file), Some(position)) = (&self.file, &mut self.position) else {
            return Ok(());
        };
        let mut size = CHUNK;
        loop {
            let mut buffer = vec![0; size];
            let read = read_at(file, &mut buffer, position.offset)?;
            buffer.truncate(read);
            if position.head.len() < HEAD && position.offset <= u64::try_from(HEAD).unwrap_or(0) {
                remember_head(file, position)?;
            }
            let end = buffer.iter().rposition(|byte| *byte == b'\n');
            if self.is_skipping {
                let Some(first) = buffer.iter().position(|byte| *byte == b'\n') else {
                    position.offset += u64::try_from(read).unwrap_or(0);
                    return Ok(());
                };
                position.offset += u64::try_from(first + 1).unwrap_or(0);
                self.is_skipping = false;
                return Ok(());
            }
            if let Some(end) = end {
                buffer.truncate(end + 1);
                position.offset += u64::try_from(buffer.len()).unwrap_or(0);
                chunk.lines = buffer;
                return Ok(());
            }
            if read < size {
                // The line is still being written.
                return Ok(());
            }
            if size >= MOST_LINE {
                chunk.left_out += 1;
                self.is_skipping = true;
                position.offset += u64::try_from(read).unwrap_or(0);
                return Ok(());
            }
            size = (size * 4).min(MOST_LINE);
        }
    }

    /// Whether there is another file at the path by now.
    fn is_left(&self) -> io::Result<bool> {
        let Some(position) = &self.position else {
            return Ok(false);
        };
        if !self.older.is_empty() {
            return Ok(true);
        }
        match std::fs::metadata(&self.path) {
            Ok(now) => Ok((now.dev(), now.ino()) != (position.device, position.inode)),
            // Between renaming and making the new one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Leaves a file that nobody writes to any more. What stands behind its last line's end is a line too.
    fn finish(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        // Whoever wrote it may have gone on until it was renamed.
        self.lines(chunk)?;
        chunk.has_moved = true;
        if !chunk.lines.is_empty() {
            return Ok(());
        }
        if let (Some(file), Some(position)) = (&self.file, &self.position) {
            let mut rest = vec![0; MOST_LINE];
            let read = read_at(file, &mut rest, position.offset)?;
            rest.truncate(read);
            if !self.is_skipping && !rest.is_empty() {
                rest.push(b'\n');
                chunk.lines = rest;
            }
        }
        self.is_skipping = false;
        let next = self.older.pop_front().unwrap_or_else(|| self.path.clone());
        let file = File::open(&next)?;
        self.position = Some(begin(&file)?);
        self.file = Some(file);
        Ok(())
    }

    /// Opens what is to be read first. Says whether there is something.
    fn open(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        let file = match open_file(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let now = begin(&file)?;
        let Some(known) = &self.position else {
            let mut position = now;
            if !self.from_start {
                position.offset = file.metadata()?.len();
                remember_head(&file, &mut position)?;
            }
            self.position = Some(position);
            self.file = Some(file);
            // Where it begins is worth keeping: after a restart it must not begin later.
            chunk.has_moved = true;
            return Ok(true);
        };
        if (known.device, known.inode) == (now.device, now.inode) {
            self.file = Some(file);
            return Ok(true);
        }
        // It was rotated while we were away.
        let (device, inode) = (known.device, known.inode);
        let (left, older) = older_files(&self.path, |_, metadata| {
            (metadata.dev(), metadata.ino()) == (device, inode)
        })?;
        self.older = older;
        match left {
            Some(left) => self.file = Some(left),
            None => {
                warn!(path = %self.path, "the file was rotated away while it was not read: some of it may be lost");
                chunk.has_lost = true;
                let first = self.older.pop_front().unwrap_or_else(|| self.path.clone());
                let file = File::open(first)?;
                self.position = Some(begin(&file)?);
                self.file = Some(file);
                chunk.has_moved = true;
            }
        }
        Ok(true)
    }
}

fn begin(file: &File) -> io::Result<Position> {
    let metadata = file.metadata()?;
    Ok(Position {
        device: metadata.dev(),
        inode: metadata.ino(),
        offset: 0,
        head: Vec::new(),
    })
}

/// The file that was being read, under the name that it has now, and those that were written after it, in order.
fn older_files(
    path: &Utf8Path,
    is_it: impl Fn(&Utf8Path, &Metadata) -> bool,
) -> io::Result<(Option<File>, VecDeque<Utf8PathBuf>)> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
    let folder = folder.unwrap_or(Utf8Path::new("."));
    let stem = path.file_stem().unwrap_or_default();
    let mut files = Vec::new();
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        let name = entry.file_name();
        // `audit.log` becomes `audit.log.1` or `audit-2026-01-01T00-00-00.000.log`.
        let is_packed = [".gz", ".zst", ".bz2", ".xz"]
            .iter()
            .any(|end| name.ends_with(end));
        if !name.starts_with(stem) || is_packed || entry.path() == path {
            continue;
        }
        let metadata = entry.metadata()?;
        if metadata.is_file() {
            let is_it = is_it(entry.path(), &metadata);
            files.push((metadata.modified()?, entry.into_path(), is_it));
        }
    }
    files.sort();
    let Some(at) = files.iter().position(|(.., is_it)| *is_it) else {
        return Ok((None, VecDeque::new()));
    };
    let mut files = files.into_iter().skip(at).map(|(_, path, _)| path);
    let left = files.next().map(File::open).transpose()?;
    Ok((left, files.collect()))
}

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        let at = offset.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        match file.read_at(rest, at) {
            Ok(0) => break,
            Ok(bytes) => read += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Remembers as much of the beginning as there is.
fn remember_head(file: &File, position: &mut Position) -> io::Result<()> {
    let mut head = vec![0; HEAD];
    let read = read_at(file, &mut head, 0)?;
    head.truncate(read);
    position.head = head;
    Ok(())
}

/// Whether the file still begins as it did. One that was truncated and has grown since does not.
fn is_same_head(file: &File, position: &Position) -> io::Result<bool> {
    let mut head = vec![0; position.head.len()];
    let read = read_at(file, &mut head, 0)?;
    Ok(read == position.head.len() && head == position.head)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    struct Log {
        _folder: tempfile::TempDir,
        path: Utf8PathBuf,
    }

    impl Log {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = Utf8PathBuf::from_path_buf(folder.path().join("audit.log")).unwrap();
            Self {
                _folder: folder,
                path,
            }
        }

        fn write(&self, text: &str) {
            let mut file = File::options().append(true).create(true).open(&self.path);
            file.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
        }

        fn rename(&self, name: &str) {
            let to = self.path.parent().unwrap().join(name);
            std::fs::rename(&self.path, to).unwrap();
        }

        fn tail(&self, position: Option<Position>) -> Tail {
            Tail::new(self.path.clone(), position, true)
        }
    }

    /// All that is there, until nothing moves any more.
    fn drain(tail: &mut Tail) -> String {
        let mut text = Vec::new();
        loop {
            let chunk = tail.read().unwrap();
            text.extend_from_slice(&chunk.lines);
            if !chunk.has_moved {
                return String::from_utf8(text).unwrap();
            }
        }
    }

    #[test]
    fn whole_lines_come_once_over_restarts() {
        let log = Log::new();
        let mut tail = log.tail(None);
        assert_eq!(drain(&mut tail), "", "there is no file yet");
        log.write("one\ntw");
        assert_eq!(drain(&mut tail), "one\n");
        log.write("o\nthree\n");
        let mut tail = log.tail(tail.position);
        assert_eq!(drain(&mut tail), "two\nthree\n");
        assert_eq!(drain(&mut tail), "");
    }

    #[test]
    fn a_file_that_is_there_is_read_from_its_end_unless_asked_for() {
        let log = Log::new();
        log.write("old\n");
        let mut tail = Tail::new(log.path.clone(), None, false);
        assert_eq!(drain(&mut tail), "");
        log.write("new\n");
        assert_eq!(drain(&mut tail), "new\n");
    }

    #[test]
    fn rotation_by_renaming_loses_nothing() {
        let log = Log::new();
        let mut tail = log.tail(None);
        log.write("one\n");
        assert_eq!(drain(&mut tail), "one\n");
        log.write("two\nwithout an end");
        log.rename("audit-1.log");
        assert_eq!(drain(&mut tail), "two\n", "the new file is not there yet");
        log.write("three\n");
        assert_eq!(drain(&mut tail), "without an end\nthree\n");
    }

    #[test]
    fn files_that_were_rotated_while_nobody_read_are_read_in_order() {
        let log = Log::new();
        let mut tail = log.tail(None);
        log.write("one\n");
        drain(&mut tail);
        for (number, name) in ["audit.log.a", "audit.log.b"].iter().enumerate() {
            log.write(&format!("rotated {number}\n"));
            log.rename(name);
            // Times of files are no finer than the clock's ticks.
            let file = File::options()
                .write(true)
                .open(log.path.parent().unwrap().join(name))
                .unwrap();
            let at = std::time::SystemTime::UNIX_EPOCH
                + Duration::from_secs(1_700_000_000 + u64::try_from(number).unwrap());
            file.set_modified(at).unwrap();
        }
        log.write("last\n");
        let mut tail = log.tail(tail.position);
        assert_eq!(drain(&mut tail), "rotated 0\nrotated 1\nlast\n");
    }

    #[test]
    fn a_file_that_is_truncated_is_read_anew_even_when_it_has_grown_since() {
        let log = Log::new();
        let mut tail = log.tail(None);
        log.write("first and long\n");
        assert_eq!(drain(&mut tail), "first and long\n");
        std::fs::write(&log.path, "a\n").unwrap();
        assert_eq!(drain(&mut tail), "a\n");
        std::fs::write(&log.path, "other and much longer\nthan before\n").unwrap();
        assert_eq!(drain(&mut tail), "other and much longer\nthan before\n");
    }

    #[test]
    fn copying_and_truncating_loses_nothing() {
        let log = Log::new();
        let folder = log.path.parent().unwrap().to_owned();
        let truncate = |to: &str| {
            std::fs::copy(&log.path, folder.join(to)).unwrap();
            File::options()
                .write(true)
                .truncate(true)
                .open(&log.path)
                .unwrap();
        };
        let mut tail = log.tail(None);
        log.write("one\n");
        assert_eq!(drain(&mut tail), "one\n");
        // What was not read yet stands in the copy alone.
        log.write("two\n");
        truncate("audit.log.1");
        log.write("three\n");
        assert_eq!(drain(&mut tail), "two\nthree\n");
        // The same while nobody reads, and over a restart in the middle of it.
        log.write("four\n");
        std::fs::rename(folder.join("audit.log.1"), folder.join("audit.log.2")).unwrap();
        // Times of files are no finer than the clock's ticks.
        let older = File::options().write(true).open(folder.join("audit.log.2"));
        let at = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        older.unwrap().set_modified(at).unwrap();
        truncate("audit.log.1");
        log.write("five\n");
        let mut tail = log.tail(tail.position);
        let first = tail.read().unwrap();
        assert_eq!(first.lines, b"four\n");
        let mut tail = log.tail(tail.position);
        assert_eq!(drain(&mut tail), "five\n");
        // Without a copy it begins anew.
        std::fs::write(&log.path, "x\n").unwrap();
        let mut tail = log.tail(tail.position);
        assert_eq!(drain(&mut tail), "x\n");
    }

    #[test]
    fn what_is_rotated_away_and_packed_is_told_as_lost() {
        let log = Log::new();
        let mut tail = log.tail(None);
        log.write("one\n");
        assert_eq!(drain(&mut tail), "one\n");
        log.write("two\n");
        log.rename("audit.log.1.gz");
        log.write("three\n");
        let mut tail = log.tail(tail.position);
        let mut has_lost = false;
        let mut text = Vec::new();
        loop {
            let chunk = tail.read().unwrap();
            text.extend_from_slice(&chunk.lines);
            has_lost |= chunk.has_lost;
            if !chunk.has_moved {
                break;
            }
        }
        assert_eq!((text.as_slice(), has_lost), (&b"three\n"[..], true));
    }

    #[test]
    fn a_line_without_an_end_is_left_out() {
        let log = Log::new();
        let mut tail = log.tail(None);
        log.write("one\n");
        log.write(&"x".repeat(MOST_LINE + CHUNK));
        log.write("\ntwo\n");
        let mut text = Vec::new();
        let mut left_out = 0;
        loop {
            let chunk = tail.read().unwrap();
            text.extend_from_slice(&chunk.lines);
            left_out += chunk.left_out;
            if !chunk.has_moved {
                break;
            }
        }
        assert_eq!((text.as_slice(), left_out), (&b"one\ntwo\n"[..], 1));
    }

    /// Whatever is done to the file, in whatever order, with the reader begun anew at any time: each line comes once.
    #[test]
    fn nothing_that_happens_to_a_file_loses_or_doubles_a_line() {
        // Linear congruential, so that every run tries the same.
        let mut state = 7_u64;
        let mut below = |bound: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        for _ in 0..40 {
            let log = Log::new();
            let mut tail = log.tail(None);
            let (mut written, mut read) = (String::new(), String::new());
            let mut rotated = 0;
            for step in 0..60 {
                match below(10) {
                    // Lines, and parts of lines.
                    0..=5 => {
                        let end = if below(3) == 0 { "" } else { "\n" };
                        let long = "x".repeat(usize::try_from(below(5_000)).unwrap());
                        let text = format!("{step}-{long}{end}");
                        log.write(&text);
                        written.push_str(&text);
                    }
                    6 => read.push_str(&drain(&mut tail)),
                    7 => tail = log.tail(tail.position),
                    // A file that is left ends its last line.
                    8 if log.path.exists() => {
                        read.push_str(&drain(&mut tail));
                        log.rename(&format!("audit-{rotated}.log"));
                        rotated += 1;
                        log.write("new\n");
                        if !written.is_empty() && !written.ends_with('\n') {
                            written.push('\n');
                        }
                        written.push_str("new\n");
                    }
                    _ => assert!(tail.read().is_ok_and(|chunk| {
                        read.push_str(std::str::from_utf8(&chunk.lines).unwrap());
                        true
                    })),
                }
            }
            log.write("\n");
            written.push('\n');
            read.push_str(&drain(&mut tail));
            let lines = |text: &str| -> Vec<String> {
                let lines = text.lines().filter(|line| !line.is_empty());
                lines.map(str::to_owned).collect()
            };
            assert_eq!(lines(&read), lines(&written));
        }
    }
}

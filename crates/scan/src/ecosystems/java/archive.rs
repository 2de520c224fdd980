//! Going through one archive and those inside it, and saying of each what it is.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, Read, SeekFrom};

use sha1::{Digest as _, Sha1};
use tempfile::SpooledTempFile;

use super::identity::{Evidence, identify};
use super::manifest::{Manifest, pom_properties};
use super::zip::{self, Entry, Part, Source, ZipError};
use super::{IN_MEMORY, Remembered, is_archive};
use crate::ecosystems::faults::excerpt;

/// Archives inside each other. Real ones have three: an enterprise archive, a web one, its libraries.
const DEEPEST: usize = 8;
/// Archives in one file. Large servers have 2,000.
const MOST_ARCHIVES: usize = 20_000;
/// Entries of one archive that are of use. Large shaded archives have some hundred.
const MOST_WANTED: usize = 10_000;
/// Bytes of the names of these.
const MOST_NAMES: usize = 1 << 20;
/// Longest name of an archive inside another.
const LONGEST_NAME: usize = 4096;
/// Bytes of a manifest or `pom.properties` that are read. Manifests of signed archives are longer, but what we
/// want is at their beginning.
const LONGEST_TEXT: u64 = 1 << 20;
/// Coordinates that one file may have, with all archives in it. Large servers have 5,000.
const MOST_COORDINATES: usize = 50_000;
/// Problems told of one archive.
const MOST_PROBLEMS: usize = 20;
/// Folders of classes that are remembered.
const MOST_FOLDERS: usize = 64;
/// What may be unpacked of any file, and how much more for each of its bytes. Archives inside others hardly shrink
/// again, but entries may share their bytes, and an image may have a thousand files that do.
const UNPACKED: u64 = 4 << 20;
const UNPACKED_RATIO: u64 = 20;

/// Goes through one file.
pub(super) struct Archive {
    remembered: Vec<Remembered>,
    /// Coordinates among these.
    coordinates: usize,
    /// Bytes that may still be unpacked.
    room: u64,
}

impl Archive {
    /// Reads the archive with the file name `name` and those inside it.
    pub(super) fn read(name: &[u8], source: &mut dyn Source) -> Vec<Remembered> {
        let length = source.seek(SeekFrom::End(0)).unwrap_or_default();
        let mut archive = Self {
            remembered: Vec::new(),
            coordinates: 0,
            room: UNPACKED.saturating_add(length.saturating_mul(UNPACKED_RATIO)),
        };
        archive.go(name, Vec::new(), 0, source);
        archive.remembered
    }

    fn go(&mut self, name: &[u8], inside: Vec<u8>, depth: usize, source: &mut dyn Source) {
        let at = self.remembered.len();
        let mut remembered = Remembered {
            inside,
            ..Remembered::default()
        };
        let mut contents = Contents::default();
        if let Err(error) = zip::entries(source, |entry| contents.add(entry)) {
            remembered.problems.push(told("the archive", &error));
        }
        let evidence = contents.evidence(source, &mut self.room, &mut remembered.problems);
        let identity = identify(name, &evidence);
        remembered.names = identity.names;
        let left = MOST_COORDINATES.saturating_sub(self.coordinates);
        if remembered.names.len() > left {
            remembered.names.truncate(left);
            let message = format!("the file names more than {MOST_COORDINATES} packages");
            remembered.problems.push(message);
        }
        self.coordinates = self.coordinates.saturating_add(remembered.names.len());
        remembered.guess = identity.guess;
        remembered.is_library = identity.is_library;
        let needs_sha1 = !identity.is_told && (identity.is_library || remembered.guess.is_some());
        if needs_sha1 {
            match sha1(source) {
                Ok(sha1) => remembered.sha1 = Some(sha1),
                Err(error) => remembered.problems.push(told("the archive", &error.into())),
            }
        }
        self.remembered.push(remembered);
        for entry in contents.archives {
            if self.remembered.len() >= MOST_ARCHIVES {
                let message = format!("the file holds more than {MOST_ARCHIVES} archives");
                self.problem(at, message);
                break;
            }
            let shown = shown(&entry.name);
            if let Err(error) = self.inner(at, depth, &entry, source) {
                self.problem(at, told(&shown, &error));
            }
        }
    }

    /// Goes through the archive `entry` of the archive remembered as number `outer`.
    fn inner(
        &mut self,
        outer: usize,
        depth: usize,
        entry: &Entry,
        source: &mut dyn Source,
    ) -> Result<(), ZipError> {
        let depth = depth.saturating_add(1);
        if depth >= DEEPEST {
            let shown = shown(&entry.name);
            self.problem(
                outer,
                format!("{shown} stands too deep in other archives and was not read"),
            );
            return Ok(());
        }
        let mut inside = self
            .remembered
            .get(outer)
            .map(|outer| outer.inside.clone())
            .unwrap_or_default();
        if !inside.is_empty() {
            inside.push(b'/');
        }
        inside.extend_from_slice(&entry.name);
        if let Some((start, length)) = entry.stored(source)? {
            // Parts may overlap, and each costs the time to read it.
            if self.spend(length) {
                self.go(
                    &entry.name,
                    inside,
                    depth,
                    &mut Part::new(source, start, length),
                );
                return Ok(());
            }
        } else {
            let mut spool = SpooledTempFile::new(IN_MEMORY >> depth);
            let most = self.room.saturating_add(1);
            let mut content = entry.content(source)?.take(most);
            let length = io::copy(&mut content, &mut spool)?;
            drop(content);
            if self.spend(length) {
                self.go(&entry.name, inside, depth, &mut spool);
                return Ok(());
            }
        }
        let shown = shown(&entry.name);
        self.problem(
            outer,
            format!("{shown} was not read: the file unpacks to too much"),
        );
        Ok(())
    }

    /// Whether that much may be unpacked.
    fn spend(&mut self, bytes: u64) -> bool {
        let left = self.room.checked_sub(bytes);
        self.room = left.unwrap_or(0);
        left.is_some()
    }

    fn problem(&mut self, archive: usize, message: String) {
        if let Some(archive) = self.remembered.get_mut(archive) {
            push(&mut archive.problems, message);
        }
    }
}

fn push(problems: &mut Vec<String>, message: String) {
    if problems.len() < MOST_PROBLEMS {
        problems.push(message);
    } else if problems.len() == MOST_PROBLEMS {
        problems.push("more of the archive was not understood".to_owned());
    }
}

/// The wanted entries of one archive.
#[derive(Default)]
struct Contents {
    manifest: Option<Entry>,
    poms: Vec<Entry>,
    archives: Vec<Entry>,
    names: usize,
    left_out: usize,
    pom_folders: BTreeSet<Vec<u8>>,
    folders: BTreeSet<Vec<u8>>,
    has_classes: bool,
}

impl Contents {
    fn add(&mut self, entry: Entry) {
        let name = entry.name.as_slice();
        if name.ends_with(b".class") {
            self.class(name);
        } else if name.eq_ignore_ascii_case(b"META-INF/MANIFEST.MF") {
            self.manifest.get_or_insert(entry);
        } else if let Some(folder) = maven_folder(name, b"/pom.properties") {
            let folder = folder.to_vec();
            self.pom_folder(folder);
            if self.has_room(&entry) {
                self.poms.push(entry);
            }
        } else if let Some(folder) = maven_folder(name, b"/pom.xml") {
            let folder = folder.to_vec();
            self.pom_folder(folder);
        } else if is_archive(name) && self.has_room(&entry) {
            self.archives.push(entry);
        }
    }

    fn has_room(&mut self, entry: &Entry) -> bool {
        let wanted = self.poms.len().saturating_add(self.archives.len());
        self.names = self.names.saturating_add(entry.name.len());
        let has_room =
            wanted < MOST_WANTED && self.names <= MOST_NAMES && entry.name.len() <= LONGEST_NAME;
        if !has_room {
            self.left_out = self.left_out.saturating_add(1);
        }
        has_room
    }

    fn pom_folder(&mut self, folder: Vec<u8>) {
        if self.pom_folders.len() < MOST_FOLDERS && folder.len() <= LONGEST_NAME {
            self.pom_folders.insert(folder);
        }
    }

    /// Remembers the first two folders of a class. Those of an application are its own, not a library's.
    fn class(&mut self, name: &[u8]) {
        let is_other = [b"META-INF/".as_slice(), b"BOOT-INF/", b"WEB-INF/"]
            .iter()
            .any(|folder| name.starts_with(folder));
        let file = name.rsplit(|b| *b == b'/').next().unwrap_or_default();
        if is_other || file == b"module-info.class" {
            return;
        }
        self.has_classes = true;
        let folders = name.split(|b| *b == b'/').count().saturating_sub(1).min(2);
        let parts: Vec<&[u8]> = name.split(|b| *b == b'/').take(folders).collect();
        let folder = parts.join(&b'/');
        if self.folders.len() < MOST_FOLDERS && folder.len() <= LONGEST_NAME {
            self.folders.insert(folder);
        }
    }

    /// Reads the texts among the entries.
    fn evidence(
        &self,
        source: &mut dyn Source,
        room: &mut u64,
        problems: &mut Vec<String>,
    ) -> Evidence {
        let mut evidence = Evidence {
            pom_folders: self
                .pom_folders
                .iter()
                .filter_map(|folder| pair(folder))
                .collect(),
            folders: self.folders.clone(),
            has_classes: self.has_classes,
            has_archives: !self.archives.is_empty(),
            ..Evidence::default()
        };
        if self.left_out > 0 {
            push(
                problems,
                format!(
                    "{} entries are too many or have too long names, and were not read",
                    self.left_out
                ),
            );
        }
        if let Some(entry) = &self.manifest {
            match text(entry, source, room) {
                Ok(text) => evidence.manifest = Manifest::parse(&text),
                Err(error) => push(problems, told("META-INF/MANIFEST.MF", &error)),
            }
        }
        for entry in &self.poms {
            let shown = shown(&entry.name);
            match text(entry, source, room).map(|text| pom_properties(&text)) {
                Ok(Some(name)) => {
                    evidence.poms.insert(name);
                }
                Ok(None) => push(
                    problems,
                    format!("{shown} does not say group, artifact and version"),
                ),
                Err(error) => push(problems, told(&shown, &error)),
            }
        }
        evidence
    }
}

/// `META-INF/maven/<group>/<artifact>`, wherever it stands, if that is the folder of the file `name`.
fn maven_folder<'a>(name: &'a [u8], file: &[u8]) -> Option<&'a [u8]> {
    const FOLDER: &[u8] = b"META-INF/maven/";
    let folder = name.strip_suffix(file)?;
    let at = memchr::memmem::find(folder, FOLDER)?;
    let is_whole = at == 0 || folder.get(at.checked_sub(1)?) == Some(&b'/');
    folder
        .get(at.saturating_add(FOLDER.len())..)
        .filter(|_| is_whole)
}

/// Group and artifact of such a folder.
fn pair(folder: &[u8]) -> Option<(String, String)> {
    let (group, artifact) = std::str::from_utf8(folder).ok()?.split_once('/')?;
    (!artifact.contains('/')).then(|| (group.to_owned(), artifact.to_owned()))
}

/// The beginning of an entry, as far as `room` lets unpack it.
fn text(entry: &Entry, source: &mut dyn Source, room: &mut u64) -> Result<Vec<u8>, ZipError> {
    if *room == 0 {
        return Err(ZipError::TooMuch);
    }
    let mut text = Vec::new();
    let content = entry.content(source)?;
    content
        .take(LONGEST_TEXT.min(*room))
        .read_to_end(&mut text)?;
    *room = room.saturating_sub(text.len() as u64);
    Ok(text)
}

fn sha1(source: &mut dyn Source) -> io::Result<[u8; 20]> {
    source.seek(SeekFrom::Start(0))?;
    let mut hasher = Sha1::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher.finalize().into());
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

/// A name for people.
fn shown(name: &[u8]) -> String {
    excerpt(&String::from_utf8_lossy(name), 300).into_owned()
}

/// A failure and its causes, for people.
fn told(what: &str, error: &ZipError) -> String {
    let mut text = format!("failed to read {what}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

//! The files of an archive or folder by name, with their bytes read in place.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{Mode, OFlags};
use seareeve_model::{Digest, ImagePath};

use crate::layer::Blob;
use crate::tar::{InputError, Kind, TarError, Walker};
use crate::watch::Watch;
use crate::{Limits, Options, ReadError};

use super::packed;
use crate::packing::Packing;
use crate::seekable::{Seekable, read_up_to};

/// How many links between entries are followed.
const LINK_HOPS: usize = 8;

/// The files of an image archive.
pub(crate) struct Store {
    path: Utf8PathBuf,
    place: Place,
    document_bytes: u64,
}

enum Place {
    Tar {
        file: Arc<File>,
        entries: BTreeMap<ImagePath, Member>,
    },
    Folder,
}

/// An entry of the outer archive.
enum Member {
    Data {
        offset: u64,
        size: u64,
    },
    /// Old versions of `docker save` link equal layers to each other.
    Link(ImagePath),
}

/// A file that was found: it can be read any number of times.
#[derive(Clone)]
pub(crate) struct Section {
    pub(crate) file: Arc<File>,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

impl Store {
    /// Opens an archive and lists its entries without reading them, or a folder. An archive that is
    /// compressed as a whole is unpacked first.
    pub(crate) fn open(
        path: &Utf8Path,
        options: &Options,
        watch: &Watch,
    ) -> Result<Self, ReadError> {
        let failed = |source| ReadError::Io {
            path: path.to_string(),
            source,
        };
        let file = open(path, OFlags::empty()).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let store = Self {
            path: path.to_owned(),
            place: Place::Folder,
            document_bytes: options.limits.document_bytes,
        };
        if metadata.is_dir() {
            return Ok(store);
        }
        if !metadata.is_file() {
            return Err(store.not_an_image("it is not a regular file"));
        }
        let mut start = [0; 6];
        if read_up_to(&file, 0, &mut start).map_err(failed)? == 0 {
            return Err(store.not_an_image("it is empty"));
        }
        match Packing::of(&start) {
            Some(packing) => {
                let unpacked = packed::unpack(file, packing, path, options, watch)?;
                Self::in_file(path, unpacked, &options.limits)
            }
            None => Self::in_file(path, file, &options.limits),
        }
    }

    /// Lists the entries of the archive in `file`. `name` is what errors call it.
    pub(crate) fn in_file(name: &Utf8Path, file: File, limits: &Limits) -> Result<Self, ReadError> {
        let mut store = Self {
            path: name.to_owned(),
            place: Place::Folder,
            document_bytes: limits.document_bytes,
        };
        let length = file
            .metadata()
            .map_err(|source| store.failed(source))?
            .len();
        let entries = store.list(&file, length, limits)?;
        store.place = Place::Tar {
            file: Arc::new(file),
            entries,
        };
        Ok(store)
    }

    fn list(
        &self,
        file: &File,
        length: u64,
        limits: &Limits,
    ) -> Result<BTreeMap<ImagePath, Member>, ReadError> {
        let mut go_on = |_read| true;
        let mut walker = Walker::new(Seekable::new(file, 0, length, &mut go_on));
        let mut entries = BTreeMap::new();
        let mut path = ImagePath::root();
        loop {
            let entry = match walker.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => return Ok(entries),
                Err(TarError::Input(InputError::Read(source))) => return Err(self.failed(source)),
                Err(error) => {
                    return Err(
                        self.not_an_image(&format!("it is no readable tar archive: {error}"))
                    );
                }
            };
            if entries.len() >= limits.archive_entries {
                return Err(ReadError::LimitReached {
                    what: format!("the list of entries of {}", self.path),
                    limit: limits.archive_entries as u64,
                    unit: "entries (an image archive has a few for each layer)",
                });
            }
            if !path.assign(entry.path) {
                // Nothing that an image needs has such a name.
                continue;
            }
            let target = |parent: Option<ImagePath>| parent?.join(entry.link);
            let member = match entry.kind {
                Kind::File => Some(Member::Data {
                    offset: entry.offset,
                    size: entry.size,
                }),
                Kind::Symlink => target(path.parent()).map(Member::Link),
                Kind::HardLink => target(Some(ImagePath::root())).map(Member::Link),
                Kind::Directory | Kind::SparseFile | Kind::Other => None,
            };
            if let Some(member) = member {
                entries.insert(path.clone(), member);
            }
        }
    }

    /// Whether there is a file of this name.
    pub(crate) fn holds(&self, name: &str) -> Result<bool, ReadError> {
        Ok(self.find(name)?.is_some())
    }

    /// Finds a layer; where there is none, why. One that cannot be opened is no reason not to read the others.
    pub(crate) fn find_layer(&self, names: &[String], missing: &str) -> Result<Section, String> {
        for name in names {
            match self.find(name) {
                Ok(Some(section)) => return Ok(section),
                Ok(None) => {}
                Err(ReadError::Io { source, .. }) => return Err(format!("{missing}: {source}")),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(missing.to_owned())
    }

    /// Finds a file. Links are followed inside archives only; a folder is someone's file system, so
    /// there only regular files count, and never those that a link leads to.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Section>, ReadError> {
        let Some(path) = ImagePath::parse(name.as_bytes()) else {
            return Ok(None);
        };
        match &self.place {
            Place::Tar { file, entries } => Ok(find_member(file, entries, path)),
            Place::Folder => self.find_in_folder(&path),
        }
    }

    fn find_in_folder(&self, path: &ImagePath) -> Result<Option<Section>, ReadError> {
        let mut place = self.path.clone();
        for part in path.to_text().split('/') {
            place.push(part);
            match std::fs::symlink_metadata(&place) {
                Ok(metadata) if metadata.is_symlink() => return Ok(None),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(source) => return Err(self.failed(source)),
            }
        }
        let file = open(&place, OFlags::NOFOLLOW).map_err(|source| self.failed(source))?;
        let metadata = file.metadata().map_err(|source| self.failed(source))?;
        Ok(metadata.is_file().then(|| Section {
            file: Arc::new(file),
            offset: 0,
            size: metadata.len(),
        }))
    }

    /// Reads a whole JSON document. `Ok(None)` when there is no such file.
    pub(crate) fn document(&self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(section) = self.find(name)? else {
            return Ok(None);
        };
        self.read(&section, name).map(Some)
    }

    /// Reads a whole JSON document that was found; `what` names it in errors.
    pub(crate) fn read(&self, section: &Section, what: &str) -> Result<Vec<u8>, ReadError> {
        if section.size > self.document_bytes {
            return Err(ReadError::LimitReached {
                what: what.chars().take(200).collect(),
                limit: self.document_bytes,
                unit: "bytes",
            });
        }
        let mut content = Vec::new();
        section
            .reader()
            .read_to_end(&mut content)
            .map_err(|source| self.failed(source))?;
        Ok(content)
    }

    /// What errors call it.
    pub(crate) fn path(&self) -> &str {
        self.path.as_str()
    }

    pub(crate) fn failed(&self, source: io::Error) -> ReadError {
        ReadError::Io {
            path: self.path.to_string(),
            source,
        }
    }

    pub(crate) fn not_an_image(&self, why: &str) -> ReadError {
        ReadError::NotAnImage {
            path: self.path.to_string(),
            why: why.to_owned(),
        }
    }
}

/// Opens what stands at `path` for reading; a pipe is not waited for.
fn open(path: &Utf8Path, further: OFlags) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | further;
    let file = rustix::fs::open(path.as_std_path(), flags, Mode::empty())?;
    Ok(File::from(file))
}

fn find_member(
    file: &Arc<File>,
    entries: &BTreeMap<ImagePath, Member>,
    mut path: ImagePath,
) -> Option<Section> {
    for _ in 0..=LINK_HOPS {
        match entries.get(&path)? {
            Member::Data { offset, size } => {
                return Some(Section {
                    file: Arc::clone(file),
                    offset: *offset,
                    size: *size,
                });
            }
            Member::Link(target) => path = target.clone(),
        }
    }
    None
}

impl Section {
    /// The bytes, from the start.
    pub(crate) fn reader(&self) -> SectionReader {
        SectionReader {
            file: Arc::clone(&self.file),
            offset: self.offset,
            left: self.size,
        }
    }

    /// The section as a layer that should have this digest.
    pub(crate) fn blob(&self, digest: Option<Digest>) -> Blob {
        Blob {
            reader: Box::new(self.reader()),
            digest,
            on_disk: Some(self.clone()),
        }
    }
}

pub(crate) struct SectionReader {
    file: Arc<File>,
    offset: u64,
    left: u64,
}

impl Read for SectionReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let longest = usize::try_from(self.left).map_or(into.len(), |left| left.min(into.len()));
        let into = into.get_mut(..longest).unwrap_or_default();
        let read = self.file.read_at(into, self.offset)?;
        self.offset = self.offset.saturating_add(read as u64);
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

//! A root file system in a directory, read as an image of one layer: a mounted image, a chroot, this machine.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use camino::Utf8Path;
use seareeve_model::{Image, Layer};

use crate::hashing::Hasher;
use crate::layer::{Budget, Collector, Content, Stop};
use crate::progress::{Report, report};
use crate::tar::Kind;
use crate::tree::FileTree;
use crate::{FileFacts, LayerFiles, Options, Platform, Progress, ReadError, Selector, Stage};

/// Directories in the root that hold no files of the system, but windows into the kernel.
const KERNEL: [&[u8]; 3] = [b"dev", b"proc", b"sys"];
/// Bytes of one read.
const PIECE: usize = 256 * 1024;

/// Reads the tree below `root`. No link is followed, so nothing outside is read.
pub(crate) fn read(
    root: &Utf8Path,
    options: &Options,
    selector: &dyn Selector,
    progress: &Report<'_>,
) -> Result<(Image, FileTree, Vec<seareeve_model::Problem>), ReadError> {
    let failed = |source| ReadError::Io {
        path: root.to_string(),
        source,
    };
    if !fs::metadata(root).map_err(failed)?.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::NotADirectory)));
    }
    let limits = &options.limits;
    let budget = Budget::new(limits.kept_bytes, limits.kept_bytes);
    let mut walk = Walk {
        root: root.as_std_path(),
        collector: Collector::new(limits, &budget, selector),
        progress,
        bytes: 0,
        buffer: vec![0; PIECE],
    };
    let stopped = walk.run().err();
    let bytes = walk.bytes;
    let mut files = walk.collector.finish(root.as_str());
    if let Some(stop) = stopped {
        let (code, message) = stop.into_problem().ok_or(ReadError::Cancelled)?;
        let problem = seareeve_model::Problem::new(code, root.as_str(), message);
        files.problems.push(problem);
    }
    let digest = digest(&files);
    let host = Platform::host();
    let image = Image {
        references: Vec::new(),
        digest: digest.clone(),
        config_digest: digest.clone(),
        os: host.os,
        architecture: host.architecture,
        created: None,
        layers: vec![Layer {
            diff_id: digest,
            digest: None,
            size_bytes: bytes,
            created_by: String::new(),
        }],
    };
    let problems = std::mem::take(&mut files.problems);
    let mut tree = FileTree::default();
    tree.apply(0, files, selector);
    Ok((image, tree, problems))
}

/// A directory has no digest of its own. This one changes when anything changes that we look at.
fn digest(files: &LayerFiles) -> seareeve_model::Digest {
    let mut hasher = Hasher::for_comparison(None);
    for (kind, map) in [
        (b"f", &files.files),
        (b"l", &files.links),
        (b"n", &files.notes),
    ] {
        for (path, content) in map {
            hasher.update(kind);
            for part in [path.as_bytes(), content] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
    }
    hasher.finish()
}

struct Walk<'a> {
    root: &'a Path,
    collector: Collector<'a>,
    progress: &'a Report<'a>,
    bytes: u64,
    buffer: Vec<u8>,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        // Paths below the root that are still to be listed. Sorted, so that the same tree gives the same result.
        let mut open = vec![PathBuf::new()];
        while let Some(folder) = open.pop() {
            let mut names = Vec::new();
            match fs::read_dir(self.root.join(&folder)) {
                Ok(entries) => names.extend(entries.flatten().map(|entry| entry.file_name())),
                Err(error) => self.unreadable(&folder, &error),
            }
            names.sort_unstable();
            let mut below = Vec::new();
            for name in names {
                if folder.as_os_str().is_empty() && KERNEL.contains(&name.as_bytes()) {
                    continue;
                }
                let path = folder.join(name);
                if self.entry(&path)? {
                    below.push(path);
                }
            }
            open.extend(below.into_iter().rev());
        }
        Ok(())
    }

    /// Takes one entry. True when it is a directory.
    fn entry(&mut self, path: &Path) -> Result<bool, Stop> {
        let place = self.root.join(path);
        let metadata = match fs::symlink_metadata(&place) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.unreadable(path, &error);
                return Ok(false);
            }
        };
        let mut link = PathBuf::new();
        let kind = if metadata.is_dir() {
            Kind::Directory
        } else if metadata.is_file() {
            Kind::File
        } else if metadata.is_symlink() {
            link = fs::read_link(&place).unwrap_or_default();
            Kind::Symlink
        } else {
            Kind::Other
        };
        let name = path.as_os_str().as_bytes();
        if self
            .collector
            .enter(name, kind, link.as_os_str().as_bytes())?
        {
            self.tell()?;
            self.bytes = self.bytes.saturating_add(metadata.len());
            let facts = FileFacts {
                size: metadata.len(),
                is_executable: metadata.permissions().mode() & 0o111 != 0,
            };
            let mut content = OnDisk {
                place,
                inode: (metadata.dev(), metadata.ino()),
                file: None,
                buffer: &mut self.buffer,
                error: None,
            };
            self.collector.file(facts, &mut content)?;
            if let Some(error) = content.error {
                self.unreadable(path, &error);
            }
        }
        Ok(kind == Kind::Directory)
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.collector
            .unreadable(path.as_os_str().as_bytes(), &error.to_string());
    }

    fn tell(&self) -> Result<(), Stop> {
        let progress = Progress {
            stage: Stage::Layers,
            layer: 0,
            layers: 1,
            bytes_read: self.bytes,
            bytes_total: None,
        };
        report(self.progress, progress).map_err(|_| Stop::Cancelled)
    }
}

/// A file that is opened when somebody wants its first byte.
struct OnDisk<'a> {
    place: PathBuf,
    /// Device and number of the file that was looked at: what stands there now may be another, or a link.
    inode: (u64, u64),
    file: Option<File>,
    buffer: &'a mut [u8],
    /// Why the file could not be read. The others still are.
    error: Option<io::Error>,
}

impl OnDisk<'_> {
    fn open(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            let file = File::open(&self.place)?;
            let metadata = file.metadata()?;
            if (metadata.dev(), metadata.ino()) != self.inode {
                return Err(io::Error::other("the file changed while it was read"));
            }
            self.file = Some(file);
        }
        self.file
            .as_mut()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn fill(&mut self) -> io::Result<usize> {
        self.open()?;
        let Some(file) = self.file.as_mut() else {
            return Ok(0);
        };
        loop {
            match file.read(self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl Content for OnDisk<'_> {
    fn piece(&mut self) -> Result<&[u8], Stop> {
        let read = match self.fill() {
            Ok(read) => read,
            Err(error) => {
                self.error = Some(error);
                0
            }
        };
        Ok(self.buffer.get(..read).unwrap_or_default())
    }

    fn leave_out(&mut self, amount: u64) -> Result<(), Stop> {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        if let Err(error) = self
            .open()
            .and_then(|file| file.seek(SeekFrom::Current(amount)))
        {
            self.error = Some(error);
        }
        Ok(())
    }
}

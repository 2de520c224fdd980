//! A root file system in a directory, read as an image of one layer: a mounted image, a chroot, this machine.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use camino::Utf8Path;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};
use seareeve_model::{Image, Layer};

use crate::hashing::Hasher;
use crate::layer::{Budget, Collector, Content, Stop};
use crate::progress::{Report, report};
use crate::tar::Kind;
use crate::tree::FileTree;
use crate::{
    Access, FileFacts, LayerFiles, Options, Platform, Progress, ReadError, Selector, Stage,
};

/// Directories in the root that hold no files of the system, but windows into the kernel.
const KERNEL: [&[u8]; 3] = [b"dev", b"proc", b"sys"];
/// Bytes of one read.
const PIECE: usize = 256 * 1024;

/// Reads the tree below `root`. Everything is opened from the folder that it was found in, and no link is followed, so
/// nothing outside is read, whoever changes the tree meanwhile.
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
    // The root itself may be named by a link.
    let folder = File::open(root).map_err(failed)?;
    if !folder.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::NotADirectory)));
    }
    let limits = &options.limits;
    let budget = Budget::new(limits.kept_bytes, limits.kept_bytes);
    let mut walk = Walk {
        root: folder.into(),
        most_names: limits.layer_entries,
        collector: Collector::new(limits, &budget, selector).of_root_file_system(),
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
    root: OwnedFd,
    /// Names that one folder may have.
    most_names: u64,
    collector: Collector<'a>,
    progress: &'a Report<'a>,
    bytes: u64,
    buffer: Vec<u8>,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        // Paths below the root that are still to be listed. Sorted, so that the same tree gives the same result.
        let mut open = vec![PathBuf::new()];
        while let Some(path) = open.pop() {
            let folder = match self.folder(&path) {
                Ok(folder) => folder,
                Err(error) => {
                    self.unreadable(&path, &error);
                    continue;
                }
            };
            let mut below = Vec::new();
            for name in self.names(&folder, &path)? {
                if path.as_os_str().is_empty() && KERNEL.contains(&name.as_bytes()) {
                    continue;
                }
                let place = path.join(&name);
                if self.entry(&folder, &name, &place)? {
                    below.push(place);
                }
            }
            open.extend(below.into_iter().rev());
        }
        Ok(())
    }

    /// Opens the folder at `path` below the root, part by part: none of them may be a link.
    fn folder(&self, path: &Path) -> io::Result<OwnedFd> {
        let mut folder = open(&self.root, OsStr::new("."), OFlags::DIRECTORY)?;
        for part in path {
            folder = open(&folder, part, OFlags::DIRECTORY)?;
        }
        Ok(folder)
    }

    /// The sorted names in a folder. What could not be listed is said.
    fn names(&mut self, folder: &OwnedFd, path: &Path) -> Result<Vec<OsString>, Stop> {
        let mut names = Vec::new();
        let entries = match Dir::read_from(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.unreadable(path, &error.into());
                return Ok(names);
            }
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.unreadable(path, &error.into());
                    break;
                }
            };
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            if names.len() as u64 >= self.most_names {
                let most = self.most_names;
                return Err(Stop::Limit(format!(
                    "a folder has more than {most} entries"
                )));
            }
            names.push(OsString::from_vec(name.to_vec()));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Takes the entry `name` of `folder`, which stands at `path`. True when it is a directory.
    fn entry(&mut self, folder: &OwnedFd, name: &OsStr, path: &Path) -> Result<bool, Stop> {
        let looked = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).and_then(|stat| {
            let kind = match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => Kind::Directory,
                FileType::RegularFile => Kind::File,
                FileType::Symlink => Kind::Symlink,
                _ => Kind::Other,
            };
            let link = match kind {
                Kind::Symlink => readlinkat(folder, name, Vec::new())?.into_bytes(),
                _ => Vec::new(),
            };
            Ok((stat, kind, link))
        });
        let (stat, kind, link) = match looked {
            Ok(looked) => looked,
            Err(error) => {
                self.lost(path, &error.into());
                return Ok(false);
            }
        };
        if self
            .collector
            .enter(path.as_os_str().as_bytes(), kind, &link)?
        {
            self.tell()?;
            let size = u64::try_from(stat.st_size).unwrap_or(0);
            self.bytes = self.bytes.saturating_add(size);
            let facts = FileFacts {
                size,
                is_executable: stat.st_mode & 0o111 != 0,
                access: Access {
                    mode: stat.st_mode & 0o7777,
                    uid: stat.st_uid.into(),
                    gid: stat.st_gid.into(),
                },
            };
            let mut content = OnDisk {
                folder,
                name,
                found: &stat,
                file: None,
                left: size,
                buffer: &mut self.buffer,
                error: None,
            };
            let taken = self.collector.file(facts, &mut content);
            match content.error {
                // The others can still be read.
                Some(error) => self.lost(path, &error),
                None => taken?,
            }
        }
        Ok(kind == Kind::Directory)
    }

    /// Says that a file could not be read. One that was removed since its folder was listed is no part of the tree, as
    /// one that is made after that is none: on a machine at work that happens all the time. A folder that is gone may
    /// have been moved, with what was never looked at in it.
    fn lost(&mut self, path: &Path, error: &io::Error) {
        if error.kind() != io::ErrorKind::NotFound {
            self.unreadable(path, error);
        }
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

/// Opens `name` in `folder` for reading. A link is an error, and a pipe is not waited for.
fn open(folder: &impl AsFd, name: &OsStr, further: OFlags) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | further;
    Ok(openat(folder, name, flags, Mode::empty())?)
}

/// A file that is opened when somebody wants its first byte.
struct OnDisk<'a> {
    folder: &'a OwnedFd,
    name: &'a OsStr,
    /// The file that was looked at: what stands there now may be another.
    found: &'a Stat,
    file: Option<File>,
    /// Bytes that are not read yet. A file that grows has no more than it had.
    left: u64,
    buffer: &'a mut [u8],
    /// Why the file could not be read to its end.
    error: Option<io::Error>,
}

impl OnDisk<'_> {
    fn open(&mut self) -> io::Result<&mut File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let file = open(self.folder, self.name, OFlags::empty())?;
                let stat = fstat(&file)?;
                if (stat.st_dev, stat.st_ino) != (self.found.st_dev, self.found.st_ino) {
                    return Err(changed());
                }
                File::from(file)
            }
        };
        Ok(self.file.insert(file))
    }

    fn fill(&mut self) -> io::Result<usize> {
        let longest = usize::try_from(self.left).unwrap_or(usize::MAX);
        let longest = longest.min(self.buffer.len());
        if longest == 0 {
            return Ok(0);
        }
        self.open()?;
        let (Some(file), Some(into)) = (self.file.as_mut(), self.buffer.get_mut(..longest)) else {
            return Ok(0);
        };
        loop {
            match file.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) => return Err(changed()),
                result => return result,
            }
        }
    }

    fn skip(&mut self, amount: u64) -> io::Result<()> {
        let amount = amount.min(self.left);
        let offset = i64::try_from(amount).unwrap_or(i64::MAX);
        self.open()?.seek(SeekFrom::Current(offset))?;
        self.left = self.left.saturating_sub(amount);
        Ok(())
    }

    /// Half a file must not be taken for a whole one.
    fn failed(&mut self, error: io::Error) -> Stop {
        let stop = Stop::Broken(error.to_string());
        self.error = Some(error);
        stop
    }
}

fn changed() -> io::Error {
    io::Error::other("the file changed while it was read")
}

impl Content for OnDisk<'_> {
    fn piece(&mut self) -> Result<&[u8], Stop> {
        let read = self.fill().map_err(|error| self.failed(error))?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(self.buffer.get(..read).unwrap_or_default())
    }

    fn leave_out(&mut self, amount: u64) -> Result<(), Stop> {
        self.skip(amount).map_err(|error| self.failed(error))
    }
}

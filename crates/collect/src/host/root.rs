//! The file system of the host, which may be mounted somewhere below our own.

use std::collections::VecDeque;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};

/// As many symbolic links as the kernel follows (path_resolution(7)).
const LINKS: usize = 40;
/// Entries of one folder that are looked at.
const ENTRIES: usize = 10_000;

/// The host's `/`. Paths given to it and got from it are the host's.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    prefix: PathBuf,
}

impl Root {
    pub(crate) fn new(prefix: &Utf8Path) -> Self {
        Self {
            prefix: prefix.as_std_path().to_owned(),
        }
    }

    /// Whether it is the root of this process.
    pub(crate) fn is_here(&self) -> bool {
        self.prefix.as_os_str().is_empty() || self.prefix == Path::new("/")
    }

    /// Where a path of the host is for us, without a look at links.
    pub(crate) fn place(&self, path: &Utf8Path) -> PathBuf {
        let below = path.as_str().trim_start_matches('/');
        self.prefix.join(below)
    }

    /// Follows all symbolic links, which lead from the host's root and not from ours.
    pub(crate) fn real(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        let mut real = Utf8PathBuf::from("/");
        let mut rest: VecDeque<String> = parts(path);
        let mut links = 0_usize;
        while let Some(part) = rest.pop_front() {
            if part == ".." {
                real.pop();
                continue;
            }
            let next = real.join(&part);
            let place = self.place(&next);
            if !fs::symlink_metadata(&place)?.is_symlink() {
                real = next;
                continue;
            }
            links = links.saturating_add(1);
            if links > LINKS {
                return Err(io::Error::other("there are too many symbolic links"));
            }
            let target = fs::read_link(&place)?;
            let target = Utf8PathBuf::from_path_buf(target)
                .map_err(|_odd| io::Error::other("a symbolic link is not UTF-8"))?;
            if target.is_absolute() {
                real = Utf8PathBuf::from("/");
            }
            for part in parts(&target).into_iter().rev() {
                rest.push_front(part);
            }
        }
        Ok(real)
    }

    /// Of what the path leads to, links followed.
    pub(crate) fn metadata(&self, path: &Utf8Path) -> io::Result<(Utf8PathBuf, Metadata)> {
        let real = self.real(path)?;
        let metadata = fs::symlink_metadata(self.place(&real))?;
        Ok((real, metadata))
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.real(Utf8Path::new(path)).is_ok()
    }

    /// A regular file of at most `limit` bytes, whole.
    pub(crate) fn read(&self, path: &Utf8Path, limit: u64) -> io::Result<Vec<u8>> {
        let (real, metadata) = self.metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        read_bounded(&self.place(&real), limit)
    }

    /// The same as text; bytes that are not UTF-8 are replaced.
    pub(crate) fn text(&self, path: &str, limit: u64) -> io::Result<String> {
        let bytes = self.read(Utf8Path::new(path), limit)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The first line of a small file, trimmed.
    pub(crate) fn line(&self, path: &str) -> Option<String> {
        let text = self.text(path, 64 << 10).ok()?;
        let line = text.lines().next().unwrap_or_default().trim();
        (!line.is_empty()).then(|| line.to_owned())
    }

    /// The names in a folder, sorted. Those that are not UTF-8 are passed over.
    pub(crate) fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let real = self.real(Utf8Path::new(folder))?;
        let entries = fs::read_dir(self.place(&real))?;
        let mut names: Vec<String> = entries
            .take(ENTRIES)
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort_unstable();
        Ok(names)
    }
}

fn parts(path: &Utf8Path) -> VecDeque<String> {
    let parts = path.as_str().split('/');
    parts
        .filter(|part| !part.is_empty() && *part != ".")
        .map(str::to_owned)
        .collect()
}

fn read_bounded(place: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(place)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        let message = format!("it is larger than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_lead_from_the_hosts_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("run/docker")).unwrap();
        fs::create_dir_all(at("var")).unwrap();
        fs::write(at("run/docker/a"), "text").unwrap();
        symlink("/run", at("var/run")).unwrap();
        symlink("../../../../run/docker", at("var/deep")).unwrap();
        symlink("loop", at("loop")).unwrap();
        for (path, real) in [
            ("/var/run/docker/a", "/run/docker/a"),
            ("/var/deep/./a", "/run/docker/a"),
            ("/../../run", "/run"),
            ("/", "/"),
        ] {
            assert_eq!(root.real(Utf8Path::new(path)).unwrap(), real);
        }
        assert!(root.real(Utf8Path::new("/loop")).is_err());
        assert!(root.real(Utf8Path::new("/absent")).is_err());
        assert_eq!(root.text("/var/run/docker/a", 4).unwrap(), "text");
        assert_eq!(
            root.text("/var/run/docker/a", 3).unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
        assert!(root.text("/run", 10).is_err());
        assert_eq!(root.names("/var").unwrap(), ["deep", "run"]);
    }
}

//! Files of a container's or image's own file system, which is hostile: its links lead inside it, or nowhere.

use std::io::{self, Read};
use std::path::Path;

/// A regular file below `folder`, as somebody would see it whose `/` that folder is; at most `limit` bytes of it.
#[cfg(target_os = "linux")]
pub(crate) fn read(folder: &Path, path: &str, limit: u64) -> io::Result<Vec<u8>> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};

    let folder = open(
        folder,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    // A pipe is not waited for (openat2(2)).
    let file = openat2(
        &folder,
        path,
        OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    )?;
    let file = std::fs::File::from(file);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Only Linux can keep links inside.
#[cfg(not(target_os = "linux"))]
pub(crate) fn read(_folder: &Path, _path: &str, _limit: u64) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_stay_inside() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("secret");
        std::fs::write(&outside, "outside").unwrap();
        let inside = folder.path().join("inside");
        std::fs::create_dir_all(inside.join("etc")).unwrap();
        std::fs::write(inside.join("real"), "abc").unwrap();
        symlink("/real", inside.join("etc/passwd")).unwrap();
        symlink(&outside, inside.join("etc/absolute")).unwrap();
        symlink("../../secret", inside.join("etc/relative")).unwrap();
        assert_eq!(read(&inside, "/etc/passwd", 2).unwrap(), b"ab");
        for path in ["/etc/absolute", "/etc/relative", "/etc", "/absent"] {
            assert!(read(&inside, path, 9).is_err(), "{path}");
        }
    }
}

//! The kernel tells of changes in folders (inotify(7)): files are watched by their folders, because editors and
//! package managers put new files in the place of old ones.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

/// Most folders that are watched. The kernel has a limit for each user, too.
const MOST: usize = 2_000;

/// What of a folder matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Interest {
    /// Whatever it is.
    pub(super) all: bool,
    /// Only these names.
    pub(super) names: BTreeSet<OsString>,
}

/// By folder, as we have to open it.
pub(super) type Places = BTreeMap<PathBuf, Interest>;

/// See the module.
#[derive(Debug)]
pub(super) struct Files {
    inotify: OwnedFd,
    /// By the kernel's number of the watch.
    watched: BTreeMap<i32, (PathBuf, Interest)>,
    why: Option<String>,
}

impl Files {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            inotify: inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?,
            watched: BTreeMap::new(),
            why: None,
        })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// How many folders and files are watched.
    pub(super) fn len(&self) -> usize {
        let count = |(_, interest): &(PathBuf, Interest)| interest.names.len().max(1);
        self.watched.values().map(count).sum()
    }

    /// Why some are not.
    pub(super) fn why(&self) -> Option<String> {
        self.why.clone()
    }

    /// Watches these and nothing else. Says whether there is something new among them.
    pub(super) fn aim(&mut self, wanted: Places) -> bool {
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let before = std::mem::take(&mut self.watched);
        let known: BTreeMap<PathBuf, (i32, Interest)> = before
            .into_iter()
            .map(|(number, (path, interest))| (path, (number, interest)))
            .collect();
        let mut kept: BTreeSet<i32> = BTreeSet::new();
        let mut is_new = false;
        self.why = None;
        if wanted.len() > MOST {
            let why = format!("of {} folders only {MOST} are watched", wanted.len());
            self.why = Some(why);
        }
        for (path, interest) in wanted.into_iter().take(MOST) {
            // Adding one again is the same watch, and finds out whether another folder has taken its place.
            match inotify::add_watch(&self.inotify, &path, flags) {
                Ok(number) => {
                    let before = known.get(&path);
                    is_new |= before != Some(&(number, interest.clone()));
                    kept.insert(number);
                    let entry = self.watched.entry(number);
                    let (_, known) = entry.or_insert_with(|| (path, Interest::default()));
                    known.all |= interest.all;
                    known.names.extend(interest.names);
                }
                Err(error) if error == rustix::io::Errno::NOENT => {}
                Err(error) => {
                    let why = format!("{} cannot be watched: {error}", path.display());
                    self.why.get_or_insert(why);
                }
            }
        }
        for (number, _) in known.into_values() {
            if !kept.contains(&number) {
                // It may be gone with its folder.
                let _gone = inotify::remove_watch(&self.inotify, number);
            }
        }
        is_new
    }

    /// Reads what the kernel tells. Says whether it matters.
    pub(super) fn hear(&mut self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 16 << 10];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        let mut matters = false;
        while let Ok(event) = reader.next() {
            let flags = event.events();
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                matters = true;
                continue;
            }
            let Some((_, interest)) = self.watched.get(&event.wd()) else {
                continue;
            };
            matters |= match event.file_name() {
                // About the folder itself: it went away, or is somebody else's now.
                None => true,
                Some(name) => {
                    let name = std::ffi::OsStr::from_bytes(name.to_bytes());
                    interest.all || interest.names.contains(name)
                }
            };
        }
        matters
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_are_heard_by_name_and_folders_whole() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir(at("whole")).unwrap();
        fs::write(at("file"), "").unwrap();
        let places = || {
            let named = Interest {
                names: ["file".into(), "later".into()].into(),
                all: false,
            };
            let whole = Interest {
                all: true,
                ..Interest::default()
            };
            Places::from([
                (folder.path().to_owned(), named),
                (at("whole"), whole),
                (at("absent"), Interest::default()),
            ])
        };
        let mut files = Files::new().unwrap();
        assert!(files.aim(places()));
        assert!(!files.aim(places()), "the same again is nothing new");
        assert_eq!((files.len(), files.why()), (3, None));
        assert!(!files.hear());
        type Change<'a> = &'a dyn Fn();
        let mode = |mode| fs::Permissions::from_mode(mode);
        let cases: [(&str, Change<'_>, bool); 7] = [
            (
                "another file",
                &|| fs::write(at("other"), "").unwrap(),
                false,
            ),
            ("written", &|| fs::write(at("file"), "x").unwrap(), true),
            ("read", &|| drop(fs::read(at("file")).unwrap()), false),
            (
                "its mode",
                &|| fs::set_permissions(at("file"), mode(0o600)).unwrap(),
                true,
            ),
            (
                "replaced",
                &|| fs::rename(at("other"), at("later")).unwrap(),
                true,
            ),
            (
                "in the folder",
                &|| fs::write(at("whole/x"), "").unwrap(),
                true,
            ),
            (
                "the folder is gone",
                &|| fs::remove_dir_all(at("whole")).unwrap(),
                true,
            ),
        ];
        for (what, change, expected) in cases {
            change();
            assert_eq!(files.hear(), expected, "{what}");
        }
        fs::create_dir(at("whole")).unwrap();
        assert!(
            files.aim(places()),
            "another folder of the same name is new"
        );
        fs::write(at("whole/y"), "").unwrap();
        assert!(files.hear());
    }
}

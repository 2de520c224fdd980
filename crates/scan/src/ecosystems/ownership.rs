//! Files that packages of the operating system own. What is in them belongs to the distribution, which mends it
//! in its own packages and under its own version numbers, so it is not listed a second time as a package of a
//! language.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use seareeve_image::{FileTree, Inspector};
use seareeve_model::ImagePath;

use super::os_release::OsRelease;
use super::{ECOSYSTEMS, Scope, dpkg};
use crate::examiner::Remembered;

/// dpkg's lists of what each package installed, and the checksums that distroless images have in their place.
const LISTS: &[u8] = b"var/lib/dpkg/info/";
const DISTROLESS_LISTS: &[u8] = b"var/lib/dpkg/status.d/";

/// Where nothing of a distribution is (FHS 3.0, 3.13 and 4.9): packages that have files there are others'.
const OTHERS: [&[u8]; 2] = [b"opt/", b"usr/local/"];

/// Longest path in a list that is looked at; Linux has none that is longer.
const LONGEST_LINE: usize = 4096;
/// Paths of one list. The largest packages have a fifth of it. What is not remembered is not owned, and then
/// reported twice rather than not at all.
const MOST_PATHS: usize = 500_000;

/// Which files are owned.
#[derive(Default)]
pub(super) struct Ownership {
    /// By the path's hash, the highest layer with a list that has it. A package has one list, written when it is
    /// installed.
    lists: BTreeMap<u64, u32>,
    databases: Vec<Database>,
}

/// A database of all packages, which each layer that installs one writes anew.
struct Database {
    /// The layers that wrote it.
    layers: Vec<u32>,
    /// Hashes of the paths in it.
    paths: BTreeSet<u64>,
}

impl Ownership {
    /// Asks all databases and lists. Owners whose advisories are not known own nothing: then the language's are
    /// better than none.
    pub(super) fn new(tree: &FileTree, os: Option<&OsRelease>) -> Self {
        let mut ownership = Self::default();
        let Some(os) = os else {
            return ownership;
        };
        let notes = || tree.notes().iter().filter(|note| !note.is_hidden);
        // A database owns more than anybody asks for.
        let paths = tree.iter().map(|(path, _)| path);
        let asked: BTreeSet<u64> = paths
            .chain(notes().map(|note| &note.path))
            .flat_map(|path| names(path.as_bytes()))
            .collect();
        for format in ECOSYSTEMS {
            let Scope::OperatingSystem { release, owned } = format.scope else {
                continue;
            };
            if release(os).is_none() {
                continue;
            }
            for (path, file) in tree.iter().filter(|(path, _)| format.keeps(path)) {
                let amended = format.amended(tree, path, file).ok().flatten();
                let top = amended.as_ref().unwrap_or(file);
                let paths = owned(&top.content, &|path| asked.contains(&hash(path)));
                let lower = tree.history(path).iter().map(|file| file.layer);
                ownership.databases.push(Database {
                    layers: lower.chain([file.layer, top.layer]).collect(),
                    paths: paths.iter().map(|path| hash(path)).collect(),
                });
            }
        }
        if dpkg::osv_release(os).is_some() {
            ownership.add_lists(tree, &asked);
        }
        ownership
    }

    fn add_lists(&mut self, tree: &FileTree, asked: &BTreeSet<u64>) {
        let stanzas = tree.iter().filter(|(path, _)| dpkg::wanted(path));
        let packages: BTreeSet<&[u8]> = stanzas
            .flat_map(|(_, file)| dpkg::of_distribution(&file.content))
            .collect();
        for note in tree.notes().iter().filter(|note| !note.is_hidden) {
            if !package_of_list(&note.path).is_some_and(|package| packages.contains(package)) {
                continue;
            }
            let hashes = Remembered::read(&note.content).unwrap_or_default().owned;
            for hash in hashes.into_iter().filter(|hash| asked.contains(hash)) {
                let highest = self.lists.entry(hash).or_default();
                *highest = note.layer.max(*highest);
            }
        }
    }

    /// Whether the file that `layer` has at `path` is owned. One that did not come with its owner was put there by
    /// somebody else.
    pub(super) fn owns(&self, path: &ImagePath, layer: u32) -> bool {
        let bytes = path.as_bytes();
        let in_list = |name| self.lists.get(&name).is_some_and(|owner| layer <= *owner);
        let in_database = |name| {
            let mut databases = self.databases.iter();
            databases.any(|it| it.paths.contains(&name) && it.layers.contains(&layer))
        };
        !OTHERS.iter().any(|place| bytes.starts_with(place))
            && names(bytes).any(|name| in_list(name) || in_database(name))
    }
}

/// The hashes under which a list may have the file: packages built before `/bin`, `/sbin` and `/lib` became links
/// into `usr` still list `/lib/x` for what lies at `usr/lib/x`.
fn names(path: &[u8]) -> impl Iterator<Item = u64> {
    let moved = [
        &b"bin/"[..],
        b"sbin/",
        b"lib/",
        b"lib32/",
        b"lib64/",
        b"libx32/",
    ];
    let before = path
        .strip_prefix(b"usr/")
        .filter(|path| moved.iter().any(|folder| path.starts_with(folder)));
    [Some(path), before].into_iter().flatten().map(hash)
}

/// Whether the file at `path` lists files of a package, for [`ListInspector`].
pub(crate) fn is_list(path: &ImagePath) -> bool {
    package_of_list(path).is_some()
}

/// The package whose files the file at `path` lists. Its name has the architecture behind a colon where several
/// can be installed together.
fn package_of_list(path: &ImagePath) -> Option<&[u8]> {
    let within = |folder: &[u8], ending: &[u8]| {
        let name = path.as_bytes().strip_prefix(folder)?;
        let name = name.strip_suffix(ending)?;
        (!name.contains(&b'/')).then(|| name.split(|byte| *byte == b':').next())?
    };
    within(LISTS, b".list").or_else(|| within(DISTROLESS_LISTS, b".md5sums"))
}

/// Remembers eight bytes of each path in a list, which is all that is asked of it.
#[derive(Default)]
pub(crate) struct ListInspector {
    line: Vec<u8>,
    hashes: Vec<u64>,
}

impl ListInspector {
    /// Takes a line of either kind: `/usr/bin/x` or `<md5>  usr/bin/x`.
    fn end_line(&mut self) {
        let line = self.line.as_slice();
        let path = match line.strip_prefix(b"/") {
            Some(path) => Some(path),
            None => line.get(34..),
        };
        // A line that fills the room was cut.
        if let Some(path) = path.filter(|path| !path.is_empty() && line.len() < LONGEST_LINE) {
            self.hashes.push(hash(path));
        }
        self.line.clear();
    }
}

impl Inspector for ListInspector {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            let room = LONGEST_LINE.saturating_sub(self.line.len());
            self.line
                .extend_from_slice(text.get(..room).unwrap_or(text));
            if text.len() < part.len() {
                self.end_line();
            }
        }
        if self.hashes.len() > MOST_PATHS {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn finish(mut self: Box<Self>, _is_whole: bool) -> Option<Vec<u8>> {
        self.end_line();
        let remembered = Remembered {
            owned: self.hashes,
            ..Remembered::default()
        };
        postcard::to_stdvec(&remembered).ok()
    }
}

/// FNV-1a. Whoever makes two paths collide hides a package of his own image, which he can do in easier ways.
fn hash(path: &[u8]) -> u64 {
    path.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_both_kinds_name_the_same_paths() {
        let hashes = |list: &[u8], piece: usize| {
            let mut inspector = Box::new(ListInspector::default());
            for piece in list.chunks(piece) {
                assert!(inspector.take(piece).is_continue());
            }
            let note = inspector.finish(true).unwrap();
            Remembered::read(&note).unwrap().owned
        };
        let list = b"/.\n/usr\n/usr/bin/x\n/usr/lib/y";
        let sums = b"d41d8cd98f00b204e9800998ecf8427e  usr/bin/x\n\nd41d8cd98f00b204e9800998ecf8427e  usr/lib/y\n";
        for piece in [1, 7, 1000] {
            assert_eq!(
                hashes(list, piece),
                [&b"."[..], b"usr", b"usr/bin/x", b"usr/lib/y"].map(hash)
            );
            assert_eq!(
                hashes(sums, piece),
                [&b"usr/bin/x"[..], b"usr/lib/y"].map(hash)
            );
        }
        let long = [&b"/"[..], &[b'a'; 10_000], b"\n/usr/bin/x\n"].concat();
        assert_eq!(hashes(&long, 1000), [hash(b"usr/bin/x")]);
    }

    #[test]
    fn lists_are_found_by_their_place() {
        let is = |path: &str| is_list(&ImagePath::parse(path.as_bytes()).unwrap());
        assert!(is("var/lib/dpkg/info/python3-six.list"));
        assert!(is("var/lib/dpkg/info/libc6:amd64.list"));
        assert!(is("var/lib/dpkg/status.d/base.md5sums"));
        for other in [
            "var/lib/dpkg/info/x.md5sums",
            "var/lib/dpkg/info/x/y.list",
            "var/lib/dpkg/status.d/base",
            "srv/var/lib/dpkg/info/x.list",
        ] {
            assert!(!is(other), "{other}");
        }
    }
}

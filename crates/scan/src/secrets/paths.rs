//! Which files are looked at, by where they stand: patterns on paths, and the two lists of the house.

use std::collections::HashMap;

use seareeve_model::ImagePath;
use serde::Deserialize;

/// Patterns on paths, by the form of the pattern, so that a path is tested against hundreds at once.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Patterns {
    /// Names of files.
    pub(super) names: Vec<String>,
    /// Ends of names of files, such as `.pyc`.
    pub(super) endings: Vec<String>,
    /// Whole paths.
    pub(super) paths: Vec<String>,
    /// Folders, as paths from the root.
    pub(super) below: Vec<String>,
    /// Names of folders anywhere; `a … b` is a folder `b` somewhere below a folder `a`.
    pub(super) inside: Vec<String>,
}

/// One entry of a list: patterns, and the reason why they stand there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(rename = "why")]
    _why: String,
    what: Patterns,
}

/// The file `lists/paths.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lists {
    #[serde(rename = "id")]
    _id: String,
    /// Where nobody looks.
    passed_over: Vec<Entry>,
    /// What package managers put there: only what its form alone tells is looked for.
    packaged: Vec<Entry>,
    /// What stands below a packaged folder and is the image's own all the same.
    own: Vec<Entry>,
}

/// Where a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Territory {
    /// Documentation, tests of packages, lists of hashes.
    PassedOver,
    /// Brought by a package manager.
    Packaged,
    /// Anything else.
    Own,
}

/// The lists, ready for use.
pub(super) struct Territories {
    passed_over: Set,
    packaged: Set,
    own: Set,
}

impl Territories {
    pub(super) fn new(lists: Lists) -> Self {
        let set = |entries: Vec<Entry>| Set::new(entries.iter().map(|entry| (0, &entry.what)));
        Self {
            passed_over: set(lists.passed_over),
            packaged: set(lists.packaged),
            own: set(lists.own),
        }
    }

    pub(super) fn of(&self, path: &ImagePath) -> Territory {
        if self.passed_over.any(path) {
            Territory::PassedOver
        } else if self.packaged.any(path) && !self.own.any(path) {
            Territory::Packaged
        } else {
            Territory::Own
        }
    }
}

/// By a part of the path: the numbers of patterns, or what else has to be compared, and the number.
type By<T> = HashMap<Box<[u8]>, Vec<T>>;

/// Many patterns, each with a number, tested together.
#[derive(Default)]
pub(super) struct Set {
    names: By<u16>,
    endings: By<u16>,
    longest_ending: usize,
    paths: By<u16>,
    /// By the first folder of the path, so that few are compared.
    below: By<(Box<[u8]>, u16)>,
    /// Folders by name: the number, and which folders have to stand above.
    inside: By<(Option<Box<[u8]>>, u16)>,
}

impl Set {
    pub(super) fn new<'a>(all: impl Iterator<Item = (u16, &'a Patterns)>) -> Self {
        let mut set = Self::default();
        let bytes = |text: &str| -> Box<[u8]> { text.as_bytes().into() };
        for (number, patterns) in all {
            for name in &patterns.names {
                set.names.entry(bytes(name)).or_default().push(number);
            }
            for ending in &patterns.endings {
                set.longest_ending = set.longest_ending.max(ending.len());
                set.endings.entry(bytes(ending)).or_default().push(number);
            }
            for path in &patterns.paths {
                set.paths.entry(bytes(path)).or_default().push(number);
            }
            for folder in &patterns.below {
                let first = folder.split('/').next().unwrap_or_default();
                let entry = (bytes(folder), number);
                set.below.entry(bytes(first)).or_default().push(entry);
            }
            for folder in &patterns.inside {
                let (above, name) = match folder.split_once(" … ") {
                    Some((above, name)) => (Some(bytes(above)), name),
                    None => (None, folder.as_str()),
                };
                let entry = (above, number);
                set.inside.entry(bytes(name)).or_default().push(entry);
            }
        }
        set
    }

    fn any(&self, path: &ImagePath) -> bool {
        let mut any = false;
        self.each(path, |_| any = true);
        any
    }

    /// Calls `hit` with the number of every pattern that fits.
    pub(super) fn each(&self, path: &ImagePath, mut hit: impl FnMut(u16)) {
        let (bytes, name) = (path.as_bytes(), path.file_name());
        for number in self.names.get(name).into_iter().flatten() {
            hit(*number);
        }
        for number in self.paths.get(bytes).into_iter().flatten() {
            hit(*number);
        }
        if self.longest_ending > 0 {
            let from = name.len().saturating_sub(self.longest_ending);
            // An ending begins with a dot or a dash, which is what makes it one.
            let starts = (from..name.len()).filter(|at| matches!(name.get(*at), Some(b'.' | b'-')));
            for ending in starts.filter_map(|at| name.get(at..)) {
                for number in self.endings.get(ending).into_iter().flatten() {
                    hit(*number);
                }
            }
        }
        let mut folders = bytes.split(|byte| *byte == b'/');
        if let Some(first) = folders.clone().next() {
            for (folder, number) in self.below.get(first).into_iter().flatten() {
                let rest = bytes.strip_prefix(&**folder);
                if rest.is_some_and(|rest| rest.first() == Some(&b'/')) {
                    hit(*number);
                }
            }
        }
        if self.inside.is_empty() {
            return;
        }
        let _name = folders.next_back();
        for (depth, folder) in folders.clone().enumerate() {
            for (above, number) in self.inside.get(folder).into_iter().flatten() {
                let fits = above
                    .as_ref()
                    .is_none_or(|above| folders.clone().take(depth).any(|one| *one == **above));
                if fits {
                    hit(*number);
                }
            }
        }
    }
}

//! What the files of an image hold, file by file.

use seareeve_image::{File, FileTree};
use seareeve_model::{ImagePath, InstalledPackage, Problem, ProblemCode};

use super::found::{Found, Placed};
use super::os_release::OsRelease;
use super::ownership::Ownership;
use super::{ECOSYSTEMS, Ecosystem, JavaIndex};
use crate::examiner::Remembered;

/// How many problems of one image are listed; a hostile one could have millions of files with a hundred each.
const MOST_PROBLEMS: usize = 10_000;

/// The packages of an image so far, and what could not be read.
pub(super) struct Listing<'a> {
    tree: &'a FileTree,
    os: Option<&'a OsRelease>,
    java: Option<&'a JavaIndex>,
    ownership: Ownership,
    packages: Vec<InstalledPackage>,
    problems: Vec<Problem>,
    /// Problems beyond the limit.
    untold: usize,
}

impl<'a> Listing<'a> {
    /// An empty list. `problems` are those of reading the image.
    pub(super) fn new(
        tree: &'a FileTree,
        os: Option<&'a OsRelease>,
        java: Option<&'a JavaIndex>,
        problems: Vec<Problem>,
    ) -> Self {
        Self {
            tree,
            os,
            java,
            ownership: Ownership::new(tree, os),
            packages: Vec::new(),
            problems,
            untold: 0,
        }
    }

    pub(super) fn packages(&self) -> &[InstalledPackage] {
        &self.packages
    }

    /// Reads the files of all formats for which `counts` says so.
    pub(super) fn add_files(&mut self, counts: impl Fn(&Ecosystem, &ImagePath) -> bool) {
        for (path, file) in self.tree {
            let formats = ECOSYSTEMS.iter().filter(|format| format.keeps(path));
            for format in formats.filter(|format| counts(format, path)) {
                if format.is_language() && self.ownership.owns(path, file.layer) {
                    continue;
                }
                self.add_file(format, path, file);
            }
        }
    }

    fn add_file(&mut self, format: &Ecosystem, path: &ImagePath, file: &File) {
        let amended = match format.amended(self.tree, path, file) {
            Ok(amended) => amended,
            Err(problem) => {
                self.add_problems(vec![problem]);
                None
            }
        };
        let top = amended.as_ref().unwrap_or(file);
        let (found, problems) = read(format, path, top, self.os, self.packages.len());
        self.add_problems(problems);
        let below = amended.is_some().then_some(file);
        let versions = below
            .into_iter()
            .chain(self.tree.history(path).iter().rev());
        let packages = attribute(format, path, top, versions, self.os, found);
        self.packages.extend(packages);
    }

    /// Reads what inspectors kept of files that are still there.
    pub(super) fn add_notes(&mut self) {
        for note in self.tree.notes().iter().filter(|note| !note.is_hidden) {
            if self.ownership.owns(&note.path, note.layer) {
                continue;
            }
            for (at, extract) in Remembered::read(&note.content).unwrap_or_default().extracts {
                let Some(format) = ECOSYSTEMS.get(usize::from(at)) else {
                    continue;
                };
                let mut found = Found::new(&note.path, self.packages.len(), self.java);
                let result = (format.read)(&extract, self.os, &mut found);
                let (found, problems) = found.finish(result);
                self.add_problems(problems);
                let packages = found.into_iter();
                self.packages
                    .extend(packages.map(|placed| installed(placed, &note.path, note.layer)));
            }
        }
    }

    fn add_problems(&mut self, problems: Vec<Problem>) {
        let room = MOST_PROBLEMS.saturating_sub(self.problems.len());
        self.untold = self
            .untold
            .saturating_add(problems.len().saturating_sub(room));
        self.problems.extend(problems.into_iter().take(room));
    }

    /// All packages, and all problems with the number of those left out.
    pub(super) fn finish(mut self) -> (Vec<InstalledPackage>, Vec<Problem>) {
        if self.untold > 0 {
            let message = format!("{} more problems are not listed", self.untold);
            let problem = Problem::new(ProblemCode::LimitReached, "packages", message);
            self.problems.push(problem);
        }
        (self.packages, self.problems)
    }
}

/// Reads one file.
pub(super) fn read(
    format: &Ecosystem,
    path: &ImagePath,
    file: &File,
    os: Option<&OsRelease>,
    so_far: usize,
) -> (Vec<Placed>, Vec<Problem>) {
    // Only archives need an index of archives, and none of them is kept whole.
    let mut found = Found::new(path, so_far, None);
    let result = (format.read)(&file.content, os, &mut found);
    found.finish(result)
}

/// Gives each package the layer that brought it: the lowest from which on it is there without a gap, whichever
/// layers rewrote the file since. `packages` are those of `file`, the topmost version; `below` are the others,
/// highest first.
fn attribute<'a>(
    format: &Ecosystem,
    path: &ImagePath,
    file: &File,
    below: impl Iterator<Item = &'a File>,
    os: Option<&OsRelease>,
    packages: Vec<Placed>,
) -> Vec<InstalledPackage> {
    let mut layers = vec![file.layer; packages.len()];
    // Positions in `packages` of those present in every version looked at so far.
    let mut open: Vec<usize> = (0..packages.len()).collect();
    for lower in below {
        if open.is_empty() {
            break;
        }
        // What a lower layer had and nobody sees any more needs no problem of its own.
        let (before, _) = read(format, path, lower, os, 0);
        open.retain(|&at| {
            let kept = packages
                .get(at)
                .is_some_and(|package| before.binary_search(package).is_ok());
            if kept && let Some(layer) = layers.get_mut(at) {
                *layer = lower.layer;
            }
            kept
        });
    }
    let packages = packages.into_iter().zip(layers);
    packages
        .map(|(placed, layer)| installed(placed, path, layer))
        .collect()
}

/// The package at its place in the file at `path`.
fn installed(placed: Placed, path: &ImagePath, layer: u32) -> InstalledPackage {
    let Placed { package, inside } = placed;
    InstalledPackage {
        package,
        // Too long for a path: then the file around it must do.
        path: path.join(inside.as_bytes()).unwrap_or_else(|| path.clone()),
        layer,
    }
}

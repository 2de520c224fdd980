//! What reading one file yields: packages and problems, both bounded, because the file may be hostile.

use seareeve_model::{ImagePath, Package, Problem, ProblemCode, Purl};

use super::JavaIndex;

/// Packages that one image may have. The largest real ones hold some 20,000.
pub(crate) const MOST_PACKAGES: usize = 200_000;
/// Problems told one by one for one file. More help nobody.
const MOST_PROBLEMS: usize = 100;
/// Letters of one problem. Messages hold names out of files, which may have any length.
const LONGEST_PROBLEM: usize = 300;
/// Longest name or version, in bytes. npm allows 214, and real versions stay below 100.
pub(crate) const LONGEST_TEXT: usize = 1024;

/// Collects what a file says.
pub(super) struct Found<'a> {
    path: &'a ImagePath,
    /// Where in the file, if it is an archive with more archives in it.
    inside: ImagePath,
    java_index: Option<&'a JavaIndex>,
    packages: Vec<Placed>,
    problems: Vec<Problem>,
    untold: usize,
    room: usize,
}

/// A package, and where in the file it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Placed {
    /// The package.
    pub(super) package: Package,
    /// The root for the file itself; else the archive in the file.
    pub(super) inside: ImagePath,
}

/// The image's limit of packages is reached: stop reading.
pub(super) struct Limited;

impl<'a> Found<'a> {
    /// For the file at `path` of an image in which `so_far` packages were found.
    pub(super) fn new(
        path: &'a ImagePath,
        so_far: usize,
        java_index: Option<&'a JavaIndex>,
    ) -> Self {
        Self {
            path,
            inside: ImagePath::root(),
            java_index,
            packages: Vec::new(),
            problems: Vec::new(),
            untold: 0,
            room: MOST_PACKAGES.saturating_sub(so_far),
        }
    }

    /// The file that is read.
    pub(super) fn path(&self) -> &'a ImagePath {
        self.path
    }

    /// What follows is in this archive inside the file, named as the archives around it name it; nothing for
    /// the file itself.
    pub(super) fn enter(&mut self, inside: &[u8]) {
        // A name that would lead out of the file is not believed.
        self.inside = ImagePath::parse(inside).unwrap_or_else(ImagePath::root);
    }

    /// Names of Java archives, where there is such an index.
    pub(super) fn java_index(&self) -> Option<&'a JavaIndex> {
        self.java_index
    }

    /// Adds a package.
    pub(super) fn package(&mut self, package: Package) -> Result<(), Limited> {
        if self.packages.len() >= self.room {
            return Err(Limited);
        }
        self.packages.push(Placed {
            package,
            inside: self.inside.clone(),
        });
        Ok(())
    }

    /// Adds a record that was not understood.
    pub(super) fn problem(&mut self, mut message: String) {
        if let Some((end, _)) = message.char_indices().nth(LONGEST_PROBLEM) {
            message.truncate(end);
            message.push('…');
        }
        if self.problems.len() < MOST_PROBLEMS {
            let mut place = self.path.to_text().into_owned();
            if !self.inside.is_root() {
                place.push('/');
                place.push_str(&self.inside.to_text());
            }
            let problem = Problem::new(ProblemCode::PackageUnreadable, place, message);
            self.problems.push(problem);
        } else {
            self.untold = self.untold.saturating_add(1);
        }
    }

    /// Whether something was not understood so far.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// The value of a field that a package cannot do without. Bytes that are not UTF-8 become U+FFFD.
    pub(super) fn text(&mut self, what: &str, value: Option<&[u8]>) -> Option<String> {
        match value {
            None | Some([]) => self.problem(format!("no {what}")),
            Some(value) if value.len() > LONGEST_TEXT => {
                let length = value.len();
                self.problem(format!(
                    "{what} has {length} bytes, more than {LONGEST_TEXT}"
                ));
            }
            Some(value) => return Some(String::from_utf8_lossy(value).into_owned()),
        }
        None
    }

    /// The package URL, or a problem if the parts cannot make one.
    pub(super) fn purl(
        &mut self,
        kind: &str,
        namespace: &str,
        name: &str,
        version: &str,
        qualifiers: &[(&str, &str)],
    ) -> Option<Purl> {
        Purl::new(kind, namespace, name, version, qualifiers)
            .map_err(|error| self.problem(format!("{error}: it makes no package URL")))
            .ok()
    }

    /// The packages, sorted and without doubles, and the problems.
    pub(super) fn finish(mut self, read: Result<(), Limited>) -> (Vec<Placed>, Vec<Problem>) {
        let place = self.path.to_text();
        if self.untold > 0 {
            let message = format!("{} more records were not understood", self.untold);
            let problem = Problem::new(ProblemCode::PackageUnreadable, place.clone(), message);
            self.problems.push(problem);
        }
        if let Err(Limited) = read {
            let message =
                format!("an image may have {MOST_PACKAGES} packages: the rest was left out");
            self.problems
                .push(Problem::new(ProblemCode::LimitReached, place, message));
        }
        self.packages.sort_unstable();
        self.packages.dedup();
        (self.packages, self.problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_no_longer_than_people_read() {
        let path = ImagePath::parse(b"srv/x").unwrap();
        let mut found = Found::new(&path, 0, None);
        found.problem("ü".repeat(LONGEST_PROBLEM));
        found.problem("ü".repeat(LONGEST_PROBLEM + 1));
        let (_, problems) = found.finish(Ok(()));
        let whole = "ü".repeat(LONGEST_PROBLEM);
        let messages: Vec<&str> = problems.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(messages, [whole.as_str(), &format!("{whole}…")]);
    }
}

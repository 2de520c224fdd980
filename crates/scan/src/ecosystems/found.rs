//! What reading one file yields: packages and problems, both bounded, because the file may be hostile.

use seareeve_model::{ImagePath, Package, Problem, ProblemCode, Purl};

/// Packages that one image may have. The largest real ones hold some 20,000.
pub(super) const MOST_PACKAGES: usize = 200_000;
/// Problems told one by one for one file. More help nobody.
const MOST_PROBLEMS: usize = 100;
/// Longest name or version, in bytes. npm allows 214, and real versions stay below 100.
const LONGEST_TEXT: usize = 1024;

/// Collects what a file says.
pub(super) struct Found<'a> {
    path: &'a ImagePath,
    packages: Vec<Package>,
    problems: Vec<Problem>,
    untold: usize,
    room: usize,
}

/// The image's limit of packages is reached: stop reading.
pub(super) struct Limited;

impl<'a> Found<'a> {
    /// For the file at `path` of an image in which `so_far` packages were found.
    pub(super) fn new(path: &'a ImagePath, so_far: usize) -> Self {
        Self {
            path,
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

    /// Adds a package.
    pub(super) fn package(&mut self, package: Package) -> Result<(), Limited> {
        if self.packages.len() >= self.room {
            return Err(Limited);
        }
        self.packages.push(package);
        Ok(())
    }

    /// Adds a record that was not understood.
    pub(super) fn problem(&mut self, message: String) {
        if self.problems.len() < MOST_PROBLEMS {
            let place = self.path.to_text();
            let problem = Problem::new(ProblemCode::PackageUnreadable, place, message);
            self.problems.push(problem);
        } else {
            self.untold = self.untold.saturating_add(1);
        }
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
    pub(super) fn finish(mut self, read: Result<(), Limited>) -> (Vec<Package>, Vec<Problem>) {
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

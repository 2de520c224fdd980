//! Who needs whom in a lock file, to tell what only developers need where the file does not say it of a package.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Needs that are remembered of one file. The largest real ones have some 300,000.
const MOST_NEEDS: usize = 1_000_000;

/// A name of a package as the file joins packages by it.
type Name<'a> = Cow<'a, str>;

/// What the projects of a lock file need, and what each package needs in turn.
#[derive(Default)]
pub(super) struct Needs<'a> {
    has_project: bool,
    of_projects: Vec<Name<'a>>,
    of_packages: BTreeMap<Name<'a>, Vec<Name<'a>>>,
    count: usize,
}

impl<'a> Needs<'a> {
    /// A project stands in the file, which may need nothing but for its developers.
    pub(super) fn project(&mut self) {
        self.has_project = true;
    }

    /// A project, not its developers, needs `name`.
    pub(super) fn of_project(&mut self, name: Name<'a>) {
        self.has_project = true;
        self.count = self.count.saturating_add(1);
        if self.count <= MOST_NEEDS {
            self.of_projects.push(name);
        }
    }

    /// The package needs `name`.
    pub(super) fn of_package(&mut self, package: &Name<'a>, name: Name<'a>) {
        self.count = self.count.saturating_add(1);
        if self.count > MOST_NEEDS {
            return;
        }
        match self.of_packages.get_mut(package) {
            Some(names) => names.push(name),
            None => {
                self.of_packages.insert(package.clone(), vec![name]);
            }
        }
    }

    /// All that the projects need, directly or not. `None` where that cannot be told: no project stands in the
    /// file, or more than we remember.
    pub(super) fn all(&self) -> Option<BTreeSet<&str>> {
        if !self.has_project || self.count > MOST_NEEDS {
            return None;
        }
        let mut all = BTreeSet::new();
        let mut open: Vec<&Name<'a>> = self.of_projects.iter().collect();
        while let Some(name) = open.pop() {
            if all.insert(name.as_ref()) {
                open.extend(self.of_packages.get(name).into_iter().flatten());
            }
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_needs_in_circles() {
        let mut needs = Needs::default();
        needs.of_package(&"a".into(), "b".into());
        assert_eq!(needs.all(), None, "no project");
        needs.project();
        assert_eq!(needs.all(), Some(BTreeSet::new()), "only for developers");
        needs.of_project("a".into());
        needs.of_package(&"b".into(), "a".into());
        needs.of_package(&"b".into(), "c".into());
        needs.of_package(&"for-developers".into(), "d".into());
        assert_eq!(needs.all(), Some(BTreeSet::from(["a", "b", "c"])));
    }

    #[test]
    fn too_many_needs_tell_nothing() {
        let mut needs = Needs::default();
        for _ in 0..=MOST_NEEDS {
            needs.of_project("a".into());
        }
        assert_eq!(needs.all(), None);
    }
}

//! Lock files: they name packages without holding them. What is installed is the truth about an image, so a lock
//! file counts only where nothing shows that it was carried out, and never as a part of somebody's package.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_image::FileTree;
use seareeve_model::{ImagePath, InstalledPackage, Package, PackageKind};

use super::listing::read;
use super::os_release::OsRelease;
use super::{ECOSYSTEMS, Ecosystem, Intake};

/// Where the packages of a lock file are once it was carried out.
#[derive(Clone, Copy)]
pub(super) enum Installs {
    /// In this folder beside the lock file. If anything of it is there, the lock file is superseded.
    Beside(&'static str),
    /// In a folder of the interpreter or framework. If any lock file of this kind names a package that is
    /// installed, the image installs its packages of this kind, and all of these lock files are superseded: what
    /// only they name (a second file for developers, a group left out) is not there.
    Anywhere(PackageKind),
    /// In a binary. The lock file is superseded by one that says itself what it was built of, if that is what
    /// the lock file names.
    Compiled(PackageKind),
}

/// What decides of each lock file of an image whether it is superseded.
pub(super) struct Locks<'a> {
    /// All wanted files, sorted.
    paths: Vec<&'a ImagePath>,
    kinds: BTreeSet<PackageKind>,
    files: BTreeSet<&'a ImagePath>,
}

impl<'a> Locks<'a> {
    /// `packages` are all that is installed.
    pub(super) fn new(
        tree: &'a FileTree,
        os: Option<&OsRelease>,
        packages: &[InstalledPackage],
    ) -> Self {
        let mut locks = Self {
            paths: tree.iter().map(|(path, _)| path).collect(),
            kinds: BTreeSet::new(),
            files: BTreeSet::new(),
        };
        let installed: BTreeSet<PackageKind> = packages.iter().map(|it| it.package.kind).collect();
        let names: BTreeSet<String> = packages.iter().map(|it| name(&it.package)).collect();
        let binaries = Binaries::new(packages);
        for (path, file) in tree {
            for format in ECOSYSTEMS {
                let Intake::Locked(_, installs) = format.intake else {
                    continue;
                };
                let locked = |kind| {
                    if !installed.contains(&kind) || !format.keeps(path) {
                        return Vec::<Package>::new();
                    }
                    let (found, _) = read(format, path, file, os, 0);
                    found.into_iter().map(|placed| placed.package).collect()
                };
                match installs {
                    Installs::Beside(_) => {}
                    Installs::Anywhere(kind) => {
                        let is_there = |package| {
                            let name = name(package);
                            !COMES_ALONG.contains(&name.as_str()) && names.contains(&name)
                        };
                        if !locks.kinds.contains(&kind) && locked(kind).iter().any(is_there) {
                            locks.kinds.insert(kind);
                        }
                    }
                    Installs::Compiled(kind) => {
                        if binaries.any_built_of(&locked(kind)) {
                            locks.files.insert(path);
                        }
                    }
                }
            }
        }
        locks
    }

    /// Whether what is installed stands for the file at `path`.
    pub(super) fn supersede(&self, format: &Ecosystem, path: &ImagePath) -> bool {
        match format.intake {
            Intake::Whole(_) | Intake::Amended { .. } | Intake::Extract { .. } => false,
            Intake::Locked(_, Installs::Anywhere(kind)) => self.kinds.contains(&kind),
            Intake::Locked(_, Installs::Compiled(_)) => self.files.contains(path),
            Intake::Locked(_, Installs::Beside(folder)) => {
                let folder = path
                    .parent()
                    .and_then(|above| above.join(folder.as_bytes()));
                folder.is_some_and(|folder| self.has_files_in(&folder))
            }
        }
    }

    fn has_files_in(&self, folder: &ImagePath) -> bool {
        let prefix = [folder.as_bytes(), b"/"].concat();
        let first = self
            .paths
            .partition_point(|path| path.as_bytes() < prefix.as_slice());
        self.paths
            .get(first)
            .is_some_and(|path| path.as_bytes().starts_with(&prefix))
    }
}

/// What images of an interpreter and fresh environments have before anything is installed, so that it shows
/// nothing of a lock file that names it.
const COMES_ALONG: [&str; 3] = ["pkg:pypi/pip", "pkg:pypi/setuptools", "pkg:pypi/wheel"];

/// Whether the file at `path` names packages without holding them.
pub(crate) fn is_lock_file(path: &ImagePath) -> bool {
    ECOSYSTEMS.iter().any(|format| match format.intake {
        Intake::Whole(_) | Intake::Amended { .. } | Intake::Extract { .. } => false,
        Intake::Locked(wanted, _) => wanted(path),
    })
}

/// The purl without its version: it is normalised, so that it joins what is spelled in two ways. NuGet's names
/// are the only ones that differ in case there.
fn name(package: &Package) -> String {
    let purl = package.purl.as_str();
    purl.rsplit_once('@')
        .map_or(purl, |(name, _)| name)
        .to_lowercase()
}

/// The files that hold packages, by what they hold, to find the binaries that were built of a lock file.
struct Binaries<'a> {
    /// How many packages each file holds.
    sizes: BTreeMap<&'a ImagePath, usize>,
    /// The files that hold a package, up to [`MOST_HOLDERS`].
    holders: BTreeMap<&'a str, Vec<&'a ImagePath>>,
}

/// Files that are remembered for one package, so that looking at a lock file takes no longer than its length.
const MOST_HOLDERS: usize = 64;

impl<'a> Binaries<'a> {
    fn new(packages: &'a [InstalledPackage]) -> Self {
        let mut binaries = Self {
            sizes: BTreeMap::new(),
            holders: BTreeMap::new(),
        };
        for InstalledPackage { package, path, .. } in packages {
            if !matches!(package.kind, PackageKind::Golang | PackageKind::Cargo) {
                continue;
            }
            let size = binaries.sizes.entry(path).or_default();
            *size = size.saturating_add(1);
            let holders = binaries.holders.entry(package.purl.as_str()).or_default();
            if holders.len() < MOST_HOLDERS {
                holders.push(path);
            }
        }
        binaries
    }

    /// Whether some binary holds nothing but what is locked, in the same versions, and itself and the standard
    /// library, which no lock file names.
    fn any_built_of(&self, locked: &[Package]) -> bool {
        let mut inside: BTreeMap<&ImagePath, usize> = BTreeMap::new();
        for package in locked {
            for path in self
                .holders
                .get(package.purl.as_str())
                .into_iter()
                .flatten()
            {
                let count = inside.entry(path).or_default();
                *count = count.saturating_add(1);
            }
        }
        inside.into_iter().any(|(path, inside)| {
            let size = self.sizes.get(path).copied().unwrap_or_default();
            let outside = size.saturating_sub(inside);
            outside <= 2 && outside < inside
        })
    }
}

/// Whether the path lies in a place where package managers unpack what others wrote. The lock files there are
/// those with which its authors work; they say nothing about what is installed.
pub(super) fn is_of_dependency(path: &ImagePath) -> bool {
    let mut above: &[u8] = b"";
    for part in path.as_bytes().split(|b| *b == b'/') {
        match (above, part) {
            // npm, yarn, pnpm · bower · pip (Debian's is called dist-packages) · composer, bundler, go mod
            // vendor, cargo vendor.
            (_, b"node_modules" | b"bower_components" | b"site-packages" | b"dist-packages" | b"vendor")
            // Go's module cache · cargo's registry and checkouts · the sources of Rust's standard library ·
            // NuGet's cache.
            | (b"pkg", b"mod")
            | (b"registry", b"src")
            | (b"git", b"checkouts")
            | (b"rustlib", b"src")
            | (b".nuget", b"packages") => return true,
            (b"gems", gem) if is_gem(gem) => return true,
            _ => above = part,
        }
    }
    false
}

/// `rails-7.1.2`, `nokogiri-1.15.4-x86_64-linux`, and `name-0123456789ab` of bundler's checkouts: no folder of an
/// application that happens to stand in `gems`.
fn is_gem(folder: &[u8]) -> bool {
    let mut parts = folder.split(|b| *b == b'-').skip(1);
    let is_commit = |part: &[u8]| part.len() >= 12 && part.iter().all(u8::is_ascii_hexdigit);
    parts.any(|part| part.first().is_some_and(u8::is_ascii_digit) || is_commit(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_supersedes_the_lock_file_that_it_was_built_of() {
        let package = |name: &str, version: &str| Package {
            kind: PackageKind::Cargo,
            name: name.to_owned(),
            version: version.to_owned(),
            source: None,
            ecosystem: String::new(),
            purl: seareeve_model::Purl::new("cargo", "", name, version, &[]).unwrap(),
        };
        let lock = [
            ("a", "1.0.0"),
            ("b", "1.0.0"),
            ("c", "1.0.0"),
            ("for-tests", "1.0.0"),
        ];
        let lock = lock.map(|(name, version)| package(name, version));
        for (binary, expected) in [
            (vec![("app", "0.1.0"), ("a", "1.0.0"), ("b", "1.0.0")], true),
            (vec![("a", "1.0.0")], true),
            (vec![("app", "0.1.0"), ("a", "1.0.0")], false),
            (
                vec![("app", "0.1.0"), ("a", "1.0.1"), ("b", "1.0.0")],
                false,
            ),
            (
                vec![
                    ("x", "1.0.0"),
                    ("y", "1.0.0"),
                    ("z", "1.0.0"),
                    ("a", "1.0.0"),
                    ("b", "1.0.0"),
                    ("c", "1.0.0"),
                ],
                false,
            ),
            (vec![], false),
        ] {
            let installed: Vec<InstalledPackage> = binary
                .iter()
                .map(|(name, version)| InstalledPackage {
                    package: package(name, version),
                    path: ImagePath::parse(b"usr/bin/app").unwrap(),
                    layer: 0,
                })
                .collect();
            assert_eq!(
                Binaries::new(&installed).any_built_of(&lock),
                expected,
                "{binary:?}"
            );
        }
    }

    #[test]
    fn knows_where_package_managers_unpack() {
        let is = |path: &str| is_of_dependency(&ImagePath::parse(path.as_bytes()).unwrap());
        for path in [
            "srv/node_modules/x/package-lock.json",
            "usr/lib/python3/site-packages/x/tests/requirements.txt",
            "usr/local/bundle/gems/rails-7.1.2/Gemfile.lock",
            "usr/local/bundle/gems/nokogiri-1.15.4-x86_64-linux/Gemfile.lock",
            "usr/local/bundle/bundler/gems/x-0123456789ab/Gemfile.lock",
            "srv/vendor/acme/lib/composer.lock",
            "root/go/pkg/mod/example.com/x@v1.0.0/go.mod",
            "root/.cargo/registry/src/index-0/x-1.0.0/Cargo.lock",
            "root/.cargo/git/checkouts/x-0/1/Cargo.lock",
            "root/.rustup/toolchains/t/lib/rustlib/src/rust/library/Cargo.lock",
            "root/.nuget/packages/x/1.0.0/packages.config",
        ] {
            assert!(is(path), "{path}");
        }
        for path in [
            "srv/app/package-lock.json",
            "srv/gems/my-gem/Gemfile.lock",
            "srv/registry/go.mod",
            "srv/src/app/Cargo.lock",
            "packages/app/packages.lock.json",
        ] {
            assert!(!is(path), "{path}");
        }
    }
}

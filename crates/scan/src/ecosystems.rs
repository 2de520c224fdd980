//! From wanted files to packages. One file per package format, in a folder where a language has several, listed
//! in [`ECOSYSTEMS`]; each says which paths it wants and reads one file at a time. Nothing here opens a file or
//! knows an advisory.

mod apk;
mod binary;
mod cargo_lock;
mod dotnet;
mod dpkg;
mod faults;
mod found;
mod go_mod;
mod java;
mod language;
mod listing;
mod locks;
mod loose;
mod members;
mod needs;
mod node;
mod os_release;
pub(crate) mod ownership;
mod php;
mod python;
pub(crate) mod rpm;
mod ruby;
mod tables;

#[cfg(test)]
mod inspected;

use std::collections::BTreeMap;

use seareeve_image::{File, FileFacts, FileTree, Inspector};
use seareeve_model::{
    Distro, Image, ImagePath, InstalledPackage, Inventory, PackageKind, Problem, ProblemCode,
};

use found::{Found, Limited};
pub(crate) use found::{LONGEST_TEXT, MOST_PACKAGES};
pub use java::{JavaIndex, JavaIndexError, JavaIndexReport};
use listing::Listing;
pub(crate) use locks::is_lock_file;
use locks::{Installs, Locks};
use os_release::OsRelease;

/// Every package format. To add one, write its file and add its line.
const ECOSYSTEMS: &[Ecosystem] = &[
    dpkg::ECOSYSTEM,
    apk::ECOSYSTEM,
    rpm::ECOSYSTEM,
    python::INSTALLED,
    python::REQUIREMENTS,
    python::PIPFILE,
    python::POETRY,
    python::PDM,
    python::UV,
    python::PYLOCK,
    node::INSTALLED,
    node::PACKAGE_LOCK,
    node::YARN,
    node::PNPM,
    go_mod::ECOSYSTEM,
    cargo_lock::ECOSYSTEM,
    ruby::INSTALLED,
    ruby::GEMFILE_LOCK,
    php::INSTALLED,
    php::LOCKED,
    dotnet::PUBLISHED,
    dotnet::LOCK_FILE,
    dotnet::PACKAGES_CONFIG,
    java::ECOSYSTEM,
    binary::ECOSYSTEM,
];

/// How one package format is read.
struct Ecosystem {
    scope: Scope,
    intake: Intake,
    read: Read,
}

/// What `read` is given of a file.
enum Intake {
    /// The whole file, where this says that `read` understands it. Called for every path of an image.
    Whole(fn(&ImagePath) -> bool),
    /// As `Whole`, for databases with a log beside them, at the same path with a suffix: `read` is given what
    /// `amend` makes of both.
    Amended {
        wanted: fn(&ImagePath) -> bool,
        suffix: &'static [u8],
        amend: Amend,
    },
    /// The same of a lock file, which names packages without holding them; it counts where nothing stands in the
    /// second place.
    Locked(fn(&ImagePath) -> bool, Installs),
    /// What an inspector kept of a file that is too large to be kept itself (a binary, an archive).
    Extract {
        /// Whether the beginning of a file says that it is none of the format's. Called for every regular file of
        /// an image whose beginning is at hand.
        passes_over: fn(&ImagePath, &[u8]) -> bool,
        /// Called for every regular file that some format does not pass over.
        inspector: fn(&ImagePath, FileFacts) -> Option<Box<dyn Inspector>>,
    },
}

impl Ecosystem {
    fn keeps(&self, path: &ImagePath) -> bool {
        match self.intake {
            Intake::Whole(wanted) | Intake::Amended { wanted, .. } => wanted(path),
            Intake::Locked(wanted, _) => wanted(path) && !locks::is_of_dependency(path),
            Intake::Extract { .. } => false,
        }
    }

    /// Whether the file at `path` is a log of one that is kept.
    fn amends(&self, path: &ImagePath) -> bool {
        match self.intake {
            Intake::Whole(_) | Intake::Locked(..) | Intake::Extract { .. } => false,
            Intake::Amended { wanted, suffix, .. } => {
                let database = path.as_bytes().strip_suffix(suffix);
                database
                    .and_then(ImagePath::parse)
                    .as_ref()
                    .is_some_and(wanted)
            }
        }
    }

    /// The file at `path` with what its log adds, if there is one that does. The layer is the log's when that is
    /// higher: without it the file is what it was before that layer.
    fn amended(
        &self,
        tree: &FileTree,
        path: &ImagePath,
        file: &File,
    ) -> Result<Option<File>, Problem> {
        let Intake::Amended { suffix, amend, .. } = self.intake else {
            return Ok(None);
        };
        let beside = ImagePath::parse(&[path.as_bytes(), suffix].concat());
        let Some((beside, log)) = beside.as_ref().and_then(|beside| tree.resolve(beside)) else {
            return Ok(None);
        };
        match amend(&file.content, &log.content) {
            Ok(content) => Ok(content.map(|content| File {
                layer: file.layer.max(log.layer),
                content,
            })),
            Err(why) => {
                let message = format!("{why}, so the newest changes to packages may be missing");
                Err(Problem::new(
                    ProblemCode::PackageUnreadable,
                    beside.to_text(),
                    message,
                ))
            }
        }
    }

    fn is_language(&self) -> bool {
        matches!(self.scope, Scope::Language)
    }

    /// Whether the files name packages without holding them.
    fn is_lock(&self) -> bool {
        matches!(self.intake, Intake::Locked(..))
    }
}

/// What a file becomes by the log beside it, `None` if it stays as it is, or why that cannot be said.
type Amend = fn(&[u8], &[u8]) -> Result<Option<Vec<u8>>, String>;

/// Reads one file, or the extract of one. `Err` only when the limit of packages is reached.
type Read = fn(&[u8], Option<&OsRelease>, &mut Found<'_>) -> Result<(), Limited>;

/// Paths without a slash at the beginning, of those that the function given wants.
type Owned = fn(&[u8], &dyn Fn(&[u8]) -> bool) -> Vec<Vec<u8>>;

/// What decides which advisories apply to the packages of a format.
enum Scope {
    /// The format alone; each package has a file of its own, put there by the layer that installed it.
    Language,
    /// The release of the distribution. Packages share a database that each installing layer rewrites.
    OperatingSystem {
        /// OSV's name of the release, if it is one whose advisories apply.
        release: fn(&OsRelease) -> Option<String>,
        /// The files that packages own according to the database, as far as they are asked for.
        owned: Owned,
    },
}

/// Whether [`inventory`] reads the file at `path`: what a reader of images has to keep.
pub(crate) fn wanted(path: &ImagePath) -> bool {
    let wants = |format: &Ecosystem| format.keeps(path) || format.amends(path);
    os_release::wanted(path) || ECOSYSTEMS.iter().any(wants)
}

/// Whether the file at `path` says which distribution it is.
pub(crate) fn is_release(path: &ImagePath) -> bool {
    os_release::wanted(path)
}

/// Whether `path` is a database that layers rewrite as a whole, so that a reader of images has to keep what
/// lower layers had there: only by comparing can it be said which layer brought a package.
pub(crate) fn wants_history(path: &ImagePath) -> bool {
    ECOSYSTEMS.iter().any(|format| match format.scope {
        Scope::Language => false,
        Scope::OperatingSystem { .. } => format.keeps(path),
    })
}

/// Whether no format looks at a regular file that begins with `start`.
pub(crate) fn passes_over(path: &ImagePath, start: &[u8]) -> bool {
    ECOSYSTEMS.iter().all(|format| match format.intake {
        Intake::Whole(_) | Intake::Amended { .. } | Intake::Locked(..) => true,
        Intake::Extract { passes_over, .. } => passes_over(path, start),
    })
}

/// Those who look at the content of a file, each with the position of its format in the list.
pub(crate) fn inspectors(
    path: &ImagePath,
    file: FileFacts,
) -> impl Iterator<Item = (u8, Box<dyn Inspector>)> {
    ECOSYSTEMS
        .iter()
        .zip(0..)
        .filter_map(move |(format, at)| match format.intake {
            Intake::Whole(_) | Intake::Amended { .. } | Intake::Locked(..) => None,
            Intake::Extract { inspector, .. } => Some((at, inspector(path, file)?)),
        })
}

/// OSV's name of the ecosystem whose advisories apply to packages of `kind`, on `distro` if they belong to an
/// operating system. `None` where that is not a release whose advisories we know.
pub(crate) fn osv_ecosystem(kind: PackageKind, distro: &Distro) -> Option<String> {
    if !kind.is_operating_system() {
        return Some(language::osv_name(kind).to_owned());
    }
    let os = OsRelease {
        id: distro.id.clone(),
        version_id: distro.version.clone(),
        pretty_name: distro.name.clone(),
        ..OsRelease::default()
    };
    ECOSYSTEMS.iter().find_map(|format| match format.scope {
        Scope::Language => None,
        Scope::OperatingSystem { release, .. } => release(&os),
    })
}

/// Lists the packages in the wanted files of an image. `problems` are those of reading the image.
///
/// The same tree gives the same inventory. Records that cannot be understood become problems.
#[must_use]
pub fn inventory(image: Image, tree: &FileTree, problems: Vec<Problem>) -> Inventory {
    inventory_with(image, tree, problems, None)
}

/// As [`inventory`], with an index that names the Java archives that do not name themselves.
#[must_use]
pub fn inventory_with(
    image: Image,
    tree: &FileTree,
    problems: Vec<Problem>,
    java: Option<&JavaIndex>,
) -> Inventory {
    let os = os_release::find(tree);
    let mut listing = Listing::new(tree, os.as_ref(), java, problems);
    // What is installed decides which lock files count.
    listing.add_files(|format, _| !format.is_lock());
    listing.add_notes();
    let locks = Locks::new(tree, os.as_ref(), listing.packages());
    listing.add_files(|format, path| format.is_lock() && !locks.supersede(format, path));
    let (mut packages, mut problems) = listing.finish();
    packages.sort_unstable();
    packages.dedup();
    problems.extend(gaps(os.as_ref(), &packages));
    problems.sort_unstable();
    problems.dedup();
    Inventory {
        image,
        distro: os.as_ref().map(OsRelease::to_distro),
        packages,
        problems,
    }
}

/// What is known of an image in which nobody looked for packages, so that none are missing.
pub(crate) fn inventory_without_packages(
    image: Image,
    tree: &FileTree,
    mut problems: Vec<Problem>,
) -> Inventory {
    problems.sort_unstable();
    problems.dedup();
    Inventory {
        image,
        distro: os_release::find(tree).as_ref().map(OsRelease::to_distro),
        packages: Vec::new(),
        problems,
    }
}

/// Says which packages of the operating system no advisory will be asked about, and why.
fn gaps(os: Option<&OsRelease>, packages: &[InstalledPackage]) -> Vec<Problem> {
    let mut system: BTreeMap<PackageKind, usize> = BTreeMap::new();
    let mut unmatched = system.clone();
    for package in packages.iter().map(|installed| &installed.package) {
        if package.kind.is_operating_system() {
            *system.entry(package.kind).or_default() += 1;
            if package.ecosystem.is_empty() {
                *unmatched.entry(package.kind).or_default() += 1;
            }
        }
    }
    let name = os.map(|os| {
        if os.pretty_name.is_empty() {
            os.purl_distro()
        } else {
            os.pretty_name.clone()
        }
    });
    let problem = |code, message| Problem::new(code, "etc/os-release", message);
    let mut gaps: Vec<Problem> = unmatched
        .iter()
        .map(|(kind, count)| {
            let why = match &name {
                Some(name) => format!("{name} is not a release whose advisories we know"),
                None => "the image does not say which distribution it is".to_owned(),
            };
            let message = format!("{why}, so its {kind} packages ({count}) were not matched");
            problem(ProblemCode::DistroUnknown, message)
        })
        .collect();
    if let (Some(os), Some(name), true) = (os, name, system.is_empty()) {
        let known = ECOSYSTEMS.iter().any(|format| match format.scope {
            Scope::Language => false,
            Scope::OperatingSystem { release, .. } => release(os).is_some(),
        });
        let (code, what) = if known {
            (ProblemCode::PackageUnreadable, "no package database")
        } else {
            (
                ProblemCode::DistroUnknown,
                "no package database that we read",
            )
        };
        let message = format!("{what} was found, so the packages of {name} are not known");
        gaps.push(problem(code, message));
    }
    gaps
}

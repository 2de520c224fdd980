//! From wanted files to packages. One file per package format, listed in [`ECOSYSTEMS`]; each says which paths
//! it wants and reads one file at a time. Nothing here opens a file or knows an advisory.

mod apk;
mod dpkg;
mod found;
mod node;
mod os_release;
mod python;
mod rpm;

use std::collections::BTreeMap;

use seareeve_image::{File, FileFacts, FileTree, Inspector};
use seareeve_model::{
    Image, ImagePath, InstalledPackage, Inventory, Package, PackageKind, Problem, ProblemCode,
};

use crate::examiner::Remembered;
use found::{Found, Limited};
use os_release::OsRelease;

/// Every package format. To add one, write its file and add its line.
const ECOSYSTEMS: &[Ecosystem] = &[
    dpkg::ECOSYSTEM,
    apk::ECOSYSTEM,
    rpm::ECOSYSTEM,
    python::ECOSYSTEM,
    node::ECOSYSTEM,
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
    /// What an inspector kept of a file that is too large to be kept itself (a binary, an archive). Called
    /// for every regular file of an image.
    Extract(fn(&ImagePath, FileFacts) -> Option<Box<dyn Inspector>>),
}

impl Ecosystem {
    fn keeps(&self, path: &ImagePath) -> bool {
        match self.intake {
            Intake::Whole(wanted) | Intake::Amended { wanted, .. } => wanted(path),
            Intake::Extract(_) => false,
        }
    }

    /// Whether the file at `path` is a log of one that is kept.
    fn amends(&self, path: &ImagePath) -> bool {
        match self.intake {
            Intake::Whole(_) | Intake::Extract(_) => false,
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
}

/// What a file becomes by the log beside it, `None` if it stays as it is, or why that cannot be said.
type Amend = fn(&[u8], &[u8]) -> Result<Option<Vec<u8>>, String>;

/// Reads one file, or the extract of one. `Err` only when the limit of packages is reached.
type Read = fn(&[u8], Option<&OsRelease>, &mut Found<'_>) -> Result<(), Limited>;

/// What decides which advisories apply to the packages of a format.
enum Scope {
    /// The format alone; each package has a file of its own, put there by the layer that installed it.
    Language,
    /// The release of the distribution. Packages share a database that each installing layer rewrites.
    OperatingSystem {
        /// OSV's name of the release, if it is one whose advisories apply.
        release: fn(&OsRelease) -> Option<String>,
    },
}

/// Whether [`inventory`] reads the file at `path`: what a reader of images has to keep.
pub(crate) fn wanted(path: &ImagePath) -> bool {
    let wants = |format: &Ecosystem| format.keeps(path) || format.amends(path);
    os_release::wanted(path) || ECOSYSTEMS.iter().any(wants)
}

/// Whether `path` is a database that layers rewrite as a whole, so that a reader of images has to keep what
/// lower layers had there: only by comparing can it be said which layer brought a package.
pub(crate) fn wants_history(path: &ImagePath) -> bool {
    ECOSYSTEMS.iter().any(|format| match format.scope {
        Scope::Language => false,
        Scope::OperatingSystem { .. } => format.keeps(path),
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
            Intake::Whole(_) | Intake::Amended { .. } => None,
            Intake::Extract(inspector) => Some((at, inspector(path, file)?)),
        })
}

/// How many problems of one image are listed; a hostile one could have millions of files with a hundred each.
const MOST_PROBLEMS_OF_IMAGE: usize = 10_000;

/// Lists the packages in the wanted files of an image. `problems` are those of reading the image.
///
/// The same tree gives the same inventory. Records that cannot be understood become problems.
#[must_use]
pub fn inventory(image: Image, tree: &FileTree, mut problems: Vec<Problem>) -> Inventory {
    let os = os_release::find(tree);
    let mut packages = Vec::new();
    let mut untold = 0_usize;
    for (path, file) in tree.iter() {
        for format in ECOSYSTEMS.iter().filter(|format| format.keeps(path)) {
            let (amended, unamended) = match format.amended(tree, path, file) {
                Ok(amended) => (amended, None),
                Err(problem) => (None, Some(problem)),
            };
            let top = amended.as_ref().unwrap_or(file);
            let (found, mut trouble) = read(format, path, top, os.as_ref(), packages.len());
            trouble.extend(unamended);
            let room = MOST_PROBLEMS_OF_IMAGE.saturating_sub(problems.len());
            untold += trouble.len().saturating_sub(room);
            problems.extend(trouble.into_iter().take(room));
            let below = amended.is_some().then_some(file);
            let versions = below.into_iter().chain(tree.history(path).iter().rev());
            packages.extend(attribute(format, path, top, versions, os.as_ref(), found));
        }
    }
    for note in tree.notes().iter().filter(|note| !note.is_hidden) {
        let extracts = Remembered::read(&note.content).unwrap_or_default().extracts;
        for (at, extract) in extracts {
            let Some(format) = ECOSYSTEMS.get(usize::from(at)) else {
                continue;
            };
            let mut found = Found::new(&note.path, packages.len());
            let result = (format.read)(&extract, os.as_ref(), &mut found);
            let (found, trouble) = found.finish(result);
            let room = MOST_PROBLEMS_OF_IMAGE.saturating_sub(problems.len());
            untold += trouble.len().saturating_sub(room);
            problems.extend(trouble.into_iter().take(room));
            packages.extend(found.into_iter().map(|package| InstalledPackage {
                package,
                path: note.path.clone(),
                layer: note.layer,
            }));
        }
    }
    packages.sort_unstable();
    packages.dedup();
    problems.extend(gaps(os.as_ref(), &packages));
    if untold > 0 {
        let message = format!("{untold} more problems are not listed");
        problems.push(Problem::new(ProblemCode::LimitReached, "packages", message));
    }
    problems.sort_unstable();
    problems.dedup();
    Inventory {
        image,
        distro: os.as_ref().map(OsRelease::to_distro),
        packages,
        problems,
    }
}

fn read(
    format: &Ecosystem,
    path: &ImagePath,
    file: &File,
    os: Option<&OsRelease>,
    so_far: usize,
) -> (Vec<Package>, Vec<Problem>) {
    let mut found = Found::new(path, so_far);
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
    packages: Vec<Package>,
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
    let installed = |(package, layer)| InstalledPackage {
        package,
        path: path.clone(),
        layer,
    };
    packages.into_iter().zip(layers).map(installed).collect()
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
            Scope::OperatingSystem { release } => release(os).is_some(),
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

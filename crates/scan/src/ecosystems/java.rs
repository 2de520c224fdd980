//! Java archives, wherever they stand, and the archives inside them.
//!
//! An archive's directory is at its end, and only the directory is what Java goes by. So the file is set aside
//! while it passes by, in memory up to a bound and beyond it in a temporary file without a name, and read when
//! it has passed. Only manifests and Maven's `pom.properties` are unpacked.

mod archive;
mod identity;
mod index;
mod known;
mod manifest;
mod zip;

#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::ops::ControlFlow;

use seareeve_image::{FileFacts, Inspector};
use seareeve_model::{ImagePath, Package, PackageKind};
use serde::{Deserialize, Serialize};
use tempfile::SpooledTempFile;

use super::found::{Found, Limited};
use super::os_release::OsRelease;
use super::{Ecosystem, Intake, Scope};
use archive::Archive;
pub use index::{JavaIndex, JavaIndexError, JavaIndexReport};

pub(super) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Extract {
        passes_over: |path, _start| !is_archive(path.as_bytes()),
        inspector,
    },
    read,
};

/// Largest archive that is read. The largest real ones have 1 GiB.
const LARGEST: u64 = 4 << 30;
/// Bytes of an archive that are set aside in memory.
const IN_MEMORY: usize = 8 << 20;

/// Extensions of archives that Java programs are shipped and loaded in: plain, web and enterprise applications,
/// Jenkins' plugins, archives of OSGi, of resource adapters and of Android.
const EXTENSIONS: &[&str] = &[
    "jar", "war", "ear", "par", "jpi", "hpi", "aar", "kar", "nar",
];

/// Whether a file of this name is an archive of Java.
fn is_archive(name: &[u8]) -> bool {
    let file = name.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let Some(dot) = file.iter().rposition(|b| *b == b'.') else {
        return false;
    };
    let (stem, extension) = file.split_at(dot);
    let extension = extension.get(1..).unwrap_or_default();
    !stem.is_empty()
        && EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known.as_bytes()))
}

fn inspector(path: &ImagePath, file: FileFacts) -> Option<Box<dyn Inspector>> {
    // Build tools leave empty ones as marks.
    (is_archive(path.as_bytes()) && file.size > 0).then(|| {
        Box::new(Jar {
            name: path.file_name().to_vec(),
            spool: SpooledTempFile::new(IN_MEMORY),
            failure: (file.size > LARGEST).then(|| {
                format!(
                    "the archive has {} bytes, more than {LARGEST}, and was not read",
                    file.size
                )
            }),
        }) as Box<dyn Inspector>
    })
}

/// What Maven calls coordinates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Coordinates {
    group: String,
    artifact: String,
    version: String,
}

/// What is remembered of one archive, the file itself or one inside it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    /// Where it stands in the file, from name to name; empty for the file itself.
    inside: Vec<u8>,
    /// What it says that it is, and is made of.
    names: Vec<Coordinates>,
    /// What it may be, by its own name and what is in it.
    guess: Option<Coordinates>,
    /// Its SHA-1, where it does not say what it is.
    sha1: Option<[u8; 20]>,
    /// Whether it is a problem when nobody knows what it is.
    is_library: bool,
    /// What could not be read of it.
    problems: Vec<String>,
}

/// Sets one archive aside.
struct Jar {
    name: Vec<u8>,
    spool: SpooledTempFile,
    failure: Option<String>,
}

impl Inspector for Jar {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        if self.failure.is_none()
            && let Err(error) = self.spool.write_all(bytes)
        {
            self.failure = Some(format!("failed to set the archive aside: {error}"));
        }
        match self.failure {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    }

    fn finish(self: Box<Self>, is_whole: bool) -> Option<Vec<u8>> {
        let Self {
            name,
            mut spool,
            failure,
        } = *self;
        let remembered = match failure {
            Some(failure) => vec![Remembered {
                problems: vec![failure],
                ..Remembered::default()
            }],
            // Without its end it has no directory. Who reads the image says that it broke off.
            None if !is_whole => return None,
            None => Archive::read(&name, &mut spool),
        };
        postcard::to_stdvec(&remembered).ok()
    }
}

fn read(extract: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let remembered: Vec<Remembered> = match postcard::from_bytes(extract) {
        Ok(remembered) => remembered,
        Err(error) => {
            found.problem(format!(
                "failed to read what was kept of an archive: {error}"
            ));
            return Ok(());
        }
    };
    for archive in remembered {
        found.enter(&archive.inside);
        for problem in archive.problems {
            found.problem(problem);
        }
        for name in &archive.names {
            add(name, found)?;
        }
        let Some(sha1) = archive.sha1 else { continue };
        let known = match found.java_index().map(|index| index.get(&sha1)) {
            Some(Ok(known)) => known,
            Some(Err(error)) => {
                found.problem(format!(
                    "failed to look up the archive by its SHA-1: {error}"
                ));
                None
            }
            None => None,
        };
        match (known, archive.guess) {
            (Some((group, artifact, version)), _) => add(
                &Coordinates {
                    group,
                    artifact,
                    version,
                },
                found,
            )?,
            (None, Some(guess)) => add(&guess, found)?,
            (None, None) if archive.is_library => {
                let sha1: String = sha1.iter().map(|byte| format!("{byte:02x}")).collect();
                let looked_up = match found.java_index() {
                    Some(_) => "the Java index does not know it either",
                    None => {
                        "there is no Java index to look it up in: seareeve db java-index makes one"
                    }
                };
                found.problem(format!(
                    "identity unknown: the archive does not say group, artifact and version (SHA-1 {sha1}), and {looked_up}"
                ));
            }
            (None, None) => {}
        }
    }
    Ok(())
}

fn add(name: &Coordinates, found: &mut Found<'_>) -> Result<(), Limited> {
    let Coordinates {
        group,
        artifact,
        version,
    } = name;
    let Some(purl) = found.purl("maven", group, artifact, version, &[]) else {
        return Ok(());
    };
    found.package(Package {
        kind: PackageKind::Maven,
        name: format!("{group}:{artifact}"),
        version: version.clone(),
        source: None,
        ecosystem: "Maven".to_owned(),
        purl,
    })
}

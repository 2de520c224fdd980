//! From what a document says to an inventory.
//!
//! What we wrote is taken as it stands. Of what others wrote, packages are known by their package URL, their
//! release by its qualifier or by the document's operating system, and the rest by the notes of the tools that
//! we know.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use seareeve_model::{
    Digest, Distro, ImagePath, InstalledPackage, Inventory, Package, PackageKind, Problem,
    ProblemCode, Purl, PurlParts, SourcePackage,
};

use super::gaps::{Gaps, MOST_REASONS, PLACE};
use super::image::{self, Layers};
use super::names;
use super::notes::{ImageNotes, PackageNotes, Source};
use crate::ecosystems::rpm::{self, Naming};
use crate::ecosystems::{self, LONGEST_TEXT, MOST_PACKAGES};

/// What a document says, whichever format it has.
#[derive(Debug, Default)]
pub(super) struct Said<'a> {
    pub(super) image: ImageNotes<'a>,
    /// The thing that the document describes.
    pub(super) root: Root<'a>,
    pub(super) distro: Option<Distro>,
    pub(super) records: Vec<Record<'a>>,
    pub(super) gaps: Gaps,
}

/// What a document describes, in its own words.
#[derive(Debug, Default)]
pub(super) struct Root<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) version: Cow<'a, str>,
    pub(super) purl: Cow<'a, str>,
}

/// What a document says of one package.
#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    pub(super) group: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
    pub(super) version: Cow<'a, str>,
    pub(super) purl: Cow<'a, str>,
    pub(super) notes: PackageNotes<'a>,
}

impl<'a> Said<'a> {
    /// Adds a package, or notes that there is no room.
    pub(super) fn record(&mut self, record: Record<'a>) {
        if self.records.len() < MOST_PACKAGES {
            self.records.push(record);
        } else {
            self.gaps.more_than_fit(1);
        }
    }
}

/// Makes an inventory of what a document says. `document` gives its digest, `subject` is that of the image for which
/// it was attested.
pub(super) fn inventory(
    said: Said<'_>,
    document: &dyn Fn() -> Digest,
    subject: Option<Digest>,
) -> Inventory {
    let Said {
        image: image_notes,
        root,
        distro,
        records,
        mut gaps,
    } = said;
    let (mut image, mut problems) = match image_notes.own() {
        Some(own) => own,
        None => {
            if image_notes.is_own() {
                gaps.add(
                    "the description of the image is not as this version writes it",
                    "",
                );
            }
            let image = image::image(&image_notes, &root, document, subject);
            (image, Vec::new())
        }
    };
    gaps.more_than_fit(image_notes.untold());
    let mut reader = Reader {
        distro: distro
            .as_ref()
            .map(|said| names::distro(&said.id, &said.version, &said.name)),
        ecosystems: HashMap::new(),
        unmatched: BTreeMap::new(),
        first: None,
    };
    let mut layers = Layers::new(&mut image.layers, document, image_notes.is_own());
    let mut packages = Vec::with_capacity(records.len());
    for record in &records {
        match reader.read(record, &mut layers) {
            Ok(Some(installed)) => packages.push(installed),
            Ok(None) => {}
            Err(reason) => gaps.add(reason, &record.name),
        }
    }
    packages.sort_unstable();
    packages.dedup();
    problems.extend(gaps.into_problems());
    problems.extend(reader.unmatched());
    problems.sort_unstable();
    problems.dedup();
    let distro = if image_notes.is_own() {
        distro
    } else {
        reader.distro.or(reader.first)
    };
    Inventory {
        image,
        distro,
        packages,
        problems,
    }
}

/// Reads records, and remembers what they have in common.
struct Reader {
    /// The document's operating system.
    distro: Option<Distro>,
    /// By kind, qualifier and namespace of package URLs.
    ecosystems: HashMap<(PackageKind, String, String), String>,
    /// Packages without advisories, by distribution and kind.
    unmatched: BTreeMap<(Distro, PackageKind), usize>,
    /// The distribution of the first package that names one.
    first: Option<Distro>,
}

impl Reader {
    /// The package of a record; `None` for what is not meant to be one. `Err` says why it cannot be used.
    fn read(
        &mut self,
        record: &Record<'_>,
        layers: &mut Layers<'_>,
    ) -> Result<Option<InstalledPackage>, String> {
        check_length([&record.name, &record.version])?;
        if let Some(own) = self.own(record, layers) {
            return Ok(Some(own));
        }
        if record.purl.is_empty() {
            return Err("without a package URL nothing can be said about it".to_owned());
        }
        let purl: Purl = record
            .purl
            .parse()
            .map_err(|_invalid: seareeve_model::PurlError| {
                "its package URL cannot be read".to_owned()
            })?;
        let parts = purl.parts();
        if matches!(parts.kind(), "oci" | "docker") {
            return Ok(None);
        }
        let Some(kind) = PackageKind::parse(parts.kind()) else {
            return Err(format!(
                "packages of the type {} are not known",
                parts.kind()
            ));
        };
        let mut package = Package {
            kind,
            name: names::package(
                kind,
                &parts,
                [record.notes.name(), &record.group, &record.name],
            ),
            version: names::version(&parts, &record.version).into_owned(),
            source: None,
            ecosystem: String::new(),
            purl,
        };
        if package.version.is_empty() {
            return Err("it has no version".to_owned());
        }
        check_length([&package.name, &package.version])?;
        package.ecosystem = self.ecosystem(kind, &parts);
        package.source = source(&package, &record.notes.source, &parts);
        let place = &record.notes.place;
        let path = ImagePath::parse(place.path.as_bytes()).unwrap_or_else(ImagePath::root);
        Ok(Some(InstalledPackage {
            package,
            path,
            layer: layers.index(&place.layer),
        }))
    }

    /// A package that we wrote.
    fn own(&self, record: &Record<'_>, layers: &Layers<'_>) -> Option<InstalledPackage> {
        let own = record.notes.own()?;
        layers.has(own.layer).then_some(())?;
        let purl = match own.purl {
            Some(purl) => purl,
            None => record.purl.parse().ok()?,
        };
        Some(InstalledPackage {
            package: Package {
                kind: own.kind,
                name: record.name.clone().into_owned(),
                version: record.version.clone().into_owned(),
                source: own.source,
                ecosystem: own.ecosystem,
                purl,
            },
            path: own.path,
            layer: own.layer,
        })
    }

    /// The ecosystem with its release; empty, and counted, where there is none.
    fn ecosystem(&mut self, kind: PackageKind, purl: &PurlParts) -> String {
        let namespace = purl.namespace();
        let qualifier = purl.qualifier("distro").unwrap_or_default();
        let key = (kind, qualifier.to_owned(), namespace.to_owned());
        if let Some(known) = self.ecosystems.get(&key) {
            return known.clone();
        }
        let of_package =
            (!qualifier.is_empty()).then(|| names::distro_of_qualifier(qualifier, namespace));
        let named = names::distro(namespace, "", "");
        let candidates = of_package.iter().chain(&self.distro).chain([&named]);
        let found = candidates.clone().find_map(|distro| {
            let ecosystem = ecosystems::osv_ecosystem(kind, distro)?;
            Some((distro, ecosystem))
        });
        // Where none is known, the first is the one to name.
        let found = found.or_else(|| Some((candidates.clone().next()?, String::new())));
        let Some((distro, ecosystem)) = found else {
            return String::new();
        };
        if kind.is_operating_system() && self.first.is_none() && !distro.id.is_empty() {
            self.first = Some(distro.clone());
        }
        if ecosystem.is_empty() {
            let count = self.unmatched.entry((distro.clone(), kind)).or_default();
            *count = count.saturating_add(1);
        } else {
            self.ecosystems.insert(key, ecosystem.clone());
        }
        ecosystem
    }

    /// Says which packages of the operating system no advisory will be asked about, and why.
    fn unmatched(&self) -> Vec<Problem> {
        let problem = |((distro, kind), count): (&(Distro, PackageKind), &usize)| {
            let why = match (distro.id.as_str(), distro.version.as_str()) {
                ("", _) => "the document does not say which distribution it is of".to_owned(),
                (id, "") => format!("the document does not say which release of {id} it is of"),
                (id, version) => {
                    format!("{id} {version} is not a release whose advisories we know")
                }
            };
            let message = format!("{why}, so its {kind} packages ({count}) were not matched");
            Problem::new(ProblemCode::DistroUnknown, PLACE, message)
        };
        let told = self.unmatched.iter().take(MOST_REASONS);
        let more = self.unmatched.len().saturating_sub(MOST_REASONS);
        let more = (more > 0).then(|| {
            let message = format!("{more} more releases are not known");
            Problem::new(ProblemCode::DistroUnknown, PLACE, message)
        });
        told.map(problem).chain(more).collect()
    }
}

/// The source package of a distribution's package.
fn source(package: &Package, said: &Source<'_>, purl: &PurlParts) -> Option<SourcePackage> {
    let upstream = purl.qualifier("upstream").unwrap_or_default();
    let or = |texts: [&str; 3]| {
        let fits = |text: &&str| !text.is_empty() && text.len() <= LONGEST_TEXT;
        texts.into_iter().find(fits).unwrap_or_default().to_owned()
    };
    match package.kind {
        // As for dpkg, what is not said is as the binary's.
        PackageKind::Deb | PackageKind::Apk => {
            let (name, version) = upstream.split_once('@').unwrap_or((upstream, ""));
            Some(SourcePackage {
                name: or([&said.name, name, &package.name]),
                version: or([&said.whole_version(), version, &package.version]),
            })
        }
        PackageKind::Rpm => rpm_source(package, upstream),
        PackageKind::Pypi
        | PackageKind::Npm
        | PackageKind::Maven
        | PackageKind::Golang
        | PackageKind::Cargo
        | PackageKind::Gem
        | PackageKind::Composer
        | PackageKind::Nuget => None,
    }
}

/// The source package of an rpm, whose file name package URLs have as `upstream`, where the distribution's records
/// name sources.
fn rpm_source(package: &Package, upstream: &str) -> Option<SourcePackage> {
    let has_epoch = match rpm::naming(&package.ecosystem) {
        Naming::Binary => return None,
        Naming::Source => true,
        Naming::SourceWithoutEpoch => false,
    };
    let (epoch, plain) = package
        .version
        .split_once(':')
        .unwrap_or(("", &package.version));
    let source = rpm::source_file(upstream).filter(|_| upstream.len() <= LONGEST_TEXT);
    let (name, version) = source.unwrap_or((&package.name, plain));
    // The file name does not say the epoch. A package with the source's version has its epoch too.
    let version = if has_epoch && version == plain && !epoch.is_empty() {
        package.version.clone()
    } else {
        version.to_owned()
    };
    Some(SourcePackage {
        name: name.to_owned(),
        version,
    })
}

fn check_length(texts: [&str; 2]) -> Result<(), String> {
    if texts.into_iter().any(|text| text.len() > LONGEST_TEXT) {
        return Err(format!(
            "a name or version has more than {LONGEST_TEXT} bytes"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_rpms_are_as_the_records_name_them() {
        let source = |ecosystem: &str, version: &str| {
            let package = Package {
                kind: PackageKind::Rpm,
                name: "perl-libs".to_owned(),
                version: version.to_owned(),
                source: None,
                ecosystem: ecosystem.to_owned(),
                purl: Purl::new("rpm", "", "perl-libs", "1", &[]).unwrap(),
            };
            let source = rpm_source(&package, "perl-5.32.1-481.el9.src.rpm")?;
            Some(format!("{} {}", source.name, source.version))
        };
        assert_eq!(source("AlmaLinux:9", "4:5.32.1-481.el9"), None);
        let rocky = source("Rocky Linux:9", "4:5.32.1-481.el9");
        assert_eq!(rocky.as_deref(), Some("perl 4:5.32.1-481.el9"));
        let rocky = source("Rocky Linux:9", "1:2.1-1.el9");
        assert_eq!(rocky.as_deref(), Some("perl 5.32.1-481.el9"));
        let photon = source("Photon OS:5.0", "4:5.32.1-481.el9");
        assert_eq!(photon.as_deref(), Some("perl 5.32.1-481.el9"));
    }
}

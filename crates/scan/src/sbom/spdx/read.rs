//! Reads SPDX. The image and its operating system are packages there, too, and are told apart by their purpose,
//! and in older documents by their ids.

use std::borrow::Cow;

use seareeve_model::Distro;
use serde::Deserialize;

use crate::sbom::envelope::Outline;
use crate::sbom::gather::{Record, Root, Said};
use crate::sbom::json::{First, Gather, List, Pairs, Text, as_text, text};
use crate::sbom::notes::{ImageNotes, Notes, PackageNotes};

/// What is read of a package, with its annotations as `N`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "N: Notes<'de>"))]
struct Package<'a, N> {
    #[serde(rename = "SPDXID", borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    version_info: Option<Text<'a>>,
    #[serde(borrow)]
    source_info: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    primary_package_purpose: Option<Text<'a>>,
    #[serde(borrow, default)]
    external_refs: List<PackageUrl<'a>>,
    #[serde(default = "none")]
    annotations: List<Annotations<N>>,
}

fn none<N: Default>() -> List<Annotations<N>> {
    List(Annotations(N::default()))
}

/// The package URL among the references.
#[derive(Default)]
struct PackageUrl<'a>(Cow<'a, str>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference<'a> {
    #[serde(borrow)]
    reference_type: Option<Text<'a>>,
    #[serde(borrow)]
    reference_locator: Option<Text<'a>>,
}

impl<'de: 'a, 'a> Gather<'de> for PackageUrl<'a> {
    type Item = Reference<'a>;

    fn take(&mut self, reference: Reference<'a>) {
        // Some write the whole name: `http://spdx.org/rdf/references/purl`.
        let kind = text(reference.reference_type);
        if self.0.is_empty() && kind.rsplit('/').next() == Some("purl") {
            self.0 = text(reference.reference_locator);
        }
    }
}

#[derive(Default)]
struct Annotations<N>(N);

#[derive(Deserialize)]
struct Annotation<'a> {
    #[serde(borrow)]
    comment: Option<Text<'a>>,
}

impl<'a, N: Notes<'a>> Gather<'a> for Annotations<N> {
    type Item = Annotation<'a>;

    fn take(&mut self, annotation: Annotation<'a>) {
        let comment = text(annotation.comment);
        if comment.starts_with('{') {
            // Ours: all notes in one.
            if let Ok(Pairs(pairs)) = serde_json::from_str(&comment) {
                for (name, value) in pairs {
                    self.0.note(&name, value.into());
                }
            }
            return;
        }
        // Trivy's: one each.
        let note = match &comment {
            Cow::Borrowed(comment) => comment
                .split_once(": ")
                .map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value))),
            Cow::Owned(comment) => comment
                .split_once(": ")
                .map(|(name, value)| (name.to_owned().into(), value.to_owned().into())),
        };
        if let Some((name, value)) = note {
            self.0.note(&name, value);
        }
    }
}

/// The id of what the document describes.
#[derive(Default)]
pub(in crate::sbom) struct Described<'a>(Option<Cow<'a, str>>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::sbom) struct Relationship<'a> {
    #[serde(borrow)]
    relationship_type: Option<Text<'a>>,
    #[serde(borrow)]
    related_spdx_element: Option<Text<'a>>,
}

impl<'de: 'a, 'a> Gather<'de> for Described<'a> {
    type Item = Relationship<'a>;

    fn take(&mut self, relationship: Relationship<'a>) {
        if self.0.is_none() && text(relationship.relationship_type) == "DESCRIBES" {
            self.0 = relationship.related_spdx_element.map(|Text(id)| id);
        }
    }
}

/// What a package of a document stands for.
enum Part {
    Image,
    OperatingSystem,
    Package,
    /// A file, or a lock file.
    Other,
}

pub(in crate::sbom) fn read<'a>(outline: &Outline<'a>) -> Said<'a> {
    let mut said = Said::default();
    let List(First(listed)) = &outline.document_describes;
    let List(Described(related)) = &outline.relationships;
    let described = listed.as_ref().map(|Text(id)| id).or(related.as_ref());
    said.root.name = text(outline.name.clone());
    let List(records) = &outline.packages;
    said.gaps.more_than_fit(records.untold);
    for raw in &records.raw {
        let Ok(package) = serde_json::from_str::<Package<'_, PackageNotes<'_>>>(raw.get()) else {
            said.gaps.add("a package is not as SPDX has it", "");
            continue;
        };
        match part(&package, described) {
            Part::Image => {
                let image = serde_json::from_str::<Package<'_, ImageNotes<'_>>>(raw.get());
                if let Ok(image) = image {
                    let List(Annotations(notes)) = image.annotations;
                    said.image = notes;
                }
                said.root = Root {
                    name: text(package.name),
                    version: text(package.version_info),
                    purl: package.external_refs.0.0,
                };
            }
            Part::OperatingSystem => {
                said.distro = Some(Distro {
                    id: text(package.name).into_owned(),
                    version: text(package.version_info).into_owned(),
                    name: text(package.description).into_owned(),
                });
            }
            Part::Package => said.record(record(package)),
            Part::Other => {}
        }
    }
    said
}

fn part<N>(package: &Package<'_, N>, described: Option<&Cow<'_, str>>) -> Part {
    let id = as_text(&package.id);
    let purpose = as_text(&package.primary_package_purpose);
    let purl = package.external_refs.0.0.as_ref();
    let is_described = described.is_some_and(|described| described == id);
    let has_version = package.version_info.is_some();
    match purpose {
        "CONTAINER" => Part::Image,
        "OPERATING-SYSTEM" | "OPERATING_SYSTEM" => Part::OperatingSystem,
        _ if purl.starts_with("pkg:oci/") || purl.starts_with("pkg:docker/") => Part::Image,
        _ if purl.is_empty() && (is_described || id.starts_with("SPDXRef-DocumentRoot-")) => {
            Part::Image
        }
        _ if !purl.is_empty() => Part::Package,
        // Syft gives no purpose, and every package a version.
        "" | "LIBRARY" | "FRAMEWORK" => Part::Package,
        "APPLICATION" if has_version => Part::Package,
        _ => Part::Other,
    }
}

fn record<'a>(package: Package<'a, PackageNotes<'a>>) -> Record<'a> {
    let List(Annotations(mut notes)) = package.annotations;
    // Trivy's sentence: `built package from: glibc 2.36-9`.
    let built_from = match text(package.source_info) {
        Cow::Borrowed(info) => {
            built_from(info).map(|(name, version)| (name.into(), version.into()))
        }
        Cow::Owned(info) => built_from(&info)
            .map(|(name, version)| (name.to_owned().into(), version.to_owned().into())),
    };
    if let Some((name, version)) = built_from {
        notes.source.name = name;
        notes.source.version = version;
    }
    Record {
        group: Cow::Borrowed(""),
        name: text(package.name),
        version: text(package.version_info),
        purl: package.external_refs.0.0,
        notes,
    }
}

fn built_from(info: &str) -> Option<(&str, &str)> {
    info.strip_prefix("built package from: ")?.rsplit_once(' ')
}

//! Writes SPDX 2.3: the image, the distribution and the packages as packages, what the format has no words for
//! as annotations.

use std::borrow::Cow;
use std::io;

use seareeve_model::{Finding, InstalledPackage};
use serde::ser::{Serialize, Serializer};

use crate::sbom::cyclonedx::record_url;
use crate::sbom::notes::{self, Note};
use crate::sbom::{Document, identity};

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const IMAGE: &str = "SPDXRef-Image";
const OPERATING_SYSTEM: &str = "SPDXRef-OperatingSystem";
/// Nobody has looked, which is not the same as that there is none (SPDX 2.3, clause 7).
const NOT_SAID: &str = "NOASSERTION";

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Spdx<'a> {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: &'a str,
    document_namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    creation_info: CreationInfo<'a>,
    packages: Vec<Package<'a>>,
    relationships: Vec<Relationship<'a>>,
}

#[derive(serde::Serialize)]
struct CreationInfo<'a> {
    created: &'a str,
    creators: [&'a str; 1],
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Package<'a> {
    #[serde(rename = "SPDXID")]
    id: Cow<'a, str>,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version_info: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    download_location: &'static str,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksums: Option<[Checksum<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_info: Option<String>,
    license_concluded: &'static str,
    license_declared: &'static str,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<Reference>,
    primary_package_purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<[Annotation<'a>; 1]>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum<'a> {
    algorithm: &'static str,
    checksum_value: &'a str,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Annotation<'a> {
    annotation_date: &'a str,
    annotation_type: &'static str,
    annotator: &'a str,
    comment: String,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship<'a> {
    spdx_element_id: &'static str,
    relationship_type: &'static str,
    related_spdx_element: Cow<'a, str>,
}

pub(in crate::sbom) fn write(document: &Document<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let created = identity::seconds(document.time);
    let tool = format!("Tool: {}-{}", identity::TOOL, identity::VERSION);
    let mut spdx = spdx(document, &created, &tool)?;
    let uuid = identity::uuid_of(|out| Ok(serde_json::to_writer(out, &spdx)?))?;
    spdx.document_namespace = format!("urn:uuid:{uuid}");
    serde_json::to_writer_pretty(&mut *out, &spdx)?;
    out.write_all(b"\n")
}

fn spdx<'a>(document: &'a Document<'a>, created: &'a str, tool: &'a str) -> io::Result<Spdx<'a>> {
    let inventory = document.inventory;
    let image = &inventory.image;
    let annotation = |notes: &[Note<'_>]| -> io::Result<Option<[Annotation<'a>; 1]>> {
        Ok(Some([Annotation {
            annotation_date: created,
            annotation_type: "OTHER",
            annotator: tool,
            comment: serde_json::to_string(&Notes(notes))?,
        }]))
    };
    let root = Package {
        version_info: image.digest.as_str(),
        checksums: Some([Checksum {
            algorithm: match image.digest.algorithm() {
                "sha512" => "SHA512",
                _ => "SHA256",
            },
            checksum_value: image.digest.hex(),
        }]),
        external_refs: identity::purl(image)
            .map(|purl| package_url(purl.to_string()))
            .into_iter()
            .collect(),
        annotations: annotation(&notes::of_image(inventory))?,
        ..Package::new(IMAGE.into(), identity::name(image), "CONTAINER")
    };
    let mut packages = vec![root];
    packages.extend(inventory.distro.as_ref().map(|distro| Package {
        version_info: &distro.version,
        description: &distro.name,
        // The text of SPDX 2.3 has a hyphen here (clause 7.24), its JSON schema an underscore.
        ..Package::new(OPERATING_SYSTEM.into(), &distro.id, "OPERATING_SYSTEM")
    }));
    for ((index, installed), id) in inventory.packages.iter().enumerate().zip(&document.ids) {
        let id = format!("SPDXRef-Package-{id}");
        packages.push(Package {
            version_info: &installed.package.version,
            source_info: source_info(installed),
            external_refs: references(installed, document.findings_of(index)),
            annotations: annotation(&notes::of_package(installed, &image.layers))?,
            ..Package::new(id.into(), &installed.package.name, "LIBRARY")
        });
    }
    let mut relationships = vec![Relationship {
        spdx_element_id: DOCUMENT,
        relationship_type: "DESCRIBES",
        related_spdx_element: IMAGE.into(),
    }];
    relationships.extend(packages.iter().skip(1).map(|package| Relationship {
        spdx_element_id: IMAGE,
        relationship_type: "CONTAINS",
        related_spdx_element: package.id.clone(),
    }));
    let problems = inventory.problems.len();
    let comment = (problems > 0).then(|| {
        format!(
            "Not everything could be read: the annotation of the image lists {problems} problems."
        )
    });
    Ok(Spdx {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: identity::name(image),
        document_namespace: String::new(),
        comment,
        creation_info: CreationInfo {
            created,
            creators: [tool],
        },
        packages,
        relationships,
    })
}

impl<'a> Package<'a> {
    fn new(id: Cow<'a, str>, name: &'a str, primary_package_purpose: &'static str) -> Self {
        Self {
            id,
            name,
            version_info: "",
            description: "",
            download_location: NOT_SAID,
            files_analyzed: false,
            checksums: None,
            source_info: None,
            license_concluded: NOT_SAID,
            license_declared: NOT_SAID,
            copyright_text: NOT_SAID,
            external_refs: Vec::new(),
            primary_package_purpose,
            annotations: None,
        }
    }
}

/// The source package in the sentence that Trivy writes and reads.
fn source_info(installed: &InstalledPackage) -> Option<String> {
    let source = installed.package.source.as_ref()?;
    Some(format!(
        "built package from: {} {}",
        source.name, source.version
    ))
}

/// The package URL, and the advisories that hit (SPDX 2.3, annex F.2).
fn references(installed: &InstalledPackage, findings: &[Finding]) -> Vec<Reference> {
    let mut references = vec![package_url(
        identity::purl_with_source(installed).to_string(),
    )];
    references.extend(findings.iter().filter_map(|finding| {
        let severity = finding.severity.as_str();
        let suppressed = finding.suppressed.as_ref();
        let suppressed = suppressed.map(|why| format!(", does not count ({})", why.reason));
        let suppressed = suppressed.unwrap_or_default();
        Some(Reference {
            reference_category: "SECURITY",
            reference_type: "advisory",
            reference_locator: record_url(&finding.vulnerability.id)?,
            comment: Some(format!("{severity}{suppressed}: {}", finding.remediation)),
        })
    }));
    references
}

fn package_url(purl: String) -> Reference {
    Reference {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: purl,
        comment: None,
    }
}

/// Notes as an object, in their order.
struct Notes<'a>(&'a [Note<'a>]);

impl Serialize for Notes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, text)| (name, text)))
    }
}

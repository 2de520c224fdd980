//! Writes CycloneDX 1.6: the image as what the document describes, the distribution and the packages as its
//! components, and the findings as vulnerabilities.

use std::borrow::Cow;
use std::io;

use seareeve_model::InstalledPackage;
use serde::Serialize;

use super::vulnerabilities::{self, Vulnerability};
use crate::sbom::notes::{self, Note};
use crate::sbom::{Document, identity};

/// The name of the distribution in the document.
const OPERATING_SYSTEM: &str = "operating-system";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<Component<'a>>,
    dependencies: Vec<Dependency<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    compositions: Vec<Composition<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vulnerabilities: Option<Vec<Vulnerability<'a>>>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    timestamp: String,
    lifecycles: [Lifecycle; 1],
    tools: Tools,
    component: Component<'a>,
}

#[derive(Serialize)]
struct Lifecycle {
    phase: &'static str,
}

#[derive(Serialize)]
struct Tools {
    components: [Tool; 1],
}

#[derive(Serialize)]
struct Tool {
    r#type: &'static str,
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Component<'a> {
    r#type: &'static str,
    #[serde(rename = "bom-ref")]
    bom_ref: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property<'a>>,
}

#[derive(Serialize)]
struct Hash<'a> {
    alg: &'static str,
    content: &'a str,
}

/// A name and its text.
#[derive(Serialize)]
pub(super) struct Property<'a> {
    pub(super) name: Cow<'static, str>,
    pub(super) value: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    r#ref: &'a str,
    depends_on: Vec<&'a str>,
}

#[derive(Serialize)]
struct Composition<'a> {
    aggregate: &'static str,
    assemblies: [&'a str; 1],
}

pub(in crate::sbom) fn write(document: &Document<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let mut bom = bom(document);
    // The number is of everything else, so a document that differs in anything has another.
    let uuid = identity::uuid_of(|out| Ok(serde_json::to_writer(out, &bom)?))?;
    bom.serial_number = format!("urn:uuid:{uuid}");
    serde_json::to_writer_pretty(&mut *out, &bom)?;
    out.write_all(b"\n")
}

fn bom<'a>(document: &'a Document<'a>) -> Bom<'a> {
    let inventory = document.inventory;
    let image = &inventory.image;
    let mut components = Vec::with_capacity(inventory.packages.len().saturating_add(1));
    components.extend(inventory.distro.as_ref().map(|distro| Component {
        description: &distro.name,
        version: &distro.version,
        ..Component::new("operating-system", OPERATING_SYSTEM, &distro.id)
    }));
    let packages = inventory.packages.iter().zip(&document.ids);
    components.extend(packages.map(|(installed, id)| {
        let package = &installed.package;
        let purl = match identity::purl_with_source(installed) {
            Cow::Borrowed(purl) => Cow::Borrowed(purl.as_str()),
            Cow::Owned(purl) => Cow::Owned(purl.to_string()),
        };
        let mut properties = properties(notes::of_package(installed, &image.layers));
        properties.extend(for_trivy(installed));
        Component {
            version: &package.version,
            purl: Some(purl),
            properties,
            ..Component::new("library", id, &package.name)
        }
    }));
    let alg = match image.digest.algorithm() {
        "sha512" => "SHA-512",
        _ => "SHA-256",
    };
    let root = Component {
        version: image.digest.as_str(),
        hashes: vec![Hash {
            alg,
            content: image.digest.hex(),
        }],
        purl: identity::purl(image).map(|purl| purl.to_string().into()),
        properties: properties(notes::of_image(inventory)),
        ..Component::new("container", image.digest.as_str(), identity::name(image))
    };
    // That something could not be read is said in the format's own words too.
    let incomplete = (!inventory.problems.is_empty()).then(|| Composition {
        aggregate: "incomplete",
        assemblies: [image.digest.as_str()],
    });
    Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: String::new(),
        version: 1,
        metadata: Metadata {
            timestamp: identity::seconds(document.time),
            lifecycles: [Lifecycle {
                phase: "post-build",
            }],
            tools: Tools {
                components: [Tool {
                    r#type: "application",
                    name: identity::TOOL,
                    version: identity::VERSION,
                }],
            },
            component: root,
        },
        dependencies: vec![Dependency {
            r#ref: image.digest.as_str(),
            depends_on: components
                .iter()
                .map(|component| component.bom_ref)
                .collect(),
        }],
        components,
        compositions: incomplete.into_iter().collect(),
        vulnerabilities: document.findings.map(|_| vulnerabilities::of(document)),
    }
}

impl<'a> Component<'a> {
    fn new(r#type: &'static str, bom_ref: &'a str, name: &'a str) -> Self {
        Self {
            r#type,
            bom_ref,
            name,
            version: "",
            description: "",
            hashes: Vec::new(),
            purl: None,
            properties: Vec::new(),
        }
    }
}

fn properties(notes: Vec<Note<'_>>) -> Vec<Property<'_>> {
    let property = |(name, value)| Property { name, value };
    notes.into_iter().map(property).collect()
}

/// The source package in the words that Trivy reads; without them it looks a package of Debian up under the
/// binary's name, and finds nothing.
fn for_trivy<'a>(installed: &'a InstalledPackage) -> Vec<Property<'a>> {
    let Some(source) = &installed.package.source else {
        return Vec::new();
    };
    let property = |name: &'static str, value: &'a str| Property {
        name: name.into(),
        value: value.into(),
    };
    vec![
        property("aquasecurity:trivy:SrcName", &source.name),
        property("aquasecurity:trivy:SrcVersion", &source.version),
    ]
}

//! What the formats have no words for, as pairs of name and text: CycloneDX keeps them as properties, SPDX in
//! annotations. Ours are named `seareeve:…` and say all that an inventory holds. Those of Trivy, Syft and
//! cdxgen are read for what they tell of the source package, the file and the layer.

mod image;
mod package;

use std::borrow::Cow;

use seareeve_model::{InstalledPackage, Inventory, Layer, SourcePackage};

use super::identity;
pub(super) use image::ImageNotes;
pub(super) use package::{PackageNotes, Source};

/// A name and its text, to be written.
pub(super) type Note<'a> = (Cow<'static, str>, Cow<'a, str>);

/// Version of our notes. A reader that does not know it takes the document for a foreign one.
const SCHEMA: &str = "1";
/// Everything of a package besides its name and version.
pub(super) fn of_package<'a>(
    installed: &'a InstalledPackage,
    layers: &'a [Layer],
) -> Vec<Note<'a>> {
    let package = &installed.package;
    let mut notes: Vec<Note<'a>> = vec![
        ("seareeve:kind".into(), package.kind.as_str().into()),
        (
            "seareeve:ecosystem".into(),
            package.ecosystem.as_str().into(),
        ),
        ("seareeve:path".into(), installed.path.to_text()),
        (
            "seareeve:layer:index".into(),
            installed.layer.to_string().into(),
        ),
    ];
    if std::str::from_utf8(installed.path.as_bytes()).is_err() {
        let hex = hex(installed.path.as_bytes());
        notes.push(("seareeve:path:hex".into(), hex.into()));
    }
    if let Some(layer) = layer(layers, installed.layer) {
        let diff_id = layer.diff_id.as_str();
        notes.push(("seareeve:layer:diff_id".into(), diff_id.into()));
    }
    if let Some(source) = &package.source {
        let SourcePackage { name, version } = source;
        notes.push(("seareeve:source:name".into(), name.into()));
        notes.push(("seareeve:source:version".into(), version.into()));
    }
    // What stands as the document's own package URL has a qualifier more.
    if let Cow::Owned(_) = identity::purl_with_source(installed) {
        notes.push(("seareeve:purl".into(), package.purl.as_str().into()));
    }
    notes
}

/// Everything of the image, and what could not be read of it.
pub(super) fn of_image(inventory: &Inventory) -> Vec<Note<'_>> {
    let image = &inventory.image;
    let mut notes: Vec<Note<'_>> = vec![
        ("seareeve:schema".into(), SCHEMA.into()),
        ("seareeve:image:digest".into(), image.digest.as_str().into()),
        (
            "seareeve:image:config_digest".into(),
            image.config_digest.as_str().into(),
        ),
        ("seareeve:image:os".into(), image.os.as_str().into()),
        (
            "seareeve:image:architecture".into(),
            image.architecture.as_str().into(),
        ),
    ];
    if let Some(created) = image.created {
        notes.push(("seareeve:image:created".into(), created.to_string().into()));
    }
    for (n, reference) in image.references.iter().enumerate() {
        notes.push((format!("seareeve:reference:{n}").into(), reference.into()));
    }
    for (n, layer) in image.layers.iter().enumerate() {
        let name = |field: &str| format!("seareeve:layer:{n}:{field}").into();
        notes.push((name("diff_id"), layer.diff_id.as_str().into()));
        if let Some(digest) = &layer.digest {
            notes.push((name("digest"), digest.as_str().into()));
        }
        notes.push((name("size_bytes"), layer.size_bytes.to_string().into()));
        notes.push((name("created_by"), layer.created_by.as_str().into()));
    }
    for (n, problem) in inventory.problems.iter().enumerate() {
        let name = |field: &str| format!("seareeve:problem:{n}:{field}").into();
        notes.push((name("code"), problem.code.as_str().into()));
        notes.push((name("place"), problem.place.as_str().into()));
        notes.push((name("message"), problem.message.as_str().into()));
    }
    notes
}

/// Where notes that are read go.
pub(super) trait Notes<'a>: Default {
    fn note(&mut self, name: &str, value: Cow<'a, str>);
}

/// The layer with the number that packages have.
pub(super) fn layer(layers: &[Layer], index: u32) -> Option<&Layer> {
    layers.get(usize::try_from(index).ok()?)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

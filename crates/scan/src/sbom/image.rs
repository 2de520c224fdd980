//! The image of a document of others: an inventory has one, a document may name it, in part, or not at all.

use std::collections::HashMap;

use seareeve_model::{Digest, Image, Layer, Purl, PurlParts};

use super::gather::Root;
use super::notes::{self, ImageNotes};
use crate::ecosystems::LONGEST_TEXT;

/// Layers that are taken over from notes of others; images have up to 127.
const MOST_LAYERS: usize = 1_000;

/// The image that a foreign document speaks of: by the digest that it names, else the document itself.
pub(super) fn image(
    notes: &ImageNotes<'_>,
    root: &Root<'_>,
    document: &dyn Fn() -> Digest,
    subject: Option<Digest>,
) -> Image {
    let purl: Option<PurlParts> = root.purl.parse().ok().map(|purl: Purl| purl.parts());
    let purl = purl.filter(|purl| purl.kind() == "oci");
    let in_repository = notes.repository_digests.iter().find_map(|name| {
        let (_, digest) = name.split_once('@')?;
        digest.parse().ok()
    });
    let of_purl = || purl.as_ref().and_then(|purl| purl.version().parse().ok());
    let config: Option<Digest> = notes.image_id.parse().ok();
    let digest: Digest = subject
        .or(in_repository)
        .or_else(of_purl)
        .or_else(|| root.version.parse().ok())
        .or_else(|| config.clone())
        .unwrap_or_else(document);
    // What the document calls its subject may be a file; the image's own names are better.
    let names = match notes.names.as_slice() {
        [] => std::slice::from_ref(&root.name),
        names => names,
    };
    let mut references: Vec<String> = names
        .iter()
        .filter(|name| !name.is_empty() && name.len() <= LONGEST_TEXT)
        .map(|name| name.clone().into_owned())
        .collect();
    references.sort_unstable();
    references.dedup();
    // Trivy sorts them, so their order says nothing; which layer is which is worth keeping all the same.
    let mut layers: Vec<Layer> = Vec::new();
    for diff_id in notes.diff_ids.iter().filter_map(|text| text.parse().ok()) {
        if layers.len() < MOST_LAYERS && layers.iter().all(|layer| layer.diff_id != diff_id) {
            layers.push(named_layer(diff_id));
        }
    }
    Image {
        references,
        config_digest: config.unwrap_or_else(|| digest.clone()),
        digest,
        os: String::new(),
        architecture: purl
            .as_ref()
            .and_then(|purl| purl.qualifier("arch"))
            .unwrap_or_default()
            .to_owned(),
        created: None,
        layers,
    }
}

fn named_layer(diff_id: Digest) -> Layer {
    Layer {
        diff_id,
        digest: None,
        size_bytes: 0,
        created_by: String::new(),
    }
}

/// The layers of an image, to which those are added that only the packages name.
pub(super) struct Layers<'a> {
    layers: &'a mut Vec<Layer>,
    by_diff_id: HashMap<String, u32>,
    document: &'a dyn Fn() -> Digest,
}

impl<'a> Layers<'a> {
    pub(super) fn new(
        layers: &'a mut Vec<Layer>,
        document: &'a dyn Fn() -> Digest,
        is_own: bool,
    ) -> Self {
        let numbered = layers.iter().zip(0_u32..);
        let by_diff_id = numbered
            .map(|(layer, index)| (layer.diff_id.as_str().to_owned(), index))
            .collect();
        let mut layers = Self {
            layers,
            by_diff_id,
            document,
        };
        if !is_own && layers.layers.is_empty() {
            layers.document();
        }
        layers
    }

    /// The number of the layer with the digest `diff_id`, which may be none.
    pub(super) fn index(&mut self, diff_id: &str) -> u32 {
        if let Some(index) = self.by_diff_id.get(diff_id) {
            return *index;
        }
        match diff_id.parse() {
            Ok(digest) if self.layers.len() < MOST_LAYERS => self.add(named_layer(digest)),
            Ok(_) | Err(_) => self.document(),
        }
    }

    /// Whether there is a layer with this number.
    pub(super) fn has(&self, index: u32) -> bool {
        notes::layer(self.layers, index).is_some()
    }

    /// The layer of packages of which no layer is known.
    fn document(&mut self) -> u32 {
        let diff_id = (self.document)();
        if let Some(index) = self.by_diff_id.get(diff_id.as_str()) {
            return *index;
        }
        let created_by = "the SBOM: it does not say which layer".to_owned();
        self.add(Layer {
            created_by,
            ..named_layer(diff_id)
        })
    }

    fn add(&mut self, layer: Layer) -> u32 {
        let index = u32::try_from(self.layers.len()).unwrap_or(u32::MAX);
        self.by_diff_id
            .insert(layer.diff_id.as_str().to_owned(), index);
        self.layers.push(layer);
        index
    }
}

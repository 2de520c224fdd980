//! The JSON documents of images: OCI index, manifest and configuration, and Docker's equals.

use std::collections::BTreeMap;

use seareeve_model::Digest;
use serde::{Deserialize, Deserializer};

use crate::{Platform, ReadError, exact};

/// Annotations that name an image: containerd's has the full name, OCI's often only the tag.
pub(crate) const NAME: &str = "io.containerd.image.name";
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Points to a blob.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(deserialize_with = "digest")]
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(default)]
    pub(crate) media_type: Option<String>,
    #[serde(default)]
    pub(crate) artifact_type: Option<String>,
    #[serde(default)]
    pub(crate) platform: Option<DescriptorPlatform>,
    /// Where the content stands instead of the registry. Never asked: a manifest must not be able to send
    /// us anywhere.
    #[serde(default)]
    urls: Option<Vec<String>>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DescriptorPlatform {
    #[serde(default)]
    pub(crate) os: String,
    #[serde(default)]
    pub(crate) architecture: String,
    #[serde(default)]
    pub(crate) variant: Option<String>,
}

impl Descriptor {
    pub(crate) fn annotations(&self) -> BTreeMap<String, String> {
        self.annotations.clone().unwrap_or_default()
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// The image's name by this descriptor's annotations.
    pub(crate) fn name(&self) -> Option<&str> {
        self.annotation(NAME).or_else(|| self.annotation(REF_NAME))
    }

    /// `BuildKit` puts attestations beside images as manifests for the platform `unknown/unknown`.
    pub(crate) fn is_image(&self) -> bool {
        self.annotation("vnd.docker.reference.type").is_none()
            && self.platform.as_ref().is_none_or(|p| p.os != "unknown")
            && self.artifact_type.as_deref().is_none_or(is_image_config)
    }

    /// What is said of a layer whose blob is missing: `plainly`, unless it is one that nobody may pass on
    /// (OCI image specification, "Non-Distributable Layers"), such as those of Windows.
    pub(crate) fn why_missing(&self, plainly: &str) -> String {
        let media_type = self.media_type.as_deref().unwrap_or_default();
        let foreign = media_type.contains("nondistributable") || media_type.contains(".foreign.");
        if foreign || self.urls.as_ref().is_some_and(|urls| !urls.is_empty()) {
            return format!("{plainly}: it is a foreign layer, which only its maker hands out");
        }
        plainly.to_owned()
    }
}

/// An OCI index, a Docker manifest list, an OCI manifest or a Docker schema 2 manifest: told apart by
/// what they hold, because media types are optional in OCI.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
}

/// A manifest or what leads to one.
#[derive(Debug)]
pub(crate) enum Manifest {
    Index(Vec<Descriptor>),
    Image {
        config: Box<Descriptor>,
        layers: Vec<Descriptor>,
    },
}

impl Manifest {
    /// Reads a document; `what` names it in errors.
    pub(crate) fn parse(json: &[u8], what: &str) -> Result<Self, ReadError> {
        let document: Document = parse(json, what)?;
        if document.schema_version == Some(1) {
            return Err(ReadError::Unsupported {
                format: "Docker manifest schema 1".to_owned(),
            });
        }
        match (document.manifests, document.config, document.layers) {
            (Some(manifests), None, None) => Ok(Self::Index(manifests)),
            (None, Some(config), Some(layers)) => match config.media_type {
                Some(format) if !is_image_config(&format) => Err(ReadError::Unsupported { format }),
                Some(_) | None => Ok(Self::Image {
                    config: Box::new(config),
                    layers,
                }),
            },
            // A document that is both would mean different images to different readers (CVE-2021-41190).
            (Some(_), _, _) => Err(malformed(what, "it is an index and a manifest at once")),
            (None, _, _) => Err(malformed(what, "it has neither manifests nor layers")),
        }
    }
}

/// The blobs of a manifest that is no image: its layers, or what the first drafts of OCI 1.1 called blobs.
pub(crate) fn artifact_blobs(json: &[u8]) -> Result<Vec<Descriptor>, ReadError> {
    #[derive(Deserialize)]
    struct Artifact {
        #[serde(default, alias = "blobs")]
        layers: Vec<Descriptor>,
    }
    let artifact: Artifact = parse(json, "manifest of the attachment")?;
    Ok(artifact.layers)
}

/// Whether a configuration is one of an image. Registries hold charts, signatures and plugins too, in
/// manifests of the same form.
fn is_image_config(media_type: &str) -> bool {
    media_type.is_empty()
        || media_type.contains("image")
        // What a registry writes when it makes schema 2 out of schema 1.
        || media_type == "application/octet-stream"
}

/// The configuration: what the image says about itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    #[serde(default)]
    pub(crate) os: String,
    #[serde(default)]
    pub(crate) architecture: String,
    #[serde(default)]
    pub(crate) variant: Option<String>,
    #[serde(default)]
    pub(crate) created: Option<String>,
    pub(crate) rootfs: RootFs,
    #[serde(default)]
    pub(crate) history: Option<Vec<History>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RootFs {
    #[serde(default, deserialize_with = "digests")]
    pub(crate) diff_ids: Vec<Digest>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct History {
    #[serde(default)]
    pub(crate) created_by: String,
    #[serde(default)]
    pub(crate) empty_layer: bool,
}

/// One image in the `manifest.json` of a `docker save` archive.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DockerManifest {
    pub(crate) config: String,
    #[serde(default)]
    pub(crate) repo_tags: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) layers: Option<Vec<String>>,
}

/// Reads any of the documents; `what` names it in errors.
pub(crate) fn parse<'a, T: Deserialize<'a>>(json: &'a [u8], what: &str) -> Result<T, ReadError> {
    exact::from_slice(json).map_err(|error| malformed(what, &error.to_string()))
}

pub(crate) fn malformed(what: &str, why: &str) -> ReadError {
    ReadError::Malformed {
        what: what.to_owned(),
        why: why.to_owned(),
    }
}

/// Chooses the image for a platform. Without a wish it is the host's, or the only one there is.
pub(crate) fn choose<'a>(
    descriptors: impl IntoIterator<Item = &'a Descriptor>,
    wish: Option<&Platform>,
) -> Result<&'a Descriptor, ReadError> {
    let images: Vec<&Descriptor> = descriptors.into_iter().filter(|d| d.is_image()).collect();
    let platforms = || {
        images
            .iter()
            .filter_map(|d| Some((*d, d.platform.as_ref()?)))
    };
    let host = Platform::host();
    let wanted = wish.unwrap_or(&host);
    let fits = platforms()
        .find(|(_, p)| wanted.accepts(&p.os, &p.architecture, p.variant.as_deref()))
        .map(|(descriptor, _)| descriptor);
    match (fits, images.as_slice()) {
        (Some(descriptor), _) => Ok(descriptor),
        // One without a platform is judged by its configuration.
        (None, [only]) if wish.is_none() || only.platform.is_none() => Ok(only),
        (None, []) => Err(malformed("index", "it lists no image")),
        (None, [first, ..]) if images.iter().all(|d| d.platform.is_none()) => Ok(first),
        (None, _) => {
            let names: Vec<String> = platforms()
                .take(50)
                .map(|(_, p)| format!("{}/{}", p.os, p.architecture))
                .collect();
            Err(ReadError::PlatformMissing {
                wanted: wanted.clone(),
                available: names.join(", "),
            })
        }
    }
}

fn digest<'de, D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
    String::deserialize(from)?
        .parse()
        .map_err(serde::de::Error::custom)
}

fn digests<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Digest>, D::Error> {
    #[derive(Deserialize)]
    struct One(#[serde(deserialize_with = "digest")] Digest);
    let list = Option::<Vec<One>>::deserialize(from)?.unwrap_or_default();
    Ok(list.into_iter().map(|One(digest)| digest).collect())
}

//! What an image says about itself, before its layers are read.

use seareeve_model::{Digest, Image, Layer, Problem};

use crate::layer::Blob;
use crate::manifest::{Config, Descriptor, malformed, parse};
use crate::{Options, Platform, ReadError};

/// The image as its manifest and configuration describe it.
pub(crate) struct Plan {
    /// Sizes of layers are 0 until they are read.
    pub(crate) image: Image,
    /// Packed sizes of the layers, where known.
    pub(crate) packed: Vec<Option<u64>>,
    /// The configuration as it was found.
    pub(crate) config: Vec<u8>,
    pub(crate) problems: Vec<Problem>,
}

/// Opens layers. One for each kind of source.
pub(crate) trait Origin: Send + Sync {
    /// Opens the layer with this index.
    fn open(&self, layer: usize) -> Result<Blob, OpenError>;

    /// The error for a source that broke while a layer was read.
    fn broken(&self, error: std::io::Error) -> ReadError;

    /// Whether a wrong digest of a blob ends everything, as it must for what came over a network.
    fn strict(&self) -> bool;
}

/// Why a layer could not be opened.
pub(crate) enum OpenError {
    /// Only this layer is lost.
    Layer(String),
    /// Nothing further can be read.
    Image(ReadError),
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        Self::Image(error)
    }
}

/// The parts that a source brings together for [`Plan::new`].
pub(crate) struct Parts<'a> {
    pub(crate) references: Vec<String>,
    /// Digest of the manifest, where there is one.
    pub(crate) digest: Option<Digest>,
    pub(crate) config: &'a [u8],
    pub(crate) config_digest: Digest,
    /// The manifest's layers; `None` where the source has no manifest.
    pub(crate) descriptors: Option<&'a [Descriptor]>,
    /// Number of layers that the source holds.
    pub(crate) layers: usize,
}

impl Plan {
    /// Reads the configuration and checks that it fits the layers.
    pub(crate) fn new(parts: Parts<'_>, options: &Options) -> Result<Self, ReadError> {
        let config: Config = parse(parts.config, "configuration")?;
        let limit = options.limits.layers;
        if parts.layers > limit {
            return Err(ReadError::LimitReached {
                what: "the list of layers".to_owned(),
                limit: limit as u64,
                unit: "layers",
            });
        }
        if config.rootfs.diff_ids.len() != parts.layers {
            let why = format!(
                "it lists {} layers, but there are {}",
                config.rootfs.diff_ids.len(),
                parts.layers
            );
            return Err(malformed("configuration", &why));
        }
        check_platform(&config, options.platform.as_ref())?;
        let mut commands = config
            .history
            .into_iter()
            .flatten()
            .filter(|step| !step.empty_layer)
            .map(|step| step.created_by);
        let layers = config.rootfs.diff_ids.into_iter().enumerate();
        let layers = layers
            .map(|(index, diff_id)| Layer {
                diff_id,
                digest: parts
                    .descriptors
                    .and_then(|list| list.get(index))
                    .map(|descriptor| descriptor.digest.clone()),
                size_bytes: 0,
                created_by: commands.next().unwrap_or_default(),
            })
            .collect();
        let packed = (0..parts.layers)
            .map(|index| Some(parts.descriptors?.get(index)?.size))
            .collect();
        let mut references = parts.references;
        references.sort_unstable();
        references.dedup();
        Ok(Self {
            image: Image {
                references,
                digest: parts.digest.unwrap_or_else(|| parts.config_digest.clone()),
                config_digest: parts.config_digest,
                os: config.os,
                architecture: config.architecture,
                created: config.created.and_then(|text| text.parse().ok()),
                layers,
            },
            packed,
            config: parts.config.to_vec(),
            problems: Vec::new(),
        })
    }
}

fn check_platform(config: &Config, wish: Option<&Platform>) -> Result<(), ReadError> {
    let Some(wanted) = wish else {
        return Ok(());
    };
    // arm64 images seldom say their variant, which is v8 then.
    let variant = config.variant.as_deref().or(wanted.variant.as_deref());
    if wanted.accepts(&config.os, &config.architecture, variant) {
        return Ok(());
    }
    Err(ReadError::PlatformMissing {
        wanted: wanted.clone(),
        available: format!("{}/{}", config.os, config.architecture),
    })
}

//! What `docker save` and `podman save` write: a `manifest.json` that names a configuration and layers.

use std::path::Path;

use seareeve_model::{Digest, ProblemCode};

use super::choice::{self, Candidate};
use super::store::{Section, Store};
use crate::hashing::digest_like;
use crate::layer::Blob;
use crate::manifest::{DockerManifest, malformed, parse};
use crate::plan::{OpenError, Origin, Parts, Plan};
use crate::problems::{Problems, shown};
use crate::{Options, ReadError};

/// Reads the manifest and configuration.
pub(crate) fn open(store: Store, options: &Options) -> Result<(Plan, Box<dyn Origin>), ReadError> {
    let json = store
        .document("manifest.json")?
        .ok_or_else(|| store.not_an_image("it has no manifest.json"))?;
    let mut images: Vec<DockerManifest> = parse(&json, "manifest.json")?;
    if images.is_empty() {
        return Err(malformed("manifest.json", "it lists no image"));
    }
    let candidates: Vec<Candidate> = images.iter().map(candidate).collect();
    let index = choice::choose(&candidates, options.image.as_deref(), store.path())?;
    let image = images.swap_remove(index);
    let config = store
        .document(&image.config)?
        .ok_or_else(|| malformed("manifest.json", "its configuration is not in the archive"))?;
    let named = digest_in_name(&image.config);
    let config_digest = digest_like(named.as_ref(), &config);
    let digests: Vec<&Digest> = named.iter().chain([&config_digest]).collect();
    choice::confirm(options.image.as_deref(), &digests, store.path())?;
    let names = image.layers.unwrap_or_default();
    let mut problems = Problems::new(options.limits.problems);
    let references = choice::checked(image.repo_tags.unwrap_or_default(), &mut problems);
    let mut plan = Plan::new(
        Parts {
            references,
            digest: None,
            config: &config,
            config_digest: config_digest.clone(),
            descriptors: None,
            layers: names.len(),
        },
        options,
    )?;
    if let Some(named) = named.filter(|named| *named != config_digest) {
        problems.add(
            ProblemCode::ContentMismatch,
            || "configuration".to_owned(),
            format!("it has the digest {config_digest}, but is named {named}"),
        );
    }
    plan.problems = problems.into_list("archive");
    let mut layers = Vec::new();
    for name in names {
        let missing = format!("{} is not in the archive", shown(name.as_bytes()));
        layers.push(Named {
            section: store.find_layer(std::slice::from_ref(&name), &missing),
            name,
        });
    }
    plan.packed = layers
        .iter()
        .map(|layer| layer.section.as_ref().ok().map(|section| section.size))
        .collect();
    Ok((plan, Box::new(DockerArchive { store, layers })))
}

fn candidate(image: &DockerManifest) -> Candidate {
    Candidate {
        names: image.repo_tags.clone().unwrap_or_default(),
        digests: digest_in_name(&image.config).into_iter().collect(),
    }
}

/// `<hex>.json` and `blobs/sha256/<hex>` are named after their content.
fn digest_in_name(name: &str) -> Option<Digest> {
    let last = Path::new(name).file_name()?.to_str()?;
    let hex = last.strip_suffix(".json").unwrap_or(last);
    format!("sha256:{hex}").parse().ok()
}

struct DockerArchive {
    store: Store,
    layers: Vec<Named>,
}

struct Named {
    name: String,
    /// Or why there is none.
    section: Result<Section, String>,
}

impl Origin for DockerArchive {
    fn open(&self, layer: usize) -> Result<Blob, OpenError> {
        let Some(layer) = self.layers.get(layer) else {
            return Err(OpenError::Layer("it is not listed".to_owned()));
        };
        match &layer.section {
            // `<hex>/layer.tar` of old versions is not named after its content.
            Ok(section) => Ok(section.blob(digest_in_name(&layer.name))),
            Err(missing) => Err(OpenError::Layer(missing.clone())),
        }
    }

    fn broken(&self, error: std::io::Error) -> ReadError {
        self.store.failed(error)
    }

    fn strict(&self) -> bool {
        false
    }
}

//! An OCI image layout (OCI image specification, "Image Layout Specification"), as archive or folder.

use std::collections::BTreeSet;

use seareeve_model::{Digest, Problem, ProblemCode};

use super::docker::several;
use super::store::{Section, Store};
use crate::hashing::digest_like;
use crate::layer::Blob;
use crate::manifest::{Descriptor, DockerManifest, Manifest, choose, malformed, parse};
use crate::plan::{OpenError, Origin, Parts, Plan};
use crate::{Options, ReadError};

/// How deep indexes may lead to indexes.
const DEEPEST_INDEX: usize = 4;

/// Follows the index to one manifest and reads it with its configuration.
pub(crate) fn open(store: Store, options: &Options) -> Result<(Plan, Box<dyn Origin>), ReadError> {
    let mut reader = Documents {
        store,
        problems: Vec::new(),
    };
    let json = reader
        .store
        .document("index.json")?
        .ok_or_else(|| reader.store.not_an_image("it has no index.json"))?;
    let Manifest::Index(listed) = Manifest::parse(&json, "index.json")? else {
        return Err(malformed("index.json", "it is a manifest and no index"));
    };
    // Descriptors of one name are platforms of one image; further names are further images.
    let first = listed.first().and_then(Descriptor::name);
    let names: BTreeSet<Option<&str>> = listed.iter().map(Descriptor::name).collect();
    let same = listed.iter().filter(|one| one.name() == first);
    let mut chosen = choose(same, options.platform.as_ref())?.clone();
    let (config_descriptor, layers) = reader.manifest(&mut chosen, options)?;
    let config = reader.blob(&config_descriptor, "configuration")?;
    let config_digest = digest_like(Some(&config_descriptor.digest), &config);
    // Docker's tags and the annotation name the same, in short and in full.
    let mut references = docker_tags(&reader.store, &config_descriptor.digest)?;
    if references.is_empty() {
        references.extend(first.map(str::to_owned));
    }
    let mut plan = Plan::new(
        Parts {
            references,
            digest: Some(chosen.digest),
            config: &config,
            config_digest,
            descriptors: Some(&layers),
            layers: layers.len(),
        },
        options,
    )?;
    let mut sections = Vec::new();
    for layer in &layers {
        let section = reader.store.find(&blob_path(&layer.digest))?;
        if let Some(section) = section.as_ref().filter(|s| s.size != layer.size) {
            reader.problems.push(Problem::new(
                ProblemCode::ContentMismatch,
                layer.digest.as_str(),
                format!(
                    "the layer has {} bytes, but the manifest says {}",
                    section.size, layer.size
                ),
            ));
        }
        sections.push((layer.digest.clone(), section));
    }
    plan.packed = sections
        .iter()
        .map(|(_, section)| section.as_ref().map(|section| section.size))
        .collect();
    plan.problems = reader.problems;
    plan.problems.extend(several(names.len()));
    let origin = Layout {
        store: reader.store,
        layers: sections,
    };
    Ok((plan, Box::new(origin)))
}

/// Reads documents by digest and notes those that have another one.
struct Documents {
    store: Store,
    problems: Vec<Problem>,
}

impl Documents {
    /// Follows `chosen`, through further indexes, to an image manifest.
    fn manifest(
        &mut self,
        chosen: &mut Descriptor,
        options: &Options,
    ) -> Result<(Descriptor, Vec<Descriptor>), ReadError> {
        for _ in 0..DEEPEST_INDEX {
            let json = self.blob(chosen, "manifest")?;
            match Manifest::parse(&json, "manifest")? {
                Manifest::Image { config, layers } => return Ok((config, layers)),
                Manifest::Index(listed) => {
                    // Archives of one platform often list all platforms and hold the blobs of one.
                    let mut held = Vec::new();
                    for one in &listed {
                        if self.store.find(&blob_path(&one.digest))?.is_some() {
                            held.push(one);
                        }
                    }
                    *chosen = choose(held, options.platform.as_ref())?.clone();
                }
            }
        }
        Err(malformed("index", "indexes lead to indexes without end"))
    }

    fn blob(&mut self, descriptor: &Descriptor, what: &str) -> Result<Vec<u8>, ReadError> {
        let content = self
            .store
            .document(&blob_path(&descriptor.digest))?
            .ok_or_else(|| malformed("layout", &format!("the blob of the {what} is missing")))?;
        let actual = digest_like(Some(&descriptor.digest), &content);
        if actual != descriptor.digest {
            self.problems.push(Problem::new(
                ProblemCode::ContentMismatch,
                what,
                format!(
                    "it has the digest {actual}, but is named {}",
                    descriptor.digest
                ),
            ));
        }
        Ok(content)
    }
}

/// Tags in the `manifest.json` that newer versions of `docker save` put beside the layout.
fn docker_tags(store: &Store, config: &Digest) -> Result<Vec<String>, ReadError> {
    let Some(json) = store.document("manifest.json")? else {
        return Ok(Vec::new());
    };
    let images: Vec<DockerManifest> = parse(&json, "manifest.json")?;
    Ok(images
        .into_iter()
        .filter(|image| image.config.ends_with(config.hex()))
        .flat_map(|image| image.repo_tags.unwrap_or_default())
        .collect())
}

fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

struct Layout {
    store: Store,
    layers: Vec<(Digest, Option<Section>)>,
}

impl Origin for Layout {
    fn open(&self, layer: usize) -> Result<Blob, OpenError> {
        match self.layers.get(layer) {
            Some((digest, Some(section))) => Ok(section.blob(Some(digest.clone()))),
            Some((_, None)) | None => {
                Err(OpenError::Layer("its blob is not in the layout".to_owned()))
            }
        }
    }

    fn broken(&self, error: std::io::Error) -> ReadError {
        self.store.failed(error)
    }

    fn strict(&self) -> bool {
        false
    }
}

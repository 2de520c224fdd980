//! An OCI image layout (OCI image specification, "Image Layout Specification"), as archive or folder.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_model::{Digest, ProblemCode};

use super::choice::{self, Candidate};
use super::store::{Section, Store};
use crate::hashing::digest_like;
use crate::layer::Blob;
use crate::manifest::{Descriptor, DockerManifest, Manifest, choose, malformed, parse};
use crate::plan::{OpenError, Origin, Parts, Plan};
use crate::problems::Problems;
use crate::{Options, ReadError};

/// How deep indexes may lead to indexes.
const DEEPEST_INDEX: usize = 4;

/// Follows the index to one manifest and reads it with its configuration.
pub(crate) fn open(store: Store, options: &Options) -> Result<(Plan, Box<dyn Origin>), ReadError> {
    let mut reader = Documents::new(store, Form::Layout, options);
    let json = reader
        .store
        .document("index.json")?
        .ok_or_else(|| reader.store.not_an_image("it has no index.json"))?;
    let Manifest::Index(listed) = Manifest::parse(&json, "index.json")? else {
        return Err(malformed("index.json", "it is a manifest and no index"));
    };
    let images = images(&listed);
    let candidates: Vec<Candidate> = images.iter().map(|image| candidate(image)).collect();
    let index = choice::choose(&candidates, options.image.as_deref(), reader.store.path())?;
    let mut chosen = match images.get(index) {
        Some(image) => {
            // A digest is of one of the platforms, unless it is of what names them all.
            let wanted = options.image.as_deref().and_then(choice::digest_in);
            let named = image.iter().copied();
            let exact: Vec<_> = named
                .filter(|one| Some(&one.digest) == wanted.as_ref())
                .collect();
            let image = if exact.is_empty() { image } else { &exact };
            choose(image.iter().copied(), options.platform.as_ref())?.clone()
        }
        None => return Err(malformed("index.json", "it lists no image")),
    };
    let listed = chosen.digest.clone();
    let (config, layers) = reader.manifest(&mut chosen, options)?;
    let digests = [&listed, &chosen.digest, &config.digest];
    choice::confirm(options.image.as_deref(), &digests, reader.store.path())?;
    // Docker's tags and the annotation name the same, in short and in full.
    let mut references = reader.docker_tags(&config.digest);
    if references.is_empty() {
        let image = images.get(index).into_iter().flatten();
        references.extend(image.filter_map(|one| one.name()).map(str::to_owned));
    }
    reader.finish(references, chosen.digest, &config, &layers, options)
}

/// Reads what `skopeo copy … dir:` and `podman save --format docker-dir` write: a manifest, and blobs named
/// by their digests beside it (containers-transports(5), "dir:path").
pub(crate) fn open_directory(
    store: Store,
    options: &Options,
) -> Result<(Plan, Box<dyn Origin>), ReadError> {
    let mut reader = Documents::new(store, Form::Directory, options);
    let json = reader
        .store
        .document("manifest.json")?
        .ok_or_else(|| reader.store.not_an_image("it has no manifest.json"))?;
    let mut digest = digest_like(None, &json);
    let (config, layers) = match Manifest::parse(&json, "manifest.json")? {
        Manifest::Image { config, layers } => (config, layers),
        Manifest::Index(listed) => {
            let mut chosen = choose(&listed, options.platform.as_ref())?.clone();
            let found = reader.manifest(&mut chosen, options)?;
            digest = chosen.digest;
            found
        }
    };
    reader.finish(Vec::new(), digest, &config, &layers, options)
}

/// Whether a store is such a directory.
pub(crate) fn is_directory_transport(store: &Store) -> Result<bool, ReadError> {
    let version = store.document("version")?.unwrap_or_default();
    Ok(version.starts_with(b"Directory Transport Version:"))
}

/// The images of an index: descriptors of one name are platforms of one image, and descriptors of one
/// content are names of one image.
fn images(listed: &[Descriptor]) -> Vec<Vec<&Descriptor>> {
    let mut by_name: BTreeMap<Option<&str>, Vec<&Descriptor>> = BTreeMap::new();
    let mut order = Vec::new();
    for one in listed.iter().filter(|one| one.is_image()) {
        let group = by_name.entry(one.name()).or_default();
        if group.is_empty() {
            order.push(one.name());
        }
        group.push(one);
    }
    let mut place_of: BTreeMap<BTreeSet<&Digest>, usize> = BTreeMap::new();
    let mut images: Vec<Vec<&Descriptor>> = Vec::new();
    for name in order {
        let group = by_name.remove(&name).unwrap_or_default();
        let content: BTreeSet<&Digest> = group.iter().map(|one| &one.digest).collect();
        match place_of.get(&content).and_then(|at| images.get_mut(*at)) {
            Some(image) => image.extend(group),
            None => {
                place_of.insert(content, images.len());
                images.push(group);
            }
        }
    }
    images
}

fn candidate(image: &[&Descriptor]) -> Candidate {
    let names: BTreeSet<&str> = image.iter().filter_map(|one| one.name()).collect();
    let digests: BTreeSet<&Digest> = image.iter().map(|one| &one.digest).collect();
    Candidate {
        names: names.into_iter().map(str::to_owned).collect(),
        digests: digests.into_iter().cloned().collect(),
    }
}

/// How blobs are named.
#[derive(Clone, Copy)]
enum Form {
    Layout,
    Directory,
}

impl Form {
    /// Where a blob may stand.
    fn names(self, digest: &Digest) -> [String; 2] {
        let hex = digest.hex();
        match self {
            Self::Layout => {
                let name = format!("blobs/{}/{hex}", digest.algorithm());
                [name.clone(), name]
            }
            Self::Directory => [hex.to_owned(), format!("{hex}.manifest.json")],
        }
    }
}

/// Reads documents by digest and notes those that have another one.
struct Documents {
    store: Store,
    form: Form,
    problems: Problems,
}

impl Documents {
    fn new(store: Store, form: Form, options: &Options) -> Self {
        Self {
            store,
            form,
            problems: Problems::new(options.limits.problems),
        }
    }

    /// Follows `chosen`, through further indexes, to an image manifest.
    fn manifest(
        &mut self,
        chosen: &mut Descriptor,
        options: &Options,
    ) -> Result<(Box<Descriptor>, Vec<Descriptor>), ReadError> {
        for _ in 0..DEEPEST_INDEX {
            let json = self.blob(chosen, "manifest")?;
            match Manifest::parse(&json, "manifest")? {
                Manifest::Image { config, layers } => return Ok((config, layers)),
                Manifest::Index(listed) => {
                    // Archives of one platform often list all platforms and hold the blobs of one.
                    let mut held = Vec::new();
                    for one in &listed {
                        if self.find(&one.digest)?.is_some() {
                            held.push(one);
                        }
                    }
                    *chosen = choose(held, options.platform.as_ref())?.clone();
                }
            }
        }
        Err(malformed("index", "indexes lead to indexes without end"))
    }

    /// Reads the configuration and finds the layers.
    fn finish(
        mut self,
        references: Vec<String>,
        digest: Digest,
        config_descriptor: &Descriptor,
        layers: &[Descriptor],
        options: &Options,
    ) -> Result<(Plan, Box<dyn Origin>), ReadError> {
        let config = self.blob(config_descriptor, "configuration")?;
        let config_digest = digest_like(Some(&config_descriptor.digest), &config);
        let references = choice::checked(references, &mut self.problems);
        let mut plan = Plan::new(
            Parts {
                references,
                digest: Some(digest),
                config: &config,
                config_digest,
                descriptors: Some(layers),
                layers: layers.len(),
            },
            options,
        )?;
        let mut found = Vec::new();
        for layer in layers {
            let names = self.form.names(&layer.digest);
            let missing = layer.why_missing("its blob is not in the layout");
            let section = self.store.find_layer(&names, &missing);
            if let Some(section) = section.as_ref().ok().filter(|s| s.size != layer.size) {
                self.problems.add(
                    ProblemCode::ContentMismatch,
                    || layer.digest.to_string(),
                    format!(
                        "the layer has {} bytes, but the manifest says {}",
                        section.size, layer.size
                    ),
                );
            }
            found.push(Found {
                digest: layer.digest.clone(),
                section,
            });
        }
        plan.packed = found
            .iter()
            .map(|layer| layer.section.as_ref().ok().map(|section| section.size))
            .collect();
        plan.problems = self.problems.into_list("archive");
        let origin = Layout {
            store: self.store,
            layers: found,
        };
        Ok((plan, Box::new(origin)))
    }

    fn find(&self, digest: &Digest) -> Result<Option<Section>, ReadError> {
        for name in self.form.names(digest) {
            if let Some(section) = self.store.find(&name)? {
                return Ok(Some(section));
            }
        }
        Ok(None)
    }

    fn blob(&mut self, descriptor: &Descriptor, what: &str) -> Result<Vec<u8>, ReadError> {
        let section = self
            .find(&descriptor.digest)?
            .ok_or_else(|| malformed("layout", &format!("the blob of the {what} is missing")))?;
        let content = self.store.read(&section, what)?;
        let actual = digest_like(Some(&descriptor.digest), &content);
        if actual != descriptor.digest {
            self.problems.add(
                ProblemCode::ContentMismatch,
                || what.to_owned(),
                format!(
                    "it has the digest {actual}, but is named {}",
                    descriptor.digest
                ),
            );
        }
        Ok(content)
    }

    /// Tags in the `manifest.json` that newer versions of `docker save` put beside the layout. Engines may read that
    /// document instead, so it must mean the same image.
    fn docker_tags(&mut self, config: &Digest) -> Vec<String> {
        let images = match self.store.document("manifest.json") {
            Ok(None) => return Vec::new(),
            Ok(Some(json)) => parse::<Vec<DockerManifest>>(&json, "manifest.json"),
            Err(error) => Err(error),
        };
        let images = match images {
            Ok(images) => images,
            Err(error) => {
                self.other_image(&error.to_string());
                return Vec::new();
            }
        };
        if images.is_empty() {
            return Vec::new();
        }
        let [blob, _] = Form::Layout.names(config);
        // Its name in older archives, where its content is what the name says.
        let old = format!("{}.json", config.hex());
        let is_old = matches!(
            self.store.document(&old),
            Ok(Some(json)) if digest_like(Some(config), &json) == *config
        );
        let (same, others): (Vec<_>, Vec<_>) = images
            .into_iter()
            .partition(|image| image.config == blob || (is_old && image.config == old));
        if same.is_empty() {
            let why = format!(
                "none of the {} images that it lists is this one",
                others.len()
            );
            self.other_image(&why);
        }
        let tags = same.into_iter().filter_map(|image| image.repo_tags);
        tags.flatten().collect()
    }

    fn other_image(&mut self, why: &str) {
        self.problems.add(
            ProblemCode::ContentMismatch,
            || "manifest.json".to_owned(),
            format!(
                "an engine may read another image from this archive than index.json names: {why}"
            ),
        );
    }
}

struct Found {
    digest: Digest,
    /// Or why there is none.
    section: Result<Section, String>,
}

struct Layout {
    store: Store,
    layers: Vec<Found>,
}

impl Origin for Layout {
    fn open(&self, layer: usize) -> Result<Blob, OpenError> {
        let Some(layer) = self.layers.get(layer) else {
            return Err(OpenError::Layer("it is not listed".to_owned()));
        };
        match &layer.section {
            Ok(section) => Ok(section.blob(Some(layer.digest.clone()))),
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

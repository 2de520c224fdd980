//! Images in registries (OCI distribution specification, "Pull").
//!
//! Nothing touches the disk: a layer goes from the socket through the hash into the walker, and goes on
//! where its connection broke. Everything is compared with the digest that it was asked for by, and a
//! difference ends the read.

mod address;
mod authorize;
mod client;
mod pace;
mod referrers;
mod resume;
mod token;

use std::io::Read as _;
use std::sync::Arc;

use seareeve_model::{Digest, ImageReference};

use crate::hashing::digest_like;
use crate::layer::Blob;
use crate::manifest::{Descriptor, Manifest, choose, malformed};
use crate::plan::{OpenError, Origin, Parts, Plan};
use crate::watch::Watch;
use crate::{Options, ReadError};

use client::{Ask, Body, Client};
use resume::Resuming;

pub use referrers::{Attachment, Referrer, attachments, referrers};

/// How deep indexes may lead to indexes.
const DEEPEST_INDEX: usize = 4;

/// Media types that a manifest may have; schema 1 is left out on purpose.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// Asks for the manifest of the platform and its configuration.
pub(crate) fn open(
    reference: &ImageReference,
    options: &Options,
    watch: &Watch,
) -> Result<(Plan, Box<dyn Origin>), ReadError> {
    let (client, found) = find(reference, options, watch)?;
    let Found {
        digest,
        config,
        layers,
        indexes,
    } = found;
    // Runtimes know an image that has several platforms by the digest of its index.
    let by_index = indexes.iter().map(|index| {
        let (registry, repository) = (reference.registry(), reference.repository());
        format!("{registry}/{repository}@{index}")
    });
    let config_bytes = blob(
        &client,
        &config,
        "configuration",
        options.limits.document_bytes,
    )?;
    let plan = Plan::new(
        Parts {
            references: std::iter::once(reference.to_string())
                .chain(by_index)
                .collect(),
            digest: Some(digest),
            config: &config_bytes,
            config_digest: config.digest,
            descriptors: Some(&layers),
            layers: layers.len(),
        },
        options,
    )?;
    let client = Arc::new(client);
    Ok((plan, Box::new(Remote { client, layers })))
}

/// An image manifest.
struct Found {
    digest: Digest,
    config: Box<Descriptor>,
    layers: Vec<Descriptor>,
    /// The indexes that led to it.
    indexes: Vec<Digest>,
}

/// Finds the manifest, and out how the registry wants to be talked to.
fn find(
    reference: &ImageReference,
    options: &Options,
    watch: &Watch,
) -> Result<(Client, Found), ReadError> {
    let client = Client::new(reference, options, watch)?;
    match manifest(&client, reference, options) {
        // What servers with TLS answer to a request without.
        Err(refused @ ReadError::Status { status: 400, .. }) => {
            let client = client.over_tls().ok_or(refused)?;
            let found = manifest(&client, reference, options)?;
            Ok((client, found))
        }
        found => Ok((client, found?)),
    }
}

/// Follows the reference, through indexes, to an image manifest: its digest, configuration and layers.
fn manifest(
    client: &Client,
    reference: &ImageReference,
    options: &Options,
) -> Result<Found, ReadError> {
    let tag = reference.tag().unwrap_or("latest");
    let mut name = reference.digest().map_or(tag, Digest::as_str).to_owned();
    let mut expected = reference.digest().cloned();
    let mut indexes = Vec::new();
    for _ in 0..DEEPEST_INDEX {
        let body = client.get(Ask {
            path: &format!("manifests/{name}"),
            accept: MANIFESTS,
            what: "manifest",
            from: 0,
        })?;
        if body.media_type.contains("manifest.v1+") && body.media_type.contains("docker") {
            return Err(ReadError::Unsupported {
                format: body.media_type,
            });
        }
        // Asked for by tag, the registry's own word for the digest must still be right.
        let stated = expected.take().or_else(|| body.digest.clone());
        let json = document(client, body, "manifest", options.limits.document_bytes)?;
        let digest = digest_like(stated.as_ref(), &json);
        check(stated.as_ref(), &digest, "manifest")?;
        match Manifest::parse(&json, "manifest")? {
            Manifest::Image { config, layers } => {
                return Ok(Found {
                    digest,
                    config,
                    layers,
                    indexes,
                });
            }
            Manifest::Index(listed) => {
                let chosen = choose(&listed, options.platform.as_ref())?.digest.clone();
                chosen.as_str().clone_into(&mut name);
                indexes.push(digest);
                expected = Some(chosen);
            }
        }
    }
    Err(malformed("index", "indexes lead to indexes without end"))
}

/// Reads a small blob whole.
fn blob(
    client: &Client,
    descriptor: &Descriptor,
    what: &str,
    limit: u64,
) -> Result<Vec<u8>, ReadError> {
    let body = client.get(Ask {
        path: &format!("blobs/{}", descriptor.digest),
        accept: "*/*",
        what,
        from: 0,
    })?;
    let content = document(client, body, what, limit)?;
    let actual = digest_like(Some(&descriptor.digest), &content);
    check(Some(&descriptor.digest), &actual, what)?;
    Ok(content)
}

fn document(client: &Client, body: Body, what: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut content = Vec::new();
    body.reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(|error| client.network(error))?;
    if content.len() as u64 > limit {
        return Err(ReadError::LimitReached {
            what: format!("the {what}"),
            limit,
            unit: "bytes",
        });
    }
    Ok(content)
}

fn check(expected: Option<&Digest>, actual: &Digest, what: &str) -> Result<(), ReadError> {
    match expected {
        Some(expected) if expected != actual => Err(ReadError::DigestMismatch {
            what: what.to_owned(),
            expected: expected.clone(),
            actual: actual.clone(),
        }),
        Some(_) | None => Ok(()),
    }
}

struct Remote {
    client: Arc<Client>,
    layers: Vec<Descriptor>,
}

impl Origin for Remote {
    fn open(&self, layer: usize) -> Result<Blob, OpenError> {
        let Some(layer) = self.layers.get(layer) else {
            return Err(OpenError::Layer("it is not listed".to_owned()));
        };
        let path = format!("blobs/{}", layer.digest);
        let ask = Ask {
            path: &path,
            accept: "*/*",
            what: "layer",
            from: 0,
        };
        match self.client.get(ask) {
            Ok(body) => Ok(Blob {
                reader: Box::new(Resuming::new(&self.client, path, layer.size, body)),
                digest: Some(layer.digest.clone()),
                on_disk: None,
            }),
            Err(ReadError::NotFound(_)) => Err(OpenError::Layer(
                layer.why_missing("the registry does not have it"),
            )),
            Err(error) => Err(OpenError::Image(error)),
        }
    }

    fn broken(&self, error: std::io::Error) -> ReadError {
        match error.downcast::<ReadError>() {
            Ok(error) => error,
            Err(error) => self.client.network(error),
        }
    }

    fn strict(&self) -> bool {
        true
    }
}

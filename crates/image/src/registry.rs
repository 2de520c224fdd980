//! Images in registries (OCI distribution specification, "Pull").
//!
//! Nothing touches the disk: a layer goes from the socket through the hash into the walker. Everything
//! is compared with the digest that it was asked for by, and a difference ends the read.

mod address;
mod client;
mod token;

use std::io::Read as _;

use seareeve_model::{Digest, ImageReference};

use crate::hashing::digest_like;
use crate::layer::Blob;
use crate::manifest::{Descriptor, Manifest, choose, malformed};
use crate::plan::{OpenError, Origin, Parts, Plan};
use crate::{Options, ReadError};

use client::{Body, Client};

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
) -> Result<(Plan, Box<dyn Origin>), ReadError> {
    let client = Client::new(reference, options)?;
    let (digest, config, layers) = manifest(&client, reference, options)?;
    let config_bytes = blob(&client, &config, options)?;
    let plan = Plan::new(
        Parts {
            references: vec![reference.to_string()],
            digest: Some(digest),
            config: &config_bytes,
            config_digest: config.digest,
            descriptors: Some(&layers),
            layers: layers.len(),
        },
        options,
    )?;
    Ok((plan, Box::new(Remote { client, layers })))
}

/// Follows the reference, through indexes, to an image manifest: its digest, configuration and layers.
fn manifest(
    client: &Client,
    reference: &ImageReference,
    options: &Options,
) -> Result<(Digest, Descriptor, Vec<Descriptor>), ReadError> {
    let tag = reference.tag().unwrap_or("latest");
    let mut name = reference.digest().map_or(tag, Digest::as_str).to_owned();
    let mut expected = reference.digest().cloned();
    for _ in 0..DEEPEST_INDEX {
        let body = client.get(&format!("manifests/{name}"), MANIFESTS, "manifest")?;
        if body.media_type.contains("manifest.v1+") && body.media_type.contains("docker") {
            return Err(ReadError::Unsupported {
                format: body.media_type,
            });
        }
        // Asked for by tag, the registry's own word for the digest must still be right.
        let stated = expected.take().or_else(|| body.digest.clone());
        let json = document(client, body, options, "manifest")?;
        let digest = digest_like(stated.as_ref(), &json);
        check(stated.as_ref(), &digest, "manifest")?;
        match Manifest::parse(&json, "manifest")? {
            Manifest::Image { config, layers } => return Ok((digest, config, layers)),
            Manifest::Index(listed) => {
                let chosen = choose(&listed, options.platform.as_ref())?.digest.clone();
                chosen.as_str().clone_into(&mut name);
                expected = Some(chosen);
            }
        }
    }
    Err(malformed("index", "indexes lead to indexes without end"))
}

/// Reads a small blob whole.
fn blob(client: &Client, descriptor: &Descriptor, options: &Options) -> Result<Vec<u8>, ReadError> {
    let body = client.get(
        &format!("blobs/{}", descriptor.digest),
        "*/*",
        "configuration",
    )?;
    let content = document(client, body, options, "configuration")?;
    let actual = digest_like(Some(&descriptor.digest), &content);
    check(Some(&descriptor.digest), &actual, "configuration")?;
    Ok(content)
}

fn document(
    client: &Client,
    body: Body,
    options: &Options,
    what: &str,
) -> Result<Vec<u8>, ReadError> {
    let limit = options.limits.document_bytes;
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
    client: Client,
    layers: Vec<Descriptor>,
}

impl Origin for Remote {
    fn open(&self, layer: usize) -> Result<Blob, OpenError> {
        let Some(layer) = self.layers.get(layer) else {
            return Err(OpenError::Layer("it is not listed".to_owned()));
        };
        let path = format!("blobs/{}", layer.digest);
        match self.client.get(&path, "*/*", "layer") {
            // More bytes than the manifest says are not taken; they show as a wrong digest.
            Ok(body) => Ok(Blob {
                reader: Box::new(body.reader.take(layer.size.saturating_add(1))),
                digest: Some(layer.digest.clone()),
                on_disk: None,
            }),
            Err(ReadError::NotFound(_)) => {
                Err(OpenError::Layer("the registry does not have it".to_owned()))
            }
            Err(error) => Err(OpenError::Image(error)),
        }
    }

    fn broken(&self, error: std::io::Error) -> ReadError {
        self.client.network(error)
    }

    fn strict(&self) -> bool {
        true
    }
}

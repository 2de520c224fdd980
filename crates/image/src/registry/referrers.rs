//! What others attached to an image: signatures, SBOMs, VEX statements (distribution specification 1.1,
//! "Listing Referrers").

use std::collections::BTreeMap;

use seareeve_model::{Digest, ImageReference};

use super::client::{Ask, Client};
use super::{MANIFESTS, blob, check, document, find};
use crate::hashing::digest_like;
use crate::manifest::{Manifest, malformed};
use crate::watch::Watch;
use crate::{Options, ReadError};

/// Lists of referrers come as indexes.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Something that says of itself that it belongs to an image. Anyone who may write to the repository can
/// attach anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Of its manifest.
    pub digest: Digest,
    /// What it is, such as `application/spdx+json`, where it says so.
    pub artifact_type: Option<String>,
    /// What else is said of it.
    pub annotations: BTreeMap<String, String>,
}

/// One blob of a [`Referrer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// What it is, where its manifest says so.
    pub media_type: Option<String>,
    /// The content; its digest is checked.
    pub content: Vec<u8>,
}

/// Lists what is attached to an image; with a digest to that, otherwise to the manifest that the tag and
/// [`Options::platform`] lead to. Only the registry's first page is read. Blocks.
///
/// # Errors
/// When the registry cannot be asked; see [`ReadError`].
pub fn referrers(image: &ImageReference, options: &Options) -> Result<Vec<Referrer>, ReadError> {
    let watch = Watch::default();
    let (client, found) = find(image, options, &watch)?;
    let digest = image.digest().cloned().unwrap_or(found.digest);
    let path = format!("referrers/{digest}");
    let tag = format!("manifests/{}-{}", digest.algorithm(), digest.hex());
    // Registries that do not know the question keep the list under a tag of an agreed form
    // (distribution specification, "Referrers Tag Schema").
    for path in [path, tag] {
        let ask = Ask {
            path: &path,
            accept: INDEX,
            what: "list of referrers",
            from: 0,
        };
        match client.get(ask) {
            Ok(body) => {
                let limit = options.limits.document_bytes;
                let json = document(&client, body, "list of referrers", limit)?;
                return listed(&json);
            }
            Err(
                ReadError::NotFound(_)
                | ReadError::Status {
                    status: 400 | 405, ..
                },
            ) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Vec::new())
}

fn listed(json: &[u8]) -> Result<Vec<Referrer>, ReadError> {
    let Manifest::Index(listed) = Manifest::parse(json, "list of referrers")? else {
        return Err(malformed(
            "list of referrers",
            "it is a manifest and no index",
        ));
    };
    Ok(listed
        .into_iter()
        .map(|one| Referrer {
            artifact_type: one.artifact_type.clone(),
            annotations: one.annotations(),
            digest: one.digest,
        })
        .collect())
}

/// Reads the blobs of a referrer, each up to [`crate::Limits::file_bytes`] and all together up to
/// [`crate::Limits::kept_bytes`]. Blocks.
///
/// # Errors
/// When the registry cannot be asked, a limit is reached or a digest is wrong; see [`ReadError`].
pub fn attachments(
    image: &ImageReference,
    referrer: &Referrer,
    options: &Options,
) -> Result<Vec<Attachment>, ReadError> {
    let watch = Watch::default();
    let client = Client::new(image, options, &watch)?;
    let path = format!("manifests/{}", referrer.digest);
    let body = client.get(Ask {
        path: &path,
        accept: MANIFESTS,
        what: "manifest",
        from: 0,
    })?;
    let json = document(&client, body, "manifest", options.limits.document_bytes)?;
    let actual = digest_like(Some(&referrer.digest), &json);
    check(Some(&referrer.digest), &actual, "manifest")?;
    let mut left = options.limits.kept_bytes;
    let mut attachments = Vec::new();
    for descriptor in crate::manifest::artifact_blobs(&json)? {
        let limit = options.limits.file_bytes.min(left);
        let content = blob(&client, &descriptor, "attachment", limit)?;
        left = left.saturating_sub(content.len() as u64);
        attachments.push(Attachment {
            media_type: descriptor.media_type,
            content,
        });
    }
    Ok(attachments)
}

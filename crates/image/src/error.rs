//! Why an image could not be read at all.

use std::io;

use seareeve_model::{Digest, ImageReference};

use crate::Platform;

/// Why an image could not be read. What could not be read *in* an image is a
/// [`seareeve_model::Problem`] instead.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The archive could not be opened or read from disk. The user's fault, or the disk's.
    #[error("failed to read {path}")]
    Io {
        /// The archive or folder.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is readable, but it is not something that holds an image. The user's fault.
    #[error("{path} is not a docker save archive or an OCI layout: {why}")]
    NotAnImage {
        /// The archive or folder.
        path: String,
        /// What was looked for and not found, with what to do where that is known.
        why: String,
    },
    /// A manifest, index or configuration breaks its format. The fault of whoever made the image.
    #[error("failed to understand the {what}: {why}")]
    Malformed {
        /// Which document.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The image is made in a way that we do not read (such as Docker's schema 1).
    #[error("the image has the unsupported format {format}")]
    Unsupported {
        /// Media type or schema.
        format: String,
    },
    /// The image exists, but not for the platform asked for. The user can ask for another.
    #[error("the image is not made for {wanted}, only for {available}")]
    PlatformMissing {
        /// What was asked for.
        wanted: Platform,
        /// What there is, separated by commas.
        available: String,
    },
    /// A limit was reached before the layers; see [`crate::Limits`].
    #[error("{what} is larger than the limit of {limit} {unit}")]
    LimitReached {
        /// What is too large.
        what: String,
        /// The limit.
        limit: u64,
        /// What the limit counts.
        unit: &'static str,
    },
    /// The registry has no such image. The user's fault.
    #[error("there is no image {0}")]
    NotFound(ImageReference),
    /// The registry wants credentials, or refuses this image to anonymous users.
    #[error("{registry} does not let anonymous users read this image, or has no such image")]
    Unauthorized {
        /// Host of the registry.
        registry: String,
    },
    /// Bytes from the network have another digest than they were asked for by. Never used.
    #[error("the {what} from the registry has digest {actual} instead of {expected}")]
    DigestMismatch {
        /// Which document or layer.
        what: String,
        /// The digest asked for.
        expected: Digest,
        /// The digest of what came.
        actual: Digest,
    },
    /// The registry answered with a status that is no answer, also when asked again. Worth a later try
    /// for 429 and 5xx.
    #[error("{host} answered with status {status} to the request for {what}")]
    Status {
        /// Host that answered.
        host: String,
        /// HTTP status.
        status: u16,
        /// What was asked for.
        what: String,
    },
    /// The registry could not be reached, or the connection broke. Worth a later try.
    #[error("failed to talk to {host}")]
    Network {
        /// Host that was talked to.
        host: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The progress function asked to stop.
    #[error("reading the image was cancelled")]
    Cancelled,
}

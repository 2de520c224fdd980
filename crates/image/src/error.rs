//! Why an image could not be read at all.

use std::io;
use std::time::Duration;

use seareeve_model::{Digest, ImageReference, ImageReferenceError};

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
    /// The archive holds several images and none was named. The user can name one.
    #[error("{path} holds several images, of which one must be named: {available}")]
    SeveralImages {
        /// The archive or folder.
        path: String,
        /// What there is, separated by commas.
        available: String,
    },
    /// The archive holds images, but not the one that was named. The user's fault.
    #[error("{path} does not hold {wanted}, only {available}")]
    NotInArchive {
        /// The archive or folder.
        path: String,
        /// What was asked for.
        wanted: String,
        /// What there is, separated by commas.
        available: String,
    },
    /// The folder for temporary files has no room for an archive that has to be unpacked or fetched. The
    /// user can name another folder.
    #[error(
        "{folder} has no room for the image's archive: it needs at least {needed} bytes, and {free} are free"
    )]
    NoRoom {
        /// The folder for temporary files.
        folder: String,
        /// Bytes that the archive has, as far as it is known.
        needed: u64,
        /// Bytes that there are.
        free: u64,
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
    /// The registry wants other credentials than we showed, or any. The user's fault, or that of who keeps
    /// the registry.
    #[error("{registry} does not let {who} read this image, or has no such image{note}")]
    Unauthorized {
        /// Host of the registry.
        registry: String,
        /// As whom we asked: `anonymous users`, `the user ann`.
        who: String,
        /// Why it was not as somebody else, in brackets, where that is known.
        note: String,
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
    #[error(
        "{host} answered with status {status} to the request for {what}{}",
        .retry_after.map(|wait| format!(", and asks to wait {} seconds", wait.as_secs())).unwrap_or_default()
    )]
    Status {
        /// Host that answered.
        host: String,
        /// HTTP status.
        status: u16,
        /// What was asked for.
        what: String,
        /// How long to wait before asking again, when it said so.
        retry_after: Option<Duration>,
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
    /// A local engine could not be asked, or gave no answer that is one.
    #[error("failed to ask the engine at {endpoint} for {what}: {why}")]
    Engine {
        /// Where it listens.
        endpoint: String,
        /// What was asked for.
        what: String,
        /// What went wrong, with what to do where that is known.
        why: String,
    },
    /// The engine has no such image. The user's fault.
    #[error("the engine at {endpoint} has no image {name}")]
    NotInEngine {
        /// Where it listens.
        endpoint: String,
        /// The image asked for.
        name: String,
    },
    /// Only engines were to be asked, and there is none that answers.
    #[error("no engine can be asked for {name}: {why}")]
    NoEngine {
        /// The image asked for.
        name: String,
        /// What is wrong with those that there are.
        why: String,
    },
    /// What was asked for has no name that a registry could know. The user's fault.
    #[error(transparent)]
    Name(#[from] ImageReferenceError),
    /// The progress function asked to stop.
    #[error("reading the image was cancelled")]
    Cancelled,
}

//! Images in container engines on this machine: Docker, and Podman through the same interface (Docker
//! Engine API, "Export an image").
//!
//! An engine hands out an image as the archive that `docker save` writes. That archive is read out of
//! order, so it is written to a private file first (`spool.rs`): memory stays as bounded as ever, and the
//! disk needs the size of the unpacked image, which the engine knows beforehand.

mod locate;

use std::io::Read;
use std::time::Duration;

use camino::Utf8Path;
use seareeve_engine::Endpoint;
use seareeve_model::ImageReference;
use serde::Deserialize;
use ureq::http::{Response, StatusCode, Uri};

use crate::plan::{Origin, Plan};
use crate::problems::{Problems, shown};
use crate::spool::{Spool, SpoolError};
use crate::watch::Watch;
use crate::{Options, ReadError, archive};

pub use locate::{Located, Place, locate};

/// Longest silence of an engine. Old versions of Docker write a large image to their own disk before they
/// hand out its first byte.
const PATIENCE: Duration = Duration::from_secs(600);

/// An image in a local engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineImage {
    /// Where the engine listens.
    pub endpoint: Endpoint,
    /// A reference or an id, in the form that the engine's own commands take: what a short name means is
    /// for the engine to say (`app` is `localhost/app` to Podman).
    pub name: String,
}

/// Fetches an image's archive and reads its manifest and configuration.
pub(crate) fn open(
    image: &EngineImage,
    options: &Options,
    watch: &Watch,
) -> Result<(Plan, Box<dyn Origin>), ReadError> {
    let engine = Engine::new(&image.endpoint, options, watch);
    let known = engine
        .inspect(&image.name)?
        .ok_or_else(|| engine.none(&image.name))?;
    let spool = Spool::create(&options.temporary)?;
    spool.expect(known.size)?;
    let mut export = engine.export(&image.name)?;
    // Nothing is unpacked here, so there is no ratio to watch.
    let unpacked = || u64::MAX;
    let file = spool
        .fill(&mut export, &unpacked, &options.limits, watch)
        .map_err(|error| match error {
            SpoolError::Source(error) => engine.failed(&image.name, &error.to_string()),
            SpoolError::Spool(error) => error,
        })?;
    let name = format!("the archive of {} from {}", image.name, image.endpoint);
    // The engine chose already.
    let options = Options {
        image: None,
        ..options.clone()
    };
    let (mut plan, origin) = archive::open_file(Utf8Path::new(&name), file, &options)?;
    let mut problems = Problems::new(options.limits.problems);
    let tags = archive::checked_names(known.repo_tags.unwrap_or_default(), &mut problems);
    plan.problems.extend(problems.into_list("engine"));
    plan.image.references.extend(tags);
    plan.image.references.sort_unstable();
    plan.image.references.dedup();
    Ok((plan, origin))
}

/// What an engine knows about an image ("Inspect an image").
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Known {
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

/// A client for one engine.
struct Engine<'a> {
    endpoint: &'a Endpoint,
    agent: ureq::Agent,
    document_bytes: u64,
    /// Longest silence where there is little to do for it.
    patience: Duration,
    watch: &'a Watch,
}

impl<'a> Engine<'a> {
    fn new(endpoint: &'a Endpoint, options: &Options, watch: &'a Watch) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(options.user_agent.as_str())
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_per_write(Some(options.read_timeout))
            .build();
        let agent = seareeve_engine::agent(endpoint, config);
        watch.cuts(&agent);
        Self {
            endpoint,
            agent,
            document_bytes: options.limits.document_bytes,
            patience: options.read_timeout,
            watch,
        }
    }

    /// What there is to know about an image. `None` when there is none of that name.
    fn inspect(&self, name: &str) -> Result<Option<Known>, ReadError> {
        let response = self.get(name, "json", self.patience)?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let json = self.small(name, self.successful(name, response)?)?;
        match serde_json::from_slice(&json) {
            Ok(known) => Ok(Some(known)),
            Err(error) => Err(self.failed(name, &format!("its answer is none: {error}"))),
        }
    }

    /// The image as an archive.
    fn export(&self, name: &str) -> Result<impl Read + use<>, ReadError> {
        let response = self.successful(name, self.get(name, "get", PATIENCE)?)?;
        let body = response.into_body().into_with_config();
        // The spool has the bound.
        Ok(body.limit(u64::MAX).reader())
    }

    fn get(
        &self,
        name: &str,
        what: &str,
        patience: Duration,
    ) -> Result<Response<ureq::Body>, ReadError> {
        // The characters of references all stand for themselves in a path.
        if name.parse::<ImageReference>().is_err() {
            return Err(self.failed(name, "it is neither a reference nor an id"));
        }
        let text = format!("http://{}/images/{name}/{what}", self.endpoint.authority());
        let Ok(uri) = text.parse::<Uri>() else {
            return Err(self.failed(name, "the engine has no address"));
        };
        let request = self
            .agent
            .get(uri)
            .config()
            .timeout_recv_response(Some(patience))
            .timeout_per_read(Some(patience))
            .build();
        request.call().map_err(|error| match error {
            ureq::Error::Io(error) => self.unreachable(name, &error),
            other => self.failed(name, &other.to_string()),
        })
    }

    fn successful(
        &self,
        name: &str,
        response: Response<ureq::Body>,
    ) -> Result<Response<ureq::Body>, ReadError> {
        /// How engines say what went wrong.
        #[derive(Deserialize)]
        struct Refusal {
            message: String,
        }
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(response);
        }
        let json = self.small(name, response)?;
        let why = match serde_json::from_slice::<Refusal>(&json) {
            Ok(Refusal { message }) => shown(message.as_bytes()),
            Err(_no_json) => shown(&json),
        };
        Err(self.failed(name, &format!("status {}: {why}", status.as_u16())))
    }

    fn small(&self, name: &str, response: Response<ureq::Body>) -> Result<Vec<u8>, ReadError> {
        let mut json = Vec::new();
        let body = response.into_body().into_with_config().limit(u64::MAX);
        body.reader()
            .take(self.document_bytes)
            .read_to_end(&mut json)
            .map_err(|error| self.unreachable(name, &error))?;
        Ok(json)
    }

    fn unreachable(&self, name: &str, error: &std::io::Error) -> ReadError {
        let hint = match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                ": only root and the members of the socket's group may ask it"
            }
            _ => "",
        };
        self.failed(name, &format!("{error}{hint}"))
    }

    fn failed(&self, name: &str, why: &str) -> ReadError {
        if self.watch.is_stopped() {
            return ReadError::Cancelled;
        }
        ReadError::Engine {
            endpoint: self.endpoint.to_string(),
            what: shown(name.as_bytes()),
            why: why.to_owned(),
        }
    }

    fn none(&self, name: &str) -> ReadError {
        ReadError::NotInEngine {
            endpoint: self.endpoint.to_string(),
            name: shown(name.as_bytes()),
        }
    }
}

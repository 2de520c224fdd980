//! One file from a server: only when it has changed, and from where it was interrupted.
//!
//! Beside the file stand the validator (`ETag` or `Last-Modified`) under which it came and, while it arrives, the
//! part that is there with its own. A later attempt asks for the rest, on the condition that the part still belongs
//! to it (RFC 9110, section 13.1.5); a server that knows no ranges sends all of it again. A file replaces its
//! predecessor only when it has arrived whole and looks like what it should be.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, Write};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_trust::{Authorities, AuthoritiesError, agent};
use tracing::debug;
use ureq::http::{Response, Uri};
use ureq::tls::TlsConfig;
use ureq::{Agent, Body};

/// How often one file is asked for anew after its connection broke; each time bytes must have come.
const MAX_ATTEMPTS: u32 = 4;

/// A validator is one line of a header.
const MAX_VALIDATOR: usize = 1_024;

/// Why no connection can be made to anybody. The user's fault.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The file of further authorities cannot be read.
    #[error("failed to read the certificates {path}")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds no certificate, or a broken one.
    #[error("the certificates {path} cannot be used")]
    NoCertificates {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong.
        source: AuthoritiesError,
    },
}

/// The HTTP client of all feeds. It goes through the proxy that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`,
/// `ALL_PROXY`, `NO_PROXY`), except to this machine.
pub struct Downloader {
    agent: Agent,
    direct: Agent,
}

/// A file to bring.
pub(super) struct Download<'a> {
    /// For people, short: an ecosystem, the name of a feed.
    pub(super) what: &'a str,
    /// For people, in a sentence: `the advisories`.
    pub(super) kind: &'static str,
    pub(super) url: String,
    pub(super) target: Utf8PathBuf,
    pub(super) max_bytes: u64,
    /// For people: what the file should be.
    pub(super) format: &'static str,
    /// Whether a file is that, and whole. A page of a proxy that wants a password comes with 200, too.
    pub(super) is_whole: fn(&mut File) -> io::Result<bool>,
}

pub(super) enum Failure {
    Remote(String),
    Folder {
        path: Utf8PathBuf,
        source: io::Error,
    },
    Stopped,
}

/// What one attempt came to.
enum Attempt {
    Unchanged,
    /// With the validator under which it came.
    Arrived(Option<Validator>),
    /// The connection broke after so many new bytes.
    Broken {
        bytes: u64,
        why: String,
    },
    /// The part that was there is of no use.
    Stale,
}

/// The header by which a server knows the state of a file again.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Validator {
    Tag(String),
    Date(String),
}

type Tell<'a> = &'a mut dyn FnMut(u64, Option<u64>) -> bool;

impl Downloader {
    /// A client that trusts the authorities of browsers and those of the PEM file `authorities`.
    ///
    /// # Errors
    /// When that file cannot be read, or holds no certificate.
    pub fn new(authorities: Option<&Utf8Path>) -> Result<Self, NetworkError> {
        let tls = tls(authorities)?;
        let config = || {
            Agent::config_builder()
                .timeout_connect(Some(Duration::from_secs(20)))
                .timeout_recv_response(Some(Duration::from_secs(60)))
                .timeout_per_read(Some(Duration::from_secs(60)))
                .timeout_global(Some(Duration::from_secs(3600)))
                .http_status_as_error(false)
                .tls_config(tls.clone())
                .user_agent(concat!("seareeve/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self {
            agent: agent(config().build()),
            direct: agent(config().proxy(None).build()),
        })
    }

    /// Whether a new file came.
    pub(super) fn bring(&self, download: &Download<'_>, tell: Tell<'_>) -> Result<bool, Failure> {
        let target = &download.target;
        let folder = target.parent().unwrap_or(target);
        std::fs::create_dir_all(folder).map_err(at(folder))?;
        let part = target.with_extension("part");
        let remote = |why: &str| Failure::Remote(format!("{}: {why}", download.url));
        let mut attempts = MAX_ATTEMPTS;
        let validator = loop {
            attempts = attempts.saturating_sub(1);
            match self.attempt(download, &part, tell)? {
                Attempt::Unchanged => {
                    forget(&part)?;
                    return Ok(false);
                }
                Attempt::Arrived(validator) => break validator,
                Attempt::Stale if attempts > 0 => forget(&part)?,
                Attempt::Broken { bytes, why } if attempts > 0 && bytes > 0 => {
                    debug!(url = download.url, bytes, why, "connection broke, going on");
                }
                Attempt::Broken { why, .. } => return Err(remote(&why)),
                Attempt::Stale => return Err(remote("no range of it can be had")),
            }
        };
        let mut file = File::open(&part).map_err(at(&part))?;
        file.sync_all().map_err(at(&part))?;
        if !(download.is_whole)(&mut file).map_err(at(&part))? {
            forget(&part)?;
            let why = format!(
                "{} answered with something that is no {}",
                download.url, download.format
            );
            return Err(Failure::Remote(why));
        }
        // The validator goes first and comes last: a crash between the two costs a fetch, never a stale file.
        let validator_path = target.with_extension("validator");
        remove(&validator_path)?;
        std::fs::rename(&part, target).map_err(at(target))?;
        forget(&part)?;
        if let Some(validator) = validator {
            validator.write(&validator_path)?;
        }
        Ok(true)
    }

    fn attempt(
        &self,
        download: &Download<'_>,
        part: &Utf8Path,
        tell: Tell<'_>,
    ) -> Result<Attempt, Failure> {
        let url = download.url.as_str();
        let known = Validator::read(&download.target.with_extension("validator"));
        let mut request = self.agent_for(url).get(url);
        if let Some(known) = known.filter(|_| download.target.exists()) {
            request = match known {
                Validator::Tag(tag) => request.header("if-none-match", tag),
                Validator::Date(date) => request.header("if-modified-since", date),
            };
        }
        let there = Validator::read(&state(part)).zip(part.metadata().ok());
        let there = there.map(|(validator, metadata)| (validator, metadata.len()));
        let there = there.filter(|(_, length)| *length > 0);
        if let Some((validator, length)) = &there {
            request = request
                .header("range", format!("bytes={length}-"))
                .header("if-range", validator.text());
        }
        let mut response = match request.call() {
            Ok(response) => response,
            Err(error) => {
                let why = error.to_string();
                return Ok(Attempt::Broken { bytes: 0, why });
            }
        };
        let from = match (response.status().as_u16(), &there) {
            (200, _) => 0,
            (206, Some((_, length))) if starts_at(&response, *length) => *length,
            (206 | 416, Some(_)) => return Ok(Attempt::Stale),
            (304, _) => return Ok(Attempt::Unchanged),
            (status, _) => return Err(Failure::Remote(format!("{url} answered {status}"))),
        };
        let validator = Validator::of(&response);
        let mut file = if from == 0 {
            remove(&state(part))?;
            let file = File::create(part).map_err(at(part))?;
            if let Some(validator) = validator.as_ref().filter(|validator| validator.is_strong()) {
                validator.write(&state(part))?;
            }
            file
        } else {
            let mut file = OpenOptions::new()
                .write(true)
                .open(part)
                .map_err(at(part))?;
            file.seek(io::SeekFrom::Start(from)).map_err(at(part))?;
            file
        };
        let length = header(&response, "content-length").and_then(|length| length.parse().ok());
        let total = length.map(|length: u64| length.saturating_add(from));
        let max = download.max_bytes;
        if total.is_some_and(|total| total > max) {
            return Err(Failure::Remote(format!("{url} is larger than {max} bytes")));
        }
        let mut body = response
            .body_mut()
            .with_config()
            .limit(max.saturating_sub(from))
            .reader();
        let mut bytes = from;
        let mut buffer = vec![0; 256 * 1024];
        let broken = |bytes: u64, why: String| Attempt::Broken {
            bytes: bytes.saturating_sub(from),
            why,
        };
        loop {
            let count = match body.read(&mut buffer) {
                Ok(count) => count,
                Err(error) => return Ok(broken(bytes, error.to_string())),
            };
            let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else {
                break;
            };
            file.write_all(chunk).map_err(at(part))?;
            bytes = bytes.saturating_add(chunk.len() as u64);
            if !tell(bytes, total) {
                return Err(Failure::Stopped);
            }
        }
        Ok(match total.filter(|total| *total != bytes) {
            Some(total) => broken(bytes, format!("{bytes} of {total} bytes arrived")),
            None => Attempt::Arrived(validator),
        })
    }

    /// A proxy cannot reach this machine.
    fn agent_for(&self, url: &str) -> &Agent {
        let uri: Option<Uri> = url.parse().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        let is_loopback = |address: std::net::IpAddr| address.is_loopback();
        if host == "localhost" || address.is_ok_and(is_loopback) {
            &self.direct
        } else {
            &self.agent
        }
    }
}

/// What is trusted: the authorities of browsers, and those of the PEM file `authorities`.
pub(crate) fn tls(authorities: Option<&Utf8Path>) -> Result<TlsConfig, NetworkError> {
    match authorities {
        Some(path) => trusting(path),
        None => Ok(TlsConfig::default()),
    }
}

/// The usual authorities with those of a file: the client's own list is replaced by the one that it is given.
fn trusting(path: &Utf8Path) -> Result<TlsConfig, NetworkError> {
    let pem = std::fs::read(path).map_err(|source| NetworkError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let mut trusted = Authorities::default();
    trusted
        .add_pem(&pem)
        .map_err(|source| NetworkError::NoCertificates {
            path: path.to_owned(),
            source,
        })?;
    Ok(trusted.tls())
}

impl Validator {
    fn of(response: &Response<Body>) -> Option<Self> {
        header(response, "etag")
            .map(Self::Tag)
            .or_else(|| header(response, "last-modified").map(Self::Date))
    }

    /// Whether a range of the same state can be asked for by it: not by a weak tag.
    fn is_strong(&self) -> bool {
        match self {
            Self::Tag(tag) => !tag.starts_with("W/"),
            Self::Date(_) => true,
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Tag(text) | Self::Date(text) => text,
        }
    }

    /// `None` when there is none, or it is none: then all is fetched.
    fn read(path: &Utf8Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let (name, value) = text.split_once('\n')?;
        let is_header = value.len() <= MAX_VALIDATOR && !value.contains(|c: char| c.is_control());
        match name {
            "if-none-match" if is_header => Some(Self::Tag(value.to_owned())),
            "if-modified-since" if is_header => Some(Self::Date(value.to_owned())),
            _ => None,
        }
    }

    fn write(&self, path: &Utf8Path) -> Result<(), Failure> {
        let name = match self {
            Self::Tag(_) => "if-none-match",
            Self::Date(_) => "if-modified-since",
        };
        std::fs::write(path, format!("{name}\n{}", self.text())).map_err(at(path))
    }
}

/// The file that says to which state of a file its part belongs.
fn state(part: &Utf8Path) -> Utf8PathBuf {
    part.with_extension("part-validator")
}

fn header(response: &Response<Body>, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}

/// Whether an answer's range (`bytes 100-199/200`) begins where we asked.
fn starts_at(response: &Response<Body>, from: u64) -> bool {
    let range = header(response, "content-range");
    let start = range.as_deref().and_then(|range| {
        let (start, _) = range.trim().strip_prefix("bytes ")?.split_once('-')?;
        start.trim().parse().ok()
    });
    start == Some(from)
}

/// Removes a part and what is known of it.
fn forget(part: &Utf8Path) -> Result<(), Failure> {
    remove(&state(part))?;
    remove(part)
}

fn remove(path: &Utf8Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

fn at(path: &Utf8Path) -> impl Fn(io::Error) -> Failure {
    let path = path.to_owned();
    move |source| Failure::Folder {
        path: path.clone(),
        source,
    }
}

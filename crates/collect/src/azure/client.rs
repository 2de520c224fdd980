//! Asking Resource Manager, within limits: it may be busy, broken, or somebody else.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use seareeve_model::CollectionStatus;
use seareeve_trust::agent;
use serde::Deserialize;
use serde_json::Value;
use tracing::debug;
use ureq::http::{HeaderMap, Response, Uri};
use ureq::{Agent, Body};

use super::cloud::{Cloud, is_loopback};
use super::credentials::Credentials;
use super::login::Wallet;
use super::requests::Request;
use crate::feeds::{NetworkError, tls};

/// Longest text of Azure that is repeated in a message.
const SHOWN: usize = 300;
/// Longest refusal that is read.
const MOST_REFUSAL: u64 = 64 * 1024;

/// What Azure may take of us.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time until it takes the connection.
    pub connect: Duration,
    /// Longest silence within an answer.
    pub silence: Duration,
    /// Time for one answer, from the request to its last byte. Lists come in pages of which each is one.
    pub answer: Duration,
    /// Time for all that is read, pauses included.
    pub total: Duration,
    /// Longest pause that is made when Azure asks for one.
    pub pause: Duration,
    /// How often one request is made when Azure asks to wait.
    pub attempts: u32,
    /// Bytes of one answer.
    pub answer_bytes: u64,
    /// Bytes that are kept of all answers.
    pub kept_bytes: u64,
    /// Pages of one list.
    pub pages: usize,
    /// Items of one list.
    pub items: usize,
    /// Subscriptions.
    pub subscriptions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            silence: Duration::from_secs(60),
            answer: Duration::from_secs(120),
            total: Duration::from_secs(1_800),
            pause: Duration::from_secs(120),
            attempts: 6,
            answer_bytes: 32 << 20,
            kept_bytes: 256 << 20,
            pages: 500,
            items: 20_000,
            subscriptions: 1_000,
        }
    }
}

/// Waits, unless somebody wants us to stop: then it says `false`, and all ends. A pause of nothing only asks.
pub type Pause = Box<dyn Fn(Duration) -> bool + Send + Sync>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens, the connection broke, or the certificate is not trusted.
    #[error("failed to talk to {server}: {why}")]
    Unreachable {
        /// Where it is.
        server: String,
        /// What happened.
        why: String,
    },
    /// Nobody says who we are: no token came.
    #[error("failed to log in as {who}: {why}")]
    NoToken {
        /// Who.
        who: String,
        /// What happened.
        why: String,
    },
    /// It did not answer in time, or all of it took too long.
    #[error("{server} did not answer {path} in time")]
    TooSlow {
        /// Where it is.
        server: String,
        /// What was asked for.
        path: String,
    },
    /// The answer, or all of them, is larger than the limit.
    #[error("what {server} answers to {path} is more than it should ever be")]
    TooLarge {
        /// Where it is.
        server: String,
        /// What was asked for.
        path: String,
    },
    /// It still asked to wait when we gave up.
    #[error("{server} has too much to do to answer {path}")]
    Busy {
        /// Where it is.
        server: String,
        /// What was asked for.
        path: String,
    },
    /// It answered that it will not or cannot.
    #[error("{server} answered {path} with status {status}: {message}")]
    Refused {
        /// Where it is.
        server: String,
        /// What was asked for.
        path: String,
        /// HTTP status.
        status: u16,
        /// Azure's word for it.
        code: String,
        /// What it said, shortened.
        message: String,
    },
    /// What came is not what was asked for.
    #[error("{server} gave no answer to {path} that is one: {why}")]
    Malformed {
        /// Where it is.
        server: String,
        /// What was asked for.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// We were told to stop.
    #[error("stopped")]
    Stopped,
}

impl AskError {
    /// What it means for the facts that it keeps away.
    #[must_use]
    pub fn status(&self) -> CollectionStatus {
        match self {
            Self::Refused { status, code, .. } => match (status, code.as_str()) {
                // A subscription that does not use a service has nothing of it.
                (
                    _,
                    "MissingSubscriptionRegistration"
                    | "SubscriptionNotRegistered"
                    | "SubscriptionNotFound",
                )
                | (404, _) => CollectionStatus::Absent,
                (401 | 403, _) => CollectionStatus::Denied,
                (400, _) if is_version(code) => CollectionStatus::Unsupported,
                _ => CollectionStatus::Error,
            },
            Self::NoToken { .. } => CollectionStatus::Denied,
            Self::Unreachable { .. }
            | Self::TooSlow { .. }
            | Self::TooLarge { .. }
            | Self::Busy { .. }
            | Self::Malformed { .. }
            | Self::Stopped => CollectionStatus::Error,
        }
    }

    /// Whether nothing else has to be asked for after it.
    pub(super) fn ends_all(&self) -> bool {
        matches!(self, Self::NoToken { .. } | Self::Stopped)
    }
}

/// Whether a refusal is about `api-version`.
fn is_version(code: &str) -> bool {
    matches!(
        code,
        "NoRegisteredProviderFound"
            | "InvalidApiVersionParameter"
            | "InvalidResourceType"
            | "UnsupportedApiVersion"
            | "NoApiVersion"
    )
}

/// Sends requests, and knows no credentials.
pub(super) struct Transport {
    agent: Agent,
    direct: Agent,
    limits: Limits,
}

/// One answer.
struct Reply {
    status: u16,
    wait: Option<Duration>,
    body: Vec<u8>,
}

impl Transport {
    fn new(limits: Limits, authorities: Option<&Utf8Path>) -> Result<Self, NetworkError> {
        let tls = tls(authorities)?;
        let config = || {
            Agent::config_builder()
                .http_status_as_error(false)
                // Where a redirection leads, our token must not go.
                .max_redirects(0)
                .user_agent(concat!("seareeve/", env!("CARGO_PKG_VERSION")))
                .timeout_connect(Some(limits.connect))
                .timeout_per_write(Some(limits.silence))
                .timeout_recv_response(Some(limits.silence))
                .timeout_per_read(Some(limits.silence))
                .timeout_global(Some(limits.answer))
                .tls_config(tls.clone())
        };
        Ok(Self {
            agent: agent(config().build()),
            direct: agent(config().proxy(None).build()),
            limits,
        })
    }

    /// Sends a form.
    pub(super) fn post(
        &self,
        address: &str,
        form: &[(&str, &str)],
        most: u64,
    ) -> Result<(u16, Vec<u8>), AskError> {
        let sent = self.agent_for(address).post(address);
        let response = sent.send_form(form.iter().copied());
        let response = response.map_err(|error| failed(address, &error))?;
        let status = response.status().as_u16();
        Ok((status, read(response, address, most)?))
    }

    /// Asks somebody on this machine or its link, past every proxy.
    pub(super) fn near(
        &self,
        address: &str,
        (name, value): (&str, &str),
        most: u64,
    ) -> Result<(u16, Vec<u8>), AskError> {
        let sent = self.direct.get(address).header(name, value).call();
        let response = sent.map_err(|error| failed(address, &error))?;
        let status = response.status().as_u16();
        Ok((status, read(response, address, most)?))
    }

    fn get(&self, address: &str, header: &str, time: Duration) -> Result<Reply, AskError> {
        let request = self
            .agent_for(address)
            .get(address)
            .config()
            .timeout_global(Some(time.min(self.limits.answer)))
            .build()
            .header("Accept", "application/json")
            .header("Authorization", header);
        let response = request.call().map_err(|error| failed(address, &error))?;
        let status = response.status().as_u16();
        let wait = wait(response.headers());
        let most = match status {
            200 => self.limits.answer_bytes,
            _ => MOST_REFUSAL,
        };
        let body = match read(response, address, most) {
            Ok(body) => body,
            // A refusal that is no text is one nevertheless.
            Err(_unread) if status != 200 => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Reply { status, wait, body })
    }

    /// A proxy cannot reach this machine.
    fn agent_for(&self, address: &str) -> &Agent {
        let uri: Option<Uri> = address.parse().ok();
        match uri.as_ref().and_then(Uri::host) {
            Some(host) if is_loopback(host) => &self.direct,
            _ => &self.agent,
        }
    }
}

/// Asks one cloud's Resource Manager.
pub(super) struct Client {
    transport: Transport,
    wallet: Wallet,
    who: String,
    manager: String,
    pub(super) limits: Limits,
    pause: Pause,
    deadline: Instant,
    kept: std::sync::atomic::AtomicU64,
}

/// What came of a list: with a trouble, not all of it.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) items: Vec<Value>,
    pub(super) trouble: Option<AskError>,
}

/// A page of a list (Azure's REST guidelines, "Pagination").
#[derive(Deserialize)]
struct Page {
    value: Vec<Value>,
    #[serde(rename = "nextLink", default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: RefusalBody,
}

#[derive(Deserialize)]
struct RefusalBody {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Client {
    pub(super) fn new(
        cloud: &Cloud,
        credentials: Credentials,
        limits: Limits,
        authorities: Option<&Utf8Path>,
        pause: Pause,
    ) -> Result<Self, NetworkError> {
        Ok(Self {
            transport: Transport::new(limits, authorities)?,
            who: credentials.about(),
            wallet: Wallet::new(cloud.clone(), credentials),
            manager: cloud.manager.clone(),
            limits,
            pause,
            deadline: Instant::now() + limits.total,
            kept: std::sync::atomic::AtomicU64::new(0),
        })
    }

    /// Where it is.
    pub(super) fn server(&self) -> &str {
        &self.manager
    }

    /// From here on the time for all of it runs.
    pub(super) fn begin(&mut self) {
        self.deadline = Instant::now() + self.limits.total;
        self.kept = std::sync::atomic::AtomicU64::new(0);
    }

    /// All items of the list that `request` is about, below `base`. What was read before a trouble is there.
    pub(super) fn list(&self, request: &Request, base: &str) -> Listed {
        let mut last = None;
        for version in request.versions {
            let listed = self.pages(&request.below(base, version));
            match listed.trouble {
                Some(AskError::Refused {
                    status: 400 | 404,
                    ref code,
                    ..
                }) if is_version(code) => last = Some(listed),
                _ => return listed,
            }
        }
        last.unwrap_or(Listed {
            items: Vec::new(),
            trouble: None,
        })
    }

    fn pages(&self, path: &str) -> Listed {
        let mut items: Vec<Value> = Vec::new();
        let mut address = format!("{}{path}", self.manager);
        let mut seen = BTreeSet::new();
        let stopped = |items, trouble| Listed {
            items,
            trouble: Some(trouble),
        };
        loop {
            if !seen.insert(address.clone()) {
                let error = self.malformed(path, "its pages lead to each other for ever");
                return stopped(items, error);
            }
            if seen.len() > self.limits.pages {
                return stopped(items, self.too_large(path));
            }
            let page: Page = match self.page(&address, path) {
                Ok(page) => page,
                Err(error) => return stopped(items, error),
            };
            items.extend(page.value);
            if items.len() > self.limits.items {
                items.truncate(self.limits.items);
                return stopped(items, self.too_large(path));
            }
            match page.next.filter(|next| !next.is_empty()) {
                None => {
                    return Listed {
                        items,
                        trouble: None,
                    };
                }
                Some(next) if self.is_own(&next) => address = next,
                Some(_) => {
                    let why = "its next page is on another server, where our token does not go";
                    return stopped(items, self.malformed(path, why));
                }
            }
        }
    }

    fn page(&self, address: &str, path: &str) -> Result<Page, AskError> {
        let body = self.get(address, path)?;
        let more = body.len() as u64;
        let kept = self
            .kept
            .fetch_add(more, std::sync::atomic::Ordering::Relaxed);
        if kept.saturating_add(more) > self.limits.kept_bytes {
            return Err(self.too_large(path));
        }
        // What is wrong with a document could quote it.
        serde_json::from_slice(&body).map_err(|error| {
            let why = format!(
                "it is no list (line {}, column {})",
                error.line(),
                error.column()
            );
            self.malformed(path, &why)
        })
    }

    /// The bytes of an answer with status 200.
    fn get(&self, address: &str, path: &str) -> Result<Vec<u8>, AskError> {
        let mut was_forgotten = false;
        let mut attempt: u32 = 0;
        loop {
            if !(self.pause)(Duration::ZERO) {
                return Err(AskError::Stopped);
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.too_slow(path));
            }
            let header = self.wallet.header(&self.transport);
            let header = header.map_err(|error| AskError::NoToken {
                who: self.who.clone(),
                why: error.to_string(),
            })?;
            debug!(path, "asking Azure");
            let reply = self.transport.get(address, &header, left)?;
            match reply.status {
                200 => return Ok(reply.body),
                // It may have been taken back before its end.
                401 if !was_forgotten => {
                    was_forgotten = true;
                    self.wallet.forget();
                }
                429 | 500 | 502 | 503 | 504 => {
                    attempt = attempt.saturating_add(1);
                    if attempt >= self.limits.attempts {
                        return Err(match reply.status {
                            429 | 503 => AskError::Busy {
                                server: self.manager.clone(),
                                path: path.to_owned(),
                            },
                            _ => self.refused(path, &reply),
                        });
                    }
                    let grown = Duration::from_secs(1_u64 << attempt.min(6));
                    let pause = reply.wait.unwrap_or(grown).min(self.limits.pause);
                    if pause >= left {
                        return Err(self.too_slow(path));
                    }
                    if !(self.pause)(pause) {
                        return Err(AskError::Stopped);
                    }
                }
                _ => return Err(self.refused(path, &reply)),
            }
        }
    }

    fn refused(&self, path: &str, reply: &Reply) -> AskError {
        let said = serde_json::from_slice::<Refusal>(&reply.body).ok();
        let (code, message) = match said {
            Some(Refusal { error }) => (shown(&error.code), shown(&error.message)),
            None => (String::new(), shown(&String::from_utf8_lossy(&reply.body))),
        };
        AskError::Refused {
            server: self.manager.clone(),
            path: path.to_owned(),
            status: reply.status,
            code,
            message,
        }
    }

    /// Whether an address is on the server that our token is for.
    fn is_own(&self, address: &str) -> bool {
        let parts = |text: &str| {
            let uri: Uri = text.parse().ok()?;
            let authority = uri.authority()?.as_str().to_ascii_lowercase();
            Some((uri.scheme_str()?.to_ascii_lowercase(), authority))
        };
        let plain = |parts: (String, String)| {
            let (scheme, authority) = parts;
            let port = match scheme.as_str() {
                "https" => ":443",
                _ => ":80",
            };
            let authority = authority
                .strip_suffix(port)
                .unwrap_or(&authority)
                .to_owned();
            (scheme, authority)
        };
        parts(address).map(plain) == parts(&self.manager).map(plain)
    }

    fn too_slow(&self, path: &str) -> AskError {
        AskError::TooSlow {
            server: self.manager.clone(),
            path: path.to_owned(),
        }
    }

    fn too_large(&self, path: &str) -> AskError {
        AskError::TooLarge {
            server: self.manager.clone(),
            path: path.to_owned(),
        }
    }

    fn malformed(&self, path: &str, why: &str) -> AskError {
        AskError::Malformed {
            server: self.manager.clone(),
            path: path.to_owned(),
            why: why.to_owned(),
        }
    }
}

/// How long we are asked to wait (RFC 9110, section 10.2.3). Azure writes seconds.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn read(response: Response<Body>, address: &str, most: u64) -> Result<Vec<u8>, AskError> {
    let mut body = Vec::new();
    let reader = response
        .into_body()
        .into_with_config()
        .limit(u64::MAX)
        .reader();
    reader
        .take(most.saturating_add(1))
        .read_to_end(&mut body)
        .map_err(|error| match failed(address, &error.into()) {
            // It was reached, and gave up within its answer.
            AskError::Unreachable { server, why } => AskError::Malformed {
                server,
                path: path_of(address),
                why,
            },
            other => other,
        })?;
    if body.len() as u64 > most {
        return Err(AskError::TooLarge {
            server: server_of(address),
            path: path_of(address),
        });
    }
    Ok(body)
}

fn failed(address: &str, error: &ureq::Error) -> AskError {
    let is_time = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
        )
    };
    let (server, path) = (server_of(address), path_of(address));
    match error {
        ureq::Error::Timeout(_) => AskError::TooSlow { server, path },
        ureq::Error::Io(error) if is_time(error) => AskError::TooSlow { server, path },
        ureq::Error::Io(_)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_) => AskError::Unreachable {
            server,
            why: shown(&error.to_string()),
        },
        other => AskError::Malformed {
            server,
            path,
            why: shown(&other.to_string()),
        },
    }
}

fn server_of(address: &str) -> String {
    let uri: Option<Uri> = address.parse().ok();
    let host = uri.as_ref().and_then(Uri::authority);
    host.map_or_else(|| "Azure".to_owned(), |host| shown(host.as_str()))
}

/// Without its query, which for tokens says who asks.
fn path_of(address: &str) -> String {
    let uri: Option<Uri> = address.parse().ok();
    uri.map(|uri| shown(uri.path())).unwrap_or_default()
}

/// A text from outside, fit for a message.
pub(super) fn shown(text: &str) -> String {
    let clean = text.trim().chars();
    clean
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect()
}

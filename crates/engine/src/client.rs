//! Asking an engine.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::{StatusCode, Uri};

use crate::{Endpoint, agent};

/// Longest text of an engine that is repeated in a message.
const SHOWN: usize = 300;

/// What an engine may take of us.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time until it takes the connection.
    pub connect: Duration,
    /// Longest silence.
    pub silence: Duration,
    /// Time for one reply, from the request to its last byte.
    pub reply: Duration,
    /// When all of it has to be over.
    pub deadline: Instant,
    /// Bytes of one reply.
    pub bytes: u64,
}

/// Why an engine gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no socket, nobody listens, or the connection broke. Also when permission is denied.
    #[error("failed to talk to the engine at {endpoint}: {source}{}", hint(.source))]
    Unreachable {
        /// Where it listens.
        endpoint: Endpoint,
        /// What the system said.
        source: io::Error,
    },
    /// It did not answer in time.
    #[error("the engine at {endpoint} did not answer {path} in time")]
    TooSlow {
        /// Where it listens.
        endpoint: Endpoint,
        /// What was asked for.
        path: String,
    },
    /// Its answer has more bytes than [`Limits::bytes`].
    #[error("the answer of the engine at {endpoint} to {path} is larger than {limit} bytes")]
    TooLarge {
        /// Where it listens.
        endpoint: Endpoint,
        /// What was asked for.
        path: String,
        /// The limit.
        limit: u64,
    },
    /// It answered that it will not or cannot: see the status.
    #[error("the engine at {endpoint} answered {path} with status {status}: {message}")]
    Refused {
        /// Where it listens.
        endpoint: Endpoint,
        /// What was asked for.
        path: String,
        /// HTTP status.
        status: u16,
        /// What it said, shortened.
        message: String,
    },
    /// What came is not HTTP, or not the document that was asked for.
    #[error("the engine at {endpoint} gave no answer to {path} that is one: {why}")]
    Malformed {
        /// Where it listens.
        endpoint: Endpoint,
        /// What was asked for.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl AskError {
    /// The HTTP status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Unreachable { .. }
            | Self::TooSlow { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. } => None,
        }
    }

    /// Whether we lack the permission, rather than it the answer.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
            Self::Refused { status, .. } => matches!(status, 401 | 403),
            Self::TooSlow { .. } | Self::TooLarge { .. } | Self::Malformed { .. } => false,
        }
    }

    /// Whether asking for something else is of no use either.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// A client for one engine. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    endpoint: Endpoint,
    pub(crate) agent: ureq::Agent,
    limits: Limits,
}

impl Client {
    /// Connects at the first request. At most `connections` stay open between requests.
    #[must_use]
    pub fn new(endpoint: &Endpoint, user_agent: &str, connections: usize, limits: Limits) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(user_agent)
            .timeout_connect(Some(limits.connect))
            .timeout_per_write(Some(limits.silence))
            .timeout_recv_response(Some(limits.silence))
            .timeout_per_read(Some(limits.silence))
            .max_idle_connections(connections)
            .max_idle_connections_per_host(connections)
            .build();
        Self {
            endpoint: endpoint.clone(),
            agent: agent(endpoint, config),
            limits,
        }
    }

    /// Where the engine listens.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Ends every request, now and later.
    pub fn cut(&self) {
        self.agent.clone().shutdown();
    }

    /// The document at `path`, which begins with a slash. Blocks.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, AskError> {
        let bytes = self.bytes(path)?;
        serde_json::from_slice(&bytes).map_err(|error| {
            // Such an error quotes the document, which may hold credentials.
            let (line, column) = (error.line(), error.column());
            let why = match error.is_data() {
                true => format!("it has another form at line {line} column {column}"),
                false => error.to_string(),
            };
            self.malformed(path, &why)
        })
    }

    /// The body of the answer at `path`. Blocks.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, AskError> {
        /// How engines say what went wrong.
        #[derive(Deserialize)]
        struct Refusal {
            message: String,
        }
        let (status, body) = self.ask(path)?;
        if status == StatusCode::OK {
            return Ok(body);
        }
        let message = match serde_json::from_slice::<Refusal>(&body) {
            Ok(Refusal { message }) => shown(&message),
            // A document that was not asked for may hold credentials.
            Err(_no_refusal)
                if status.is_success() || body.trim_ascii_start().starts_with(b"{") =>
            {
                String::new()
            }
            Err(_no_json) => shown(&String::from_utf8_lossy(&body)),
        };
        Err(AskError::Refused {
            endpoint: self.endpoint.clone(),
            path: path.to_owned(),
            status: status.as_u16(),
            message,
        })
    }

    fn ask(&self, path: &str) -> Result<(StatusCode, Vec<u8>), AskError> {
        let left = self
            .limits
            .deadline
            .saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.too_slow(path));
        }
        let text = format!("http://{}{path}", self.endpoint.authority());
        let uri: Uri = text
            .parse()
            .map_err(|_invalid| self.malformed(path, "it is no path"))?;
        let request = self
            .agent
            .get(uri)
            .config()
            .timeout_global(Some(left.min(self.limits.reply)))
            .build();
        let response = request.call().map_err(|error| self.failed(path, error))?;
        let status = response.status();
        let mut body = Vec::new();
        response
            .into_body()
            .into_with_config()
            .limit(u64::MAX)
            .reader()
            .take(self.limits.bytes.saturating_add(1))
            .read_to_end(&mut body)
            .map_err(|error| self.failed(path, error.into()))?;
        if u64::try_from(body.len()).unwrap_or(u64::MAX) > self.limits.bytes {
            return Err(AskError::TooLarge {
                endpoint: self.endpoint.clone(),
                path: path.to_owned(),
                limit: self.limits.bytes,
            });
        }
        Ok((status, body))
    }

    pub(crate) fn failed(&self, path: &str, error: ureq::Error) -> AskError {
        match error {
            ureq::Error::Timeout(_) => self.too_slow(path),
            ureq::Error::Io(source) => match source.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => self.too_slow(path),
                _ => AskError::Unreachable {
                    endpoint: self.endpoint.clone(),
                    source,
                },
            },
            other => self.malformed(path, &other.to_string()),
        }
    }

    fn too_slow(&self, path: &str) -> AskError {
        AskError::TooSlow {
            endpoint: self.endpoint.clone(),
            path: path.to_owned(),
        }
    }

    pub(crate) fn malformed(&self, path: &str, why: &str) -> AskError {
        AskError::Malformed {
            endpoint: self.endpoint.clone(),
            path: path.to_owned(),
            why: shown(why),
        }
    }
}

/// A text from outside, fit for a message.
fn shown(text: &str) -> String {
    let clean = text.trim().chars();
    clean
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect()
}

fn hint(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::PermissionDenied {
        ": only root and the members of the socket's group may ask it"
    } else {
        ""
    }
}

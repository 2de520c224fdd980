//! Requests to one registry for one repository: tokens, redirects, repetitions.

use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use seareeve_model::{Digest, ImageReference};
use ureq::http::{Response, StatusCode, header};

use super::address::{Address, is_loopback, registry};
use super::token::{Challenge, token};
use crate::{Options, ReadError};

/// Redirects that one request may take.
const REDIRECTS: usize = 5;

/// Longest answer of a token server that is read, in bytes.
const LONGEST_TOKEN: u64 = 256 * 1024;

/// Longest pause that a registry may ask for in `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A client for one repository of one registry.
pub(crate) struct Client {
    agent: ureq::Agent,
    reference: ImageReference,
    base: Address,
    /// Plain http is allowed, to this machine, because the registry is on it.
    plain: bool,
    token: Mutex<Option<String>>,
    retries: u32,
    pause: Duration,
}

/// A successful answer.
pub(crate) struct Body {
    pub(crate) reader: Box<dyn Read + Send>,
    pub(crate) media_type: String,
    /// `Docker-Content-Digest`.
    pub(crate) digest: Option<Digest>,
}

impl Client {
    pub(crate) fn new(reference: &ImageReference, options: &Options) -> Result<Self, ReadError> {
        let name = reference.registry();
        let base = registry(name).ok_or_else(|| ReadError::Network {
            host: name.to_owned(),
            source: "the name of the registry is no host".into(),
        })?;
        let plain = is_loopback(base.host());
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // Redirects are followed here, where it is known what may be shown to whom.
            .max_redirects(0)
            .user_agent(options.user_agent.as_str())
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.read_timeout))
            .timeout_per_read(Some(options.read_timeout))
            .timeout_per_write(Some(options.read_timeout));
        if plain {
            // A proxy cannot reach this machine.
            config = config.proxy(None);
        }
        Ok(Self {
            agent: config.build().into(),
            reference: reference.clone(),
            base,
            plain,
            token: Mutex::new(None),
            retries: options.retries,
            pause: options.retry_pause,
        })
    }

    /// Gets something of the repository, such as `manifests/latest`. `what` names it in errors.
    pub(crate) fn get(&self, path: &str, accept: &str, what: &str) -> Result<Body, ReadError> {
        let location = format!("/v2/{}/{path}", self.reference.repository());
        let address = self
            .base
            .join(&location, self.plain)
            .ok_or_else(|| self.network("the address of the image is no address"))?;
        let mut pause = self.pause;
        let mut tries_left = self.retries;
        loop {
            let result = self.follow(&address, accept);
            let asked = match &result {
                Ok(response) if passes(response.status()) => retry_after(response),
                Err(ReadError::Network { .. }) => None,
                Ok(_) | Err(_) => return self.judge(result?, what),
            };
            if tries_left == 0 {
                return self.judge(result?, what);
            }
            tries_left = tries_left.saturating_sub(1);
            std::thread::sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE));
            pause = pause.saturating_mul(2);
        }
    }

    /// The error for a connection that failed or broke.
    pub(crate) fn network(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> ReadError {
        ReadError::Network {
            host: self.base.host().to_owned(),
            source: source.into(),
        }
    }

    /// Turns a final answer into a body or the error that it is.
    fn judge(&self, response: Response<ureq::Body>, what: &str) -> Result<Body, ReadError> {
        let status = response.status();
        match status {
            StatusCode::OK => {
                let text = |name: &str| {
                    let value = response.headers().get(name)?.to_str().ok()?;
                    Some(value.to_owned())
                };
                let media_type = text("content-type").unwrap_or_default();
                let digest = text("docker-content-digest").and_then(|text| text.parse().ok());
                Ok(Body {
                    media_type,
                    digest,
                    // The bounds are in what reads it: `Limits` for documents, the manifest for layers.
                    reader: Box::new(
                        response
                            .into_body()
                            .into_with_config()
                            .limit(u64::MAX)
                            .reader(),
                    ),
                })
            }
            StatusCode::NOT_FOUND => Err(ReadError::NotFound(self.reference.clone())),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ReadError::Unauthorized {
                registry: self.reference.registry().to_owned(),
            }),
            _ => Err(ReadError::Status {
                host: self.base.host().to_owned(),
                status: status.as_u16(),
                what: what.to_owned(),
            }),
        }
    }

    /// Sends a request, fetches a token when asked to, and follows redirects.
    fn follow(&self, start: &Address, accept: &str) -> Result<Response<ureq::Body>, ReadError> {
        let mut address = start.clone();
        let mut authorised = false;
        for _ in 0..=REDIRECTS.saturating_add(1) {
            let token = if address.same_origin(&self.base) {
                self.known_token()
            } else {
                // A blob's storage is another host, and the token is none of its business.
                None
            };
            let response = self.send(&address, accept, token.as_deref())?;
            let status = response.status();
            if status == StatusCode::UNAUTHORIZED
                && !authorised
                && address.same_origin(&self.base)
                && let Some(challenge) = challenge(&response)
            {
                authorised = true;
                let token = self.fetch_token(&challenge)?;
                *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
                continue;
            }
            if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let location = response.headers().get(header::LOCATION);
            address = location
                .and_then(|location| address.join(location.to_str().ok()?, self.plain))
                .ok_or_else(|| self.network("it redirects to an address that is not allowed"))?;
        }
        Err(self.network("it redirects without end"))
    }

    /// Fetches a token as an anonymous user. `None` when the server gives none: then the registry's own
    /// refusal tells the most.
    fn fetch_token(&self, challenge: &Challenge) -> Result<Option<String>, ReadError> {
        let address = challenge.address(self.reference.repository());
        let address = Address::parse(&address, self.plain)
            .ok_or_else(|| self.network("its token server is not an https address"))?;
        let response = self.send(&address, "application/json", None)?;
        if passes(response.status()) {
            return Err(self.network(format!(
                "its token server answered with status {}",
                response.status().as_u16()
            )));
        }
        let mut json = Vec::new();
        response
            .into_body()
            .into_reader()
            .take(LONGEST_TOKEN)
            .read_to_end(&mut json)
            .map_err(|error| self.network(error))?;
        Ok(token(&json))
    }

    fn send(
        &self,
        address: &Address,
        accept: &str,
        token: Option<&str>,
    ) -> Result<Response<ureq::Body>, ReadError> {
        let mut request = self
            .agent
            .get(address.uri())
            .header(header::ACCEPT, accept)
            // A blob packed once more on the way would have another digest.
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        request.call().map_err(|error| ReadError::Network {
            host: address.host().to_owned(),
            source: match error {
                ureq::Error::Io(error) => Box::new(error) as Box<_>,
                other => Box::new(other),
            },
        })
    }

    fn known_token(&self) -> Option<String> {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        token.clone()
    }
}

/// Whether a later try may well have another answer.
fn passes(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn retry_after(response: &Response<ureq::Body>) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    value.parse().ok().map(Duration::from_secs)
}

fn challenge(response: &Response<ureq::Body>) -> Option<Challenge> {
    response
        .headers()
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .find_map(|value| Challenge::parse(value.to_str().ok()?))
}

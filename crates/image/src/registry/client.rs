//! Requests to one registry for one repository: redirects, repetitions, and what an answer means.

use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use seareeve_model::{Digest, ImageReference};
use ureq::http::{Response, StatusCode, header};

use super::address::{Address, Plain, over_tls, registry};
use super::authorize::Access;
use super::pace::Paced;
use super::token::Challenge;
use crate::credentials::Credentials;
use crate::watch::Watch;
use crate::{LeastRate, Options, ReadError, Secret};

/// Redirects that one request may take.
const REDIRECTS: usize = 5;

/// Longest pause that a registry may ask for in `Retry-After`; who asks for more is left alone at once.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why a registry is not believed.
const UNKNOWN: &str = "its certificate is of no authority that is trusted here: `--ca-cert` takes a file with that \
                       authority's certificate, or with this one";

/// A client for one repository of one registry.
pub(crate) struct Client {
    agent: ureq::Agent,
    pub(super) reference: ImageReference,
    pub(super) base: Address,
    /// Where plain http is allowed on the registry's behalf.
    pub(super) plain: Plain,
    pub(super) credentials: Credentials,
    pub(super) access: Mutex<Access>,
    least_rate: LeastRate,
    pub(super) retries: u32,
    pub(super) pause: Duration,
    pub(super) watch: Watch,
}

/// A successful answer.
pub(crate) struct Body {
    pub(crate) reader: Box<dyn Read + Send>,
    pub(crate) media_type: String,
    /// `Docker-Content-Digest`.
    pub(crate) digest: Option<Digest>,
    /// Where in the content it starts: 0, unless a part was asked for and given.
    pub(crate) start: u64,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// Such as `manifests/latest`.
    pub(crate) path: &'a str,
    /// Media types that are understood.
    pub(crate) accept: &'a str,
    /// Its name in errors.
    pub(crate) what: &'a str,
    /// Bytes that are there already.
    pub(crate) from: u64,
}

impl Client {
    pub(crate) fn new(
        reference: &ImageReference,
        options: &Options,
        watch: &Watch,
    ) -> Result<Self, ReadError> {
        let name = reference.registry();
        let (base, plain) =
            registry(name, &options.plain_http).ok_or_else(|| ReadError::Network {
                host: name.to_owned(),
                source: "the name of the registry is no host".into(),
            })?;
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // Redirects are followed here, where it is known what may be shown to whom.
            .max_redirects(0)
            .user_agent(options.user_agent.as_str())
            .tls_config(options.authorities.tls())
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.read_timeout))
            .timeout_per_read(Some(options.read_timeout))
            .timeout_per_write(Some(options.read_timeout));
        if base.is_loopback() {
            // A proxy cannot reach this machine.
            config = config.proxy(None);
        }
        let agent = seareeve_trust::agent(config.build());
        watch.cuts(&agent);
        Ok(Self {
            agent,
            reference: reference.clone(),
            base,
            plain,
            credentials: options.credentials.clone(),
            access: Mutex::default(),
            least_rate: options.least_rate,
            retries: options.retries,
            pause: options.retry_pause,
            watch: watch.clone(),
        })
    }

    /// The same client over TLS, where it was to go without. `None` when it goes over TLS already.
    pub(crate) fn over_tls(self) -> Option<Self> {
        if !self.base.is_plain() {
            return None;
        }
        Some(Self {
            base: over_tls(&self.base)?,
            // What was allowed, and kept back, because there was no TLS.
            plain: Plain::default(),
            access: Mutex::default(),
            ..self
        })
    }

    /// Gets something of the repository.
    pub(crate) fn get(&self, ask: Ask<'_>) -> Result<Body, ReadError> {
        let location = format!("/v2/{}/{}", self.reference.repository(), ask.path);
        let address = self
            .base
            .join(&location, &self.plain)
            .ok_or_else(|| self.network("the address of the image is no address"))?;
        let mut pause = self.pause;
        let mut tries_left = self.retries;
        loop {
            let result = self.follow(&address, ask);
            let asked = match &result {
                Ok(response) if passes(response.status()) => retry_after(response),
                Err(ReadError::Network { .. }) => None,
                Ok(_) | Err(_) => return self.judge(result?, ask),
            };
            if tries_left == 0 || asked.is_some_and(|asked| asked > LONGEST_PAUSE) {
                return self.judge(result?, ask);
            }
            tries_left = tries_left.saturating_sub(1);
            self.watch.pause(asked.unwrap_or(pause))?;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// The error for a connection that failed or broke.
    pub(crate) fn network(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> ReadError {
        if self.watch.is_stopped() {
            // We cut it ourselves.
            return ReadError::Cancelled;
        }
        ReadError::Network {
            host: self.base.host().to_owned(),
            source: source.into(),
        }
    }

    /// Turns a final answer into a body or the error that it is.
    fn judge(&self, response: Response<ureq::Body>, ask: Ask<'_>) -> Result<Body, ReadError> {
        let status = response.status();
        let start = match status {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT if content_start(&response) == Some(ask.from) => ask.from,
            StatusCode::NOT_FOUND => return Err(ReadError::NotFound(self.reference.clone())),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(self.refused()),
            _ => {
                return Err(ReadError::Status {
                    host: self.base.host().to_owned(),
                    status: status.as_u16(),
                    what: ask.what.to_owned(),
                    retry_after: retry_after(&response),
                });
            }
        };
        let text = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let media_type = text("content-type").unwrap_or_default();
        let digest = text("docker-content-digest").and_then(|text| text.parse().ok());
        Ok(Body {
            media_type,
            digest,
            start,
            // The bounds are in what reads it: `Limits` for documents, the manifest for layers.
            reader: Box::new(Paced::new(
                response
                    .into_body()
                    .into_with_config()
                    .limit(u64::MAX)
                    .reader(),
                self.least_rate,
            )),
        })
    }

    /// Sends a request, proves who we are when asked to, and follows redirects.
    fn follow(&self, start: &Address, ask: Ask<'_>) -> Result<Response<ureq::Body>, ReadError> {
        let mut address = start.clone();
        let mut authorised = false;
        for _ in 0..=REDIRECTS.saturating_add(1) {
            let shown = if address.same_origin(&self.base) {
                self.shown()
            } else {
                // A blob's storage is another host, and what we show is none of its business.
                None
            };
            let response = self.send(&address, ask, shown.as_ref())?;
            let status = response.status();
            if status == StatusCode::UNAUTHORIZED
                && !authorised
                && address.same_origin(&self.base)
                && let Some(challenge) = challenge(&response)
            {
                authorised = true;
                if !self.authorize(&challenge)? {
                    return Ok(response);
                }
                continue;
            }
            if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let location = response.headers().get(header::LOCATION);
            address = location
                .and_then(|location| address.join(location.to_str().ok()?, &self.plain))
                .ok_or_else(|| self.network("it redirects to an address that is not allowed"))?;
        }
        Err(self.network("it redirects without end"))
    }

    fn send(
        &self,
        address: &Address,
        ask: Ask<'_>,
        authorization: Option<&Secret>,
    ) -> Result<Response<ureq::Body>, ReadError> {
        let mut request = self
            .agent
            .get(address.uri())
            .header(header::ACCEPT, ask.accept)
            // A blob packed once more on the way would have another digest.
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization.expose());
        }
        if ask.from > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", ask.from));
        }
        request.call().map_err(|error| self.unsent(address, error))
    }

    /// Sends a form. Only token servers get one.
    pub(super) fn post(
        &self,
        address: &Address,
        form: &str,
    ) -> Result<Response<ureq::Body>, ReadError> {
        self.agent
            .post(address.uri())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .send(form)
            .map_err(|error| self.unsent(address, error))
    }

    /// Asks a token server.
    pub(super) fn ask_token(
        &self,
        address: &Address,
        authorization: Option<&Secret>,
    ) -> Result<Response<ureq::Body>, ReadError> {
        let ask = Ask {
            path: "",
            accept: "application/json",
            what: "token",
            from: 0,
        };
        self.send(address, ask, authorization)
    }

    fn unsent(&self, address: &Address, error: ureq::Error) -> ReadError {
        if self.watch.is_stopped() {
            return ReadError::Cancelled;
        }
        ReadError::Network {
            host: address.host().to_owned(),
            source: match error {
                error if seareeve_trust::is_stranger(&error) => UNKNOWN.into(),
                ureq::Error::Io(error) => Box::new(error) as Box<_>,
                other => Box::new(other),
            },
        }
    }

    fn shown(&self) -> Option<Secret> {
        let access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        access.shown.clone()
    }
}

/// Whether a later try may well have another answer.
pub(super) fn passes(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// `Retry-After` in seconds. Its other form is a date (RFC 9110, section 10.2.3), which registries do not
/// use and which would need a clock; then it is as if there were none.
fn retry_after(response: &Response<ureq::Body>) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    value.parse().ok().map(Duration::from_secs)
}

/// The first byte of a part (RFC 9110, section 14.4): `bytes 100-199/200`.
fn content_start(response: &Response<ureq::Body>) -> Option<u64> {
    let value = response.headers().get(header::CONTENT_RANGE)?;
    let range = value.to_str().ok()?.trim().strip_prefix("bytes ")?;
    let (start, _) = range.split_once('-')?;
    start.trim().parse().ok()
}

/// The best of the challenges: a token is worth less to a thief than a password.
fn challenge(response: &Response<ureq::Body>) -> Option<Challenge> {
    let challenges = response.headers().get_all(header::WWW_AUTHENTICATE);
    let mut known: Vec<Challenge> = challenges
        .iter()
        .filter_map(|value| Challenge::parse(value.to_str().ok()?))
        .collect();
    let bearer = known
        .iter()
        .position(|one| matches!(one, Challenge::Bearer(_)));
    match bearer {
        Some(at) => Some(known.swap_remove(at)),
        None => known.pop(),
    }
}

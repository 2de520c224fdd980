//! Asking a cluster's API, within limits: it may be broken, or somebody else's.

use std::cell::Cell;
use std::io::{self, Read};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tracing::debug;
use ureq::config::Config;
use ureq::http::{StatusCode, Uri};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectProxyConnector, Connector as _, NextTimeout, RustlsConnector,
};
use ureq::{Agent, Proxy, ProxyProtocol};

use super::connection::{Connection, ConnectionError};
use super::credentials::{ClientCertificate, Wallet};
use super::line::Line;
use super::pulse::Pulse;
use super::wire::Wires;

/// Longest text of a cluster that is repeated in a message.
const SHOWN: usize = 300;

/// Most connections that stay open between requests. Each resource that is watched holds one.
const IDLE: usize = 40;

/// What a cluster may take of us.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time until it takes the connection.
    pub connect: Duration,
    /// Longest silence within an answer.
    pub silence: Duration,
    /// Time for one answer, from the request to its last byte. Lists come in pages of which each is one.
    pub answer: Duration,
    /// Time for one watch, which is then asked for anew.
    pub watch: Duration,
    /// Silence of all that is watched after which the cluster is asked for a sign of life.
    pub quiet: Duration,
    /// Time for that sign.
    pub sign: Duration,
    /// Bytes of one answer.
    pub answer_bytes: u64,
    /// Bytes of one object.
    pub object_bytes: u64,
    /// Objects of one resource.
    pub objects: usize,
    /// Objects of one page.
    pub page: usize,
    /// Bytes that are kept of all objects together.
    pub kept_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            silence: Duration::from_secs(60),
            answer: Duration::from_secs(300),
            watch: Duration::from_secs(300),
            quiet: Duration::from_secs(30),
            sign: Duration::from_secs(15),
            answer_bytes: 1 << 30,
            // The API server takes requests of 3 MiB.
            object_bytes: 8 << 20,
            objects: 500_000,
            page: 500,
            kept_bytes: 1 << 30,
        }
    }
}

/// Why a cluster gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens, the connection broke, a proxy does not let us through, or the certificate is not trusted.
    #[error("failed to talk to the Kubernetes API at {server}: {why}")]
    Unreachable {
        /// Where it is.
        server: String,
        /// What happened.
        why: String,
    },
    /// There is nothing to show to it.
    #[error("there are no credentials for the Kubernetes API at {server}: {why}")]
    NoCredentials {
        /// Where it is.
        server: String,
        /// What happened.
        why: String,
    },
    /// It did not answer in time.
    #[error("the Kubernetes API at {server} did not answer {path} in time")]
    TooSlow {
        /// Where it is.
        server: String,
        /// What was asked for.
        path: String,
    },
    /// Its answer, or one object in it, is larger than the limit.
    #[error(
        "the answer of the Kubernetes API at {server} to {path} is larger than any that it should give"
    )]
    TooLarge {
        /// Where it is.
        server: String,
        /// What was asked for.
        path: String,
    },
    /// It answered that it will not or cannot: see the status.
    #[error("the Kubernetes API at {server} answered {path} with status {status}: {message}")]
    Refused {
        /// Where it is.
        server: String,
        /// What was asked for.
        path: String,
        /// HTTP status.
        status: u16,
        /// What it said, shortened.
        message: String,
    },
    /// What came is not what was asked for.
    #[error("the Kubernetes API at {server} gave no answer to {path} that is one: {why}")]
    Malformed {
        /// Where it is.
        server: String,
        /// What was asked for.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The system has no thread left for us.
    #[error("failed to start a thread: {0}")]
    NoThread(io::Error),
    /// We were told to stop.
    #[error("stopped")]
    Stopped,
}

impl AskError {
    /// The HTTP status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Unreachable { .. }
            | Self::NoCredentials { .. }
            | Self::TooSlow { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. }
            | Self::NoThread(_)
            | Self::Stopped => None,
        }
    }
}

/// A client for one cluster.
pub(super) struct Client {
    line: Line,
    base: String,
    host: Option<String>,
    server: String,
    wallet: Wallet,
    act_as: Option<(String, Vec<String>)>,
    pub(super) pulse: Pulse,
    pub(super) limits: Limits,
}

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// In one go, within the time for one answer.
    Whole,
    /// As it comes, within the time for one watch.
    Watch,
    /// In one go, within the time for a sign of life.
    Sign,
}

impl Client {
    pub(super) fn new(connection: &Connection, limits: Limits) -> Result<Self, ConnectionError> {
        let server = connection.server.trim_end_matches('/').to_owned();
        let address = |why| ConnectionError::Address {
            server: server.chars().take(SHOWN).collect(),
            why,
        };
        let uri: Uri = server
            .parse()
            .map_err(|_invalid| address("it is no address"))?;
        let (Some(host), Some(scheme)) = (uri.host(), uri.scheme_str()) else {
            return Err(address("it has no scheme or no host"));
        };
        let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        match scheme {
            "https" => {}
            // kubectl proxy.
            "http" if is_here => {}
            "http" => return Err(address("without TLS only this machine is asked")),
            _ => return Err(address("its scheme is not https")),
        }
        let wallet = Wallet::new(connection.credentials.clone());
        let given = wallet
            .certificate()
            .map_err(|error| ConnectionError::Credentials {
                why: error.to_string(),
            })?;
        let certificate = given.or_else(|| connection.certificate.clone());
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("seareeve/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(limits.connect))
            .timeout_per_write(Some(limits.silence))
            .max_idle_connections(IDLE)
            .max_idle_connections_per_host(IDLE)
            .tls_config(tls(connection, certificate.as_ref())?)
            .proxy(None);
        if let Some(proxy) = &connection.proxy {
            let proxy = Proxy::new(proxy).map_err(|error| ConnectionError::Proxy {
                why: error.to_string(),
            })?;
            // The client would leave another one out, and go where it is not to be seen.
            if !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) {
                return Err(ConnectionError::Proxy {
                    why: "only proxies of HTTP are spoken to".to_owned(),
                });
            }
            config = config.proxy(Some(proxy));
        }
        let config = config.build();
        let (resolver, base, own_host) = match &connection.tls_server_name {
            None => (Resolved::default(), server.clone(), None),
            Some(_) if connection.proxy.is_some() => {
                return Err(address(
                    "it has both a proxy and another name in its certificate",
                ));
            }
            // The client checks the certificate against the name in the address. So the address gets that name, and
            // is resolved to where the server really is.
            Some(name) => {
                let port = uri.port_u16().unwrap_or(443);
                let path = uri.path().trim_end_matches('/');
                let base = format!("{scheme}://{name}:{port}{path}");
                base.parse::<Uri>()
                    .map_err(|_invalid| address("the name in its certificate is none"))?;
                let host = uri.authority().map(ToString::to_string);
                (
                    Resolved {
                        elsewhere: Some(uri),
                    },
                    base,
                    host,
                )
            }
        };
        let line = Line::new(move || {
            let connector =
                ().chain(ConnectProxyConnector::default())
                    .chain(Wires)
                    .chain(RustlsConnector::default());
            Agent::with_parts(config.clone(), connector, resolver.clone())
        });
        Ok(Self {
            line,
            base,
            host: own_host,
            server,
            wallet,
            act_as: connection.act_as.clone(),
            pulse: Pulse::new(),
            limits,
        })
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// What ends every request, now and later.
    pub(super) fn ender(&self) -> impl FnOnce() + Send + 'static {
        self.line.ender()
    }

    /// Ends every request that goes on; later ones take other connections.
    pub(super) fn cut(&self) {
        self.line.cut();
    }

    /// Asks for anything that any API server answers at once.
    pub(super) fn sign_of_life(&self) -> Result<(), AskError> {
        let body = self.open("/version", "application/json", Reply::Sign)?;
        // To its end, so that the connection can be used again. That it answered is all that matters.
        let _read = io::copy(&mut body.take(self.limits.object_bytes), &mut io::sink());
        Ok(())
    }

    /// The document at `path`, of at most `bytes`.
    pub(super) fn json<T: DeserializeOwned>(&self, path: &str, bytes: u64) -> Result<T, AskError> {
        let body = self.open(path, "application/json", Reply::Whole)?;
        let meter = Meter::new(bytes);
        let mut reader = Metered::new(body, &meter, &self.pulse);
        let mut content = Vec::new();
        reader
            .read_to_end(&mut content)
            .map_err(|error| self.read_failed(path, error, &meter))?;
        serde_json::from_slice(&content).map_err(|error| self.malformed(path, &error.to_string()))
    }

    /// The answer to a request for `path`, if it is one.
    pub(super) fn open(&self, path: &str, accept: &str, reply: Reply) -> Result<Body, AskError> {
        match self.ask(path, accept, reply) {
            // What a program gave may have come to its end earlier than it said.
            Err(AskError::Refused { status: 401, .. }) => {
                self.wallet.forget();
                self.ask(path, accept, reply)
            }
            other => other,
        }
    }

    fn ask(&self, path: &str, accept: &str, reply: Reply) -> Result<Body, AskError> {
        let header = self
            .wallet
            .header()
            .map_err(|error| AskError::NoCredentials {
                server: self.server.clone(),
                why: error.to_string(),
            })?;
        let limits = &self.limits;
        // A watch says nothing for as long as nothing happens.
        let (time, begin, silence) = match reply {
            Reply::Whole => (limits.answer, limits.silence, limits.silence),
            Reply::Watch => {
                let time = limits.watch.saturating_add(limits.silence);
                (time, limits.silence, time)
            }
            Reply::Sign => (limits.sign, limits.sign, limits.sign),
        };
        let mut request = self
            .line
            .agent()
            .get(format!("{}{path}", self.base))
            .config()
            .timeout_global(Some(time))
            .timeout_recv_response(Some(begin))
            .timeout_per_read(Some(silence))
            .build()
            .header("Accept", accept);
        for (name, value) in [("Authorization", header), ("Host", self.host.clone())] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        if let Some((user, groups)) = &self.act_as {
            request = request.header("Impersonate-User", user);
            for group in groups {
                request = request.header("Impersonate-Group", group);
            }
        }
        debug!(path, "asking the Kubernetes API");
        let response = request.call().map_err(|error| self.failed(path, &error))?;
        self.pulse.beat();
        let status = response.status();
        let body = response.into_body().into_with_config().limit(u64::MAX);
        let mut reader = body.reader();
        if status == StatusCode::OK {
            return Ok(reader);
        }
        let mut message = Vec::new();
        let shown = u64::try_from(SHOWN).unwrap_or(u64::MAX).saturating_mul(20);
        // Without a message the status says enough.
        let _read = Read::by_ref(&mut reader)
            .take(shown)
            .read_to_end(&mut message);
        Err(AskError::Refused {
            server: self.server.clone(),
            path: path.to_owned(),
            status: status.as_u16(),
            message: refusal(&message),
        })
    }

    /// Makes a request that may change something. The answer's status, whatever it is, and its body.
    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(u16, Body), AskError> {
        let header = self
            .wallet
            .header()
            .map_err(|error| AskError::NoCredentials {
                server: self.server.clone(),
                why: error.to_string(),
            })?;
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("Accept", "application/json")
            .header("Content-Type", "application/json");
        for (name, value) in [("Authorization", header), ("Host", self.host.clone())] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        if let Some((user, groups)) = &self.act_as {
            request = request.header("Impersonate-User", user);
            for group in groups {
                request = request.header("Impersonate-Group", group);
            }
        }
        let request = request
            .body(body)
            .map_err(|error| self.malformed(path, &error.to_string()))?;
        let agent = self.line.agent();
        let request = agent
            .configure_request(request)
            .timeout_global(Some(self.limits.silence))
            // `DELETE` with a body says how to delete.
            .allow_non_standard_methods(true)
            .build();
        debug!(method, path, "asking the Kubernetes API");
        let response = agent
            .run(request)
            .map_err(|error| self.failed(path, &error))?;
        let status = response.status().as_u16();
        let body = response.into_body().into_with_config().limit(u64::MAX);
        Ok((status, body.reader()))
    }

    fn failed(&self, path: &str, error: &ureq::Error) -> AskError {
        match error {
            ureq::Error::Timeout(_) => self.too_slow(path),
            ureq::Error::Io(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
                ) =>
            {
                self.too_slow(path)
            }
            ureq::Error::Io(_)
            | ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::ConnectProxyFailed(_)
            | ureq::Error::Tls(_)
            | ureq::Error::Rustls(_) => AskError::Unreachable {
                server: self.server.clone(),
                why: shown(&error.to_string()),
            },
            other => self.malformed(path, &other.to_string()),
        }
    }

    /// What reading an answer failed by.
    pub(super) fn read_failed(&self, path: &str, error: io::Error, meter: &Meter) -> AskError {
        if meter.is_over() {
            return AskError::TooLarge {
                server: self.server.clone(),
                path: path.to_owned(),
            };
        }
        match self.failed(path, &error.into()) {
            // It was reached, and gave up within its answer.
            AskError::Unreachable { why, .. } => self.malformed(path, &why),
            other => other,
        }
    }

    fn too_slow(&self, path: &str) -> AskError {
        AskError::TooSlow {
            server: self.server.clone(),
            path: path.to_owned(),
        }
    }

    pub(super) fn malformed(&self, path: &str, why: &str) -> AskError {
        AskError::Malformed {
            server: self.server.clone(),
            path: path.to_owned(),
            why: shown(why),
        }
    }
}

/// The bytes of an answer.
pub(super) type Body = ureq::BodyReader<'static>;

/// Counts the bytes of an answer, for all of it and for one object at a time.
pub(super) struct Meter {
    read: Cell<u64>,
    end: Cell<u64>,
    most: u64,
}

impl Meter {
    pub(super) fn new(most: u64) -> Self {
        Self {
            read: Cell::new(0),
            end: Cell::new(most),
            most,
        }
    }

    /// From here on `more` bytes may come, and not more than the whole may have.
    pub(super) fn allow(&self, more: u64) {
        self.end
            .set(self.read.get().saturating_add(more).min(self.most));
    }

    fn is_over(&self) -> bool {
        self.read.get() > self.end.get()
    }
}

/// A reader that stops where its meter says.
pub(super) struct Metered<'m, R> {
    inner: R,
    meter: &'m Meter,
    pulse: &'m Pulse,
}

impl<'m, R: Read> Metered<'m, R> {
    pub(super) fn new(inner: R, meter: &'m Meter, pulse: &'m Pulse) -> Self {
        Self {
            inner,
            meter,
            pulse,
        }
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if count > 0 {
            self.pulse.beat();
        }
        let more = u64::try_from(count).unwrap_or(u64::MAX);
        self.meter
            .read
            .set(self.meter.read.get().saturating_add(more));
        if self.meter.is_over() {
            return Err(io::Error::other("too many bytes"));
        }
        Ok(count)
    }
}

/// Resolves addresses, or all of them to where the server is.
#[derive(Clone, Debug, Default)]
struct Resolved {
    elsewhere: Option<Uri>,
}

impl Resolver for Resolved {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let uri = self.elsewhere.as_ref().unwrap_or(uri);
        DefaultResolver::default().resolve(uri, config, timeout)
    }
}

fn tls(
    connection: &Connection,
    certificate: Option<&ClientCertificate>,
) -> Result<TlsConfig, ConnectionError> {
    let mut tls = TlsConfig::builder().disable_verification(connection.skips_verification);
    if let Some(pem) = &connection.authorities {
        let certificates = certificates("certificate authority", pem)?;
        tls = tls.root_certs(RootCerts::new_with_certs(&certificates));
    }
    if let Some(certificate) = certificate {
        tls = tls.client_cert(Some(client_certificate(certificate)?));
    }
    Ok(tls.build())
}

/// Certificate and key, if they can be used together: the HTTP client takes that for granted.
fn client_certificate(given: &ClientCertificate) -> Result<ClientCert, ConnectionError> {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let failed = |why: String| ConnectionError::Certificate {
        what: "client certificate",
        why,
    };
    let chain = certificates("client certificate", &given.chain)?;
    let key = PrivateKeyDer::from_pem_slice(&given.key)
        .map_err(|error| failed(format!("its key is no private key in PEM form: {error}")))?;
    let own: Vec<CertificateDer<'static>> = chain
        .iter()
        .map(|certificate| CertificateDer::from(certificate.der().to_vec()))
        .collect();
    let provider = rustls::crypto::ring::default_provider();
    rustls::sign::CertifiedKey::from_der(own, key, &provider)
        .map_err(|error| failed(error.to_string()))?;
    let key = PrivateKey::from_pem(&given.key).map_err(|error| failed(error.to_string()))?;
    Ok(ClientCert::new_with_certs(&chain, key))
}

fn certificates(
    what: &'static str,
    pem: &[u8],
) -> Result<Vec<Certificate<'static>>, ConnectionError> {
    let failed = |why: String| ConnectionError::Certificate { what, why };
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|error| failed(error.to_string()))?
        {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(failed("there is no certificate in PEM form".to_owned()));
    }
    Ok(found)
}

/// What a refusal says: a `Status`, or any text.
fn refusal(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Status {
        message: String,
    }
    match serde_json::from_slice::<Status>(body) {
        Ok(Status { message }) => shown(&message),
        Err(_no_status) => shown(&String::from_utf8_lossy(body)),
    }
}

/// A text from outside, fit for a message.
pub(super) fn shown(text: &str) -> String {
    let clean = text.trim().chars();
    clean
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect()
}

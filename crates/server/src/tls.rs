//! TLS of listeners: certificates from files, read again when they change, and connections agreed on side by side.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail};
use axum::serve::Listener;
use camino::{Utf8Path, Utf8PathBuf};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

/// Time for a client to agree on a connection.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Clients that agree on a connection at a time.
const HANDSHAKES: usize = 256;
/// How often clients that do not agree are told in the log: anybody can be one, as often as they like.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked whether files changed.
const LOOK: Duration = Duration::from_secs(2);

/// With which certificate connections are agreed on, now.
pub(crate) struct Acceptor {
    current: RwLock<TlsAcceptor>,
    /// Where it comes from, if it can change.
    files: Option<Files>,
}

/// The files of a certificate.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The setting that names it.
    pub(crate) setting: &'static str,
    pub(crate) certificate: Utf8PathBuf,
    pub(crate) key: Utf8PathBuf,
    /// Authorities of which clients must show a certificate.
    pub(crate) client_ca: Option<Utf8PathBuf>,
}

/// What tells two states of a file apart without reading it.
type State = Vec<Option<(SystemTime, u64)>>;

impl Acceptor {
    /// One that stays as it is.
    pub(crate) fn fixed(config: ServerConfig) -> Arc<Self> {
        Arc::new(Self {
            current: RwLock::new(TlsAcceptor::from(Arc::new(config))),
            files: None,
        })
    }

    /// One that follows its files: see [`Acceptor::follow`].
    pub(crate) fn of_files(files: Files) -> anyhow::Result<Arc<Self>> {
        let config = files.read()?;
        Ok(Arc::new(Self {
            current: RwLock::new(TlsAcceptor::from(Arc::new(config))),
            files: Some(files),
        }))
    }

    fn current(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    /// Takes changed files into use until the process ends. Connections that are open keep what they were agreed on
    /// with; files that cannot be used change nothing, and are told once.
    pub(crate) async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let Some(files) = self.files.clone() else {
            return;
        };
        let mut known = files.state();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return,
            }
            let now = files.state();
            if now == known {
                continue;
            }
            known = now;
            match files.read() {
                Ok(config) => {
                    let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                    *current = TlsAcceptor::from(Arc::new(config));
                    info!(file = %files.certificate, "the certificate changed and is in use");
                }
                Err(error) => error!(
                    error = format!("{error:#}"),
                    "the changed certificate cannot be used: the one from before stays in use"
                ),
            }
        }
    }
}

impl Files {
    fn read(&self) -> anyhow::Result<ServerConfig> {
        let client_ca = self.client_ca.as_deref();
        let read = given(&self.certificate, &self.key)
            .and_then(|(chain, key)| server_config(chain, key, client_ca));
        read.with_context(|| format!("setting {}", self.setting))
    }

    fn state(&self) -> State {
        let files = [
            Some(&self.certificate),
            Some(&self.key),
            self.client_ca.as_ref(),
        ];
        let state = |path: &Utf8PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        files.into_iter().flatten().map(state).collect()
    }
}

/// The first name that a certificate is for: browsers and API servers compare it with the one in the address.
pub(crate) fn first_name(certificate: &Utf8Path) -> Option<String> {
    let shown = std::fs::read_to_string(certificate).ok()?;
    let names = seareeve_collect::server_certificate(&shown)?.names;
    names.into_iter().find(|name| !name.starts_with('*'))
}

/// How connections are agreed on with a certificate.
pub(crate) fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    client_ca: Option<&Utf8Path>,
) -> anyhow::Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .context("failed to prepare TLS")?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let roots = Arc::new(roots(path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.context("failed to use the authorities")?)
        }
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .context("the certificate and the key do not belong together")?;
    // One connection carries many requests either way, and HTTP/1.1 needs less of us.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn given(
    chain: &Utf8Path,
    key: &Utf8Path,
) -> anyhow::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("failed to read the certificate {chain}"))?;
    if certificates.is_empty() {
        bail!("{chain} holds no certificate");
    }
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("failed to read the key {key}"))?;
    Ok((certificates, key))
}

fn roots(path: &Utf8Path) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path)
        .with_context(|| format!("failed to read the certificates {path}"))?;
    for certificate in certificates {
        let certificate =
            certificate.with_context(|| format!("failed to read the certificates {path}"))?;
        roots
            .add(certificate)
            .with_context(|| format!("{path} holds a certificate that is none"))?;
    }
    Ok(roots)
}

/// Accepts connections and agrees on TLS with many clients side by side, so that one that is slow holds up nobody.
pub(crate) struct TlsListener {
    address: SocketAddr,
    agreed: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// Listens on a socket. It ends when the listener is dropped.
    pub(crate) fn new(listener: TcpListener, acceptor: Arc<Acceptor>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (tell, agreed) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut listener = listener;
            let turns = Arc::new(Semaphore::new(HANDSHAKES));
            let told = Arc::new(Mutex::new(None));
            loop {
                let accepted = tokio::select! {
                    accepted = Listener::accept(&mut listener) => accepted,
                    () = tell.closed() => return,
                };
                let (stream, peer) = accepted;
                let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
                    return;
                };
                let (acceptor, tell) = (acceptor.current(), tell.clone());
                let told = Arc::clone(&told);
                tokio::spawn(async move {
                    let handshake = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await;
                    drop(turn);
                    match handshake {
                        Ok(Ok(stream)) => {
                            // Nobody listens any more, if this fails.
                            let _ = tell.send((stream, peer)).await;
                        }
                        // An API server that trusts another authority, or that has no certificate to show, tries for
                        // ever: here it is seen why nothing comes.
                        Ok(Err(error)) if is_to_tell(&error, &told) => warn!(
                            peer = %peer,
                            error = %error,
                            "a client and this server do not agree on TLS; of others nothing is said for a minute"
                        ),
                        Ok(Err(error)) => debug!(peer = %peer, error = %error, "no TLS"),
                        Err(_elapsed) => debug!(peer = %peer, "no TLS in time"),
                    }
                });
            }
        });
        Ok(Self { address, agreed })
    }
}

/// Whether people are to be told of a client that did not agree. That one hangs up (a probe whether the port is open)
/// says nothing about TLS.
fn is_to_tell(error: &io::Error, told: &Mutex<Option<Instant>>) -> bool {
    let is_of_tls = error
        .get_ref()
        .is_some_and(|inner| inner.is::<rustls::Error>());
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    let is_due = told.is_none_or(|at| at.elapsed() >= TOLD_EVERY);
    if is_of_tls && is_due {
        *told = Some(Instant::now());
    }
    is_of_tls && is_due
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.agreed.recv().await {
            Some(accepted) => accepted,
            // The task that accepts ends only when we are gone.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

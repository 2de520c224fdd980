//! TLS for `audit.listen`: a certificate that is given, or one of an authority of our own.
//!
//! Our authority is made at the first start and kept in the data folder. API servers are given its certificate, so that
//! the server's own may be made anew, with other names, at every start.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::serve::Listener;
use camino::{Utf8Path, Utf8PathBuf};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest as _, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, info};

use crate::config::Config;

/// Time for a client to agree on a connection.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Clients that agree on a connection at a time.
const HANDSHAKES: usize = 256;

/// What a listener serves with.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    /// The certificate (PEM) of our authority; nothing where a certificate was given.
    pub(crate) authority: Option<String>,
}

impl Tls {
    /// Nothing, if nobody is listened to.
    pub(super) fn open(config: &Config) -> anyhow::Result<Option<Self>> {
        let audit = &config.audit;
        let Some(address) = audit.address() else {
            return Ok(None);
        };
        let (chain, key, authority) = if audit.certificate.as_str().is_empty() {
            let authority = Authority::open(&config.server.data_dir.join("tls"))?;
            let (chain, key) = authority.issue(&names(&audit.names, address.ip()))?;
            (chain, key, Some(authority.certificate))
        } else {
            let (chain, key) = given(&audit.certificate, &audit.key)?;
            (chain, key, None)
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .context("failed to prepare TLS")?;
        let builder = if audit.client_ca.as_str().is_empty() {
            builder.with_no_client_auth()
        } else {
            let roots = roots(&audit.client_ca).context("setting audit.client_ca")?;
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.context("setting audit.client_ca")?)
        };
        let mut server = builder
            .with_single_cert(chain, key)
            .context("failed to use the certificate of audit.listen")?;
        // One connection carries many batches either way, and HTTP/1.1 needs less of us.
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Self {
            acceptor: TlsAcceptor::from(Arc::new(server)),
            authority,
        }))
    }
}

/// Names for a certificate of our own.
fn names(given: &[String], address: IpAddr) -> Vec<String> {
    let mut names: Vec<String> = given
        .iter()
        .filter(|name| !name.is_empty())
        .cloned()
        .collect();
    names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    if !address.is_unspecified() {
        names.push(address.to_string());
    }
    if let Ok(host) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
        names.push(host.trim().to_owned());
    }
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    names
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

/// An authority of our own.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// The one in `folder`, which is made when there is none.
    fn open(folder: &Utf8Path) -> anyhow::Result<Self> {
        crate::make_private_folder(folder)?;
        let (certificate_file, key_file) = (folder.join("ca.crt"), folder.join("ca.key"));
        if !certificate_file.exists() {
            let (certificate, key) = new_authority()?;
            // The key first: without its certificate it is made anew, and nobody knows of either.
            write(&key_file, &key)?;
            write(&certificate_file, &certificate)?;
            let fingerprint = fingerprint(&certificate)?;
            info!(file = %certificate_file, sha256 = fingerprint, "made an authority for TLS");
        }
        let read = |path: &Utf8PathBuf| {
            std::fs::read_to_string(path).with_context(|| format!("failed to read {path}"))
        };
        let (certificate, key) = (read(&certificate_file)?, read(&key_file)?);
        let key = KeyPair::from_pem(&key)
            .with_context(|| format!("{key_file} is no key; delete {folder} to begin anew"))?;
        let issuer = Issuer::new(authority_params(), key);
        Ok(Self {
            certificate,
            issuer,
        })
    }

    /// A certificate for these names, and its key, which is kept nowhere.
    fn issue(
        &self,
        names: &[String],
    ) -> anyhow::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let key = KeyPair::generate().context("failed to make a key")?;
        let mut params = CertificateParams::new(names.to_vec())
            .with_context(|| format!("setting audit.names: {}", names.join(", ")))?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Seareeve");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params
            .signed_by(&key, &self.issuer)
            .context("failed to sign a certificate")?;
        let authority = CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .context("the authority's certificate is none")?;
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes())
            .context("failed to make a key")?;
        Ok((vec![certificate.der().clone(), authority], key))
    }
}

/// Always the same, since an issuer is named by what it says of itself.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Seareeve authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn new_authority() -> anyhow::Result<(String, String)> {
    let key = KeyPair::generate().context("failed to make a key")?;
    let certificate = authority_params()
        .self_signed(&key)
        .context("failed to make an authority")?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// What people compare: SHA-256 of the certificate.
fn fingerprint(pem: &str) -> anyhow::Result<String> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
        .context("the authority's certificate is none")?;
    let bytes = Sha256::digest(&certificate);
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(pairs.join(":"))
}

fn write(path: &Utf8Path, text: &str) -> anyhow::Result<()> {
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()));
    written.with_context(|| format!("failed to write {path}"))
}

/// Accepts connections and agrees on TLS with many clients side by side, so that one that is slow holds up nobody.
pub(crate) struct TlsListener {
    address: SocketAddr,
    agreed: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// Listens on a socket. It ends when the listener is dropped.
    pub(crate) fn new(listener: TcpListener, tls: &Tls) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (tell, agreed) = mpsc::channel(1);
        let acceptor = tls.acceptor.clone();
        tokio::spawn(async move {
            let mut listener = listener;
            let turns = Arc::new(Semaphore::new(HANDSHAKES));
            loop {
                let accepted = tokio::select! {
                    accepted = Listener::accept(&mut listener) => accepted,
                    () = tell.closed() => return,
                };
                let (stream, peer) = accepted;
                let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
                    return;
                };
                let (acceptor, tell) = (acceptor.clone(), tell.clone());
                tokio::spawn(async move {
                    let handshake = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await;
                    drop(turn);
                    match handshake {
                        Ok(Ok(stream)) => {
                            // Nobody listens any more, if this fails.
                            let _ = tell.send((stream, peer)).await;
                        }
                        Ok(Err(error)) => debug!(peer = %peer, error = %error, "no TLS"),
                        Err(_elapsed) => debug!(peer = %peer, "no TLS in time"),
                    }
                });
            }
        });
        Ok(Self { address, agreed })
    }
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

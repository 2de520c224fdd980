//! Connections with TLS: handshakes beside each other, none of which can hold up the others.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::{AlertDescription, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::certificates::{Certificates, Peer};

/// Connections at a time.
const MOST: usize = 1_024;
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a connection may say nothing. The API server keeps its own for 90 seconds.
const IDLE: Duration = Duration::from_secs(120);

/// A listener whose connections have shaken hands.
pub(crate) struct Tls {
    address: SocketAddr,
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
}

impl Tls {
    pub(crate) async fn bind(
        address: SocketAddr,
        certificates: &Arc<Certificates>,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let resolver = Arc::clone(certificates);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(64);
        let accepting = Accepting {
            listener,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificates: Arc::clone(certificates),
            sender,
        };
        tokio::spawn(async move {
            tokio::select! {
                () = accepting.run() => {}
                () = stop.cancelled() => {}
            }
        });
        Ok(Self { address, ready })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Listener for Tls {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // Stopping: nothing comes any more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

struct Accepting {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    certificates: Arc<Certificates>,
    sender: mpsc::Sender<(Connection, SocketAddr)>,
}

impl Accepting {
    async fn run(self) {
        let room = Arc::new(Semaphore::new(MOST));
        loop {
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, mostly: that passes.
                    warn!(%error, "a connection could not be accepted");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            // Answers are small, and somebody waits for each.
            let _ = stream.set_nodelay(true);
            let (acceptor, sender) = (self.acceptor.clone(), self.sender.clone());
            let certificates = Arc::clone(&self.certificates);
            tokio::spawn(async move {
                let address = peer.ip().to_canonical();
                match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => {
                        let connection =
                            Connection::new(stream, certificates.peer(address), permit);
                        // Nobody takes it any more when the webhook stops.
                        let _ = sender.send((connection, peer)).await;
                    }
                    Ok(Err(error)) => {
                        debug!(%peer, %error, "no handshake");
                        if let Some(why) = refusal(&error) {
                            certificates.refuse(address, why);
                        }
                    }
                    Err(_elapsed) => debug!(%peer, "no handshake in time"),
                }
            });
        }
    }
}

/// What a client says that does not trust the certificate (RFC 8446, 6.2), if that is what it said.
fn refusal(error: &io::Error) -> Option<&'static str> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let rustls::Error::AlertReceived(alert) = error else {
        return None;
    };
    match alert {
        // Go says no more than this, whatever is wrong with it.
        AlertDescription::BadCertificate => Some("bad certificate"),
        AlertDescription::UnsupportedCertificate => Some("unsupported certificate"),
        AlertDescription::CertificateRevoked => Some("certificate revoked"),
        AlertDescription::CertificateExpired => Some("certificate expired"),
        AlertDescription::CertificateUnknown => Some("certificate unknown"),
        AlertDescription::UnknownCA => Some("unknown authority"),
        _ => None,
    }
}

/// A connection that ends when it says nothing for too long.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    idle: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TlsStream<TcpStream>, peer: Peer, permit: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            peer,
            idle: Box::pin(sleep(IDLE)),
            _permit: permit,
        }
    }

    fn is_idle(&mut self, context: &mut Context<'_>) -> bool {
        self.idle.as_mut().poll(context).is_ready()
    }
}

impl Connected<IncomingStream<'_, Tls>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Tls>) -> Self {
        stream.io().peer
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            self.idle.as_mut().reset(Instant::now() + IDLE);
            return read;
        }
        if self.is_idle(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_pending() && self.is_idle(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use camino::Utf8Path;
    use jiff::{SignedDuration, Timestamp};
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, ServerName};
    use rustls::{ClientConfig, RootCertStore};
    use seareeve_api::AdmissionRefusal;
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::certificates;

    #[tokio::test]
    async fn who_refuses_the_certificate_is_noted_until_the_same_one_trusts_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap();
        // A clock that is far behind makes one that is over, and takes it for fresh.
        let behind = Timestamp::now() - SignedDuration::from_hours(24 * 400);
        let seconds = Arc::new(AtomicI64::new(0));
        let passed = Arc::clone(&seconds);
        let clock = move || behind + SignedDuration::from_secs(passed.load(Ordering::SeqCst));
        let own = certificates::Tls::Own(vec!["127.0.0.1".to_owned()]);
        let certificates = Arc::new(Certificates::load(own, path, Arc::new(clock)).unwrap());
        let stop = CancellationToken::new();
        let address = ([127, 0, 0, 1], 0).into();
        let listener = Tls::bind(address, &certificates, stop.clone())
            .await
            .unwrap();
        let mut roots = RootCertStore::empty();
        let authority = certificates.authority();
        roots.add_parsable_certificates(
            CertificateDer::pem_slice_iter(authority.as_bytes()).flatten(),
        );
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let local = [127, 0, 0, 1].into();
        let before = certificates.peer(local);
        seconds.store(10, Ordering::SeqCst);
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TcpStream::connect(listener.address()).await.unwrap();
        assert!(connector.connect(name, stream).await.is_err(), "it is over");
        while certificates.told().refusals.is_empty() {
            tokio::task::yield_now().await;
        }
        let at = behind + SignedDuration::from_secs(10);
        let refusal = |by: &str, at, why: &str| AdmissionRefusal {
            at,
            by: by.to_owned(),
            why: why.to_owned(),
        };
        let first = refusal("127.0.0.1", at, "certificate expired");
        let first = vec![first];
        assert_eq!(certificates.told().refusals, first);

        // Neither what came over a connection from before, nor another one's trust, says that this one trusts it.
        certificates.trusted(before);
        certificates.trusted(certificates.peer([10, 0, 0, 2].into()));
        assert_eq!(certificates.told().refusals, first);
        seconds.store(20, Ordering::SeqCst);
        certificates.refuse([10, 0, 0, 3].into(), "bad certificate");
        let at = behind + SignedDuration::from_secs(20);
        let second = vec![refusal("10.0.0.3", at, "bad certificate")];
        let both = [&second[..], &first[..]].concat();
        assert_eq!(certificates.told().refusals, both);
        certificates.trusted(certificates.peer(local));
        assert_eq!(certificates.told().refusals, second);

        // Many are no more than a few, and who did not come back is forgotten.
        for last in 0..100 {
            certificates.refuse([10, 1, 0, last].into(), "bad certificate");
        }
        assert_eq!(certificates.told().refusals.len(), 16);
        seconds.store(25 * 3600, Ordering::SeqCst);
        assert_eq!(certificates.told().refusals, []);
        stop.cancel();
    }
}

//! The admission webhook: it listens with TLS, answers reviews from memory, and talks to a server beside that.
//!
//! Whatever is away or broken, answers go on: without a server by the last policy that it gave, without a policy by
//! the built-in one, which refuses nothing. No request waits for a scanner or a disk, and for a server only one that names
//! an image of which nothing is known, for a moment, and not while the server is away or hangs.

#![warn(clippy::indexing_slicing)]

mod answering;
mod certificates;
mod exchange;
mod listening;
mod memory;
mod policies;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use seareeve_api::Client;
use seareeve_posture::{Catalogue, Library};
use tokio_util::sync::CancellationToken;
use tracing::info;

pub use certificates::{Clock, Tls};
pub use policies::Source;

use crate::certificates::{Certificates, Peer};
use crate::exchange::Exchange;
use crate::memory::Memory;

/// How long the server may take for an answer: certificates and files are looked after in between.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the webhook runs.
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its certificate.
    pub tls: Tls,
    /// Where its policy comes from.
    pub policy: Source,
    /// The server that it tells what it decided, and asks for policies and scans.
    pub server: Option<Client>,
    /// What the cluster is called there.
    pub cluster: String,
    /// What the webhook is called there: its pod.
    pub name: String,
    /// Where it keeps what has to outlive it.
    pub folder: Utf8PathBuf,
    /// By which certificates are renewed and what is known of images gets old.
    pub clock: Clock,
}

/// A webhook that listens.
pub struct Webhook {
    address: SocketAddr,
    certificates: Arc<Certificates>,
    memory: Arc<Memory>,
    listener: listening::Tls,
    exchange: Exchange,
    stop: CancellationToken,
}

impl Webhook {
    /// Reads or makes its certificate, loads its policy, and listens.
    ///
    /// # Errors
    /// When the certificate or the policy file cannot be used, or the address is taken.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let certificates = Arc::new(Certificates::load(
            options.tls,
            &options.folder,
            Arc::clone(&options.clock),
        )?);
        let library = Library::builtin();
        let catalogue = Catalogue::builtin();
        let policies =
            policies::Policies::new(options.policy, options.folder, &library, &catalogue)?;
        let in_force = policies.in_force().clone();
        let memory = Arc::new(Memory::new(library, catalogue, in_force, options.clock));
        let stop = CancellationToken::new();
        let exchange = Exchange {
            memory: Arc::clone(&memory),
            certificates: Arc::clone(&certificates),
            policies,
            server: options.server.map(|server| server.within(PATIENCE)),
            cluster: options.cluster,
            name: options.name,
        };
        let listener = listening::Tls::bind(options.listen, &certificates, stop.clone())
            .await
            .with_context(|| format!("failed to listen on {}", options.listen))?;
        let address = listener.address();
        info!(%address, "the webhook listens");
        Ok(Self {
            address,
            certificates,
            memory,
            listener,
            exchange,
            stop,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the API server checks its certificate by, as PEM.
    #[must_use]
    pub fn authority(&self) -> String {
        self.certificates.authority()
    }

    /// Answers until `stopped` is done. What was counted is told to the server at the end.
    ///
    /// # Errors
    /// When listening ends by itself.
    pub async fn run_until(self, stopped: impl Future<Output = ()>) -> anyhow::Result<()> {
        let exchange = self.exchange.start(self.stop.clone());
        let router = answering::router(self.memory, self.certificates);
        let service = router.into_make_service_with_connect_info::<Peer>();
        let stop = self.stop.clone();
        let serving = axum::serve(self.listener, service)
            .with_graceful_shutdown(async move { stop.cancelled().await });
        let served = tokio::select! {
            served = serving.into_future() => served.context("failed to go on listening"),
            () = stopped => Ok(()),
        };
        self.stop.cancel();
        exchange
            .await
            .context("the exchange with the server panicked")?;
        served
    }
}

/// What the API server checks the webhook's certificate by, as PEM. Certificate and authority are made if they are to
/// be our own and are not there yet; those that are there stay as they are.
///
/// # Errors
/// When they cannot be made or read.
pub fn authority(tls: Tls, folder: &camino::Utf8Path) -> anyhow::Result<String> {
    certificates::authority_of(tls, folder)
}

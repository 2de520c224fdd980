//! Starting, running and stopping the one process.

use std::fs::File;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::serve::ListenerExt as _;
use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};
use seareeve_image::LayerCache;
use seareeve_scan::Examiner;
use seareeve_store::users::Role;
use seareeve_store::{DatabaseUrl, Store, UserId, sessions, sign_in_links, users};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::advisories::Advisories;
use crate::audit::{self, Audit};
use crate::auth::limit::Limiter;
use crate::auth::secret::Secret;
use crate::clusters::{Clusters, observing};
use crate::config::Config;
use crate::events::Hub;
use crate::intel::{self, Intel};
use crate::java_index::JavaIndexFile;
use crate::jobs::SCANNERS;
use crate::posture::own;
use crate::registries::Registries;
use crate::running::Running;
use crate::state::App;
use crate::tls::{Acceptor, Files, TlsListener, first_name};
use crate::vex::Shelf;
use crate::{jobs, routes};

/// The user that the first start makes.
const FIRST_USER: &str = "admin";
/// How long a sign-in link of the console is good for.
const LINK_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// How long running work may take to end in order.
const DRAIN: Duration = Duration::from_secs(20);
/// How long the store may take to close.
const CLOSE: Duration = Duration::from_secs(3);

/// A server that is listening.
pub struct Server {
    app: Arc<App>,
    listener: Main,
    /// Where API servers send their audit events, if not there.
    webhooks: Option<TlsListener>,
    address: String,
    sign_in_link: Option<String>,
    /// Held while the process lives, so that no second one works on the same folder.
    _lock: File,
}

/// Where API and UI are served.
enum Main {
    Plain(TcpListener),
    Tls(TlsListener, Arc<Acceptor>),
}

impl Server {
    /// Opens the store, takes the address, and makes a sign-in link where only this machine is listened to.
    ///
    /// # Errors
    /// When the folder, the store or the address cannot be had; the message names it.
    pub async fn start(mut config: Config) -> anyhow::Result<Self> {
        make_private_folder(&config.server.data_dir)?;
        make_private_folder(&config.server.data_dir.join("uploads"))?;
        let lock = lock(&config.server.data_dir)?;
        let store = open_store(&config).await?;
        let advisories = Advisories::open(config.advisory_file())?;
        let java_index = JavaIndexFile::new(config.java_index_file());
        let vex = Shelf::open(&store).await?;
        let content = Arc::new(own::load(&store).await?);
        let registries =
            Registries::load(&config.scan.registries).context("setting scan.registries")?;
        let layers = open_layer_cache(&config)?;
        let audit = Audit::open(&config, &store).await?;
        let webhooks = listen_for_webhooks(&config, &audit).await?;
        // Others are told of the ports that were taken for port 0.
        if let Some(webhooks) = &webhooks {
            config.audit.listen = axum::serve::Listener::local_addr(webhooks)?.to_string();
        }
        let listener = TcpListener::bind(config.server.listen)
            .await
            .with_context(|| {
                format!(
                    "failed to listen on {}: choose another with --listen",
                    config.server.listen
                )
            })?;
        config.server.listen = listener.local_addr()?;
        let (listener, address) = main_listener(&config, listener)?;
        let now = Timestamp::now();
        let user = first_user(&store, now).await?;
        // What is printed at the start of anything but a program in a terminal stands in a log, which more people read
        // than own the server.
        let path = match config.server.listen.ip().is_loopback() {
            true => Some(link_path(&store, user, now).await?),
            false => None,
        };
        let epoch = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let app = Arc::new(App {
            config,
            store,
            advisories,
            audit,
            intel: Intel::default(),
            java_index,
            vex,
            layers,
            registries,
            content_in_use: std::sync::RwLock::new(content),
            trying_checks: tokio::sync::Mutex::default(),
            clusters: Clusters::default(),
            reading_facts: tokio::sync::Semaphore::new(2),
            events: Hub::new(epoch),
            announcing: tokio::sync::Mutex::default(),
            running: Running::default(),
            limiter: Limiter::new(),
            wake: tokio::sync::Notify::new(),
            shutdown: CancellationToken::new(),
        });
        let sign_in_link = path.map(|path| format!("{address}{path}"));
        Ok(Self {
            app,
            listener,
            webhooks,
            address,
            sign_in_link,
            _lock: lock,
        })
    }

    /// The address, such as `http://127.0.0.1:7300`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The address where API servers send their audit events, if not the same.
    #[must_use]
    pub fn webhook_address(&self) -> Option<std::net::SocketAddr> {
        axum::serve::Listener::local_addr(self.webhooks.as_ref()?).ok()
    }

    /// The one-time sign-in link, if only people on this machine can use it.
    #[must_use]
    pub fn sign_in_link(&self) -> Option<&str> {
        self.sign_in_link.as_deref()
    }

    /// Serves until SIGINT or SIGTERM, then lets running work end; a second signal ends it at once.
    ///
    /// # Errors
    /// When serving fails.
    pub async fn run_until_stopped(self) -> anyhow::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let next = async move || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        self.run_until(next).await
    }

    /// Serves until `stop` answers the first time, then lets running work end, but for no longer than until it
    /// answers the second time.
    ///
    /// # Errors
    /// When serving fails.
    pub async fn run_until(self, mut stop: impl AsyncFnMut()) -> anyhow::Result<()> {
        let shutdown = self.app.shutdown.clone();
        let tasks = TaskTracker::new();
        jobs::spawn(&self.app, &tasks);
        audit::spawn(&self.app, &tasks);
        tasks.spawn(intel::run(Arc::clone(&self.app)));
        observing::spawn(&self.app, &tasks);
        let router = routes::router(Arc::clone(&self.app));
        let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
        let stopped = shutdown.clone().cancelled_owned();
        let serving = match self.listener {
            Main::Plain(listener) => {
                let serve = axum::serve(listener, service).with_graceful_shutdown(stopped);
                tasks.spawn(serve.into_future())
            }
            Main::Tls(listener, acceptor) => {
                tasks.spawn(acceptor.follow(shutdown.clone()));
                let listener = listener.tap_io(|_stream| {});
                let serve = axum::serve(listener, service).with_graceful_shutdown(stopped);
                tasks.spawn(serve.into_future())
            }
        };
        if let Some(tls) = &self.app.audit.tls {
            tasks.spawn(Arc::clone(&tls.acceptor).follow(shutdown.clone()));
        }
        if let Some(webhooks) = self.webhooks {
            let router = routes::webhook_router(Arc::clone(&self.app));
            let listener = webhooks.tap_io(|_stream| {});
            let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
            let serve = axum::serve(listener, service)
                .with_graceful_shutdown(shutdown.clone().cancelled_owned());
            tasks.spawn(serve.into_future());
        }
        tasks.close();
        info!(address = %self.address, version = env!("CARGO_PKG_VERSION"), "listening");
        tokio::select! {
            () = stop() => info!("asked to stop: ending running work"),
            ended = serving => bail!("the listener ended: {ended:?}"),
        }
        shutdown.cancel();
        self.app.running.stop_all();
        tokio::select! {
            () = tasks.wait() => {}
            () = tokio::time::sleep(DRAIN) => warn!("some work did not end in time; it is taken up again at the next start"),
            () = stop() => warn!("asked again: stopping at once; running work is taken up again at the next start"),
        }
        // A connection that blocked work still holds is not waited for.
        if tokio::time::timeout(CLOSE, self.app.store.close())
            .await
            .is_err()
        {
            warn!("the store is still in use; what was not committed is undone");
        }
        Ok(())
    }
}

/// Makes a folder that only its owner can enter, with its parents.
///
/// # Errors
/// When it cannot be made.
pub fn make_private_folder(folder: &Utf8Path) -> anyhow::Result<()> {
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    made.with_context(|| format!("failed to make the folder {folder}"))
}

/// The path of a one-time sign-in link for a user, to be put behind the server's address. `reset` takes the user's
/// password and sessions away, so that a new one is asked for.
///
/// # Errors
/// When there is no such user, or the store cannot be reached.
pub async fn sign_in_path(config: &Config, name: &str, reset: bool) -> anyhow::Result<String> {
    make_private_folder(&config.server.data_dir)?;
    let store = open_store(config).await?;
    let Some(user) = users::by_name(&store, name).await? else {
        bail!(
            "there is no user {name} in {}: is this the server's store? (setting server.database)",
            database_url(config)?
        );
    };
    if reset {
        users::set_password(&store, user.id, None).await?;
        // Whoever is signed in could set the new password now.
        sessions::delete_of_user(&store, user.id).await?;
    }
    let path = link_path(&store, user.id, Timestamp::now()).await?;
    store.close().await;
    Ok(path)
}

/// Opens the store and says what it is, for `seareeve doctor`.
///
/// # Errors
/// When it cannot be opened.
pub async fn check_store(config: &Config) -> anyhow::Result<String> {
    let store = open_store(config).await?;
    store.ping().await?;
    let users = users::count(&store).await?;
    store.close().await;
    Ok(format!("{} answers, {users} users", database_url(config)?))
}

fn database_url(config: &Config) -> anyhow::Result<DatabaseUrl> {
    config
        .store_address()
        .parse()
        .context("setting server.database")
}

async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let url = database_url(config)?;
    Store::open(&url)
        .await
        .with_context(|| format!("failed to open the store {url}"))
}

/// With TLS, where a certificate is set; and the address by which it is reached.
fn main_listener(config: &Config, listener: TcpListener) -> anyhow::Result<(Main, String)> {
    let local = listener.local_addr()?;
    if !config.server.has_tls() {
        return Ok((Main::Plain(listener), format!("http://{local}")));
    }
    let files = Files {
        setting: "server.certificate",
        certificate: config.server.certificate.clone(),
        key: config.server.key.clone(),
        client_ca: None,
    };
    let acceptor = Acceptor::of_files(files)?;
    let address = match first_name(&config.server.certificate) {
        Some(name) => format!("https://{name}:{}", local.port()),
        None => format!("https://{local}"),
    };
    let listener = TlsListener::new(listener, Arc::clone(&acceptor))?;
    Ok((Main::Tls(listener, acceptor), address))
}

/// Reads the certificate of `server.listen` and says until when it holds, for `seareeve doctor`. Nothing, if none is set.
///
/// # Errors
/// When it cannot be used; the message names the setting and the file.
pub fn check_certificate(config: &Config) -> anyhow::Result<Option<(Vec<String>, Timestamp)>> {
    let server = &config.server;
    if !server.has_tls() {
        return Ok(None);
    }
    Acceptor::of_files(Files {
        setting: "server.certificate",
        certificate: server.certificate.clone(),
        key: server.key.clone(),
        client_ca: None,
    })?;
    let text = std::fs::read_to_string(&server.certificate)
        .with_context(|| format!("failed to read {}", server.certificate))?;
    let shown = seareeve_collect::server_certificate(&text)
        .with_context(|| format!("{} holds a certificate without dates", server.certificate))?;
    Ok(Some((shown.names, shown.not_after)))
}

async fn listen_for_webhooks(
    config: &Config,
    audit: &Audit,
) -> anyhow::Result<Option<TlsListener>> {
    let (Some(address), Some(tls)) = (config.audit.address(), &audit.tls) else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("failed to listen on {address} (setting audit.listen)"))?;
    let address = listener.local_addr()?;
    let listener = TlsListener::new(listener, Arc::clone(&tls.acceptor))?;
    info!(address = %address, "listening for audit events");
    Ok(Some(listener))
}

fn open_layer_cache(config: &Config) -> anyhow::Result<Option<Arc<LayerCache>>> {
    let most_bytes = config.scan.layer_cache_mib.saturating_mul(1024 * 1024);
    if most_bytes == 0 {
        return Ok(None);
    }
    let folder = config.layer_folder();
    let cache = LayerCache::open(&folder, &Examiner::new(&SCANNERS).version(), most_bytes)
        .with_context(|| format!("failed to open the cache of layers {folder}"))?;
    Ok(Some(Arc::new(cache)))
}

/// The first user, who is made when there are no users yet.
async fn first_user(store: &Store, now: Timestamp) -> anyhow::Result<UserId> {
    Ok(match users::by_name(store, FIRST_USER).await? {
        Some(user) => user.id,
        None => users::create(store, FIRST_USER, None, Role::Owner, now).await?,
    })
}

async fn link_path(store: &Store, user: UserId, now: Timestamp) -> anyhow::Result<String> {
    let secret = Secret::generate("")?;
    sign_in_links::create(store, &secret.hash, user, now, now + LINK_LIFE).await?;
    Ok(format!("/sign-in#token={}", secret.text))
}

fn lock(folder: &Utf8Path) -> anyhow::Result<File> {
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| format!("failed to make {path}"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!("another Seareeve works on {folder}: stop it, or choose another --data-dir")
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("failed to lock {path}"))
        }
    }
}

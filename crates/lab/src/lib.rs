//! A Docker engine of the tests' own, with containers that do what they should not.
//!
//! Each [`Lab`] is a `dockerd` with folders, socket and containerd of its own, so that any number run beside each
//! other and beside the machine's. It needs root, and no network. When it is dropped, also by a panic, everything
//! that it made is gone: containers, processes, mounts, control groups, folders.

pub mod azure;

mod api;
mod cleanup;
mod containers;
mod rootfs;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

pub use containers::{IMAGES, Lodger, crowd, lodgers};

/// How long an engine may take to answer for the first time.
const START: Duration = Duration::from_secs(60);
/// Containers that are started or removed at a time.
const AT_ONCE: usize = 8;

/// How an engine is started.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Options besides those that the lab needs for itself.
    pub flags: Vec<String>,
    /// The text of its `daemon.json`; without it, one that says nothing, so that the machine's does not count.
    pub file: Option<String>,
    /// Whether [`lodgers`] are moved in, and [`IMAGES`] made.
    pub is_furnished: bool,
}

/// A running engine.
#[derive(Debug)]
pub struct Lab {
    daemon: Child,
    folder: PathBuf,
    // Dropped last.
    _folder: tempfile::TempDir,
}

impl Lab {
    /// Starts an engine. Nothing, and a line that says so, where none can run: then the test did not run, and it
    /// fails where `SEAREEVE_REQUIRE_SHARED=1` requires it.
    ///
    /// # Errors
    /// When the engine can be run here and does not.
    pub fn start(settings: &Settings) -> Result<Option<Self>> {
        if let Some(why) = impossible() {
            did_not_run(&why);
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("lab").tempdir()?;
        let path = folder.path().to_owned();
        for name in ["data", "exec", "config"] {
            fs::create_dir(path.join(name))?;
        }
        let file = path.join("config/daemon.json");
        fs::write(&file, settings.file.as_deref().unwrap_or("{}"))?;
        let log = File::create(path.join("log"))?;
        // setpriv lets the engine end with the thread that started it, should that be killed. `exec` keeps the pid.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "dockerd"]);
        for (flag, value) in [
            ("--data-root", path.join("data")),
            ("--exec-root", path.join("exec")),
            ("--pidfile", path.join("pid")),
            ("--config-file", file),
        ] {
            command.arg(flag).arg(value);
        }
        command
            .arg("--host")
            .arg(format!("unix://{}", path.join("docker.sock").display()))
            .args(["--bridge=none", "--iptables=false"])
            .args(&settings.flags)
            .env_remove("DOCKER_TLS_VERIFY")
            .env_remove("DOCKER_CERT_PATH")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let daemon = command.spawn().context("failed to start dockerd")?;
        let mut lab = Self {
            daemon,
            folder: path,
            _folder: folder,
        };
        lab.wait()?;
        if settings.is_furnished {
            lab.furnish()?;
        }
        Ok(Some(lab))
    }

    fn wait(&mut self) -> Result<()> {
        let started = Instant::now();
        // A process is waited for, not time: it answers or it ends.
        loop {
            if self.get("/_ping").is_ok() {
                return Ok(());
            }
            let is_over = self.daemon.try_wait()?.is_some();
            if is_over || started.elapsed() > START {
                bail!("dockerd did not start:\n{}", self.log());
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn furnish(&self) -> Result<()> {
        let made = self.post("/volumes/create", &containers::disguised())?;
        made.get("Name").context("failed to make a volume")?;
        self.house(&lodgers(&self.folder))
    }

    /// Makes [`IMAGES`], and moves all of `lodgers` in.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn house(&self, lodgers: &[Lodger]) -> Result<()> {
        rootfs::images(self)?;
        // Each takes the engine about half a second, most of which it waits.
        together(lodgers, |lodger| self.add(lodger).map(drop))
    }

    /// Makes the image `repository:tag` of a file system in a tar archive.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn import(&self, repository: &str, tag: &str, archive: &[u8]) -> Result<()> {
        rootfs::import(self, &format!("repo={repository}&tag={tag}"), archive)
    }

    /// Makes a container, and starts it if it is to run.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn add(&self, lodger: &Lodger) -> Result<String> {
        let made = self.post(
            &format!("/containers/create?name={}", lodger.name),
            &lodger.config,
        )?;
        let id = made.get("Id").and_then(Value::as_str);
        let id = id.with_context(|| format!("failed to make {}: {made}", lodger.name))?;
        if lodger.runs {
            let answer = self.post(&format!("/containers/{id}/start"), &json!({}))?;
            if let Some(message) = answer.get("message") {
                bail!("failed to start {}: {message}", lodger.name);
            }
        }
        Ok(id.to_owned())
    }

    /// Where the engine listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join("docker.sock")
    }

    /// Where the engine keeps everything: `data`, `exec`, `config/daemon.json`, `log`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The engine's process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.daemon.id()
    }

    /// What the engine wrote.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Asks the engine for a document.
    ///
    /// # Errors
    /// When it gives no document.
    pub fn get(&self, path: &str) -> Result<Value> {
        api::ask(&self.socket(), "GET", path, "application/json", &[])
    }

    /// Sends the engine a document.
    ///
    /// # Errors
    /// When it gives no answer. A refusal is an answer with `message`.
    pub fn post(&self, path: &str, document: &Value) -> Result<Value> {
        let body = document.to_string();
        api::ask(
            &self.socket(),
            "POST",
            path,
            "application/json",
            body.as_bytes(),
        )
    }

    fn send(&self, path: &str, body: &[u8]) -> Result<Value> {
        api::ask(&self.socket(), "POST", path, "application/x-tar", body)
    }

    fn delete(&self, path: &str) -> Result<Value> {
        api::ask(&self.socket(), "DELETE", path, "application/json", &[])
    }
}

/// Does `work` for all of `items`, several at a time.
pub(crate) fn together<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let part = items.len().div_ceil(AT_ONCE).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = items
            .chunks(part)
            .map(|items| scope.spawn(|| items.iter().try_for_each(&work)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| match worker.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
    })
}

/// Why no engine can run here.
fn impossible() -> Option<String> {
    let is_there = |name: &str| {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).any(|folder| folder.join(name).is_file())
    };
    if !rustix::process::geteuid().is_root() {
        return Some("root, which dockerd needs,".to_owned());
    }
    for program in ["dockerd", "containerd", "runc", "setpriv"] {
        if !is_there(program) {
            return Some(program.to_owned());
        }
    }
    let is_static = Path::new("/usr/share/doc/busybox-static").exists();
    (!is_static).then(|| "busybox-static".to_owned())
}

#[expect(
    clippy::print_stderr,
    reason = "the test's reader must see that nothing was tested"
)]
fn did_not_run(what: &str) {
    let required = std::env::var_os("SEAREEVE_REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(
        !required,
        "{what} is missing, and SEAREEVE_REQUIRE_SHARED=1 requires it"
    );
    eprintln!("DID NOT RUN: {what} is missing");
}

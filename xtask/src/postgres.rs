//! A PostgreSQL server of the tests' own: a fresh cluster in a temporary folder, gone when it is dropped.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::shell::{is_root, signal};

/// How long starting and stopping may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
pub(crate) struct Postgres {
    server: Child,
    port: u16,
    // Removed last, after the server has ended.
    _folder: TempDir,
}

impl Postgres {
    /// Makes a cluster and starts its server on a free port of loopback.
    pub(crate) fn start() -> Result<Self> {
        let programs = programs().context("no PostgreSQL server is installed")?;
        // Not in `target/`, which the user `postgres` may not be allowed to enter.
        let folder = tempfile::Builder::new()
            .prefix("seareeve-postgres-")
            .tempdir()
            .context("failed to make a folder for PostgreSQL")?;
        let owner = if is_root() {
            Some(postgres_user()?)
        } else {
            None
        };
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group))
                .context("failed to give PostgreSQL its folder")?;
        }
        let log = folder.path().join("log");
        let command = |name: &str| -> Result<Command> {
            let log = File::options().append(true).create(true).open(&log)?;
            let mut command = Command::new(programs.join(name));
            command
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log);
            if let Some((user, group)) = owner {
                command.uid(user).gid(group);
            }
            Ok(command)
        };
        let made = command("initdb")?
            .args(["--pgdata=data", "--username=postgres", "--auth=trust"])
            .args(["--no-sync", "--encoding=UTF8", "--locale=C"])
            .status()
            .context("failed to start initdb")?;
        if !made.success() {
            bail!("initdb failed ({made}):\n{}", read(&log));
        }
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .context("failed to find a free port")?
            .port();
        let server = command("postgres")?
            .args([
                "-D",
                "data",
                "-h",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "-k",
            ])
            .arg(folder.path())
            // Its data lives for minutes: nothing needs to survive a power cut.
            .args([
                "-F",
                "-c",
                "synchronous_commit=off",
                "-c",
                "full_page_writes=off",
            ])
            .spawn()
            .context("failed to start postgres")?;
        let mut postgres = Self {
            server,
            port,
            _folder: folder,
        };
        let deadline = Instant::now() + PATIENCE;
        while !postgres.answers(&programs)? {
            if let Some(status) = postgres.server.try_wait()? {
                bail!("postgres ended ({status}):\n{}", read(&log));
            }
            if Instant::now() > deadline {
                bail!(
                    "postgres does not answer after {PATIENCE:?}:\n{}",
                    read(&log)
                );
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(postgres)
    }

    /// The address for clients.
    pub(crate) fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn answers(&self, programs: &Path) -> Result<bool> {
        let status = Command::new(programs.join("pg_isready"))
            .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
            .status()
            .context("failed to start pg_isready")?;
        Ok(status.success())
    }

    /// Ends the server without a checkpoint: its data is thrown away.
    fn stop(&mut self) -> Result<()> {
        if self.server.try_wait()?.is_some() {
            return Ok(());
        }
        // The server ends its own processes on SIGQUIT; killed outright, it would leave them behind.
        signal("QUIT", self.server.id())?;
        let deadline = Instant::now() + PATIENCE;
        while self.server.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.server.kill()?;
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("failed to stop postgres: {error:#}");
        }
    }
}

/// The folder of the newest installed server's programs.
pub(crate) fn programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, programs)| programs.join("initdb").is_file())
        .collect();
    versions.sort();
    versions.pop().map(|(_, programs)| programs)
}

/// User and group of `postgres`, as whom the server runs when we are root: as root it refuses.
fn postgres_user() -> Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").context("failed to read /etc/passwd")?;
    user_named(&users, "postgres").context("no user postgres on this machine")
}

fn user_named(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let user = fields.nth(1)?.parse().ok()?;
        Some((user, fields.next()?.parse().ok()?))
    })
}

fn read(log: &Path) -> String {
    fs::read_to_string(log).unwrap_or_else(|error| format!("(no log: {error})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_is_found_by_its_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgresql:x:9:9::/:/bin/sh\npostgres:x:104:112:PostgreSQL:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(user_named(users, "postgres"), Some((104, 112)));
        assert_eq!(user_named(users, "absent"), None);
    }

    #[test]
    fn server_answers_while_it_lives_and_leaves_nothing() {
        let Some(programs) = programs() else {
            assert!(
                std::env::var_os("SEAREEVE_TEST_POSTGRES").is_none(),
                "PostgreSQL is promised and not installed"
            );
            eprintln!("not run: no PostgreSQL server is installed");
            return;
        };
        let postgres = Postgres::start().unwrap();
        let folder = postgres._folder.path().to_path_buf();
        let query = Command::new(programs.join("psql"))
            .args(["-At", "-c", "select 40 + 2", &postgres.address()])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&query.stdout), "42\n");
        let server = postgres.server.id();
        drop(postgres);
        assert!(!folder.exists());
        assert!(!Path::new(&format!("/proc/{server}")).exists());
    }
}

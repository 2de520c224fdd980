//! The real server, as a user starts it: `seareeve up` with an empty data folder, ended by Ctrl-C.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::measure;
use crate::shell::{Shell, signal};

/// How long starting and draining may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `seareeve up`.
pub(crate) struct Server {
    process: Child,
    /// Where it listens: `http://127.0.0.1:<port>`.
    pub(crate) address: String,
    /// The one-time sign-in link that it printed.
    pub(crate) link: String,
    log: PathBuf,
    _data: TempDir,
}

impl Server {
    /// Starts it and waits for the link that it prints.
    pub(crate) fn start(shell: &Shell, binary: &Path) -> Result<Self> {
        let data = tempfile::tempdir().context("failed to make a data folder")?;
        let log = data.path().join("xtask-server.log");
        let output = File::create(&log).context("failed to make the server's log")?;
        let mut command = shell.product(binary);
        command
            .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.path().join("data"))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let process = command
            .spawn()
            .with_context(|| format!("failed to start {}", binary.display()))?;
        let mut server = Self {
            process,
            address: String::new(),
            link: String::new(),
            log,
            _data: data,
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some((address, link)) = sign_in_link(&server.printed()) {
                server.address = address.to_owned();
                server.link = link.to_owned();
                return Ok(server);
            }
            if let Some(status) = server.process.try_wait()? {
                bail!("`seareeve up` ended ({status}):\n{}", server.printed());
            }
            if Instant::now() > deadline {
                bail!(
                    "`seareeve up` printed no link in {PATIENCE:?}:\n{}",
                    server.printed()
                );
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64> {
        measure::resident_kib(self.process.id())
    }

    /// Memory of its own, without its program, in KiB.
    pub(crate) fn own_kib(&self) -> Result<u64> {
        measure::own_kib(self.process.id())
    }

    /// Everything it printed so far.
    pub(crate) fn printed(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_else(|error| format!("(no log: {error})"))
    }

    /// Ctrl-C: it must drain and end with exit code 0.
    pub(crate) fn stop(mut self) -> Result<()> {
        signal("INT", self.process.id())?;
        let deadline = Instant::now() + PATIENCE;
        let status: ExitStatus = loop {
            if let Some(status) = self.process.try_wait()? {
                break status;
            }
            if Instant::now() > deadline {
                bail!(
                    "`seareeve up` still runs {PATIENCE:?} after SIGINT:\n{}",
                    self.printed()
                );
            }
            thread::sleep(Duration::from_millis(20));
        };
        if !status.success() {
            bail!(
                "`seareeve up` ended with {status} after SIGINT:\n{}",
                self.printed()
            );
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already in the good case; an error here means the same.
        if matches!(self.process.try_wait(), Ok(None)) && self.process.kill().is_ok() {
            let _ended = self.process.wait();
        }
    }
}

/// The address and the link in what the server printed.
fn sign_in_link(printed: &str) -> Option<(&str, &str)> {
    // The last line may be half written: only whole ones count.
    let whole = printed.rfind('\n').and_then(|end| printed.get(..end))?;
    whole.split_whitespace().find_map(|word| {
        let (address, _) = word.split_once("/sign-in#token=")?;
        address.starts_with("http").then_some((address, word))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::workspace::Workspace;

    /// Starts a made-up server that prints the link and ends with `code` on SIGINT; then stops it.
    fn check(code: u8) -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("server");
        let script = format!(
            "#!/usr/bin/perl\n$| = 1; $SIG{{INT}} = sub {{ print \"bye\\n\"; exit {code} }};\n\
             print \"Open http://127.0.0.1:9/sign-in#token=t to sign in\\n\";\nsleep 1 while 1;\n"
        );
        fs::write(&binary, script).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        let shell = Shell::terminal(Workspace {
            root: folder.path().to_path_buf(),
            target: folder.path().to_path_buf(),
            shared: None,
        });
        let server = Server::start(&shell, &binary)?;
        assert_eq!(server.address, "http://127.0.0.1:9");
        assert_eq!(server.link, "http://127.0.0.1:9/sign-in#token=t");
        assert!(server.resident_kib()? > 100);
        assert!((1..=server.resident_kib()?).contains(&server.own_kib()?));
        server.stop()
    }

    #[test]
    fn server_must_end_with_success() {
        check(0).unwrap();
        let error = check(3).unwrap_err().to_string();
        assert!(
            error.starts_with("`seareeve up` ended with exit status: 3 after SIGINT:"),
            "{error}"
        );
        assert!(error.ends_with("bye\n"), "{error}");
    }

    #[test]
    fn link_is_read_once_its_line_is_whole() {
        let line = "Open http://127.0.0.1:40123/sign-in#token=abc_-1 to sign in";
        assert_eq!(sign_in_link(line), None);
        assert_eq!(
            sign_in_link(&format!("Seareeve 0.1.0\n{line}\n")),
            Some((
                "http://127.0.0.1:40123",
                "http://127.0.0.1:40123/sign-in#token=abc_-1"
            ))
        );
        assert_eq!(sign_in_link("listening on http://127.0.0.1:1\n"), None);
    }
}

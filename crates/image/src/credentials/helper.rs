//! Credential programs: `docker-credential-<name> get` reads the name of a registry and writes what it
//! knows as JSON (Docker's "Credential helper protocol").

use std::io::{self, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Deserialize;

use super::{Login, Secret};
use crate::watch::Watch;

/// How long a program may take. It may ask its user something.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a waiting look-up sees that it should stop.
const GLANCE: Duration = Duration::from_millis(50);

/// Longest answer that is read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Why a program gave no answer. The fault of the user's setup.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelperError {
    #[error("{0:?} is not the name of a credential program")]
    Name(String),
    #[error("docker-credential-{0} is not installed")]
    Missing(String),
    #[error("failed to run docker-credential-{name}: {source}")]
    Run { name: String, source: io::Error },
    #[error("docker-credential-{0} took longer than {PATIENCE:?}")]
    TooSlow(String),
    #[error("docker-credential-{name} failed: {status}")]
    Failed { name: String, status: ExitStatus },
    #[error("docker-credential-{0} gave an answer that is none")]
    Answer(String),
    #[error("cancelled")]
    Cancelled,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Asks the program at `program` for the login of `server`. `Ok(None)` when it knows none.
pub(super) fn get(
    name: &str,
    program: Option<&Utf8Path>,
    server: &str,
    watch: &Watch,
) -> Result<Option<Login>, HelperError> {
    if !is_name(name) {
        return Err(HelperError::Name(name.chars().take(100).collect()));
    }
    let program = program.ok_or_else(|| HelperError::Missing(name.to_owned()))?;
    let run = |source| HelperError::Run {
        name: name.to_owned(),
        source,
    };
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // The protocol has no use for it, and what it says may be secret.
        .stderr(Stdio::null())
        .spawn()
        .map_err(run)?;
    let asked = ask(&mut child, name, server, watch);
    if asked.is_err() {
        // It may have ended by itself, which is as good.
        let _ = child.kill();
    }
    let status = child.wait().map_err(run);
    let said = asked?;
    let status = status?;
    if !status.success() {
        // Not passed on: it is where the secret stands when all goes well.
        let said = String::from_utf8_lossy(&said);
        // The word of Docker's own library for "I have none".
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(HelperError::Failed {
            name: name.to_owned(),
            status,
        });
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(&said) else {
        return Err(HelperError::Answer(name.to_owned()));
    };
    Ok((!answer.secret.is_empty()).then(|| login(answer)))
}

/// Writes the question and reads until the program closes its output.
fn ask(child: &mut Child, name: &str, server: &str, watch: &Watch) -> Result<Vec<u8>, HelperError> {
    let deadline = Instant::now() + PATIENCE;
    let run = |source| HelperError::Run {
        name: name.to_owned(),
        source,
    };
    if let Some(mut input) = child.stdin.take() {
        // Shorter than a pipe holds, so this does not block. Who does not read it may still answer.
        let _ = input.write_all(server.as_bytes());
    }
    let Some(mut output) = child.stdout.take() else {
        return Err(HelperError::Answer(name.to_owned()));
    };
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if watch.is_stopped() {
            return Err(HelperError::Cancelled);
        }
        if Instant::now() > deadline {
            return Err(HelperError::TooSlow(name.to_owned()));
        }
        if !is_readable(&output).map_err(run)? {
            continue;
        }
        let read = output.read(&mut buffer).map_err(run)?;
        if read == 0 {
            break;
        }
        said.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if said.len() > LONGEST_ANSWER {
            return Err(HelperError::Answer(name.to_owned()));
        }
    }
    // It closed its output, so it is about to end.
    while child.try_wait().map_err(run)?.is_none() {
        if Instant::now() > deadline {
            return Err(HelperError::TooSlow(name.to_owned()));
        }
        if watch.pause(GLANCE).is_err() {
            return Err(HelperError::Cancelled);
        }
    }
    Ok(said)
}

/// Waits a moment for output. A reading thread would outlive a program that never closes it.
fn is_readable(output: &ChildStdout) -> io::Result<bool> {
    let glance = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(GLANCE.subsec_nanos()),
    };
    match poll(&mut [PollFd::new(output, PollFlags::IN)], Some(&glance)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn login(answer: Answer) -> Login {
    let secret = Secret::new(answer.secret);
    // The protocol's mark for "the secret is an identity token".
    if answer.username == "<token>" {
        Login::Identity(secret)
    } else {
        Login::Password {
            username: answer.username,
            password: secret,
        }
    }
}

/// A name becomes part of a path, so it must not lead anywhere.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

//! Programs that give credentials: what `users[].user.exec` of a kubeconfig names
//! (`client.authentication.k8s.io`, `ExecCredential`).

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::credentials::ClientCertificate;

/// Most bytes that a program may say.
const MAX_OUTPUT: u64 = 1 << 20;

/// How often it is looked whether it has ended, once its output has.
const LOOK: Duration = Duration::from_millis(10);

/// A program that gives credentials.
#[derive(Clone, Debug)]
pub struct Exec {
    /// Its name or path.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables for it, beside ours.
    pub environment: BTreeMap<String, String>,
    /// The version of the protocol.
    pub api_version: String,
    /// What it is told of the cluster, if it wants to.
    pub cluster: Option<Value>,
    /// How long it may take.
    pub time: Duration,
}

/// What a program gave.
pub(super) struct ExecCredential {
    pub(super) token: Option<Token>,
    pub(super) certificate: Option<ClientCertificate>,
}

pub(super) struct Token {
    pub(super) text: String,
    pub(super) expires: Option<SystemTime>,
}

/// Why a program gave nothing. Its fault, or the user's; what it says of its own accord is for its user's eyes and
/// not repeated.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExecError {
    #[error("failed to run {command}, which the kubeconfig names for credentials: {source}")]
    Start { command: String, source: io::Error },
    #[error("{command}, which gives the credentials, did not end within {seconds} seconds")]
    TooSlow { command: String, seconds: u64 },
    #[error("{command}, which gives the credentials, failed: {why}")]
    Failed { command: String, why: String },
}

impl Exec {
    /// Runs the program and waits for it.
    pub(super) fn run(&self) -> Result<ExecCredential, ExecError> {
        let mut spec = json!({"interactive": false});
        if let (Some(cluster), Some(spec)) = (&self.cluster, spec.as_object_mut()) {
            spec.insert("cluster".to_owned(), cluster.clone());
        }
        let info = json!({"apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec});
        let mut child = Command::new(&self.command)
            .args(&self.arguments)
            .envs(&self.environment)
            .env("KUBERNETES_EXEC_INFO", info.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| ExecError::Start {
                command: self.command.clone(),
                source,
            })?;
        let output = self.wait(&mut child);
        if output.is_err() {
            // It may have ended by itself.
            let _ended = child.kill();
            let _ended = child.wait();
        }
        self.read(&output?)
    }

    fn wait(&self, child: &mut Child) -> Result<Vec<u8>, ExecError> {
        let end = Instant::now()
            .checked_add(self.time)
            .unwrap_or_else(Instant::now);
        let too_slow = || ExecError::TooSlow {
            command: self.command.clone(),
            seconds: self.time.as_secs(),
        };
        let (send, receive) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            // Ends with the program's output, or when it is killed. What a grandchild holds open is left to it.
            std::thread::spawn(move || {
                let mut output = Vec::new();
                let read = stdout.take(MAX_OUTPUT).read_to_end(&mut output);
                // Nobody listens any more when it was too slow.
                let _told = send.send(read.map(|_| output));
            });
        }
        let left = end.saturating_duration_since(Instant::now());
        let output = match receive.recv_timeout(left) {
            Ok(output) => output.map_err(|error| self.failed(error.to_string()))?,
            Err(_timeout) => return Err(too_slow()),
        };
        loop {
            let status = child
                .try_wait()
                .map_err(|error| self.failed(error.to_string()))?;
            match status {
                Some(status) if status.success() => return Ok(output),
                Some(status) => return Err(self.failed(status.to_string())),
                None if Instant::now() >= end => return Err(too_slow()),
                None => std::thread::sleep(LOOK),
            }
        }
    }

    fn read(&self, output: &[u8]) -> Result<ExecCredential, ExecError> {
        let given: Value = serde_json::from_slice(output)
            .map_err(|_no_json| self.failed("its output is no JSON".to_owned()))?;
        let status = |name: &str| given.get("status")?.get(name)?.as_str();
        let token = status("token").map(|text| Token {
            text: text.to_owned(),
            expires: status("expirationTimestamp")
                .and_then(|time| time.parse::<jiff::Timestamp>().ok())
                .map(SystemTime::from),
        });
        let pair = status("clientCertificateData").zip(status("clientKeyData"));
        let certificate = pair.map(|(chain, key)| ClientCertificate {
            chain: chain.as_bytes().to_vec(),
            key: key.as_bytes().to_vec(),
        });
        if token.is_none() && certificate.is_none() {
            return Err(self.failed("it gave neither token nor certificate".to_owned()));
        }
        Ok(ExecCredential { token, certificate })
    }

    fn failed(&self, why: String) -> ExecError {
        ExecError::Failed {
            command: self.command.clone(),
            why,
        }
    }
}

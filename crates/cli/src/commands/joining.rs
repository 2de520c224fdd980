//! Joining a server: a join token is spent for a token of one's own, which is kept for later starts.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::time::Duration;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use seareeve_api::{Client, ClientError, Join};
use tracing::warn;

use crate::output::Messages;

/// The pause after the first failure; it doubles with each one that follows.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What somebody joins by, and where the token goes that comes of it.
#[derive(Clone, Debug)]
pub(crate) struct Joining {
    /// Who joins, for people: `this machine`.
    pub(crate) who: String,
    /// The server.
    pub(crate) server: String,
    /// The authority of its certificate (PEM), if browsers do not know it.
    pub(crate) authority: Option<Utf8PathBuf>,
    /// The join token.
    pub(crate) token: Option<String>,
    /// The file that it is in.
    pub(crate) token_file: Option<Utf8PathBuf>,
    /// The folder of the token that is got.
    pub(crate) folder: Utf8PathBuf,
    /// The name of its file there.
    pub(crate) file: &'static str,
    /// Whether a server that does not answer is waited for.
    pub(crate) is_patient: bool,
}

impl Joining {
    /// A client with the token that was got before, or that joining gives. `name` says what joins, for people.
    pub(crate) fn client(
        &self,
        name: impl FnOnce() -> String,
        messages: &Messages,
    ) -> anyhow::Result<Client> {
        let file = self.folder.join(self.file);
        match fs::read_to_string(&file) {
            Ok(token) => self.client_with(token.trim()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.join(name, messages),
            Err(error) => Err(error).with_context(|| format!("failed to read {file}")),
        }
    }

    /// Whether somebody joined here before.
    pub(crate) fn has_joined(&self) -> bool {
        self.folder.join(self.file).exists()
    }

    /// A client with this token.
    pub(crate) fn client_with(&self, token: &str) -> anyhow::Result<Client> {
        let authority = self.authority.as_deref().map(read_authority).transpose()?;
        Ok(Client::trusting(&self.server, token, authority.as_deref())?)
    }

    /// Spends the join token, and keeps what it gives.
    pub(crate) fn join(
        &self,
        name: impl FnOnce() -> String,
        messages: &Messages,
    ) -> anyhow::Result<Client> {
        let Some(token) = self.join_token()? else {
            bail!(
                "{} has not joined yet: make a join token in the UI under Hosts or Clusters, and give it with \
                 --join-file, SEAREEVE_JOIN_TOKEN or --join",
                self.who
            );
        };
        // Before the token is spent: one that cannot be kept would be lost.
        seareeve_server::make_private_folder(&self.folder)?;
        let name = Some(name()).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| "unnamed".to_owned());
        let join = Join {
            token,
            name,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let stranger = self.client_with("")?;
        let mut failures = 0;
        let joined = loop {
            match stranger.join(&join) {
                Ok(joined) => break joined,
                Err(error) if !self.is_patient || is_final(&error) => {
                    return Err(error).context("failed to join");
                }
                Err(error) => {
                    failures += 1;
                    warn!(
                        error = format!("{:#}", anyhow::Error::from(error)),
                        "not joined; it is tried again"
                    );
                    std::thread::sleep(pause(failures));
                }
            }
        };
        keep(&self.folder.join(self.file), &joined.token)?;
        messages.note(format!("joined {} as sensor {}", self.server, joined.id));
        self.client_with(&joined.token)
    }

    /// The join token, if there is one.
    pub(crate) fn join_token(&self) -> anyhow::Result<Option<String>> {
        if let Some(token) = &self.token {
            return Ok(Some(token.trim().to_owned()));
        }
        let Some(file) = &self.token_file else {
            return Ok(None);
        };
        match fs::read_to_string(file) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) => Err(error).with_context(|| format!("failed to read {file}")),
        }
    }
}

/// The authority of a server's certificate.
pub(crate) fn read_authority(file: &Utf8Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("failed to read the server's authority {file}"))
}

/// Whether trying again cannot help: what is sent, or who sends it, is not what the server wants.
pub(crate) fn is_final(error: &ClientError) -> bool {
    match error {
        ClientError::Refused { status, .. } => {
            // 408 and 429 pass by themselves, as does a server that fails.
            (400..500).contains(status) && ![408, 429].contains(status)
        }
        ClientError::Address(_) | ClientError::Clear(_) | ClientError::Authority(_) => true,
        ClientError::Foreign { .. }
        | ClientError::Stranger { .. }
        | ClientError::Network { .. } => false,
    }
}

/// How long to wait after so many failures.
pub(crate) fn pause(failures: u32) -> Duration {
    let doubled =
        FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(16)));
    doubled.min(LONGEST_PAUSE)
}

/// Writes a secret that only its owner can read, in one step.
fn keep(file: &Utf8Path, secret: &str) -> anyhow::Result<()> {
    let fresh = file.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let options = options.create(true).truncate(true).write(true).mode(0o600);
        let mut opened = options.open(&fresh)?;
        opened.set_permissions(fs::Permissions::from_mode(0o600))?;
        opened.write_all(secret.as_bytes())?;
        opened.sync_all()?;
        fs::rename(&fresh, file)
    };
    write().with_context(|| format!("failed to keep the token in {file}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let seconds: Vec<u64> = (1..=10).map(|failures| pause(failures).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }

    #[test]
    fn trying_again_is_for_what_may_pass() {
        let refused = |status| {
            is_final(&ClientError::Refused {
                status,
                code: String::new(),
                detail: String::new(),
                request_id: String::new(),
            })
        };
        assert_eq!([400, 401, 409, 413].map(refused), [true; 4]);
        assert_eq!([408, 429, 500, 503].map(refused), [false; 4]);
    }
}

//! Who we are to a cluster.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

use super::exec::{Exec, ExecCredential, ExecError, Token};

/// Longest token that is one.
const MAX_TOKEN: u64 = 1 << 20;

/// How long a token of a program that says no end is used.
const UNSAID: Duration = Duration::from_secs(600);

/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(30);

/// What goes into the `Authorization` header.
#[derive(Clone)]
pub enum Credentials {
    /// Nothing.
    None,
    /// A token as it is.
    Token(String),
    /// A file with a token, read anew for each request: in a pod, it is replaced each hour.
    TokenFile(Utf8PathBuf),
    /// A name and a password.
    Basic(String, String),
    /// A program that gives tokens, or certificates.
    Exec(Exec),
}

/// A certificate and its key, in PEM form.
#[derive(Clone)]
pub struct ClientCertificate {
    /// Certificates, own one first.
    pub chain: Vec<u8>,
    /// The own one's key.
    pub key: Vec<u8>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token(…)",
            Self::TokenFile(_) => "TokenFile(…)",
            Self::Basic(..) => "Basic(…)",
            Self::Exec(_) => "Exec(…)",
        })
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate(…)")
    }
}

/// Why there is nothing to show to the cluster. The user's fault, or a program's.
#[derive(Debug, thiserror::Error)]
pub(super) enum CredentialError {
    #[error("failed to read the token in {path}: {source}")]
    TokenFile {
        path: Utf8PathBuf,
        source: io::Error,
    },
    #[error(transparent)]
    Exec(#[from] ExecError),
}

/// What a program gave, and until when.
#[derive(Clone)]
struct Given {
    /// None where it gave a certificate only.
    token: Option<String>,
    until: SystemTime,
}

impl Given {
    fn new(token: Option<Token>) -> Self {
        let now = SystemTime::now();
        let expires = token.as_ref().and_then(|token| token.expires);
        let end = expires.and_then(|end| end.checked_sub(MARGIN));
        Self {
            token: token.map(|token| token.text),
            until: end.unwrap_or_else(|| now.checked_add(UNSAID).unwrap_or(now)),
        }
    }
}

/// Credentials, and what was got by them.
pub(super) struct Wallet {
    credentials: Credentials,
    given: Mutex<Option<Given>>,
}

impl Wallet {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            given: Mutex::new(None),
        }
    }

    /// The `Authorization` header, if there is one.
    pub(super) fn header(&self) -> Result<Option<String>, CredentialError> {
        use base64::Engine as _;
        Ok(match &self.credentials {
            Credentials::None => None,
            Credentials::Token(token) => Some(bearer(token)),
            Credentials::TokenFile(path) => Some(bearer(&read_token(path)?)),
            Credentials::Basic(name, password) => {
                let both = format!("{name}:{password}");
                let both = base64::engine::general_purpose::STANDARD.encode(both);
                Some(format!("Basic {both}"))
            }
            Credentials::Exec(exec) => self.exec(exec)?.map(|token| bearer(&token)),
        })
    }

    /// Forgets what a program gave: the cluster did not take it.
    pub(super) fn forget(&self) {
        *self.given() = None;
    }

    /// The certificate that a program gives; what else it gives is kept.
    pub(super) fn certificate(&self) -> Result<Option<ClientCertificate>, CredentialError> {
        let Credentials::Exec(exec) = &self.credentials else {
            return Ok(None);
        };
        let ExecCredential { token, certificate } = exec.run()?;
        *self.given() = Some(Given::new(token));
        Ok(certificate)
    }

    fn exec(&self, exec: &Exec) -> Result<Option<String>, CredentialError> {
        // Held while the program runs: others would start it, too.
        let mut given = self.given();
        let now = SystemTime::now();
        if let Some(given) = given.as_ref().filter(|given| given.until > now) {
            return Ok(given.token.clone());
        }
        let new = Given::new(exec.run()?.token);
        let token = new.token.clone();
        *given = Some(new);
        Ok(token)
    }

    fn given(&self) -> std::sync::MutexGuard<'_, Option<Given>> {
        // What a thread that panicked left behind is a token or none.
        self.given
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {}", token.trim())
}

fn read_token(path: &Utf8Path) -> Result<String, CredentialError> {
    let failed = |source| CredentialError::TokenFile {
        path: path.to_owned(),
        source,
    };
    let mut token = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_TOKEN).read_to_string(&mut token))
        .map_err(failed)?;
    Ok(token)
}

//! Tokens: where they come from, and how long they are kept.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::Value;
use ureq::http::Uri;

use super::assertion::{AssertionError, assertion};
use super::client::{AskError, Transport, shown};
use super::cloud::{Cloud, is_near};
use super::credentials::{Credentials, FileError, Secret, read};

/// A token is not shown any more for so long before its end, so that it does not end on its way.
const MARGIN: Duration = Duration::from_secs(300);
/// Longest token, and answer that holds one.
const MOST_ANSWER: u64 = 1 << 20;
/// How long tokens last that do not say it.
const UNSAID: Duration = Duration::from_secs(600);
/// Longest that a token is kept, whatever it says.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoginError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{path} cannot be used: {source}")]
    Certificate {
        path: camino::Utf8PathBuf,
        source: AssertionError,
    },
    #[error("{0}")]
    Ask(String),
    #[error("no token came: {0}")]
    Malformed(String),
}

struct Token {
    text: Secret,
    until: SystemTime,
}

/// Credentials, and the token that they got.
pub(super) struct Wallet {
    cloud: Cloud,
    credentials: Credentials,
    token: Mutex<Option<Token>>,
}

/// What comes for credentials. Entra ID writes seconds as numbers, the others as texts.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    expires_on: Value,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Wallet {
    pub(super) fn new(cloud: Cloud, credentials: Credentials) -> Self {
        Self {
            cloud,
            credentials,
            token: Mutex::new(None),
        }
    }

    /// The `Authorization` header.
    pub(super) fn header(&self, transport: &Transport) -> Result<String, LoginError> {
        // Held while a token is asked for: others would ask, too.
        let mut token = self.token();
        let now = SystemTime::now();
        if token.as_ref().is_none_or(|token| token.until <= now) {
            *token = Some(self.fetch(transport, now)?);
        }
        let text = token.as_ref().map_or("", |token| token.text.show());
        Ok(format!("Bearer {text}"))
    }

    /// Forgets the token: it was not taken.
    pub(super) fn forget(&self) {
        *self.token() = None;
    }

    fn fetch(&self, transport: &Transport, now: SystemTime) -> Result<Token, LoginError> {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let answer = match &self.credentials {
            Credentials::Secret {
                tenant,
                client,
                secret,
            } => self.principal(transport, tenant, client, ("client_secret", secret))?,
            Credentials::SecretFile {
                tenant,
                client,
                file,
            } => self.principal(transport, tenant, client, ("client_secret", &read(file)?))?,
            Credentials::Certificate {
                tenant,
                client,
                file,
            } => {
                let now = i64::try_from(seconds).unwrap_or(i64::MAX);
                let signed = assertion(&read(file)?, client, &self.token_address(tenant), now)
                    .map_err(|source| LoginError::Certificate {
                        path: file.clone(),
                        source,
                    })?;
                let signed = Secret::new(signed);
                self.principal(transport, tenant, client, ("client_assertion", &signed))?
            }
            Credentials::Federated {
                tenant,
                client,
                file,
            } => self.principal(
                transport,
                tenant,
                client,
                ("client_assertion", &read(file)?),
            )?,
            Credentials::AppService {
                endpoint,
                header,
                client,
            } => {
                let glue = if endpoint.contains('?') { '&' } else { '?' };
                let address = format!("{endpoint}{glue}api-version=2019-08-01");
                self.identity(
                    transport,
                    &address,
                    ("X-IDENTITY-HEADER", header.show()),
                    client,
                )?
            }
            Credentials::Machine { client } => {
                let address = format!(
                    "{}/metadata/identity/oauth2/token?api-version=2018-02-01",
                    self.cloud.metadata
                );
                // Without it nothing answers: a page that is led astray cannot set it.
                self.identity(transport, &address, ("Metadata", "true"), client)?
            }
        };
        token(&answer, now, seconds)
    }

    fn token_address(&self, tenant: &str) -> String {
        format!("{}/{tenant}/oauth2/v2.0/token", self.cloud.login)
    }

    /// Client credentials (RFC 6749, section 4.4; RFC 7523, section 2.2).
    fn principal(
        &self,
        transport: &Transport,
        tenant: &str,
        client: &str,
        (what, secret): (&str, &Secret),
    ) -> Result<Vec<u8>, LoginError> {
        let scope = self.cloud.scope();
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("scope", &scope),
            (what, secret.show()),
        ];
        if what == "client_assertion" {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            form.push(("client_assertion_type", kind));
        }
        let address = self.token_address(tenant);
        let (status, body) = transport
            .post(&address, &form, MOST_ANSWER)
            .map_err(|error| told(&error))?;
        answered(status, body, Some(secret))
    }

    fn identity(
        &self,
        transport: &Transport,
        address: &str,
        header: (&str, &str),
        client: &Option<String>,
    ) -> Result<Vec<u8>, LoginError> {
        let uri: Option<Uri> = address.parse().ok();
        if !uri.as_ref().and_then(Uri::host).is_some_and(is_near) {
            let why = "the identity of a machine is asked for on that machine only";
            return Err(LoginError::Ask(why.to_owned()));
        }
        let mut address = format!("{address}&resource={}", self.cloud.resource());
        if let Some(client) = client {
            address.push_str("&client_id=");
            address.push_str(client);
        }
        let (status, body) = transport
            .near(&address, header, MOST_ANSWER)
            .map_err(|error| told(&error))?;
        answered(status, body, None)
    }

    fn token(&self) -> MutexGuard<'_, Option<Token>> {
        // What a thread that panicked left behind is a token or none.
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told(error: &AskError) -> LoginError {
    LoginError::Ask(error.to_string())
}

fn answered(status: u16, body: Vec<u8>, secret: Option<&Secret>) -> Result<Vec<u8>, LoginError> {
    if status == 200 {
        return Ok(body);
    }
    let why = match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) => {
            // The first line says it; the others are numbers for Microsoft's support.
            let line = refusal.error_description.lines().next().unwrap_or_default();
            format!("{}: {line}", refusal.error)
        }
        Err(_no_refusal) => format!("status {status}"),
    };
    let why = match secret {
        Some(secret) => why.replace(secret.show(), "…"),
        None => why,
    };
    Err(LoginError::Malformed(shown(&why)))
}

fn token(body: &[u8], now: SystemTime, seconds: u64) -> Result<Token, LoginError> {
    // What is wrong with it could quote it.
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|_quoting| LoginError::Malformed("the answer is no token".to_owned()))?;
    let is_text = |c: char| c.is_ascii_graphic();
    if answer.access_token.is_empty() || !answer.access_token.chars().all(is_text) {
        return Err(LoginError::Malformed("the answer is no token".to_owned()));
    }
    let number = |value: &Value| match value {
        Value::String(text) => text.parse::<u64>().ok(),
        value => value.as_u64(),
    };
    let lasts = number(&answer.expires_in)
        .or_else(|| Some(number(&answer.expires_on)?.saturating_sub(seconds)))
        .map_or(UNSAID, Duration::from_secs)
        .min(LONGEST);
    // Short ones are shown for half of their time.
    let kept = lasts.checked_sub(MARGIN).unwrap_or(lasts / 2);
    Ok(Token {
        text: Secret::new(answer.access_token),
        until: now.checked_add(kept.max(lasts / 2)).unwrap_or(now),
    })
}

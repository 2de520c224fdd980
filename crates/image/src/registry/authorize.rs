//! Proving to a registry who we are, when it asks.
//!
//! What is shown goes to the registry that asked and to the token server that it names, and only where
//! nobody else can read along: over TLS, or on this machine. A registry without TLS gets nothing, because
//! whoever stands between could name a token server of theirs.

use std::io::Read as _;
use std::sync::PoisonError;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::http::{Response, StatusCode};

use super::address::Address;
use super::client::{Client, passes};
use super::token::{Bearer, Challenge, token};
use crate::credentials::{Found, Login};
use crate::{ReadError, Secret};

/// Longest answer of a token server that is read, in bytes.
const LONGEST_TOKEN: u64 = 256 * 1024;

/// How we introduce ourselves to token servers.
const CLIENT: &str = "seareeve";

/// Why a login was not used.
const UNHEARD: &str = "credentials are not sent without TLS";

/// What we show the registry, and what there is to say when that is not enough.
#[derive(Default)]
pub(super) struct Access {
    /// The `Authorization` header.
    pub(super) shown: Option<Secret>,
    login: Option<Login>,
    looked_up: bool,
    note: Option<String>,
}

impl Client {
    /// Does what the registry asks for. False when there is nothing new to show.
    pub(super) fn authorize(&self, challenge: &Challenge) -> Result<bool, ReadError> {
        let login = self.login()?;
        let shown = match challenge {
            Challenge::Basic => basic(login.as_ref()),
            Challenge::Bearer(bearer) => match login {
                Some(Login::Bearer(token)) => Some(token),
                login => self.fetch_token(bearer, login.as_ref())?,
            }
            .map(|token| Secret::new(format!("Bearer {}", token.expose()))),
        };
        let is_new = shown.is_some();
        self.access
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .shown = shown;
        Ok(is_new)
    }

    /// The error for "not you".
    pub(super) fn refused(&self) -> ReadError {
        let access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        let who = match &access.login {
            None => "anonymous users".to_owned(),
            Some(Login::Password { username, .. }) => {
                format!("the user {}", crate::problems::shown(username.as_bytes()))
            }
            Some(Login::Identity(_) | Login::Bearer(_)) => "the holder of our token".to_owned(),
        };
        ReadError::Unauthorized {
            registry: self.reference.registry().to_owned(),
            who,
            note: access
                .note
                .as_ref()
                .map(|note| format!(" ({note})"))
                .unwrap_or_default(),
        }
    }

    /// The login for the image, looked up once.
    fn login(&self) -> Result<Option<Login>, ReadError> {
        let mut access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        if access.looked_up {
            return Ok(access.login.clone());
        }
        let Found { login, failed } = self.credentials.find(&self.reference, &self.watch)?;
        if login.is_some() && !self.base.keeps_secrets() {
            access.note = Some(UNHEARD.to_owned());
        } else {
            access.note = failed.map(|error| error.to_string());
            access.login = login;
        }
        access.looked_up = true;
        Ok(access.login.clone())
    }

    /// Fetches a token. `None` when the server gives none: then the registry's own refusal tells the most.
    fn fetch_token(
        &self,
        bearer: &Bearer,
        login: Option<&Login>,
    ) -> Result<Option<Secret>, ReadError> {
        let repository = self.reference.repository();
        let not_allowed = || self.network("its token server is not an https address");
        let realm = Address::parse(&bearer.realm, &self.plain).ok_or_else(not_allowed)?;
        // A registry that may be trusted can still name a token server that others listen to.
        let is_heard = !realm.keeps_secrets();
        if is_heard && login.is_some() {
            let mut access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
            access.note = Some(UNHEARD.to_owned());
        }
        let login = login.filter(|_| !is_heard);
        let response = match login {
            Some(Login::Identity(identity)) => {
                let form = bearer.form(repository, CLIENT, identity.expose());
                self.post(&realm, &form)?
            }
            login => {
                let address = Address::parse(&bearer.address(repository), &self.plain)
                    .ok_or_else(not_allowed)?;
                self.ask_token(&address, basic(login).as_ref())?
            }
        };
        self.read_token(response, login.is_some())
    }

    fn read_token(
        &self,
        response: Response<ureq::Body>,
        is_login: bool,
    ) -> Result<Option<Secret>, ReadError> {
        let status = response.status();
        if passes(status) {
            let status = status.as_u16();
            return Err(self.network(format!("its token server answered with status {status}")));
        }
        if is_login && status != StatusCode::OK {
            let status = status.as_u16();
            let note = format!("its token server answered our credentials with status {status}");
            let mut access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
            access.note = Some(note);
        }
        let mut json = Vec::new();
        response
            .into_body()
            .into_reader()
            .take(LONGEST_TOKEN)
            .read_to_end(&mut json)
            .map_err(|error| self.network(error))?;
        Ok(token(&json))
    }
}

/// RFC 7617. Tokens are no passwords: they are not shown where one is asked for.
fn basic(login: Option<&Login>) -> Option<Secret> {
    match login {
        Some(Login::Password { username, password }) => {
            let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
            Some(Secret::new(format!("Basic {pair}")))
        }
        Some(Login::Identity(_) | Login::Bearer(_)) | None => None,
    }
}

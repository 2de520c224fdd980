//! Docker's `config.json` and Podman's `auth.json` (containers-auth.json(5)): the same form.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8Path;
use seareeve_model::ImageReference;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::key::Key;
use super::{Login, Secret};

/// Longest file that is read. Real ones have a few hundred bytes.
const LONGEST_FILE: u64 = 1 << 20;

/// What is wrong with something that stands where an entry should.
const NO_ENTRY: &str = "it has not the form of an entry";

/// Why credentials could not be read. The fault of whoever wrote the file; nothing secret is in the text.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file is there, but cannot be read.
    #[error("failed to read the credentials in {path}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not what such a file is.
    #[error("the credentials in {path} are not read: {why}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// One entry is not what an entry is; the others are used.
    #[error("the credentials for {entry:?} in {path} are not used: {why}")]
    Entry {
        /// The file.
        path: String,
        /// The entry's key.
        entry: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// One file, read.
#[derive(Clone, Debug)]
pub(super) struct File {
    logins: Vec<(Key, Login)>,
    /// Which program knows the credentials of a registry.
    helpers: Vec<(Key, String)>,
    /// The program that knows all others.
    store: Option<String>,
}

/// What a file says about an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    Login(&'a Login),
    /// Ask the program `docker-credential-` and this.
    Helper(&'a str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    auths: Option<BTreeMap<String, Either<Auth>>>,
    #[serde(default)]
    cred_helpers: Option<BTreeMap<String, Either<String>>>,
    #[serde(default)]
    creds_store: Option<String>,
}

/// An entry, or something else in its place.
#[derive(Deserialize)]
#[serde(untagged)]
enum Either<T> {
    Entry(T),
    Other(IgnoredAny),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

impl File {
    /// `None` when there is no such file, or with an error.
    pub(super) fn read(path: &Utf8Path, errors: &mut Vec<CredentialError>) -> Option<Self> {
        let json = match read(path) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(source) => {
                let path = path.to_string();
                errors.push(CredentialError::Io { path, source });
                return None;
            }
        };
        match serde_json::from_slice(&json) {
            Ok(document) => Some(Self::from_document(document, path, errors)),
            Err(error) => {
                // Only the place: the message could quote a secret.
                let why = format!("line {} is not what was expected", error.line());
                errors.push(CredentialError::Malformed {
                    path: path.to_string(),
                    why,
                });
                None
            }
        }
    }

    fn from_document(
        document: Document,
        path: &Utf8Path,
        errors: &mut Vec<CredentialError>,
    ) -> Self {
        let mut refuse = |entry: &str, why| {
            errors.push(CredentialError::Entry {
                path: path.to_string(),
                entry: entry.chars().take(200).collect(),
                why,
            });
        };
        let mut file = Self {
            logins: Vec::new(),
            helpers: Vec::new(),
            store: document.creds_store.filter(|name| !name.is_empty()),
        };
        for (name, auth) in document.auths.into_iter().flatten() {
            let Either::Entry(auth) = auth else {
                refuse(&name, NO_ENTRY);
                continue;
            };
            match (Key::parse(&name), auth.login()) {
                (None, _) => refuse(&name, "it names no registry"),
                (Some(_), Err(why)) => refuse(&name, why),
                // Docker leaves an empty entry where a program has the credentials.
                (Some(_), Ok(None)) => {}
                (Some(key), Ok(Some(login))) => file.logins.push((key, login)),
            }
        }
        for (name, helper) in document.cred_helpers.into_iter().flatten() {
            let Either::Entry(helper) = helper else {
                refuse(&name, NO_ENTRY);
                continue;
            };
            match Key::parse(&name) {
                None => refuse(&name, "it names no registry"),
                // Docker's way to say "not the program that has all others".
                Some(_) if helper.is_empty() => {}
                Some(key) => file.helpers.push((key, helper)),
            }
        }
        file
    }

    /// What is to be done for an image: the entry that names the most of it.
    pub(super) fn entry(&self, image: &ImageReference) -> Option<Entry<'_>> {
        let helper = best(&self.helpers, image).map(|(fit, name)| (fit, name.as_str()));
        let login = best(&self.logins, image);
        match (helper, login) {
            (Some((ours, _)), Some((theirs, login))) if theirs > ours => Some(Entry::Login(login)),
            (Some((_, name)), _) => Some(Entry::Helper(name)),
            // The store is asked first, as Docker does, unless an entry is for this image in particular.
            (None, Some((fit, login))) if fit > 0 || self.store.is_none() => {
                Some(Entry::Login(login))
            }
            (None, _) => self.store.as_deref().map(Entry::Helper),
        }
    }

    /// What the file itself says, when the program knew nothing.
    pub(super) fn login(&self, image: &ImageReference) -> Option<&Login> {
        best(&self.logins, image).map(|(_, login)| login)
    }
}

fn best<'a, T>(entries: &'a [(Key, T)], image: &ImageReference) -> Option<(usize, &'a T)> {
    entries
        .iter()
        .filter_map(|(key, value)| Some((key.fits(image)?, value)))
        .max_by_key(|(fit, _)| *fit)
}

impl Auth {
    fn login(self) -> Result<Option<Login>, &'static str> {
        if !self.registrytoken.is_empty() {
            return Ok(Some(Login::Bearer(Secret::new(self.registrytoken))));
        }
        if !self.identitytoken.is_empty() {
            return Ok(Some(Login::Identity(Secret::new(self.identitytoken))));
        }
        if !self.auth.is_empty() {
            return decode(&self.auth).map(Some);
        }
        if self.username.is_empty() {
            return Ok(None);
        }
        Ok(Some(Login::Password {
            username: self.username,
            password: Secret::new(self.password),
        }))
    }
}

/// Reads `auth`: name, colon and password in base64.
fn decode(auth: &str) -> Result<Login, &'static str> {
    let Ok(bytes) = STANDARD.decode(auth.trim()) else {
        return Err("its auth is not base64");
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return Err("its auth is not text");
    };
    let Some((username, password)) = text.split_once(':') else {
        return Err("its auth has no colon between name and password");
    };
    Ok(Login::Password {
        username: username.to_owned(),
        // Some versions of Docker fill up with NUL.
        password: Secret::new(password.trim_end_matches('\0')),
    })
}

fn read(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let mut json = Vec::new();
    std::fs::File::open(path)?
        .take(LONGEST_FILE)
        .read_to_end(&mut json)?;
    Ok(json)
}

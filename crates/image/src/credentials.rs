//! Who we are to which registry.
//!
//! Nothing here looks at the environment: the binary says which files to read and where programs are.
//! Credentials are looked up only after a registry asked for them, so that no credential program runs for
//! a public image, and they are shown to nobody but the registry they are for (`registry/authorize.rs`).

mod file;
mod helper;
mod key;
mod secret;

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_model::ImageReference;

use crate::watch::Watch;
use crate::{Environment, ReadError};

use file::{Entry, File};

pub use file::CredentialError;
pub(crate) use helper::HelperError;
pub use key::{RegistryName, RegistryNameError};
pub use secret::Secret;

/// What one registry takes for a proof of who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// A name and a password, or what stands for one, such as a personal access token.
    Password {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token (OAuth 2), which `docker login` calls an identity token: it is exchanged for a
    /// token that pulls.
    Identity(Secret),
    /// A token that is shown to the registry as it is.
    Bearer(Secret),
}

/// What we may say to whom. The default says nothing to anyone.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    given: Vec<(RegistryName, Login)>,
    files: Vec<File>,
    /// Folders with credential programs.
    programs: Vec<Utf8PathBuf>,
}

impl Credentials {
    /// Reads every file of [`Environment::credential_files`] that there is. What cannot be read is an
    /// error beside what can: a broken file must not keep public images from being read.
    #[must_use]
    pub fn load(environment: &Environment) -> (Self, Vec<CredentialError>) {
        Self::from_files(&environment.credential_files(), environment.programs())
    }

    /// Reads these files, the first one first, passing over those that do not exist. They have the form of
    /// Docker's `config.json` or Podman's `auth.json`. `programs` are the folders in which the credential
    /// programs that they name are looked for.
    #[must_use]
    pub fn from_files(
        files: &[Utf8PathBuf],
        programs: Vec<Utf8PathBuf>,
    ) -> (Self, Vec<CredentialError>) {
        let mut credentials = Self {
            programs,
            ..Self::default()
        };
        let mut errors = Vec::new();
        for path in files {
            if let Some(file) = File::read(path, &mut errors) {
                credentials.files.push(file);
            }
        }
        (credentials, errors)
    }

    /// Uses `login` for `registry`, before anything in files.
    #[must_use]
    pub fn with(mut self, registry: RegistryName, login: Login) -> Self {
        self.given.push((registry, login));
        self
    }

    /// The login for an image. Blocks while a credential program runs.
    pub(crate) fn find(&self, image: &ImageReference, watch: &Watch) -> Result<Found, ReadError> {
        let mut found = Found::default();
        let registry = key::Key::of_registry(image.registry());
        let given = self
            .given
            .iter()
            .rfind(|(name, _)| *name.key() == registry)
            .map(|(_, login)| login.clone());
        if given.is_some() {
            found.login = given;
            return Ok(found);
        }
        for file in &self.files {
            match file.entry(image) {
                Some(Entry::Login(login)) => {
                    found.login = Some(login.clone());
                    return Ok(found);
                }
                Some(Entry::Helper(name)) => {
                    let program = self.program(name);
                    match helper::get(name, program.as_deref(), &registry.server(), watch) {
                        Ok(Some(login)) => {
                            found.login = Some(login);
                            return Ok(found);
                        }
                        Ok(None) => {}
                        Err(HelperError::Cancelled) => return Err(ReadError::Cancelled),
                        Err(error) => found.failed = Some(error),
                    }
                    // Docker keeps nothing beside a program, but other tools write both.
                    if let Some(login) = file.login(image) {
                        found.login = Some(login.clone());
                        return Ok(found);
                    }
                }
                None => {}
            }
        }
        Ok(found)
    }

    fn program(&self, name: &str) -> Option<Utf8PathBuf> {
        self.programs
            .iter()
            // A relative folder would run whatever the current directory holds.
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(format!("docker-credential-{name}")))
            .find(|program| Utf8Path::is_file(program))
    }
}

/// What a look-up gave.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) login: Option<Login>,
    /// A program that could not be asked: worth saying when the registry then refuses us.
    pub(crate) failed: Option<HelperError>,
}

//! Registries that want to know who asks, or are spoken to in another way than the public ones: section
//! `scan.registries`.

use std::fmt;
use std::str::FromStr as _;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use seareeve_image::{Authorities, Login, Options, RegistryName, Secret};
use seareeve_model::ImageReference;
use serde::{Deserialize, Serialize, Serializer};

/// One table of `scan.registries`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryConfig {
    /// As references name it: `registry.example:5000`.
    pub host: String,
    /// Who asks. Empty: nobody in particular.
    pub username: String,
    /// The password, or an access token. `password_file` keeps it out of the settings.
    pub password: Password,
    /// A file that holds the password and nothing else; line ends around it do not count.
    pub password_file: Utf8PathBuf,
    /// Speaks HTTP without TLS. No password is shown to such a registry.
    pub plain_http: bool,
    /// A file with certificates (PEM) of authorities that are trusted for this registry besides the usual ones.
    pub ca_cert: Utf8PathBuf,
}

/// A password. It does not print, and settings that are shown do not show it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Takes the text as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "…" })
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_empty() { "" } else { "…" })
    }
}

impl RegistryConfig {
    /// What makes no sense, in words.
    pub(crate) fn fault(&self) -> Option<String> {
        let host = &self.host;
        if let Err(error) = RegistryName::from_str(host) {
            return Some(error.to_string());
        }
        let has_file = !self.password_file.as_str().is_empty();
        let has_password = !self.password.0.is_empty();
        if has_file && has_password {
            return Some(format!("{host} has both a password and a password_file"));
        }
        if self.username.is_empty() == (has_file || has_password) {
            return Some(format!(
                "{host} needs a username and a password, or neither"
            ));
        }
        if self.plain_http && !self.username.is_empty() {
            return Some(format!(
                "a password is not shown to {host} over plain HTTP: use TLS, with ca_cert if its authority is your own"
            ));
        }
        None
    }
}

/// What is known of private registries.
pub(crate) struct Registries(Vec<Registry>);

struct Registry {
    name: RegistryName,
    login: Option<Login>,
    plain_http: bool,
    authorities: Authorities,
}

impl Registries {
    /// Reads the files that the settings name.
    pub(crate) fn load(configs: &[RegistryConfig]) -> anyhow::Result<Self> {
        let registries = configs.iter().map(Registry::load);
        Ok(Self(registries.collect::<anyhow::Result<_>>()?))
    }

    /// Whether the settings say how to speak to an image's registry.
    pub(crate) fn has(&self, image: &ImageReference) -> bool {
        let name = RegistryName::of(image);
        self.0.iter().any(|registry| registry.name == name)
    }

    /// Makes `options` fit to read this image. What is for one registry is given to no other.
    pub(crate) fn prepare(&self, image: &ImageReference, options: &mut Options) {
        let name = RegistryName::of(image);
        let Some(registry) = self.0.iter().rfind(|registry| registry.name == name) else {
            return;
        };
        options.authorities = registry.authorities.clone();
        if registry.plain_http {
            options.plain_http.push(image.registry().to_owned());
        }
        if let Some(login) = &registry.login {
            let credentials = std::mem::take(&mut options.credentials);
            options.credentials = credentials.with(name, login.clone());
        }
    }
}

impl Registry {
    fn load(config: &RegistryConfig) -> anyhow::Result<Self> {
        let password = match config.password_file.as_path() {
            path if path.as_str().is_empty() => config.password.0.clone(),
            path => {
                let text = std::fs::read_to_string(path).with_context(|| {
                    format!("failed to read the password of {} in {path}", config.host)
                })?;
                text.trim_matches(['\r', '\n']).to_owned()
            }
        };
        let mut authorities = Authorities::default();
        if !config.ca_cert.as_str().is_empty() {
            let path = &config.ca_cert;
            let failed = || {
                format!(
                    "failed to read the authorities of {} in {path}",
                    config.host
                )
            };
            let pem = std::fs::read(path).with_context(failed)?;
            authorities.add_pem(&pem).with_context(failed)?;
        }
        Ok(Self {
            name: config.host.parse()?,
            login: (!config.username.is_empty()).then(|| Login::Password {
                username: config.username.clone(),
                password: Secret::new(password),
            }),
            plain_http: config.plain_http,
            authorities,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private() -> RegistryConfig {
        RegistryConfig {
            host: "registry.example:5000".to_owned(),
            username: "robot".to_owned(),
            password: Password::new("secret"),
            ..RegistryConfig::default()
        }
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        assert_eq!(private().fault(), None);
        type Case = (&'static str, fn(&mut RegistryConfig));
        let cases: [Case; 5] = [
            ("is not a registry", |r| r.host = "team/app:1".to_owned()),
            ("both a password and a password_file", |r| {
                r.password_file = "p".into();
            }),
            ("needs a username", |r| r.username.clear()),
            ("needs a username", |r| r.password = Password::default()),
            ("over plain HTTP", |r| r.plain_http = true),
        ];
        for (words, spoil) in cases {
            let mut config = private();
            spoil(&mut config);
            let fault = config.fault().unwrap();
            assert!(fault.contains(words), "{fault}");
        }
    }

    #[test]
    fn a_password_shows_nowhere() {
        assert!(!format!("{:?}", private()).contains("secret"));
        let shown = serde_json::to_string(&private()).unwrap();
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn what_is_for_one_registry_is_given_to_no_other() {
        let plain = RegistryConfig {
            host: "plain.example".to_owned(),
            plain_http: true,
            ..RegistryConfig::default()
        };
        let registries = Registries::load(&[private(), plain]).unwrap();
        let given = |reference: &str| {
            let mut options = Options::default();
            registries.prepare(&reference.parse().unwrap(), &mut options);
            (format!("{:?}", options.credentials), options.plain_http)
        };
        let none = format!("{:?}", seareeve_image::Credentials::default());
        assert!(given("REGISTRY.example:5000/a:1").0.contains("robot"));
        assert_eq!(given("registry.example/a:1"), (none.clone(), vec![]));
        let plain = vec!["plain.example".to_owned()];
        assert_eq!(given("plain.example/a:1"), (none, plain));
    }
}

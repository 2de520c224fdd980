//! Who asks: a service principal with a secret or a certificate, or an identity that Azure manages.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use ureq::http::Uri;

use super::cloud::is_near;

/// Largest file with a secret, a token or a certificate with its chain.
const MOST_BYTES: u64 = 256 * 1024;
/// Longest id of a tenant or an application.
const MOST_ID: usize = 128;

/// A text that is shown to Azure only. It does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A service principal with a secret.
    Secret {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
        /// Its secret.
        secret: Secret,
    },
    /// The same with the secret in a file, which is read anew for each token: it may be exchanged meanwhile.
    SecretFile {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
        /// Holds the secret and nothing else; line ends around it do not count.
        file: Utf8PathBuf,
    },
    /// A service principal with a certificate.
    Certificate {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
        /// Certificate and RSA key in PEM form.
        file: Utf8PathBuf,
    },
    /// A service principal that trusts somebody else's tokens: workload identity in a cluster, or a build system's.
    Federated {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
        /// Holds the token of the others, and is exchanged before that ends.
        file: Utf8PathBuf,
    },
    /// The identity of an application of App Service, Functions or Container Apps.
    AppService {
        /// `IDENTITY_ENDPOINT`.
        endpoint: String,
        /// `IDENTITY_HEADER`.
        header: Secret,
        /// The identity, where there are several.
        client: Option<String>,
    },
    /// The identity of the virtual machine that this runs on.
    Machine {
        /// The identity, where there are several.
        client: Option<String>,
    },
}

/// Credentials that cannot be ones. The user's fault.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Some of them are there, and some are not.
    #[error("{what} is missing: {given} alone is not enough")]
    Missing {
        /// What.
        what: &'static str,
        /// What is there.
        given: &'static str,
    },
    /// An id has characters that no id has.
    #[error("{what} cannot be an id: letters, digits, points and hyphens are wanted")]
    Id {
        /// Whose.
        what: &'static str,
    },
    /// Where tokens are asked for is not this machine.
    #[error("IDENTITY_ENDPOINT is no address on this machine")]
    Endpoint,
}

/// Why a file that credentials are in cannot be used. The user's fault.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("failed to read {path}: {source}")]
    Unreadable {
        path: Utf8PathBuf,
        source: io::Error,
    },
    #[error("{path} is larger than any secret, token or certificate")]
    TooLarge { path: Utf8PathBuf },
    #[error("{path} is empty")]
    Empty { path: Utf8PathBuf },
}

impl Secret {
    /// Takes the text as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn show(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Credentials {
    /// Those that the variables of Azure's own tools name, in the order in which these look: a secret, a certificate, a
    /// federated token, an application's identity, the machine's.
    ///
    /// # Errors
    /// When they contradict each other or are not whole.
    pub fn from_variables(
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, CredentialsError> {
        let (tenant, client) = (variable("AZURE_TENANT_ID"), variable("AZURE_CLIENT_ID"));
        let principal = |given: &'static str| -> Result<(String, String), CredentialsError> {
            let missing = |what| CredentialsError::Missing { what, given };
            Ok((
                tenant.clone().ok_or(missing("AZURE_TENANT_ID"))?,
                client.clone().ok_or(missing("AZURE_CLIENT_ID"))?,
            ))
        };
        let found = if let Some(secret) = variable("AZURE_CLIENT_SECRET") {
            let (tenant, client) = principal("AZURE_CLIENT_SECRET")?;
            Self::Secret {
                tenant,
                client,
                secret: Secret::new(secret),
            }
        } else if let Some(file) = variable("AZURE_CLIENT_CERTIFICATE_PATH") {
            let (tenant, client) = principal("AZURE_CLIENT_CERTIFICATE_PATH")?;
            let file = file.into();
            Self::Certificate {
                tenant,
                client,
                file,
            }
        } else if let Some(file) = variable("AZURE_FEDERATED_TOKEN_FILE") {
            let (tenant, client) = principal("AZURE_FEDERATED_TOKEN_FILE")?;
            let file = file.into();
            Self::Federated {
                tenant,
                client,
                file,
            }
        } else if let Some(endpoint) = variable("IDENTITY_ENDPOINT") {
            let header = variable("IDENTITY_HEADER").ok_or(CredentialsError::Missing {
                what: "IDENTITY_HEADER",
                given: "IDENTITY_ENDPOINT",
            })?;
            Self::AppService {
                endpoint,
                header: Secret::new(header),
                client,
            }
        } else {
            Self::Machine { client }
        };
        found.checked()
    }

    /// The same, if they can be credentials.
    ///
    /// # Errors
    /// When an id is none, or a token would be asked for elsewhere than on this machine.
    pub fn checked(self) -> Result<Self, CredentialsError> {
        let (tenant, client) = match &self {
            Self::Secret { tenant, client, .. }
            | Self::SecretFile { tenant, client, .. }
            | Self::Certificate { tenant, client, .. }
            | Self::Federated { tenant, client, .. } => (Some(tenant), Some(client)),
            Self::AppService { client, .. } | Self::Machine { client } => (None, client.as_ref()),
        };
        for (what, id) in [("the tenant", tenant), ("the application", client)] {
            if id.is_some_and(|id| !is_id(id)) {
                return Err(CredentialsError::Id { what });
            }
        }
        if let Self::AppService { endpoint, .. } = &self {
            let uri: Option<Uri> = endpoint.parse().ok();
            let host = uri.as_ref().and_then(Uri::host);
            if !host.is_some_and(is_near) {
                return Err(CredentialsError::Endpoint);
            }
        }
        Ok(self)
    }

    /// For people: who it is, never by what.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Self::Secret { tenant, client, .. } | Self::SecretFile { tenant, client, .. } => {
                format!("the application {client} of {tenant}, by a secret")
            }
            Self::Certificate { tenant, client, .. } => {
                format!("the application {client} of {tenant}, by a certificate")
            }
            Self::Federated { tenant, client, .. } => {
                format!("the application {client} of {tenant}, by a federated token")
            }
            Self::AppService { .. } => "the identity of this application".to_owned(),
            Self::Machine { .. } => "the identity of this machine".to_owned(),
        }
    }
}

fn is_id(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    (1..=MOST_ID).contains(&text.len())
        && text.chars().all(is_part)
        && !text.trim_matches('.').is_empty()
}

/// The text of a file that holds a secret or a token.
pub(super) fn read(path: &Utf8Path) -> Result<Secret, FileError> {
    let failed = |source| FileError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MOST_BYTES.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(FileError::TooLarge {
            path: path.to_owned(),
        });
    }
    let text = text.trim_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(FileError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Credentials, CredentialsError> {
        Credentials::from_variables(&|name| {
            let found = pairs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn variables_name_credentials_as_for_other_tools() {
        let principal = [("AZURE_TENANT_ID", "t-1"), ("AZURE_CLIENT_ID", "c-1")];
        let with = |name, value| of(&[principal[0], principal[1], (name, value)]).unwrap();
        assert_eq!(
            with("AZURE_CLIENT_SECRET", "word").about(),
            "the application c-1 of t-1, by a secret"
        );
        assert!(matches!(
            with("AZURE_CLIENT_CERTIFICATE_PATH", "/c.pem"),
            Credentials::Certificate { .. }
        ));
        assert!(matches!(
            with("AZURE_FEDERATED_TOKEN_FILE", "/token"),
            Credentials::Federated { .. }
        ));
        let found = of(&[
            ("IDENTITY_ENDPOINT", "http://127.0.0.1:41/msi/token"),
            ("IDENTITY_HEADER", "h"),
        ]);
        assert!(matches!(found, Ok(Credentials::AppService { .. })));
        assert_eq!(of(&[]).unwrap(), Credentials::Machine { client: None });
    }

    #[test]
    fn half_of_it_is_no_other_kind() {
        for pairs in [
            vec![("AZURE_CLIENT_SECRET", "word")],
            vec![("AZURE_CLIENT_SECRET", "word"), ("AZURE_TENANT_ID", "t")],
            vec![("IDENTITY_ENDPOINT", "http://127.0.0.1/")],
            vec![
                ("IDENTITY_ENDPOINT", "http://elsewhere.example/"),
                ("IDENTITY_HEADER", "h"),
            ],
            vec![("AZURE_CLIENT_ID", "../x")],
        ] {
            assert!(of(&pairs).is_err(), "{pairs:?}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let credentials = Credentials::Secret {
            tenant: "t".to_owned(),
            client: "c".to_owned(),
            secret: Secret::new("hunter2"),
        };
        assert!(!format!("{credentials:?}{}", credentials.about()).contains("hunter2"));
    }
}

//! Connectors: what is stored of them, and how they become credentials. Secrets are named and read when they are needed;
//! whoever may make connectors can name files of one folder only, and variables that are meant for it.

use anyhow::Context as _;
use seareeve_api::ConnectorCredentials;
use seareeve_collect::azure::{Cloud, Credentials, Secret};
use seareeve_store::connectors::Connector;
use serde::{Deserialize, Serialize};

use crate::config::Config;

/// The only kind.
pub(crate) const AZURE: &str = "azure";
/// The cloud whose addresses stand in the settings.
const CUSTOM: &str = "custom";
/// Longest name of a file or a variable.
const MOST_NAME: usize = 200;

/// What a connector of the kind `azure` wants to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AzureSettings {
    /// Which cloud.
    pub(crate) cloud: String,
    /// Who asks.
    pub(crate) credentials: ConnectorCredentials,
    /// Which subscriptions.
    pub(crate) subscriptions: Vec<String>,
}

impl AzureSettings {
    /// Those of a connector.
    pub(crate) fn of(connector: &Connector) -> anyhow::Result<Self> {
        serde_json::from_str(&connector.settings)
            .with_context(|| format!("failed to understand the connector {}", connector.name))
    }

    /// The cloud that they name.
    pub(crate) fn cloud(&self, config: &Config) -> anyhow::Result<Cloud> {
        if self.cloud == CUSTOM {
            return config
                .custom_azure()
                .context("the settings name no Azure of your own: connectors.azure_login_address");
        }
        Cloud::named(&self.cloud).with_context(|| {
            let known = Cloud::NAMES.join(", ");
            format!("{} is no cloud: use {known} or {CUSTOM}", self.cloud)
        })
    }

    /// The credentials that they name. Files are not read yet; variables that are not there are an error.
    pub(crate) fn credentials(&self, config: &Config) -> anyhow::Result<Credentials> {
        let variables = &config.variables;
        let variable = |name: &str| {
            let value = variables.get(name).map(str::to_owned);
            value.with_context(|| format!("the server has no environment variable {name}"))
        };
        let made = match &self.credentials {
            ConnectorCredentials::ManagedIdentity { client } => {
                match variables.get("IDENTITY_ENDPOINT") {
                    Some(endpoint) => Credentials::AppService {
                        endpoint: endpoint.to_owned(),
                        header: Secret::new(variable("IDENTITY_HEADER")?),
                        client: client.clone(),
                    },
                    None => Credentials::Machine {
                        client: client.clone(),
                    },
                }
            }
            ConnectorCredentials::WorkloadIdentity { tenant, client } => Credentials::Federated {
                tenant: match tenant {
                    Some(tenant) => tenant.clone(),
                    None => variable("AZURE_TENANT_ID")?,
                },
                client: match client {
                    Some(client) => client.clone(),
                    None => variable("AZURE_CLIENT_ID")?,
                },
                file: variable("AZURE_FEDERATED_TOKEN_FILE")?.into(),
            },
            ConnectorCredentials::SecretFile {
                tenant,
                client,
                file,
            } => Credentials::SecretFile {
                tenant: tenant.clone(),
                client: client.clone(),
                file: config.credentials_folder().join(file),
            },
            ConnectorCredentials::SecretVariable {
                tenant,
                client,
                variable: name,
            } => Credentials::Secret {
                tenant: tenant.clone(),
                client: client.clone(),
                secret: Secret::new(variable(name)?),
            },
            ConnectorCredentials::CertificateFile {
                tenant,
                client,
                file,
            } => Credentials::Certificate {
                tenant: tenant.clone(),
                client: client.clone(),
                file: config.credentials_folder().join(file),
            },
        };
        Ok(made.checked()?)
    }

    /// What makes no sense, in words, whether or not the secret is there yet.
    pub(crate) fn fault(&self, config: &Config) -> Option<String> {
        if let Err(error) = self.cloud(config) {
            return Some(format!("{error:#}"));
        }
        let is_wrong = match &self.credentials {
            ConnectorCredentials::ManagedIdentity { .. }
            | ConnectorCredentials::WorkloadIdentity { .. } => false,
            ConnectorCredentials::SecretFile { file, .. }
            | ConnectorCredentials::CertificateFile { file, .. } => {
                if !is_below(file) {
                    let why = "name a file within the server's folder of credentials";
                    return Some(why.to_owned());
                }
                false
            }
            ConnectorCredentials::SecretVariable { variable, .. } => {
                let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                let is_name = variable.starts_with("AZURE_")
                    && variable.len() <= MOST_NAME
                    && variable.chars().all(is_part);
                !is_name
            }
        };
        if is_wrong {
            return Some("name an environment variable that begins with AZURE_".to_owned());
        }
        // What is wrong with ids does not depend on secrets.
        let (tenant, client) = match &self.credentials {
            ConnectorCredentials::ManagedIdentity { client } => (None, client.as_ref()),
            ConnectorCredentials::WorkloadIdentity { tenant, client } => {
                (tenant.as_ref(), client.as_ref())
            }
            ConnectorCredentials::SecretFile { tenant, client, .. }
            | ConnectorCredentials::SecretVariable { tenant, client, .. }
            | ConnectorCredentials::CertificateFile { tenant, client, .. } => {
                (Some(tenant), Some(client))
            }
        };
        let here = || "here".to_owned();
        let ids = Credentials::SecretFile {
            tenant: tenant.cloned().unwrap_or_else(here),
            client: client.cloned().unwrap_or_else(here),
            file: "x".into(),
        };
        ids.checked().err().map(|error| error.to_string())
    }
}

/// Whether a name leads to a file below a folder.
pub(crate) fn is_below(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        !part.is_empty() && !part.trim_matches('.').is_empty() && part.chars().all(is_letter)
    };
    name.len() <= MOST_NAME && name.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> AzureSettings {
        AzureSettings {
            cloud: "public".to_owned(),
            credentials: ConnectorCredentials::SecretFile {
                tenant: "t-1".to_owned(),
                client: "c-1".to_owned(),
                file: name.to_owned(),
            },
            subscriptions: Vec::new(),
        }
    }

    #[test]
    fn only_secrets_that_are_meant_for_it_can_be_named() {
        let config = Config::default();
        for good in ["azure", "azure/shop.secret", "a-b_c.pem"] {
            assert_eq!(file(good).fault(&config), None, "{good}");
        }
        for bad in [
            "",
            "/etc/shadow",
            "../seareeve.db",
            "a/../../b",
            "a//b",
            "a b",
            ".",
        ] {
            assert!(file(bad).fault(&config).is_some(), "{bad}");
        }
        let variable = |name: &str| AzureSettings {
            credentials: ConnectorCredentials::SecretVariable {
                tenant: "t".to_owned(),
                client: "c".to_owned(),
                variable: name.to_owned(),
            },
            ..file("x")
        };
        assert_eq!(variable("AZURE_CLIENT_SECRET_SHOP").fault(&config), None);
        for bad in ["SEAREEVE_SERVER_DATABASE", "PATH", "AZURE_ x"] {
            assert!(variable(bad).fault(&config).is_some(), "{bad}");
        }
        let lost = variable("AZURE_X").credentials(&config).unwrap_err();
        assert_eq!(
            lost.to_string(),
            "the server has no environment variable AZURE_X"
        );
    }

    #[test]
    fn clouds_and_ids_have_to_be_ones() {
        let config = Config::default();
        for cloud in ["mars", "custom"] {
            let settings = AzureSettings {
                cloud: cloud.to_owned(),
                ..file("x")
            };
            assert!(settings.fault(&config).is_some(), "{cloud}");
        }
        let settings = AzureSettings {
            credentials: ConnectorCredentials::ManagedIdentity {
                client: Some("../x".to_owned()),
            },
            ..file("x")
        };
        assert!(settings.fault(&config).is_some());
    }
}

//! Where a cluster's API is, and how it is known to be the right one.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::credentials::{ClientCertificate, Credentials};

/// How to talk to one cluster.
#[derive(Clone, Debug)]
pub struct Connection {
    /// For people: the context's name, `in-cluster`.
    pub name: String,
    /// `https://host:port`, maybe with a path.
    pub server: String,
    /// Authorities that its certificate may come from, in PEM form. Those of browsers when there are none.
    pub authorities: Option<Vec<u8>>,
    /// Whether it is taken for what it is without looking at its certificate.
    pub skips_verification: bool,
    /// The name that its certificate is for, where that is not the one in `server`.
    pub tls_server_name: Option<String>,
    /// A proxy to go through.
    pub proxy: Option<String>,
    /// Who we are.
    pub credentials: Credentials,
    /// Who we are by certificate.
    pub certificate: Option<ClientCertificate>,
    /// As whom we ask: a user, and groups.
    pub act_as: Option<(String, Vec<String>)>,
}

/// Why there is no connection to be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// A file that is named cannot be read. The user's fault.
    #[error("failed to read {path}")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The address of the API is none, or of a form that we do not speak. The user's fault.
    #[error("{server} is no address of a Kubernetes API: {why}")]
    Address {
        /// As it was given.
        server: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A certificate or key is broken, or they do not belong together. The user's fault.
    #[error("the {what} cannot be used: {why}")]
    Certificate {
        /// Which.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A program that gives credentials gave none.
    #[error("there are no credentials: {why}")]
    Credentials {
        /// What happened.
        why: String,
    },
    /// The proxy's address is none. The user's fault.
    #[error("the proxy's address cannot be used: {why}")]
    Proxy {
        /// What is wrong with it.
        why: String,
    },
}

impl Connection {
    /// The connection that a pod has: `folder` holds what Kubernetes mounts there
    /// (`/var/run/secrets/kubernetes.io/serviceaccount`), host and port are in the environment.
    ///
    /// # Errors
    /// When the certificate is not there.
    pub fn in_cluster(folder: &Utf8Path, host: &str, port: u16) -> Result<Self, ConnectionError> {
        let path = folder.join("ca.crt");
        let authorities =
            std::fs::read(&path).map_err(|source| ConnectionError::Unreadable { path, source })?;
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        Ok(Self {
            name: "in-cluster".to_owned(),
            server: format!("https://{host}:{port}"),
            authorities: Some(authorities),
            skips_verification: false,
            tls_server_name: None,
            proxy: None,
            credentials: Credentials::TokenFile(folder.join("token")),
            certificate: None,
            act_as: None,
        })
    }
}

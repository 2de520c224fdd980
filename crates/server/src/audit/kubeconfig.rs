//! What an API server needs to send its audit events here: where to, whom it has to trust, and what it has to show.
//!
//! It is a kubeconfig, as `--audit-webhook-config-file` wants it. What somebody has to know or to add stands in it as
//! comments, since it is read by who puts it in its place.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seareeve_api::AuditWebhook;

use crate::config::Config;
use crate::tls::first_name;

/// The webhook of a cluster; `authority` is the certificate of our own authority, if it signs ours.
pub(crate) fn webhook(
    config: &Config,
    authority: Option<String>,
    cluster: &str,
    token: String,
) -> AuditWebhook {
    let path = format!("/audit/{cluster}");
    let host = host(config);
    let address = format!("{host}{path}");
    let is_safe = host.starts_with("https://");
    let mut trust = String::new();
    let mut shown = String::new();
    let mut notes = String::new();
    // Writing to a String cannot fail.
    if let Some(pem) = &authority {
        let pem = STANDARD.encode(pem.as_bytes());
        let _ = write!(trust, "\n    certificate-authority-data: {pem}");
    } else if is_safe {
        notes.push_str(
            "# The API server has to trust who signed Seareeve's certificate. Where its machine does not, add below\n\
             # `server` the line `certificate-authority: FILE`.\n",
        );
    }
    // Kubernetes' client leaves tokens out where there is no TLS (client-go, clientcmd.ClientConfig).
    if !is_safe {
        notes.push_str(
            "# API servers send this token over TLS only. Set `audit.listen` and make the source again, or put the\n\
             # address of a proxy that ends TLS here.\n",
        );
    }
    if config.audit.address().is_some() && !config.audit.client_ca.as_str().is_empty() {
        notes.push_str(
            "# Seareeve wants to see a certificate besides the token (`audit.client_ca`): put it and its key where it\n\
             # says below, or write down where they are.\n",
        );
        shown.push_str(
            "\n    client-certificate: /etc/kubernetes/seareeve-client.crt\
             \n    client-key: /etc/kubernetes/seareeve-client.key",
        );
    }
    let kubeconfig = format!(
        "{notes}apiVersion: v1\nkind: Config\nclusters:\n- name: seareeve\n  cluster:\n    server: {address}{trust}\n\
         users:\n- name: seareeve\n  user:\n    token: {token}{shown}\n\
         contexts:\n- name: seareeve\n  context:\n    cluster: seareeve\n    user: seareeve\n\
         current-context: seareeve\n"
    );
    AuditWebhook {
        path,
        address,
        token,
        ca_certificate: authority,
        kubeconfig,
    }
}

/// By which name and port API servers reach us: the one that is set, one that the certificate is for, or the machine's.
fn host(config: &Config) -> String {
    let set = config.audit.names.iter().find(|name| !name.is_empty());
    let (listens, certificate) = match config.audit.address() {
        Some(address) => (address, &config.audit.certificate),
        None if config.server.has_tls() => (config.server.listen, &config.server.certificate),
        None => return format!("http://{}", config.server.listen),
    };
    let name = set.cloned().or_else(|| first_name(certificate));
    let name = name.unwrap_or_else(|| match listens.ip() {
        // That it listens everywhere is no place to send to.
        ip if ip.is_unspecified() => super::tls::machine().unwrap_or_else(|| ip.to_string()),
        ip => ip.to_string(),
    });
    format!("https://{}:{}", bracketed(&name), listens.port())
}

/// An address of version 6 as it stands in addresses of pages.
fn bracketed(name: &str) -> String {
    if name.contains(':') {
        format!("[{name}]")
    } else {
        name.to_owned()
    }
}

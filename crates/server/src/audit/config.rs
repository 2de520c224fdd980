//! What can be set of audit events and alerts.

use std::net::SocketAddr;

use camino::Utf8PathBuf;
use seareeve_detect::UnknownFields;
use serde::{Deserialize, Serialize};

use crate::config::DatabaseAddress;

/// Section `audit`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// See [`crate::config::SETTINGS`].
    pub listen: String,
    /// See [`crate::config::SETTINGS`].
    pub names: Vec<String>,
    /// See [`crate::config::SETTINGS`].
    pub certificate: Utf8PathBuf,
    /// See [`crate::config::SETTINGS`].
    pub key: Utf8PathBuf,
    /// See [`crate::config::SETTINGS`].
    pub client_ca: Utf8PathBuf,
    /// See [`crate::config::SETTINGS`].
    pub nats: DatabaseAddress,
    /// See [`crate::config::SETTINGS`].
    pub spool_mib: u64,
    /// See [`crate::config::SETTINGS`].
    pub keep_events_hours: u32,
    /// See [`crate::config::SETTINGS`].
    pub keep_events_mib: u64,
    /// See [`crate::config::SETTINGS`].
    pub keep_alerts_days: u32,
    /// See [`crate::config::SETTINGS`].
    pub unknown_fields: String,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            listen: String::new(),
            names: Vec::new(),
            certificate: Utf8PathBuf::new(),
            key: Utf8PathBuf::new(),
            client_ca: Utf8PathBuf::new(),
            nats: DatabaseAddress(String::new()),
            spool_mib: 1024,
            keep_events_hours: 24,
            keep_events_mib: 512,
            keep_alerts_days: 90,
            unknown_fields: "error".to_owned(),
        }
    }
}

impl AuditConfig {
    /// The setting that makes no sense, and why.
    pub(crate) fn fault(&self) -> Option<(&'static str, &'static str)> {
        if !self.listen.is_empty() && self.address().is_none() {
            return Some((
                "audit.listen",
                "use an address and port such as 0.0.0.0:7443, or none",
            ));
        }
        if self.certificate.as_str().is_empty() != self.key.as_str().is_empty() {
            return Some((
                "audit.certificate",
                "a certificate and its key (audit.key) belong together",
            ));
        }
        let nats = &self.nats.0;
        if !nats.is_empty() && !["nats://", "tls://"].iter().any(|p| nats.starts_with(p)) {
            return Some((
                "audit.nats",
                "use nats://HOST:PORT, tls://HOST:PORT, or none",
            ));
        }
        if self.spool_mib < 64 {
            return Some(("audit.spool_mib", "use 64 or more: one request may have 32"));
        }
        if self.keep_events_hours > 24 * 30 {
            return Some(("audit.keep_events_hours", "use 0 to 720"));
        }
        if !(1..=3650).contains(&self.keep_alerts_days) {
            return Some(("audit.keep_alerts_days", "use 1 to 3650"));
        }
        if !["error", "disable"].contains(&self.unknown_fields.as_str()) {
            return Some(("audit.unknown_fields", "use error or disable"));
        }
        None
    }

    /// What becomes of people's rules that name a field which is not there.
    pub(crate) fn unknown_fields(&self) -> UnknownFields {
        match self.unknown_fields.as_str() {
            "disable" => UnknownFields::Disable,
            _ => UnknownFields::Error,
        }
    }

    /// Where API servers are listened to, if anywhere.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.listen.parse().ok()
    }
}

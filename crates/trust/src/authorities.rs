//! The certificates that are trusted.

use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Certificates that are trusted besides those of the authorities that browsers trust: of further authorities, or of
/// servers themselves. The default trusts no further ones.
#[derive(Clone, Debug, Default)]
pub struct Authorities {
    certificates: Vec<Certificate<'static>>,
}

/// The text holds no certificate, or not only whole ones. The user's fault.
#[derive(Debug, thiserror::Error)]
#[error("it is no list of certificates in PEM form: {0}")]
pub struct AuthoritiesError(String);

impl Authorities {
    /// Adds the certificates of a PEM file; other things in it are passed over.
    ///
    /// # Errors
    /// When there is none, or one is broken.
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<(), AuthoritiesError> {
        let mut found = Vec::new();
        for item in parse_pem(pem) {
            match item {
                Ok(PemItem::Certificate(certificate)) => found.push(certificate),
                Ok(_) => {}
                Err(error) => return Err(AuthoritiesError(error.to_string())),
            }
        }
        if found.is_empty() {
            return Err(AuthoritiesError("it holds no certificate".to_owned()));
        }
        self.certificates.append(&mut found);
        Ok(())
    }

    /// How TLS is spoken by an agent of [`agent`](crate::agent).
    #[must_use]
    pub fn tls(&self) -> TlsConfig {
        let tls = TlsConfig::builder();
        if self.certificates.is_empty() {
            return tls.build();
        }
        // The client's own list is replaced by a given one, so the given one must hold it too.
        let usual = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .map(|der| Certificate::from_der(der));
        let all = usual.chain(self.certificates.iter().cloned()).collect();
        tls.root_certs(RootCerts::Specific(Arc::new(all))).build()
    }
}

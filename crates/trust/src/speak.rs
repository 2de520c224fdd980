//! Agents that speak TLS with whom they trust.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ALL_VERSIONS, CertificateError, ClientConfig, ClientConnection, StreamOwned};
use ureq::config::Config;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, DefaultConnector, Either,
    LazyBuffers, NextTimeout, TcpConnector, Transport, TransportAdapter, time,
};
use ureq::{Agent, Error};

use crate::verify::{Verifier, is_of_an_authority};

/// An agent that believes whom the `tls_config` of `config` says, be it a server's own certificate.
#[must_use]
pub fn agent(config: Config) -> Agent {
    agent_resolving(config, DefaultResolver::default())
}

/// The same with a resolver of names.
#[must_use]
pub fn agent_resolving(config: Config, resolver: impl Resolver) -> Agent {
    match tls(config.tls_config()) {
        Some(tls) => {
            let connector =
                ().chain(ConnectProxyConnector::default())
                    .chain(TcpConnector::default())
                    .chain(Tls(Arc::new(tls)));
            Agent::with_parts(config, connector, resolver)
        }
        None => Agent::with_parts(config, DefaultConnector::default(), resolver),
    }
}

/// Whether a server was not believed for who says who it is, and for nothing else. A bad signature is that of an
/// authority with the name of one that is known: one that was made anew.
#[must_use]
pub fn is_stranger(error: &Error) -> bool {
    let refused = match error {
        Error::Rustls(error) => Some(error),
        Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref()),
        _ => None,
    };
    match refused {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => true,
        Some(error) => is_of_an_authority(error),
        None => false,
    }
}

/// How TLS is spoken where certificates are given to be trusted, and nothing else is said that only ureq knows.
fn tls(config: &TlsConfig) -> Option<ClientConfig> {
    let RootCerts::Specific(certificates) = config.root_certs() else {
        return None;
    };
    if config.disable_verification() || config.client_cert().is_some() || !config.use_sni() {
        return None;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trusted = certificates.iter().map(|certificate| certificate.der());
    let verifier = Verifier::new(trusted, Arc::clone(&provider)).ok()?;
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_protocol_versions(ALL_VERSIONS).ok()?;
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    Some(builder.with_no_client_auth())
}

/// Speaks TLS over a connection, in the place of ureq's own, which takes no verifier.
#[derive(Debug)]
struct Tls(Arc<ClientConfig>);

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, Spoken>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_invalid| Error::Tls("the server's name cannot be in a certificate"))?;
        let mut connection = ClientConnection::new(Arc::clone(&self.0), name)?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(left(details));
        connection.complete_io(&mut socket)?;
        let config = details.config;
        Ok(Some(Either::B(Spoken {
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            stream: StreamOwned::new(connection, socket),
        })))
    }
}

/// The time that is left of what connecting may take.
fn left(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    let now = (details.current_time)();
    if let (time::Duration::Exact(after), time::Instant::Exact(began), time::Instant::Exact(now)) =
        (timeout.after, details.now, now)
    {
        let passed = now.saturating_duration_since(began);
        timeout.after = time::Duration::Exact(after.saturating_sub(passed));
    }
    timeout
}

/// One connection.
struct Spoken {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spoken")
    }
}

impl Transport for Spoken {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output();
        self.stream
            .write_all(output.get(..amount).unwrap_or(output))?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

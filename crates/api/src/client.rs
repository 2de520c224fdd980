//! A typed client for programs that speak to a Seareeve server. Blocking, for the command line.

mod alerts;
mod assets;

pub use assets::{ComplianceScope, ScoreIf};
mod admission;
mod clusters;
mod connectors;
mod detections;
mod hosts;
mod intel;

pub use clusters::WorkloadFilter;

use std::time::Duration;

use seareeve_trust::{Authorities, AuthoritiesError, is_stranger};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::config::ConfigBuilder;
use ureq::http::Response;
use ureq::typestate::{AgentScope, WithBody};
use ureq::{Agent, Body, RequestBuilder};

use crate::{
    AssetImagePage, ErrorBody, ImagePage, ImageReport, ImageUsePage, Sbom, Scan, ScanRequest,
    Status,
};

/// A connection to one server with one API token.
pub struct Client {
    agent: ureq::Agent,
    base: String,
    authorization: String,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not one of a server. The user's fault.
    #[error(
        "{0:?} is not a server address such as https://seareeve.example or http://127.0.0.1:7300"
    )]
    Address(String),
    /// A token would travel in the clear. The user's fault.
    #[error(
        "{0} is not a loopback address: use https, so that the token is not readable on the network"
    )]
    Clear(String),
    /// The authority of the server's certificate cannot be used. The user's fault.
    #[error("the server's authority cannot be used")]
    Authority(#[from] AuthoritiesError),
    /// The server answered with an error.
    #[error("server answered {status} {code}: {detail} (request {request_id})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The stable word.
        code: String,
        /// The sentence.
        detail: String,
        /// For the server's log.
        request_id: String,
    },
    /// Whatever answered does not speak our API.
    #[error("{url} answered {status} with something other than Seareeve's JSON")]
    Foreign {
        /// The address asked.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The server's certificate comes from an authority that is not known here. The user's fault, or somebody stands
    /// between.
    #[error(
        "the certificate of {url} comes from an authority that is not known here: if it is your own, name its file \
         in SEAREEVE_SERVER_AUTHORITY"
    )]
    Stranger {
        /// The address asked.
        url: String,
        /// Why.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The network failed.
    #[error("failed to reach {url}")]
    Network {
        /// The address asked.
        url: String,
        /// Why.
        #[source]
        source: Box<ureq::Error>,
    },
}

impl Client {
    /// A client for the server at `address` (`https://…`, or `http://…` on loopback).
    ///
    /// # Errors
    /// When the address cannot be one of a server.
    pub fn new(address: &str, token: &str) -> Result<Self, ClientError> {
        Self::trusting(address, token, None)
    }

    /// The same for a server whose certificate comes from an authority that browsers do not know: `authorities` holds
    /// it as PEM, and is trusted besides the usual ones.
    ///
    /// # Errors
    /// When the address cannot be one of a server, or there is no certificate in `authorities`.
    pub fn trusting(
        address: &str,
        token: &str,
        authorities: Option<&[u8]>,
    ) -> Result<Self, ClientError> {
        let base = address.trim_end_matches('/').to_owned();
        match base.split_once("://") {
            Some(("https", host)) if !host.is_empty() => {}
            Some(("http", host)) if is_loopback(host) => {}
            Some(("http", host)) if !host.is_empty() => return Err(ClientError::Clear(base)),
            _ => return Err(ClientError::Address(base)),
        }
        let mut config = Agent::config_builder();
        if base.starts_with("http://") {
            // Loopback through a proxy would show it the token.
            config = config.proxy(None);
        }
        if let Some(pem) = authorities {
            let mut trusted = Authorities::default();
            trusted.add_pem(pem)?;
            config = config.tls_config(trusted.tls());
        }
        Ok(Self {
            agent: agent(config, Duration::from_secs(300)),
            base,
            authorization: format!("Bearer {token}"),
        })
    }

    /// The same for somebody who has no time: no call takes longer than this.
    #[must_use]
    pub fn within(mut self, most: Duration) -> Self {
        let before = self.agent.config();
        let config = Agent::config_builder()
            .tls_config(before.tls_config().clone())
            .proxy(before.proxy().cloned());
        self.agent = agent(config, most);
        self
    }

    /// Sends an SBOM; the server stores it and answers with its findings.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn send_sbom(&self, sbom: &Sbom) -> Result<ImageReport, ClientError> {
        self.post("/api/v1/sboms", sbom)
    }

    /// The server's state.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn status(&self) -> Result<Status, ClientError> {
        self.get("/api/v1/status")
    }

    /// A page of images.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn images(&self, cursor: Option<&str>) -> Result<ImagePage, ClientError> {
        match cursor {
            Some(cursor) => self.get(&format!("/api/v1/images?limit=200&cursor={cursor}")),
            None => self.get("/api/v1/images?limit=200"),
        }
    }

    /// Where an image is used; `running` for what runs now only.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn image_uses(
        &self,
        digest: &str,
        running: bool,
        cursor: Option<&str>,
    ) -> Result<ImageUsePage, ClientError> {
        let mut path = format!("/api/v1/images/{digest}/uses?limit=200&running={running}");
        if let Some(cursor) = cursor {
            path.push_str("&cursor=");
            path.push_str(cursor);
        }
        self.get(&path)
    }

    /// The images that an asset uses, or that a registry holds; `only` is `affected`, `unscanned` or nothing.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn asset_images(
        &self,
        asset: i64,
        only: Option<&str>,
        cursor: Option<&str>,
    ) -> Result<AssetImagePage, ClientError> {
        let mut path = format!("/api/v1/assets/{asset}/images?limit=200");
        for (name, value) in [("only", only), ("cursor", cursor)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={value}"));
            }
        }
        self.get(&path)
    }

    /// The report of a stored image.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn report(&self, digest: &str) -> Result<ImageReport, ClientError> {
        self.get(&format!("/api/v1/images/{digest}/report"))
    }

    /// Asks the server to scan an image in a registry.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn scan(&self, request: &ScanRequest) -> Result<Scan, ClientError> {
        self.post("/api/v1/scans", request)
    }

    /// A scan's state.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn scan_state(&self, id: i64) -> Result<Scan, ClientError> {
        self.get(&format!("/api/v1/scans/{id}"))
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.base);
        let answer = self
            .agent
            .get(&url)
            .header("authorization", &self.authorization)
            .call();
        read(url, answer)
    }

    fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let (url, answer) = self.send(|agent, url| agent.post(url), path, body);
        read(url, answer)
    }

    fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let (url, answer) = self.send(|agent, url| agent.put(url), path, body);
        read(url, answer)
    }

    fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let (url, answer) = self.send(|agent, url| agent.patch(url), path, body);
        read(url, answer)
    }

    /// One whose answer has no body.
    fn put_only(&self, path: &str, body: &impl Serialize) -> Result<(), ClientError> {
        let (url, answer) = self.send(|agent, url| agent.put(url), path, body);
        read_text(url, answer).map(|_empty| ())
    }

    fn send(
        &self,
        method: impl Fn(&Agent, &str) -> RequestBuilder<WithBody>,
        path: &str,
        body: &impl Serialize,
    ) -> (String, Result<Response<Body>, ureq::Error>) {
        let url = format!("{}{path}", self.base);
        let answer = method(&self.agent, &url)
            .header("authorization", &self.authorization)
            .send_json(body);
        (url, answer)
    }
}

fn agent(config: ConfigBuilder<AgentScope>, most: Duration) -> Agent {
    let config = config
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_global(Some(most))
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("seareeve/", env!("CARGO_PKG_VERSION")))
        .build();
    seareeve_trust::agent(config)
}

fn read<T: DeserializeOwned>(
    url: String,
    answer: Result<Response<Body>, ureq::Error>,
) -> Result<T, ClientError> {
    let (url, status, body) = read_bytes(url, answer)?;
    serde_json::from_slice(&body)
        .map_err(|_not_ours: serde_json::Error| ClientError::Foreign { url, status })
}

fn read_text(
    url: String,
    answer: Result<Response<Body>, ureq::Error>,
) -> Result<String, ClientError> {
    let (url, status, body) = read_bytes(url, answer)?;
    String::from_utf8(body)
        .map_err(|_not_ours: std::string::FromUtf8Error| ClientError::Foreign { url, status })
}

/// The body of an answer that is no refusal.
fn read_bytes(
    url: String,
    answer: Result<Response<Body>, ureq::Error>,
) -> Result<(String, u16, Vec<u8>), ClientError> {
    let failed = |url: &str, source: ureq::Error| {
        let is_stranger = is_stranger(&source);
        let (url, source) = (url.to_owned(), Box::new(source));
        if is_stranger {
            ClientError::Stranger { url, source }
        } else {
            ClientError::Network { url, source }
        }
    };
    let mut answer = answer.map_err(|error| failed(&url, error))?;
    let status = answer.status().as_u16();
    // A report of a large image has tens of thousands of findings; more than this is not a report of ours.
    let body = answer
        .body_mut()
        .with_config()
        .limit(256 * 1024 * 1024)
        .read_to_vec();
    let body = body.map_err(|error| failed(&url, error))?;
    if (200..300).contains(&status) {
        return Ok((url, status, body));
    }
    match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(ErrorBody { error }) => Err(ClientError::Refused {
            status: error.status,
            code: error.code,
            detail: error.detail,
            request_id: error.request_id,
        }),
        Err(_not_ours) => Err(ClientError::Foreign { url, status }),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|b| b.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    let ip = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_time_waits_no_longer() {
        // It takes connections, and says nothing.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", silent.local_addr().unwrap());
        let client = Client::new(&address, "t").unwrap();
        let answer = client.within(Duration::from_millis(50)).status();
        let Err(ClientError::Network { source, .. }) = answer else {
            panic!("{answer:?}");
        };
        assert!(matches!(*source, ureq::Error::Timeout(_)), "{source}");
    }

    #[test]
    fn sends_tokens_only_where_nobody_listens() {
        for good in [
            "https://seareeve.example",
            "http://127.0.0.1:7300/",
            "http://localhost:1",
            "http://[::1]:7300",
        ] {
            assert!(Client::new(good, "t").is_ok(), "{good}");
        }
        assert!(matches!(
            Client::new("http://10.0.0.1:7300", "t"),
            Err(ClientError::Clear(_))
        ));
        assert!(matches!(
            Client::new("http://127.0.0.1.example", "t"),
            Err(ClientError::Clear(_))
        ));
        for bad in ["", "seareeve.example", "ftp://x", "https://"] {
            assert!(
                matches!(Client::new(bad, "t"), Err(ClientError::Address(_))),
                "{bad}"
            );
        }
    }
}

//! Lists of threat intelligence from web servers: only when they have changed, within limits, and never from where this
//! server alone can reach.
//!
//! Whoever may name an address must not get the server to ask its own machine or the metadata service of its cloud, so
//! addresses are looked at after names were resolved, and after each redirection. A credential goes to the server that
//! it is for and to no other.

use std::io::Read as _;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use camino::Utf8Path;
use seareeve_trust::agent_resolving;
use ureq::config::Config;
use ureq::http::header::{ETAG, LAST_MODIFIED, LOCATION};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Agent, Error};

use crate::feeds::{NetworkError, tls};

/// Redirections that are followed.
const MOST_REDIRECTIONS: usize = 5;
/// A validator is one line of a header.
const MOST_VALIDATOR: usize = 1_024;

/// The HTTP client of lists. It goes through the proxy that the environment names, except to this machine.
pub struct ListClient {
    agent: Agent,
    direct: Agent,
    guard: Guard,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct ListRequest<'a> {
    /// The address.
    pub url: &'a str,
    /// A header that says who asks, and its value, which is a secret.
    pub header: Option<(&'a str, &'a Credential)>,
    /// What is known already.
    pub known: &'a Validator,
    /// Bytes at most.
    pub most_bytes: usize,
}

/// A secret. It does not print.
pub struct Credential(String);

/// The headers by which a server knows the state of a file again.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Validator {
    /// `ETag`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// `Last-Modified`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Brought {
    /// It has not changed.
    Unchanged,
    /// All of it.
    New {
        /// The file.
        bytes: Vec<u8>,
        /// By which to ask for it the next time.
        validator: Validator,
    },
}

/// Why nothing came. What was there before stays.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The address is none, or of another scheme. The user's fault.
    #[error("{0} is no http or https address")]
    Address(String),
    /// The header cannot be sent as it is. The user's fault.
    #[error("the header {0} or its value cannot be sent")]
    Header(String),
    /// A credential is sent with TLS only.
    #[error("{0} is asked without TLS, and credentials are sent with TLS only")]
    Plain(String),
    /// It leads to where only this server can reach.
    #[error("{0} leads to an address that only this machine can reach (intel.allow_local)")]
    Refused(String),
    /// It was sent from address to address.
    #[error("{0} sends to other addresses without end")]
    Redirections(String),
    /// The remote's fault.
    #[error("{url} answered {status}")]
    Status {
        /// Who.
        url: String,
        /// What.
        status: u16,
    },
    /// It is larger than is read.
    #[error("{url} is larger than {most} bytes")]
    Large {
        /// What.
        url: String,
        /// How much is read.
        most: usize,
    },
    /// The network's fault.
    #[error("failed to fetch {url}")]
    Network {
        /// What.
        url: String,
        /// Why.
        #[source]
        source: Box<Error>,
    },
}

impl Credential {
    /// Takes the text as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl ListClient {
    /// A client that trusts the authorities of browsers and those of the PEM file `authorities`. With `allows_local` it
    /// asks this machine and its neighbours, too.
    ///
    /// # Errors
    /// When that file cannot be read, or holds no certificate.
    pub fn new(authorities: Option<&Utf8Path>, allows_local: bool) -> Result<Self, NetworkError> {
        let tls = tls(authorities)?;
        let config = || {
            Agent::config_builder()
                .timeout_connect(Some(Duration::from_secs(20)))
                .timeout_recv_response(Some(Duration::from_secs(60)))
                .timeout_per_read(Some(Duration::from_secs(60)))
                .timeout_global(Some(Duration::from_secs(600)))
                .http_status_as_error(false)
                // Each is looked at.
                .max_redirects(0)
                .tls_config(tls.clone())
                .user_agent(concat!("seareeve/", env!("CARGO_PKG_VERSION")))
        };
        let guard = Guard { allows_local };
        let agent = |config: Config| {
            let resolver = GuardedResolver {
                inner: DefaultResolver::default(),
                guard,
            };
            agent_resolving(config, resolver)
        };
        Ok(Self {
            agent: agent(config().build()),
            direct: agent(config().proxy(None).build()),
            guard,
        })
    }

    /// Fetches a list, if it is another than the one that is known.
    ///
    /// # Errors
    /// See [`ListError`].
    pub fn fetch(&self, request: &ListRequest<'_>) -> Result<Brought, ListError> {
        let mut url = request.url.to_owned();
        let origin = origin(&self.uri(&url)?);
        for _ in 0..=MOST_REDIRECTIONS {
            let uri = self.uri(&url)?;
            let is_same = self::origin(&uri) == origin;
            let mut asked = self.agent_for(&uri).get(&url);
            if let Some((name, value)) = request.header.filter(|_| is_same) {
                let is_safe = uri.scheme_str() == Some("https") || self.guard.is_here(&uri);
                if !is_safe {
                    return Err(ListError::Plain(url));
                }
                let wrong = || ListError::Header(name.to_owned());
                let header = HeaderName::try_from(name).map_err(|_ignored| wrong())?;
                let mut value = HeaderValue::try_from(&value.0).map_err(|_ignored| wrong())?;
                value.set_sensitive(true);
                asked = asked.header(header, value);
            }
            if is_same {
                // A server that has both uses the tag (RFC 9110, section 13.1.3).
                if let Some(tag) = &request.known.tag {
                    asked = asked.header("if-none-match", tag);
                }
                if let Some(date) = &request.known.date {
                    asked = asked.header("if-modified-since", date);
                }
            }
            let mut answer = asked.call().map_err(|error| failed(&url, error))?;
            let status = answer.status().as_u16();
            match status {
                200 => {
                    let validator = Validator::of(answer.headers());
                    let bytes = read(&url, answer.body_mut(), request.most_bytes)?;
                    return Ok(Brought::New { bytes, validator });
                }
                304 => return Ok(Brought::Unchanged),
                301 | 302 | 303 | 307 | 308 => {
                    let target = header(answer.headers(), LOCATION.as_str());
                    let next = target.and_then(|target| joined(&uri, &target));
                    let Some(next) = next else {
                        return Err(ListError::Status { url, status });
                    };
                    url = next;
                }
                _ => return Err(ListError::Status { url, status }),
            }
        }
        Err(ListError::Redirections(request.url.to_owned()))
    }

    /// The address, if it may be asked as it is written.
    fn uri(&self, url: &str) -> Result<Uri, ListError> {
        let wrong = || ListError::Address(url.to_owned());
        let uri: Uri = url.parse().map_err(|_ignored| wrong())?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let authority = uri.authority().map(|authority| authority.as_str());
        // User names and passwords in addresses would be stored and shown.
        let is_bare = authority.is_some_and(|text| !text.contains('@'));
        if !is_web || !is_bare || uri.host().is_none_or(str::is_empty) {
            return Err(wrong());
        }
        if self.guard.refuses_host(&uri) {
            return Err(ListError::Refused(url.to_owned()));
        }
        Ok(uri)
    }

    /// A proxy cannot reach this machine.
    fn agent_for(&self, uri: &Uri) -> &Agent {
        if self.guard.is_here(uri) {
            &self.direct
        } else {
            &self.agent
        }
    }
}

impl Validator {
    fn of(headers: &HeaderMap) -> Self {
        let of = |name| header(headers, name).filter(|text| text.len() <= MOST_VALIDATOR);
        Self {
            tag: of(ETAG.as_str()),
            date: of(LAST_MODIFIED.as_str()),
        }
    }
}

/// Which addresses may be asked.
#[derive(Clone, Copy, Debug)]
struct Guard {
    allows_local: bool,
}

impl Guard {
    /// Whether a host is refused by how it is written: behind a proxy its name is not resolved here.
    fn refuses_host(self, uri: &Uri) -> bool {
        if self.allows_local {
            return false;
        }
        let host = bare_host(uri).to_ascii_lowercase();
        let host = host.trim_end_matches('.');
        let is_known = host == "localhost"
            || host.ends_with(".localhost")
            || matches!(
                host,
                "metadata" | "metadata.google.internal" | "instance-data"
            );
        is_known || host.parse().is_ok_and(is_local)
    }

    fn refuses(self, address: IpAddr) -> bool {
        !self.allows_local && is_local(address)
    }

    fn is_here(self, uri: &Uri) -> bool {
        let host = bare_host(uri);
        let address = host.parse::<IpAddr>();
        self.allows_local
            && (host == "localhost" || address.is_ok_and(|address| address.is_loopback()))
    }
}

fn bare_host(uri: &Uri) -> &str {
    let host = uri.host().unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']')
}

/// What only this machine, or its link, can reach, and where clouds answer machines about themselves. Private networks
/// are none of that: mirrors stand there.
fn is_local(address: IpAddr) -> bool {
    const METADATA_4: [[u8; 4]; 2] = [[168, 63, 129, 16], [100, 100, 100, 200]];
    const METADATA_6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match address {
        IpAddr::V4(four) => {
            let [first, ..] = four.octets();
            four.is_loopback()
                || four.is_link_local()
                || first == 0
                || first >= 224
                || METADATA_4.contains(&four.octets())
        }
        IpAddr::V6(six) => match six.to_canonical() {
            IpAddr::V4(four) => is_local(IpAddr::V4(four)),
            IpAddr::V6(_) => {
                six.is_loopback()
                    || six.is_unspecified()
                    || six.is_multicast()
                    || six.is_unicast_link_local()
                    || six == METADATA_6
            }
        },
    }
}

/// Resolves names, and refuses those that lead to where only this machine can reach.
#[derive(Debug)]
struct GuardedResolver {
    inner: DefaultResolver,
    guard: Guard,
}

/// Why a resolved address is not asked.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that only this machine can reach")]
struct Local;

impl Resolver for GuardedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        // One of them is enough: which one is asked is not ours to choose.
        if found.iter().any(|address| self.guard.refuses(address.ip())) {
            return Err(Error::Other(Box::new(Local)));
        }
        Ok(found)
    }
}

fn failed(url: &str, error: Error) -> ListError {
    match error {
        Error::Other(why) if why.is::<Local>() => ListError::Refused(url.to_owned()),
        error => ListError::Network {
            url: url.to_owned(),
            source: Box::new(error),
        },
    }
}

fn read(url: &str, body: &mut ureq::Body, most: usize) -> Result<Vec<u8>, ListError> {
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let mut reader = body.with_config().limit(u64::MAX).reader().take(limit);
    match reader.read_to_end(&mut bytes) {
        Ok(_) if bytes.len() > most => Err(ListError::Large {
            url: url.to_owned(),
            most,
        }),
        Ok(_) => Ok(bytes),
        Err(error) => Err(failed(url, Error::Io(error))),
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

/// Scheme, host and port.
fn origin(uri: &Uri) -> (String, String, Option<u16>) {
    (
        uri.scheme_str().unwrap_or_default().to_owned(),
        bare_host(uri).to_ascii_lowercase(),
        uri.port_u16(),
    )
}

/// Where a redirection leads (RFC 3986, section 5.2, as far as servers use it).
fn joined(base: &Uri, target: &str) -> Option<String> {
    if target.starts_with("http://") || target.starts_with("https://") {
        return Some(target.to_owned());
    }
    let scheme = base.scheme_str()?;
    if let Some(rest) = target.strip_prefix("//") {
        return Some(format!("{scheme}://{rest}"));
    }
    let authority = base.authority()?;
    if target.starts_with('/') {
        return Some(format!("{scheme}://{authority}{target}"));
    }
    let (folder, _) = base.path().rsplit_once('/')?;
    Some(format!("{scheme}://{authority}{folder}/{target}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_others_can_reach_too_is_asked() {
        let client = ListClient::new(None, false).unwrap();
        for good in [
            "https://lists.example/a.txt",
            "http://10.1.2.3/mirror",
            "https://[2001:db8::1]/x",
        ] {
            assert!(client.uri(good).is_ok(), "{good}");
        }
        for local in [
            "http://localhost/",
            "http://LOCALHOST.:80/",
            "http://a.localhost/",
            "http://127.0.0.1:7300/",
            "http://127.9.9.9/",
            "http://0.0.0.0/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[fe80::1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[fd00:ec2::254]/",
            "http://168.63.129.16/",
            "http://100.100.100.200/",
            "http://metadata.google.internal/",
        ] {
            assert!(
                matches!(client.uri(local), Err(ListError::Refused(_))),
                "{local}"
            );
        }
        for wrong in [
            "",
            "lists.example",
            "file:///etc/passwd",
            "ftp://a/b",
            "https://me:pw@a/b",
        ] {
            assert!(
                matches!(client.uri(wrong), Err(ListError::Address(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn names_that_lead_here_are_refused_when_they_are_resolved() {
        let resolver = GuardedResolver {
            inner: DefaultResolver::default(),
            guard: Guard {
                allows_local: false,
            },
        };
        // Written so that it is no literal for us, and one for the system.
        let uri: Uri = "http://127.1:9/".parse().unwrap();
        let timeout = NextTimeout {
            after: ureq::unversioned::transport::time::Duration::NotHappening,
            reason: ureq::Timeout::Global,
            ..NextTimeout::default()
        };
        let refused = resolver.resolve(&uri, &Config::default(), timeout);
        assert!(matches!(refused, Err(Error::Other(why)) if why.is::<Local>()));
    }

    #[test]
    fn redirections_lead_where_they_say() {
        let base: Uri = "https://a.example:8443/x/y?z".parse().unwrap();
        for (target, expected) in [
            ("http://b.example/", "http://b.example/"),
            ("//b.example/q", "https://b.example/q"),
            ("/q", "https://a.example:8443/q"),
            ("q", "https://a.example:8443/x/q"),
        ] {
            assert_eq!(joined(&base, target).as_deref(), Some(expected));
        }
    }
}

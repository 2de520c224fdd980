//! Where an engine listens.

use std::fmt;
use std::str::FromStr;

use camino::Utf8PathBuf;

/// Where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// A socket in the file system.
    Unix(Utf8PathBuf),
    /// Host and port, without TLS, as `DOCKER_HOST=tcp://…` names them.
    Tcp(String),
}

/// The text names no engine that we speak to. The user's fault.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is no engine that is spoken to here, such as unix:///var/run/docker.sock or tcp://host:2375"
)]
pub struct EndpointError(String);

impl Endpoint {
    /// What stands in the `Host` header; for a socket it means nothing.
    #[must_use]
    pub fn authority(&self) -> &str {
        match self {
            Self::Unix(_) => "localhost",
            Self::Tcp(authority) => authority,
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// Reads what `DOCKER_HOST` and `CONTAINER_HOST` hold, or the absolute path of a socket.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || EndpointError(text.chars().take(200).collect());
        let path = text.strip_prefix("unix://").unwrap_or(text);
        if path.starts_with('/') {
            return Ok(Self::Unix(path.into()));
        }
        let authority = text
            .strip_prefix("tcp://")
            .or_else(|| text.strip_prefix("http://"))
            .map(|rest| rest.trim_end_matches('/'))
            .ok_or_else(refused)?;
        let (host, port) = authority.rsplit_once(':').ok_or_else(refused)?;
        let is_host = !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._[]:".contains(&b));
        if !is_host || port.parse::<u16>().is_err() {
            return Err(refused());
        }
        Ok(Self::Tcp(authority.to_owned()))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{path}"),
            Self::Tcp(authority) => write!(f, "tcp://{authority}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_what_docker_host_may_hold() {
        for (text, shown) in [
            ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
            ("/run/podman/podman.sock", "unix:///run/podman/podman.sock"),
            ("tcp://docker:2375", "tcp://docker:2375"),
            ("tcp://[::1]:2375/", "tcp://[::1]:2375"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), shown);
        }
        for bad in [
            "",
            "ssh://host",
            "tcp://docker",
            "tcp://:1",
            "tcp://a:b@c:1/d",
            "unix://x",
        ] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}

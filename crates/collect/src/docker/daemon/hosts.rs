//! Where an engine takes requests.

use camino::Utf8PathBuf;
use serde_json::{Map, Value, json};

use super::Daemon;
use crate::docker::environment::texts;
use crate::host::units;

/// A place that an engine listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) address: String,
    pub(crate) scheme: &'static str,
    pub(crate) path: Option<Utf8PathBuf>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) source: String,
    tls: Option<bool>,
    tls_verify: Option<bool>,
}

impl Host {
    /// `unix:///path`, `tcp://host:port`, and how sockets are written in units: `/path`, `port`, `host:port`.
    fn parse(text: &str, source: &str, tls: Option<bool>, tls_verify: Option<bool>) -> Self {
        let mut host = Self {
            address: text.to_owned(),
            scheme: "unix",
            path: None,
            host: None,
            port: None,
            source: source.to_owned(),
            tls: None,
            tls_verify: None,
        };
        if let Some(path) = text
            .strip_prefix("unix://")
            .or(text.starts_with('/').then_some(text))
        {
            // Without a path it is the usual one.
            host.path = Some(
                if path.is_empty() {
                    "/var/run/docker.sock"
                } else {
                    path
                }
                .into(),
            );
            return host;
        }
        if text.starts_with("npipe://") {
            host.scheme = "npipe";
            return host;
        }
        let authority = text.strip_prefix("tcp://").unwrap_or(text);
        let authority = authority.split('/').next().unwrap_or_default();
        let usual = if tls == Some(true) { 2376 } else { 2375 };
        let (name, port) = match authority.rsplit_once(':') {
            Some((name, port)) => (name, port.parse().ok()),
            // In a unit a number alone is a port of all addresses.
            None if !authority.is_empty() && authority.bytes().all(|b| b.is_ascii_digit()) => {
                ("", authority.parse().ok())
            }
            None => (authority, Some(usual)),
        };
        host.scheme = "tcp";
        host.host = Some(name.trim_matches(['[', ']']).to_owned());
        host.port = port;
        host.tls = tls;
        host.tls_verify = tls_verify;
        host
    }

    pub(super) fn data(&self) -> Value {
        let mut data = Map::from_iter([
            ("address".to_owned(), json!(self.address)),
            ("scheme".to_owned(), json!(self.scheme)),
            ("source".to_owned(), json!(self.source)),
        ]);
        for (key, value) in [
            ("path", self.path.as_ref().map(|path| json!(path))),
            ("host", self.host.as_ref().map(|host| json!(host))),
            ("port", self.port.map(|port| json!(port))),
            ("tls", self.tls.map(|tls| json!(tls))),
            ("tls_verify", self.tls_verify.map(|verify| json!(verify))),
        ] {
            if let Some(value) = value {
                data.insert(key.to_owned(), value);
            }
        }
        Value::Object(data)
    }
}

/// All of them: as configured, what systemd listens on for it, and in any case the place that answered us.
pub(super) fn listened_on(daemon: &Daemon<'_>) -> Vec<Host> {
    let options = &daemon.options;
    let (tls, verify) = (options.bool("tls"), options.bool("tlsverify"));
    let parse = |text: &str, source: &str| Host::parse(text, source, tls, verify);
    let mut hosts: Vec<Host> = Vec::new();
    let source = options.source("hosts").unwrap_or_default();
    for text in texts(options.value("hosts")) {
        match (text.starts_with("fd://"), daemon.host) {
            (true, Some(host)) => {
                let unit = units::find(host.root, "docker.socket");
                let streams = unit.streams(host.root);
                hosts.extend(streams.iter().map(|stream| parse(stream, "unit")));
            }
            (true, None) => {}
            (false, _) => hosts.push(parse(text, source)),
        }
    }
    let real = |host: &Host| {
        let path = host.path.as_ref()?;
        let real = daemon.host.and_then(|view| view.root.real(path).ok());
        Some(real.unwrap_or_else(|| path.clone()))
    };
    let own = parse(&daemon.id, "listener");
    let is_known = hosts.iter().any(|host| match own.scheme {
        "unix" => real(host) == real(&own),
        _ => host.scheme == own.scheme && host.port == own.port,
    });
    if !is_known {
        hosts.push(own);
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (text, scheme, path, host, port) in [
            (
                "unix:///run/a.sock",
                "unix",
                Some("/run/a.sock"),
                None,
                None,
            ),
            ("unix://", "unix", Some("/var/run/docker.sock"), None, None),
            ("/run/a.sock", "unix", Some("/run/a.sock"), None, None),
            (
                "tcp://0.0.0.0:2375",
                "tcp",
                None,
                Some("0.0.0.0"),
                Some(2375),
            ),
            ("tcp://[::]:2376/x", "tcp", None, Some("::"), Some(2376)),
            ("tcp://build", "tcp", None, Some("build"), Some(2376)),
            ("2375", "tcp", None, Some(""), Some(2375)),
            ("127.0.0.1:1", "tcp", None, Some("127.0.0.1"), Some(1)),
            ("npipe:////./pipe/docker", "npipe", None, None, None),
        ] {
            let parsed = Host::parse(text, "flag", Some(true), None);
            assert_eq!(parsed.scheme, scheme, "{text}");
            assert_eq!(
                parsed.path.as_ref().map(|path| path.as_str()),
                path,
                "{text}"
            );
            assert_eq!(
                (parsed.host.as_deref(), parsed.port),
                (host, port),
                "{text}"
            );
        }
    }
}

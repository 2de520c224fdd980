//! Addresses that we send requests to, and which of them may be without TLS.

use std::net::IpAddr;

use ureq::http::Uri;
use ureq::http::uri::Authority;

/// A checked `http` or `https` address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    uri: Uri,
    host: String,
}

/// Which hosts may be spoken to without TLS. The default is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plain {
    loopback: bool,
    authorities: Vec<String>,
}

impl Plain {
    fn allows(&self, uri: &Uri, host: &str) -> bool {
        let authority = uri.authority().map(Authority::as_str);
        (self.loopback && is_loopback(host))
            || authority.is_some_and(|name| self.authorities.iter().any(|one| one == name))
    }
}

impl Address {
    /// Accepts `https`, and `http` where `plain` does: nobody on the network can talk a client out of TLS,
    /// and no registry on the network can make it call services here.
    pub(crate) fn parse(text: &str, plain: &Plain) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let host = uri.host()?.to_owned();
        let allowed = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => plain.allows(&uri, &host),
            _ => false,
        };
        allowed.then_some(Self { uri, host })
    }

    /// Resolves a `Location` (RFC 9110, section 10.2.2) against this address.
    pub(crate) fn join(&self, location: &str, plain: &Plain) -> Option<Self> {
        let scheme = self.uri.scheme_str()?;
        let authority = self.uri.authority()?;
        // A path or query may hold an address too.
        let has_scheme = location.split_once("://").is_some_and(|(scheme, _)| {
            scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        });
        let absolute = if has_scheme {
            location.to_owned()
        } else if location.starts_with("//") {
            format!("{scheme}:{location}")
        } else if location.starts_with('/') {
            format!("{scheme}://{authority}{location}")
        } else {
            let directory = self.uri.path().rsplit_once('/').map_or("", |(dir, _)| dir);
            format!("{scheme}://{authority}{directory}/{location}")
        };
        Self::parse(&absolute, plain)
    }

    /// Whether both are the same place, so that credentials for one may be shown to the other.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.uri.scheme() == other.uri.scheme() && self.uri.authority() == other.uri.authority()
    }

    /// Whether only the host can read what is sent to it.
    pub(crate) fn keeps_secrets(&self) -> bool {
        !self.is_plain() || self.is_loopback()
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.uri.scheme_str() == Some("http")
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

/// Whether a host (without port) is this machine: `localhost`, 127.0.0.0/8 or `::1`.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The base address of a registry by the name that stands in references, and where else plain http is
/// allowed on its behalf. `insecure` are the registries that the user lets be without TLS.
pub(crate) fn registry(name: &str, insecure: &[String]) -> Option<(Address, Plain)> {
    // Docker's one exception: the name of the hub is not its host.
    let host = if name == "docker.io" {
        "registry-1.docker.io"
    } else {
        name
    };
    let https = Address::parse(&format!("https://{host}/"), &Plain::default())?;
    let plain = Plain {
        loopback: is_loopback(https.host()),
        authorities: insecure.to_vec(),
    };
    match Address::parse(&format!("http://{host}/"), &plain) {
        Some(http) => Some((http, plain)),
        // What speaks TLS itself does not send anybody to a place that does not.
        None => Some((https, Plain::default())),
    }
}

/// The same registry over TLS.
pub(crate) fn over_tls(base: &Address) -> Option<Address> {
    let authority = base.uri.authority()?;
    Address::parse(&format!("https://{authority}/"), &Plain::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        let insecure = ["plain.example:5000".to_owned()];
        let text = |name| registry(name, &insecure).map(|(base, _)| base.uri().to_string());
        for (name, uri) in [
            ("docker.io", "https://registry-1.docker.io/"),
            ("ghcr.io", "https://ghcr.io/"),
            ("127.0.0.1:5000", "http://127.0.0.1:5000/"),
            ("127.8.9.1", "http://127.8.9.1/"),
            ("[::1]:5000", "http://[::1]:5000/"),
            ("localhost", "http://localhost/"),
            ("localhost.evil.example", "https://localhost.evil.example/"),
            ("127.0.0.1.evil.example", "https://127.0.0.1.evil.example/"),
            ("192.168.0.1:5000", "https://192.168.0.1:5000/"),
            ("plain.example:5000", "http://plain.example:5000/"),
            ("plain.example", "https://plain.example/"),
        ] {
            assert_eq!(text(name).as_deref(), Some(uri));
        }
    }

    #[test]
    fn redirects_do_not_lose_tls() {
        let (base, plain) = registry("a.example:8443", &["b.example".to_owned()]).unwrap();
        let base = base.join("/v2/x/blobs/1", &plain).unwrap();
        let joined = |location| base.join(location, &plain).map(|a| a.uri().to_string());
        for (location, result) in [
            ("/b?c=d", Some("https://a.example:8443/b?c=d")),
            ("2", Some("https://a.example:8443/v2/x/blobs/2")),
            (
                "/b?to=http://c.example/",
                Some("https://a.example:8443/b?to=http://c.example/"),
            ),
            ("//b.example/c", Some("https://b.example/c")),
            ("https://b.example/c", Some("https://b.example/c")),
            ("http://b.example/c", None),
            ("http://127.0.0.1/c", None),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(joined(location).as_deref(), result);
        }
        let other = base.join("https://a.example/", &plain).unwrap();
        assert!(!base.same_origin(&other));
        assert!(base.same_origin(&base.join("/y", &plain).unwrap()));
    }

    #[test]
    fn secrets_are_for_tls_and_this_machine() {
        let insecure = ["plain.example".to_owned()];
        for (name, keeps) in [
            ("docker.io", true),
            ("127.0.0.1:5000", true),
            ("plain.example", false),
        ] {
            let (base, _) = registry(name, &insecure).unwrap();
            assert_eq!(base.keeps_secrets(), keeps, "{name}");
        }
        let (plain, _) = registry("plain.example", &insecure).unwrap();
        assert!(over_tls(&plain).unwrap().keeps_secrets());
    }
}

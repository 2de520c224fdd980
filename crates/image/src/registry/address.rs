//! Addresses that we send requests to, and which of them may be without TLS.

use std::net::IpAddr;

use ureq::http::Uri;

/// A checked `http` or `https` address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    uri: Uri,
    host: String,
}

impl Address {
    /// Accepts `https`, and `http` when `plain` and the host is this machine: nobody on the network can
    /// talk a client out of TLS, and no registry on the network can make it call services here.
    pub(crate) fn parse(text: &str, plain: bool) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let host = uri.host()?.to_owned();
        let allowed = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => plain && is_loopback(&host),
            _ => false,
        };
        allowed.then_some(Self { uri, host })
    }

    /// Resolves a `Location` (RFC 9110, section 10.2.2) against this address.
    pub(crate) fn join(&self, location: &str, plain: bool) -> Option<Self> {
        let scheme = self.uri.scheme_str()?;
        let authority = self.uri.authority()?;
        let absolute = if location.contains("://") {
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

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

/// Whether a host (without port) is this machine: `localhost`, 127.0.0.0/8 or `::1`.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The base address of a registry by the name that stands in references.
pub(crate) fn registry(name: &str) -> Option<Address> {
    // Docker's one exception: the name of the hub is not its host.
    let name = if name == "docker.io" {
        "registry-1.docker.io"
    } else {
        name
    };
    let https = Address::parse(&format!("https://{name}/"), false)?;
    if is_loopback(https.host()) {
        return Address::parse(&format!("http://{name}/"), true);
    }
    Some(https)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        let text = |name| registry(name).map(|address| address.uri().to_string());
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
        ] {
            assert_eq!(text(name).as_deref(), Some(uri));
        }
    }

    #[test]
    fn redirects_do_not_lose_tls() {
        let base = Address::parse("https://a.example:8443/v2/x/blobs/1", false).unwrap();
        let joined = |location| base.join(location, false).map(|a| a.uri().to_string());
        for (location, result) in [
            ("/b?c=d", Some("https://a.example:8443/b?c=d")),
            ("2", Some("https://a.example:8443/v2/x/blobs/2")),
            ("//b.example/c", Some("https://b.example/c")),
            ("https://b.example/c", Some("https://b.example/c")),
            ("http://b.example/c", None),
            ("http://127.0.0.1/c", None),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(joined(location).as_deref(), result);
        }
        let other = base.join("https://a.example/", false).unwrap();
        assert!(!base.same_origin(&other));
        assert!(base.same_origin(&base.join("/y", false).unwrap()));
    }
}

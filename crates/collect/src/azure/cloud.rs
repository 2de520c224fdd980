//! Azure's clouds: where each lets people log in, and where its Resource Manager is.

use ureq::http::Uri;

/// A cloud. Those of Microsoft are known; an Azure Stack has addresses of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// Where tokens are given out (Microsoft Entra ID): `https://login.microsoftonline.com`.
    pub login: String,
    /// Where resources are asked for: `https://management.azure.com`.
    pub manager: String,
    /// Where a virtual machine asks for the token of its identity: the Instance Metadata Service.
    pub metadata: String,
}

/// An address that no credentials may go to. The user's fault.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{address} cannot be an address of Azure: {why}")]
pub struct CloudError {
    address: String,
    why: &'static str,
}

/// The same for all machines in all clouds (learn.microsoft.com, "Azure Instance Metadata Service").
const METADATA: &str = "http://169.254.169.254";

/// Name, login, Resource Manager.
const KNOWN: [(&str, &str, &str); 3] = [
    (
        "public",
        "https://login.microsoftonline.com",
        "https://management.azure.com",
    ),
    (
        "government",
        "https://login.microsoftonline.us",
        "https://management.usgovcloudapi.net",
    ),
    (
        "china",
        "https://login.partner.microsoftonline.cn",
        "https://management.chinacloudapi.cn",
    ),
];

impl Cloud {
    /// Names of the clouds that are known.
    pub const NAMES: [&'static str; 3] = ["public", "government", "china"];

    /// The cloud of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (_, login, manager) = KNOWN.iter().find(|(known, ..)| *known == name)?;
        Some(Self {
            login: (*login).to_owned(),
            manager: (*manager).to_owned(),
            metadata: METADATA.to_owned(),
        })
    }

    /// A cloud of one's own.
    ///
    /// # Errors
    /// When credentials could be read on their way there.
    pub fn custom(login: &str, manager: &str, metadata: Option<&str>) -> Result<Self, CloudError> {
        let cloud = Self {
            login: login.trim_end_matches('/').to_owned(),
            manager: manager.trim_end_matches('/').to_owned(),
            metadata: metadata
                .unwrap_or(METADATA)
                .trim_end_matches('/')
                .to_owned(),
        };
        for address in [&cloud.login, &cloud.manager] {
            checked(address, is_loopback)?;
        }
        checked(&cloud.metadata, is_near)?;
        Ok(cloud)
    }

    /// What tokens are to be good for.
    pub(super) fn scope(&self) -> String {
        format!("{}/.default", self.manager)
    }

    /// The same in the words of managed identities.
    pub(super) fn resource(&self) -> String {
        format!("{}/", self.manager)
    }
}

/// Whether an address takes part in TLS, or needs none because `is_safe` says so of its host.
fn checked(address: &str, is_safe: fn(&str) -> bool) -> Result<(), CloudError> {
    let wrong = |why| CloudError {
        address: address.chars().take(200).collect(),
        why,
    };
    let uri: Uri = address.parse().map_err(|_invalid| wrong("it is none"))?;
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Err(wrong("it has no scheme or no host"));
    };
    if uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'))
        || uri.query().is_some()
    {
        return Err(wrong("it has more than a host and a path"));
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_safe(host) => Ok(()),
        "http" => Err(wrong("without TLS only this machine is asked")),
        _ => Err(wrong("its scheme is not https")),
    }
}

pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// This machine, or what answers only on its own link: a virtual machine's metadata.
pub(super) fn is_near(host: &str) -> bool {
    let address = host.parse::<std::net::Ipv4Addr>();
    is_loopback(host) || address.is_ok_and(|address| address.is_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clouds_are_known_by_name() {
        for name in Cloud::NAMES {
            let cloud = Cloud::named(name).unwrap();
            assert!(cloud.login.starts_with("https://login."), "{name}");
            assert!(cloud.manager.starts_with("https://management."), "{name}");
        }
        assert_eq!(Cloud::named("mars"), None);
    }

    #[test]
    fn credentials_go_nowhere_in_the_clear() {
        let good = "https://login.stack.example";
        assert!(Cloud::custom(good, "https://management.stack.example/", None).is_ok());
        assert!(Cloud::custom(good, "http://127.0.0.1:81", Some("http://127.0.0.1:82")).is_ok());
        for bad in [
            "http://management.stack.example",
            "http://169.254.169.254",
            "https://user:word@management.stack.example",
            "https://management.stack.example?x=y",
            "ftp://management.stack.example",
            "management.stack.example",
            "",
        ] {
            assert!(Cloud::custom(good, bad, None).is_err(), "{bad}");
            assert!(Cloud::custom(bad, good, None).is_err(), "{bad}");
        }
        assert!(Cloud::custom(good, good, Some("http://10.0.0.1")).is_err());
    }
}

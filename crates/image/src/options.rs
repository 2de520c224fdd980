//! How to read: platform, limits, and manners on the network.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::{Authorities, Credentials, LayerCache, Limits};

/// What the caller may choose. The default is right for scanning.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bounds on what an image may cost.
    pub limits: Limits,
    /// Which digests are computed and compared.
    pub verify: Verify,
    /// How many layers are read at the same time.
    pub threads: NonZeroUsize,
    /// Where what layers hold is kept, so that no layer is read twice. Only what was verified is kept.
    pub cache: Option<Arc<LayerCache>>,
    /// Which image of a multi-platform index to read. `None`: this machine's architecture on Linux, or
    /// the only platform there is.
    pub platform: Option<Platform>,
    /// Which image of an archive with several to read: one of its names, or its digest. `None` for the only
    /// one there is.
    pub image: Option<String>,
    /// Who we are to which registry.
    pub credentials: Credentials,
    /// Who is trusted to say who a registry is, besides the authorities that browsers trust.
    pub authorities: Authorities,
    /// Registries that may be spoken to without TLS, as references name them (`registry.lan:5000`). Those
    /// on this machine always may. Credentials are shown to none of the former.
    pub plain_http: Vec<String>,
    /// Folder for archives that have to be unpacked or fetched before they can be read. They have no name
    /// there, and need the disk space of the unpacked image.
    pub temporary: Utf8PathBuf,
    /// Longest wait for a connection to a registry.
    pub connect_timeout: Duration,
    /// Longest silence of a registry, before its answer and within a blob.
    pub read_timeout: Duration,
    /// The least that a registry must send while it is waited for.
    pub least_rate: LeastRate,
    /// Requests that failed for a passing reason are repeated this many times.
    pub retries: u32,
    /// Pause before the first repetition; it doubles each time.
    pub retry_pause: Duration,
    /// How we introduce ourselves to registries.
    pub user_agent: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            verify: Verify::Packed,
            threads: threads(),
            cache: None,
            platform: None,
            image: None,
            credentials: Credentials::default(),
            authorities: Authorities::default(),
            plain_http: Vec::new(),
            // Not `/tmp`, which is memory on many machines.
            temporary: Utf8PathBuf::from("/var/tmp"),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            least_rate: LeastRate {
                bytes: 60 << 10,
                within: Duration::from_secs(60),
            },
            retries: 3,
            retry_pause: Duration::from_millis(500),
            user_agent: concat!("seareeve/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// So many bytes in so much time. What is slower is as good as silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeastRate {
    /// Bytes.
    pub bytes: u64,
    /// The time spent waiting for them.
    pub within: Duration,
}

/// Which digests are computed and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Those of packed layers and of everything that came over a network. A layer that lies uncompressed in a
    /// local archive or folder is read in place, without what nobody looks at, and nothing is known of its digest.
    Packed,
    /// All of them, also the diff ids of unpacked layers, as a container engine does before it runs an image.
    Everything,
}

/// As many as there are processors, up to four: more layers at a time take more memory than they save time.
fn threads() -> NonZeroUsize {
    let most = const { NonZeroUsize::new(4).expect("4 is not 0") };
    std::thread::available_parallelism().map_or(NonZeroUsize::MIN, |count| count.min(most))
}

/// An operating system and processor, in the words of Go as OCI uses them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// `linux`, `windows`.
    pub os: String,
    /// `amd64`, `arm64`.
    pub architecture: String,
    /// `v7`, `v8`; `None` takes any.
    pub variant: Option<String>,
}

/// The text is not `os/architecture[/variant]`. The user's fault.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a platform such as linux/amd64 or linux/arm/v7")]
pub struct PlatformError(String);

impl Platform {
    /// Linux on the processor that this program was built for.
    #[must_use]
    pub fn host() -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            "powerpc64" => "ppc64le",
            "loongarch64" => "loong64",
            other => other,
        };
        Self {
            os: "linux".to_owned(),
            architecture: architecture.to_owned(),
            variant: None,
        }
    }

    /// Whether something made for `os`, `architecture` and `variant` is what was asked for.
    #[must_use]
    pub(crate) fn accepts(&self, os: &str, architecture: &str, variant: Option<&str>) -> bool {
        self.os == os
            && self.architecture == architecture
            && (self.variant.is_none() || self.variant.as_deref() == variant)
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |part: &&str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [os, architecture, rest @ ..] if rest.len() <= 1 && parts.iter().all(word) => {
                Ok(Self {
                    os: (*os).to_owned(),
                    architecture: (*architecture).to_owned(),
                    variant: rest.first().map(|variant| (*variant).to_owned()),
                })
            }
            _ => Err(PlatformError(text.chars().take(100).collect())),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_written_as_docker_writes_them() {
        for good in ["linux/amd64", "linux/arm/v7", "windows/386"] {
            assert_eq!(good.parse::<Platform>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "linux",
            "linux/",
            "linux/arm/v7/x",
            "Linux/amd64",
            "linux amd64/x",
        ] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }
}

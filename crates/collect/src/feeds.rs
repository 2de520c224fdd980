//! Feeds of advisories and of what is said about them: one file each. `download` brings one file of any feed,
//! and goes on where it was interrupted.

mod download;
pub mod epss;
pub mod kev;
pub mod osv;

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_model::{Problem, ProblemCode};

pub(crate) use download::tls;
use download::{Download, Failure};
pub use download::{Downloader, NetworkError};

/// Where the feeds are. A feed without an address is not fetched.
#[derive(Clone, Copy, Debug)]
pub struct Addresses<'a> {
    /// OSV's archives: `ADDRESS/ECOSYSTEM/all.zip`.
    pub osv: &'a str,
    /// Which of them.
    pub ecosystems: &'a [&'a str],
    /// CISA's catalogue of known exploited vulnerabilities.
    pub known_exploited: Option<&'a str>,
    /// FIRST's EPSS scores.
    pub epss: Option<&'a str>,
}

/// The files there are to build from, fetched now or before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Folders with an OSV archive.
    pub archives: Vec<Utf8PathBuf>,
    /// CISA's catalogue.
    pub known_exploited: Option<Utf8PathBuf>,
    /// FIRST's scores.
    pub epss: Option<Utf8PathBuf>,
}

/// Told while files arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is arriving: an ecosystem, or the name of a feed.
    pub what: &'a str,
    /// Its number, from 1.
    pub number: usize,
    /// All files.
    pub of: usize,
    /// Bytes so far, with those of an interrupted attempt.
    pub bytes: u64,
    /// All bytes, where the server says so.
    pub total: Option<u64>,
}

/// What a fetch brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Ecosystems and feeds whose file is new.
    pub updated: Vec<String>,
    /// Ecosystems and feeds whose file had not changed.
    pub unchanged: Vec<String>,
    /// What could not be brought. Where an older file is there, it stays in use, and this says so.
    pub problems: Vec<Problem>,
}

/// Why nothing at all could be brought.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The folder cannot be written. The user's fault.
    #[error("failed to write {path}")]
    Folder {
        /// The file or folder.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No archive came, and none is there from before. The network's fault, or the address is wrong.
    #[error("failed to fetch any archive from {address}: {first}")]
    Nothing {
        /// The address asked.
        address: String,
        /// What happened to the first.
        first: String,
    },
    /// The caller asked to stop.
    #[error("stopped")]
    Stopped,
}

/// Fetches all feeds into `folder`, and tells `progress` on the way, which answers whether to go on.
///
/// # Errors
/// Only when there is no advisory to build from; see [`Fetched::problems`] for single files.
pub fn fetch(
    downloader: &Downloader,
    addresses: &Addresses<'_>,
    folder: &Utf8Path,
    progress: &mut dyn FnMut(Progress<'_>) -> bool,
) -> Result<Fetched, FetchError> {
    let mut downloads: Vec<Download<'_>> = osv::downloads(addresses, folder).collect();
    downloads.extend(
        addresses
            .known_exploited
            .map(|url| kev::download(url, folder)),
    );
    downloads.extend(addresses.epss.map(|url| epss::download(url, folder)));
    let mut fetched = Fetched::default();
    for (index, download) in downloads.iter().enumerate() {
        let mut tell = |bytes, total| {
            progress(Progress {
                what: download.what,
                number: index.saturating_add(1),
                of: downloads.len(),
                bytes,
                total,
            })
        };
        match downloader.bring(download, &mut tell) {
            Ok(true) => fetched.updated.push(download.what.to_owned()),
            Ok(false) => fetched.unchanged.push(download.what.to_owned()),
            Err(Failure::Stopped) => return Err(FetchError::Stopped),
            Err(Failure::Folder { path, source }) => {
                return Err(FetchError::Folder { path, source });
            }
            Err(Failure::Remote(why)) => {
                let kept = if download.target.exists() {
                    "; the file from before stays in use"
                } else {
                    ""
                };
                let message = format!("failed to fetch {}: {why}{kept}", download.kind);
                let code = ProblemCode::AdvisoriesMissing;
                fetched
                    .problems
                    .push(Problem::new(code, download.what, message));
            }
        }
    }
    match fetched.problems.first() {
        Some(first) if files(addresses, folder).archives.is_empty() => Err(FetchError::Nothing {
            address: addresses.osv.to_owned(),
            first: first.to_string(),
        }),
        _ => Ok(fetched),
    }
}

/// What there is to build from in `folder`, of the feeds that have an address.
#[must_use]
pub fn files(addresses: &Addresses<'_>, folder: &Utf8Path) -> Files {
    let there = |url: Option<&str>, name| {
        let path = url.map(|_| folder.join(name));
        path.filter(|path| path.exists())
    };
    Files {
        archives: osv::archives(addresses, folder),
        known_exploited: there(addresses.known_exploited, kev::FILE),
        epss: there(addresses.epss, epss::FILE),
    }
}

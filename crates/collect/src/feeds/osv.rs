//! OSV's public archives: one `all.zip` per ecosystem below one address.
//!
//! Each archive is kept in a folder in the same layout, with the validator (`ETag` or `Last-Modified`) under which
//! it came, so that an unchanged one is not fetched again. An archive replaces its predecessor only when it has
//! arrived whole.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_model::{Problem, ProblemCode};
use ureq::Agent;

/// Where OSV publishes its archives.
pub const PUBLIC_ADDRESS: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// The ecosystems whose packages we find, so whose advisories are of use.
pub const ECOSYSTEMS: [&str; 5] = ["Alpine", "Debian", "PyPI", "Ubuntu", "npm"];

/// The archive's name in its ecosystem's folder.
const ARCHIVE: &str = "all.zip";

/// The largest archive that is taken, in bytes. OSV's largest is near 200 MB.
const MAX_ARCHIVE_BYTES: u64 = 4 << 30;

/// Told while archives arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The archive that is arriving.
    pub ecosystem: &'a str,
    /// Its number, from 1.
    pub number: usize,
    /// All archives.
    pub of: usize,
    /// Bytes so far.
    pub bytes: u64,
    /// All bytes, where the server says so.
    pub total: Option<u64>,
}

/// What a fetch brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Ecosystems whose archive is new.
    pub updated: Vec<String>,
    /// Ecosystems whose archive had not changed.
    pub unchanged: Vec<String>,
    /// What could not be brought. Where an older archive is there, it stays in use, and this says so.
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

/// Fetches the archives of `ecosystems` below `address` into `folder`, and tells `progress` on the way, which
/// answers whether to go on.
///
/// # Errors
/// Only when nothing is there to build from; see [`Fetched::problems`] for single archives.
pub fn fetch(
    address: &str,
    ecosystems: &[&str],
    folder: &Utf8Path,
    progress: &mut dyn FnMut(Progress<'_>) -> bool,
) -> Result<Fetched, FetchError> {
    let agent = Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_per_read(Some(Duration::from_secs(60)))
        .timeout_global(Some(Duration::from_secs(3600)))
        .http_status_as_error(false)
        .user_agent(concat!("seareeve/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent();
    let mut fetched = Fetched::default();
    let mut usable = false;
    for (index, ecosystem) in ecosystems.iter().enumerate() {
        let target = folder.join(ecosystem).join(ARCHIVE);
        let url = format!(
            "{}/{}/all.zip",
            address.trim_end_matches('/'),
            ecosystem.replace(' ', "%20")
        );
        let mut tell = |bytes, total| {
            progress(Progress {
                ecosystem,
                number: index + 1,
                of: ecosystems.len(),
                bytes,
                total,
            })
        };
        match fetch_one(&agent, &url, &target, &mut tell) {
            Ok(true) => fetched.updated.push((*ecosystem).to_owned()),
            Ok(false) => fetched.unchanged.push((*ecosystem).to_owned()),
            Err(OneError::Stopped) => return Err(FetchError::Stopped),
            Err(OneError::Folder { path, source }) => {
                return Err(FetchError::Folder { path, source });
            }
            Err(OneError::Remote(why)) => {
                let kept = if target.exists() {
                    "; the archive from before stays in use"
                } else {
                    ""
                };
                let message = format!("failed to fetch the advisories: {why}{kept}");
                fetched.problems.push(Problem::new(
                    ProblemCode::AdvisoriesMissing,
                    *ecosystem,
                    message,
                ));
            }
        }
        usable |= target.exists();
    }
    match fetched.problems.first() {
        Some(first) if !usable => Err(FetchError::Nothing {
            address: address.to_owned(),
            first: first.to_string(),
        }),
        _ => Ok(fetched),
    }
}

/// The folders below `folder` that hold an archive of one of `ecosystems`: what there is to build from.
#[must_use]
pub fn archives(folder: &Utf8Path, ecosystems: &[&str]) -> Vec<Utf8PathBuf> {
    let folders = ecosystems.iter().map(|ecosystem| folder.join(ecosystem));
    folders.filter(|path| path.join(ARCHIVE).exists()).collect()
}

enum OneError {
    Remote(String),
    Folder {
        path: Utf8PathBuf,
        source: io::Error,
    },
    Stopped,
}

/// Whether a new archive came.
fn fetch_one(
    agent: &Agent,
    url: &str,
    target: &Utf8Path,
    progress: &mut dyn FnMut(u64, Option<u64>) -> bool,
) -> Result<bool, OneError> {
    let at = |path: &Utf8Path| {
        let path = path.to_owned();
        move |source| OneError::Folder { path, source }
    };
    let folder = target.parent().unwrap_or(target);
    std::fs::create_dir_all(folder).map_err(at(folder))?;
    let validator_path = target.with_extension("validator");
    let mut request = agent.get(url);
    if target.exists()
        && let Ok(validator) = std::fs::read_to_string(&validator_path)
        && let Some((name, value)) = validator.split_once('\n')
    {
        request = request.header(name, value);
    }
    let mut response = request
        .call()
        .map_err(|error| OneError::Remote(format!("{url}: {error}")))?;
    match response.status().as_u16() {
        200 => {}
        304 => return Ok(false),
        status => return Err(OneError::Remote(format!("{url} answered {status}"))),
    }
    let header = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let validator = header("etag")
        .map(|etag| format!("if-none-match\n{etag}"))
        .or_else(|| header("last-modified").map(|date| format!("if-modified-since\n{date}")));
    let total = header("content-length").and_then(|length| length.parse().ok());
    let partial = target.with_extension("part");
    let mut file = File::create(&partial).map_err(at(&partial))?;
    let mut body = response
        .body_mut()
        .with_config()
        .limit(MAX_ARCHIVE_BYTES)
        .reader();
    let mut bytes = 0_u64;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = body
            .read(&mut buffer)
            .map_err(|error| OneError::Remote(format!("{url}: {error}")))?;
        let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else {
            break;
        };
        file.write_all(chunk).map_err(at(&partial))?;
        bytes += chunk.len() as u64;
        if !progress(bytes, total) {
            return Err(OneError::Stopped);
        }
    }
    if let Some(total) = total.filter(|total| *total != bytes) {
        return Err(OneError::Remote(format!(
            "{url}: {bytes} of {total} bytes arrived"
        )));
    }
    file.sync_all().map_err(at(&partial))?;
    // A page of a proxy that wants a password comes with 200, too.
    if !is_zip(&partial).map_err(at(&partial))? {
        return Err(OneError::Remote(format!(
            "{url} answered with something that is no zip archive"
        )));
    }
    // The validator goes first and comes last: a crash between the two costs a fetch, never a stale archive.
    if let Err(source) = std::fs::remove_file(&validator_path)
        && source.kind() != io::ErrorKind::NotFound
    {
        return Err(OneError::Folder {
            path: validator_path,
            source,
        });
    }
    std::fs::rename(&partial, target).map_err(at(target))?;
    if let Some(validator) = validator {
        std::fs::write(&validator_path, validator).map_err(at(&validator_path))?;
    }
    Ok(true)
}

/// Whether a file begins and ends as a zip archive does (APPNOTE 4.3: a local header at the start, the record of the
/// central directory's end within the last 64 KiB). What is in it, building says.
fn is_zip(path: &Utf8Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(4).read_to_end(&mut start)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(22 + 65_535)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(start == b"PK\x03\x04" && end.windows(4).any(|four| four == b"PK\x05\x06"))
}

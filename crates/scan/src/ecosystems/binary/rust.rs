//! The list of crates that `cargo auditable` links into a program: JSON, compressed by zlib, in a section named
//! `.dep-v0` (rust-secure-code, cargo-auditable, "PARSING.md").
//!
//! The section's place stands in a table at the end of the file, when the section has passed by. But it is not
//! loaded, so it follows all that is, beside the symbols: there, each place that could begin such JSON is tried.

use std::ops::ControlFlow;

use flate2::{Decompress, FlushDecompress, Status};
use seareeve_model::{Package, PackageKind};
use serde::Deserialize;

use super::super::faults;
use super::super::found::{Found, Limited};
use super::needle::Needle;
use crate::ecosystems::faults::excerpt;

/// The section's name, as it stands in the table of names.
const SECTION: &[u8] = b".dep-v0\0";
/// What the JSON of all versions of cargo-auditable begins with.
const JSON: &[u8] = b"{\"packages\":[";
/// First byte of zlib streams with the usual window (RFC 1950).
const ZLIB: u8 = 0x78;
/// Packed bytes within which the first of the JSON come out: the longest tables of deflate and some.
const LOOK: usize = 512;
/// How many bytes are gathered before they are searched.
const BATCH: usize = 32 << 10;
/// Places that are tried; then one more for each kilobyte. A real binary has one for each 16 KiB.
const TRIES: u64 = 100_000;
/// Longest JSON, the limit that the format's authors advise.
const LONGEST: usize = 8 << 20;

/// The data are there, but could not be read.
pub(super) struct Unreadable;

/// Looks for the list in the part of one ELF file that is not loaded.
pub(super) struct Search {
    from: u64,
    state: State,
    name: Needle,
    has_section: bool,
    tries: u64,
    seen: u64,
}

enum State {
    Looking {
        window: Vec<u8>,
        probe: Box<Decompress>,
    },
    Inflating(Inflating),
    Done(Result<Vec<u8>, Unreadable>),
}

struct Inflating {
    stream: Box<Decompress>,
    json: Vec<u8>,
}

impl Search {
    /// For a file whose loaded part ends at `from`.
    pub(super) fn new(from: u64) -> Self {
        Self {
            from,
            state: State::Looking {
                window: Vec::new(),
                probe: Box::new(Decompress::new(true)),
            },
            name: Needle::new(SECTION),
            has_section: false,
            tries: 0,
            seen: 0,
        }
    }

    /// Where the part begins that is searched, to the end of the file.
    pub(super) fn from(&self) -> u64 {
        self.from
    }

    /// Takes the bytes at `at`; `Break` when the list was found.
    pub(super) fn take(&mut self, at: u64, bytes: &[u8]) -> ControlFlow<()> {
        let Ok(skipped) = usize::try_from(self.from.saturating_sub(at)) else {
            return ControlFlow::Continue(());
        };
        let Some(bytes) = bytes.get(skipped..).filter(|bytes| !bytes.is_empty()) else {
            return ControlFlow::Continue(());
        };
        let at = at.max(self.from);
        self.has_section |= !self.name.ends(at, bytes).is_empty();
        self.seen = self.seen.saturating_add(bytes.len() as u64);
        match &mut self.state {
            State::Looking { window, .. } => {
                window.extend_from_slice(bytes);
                if window.len() >= BATCH {
                    self.search(LOOK);
                }
            }
            State::Inflating(inflating) => {
                if let Some(done) = inflating.take(bytes) {
                    self.state = State::Done(done);
                }
            }
            State::Done(_) => {}
        }
        match self.state {
            State::Looking { .. } | State::Inflating(_) => ControlFlow::Continue(()),
            State::Done(_) => ControlFlow::Break(()),
        }
    }

    /// The JSON, if there is any.
    pub(super) fn finish(&mut self, is_whole: bool) -> Option<Result<Vec<u8>, Unreadable>> {
        self.search(0);
        let looked = State::Done(Err(Unreadable));
        match std::mem::replace(&mut self.state, looked) {
            State::Done(done) => Some(done),
            State::Inflating(_) => Some(Err(Unreadable)),
            State::Looking { .. } => (self.has_section && is_whole).then_some(Err(Unreadable)),
        }
    }

    /// Tries all places in the window that have `look` bytes behind them.
    fn search(&mut self, look: usize) {
        let State::Looking { window, probe } = &mut self.state else {
            return;
        };
        let places = window.len().saturating_sub(look);
        let most = TRIES.saturating_add(self.seen / 1024);
        for place in memchr::memchr_iter(ZLIB, window.get(..places).unwrap_or_default()) {
            let packed = window.get(place..).unwrap_or_default();
            // RFC 1950, 2.2: the first two bytes are a multiple of 31; the levels that need no dictionary.
            if !matches!(packed, [_, 0x01 | 0x5e | 0x9c | 0xda, ..]) || self.tries >= most {
                continue;
            }
            self.tries = self.tries.saturating_add(1);
            if begins_with_json(probe, packed.get(..LOOK).unwrap_or(packed)) {
                let mut inflating = Inflating {
                    stream: Box::new(Decompress::new(true)),
                    json: Vec::new(),
                };
                self.state = match inflating.take(packed) {
                    Some(done) => State::Done(done),
                    None => State::Inflating(inflating),
                };
                return;
            }
        }
        window.drain(..places);
    }
}

fn begins_with_json(probe: &mut Decompress, packed: &[u8]) -> bool {
    let mut start = [0; JSON.len()];
    probe.reset(true);
    let result = probe.decompress(packed, &mut start, FlushDecompress::None);
    result.is_ok() && start == JSON
}

impl Inflating {
    /// The JSON or its failure, once that is known.
    fn take(&mut self, mut packed: &[u8]) -> Option<Result<Vec<u8>, Unreadable>> {
        let mut buffer = [0; 8192];
        loop {
            let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
            let result = self
                .stream
                .decompress(packed, &mut buffer, FlushDecompress::None);
            let read = usize::try_from(self.stream.total_in().saturating_sub(before_in)).ok()?;
            let made = usize::try_from(self.stream.total_out().saturating_sub(before_out)).ok()?;
            packed = packed.get(read..).unwrap_or_default();
            self.json
                .extend_from_slice(buffer.get(..made).unwrap_or_default());
            match result {
                Ok(Status::StreamEnd) => return Some(Ok(std::mem::take(&mut self.json))),
                Ok(_) if self.json.len() > LONGEST => return Some(Err(Unreadable)),
                // All that came in was used up.
                Ok(_) if read == 0 && made == 0 => return None,
                Ok(_) => {}
                Err(_) => return Some(Err(Unreadable)),
            }
        }
    }
}

#[derive(Deserialize)]
struct Audit<'a> {
    #[serde(borrow)]
    packages: Vec<Crate<'a>>,
}

/// `cargo-auditable.schema.json`, as far as we use it.
#[derive(Deserialize)]
struct Crate<'a> {
    #[serde(borrow)]
    name: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    version: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    source: std::borrow::Cow<'a, str>,
    /// `runtime` when absent.
    #[serde(borrow, default)]
    kind: Option<std::borrow::Cow<'a, str>>,
}

/// Adds the crates that are part of the program.
pub(super) fn read(json: &[u8], found: &mut Found<'_>) -> Result<(), Limited> {
    let audit: Audit<'_> = match serde_json::from_slice(json) {
        Ok(audit) => audit,
        Err(error) => {
            found.problem(format!(
                "failed to read the list of crates in this binary: {}",
                faults::json(&error)
            ));
            return Ok(());
        }
    };
    let is_linked =
        |package: &&Crate<'_>| package.kind.as_deref().is_none_or(|kind| kind == "runtime");
    for package in audit.packages.iter().filter(is_linked) {
        match package.source.as_ref() {
            "crates.io" => add(package, found)?,
            // The program itself and what is developed with it: not what advisories of crates.io name.
            "local" => {}
            source => {
                let Crate { name, version, .. } = package;
                let text = format!("{name} {version} is from {source}");
                let text = excerpt(&text, 200);
                found.problem(format!(
                    "{text}, not from crates.io, so advisories may or may not apply: it was left out"
                ));
            }
        }
    }
    Ok(())
}

fn add(package: &Crate<'_>, found: &mut Found<'_>) -> Result<(), Limited> {
    let Some(name) = found.text("name", Some(package.name.as_bytes())) else {
        return Ok(());
    };
    let version = found.text(
        &format!("version of {name}"),
        Some(package.version.as_bytes()),
    );
    let Some(version) = version else {
        return Ok(());
    };
    let Some(purl) = found.purl("cargo", "", &name, &version, &[]) else {
        return Ok(());
    };
    found.package(Package {
        kind: PackageKind::Cargo,
        name,
        version,
        source: None,
        ecosystem: "crates.io".to_owned(),
        purl,
    })
}

//! Programs and shared libraries of any size: the Go modules and Rust crates that they say they are made of.
//!
//! Files are told by their first bytes, not by their names, and are read once, in constant memory, while they
//! pass by. ELF files are searched only where the linkers put these data; PE and Mach-O files are searched
//! for Go's, which are the same in all formats.

mod go;
mod layout;
mod modules;
mod needle;
mod rust;

#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use seareeve_image::{FileFacts, Inspector};
use seareeve_model::ImagePath;
use serde::{Deserialize, Serialize};

use super::found::{Found, Limited};
use super::os_release::OsRelease;
use super::{Ecosystem, Intake, Scope};
use layout::{HEAD, Layout, is_binary};

pub(super) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Extract {
        passes_over,
        inspector,
    },
    read,
};

/// No program is smaller than the header of one and what we look for.
const SMALLEST: u64 = 128;

/// Bytes that tell a binary.
const MAGIC: usize = 4;

fn passes_over(_path: &ImagePath, start: &[u8]) -> bool {
    start.len() >= MAGIC && !is_binary(start)
}

fn inspector(_path: &ImagePath, file: FileFacts) -> Option<Box<dyn Inspector>> {
    (file.size >= SMALLEST).then(|| Box::new(Binary::Head(Vec::new())) as Box<dyn Inspector>)
}

/// What is remembered of a binary.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Extract {
    /// Built by Go.
    Go(go::BuildInfo),
    /// Built by `cargo auditable`: its JSON.
    Rust(Vec<u8>),
    /// Built by `cargo auditable`, but its data were not found or are damaged.
    RustUnreadable,
}

/// How far the inspection of one file is.
enum Binary {
    /// The beginning is being gathered.
    Head(Vec<u8>),
    /// The headers are read.
    Body(Box<Body>),
    /// Nothing more is wanted.
    Done(Option<Extract>),
}

impl Inspector for Binary {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        match self {
            Self::Head(head) => {
                // Most files are no binaries: where they were not passed over, they cost this comparison.
                let start: &[u8] = if head.is_empty() {
                    bytes
                } else {
                    head.as_slice()
                };
                if start.len() >= MAGIC && !is_binary(start) {
                    *self = Self::Done(None);
                    return ControlFlow::Break(());
                }
                let room = HEAD.saturating_sub(head.len()).min(bytes.len());
                let (to_head, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
                head.extend_from_slice(to_head);
                if head.len() < HEAD {
                    return ControlFlow::Continue(());
                }
                self.open()?;
                if rest.is_empty() {
                    return ControlFlow::Continue(());
                }
                self.take(rest)
            }
            Self::Body(body) => {
                let flow = body.take(bytes);
                if flow.is_break() {
                    *self = Self::Done(body.finish(true));
                }
                flow
            }
            Self::Done(_) => ControlFlow::Break(()),
        }
    }

    fn skips(&mut self) -> u64 {
        match self {
            Self::Body(body) => body.skips(),
            Self::Head(_) | Self::Done(_) => 0,
        }
    }

    fn finish(mut self: Box<Self>, is_whole: bool) -> Option<Vec<u8>> {
        if matches!(&*self, Self::Head(_)) {
            let _ = self.open();
        }
        let extract = match *self {
            Self::Head(_) => None,
            Self::Body(mut body) => body.finish(is_whole),
            Self::Done(extract) => extract,
        };
        postcard::to_stdvec(&extract?).ok()
    }
}

impl Binary {
    /// Leaves [`Binary::Head`]: reads the headers and searches the head itself.
    fn open(&mut self) -> ControlFlow<()> {
        let Self::Head(head) = self else {
            return ControlFlow::Continue(());
        };
        let head = std::mem::take(head);
        let layout = (head.len() >= MAGIC && is_binary(&head))
            .then(|| Layout::read(&head))
            .flatten();
        let Some(layout) = layout else {
            *self = Self::Done(None);
            return ControlFlow::Break(());
        };
        *self = Self::Body(Box::new(Body {
            at: 0,
            go: go::Search::new(&layout),
            rust: layout.unloaded.map(rust::Search::new),
        }));
        self.take(&head)
    }
}

/// The searches behind the headers.
struct Body {
    at: u64,
    go: go::Search,
    rust: Option<rust::Search>,
}

impl Body {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        let at = self.at;
        self.at = at.saturating_add(bytes.len() as u64);
        self.go.take(at, bytes)?;
        match &mut self.rust {
            Some(rust) => rust.take(at, bytes),
            None => ControlFlow::Continue(()),
        }
    }

    /// Passes over what neither search wants, which is machine code most of all.
    fn skips(&mut self) -> u64 {
        let rust = self.rust.as_ref().map_or(u64::MAX, rust::Search::from);
        let next = self.go.next(self.at).min(rust).max(self.at);
        let skipped = next.saturating_sub(self.at);
        self.at = next;
        skipped
    }

    fn finish(&mut self, is_whole: bool) -> Option<Extract> {
        let go = self.go.finish(is_whole).map(Extract::Go);
        go.or_else(|| match self.rust.as_mut()?.finish(is_whole)? {
            Ok(json) => Some(Extract::Rust(json)),
            Err(rust::Unreadable) => Some(Extract::RustUnreadable),
        })
    }
}

fn read(extract: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    match postcard::from_bytes(extract) {
        Ok(Extract::Go(info)) => modules::read(&info, found),
        Ok(Extract::Rust(json)) => rust::read(&json, found),
        Ok(Extract::RustUnreadable) => {
            found.problem(
                "failed to read the list of crates that cargo auditable put into this binary"
                    .to_owned(),
            );
            Ok(())
        }
        Err(error) => {
            found.problem(format!("failed to read what was kept of a binary: {error}"));
            Ok(())
        }
    }
}

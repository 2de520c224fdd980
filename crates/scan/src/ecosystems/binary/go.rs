//! Go's build information, found while a binary passes by (Go's source: `debug/buildinfo`).
//!
//! Since Go 1.18 the linker writes one blob with everything in it. Before, the blob had pointers to texts that
//! stand elsewhere; `older` gathers those.

mod older;

use std::ops::{ControlFlow, Range};

use serde::{Deserialize, Serialize};

use super::layout::Layout;
use super::needle::Needle;
use older::Older;

/// What the blob begins with.
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Where the linker lets it begin.
const ALIGNMENT: u64 = 16;
/// Where, behind the magic, the texts begin that stand in the blob.
const INLINE: usize = 18;
/// Longest description of modules. Kubernetes' has 30 KiB.
const LONGEST_MODULES: usize = 4 << 20;
/// Longest name of a toolchain.
const LONGEST_VERSION: usize = 1024;
/// The text of the modules is framed by two marks of this length (`cmd/go/internal/modload`, `infoStart`).
const FRAME: usize = 16;

/// What a binary says about how it was built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BuildInfo {
    /// The toolchain, `go1.22.3`. `None` when it says so where we do not look.
    pub(super) version: Option<String>,
    /// Lines about the modules; `None` when it was built without modules, or says so where we do not look.
    pub(super) modules: Option<Vec<u8>>,
}

/// Looks for the build information of one binary.
pub(super) struct Search {
    layout: Layout,
    data: Vec<Range<u64>>,
    magic: Needle,
    blob: Option<Blob>,
    older: Option<Older>,
    header: Option<Header>,
    /// From a place that the linker does not use: what another binary inside this one says.
    embedded: Option<BuildInfo>,
    found: Option<BuildInfo>,
}

/// What follows the magic, as far as it was seen.
struct Blob {
    at: u64,
    bytes: Vec<u8>,
}

/// The header of the string of the toolchain's version, in binaries of before Go 1.18.
struct Header {
    at: u64,
    bytes: Vec<u8>,
    pointers: Pointers,
}

/// How a binary writes addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pointers {
    size: usize,
    is_big_endian: bool,
}

impl Pointers {
    fn read(self, bytes: &[u8], index: usize) -> Option<u64> {
        let at = self.size.checked_mul(index)?;
        let bytes = bytes.get(at..at.checked_add(self.size)?)?;
        let join = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        Some(if self.is_big_endian {
            bytes.iter().fold(0, join)
        } else {
            bytes.iter().rev().fold(0, join)
        })
    }
}

impl Search {
    pub(super) fn new(layout: &Layout) -> Self {
        Self {
            layout: layout.clone(),
            data: layout.data(),
            magic: Needle::new(MAGIC),
            blob: None,
            older: layout.is_go.then(Older::new),
            header: None,
            embedded: None,
            found: None,
        }
    }

    /// Takes the bytes at `at`; `Break` when all is found.
    pub(super) fn take(&mut self, at: u64, bytes: &[u8]) -> ControlFlow<()> {
        self.feed_header(at, bytes)?;
        self.feed_blob(at, bytes, bytes)?;
        let end = at.saturating_add(bytes.len() as u64);
        for index in 0..self.data.len() {
            let Some(part) = self.data.get(index).cloned() else {
                break;
            };
            let start = part.start.max(at);
            let into = |offset: u64| usize::try_from(offset.saturating_sub(at)).ok();
            let range = into(start).zip(into(part.end.min(end)));
            let Some(data) = range.and_then(|(from, to)| bytes.get(from..to)) else {
                continue;
            };
            if data.is_empty() {
                continue;
            }
            if let Some(older) = &mut self.older {
                older.take(start, data);
            }
            for behind in self.magic.ends(start, data) {
                let offset = start.saturating_add(behind as u64);
                let magic = offset.saturating_sub(MAGIC.len() as u64);
                if magic.is_multiple_of(ALIGNMENT) && self.blob.is_none() && self.header.is_none() {
                    self.blob = Some(Blob {
                        at: magic,
                        bytes: Vec::new(),
                    });
                    let rest = into(offset).and_then(|from| bytes.get(from..));
                    self.feed_blob(at, bytes, rest.unwrap_or_default())?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// From where on bytes are wanted, of those at `at` and behind it.
    pub(super) fn next(&self, at: u64) -> u64 {
        // What they are made of follows without a gap, or stands where it was never looked.
        if self.blob.is_some() || self.header.is_some() {
            return at;
        }
        let parts = self.data.iter().filter(|part| part.end > at);
        let starts = parts.map(|part| part.start.max(at));
        starts.min().unwrap_or(u64::MAX)
    }

    /// What was found in the end, if this is a binary of Go.
    pub(super) fn finish(&mut self, is_whole: bool) -> Option<BuildInfo> {
        let found = self.found.take().or_else(|| self.embedded.take());
        found.or_else(|| {
            let older = self.older.as_mut()?;
            // The note says that Go built it. Where the file was cut off, its reader says so.
            is_whole.then(|| BuildInfo {
                version: None,
                modules: older.modules(),
            })
        })
    }

    fn done(&mut self, found: BuildInfo) -> ControlFlow<()> {
        self.found = Some(found);
        ControlFlow::Break(())
    }

    /// Adds `more`, a part of the piece `bytes` at `at`, to the blob.
    fn feed_blob(&mut self, at: u64, bytes: &[u8], more: &[u8]) -> ControlFlow<()> {
        let Some(blob) = &mut self.blob else {
            return ControlFlow::Continue(());
        };
        blob.bytes.extend_from_slice(more);
        let parsed = parse(&blob.bytes);
        let magic = blob.at;
        if parsed == Parsed::More {
            return ControlFlow::Continue(());
        }
        self.blob = None;
        let is_own = self.layout.is_writable(magic);
        match parsed {
            Parsed::More | Parsed::Nothing => {}
            Parsed::Whole(info) if is_own => return self.done(info),
            Parsed::Whole(info) => {
                self.embedded.get_or_insert(info);
            }
            Parsed::Pointers(pointers, version) if is_own => {
                let header = self.layout.offset_of(version);
                return match header.filter(|header| *header >= at) {
                    Some(header) => {
                        self.header = Some(Header {
                            at: header,
                            bytes: Vec::new(),
                            pointers,
                        });
                        self.feed_header(at, bytes)
                    }
                    // In position independent programs the loader fills the pointers in.
                    None => self.done_older(None),
                };
            }
            Parsed::Pointers(..) => {}
        }
        ControlFlow::Continue(())
    }

    /// Takes what the piece `bytes` at `at` has of the version's header.
    fn feed_header(&mut self, at: u64, bytes: &[u8]) -> ControlFlow<()> {
        let Some(header) = &mut self.header else {
            return ControlFlow::Continue(());
        };
        let wanted = header.pointers.size.saturating_mul(2);
        let next = header.at.saturating_add(header.bytes.len() as u64);
        let Some(more) = next
            .checked_sub(at)
            .and_then(|from| bytes.get(usize::try_from(from).ok()?..))
        else {
            return ControlFlow::Continue(());
        };
        let missing = wanted.saturating_sub(header.bytes.len()).min(more.len());
        header
            .bytes
            .extend_from_slice(more.get(..missing).unwrap_or_default());
        if header.bytes.len() < wanted {
            return ControlFlow::Continue(());
        }
        let text = header.pointers.read(&header.bytes, 0);
        let length = header.pointers.read(&header.bytes, 1);
        let offset = text.and_then(|text| self.layout.offset_of(text));
        let version = offset
            .zip(length.and_then(|length| usize::try_from(length).ok()))
            .and_then(|(offset, length)| self.older.as_ref()?.version(offset, length));
        self.done_older(version)
    }

    fn done_older(&mut self, version: Option<String>) -> ControlFlow<()> {
        let modules = self.older.as_mut().and_then(Older::modules);
        self.done(BuildInfo { version, modules })
    }
}

/// What the bytes behind a magic are.
#[derive(Debug, PartialEq, Eq)]
enum Parsed {
    /// Too few bytes to say.
    More,
    /// Something else: programs that look for the magic hold it, too.
    Nothing,
    /// Everything.
    Whole(BuildInfo),
    /// The form of before Go 1.18, and the address of the version's string header.
    Pointers(Pointers, u64),
}

fn parse(bytes: &[u8]) -> Parsed {
    let &[size, flags, ..] = bytes else {
        return Parsed::More;
    };
    if flags & 2 == 0 {
        let pointers = Pointers {
            size: usize::from(size),
            is_big_endian: flags == 1,
        };
        if !matches!(size, 4 | 8) || flags > 1 {
            return Parsed::Nothing;
        }
        let version = bytes.get(2..).and_then(|pointed| pointers.read(pointed, 0));
        return version.map_or(Parsed::More, |version| Parsed::Pointers(pointers, version));
    }
    let Some(texts) = bytes.get(INLINE..) else {
        return Parsed::More;
    };
    let (version, rest) = match text(texts, LONGEST_VERSION) {
        Ok(read) => read,
        Err(stop) => return stop,
    };
    if version.is_empty() || !version.iter().all(|b| matches!(b, b' '..=b'~')) {
        return Parsed::Nothing;
    }
    let (modules, _) = match text(rest, LONGEST_MODULES) {
        Ok(read) => read,
        Err(stop) => return stop,
    };
    // As Go's own reader decides it: a frame around lines, the last of which is ended.
    let framed = modules
        .len()
        .checked_sub(FRAME)
        .and_then(|end| modules.get(FRAME..end))
        .filter(|lines| lines.last() == Some(&b'\n'));
    Parsed::Whole(BuildInfo {
        version: Some(String::from_utf8_lossy(version).into_owned()),
        modules: framed.map(<[u8]>::to_vec),
    })
}

/// A text behind its length as a variable-length integer, and what follows it.
fn text(bytes: &[u8], longest: usize) -> Result<(&[u8], &[u8]), Parsed> {
    let mut length = 0_usize;
    for (index, byte) in bytes.iter().enumerate() {
        // Five times seven bits hold more than the longest text.
        if index >= 5 {
            return Err(Parsed::Nothing);
        }
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            if length > longest {
                return Err(Parsed::Nothing);
            }
            let rest = bytes.get(index.saturating_add(1)..).unwrap_or_default();
            return rest.split_at_checked(length).ok_or(Parsed::More);
        }
    }
    Err(Parsed::More)
}

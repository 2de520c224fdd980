//! Looks for secrets in a file while it passes.

use std::ops::ControlFlow;

use seareeve_image::Inspector;
use serde::{Deserialize, Serialize};

use super::search::{Hits, Search};

/// A file is text when its first bytes hold no NUL, as git and grep have it.
const SNIFFED: usize = 8 * 1024;

/// First bytes of formats that are not text and may lack a NUL at their beginning.
const MAGIC: &[&[u8]] = &[
    b"\x7fELF",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"%PDF-",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\xca\xfe\xba\xbe",
    b"wOFF",
    b"wOF2",
    b"!<arch>",
    b"\xff\xfe",
    b"\xfe\xff",
];

/// Bytes of the longest of these.
const LONGEST_MAGIC: usize = 7;

/// What an inspector remembers of a file: bytes that only this module reads.
#[derive(Deserialize, Serialize)]
pub(super) struct Extract {
    /// Rule, line, column.
    pub(super) hits: Vec<(u16, u32, u32)>,
    pub(super) more: u32,
}

/// An inspector of one file. Has no `Debug`, because it holds a part of the file.
pub(super) struct SecretInspector<'d> {
    state: State<'d>,
    /// The file's length.
    size: u64,
    seen: u64,
    /// The first bytes, where they came in pieces too short to tell formats by.
    start: Vec<u8>,
}

enum State<'d> {
    Searching(Box<Search<'d>>),
    Done(Hits),
}

impl<'d> SecretInspector<'d> {
    pub(super) fn new(search: Search<'d>, size: u64) -> Self {
        Self {
            state: State::Searching(Box::new(search)),
            size,
            seen: 0,
            start: Vec::new(),
        }
    }

    /// Whether what came so far and `bytes` show that this is no text.
    fn is_no_text(&mut self, bytes: &[u8]) -> bool {
        let seen = usize::try_from(self.seen).unwrap_or(usize::MAX);
        let start = match seen {
            0 if bytes.len() >= LONGEST_MAGIC => bytes,
            0..LONGEST_MAGIC => {
                let room = LONGEST_MAGIC.saturating_sub(self.start.len());
                self.start.extend(bytes.iter().take(room));
                &self.start
            }
            LONGEST_MAGIC.. => &[],
        };
        let head = bytes.get(..SNIFFED.saturating_sub(seen)).unwrap_or(bytes);
        memchr::memchr(0, head).is_some() || MAGIC.iter().any(|magic| start.starts_with(magic))
    }
}

impl Inspector for SecretInspector<'_> {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        if self.is_no_text(bytes) {
            // Nothing counts of what was found before: how a file is cut into pieces is chance.
            self.state = State::Done(Hits::default());
            return ControlFlow::Break(());
        }
        // Most files come in one piece, and then nothing has to be copied.
        if self.seen == 0 && bytes.len() as u64 == self.size {
            if let State::Searching(search) =
                std::mem::replace(&mut self.state, State::Done(Hits::default()))
            {
                self.state = State::Done(search.text(bytes));
            }
            return ControlFlow::Break(());
        }
        self.seen = self.seen.saturating_add(bytes.len() as u64);
        match &mut self.state {
            State::Searching(search) => {
                search.take(bytes);
                ControlFlow::Continue(())
            }
            State::Done(_) => ControlFlow::Break(()),
        }
    }

    fn finish(self: Box<Self>, _is_whole: bool) -> Option<Vec<u8>> {
        let found = match self.state {
            State::Searching(search) => search.finish(),
            State::Done(found) => found,
        };
        if found.hits.is_empty() && found.more == 0 {
            return None;
        }
        postcard::to_stdvec(&Extract::from(&found)).ok()
    }
}

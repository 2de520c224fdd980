//! What binaries of before Go 1.18 keep apart from the blob: the text of the modules, which is told by the marks
//! around it, and the version of the toolchain, which is one of several that stand among the constants.

use super::super::needle::Needle;
use super::{LONGEST_MODULES, LONGEST_VERSION};

/// `cmd/go/internal/modload`: `infoStart` and `infoEnd`.
const START: &[u8] = &[
    0x30, 0x77, 0xaf, 0x0c, 0x92, 0x74, 0x08, 0x02, 0x41, 0xe1, 0xc1, 0x07, 0xe6, 0xd6, 0x18, 0xe6,
];
const END: &[u8] = &[
    0xf9, 0x32, 0x43, 0x31, 0x86, 0x18, 0x20, 0x72, 0x00, 0x82, 0x42, 0x10, 0x41, 0x16, 0xd8, 0xf2,
];

/// Every version that has these binaries begins so.
const VERSION: &[u8] = b"go1.";
/// Texts that begin like a version. The constants of Kubernetes hold some thirty.
const MOST_VERSIONS: usize = 1024;
/// How much of each is kept.
const VERSION_BYTES: usize = 64;

/// Gathers both while the constants pass by, before it is known where they are.
pub(super) struct Older {
    start: Needle,
    modules: Option<Modules>,
    version: Needle,
    versions: Vec<Version>,
    next: u64,
}

struct Modules {
    text: Vec<u8>,
    is_complete: bool,
}

struct Version {
    at: u64,
    text: Vec<u8>,
}

impl Older {
    pub(super) fn new() -> Self {
        Self {
            start: Needle::new(START),
            modules: None,
            version: Needle::new(VERSION),
            versions: Vec::new(),
            next: 0,
        }
    }

    /// Takes the bytes at `at` of the parts that hold data.
    pub(super) fn take(&mut self, at: u64, bytes: &[u8]) {
        if at != self.next && self.modules.as_ref().is_some_and(|m| !m.is_complete) {
            self.modules = None;
        }
        self.next = at.saturating_add(bytes.len() as u64);
        self.take_modules(at, bytes);
        self.take_versions(at, bytes);
    }

    /// The first text between marks.
    fn take_modules(&mut self, at: u64, bytes: &[u8]) {
        if let Some(modules) = &mut self.modules {
            if !modules.is_complete {
                modules.add(bytes);
            }
        } else if let Some(start) = self.start.ends(at, bytes).first() {
            let mut modules = Modules {
                text: Vec::new(),
                is_complete: false,
            };
            modules.add(bytes.get(*start..).unwrap_or_default());
            self.modules = Some(modules);
        }
        let is_endless =
            |modules: &Modules| !modules.is_complete && modules.text.len() > LONGEST_MODULES;
        if self.modules.as_ref().is_some_and(is_endless) {
            self.modules = None;
        }
    }

    fn take_versions(&mut self, at: u64, bytes: &[u8]) {
        let room = |version: &Version| VERSION_BYTES.saturating_sub(version.text.len());
        for version in self.versions.iter_mut().rev() {
            let more = bytes.get(..room(version)).unwrap_or(bytes);
            if room(version) == 0 {
                break;
            }
            let follows = version.at.saturating_add(version.text.len() as u64);
            if follows == at {
                version.text.extend_from_slice(more);
            }
        }
        for end in self.version.ends(at, bytes) {
            if self.versions.len() >= MOST_VERSIONS {
                break;
            }
            let behind = at.saturating_add(end as u64);
            let mut version = Version {
                at: behind.saturating_sub(VERSION.len() as u64),
                text: VERSION.to_vec(),
            };
            let more = bytes.get(end..).unwrap_or_default();
            let more = more.get(..room(&version)).unwrap_or(more);
            version.text.extend_from_slice(more);
            self.versions.push(version);
        }
    }

    /// The text of the modules, if it was seen whole.
    pub(super) fn modules(&mut self) -> Option<Vec<u8>> {
        let modules = self.modules.take()?;
        modules.is_complete.then_some(modules.text)
    }

    /// The version that stands at `offset` of the file.
    pub(super) fn version(&self, offset: u64, length: usize) -> Option<String> {
        if length > LONGEST_VERSION {
            return None;
        }
        let version = self.versions.iter().find(|version| version.at == offset)?;
        let text = version.text.get(..length)?;
        Some(String::from_utf8_lossy(text).into_owned())
    }
}

impl Modules {
    fn add(&mut self, bytes: &[u8]) {
        let searched = self.text.len().saturating_sub(END.len());
        self.text.extend_from_slice(bytes);
        let new = self.text.get(searched..).unwrap_or_default();
        if let Some(end) = memchr::memmem::find(new, END) {
            self.text.truncate(searched.saturating_add(end));
            self.is_complete = true;
        }
    }
}

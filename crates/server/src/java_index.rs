//! The index of Java archives in use: the file beside the advisory database, as it is when a scan begins.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8PathBuf;
use seareeve_scan::ecosystems::JavaIndex;
use tracing::{info, warn};

/// See the module.
pub(crate) struct JavaIndexFile {
    path: Utf8PathBuf,
    last: Mutex<Last>,
}

/// The file as it was seen last, and what it holds; nothing where it cannot be used.
#[derive(Default)]
struct Last {
    stamp: Option<Stamp>,
    index: Option<Arc<JavaIndex>>,
}

/// Tells one file from the one that replaced it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            length: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
        }
    }
}

impl JavaIndexFile {
    pub(crate) fn new(path: Utf8PathBuf) -> Self {
        Self {
            path,
            last: Mutex::new(Last::default()),
        }
    }

    /// The index. `None` when there is none, or none that can be used, which is said once: a scan says of each archive
    /// that it would have needed it.
    pub(crate) fn get(&self) -> Option<Arc<JavaIndex>> {
        let stamp = std::fs::metadata(&self.path).ok().as_ref().map(Stamp::of);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.stamp != stamp {
            last.stamp = stamp;
            last.index = stamp.and_then(|_| match JavaIndex::open(&self.path) {
                Ok(index) => {
                    info!(archives = index.archives(), "Java index taken into use");
                    Some(Arc::new(index))
                }
                Err(error) => {
                    let error = format!("{:#}", anyhow::Error::from(error));
                    warn!(path = %self.path, error, "Java index not usable");
                    None
                }
            });
        }
        last.index.clone()
    }
}

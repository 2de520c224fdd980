//! Files that are looked at while they pass by, because they are too many or too large to be kept.

use std::ops::ControlFlow;

use seareeve_model::ImagePath;

/// Decides, entry by entry, what is remembered of an image. Any `Fn(&ImagePath) -> bool` is one that keeps
/// files whole and inspects none.
pub trait Selector: Sync {
    /// Whether to keep the file at `path` whole. Called once for each entry of a layer, so it should be
    /// quick. It must also accept the targets of links that it accepts, such as `usr/lib/os-release`
    /// beside `etc/os-release`.
    fn keeps(&self, path: &ImagePath) -> bool;

    /// Whether `path` is a database that layers rewrite as a whole, so that what lower layers had there is
    /// kept too, for [`crate::FileTree::history`]. It counts against the same limit as the files on top.
    fn keeps_history(&self, path: &ImagePath) -> bool {
        let _ = path;
        false
    }

    /// Whether nobody looks at a regular file that begins with `start`, a beginning of any length but 0. Asked
    /// where such a beginning is at hand, to spare most files of an image an inspector that only finds that
    /// they are none of its. What is found must not depend on it.
    fn passes_over(&self, path: &ImagePath, start: &[u8]) -> bool {
        let _ = (path, start);
        false
    }

    /// Who looks at the content of a regular file, if anyone does. Called once for each regular file that
    /// is not passed over, also for those that are kept.
    fn inspector(&self, path: &ImagePath, file: FileFacts) -> Option<Box<dyn Inspector + '_>> {
        let _ = (path, file);
        None
    }
}

/// What is known of a file before its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// Bytes of content.
    pub size: u64,
    /// Whether anyone may execute it.
    pub is_executable: bool,
    /// Whose it is and who may what.
    pub access: Access,
}

/// Whose a file is and who may what. All zero where it is not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The twelve permission bits.
    pub mode: u32,
    /// The owner's number.
    pub uid: u64,
    /// The group's number.
    pub gid: u64,
}

/// Looks at one file, piece by piece, in memory that does not grow with the file.
pub trait Inspector {
    /// Takes the next bytes of the file; pieces have any length but are never empty. `Break` when nothing
    /// further is wanted: then no more is given.
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()>;

    /// How many of the bytes that follow can be left out; asked after each `take` that went on. Where a layer
    /// lies open on the disk they are not even read. The next piece starts behind them, or the file ends.
    fn skips(&mut self) -> u64 {
        0
    }

    /// What to remember of the file, in a form that only the selector knows; `None` for nothing. Called
    /// once, at the end of the file, after a `Break`, or where the archive broke off (`is_whole` is false
    /// then, and what was seen until there still counts).
    fn finish(self: Box<Self>, is_whole: bool) -> Option<Vec<u8>>;
}

impl<F: Fn(&ImagePath) -> bool + Sync> Selector for F {
    fn keeps(&self, path: &ImagePath) -> bool {
        self(path)
    }
}

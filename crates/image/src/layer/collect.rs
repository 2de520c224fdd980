//! Walks one layer and keeps what is wanted.

use std::io::BufRead;

use seareeve_model::{ImagePath, Problem, ProblemCode};

use super::{LayerFiles, PathHash, cost};
use crate::Limits;
use crate::problems::{Problems, shown};
use crate::read::Wanted;
use crate::tar::{Input, InputError, Kind, Streamed, TarError, Walker};

/// A walked layer: what was kept, and why the walk ended early if it did.
pub(crate) struct Collected {
    pub(crate) files: LayerFiles,
    /// `Some` when the rest of the layer was not read.
    pub(crate) stopped: Option<Stop>,
}

/// Why the rest of a layer was not read.
pub(crate) enum Stop {
    Cancelled,
    Limit(String),
    Broken(String),
}

impl LayerFiles {
    /// Reads an unpacked layer. What is wrong with it stands in `problems` under `place`; what was read
    /// before is still there.
    #[must_use]
    pub fn read(tar: impl BufRead, limits: &Limits, wanted: &Wanted<'_>, place: &str) -> Self {
        let mut input = Streamed(tar);
        let Collected { mut files, stopped } =
            collect(&mut input, limits, limits.kept_bytes, wanted, place);
        if let Some((code, message)) = stopped.and_then(Stop::into_problem) {
            files.problems.push(Problem::new(code, place, message));
        }
        files
    }
}

impl Stop {
    /// The problem that this is. `None` for cancelling, which is nobody's fault.
    pub(crate) fn into_problem(self) -> Option<(ProblemCode, String)> {
        match self {
            Self::Cancelled => None,
            Self::Limit(text) => Some((
                ProblemCode::LimitReached,
                format!("the rest of the layer was not read: {text}"),
            )),
            Self::Broken(text) => Some((
                ProblemCode::LayerUnreadable,
                format!("the rest of the layer could not be read: {text}"),
            )),
        }
    }
}

impl From<TarError> for Stop {
    fn from(error: TarError) -> Self {
        match error {
            TarError::Input(input) => input.into(),
            broken @ (TarError::Malformed { .. } | TarError::Truncated { .. }) => {
                Self::Broken(broken.to_string())
            }
        }
    }
}

impl From<InputError> for Stop {
    fn from(error: InputError) -> Self {
        match error {
            InputError::Cancelled => Self::Cancelled,
            InputError::Limit(text) => Self::Limit(text),
            InputError::Read(error) => Self::Broken(error.to_string()),
        }
    }
}

/// Walks the layer in `input`, keeping at most `budget` bytes. `place` names the layer in problems.
pub(crate) fn collect(
    input: &mut impl Input,
    limits: &Limits,
    budget: u64,
    wanted: &Wanted<'_>,
    place: &str,
) -> Collected {
    let mut collector = Collector {
        limits,
        wanted,
        left: budget,
        files: LayerFiles::default(),
        problems: Problems::new(limits.problems),
        path: ImagePath::root(),
    };
    let stopped = collector.walk(&mut Walker::new(input)).err();
    let mut files = collector.files;
    files.replacements.sort_unstable();
    files.replacements.dedup();
    files.problems = collector.problems.into_list(place);
    Collected { files, stopped }
}

struct Collector<'a> {
    limits: &'a Limits,
    wanted: &'a Wanted<'a>,
    /// Bytes that may still be kept.
    left: u64,
    files: LayerFiles,
    problems: Problems,
    /// Path of the current entry. Kept over entries for its allocation.
    path: ImagePath,
}

impl Collector<'_> {
    fn walk<I: Input>(&mut self, walker: &mut Walker<I>) -> Result<(), Stop> {
        let mut entries: u64 = 0;
        while let Some(entry) = walker.next()? {
            entries = entries.saturating_add(1);
            if entries > self.limits.layer_entries {
                return Err(Stop::Limit(format!(
                    "it has more than {} entries",
                    self.limits.layer_entries
                )));
            }
            if !self.path.assign(entry.path) {
                self.problems.add(
                    ProblemCode::FileUnreadable,
                    || shown(entry.path),
                    "the entry was left out, because its name is no path inside the image",
                );
                continue;
            }
            if self.path.is_root() || self.whiteout() {
                continue;
            }
            if entry.kind != Kind::Directory {
                self.remember_replacement();
            }
            if !(self.wanted)(&self.path) {
                continue;
            }
            // A later entry of the same name replaces the earlier one.
            self.forget();
            match entry.kind {
                Kind::File => {
                    let size = entry.size;
                    self.keep_file(walker, size)?;
                }
                Kind::SparseFile => self.problems.add(
                    ProblemCode::FileUnreadable,
                    || self.path.to_string(),
                    "sparse files are not read",
                ),
                Kind::Directory => {
                    if self.pay(0) {
                        self.files.directories.insert(self.path.as_bytes().to_vec());
                    }
                }
                Kind::Symlink => {
                    if self.pay(entry.link.len() as u64) {
                        let target = entry.link.to_vec();
                        self.files.links.insert(self.path.clone(), target);
                    }
                }
                Kind::HardLink => self.keep_hard_link(entry.link),
                Kind::Other => {}
            }
        }
        Ok(())
    }

    /// Handles a whiteout (OCI image specification, "Whiteouts"). False when the entry is none.
    fn whiteout(&mut self) -> bool {
        let Some(name) = self.path.file_name().strip_prefix(b".wh.") else {
            return false;
        };
        let parent = self.path.parent().unwrap_or(ImagePath::root());
        if name == b".wh..opq" {
            if self.pay(0) {
                self.files.opaque.insert(parent.as_bytes().to_vec());
            }
        } else if matches!(name, b"" | b"." | b"..") {
            self.problems.add(
                ProblemCode::FileUnreadable,
                || self.path.to_string(),
                "the whiteout was left out, because it names nothing that can be removed",
            );
        } else if !name.starts_with(b".wh.") {
            // Names that start with a second `.wh.` are bookkeeping of AUFS.
            let mut removed = parent.as_bytes().to_vec();
            if !removed.is_empty() {
                removed.push(b'/');
            }
            removed.extend_from_slice(name);
            if self.pay(0) {
                self.files.whiteouts.insert(removed);
            }
        }
        true
    }

    fn remember_replacement(&mut self) {
        let known = self.files.replacements.len();
        if known < self.limits.layer_replacements {
            self.files.replacements.push(PathHash::of(&self.path).0);
        } else if known == self.limits.layer_replacements {
            // One more than the limit marks that this was said.
            self.files.replacements.push(PathHash::of(&self.path).0);
            let message = format!(
                "the layer has more than {known} files: whether the further ones replace directories of lower layers was not checked"
            );
            self.problems
                .add(ProblemCode::LimitReached, || self.path.to_string(), message);
        }
    }

    fn keep_file<I: Input>(&mut self, walker: &mut Walker<I>, size: u64) -> Result<(), Stop> {
        if size > self.limits.file_bytes {
            let message = format!(
                "the file has {size} bytes, more than the limit of {}",
                self.limits.file_bytes
            );
            self.problems
                .add(ProblemCode::LimitReached, || self.path.to_string(), message);
            return Ok(());
        }
        if !self.pay(size) {
            return Ok(());
        }
        let mut content = Vec::new();
        // Within the budget, so a size that lies reserves at most that.
        content.reserve_exact(usize::try_from(size).unwrap_or(0));
        walker.read_content(&mut content)?;
        self.files.files.insert(self.path.clone(), content);
        Ok(())
    }

    fn keep_hard_link(&mut self, target: &[u8]) {
        let target = ImagePath::parse(target);
        let found = target.as_ref().and_then(|target| {
            let file = self.files.files.get(target);
            let content = file.or_else(|| self.files.links.get(target))?;
            Some((file.is_some(), content.len() as u64))
        });
        match (target, found) {
            (Some(target), Some((is_file, size))) => {
                if !self.pay(size) {
                    return;
                }
                let map = if is_file {
                    &mut self.files.files
                } else {
                    &mut self.files.links
                };
                if let Some(content) = map.get(&target).cloned() {
                    map.insert(self.path.clone(), content);
                }
            }
            (target, _) => {
                let target =
                    target.map_or_else(|| "outside the image".to_owned(), |t| t.to_string());
                self.problems.add(
                    ProblemCode::FileUnreadable,
                    || self.path.to_string(),
                    format!("it is a hard link to {target}, which was not kept from this layer"),
                );
            }
        }
    }

    /// Takes the cost of the current path with `content` bytes from the budget; false, with a problem,
    /// when it is spent.
    fn pay(&mut self, content: u64) -> bool {
        match self.left.checked_sub(cost(self.path.as_bytes(), content)) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                self.problems.add(
                    ProblemCode::LimitReached,
                    || self.path.to_string(),
                    format!(
                        "it was left out, because the limit of {} bytes for everything kept of an image is reached",
                        self.limits.kept_bytes
                    ),
                );
                false
            }
        }
    }

    fn forget(&mut self) {
        let file = self.files.files.remove(&self.path);
        let link = self.files.links.remove(&self.path);
        self.files.directories.remove(self.path.as_bytes());
        for content in [file, link].into_iter().flatten() {
            let refund = cost(self.path.as_bytes(), content.len() as u64);
            self.left = self.left.saturating_add(refund);
        }
    }
}

//! Walks one layer and keeps what is wanted.

use std::io::BufRead;
use std::ops::ControlFlow;

use seareeve_model::{ImagePath, Problem, ProblemCode};

use super::{Budget, HASH, LayerFiles, PathHash, cost};
use crate::problems::{Problems, shown};
use crate::tar::{Input, InputError, Kind, Streamed, TarError, Walker};
use crate::{FileFacts, Limits, Selector};

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
    pub fn read(tar: impl BufRead, limits: &Limits, selector: &dyn Selector, place: &str) -> Self {
        let mut input = Streamed(tar);
        let budget = Budget::new(limits.kept_bytes, limits.kept_bytes);
        let Collected { mut files, stopped } =
            collect(&mut input, limits, &budget, selector, place);
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

/// Walks the layer in `input`. `place` names the layer in problems.
pub(crate) fn collect(
    input: &mut impl Input,
    limits: &Limits,
    budget: &Budget,
    selector: &dyn Selector,
    place: &str,
) -> Collected {
    let mut collector = Collector::new(limits, budget, selector);
    let stopped = walk(&mut collector, &mut Walker::new(input)).err();
    Collected {
        files: collector.finish(place),
        stopped,
    }
}

fn walk<I: Input>(collector: &mut Collector<'_>, walker: &mut Walker<I>) -> Result<(), Stop> {
    while let Some(entry) = walker.next()? {
        let facts = FileFacts {
            size: entry.size,
            is_executable: entry.access.mode & 0o111 != 0,
            access: entry.access,
        };
        let kind = entry.kind;
        if collector.enter(entry.path, kind, entry.link)? {
            collector.file(facts, walker)?;
        }
    }
    Ok(())
}

/// The content of the file at hand, wherever it comes from.
pub(crate) trait Content {
    /// The next bytes; empty at the end of the file.
    fn piece(&mut self) -> Result<&[u8], Stop>;

    /// The beginning of the file as far as it is in memory already, before the first piece.
    fn at_hand(&self) -> &[u8] {
        &[]
    }

    /// Leaves out up to `amount` bytes.
    fn leave_out(&mut self, amount: u64) -> Result<(), Stop>;
}

impl<I: Input> Content for Walker<I> {
    fn piece(&mut self) -> Result<&[u8], Stop> {
        Ok(Walker::piece(self)?)
    }

    fn at_hand(&self) -> &[u8] {
        Walker::at_hand(self)
    }

    fn leave_out(&mut self, amount: u64) -> Result<(), Stop> {
        Ok(self.skip_part(amount)?)
    }
}

/// Takes entry by entry what is wanted of a layer.
pub(crate) struct Collector<'a> {
    limits: &'a Limits,
    selector: &'a dyn Selector,
    budget: &'a Budget,
    entries: u64,
    files: LayerFiles,
    problems: Problems,
    /// Whether names that start with `.wh.` are orders, as in layers, and not just names.
    has_whiteouts: bool,
    /// Whether no further entries are remembered, which was said.
    is_blind: bool,
    /// Path of the current entry. Kept over entries for its allocation.
    path: ImagePath,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(limits: &'a Limits, budget: &'a Budget, selector: &'a dyn Selector) -> Self {
        Self {
            limits,
            selector,
            budget,
            entries: 0,
            files: LayerFiles::default(),
            problems: Problems::new(limits.problems),
            has_whiteouts: true,
            is_blind: false,
            path: ImagePath::root(),
        }
    }

    /// For entries that have no layer below: a file is what its name says.
    pub(crate) fn of_root_file_system(self) -> Self {
        Self {
            has_whiteouts: false,
            ..self
        }
    }

    /// What was taken. `place` names the layer in problems.
    pub(crate) fn finish(self, place: &str) -> LayerFiles {
        let mut files = self.files;
        for hashes in [&mut files.replacements, &mut files.directories] {
            hashes.sort_unstable();
            hashes.dedup();
        }
        files.problems = self.problems.into_list(place);
        files
    }

    /// Takes an entry. True when it is a regular file whose content [`Collector::file`] must be given.
    pub(crate) fn enter(&mut self, path: &[u8], kind: Kind, link: &[u8]) -> Result<bool, Stop> {
        self.entries = self.entries.saturating_add(1);
        if self.entries > self.limits.layer_entries {
            return Err(Stop::Limit(format!(
                "it has more than {} entries",
                self.limits.layer_entries
            )));
        }
        if !self.path.assign(path) {
            let why = "the entry was left out, because its name is no path inside the image";
            self.unreadable(path, why);
            return Ok(false);
        }
        if self.path.is_root() || (self.has_whiteouts && self.whiteout()) {
            return Ok(false);
        }
        self.remember(kind);
        // A later entry of the same name replaces the earlier one.
        self.forget();
        match kind {
            Kind::File => return Ok(true),
            Kind::HardLink => self.hard_link(link),
            Kind::Symlink if self.selector.keeps(&self.path) => {
                if self.pay(link.len() as u64) {
                    self.files.links.insert(self.path.clone(), link.to_vec());
                }
            }
            Kind::SparseFile
                if self.selector.keeps(&self.path) || self.is_inspected(&self.path) =>
            {
                self.problem_here("sparse files are not read");
            }
            Kind::Symlink | Kind::SparseFile | Kind::Directory | Kind::Other => {}
        }
        Ok(false)
    }

    /// Keeps and inspects the file of the entry just entered, as the selector wants.
    pub(crate) fn file(
        &mut self,
        facts: FileFacts,
        content: &mut impl Content,
    ) -> Result<(), Stop> {
        let mut kept = self.selector.keeps(&self.path) && self.may_keep(facts.size);
        let selector = self.selector;
        // The inspector may borrow the path, which stays as it is until the file is read.
        let path = std::mem::replace(&mut self.path, ImagePath::root());
        let start = content.at_hand();
        let mut inspector = if start.is_empty() || !selector.passes_over(&path, start) {
            selector.inspector(&path, facts)
        } else {
            None
        };
        let mut whole = Vec::new();
        if kept {
            // Within the budget, so a size that lies reserves at most that.
            whole.reserve_exact(usize::try_from(facts.size).unwrap_or(0));
        }
        let mut looking = inspector.is_some();
        let mut stopped = None;
        while kept || looking {
            let piece = match content.piece() {
                Ok([]) => break,
                Ok(piece) => piece,
                Err(stop) => {
                    stopped = Some(stop);
                    break;
                }
            };
            if kept {
                whole.extend_from_slice(piece);
            }
            if let Some(inspector) = inspector.as_mut().filter(|_| looking) {
                looking = inspector.take(piece) == ControlFlow::Continue(());
                let skip = if looking && !kept {
                    inspector.skips()
                } else {
                    0
                };
                if skip > 0
                    && let Err(stop) = content.leave_out(skip)
                {
                    stopped = Some(stop);
                    break;
                }
            }
        }
        let note = inspector.and_then(|inspector| inspector.finish(stopped.is_none()));
        self.path = path;
        if let Some(note) = note
            && self.pay(note.len() as u64)
        {
            self.files.notes.insert(self.path.clone(), note);
        }
        // Half a database would be read as a whole one.
        kept = kept && stopped.is_none();
        if kept {
            self.files.files.insert(self.path.clone(), whole);
        }
        stopped.map_or(Ok(()), Err)
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
            self.problem_here(
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

    /// Remembers by eight bytes that the entry may hide something of a lower layer.
    fn remember(&mut self, kind: Kind) {
        if self.is_blind {
            return;
        }
        let known = self.files.replacements.len() + self.files.directories.len();
        if known < self.limits.layer_replacements && self.budget.take(HASH) {
            let hash = PathHash::of(&self.path).0;
            match kind {
                Kind::Directory => self.files.directories.push(hash),
                Kind::File | Kind::SparseFile | Kind::Symlink | Kind::HardLink | Kind::Other => {
                    self.files.replacements.push(hash);
                }
            }
            return;
        }
        self.is_blind = true;
        let message = format!(
            "the layer has more than {known} entries: whether the further ones replace directories of lower layers was not checked"
        );
        let path = &self.path;
        self.problems
            .add(ProblemCode::LimitReached, || path.to_string(), message);
    }

    fn may_keep(&mut self, size: u64) -> bool {
        if size <= self.limits.file_bytes {
            return self.pay(size);
        }
        let message = format!(
            "the file has {size} bytes, more than the limit of {}",
            self.limits.file_bytes
        );
        let path = &self.path;
        self.problems
            .add(ProblemCode::LimitReached, || path.to_string(), message);
        false
    }

    /// A hard link is the file that it names, which stands earlier in the same layer.
    fn hard_link(&mut self, target: &[u8]) {
        let Some(target) = ImagePath::parse(target) else {
            if self.selector.keeps(&self.path) {
                self.problem_here(
                    "it is a hard link to outside the image, which was not kept from this layer",
                );
            }
            return;
        };
        if self.is_inspected(&self.path) && !self.is_inspected(&target) {
            self.problem_here(&format!(
                "it is a hard link to {target}, which was not looked at when it passed"
            ));
        }
        if let Some(note) = self.files.notes.get(&target).cloned()
            && self.pay(note.len() as u64)
        {
            self.files.notes.insert(self.path.clone(), note);
        }
        if !self.selector.keeps(&self.path) {
            return;
        }
        if let Some(content) = self.files.files.get(&target).cloned() {
            if self.pay(content.len() as u64) {
                self.files.files.insert(self.path.clone(), content);
            }
        } else if let Some(link) = self.files.links.get(&target).cloned() {
            if self.pay(link.len() as u64) {
                self.files.links.insert(self.path.clone(), link);
            }
        } else {
            self.problem_here(&format!(
                "it is a hard link to {target}, which was not kept from this layer"
            ));
        }
    }

    /// Whether somebody looks at files like the one at `path`, as far as that can be told by the path alone: nothing
    /// is known any more of what a link leads to, nor yet of a file with holes.
    fn is_inspected(&self, path: &ImagePath) -> bool {
        let small = FileFacts {
            size: 1024,
            ..FileFacts::default()
        };
        self.selector.inspector(path, small).is_some()
    }

    fn problem_here(&mut self, message: &str) {
        let path = &self.path;
        self.problems
            .add(ProblemCode::FileUnreadable, || path.to_string(), message);
    }

    /// Says that the entry at `path` could not be read.
    pub(crate) fn unreadable(&mut self, path: &[u8], why: &str) {
        self.problems
            .add(ProblemCode::FileUnreadable, || shown(path), why);
    }

    /// Takes the cost of the current path with `content` bytes from the budget; false, with a problem,
    /// when it is spent.
    fn pay(&mut self, content: u64) -> bool {
        if self.budget.take(cost(self.path.as_bytes(), content)) {
            return true;
        }
        let (path, limit) = (&self.path, self.budget.limit());
        self.problems.add(
            ProblemCode::LimitReached,
            || path.to_string(),
            format!(
                "it was left out, because the limit of {limit} bytes for everything kept of an image is reached"
            ),
        );
        false
    }

    fn forget(&mut self) {
        let files = &mut self.files;
        let old = [
            files.files.remove(&self.path),
            files.links.remove(&self.path),
            files.notes.remove(&self.path),
        ];
        for content in old.into_iter().flatten() {
            self.budget
                .give_back(cost(self.path.as_bytes(), content.len() as u64));
        }
    }
}

//! All layers of an image: several at a time, each from the cache or from its source.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use seareeve_model::{Digest, Layer, Problem, ProblemCode};

use crate::layer::{
    Blob, BlobEnd, Budget, Collected, UnpackLimits, Unpacking, collect, in_place, unpack,
};
use crate::plan::{OpenError, Origin};
use crate::problems::Problems;
use crate::progress::{Report, report};
use crate::tree::FileTree;
use crate::watch::Watch;
use crate::{LayerFiles, Options, Progress, ReadError, Selector, Stage, Verify};

/// After so many packed bytes the caller is told how far reading is.
const TOLD: u64 = 1 << 20;

/// What all layers share while they are read.
pub(crate) struct Layers<'a> {
    pub(crate) options: &'a Options,
    pub(crate) selector: &'a dyn Selector,
    pub(crate) progress: &'a Report<'a>,
    pub(crate) watch: &'a Watch,
    pub(crate) origin: &'a dyn Origin,
    /// Packed sizes, where known.
    pub(crate) packed: &'a [Option<u64>],
    /// The most packed bytes that the caller was told of.
    pub(crate) told: AtomicU64,
}

/// One layer after it was read.
struct Read {
    /// `None` when nothing of it could be read.
    files: Option<LayerFiles>,
    problems: Vec<Problem>,
    unpacked: u64,
    /// The diff id as it was found, where it was computed.
    diff_id: Option<Digest>,
}

/// What the threads that read layers share.
struct Shared {
    /// Bytes that may be kept.
    kept: Budget,
    unpacking: Arc<Unpacking>,
    /// Whether to end when a limit of the image is met.
    is_trial: bool,
    /// Packed bytes read.
    bytes: AtomicU64,
    finished: AtomicU32,
    /// Set when nothing is worth reading any more.
    stop: AtomicBool,
}

impl Shared {
    /// Whether the result will not be used. Which layer meets a limit of the image depends on who was faster.
    fn is_void(&self) -> bool {
        self.is_trial && (self.kept.was_spent() || self.unpacking.bytes.was_spent())
    }
}

impl Layers<'_> {
    /// Reads all layers and lays them over each other. Sizes and diff ids in `layers` become those found.
    pub(crate) fn read(
        &self,
        layers: &mut [Layer],
        problems: &mut Vec<Problem>,
    ) -> Result<FileTree, ReadError> {
        let threads = self.options.threads.get().min(layers.len());
        if threads > 1
            && let Some((all, shared)) = self.side_by_side(layers, threads)?
        {
            let mut tree = FileTree::default();
            for ((index, layer), read) in layers.iter_mut().enumerate().zip(all) {
                // Laying out many small files takes its time as well.
                self.tell(&shared, 0)?;
                self.make_room(&mut tree, layer, problems);
                self.lay(&mut tree, index, layer, read, problems);
            }
            return Ok(tree);
        }
        self.one_by_one(layers, problems)
    }

    fn one_by_one(
        &self,
        layers: &mut [Layer],
        problems: &mut Vec<Problem>,
    ) -> Result<FileTree, ReadError> {
        let limits = &self.options.limits;
        let mut tree = FileTree::default();
        let unpacking = Arc::new(Unpacking::new(limits.image_bytes));
        let (mut bytes, mut finished) = (0, 0);
        for (index, layer) in layers.iter_mut().enumerate() {
            self.make_room(&mut tree, layer, problems);
            let left = limits.kept_bytes.saturating_sub(tree.kept_bytes());
            let shared = Shared {
                kept: Budget::new(left, limits.kept_bytes),
                unpacking: Arc::clone(&unpacking),
                is_trial: false,
                bytes: AtomicU64::new(bytes),
                finished: AtomicU32::new(finished),
                stop: AtomicBool::new(false),
            };
            let read = self.layer(index, layer, &shared)?;
            (bytes, finished) = (shared.bytes.into_inner(), shared.finished.into_inner());
            self.lay(&mut tree, index, layer, read, problems);
        }
        Ok(tree)
    }

    /// Reads all layers on several threads, the largest first, because the one that ends last decides. `None` when
    /// they met a limit together: the same image must give the same result, so they have to be read one by one.
    fn side_by_side(
        &self,
        layers: &[Layer],
        threads: usize,
    ) -> Result<Option<(Vec<Read>, Shared)>, ReadError> {
        let limits = &self.options.limits;
        let mut order: Vec<usize> = (0..layers.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(self.packed.get(*index).copied().flatten()));
        let shared = Shared {
            kept: Budget::new(limits.kept_bytes, limits.kept_bytes),
            unpacking: Arc::new(Unpacking::new(limits.image_bytes)),
            is_trial: true,
            bytes: AtomicU64::new(0),
            finished: AtomicU32::new(0),
            stop: AtomicBool::new(false),
        };
        let next = AtomicUsize::new(0);
        let results: Vec<Mutex<Option<Result<Read, ReadError>>>> =
            layers.iter().map(|_| Mutex::new(None)).collect();
        let work = || {
            while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                let (Some(layer), Some(slot)) = (layers.get(*index), results.get(*index)) else {
                    continue;
                };
                let result = self.layer(*index, layer, &shared);
                if let Err(error) = &result {
                    shared.stop.store(true, Ordering::Relaxed);
                    // Others may wait for a network, and would not notice.
                    if !matches!(error, ReadError::Cancelled) {
                        self.watch.fail();
                    }
                }
                // Nobody else touches this slot while threads run.
                if let Ok(mut slot) = slot.lock() {
                    *slot = Some(result);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                // With no further thread, this one reads the layers that it would have read.
                let _ = std::thread::Builder::new()
                    .name("layers".to_owned())
                    .spawn_scoped(scope, work);
            }
            work();
        });
        let results = results.into_iter().map(|slot| {
            let result = slot.into_inner().ok().flatten();
            result.unwrap_or(Err(ReadError::Cancelled))
        });
        let (mut all, mut failed) = (Vec::with_capacity(layers.len()), Vec::new());
        for result in results {
            match result {
                Ok(read) => all.push(read),
                Err(error) => failed.push(error),
            }
        }
        // What stopped the others is worth telling, not that they were stopped.
        let told = failed
            .iter()
            .position(|error| !matches!(error, ReadError::Cancelled));
        match told {
            Some(told) => Err(failed.swap_remove(told)),
            None if shared.is_void() => Ok(None),
            None if failed.is_empty() => Ok(Some((all, shared))),
            None => Err(ReadError::Cancelled),
        }
    }

    /// Sees to it that old versions of databases leave room for what is there now.
    fn make_room(&self, tree: &mut FileTree, layer: &Layer, problems: &mut Vec<Problem>) {
        if tree.trim_history(self.options.limits.kept_bytes / 2) {
            let message = "older versions of package databases take too much: some packages may be said to come from a \
                           higher layer than the one that brought them";
            problems.push(Problem::new(
                ProblemCode::LimitReached,
                place(layer),
                message,
            ));
        }
    }

    fn lay(
        &self,
        tree: &mut FileTree,
        index: usize,
        layer: &mut Layer,
        mut read: Read,
        problems: &mut Vec<Problem>,
    ) {
        layer.size_bytes = read.unpacked;
        let place = place(layer);
        if let Some(found) = read.diff_id.filter(|found| *found != layer.diff_id) {
            let message = format!(
                "the layer unpacks to {found}, but the configuration says {}",
                layer.diff_id
            );
            read.problems
                .push(Problem::new(ProblemCode::ContentMismatch, place, message));
            layer.diff_id = found;
        }
        if let Some(mut files) = read.files {
            problems.append(&mut files.problems);
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            tree.apply(index, files, self.selector);
        }
        problems.append(&mut read.problems);
    }

    /// Reads one layer.
    fn layer(&self, index: usize, layer: &Layer, shared: &Shared) -> Result<Read, ReadError> {
        let packed = self.packed.get(index).copied().flatten();
        self.tell(shared, 0)?;
        if let Some(read) = self.cached(layer, shared) {
            shared
                .bytes
                .fetch_add(packed.unwrap_or(0), Ordering::Relaxed);
            shared.finished.fetch_add(1, Ordering::Relaxed);
            return Ok(read);
        }
        let limits = &self.options.limits;
        let lost = |code, message: String| {
            Ok(Read {
                files: None,
                problems: vec![Problem::new(code, place(layer), message)],
                unpacked: 0,
                diff_id: None,
            })
        };
        if packed.is_some_and(|size| size > limits.packed_layer_bytes) {
            let message = format!(
                "the layer was not read: it is larger than the limit of {} packed bytes",
                limits.packed_layer_bytes
            );
            return lost(ProblemCode::LimitReached, message);
        }
        let blob = match self.origin.open(index) {
            Ok(blob) => blob,
            Err(OpenError::Image(error)) => return Err(error),
            Err(OpenError::Layer(why)) => {
                let message = format!("the layer was not read: {why}");
                return lost(ProblemCode::LayerUnreadable, message);
            }
        };
        let limits = UnpackLimits::new(limits, &shared.unpacking);
        let read = self.blob(blob, layer, &limits, shared)?;
        shared.finished.fetch_add(1, Ordering::Relaxed);
        Ok(read)
    }

    fn blob(
        &self,
        blob: Blob,
        layer: &Layer,
        limits: &UnpackLimits,
        shared: &Shared,
    ) -> Result<Read, ReadError> {
        let place = place(layer);
        let expected = blob.digest.clone();
        let everything = self.options.verify == Verify::Everything;
        let mut before = 0;
        let mut tick = |packed: u64| {
            let more = packed.saturating_sub(before);
            before = before.max(packed);
            self.tell(shared, more).is_ok()
        };
        let take = |input: &mut dyn crate::tar::Input| {
            let limits = &self.options.limits;
            collect(
                &mut &mut *input,
                limits,
                &shared.kept,
                self.selector,
                &place,
            )
        };
        let mut diff_id = None;
        let (collected, unpacked, end) = match blob.open_on_disk().filter(|_| !everything) {
            Some(section) => {
                let (collected, unpacked) = in_place(section, limits, &mut tick, take);
                (collected, unpacked, None)
            }
            None => {
                // A packed layer whose packed bytes are as they should be unpacks to what it should.
                let hashed = (everything || expected.is_none()).then_some(&layer.diff_id);
                let result = unpack(blob, limits, hashed, &mut tick, |chunks| {
                    let mut collected = take(chunks);
                    if collected.stopped.is_none() {
                        match chunks.finish() {
                            Ok(digest) => diff_id = digest,
                            Err(error) => collected.stopped = Some(error.into()),
                        }
                    }
                    (collected, chunks.bytes())
                });
                let ((collected, unpacked), end) =
                    result.map_err(|error| self.origin.broken(error))?;
                // What came since the last chunk; whoever stops now gets what is there.
                let _ = tick(end.bytes);
                (collected, unpacked, Some(end))
            }
        };
        let Collected { files, stopped } = collected;
        let mut problems = Problems::new(self.options.limits.problems);
        // A connection that broke shows as broken content too, so its own error goes first.
        let broken = end.as_ref().is_some_and(|end| end.broken.is_some());
        if let Some(stop) = stopped.filter(|_| !broken) {
            let (code, message) = stop.into_problem().ok_or(ReadError::Cancelled)?;
            problems.add(code, || place.clone(), message);
        }
        let packed = match end {
            Some(end) => self.check_blob(end, expected.as_ref(), &place, &mut problems)?,
            None => None,
        };
        let problems = problems.into_list(&place);
        if let Some(cache) = &self.options.cache
            && problems.is_empty()
            && files.problems.is_empty()
        {
            let digests: Vec<&Digest> = diff_id.iter().chain(&packed).collect();
            cache.put(&digests, &files, (unpacked, diff_id.as_ref()));
        }
        Ok(Read {
            files: Some(files),
            problems,
            unpacked,
            diff_id,
        })
    }

    /// The layer from the cache. A packed layer is what its packed bytes are, whatever the configuration says that
    /// they unpack to; so it is asked for by their digest alone. One that would not be read whole, because it is
    /// too large beside what else there is of the image, is read, and says so.
    fn cached(&self, layer: &Layer, shared: &Shared) -> Option<Read> {
        let cache = self.options.cache.as_ref()?;
        let found = cache.get(layer.digest.as_ref().unwrap_or(&layer.diff_id))?;
        if self.options.verify == Verify::Everything && found.diff_id.is_none() {
            return None;
        }
        let bytes = &shared.unpacking.bytes;
        if found.unpacked > self.options.limits.layer_bytes || !bytes.take(found.unpacked) {
            return None;
        }
        if !shared.kept.take(found.files.kept_bytes()) {
            bytes.give_back(found.unpacked);
            return None;
        }
        Some(Read {
            files: Some(found.files),
            problems: Vec::new(),
            unpacked: found.unpacked,
            diff_id: found.diff_id,
        })
    }

    /// Compares what a blob was with what it was asked for by; gives the digest if it is right.
    fn check_blob(
        &self,
        end: BlobEnd,
        expected: Option<&Digest>,
        place: &str,
        problems: &mut Problems,
    ) -> Result<Option<Digest>, ReadError> {
        if let Some(error) = end.broken {
            // What lies here is no worse for a part of it that cannot be read; a network is asked again.
            if self.origin.strict() {
                return Err(self.origin.broken(error));
            }
            let message = format!("the rest of the layer could not be read: {error}");
            problems.add(ProblemCode::LayerUnreadable, || place.to_owned(), message);
            return Ok(None);
        }
        let Some(expected) = expected else {
            return Ok(None);
        };
        // Only a cancelled read has no digest.
        let actual = end.digest.ok_or(ReadError::Cancelled)?;
        if actual == *expected {
            return Ok(Some(actual));
        }
        if self.origin.strict() {
            return Err(ReadError::DigestMismatch {
                what: "layer".to_owned(),
                expected: expected.clone(),
                actual,
            });
        }
        let message = format!("the layer's content has the digest {actual}");
        problems.add(ProblemCode::ContentMismatch, || place.to_owned(), message);
        Ok(None)
    }

    /// Reports `more` packed bytes read.
    fn tell(&self, shared: &Shared, more: u64) -> Result<(), ReadError> {
        if shared.stop.load(Ordering::Relaxed) || shared.is_void() {
            return Err(ReadError::Cancelled);
        }
        let before = shared.bytes.fetch_add(more, Ordering::Relaxed);
        let bytes = before.saturating_add(more);
        // The caller's answer may cost more than passing over a file does.
        if more > 0 && before / TOLD == bytes / TOLD {
            return Ok(());
        }
        let progress = Progress {
            stage: Stage::Layers,
            layer: shared.finished.load(Ordering::Relaxed),
            layers: u32::try_from(self.packed.len()).unwrap_or(u32::MAX),
            // Nothing is told twice when layers are read again.
            bytes_read: bytes.max(self.told.fetch_max(bytes, Ordering::Relaxed)),
            bytes_total: self
                .packed
                .iter()
                .copied()
                .try_fold(0, |sum: u64, size| Some(sum.saturating_add(size?))),
        };
        report(self.progress, progress)
    }
}

/// How a layer is named in problems.
fn place(layer: &Layer) -> String {
    layer.digest.as_ref().unwrap_or(&layer.diff_id).to_string()
}

//! The one way in: from a source to the files in it.

use std::ops::ControlFlow;

use camino::Utf8PathBuf;
use seareeve_model::{Image, ImagePath, ImageReference, Layer, Problem, ProblemCode};

use crate::layer::{BlobEnd, Collected, UnpackLimits, collect, unpack};
use crate::plan::{OpenError, Origin, Plan};
use crate::problems::Problems;
use crate::progress::{Report, report};
use crate::tree::FileTree;
use crate::watch::Watch;
use crate::{EngineImage, Options, Progress, ReadError, Stage, archive, engine, registry};

/// Where an image is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A `docker save` archive, an OCI layout as tar file, or an OCI layout as folder; told apart by
    /// content.
    Archive(Utf8PathBuf),
    /// An image in a registry.
    Registry(ImageReference),
    /// An image in a container engine on this machine.
    Engine(EngineImage),
}

/// Says which paths to keep. Called once for each entry of a layer, so it should be quick. It must also
/// accept the targets of links that it accepts, such as `usr/lib/os-release` beside `etc/os-release`.
pub type Wanted<'a> = dyn Fn(&ImagePath) -> bool + Sync + 'a;

/// What an image holds of what was wanted.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The image as it describes itself; sizes and diff ids as they were found.
    pub image: Image,
    /// The wanted files.
    pub tree: FileTree,
    /// What could not be read. Empty when `tree` is all there is.
    pub problems: Vec<Problem>,
}

/// Reads an image, each layer once and as a stream. Blocks; `progress` can stop it.
///
/// # Errors
/// When the image cannot be read at all; see [`ReadError`]. A broken layer is a problem in
/// [`Contents::problems`] instead.
pub fn read(
    source: &Source,
    options: &Options,
    wanted: &Wanted<'_>,
    progress: &(dyn Fn(Progress) -> ControlFlow<()> + Sync),
) -> Result<Contents, ReadError> {
    let opening = Progress {
        stage: Stage::Opening,
        layer: 0,
        layers: 0,
        bytes_read: 0,
        bytes_total: None,
    };
    let watch = Watch::default();
    // Whoever stops also cuts connections and pauses that would be waited for.
    let progress = &|now: Progress| {
        let flow = progress(now);
        if flow.is_break() {
            watch.stop();
        }
        flow
    };
    let open = || match source {
        Source::Archive(path) => archive::open(path, options, &watch),
        Source::Registry(reference) => registry::open(reference, options, &watch),
        Source::Engine(image) => engine::open(image, options, &watch),
    };
    let (plan, origin): (Plan, Box<dyn Origin>) = watch.over(progress, opening, open)?;
    report(progress, opening)?;
    let mut reading = Reading {
        options,
        wanted,
        progress,
        origin: origin.as_ref(),
        state: Progress {
            stage: Stage::Layers,
            layers: u32::try_from(plan.packed.len()).unwrap_or(u32::MAX),
            bytes_total: plan.packed.iter().copied().sum(),
            ..opening
        },
        unpacked: 0,
        tree: FileTree::default(),
        problems: plan.problems,
    };
    let mut image = plan.image;
    let sizes = plan.packed.iter().chain(std::iter::repeat(&None));
    for ((index, layer), packed) in image.layers.iter_mut().enumerate().zip(sizes) {
        reading.layer(index, layer, *packed)?;
    }
    Ok(Contents {
        image,
        tree: reading.tree,
        problems: reading.problems,
    })
}

/// What all layers share while they are read.
struct Reading<'a> {
    options: &'a Options,
    wanted: &'a Wanted<'a>,
    progress: &'a Report<'a>,
    origin: &'a dyn Origin,
    state: Progress,
    /// Unpacked bytes of all layers so far.
    unpacked: u64,
    tree: FileTree,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    /// Reads one layer and lays it over the others.
    fn layer(
        &mut self,
        index: usize,
        layer: &mut Layer,
        packed: Option<u64>,
    ) -> Result<(), ReadError> {
        let limits = &self.options.limits;
        let place = layer.digest.as_ref().unwrap_or(&layer.diff_id).to_string();
        self.state.layer = u32::try_from(index).unwrap_or(u32::MAX);
        report(self.progress, self.state)?;
        let mut problems = Problems::new(limits.problems);
        if packed.is_some_and(|size| size > limits.packed_layer_bytes) {
            let message = format!(
                "the layer was not read: it is larger than the limit of {} packed bytes",
                limits.packed_layer_bytes
            );
            problems.add(ProblemCode::LimitReached, || place.clone(), message);
            self.problems.extend(problems.into_list(&place));
            return Ok(());
        }
        let blob = match self.origin.open(index) {
            Ok(blob) => blob,
            Err(OpenError::Image(error)) => return Err(error),
            Err(OpenError::Layer(why)) => {
                let message = format!("the layer was not read: {why}");
                problems.add(ProblemCode::LayerUnreadable, || place.clone(), message);
                self.problems.extend(problems.into_list(&place));
                return Ok(());
            }
        };

        let expected = blob.digest.clone();
        let unpack_limits =
            UnpackLimits::new(limits, limits.image_bytes.saturating_sub(self.unpacked));
        if self.tree.trim_history(limits.kept_bytes / 2) {
            let message = "older versions of package databases take too much: some packages may be said to come from a \
                           higher layer than the one that brought them";
            self.problems.push(Problem::new(
                ProblemCode::LimitReached,
                place.clone(),
                message,
            ));
        }
        let budget = limits.kept_bytes.saturating_sub(self.tree.kept_bytes());
        let (before, progress, wanted) = (self.state, self.progress, self.wanted);
        let mut tick = |packed: u64| {
            let bytes_read = before.bytes_read.saturating_add(packed);
            let now = Progress {
                bytes_read,
                ..before
            };
            progress(now).is_continue()
        };
        let result = unpack(blob, &unpack_limits, &layer.diff_id, &mut tick, |chunks| {
            let mut collected = collect(chunks, limits, budget, wanted, &place);
            let mut diff_id = None;
            if collected.stopped.is_none() {
                match chunks.finish() {
                    Ok(digest) => diff_id = Some(digest),
                    Err(error) => collected.stopped = Some(error.into()),
                }
            }
            (collected, diff_id, chunks.bytes())
        });
        let ((collected, diff_id, unpacked), end) =
            result.map_err(|error| self.origin.broken(error))?;
        let Collected { mut files, stopped } = collected;

        self.state.bytes_read = self.state.bytes_read.saturating_add(end.bytes);
        self.unpacked = self.unpacked.saturating_add(unpacked);
        layer.size_bytes = unpacked;
        if let Some(stop) = stopped {
            // A connection that broke shows as broken content too, so its own error goes first.
            if let Some(error) = end.broken {
                return Err(self.origin.broken(error));
            }
            let (code, message) = stop.into_problem().ok_or(ReadError::Cancelled)?;
            problems.add(code, || place.clone(), message);
        }
        self.check_blob(end, expected.as_ref(), &place, &mut problems)?;
        if let Some(found) = diff_id.filter(|found| *found != layer.diff_id) {
            let message = format!(
                "the layer unpacks to {found}, but the configuration says {}",
                layer.diff_id
            );
            problems.add(ProblemCode::ContentMismatch, || place.clone(), message);
            layer.diff_id = found;
        }
        self.problems.append(&mut files.problems);
        self.problems.extend(problems.into_list(&place));
        self.tree
            .apply(self.state.layer, files, self.options.keep_history);
        Ok(())
    }

    /// Compares what a blob was with what it was asked for by.
    fn check_blob(
        &self,
        end: BlobEnd,
        expected: Option<&seareeve_model::Digest>,
        place: &str,
        problems: &mut Problems,
    ) -> Result<(), ReadError> {
        if let Some(error) = end.broken {
            return Err(self.origin.broken(error));
        }
        let Some(expected) = expected else {
            return Ok(());
        };
        // Only a cancelled read has no digest.
        let actual = end.digest.ok_or(ReadError::Cancelled)?;
        if actual == *expected {
            return Ok(());
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
        Ok(())
    }
}

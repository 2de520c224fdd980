//! The one way in: from a source to the files in it.

use std::fmt;
use std::ops::ControlFlow;

use camino::Utf8PathBuf;
use seareeve_model::{Image, ImageReference, Problem};

use crate::layers::Layers;
use crate::plan::{Origin, Plan};
use crate::progress::{Report, report};
use crate::tree::FileTree;
use crate::watch::Watch;
use crate::{
    EngineImage, Options, Progress, ReadError, Selector, Stage, archive, directory, engine,
    registry,
};

/// Where an image is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A `docker save` archive, an OCI layout as tar file, or an OCI layout as folder; told apart by
    /// content.
    Archive(Utf8PathBuf),
    /// A root file system in a directory, which makes an image of one layer.
    Directory(Utf8PathBuf),
    /// An image in a registry.
    Registry(ImageReference),
    /// An image in a container engine on this machine.
    Engine(EngineImage),
}

/// What an image holds of what was wanted.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The image as it describes itself; sizes and diff ids as they were found.
    pub image: Image,
    /// The configuration as it was found. Empty where the source has none.
    pub config: Configuration,
    /// The wanted files.
    pub tree: FileTree,
    /// What could not be read. Empty when `tree` is all there is.
    pub problems: Vec<Problem>,
}

/// The JSON of an image's configuration. It may hold secrets, so it does not print itself.
#[derive(Clone)]
pub struct Configuration(Vec<u8>);

impl Configuration {
    /// The JSON.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Reads an image, each layer once, in one pass, and several at a time. Blocks; `progress` can stop it.
///
/// # Errors
/// When the image cannot be read at all; see [`ReadError`]. A broken layer is a problem in
/// [`Contents::problems`] instead.
pub fn read(
    source: &Source,
    options: &Options,
    selector: &dyn Selector,
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
    let asked = progress;
    let progress: &Report<'_> = &|now| watch.tell(asked, now);
    report(progress, opening)?;
    let (plan, origin): (Plan, Box<dyn Origin>) = match source {
        Source::Directory(path) => {
            let (image, tree, problems) = directory::read(path, options, selector, progress)?;
            return Ok(Contents {
                image,
                config: Configuration(Vec::new()),
                tree,
                problems,
            });
        }
        Source::Archive(path) => watch.over(asked, || archive::open(path, options, &watch))?,
        Source::Registry(reference) => {
            watch.over(asked, || registry::open(reference, options, &watch))?
        }
        Source::Engine(image) => watch.over(asked, || engine::open(image, options, &watch))?,
    };
    report(progress, opening)?;
    let (mut image, mut problems) = (plan.image, plan.problems);
    let layers = Layers {
        options,
        selector,
        progress,
        watch: &watch,
        origin: origin.as_ref(),
        packed: &plan.packed,
        told: 0.into(),
    };
    let tree = watch.over(asked, || layers.read(&mut image.layers, &mut problems))?;
    Ok(Contents {
        image,
        config: Configuration(plan.config),
        tree,
        problems,
    })
}

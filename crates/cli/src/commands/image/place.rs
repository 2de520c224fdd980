//! Where the image is: in a file, a folder, an engine of this machine, or a registry.

use anyhow::{Context as _, bail};
use camino::Utf8Path;
use seareeve_image::{Endpoint, Environment, Options, ReadError, Source};
use seareeve_model::ImageReference;

use crate::args::{ImageArgs, Place};
use crate::output::Messages;
use crate::surroundings::Surroundings;

/// Ends of names by which people call archives, and nobody calls images.
const ARCHIVES: [&str; 7] = [
    ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".gz", ".zst",
];

/// An image and what the user calls it.
pub(super) struct Found {
    pub(super) source: Source,
    pub(super) name: String,
}

pub(super) fn find(
    args: &ImageArgs,
    options: &Options,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Found> {
    let found = |source, name: &str| Found {
        source,
        name: name.to_owned(),
    };
    match (&args.input, &args.rootfs, &args.reference) {
        (Some(path), _, _) => Ok(found(Source::Archive(path.clone()), path.as_str())),
        (None, Some(path), _) => Ok(found(Source::Directory(path.clone()), path.as_str())),
        (None, None, Some(name)) => {
            let source = named(name, args, options, surroundings, messages)?;
            Ok(found(source, name))
        }
        (None, None, None) => bail!("name an image, an archive with --input, or a --rootfs"),
    }
}

fn named(
    name: &str,
    args: &ImageArgs,
    options: &Options,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Source> {
    let is_file = Utf8Path::new(name).exists();
    let as_file = || format!("{name} is a file: use --input {name}");
    match name.parse::<ImageReference>() {
        Err(error) if is_file => return Err(error).with_context(as_file),
        Err(error) => return Err(error.into()),
        // The name would be that of an image, too, and a registry would be asked for it.
        Ok(_) if is_file && ARCHIVES.iter().any(|end| name.ends_with(end)) => bail!(as_file()),
        Ok(_) => {}
    }
    let engines = engines(args, &surroundings.environment, messages)?;
    let mut places = vec![seareeve_image::Place::Engines];
    if args.source.contains(&Place::Registry) && !args.report.offline {
        places.push(seareeve_image::Place::Registry);
    }
    let located = match seareeve_image::locate(name, &places, &engines, options) {
        Err(error @ (ReadError::NotInEngine { .. } | ReadError::NoEngine { .. }))
            if args.report.offline =>
        {
            return Err(error).context(
                "--offline keeps from asking the registry: save the image and use --input",
            );
        }
        located => located?,
    };
    for why in located.unasked {
        messages.note(format!("passed over: {why}"));
    }
    if let Source::Engine(image) = &located.source {
        messages.note(format!(
            "{name} is read from the engine at {}",
            image.endpoint
        ));
    }
    Ok(located.source)
}

/// The engines that the user wants to be asked.
fn engines(
    args: &ImageArgs,
    surroundings: &Environment,
    messages: &Messages,
) -> anyhow::Result<Vec<Endpoint>> {
    let wants = |place| args.source.contains(&place);
    let (docker, podman) = (wants(Place::Docker), wants(Place::Podman));
    if !docker && !podman {
        return Ok(Vec::new());
    }
    let environment = Environment {
        docker_host: surroundings.docker_host.clone().filter(|_| docker),
        container_host: surroundings.container_host.clone().filter(|_| podman),
        ..surroundings.clone()
    };
    let mut engines = match environment.engines() {
        Ok(engines) => engines,
        // The registry may have the image: what nobody asked for alone need not work.
        Err(error) if wants(Place::Registry) => {
            messages.note(format!("passed over: {error}"));
            Vec::new()
        }
        Err(error) => return Err(error.into()),
    };
    // Without variables both have their usual sockets.
    if environment.docker_host.is_none() && environment.container_host.is_none() {
        engines.retain(|engine| if is_podmans(engine) { podman } else { docker });
    }
    if args.report.offline {
        engines.retain(|engine| matches!(engine, Endpoint::Unix(_)));
    }
    Ok(engines)
}

fn is_podmans(engine: &Endpoint) -> bool {
    match engine {
        Endpoint::Unix(path) => path.file_name() == Some("podman.sock"),
        Endpoint::Tcp(_) => false,
    }
}

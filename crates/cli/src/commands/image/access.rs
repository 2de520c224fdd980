//! How an image is read: as whom, whom to trust, and what to remember.

use std::sync::Arc;

use anyhow::Context as _;
use camino::Utf8Path;
use seareeve_image::{
    Authorities, Credentials, LayerCache, Login, Options, RegistryName, Secret, Verify,
};
use seareeve_model::ImageReference;
use seareeve_scan::Examiner;

use crate::args::ImageArgs;
use crate::input;
use crate::output::Messages;
use crate::surroundings::Surroundings;

/// Bytes that remembered layers may take on disk.
const CACHE_BYTES: u64 = 1 << 30;
/// Bytes of a file of certificates; those of all public authorities have a quarter of a megabyte.
const MOST_CERTIFICATE_BYTES: usize = 4 << 20;

pub(super) fn options(
    args: &ImageArgs,
    examiner: &Examiner,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Options> {
    let defaults = Options::default();
    let reference = args.reference.as_deref();
    let reference: Option<ImageReference> = reference.and_then(|name| name.parse().ok());
    Ok(Options {
        platform: args.platform.as_deref().map(str::parse).transpose()?,
        image: args.image.clone(),
        verify: if args.verify {
            Verify::Everything
        } else {
            Verify::Packed
        },
        cache: cache(args, examiner, surroundings, messages),
        credentials: match &reference {
            Some(reference) => credentials(args, reference, surroundings, messages)?,
            None => Credentials::default(),
        },
        authorities: authorities(args.ca_cert.as_deref())?,
        plain_http: reference
            .filter(|_| args.insecure)
            .map(|reference| reference.registry().to_owned())
            .into_iter()
            .collect(),
        temporary: surroundings
            .temporary
            .clone()
            .unwrap_or_else(|| defaults.temporary.clone()),
        ..defaults
    })
}

/// Without a cache a scan takes longer, and that is all.
fn cache(
    args: &ImageArgs,
    examiner: &Examiner,
    surroundings: &Surroundings,
    messages: &Messages,
) -> Option<Arc<LayerCache>> {
    // What is remembered is not compared again, and a folder is not made of layers.
    if args.no_cache || args.verify || args.rootfs.is_some() {
        return None;
    }
    let folder = surroundings.layer_cache.as_ref()?;
    match LayerCache::open(folder, &examiner.version(), CACHE_BYTES) {
        Ok(cache) => Some(Arc::new(cache)),
        Err(error) => {
            messages.note(format!(
                "layers are not remembered in {folder} ({error}): --no-cache says so"
            ));
            None
        }
    }
}

fn credentials(
    args: &ImageArgs,
    reference: &ImageReference,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Credentials> {
    let (credentials, errors) = Credentials::load(&surroundings.environment);
    for error in errors {
        messages.note(format!("{:#}", anyhow::Error::from(error)));
    }
    let Some(username) = &args.username else {
        return Ok(credentials);
    };
    let login = Login::Password {
        username: username.clone(),
        password: Secret::new(input::password()?),
    };
    Ok(credentials.with(RegistryName::of(reference), login))
}

fn authorities(file: Option<&Utf8Path>) -> anyhow::Result<Authorities> {
    let mut authorities = Authorities::default();
    if let Some(file) = file {
        let pem = input::file("certificates", file, MOST_CERTIFICATE_BYTES)?;
        authorities
            .add_pem(&pem)
            .with_context(|| format!("failed to understand {file}"))?;
    }
    Ok(authorities)
}

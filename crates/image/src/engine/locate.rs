//! What `seareeve image NAME` means: which place holds the image.

use std::io;

use seareeve_engine::Endpoint;

use super::{Engine, EngineImage};
use crate::watch::Watch;
use crate::{Options, ReadError, Source};

/// A kind of place to look for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The engines on this machine.
    Engines,
    /// The registry that the name leads to.
    Registry,
}

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// For [`crate::read`].
    pub source: Source,
    /// Engines that are there but could not be asked, with the reason: what they have was passed over.
    pub unasked: Vec<String>,
}

/// Finds the first of `places` that has the image. Engines without a socket are not there. An engine that
/// has the image for another platform than [`Options::platform`] does not have it. A registry is not asked:
/// as the last place it has everything, so it should be the last. Blocks.
///
/// # Errors
/// [`ReadError::NotInEngine`] when only engines were to be asked and none has it; [`ReadError::Name`] when a
/// registry was, and the name is no reference.
pub fn locate(
    name: &str,
    places: &[Place],
    engines: &[Endpoint],
    options: &Options,
) -> Result<Located, ReadError> {
    let mut unasked = Vec::new();
    for place in places {
        match place {
            Place::Engines => {
                for endpoint in engines.iter().filter(|endpoint| is_there(endpoint)) {
                    match has(endpoint, name, options) {
                        Ok(true) => {
                            let source = Source::Engine(EngineImage {
                                endpoint: endpoint.clone(),
                                name: name.to_owned(),
                            });
                            return Ok(Located { source, unasked });
                        }
                        Ok(false) => {}
                        Err(error) => unasked.push(error.to_string()),
                    }
                }
            }
            Place::Registry => {
                let source = Source::Registry(name.parse()?);
                return Ok(Located { source, unasked });
            }
        }
    }
    let asked: Vec<String> = engines
        .iter()
        .filter(|endpoint| is_there(endpoint))
        .map(ToString::to_string)
        .collect();
    if asked.is_empty() || !unasked.is_empty() {
        return Err(ReadError::NoEngine {
            name: name.chars().take(200).collect(),
            why: if unasked.is_empty() {
                "none listens".to_owned()
            } else {
                unasked.join("; ")
            },
        });
    }
    Err(ReadError::NotInEngine {
        endpoint: asked.join(", "),
        name: name.chars().take(200).collect(),
    })
}

fn has(endpoint: &Endpoint, name: &str, options: &Options) -> Result<bool, ReadError> {
    let watch = Watch::default();
    let known = Engine::new(endpoint, options, &watch).inspect(name)?;
    Ok(known.is_some_and(|known| {
        let wish = options.platform.as_ref();
        wish.is_none_or(|wish| {
            let variant = Some(known.variant.as_str()).filter(|variant| !variant.is_empty());
            // Images that do not say theirs are for any.
            let variant = variant.or(wish.variant.as_deref());
            wish.accepts(&known.os, &known.architecture, variant)
        })
    }))
}

/// Whether there is a socket. A TCP address is there because somebody said so.
fn is_there(endpoint: &Endpoint) -> bool {
    match endpoint {
        Endpoint::Unix(path) => match std::fs::symlink_metadata(path) {
            Ok(_) => true,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        },
        Endpoint::Tcp(_) => true,
    }
}

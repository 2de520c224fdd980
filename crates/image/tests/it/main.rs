//! Reads whole images through the crate's front door.

#[cfg(test)]
mod archives;
#[cfg(test)]
mod caching;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod engines;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod inspectors;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod made_images;
#[cfg(test)]
mod real_registry;
#[cfg(test)]
mod referrers;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tars;

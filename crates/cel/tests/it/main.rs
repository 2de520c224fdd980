//! Tests of the language, through the crate's front door.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod pods;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod rewrite;
#[cfg(test)]
mod support;
#[cfg(test)]
mod values;

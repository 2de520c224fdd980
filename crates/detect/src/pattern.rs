//! Patterns over texts, many at a time: what a value has in common with all constants of all rules is found in one
//! pass over the value.

mod glob;
mod paths;
mod prefixes;

pub(crate) use self::glob::{Glob, GlobError, Simple};
pub(crate) use self::paths::Paths;
pub(crate) use self::prefixes::Prefixes;

//! A walker over tar archives that allocates nothing per entry: the hot path of every scan.
//!
//! Reads what container engines accept: v7, ustar, GNU (long names, base-256 numbers, old sparse
//! files) and pax. Where readers differ we do as Go's `archive/tar` does, because that is what Docker,
//! containerd and Podman unpack with: a scanner must see the files that will run. The `tar` crate is
//! the yardstick in tests; it is not used here because it allocates for each entry.

mod header;
mod input;
mod pax;
mod walker;

pub(crate) use input::{Input, InputError, Streamed};
pub(crate) use walker::{Kind, TarError, Walker};

/// Tar archives are made of blocks of this many bytes.
pub(crate) const BLOCK: usize = 512;

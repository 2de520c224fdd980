//! How far reading has come, and the caller's way to stop it.

use std::ops::ControlFlow;

use crate::ReadError;

/// How far reading has come. Bytes are packed bytes of the whole image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Layers that were read to their end. Several are read at a time, so this names none of them.
    pub layer: u32,
    /// Layers of the image; 0 while opening.
    pub layers: u32,
    /// Packed bytes read so far.
    pub bytes_read: u64,
    /// Packed bytes of all layers, where the manifest says so.
    pub bytes_total: Option<u64>,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Finding the manifest and configuration.
    Opening,
    /// Reading the layers.
    Layers,
}

/// Called often (about every MiB packed, and a few times a second while waiting);
/// `ControlFlow::Break` ends reading with [`ReadError::Cancelled`].
pub(crate) type Report<'a> = dyn Fn(Progress) -> ControlFlow<()> + Sync + 'a;

/// Sends one report and turns a break into the error.
pub(crate) fn report(to: &Report<'_>, progress: Progress) -> Result<(), ReadError> {
    match to(progress) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ReadError::Cancelled),
    }
}

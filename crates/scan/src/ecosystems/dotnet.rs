//! .NET packages, published or locked. A project file names ranges, not versions, and is not read.

mod locked;
mod published;

pub(super) use locked::{LOCK_FILE, PACKAGES_CONFIG};
pub(super) use published::ECOSYSTEM as PUBLISHED;

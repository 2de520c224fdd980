//! Node packages, installed or locked.

mod installed;
mod package_lock;
mod pnpm;
mod yarn;

pub(super) use installed::ECOSYSTEM as INSTALLED;
pub(super) use package_lock::ECOSYSTEM as PACKAGE_LOCK;
pub(super) use pnpm::ECOSYSTEM as PNPM;
pub(super) use yarn::ECOSYSTEM as YARN;

use super::locks::Installs;

/// All tools but yarn's Plug'n'Play, which packs packages into archives, fill this folder.
const INSTALLS: Installs = Installs::Beside("node_modules");

/// Whether a range of versions, as a package asks for it, is one of a registry: `^1.2`, `latest`, `1 || 2`, not
/// `file:../x`, `git+ssh://…`, `owner/repository` or `workspace:*`.
fn is_of_registry(range: &str) -> bool {
    !range.contains([':', '/'])
}

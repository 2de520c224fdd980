//! Ruby gems, installed or locked.

mod gemfile_lock;
mod installed;

pub(super) use gemfile_lock::ECOSYSTEM as GEMFILE_LOCK;
pub(super) use installed::ECOSYSTEM as INSTALLED;

use seareeve_model::PackageKind;

use super::found::{Found, Limited};
use super::language;

/// Adds a gem. A gem for one platform (`x86_64-linux`) is another file than the one for all (`ruby`), of the same
/// version.
fn gem(
    found: &mut Found<'_>,
    name: Option<&str>,
    version: Option<&str>,
    platform: &str,
) -> Result<(), Limited> {
    let platform = if platform == "ruby" { "" } else { platform };
    language::package(
        found,
        PackageKind::Gem,
        name,
        version,
        &[("platform", platform)],
    )
}

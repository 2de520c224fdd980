//! Python distributions, installed or locked.

mod installed;
mod pipfile;
mod requirements;
mod toml_locks;
mod uv;

pub(super) use installed::ECOSYSTEM as INSTALLED;
pub(super) use pipfile::ECOSYSTEM as PIPFILE;
pub(super) use requirements::ECOSYSTEM as REQUIREMENTS;
pub(super) use toml_locks::{PDM, POETRY, PYLOCK};
pub(super) use uv::ECOSYSTEM as UV;

use seareeve_model::PackageKind;

use super::locks::Installs;

/// Installers put distributions into a folder of the interpreter or environment, seldom beside the lock file.
const INSTALLS: Installs = Installs::Anywhere(PackageKind::Pypi);

/// What people call the groups and files of requirements that only developers need.
fn is_for_developers(name: &str) -> bool {
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| {
        matches!(
            word,
            "ci" | "dev"
                | "develop"
                | "development"
                | "doc"
                | "docs"
                | "lint"
                | "linting"
                | "test"
                | "testing"
                | "tests"
                | "typing"
        )
    })
}

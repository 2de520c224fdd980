//! `Gemfile.lock` and `gems.locked` (bundler's `LockfileParser`): sections of indented lines. Gems of a server
//! stand in `GEM`; those of repositories (`GIT`) and folders (`PATH`) have no version that an advisory knows.
//!
//! The file does not say which gems are for developers only; all are listed.

use seareeve_model::{ImagePath, PackageKind};

use super::gem;
use crate::ecosystems::faults::excerpt;
use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::locks::Installs;
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope, language};

pub(in crate::ecosystems) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Locked(wanted, Installs::Anywhere(PackageKind::Gem)),
    read,
};

fn wanted(path: &ImagePath) -> bool {
    language::is_named(path, b"Gemfile.lock") || language::is_named(path, b"gems.locked")
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let content = String::from_utf8_lossy(content);
    let mut is_of_server = false;
    for line in content.lines() {
        if !line.starts_with(' ') {
            is_of_server = line.trim_end() == "GEM";
            continue;
        }
        // `    rails (7.1.2)` is a gem; with more spaces it is what a gem needs, with fewer a setting.
        let Some(spec) = line
            .strip_prefix("    ")
            .filter(|spec| !spec.starts_with(' '))
        else {
            continue;
        };
        if !is_of_server {
            continue;
        }
        let version = spec
            .trim_end()
            .strip_suffix(')')
            .and_then(|spec| spec.split_once(" ("));
        let Some((name, version)) = version else {
            let spec = excerpt(spec, 80);
            found.problem(format!("gem {spec:?} has no version"));
            continue;
        };
        // The version holds no hyphen: RubyGems writes one as `.pre.`.
        let (version, platform) = version.split_once('-').unwrap_or((version, ""));
        gem(found, Some(name), Some(version), platform)?;
    }
    Ok(())
}

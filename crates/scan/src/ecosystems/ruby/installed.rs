//! Installed gems: `specifications/NAME-VERSION.gemspec`, which RubyGems writes for each gem, and
//! `specifications/default/…` of those that come with Ruby. A gemspec elsewhere is source.
//!
//! They are programs, but RubyGems itself reads the comment that it puts at their start instead of running them
//! (`rubygems/stub_specification.rb`): `# stub: NAME VERSION PLATFORM FOLDERS`.

use seareeve_model::ImagePath;

use super::gem;
use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope};

pub(in crate::ecosystems) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Whole(wanted),
    read,
};

fn wanted(path: &ImagePath) -> bool {
    let path = path.as_bytes();
    if !path.ends_with(b".gemspec") {
        return false;
    }
    let mut parts = path.rsplit(|b| *b == b'/').skip(1);
    match parts.next() {
        Some(b"specifications") => true,
        Some(b"default") => parts.next() == Some(b"specifications"),
        _ => false,
    }
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let content = String::from_utf8_lossy(content);
    if let Some(stub) = content
        .lines()
        .take(4)
        .find_map(|line| line.strip_prefix("# stub: "))
    {
        let mut words = stub.split(' ');
        let (name, version) = (words.next(), words.next());
        return gem(found, name, version, words.next().unwrap_or_default());
    }
    // Older RubyGems wrote no such comment, and packagers strip it.
    let (mut name, mut version, mut platform) = (None, None, None);
    for line in content.lines() {
        let Some((field, value)) = line.trim_start().split_once('=') else {
            continue;
        };
        let slot = match field.trim_end().split_once('.') {
            Some((_, "name")) => &mut name,
            Some((_, "version")) => &mut version,
            Some((_, "platform")) => &mut platform,
            _ => continue,
        };
        *slot = slot.or_else(|| quoted(value));
    }
    gem(found, name, version, platform.unwrap_or_default())
}

/// The first text in quotes: of `"1.2".freeze`, of `Gem::Version.new("1.2")`.
fn quoted(value: &str) -> Option<&str> {
    let start = value.find(['"', '\''])?;
    let quote = value.get(start..)?.chars().next()?;
    value.get(start + 1..)?.split(quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_specifications_only() {
        let wants = |path: &str| wanted(&ImagePath::parse(path.as_bytes()).unwrap());
        assert!(wants("usr/local/bundle/specifications/rails-7.1.2.gemspec"));
        assert!(wants(
            "usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec"
        ));
        assert!(!wants("usr/local/bundle/gems/rails-7.1.2/rails.gemspec"));
        assert!(!wants("srv/default/x.gemspec") && !wants("x.gemspec"));
    }
}

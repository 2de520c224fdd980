//! Archives that do not say their group, because other tools than Maven built them: their names, and what must be
//! in them, as data.

use super::Coordinates;
use super::identity::{Evidence, FileName};

/// Lines of: file name without version (`*` at its end stands for any text), group, artifact (`=`: the file name),
/// and what must be there: the beginning of a class folder, or `title:` and the `Implementation-Title`.
const GROUPS: &str = include_str!("groups.txt");

/// The first line for this archive.
pub(super) fn find(file: &FileName, evidence: &Evidence) -> Option<Coordinates> {
    let line = lines().find(|line| line.is_of(file, evidence))?;
    let artifact = match line.artifact {
        "=" => file.artifact.as_str(),
        artifact => artifact,
    };
    let version = file.version(&evidence.manifest)?;
    Coordinates::checked(line.group, artifact, &version)
}

struct Line {
    file: &'static str,
    group: &'static str,
    artifact: &'static str,
    sign: &'static str,
}

fn lines() -> impl Iterator<Item = Line> {
    let is_comment = |line: &&str| line.is_empty() || line.starts_with('#');
    GROUPS
        .lines()
        .filter(move |line| !is_comment(line))
        .filter_map(|line| {
            let mut words = line.splitn(4, ' ');
            Some(Line {
                file: words.next()?,
                group: words.next()?,
                artifact: words.next()?,
                sign: words.next()?,
            })
        })
}

impl Line {
    fn is_of(&self, file: &FileName, evidence: &Evidence) -> bool {
        let is_file = match self.file.strip_suffix('*') {
            Some(start) => file.artifact.starts_with(start),
            None => file.artifact == self.file,
        };
        is_file
            && match self.sign.strip_prefix("title:") {
                Some(title) => evidence.manifest.implementation_title.as_deref() == Some(title),
                None => evidence.folders.iter().any(|folder| self.is_below(folder)),
            }
    }

    fn is_below(&self, folder: &[u8]) -> bool {
        folder
            .strip_prefix(self.sign.as_bytes())
            .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_whole() {
        let written = GROUPS
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(lines().count(), written.count());
        for line in lines() {
            let names = [line.group, line.artifact.trim_start_matches('=')];
            let name = names.map(|name| if name.is_empty() { "x" } else { name });
            assert!(
                Coordinates::checked(name[0], name[1], "1").is_some() && !line.sign.is_empty(),
                "{}",
                line.file
            );
        }
    }
}

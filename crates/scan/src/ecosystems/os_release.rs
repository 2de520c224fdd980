//! The distribution that an image says it is: `os-release(5)`. Says nothing about packages; which release
//! names an OSV ecosystem is known by the package format that the distribution uses.

use seareeve_image::FileTree;
use seareeve_model::{Distro, ImagePath};

/// Where the file stands, best first (`os-release(5)`, "Description").
const PLACES: [&[u8]; 2] = [b"etc/os-release", b"usr/lib/os-release"];

/// More than this is no `os-release`: real ones have some 400 bytes.
const LONGEST: usize = 64 * 1024;

/// The fields that we use; empty where the file has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OsRelease {
    /// `ID`, such as `debian`. Never empty.
    pub(super) id: String,
    /// `VERSION_ID`, such as `12`, `22.04` or `3.19.1`.
    pub(super) version_id: String,
    /// `VERSION`, such as `22.04.3 LTS (Jammy Jellyfish)`.
    pub(super) version: String,
    /// `PRETTY_NAME`, for people.
    pub(super) pretty_name: String,
    /// `CPE_NAME`, such as `cpe:/o:redhat:enterprise_linux:9::baseos`.
    pub(super) cpe_name: String,
}

pub(super) fn wanted(path: &ImagePath) -> bool {
    PLACES.contains(&path.as_bytes())
}

/// The first of the two files that names a distribution.
pub(super) fn find(tree: &FileTree) -> Option<OsRelease> {
    PLACES.iter().find_map(|place| {
        let path = ImagePath::parse(place)?;
        parse(&tree.get(&path)?.content)
    })
}

/// Longest value that is taken, in bytes.
const LONGEST_VALUE: usize = 256;

/// Reads the assignments; `None` when there is no `ID`, without which nothing can be said.
fn parse(content: &[u8]) -> Option<OsRelease> {
    let head = content.get(..LONGEST).unwrap_or(content);
    let mut release = OsRelease::default();
    for line in String::from_utf8_lossy(head).lines() {
        let Some((key, value)) = line.trim().split_once('=') else {
            continue;
        };
        let field = match key {
            "ID" => &mut release.id,
            "VERSION_ID" => &mut release.version_id,
            "VERSION" => &mut release.version,
            "PRETTY_NAME" => &mut release.pretty_name,
            "CPE_NAME" => &mut release.cpe_name,
            _ => continue,
        };
        // Each package carries these, so a hostile value would be there as often.
        if value.len() <= LONGEST_VALUE {
            *field = unquote(value);
        }
    }
    (!release.id.is_empty()).then_some(release)
}

/// Undoes the shell's quoting, which the manual page allows: one pair of quotes around the value, and a
/// backslash before the five characters that are special in double quotes.
fn unquote(value: &str) -> String {
    let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(literal) = quoted('\'') {
        return literal.to_owned();
    }
    let mut plain = String::new();
    let mut rest = quoted('"').unwrap_or(value).chars();
    while let Some(next) = rest.next() {
        match next {
            '\\' => plain.extend(rest.next()),
            other => plain.push(other),
        }
    }
    plain
}

impl OsRelease {
    /// `debian-12`, as package URLs name a release.
    pub(super) fn purl_distro(&self) -> String {
        if self.version_id.is_empty() {
            self.id.clone()
        } else {
            format!("{}-{}", self.id, self.version_id)
        }
    }

    pub(super) fn to_distro(&self) -> Distro {
        Distro {
            id: self.id.clone(),
            version: self.version_id.clone(),
            name: self.pretty_name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undoes_quotes() {
        let text = b"# a comment\nNAME=Debian\nID='debian'\nVERSION_ID=\"12\"\nVERSION=\"a \\\"b\\\" \\$c\"\n\xff=\xff\n";
        let release = parse(text).unwrap();
        assert_eq!(
            (release.id.as_str(), release.version_id.as_str()),
            ("debian", "12")
        );
        assert_eq!(release.version, "a \"b\" $c");
        assert_eq!(release.purl_distro(), "debian-12");
    }

    #[test]
    fn a_file_without_an_id_says_nothing() {
        for text in ["", "VERSION_ID=12\n", "ID=\n", "ID=\"\"\n", "=", "ID"] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse(b"ID=\"").unwrap().id, "\"");
    }
}

//! Paths inside an image: bytes that may lie, made harmless once.

use std::borrow::Cow;
use std::fmt;

/// A normalised path inside an image: relative to its root, without empty, `.` or `..` parts.
///
/// It is never used on the host's file system. Bytes, because Linux file names are bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImagePath(Vec<u8>);

impl ImagePath {
    /// The root of the image, the empty path.
    #[must_use]
    pub fn root() -> Self {
        Self(Vec::new())
    }

    /// Normalises a path as it stands in a tar archive or symbolic link. `None` when it climbs out
    /// of the root (`../x`), holds a NUL byte, or is longer than Linux allows (4,096 bytes).
    #[must_use]
    pub fn parse(raw: &[u8]) -> Option<Self> {
        Self::root().join(raw)
    }

    /// Resolves `raw` as a process inside the image would from this directory: absolute paths start
    /// at the image's root. `None` as for [`ImagePath::parse`].
    #[must_use]
    pub fn join(&self, raw: &[u8]) -> Option<Self> {
        let mut path = if raw.first() == Some(&b'/') {
            Self::root()
        } else {
            self.clone()
        };
        path.push(raw).then_some(path)
    }

    /// Becomes [`ImagePath::parse`] of `raw` without a new allocation, for loops over the entries of
    /// an archive. False, and the root, where `parse` says `None`.
    #[must_use]
    pub fn assign(&mut self, raw: &[u8]) -> bool {
        self.0.clear();
        let valid = self.push(raw);
        if !valid {
            self.0.clear();
        }
        valid
    }

    fn push(&mut self, raw: &[u8]) -> bool {
        if raw.len() > 4096 || raw.contains(&0) {
            return false;
        }
        for part in raw.split(|b| *b == b'/') {
            match part {
                b"" | b"." => {}
                b".." if self.is_root() => return false,
                b".." => {
                    let end = self.0.iter().rposition(|b| *b == b'/').unwrap_or(0);
                    self.0.truncate(end);
                }
                name => {
                    if !self.is_root() {
                        self.0.push(b'/');
                    }
                    self.0.extend_from_slice(name);
                }
            }
        }
        true
    }

    /// The bytes, without a leading slash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last part; empty for the root.
    #[must_use]
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|b| *b == b'/').next().unwrap_or_default()
    }

    /// The directory this path stands in; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|b| *b == b'/').unwrap_or(0);
        Some(Self(self.0.get(..end).unwrap_or_default().to_vec()))
    }

    /// Whether this path is `ancestor` or stands below it.
    #[must_use]
    pub fn starts_with(&self, ancestor: &Self) -> bool {
        match self.0.strip_prefix(ancestor.0.as_slice()) {
            Some(rest) => ancestor.is_root() || rest.is_empty() || rest.first() == Some(&b'/'),
            None => false,
        }
    }

    /// As text for people and JSON; bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn to_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl fmt::Debug for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_and_refuses_to_climb() {
        let text = |raw: &[u8]| ImagePath::parse(raw).map(|path| path.to_text().into_owned());
        assert_eq!(text(b"./usr//lib/../bin/sh").as_deref(), Some("usr/bin/sh"));
        assert_eq!(text(b"/etc/passwd").as_deref(), Some("etc/passwd"));
        assert_eq!(text(b"/").as_deref(), Some(""));
        assert_eq!(text(b"../etc/passwd"), None);
        assert_eq!(text(b"a/../../b"), None);
        assert_eq!(text(b"a\0b"), None);
    }

    #[test]
    fn joins_links_as_a_process_inside_would() {
        let dir = ImagePath::parse(b"usr/lib").unwrap();
        assert_eq!(dir.join(b"../bin/sh"), ImagePath::parse(b"usr/bin/sh"));
        assert_eq!(dir.join(b"/bin/sh"), ImagePath::parse(b"bin/sh"));
        assert_eq!(dir.join(b"../../../x"), None);
    }

    #[test]
    fn assigns_as_it_parses() {
        let mut path = ImagePath::parse(b"left/over").unwrap();
        assert!(path.assign(b"/a/./b/../c"));
        assert_eq!(Some(&path), ImagePath::parse(b"a/c").as_ref());
        assert!(!path.assign(b"a/../../b"));
        assert!(path.is_root());
    }

    #[test]
    fn ancestors_are_whole_parts() {
        let path = |raw: &[u8]| ImagePath::parse(raw).unwrap();
        assert!(path(b"a/b/c").starts_with(&path(b"a/b")));
        assert!(path(b"a/b").starts_with(&path(b"a/b")));
        assert!(path(b"a").starts_with(&ImagePath::root()));
        assert!(!path(b"a/bc").starts_with(&path(b"a/b")));
        assert_eq!(path(b"a/b").parent(), Some(path(b"a")));
        assert_eq!(path(b"a").parent(), Some(ImagePath::root()));
        assert_eq!(path(b"a/b").file_name(), b"b");
    }
}

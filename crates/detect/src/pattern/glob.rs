//! Shell patterns as `fnmatch(3)` has them without flags: `*` matches slashes and leading points, too.

use memchr::memmem;

/// Bytes of a pattern at most.
const MOST_BYTES: usize = 1_024;

/// A compiled pattern: what stands between its stars.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    segments: Vec<Segment>,
    folds_case: bool,
}

/// What a pattern is when it is no more than a text with stars around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Simple {
    Equal(Vec<u8>),
    StartsWith(Vec<u8>),
    EndsWith(Vec<u8>),
    Contains(Vec<u8>),
}

/// A pattern that is too long.
#[derive(Debug, thiserror::Error)]
#[error("a pattern of more than {MOST_BYTES} bytes")]
pub(crate) struct GlobError;

#[derive(Clone, Debug)]
enum Segment {
    /// Only bytes.
    Text(Vec<u8>),
    Units(Vec<Unit>),
}

#[derive(Clone, Debug)]
enum Unit {
    Byte(u8),
    Any,
    Class { ranges: Vec<(u8, u8)>, is_not: bool },
}

impl Glob {
    /// Compiles a pattern. A bracket that does not end stands for itself.
    ///
    /// # Errors
    /// When it is too long.
    pub(crate) fn new(pattern: &[u8], folds_case: bool) -> Result<Self, GlobError> {
        if pattern.len() > MOST_BYTES {
            return Err(GlobError);
        }
        let fold = |byte: u8| {
            if folds_case {
                byte.to_ascii_lowercase()
            } else {
                byte
            }
        };
        let mut segments = Vec::new();
        let mut units = Vec::new();
        let mut rest = pattern;
        while let Some((&byte, behind)) = rest.split_first() {
            rest = behind;
            match byte {
                b'*' => segments.push(Segment::new(std::mem::take(&mut units))),
                b'?' => units.push(Unit::Any),
                b'\\' => match rest.split_first() {
                    Some((&escaped, behind)) => {
                        rest = behind;
                        units.push(Unit::Byte(fold(escaped)));
                    }
                    None => units.push(Unit::Byte(b'\\')),
                },
                b'[' => match class(rest) {
                    Some((unit, length)) => {
                        rest = rest.get(length..).unwrap_or_default();
                        units.push(unit);
                    }
                    None => units.push(Unit::Byte(b'[')),
                },
                byte => units.push(Unit::Byte(fold(byte))),
            }
        }
        segments.push(Segment::new(units));
        Ok(Self {
            segments,
            folds_case,
        })
    }

    /// Whether it matches all of a text.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let (Some(first), Some(last)) = (self.segments.first(), self.segments.last()) else {
            return false;
        };
        if self.segments.len() == 1 {
            return first.length() == text.len() && first.is_at(text, 0, self.folds_case);
        }
        let Some(room) = text.len().checked_sub(last.length()) else {
            return false;
        };
        if first.length() > room || !first.is_at(text, 0, self.folds_case) {
            return false;
        }
        let mut at = first.length();
        let inner = self.segments.get(1..self.segments.len().saturating_sub(1));
        for segment in inner.unwrap_or_default() {
            let within = text.get(..room).unwrap_or_default();
            match segment.find(within, at, self.folds_case) {
                Some(found) => at = found.saturating_add(segment.length()),
                None => return false,
            }
        }
        at <= room && last.is_at(text, room, self.folds_case)
    }

    /// What it comes to, when it is no more than a text with stars around it.
    pub(crate) fn simple(&self) -> Option<Simple> {
        let text = |segment: &Segment| match segment {
            Segment::Text(text) => Some(text.clone()),
            Segment::Units(_) => None,
        };
        let is_empty =
            |segment: &Segment| matches!(segment, Segment::Text(text) if text.is_empty());
        match self.segments.as_slice() {
            [only] => Some(Simple::Equal(text(only)?)),
            [first, last] if is_empty(last) => Some(Simple::StartsWith(text(first)?)),
            [first, last] if is_empty(first) => Some(Simple::EndsWith(text(last)?)),
            [first, inner, last] if is_empty(first) && is_empty(last) => {
                Some(Simple::Contains(text(inner)?))
            }
            _ => None,
        }
    }
}

impl Segment {
    fn new(units: Vec<Unit>) -> Self {
        let bytes: Option<Vec<u8>> = units
            .iter()
            .map(|unit| match unit {
                Unit::Byte(byte) => Some(*byte),
                Unit::Any | Unit::Class { .. } => None,
            })
            .collect();
        bytes.map_or(Self::Units(units), Self::Text)
    }

    fn length(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Units(units) => units.len(),
        }
    }

    fn is_at(&self, text: &[u8], at: usize, folds_case: bool) -> bool {
        let end = at.saturating_add(self.length());
        let Some(part) = text.get(at..end) else {
            return false;
        };
        match self {
            Self::Text(bytes) if folds_case => part.eq_ignore_ascii_case(bytes),
            Self::Text(bytes) => part == bytes.as_slice(),
            Self::Units(units) => units
                .iter()
                .zip(part)
                .all(|(unit, byte)| unit.matches(*byte, folds_case)),
        }
    }

    fn find(&self, text: &[u8], from: usize, folds_case: bool) -> Option<usize> {
        let rest = text.get(from..)?;
        match self {
            Self::Text(bytes) if !folds_case => {
                memmem::find(rest, bytes).map(|at| from.saturating_add(at))
            }
            Self::Text(_) | Self::Units(_) => {
                let last = text.len().checked_sub(self.length())?;
                (from..=last).find(|at| self.is_at(text, *at, folds_case))
            }
        }
    }
}

impl Unit {
    fn matches(&self, byte: u8, folds_case: bool) -> bool {
        let byte = if folds_case {
            byte.to_ascii_lowercase()
        } else {
            byte
        };
        match self {
            Self::Byte(wanted) => byte == *wanted,
            Self::Any => true,
            Self::Class { ranges, is_not } => {
                let upper = byte.to_ascii_uppercase();
                let is_in = ranges.iter().any(|(low, high)| {
                    (*low..=*high).contains(&byte)
                        || (folds_case && (*low..=*high).contains(&upper))
                });
                is_in != *is_not
            }
        }
    }
}

/// What stands behind an open bracket, and how many bytes it takes with the closing one.
fn class(rest: &[u8]) -> Option<(Unit, usize)> {
    let mut at = 0;
    let is_not = matches!(rest.first(), Some(b'!' | b'^'));
    if is_not {
        at = 1;
    }
    let first = at;
    let mut ranges = Vec::new();
    loop {
        let byte = *rest.get(at)?;
        if byte == b']' && at > first {
            return Some((Unit::Class { ranges, is_not }, at.saturating_add(1)));
        }
        if byte == b'['
            && rest.get(at.saturating_add(1)) == Some(&b':')
            && let Some((named, length)) = named_class(rest.get(at..)?)
        {
            ranges.extend(named);
            at = at.saturating_add(length);
            continue;
        }
        let (low, length) = member(rest.get(at..)?)?;
        at = at.saturating_add(length);
        let is_range = rest.get(at) == Some(&b'-')
            && rest
                .get(at.saturating_add(1))
                .is_some_and(|byte| *byte != b']');
        if is_range {
            let (high, length) = member(rest.get(at.saturating_add(1)..)?)?;
            at = at.saturating_add(1).saturating_add(length);
            ranges.push((low, high));
        } else {
            ranges.push((low, low));
        }
    }
}

fn member(rest: &[u8]) -> Option<(u8, usize)> {
    match rest {
        [b'\\', escaped, ..] => Some((*escaped, 2)),
        [byte, ..] => Some((*byte, 1)),
        [] => None,
    }
}

/// From the first to the last byte, each.
type Ranges = &'static [(u8, u8)];

/// `[:alpha:]` and its like.
fn named_class(rest: &[u8]) -> Option<(Ranges, usize)> {
    const CLASSES: &[(&[u8], Ranges)] = &[
        (b"[:alnum:]", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')]),
        (b"[:alpha:]", &[(b'A', b'Z'), (b'a', b'z')]),
        (b"[:blank:]", &[(b' ', b' '), (b'\t', b'\t')]),
        (b"[:cntrl:]", &[(0, 31), (127, 127)]),
        (b"[:digit:]", &[(b'0', b'9')]),
        (b"[:graph:]", &[(b'!', b'~')]),
        (b"[:lower:]", &[(b'a', b'z')]),
        (b"[:print:]", &[(b' ', b'~')]),
        (
            b"[:punct:]",
            &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
        ),
        (b"[:space:]", &[(b'\t', b'\r'), (b' ', b' ')]),
        (b"[:upper:]", &[(b'A', b'Z')]),
        (b"[:xdigit:]", &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')]),
    ];
    let mut classes = CLASSES.iter();
    let (name, ranges) = classes.find(|(name, _)| rest.starts_with(name))?;
    Some((ranges, name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_a_shell_does() {
        let cases: &[(&str, &str, bool)] = &[
            ("*.log", "/var/log/x.log", true),
            ("/a/*/c", "/a/b/x/c", true),
            ("/a/?/c", "/a/b/c", true),
            ("/a/?/c", "/a/bb/c", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[]]", "]", true),
            ("[[:digit:]]*", "7up", true),
            ("[x", "[x", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "bba", false),
            ("ab*ba", "aba", false),
            ("", "", true),
            ("*", "", true),
            ("a*", "", false),
        ];
        for (pattern, text, expected) in cases {
            let glob = Glob::new(pattern.as_bytes(), false).unwrap();
            assert_eq!(glob.matches(text.as_bytes()), *expected, "{pattern} {text}");
        }
        let folded = Glob::new(b"*.LOG[A-C]", true).unwrap();
        assert!(folded.matches(b"x.Logb"));
    }

    #[test]
    fn knows_what_is_simple() {
        let simple = |pattern: &str| Glob::new(pattern.as_bytes(), false).unwrap().simple();
        assert_eq!(simple("*.log"), Some(Simple::EndsWith(b".log".to_vec())));
        assert_eq!(simple("/x*"), Some(Simple::StartsWith(b"/x".to_vec())));
        assert_eq!(simple("*x*"), Some(Simple::Contains(b"x".to_vec())));
        assert_eq!(simple("x"), Some(Simple::Equal(b"x".to_vec())));
        assert_eq!(simple("a*b"), None);
        assert_eq!(simple("*?*"), None);
    }
}

//! Steps over JSON without understanding more of it than where a value ends.

use super::skip;
use super::text::Text;

/// A part of a text, from its first byte to behind its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// The part itself; empty where the span is not one of this text.
    pub(crate) fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// A place in a text, moving forward only. Every step is `None` where the text is no JSON or ends too early; the
/// place is then of no use any more.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// How deep what was stepped over is nested at most.
    depth: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self::starting_at(text, 0)
    }

    pub(crate) fn starting_at(text: &'a [u8], at: usize) -> Self {
        Self { text, at, depth: 0 }
    }

    pub(crate) fn text(&self) -> &'a [u8] {
        self.text
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// How deep the values that were stepped over are nested at most.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The next byte that is no white space, which is not stepped over.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at = self.at.saturating_add(1);
        }
    }

    /// Steps over `wanted`, the next byte that is no white space.
    #[inline]
    pub(crate) fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at = self.at.saturating_add(1))
    }

    /// Whether nothing but white space is left.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Steps over a string.
    #[inline]
    pub(crate) fn string(&mut self) -> Option<Text<'a>> {
        self.placed_string().map(|(text, _)| text)
    }

    /// Steps over a string and says where it begins, behind the quote.
    #[inline]
    fn placed_string(&mut self) -> Option<(Text<'a>, usize)> {
        self.expect(b'"')?;
        let start = self.at;
        let mut is_escaped = false;
        loop {
            let rest = self.text.get(self.at..)?;
            let found = memchr::memchr2(b'"', b'\\', rest)?;
            let stop = self.at.saturating_add(found);
            if self.text.get(stop) == Some(&b'"') {
                self.at = stop.saturating_add(1);
                let text = Text::new(self.text.get(start..stop)?, is_escaped);
                return Some((text, start));
            }
            is_escaped = true;
            self.at = stop.saturating_add(2);
        }
    }

    /// Steps over a value of any kind.
    pub(crate) fn value(&mut self) -> Option<Span> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => drop(self.string()?),
            b'{' | b'[' => self.container()?,
            _ => self.scalar()?,
        }
        Some(Span {
            start,
            end: self.at,
        })
    }

    /// The key of the next member, where it begins, and steps to its value; `None` inside when the object ends.
    #[inline]
    pub(crate) fn key(&mut self, is_first: bool) -> Option<Option<(Text<'a>, usize)>> {
        match self.peek()? {
            b'}' => {
                self.at = self.at.saturating_add(1);
                return Some(None);
            }
            b',' if !is_first => self.at = self.at.saturating_add(1),
            b'"' if is_first => {}
            _ => return None,
        }
        let key = self.placed_string()?;
        self.expect(b':')?;
        Some(Some(key))
    }

    /// Whether there is another item, and steps to it.
    #[inline]
    pub(crate) fn item(&mut self, is_first: bool) -> Option<bool> {
        match self.peek()? {
            b']' => {
                self.at = self.at.saturating_add(1);
                Some(false)
            }
            b',' if !is_first => {
                self.at = self.at.saturating_add(1);
                Some(true)
            }
            _ if is_first => Some(true),
            _ => None,
        }
    }

    /// Steps over an object or a list.
    fn container(&mut self) -> Option<()> {
        let found = skip::container(self.text.get(self.at..)?)?;
        self.at = self.at.saturating_add(found.length);
        self.depth = self.depth.max(found.depth);
        Some(())
    }

    /// Steps over a number, `true`, `false` or `null`.
    #[inline]
    pub(crate) fn scalar(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let length = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.'))
            .unwrap_or(rest.len());
        let word = rest.get(..length)?;
        let known = match word.first()? {
            b'-' | b'0'..=b'9' => true,
            _ => matches!(word, b"true" | b"false" | b"null"),
        };
        known.then(|| self.at = self.at.saturating_add(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_they_end() {
        for (text, end) in [
            ("{}", 2),
            (r#"{"a":"}"}, 1"#, 9),
            (r#"["\"]", [1]] x"#, 12),
            ("-1.5e+3,", 7),
            ("null}", 4),
            (r#""\\" "#, 4),
        ] {
            let mut scanner = Scanner::new(text.as_bytes());
            assert_eq!(scanner.value().map(|span| span.end), Some(end), "{text}");
        }
    }

    #[test]
    fn what_ends_too_early_is_no_value() {
        for text in ["", "{", r#"{"a""#, r#""\"#, r#""a"#, "[[]", "nul", "x"] {
            assert_eq!(Scanner::new(text.as_bytes()).value(), None, "{text}");
        }
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = "[".repeat(1_000_000);
        assert_eq!(Scanner::new(deep.as_bytes()).value(), None);
        let closed = format!("{deep}{}", "]".repeat(1_000_000));
        assert!(Scanner::new(closed.as_bytes()).value().is_some());
    }
}

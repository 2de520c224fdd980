//! A value in a text of JSON, read only as far as somebody asks.

use crate::json::{Scanner, Text};

/// A value: where it stands, with its quotes or brackets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'t> {
    text: &'t [u8],
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'t> {
    pub(super) key: Text<'t>,
    /// Where its key begins.
    pub(super) at: usize,
    pub(super) value: Part<'t>,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    List,
    String,
    /// Numbers, `true`, `false`, `null`.
    Scalar,
}

/// The members of an object, or the items of a list, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Steps<'t> {
    scanner: Scanner<'t>,
    end: usize,
    is_first: bool,
}

impl<'t> Part<'t> {
    /// The one value that a text is. Whether it is one shows when it is looked into.
    pub(super) fn whole(text: &'t [u8]) -> Self {
        let start = text.len().saturating_sub(text.trim_ascii_start().len());
        Self {
            text,
            start,
            end: text.trim_ascii_end().len(),
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self.text.get(self.start) {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::List,
            Some(b'"') => Kind::String,
            Some(_) | None => Kind::Scalar,
        }
    }

    /// As it stands in the text.
    pub(super) fn raw(self) -> &'t [u8] {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    /// The string that it is.
    pub(super) fn string(self) -> Option<Text<'t>> {
        if self.kind() != Kind::String {
            return None;
        }
        let mut scanner = Scanner::starting_at(self.text, self.start);
        let text = scanner.string()?;
        (scanner.at() == self.end).then_some(text)
    }

    /// Goes through the members of an object.
    pub(super) fn members(self) -> Option<Steps<'t>> {
        self.steps(b'{')
    }

    /// Goes through the items of a list.
    pub(super) fn items(self) -> Option<Steps<'t>> {
        self.steps(b'[')
    }

    fn steps(self, opening: u8) -> Option<Steps<'t>> {
        let mut scanner = Scanner::starting_at(self.text, self.start);
        scanner.expect(opening)?;
        Some(Steps {
            scanner,
            end: self.end,
            is_first: true,
        })
    }
}

impl<'t> Steps<'t> {
    /// The next member; `None` inside when there is no other. `None`: it is no JSON.
    pub(super) fn member(&mut self) -> Option<Option<Member<'t>>> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        let Some((key, at)) = self.scanner.key(is_first)? else {
            return self.is_over().then_some(None);
        };
        let value = self.value()?;
        Some(Some(Member { key, at, value }))
    }

    /// The next item; `None` inside when there is no other. `None`: it is no JSON.
    pub(super) fn item(&mut self) -> Option<Option<Part<'t>>> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        if !self.scanner.item(is_first)? {
            return self.is_over().then_some(None);
        }
        self.value().map(Some)
    }

    /// How deep the values so far are nested at most.
    pub(super) fn depth(&self) -> usize {
        self.scanner.depth()
    }

    fn value(&mut self) -> Option<Part<'t>> {
        let span = self.scanner.value()?;
        Some(Part {
            text: self.scanner.text(),
            start: span.start,
            end: span.end,
        })
    }

    fn is_over(&self) -> bool {
        self.scanner.at() == self.end
    }
}

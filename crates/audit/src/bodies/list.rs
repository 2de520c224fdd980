//! A list of JSON values that comes piece by piece: each item is told when it is whole.
//!
//! It steps over values exactly as [`Scanner`] does, which has all of the text.

use super::MOST_EVENT;
use crate::json::Scanner;
use crate::record::Unreadable;

/// Something of a list.
pub(super) enum Step<'a> {
    /// An item.
    Item(&'a [u8]),
    /// An item that is too large to be kept, and how large.
    Large(usize),
}

/// The place in a list, behind its opening bracket.
#[derive(Debug, Default)]
pub(super) struct List {
    state: State,
    /// What there is of the item that is being read, up to [`MOST_EVENT`] and one more byte.
    item: Vec<u8>,
    /// Its bytes, with those that are not kept.
    bytes: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the first item, if there is one.
    #[default]
    First,
    /// Behind a comma.
    Next,
    /// In an object or a list.
    Container { depth: usize, string: Quoted },
    /// In a string that is an item.
    String { string: Quoted },
    /// In a number or a word.
    Scalar,
    /// Behind an item.
    Behind,
}

/// Where in a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quoted {
    Outside,
    Inside,
    /// Behind a backslash.
    Escaped,
}

impl List {
    /// Takes the next piece. `false`: the list is over, and what comes later does not belong to it.
    pub(super) fn take(
        &mut self,
        piece: &[u8],
        each: &mut dyn FnMut(Step<'_>),
    ) -> Result<bool, Unreadable> {
        let mut at = 0;
        while let Some(byte) = piece.get(at).copied() {
            match self.state {
                State::First | State::Next | State::Behind => {
                    let Some(next) = self.between(byte)? else {
                        return Ok(false);
                    };
                    self.state = next;
                    // The byte that begins an item is a part of it, and looked at again.
                    if matches!(next, State::First | State::Next | State::Behind) {
                        at = at.saturating_add(1);
                    }
                }
                State::Container { .. } | State::String { .. } | State::Scalar => {
                    let rest = piece.get(at..).unwrap_or_default();
                    let (length, is_over) = self.within(rest);
                    self.keep(rest.get(..length).unwrap_or_default());
                    at = at.saturating_add(length);
                    if is_over {
                        self.item_over(each)?;
                    }
                }
            }
        }
        Ok(true)
    }

    /// Nothing follows.
    pub(super) fn end(&mut self, each: &mut dyn FnMut(Step<'_>)) -> Result<(), Unreadable> {
        if self.state == State::Scalar {
            self.item_over(each)?;
        }
        Err(Unreadable::Syntax)
    }

    /// What a byte between items leads to; nothing at the end of the list.
    fn between(&self, byte: u8) -> Result<Option<State>, Unreadable> {
        Ok(Some(match (self.state, byte) {
            (state, b' ' | b'\t' | b'\n' | b'\r') => state,
            (State::First | State::Behind, b']') => return Ok(None),
            (State::Behind, b',') => State::Next,
            (State::Behind, _) => return Err(Unreadable::Syntax),
            (_, b'{' | b'[') => State::Container {
                depth: 0,
                string: Quoted::Outside,
            },
            (_, b'"') => State::String {
                string: Quoted::Outside,
            },
            _ => State::Scalar,
        }))
    }

    /// How many of these bytes belong to the item, and whether it is over with them.
    fn within(&mut self, bytes: &[u8]) -> (usize, bool) {
        match &mut self.state {
            State::Container { depth, string } => {
                let mut at = 0;
                while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
                    if *string != Quoted::Outside {
                        at = at.saturating_add(quoted(rest, string));
                        continue;
                    }
                    let found = rest
                        .iter()
                        .position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'));
                    let Some(found) = found else {
                        return (bytes.len(), false);
                    };
                    match rest.get(found) {
                        Some(b'"') => *string = Quoted::Inside,
                        Some(b'{' | b'[') => *depth = depth.saturating_add(1),
                        _ => *depth = depth.saturating_sub(1),
                    }
                    at = at.saturating_add(found).saturating_add(1);
                    if *depth == 0 {
                        return (at, true);
                    }
                }
                (bytes.len(), false)
            }
            State::String { string } => {
                let opening = usize::from(*string == Quoted::Outside);
                if opening == 1 {
                    *string = Quoted::Inside;
                }
                let rest = bytes.get(opening..).unwrap_or_default();
                let length = opening.saturating_add(quoted(rest, string));
                (length, *string == Quoted::Outside)
            }
            State::Scalar | State::First | State::Next | State::Behind => {
                let end = bytes.iter().position(
                    |byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.'),
                );
                (end.unwrap_or(bytes.len()), end.is_some())
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(bytes.len());
        let room = MOST_EVENT
            .saturating_add(1)
            .saturating_sub(self.item.len())
            .min(bytes.len());
        self.item
            .extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    fn item_over(&mut self, each: &mut dyn FnMut(Step<'_>)) -> Result<(), Unreadable> {
        if self.state == State::Scalar && Scanner::new(&self.item).value().is_none() {
            return Err(Unreadable::Syntax);
        }
        if self.bytes > MOST_EVENT {
            each(Step::Large(self.bytes));
        } else {
            each(Step::Item(&self.item));
        }
        self.bytes = 0;
        self.item.clear();
        self.item.shrink_to(MOST_EVENT / 8);
        self.state = State::Behind;
        Ok(())
    }
}

/// Steps on within a string, to its end at most. Returns how many bytes that are.
fn quoted(bytes: &[u8], string: &mut Quoted) -> usize {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if *string == Quoted::Escaped {
            *string = Quoted::Inside;
            at = at.saturating_add(1);
            continue;
        }
        let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
            return bytes.len();
        };
        at = at.saturating_add(found).saturating_add(1);
        if rest.get(found) == Some(&b'"') {
            *string = Quoted::Outside;
            return at;
        }
        *string = Quoted::Escaped;
    }
    bytes.len()
}

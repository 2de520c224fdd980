//! Where text comes from: conditions are put together of several places, and what is wrong in them is told by the
//! line of the file.

use crate::yaml::{Node, Place};

/// The files of a load.
#[derive(Debug, Default)]
pub(crate) struct Files {
    files: Vec<(String, String)>,
}

/// One of [`Files`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct FileId(usize);

/// A place in one of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) file: FileId,
    pub(crate) at: Place,
}

/// Text with the places that it comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Located {
    pub(crate) text: String,
    /// From which byte on it comes from where.
    pieces: Vec<(usize, Spot)>,
}

impl Files {
    pub(crate) fn add(&mut self, name: &str, text: &str) -> FileId {
        self.files.push((name.to_owned(), text.to_owned()));
        FileId(self.files.len().saturating_sub(1))
    }

    pub(crate) fn name(&self, file: FileId) -> &str {
        self.files.get(file.0).map_or("", |(name, _)| name)
    }

    /// The line and column of a byte of a located text, with the file.
    pub(crate) fn locate(&self, located: &Located, at: usize) -> (FileId, usize, usize) {
        let piece = located.pieces.iter().rev().find(|(from, _)| *from <= at);
        let Some((from, spot)) = piece.or(located.pieces.first()) else {
            return (FileId::default(), 0, 0);
        };
        let source = self.files.get(spot.file.0).map_or("", |(_, text)| text);
        let raw = source.get(spot.at.start..).unwrap_or_default();
        // Folding and indenting change blanks and nothing else: the place is behind as many other characters.
        let before = located.text.get(*from..at).unwrap_or_default();
        let mut wanted = before.chars().filter(|c| !c.is_whitespace()).count();
        let skipped = header(raw, &located.text);
        let (mut line, mut column) = (spot.at.line, spot.at.column);
        let mut advance = |c: char| {
            if c == '\n' {
                line = line.saturating_add(1);
                column = 1;
            } else {
                column = column.saturating_add(1);
            }
        };
        for (index, c) in raw.char_indices() {
            let is_content = index >= skipped && !c.is_whitespace();
            if is_content && wanted == 0 {
                break;
            }
            if is_content {
                wanted = wanted.saturating_sub(1);
            }
            advance(c);
        }
        (spot.file, line, column)
    }
}

/// Bytes of what stands before the content of a scalar: a quote that is not part of it.
fn header(raw: &str, text: &str) -> usize {
    match raw.chars().next() {
        Some(quote @ ('"' | '\'')) if !text.starts_with(quote) => 1,
        _ => 0,
    }
}

impl Located {
    /// The text of a scalar.
    pub(crate) fn scalar(file: FileId, node: &Node) -> Self {
        Self {
            text: node.text().unwrap_or_default().to_owned(),
            pieces: vec![(0, Spot { file, at: node.at })],
        }
    }

    /// Text that stands nowhere, but is there because of a place.
    pub(crate) fn made(text: String, spot: Spot) -> Self {
        Self {
            text,
            pieces: vec![(0, spot)],
        }
    }

    /// Appends another text.
    pub(crate) fn push(&mut self, other: &Self) {
        let from = self.text.len();
        self.text.push_str(&other.text);
        let pieces = other.pieces.iter();
        self.pieces
            .extend(pieces.map(|(at, spot)| (from.saturating_add(*at), *spot)));
    }

    /// Appends text that belongs to what stands before it.
    pub(crate) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Where it begins.
    pub(crate) fn spot(&self) -> Spot {
        self.pieces
            .first()
            .map_or(Spot::default(), |(_, spot)| *spot)
    }
}

//! Finding a fixed text in a stream that comes in pieces of any length.

use memchr::memmem::Finder;

/// Looks for one text. Memory: the length of the text.
pub(super) struct Needle {
    finder: Finder<'static>,
    /// The end of what was searched, too short to hold the text.
    tail: Vec<u8>,
    /// Where the next piece begins if it follows the last one.
    next: u64,
}

impl Needle {
    /// For a `text` that cannot overlap with itself.
    pub(super) fn new(text: &'static [u8]) -> Self {
        Self {
            finder: Finder::new(text),
            tail: Vec::new(),
            next: 0,
        }
    }

    /// The positions in `bytes`, which stand at `at` of the file, behind each occurrence that ends there.
    pub(super) fn ends(&mut self, at: u64, bytes: &[u8]) -> Vec<usize> {
        let length = self.finder.needle().len();
        let longest_tail = length.saturating_sub(1);
        if at != self.next {
            self.tail.clear();
        }
        self.next = at.saturating_add(bytes.len() as u64);
        let mut ends = Vec::new();
        let head = bytes.get(..longest_tail).unwrap_or(bytes);
        if !self.tail.is_empty() {
            let before = self.tail.len();
            self.tail.extend_from_slice(head);
            let starts = self.finder.find_iter(&self.tail);
            ends.extend(starts.map(|start| start.saturating_add(length).saturating_sub(before)));
        } else if bytes.len() < longest_tail {
            self.tail.extend_from_slice(bytes);
        }
        ends.extend(
            self.finder
                .find_iter(bytes)
                .map(|start| start.saturating_add(length)),
        );
        match bytes.len().checked_sub(longest_tail) {
            Some(start) => {
                self.tail.clear();
                self.tail
                    .extend_from_slice(bytes.get(start..).unwrap_or_default());
            }
            None => {
                let surplus = self.tail.len().saturating_sub(longest_tail);
                self.tail.drain(..surplus);
            }
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_across_any_border() {
        let text = b"..needle.nneedle..needl.eneedle";
        let expected = [8, 16, 31];
        for length in 1..=text.len() {
            let mut needle = Needle::new(b"needle");
            let mut found = Vec::new();
            let mut at = 0;
            for piece in text.chunks(length) {
                let ends = needle.ends(at as u64, piece);
                found.extend(ends.into_iter().map(|end| at + end));
                at += piece.len();
            }
            assert_eq!(found, expected, "pieces of {length}");
        }
    }

    #[test]
    fn a_gap_joins_nothing() {
        let mut needle = Needle::new(b"needle");
        assert!(needle.ends(0, b"nee").is_empty());
        assert!(needle.ends(4, b"dle").is_empty());
        assert_eq!(needle.ends(7, b"needle"), [6]);
    }
}

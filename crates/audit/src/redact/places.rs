//! Where in a text of JSON there can be a credential.
//!
//! Most of an event has no word in it that could mean one, and is copied as it is. What has some is looked at
//! (`redact.rs`), and only that.

use memchr::memmem::Finder;

use super::text::MAX_TEXT;

/// Escapes behind which such a word can hide: `\u0070assword`, `https:\/\/`. Those of JSON in a string of JSON, which
/// are escaped once more, look the same.
const ESCAPES: [&[u8]; 2] = [br"\u", br"\/"];

/// The places, in order.
#[derive(Debug, Default)]
pub(super) struct Places {
    places: Vec<usize>,
}

impl Places {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut places = seareeve_redact::marks(text);
        let marks = places.len();
        for escape in ESCAPES {
            places.extend(Finder::new(escape).find_iter(text));
        }
        if places.len() > marks {
            places.sort_unstable();
        }
        Self { places }
    }

    /// Everywhere, so that nothing is left out.
    #[cfg(test)]
    pub(super) fn everywhere(text: &[u8]) -> Self {
        Self {
            places: (0..text.len()).collect(),
        }
    }

    /// Whether there is one in this part of the text. What is too long to be looked through is one.
    pub(super) fn is_in(&self, start: usize, end: usize) -> bool {
        let next = self.places.partition_point(|place| *place < start);
        end.saturating_sub(start) > MAX_TEXT
            || self.places.get(next).is_some_and(|place| *place < end)
    }
}

//! A list of problems with an end: a hostile layer can have millions of broken entries.

use seareeve_model::{Problem, ProblemCode};

/// Problems of one layer or archive. Those beyond the limit are counted.
#[derive(Clone, Debug)]
pub(crate) struct Problems {
    list: Vec<Problem>,
    limit: usize,
    more: u64,
}

impl Problems {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            list: Vec::new(),
            limit,
            more: 0,
        }
    }

    /// Adds a problem; the texts are made only when it is listed.
    pub(crate) fn add(
        &mut self,
        code: ProblemCode,
        place: impl FnOnce() -> String,
        message: impl Into<String>,
    ) {
        if self.list.len() < self.limit {
            self.list.push(Problem::new(code, place(), message));
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// The list, ending with the number of those left out. `place` is what all of them have in common.
    pub(crate) fn into_list(mut self, place: &str) -> Vec<Problem> {
        if self.more > 0 {
            let message = format!("and {} more problems that are not listed", self.more);
            self.list
                .push(Problem::new(ProblemCode::LimitReached, place, message));
        }
        self.list
    }
}

/// Bytes from an image as short text for people.
pub(crate) fn shown(raw: &[u8]) -> String {
    const LONGEST: usize = 300;
    match raw.get(..LONGEST) {
        Some(start) if raw.len() > LONGEST => format!("{}…", String::from_utf8_lossy(start)),
        _ => String::from_utf8_lossy(raw).into_owned(),
    }
}

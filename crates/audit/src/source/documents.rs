//! A stream of lines as JSON documents: one a line as a rule, over several lines where somebody made it readable.

use super::is_time;
use crate::json::Scanner;

/// Largest document: the API server's own limit of a batch, doubled.
const MAX_DOCUMENT: usize = 32 << 20;

/// Puts lines together to documents.
///
/// A document that never ends costs itself: the next line that is a document by itself begins anew.
#[derive(Debug, Default)]
pub struct Documents {
    pending: Vec<u8>,
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
    /// The pending document was too large and is thrown away up to its end.
    is_too_large: bool,
    problems: u64,
}

impl Documents {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next line, with or without its end, and calls `each` for the document that it is or completes.
    pub fn line(&mut self, line: &[u8], mut each: impl FnMut(&[u8])) {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            return;
        }
        if is_document(line) {
            self.give_up();
            each(line);
            return;
        }
        let starts = matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
        if self.depth == 0 && !starts {
            self.problems = self.problems.saturating_add(1);
            return;
        }
        self.follow(line);
        if self.pending.len().saturating_add(line.len()) > MAX_DOCUMENT {
            self.is_too_large = true;
            self.pending = Vec::new();
        } else if !self.is_too_large {
            self.pending.extend_from_slice(line);
            self.pending.push(b'\n');
        }
        if self.depth == 0 {
            if self.is_too_large {
                self.problems = self.problems.saturating_add(1);
            } else {
                each(&self.pending);
            }
            self.pending.clear();
            self.is_in_string = false;
            self.is_too_large = false;
        }
    }

    /// Tells that no line follows.
    pub fn end(&mut self) {
        self.give_up();
    }

    /// How many pieces of the stream were no document.
    #[must_use]
    pub fn problems(&self) -> u64 {
        self.problems
    }

    fn give_up(&mut self) {
        if self.depth > 0 {
            let problems = self.problems.saturating_add(1);
            *self = Self {
                problems,
                ..Self::default()
            };
        }
    }

    /// Counts brackets.
    fn follow(&mut self, line: &[u8]) {
        for byte in line {
            if self.is_in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.is_in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.is_in_string = true,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        // No string of JSON goes over a line.
        self.is_in_string = false;
        self.is_escaped = false;
    }
}

/// Whether a line is a whole document, in the place where one begins. Cheap for what is: it begins and ends like one, or
/// it has its time before it.
fn is_document(line: &[u8]) -> bool {
    if line.first().is_some_and(u8::is_ascii_digit) {
        let time = line.split(|byte| *byte == b' ').next();
        return time.is_some_and(is_time);
    }
    match (line.first(), line.last()) {
        (Some(b'{'), Some(b'}')) if line.starts_with(b"{\"") => true,
        (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) => {
            let mut scanner = Scanner::new(line);
            scanner.value().is_some() && scanner.is_at_end()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, u64) {
        let mut documents = Documents::new();
        let mut found = Vec::new();
        for line in text.split('\n') {
            documents.line(line.as_bytes(), |document| {
                let text = String::from_utf8(document.to_vec()).unwrap();
                found.push(text.split_whitespace().collect::<Vec<_>>().join(" "));
            });
        }
        documents.end();
        (found, documents.problems())
    }

    #[test]
    fn lines_and_readable_documents_are_told_apart() {
        for (text, documents, problems) in [
            (
                "{\"a\":1}\n{\"b\":2}\r\n\n",
                &["{\"a\":1}", "{\"b\":2}"][..],
                0,
            ),
            (
                "{\n \"a\": [\n  \"}\"\n ]\n}\n{\"b\":2}",
                &["{ \"a\": [ \"}\" ] }", "{\"b\":2}"],
                0,
            ),
            ("[1]\n[\n1\n]", &["[1]", "[ 1 ]"], 0),
            (
                "{\"a\":\n{\"b\":2}\n{\"c\":3}",
                &["{\"b\":2}", "{\"c\":3}"],
                1,
            ),
            ("garbage\n{\"a\":1}\n", &["{\"a\":1}"], 1),
            (
                "2026-01-01T00:00:00.000Z {\"a\":1}\n2026 {\"b\":2}",
                &["2026-01-01T00:00:00.000Z {\"a\":1}"],
                1,
            ),
            ("{\"a\":", &[], 1),
        ] {
            assert_eq!(
                read(text),
                (
                    documents.iter().map(|text| (*text).to_owned()).collect(),
                    problems
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn what_never_ends_is_bounded() {
        let mut documents = Documents::new();
        documents.line(b"{", |_| ());
        let line = vec![b'1'; 1 << 20];
        for _ in 0..100 {
            documents.line(&line, |_| ());
            assert!(documents.pending.len() <= MAX_DOCUMENT);
        }
        documents.line(b"{\"a\":1}", |_| ());
        assert_eq!(documents.problems(), 1);
    }
}

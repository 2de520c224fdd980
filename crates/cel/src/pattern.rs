//! Regular expressions: RE2's syntax and meaning (langdef.md, "Regular Expressions") on the crate `regex`.
//!
//! The two differ in little. RE2's `\d`, `\w`, `\s` and `\b` know ASCII only, its sets have no sets and no
//! operators in them, and it has `\Q…\E`. Those are rewritten.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use crate::error::{Reason, cut};
use crate::limits::Budget;

/// A compiled pattern.
#[derive(Clone)]
pub(crate) struct Pattern {
    pub(crate) regex: Regex,
    /// Steps per 64 bytes of text.
    weight: usize,
}

/// Bytes that a pattern may be long.
const LONGEST: usize = 4 * 1024;
/// Bytes that a pattern may take once it is compiled, tried one after the other: how many it takes is not said, and
/// what a search costs at worst is in proportion to it.
const COMPILED: [usize; 3] = [4 * 1024, 16 * 1024, 64 * 1024];
/// Bytes of a compiled pattern for each step that 64 bytes of text cost.
const WEIGHT: usize = 256;
/// What compiling costs at most: about a millisecond, so that many are no way around the budget.
const COMPILE_STEPS: usize = 10_000;

impl Pattern {
    /// Compiles a pattern; says what is wrong with it if that fails.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        if pattern.len() > LONGEST {
            return Err(format!("pattern is longer than {LONGEST} bytes"));
        }
        let pattern = rewritten(pattern);
        for bytes in COMPILED {
            let regex = RegexBuilder::new(&pattern)
                .size_limit(bytes)
                .dfa_size_limit(bytes.max(16 * 1024))
                .nest_limit(64)
                .build();
            match regex {
                Ok(regex) => {
                    let weight = bytes / WEIGHT;
                    return Ok(Self { regex, weight });
                }
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(error) => {
                    // The last line says what is wrong; those before draw the rewritten pattern.
                    let text = error.to_string();
                    let last = text.lines().last().unwrap_or_default();
                    let last = last.strip_prefix("error: ").unwrap_or(last);
                    return Err(format!("not a pattern: {last}"));
                }
            }
        }
        Err("pattern is too large".to_owned())
    }

    /// Takes the price of searching that much text.
    pub(crate) fn take(&self, text: &str, budget: &mut Budget) -> Result<(), Reason> {
        budget.take_steps(2 + text.len().saturating_mul(self.weight) / 64)
    }
}

/// The pattern in the words of the crate.
fn rewritten(pattern: &str) -> String {
    let mut made = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    // Whether a set is open, and nothing stands in it yet.
    let mut in_set = false;
    let mut is_first = false;
    while let Some(next) = rest.chars().next() {
        rest = rest.get(next.len_utf8()..).unwrap_or_default();
        let was_first = std::mem::take(&mut is_first);
        match next {
            '\\' => {
                let escaped = rest.chars().next();
                rest = rest
                    .get(escaped.map_or(0, char::len_utf8)..)
                    .unwrap_or_default();
                match escaped {
                    Some('d') => made.push_str("[0-9]"),
                    Some('D') => made.push_str("[^0-9]"),
                    Some('w') => made.push_str("[0-9A-Za-z_]"),
                    Some('W') => made.push_str("[^0-9A-Za-z_]"),
                    Some('s') => made.push_str(r"[\t\n\f\r ]"),
                    Some('S') => made.push_str(r"[^\t\n\f\r ]"),
                    Some('b') if !in_set => made.push_str(r"(?-u:\b)"),
                    Some('B') if !in_set => made.push_str(r"(?-u:\B)"),
                    Some('Q') if !in_set => {
                        let (literal, after) = rest.split_once(r"\E").unwrap_or((rest, ""));
                        made.push_str(&regex::escape(literal));
                        rest = after;
                    }
                    Some(symbol @ ('<' | '>')) => made.push(symbol),
                    Some(other) => {
                        made.push('\\');
                        made.push(other);
                    }
                    None => made.push('\\'),
                }
            }
            '[' if !in_set => {
                in_set = true;
                is_first = true;
                made.push('[');
                if let Some(after) = rest.strip_prefix('^') {
                    made.push('^');
                    rest = after;
                }
            }
            '[' if rest.starts_with(':') && rest.contains(":]") => {
                let end = rest.find(":]").map_or(rest.len(), |at| at + 2);
                made.push('[');
                made.push_str(rest.get(..end).unwrap_or_default());
                rest = rest.get(end..).unwrap_or_default();
            }
            '[' => made.push_str(r"\["),
            ']' if in_set && was_first => made.push_str(r"\]"),
            ']' if in_set => {
                in_set = false;
                made.push(']');
            }
            '&' | '~' if in_set => {
                made.push('\\');
                made.push(next);
            }
            other => made.push(other),
        }
    }
    made
}

/// The patterns that an evaluation came upon: most loops use one again and again.
#[derive(Default)]
pub(crate) struct Patterns {
    known: Vec<(Box<str>, Arc<Pattern>)>,
}

impl Patterns {
    /// How many are kept.
    const KEPT: usize = 4;

    pub(crate) fn get(
        &mut self,
        pattern: &str,
        budget: &mut Budget,
    ) -> Result<Arc<Pattern>, Reason> {
        if let Some((_, known)) = self.known.iter().find(|(text, _)| **text == *pattern) {
            return Ok(Arc::clone(known));
        }
        budget.take_steps(COMPILE_STEPS)?;
        let made = Pattern::new(pattern)
            .map_err(|message| Reason::invalid(format!("{message}: {}", cut(pattern))))?;
        let made = Arc::new(made);
        if self.known.len() >= Self::KEPT {
            self.known.remove(0);
        }
        self.known.push((pattern.into(), Arc::clone(&made)));
        Ok(made)
    }
}

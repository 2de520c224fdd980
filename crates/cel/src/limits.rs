//! What an expression may be, and what its evaluation may use.

use crate::error::Reason;

/// What an expression may be. All of it is checked before anything is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub text_bytes: usize,
    /// Levels of nesting. Chains (`a && b && c`, `a.b.c`, `a ? b : c ? d : e`) are one level however long they are,
    /// but each call of a method is one more than what it is called on.
    pub depth: usize,
    /// Nodes of the syntax tree.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text_bytes: 16 * 1024,
            depth: 64,
            nodes: 4096,
        }
    }
}

/// What ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Nodes evaluated, elements looked at, text searched.
    Steps,
    /// Bytes of values made.
    Bytes,
    /// Levels of values in values, or of variables that are expressions over variables.
    Depth,
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Steps => "steps",
            Self::Bytes => "memory",
            Self::Depth => "nesting",
        })
    }
}

/// How many bytes are read or written for the price of a step.
const BYTES_PER_STEP: usize = 64;
/// How deep values may lie in each other, and variables that are expressions depend on each other.
pub(crate) const DEPTH: usize = 128;

/// What one evaluation, or several that share it, may still use.
///
/// A step is a node evaluated, an element of a list or map looked at, or 64 bytes of text read or written; it takes
/// between 10 and 100 nanoseconds. Memory is counted when a value is made and not given back.
#[derive(Clone, Debug)]
pub struct Budget {
    steps: u64,
    bytes: u64,
    steps_left: u64,
    bytes_left: u64,
}

impl Budget {
    /// A budget of this many steps and this many bytes of values made.
    #[must_use]
    pub fn new(steps: u64, bytes: u64) -> Self {
        Self {
            steps,
            bytes,
            steps_left: steps,
            bytes_left: bytes,
        }
    }

    /// Steps used so far; never more than were given.
    #[must_use]
    pub fn steps_used(&self) -> u64 {
        self.steps - self.steps_left
    }

    /// Bytes of values made so far; never more than were given.
    #[must_use]
    pub fn bytes_used(&self) -> u64 {
        self.bytes - self.bytes_left
    }

    /// Takes steps: for functions that look at many elements.
    ///
    /// # Errors
    /// When fewer are left; what was left is gone then.
    pub fn take_steps(&mut self, steps: usize) -> Result<(), Reason> {
        take(&mut self.steps_left, steps).ok_or(Reason::BudgetExceeded(Resource::Steps))
    }

    /// Takes the steps for reading or writing that many bytes.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn take_text(&mut self, bytes: usize) -> Result<(), Reason> {
        self.take_steps(bytes / BYTES_PER_STEP)
    }

    /// Takes memory, and the steps for filling it: for functions that make values.
    ///
    /// # Errors
    /// When less is left.
    pub fn take_bytes(&mut self, bytes: usize) -> Result<(), Reason> {
        take(&mut self.bytes_left, bytes).ok_or(Reason::BudgetExceeded(Resource::Bytes))?;
        self.take_text(bytes)
    }
}

fn take(left: &mut u64, amount: usize) -> Option<()> {
    match left.checked_sub(amount as u64) {
        Some(rest) => {
            *left = rest;
            Some(())
        }
        None => {
            *left = 0;
            None
        }
    }
}

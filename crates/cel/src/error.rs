//! What is wrong with an expression, or with what it was applied to, and where in the text.

use crate::limits::Resource;

/// A place in the text of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
}

impl Position {
    /// Stands in errors on their way up for "not worked out yet": an error that `||` absorbs should cost little.
    const OPEN: u32 = 0;

    /// An offset that is still to become line and column.
    pub(crate) fn open(offset: u32) -> Self {
        Self {
            line: Self::OPEN,
            column: offset,
        }
    }

    /// The position of an offset in the text.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let lines = before.bytes().filter(|byte| *byte == b'\n').count();
        let characters = before.get(line_start..).unwrap_or_default().chars().count();
        let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
        Self {
            line: number(lines),
            column: number(characters),
        }
    }

    pub(crate) fn resolved(self, text: &str) -> Self {
        match self.line {
            Self::OPEN => Self::of(text, self.column as usize),
            _ => self,
        }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Why a text is not an expression: the fault of who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {message}{excerpt}")]
pub struct CompileError {
    /// Where.
    pub position: Position,
    /// What is wrong, and what was expected.
    pub message: String,
    excerpt: String,
}

/// Characters of a line that are shown around the place of an error.
const EXCERPT: usize = 60;

impl CompileError {
    pub(crate) fn new(text: &str, offset: u32, message: impl Into<String>) -> Self {
        let position = Position::of(text, offset as usize);
        Self {
            position,
            message: message.into(),
            excerpt: excerpt(text, position),
        }
    }
}

/// The line of an error with a caret below the place.
fn excerpt(text: &str, position: Position) -> String {
    let line = text.split('\n').nth(position.line as usize - 1);
    let Some(line) = line.filter(|line| !line.is_empty()) else {
        return String::new();
    };
    let column = position.column as usize - 1;
    let from = column.saturating_sub(EXCERPT / 2);
    let shown = |character: char| match character.is_control() {
        true => ' ',
        false => character,
    };
    let shown: String = line.chars().skip(from).take(EXCERPT).map(shown).collect();
    let before = if from > 0 { "…" } else { "" };
    let indent = " ".repeat(column - from + before.chars().count());
    format!("\n  | {before}{}\n  | {indent}^", shown.trim_end())
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{position}: {reason}")]
pub struct EvaluationError {
    /// What happened.
    pub reason: Reason,
    /// Where in the text; of a variable that is an expression, in that expression's text.
    pub position: Position,
}

/// What happened. Texts that come from the values are cut.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Reason {
    /// A map lacks the key: the value is not as the expression expects.
    #[error("no such key: {0}")]
    NoSuchKey(Box<str>),
    /// A function or operator does not take values of these types.
    #[error("no such overload: {0}")]
    NoSuchOverload(Box<str>),
    /// An integer was divided by zero.
    #[error("division by zero")]
    DivideByZero,
    /// A number, duration or timestamp left its range.
    #[error("range error: {0}")]
    Overflow(&'static str),
    /// A list is shorter.
    #[error("index out of range: {0}")]
    IndexOutOfRange(i64),
    /// The value of an argument, not its type, is not what the function takes.
    #[error("{0}")]
    InvalidArgument(Box<str>),
    /// The literal of a map has a key twice.
    #[error("duplicate key: {0}")]
    DuplicateKey(Box<str>),
    /// The program knows a variable that the caller gave no value.
    #[error("variable without a value: {0}")]
    Unbound(Box<str>),
    /// A variable is an expression over itself.
    #[error("variable depends on itself: {0}")]
    Cycle(Box<str>),
    /// The value has no form in JSON.
    #[error("no form in JSON: {0}")]
    NotJson(Box<str>),
    /// The expression is too costly. Nothing absorbs this one.
    #[error("expression takes too much: out of {0}")]
    BudgetExceeded(Resource),
    /// A function of the environment refused.
    #[error("{0}")]
    Function(Box<str>),
}

impl Reason {
    pub(crate) fn invalid(message: impl Into<Box<str>>) -> Self {
        Self::InvalidArgument(message.into())
    }

    /// The error at this offset of the text. Boxed, because results are returned at every node.
    pub(crate) fn at(self, offset: u32) -> Fault {
        Box::new(EvaluationError {
            reason: self,
            position: Position::open(offset),
        })
    }
}

/// An error on its way up.
pub(crate) type Fault = Box<EvaluationError>;

impl EvaluationError {
    /// Whether the evaluation must end, whatever `||` says.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self.reason, Reason::BudgetExceeded(_))
    }
}

/// What of a text an error shows.
pub(crate) fn cut(text: &str) -> &str {
    const SHOWN: usize = 64;
    text.char_indices()
        .nth(SHOWN)
        .and_then(|(end, _)| text.get(..end))
        .unwrap_or(text)
}

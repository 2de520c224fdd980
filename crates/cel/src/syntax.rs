//! What the parser makes: the text as a tree, names not resolved yet.
//!
//! Chains are one node: a thousand terms with `&&` between them must not be a thousand levels.

use crate::lexer::Symbol;
use crate::value::Value;

pub(crate) struct Syntax {
    pub(crate) kind: SyntaxKind,
    /// The offset in the text that errors are shown at.
    pub(crate) at: u32,
    /// Levels below this one, and itself.
    pub(crate) height: usize,
}

pub(crate) enum SyntaxKind {
    Literal(Value<'static>),
    /// A name, with whether a dot before it said to look outside of all macros.
    Name {
        name: String,
        is_root: bool,
    },
    List(Vec<Element>),
    Map(Vec<Entry>),
    /// Fields and indices of a value, one after the other.
    Path {
        base: Box<Syntax>,
        steps: Vec<Step>,
    },
    Call {
        receiver: Option<Box<Syntax>>,
        name: String,
        is_root: bool,
        arguments: Vec<Syntax>,
    },
    Not {
        operand: Box<Syntax>,
        times: usize,
    },
    Negate {
        operand: Box<Syntax>,
        times: usize,
    },
    And(Vec<Syntax>),
    Or(Vec<Syntax>),
    /// Operators of one precedence, from left to right.
    Chain {
        first: Box<Syntax>,
        rest: Vec<Operation>,
    },
    /// `a ? b : c ? d : e`: conditions with their results, and the last.
    Conditional {
        branches: Vec<(Syntax, Syntax)>,
        otherwise: Box<Syntax>,
    },
}

pub(crate) struct Element {
    pub(crate) value: Syntax,
    pub(crate) is_optional: bool,
}

pub(crate) struct Entry {
    pub(crate) key: Syntax,
    pub(crate) value: Syntax,
    pub(crate) is_optional: bool,
}

pub(crate) struct Operation {
    pub(crate) symbol: Symbol,
    pub(crate) at: u32,
    pub(crate) operand: Syntax,
}

pub(crate) struct Step {
    pub(crate) kind: StepKind,
    pub(crate) is_optional: bool,
    pub(crate) at: u32,
}

pub(crate) enum StepKind {
    Field(String),
    Index(Box<Syntax>),
}

//! What is evaluated: the tree with its names resolved, its constants made and its patterns compiled.

use std::sync::Arc;

use crate::environment::Function;
use crate::functions::Builtin;
use crate::lexer::Symbol;
use crate::pattern::Pattern;
use crate::value::Value;

pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// The offset in the text.
    pub(crate) at: u32,
}

pub(crate) enum Kind {
    Constant(Value<'static>),
    /// A variable of the environment, by its slot.
    Variable(usize),
    /// A variable of a macro, by its slot.
    Local(usize),
    List(Box<[Element]>),
    Map(Box<[Entry]>),
    Path(Box<Path>),
    /// `has(a.b)`: whether the last step of the path finds something.
    Has(Box<Path>),
    /// `a.orValue(b)`, in which the optional need not be made.
    OrValue(Box<(Node, Node)>),
    /// `a.or(b)`: the second is evaluated only if needed.
    OrOptional(Box<(Node, Node)>),
    Not(Box<Node>, usize),
    Negate(Box<Node>, usize),
    And(Box<[Node]>),
    Or(Box<[Node]>),
    Chain(Box<Node>, Box<[Operation]>),
    /// `x in ['a', 'b', …]`, the texts sorted; with how many there were.
    InTexts(Box<Node>, Box<[Box<str>]>),
    Conditional(Box<[(Node, Node)]>, Box<Node>),
    Builtin(&'static Builtin, Box<[Node]>),
    Custom(Arc<Function>, Box<[Node]>),
    /// A function of a text and a pattern that is known.
    Pattern(Box<PatternCall>),
    Comprehension(Box<Comprehension>),
    /// `cel.bind(x, value, body)`.
    Bind {
        slot: usize,
        parts: Box<(Node, Node)>,
    },
    /// `a.optMap(x, body)` and `a.optFlatMap(x, body)`.
    OptionalMap {
        slot: usize,
        parts: Box<(Node, Node)>,
        is_flat: bool,
    },
}

pub(crate) struct Element {
    pub(crate) value: Node,
    pub(crate) is_optional: bool,
}

pub(crate) struct Entry {
    pub(crate) key: Node,
    pub(crate) value: Node,
    pub(crate) is_optional: bool,
}

pub(crate) struct Operation {
    pub(crate) symbol: Symbol,
    pub(crate) at: u32,
    pub(crate) operand: Node,
}

pub(crate) struct Path {
    pub(crate) base: Node,
    pub(crate) steps: Box<[Step]>,
}

pub(crate) struct Step {
    pub(crate) kind: StepKind,
    pub(crate) is_optional: bool,
    pub(crate) at: u32,
}

pub(crate) enum StepKind {
    Field(Box<str>),
    Index(Node),
}

pub(crate) struct PatternCall {
    pub(crate) function: PatternFunction,
    pub(crate) pattern: Pattern,
    pub(crate) text: Node,
    /// How many to find at most.
    pub(crate) limit: Option<Node>,
}

#[derive(Clone, Copy)]
pub(crate) enum PatternFunction {
    Matches,
    Find,
    FindAll,
}

pub(crate) struct Comprehension {
    pub(crate) collect: Collect,
    pub(crate) range: Node,
    /// The slot of the element or key; with two variables, of the index or key.
    pub(crate) first: usize,
    /// With two variables, the slot of the element or value.
    pub(crate) second: Option<usize>,
    /// Elements for which it does not hold are left out.
    pub(crate) filter: Option<Node>,
    pub(crate) body: Node,
}

/// What becomes of the bodies' values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collect {
    All,
    Exists,
    ExistsOne,
    /// The elements for which the body holds.
    Filter,
    List,
    /// A map of the same keys.
    Map,
    /// A map of the entries that the bodies are.
    Entries,
    /// The elements, sorted by the bodies' values.
    Sorted,
}

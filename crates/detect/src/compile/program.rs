//! What rules are compiled to.

use regex::Regex;

use super::constant::Constant;
use super::matcher::Matcher;
use crate::language::{Literal, Operator, Transformer};
use crate::pattern::Glob;
use crate::source::{Field, Kind, Shape};

pub(crate) type SlotId = u32;
pub(crate) type PredicateId = u32;
pub(crate) type NodeId = u32;

/// The rules of one source, ready to run.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) slots: Vec<Slot>,
    pub(crate) predicates: Vec<Predicate>,
    pub(crate) nodes: Vec<Node>,
    /// In the order of definition.
    pub(crate) rules: Vec<RuleRoot>,
    pub(crate) stages: Vec<Stage>,
}

/// What gives values: a field, or something made of other slots.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) terms: Terms,
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    /// As a rule writes it.
    pub(crate) text: String,
    /// Finds what of all constants that the slot is compared with a value has in it.
    pub(crate) matcher: Matcher,
}

/// Where the values of a slot come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Terms {
    Field(Field),
    Call {
        transformer: Transformer,
        arguments: Box<[Argument]>,
        selector: Option<u8>,
    },
}

/// What a transformer is given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Argument {
    Slot(SlotId),
    Literal(Literal),
    List(Box<[Argument]>),
}

/// One comparison, shared by all rules that make it.
#[derive(Debug)]
pub(crate) struct Predicate {
    pub(crate) slot: SlotId,
    pub(crate) operator: Operator,
    pub(crate) test: Test,
    /// What it compares with: for people, and for what of it was met.
    pub(crate) wanted: Vec<Literal>,
}

/// How a comparison is made.
#[derive(Debug)]
pub(crate) enum Test {
    /// The slot has values.
    Exists,
    /// The slot's matcher finds it, in one of these groups.
    Matched(u8),
    /// Every value of a list is one of these, sorted.
    All(Box<[Constant]>),
    /// By order.
    Order(Constant),
    /// One of several values differs.
    Differs(Constant),
    Glob(Glob),
    Regex(Box<Regex>),
    /// With the values of another slot.
    Slot(SlotId),
}

/// A part of a condition. Parts that say the same are one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    True,
    False,
    Predicate(PredicateId),
    Not(NodeId),
    /// What is cheap to know comes first.
    And(Box<[NodeId]>),
    /// What is cheap to know comes first.
    Or(Box<[NodeId]>),
    /// Exactly one of them.
    One(Box<[NodeId]>),
}

/// A rule in a program.
#[derive(Debug)]
pub(crate) struct RuleRoot {
    pub(crate) root: NodeId,
    /// What is left of it to look at when the stages on key fields have let it through.
    pub(crate) rest: NodeId,
    /// Its number among all rules.
    pub(crate) rule: u32,
    /// Its comparisons, in the order of its condition.
    pub(crate) order: Vec<PredicateId>,
}

/// A look at one slot that leaves few rules.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) slot: SlotId,
    /// The groups of the slot's matcher that have to run.
    pub(crate) groups: u8,
    /// The rules that it decides about, one bit each.
    pub(crate) mask: Box<[u64]>,
    /// By predicate: the rules that may match when it holds, one bit each.
    pub(crate) watchers: Watchers,
    /// How many of its rules must be left for it to be worth a look.
    pub(crate) least: u32,
}

/// Sorted by predicate.
pub(crate) type Watchers = Vec<(PredicateId, Watching)>;

/// The rules that wait for a predicate.
#[derive(Debug)]
pub(crate) enum Watching {
    Few(Box<[u32]>),
    Many(Box<[u64]>),
}

impl Program {
    pub(crate) fn slot(&self, id: SlotId) -> Option<&Slot> {
        self.slots.get(usize::try_from(id).ok()?)
    }

    pub(crate) fn predicate(&self, id: PredicateId) -> Option<&Predicate> {
        self.predicates.get(usize::try_from(id).ok()?)
    }

    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(usize::try_from(id).ok()?)
    }
}

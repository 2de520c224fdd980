//! Rules → a program: one graph of shared predicates per source, and an index of which rules an event can match.

mod builder;
mod constant;
mod matcher;
mod program;
mod terms;
mod watch;

pub(crate) use self::builder::{Builder, CompileError, MacroResolver, Resolved};
pub(crate) use self::constant::Constant;
pub(crate) use self::program::{
    Argument, Node, NodeId, PredicateId, Program, RuleRoot, SlotId, Stage, Terms, Test, Watching,
};

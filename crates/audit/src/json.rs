//! JSON read where it lies: most of an audit event is a body that no rule asks for, so nothing is decoded, copied or
//! even looked at before somebody wants it.
//!
//! [`scan`] steps over values without understanding them. [`Tree`] is the index of a value that somebody wants: where
//! each part begins and ends in the text. Strings are unescaped when they are asked for. Nothing here recurses.

mod scan;
mod skip;
mod text;
mod tree;

pub(crate) use scan::{Scanner, Span};
pub(crate) use text::Text;
pub(crate) use tree::{Node, Tree};

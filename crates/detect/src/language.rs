//! Falco's condition language: text → syntax. What names mean is no concern of this module.

mod parser;
mod quoted;
mod syntax;

pub(crate) use self::parser::SyntaxError;
pub(crate) use self::parser::{parse_condition, parse_output_field};
pub(crate) use self::syntax::{Check, Expr, Modifier, Operation, Operator, Right, Term};
pub(crate) use self::syntax::{Literal, Transformer};

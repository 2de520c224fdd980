//! The Common Expression Language: the checks on hosts, clusters and clouds, admission and filters are written in it.
//!
//! It is our own because judging is what the product exists for and users' own checks are not to be trusted: the
//! crate `cel` has no limits on steps, nesting, memory or output. It also wants each JSON document turned into its
//! own values first, which alone costs more than 20,000 objects times 40 expressions may take on one core.
//!
//! An [`Environment`] says which names an expression may use and compiles it to a [`Program`] within [`Limits`].
//! [`Bindings`] give the names their values: JSON is borrowed, not converted. An evaluation takes what it uses from
//! a [`Budget`]: the same expression on the same values always uses the same, so there is no clock in it. Semantics
//! are those of the language definition (`langdef.md` of cel-spec) without protocol buffers and without static
//! types, with the extensions that Kubernetes has.
//!
//! It must not do I/O, know what a check is, or keep anything from one evaluation to the next.

mod bindings;
mod compile;
mod environment;
mod error;
mod evaluate;
mod functions;
mod lexer;
mod limits;
mod node;
mod objects;
mod parser;
mod pattern;
mod program;
mod rewrite;
mod syntax;
mod value;

pub use bindings::Bindings;
pub use environment::{Environment, Function, Style};
pub use error::{CompileError, EvaluationError, Position, Reason};
pub use limits::{Budget, Limits, Resource};
pub use program::Program;
pub use rewrite::{Call, Field, Renamed, RewriteError, Rewriting, quoted, rewrite};
pub use value::{Duration, Key, List, Map, Octets, Text, Timestamp, Type, Value};

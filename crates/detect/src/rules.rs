//! Rule files → rules: lists, macros, exceptions, appending and overriding, as Falco has them.

mod book;
mod diagnostic;
mod exceptions;
mod item;
mod lists;
mod located;
mod overrides;
mod reader;

pub(crate) use self::book::{Book, ListEntry, MacroEntry, RuleEntry, Scope, Switch};
pub use self::diagnostic::{Code, Diagnostic};
pub(crate) use self::exceptions::{Entry, Exception};
pub(crate) use self::item::{Fault, Item};
pub(crate) use self::lists::{Substituted, literal, substitute};
pub(crate) use self::located::{FileId, Located, Spot};
pub(crate) use self::reader::{MOST_BYTES, MOST_EXCEPTIONS, read_document, read_exceptions};

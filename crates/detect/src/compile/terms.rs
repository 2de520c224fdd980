//! What stands left of an operator, and what is transformed: fields resolved, types checked.

use super::builder::{Builder, CompileError};
use super::program::{Argument, SlotId, Terms};
use crate::language::{Term, Transformer};
use crate::source::{Kind, Shape};

/// What a transformer's argument is.
type Typed = (Argument, Kind, Shape);

impl Builder<'_> {
    /// The slot of a field or a transformed one.
    ///
    /// # Errors
    /// When there is no such field, or the transformer does not take what it is given.
    pub(crate) fn term(&mut self, term: &Term) -> Result<SlotId, CompileError> {
        match term {
            Term::Field { name, argument, at } => {
                let field = self.source.field(name, argument.as_deref());
                let field = field.map_err(|error| CompileError::field(*at, &error, self.source))?;
                let (kind, shape) = (field.kind, field.shape);
                Ok(self.add_slot(Terms::Field(field), kind, shape, term.to_string()))
            }
            Term::Call {
                transformer,
                arguments,
                selector,
                at,
            } => self.call(term, *transformer, arguments, selector.as_deref(), *at),
            Term::Literal(_) | Term::List(_) => {
                Err(CompileError::new(0, "a text is no field".to_owned()))
            }
        }
    }

    fn call(
        &mut self,
        whole: &Term,
        transformer: Transformer,
        arguments: &[Term],
        selector: Option<&str>,
        at: usize,
    ) -> Result<SlotId, CompileError> {
        let name = transformer.as_str();
        let fail = |message: String| CompileError::new(at, message);
        let selector = match (transformer, selector.map(str::as_bytes)) {
            (_, None) => None,
            (Transformer::GetOpt, Some([option])) => Some(*option),
            (Transformer::GetOpt, Some(_)) => {
                return Err(fail("getopt() takes one letter in brackets".to_owned()));
            }
            (_, Some(_)) => return Err(fail(format!("{name}() takes nothing in brackets"))),
        };
        let typed = arguments.iter().map(|argument| self.argument(argument, at));
        let typed = typed.collect::<Result<Vec<Typed>, _>>()?;
        let is_text = |kind: Kind| matches!(kind, Kind::Text | Kind::Path);
        let (kind, shape) = match (transformer, typed.as_slice()) {
            (Transformer::Val, [(Argument::Slot(slot), ..)]) => return Ok(*slot),
            (
                Transformer::ToLower | Transformer::ToUpper | Transformer::Basename,
                [(_, kind, shape)],
            ) if is_text(*kind) => (*kind, *shape),
            (Transformer::B64, [(_, kind, shape)]) if is_text(*kind) => (Kind::Text, *shape),
            (Transformer::Len, [(_, _, Shape::List)]) => (Kind::Unsigned, Shape::One),
            (Transformer::Len, [(_, kind, shape)]) if is_text(*kind) => (Kind::Unsigned, *shape),
            (Transformer::Join, [(_, separator, Shape::One), (_, _, Shape::List)])
                if is_text(*separator) =>
            {
                (Kind::Text, Shape::One)
            }
            (Transformer::Concat, [_, _, ..])
                if typed
                    .iter()
                    .all(|(_, kind, shape)| is_text(*kind) && *shape == Shape::One) =>
            {
                (Kind::Text, Shape::One)
            }
            (Transformer::GetOpt, [(_, list, Shape::List), (_, options, Shape::One)])
                if is_text(*list) && is_text(*options) =>
            {
                let is_list = selector.is_none();
                (Kind::Text, if is_list { Shape::List } else { Shape::One })
            }
            _ => return Err(fail(wants(transformer))),
        };
        let terms = Terms::Call {
            transformer,
            arguments: typed.into_iter().map(|(argument, ..)| argument).collect(),
            selector,
        };
        Ok(self.add_slot(terms, kind, shape, whole.to_string()))
    }

    fn argument(&mut self, term: &Term, at: usize) -> Result<Typed, CompileError> {
        match term {
            Term::Field { .. } | Term::Call { .. } => {
                let slot = self.term(term)?;
                let (kind, shape) = self.kind(slot);
                Ok((Argument::Slot(slot), kind, shape))
            }
            Term::Literal(literal) => {
                Ok((Argument::Literal(literal.clone()), Kind::Text, Shape::One))
            }
            Term::List(items) => {
                let items = items.iter().map(|item| self.argument(item, at));
                let items = items.collect::<Result<Vec<_>, _>>()?;
                if items.iter().any(|(_, _, shape)| *shape != Shape::One) {
                    return Err(CompileError::new(at, "a list holds no lists".to_owned()));
                }
                let items = items.into_iter().map(|(argument, ..)| argument);
                Ok((Argument::List(items.collect()), Kind::Text, Shape::List))
            }
        }
    }
}

fn wants(transformer: Transformer) -> String {
    match transformer {
        Transformer::Val => "val() takes a field".to_owned(),
        Transformer::ToLower | Transformer::ToUpper | Transformer::Basename | Transformer::B64 => {
            format!("{}() takes one text", transformer.as_str())
        }
        Transformer::Len => "len() takes a text or a list".to_owned(),
        Transformer::Join => "join() requires exactly 2 arguments: separator and list".to_owned(),
        Transformer::Concat => "concat() requires at least 2 arguments, which are texts".to_owned(),
        Transformer::GetOpt => {
            "getopt() requires exactly 2 arguments: args list and optstring".to_owned()
        }
    }
}

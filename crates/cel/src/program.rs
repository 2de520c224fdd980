//! A compiled expression.

use std::sync::Arc;

use crate::bindings::Bindings;
use crate::error::{EvaluationError, Fault, Reason};
use crate::evaluate::Evaluation;
use crate::limits::Budget;
use crate::node::Node;
use crate::value::Value;

/// A compiled expression. Copies share it.
#[derive(Clone)]
pub struct Program {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) text: Box<str>,
    pub(crate) root: Node,
    /// The environment's variables, by slot.
    pub(crate) names: Arc<Vec<Box<str>>>,
    /// The slots that the program uses, in order.
    pub(crate) used: Box<[usize]>,
    /// How many slots its macros need.
    pub(crate) locals: usize,
}

impl Program {
    pub(crate) fn new(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The text that it was compiled from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// The variables of the environment that it uses, in the environment's order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let used = self.inner.used.iter();
        used.filter_map(|slot| self.inner.names.get(*slot).map(|name| &**name))
    }

    /// The value of the expression.
    ///
    /// # Errors
    /// When there is none for these values, or when the budget ends before.
    pub fn evaluate<'a>(
        &'a self,
        bindings: &Bindings<'a>,
        budget: &mut Budget,
    ) -> Result<Value<'a>, EvaluationError> {
        self.run(bindings, budget, 0).map_err(|fault| *fault)
    }

    /// Evaluates so many levels below the first.
    pub(crate) fn run<'a>(
        &'a self,
        bindings: &Bindings<'a>,
        budget: &mut Budget,
        depth: usize,
    ) -> Result<Value<'a>, Fault> {
        let inner = &*self.inner;
        let value = match bindings.fits(&inner.names, &inner.used) {
            Ok(()) => {
                let mut evaluation = Evaluation::new(bindings, budget, inner.locals, depth);
                evaluation.evaluate(&inner.root)
            }
            Err(name) => Err(Reason::Unbound(name.into()).at(inner.root.at)),
        };
        value.map_err(|mut fault| {
            fault.position = fault.position.resolved(&inner.text);
            fault
        })
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Program").field(&self.inner.text).finish()
    }
}

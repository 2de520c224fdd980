//! Calls of functions.

use super::{Evaluated, Evaluation, shallow};
use crate::environment::Function;
use crate::error::Fault;
use crate::functions::{self, Builtin, Call};
use crate::node::{Node, PatternCall, PatternFunction};
use crate::value::Value;

impl<'a> Evaluation<'_, 'a> {
    /// Evaluates the arguments, on the stack where they are few.
    fn arguments<T>(
        &mut self,
        nodes: &'a [Node],
        call: impl FnOnce(&mut Self, &[Value<'a>]) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match nodes {
            [] => call(self, &[]),
            [one] => {
                let arguments = [self.evaluate(one)?];
                call(self, &arguments)
            }
            [one, two] => {
                let arguments = [self.evaluate(one)?, self.evaluate(two)?];
                call(self, &arguments)
            }
            more => {
                let arguments = more.iter().map(|node| self.evaluate(node));
                let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
                call(self, &arguments)
            }
        }
    }

    pub(super) fn builtin(
        &mut self,
        builtin: &'static Builtin,
        nodes: &'a [Node],
        at: u32,
    ) -> Evaluated<'a> {
        let value = self.arguments(nodes, |evaluation, arguments| {
            let mut call = Call {
                name: builtin.name,
                arguments,
                budget: evaluation.budget,
                patterns: &mut evaluation.patterns,
            };
            (builtin.body)(&mut call).map_err(|reason| reason.at(at))
        })?;
        shallow(value, at)
    }

    pub(super) fn custom(
        &mut self,
        function: &'a Function,
        nodes: &'a [Node],
        at: u32,
    ) -> Evaluated<'a> {
        let value = self.arguments(nodes, |evaluation, arguments| {
            (function.body)(arguments, evaluation.budget).map_err(|reason| reason.at(at))
        })?;
        shallow(value, at)
    }

    pub(super) fn pattern(&mut self, call: &'a PatternCall, at: u32) -> Evaluated<'a> {
        let text = self.evaluate(&call.text)?;
        let limit = match &call.limit {
            Some(limit) => Some(self.evaluate(limit)?),
            None => None,
        };
        let (pattern, budget) = (&call.pattern, &mut *self.budget);
        let value = match call.function {
            PatternFunction::Matches => functions::regex::matches(&text, pattern, budget),
            PatternFunction::Find => functions::regex::find(&text, pattern, budget),
            PatternFunction::FindAll => {
                functions::regex::find_all(&text, pattern, limit.as_ref(), budget)
            }
        };
        value.map_err(|reason| reason.at(at))
    }
}

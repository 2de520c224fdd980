//! What expressions may use: variables, constants, and functions beyond the standard ones.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::compile::compile;
use crate::error::{CompileError, Reason};
use crate::limits::{Budget, Limits};
use crate::program::Program;
use crate::value::Value;

/// The names that an expression may use. The standard functions and the extensions are always there.
#[derive(Clone, Default)]
pub struct Environment {
    pub(crate) variables: Arc<Vec<Box<str>>>,
    pub(crate) constants: Vec<(Box<str>, Value<'static>)>,
    pub(crate) functions: Vec<Arc<Function>>,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `f(a, b)`; its name may have dots: `path.within(a, b)`.
    Global,
    /// `a.f(b)`.
    Member,
}

type Body = dyn for<'a> Fn(&[Value<'a>], &mut Budget) -> Result<Value<'a>, Reason> + Send + Sync;

/// A function of the application.
pub struct Function {
    pub(crate) name: Box<str>,
    pub(crate) style: Style,
    pub(crate) arguments: RangeInclusive<usize>,
    pub(crate) body: Box<Body>,
}

impl Function {
    /// A function of so many arguments, the one before the dot included.
    ///
    /// It takes from the budget what it costs beyond a constant, and says [`Reason::NoSuchOverload`] of types that
    /// it does not take.
    pub fn new<F>(
        name: impl Into<Box<str>>,
        style: Style,
        arguments: RangeInclusive<usize>,
        body: F,
    ) -> Self
    where
        F: for<'a> Fn(&[Value<'a>], &mut Budget) -> Result<Value<'a>, Reason>
            + Send
            + Sync
            + 'static,
    {
        Self {
            name: name.into(),
            style,
            arguments,
            body: Box::new(body),
        }
    }
}

impl Environment {
    /// An environment without variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a variable. Its name may have dots: of `variables.a.b`, the longest name that is known is the variable.
    #[must_use]
    pub fn variable(mut self, name: &str) -> Self {
        if !self.variables.iter().any(|each| **each == *name) {
            Arc::make_mut(&mut self.variables).push(name.into());
        }
        self
    }

    /// With a name that always means the same value.
    #[must_use]
    pub fn constant(mut self, name: &str, value: Value<'static>) -> Self {
        self.constants.push((name.into(), value));
        self
    }

    /// With a function; it hides a standard one of the same name and style.
    #[must_use]
    pub fn function(mut self, function: Function) -> Self {
        self.functions.push(Arc::new(function));
        self
    }

    /// Makes a program of a text.
    ///
    /// # Errors
    /// When the text is no expression, is larger than the limits allow, or uses names that are not known.
    pub fn compile(&self, text: &str, limits: &Limits) -> Result<Program, CompileError> {
        compile(self, text, limits)
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables)
            .finish_non_exhaustive()
    }
}

//! The values of an environment's variables.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use crate::environment::Environment;
use crate::error::{Fault, Reason};
use crate::limits::Budget;
use crate::program::Program;
use crate::value::Value;

/// The values of an environment's variables. Cheap to make for each object.
#[derive(Clone)]
pub struct Bindings<'a> {
    names: Arc<Vec<Box<str>>>,
    slots: Vec<Slot<'a>>,
}

#[derive(Clone)]
enum Slot<'a> {
    Empty,
    Value(Value<'a>),
    Lazy(Lazy<'a>),
}

/// A variable that is an expression over the others.
#[derive(Clone)]
struct Lazy<'a> {
    program: &'a Program,
    /// Whether it is being evaluated: then it depends on itself.
    is_running: Cell<bool>,
    result: OnceCell<Result<Value<'a>, Fault>>,
}

impl<'a> Bindings<'a> {
    /// No values yet for the variables of an environment, or of one that it was extended from.
    #[must_use]
    pub fn new(environment: &Environment) -> Self {
        let slots = environment.variables.iter().map(|_| Slot::Empty);
        Self {
            slots: slots.collect(),
            names: Arc::clone(&environment.variables),
        }
    }

    /// Gives a variable its value. A name that the environment does not know is not seen by any program; that is
    /// said by the result.
    pub fn set(&mut self, name: &str, value: impl Into<Value<'a>>) -> bool {
        self.put(name, Slot::Value(value.into()))
    }

    /// Gives a variable the value of an expression over these bindings. It is evaluated when it is first used, once,
    /// for the account of who uses it; its error is the error of what uses it, each time.
    pub fn set_lazily(&mut self, name: &str, program: &'a Program) -> bool {
        self.put(
            name,
            Slot::Lazy(Lazy {
                program,
                is_running: Cell::new(false),
                result: OnceCell::new(),
            }),
        )
    }

    /// The same with a value; for chains.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value<'a>>) -> Self {
        self.set(name, value);
        self
    }

    fn put(&mut self, name: &str, slot: Slot<'a>) -> bool {
        let found = self.names.iter().position(|each| **each == *name);
        match found.and_then(|at| self.slots.get_mut(at)) {
            Some(place) => {
                *place = slot;
                true
            }
            None => false,
        }
    }

    /// Whether the slots mean the same variables as a program's; else the name of one that does not.
    pub(crate) fn fits<'n>(
        &self,
        names: &'n Arc<Vec<Box<str>>>,
        used: &[usize],
    ) -> Result<(), &'n str> {
        if Arc::ptr_eq(&self.names, names) {
            return Ok(());
        }
        for slot in used {
            let name = names.get(*slot);
            if self.names.get(*slot) != name {
                return Err(name.map_or("", |name| name));
            }
        }
        Ok(())
    }

    /// The value of the variable in a slot.
    pub(crate) fn value(
        &self,
        slot: usize,
        at: u32,
        budget: &mut Budget,
        depth: usize,
    ) -> Result<Value<'a>, Fault> {
        let lazy = match self.slots.get(slot) {
            Some(Slot::Value(value)) => return Ok(value.clone()),
            Some(Slot::Lazy(lazy)) => lazy,
            Some(Slot::Empty) | None => {
                return Err(Reason::Unbound(self.name(slot)).at(at));
            }
        };
        if let Some(result) = lazy.result.get() {
            return result.clone();
        }
        if lazy.is_running.get() {
            return Err(Reason::Cycle(self.name(slot)).at(at));
        }
        lazy.is_running.set(true);
        let result = lazy.program.run(self, budget, depth);
        lazy.is_running.set(false);
        if let Err(fault) = &result
            && (fault.is_final() || matches!(fault.reason, Reason::Cycle(_)))
        {
            // With another budget, or asked for from elsewhere, it may have a value.
            return result;
        }
        lazy.result.get_or_init(|| result).clone()
    }

    fn name(&self, slot: usize) -> Box<str> {
        self.names.get(slot).cloned().unwrap_or_default()
    }
}

impl std::fmt::Debug for Bindings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bindings")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

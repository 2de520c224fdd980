//! The tree, evaluated (langdef.md, "Evaluation"). Every node takes a step from the budget.

mod arithmetic;
pub(crate) mod comprehension;
mod path;

use crate::bindings::Bindings;
use crate::environment::Function;
use crate::error::{Fault, Reason};
use crate::functions::{self, Builtin, Call};
use crate::lexer::Symbol;
use crate::limits::{Budget, DEPTH, Resource};
use crate::node::{Element, Entry, Kind, Node, Operation, PatternCall, PatternFunction};
use crate::pattern::Patterns;
use crate::value::{Entries, Key, List, Map, Value, compare, equals};

/// How deep evaluation may go, through variables that are expressions too.
pub(crate) const LEVELS: usize = 320;

/// What a value takes where it lies, for the account of memory.
pub(crate) const VALUE_BYTES: usize = size_of::<Value<'static>>();

pub(crate) struct Evaluation<'e, 'a> {
    bindings: &'e Bindings<'a>,
    budget: &'e mut Budget,
    /// The variables of macros, by slot.
    locals: Vec<Value<'a>>,
    /// Patterns that were compiled on the way.
    patterns: Patterns,
    /// Levels of evaluation around this node.
    depth: usize,
}

type Evaluated<'a> = Result<Value<'a>, Fault>;

impl<'e, 'a> Evaluation<'e, 'a> {
    pub(crate) fn new(
        bindings: &'e Bindings<'a>,
        budget: &'e mut Budget,
        locals: usize,
        depth: usize,
    ) -> Self {
        Self {
            bindings,
            budget,
            locals: vec![Value::Null; locals],
            patterns: Patterns::default(),
            depth,
        }
    }

    pub(crate) fn evaluate(&mut self, node: &'a Node) -> Evaluated<'a> {
        self.budget
            .take_steps(1)
            .map_err(|reason| reason.at(node.at))?;
        match &node.kind {
            Kind::Constant(value) => Ok(value.borrowed()),
            Kind::Local(slot) => Ok(self.locals.get(*slot).cloned().unwrap_or(Value::Null)),
            Kind::Variable(slot) => self.variable(*slot, node.at),
            Kind::Path(path) => self.path(path).map(path::Reached::value),
            Kind::Has(path) => self.has(path),
            Kind::OrValue(parts) => self.or_value(&parts.0, &parts.1, node.at),
            Kind::Not(operand, times) => self.not(operand, *times, node.at),
            Kind::And(terms) => self.junction(terms, false),
            Kind::Or(terms) => self.junction(terms, true),
            Kind::Chain(first, rest) => self.chain(first, rest),
            Kind::InTexts(needle, texts) => self.in_texts(needle, texts, node.at),
            Kind::Conditional(branches, otherwise) => self.conditional(branches, otherwise),
            Kind::Comprehension(comprehension) => self.comprehension(comprehension, node.at),
            Kind::Builtin(builtin, arguments) => self.builtin(builtin, arguments, node.at),
            Kind::Pattern(call) => self.pattern(call, node.at),
            Kind::List(elements) => self.list(elements, node.at),
            Kind::Map(entries) => self.map(entries, node.at),
            Kind::Negate(operand, times) => self.negate(operand, *times, node.at),
            Kind::Custom(function, arguments) => self.custom(function, arguments, node.at),
            Kind::OrOptional(parts) => self.or_optional(&parts.0, &parts.1, node.at),
            Kind::Bind { slot, parts } => {
                let value = self.evaluate(&parts.0)?;
                self.set_local(*slot, value);
                self.evaluate(&parts.1)
            }
            Kind::OptionalMap {
                slot,
                parts,
                is_flat,
            } => self.optional_map(*slot, &parts.0, &parts.1, *is_flat, node.at),
        }
    }

    fn set_local(&mut self, slot: usize, value: Value<'a>) {
        if let Some(place) = self.locals.get_mut(slot) {
            *place = value;
        }
    }

    fn steps(&mut self, steps: usize, at: u32) -> Result<(), Fault> {
        self.budget
            .take_steps(steps)
            .map_err(|reason| reason.at(at))
    }

    fn bytes(&mut self, bytes: usize, at: u32) -> Result<(), Fault> {
        self.budget
            .take_bytes(bytes)
            .map_err(|reason| reason.at(at))
    }

    fn variable(&mut self, slot: usize, at: u32) -> Evaluated<'a> {
        // What is around a variable's expression is at most as high as the tree.
        let depth = self.depth;
        self.bindings.value(slot, at, self.budget, depth)
    }

    fn not(&mut self, operand: &'a Node, times: usize, at: u32) -> Evaluated<'a> {
        match self.evaluate(operand)? {
            Value::Bool(value) => Ok(Value::Bool(value ^ (times % 2 == 1))),
            other => Err(functions::mismatch("!_", &[other]).at(at)),
        }
    }

    fn negate(&mut self, operand: &'a Node, times: usize, at: u32) -> Evaluated<'a> {
        let value = self.evaluate(operand)?;
        let negated = arithmetic::negate(&value).map_err(|reason| reason.at(at))?;
        Ok(if times % 2 == 1 { negated } else { value })
    }

    /// `&&`, decided by false, or `||`, decided by true. A term that decides hides the errors of all others.
    fn junction(&mut self, terms: &'a [Node], decider: bool) -> Evaluated<'a> {
        let mut failed = None;
        for term in terms {
            match self.evaluate(term) {
                Ok(Value::Bool(value)) if value == decider => return Ok(Value::Bool(decider)),
                Ok(Value::Bool(_)) => {}
                Ok(other) => {
                    let name = if decider { "_||_" } else { "_&&_" };
                    failed.get_or_insert_with(|| functions::mismatch(name, &[other]).at(term.at));
                }
                Err(fault) if fault.is_final() => return Err(fault),
                Err(fault) => {
                    failed.get_or_insert(fault);
                }
            }
        }
        failed.map_or(Ok(Value::Bool(!decider)), Err)
    }

    fn conditional(&mut self, branches: &'a [(Node, Node)], otherwise: &'a Node) -> Evaluated<'a> {
        for (condition, result) in branches {
            match self.evaluate(condition)? {
                Value::Bool(true) => return self.evaluate(result),
                Value::Bool(false) => {}
                other => return Err(functions::mismatch("_?_:_", &[other]).at(condition.at)),
            }
        }
        self.evaluate(otherwise)
    }

    fn chain(&mut self, first: &'a Node, rest: &'a [Operation]) -> Evaluated<'a> {
        let mut left = self.evaluate(first)?;
        for operation in rest {
            let right = self.evaluate(&operation.operand)?;
            left = self
                .operate(operation.symbol, &left, &right)
                .map_err(|reason| reason.at(operation.at))?;
        }
        Ok(left)
    }

    fn operate(
        &mut self,
        symbol: Symbol,
        left: &Value<'a>,
        right: &Value<'a>,
    ) -> Result<Value<'a>, Reason> {
        let order = match symbol {
            Symbol::Equal => return Ok(Value::Bool(equals(left, right, self.budget)?)),
            Symbol::NotEqual => return Ok(Value::Bool(!equals(left, right, self.budget)?)),
            Symbol::In => return self.contained(left, right).map(Value::Bool),
            Symbol::Less | Symbol::LessEqual | Symbol::Greater | Symbol::GreaterEqual => {
                compare(left, right, self.budget)?
            }
            _ => return arithmetic::operate(symbol, left, right, self.budget),
        };
        let Some(order) = order else {
            let name = format!("_{}_", symbol.text());
            return Err(functions::mismatch(&name, &[left.clone(), right.clone()]));
        };
        // NaN is in no order with anything.
        Ok(Value::Bool(order.is_some_and(|order| match symbol {
            Symbol::Less => order.is_lt(),
            Symbol::LessEqual => order.is_le(),
            Symbol::Greater => order.is_gt(),
            _ => order.is_ge(),
        })))
    }

    /// `_ in _`
    fn contained(&mut self, needle: &Value<'a>, container: &Value<'a>) -> Result<bool, Reason> {
        match container {
            Value::List(list) => {
                for each in list.iter() {
                    self.budget.take_steps(1)?;
                    if equals(needle, &each, self.budget)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Value::Map(map) => Ok(Key::asked(needle).is_some_and(|key| map.find(&key).is_some())),
            other => Err(functions::mismatch(
                "_in_",
                &[needle.clone(), other.clone()],
            )),
        }
    }

    fn in_texts(&mut self, needle: &'a Node, texts: &[Box<str>], at: u32) -> Evaluated<'a> {
        let needle = self.evaluate(needle)?;
        self.steps(1, at)?;
        Ok(Value::Bool(match needle {
            Value::String(text) => {
                self.steps(text.len() / 64, at)?;
                texts.binary_search_by(|each| (**each).cmp(&text)).is_ok()
            }
            _ => false,
        }))
    }

    fn list(&mut self, elements: &'a [Element], at: u32) -> Evaluated<'a> {
        self.bytes(elements.len().saturating_mul(VALUE_BYTES), at)?;
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            let value = self.evaluate(&element.value)?;
            match (element.is_optional, value) {
                (false, value) => values.push(value),
                (true, Value::Optional(value)) => values.extend(value.as_deref().cloned()),
                (true, other) => {
                    return Err(functions::mismatch("[?_]", &[other]).at(element.value.at));
                }
            }
        }
        shallow(Value::List(List::made(values)), at)
    }

    fn map(&mut self, entries: &'a [Entry], at: u32) -> Evaluated<'a> {
        self.bytes(entries.len().saturating_mul(2 * VALUE_BYTES), at)?;
        let mut pairs = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = self.evaluate(&entry.key)?;
            let value = self.evaluate(&entry.value)?;
            let Some(key) = Key::literal(&key) else {
                return Err(functions::mismatch("{_:_}", &[key]).at(entry.key.at));
            };
            match (entry.is_optional, value) {
                (false, value) => pairs.push((key, value)),
                (true, Value::Optional(value)) => {
                    pairs.extend(value.as_deref().cloned().map(|value| (key, value)));
                }
                (true, other) => {
                    return Err(functions::mismatch("{?_:_}", &[other]).at(entry.value.at));
                }
            }
        }
        entries_of(pairs)
            .map_err(|reason| reason.at(at))
            .and_then(|map| shallow(map, at))
    }

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

    fn builtin(&mut self, builtin: &'static Builtin, nodes: &'a [Node], at: u32) -> Evaluated<'a> {
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

    fn custom(&mut self, function: &'a Function, nodes: &'a [Node], at: u32) -> Evaluated<'a> {
        let value = self.arguments(nodes, |evaluation, arguments| {
            (function.body)(arguments, evaluation.budget).map_err(|reason| reason.at(at))
        })?;
        shallow(value, at)
    }

    fn pattern(&mut self, call: &'a PatternCall, at: u32) -> Evaluated<'a> {
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

/// The value, unless its parts lie so deep in it that whatever goes through it would go too deep.
fn shallow<'a>(value: Value<'a>, at: u32) -> Evaluated<'a> {
    match value.depth() > DEPTH {
        true => Err(Reason::BudgetExceeded(Resource::Depth).at(at)),
        false => Ok(value),
    }
}

/// A map of entries, of which no two may have the same key.
fn entries_of<'a>(pairs: Vec<(Key<'a>, Value<'a>)>) -> Result<Value<'a>, Reason> {
    let count = pairs.len();
    let keys: Vec<Key<'a>> = match count {
        0..=1 => Vec::new(),
        _ => pairs.iter().map(|(key, _)| key.clone()).collect(),
    };
    let made = Entries::new(pairs);
    if made.entries.len() < count {
        let mut sorted: Vec<&Key<'a>> = keys.iter().collect();
        sorted.sort_by(|left, right| left.order(right));
        let twice = sorted.windows(2).find_map(|pair| match pair {
            [left, right] if left.order(right).is_eq() => Some(left.to_string()),
            _ => None,
        });
        return Err(Reason::DuplicateKey(twice.unwrap_or_default().into()));
    }
    Ok(Value::Map(Map::Shared(made.into())))
}

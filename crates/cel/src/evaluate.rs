//! The tree, evaluated (langdef.md, "Evaluation"). Every node takes a step from the budget.

mod arithmetic;
mod calls;
pub(crate) mod comprehension;
mod literals;
mod path;

use crate::bindings::Bindings;
use crate::error::{Fault, Reason};
use crate::functions;
use crate::lexer::Symbol;
use crate::limits::{Budget, DEPTH, Resource};
use crate::node::{Kind, Node, Operation};
use crate::pattern::Patterns;
use crate::value::{Key, Value, compare, equals};

/// How deep evaluation may go, through variables that are expressions too: what a thread's stack of 2 MiB holds,
/// with room to spare in builds that are not optimised.
const LEVELS: usize = 192;

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
        self.steps(1, node.at)?;
        if self.depth >= LEVELS {
            return Err(Reason::BudgetExceeded(Resource::Depth).at(node.at));
        }
        self.depth += 1;
        let value = self.kind(node);
        self.depth -= 1;
        value
    }

    /// Kept to one call each: this is what lies on the stack as often as nodes lie in each other.
    fn kind(&mut self, node: &'a Node) -> Evaluated<'a> {
        let at = node.at;
        match &node.kind {
            Kind::Constant(value) => Ok(value.borrowed()),
            Kind::Local(slot) => Ok(self.locals.get(*slot).cloned().unwrap_or(Value::Null)),
            Kind::Variable(slot) => self.bindings.value(*slot, at, self.budget, self.depth),
            Kind::Path(path) => self.path_value(path),
            Kind::Has(path) => self.has(path),
            Kind::OrValue(parts) => self.or_value(&parts.0, &parts.1, at),
            Kind::OrOptional(parts) => self.or_optional(&parts.0, &parts.1, at),
            Kind::Not(operand, times) => self.not(operand, *times, at),
            Kind::Negate(operand, times) => self.negate(operand, *times, at),
            Kind::And(terms) => self.junction(terms, false),
            Kind::Or(terms) => self.junction(terms, true),
            Kind::Chain(first, rest) => self.chain(first, rest),
            Kind::InTexts(needle, texts) => self.in_texts(needle, texts, at),
            Kind::Conditional(branches, otherwise) => self.conditional(branches, otherwise),
            Kind::Comprehension(comprehension) => self.comprehension(comprehension, at),
            Kind::Builtin(builtin, arguments) => self.builtin(builtin, arguments, at),
            Kind::Custom(function, arguments) => self.custom(function, arguments, at),
            Kind::Pattern(call) => self.pattern(call, at),
            Kind::List(elements) => self.list(elements, at),
            Kind::Map(entries) => self.map(entries, at),
            Kind::Bind { slot, parts } => self.bind(*slot, &parts.0, &parts.1),
            Kind::OptionalMap {
                slot,
                parts,
                is_flat,
            } => self.optional_map(*slot, parts, *is_flat, at),
        }
    }

    fn bind(&mut self, slot: usize, value: &'a Node, body: &'a Node) -> Evaluated<'a> {
        let value = self.evaluate(value)?;
        self.set_local(slot, value);
        self.evaluate(body)
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
            Value::Map(map) => match Key::asked(needle) {
                Some(key) => {
                    self.budget.take_text(key.text_bytes())?;
                    Ok(map.find(&key).is_some())
                }
                None => Ok(false),
            },
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
}

/// The value, unless its parts lie so deep in it that whatever goes through it would go too deep.
fn shallow<'a>(value: Value<'a>, at: u32) -> Evaluated<'a> {
    match value.depth() > DEPTH {
        true => Err(Reason::BudgetExceeded(Resource::Depth).at(at)),
        false => Ok(value),
    }
}

//! One event seen by all rules of its source.
//!
//! What is known of the event is kept under a number that counts events, so that nothing is cleared between two.
//! Each value is extracted, each constant looked for and each part of a condition evaluated at most once.

use std::borrow::Cow;

use super::{compare, transform};
use crate::compile::{
    Argument, Node, NodeId, PredicateId, Program, SlotId, Stage, Terms, Test, Watching,
};
use crate::language::{Operator, Transformer};
use crate::source::{Event, Presence, Shape, Value, Values};

/// Memory that one event after the other uses.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    event: u32,
    values: Vec<Value<'static>>,
    slots: Vec<SlotState>,
    predicates: Vec<u32>,
    nodes: Vec<u32>,
    candidates: Vec<u64>,
    allowed: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct SlotState {
    event: u32,
    is_present: bool,
    /// The groups of the matcher that ran.
    ran: u8,
    start: u32,
    end: u32,
}

/// The rules of one source and one event.
pub(crate) struct Run<'r, 'e, E: ?Sized> {
    program: &'r Program,
    event: &'e E,
    scratch: &'r mut Scratch,
    values: Values<'e>,
}

impl Scratch {
    /// Makes room for a program, and begins with the next event.
    fn begin(&mut self, program: &Program) {
        let is_full = self.event >= u32::MAX / 2 - 1;
        let is_other = self.slots.len() != program.slots.len()
            || self.predicates.len() != program.predicates.len()
            || self.nodes.len() != program.nodes.len();
        if is_full || is_other {
            *self = Self {
                event: 0,
                values: std::mem::take(&mut self.values),
                slots: vec![SlotState::default(); program.slots.len()],
                predicates: vec![0; program.predicates.len()],
                nodes: vec![0; program.nodes.len()],
                candidates: Vec::new(),
                allowed: Vec::new(),
            };
        }
        self.event = self.event.saturating_add(1);
    }

    fn is_true(&self) -> u32 {
        self.event << 1 | 1
    }

    fn is_false(&self) -> u32 {
        self.event << 1
    }
}

impl<'r, 'e, E: Event + ?Sized> Run<'r, 'e, E> {
    pub(crate) fn new(program: &'r Program, event: &'e E, scratch: &'r mut Scratch) -> Self {
        scratch.begin(program);
        let values = Values::reuse(std::mem::take(&mut scratch.values));
        Self {
            program,
            event,
            scratch,
            values,
        }
    }

    /// Gives the memory back.
    pub(crate) fn finish(self) {
        self.scratch.values = self.values.recycle();
    }

    /// Puts the places of all rules that match into `matched`, in the order of their definition.
    pub(crate) fn matching(&mut self, matched: &mut Vec<u32>) {
        if !self.candidates() {
            return;
        }
        let program = self.program;
        for word in 0..self.scratch.candidates.len() {
            let mut bits = self
                .scratch
                .candidates
                .get(word)
                .copied()
                .unwrap_or_default();
            while bits != 0 {
                let bit = usize::try_from(bits.trailing_zeros()).unwrap_or_default();
                bits &= bits - 1;
                let place = word * 64 + bit;
                let Some(rule) = program.rules.get(place) else {
                    break;
                };
                if self.holds(rule.rest) {
                    matched.extend(u32::try_from(place));
                }
            }
        }
    }

    /// Leaves the rules that can match at all; says whether there are any.
    fn candidates(&mut self) -> bool {
        let count = self.program.rules.len();
        let words = count.div_ceil(64);
        self.scratch.candidates.clear();
        self.scratch.candidates.resize(words, u64::MAX);
        if !count.is_multiple_of(64)
            && let Some(last) = self.scratch.candidates.last_mut()
        {
            *last = (1 << (count % 64)) - 1;
        }
        let program = self.program;
        for stage in &program.stages {
            let candidates = self.scratch.candidates.iter().zip(&stage.mask);
            let mut left = candidates.map(|(rules, mask)| rules & mask);
            let is_worth_it = match stage.least {
                0 | 1 => left.any(|rules| rules != 0),
                least => left.map(u64::count_ones).sum::<u32>() >= least,
            };
            if !is_worth_it {
                continue;
            }
            self.look(stage, words);
            let mut any = 0;
            let scratch = &mut *self.scratch;
            for ((rules, mask), allowed) in scratch
                .candidates
                .iter_mut()
                .zip(&stage.mask)
                .zip(&scratch.allowed)
            {
                *rules &= !mask | allowed;
                any |= *rules;
            }
            if any == 0 {
                return false;
            }
        }
        count > 0
    }

    /// Finds the rules that wait for what holds of a stage's field.
    fn look(&mut self, stage: &Stage, words: usize) {
        self.scratch.allowed.clear();
        self.scratch.allowed.resize(words, 0);
        let Some((start, end)) = self.extract(stage.slot) else {
            return;
        };
        let Some(slot) = self.program.slot(stage.slot) else {
            return;
        };
        let yes = self.scratch.is_true();
        let scratch = &mut *self.scratch;
        let (predicates, allowed) = (&mut scratch.predicates, &mut scratch.allowed);
        let mut hit = |number: PredicateId| {
            if let Some(known) = index(predicates, number) {
                *known = yes;
            }
            let Ok(at) = stage
                .watchers
                .binary_search_by_key(&number, |(number, _)| *number)
            else {
                return;
            };
            match stage.watchers.get(at).map(|(_, watching)| watching) {
                Some(Watching::Few(rules)) => {
                    for rule in rules {
                        if let Some(word) = index(allowed, rule / 64) {
                            *word |= 1 << (rule % 64);
                        }
                    }
                }
                Some(Watching::Many(rules)) => {
                    for (word, rules) in allowed.iter_mut().zip(rules) {
                        *word |= rules;
                    }
                }
                None => {}
            }
        };
        for value in self.values.range(start, end) {
            slot.matcher.find(value, stage.groups, &mut hit);
        }
        if let Some(state) = index(&mut self.scratch.slots, stage.slot) {
            state.ran |= stage.groups;
        }
    }

    pub(super) fn holds(&mut self, node: NodeId) -> bool {
        let program = self.program;
        match program.node(node) {
            None | Some(Node::False) => false,
            Some(Node::True) => true,
            Some(Node::Predicate(predicate)) => self.is_met(*predicate),
            Some(Node::Not(inner)) => !self.holds(*inner),
            Some(Node::And(parts)) => {
                self.remembered(node, |run| parts.iter().all(|part| run.holds(*part)))
            }
            Some(Node::Or(parts)) => {
                self.remembered(node, |run| parts.iter().any(|part| run.holds(*part)))
            }
            Some(Node::One(parts)) => self.remembered(node, |run| {
                let mut met = parts.iter().filter(|part| run.holds(**part));
                met.next().is_some() && met.next().is_none()
            }),
        }
    }

    fn remembered(&mut self, node: NodeId, evaluate: impl FnOnce(&mut Self) -> bool) -> bool {
        let (yes, no) = (self.scratch.is_true(), self.scratch.is_false());
        match index(&mut self.scratch.nodes, node) {
            Some(known) if *known == yes => return true,
            Some(known) if *known == no => return false,
            Some(_) | None => {}
        }
        let holds = evaluate(self);
        if let Some(known) = index(&mut self.scratch.nodes, node) {
            *known = if holds { yes } else { no };
        }
        holds
    }

    /// Whether a comparison holds.
    pub(crate) fn is_met(&mut self, number: PredicateId) -> bool {
        let (yes, no) = (self.scratch.is_true(), self.scratch.is_false());
        match index(&mut self.scratch.predicates, number) {
            Some(known) if *known == yes => return true,
            Some(known) if *known == no => return false,
            Some(_) | None => {}
        }
        let holds = self.test(number);
        if let Some(known) = index(&mut self.scratch.predicates, number) {
            *known = if holds { yes } else { no };
        }
        holds
    }

    fn test(&mut self, number: PredicateId) -> bool {
        let Some(predicate) = self.program.predicate(number) else {
            return false;
        };
        // A field without value makes any comparison false.
        let Some((start, end)) = self.extract(predicate.slot) else {
            return false;
        };
        if let Test::Slot(right) = predicate.test {
            let Some((right_start, right_end)) = self.extract(right) else {
                return false;
            };
            return self.fields(
                predicate.slot,
                predicate.operator,
                (start, end),
                (right_start, right_end),
            );
        }
        if let Test::Matched(group) = predicate.test {
            return self.find(number, predicate.slot, group, start, end);
        }
        let values = self.values.range(start, end);
        match &predicate.test {
            Test::Exists => true,
            Test::All(constants) => values
                .iter()
                .all(|value| constants.iter().any(|constant| constant.equals(value))),
            Test::Order(constant) => values.iter().any(|value| {
                constant
                    .order(value)
                    .is_some_and(|order| is_ordered(predicate.operator, order))
            }),
            Test::Differs(constant) => values.iter().any(|value| !constant.equals(value)),
            Test::Glob(glob) => values
                .iter()
                .filter_map(Value::as_bytes)
                .any(|text| glob.matches(text)),
            Test::Regex(regex) => values
                .iter()
                .filter_map(Value::as_bytes)
                .any(|text| regex.is_match(&String::from_utf8_lossy(text))),
            Test::Matched(_) | Test::Slot(_) => false,
        }
    }

    fn fields(
        &self,
        slot: SlotId,
        operator: Operator,
        left: (usize, usize),
        right: (usize, usize),
    ) -> bool {
        let left = self.values.range(left.0, left.1);
        let right = self.values.range(right.0, right.1);
        let shape = self.program.slot(slot).map(|slot| slot.shape);
        if shape == Some(Shape::Either) && operator == Operator::NotEqual {
            return !compare::fields(Operator::Equal, left, right);
        }
        compare::fields(operator, left, right)
    }

    /// Looks for all constants of a group at once, if that was not done, and says whether one comparison holds.
    fn find(
        &mut self,
        number: PredicateId,
        slot: SlotId,
        group: u8,
        start: usize,
        end: usize,
    ) -> bool {
        let yes = self.scratch.is_true();
        let Some(state) = index(&mut self.scratch.slots, slot) else {
            return false;
        };
        if state.ran & group == 0 {
            state.ran |= group;
            let Some(slot) = self.program.slot(slot) else {
                return false;
            };
            let predicates = &mut self.scratch.predicates;
            let mut hit = |number: PredicateId| {
                if let Some(known) = index(predicates, number) {
                    *known = yes;
                }
            };
            for value in self.values.range(start, end) {
                slot.matcher.find(value, group, &mut hit);
            }
        }
        index(&mut self.scratch.predicates, number).is_some_and(|known| *known == yes)
    }

    /// How many values a slot has.
    pub(crate) fn shape(&self, slot: SlotId) -> Shape {
        self.program
            .slot(slot)
            .map_or(Shape::One, |slot| slot.shape)
    }

    pub(crate) fn program(&self) -> &'r Program {
        self.program
    }

    pub(crate) fn event(&self) -> &'e E {
        self.event
    }

    /// The values of a slot; nothing when the event has none.
    pub(crate) fn values(&mut self, slot: SlotId) -> Option<&[Value<'e>]> {
        let (start, end) = self.extract(slot)?;
        Some(self.values.range(start, end))
    }

    fn extract(&mut self, slot: SlotId) -> Option<(usize, usize)> {
        let event = self.scratch.event;
        let state = index(&mut self.scratch.slots, slot)?;
        if state.event != event {
            // Whatever is asked for on the way has no value of its own: nothing is made of itself.
            *state = SlotState {
                event,
                ..SlotState::default()
            };
            let found = self.fetch(slot);
            let (start, end) = found.unwrap_or_default();
            *index(&mut self.scratch.slots, slot)? = SlotState {
                event,
                is_present: found.is_some(),
                ran: 0,
                start: u32::try_from(start).ok()?,
                end: u32::try_from(end).ok()?,
            };
        }
        let state = *index(&mut self.scratch.slots, slot)?;
        let range = (
            usize::try_from(state.start).ok()?,
            usize::try_from(state.end).ok()?,
        );
        state.is_present.then_some(range)
    }

    fn fetch(&mut self, slot: SlotId) -> Option<(usize, usize)> {
        let program = self.program;
        match &program.slot(slot)?.terms {
            Terms::Field(field) => {
                let start = self.values.begin();
                match self.event.extract(field, &mut self.values) {
                    Presence::Present => Some((start, self.values.end())),
                    Presence::Absent => {
                        self.values.drop_from(start);
                        None
                    }
                }
            }
            Terms::Call {
                transformer,
                arguments,
                selector,
            } => self.call(*transformer, arguments, *selector),
        }
    }

    fn call(
        &mut self,
        transformer: Transformer,
        arguments: &[Argument],
        selector: Option<u8>,
    ) -> Option<(usize, usize)> {
        let made = match (transformer, arguments) {
            (Transformer::Join, [separator, list]) => {
                let separator = self.texts(separator)?;
                let texts = self.texts(list)?;
                vec![transform::join(separator.first()?, &texts)?]
            }
            (Transformer::Concat, parts) => {
                let mut texts = Vec::with_capacity(parts.len());
                for part in parts {
                    texts.push(self.texts(part)?.into_iter().next()?);
                }
                vec![transform::join(b"", &texts)?]
            }
            (Transformer::GetOpt, [list, options]) => {
                let list = self.texts(list)?;
                let options = self.texts(options)?;
                let found = transform::getopt(&list, options.first()?, selector)?;
                let texts = found.into_iter().map(|text| Value::Text(Cow::Owned(text)));
                texts.collect()
            }
            (Transformer::Len, [argument]) if self.is_list(argument) => {
                let count = self.texts(argument)?.len();
                vec![Value::Unsigned(u64::try_from(count).ok()?)]
            }
            (_, [Argument::Slot(slot)]) => {
                let (start, end) = self.extract(*slot)?;
                let values = self.values.range(start, end).iter();
                values
                    .map(|value| transform::one(transformer, value))
                    .collect::<Option<Vec<_>>>()?
            }
            (_, [argument]) => {
                let texts = self.texts(argument)?.into_iter().map(Value::Text);
                texts
                    .map(|value| transform::one(transformer, &value))
                    .collect::<Option<Vec<_>>>()?
            }
            _ => return None,
        };
        let start = self.values.begin();
        made.into_iter().for_each(|value| self.values.push(value));
        Some((start, self.values.end()))
    }

    fn is_list(&self, argument: &Argument) -> bool {
        match argument {
            Argument::List(_) => true,
            Argument::Literal(_) => false,
            Argument::Slot(slot) => {
                let slot = self.program.slot(*slot);
                slot.is_some_and(|slot| slot.shape == Shape::List)
            }
        }
    }

    /// What a transformer is given, as texts; nothing when a part of it is missing.
    fn texts(&mut self, argument: &Argument) -> Option<Vec<Cow<'e, [u8]>>> {
        match argument {
            Argument::Literal(literal) => Some(vec![Cow::Owned(literal.0.to_vec())]),
            Argument::List(items) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items {
                    texts.push(self.texts(item)?.into_iter().next()?);
                }
                Some(texts)
            }
            Argument::Slot(slot) => {
                let (start, end) = self.extract(*slot)?;
                let values = self.values.range(start, end).iter();
                Some(values.map(as_text).collect())
            }
        }
    }
}

/// A value as a text that others are made of.
fn as_text<'e>(value: &Value<'e>) -> Cow<'e, [u8]> {
    match value {
        Value::Text(text) => text.clone(),
        Value::Unsigned(number) => Cow::Owned(number.to_string().into_bytes()),
        Value::Signed(number) => Cow::Owned(number.to_string().into_bytes()),
        Value::Double(number) => Cow::Owned(number.to_string().into_bytes()),
        Value::Bool(flag) => Cow::Owned(flag.to_string().into_bytes()),
        Value::Address(address) => Cow::Owned(address.to_string().into_bytes()),
    }
}

fn is_ordered(operator: Operator, order: std::cmp::Ordering) -> bool {
    match operator {
        Operator::Less => order.is_lt(),
        Operator::LessEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterEqual => order.is_ge(),
        _ => false,
    }
}

fn index<T>(items: &mut [T], number: u32) -> Option<&mut T> {
    items.get_mut(usize::try_from(number).ok()?)
}

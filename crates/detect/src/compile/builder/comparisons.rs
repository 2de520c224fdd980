//! Comparisons → predicates, arranged so that a value is looked at once for all constants.

use std::collections::BTreeMap;

use regex::{RegexBuilder, RegexSetBuilder};

use super::{Builder, CompileError, MOST_NODES, PredicateKey, SlotDraft, Warning};
use crate::compile::constant::Constant;
use crate::compile::matcher::Groups;
use crate::compile::program::{Node, NodeId, Predicate, PredicateId, SlotId, Terms, Test};
use crate::language::{Check, Literal, Modifier, Operation, Operator, Right, Term};
use crate::pattern::{Glob, Paths, Simple};
use crate::source::{Kind, Shape};

/// Regular expressions of one source at most: each may take some hundred kilobytes.
const MOST_REGEXES: usize = 1_000;
/// Bytes of a regular expression at most.
const MOST_REGEX_BYTES: usize = 4 << 10;
/// Bytes that a regular expression may take when compiled.
const REGEX_SIZE: usize = 256 << 10;
/// Regular expressions that are looked for in one pass.
const SET_SIZE: usize = 32;

impl Builder<'_> {
    pub(super) fn check(&mut self, check: &Check) -> Result<NodeId, CompileError> {
        let slot = self.term(&check.left)?;
        let (kind, shape) = self.kind(slot);
        let fail = |message: String| CompileError::new(check.at, message);
        allowed(check.operation, kind, shape)
            .map_err(|why| fail(format!("{}: {why}", check.left)))?;
        if self.nodes.len() > MOST_NODES {
            return Err(fail(format!("more than {MOST_NODES} parts of conditions")));
        }
        match &check.right {
            Right::None => Ok(self.exists(slot)),
            Right::Term(term) => self.fields(check, slot, term),
            Right::One(literal) => {
                self.suspicious(literal, check.at);
                self.simple(
                    slot,
                    check.operation.operator,
                    std::slice::from_ref(literal),
                )
                .map_err(fail)
            }
            Right::Many(literals) => {
                for literal in literals {
                    self.suspicious(literal, check.at);
                }
                let operator = check.operation.operator;
                match check.operation.modifier {
                    None => self.simple(slot, operator, literals).map_err(fail),
                    Some(modifier) => {
                        let parts = literals
                            .iter()
                            .map(|literal| {
                                self.simple(slot, operator, std::slice::from_ref(literal))
                            })
                            .collect::<Result<Vec<_>, _>>()
                            .map_err(fail)?;
                        Ok(match modifier {
                            _ if parts.is_empty() => self.intern(Node::False, 0),
                            Modifier::Any => self.or(parts),
                            Modifier::All => self.and(parts),
                            Modifier::One => self.one(parts),
                        })
                    }
                }
            }
        }
    }

    /// A comparison of a field with another one.
    pub(super) fn fields(
        &mut self,
        check: &Check,
        left: SlotId,
        term: &Term,
    ) -> Result<NodeId, CompileError> {
        let right = self.term(term)?;
        let ((kind, shape), (right_kind, right_shape)) = (self.kind(left), self.kind(right));
        let fail = |message: String| Err(CompileError::new(check.at, message));
        let is_several = |shape| matches!(shape, Shape::Any | Shape::Either);
        if is_several(right_shape) {
            return fail(format!(
                "{term} has several values, which only the left side may have"
            ));
        }
        if as_compared(kind) != as_compared(right_kind) {
            return fail(format!("{} and {term} are of different types", check.left));
        }
        if (shape == Shape::List) != (right_shape == Shape::List) {
            return fail(format!(
                "one of {} and {term} is a list, and one is not",
                check.left
            ));
        }
        let operator = check.operation.operator;
        let matches_text = [Operator::PMatch, Operator::Regex];
        if matches_text.contains(&operator) {
            return fail(format!("{} cannot compare two fields", operator.as_str()));
        }
        let key = PredicateKey {
            slot: left,
            operator,
            wanted: Vec::new(),
            right: Some(right),
        };
        Ok(self.predicate(key, Test::Slot(right), Vec::new()))
    }

    /// A comparison with constants.
    pub(super) fn simple(
        &mut self,
        slot: SlotId,
        operator: Operator,
        literals: &[Literal],
    ) -> Result<NodeId, String> {
        let (kind, shape) = self.kind(slot);
        let first = || literals.first().cloned().unwrap_or(Literal(Box::default()));
        let constant = || Constant::read(&first(), kind);
        match operator {
            Operator::Exists => Ok(self.exists(slot)),
            Operator::Equal => Ok(self.equal(slot, operator, vec![constant()?], literals)),
            Operator::NotEqual => {
                let constant = constant()?;
                if shape == Shape::Any {
                    let key = self.key(slot, operator, literals);
                    return Ok(self.predicate(key, Test::Differs(constant), literals.to_vec()));
                }
                // Present, and not equal: what equals is known already.
                let equal = self.equal(slot, Operator::Equal, vec![constant], literals);
                let (present, differs) = (self.exists(slot), self.not(equal));
                Ok(self.and(vec![present, differs]))
            }
            Operator::In | Operator::Intersects => {
                let constants = literals.iter().map(|literal| Constant::read(literal, kind));
                let mut constants = constants.collect::<Result<Vec<_>, _>>()?;
                constants.sort();
                constants.dedup();
                if operator == Operator::In && shape == Shape::List {
                    let key = self.key(slot, operator, literals);
                    let test = Test::All(constants.into());
                    return Ok(self.predicate(key, test, literals.to_vec()));
                }
                if constants.is_empty() {
                    return Ok(self.intern(Node::False, 0));
                }
                Ok(self.equal(slot, operator, constants, literals))
            }
            Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
                let key = self.key(slot, operator, literals);
                Ok(self.predicate(key, Test::Order(constant()?), literals.to_vec()))
            }
            Operator::Contains => Ok(self.matched(slot, operator, literals, Groups::CONTAINS)),
            Operator::IContains => Ok(self.matched(slot, operator, literals, Groups::ICONTAINS)),
            Operator::StartsWith => Ok(self.matched(slot, operator, literals, Groups::STARTS)),
            Operator::EndsWith => Ok(self.matched(slot, operator, literals, Groups::ENDS)),
            Operator::PMatch if literals.is_empty() => Ok(self.intern(Node::False, 0)),
            Operator::PMatch => {
                // Each by itself: what one rule is wrong in must not cost the others.
                for literal in literals {
                    let checked = Paths::default().add(&literal.0, 0);
                    checked.map_err(|error| error.to_string())?;
                }
                Ok(self.matched(slot, operator, literals, Groups::PATHS))
            }
            Operator::BContains | Operator::BStartsWith => {
                let bytes = hexadecimal(&first())?;
                let group = if operator == Operator::BContains {
                    Groups::CONTAINS
                } else {
                    Groups::STARTS
                };
                Ok(self.pattern(slot, operator, literals, group, bytes))
            }
            Operator::Glob | Operator::IGlob => self.glob(slot, operator, &first(), literals),
            Operator::Regex => self.regex(slot, &first(), literals),
        }
    }

    pub(super) fn glob(
        &mut self,
        slot: SlotId,
        operator: Operator,
        pattern: &Literal,
        literals: &[Literal],
    ) -> Result<NodeId, String> {
        let folds_case = operator == Operator::IGlob;
        let glob = Glob::new(&pattern.0, folds_case).map_err(|error| error.to_string())?;
        let has_letters = pattern.0.iter().any(u8::is_ascii_alphabetic);
        let as_is = !folds_case || !has_letters;
        let simple = match glob.simple() {
            Some(Simple::Equal(text)) if as_is => {
                let constant = Constant::Text(text.into());
                return Ok(self.equal(slot, operator, vec![constant], literals));
            }
            Some(Simple::StartsWith(text)) if as_is => Some((Groups::STARTS, text)),
            Some(Simple::EndsWith(text)) if as_is => Some((Groups::ENDS, text)),
            Some(Simple::Contains(text)) if as_is => Some((Groups::CONTAINS, text)),
            Some(Simple::Contains(text)) => Some((Groups::ICONTAINS, text)),
            _ => None,
        };
        if let Some((group, text)) = simple {
            return Ok(self.pattern(slot, operator, literals, group, text));
        }
        let key = self.key(slot, operator, literals);
        Ok(self.predicate(key, Test::Glob(glob), literals.to_vec()))
    }

    /// Matches the whole text, in time that is linear in it.
    pub(super) fn regex(
        &mut self,
        slot: SlotId,
        pattern: &Literal,
        literals: &[Literal],
    ) -> Result<NodeId, String> {
        let key = self.key(slot, Operator::Regex, literals);
        if let Some(known) = self.predicate_ids.get(&key) {
            return Ok(self.intern(Node::Predicate(*known), 0));
        }
        let text = pattern.lossy();
        if text.len() > MOST_REGEX_BYTES {
            return Err(format!(
                "a regular expression of more than {MOST_REGEX_BYTES} bytes"
            ));
        }
        self.regexes = self.regexes.saturating_add(1);
        if self.regexes > MOST_REGEXES {
            return Err(format!("more than {MOST_REGEXES} regular expressions"));
        }
        // Alone first, so that `)|(` does not get out of the anchors.
        let build = |text: &str| {
            RegexBuilder::new(text)
                .size_limit(REGEX_SIZE)
                .dfa_size_limit(REGEX_SIZE)
                .nest_limit(64)
                .build()
        };
        let anchored = build(&text).and_then(|_| build(&format!("\\A(?:{text})\\z")));
        let regex = anchored.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default();
                format!(
                    "invalid regular expression: {}",
                    last.trim_start_matches("error: ")
                )
            }
        })?;
        Ok(self.predicate(key, Test::Regex(Box::new(regex)), literals.to_vec()))
    }

    /// Regular expressions of one field become sets, of which all are looked for in one pass. Those that are too large
    /// together stay by themselves.
    pub(super) fn join_expressions(&mut self) {
        let mut by_slot: BTreeMap<SlotId, Vec<(String, PredicateId)>> = BTreeMap::new();
        for (number, predicate) in (0_u32..).zip(&self.predicates) {
            if let Test::Regex(regex) = &predicate.test {
                let texts = by_slot.entry(predicate.slot).or_default();
                texts.push((regex.as_str().to_owned(), number));
            }
        }
        for (slot, expressions) in by_slot {
            for chunk in expressions.chunks(SET_SIZE).filter(|chunk| chunk.len() > 1) {
                let set = RegexSetBuilder::new(chunk.iter().map(|(text, _)| text))
                    .size_limit(REGEX_SIZE * 4)
                    .dfa_size_limit(REGEX_SIZE * 4)
                    .nest_limit(64)
                    .build();
                let slot = usize::try_from(slot).ok();
                let draft = slot.and_then(|slot| self.slots.get_mut(slot));
                let (Ok(set), Some(draft)) = (set, draft) else {
                    continue;
                };
                let numbers: Vec<PredicateId> = chunk.iter().map(|(_, number)| *number).collect();
                for number in &numbers {
                    let index = usize::try_from(*number).ok();
                    let predicate = index.and_then(|index| self.predicates.get_mut(index));
                    if let Some(predicate) = predicate {
                        predicate.test = Test::Matched(Groups::REGEX);
                    }
                }
                draft.patterns.expressions.push((set, numbers));
            }
        }
    }

    pub(super) fn key(
        &self,
        slot: SlotId,
        operator: Operator,
        literals: &[Literal],
    ) -> PredicateKey {
        PredicateKey {
            slot,
            operator,
            wanted: literals.to_vec(),
            right: None,
        }
    }

    pub(super) fn exists(&mut self, slot: SlotId) -> NodeId {
        let key = self.key(slot, Operator::Exists, &[]);
        self.predicate(key, Test::Exists, Vec::new())
    }

    pub(super) fn equal(
        &mut self,
        slot: SlotId,
        operator: Operator,
        constants: Vec<Constant>,
        literals: &[Literal],
    ) -> NodeId {
        // `x in (a)` is `x = a`, and the order of a list says nothing.
        let mut wanted = literals.to_vec();
        wanted.sort();
        wanted.dedup();
        let is_one = wanted.len() == 1 && !matches!(operator, Operator::Glob | Operator::IGlob);
        let operator = if is_one { Operator::Equal } else { operator };
        let key = self.key(slot, operator, &wanted);
        if let Some(known) = self.predicate_ids.get(&key) {
            return self.intern(Node::Predicate(*known), 0);
        }
        let node = self.predicate(key, Test::Matched(Groups::EQUAL), wanted);
        if let Some((slot, number)) = self.draft(node) {
            let constants = constants.into_iter().map(|constant| (constant, number));
            slot.patterns.equal.extend(constants);
        }
        node
    }

    pub(super) fn matched(
        &mut self,
        slot: SlotId,
        operator: Operator,
        literals: &[Literal],
        group: u8,
    ) -> NodeId {
        let mut wanted = literals.to_vec();
        wanted.sort();
        wanted.dedup();
        let key = self.key(slot, operator, &wanted);
        if let Some(known) = self.predicate_ids.get(&key) {
            return self.intern(Node::Predicate(*known), 0);
        }
        let texts: Vec<Vec<u8>> = wanted.iter().map(|literal| literal.0.to_vec()).collect();
        let node = self.predicate(key, Test::Matched(group), wanted);
        for text in texts {
            self.look_for(node, group, text);
        }
        node
    }

    pub(super) fn pattern(
        &mut self,
        slot: SlotId,
        operator: Operator,
        literals: &[Literal],
        group: u8,
        text: Vec<u8>,
    ) -> NodeId {
        let key = self.key(slot, operator, literals);
        if let Some(known) = self.predicate_ids.get(&key) {
            return self.intern(Node::Predicate(*known), 0);
        }
        let node = self.predicate(key, Test::Matched(group), literals.to_vec());
        self.look_for(node, group, text);
        node
    }

    pub(super) fn look_for(&mut self, node: NodeId, group: u8, text: Vec<u8>) {
        let Some((slot, number)) = self.draft(node) else {
            return;
        };
        let patterns = &mut slot.patterns;
        let list = match group {
            Groups::STARTS => &mut patterns.starts,
            Groups::ENDS => &mut patterns.ends,
            Groups::CONTAINS => &mut patterns.contains,
            Groups::ICONTAINS => &mut patterns.icontains,
            _ => &mut patterns.paths,
        };
        list.push((text, number));
    }

    /// The slot of a node that is a predicate, and the predicate.
    pub(super) fn draft(&mut self, node: NodeId) -> Option<(&mut SlotDraft, PredicateId)> {
        let Node::Predicate(number) = *self.node(node) else {
            return None;
        };
        let predicate = self.predicates.get(usize::try_from(number).ok()?)?;
        let slot = usize::try_from(predicate.slot).ok()?;
        Some((self.slots.get_mut(slot)?, number))
    }

    pub(super) fn predicate(
        &mut self,
        key: PredicateKey,
        test: Test,
        wanted: Vec<Literal>,
    ) -> NodeId {
        let number = match self.predicate_ids.get(&key) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.predicates.len()).unwrap_or(u32::MAX);
                self.predicates.push(Predicate {
                    slot: key.slot,
                    operator: key.operator,
                    test,
                    wanted,
                });
                self.predicate_ids.insert(key, number);
                number
            }
        };
        let cost = self.cost(number);
        self.intern(Node::Predicate(number), cost)
    }

    pub(super) fn cost(&self, predicate: PredicateId) -> u32 {
        let index = usize::try_from(predicate).ok();
        let Some(predicate) = index.and_then(|index| self.predicates.get(index)) else {
            return 0;
        };
        let test = match &predicate.test {
            Test::Exists | Test::Order(_) | Test::Differs(_) => 1,
            Test::Matched(Groups::EQUAL) => 1,
            Test::Matched(Groups::STARTS | Groups::ENDS) => 2,
            Test::All(_) | Test::Slot(_) | Test::Matched(Groups::PATHS) => 4,
            Test::Matched(_) | Test::Glob(_) => 10,
            Test::Regex(_) => 20,
        };
        let slot = usize::try_from(predicate.slot).ok();
        let slot = match slot.and_then(|slot| self.slots.get(slot)) {
            Some(slot) if slot.is_key => 0,
            Some(slot) if matches!(slot.terms, Terms::Field(_)) => 4,
            Some(_) | None => 12,
        };
        test + slot
    }

    /// Notes a constant that is probably meant for something else.
    pub(super) fn suspicious(&mut self, literal: &Literal, at: usize) {
        let text = literal.lossy();
        if text == "<NA>" {
            let message =
                "comparing with <NA> is unsafe: a field without value equals nothing, use `exists`";
            self.warn(at, true, message.to_owned());
        }
        let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let transformed = bare.split_once('(').map(|(name, _)| name);
        let is_transformer = transformed.is_some_and(|name| {
            name == "val"
                || crate::language::Transformer::ALL
                    .iter()
                    .any(|(_, known)| *known == name)
        });
        let base = bare.split_once('[').map_or(bare.as_str(), |(name, _)| name);
        if is_transformer {
            let message = format!("'{text}' is a text here: a transformer has no quotes around it");
            self.warn(at, false, message);
        } else if base.contains('.') && self.source.fields().iter().any(|info| info.name == base) {
            let message = format!("'{text}' is a text here: val({text}) compares with the field");
            self.warn(at, false, message);
        }
    }

    pub(super) fn warn(&mut self, at: usize, is_unsafe: bool, message: String) {
        self.warnings.push(Warning {
            at,
            is_unsafe,
            message,
            in_macro: self.within,
        });
    }
}

/// Kinds that compare with each other.
fn as_compared(kind: Kind) -> Kind {
    match kind {
        Kind::Path | Kind::Text => Kind::Text,
        Kind::Unsigned | Kind::Time | Kind::Duration => Kind::Unsigned,
        Kind::Address | Kind::Network => Kind::Address,
        Kind::Signed | Kind::Double | Kind::Bool => kind,
    }
}

/// Whether an operator goes with the type of a field.
fn allowed(operation: Operation, kind: Kind, shape: Shape) -> Result<(), String> {
    use Operator::{
        Equal, Exists, Greater, GreaterEqual, In, Intersects, Less, LessEqual, NotEqual,
    };
    let operator = operation.operator;
    if operator == Exists {
        return Ok(());
    }
    if shape == Shape::List {
        if matches!(operator, In | Intersects) && operation.modifier.is_none() {
            return Ok(());
        }
        return Err(format!(
            "'{operation}' cannot be asked of a list, only in, intersects and exists"
        ));
    }
    let is_set = matches!(operator, Equal | NotEqual | In | Intersects);
    let is_order = matches!(operator, Less | LessEqual | Greater | GreaterEqual);
    let (is_allowed, what) = match kind {
        Kind::Text | Kind::Path => (true, "texts"),
        Kind::Unsigned | Kind::Signed | Kind::Double | Kind::Time | Kind::Duration => {
            (is_set || is_order, "numbers")
        }
        Kind::Bool => (is_set, "truth values"),
        Kind::Address | Kind::Network => (is_set, "addresses"),
    };
    if is_allowed {
        return Ok(());
    }
    Err(format!("'{operation}' cannot be asked of {what}"))
}

fn hexadecimal(literal: &Literal) -> Result<Vec<u8>, String> {
    let wrong = || format!("'{}' is no sequence of hexadecimal bytes", literal.lossy());
    if !literal.0.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = literal.0.chunks_exact(2).map(|pair| match pair {
        [high, low] => {
            let (high, low) = (digit(*high)?, digit(*low)?);
            u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()
        }
        _ => None,
    });
    bytes.collect::<Option<Vec<u8>>>().ok_or_else(wrong)
}

//! Syntax → graph. Equal parts of all conditions become one, so that each is evaluated once per event.

use std::collections::{BTreeSet, HashMap, HashSet};

use foldhash::fast::RandomState;
use regex::RegexBuilder;
use sha2::{Digest as _, Sha256};

use super::constant::Constant;
use super::matcher::{Groups, Matcher, MatcherError, Patterns};
use super::program::{
    Node, NodeId, Predicate, PredicateId, Program, RuleRoot, SlotId, Terms, Test,
};
use super::watch;
use crate::language::{Check, Expr, Literal, Modifier, Operation, Operator, Right, Term};
use crate::pattern::{Glob, Simple};
use crate::source::{FieldError, Kind, Shape, Source};

/// Parts of all conditions of one source at most.
const MOST_NODES: usize = 2_000_000;
/// Regular expressions of one source at most: each may take some hundred kilobytes.
const MOST_REGEXES: usize = 1_000;
/// Bytes of a regular expression at most.
const MOST_REGEX_BYTES: usize = 4 << 10;
/// Bytes that a regular expression may take when compiled.
const REGEX_SIZE: usize = 256 << 10;
/// Parts of conditions, with those of their macros, within each other at most.
const MOST_DEPTH: usize = 400;
/// Comparisons that are told of a match at most.
const MOST_TOLD: usize = 256;

/// Why a condition cannot be compiled. The fault of who wrote it.
#[derive(Clone, Debug)]
pub(crate) struct CompileError {
    /// The byte of the condition, or of the macro.
    pub(crate) at: usize,
    pub(crate) message: String,
    /// The source has no such field.
    pub(crate) is_unknown: bool,
    /// The macro in which it is wrong.
    pub(crate) in_macro: Option<usize>,
}

/// What may not mean what it looks like.
#[derive(Clone, Debug)]
pub(crate) struct Warning {
    /// The byte of the condition, or of the macro.
    pub(crate) at: usize,
    /// A comparison with `<NA>`.
    pub(crate) is_unsafe: bool,
    pub(crate) message: String,
    /// The macro that it is in.
    pub(crate) in_macro: Option<usize>,
}

/// A macro that can be used.
pub(crate) struct Resolved<'m> {
    /// Its number.
    pub(crate) number: usize,
    pub(crate) condition: &'m Expr,
}

/// Who knows the macros.
pub(crate) trait MacroResolver {
    /// The macro of this name, as the macro `within` sees it; as rules see it, when that is nothing.
    ///
    /// # Errors
    /// When there is none, or it is no condition.
    fn resolve(&self, name: &str, within: Option<usize>) -> Result<Resolved<'_>, String>;
}

/// Collects the rules of one source.
pub(crate) struct Builder<'s> {
    pub(super) source: &'s dyn Source,
    pub(super) slots: Vec<SlotDraft>,
    pub(super) slot_ids: HashMap<Terms, SlotId, RandomState>,
    predicates: Vec<Predicate>,
    predicate_ids: HashMap<PredicateKey, PredicateId, RandomState>,
    nodes: Vec<Node>,
    node_ids: HashMap<Node, NodeId, RandomState>,
    costs: Vec<u32>,
    depths: Vec<u32>,
    /// The parts of a node in the order in which they were written.
    written: HashMap<NodeId, Vec<NodeId>, RandomState>,
    macros: HashMap<usize, Option<NodeId>, RandomState>,
    pub(crate) used_macros: BTreeSet<usize>,
    digests: HashMap<NodeId, [u8; 32], RandomState>,
    regexes: usize,
    rules: Vec<RuleRoot>,
    pub(crate) warnings: Vec<Warning>,
    /// The macro that is being compiled.
    within: Option<usize>,
    depth: usize,
}

/// A slot whose constants are not all known yet.
pub(super) struct SlotDraft {
    pub(super) terms: Terms,
    pub(super) kind: Kind,
    pub(super) shape: Shape,
    pub(super) text: String,
    pub(super) is_key: bool,
    patterns: Patterns,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PredicateKey {
    slot: SlotId,
    operator: Operator,
    wanted: Vec<Literal>,
    right: Option<SlotId>,
}

impl CompileError {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            is_unknown: false,
            in_macro: None,
        }
    }

    pub(super) fn field(at: usize, error: &FieldError, source: &dyn Source) -> Self {
        let mut message = error.to_string();
        if let FieldError::Unknown { name } = error
            && let Some(similar) = similar(name, source)
        {
            message.push_str(&format!("; {similar} is there"));
        }
        Self {
            is_unknown: matches!(error, FieldError::Unknown { .. }),
            ..Self::new(at, message)
        }
    }
}

impl<'s> Builder<'s> {
    pub(crate) fn new(source: &'s dyn Source) -> Self {
        Self {
            source,
            slots: Vec::new(),
            slot_ids: HashMap::default(),
            predicates: Vec::new(),
            predicate_ids: HashMap::default(),
            nodes: Vec::new(),
            node_ids: HashMap::default(),
            costs: Vec::new(),
            depths: Vec::new(),
            written: HashMap::default(),
            macros: HashMap::default(),
            used_macros: BTreeSet::new(),
            digests: HashMap::default(),
            regexes: 0,
            rules: Vec::new(),
            warnings: Vec::new(),
            within: None,
            depth: 0,
        }
    }

    /// The node of a condition.
    ///
    /// # Errors
    /// When a field, a macro or a comparison in it cannot be used.
    pub(crate) fn condition(
        &mut self,
        condition: &Expr,
        macros: &dyn MacroResolver,
    ) -> Result<NodeId, CompileError> {
        self.depth = 0;
        self.lower(condition, macros, None)
    }

    /// Adds a rule of which the condition was compiled.
    pub(crate) fn rule(&mut self, root: NodeId, rule: u32) {
        if *self.node(root) == Node::False {
            return;
        }
        let order = self.order(root);
        self.rules.push(RuleRoot { root, rule, order });
    }

    /// The type of a slot.
    pub(crate) fn kind_of(&self, slot: SlotId) -> Kind {
        self.kind(slot).0
    }

    /// The fields under a node, sorted.
    pub(crate) fn field_names(&self, root: NodeId) -> Vec<String> {
        let slots = self.order(root).into_iter().filter_map(|number| {
            let predicate = self.predicates.get(usize::try_from(number).ok()?)?;
            let slot = self.slots.get(usize::try_from(predicate.slot).ok()?)?;
            Some(slot.text.clone())
        });
        let names: BTreeSet<String> = slots.collect();
        names.into_iter().collect()
    }

    /// Whether only few values of a key field can make a node true.
    pub(crate) fn is_keyed(&self, root: NodeId) -> bool {
        self.keyed(root, true, &mut HashMap::default())
    }

    fn keyed(
        &self,
        node: NodeId,
        is_wanted: bool,
        known: &mut HashMap<(NodeId, bool), bool, RandomState>,
    ) -> bool {
        if let Some(known) = known.get(&(node, is_wanted)) {
            return *known;
        }
        let keyed = match (self.node(node), is_wanted) {
            (Node::False, true) | (Node::True, false) => true,
            (Node::Predicate(number), true) => self.is_few(*number),
            (Node::Not(inner), _) => self.keyed(*inner, !is_wanted, known),
            (Node::And(parts), true) | (Node::Or(parts), false) => {
                parts.iter().any(|part| self.keyed(*part, is_wanted, known))
            }
            (Node::Or(parts) | Node::One(parts), true) | (Node::And(parts), false) => {
                parts.iter().all(|part| self.keyed(*part, is_wanted, known))
            }
            (Node::True, true) | (Node::False, false) => false,
            (Node::Predicate(_) | Node::One(_), false) => false,
        };
        known.insert((node, is_wanted), keyed);
        keyed
    }

    /// Whether a comparison leaves few values of a key field, or none at all: Falco's rules say `evt.num=0` for never.
    fn is_few(&self, number: PredicateId) -> bool {
        let index = usize::try_from(number).ok();
        let Some(predicate) = index.and_then(|index| self.predicates.get(index)) else {
            return false;
        };
        let slot = usize::try_from(predicate.slot).ok();
        let Some(slot) = slot.and_then(|slot| self.slots.get(slot)) else {
            return false;
        };
        let is_equal = matches!(predicate.test, Test::Matched(Groups::EQUAL));
        let is_never =
            slot.text == "evt.num" && predicate.wanted.iter().all(|literal| &*literal.0 == b"0");
        is_equal && (is_never || (slot.is_key && predicate.wanted.len() <= 100))
    }

    /// All comparisons under a node, in the order in which they were written.
    fn order(&self, root: NodeId) -> Vec<PredicateId> {
        let mut order = Vec::new();
        let mut seen = HashSet::<NodeId, RandomState>::default();
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            if !seen.insert(node) || order.len() >= MOST_TOLD {
                continue;
            }
            match self.node(node) {
                Node::True | Node::False => {}
                Node::Predicate(predicate) => order.push(*predicate),
                Node::Not(inner) => open.push(*inner),
                Node::And(parts) | Node::Or(parts) | Node::One(parts) => {
                    let written = self.written.get(&node).map_or(&**parts, Vec::as_slice);
                    open.extend(written.iter().rev());
                }
            }
        }
        order
    }

    /// A digest of a condition with everything in it, however its parts are shared.
    pub(crate) fn digest(&mut self, root: NodeId) -> [u8; 32] {
        let mut open = vec![root];
        while let Some(node) = open.last().copied() {
            if self.digests.contains_key(&node) {
                open.pop();
                continue;
            }
            let written = self.written.get(&node).cloned();
            let (word, parts) = match self.node(node) {
                Node::True => ("true", Vec::new()),
                Node::False => ("false", Vec::new()),
                Node::Not(inner) => ("not", vec![*inner]),
                Node::And(parts) => ("and", written.unwrap_or_else(|| parts.to_vec())),
                Node::Or(parts) => ("or", written.unwrap_or_else(|| parts.to_vec())),
                Node::One(parts) => ("oneof", parts.to_vec()),
                Node::Predicate(number) => {
                    let digest = self.predicate_digest(*number);
                    self.digests.insert(node, digest);
                    continue;
                }
            };
            let missing: Vec<NodeId> = parts
                .iter()
                .copied()
                .filter(|part| !self.digests.contains_key(part))
                .collect();
            if missing.is_empty() {
                let mut hash = Sha256::new();
                hash.update(word);
                for part in &parts {
                    hash.update(self.digests.get(part).unwrap_or(&[0; 32]));
                }
                self.digests.insert(node, hash.finalize().into());
            } else {
                open.extend(missing);
            }
        }
        self.digests.get(&root).copied().unwrap_or_default()
    }

    fn predicate_digest(&self, number: PredicateId) -> [u8; 32] {
        let mut hash = Sha256::new();
        let index = usize::try_from(number).ok();
        if let Some(predicate) = index.and_then(|index| self.predicates.get(index)) {
            let text = |slot: SlotId| {
                let index = usize::try_from(slot).ok();
                let slot = index.and_then(|index| self.slots.get(index));
                slot.map_or("", |slot| slot.text.as_str())
            };
            let mut part = |bytes: &[u8]| {
                hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
                hash.update(bytes);
            };
            part(text(predicate.slot).as_bytes());
            part(predicate.operator.as_str().as_bytes());
            if let Test::Slot(right) = predicate.test {
                part(text(right).as_bytes());
            }
            for literal in &predicate.wanted {
                part(&literal.0);
            }
        }
        hash.finalize().into()
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        let index = usize::try_from(id).ok();
        index
            .and_then(|index| self.nodes.get(index))
            .unwrap_or(&Node::False)
    }

    fn lower(
        &mut self,
        expr: &Expr,
        macros: &dyn MacroResolver,
        within: Option<usize>,
    ) -> Result<NodeId, CompileError> {
        if self.depth >= MOST_DEPTH {
            let message = format!("more than {MOST_DEPTH} parts and macros within each other");
            return Err(CompileError::new(0, message));
        }
        self.depth = self.depth.saturating_add(1);
        let lowered = self.part(expr, macros, within);
        self.depth = self.depth.saturating_sub(1);
        let node = lowered?;
        // Macros are compiled once each, so a graph can be deeper than what was lowered to get it.
        if usize::try_from(self.depth_of(node)).unwrap_or(usize::MAX) > MOST_DEPTH {
            let message = format!("more than {MOST_DEPTH} parts and macros within each other");
            return Err(CompileError::new(0, message));
        }
        Ok(node)
    }

    fn part(
        &mut self,
        expr: &Expr,
        macros: &dyn MacroResolver,
        within: Option<usize>,
    ) -> Result<NodeId, CompileError> {
        match expr {
            Expr::And(parts) => {
                let parts = self.all(parts, macros, within)?;
                Ok(self.and(parts))
            }
            Expr::Or(parts) => {
                let parts = self.all(parts, macros, within)?;
                Ok(self.or(parts))
            }
            Expr::Not(inner) => {
                let inner = self.lower(inner, macros, within)?;
                Ok(self.not(inner))
            }
            Expr::Macro(name, at) => self.named(name, *at, macros, within),
            Expr::Check(check) => self.check(check),
        }
    }

    fn all(
        &mut self,
        parts: &[Expr],
        macros: &dyn MacroResolver,
        within: Option<usize>,
    ) -> Result<Vec<NodeId>, CompileError> {
        let nodes = parts.iter().map(|part| self.lower(part, macros, within));
        nodes.collect()
    }

    /// A macro is compiled once, however often it is used: what would grow without end as text stays small as a graph.
    fn named(
        &mut self,
        name: &str,
        at: usize,
        macros: &dyn MacroResolver,
        within: Option<usize>,
    ) -> Result<NodeId, CompileError> {
        let resolved = macros.resolve(name, within);
        let resolved = resolved.map_err(|message| CompileError::new(at, message))?;
        self.used_macros.insert(resolved.number);
        match self.macros.get(&resolved.number) {
            Some(Some(node)) => return Ok(*node),
            Some(None) => {
                let message = format!("reference loop in macro '{name}'");
                return Err(CompileError::new(at, message));
            }
            None => {}
        }
        self.macros.insert(resolved.number, None);
        let outer = self.within.replace(resolved.number);
        let lowered = self.lower(resolved.condition, macros, Some(resolved.number));
        self.within = outer;
        match lowered {
            Ok(node) => {
                self.macros.insert(resolved.number, Some(node));
                Ok(node)
            }
            Err(mut error) => {
                self.macros.remove(&resolved.number);
                error.in_macro = error.in_macro.or(Some(resolved.number));
                Err(error)
            }
        }
    }

    fn check(&mut self, check: &Check) -> Result<NodeId, CompileError> {
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
                            Modifier::AnyOf => self.or(parts),
                            Modifier::AllOf => self.and(parts),
                            Modifier::OneOf => self.one(parts),
                        })
                    }
                }
            }
        }
    }

    /// A comparison of a field with another one.
    fn fields(&mut self, check: &Check, left: SlotId, term: &Term) -> Result<NodeId, CompileError> {
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
    fn simple(
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
            Operator::PMatch => Ok(self.matched(slot, operator, literals, Groups::PATHS)),
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

    fn glob(
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
    fn regex(
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

    fn key(&self, slot: SlotId, operator: Operator, literals: &[Literal]) -> PredicateKey {
        PredicateKey {
            slot,
            operator,
            wanted: literals.to_vec(),
            right: None,
        }
    }

    fn exists(&mut self, slot: SlotId) -> NodeId {
        let key = self.key(slot, Operator::Exists, &[]);
        self.predicate(key, Test::Exists, Vec::new())
    }

    fn equal(
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

    fn matched(
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

    fn pattern(
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

    fn look_for(&mut self, node: NodeId, group: u8, text: Vec<u8>) {
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
    fn draft(&mut self, node: NodeId) -> Option<(&mut SlotDraft, PredicateId)> {
        let Node::Predicate(number) = *self.node(node) else {
            return None;
        };
        let predicate = self.predicates.get(usize::try_from(number).ok()?)?;
        let slot = usize::try_from(predicate.slot).ok()?;
        Some((self.slots.get_mut(slot)?, number))
    }

    fn predicate(&mut self, key: PredicateKey, test: Test, wanted: Vec<Literal>) -> NodeId {
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

    fn cost(&self, predicate: PredicateId) -> u32 {
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

    fn intern(&mut self, node: Node, cost: u32) -> NodeId {
        if let Some(known) = self.node_ids.get(&node) {
            return *known;
        }
        let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let depth = match &node {
            Node::True | Node::False | Node::Predicate(_) => 0,
            Node::Not(inner) => self.depth_of(*inner).saturating_add(1),
            Node::And(parts) | Node::Or(parts) | Node::One(parts) => {
                let depths = parts.iter().map(|part| self.depth_of(*part));
                depths.max().unwrap_or_default().saturating_add(1)
            }
        };
        self.depths.push(depth);
        self.nodes.push(node.clone());
        self.costs.push(cost);
        self.node_ids.insert(node, id);
        id
    }

    fn not(&mut self, inner: NodeId) -> NodeId {
        match self.node(inner) {
            Node::True => self.intern(Node::False, 0),
            Node::False => self.intern(Node::True, 0),
            Node::Not(twice) => *twice,
            Node::Predicate(_) | Node::And(_) | Node::Or(_) | Node::One(_) => {
                let cost = self.cost_of(inner);
                self.intern(Node::Not(inner), cost)
            }
        }
    }

    fn depth_of(&self, node: NodeId) -> u32 {
        let index = usize::try_from(node).ok();
        let depth = index.and_then(|index| self.depths.get(index));
        depth.copied().unwrap_or_default()
    }

    fn cost_of(&self, node: NodeId) -> u32 {
        let index = usize::try_from(node).ok();
        let cost = index.and_then(|index| self.costs.get(index));
        cost.copied().unwrap_or_default()
    }

    fn and(&mut self, parts: Vec<NodeId>) -> NodeId {
        self.joined(parts, Node::False, Node::True, |node| match node {
            Node::And(parts) => Some(parts),
            _ => None,
        })
    }

    fn or(&mut self, parts: Vec<NodeId>) -> NodeId {
        self.joined(parts, Node::True, Node::False, |node| match node {
            Node::Or(parts) => Some(parts),
            _ => None,
        })
    }

    /// Parts joined by `and` or `or`: `absorbing` decides alone, `neutral` says nothing, `same` has the parts of a
    /// part that is joined by the same.
    fn joined(
        &mut self,
        parts: Vec<NodeId>,
        absorbing: Node,
        neutral: Node,
        same: fn(&Node) -> Option<&[NodeId]>,
    ) -> NodeId {
        let mut written = Vec::with_capacity(parts.len());
        let mut seen = HashSet::<NodeId, RandomState>::default();
        for part in parts {
            let node = self.node(part);
            if *node == absorbing {
                return self.intern(absorbing, 0);
            }
            if *node == neutral {
                continue;
            }
            // Joined ones that are small are taken apart; large ones are shared as they are.
            let inner = same(node).filter(|inner| inner.len() <= 32);
            match inner {
                Some(inner) => {
                    let inner = self.written.get(&part).map_or(inner, Vec::as_slice);
                    written.extend(inner.iter().copied().filter(|part| seen.insert(*part)));
                }
                None if seen.insert(part) => written.push(part),
                None => {}
            }
        }
        match written.as_slice() {
            [] => return self.intern(neutral, 0),
            [only] => return *only,
            _ => {}
        }
        let mut sorted = written.clone();
        sorted.sort_by_key(|part| (self.cost_of(*part), *part));
        let cost = sorted.iter().map(|part| self.cost_of(*part)).min();
        let cost = cost.unwrap_or_default().saturating_add(2);
        let node = if absorbing == Node::False {
            Node::And(sorted.into())
        } else {
            Node::Or(sorted.into())
        };
        let id = self.intern(node, cost);
        self.written.entry(id).or_insert(written);
        id
    }

    fn one(&mut self, parts: Vec<NodeId>) -> NodeId {
        let cost = parts.iter().map(|part| self.cost_of(*part)).sum::<u32>();
        self.intern(Node::One(parts.into()), cost)
    }

    /// Notes a constant that is probably meant for something else.
    fn suspicious(&mut self, literal: &Literal, at: usize) {
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

    fn warn(&mut self, at: usize, is_unsafe: bool, message: String) {
        self.warnings.push(Warning {
            at,
            is_unsafe,
            message,
            in_macro: self.within,
        });
    }

    pub(super) fn kind(&self, slot: SlotId) -> (Kind, Shape) {
        let index = usize::try_from(slot).ok();
        let slot = index.and_then(|index| self.slots.get(index));
        slot.map_or((Kind::Text, Shape::One), |slot| (slot.kind, slot.shape))
    }

    pub(super) fn add_slot(
        &mut self,
        terms: Terms,
        kind: Kind,
        shape: Shape,
        text: String,
    ) -> SlotId {
        if let Some(known) = self.slot_ids.get(&terms) {
            return *known;
        }
        let id = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let is_key = matches!(&terms, Terms::Field(field) if field.is_key);
        self.slots.push(SlotDraft {
            terms: terms.clone(),
            kind,
            shape,
            text,
            is_key,
            patterns: Patterns::default(),
        });
        self.slot_ids.insert(terms, id);
        id
    }

    /// The program of all rules so far.
    ///
    /// # Errors
    /// When the constants are more than can be arranged.
    pub(crate) fn finish(self) -> Result<Program, MatcherError> {
        let keys: Vec<bool> = self.slots.iter().map(|slot| slot.is_key).collect();
        let slots = self
            .slots
            .into_iter()
            .map(|draft| {
                Ok(super::program::Slot {
                    terms: draft.terms,
                    kind: draft.kind,
                    shape: draft.shape,
                    text: draft.text,
                    matcher: Matcher::new(draft.patterns)?,
                })
            })
            .collect::<Result<Vec<_>, MatcherError>>()?;
        let mut program = Program {
            slots,
            predicates: self.predicates,
            nodes: self.nodes,
            rules: self.rules,
            stages: Vec::new(),
        };
        program.stages = watch::stages(&program, &keys);
        Ok(program)
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

/// A field that is there and differs by little.
fn similar(name: &str, source: &dyn Source) -> Option<String> {
    let fields = source.fields().iter().map(|info| info.name.as_ref());
    let near = fields.map(|known| (distance(name, known), known));
    let (distance, known) = near.min()?;
    (distance <= name.len() / 4).then(|| known.to_owned())
}

/// Single changes between two texts.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() > 64 || other.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, byte) in one.iter().enumerate() {
        let mut diagonal = line;
        let mut left = line.saturating_add(1);
        let mut next = vec![left];
        for (cell, known) in row.iter().skip(1).zip(other) {
            let change = diagonal.saturating_add(usize::from(byte != known));
            diagonal = *cell;
            left = change
                .min(left.saturating_add(1))
                .min(cell.saturating_add(1));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

//! Syntax → graph. Equal parts of all conditions become one, so that each is evaluated once per event.

mod comparisons;
mod facts;
mod graph;
mod similar;

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;

use self::similar::similar;
use super::matcher::{Matcher, MatcherError, Patterns};
use super::program::{Node, NodeId, Predicate, PredicateId, Program, RuleRoot, SlotId, Terms};
use super::watch;
use crate::language::{Expr, Literal, Operator};
use crate::source::{FieldError, Kind, Shape, Source};

/// Parts of all conditions of one source at most.
const MOST_NODES: usize = 2_000_000;
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
        self.rules.push(RuleRoot {
            root,
            rest: root,
            rule,
            order,
        });
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
    pub(crate) fn finish(mut self) -> Result<Program, MatcherError> {
        self.join_expressions();
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
        watch::add_stages(&mut program, &keys);
        Ok(program)
    }
}

//! Which rules an event can match at all: for each rule, comparisons of which one must hold.
//!
//! A stage looks at one field, finds what holds of all constants that rules compare it with, and keeps the rules that
//! wait for none of them, or for one that holds. Key fields come first; then the field that tells most about many rules.
//! What a key field has decided of a rule is not looked at again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::matcher::Groups;
use super::program::{Node, NodeId, PredicateId, Program, SlotId, Stage, Test, Watchers, Watching};

/// Comparisons that a rule waits for at most: who waits for more is looked at anyway.
const MOST_WAITING: usize = 4_096;
/// Rules that a stage on a field that is no key must decide about, to be worth its look.
const LEAST_RULES: usize = 16;
/// Rules of those that must be left when the stage is reached.
const LEAST_LEFT: u32 = 8;

/// By slot: a rule can only match when one of these comparisons holds.
type Waiting = BTreeMap<SlotId, Rc<BTreeSet<PredicateId>>>;

/// A rule, and what it waits for.
type Waiter = (usize, Rc<BTreeSet<PredicateId>>);

/// Finds the stages of a program. `keys` says which slots are key fields.
pub(super) fn add_stages(program: &mut Program, keys: &[bool]) {
    let is_key = |slot: SlotId| {
        let index = usize::try_from(slot).ok();
        index
            .and_then(|index| keys.get(index))
            .copied()
            .unwrap_or_default()
    };
    let compiled = &*program;
    let mut finder = Finder {
        program: compiled,
        known: HashMap::new(),
    };
    // The rules of each slot, with what they wait for.
    let mut by_slot: BTreeMap<SlotId, Vec<Waiter>> = BTreeMap::new();
    // By rule: of each of these, one comparison holds when the key fields have let it through.
    let mut decided: Vec<Vec<Rc<BTreeSet<PredicateId>>>> = Vec::with_capacity(compiled.rules.len());
    for (number, rule) in compiled.rules.iter().enumerate() {
        let waiting = finder.find(rule.root, true);
        let mut best: Option<(usize, SlotId)> = None;
        let mut by_keys = Vec::new();
        for (slot, predicates) in waiting.iter() {
            if is_key(*slot) {
                let rules = by_slot.entry(*slot).or_default();
                rules.push((number, Rc::clone(predicates)));
                by_keys.push(Rc::clone(predicates));
                continue;
            }
            let weight = finder.weight(predicates);
            if best.is_none_or(|(least, _)| weight < least) {
                best = Some((weight, *slot));
            }
        }
        if let Some((_, slot)) = best
            && let Some(predicates) = waiting.get(&slot)
        {
            let rules = by_slot.entry(slot).or_default();
            rules.push((number, Rc::clone(predicates)));
        }
        decided.push(by_keys);
    }
    program.stages = sorted(compiled, by_slot, is_key);
    let mut known = HashMap::new();
    for (number, decided) in decided.iter().enumerate() {
        let Some(root) = program.rules.get(number).map(|rule| rule.root) else {
            continue;
        };
        let rest = without(program, root, decided, &mut known);
        if let Some(rule) = program.rules.get_mut(number) {
            rule.rest = rest;
        }
    }
}

/// A condition without the parts that are known to hold: those that are one of `decided`.
fn without(
    program: &mut Program,
    root: NodeId,
    decided: &[Rc<BTreeSet<PredicateId>>],
    known: &mut HashMap<Node, NodeId>,
) -> NodeId {
    let is_decided = |part: &NodeId| {
        let comparisons: Option<BTreeSet<PredicateId>> = match program.node(*part) {
            Some(Node::Predicate(number)) => Some(BTreeSet::from([*number])),
            Some(Node::Or(parts)) => parts
                .iter()
                .map(|part| match program.node(*part) {
                    Some(Node::Predicate(number)) => Some(*number),
                    _ => None,
                })
                .collect(),
            _ => None,
        };
        comparisons.is_some_and(|those| decided.iter().any(|decided| **decided == those))
    };
    let own = [root];
    let parts = match program.node(root) {
        Some(Node::And(parts)) => parts,
        _ => &own[..],
    };
    let left: Box<[NodeId]> = parts
        .iter()
        .copied()
        .filter(|part| !is_decided(part))
        .collect();
    if left.len() == parts.len() {
        return root;
    }
    if let [only] = *left {
        return only;
    }
    let node = if left.is_empty() {
        Node::True
    } else {
        Node::And(left)
    };
    let next = u32::try_from(program.nodes.len()).unwrap_or(u32::MAX);
    *known.entry(node).or_insert_with_key(|node| {
        program.nodes.push(node.clone());
        next
    })
}

/// Keys first, then what decides about most.
fn sorted(
    program: &Program,
    by_slot: BTreeMap<SlotId, Vec<Waiter>>,
    is_key: impl Fn(SlotId) -> bool,
) -> Vec<Stage> {
    let words = program.rules.len().div_ceil(64);
    let mut stages: Vec<(bool, usize, Stage)> = by_slot
        .into_iter()
        .filter(|(slot, rules)| is_key(*slot) || rules.len() >= LEAST_RULES)
        .map(|(slot, rules)| {
            (
                is_key(slot),
                rules.len(),
                stage(program, slot, &rules, words),
            )
        })
        .map(|(is_key, count, mut stage)| {
            stage.least = if is_key { 1 } else { LEAST_LEFT };
            (is_key, count, stage)
        })
        .collect();
    stages.sort_by_key(|(is_key, count, stage)| (!is_key, usize::MAX - count, stage.slot));
    stages.into_iter().map(|(_, _, stage)| stage).collect()
}

fn stage(program: &Program, slot: SlotId, rules: &[Waiter], words: usize) -> Stage {
    let mut mask = vec![0_u64; words];
    let mut groups = 0;
    let mut waiting: BTreeMap<PredicateId, Vec<usize>> = BTreeMap::new();
    for (rule, predicates) in rules {
        set(&mut mask, *rule);
        for predicate in predicates.iter() {
            waiting.entry(*predicate).or_default().push(*rule);
            if let Some(Test::Matched(group)) = program.predicate(*predicate).map(|p| &p.test) {
                groups |= group;
            }
        }
    }
    let watchers: Watchers = waiting
        .into_iter()
        .map(|(predicate, rules)| {
            let watching = if rules.len() > words {
                let mut bits = vec![0_u64; words];
                rules.iter().for_each(|rule| set(&mut bits, *rule));
                Watching::Many(bits.into())
            } else {
                let rules = rules
                    .into_iter()
                    .filter_map(|rule| u32::try_from(rule).ok());
                Watching::Few(rules.collect())
            };
            (predicate, watching)
        })
        .collect();
    Stage {
        slot,
        groups,
        mask: mask.into(),
        watchers,
        least: 1,
    }
}

fn set(bits: &mut [u64], number: usize) {
    if let Some(word) = bits.get_mut(number / 64) {
        *word |= 1 << (number % 64);
    }
}

struct Finder<'p> {
    program: &'p Program,
    known: HashMap<(NodeId, bool), Rc<Waiting>>,
}

impl Finder<'_> {
    /// What must hold for a node to be true (or, when not `is_wanted`, to be false).
    fn find(&mut self, node: NodeId, is_wanted: bool) -> Rc<Waiting> {
        if let Some(known) = self.known.get(&(node, is_wanted)) {
            return Rc::clone(known);
        }
        let program = self.program;
        let found = match (program.node(node), is_wanted) {
            (Some(Node::Predicate(number)), true) => self.single(*number),
            (Some(Node::Not(inner)), _) => return self.find(*inner, !is_wanted),
            (Some(Node::And(parts)), true) | (Some(Node::Or(parts)), false) => {
                self.all_of(parts, is_wanted)
            }
            (Some(Node::Or(parts)), true) | (Some(Node::And(parts)), false) => {
                self.one_of(parts, is_wanted)
            }
            (Some(Node::One(parts)), true) => self.one_of(parts, true),
            (Some(Node::True | Node::False | Node::Predicate(_) | Node::One(_)) | None, _) => {
                Waiting::new()
            }
        };
        let found = Rc::new(found);
        self.known.insert((node, is_wanted), Rc::clone(&found));
        found
    }

    /// Comparisons that matchers find; the others cannot be waited for.
    fn single(&self, number: PredicateId) -> Waiting {
        let mut waiting = Waiting::new();
        if let Some(predicate) = self.program.predicate(number)
            && let Test::Matched(_) = predicate.test
        {
            waiting.insert(predicate.slot, Rc::new(BTreeSet::from([number])));
        }
        waiting
    }

    /// Of each slot what is rarest.
    fn all_of(&mut self, parts: &[NodeId], is_wanted: bool) -> Waiting {
        let mut waiting = Waiting::new();
        for part in parts {
            for (slot, predicates) in self.find(*part, is_wanted).iter() {
                let weight = self.weight(predicates);
                let known = waiting.get(slot).map(|known| self.weight(known));
                if known.is_none_or(|known| weight < known) {
                    waiting.insert(*slot, Rc::clone(predicates));
                }
            }
        }
        waiting
    }

    /// Of each slot that all of them wait for, what any of them waits for.
    fn one_of(&mut self, parts: &[NodeId], is_wanted: bool) -> Waiting {
        let mut parts = parts.iter();
        let Some(first) = parts.next() else {
            return Waiting::new();
        };
        let mut waiting = Waiting::clone(&self.find(*first, is_wanted));
        for part in parts {
            let other = self.find(*part, is_wanted);
            waiting.retain(|slot, predicates| {
                let Some(more) = other.get(slot) else {
                    return false;
                };
                let is_small = predicates.len().saturating_add(more.len()) <= MOST_WAITING;
                if is_small && !more.is_subset(predicates) {
                    Rc::make_mut(predicates).extend(more.iter());
                }
                is_small
            });
            if waiting.is_empty() {
                return waiting;
            }
        }
        waiting
    }

    /// How many values the comparisons hold for, about; what many values have in common weighs more.
    fn weight(&self, predicates: &BTreeSet<PredicateId>) -> usize {
        let weights = predicates.iter().filter_map(|number| {
            let predicate = self.program.predicate(*number)?;
            let each = match predicate.test {
                Test::Matched(Groups::EQUAL) => 1,
                Test::Matched(_) => 16,
                _ => 64,
            };
            Some(predicate.wanted.len().max(1).saturating_mul(each))
        });
        weights.fold(0, usize::saturating_add)
    }
}

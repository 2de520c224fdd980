//! What a condition is, told once it is compiled: its digest, its fields, whether it says what events it is about.

use std::collections::{BTreeSet, HashMap, HashSet};

use foldhash::fast::RandomState;
use sha2::{Digest as _, Sha256};

use super::{Builder, MOST_TOLD};
use crate::compile::matcher::Groups;
use crate::compile::program::{Argument, Node, NodeId, PredicateId, SlotId, Terms, Test};
use crate::source::Kind;

impl Builder<'_> {
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

    pub(super) fn predicate_digest(&self, number: PredicateId) -> [u8; 32] {
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
                part(b"val");
                part(text(right).as_bytes());
            }
            for literal in &predicate.wanted {
                part(&literal.0);
            }
        }
        hash.finalize().into()
    }

    /// The type of a slot.
    pub(crate) fn kind_of(&self, slot: SlotId) -> Kind {
        self.kind(slot).0
    }

    /// Whether the values of a slot can be told as they are.
    pub(crate) fn is_plain(&self, slot: SlotId) -> bool {
        let index = usize::try_from(slot).ok();
        match index.and_then(|index| self.slots.get(index)) {
            Some(slot) => match &slot.terms {
                Terms::Field(field) => field.is_plain,
                Terms::Call { arguments, .. } => self.are_plain(arguments),
            },
            None => false,
        }
    }

    fn are_plain(&self, arguments: &[Argument]) -> bool {
        arguments.iter().all(|argument| match argument {
            Argument::Slot(slot) => self.is_plain(*slot),
            Argument::Literal(_) => true,
            Argument::List(items) => self.are_plain(items),
        })
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

    pub(super) fn keyed(
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
    pub(super) fn is_few(&self, number: PredicateId) -> bool {
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
    pub(super) fn order(&self, root: NodeId) -> Vec<PredicateId> {
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
}

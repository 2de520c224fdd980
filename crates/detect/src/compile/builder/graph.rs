//! Parts joined by `and`, `or` and `not`; those that say the same are one.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::Builder;
use crate::compile::program::{Node, NodeId};

impl Builder<'_> {
    pub(super) fn intern(&mut self, node: Node, cost: u32) -> NodeId {
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

    pub(super) fn not(&mut self, inner: NodeId) -> NodeId {
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

    pub(super) fn depth_of(&self, node: NodeId) -> u32 {
        let index = usize::try_from(node).ok();
        let depth = index.and_then(|index| self.depths.get(index));
        depth.copied().unwrap_or_default()
    }

    pub(super) fn cost_of(&self, node: NodeId) -> u32 {
        let index = usize::try_from(node).ok();
        let cost = index.and_then(|index| self.costs.get(index));
        cost.copied().unwrap_or_default()
    }

    pub(super) fn and(&mut self, parts: Vec<NodeId>) -> NodeId {
        self.joined(parts, Node::False, Node::True, |node| match node {
            Node::And(parts) => Some(parts),
            _ => None,
        })
    }

    pub(super) fn or(&mut self, parts: Vec<NodeId>) -> NodeId {
        self.joined(parts, Node::True, Node::False, |node| match node {
            Node::Or(parts) => Some(parts),
            _ => None,
        })
    }

    /// Parts joined by `and` or `or`: `absorbing` decides alone, `neutral` says nothing, `same` has the parts of a
    /// part that is joined by the same.
    pub(super) fn joined(
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

    pub(super) fn one(&mut self, parts: Vec<NodeId>) -> NodeId {
        let cost = parts.iter().map(|part| self.cost_of(*part)).sum::<u32>();
        self.intern(Node::One(parts.into()), cost)
    }
}

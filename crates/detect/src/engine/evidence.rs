//! Why a rule matched: the comparisons that decided.

use std::collections::BTreeSet;

use seareeve_model::Matched;

use super::run::Run;
use crate::compile::{Constant, Node, NodeId, PredicateId, RuleRoot, Test};
use crate::language::Literal;
use crate::source::{Event, Value};
use crate::template::text;

/// Comparisons that hold, told at most.
const MOST_HOLDING: usize = 48;
/// Comparisons that do not hold, as `not` wants it, told at most.
const MOST_OTHERS: usize = 16;
/// Values of one field, or of one list, told at most.
const MOST_VALUES: usize = 16;
/// Of so many constants each is compared with the values that were seen; of more, values are looked up.
const MANY: usize = 512;
/// Characters of one value at most.
const MOST_CHARACTERS: usize = 256;

/// A comparison that decided, and whether it holds.
pub(super) type Decided = (PredicateId, bool);

/// What is told, and what was looked at.
#[derive(Default)]
struct Telling {
    told: BTreeSet<Decided>,
    seen: BTreeSet<(NodeId, bool)>,
}

impl<E: Event + ?Sized> Run<'_, '_, E> {
    /// The comparisons that decided that a rule matches, and whether each holds.
    pub(super) fn decided(&mut self, root: &RuleRoot) -> Vec<Decided> {
        let mut telling = Telling::default();
        self.tell(root.root, true, &mut telling);
        let order = |number: &PredicateId| {
            let place = root.order.iter().position(|known| known == number);
            place.unwrap_or(usize::MAX)
        };
        let mut told: Vec<Decided> = telling.told.into_iter().collect();
        told.sort_by_key(|(number, _)| (order(number), *number));
        let (mut holding, mut others) = (0, 0);
        told.retain(|(_, holds)| {
            let (count, most) = if *holds {
                (&mut holding, MOST_HOLDING)
            } else {
                (&mut others, MOST_OTHERS)
            };
            *count += 1;
            *count <= most
        });
        told
    }

    /// Comparisons with the values that the event has.
    pub(super) fn evidence(&mut self, decided: &[Decided]) -> Vec<Matched> {
        let decided = decided.iter();
        decided
            .filter_map(|(number, holds)| self.matched(*number, *holds))
            .collect()
    }

    /// Collects the comparisons that make a node what it is.
    fn tell(&mut self, node: NodeId, is_wanted: bool, told: &mut Telling) {
        // Parts are shared, so there may be more ways to one than anybody can go.
        if told.told.len() >= MOST_HOLDING * 4 || !told.seen.insert((node, is_wanted)) {
            return;
        }
        match (self.program().node(node), is_wanted) {
            (Some(Node::Predicate(number)), _) => {
                told.told.insert((*number, is_wanted));
            }
            (Some(Node::Not(inner)), _) => self.tell(*inner, !is_wanted, told),
            (Some(Node::And(parts)), true) | (Some(Node::Or(parts)), false) => {
                for part in parts {
                    self.tell(*part, is_wanted, told);
                }
            }
            (Some(Node::Or(parts)), true) | (Some(Node::And(parts)), false) => {
                let deciding = parts.iter().find(|part| self.holds(**part) == is_wanted);
                if let Some(part) = deciding {
                    self.tell(*part, is_wanted, told);
                }
            }
            (Some(Node::One(parts)), _) => {
                for part in parts {
                    if self.holds(*part) {
                        self.tell(*part, true, told);
                    }
                }
            }
            (Some(Node::True | Node::False) | None, _) => {}
        }
    }

    fn matched(&mut self, number: PredicateId, holds: bool) -> Option<Matched> {
        let predicate = self.program().predicate(number)?;
        let slot = self.program().slot(predicate.slot)?;
        let kind = slot.kind;
        let values: Vec<Value<'_>> = self
            .values(predicate.slot)
            .map(|values| values.iter().take(MOST_VALUES).cloned().collect())
            .unwrap_or_default();
        let is_met = |literal: &&Literal| {
            let constant = Constant::read(literal, kind);
            constant.is_ok_and(|constant| values.iter().any(|value| constant.equals(value)))
        };
        let all = predicate.wanted.iter();
        let many = || met_of_many(&predicate.wanted, &values);
        let mut wanted: Vec<String> = match predicate.test {
            Test::Slot(right) => {
                let right = self.program().slot(right)?;
                vec![right.text.clone()]
            }
            Test::Matched(_) if holds && predicate.wanted.len() > MANY => many(),
            Test::Matched(_) | Test::All(_) if holds && predicate.wanted.len() > 1 => {
                let met = all.clone().filter(is_met).take(MOST_VALUES);
                met.map(Literal::lossy).collect()
            }
            _ => Vec::new(),
        };
        if wanted.is_empty() {
            wanted = all.take(MOST_VALUES).map(Literal::lossy).collect();
            if predicate.wanted.len() > MOST_VALUES {
                wanted.push("…".to_owned());
            }
        }
        Some(Matched {
            field: slot.text.clone(),
            operator: predicate.operator.as_str().to_owned(),
            wanted: wanted.into_iter().map(short).collect(),
            seen: values.iter().map(text).map(short).collect(),
            holds,
        })
    }
}

/// Those of a list that values are, without a look at each: an alert must not cost more because a list is long. What is
/// written otherwise than values are told is not found so, and the first of the list are told instead.
fn met_of_many(wanted: &[Literal], values: &[Value<'_>]) -> Vec<String> {
    let spellings = values.iter().flat_map(Constant::spellings);
    let met = spellings.filter(|spelling| wanted.binary_search(spelling).is_ok());
    met.take(MOST_VALUES)
        .map(|literal| literal.lossy())
        .collect()
}

pub(super) fn short(text: String) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

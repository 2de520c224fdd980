//! What happens when a rule matches: an alert, or something to remember.

use sha2::{Digest as _, Sha256};

use super::compile::Work;
use super::refusal::Refusal;
use super::templates::{field, grouping};
use crate::compile::NodeId;
use crate::detection::{Counting, Details, Habit};
use crate::engine::{Behaviour, Grouping};
use crate::memory::Goal;
use crate::rules::{RuleEntry, Spot};

/// A step of a correlation: its number, its condition, or the other rule that it is.
pub(super) type StepRoot = (u8, Option<NodeId>, Option<(String, Spot)>);

impl<'w> Work<'w> {
    pub(super) fn behaviour(
        &mut self,
        rule: &'w RuleEntry,
        details: Option<&'w Details>,
        source: usize,
    ) -> Result<(Behaviour, Vec<StepRoot>), Refusal> {
        let Some(details) = details else {
            return Ok((Behaviour::Alert, Vec::new()));
        };
        if let Some(baseline) = &details.baseline {
            let group = self.with(rule, source, |builder| {
                grouping(&baseline.group_by, builder)
            })?;
            let fields = self.with(rule, source, |builder| grouping(&baseline.fields, builder))?;
            let digest = digest(&[
                &habit_text(&baseline.habit),
                &names(&group),
                &names(&fields),
                &rule.condition.text,
            ]);
            let builder = self.builders.get(source);
            let mut slots = group.0.iter().chain(&fields.0);
            let is_plain =
                builder.is_some_and(|builder| slots.all(|(_, slot)| builder.is_plain(*slot)));
            let behaviour = Behaviour::Learn {
                habit: baseline.habit,
                group,
                fields,
                is_plain,
                digest,
            };
            return Ok((behaviour, Vec::new()));
        }
        let Some(correlation) = &details.correlation else {
            return Ok((Behaviour::Alert, Vec::new()));
        };
        let group = self.with(rule, source, |builder| {
            grouping(&correlation.group_by, builder)
        })?;
        let mut groups = Vec::new();
        let mut steps = Vec::new();
        let mut described = rule.condition.text.clone();
        for (number, step) in (0_u8..).zip(&correlation.steps) {
            groups.push(match &step.group_by {
                None => group.clone(),
                Some(fields) => self.with(rule, source, |builder| grouping(fields, builder))?,
            });
            match &step.condition {
                Ok(condition) => {
                    described.push_str(&condition.text);
                    let root = self.condition(rule, condition, source)?;
                    steps.push((number, Some(root), None));
                }
                Err((other, place)) => {
                    described.push_str(other);
                    steps.push((number, None, Some((other.clone(), place.spot()))));
                }
            }
        }
        if groups.is_empty() {
            groups.push(group);
        }
        let (goal, value) = match &correlation.counting {
            Counting::Events(least) => (Goal::Events(*least), None),
            Counting::Values(least, text) => {
                let slot = self.with(rule, source, |builder| field(text, builder))?;
                described.push_str(&text.text);
                (Goal::Values(*least), Some(slot))
            }
            Counting::Steps { is_ordered } => {
                let count = u8::try_from(correlation.steps.len()).unwrap_or(u8::MAX);
                let goal = Goal::Steps {
                    count,
                    is_ordered: *is_ordered,
                };
                (goal, None)
            }
        };
        let grouped: Vec<String> = groups.iter().map(names).collect();
        let digest = digest(&[
            &goal_text(goal),
            &correlation.timespan.to_string(),
            &grouped.join(";"),
            &described,
        ]);
        let behaviour = Behaviour::Correlate {
            goal,
            timespan: correlation.timespan,
            groups,
            names: correlation
                .steps
                .iter()
                .map(|step| step.name.clone())
                .collect(),
            value,
            digest,
        };
        Ok((behaviour, steps))
    }
}

fn names(grouping: &Grouping) -> String {
    let names: Vec<&str> = grouping.0.iter().map(|(name, _)| name.as_str()).collect();
    names.join(",")
}

fn goal_text(goal: Goal) -> String {
    match goal {
        Goal::Events(least) => format!("events {least}"),
        Goal::Values(least) => format!("values {least}"),
        Goal::Steps { count, is_ordered } => format!("steps {count} {is_ordered}"),
    }
}

fn habit_text(habit: &Habit) -> String {
    let share = habit.share.unwrap_or_default();
    let (learning, events, forget) = (habit.learning, habit.learning_events, habit.forget);
    format!(
        "{share} {learning} {events} {forget} {}",
        habit.alerts_on_new_groups
    )
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

//! What groups usually do: combinations of values with how often and when they were seen.

use serde::{Deserialize, Serialize};

use super::bounded::Bounded;
use super::groups::{Groups, Remembers};
use crate::detection::Habit;

/// Combinations of one group at most.
const MOST_COMBINATIONS: usize = 2_000;
/// Stands between the values of a combination.
const SEPARATOR: char = '\u{1f}';

/// The habits of a baseline, by group.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Habits {
    pub(super) groups: Groups<Group>,
    /// When the first event of all was.
    first: Option<u64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Group {
    first: u64,
    events: u64,
    combinations: Bounded<Seen>,
    bytes: usize,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Seen {
    count: u64,
    last: u64,
}

/// Something out of the habit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Surprise {
    /// Whether the group itself is new.
    pub(crate) is_new_group: bool,
    /// How often the combination was seen before.
    pub(crate) seen: u64,
    /// How often the group was.
    pub(crate) events: u64,
    /// Since when.
    pub(crate) since: u64,
    /// By field: how often its value was seen in the group, and other values with how often, the most usual first.
    pub(crate) fields: Vec<(u64, Vec<(String, u64)>)>,
}

impl Habits {
    /// Adds an event of a group, and says whether it is out of its habit.
    pub(crate) fn add(
        &mut self,
        group: &str,
        values: &[String],
        time: u64,
        habit: &Habit,
    ) -> Option<Surprise> {
        // What came late, or a first event with the time of a wrong clock, must not let learning go on for ever.
        let first = self.first.map_or(time, |first| first.min(time));
        self.first = Some(first);
        let is_alarming =
            habit.alerts_on_new_groups && time >= first.saturating_add(habit.learning);
        if self.groups.has(group) {
            return self
                .groups
                .change(group, |known| known.add(values, time, habit));
        }
        let surprise = is_alarming.then(|| Surprise {
            is_new_group: true,
            seen: 0,
            events: 0,
            since: time,
            fields: Vec::new(),
        });
        self.groups.change(group, |known| {
            known.first = time;
            let (_nothing_odd, lost) = known.add(values, time, habit);
            (surprise, lost)
        })
    }
}

impl Remembers for Group {
    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Group {
    /// Adds an event. Says what is odd about it, and how many combinations had to go for it.
    fn add(&mut self, values: &[String], time: u64, habit: &Habit) -> (Option<Surprise>, u64) {
        let name = combination(values);
        self.first = self.first.min(time);
        let is_learning =
            time < self.first.saturating_add(habit.learning) || self.events < habit.learning_events;
        let seen = self.combinations.get(&name).copied().unwrap_or_default();
        // What was not seen for long is new again.
        let is_forgotten = seen.last.saturating_add(habit.forget) < time;
        let count = if is_forgotten { 0 } else { seen.count };
        let is_odd = match habit.share {
            None => count == 0,
            Some(share) => is_rare(count, self.events, share),
        };
        let surprise = (is_odd && !is_learning).then(|| self.surprise(values, count));
        let lost = self.learn(name, count, seen.last.max(time), seen.count == 0);
        (surprise, lost)
    }

    fn learn(&mut self, name: String, count: u64, last: u64, is_new: bool) -> u64 {
        self.events = self.events.saturating_add(1);
        if is_new {
            self.bytes = self.bytes.saturating_add(size(&name));
        }
        *self.combinations.touch(&name) = Seen {
            count: count.saturating_add(1),
            last,
        };
        let mut lost = 0;
        while self.combinations.len() > MOST_COMBINATIONS {
            if let Some((name, _)) = self.combinations.pop_oldest() {
                self.bytes = self.bytes.saturating_sub(size(&name));
            }
            lost = 1;
        }
        lost
    }

    fn surprise(&self, values: &[String], seen: u64) -> Surprise {
        let fields = values.iter().enumerate().map(|(at, value)| {
            let mut others = std::collections::BTreeMap::<&str, u64>::new();
            let mut own = 0_u64;
            for (name, seen) in self.combinations.iter() {
                let Some(known) = name.split(SEPARATOR).nth(at) else {
                    continue;
                };
                let count = if known == value {
                    &mut own
                } else {
                    others.entry(known).or_default()
                };
                *count = count.saturating_add(seen.count);
            }
            let mut others: Vec<(String, u64)> = others
                .into_iter()
                .map(|(value, count)| (value.to_owned(), count))
                .collect();
            others.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            (own, others)
        });
        Surprise {
            is_new_group: false,
            seen,
            events: self.events,
            since: self.first,
            fields: fields.collect(),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share of so many events is no less rare for the last bits"
)]
fn is_rare(count: u64, events: u64, share: f64) -> bool {
    (count as f64) < share * (events as f64)
}

fn size(name: &str) -> usize {
    name.len().saturating_mul(2).saturating_add(120)
}

fn combination(values: &[String]) -> String {
    let separator = SEPARATOR.to_string();
    let clean: Vec<String> = values
        .iter()
        .map(|value| value.replace(SEPARATOR, " "))
        .collect();
    clean.join(&separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HABIT: Habit = Habit {
        share: None,
        learning: 100,
        learning_events: 0,
        forget: 1_000,
        alerts_on_new_groups: false,
    };

    fn seen(habits: &mut Habits, group: &str, values: &[&str], time: u64, habit: &Habit) -> bool {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        habits.add(group, &values, time, habit).is_some()
    }

    #[test]
    fn what_is_seen_first_after_learning_is_odd() {
        let mut habits = Habits::default();
        assert!(!seen(&mut habits, "g", &["get", "pods"], 0, &HABIT));
        assert!(!seen(&mut habits, "g", &["get", "nodes"], 99, &HABIT));
        assert!(!seen(&mut habits, "g", &["get", "pods"], 150, &HABIT));
        let values = ["get".to_owned(), "secrets".to_owned()];
        let surprise = habits.add("g", &values, 151, &HABIT).unwrap();
        assert_eq!((surprise.seen, surprise.events, surprise.since), (0, 3, 0));
        assert_eq!(surprise.fields[0], (3, vec![]));
        let usual = vec![("pods".to_owned(), 2), ("nodes".to_owned(), 1)];
        assert_eq!(surprise.fields[1], (0, usual));
        // It is known now, and forgotten after a while.
        assert!(!seen(&mut habits, "g", &["get", "secrets"], 152, &HABIT));
        assert!(seen(&mut habits, "g", &["get", "secrets"], 1_153, &HABIT));
        // Another group learns for itself, or is odd as such.
        assert!(!seen(&mut habits, "h", &["get", "pods"], 2_000, &HABIT));
        let wary = Habit {
            alerts_on_new_groups: true,
            ..HABIT
        };
        assert!(seen(&mut habits, "i", &["get", "pods"], 2_000, &wary));
    }

    #[test]
    fn a_wrong_clock_does_not_make_it_learn_for_ever() {
        let mut habits = Habits::default();
        assert!(!seen(&mut habits, "g", &["get"], 1_000_000, &HABIT));
        assert!(!seen(&mut habits, "g", &["get"], 50, &HABIT));
        assert!(!seen(&mut habits, "g", &["list"], 149, &HABIT));
        assert!(seen(&mut habits, "g", &["delete"], 150, &HABIT));
    }

    #[test]
    fn what_is_rare_is_odd() {
        let rare = Habit {
            share: Some(0.1),
            learning: 0,
            learning_events: 20,
            ..HABIT
        };
        let mut habits = Habits::default();
        for time in 0..20 {
            assert!(!seen(&mut habits, "g", &["get"], time, &rare));
        }
        assert!(seen(&mut habits, "g", &["delete"], 21, &rare));
        assert!(seen(&mut habits, "g", &["delete"], 22, &rare));
        assert!(seen(&mut habits, "g", &["delete"], 23, &rare) == (2.0 < 0.1 * 22.0));
        assert!(!seen(&mut habits, "g", &["get"], 24, &rare));
    }

    #[test]
    fn stays_within_its_bounds() {
        let mut habits = Habits::default();
        let patient = Habit {
            learning: 1 << 40,
            ..HABIT
        };
        for number in 0..(MOST_COMBINATIONS as u64 + 5) {
            seen(&mut habits, "g", &[&number.to_string()], number, &patient);
        }
        assert_eq!(habits.groups.dropped(), 5);
    }
}

//! Events of one group within a span of time: how many, how many different values, or which steps.

use serde::{Deserialize, Serialize};

use super::groups::{Groups, Remembers};

/// Events of one group's window at most; those that say nothing new count once.
const MOST_EVENTS: usize = 1_000;
/// Events of a group that an alert shows.
const MOST_SAMPLES: usize = 10;
/// Events in a row that are too late: after so many it is the window that has a wrong time, from a wrong clock.
const MOST_LATE: u8 = 16;

/// The windows of a correlation, by group.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Windows {
    pub(super) groups: Groups<Window>,
}

/// The events of one group.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Window {
    /// Sorted by time; those of one time in the order in which they came.
    events: Vec<Stored>,
    samples: Vec<(u64, String, String)>,
    /// Until when a group that raised an alert is quiet.
    quiet_until: u64,
    /// Events in a row that were too late to count.
    late: u8,
    bytes: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    time: u64,
    /// Of a correlation with steps.
    step: u8,
    /// Of a correlation that counts values.
    value: Option<String>,
    /// How many events it stands for: of one value, or of one step after the other, only the last is kept.
    times: u64,
}

/// An event that a correlation counts.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) time: u64,
    pub(crate) step: u8,
    pub(crate) value: Option<String>,
    /// What it is called, and what it says.
    pub(crate) sample: (String, String),
}

/// What has to come together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    Events(u64),
    Values(u64),
    /// So many steps.
    Steps {
        count: u8,
        is_ordered: bool,
    },
}

/// What came together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Completed {
    /// Events, or of values how many.
    pub(crate) count: u64,
    pub(crate) events: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) samples: Vec<(u64, String, String)>,
}

impl Windows {
    /// Adds an event to a group, and says what is complete by it.
    pub(crate) fn add(
        &mut self,
        group: &str,
        entry: Entry,
        goal: Goal,
        timespan: u64,
    ) -> Option<Completed> {
        self.groups
            .change(group, |window| window.add(entry, goal, timespan))
    }
}

impl Remembers for Window {
    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Window {
    /// Adds an event. Says what is complete by it, and how many others had to go for it.
    fn add(&mut self, entry: Entry, goal: Goal, timespan: u64) -> (Option<Completed>, u64) {
        // Nobody is told to be quiet for longer than a timespan, but by a wrong clock.
        let is_quiet = entry.time < self.quiet_until
            && entry.time.saturating_add(timespan.saturating_mul(2)) >= self.quiet_until;
        if is_quiet {
            return (None, 0);
        }
        let newest = self.events.last().map_or(entry.time, |last| last.time);
        if entry.time.saturating_add(timespan) < newest {
            self.late = self.late.saturating_add(1);
            if self.late < MOST_LATE {
                return (None, 0);
            }
            self.drop_first(self.events.len());
        }
        self.late = 0;
        self.sample(entry.time, entry.sample);
        self.insert(
            Stored {
                time: entry.time,
                step: entry.step,
                value: entry.value,
                times: 1,
            },
            goal,
        );
        let newest = self.events.last().map_or(entry.time, |last| last.time);
        let oldest = newest.saturating_sub(timespan);
        let late = self.events.partition_point(|known| known.time < oldest);
        self.drop_first(late);
        let surplus = self.events.len().saturating_sub(MOST_EVENTS);
        self.drop_first(surplus);
        let lost = u64::try_from(surplus).unwrap_or(u64::MAX);
        let Some(count) = self.reached(goal) else {
            return (None, lost);
        };
        let times = self.events.iter().map(|event| event.times);
        let completed = Completed {
            count,
            events: times.fold(0, u64::saturating_add),
            first: self.events.first().map_or(newest, |first| first.time),
            last: newest,
            samples: std::mem::take(&mut self.samples),
        };
        self.drop_first(self.events.len());
        let samples = completed.samples.iter().map(size);
        self.bytes = self.bytes.saturating_sub(samples.sum());
        self.quiet_until = newest.saturating_add(timespan);
        (Some(completed), lost)
    }

    /// Puts an event in its place. Where one of the same value is there, or one of the same step stands beside it, the
    /// later one stands for both: nobody can drive the others out of the window by the same thing again and again.
    fn insert(&mut self, mut event: Stored, goal: Goal) {
        let place = |events: &[Stored], time| events.partition_point(|known| known.time <= time);
        let at = place(&self.events, event.time);
        let same = match goal {
            Goal::Events(_) => None,
            Goal::Values(_) => {
                let mut known = self.events.iter();
                known.position(|known| known.value == event.value)
            }
            Goal::Steps { .. } => {
                let beside = [at.checked_sub(1), Some(at)];
                let is_same = |place: &usize| {
                    let known = self.events.get(*place);
                    known.is_some_and(|known| known.step == event.step)
                };
                beside.into_iter().flatten().find(is_same)
            }
        };
        if let Some(same) = same {
            let known = self.events.remove(same);
            self.bytes = self.bytes.saturating_sub(known.bytes());
            event.times = event.times.saturating_add(known.times);
            event.time = event.time.max(known.time);
        }
        self.bytes = self.bytes.saturating_add(event.bytes());
        let at = place(&self.events, event.time);
        self.events.insert(at, event);
    }

    fn sample(&mut self, time: u64, (name, output): (String, String)) {
        let at = self.samples.partition_point(|(known, ..)| *known <= time);
        let sample = (time, name, output);
        self.bytes = self.bytes.saturating_add(size(&sample));
        self.samples.insert(at, sample);
        if self.samples.len() > MOST_SAMPLES {
            let gone = self.samples.remove(0);
            self.bytes = self.bytes.saturating_sub(size(&gone));
        }
    }

    fn drop_first(&mut self, count: usize) {
        let gone: usize = self
            .events
            .drain(..count.min(self.events.len()))
            .map(|event| event.bytes())
            .sum();
        self.bytes = self.bytes.saturating_sub(gone);
    }

    /// How many came together, when that is enough.
    fn reached(&self, goal: Goal) -> Option<u64> {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        match goal {
            // Of values each is there once.
            Goal::Events(least) | Goal::Values(least) => {
                let events = count(self.events.len());
                (events >= least).then_some(events)
            }
            Goal::Steps {
                count: steps,
                is_ordered: true,
            } => {
                let mut next = 0;
                for event in &self.events {
                    if event.step == next {
                        next = next.saturating_add(1);
                    }
                }
                (next >= steps).then(|| count(self.events.len()))
            }
            Goal::Steps { count: steps, .. } => {
                let has = |step: u8| self.events.iter().any(|event| event.step == step);
                (0..steps).all(has).then(|| count(self.events.len()))
            }
        }
    }
}

impl Stored {
    /// Bytes that it takes, about.
    fn bytes(&self) -> usize {
        let value = self.value.as_ref().map_or(0, String::len);
        value.saturating_add(56)
    }
}

/// Bytes that a sample takes, about.
fn size((_, name, output): &(u64, String, String)) -> usize {
    name.len().saturating_add(output.len()).saturating_add(56)
}

#[cfg(test)]
mod tests {
    use super::super::groups::MOST_GROUPS;
    use super::*;

    fn entry(time: u64, step: u8, value: Option<&str>) -> Entry {
        Entry {
            time,
            step,
            value: value.map(str::to_owned),
            sample: (format!("s{step}"), format!("at {time}")),
        }
    }

    /// Feeds events of one group, and says at which of them something is complete.
    fn complete(goal: Goal, timespan: u64, events: &[(u64, u8, Option<&str>)]) -> Vec<usize> {
        let mut windows = Windows::default();
        let mut complete = Vec::new();
        for (at, (time, step, value)) in events.iter().enumerate() {
            if windows
                .add("g", entry(*time, *step, *value), goal, timespan)
                .is_some()
            {
                complete.push(at);
            }
        }
        complete
    }

    #[test]
    fn counts_within_the_timespan() {
        let events = |times: &[u64]| {
            times
                .iter()
                .map(|time| (*time, 0, None))
                .collect::<Vec<_>>()
        };
        let goal = Goal::Events(3);
        assert_eq!(complete(goal, 10, &events(&[1, 5, 11])), [2]);
        assert!(complete(goal, 10, &events(&[1, 5, 12])).is_empty());
        // A late one is sorted into the window.
        assert_eq!(complete(goal, 10, &events(&[10, 11, 2])), [2]);
        assert!(complete(goal, 10, &events(&[10, 13, 2])).is_empty());
        // Quiet for one timespan, then anew.
        assert_eq!(
            complete(goal, 10, &events(&[1, 2, 3, 4, 5, 6, 13, 14, 15])),
            [2, 8]
        );
    }

    #[test]
    fn a_wrong_clock_does_not_stop_the_count() {
        let mut events = vec![
            (1_000_000, 0, None),
            (1_000_001, 0, None),
            (1_000_002, 0, None),
        ];
        events.extend((0..8).map(|time| (time * 100, 0, None)));
        // It raised an alert in the future, and counts again now.
        events.extend([(701, 0, None), (702, 0, None)]);
        assert_eq!(complete(Goal::Events(3), 10, &events), [2, 12]);
        let mut events = vec![(1_000_000, 0, None)];
        events.extend((0..18).map(|time| (time, 0, None)));
        assert_eq!(complete(Goal::Events(3), 10, &events), [18]);
    }

    #[test]
    fn counts_different_values() {
        let events = [
            (1, 0, Some("a")),
            (2, 0, Some("a")),
            (3, 0, Some("b")),
            (4, 0, Some("c")),
        ];
        assert_eq!(complete(Goal::Values(3), 10, &events), [3]);
        // What is new again counts from then on.
        let events = [(1, 0, Some("a")), (9, 0, Some("a")), (12, 0, Some("b"))];
        assert_eq!(complete(Goal::Values(2), 10, &events), [2]);
        let events = [(9, 0, Some("a")), (1, 0, Some("a")), (12, 0, Some("b"))];
        assert_eq!(complete(Goal::Values(2), 10, &events), [2]);
    }

    #[test]
    fn nobody_drives_others_out_of_the_window_by_the_same_again() {
        let mut windows = Windows::default();
        let mut add = |time, step, value: Option<&str>, goal| {
            windows.add("g", entry(time, step, value), goal, 1_000_000)
        };
        let goal = Goal::Values(3);
        assert_eq!(add(1, 0, Some("a"), goal), None);
        for time in 2..3_000 {
            assert_eq!(add(time, 0, Some("b"), goal), None);
        }
        let completed = add(3_000, 0, Some("c"), goal).unwrap();
        assert_eq!((completed.count, completed.events), (3, 3_000));
        let goal = Goal::Steps {
            count: 3,
            is_ordered: true,
        };
        let mut windows = Windows::default();
        let mut add = |time, step| windows.add("g", entry(time, step, None), goal, 1_000_000);
        assert_eq!(add(1, 0), None);
        for time in 2..3_000 {
            assert_eq!(add(time, 1), None);
        }
        assert_eq!(add(3_000, 2).unwrap().events, 3_000);
        assert_eq!(windows.groups.dropped(), 0);
    }

    #[test]
    fn what_is_told_of_its_size_is_what_there_is() {
        let mut windows = Windows::default();
        let group = "g".repeat(5_000);
        for time in 0..100 {
            windows.add(&group, entry(time * 3, 0, None), Goal::Events(1), 1);
        }
        assert!(
            windows.groups.bytes() > 10_000,
            "{}",
            windows.groups.bytes()
        );
        assert!(
            windows.groups.bytes() < 11_000,
            "{}",
            windows.groups.bytes()
        );
    }

    #[test]
    fn waits_for_steps() {
        let steps = |steps: &[(u64, u8)]| {
            steps
                .iter()
                .map(|(time, step)| (*time, *step, None))
                .collect::<Vec<_>>()
        };
        let ordered = Goal::Steps {
            count: 3,
            is_ordered: true,
        };
        let any = Goal::Steps {
            count: 3,
            is_ordered: false,
        };
        let backward = steps(&[(1, 2), (2, 1), (3, 0)]);
        assert!(complete(ordered, 10, &backward).is_empty());
        assert_eq!(complete(any, 10, &backward), [2]);
        assert_eq!(
            complete(ordered, 10, &steps(&[(1, 0), (2, 0), (3, 1), (4, 2)])),
            [3]
        );
        // They came out of order, and happened in order.
        assert_eq!(
            complete(ordered, 10, &steps(&[(4, 2), (1, 0), (3, 1)])),
            [2]
        );
    }

    #[test]
    fn stays_within_its_bounds() {
        let mut windows = Windows::default();
        for number in 0..(MOST_GROUPS as u64 + 10) {
            windows.add(
                &number.to_string(),
                entry(number, 0, None),
                Goal::Events(5),
                10,
            );
        }
        assert_eq!(
            (windows.groups.len(), windows.groups.dropped()),
            (MOST_GROUPS, 10)
        );
        let mut windows = Windows::default();
        for number in 0..5_000 {
            windows.add("g", entry(number, 0, None), Goal::Events(9_999), u64::MAX);
        }
        assert_eq!(windows.groups.dropped(), 4_000);
        assert!(
            windows.groups.bytes() < 100_000,
            "{}",
            windows.groups.bytes()
        );
    }
}

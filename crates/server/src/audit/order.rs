//! Puts events that come out of order into order, within a short time.
//!
//! An API server sends batches side by side, so that half of all events overtake others. Each event is held for a
//! moment after its arrival; when one is due, all that happened before it go first. What comes later than that is
//! evaluated when it comes.

use std::collections::BTreeMap;

use super::decode::OVERHEAD;

/// An event that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// When the request was received by the API server, in unix microseconds.
    pub(crate) at: i64,
    /// When it came here, in unix milliseconds.
    pub(crate) arrived: i64,
    /// Of auditID and stage.
    pub(crate) key: u128,
    /// The event.
    pub(crate) text: Vec<u8>,
}

/// See the module.
pub(crate) struct Window {
    /// Milliseconds for which an event is held.
    hold: i64,
    most_bytes: usize,
    /// By time, then in the order of arrival.
    events: BTreeMap<(i64, u64), Held>,
    /// Arrival and number of an event, and its time.
    arrivals: BTreeMap<(i64, u64), i64>,
    bytes: usize,
    next: u64,
}

impl Window {
    pub(crate) fn new(hold: i64, most_bytes: usize) -> Self {
        Self {
            hold,
            most_bytes,
            events: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            bytes: 0,
            next: 0,
        }
    }

    pub(crate) fn push(&mut self, event: Held) {
        self.bytes += size(&event);
        self.arrivals.insert((event.arrived, self.next), event.at);
        self.events.insert((event.at, self.next), event);
        self.next += 1;
    }

    /// What is due when it is `now` (unix milliseconds), in order; and as much as is too much to hold.
    pub(crate) fn take(&mut self, now: i64) -> Vec<Held> {
        let due = self
            .arrivals
            .range(..=(now.saturating_sub(self.hold), u64::MAX))
            .map(|(_, at)| *at)
            .max();
        let mut taken = Vec::new();
        while let Some(first) = self.events.first_entry() {
            let is_due = due.is_some_and(|due| first.key().0 <= due);
            if !is_due && self.bytes <= self.most_bytes {
                break;
            }
            let (_, number) = *first.key();
            let event = first.remove();
            self.bytes -= size(&event);
            self.arrivals.remove(&(event.arrived, number));
            taken.push(event);
        }
        taken
    }

    /// When the next event is due, in unix milliseconds.
    pub(crate) fn due(&self) -> Option<i64> {
        let ((arrived, _), _) = self.arrivals.first_key_value()?;
        Some(arrived.saturating_add(self.hold))
    }
}

/// What an event takes in memory. Tiny ones take mostly what is around them.
fn size(event: &Held) -> usize {
    event.text.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: i64, arrived: i64) -> Held {
        Held {
            at,
            arrived,
            key: 0,
            text: vec![0; 10],
        }
    }

    fn times(events: &[Held]) -> Vec<i64> {
        events.iter().map(|event| event.at).collect()
    }

    #[test]
    fn events_come_in_order_and_late_ones_when_they_come() {
        let mut window = Window::new(100, 10_000);
        window.push(event(20, 1000));
        window.push(event(30, 1050));
        window.push(event(10, 1090));
        assert_eq!((window.take(1099), window.due()), (vec![], Some(1100)));
        assert_eq!(times(&window.take(1100)), [10, 20]);
        // Late: something that happened after it is gone already.
        window.push(event(5, 1120));
        assert_eq!(times(&window.take(1150)), [5, 30]);
        assert_eq!((window.due(), window.bytes), (None, 0));
    }

    #[test]
    fn what_is_too_much_goes_at_once_the_oldest_first() {
        let mut window = Window::new(100, 2 * (OVERHEAD + 10) + 5);
        for at in [3, 1, 2, 4] {
            window.push(event(at, 1000));
        }
        assert_eq!(times(&window.take(1000)), [1, 2]);
        assert!(window.take(1000).is_empty());
    }
}

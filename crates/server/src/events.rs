//! The hub through which waiting UIs hear what changed.
//!
//! The last events are kept, so that a client that lost its connection for a moment gets what it missed; one that
//! was away longer is told to ask for everything again.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use seareeve_api::Event;
use tokio::sync::broadcast;

/// How many events are kept for clients that come back.
const KEPT: usize = 256;

/// An event with its number.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    /// Counts up from 1 at the server's start.
    pub(crate) id: u64,
    /// What happened.
    pub(crate) event: Event,
}

/// See the module.
pub(crate) struct Hub {
    /// Distinguishes this server's start from others, so that numbers of an earlier one are not believed.
    epoch: u64,
    kept: Mutex<(u64, VecDeque<Numbered>)>,
    sender: broadcast::Sender<Numbered>,
}

impl Hub {
    /// A hub without events; `epoch` differs at each start.
    pub(crate) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            kept: Mutex::new((0, VecDeque::new())),
            sender: broadcast::channel(KEPT).0,
        }
    }

    /// Tells everybody.
    pub(crate) fn publish(&self, event: Event) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0 += 1;
        let numbered = Numbered { id: kept.0, event };
        if kept.1.len() == KEPT {
            kept.1.pop_front();
        }
        kept.1.push_back(numbered.clone());
        // Nobody listening is fine.
        let _ = self.sender.send(numbered);
    }

    /// What a client missed since `last` (an id made by [`Hub::id`]), and the stream of what comes.
    pub(crate) fn subscribe(
        &self,
        last: Option<&str>,
    ) -> (Vec<Numbered>, broadcast::Receiver<Numbered>) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.sender.subscribe();
        let Some(last) = last else {
            return (Vec::new(), receiver);
        };
        let number = last.split_once('-').and_then(|(epoch, number)| {
            (epoch.parse() == Ok(self.epoch))
                .then(|| number.parse::<u64>().ok())
                .flatten()
        });
        let oldest = kept.1.front().map_or(kept.0 + 1, |first| first.id);
        let missed = match number {
            Some(number) if number <= kept.0 && number + 1 >= oldest => kept
                .1
                .iter()
                .filter(|numbered| numbered.id > number)
                .cloned()
                .collect(),
            _ => vec![Numbered {
                id: kept.0,
                event: Event::Reset,
            }],
        };
        (missed, receiver)
    }

    /// The id of an event as clients see it.
    pub(crate) fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_returning_client_gets_what_it_missed_or_is_told_so() {
        let hub = Hub::new(7);
        for _ in 0..3 {
            hub.publish(Event::Images);
        }
        let ids = |last| {
            hub.subscribe(last)
                .0
                .into_iter()
                .map(|n| n.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(None), Vec::<u64>::new());
        assert_eq!(ids(Some("7-1")), [2, 3]);
        assert_eq!(ids(Some("7-3")), Vec::<u64>::new());
        for strange in ["6-1", "7-9", "x", ""] {
            assert_eq!(
                hub.subscribe(Some(strange)).0.first().unwrap().event,
                Event::Reset,
                "{strange}"
            );
        }
        for _ in 0..KEPT {
            hub.publish(Event::Images);
        }
        assert_eq!(
            hub.subscribe(Some("7-1")).0.first().unwrap().event,
            Event::Reset
        );
        assert_eq!(hub.subscribe(Some("7-3")).0.len(), KEPT);
    }
}

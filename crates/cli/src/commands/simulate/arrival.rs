//! Whether the alerts of a simulation arrived at a server.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use seareeve_api::Client;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// How often each alert of the detections was seen, by its id.
pub(super) type Seen = BTreeMap<String, BTreeMap<String, u64>>;

/// What came.
pub(super) enum Arrival {
    /// All of them.
    After(Duration),
    /// Not those of these detections.
    Missing(Vec<String>),
}

/// Looks at a server's alerts.
pub(super) struct Watcher {
    client: Client,
    patience: Duration,
}

impl Watcher {
    pub(super) fn new(server: &str, patience: Duration) -> anyhow::Result<Self> {
        let client = crate::commands::server::client(server)?;
        Ok(Self { client, patience })
    }

    /// Seconds that are waited for an alert.
    pub(super) fn patience(&self) -> u64 {
        self.patience.as_secs()
    }

    /// The alerts of these detections by now. Counted, since the same again adds to an open alert, and clocks differ.
    pub(super) fn look(&self, rules: &[String]) -> anyhow::Result<Seen> {
        let mut seen = Seen::new();
        for rule in rules {
            let of_rule = seen.entry(rule.clone()).or_default();
            // Those that change come first, and one page of them has more than a simulation raises.
            for alert in self.client.alerts(&[("rule", rule)], None)?.alerts {
                if !alert.is_sample {
                    of_rule.insert(alert.id, alert.seen);
                }
            }
        }
        Ok(seen)
    }

    /// Waits until each detection raised something more.
    pub(super) fn wait(&self, rules: &[String], before: Seen) -> anyhow::Result<Arrival> {
        let began = Instant::now();
        loop {
            let now = self.look(rules)?;
            let missing: Vec<String> = now
                .iter()
                .filter(|(rule, alerts)| !has_more(before.get(*rule), alerts))
                .map(|(rule, _)| rule.clone())
                .collect();
            if missing.is_empty() {
                return Ok(Arrival::After(began.elapsed()));
            }
            if began.elapsed() >= self.patience {
                return Ok(Arrival::Missing(missing));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

fn has_more(before: Option<&BTreeMap<String, u64>>, now: &BTreeMap<String, u64>) -> bool {
    now.iter().any(|(id, seen)| {
        let known = before.and_then(|before| before.get(id));
        known.is_none_or(|known| seen > known)
    })
}

//! The examples of detections, played as they would happen: with what is known of the cluster from one event to the
//! next.

use std::sync::Arc;

use seareeve_detect::{Detector, Engine, Example, ExampleResult};

use crate::fields::SOURCE;
use crate::known::State;
use crate::record::Record;

/// Runs the examples of all detections over audit events.
#[must_use]
pub fn run_examples(engine: &Arc<Engine>) -> Vec<ExampleResult> {
    let rules = engine.rules().filter(|rule| rule.source == SOURCE);
    let each = rules.flat_map(|rule| {
        rule.examples.iter().map(|example| ExampleResult {
            id: rule.id.clone(),
            name: example.name.clone(),
            fault: fault(engine, &rule.id, example),
        })
    });
    each.collect()
}

fn fault(engine: &Arc<Engine>, id: &str, example: &Example) -> Option<String> {
    let mut detector = Detector::new(Arc::clone(engine));
    let mut state = State::default();
    let mut outputs = Vec::new();
    for (number, event) in (1_u32..).zip(&example.events) {
        let text = event.to_string();
        let record = match Record::read(text.as_bytes()) {
            Ok(record) => record,
            Err(error) => return Some(format!("event {number}: {error}")),
        };
        let Some(event) = state.observe(record) else {
            return Some(format!("event {number} is a repetition of another"));
        };
        let alerts = detector.see(SOURCE, &event).into_iter();
        outputs.extend(
            alerts
                .filter(|alert| alert.id == id)
                .map(|alert| alert.output),
        );
    }
    let count = outputs.len();
    match (example.fires, count) {
        (false, 0) => None,
        (false, _) => Some(format!(
            "{count} alerts, and it should be quiet: {}",
            outputs.join(" | ")
        )),
        (true, 0) => Some("no alert".to_owned()),
        (true, _) if example.alerts.is_some_and(|wanted| wanted != count) => {
            Some(format!("{count} alerts: {}", outputs.join(" | ")))
        }
        (true, _) => {
            let (wanted, first) = (example.output.as_ref()?, outputs.first()?);
            (wanted != first).then(|| format!("the output is '{first}', not '{wanted}'"))
        }
    }
}

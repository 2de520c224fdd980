//! The examples of detections, played as they would happen: with what is known of the cluster from one event to the
//! next.

use std::sync::Arc;

use seareeve_detect::{Detector, Engine, ExampleResult, Rule, play_examples_of};
use serde_json::Value;

use crate::fields::SOURCE;
use crate::known::State;
use crate::record::Record;

/// Runs the examples of all detections over audit events.
#[must_use]
pub fn run_examples(engine: &Arc<Engine>) -> Vec<ExampleResult> {
    run_examples_of(engine, |_| true)
}

/// Runs the examples of those detections over audit events that are `wanted`.
#[must_use]
pub fn run_examples_of(engine: &Arc<Engine>, wanted: impl Fn(&Rule) -> bool) -> Vec<ExampleResult> {
    let is_wanted = |rule: &Rule| rule.source == SOURCE && wanted(rule);
    play_examples_of(engine, is_wanted, || {
        let mut state = State::default();
        move |detector: &mut Detector, event: &Value| {
            let text = event.to_string();
            let record =
                Record::read(text.as_bytes()).map_err(|error| format!("is none: {error}"))?;
            let event = state.observe(record);
            let event = event.ok_or_else(|| "is a repetition of another".to_owned())?;
            Ok(detector.see(SOURCE, &event))
        }
    })
}

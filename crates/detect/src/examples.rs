//! The examples of detections, run: each is a test, and tells readers what the detection is about.

use std::sync::Arc;

use seareeve_model::Alert;
use serde_json::Value;

use crate::detection::Example;
use crate::engine::{Detector, Engine, Rule};
use crate::source::Event;

/// What came of one example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleResult {
    /// The detection.
    pub id: String,
    /// What the example shows.
    pub name: String,
    /// What is wrong with it; nothing when all is as it says.
    pub fault: Option<String>,
}

/// Runs the examples of all detections about one source. `read` makes an event of what an example says.
pub fn run_examples(
    engine: &Arc<Engine>,
    source: &str,
    read: impl Fn(&Value) -> Result<Box<dyn Event>, String>,
) -> Vec<ExampleResult> {
    play_examples(engine, source, || {
        |detector: &mut Detector, event: &Value| {
            let event = read(event).map_err(|why| format!("is none: {why}"))?;
            Ok(detector.see(source, event.as_ref()))
        }
    })
}

/// The same where an event is understood by what came before it: `begin` is asked for each example, and gives what
/// shows its events to the detector one after the other, or says what is wrong with one.
pub fn play_examples<P>(
    engine: &Arc<Engine>,
    source: &str,
    begin: impl Fn() -> P,
) -> Vec<ExampleResult>
where
    P: FnMut(&mut Detector, &Value) -> Result<Vec<Alert>, String>,
{
    play_examples_of(engine, |rule| rule.source == source, begin)
}

/// The same for the rules that are `wanted`.
pub fn play_examples_of<P>(
    engine: &Arc<Engine>,
    wanted: impl Fn(&Rule) -> bool,
    begin: impl Fn() -> P,
) -> Vec<ExampleResult>
where
    P: FnMut(&mut Detector, &Value) -> Result<Vec<Alert>, String>,
{
    let mut results = Vec::new();
    for rule in engine.rules().filter(|rule| wanted(rule)) {
        for example in &rule.examples {
            results.push(ExampleResult {
                id: rule.id.clone(),
                name: example.name.clone(),
                fault: fault(engine, &rule.id, example, begin()),
            });
        }
    }
    results
}

fn fault(
    engine: &Arc<Engine>,
    id: &str,
    example: &Example,
    mut show: impl FnMut(&mut Detector, &Value) -> Result<Vec<Alert>, String>,
) -> Option<String> {
    // Examples begin with an empty memory.
    let mut detector = Detector::new(Arc::clone(engine));
    let mut outputs = Vec::new();
    for (number, event) in example.events.iter().enumerate() {
        let alerts = match show(&mut detector, event) {
            Ok(alerts) => alerts,
            Err(why) => return Some(format!("event {} {why}", number + 1)),
        };
        outputs.extend(
            alerts
                .into_iter()
                .filter(|alert| alert.id == id)
                .map(|alert| alert.output),
        );
    }
    let count = outputs.len();
    if !example.fires {
        return (count > 0).then(|| {
            format!(
                "{count} alerts, and it should be quiet: {}",
                outputs.join(" | ")
            )
        });
    }
    if count == 0 {
        return Some("no alert".to_owned());
    }
    if let Some(wanted) = example.alerts.filter(|wanted| *wanted != count) {
        return Some(format!("{count} alerts instead of {wanted}"));
    }
    let (wanted, first) = (example.output.as_ref()?, outputs.first()?);
    (wanted != first).then(|| format!("the output is '{first}', not '{wanted}'"))
}

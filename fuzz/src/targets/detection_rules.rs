//! Rules, detections and lists that a stranger wrote, asked about events that a stranger saw.

use std::sync::Arc;

use seareeve_detect::sources::{FlatEvent, FlatSource};
use seareeve_detect::{Detector, Loader, Options, Source, run_examples};
use serde_json::Value;

use crate::made::parts;
use crate::server::MARK;
use crate::{Target, made};

const WORDS: &[&str] = &[
    "\n====\n",
    "- rule: ",
    "- macro: ",
    "- list: ",
    "  condition: ",
    "  items: [",
    "  output: ",
    "  priority: INFO",
    "  exceptions: [{name: e, fields: [proc.name], comps: [in], values: [[[a]]]}]",
    "  override: {condition: append}",
    "  append: true",
    "required_engine_version: 0.57.0",
    "proc.name",
    "fd.name",
    "fd.types",
    "fd.sip",
    "proc.aname[2]",
    "evt.arg.flags",
    " and ",
    " or ",
    "not ",
    " in (",
    " intersects (",
    " pmatch (",
    " contains anyof (",
    " icontains ",
    " startswith ",
    " endswith ",
    " glob *",
    " regex ",
    " exists",
    " >= 0x1F",
    "tolower(",
    "b64(",
    "val(",
    "join(\",\", (",
    "getopt((\"-a\"), \"a:\")[a]",
    "%10proc.name",
    "correlation: {type: event_count, group-by: [], timespan: 1m, condition: {gte: 1}}",
    "baseline: {type: rare, share: 0.1, group-by: [], fields: [proc.name], learning: 1s}",
    "&a ",
    "*a",
];

pub(super) const TARGET: Target = Target {
    name: "detection_rules",
    run,
    longest: 6 << 10,
    seeds: || made::seeds("detection_rules"),
    words: WORDS,
};

/// Two files and events, in this order.
fn run(input: &[u8]) {
    let parts = parts(input, MARK, 3);
    let text = |number: usize| {
        let part = parts.get(number).copied().unwrap_or_default();
        String::from_utf8_lossy(part).into_owned()
    };
    let source: Arc<dyn Source> = Arc::new(FlatSource::syscall());
    let mut loader = Loader::new(vec![source], Options::default());
    loader.file("first.yaml", &text(0));
    loader.file("second.yaml", &text(1));
    let loaded = loader.finish();
    // Whatever is wrong can be told.
    for found in &loaded.diagnostics {
        assert!(!found.to_string().is_empty());
    }
    let engine = Arc::new(loaded.engine);
    let as_event = |fields: &Value| fields.as_object().cloned().map(FlatEvent::new);
    let _ = run_examples(&engine, "syscall", |fields| match as_event(fields) {
        Some(event) => Ok(Box::new(event)),
        None => Err("no object".to_owned()),
    });
    let events: Vec<FlatEvent> = text(2)
        .lines()
        .filter_map(|line| as_event(&serde_json::from_str(line).ok()?))
        .take(50)
        .collect();
    let alerts = |detector: &mut Detector| -> Vec<String> {
        events
            .iter()
            .flat_map(|event| detector.see("syscall", event))
            .map(|alert| serde_json::to_string(&alert).expect("an alert can be written"))
            .collect()
    };
    let mut detector = Detector::new(Arc::clone(&engine));
    let first = alerts(&mut detector);
    // The same events give the same bytes, and what is saved can be restored.
    let mut again = Detector::new(Arc::clone(&engine));
    assert_eq!(alerts(&mut again), first);
    let saved = detector.save().expect("a memory can be saved");
    again
        .restore(&saved)
        .expect("what was saved can be restored");
    assert_eq!(again.usage().groups, detector.usage().groups);
    let _ = again.restore(input);
}

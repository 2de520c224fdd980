//! Rules that a stranger wrote over audit events that a stranger sent: as the server judges them, state and secrets
//! included.

use std::sync::Arc;

use seareeve_audit::{AuditSource, Found, Record, SOURCE, State, redact_alert, unpack};
use seareeve_detect::{Detector, Loader, Options, Source};

use crate::made::parts;
use crate::server::MARK;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "audit_rules",
    run,
    longest: 12 << 10,
    seeds: || made::seeds("audit_rules"),
    words: &[
        "\n====\n",
        "- rule: a\n  source: k8s_audit\n  desc: a\n  condition: ",
        "  output: \"%ka.user.name %jevt.value[/verb] %ka.target.name\"\n",
        "  priority: INFO\n",
        "- macro: a\n  condition: ka.verb = create\n",
        "- required_plugin_versions: [{name: k8saudit, version: 0.7.0}]\n",
        "ka.verb in (create, update, patch)",
        "ka.target.resource = pods",
        "ka.target.subresource",
        "ka.user.groups intersects (system:masters)",
        "ka.req.pod.containers.image.repository",
        "ka.req.pod.volumes.hostpath",
        "ka.req.binding.subject.has_name[a]",
        "ka.req.role.rules.verbs",
        "ka.uri.param[command]",
        "ka.auth.decision = allow",
        "jevt.value[/requestObject/spec/containers/0/image]",
        "jevt.rawtime",
        "jevt.obj",
        " glob *",
        " regex ",
        " exists",
        " pmatch (/etc)",
        "correlation: {type: temporal_ordered, steps: [{rule: a}, {rule: b}], group-by: [ka.user.name], timespan: 1m}",
        "baseline: {type: first_seen, group-by: [ka.user.name], fields: [ka.useragent], learning: 1s}",
        "\"requestObject\":{\"kind\":\"Pod\",\"spec\":{\"containers\":[{",
        "\"responseObject\":{",
        "\"data\":{\"password\":\"",
        "&a ",
        "*a",
    ],
};

/// Rules, then documents with events.
fn run(input: &[u8]) {
    let parts = parts(input, MARK, 4);
    let text = String::from_utf8_lossy(parts.first().copied().unwrap_or_default());
    let source: Arc<dyn Source> = Arc::new(AuditSource);
    let mut loader = Loader::new(vec![source], Options::default());
    loader.file("rules.yaml", &text);
    let loaded = loader.finish();
    for found in &loaded.diagnostics {
        assert!(!found.to_string().is_empty());
    }
    let engine = Arc::new(loaded.engine);
    let _ = seareeve_audit::run_examples(&engine);
    let mut events: Vec<Vec<u8>> = Vec::new();
    for part in parts.iter().skip(1) {
        unpack(part, &mut |found| {
            if let Found::Event(event) = found
                && events.len() < 50
            {
                events.push(event.into_owned());
            }
        });
    }
    let first = alerts(&mut Detector::new(Arc::clone(&engine)), &events);
    // The same events give the same bytes.
    assert_eq!(alerts(&mut Detector::new(engine), &events), first);
}

fn alerts(detector: &mut Detector, events: &[Vec<u8>]) -> Vec<String> {
    let mut state = State::default();
    let mut raised = Vec::new();
    for text in events {
        let Ok(record) = Record::read(text) else {
            continue;
        };
        let Some(event) = state.observe(record) else {
            continue;
        };
        for mut alert in detector.see(SOURCE, &event) {
            redact_alert(&mut alert);
            raised.push(serde_json::to_string(&alert).expect("an alert can be written"));
        }
    }
    raised
}

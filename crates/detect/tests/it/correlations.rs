//! Correlations and baselines, from the file to the alert, over restarts.

use std::sync::Arc;

use seareeve_detect::{Detector, run_examples};
use seareeve_model::Alert;
use serde_json::{Value, json};

use crate::support::{detector, errors, event, load, see};

const SECOND: u64 = 1_000_000_000;

/// A detection with everything that one must have.
fn detection(id: &str, keys: &str) -> String {
    format!(
        "id: {id}\ntitle: The {id}\nsource: syscall\nseverity: medium\ntactics: []\ntechniques: []\ndescription: '%user.name did it %correlation.count times'\nremediation: [ask]\nfalse_positives: []\nentities:\n- {{kind: account, fields: {{name: user.name}}}}\nexamples:\n- {{fires: x, event: {{}}}}\n- {{quiet: x, event: {{}}}}\noutput: '%user.name ran %proc.name'\n{keys}"
    )
}

fn ran(at: u64, user: &str, program: &str) -> Value {
    json!({"evt.type": "execve", "evt.rawtime": at * SECOND, "user.name": user, "proc.name": program})
}

/// The places of the events that raise an alert.
fn alarms(detector: &mut Detector, events: &[Value]) -> Vec<usize> {
    let mut alarms = Vec::new();
    for (number, fields) in events.iter().enumerate() {
        let alerts = detector.see("syscall", &event(fields));
        alarms.extend(alerts.iter().map(|_| number));
    }
    alarms
}

#[test]
fn sentences_list_values_without_brackets_and_outputs_with_them() {
    let file = detection("told", "condition: evt.type = execve\n")
        .replace(
            "did it %correlation.count times",
            "by (%proc.aname) in %proc.cwd",
        )
        .replace("ran %proc.name", "by %proc.aname in %proc.cwd");
    let mut detector = detector(&[("told.yaml", &file)]);
    let run = json!({"evt.type": "execve", "evt.rawtime": SECOND, "user.name": "a", "proc.aname": ["sh", "sshd"]});
    let alerts: Vec<Alert> = see(&mut detector, &[run]);
    assert_eq!(alerts[0].description, "a by (sh, sshd) in not known");
    assert_eq!(alerts[0].output, "a by (sh,sshd) in <NA>");
}

#[test]
fn events_are_counted_by_group() {
    let file = detection(
        "many",
        "condition: evt.type = execve\ncorrelation:\n  type: event_count\n  group-by: [user.name]\n  timespan: 1m\n  condition: {gte: 3}\n",
    );
    let mut detector = detector(&[("many.yaml", &file)]);
    let events = [
        ran(0, "a", "x"),
        ran(1, "b", "x"),
        ran(2, "a", "y"),
        ran(3, "b", "x"),
        ran(50, "a", "z"),
    ];
    let alerts: Vec<Alert> = see(&mut detector, &events);
    assert_eq!(alerts.len(), 1);
    let alert = &alerts[0];
    assert_eq!(alert.description, "a did it 3 times");
    assert_eq!(alert.output, "a ran z");
    let correlated = alert.evidence.correlated.as_ref().unwrap();
    assert_eq!(
        (correlated.events, correlated.group["user.name"].as_str()),
        (3, "a")
    );
    let samples: Vec<&str> = correlated
        .samples
        .iter()
        .map(|sample| sample.output.as_str())
        .collect();
    assert_eq!(samples, ["a ran x", "a ran y", "a ran z"]);
    assert!(alert.evidence.reasons[0].starts_with("3 events between 1970-01-01T00:00:00Z and"));
    // One without the field is not counted, and a group that was told is quiet for a minute.
    let more = [
        json!({"evt.type": "execve"}),
        ran(51, "a", "x"),
        ran(52, "a", "x"),
        ran(53, "a", "x"),
        ran(54, "b", "x"),
    ];
    assert_eq!(alarms(&mut detector, &more), [4]);
}

#[test]
fn values_are_counted() {
    let file = detection(
        "scan",
        "condition: evt.type = execve\ncorrelation:\n  type: value_count\n  group-by: []\n  timespan: 10s\n  condition: {gt: 2, field: proc.name}\n",
    );
    let mut detector = detector(&[("scan.yaml", &file)]);
    let events = [
        ran(0, "a", "x"),
        ran(1, "a", "x"),
        ran(2, "b", "y"),
        ran(3, "c", "x"),
        ran(4, "d", "z"),
    ];
    assert_eq!(alarms(&mut detector, &events), [4]);
}

#[test]
fn steps_come_in_their_order() {
    let ordered = detection(
        "chain",
        "correlation:\n  type: temporal_ordered\n  group-by: [user.name]\n  timespan: 1h\n  steps:\n  - {name: fetched, condition: proc.name in (curl)}\n  - {name: marked, condition: proc.name = chmod}\n  - {rule: sh-run}\n",
    );
    let step = detection(
        "sh-run",
        "condition: evt.type = execve and proc.name = sh\nenabled: false\n",
    );
    let files = [
        ("chain.yaml", ordered.as_str()),
        ("sh-run.yaml", step.as_str()),
    ];
    let events = [
        ran(1, "a", "curl"),
        ran(2, "a", "chmod"),
        ran(3, "b", "sh"),
        ran(4, "a", "sh"),
    ];
    let mut one = detector(&files);
    // The step that is a rule is off, and raises nothing by itself.
    assert_eq!(alarms(&mut one, &events), [3]);
    let mut other = detector(&files);
    let backward = [ran(1, "a", "sh"), ran(2, "a", "chmod"), ran(3, "a", "curl")];
    assert_eq!(alarms(&mut other, &backward), Vec::<usize>::new());
    let unordered = ordered.replace("temporal_ordered", "temporal");
    let mut any = detector(&[("chain.yaml", &unordered), files[1]]);
    assert_eq!(alarms(&mut any, &backward), [2]);
}

#[test]
fn steps_can_group_by_other_fields() {
    let file = detection(
        "handed-over",
        "correlation:\n  type: temporal_ordered\n  group-by: [user.name]\n  timespan: 1h\n  steps:\n  - {name: wrote, condition: proc.name = tee}\n  - {name: ran, condition: proc.name = sh, group-by: [user.loginname]}\n",
    );
    let mut detector = detector(&[("handed-over.yaml", &file)]);
    let events = [
        ran(1, "a", "tee"),
        json!({"evt.type": "execve", "evt.rawtime": 2 * SECOND, "user.loginname": "a", "proc.name": "sh"}),
    ];
    assert_eq!(alarms(&mut detector, &events), [1]);
}

const HABIT: &str = "condition: evt.type = execve\nbaseline:\n  type: first_seen\n  group-by: [user.name]\n  fields: [proc.name, proc.pname]\n  learning: 1h\n";

#[test]
fn what_is_new_is_told_with_its_reasons() {
    let file = detection("odd", HABIT);
    let mut detector = detector(&[("odd.yaml", &file)]);
    let events = [
        ran(0, "a", "ls"),
        ran(10, "a", "cat"),
        ran(3_599, "a", "vi"),
        ran(3_600, "a", "ls"),
        ran(3_700, "a", "nmap"),
    ];
    let alerts = see(&mut detector, &events);
    assert_eq!(alerts.len(), 1);
    assert_eq!(
        alerts[0].evidence.reasons,
        [
            "proc.name nmap, proc.pname (none) was never seen of user.name a in 4 events since 1970-01-01T00:00:00Z",
            "proc.name nmap is new; usual are ls (2), cat (1), vi (1)",
        ]
    );
    assert_eq!(
        alarms(&mut detector, &[ran(3_800, "a", "nmap")]),
        Vec::<usize>::new()
    );
}

#[test]
fn memory_survives_restarts_and_changes() {
    let file = detection("odd", HABIT);
    let count = detection(
        "many",
        "condition: evt.type = execve\ncorrelation: {type: event_count, group-by: [user.name], timespan: 1d, condition: {gte: 3}}\n",
    );
    let files = [("odd.yaml", file.as_str()), ("many.yaml", count.as_str())];
    let mut before = detector(&files);
    assert_eq!(
        alarms(&mut before, &[ran(0, "a", "ls"), ran(1, "a", "ls")]),
        Vec::<usize>::new()
    );
    let saved = before.save().unwrap();
    assert_eq!(saved, before.save().unwrap());
    let mut after = detector(&files);
    after.restore(&saved).unwrap();
    assert_eq!(after.usage().groups, 2);
    // One is the third event, one is new.
    assert_eq!(alarms(&mut after, &[ran(4_000, "a", "nmap")]), [0, 0]);
    // Who changes a detection makes it learn anew; the other one goes on.
    let changed = file.replace("learning: 1h", "learning: 2h");
    let mut changed = detector(&[("odd.yaml", &changed), files[1]]);
    changed.restore(&saved).unwrap();
    assert_eq!(alarms(&mut changed, &[ran(4_000, "a", "nmap")]), [0]);
    // While running, too.
    let loaded = load(&[files[1]]);
    after.replace(Arc::new(loaded.engine));
    assert_eq!(after.usage().groups, 1);
    let cut = &saved[..saved.len() / 2];
    for damaged in [&b""[..], b"SRVM", b"SRVM\0\0\0\x63", cut] {
        assert!(after.restore(damaged).is_err());
    }
    assert_eq!(after.usage().groups, 1);
}

#[test]
fn detections_are_checked() {
    let count = "condition: evt.type = execve\ncorrelation: {type: event_count, group-by: [user.name], timespan: 1m, condition: {gte: 3}}\n";
    let good = detection("one", count);
    assert_eq!(errors(&load(&[("one.yaml", &good)])), Vec::<String>::new());
    let cases = [
        ("id: one", "id: two", "its file's name one"),
        ("id: one", "id: One", "lower-case"),
        ("severity: medium", "severity: severe", "no severity"),
        ("tactics: []", "tactics: [Execution]", "no tactic"),
        ("techniques: []", "techniques: [1610]", "no technique"),
        ("tactics: []\n", "", "'tactics'"),
        ("remediation: [ask]\n", "", "'remediation'"),
        ("title:", "titel: x\ntitle:", "unknown key 'titel'"),
        (
            "- {quiet: x, event: {}}",
            "- {fires: y, event: {}}",
            "at least one is quiet",
        ),
        (
            "- {quiet: x, event: {}}",
            "- {quiet: x}",
            "`event` or `events`",
        ),
        (
            "kind: account, ",
            "kind: account, name: x, ",
            "unknown key 'name'",
        ),
        (
            "{name: user.name}",
            "{name: user.nome}",
            "no field user.nome",
        ),
        (
            "{name: user.name}",
            "{name: user.name x}",
            "a field and nothing else",
        ),
        ("%user.name ran", "%user.nome ran", "no field user.nome"),
        ("timespan: 1m", "timespan: 1y", "no span of time"),
        ("timespan: 1m", "timespan: 40d", "at most 30 days"),
        ("gte: 3", "lt: 3", "what does not happen"),
        ("gte: 3", "gte: 3, field: user.name", "counts no field"),
        ("gte: 3", "gte: 100000", "1 to 1000"),
        ("event_count", "value_count", "has a field"),
        ("event_count", "temporal", "no condition"),
        ("event_count", "events", "no correlation"),
        (
            "group-by: [user.name]",
            "group-by: user.name",
            "not a sequence",
        ),
    ];
    for (from, to, message) in cases {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        let errors = errors(&load(&[("one.yaml", &text)]));
        assert!(
            errors.len() == 1 && errors[0].contains(message),
            "{to}: {errors:?}"
        );
        assert!(errors[0].starts_with("one.yaml:"), "{errors:?}");
    }
    let other = detection(
        "chain",
        "correlation:\n  type: temporal\n  group-by: []\n  timespan: 1h\n  steps: [{rule: nobody}, {name: b, condition: proc.name = x}]\n",
    );
    assert!(errors(&load(&[("chain.yaml", &other)]))[0].contains("no detection nobody"));
    let same = detection("one", "condition: evt.type = open\n");
    let twice = errors(&load(&[("a/one.yaml", &same), ("b/one.yaml", &same)]));
    assert!(twice[0].contains("there is another rule"), "{twice:?}");
}

#[test]
fn examples_say_what_is_wrong_with_them() {
    let file = detection("one", "condition: evt.type = execve and user.name exists\n")
        .replace("- {fires: x, event: {}}", "- {fires: none, event: {}}\n- {fires: twice, events: [{evt.type: execve, user.name: a}], alerts: 2}\n- {fires: other words, event: {evt.type: execve, user.name: a}, output: a}\n- {fires: right, event: {evt.type: execve, user.name: a, proc.name: b}, output: a ran b}")
        .replace("- {quiet: x, event: {}}", "- {quiet: loud, event: {evt.type: execve, user.name: a}}");
    let loaded = load(&[("one.yaml", &file)]);
    assert_eq!(errors(&loaded), Vec::<String>::new());
    let results = run_examples(&Arc::new(loaded.engine), "syscall", |fields| {
        Ok(Box::new(event(fields)))
    });
    let faults: Vec<(&str, Option<&str>)> = results
        .iter()
        .map(|result| (result.name.as_str(), result.fault.as_deref()))
        .collect();
    assert_eq!(
        faults,
        [
            ("none", Some("no alert")),
            ("twice", Some("1 alerts instead of 2")),
            ("other words", Some("the output is 'a ran <NA>', not 'a'")),
            ("right", None),
            ("loud", Some("1 alerts, and it should be quiet: a ran <NA>")),
        ]
    );
}

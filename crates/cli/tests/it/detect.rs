//! `seareeve detect` and `seareeve rules`.

use serde_json::Value;

use crate::support::Home;

const RULES: &str = "- list: shells
  items: [bash, sh]
- macro: started
  condition: evt.type in (execve, execveat)
- rule: Shell in container
  desc: A shell was started in a container
  condition: started and proc.name in (shells) and container.id exists
  output: \"shell %proc.name in %container.name by %user.name\"
  priority: WARNING
  tags: [mitre_execution, T1059.004]
";

const EVENTS: &str = "{\"evt.type\":\"execve\",\"evt.time\":\"2026-01-01T00:00:00Z\",\"proc.name\":\"bash\",\"container.id\":\"3f1a\",\"container.name\":\"web\",\"user.name\":\"\\u001b[2Jwww\"}

{\"evt.type\":\"execve\",\"proc.name\":\"bash\"}
[1]
not json
";

const DETECTION: &str = "id: shell-in-web
title: Shell in the web server
source: syscall
severity: high
tactics: [execution]
techniques: [T1059.004]
condition: evt.type = execve and proc.name in (web_shells)
output: \"%proc.name\"
description: \"%user.name got in\"
remediation: [\"Stop %container.name\"]
entities: [{kind: container, fields: {name: container.name}}]
false_positives: [Nobody]
lists: {web_shells: [bash]}
examples:
- {fires: a shell, event: {evt.type: execve, proc.name: bash}}
- {quiet: a server, event: {evt.type: execve, proc.name: nginx}}
";

#[test]
fn events_become_alerts() {
    let home = Home::new();
    home.write("rules.yaml", RULES);
    home.write("events.jsonl", EVENTS);
    let arguments = [
        "detect",
        "--source",
        "host",
        "--rules",
        "rules.yaml",
        "--",
        "events.jsonl",
    ];
    let run = home.run(&arguments);
    // What is no event is named, and makes the result incomplete.
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(
        run.err
            .contains("events.jsonl:4: skipped: no object of fields"),
        "{}",
        run.err
    );
    assert!(
        run.err.contains("events.jsonl:5: skipped: no JSON"),
        "{}",
        run.err
    );
    assert!(
        run.err.contains("2 events, 1 alerts, 2 skipped"),
        "{}",
        run.err
    );
    assert!(!run.out.contains('\u{1b}'));
    let alerts: Vec<Value> = run
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(alerts.len(), 1);
    // All but the digest of what the rule is made of, which changes with every word of it.
    let (before, digest) = run.out.trim_end().split_once("sha256:").unwrap();
    insta::assert_snapshot!(format!("{before}…{}", digest.get(64..).unwrap()));
    // The same from standard input, and the same bytes.
    let again = home.run_with_input(&arguments[..5], EVENTS.as_bytes());
    assert_eq!((again.code, again.out), (3, run.out));
}

#[test]
fn events_may_stand_before_rules_and_are_told_where_they_are_taken_for_rules() {
    let home = Home::new();
    home.write("rules.yaml", RULES);
    home.write("more.yaml", "- list: more\n  items: [a]\n");
    home.write("events.jsonl", EVENTS);
    let before = ["detect", "--source", "host", "events.jsonl", "--rules"];
    let run = home.run(&[&before[..], &["rules.yaml", "more.yaml"]].concat());
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(run.err.contains("2 events, 1 alerts"), "{}", run.err);
    let run = home.run(&[
        "detect",
        "--source",
        "host",
        "--rules",
        "rules.yaml",
        "events.jsonl",
    ]);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    let hint = "error: events.jsonl stands behind --rules: files of events stand before it, or behind `--`: the rules";
    assert!(run.err.starts_with(hint), "{}", run.err);
}

#[test]
fn without_rules_the_built_in_ones_are_asked() {
    let home = Home::new();
    let event = b"{\"evt.type\":\"execve\",\"proc.name\":\"xmrig\",\"proc.cmdline\":\"xmrig\"}\n";
    let run = home.run_with_input(&["detect", "--source", "host"], event);
    assert_eq!(run.code, 0, "{}", run.err);
    let alert: Value = serde_json::from_str(run.out.trim()).unwrap();
    assert_eq!(
        (&alert["id"], &alert["severity"]),
        (&"miner-started".into(), &"high".into())
    );
    let off = home.run_with_input(
        &["detect", "--source", "host", "--off", "miner-started"],
        event,
    );
    assert_eq!((off.code, off.out.as_str()), (0, ""));
}

#[test]
fn rules_that_cannot_be_used_are_told() {
    let home = Home::new();
    home.write("rules.yaml", RULES.replace("proc.name in", "proc.nome in"));
    let run = home.run(&["rules", "validate", "rules.yaml"]);
    assert_eq!(run.code, 2, "{}", run.err);
    insta::assert_snapshot!(run.out, @"rules.yaml:7:26: error: rule 'Shell in container': there is no field proc.nome; proc.name is there [LOAD_ERR_COMPILE_CONDITION]");
    let json = home.run(&["rules", "validate", "rules.yaml", "--format", "json"]);
    let found: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&found[0]["line"], &found[0]["error"]),
        (&7.into(), &true.into())
    );
    let detect = home.run_with_input(
        &["detect", "--source", "host", "--rules", "rules.yaml"],
        b"",
    );
    assert_eq!(detect.code, 1);
    assert!(detect.err.contains("rules.yaml:7:26"), "{}", detect.err);
    let disable = [
        "rules",
        "validate",
        "rules.yaml",
        "--unknown-fields",
        "disable",
    ];
    let run = home.run(&disable);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("LOAD_UNKNOWN_FILTER"), "{}", run.out);
    let missing = home.run(&["rules", "validate", "nowhere.yaml"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing.out.contains("LOAD_ERR_FILE_READ"),
        "{}",
        missing.out
    );
}

#[test]
fn detections_are_tested_explained_and_measured() {
    let home = Home::new();
    home.write("mine/shell-in-web.yaml", DETECTION);
    home.write("events.jsonl", EVENTS);
    let run = home.run(&["rules", "test", "mine"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    assert!(
        run.err.contains("1 detections, 2 examples, 0 faults"),
        "{}",
        run.err
    );
    let explained = home.run(&["rules", "explain", "shell-in-web", "mine"]);
    assert_eq!(explained.code, 0, "{}", explained.err);
    let text: Vec<&str> = explained
        .out
        .lines()
        .filter(|line| !line.starts_with("content"))
        .collect();
    insta::assert_snapshot!(text.join("\n"));
    let bench = home.run(&[
        "rules",
        "bench",
        "mine",
        "--source",
        "host",
        "--events",
        "events.jsonl",
    ]);
    assert_eq!(bench.code, 0, "{}", bench.err);
    assert!(
        bench.out.contains("events      2\nalerts      2\n"),
        "{}",
        bench.out
    );
    home.write(
        "mine/shell-in-web.yaml",
        DETECTION.replace("proc.name: nginx", "proc.name: bash"),
    );
    let run = home.run(&["rules", "test", "mine"]);
    assert_eq!(run.code, 2);
    assert_eq!(
        run.out,
        "shell-in-web: a server: 1 alerts, and it should be quiet: bash\n"
    );
}

#[test]
fn lists_of_others_are_asked_too() {
    let home = Home::new();
    let event = |address: &str| {
        serde_json::json!({"kind": "Event", "auditID": address, "stage": "ResponseComplete", "verb": "get",
            "requestURI": "/api/v1/namespaces/default/pods/x", "user": {"username": "eve"}, "sourceIPs": [address],
            "userAgent": "kubectl/v1.30.0", "responseStatus": {"code": 200},
            "objectRef": {"resource": "pods", "namespace": "default", "name": "x"},
            "requestReceivedTimestamp": "2026-01-01T00:00:00Z"})
        .to_string()
    };
    let events: String = ["198.51.100.7", "198.51.100.8", "198.51.100.9"]
        .map(|address| event(address) + "\n")
        .concat();
    home.write("events.jsonl", events);
    home.write("exits.txt", "198.51.100.8 # an exit\nno address\n");
    home.write(
        "bundle.json",
        r#"{"type": "bundle", "objects": [{"type": "indicator", "pattern_type": "stix",
        "pattern": "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"}]}"#,
    );
    home.write("mine.txt", "198.51.100.9\n");
    let run = |lists: &[&str]| {
        let mut arguments = vec!["detect", "--source", "audit"];
        for list in lists {
            arguments.extend(["--intel", list]);
        }
        arguments.push("events.jsonl");
        home.run(&arguments)
    };
    assert_eq!(run(&[]).out, "");
    let exits = run(&["tor_and_proxy_networks=exits.txt"]);
    assert_eq!(exits.code, 0, "{}", exits.err);
    assert!(
        exits
            .err
            .contains("exits.txt: 1 entries are not used: a text that is none, such as no address"),
        "{}",
        exits.err
    );
    let alert: Value = serde_json::from_str(exits.out.trim()).unwrap();
    assert_eq!(
        (&alert["id"], &alert["evidence"]["reasons"][0]),
        (
            &"proxy-address".into(),
            &"198.51.100.8 is on the list exits.txt (a file)".into()
        )
    );
    let bad = run(&["bundle.json"]);
    assert_eq!(bad.out.lines().count(), 3, "{}", bad.err);
    // A network of which a part is never bad is still a network: only what is excluded whole goes.
    assert_eq!(
        run(&["bundle.json", "exclusions=mine.txt"])
            .out
            .lines()
            .count(),
        3
    );
    home.write("bad.txt", "198.51.100.7\n198.51.100.9\n");
    assert_eq!(
        run(&["bad.txt", "exclusions=mine.txt"]).out.lines().count(),
        1
    );
    let wrong = run(&["nothing=bad.txt"]);
    assert_eq!(wrong.code, 1);
    assert!(
        wrong.err.contains("nothing is no list that files extend: "),
        "{}",
        wrong.err
    );
}

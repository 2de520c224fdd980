//! `seareeve admission`: what a policy would do, and as what it is written. The webhook has tests of its own.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Home, Run, serve};

const MANIFESTS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      automountServiceAccountToken: false
      containers:
        - {name: web, image: nginx, securityContext: {privileged: true}}
---
apiVersion: v1
kind: Pod
metadata: {name: tool, namespace: dev}
spec:
  containers:
    - {name: tool, image: nginx, securityContext: {privileged: true}}
"#;

const POLICY: &str = "schema: seareeve.admission/1\nmode: 'off'\nrecommendations:\n  kubernetes-privileged: \
    {mode: deny, namespaces: {dev: warn}}\n  kubernetes-api-credentials: {mode: audit}\n";

fn home() -> Home {
    let home = Home::new();
    home.write("objects.yaml", MANIFESTS);
    home.write("policy.yaml", POLICY);
    home
}

#[test]
fn a_preview_says_what_would_be_refused() {
    let home = home();
    let arguments = [
        "admission",
        "preview",
        "--policy",
        "policy.yaml",
        "-f",
        "objects.yaml",
    ];
    let run = home.run(&arguments);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    insta::assert_snapshot!(run.out, @"
    RECOMMENDATION                   REFUSED  WARNED RECORDED NOT JUDGED
    kubernetes-api-credentials             0       0        1          0
    kubernetes-privileged                  1       1        0          0

    kubernetes-api-credentials
      recorded  Pod dev/tool: gets the token of its service account, since it does not say otherwise

    kubernetes-privileged
      refused   Deployment shop/web: container web is privileged
      warned    Pod dev/tool: container tool is privileged

    2 objects were looked at. Nothing was changed.
    ");
    assert_eq!(
        home.run(&[&arguments[..], &["--fail-on-denied"]].concat())
            .code,
        2
    );
    let json = home.run(&[&arguments[..], &["-F", "json"]].concat());
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["hits"][1]["effect"], "denied");
}

#[test]
fn facts_that_were_saved_are_looked_at_as_manifests_are() {
    let home = home();
    let saved = home.run(&[
        "k8s",
        "-f",
        "objects.yaml",
        "--save-facts",
        "facts.json",
        "-q",
    ]);
    assert_eq!(saved.err, "");
    let of = |more: &[&str]| {
        home.run(&[&["admission", "preview", "--policy", "policy.yaml"], more].concat())
            .out
    };
    assert_eq!(of(&["--facts", "facts.json"]), of(&["-f", "objects.yaml"]));
}

#[test]
fn an_export_says_what_it_leaves_out() {
    let home = home();
    let run = home.run(&["admission", "export", "--policy", "policy.yaml"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_eq!(
        run.out.matches("kind: ValidatingAdmissionPolicy\n").count(),
        2
    );
    home.write(
        "more.yaml",
        "schema: seareeve.admission/1\nmode: 'off'\nrecommendations: {kubernetes-vulnerable-images: {mode: deny}}",
    );
    let run = home.run(&["admission", "export", "--policy", "more.yaml"]);
    assert_eq!(run.code, 3);
    assert!(
        run.err
            .starts_with("not exported: kubernetes-vulnerable-images"),
        "{}",
        run.err
    );
    assert!(
        run.out
            .starts_with("# Not exported: kubernetes.workload.vulnerable-image"),
        "{}",
        run.out
    );
}

#[test]
fn a_policy_that_cannot_be_used_is_named_with_all_that_is_wrong() {
    let home = home();
    home.write(
        "policy.yaml",
        "schema: seareeve.admission/1\nrecommendations: {a: {}, b: {}}",
    );
    let run = home.run(&[
        "admission",
        "preview",
        "--policy",
        "policy.yaml",
        "-f",
        "objects.yaml",
    ]);
    assert_eq!(run.code, 1);
    for word in ["policy.yaml", "`recommendations.a`", "`recommendations.b`"] {
        assert!(run.err.contains(word), "{}", run.err);
    }
    assert_eq!(home.run(&["admission"]).code, 1);
}

#[test]
fn the_webhook_says_where_it_is_and_registers_under_its_authority() {
    let home = home();
    let mut child = home
        .command(&[
            "--data-dir",
            "data",
            "admission",
            "--policy",
            "policy.yaml",
            "--listen",
            "127.0.0.1:0",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    assert!(
        line.starts_with("Seareeve answers at https://127.0.0.1:"),
        "{line}"
    );
    let register = ["--data-dir", "data", "admission", "register"];
    let run = home.run(&register);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(
        run.out.contains("failurePolicy: Ignore") && run.out.contains("name: seareeve-admission")
    );
    let again = home.run(
        &[
            &register[..],
            &["--fail-closed", "--url", "https://h:1/validate"],
        ]
        .concat(),
    );
    assert!(
        again.out.contains("failurePolicy: Fail")
            && again.out.contains("url: \"https://h:1/validate\"")
    );
    let bundle = |text: &str| {
        text.lines()
            .find(|line| line.contains("caBundle"))
            .map(str::to_owned)
    };
    assert_eq!(bundle(&run.out), bundle(&again.out));
    assert_eq!(
        home.run(&[&register[..], &["--service", "nowhere"]].concat())
            .code,
        1
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_stands_against_a_webhooks_being_asked_is_told_when_it_does() {
    let certificate = |until: &str, late_from: &str, authority: &str, authority_late: &str| {
        json!({"until": until, "late_from": late_from, "authority_until": authority,
            "authority_late_from": authority_late, "problem": null, "refusals": []})
    };
    let sound = certificate(
        "2030-06-15T00:00:00Z",
        "2030-06-01T00:00:00Z",
        "2039-06-15T00:00:00Z",
        "2039-04-16T00:00:00Z",
    );
    let late = certificate(
        "2030-01-11T00:00:00Z",
        "2029-12-28T00:00:00Z",
        "2030-02-20T00:00:00Z",
        "2029-12-22T00:00:00Z",
    );
    let mut over = certificate(
        "2029-12-31T00:00:00Z",
        "2029-12-17T00:00:00Z",
        "2039-06-15T00:00:00Z",
        "2039-04-16T00:00:00Z",
    );
    over["problem"] = json!("the certificate could not be renewed: the volume\u{1b}[2J is full");
    over["refusals"] = json!([
        {"at": "2029-12-31T23:00:00Z", "by": "10.0.0.2", "why": "certificate expired"},
        {"at": "2029-12-31T22:00:00Z", "by": "10.0.0.1", "why": "bad certificate"},
    ]);
    let gate = |name: &str, away: bool, certificate: &Value| {
        json!({"cluster": "prod", "name": name, "version": "0.1.0", "current": true, "reviews": 3, "away": away,
            "certificate": certificate, "first_seen": "2029-01-01T00:00:00Z", "last_seen": "2030-01-01T00:00:00Z"})
    };
    let gates = [
        gate("sound", false, &sound),
        gate("late", false, &late),
        gate("over", true, &over),
        gate("silent", false, &Value::Null),
    ];
    let activity = json!({"gates": gates, "counts": [], "samples": []}).to_string();
    let address = serve(Box::new(move |_, _| {
        ("200 OK", "application/json", activity.clone().into_bytes())
    }));
    let home = Home::new();
    let mut command = home.command(&["server", "admission", "decisions"]);
    command
        .env("SEAREEVE_SERVER", format!("http://{address}"))
        .env("SEAREEVE_TOKEN", "t")
        // The first day of 2030.
        .env("SOURCE_DATE_EPOCH", "1893456000");
    let run = Run::from(command.output().unwrap());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    insta::assert_snapshot!(run.out, @"
    prod sound 0.1.0: 3 reviews, last seen 2030-01-01T00:00:00Z
    prod late 0.1.0: 3 reviews, last seen 2030-01-01T00:00:00Z
      its certificate ends 2030-01-11T00:00:00Z, and was not renewed
      its authority ends 2030-02-20T00:00:00Z: if the API server was not told of the next one by then (register again), the cluster lets everything in
    prod over 0.1.0: 3 reviews, last seen 2030-01-01T00:00:00Z
      no webhook of the cluster was heard of for minutes: if none answers, it lets everything in
      its certificate ended 2029-12-31T00:00:00Z, and was not renewed
      10.0.0.2 refused its certificate at 2029-12-31T23:00:00Z (certificate expired): if that is the API server, register again
      10.0.0.1 refused its certificate at 2029-12-31T22:00:00Z (bad certificate): if that is the API server, register again
      the certificate could not be renewed: the volume�[2J is full
    prod silent 0.1.0: 3 reviews, last seen 2030-01-01T00:00:00Z
    ");
}

//! `--server`: somebody else matches, the result looks the same.

use serde_json::Value;

use crate::formats;
use crate::support::{APP, Home, Run, serve};

#[test]
fn a_servers_answer_is_printed_in_every_format_as_our_own() {
    let home = Home::new();
    home.image(&APP);
    home.write(".trivyignore", "CVE-2020-1747\n");
    let arguments = ["image", "--input", "app.tar", "-q", "-f"];
    // The server knows nothing of the user's ignore file.
    let answer = home.run(&[&arguments[..], &["json", "--ignore-file", "/dev/null"]].concat());
    let answer = answer.out.into_bytes();
    let server = serve(Box::new(move |request, head| {
        assert!(head.contains("authorization: bearer token"), "{head}");
        match request {
            "POST /api/v1/sboms" => ("200 OK", "application/json", answer.clone()),
            _ => ("404 Not Found", "application/json", Vec::new()),
        }
    }));
    for format in [
        "table",
        "json",
        "sarif",
        "cyclonedx",
        "spdx-json",
        "junit",
        "html",
    ] {
        let own = home.run(&[&arguments[..], &[format]].concat());
        let output = home
            .command(&[&arguments[..], &[format]].concat())
            .env("SEAREEVE_SERVER", format!("http://{server}"))
            .env("SEAREEVE_TOKEN", "token")
            .output();
        let asked = Run::from(output.unwrap());
        assert_eq!((asked.code, asked.err.as_str()), (0, ""), "{format}");
        assert_eq!(asked.out, own.out, "{format}");
    }
}

#[test]
fn an_answer_about_something_else_is_refused() {
    let home = Home::new();
    home.image(&APP);
    let other = Home::new();
    other.image(&[
        APP[0],
        APP[1],
        ("opt/PyYAML-5.3.dist-info/METADATA", APP[2].1),
    ]);
    let answer = other
        .run(&["image", "--input", "app.tar", "-f", "json"])
        .out;
    let server = serve(Box::new(move |_, _| {
        ("200 OK", "application/json", answer.clone().into_bytes())
    }));
    let output = home
        .command(&[
            "image",
            "--input",
            "app.tar",
            "--server",
            &format!("http://{server}"),
        ])
        .env("SEAREEVE_TOKEN", "token")
        .output();
    let run = Run::from(output.unwrap());
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert_eq!(
        run.err,
        "error: failed to understand the server's answer: CVE-2020-14343 is said of pkg:pypi/pyyaml@5.3 in \
         opt/PyYAML-5.3.dist-info/METADATA, which the image does not hold\n"
    );
}

#[test]
fn nothing_that_a_server_says_is_lost() {
    let home = formats::home();
    let answer = formats::printed(&home, "json", &[]);
    let theirs: Value = serde_json::from_str(&answer).unwrap();
    for (what, word) in [("exploited", "known_exploited"), ("rated", "epss")] {
        assert!(!theirs["findings"][0][word].is_null(), "{what}");
    }
    assert_eq!(theirs["suppressed"].as_array().unwrap().len(), 2);
    let server = serve(Box::new(move |_, _| {
        ("200 OK", "application/json", answer.clone().into_bytes())
    }));
    let ask = || {
        let output = home
            .command(&["image", "--input", "app.tar", "-f", "json", "--server"])
            .arg(format!("http://{server}"))
            .env("SEAREEVE_TOKEN", "token")
            .output();
        Run::from(output.unwrap())
    };
    let run = ask();
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let ours: Value = serde_json::from_str(&run.out).unwrap();
    for list in ["findings", "suppressed", "packages", "problems", "database"] {
        assert_eq!(ours[list], theirs[list], "{list}");
    }
}

/// What a command prints of a server's answer to its one request.
fn told(arguments: &[&str], request: &'static str, answer: &Value) -> String {
    let answer = answer.to_string().into_bytes();
    let server = serve(Box::new(move |asked, _| match asked == request {
        true => ("200 OK", "application/json", answer.clone()),
        false => ("404 Not Found", "application/json", Vec::new()),
    }));
    let output = Home::new()
        .command(arguments)
        .env("SEAREEVE_SERVER", format!("http://{server}"))
        .env("SEAREEVE_TOKEN", "token")
        .output();
    let run = Run::from(output.unwrap());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    run.out
}

#[test]
fn what_is_wrong_with_audit_events_is_listed() {
    let cluster = |name: &str| {
        serde_json::json!({
            "name": name, "on_since": null, "consent_by": null, "consent_at": null, "sources": [], "events": 0,
            "early_events": 0, "repeated_events": 0, "broken_events": 0, "broken": [], "last_event": null,
            "problem": null, "problem_at": null, "backlog_bytes": 0, "kept_events": 0, "kept_since": null,
        })
    };
    let mut busy = cluster("prod");
    let wrong = serde_json::json!({
        "on_since": "2026-01-01T00:00:00Z", "events": 12, "early_events": 3, "repeated_events": 2, "broken_events": 5,
        "broken": [{"kind": "no-json", "events": 4, "last": "2026-01-01T00:00:02Z"},
            {"kind": "too-deep", "events": 1, "last": "2026-01-01T00:00:02Z"}],
        "last_event": "2026-01-01T00:00:01Z", "problem": "audit.log: a line has more than 16 MiB and was left out",
        "problem_at": "2026-01-01T00:00:02Z", "backlog_bytes": 77,
        "sources": [{"id": 2, "kind": "webhook", "received": null, "problem": null,
            "created": "2026-01-01T00:00:00Z", "author": "ann"}],
    });
    for (key, value) in wrong.as_object().unwrap() {
        busy[key] = value.clone();
    }
    let answer = serde_json::json!({"clusters": [cluster("lab"), busy], "warning": ""});
    let said = told(
        &["server", "audit", "list"],
        "GET /api/v1/audit/clusters",
        &answer,
    );
    insta::assert_snapshot!(said, @r"
    lab  off  0 events  no event yet
    prod  on since 2026-01-01T00:00:00Z  12 events  last event 2026-01-01T00:00:01Z
      problem at 2026-01-01T00:00:02Z: audit.log: a line has more than 16 MiB and was left out
      5 not read as events: 4 no-json (last at 2026-01-01T00:00:02Z), 1 too-deep (last at 2026-01-01T00:00:02Z)
      3 from before it was on, left alone
      2 came again, and count once
      77 bytes wait to be judged
      2  webhook  not heard of yet
    ");
}

#[test]
fn what_detections_lack_is_listed_and_the_rest_is_counted() {
    let detection = |rule: &str, status: &str, reasons: &[&str]| serde_json::json!({"rule": rule, "title": rule.to_uppercase(), "status": status, "reasons": reasons});
    let lack = "create pods is logged at Metadata, Request is needed";
    let answer = serde_json::json!({"events": 7, "has_policy": true, "detections": [
        detection("a", "partial", &[lack]), detection("b", "sees", &[]), detection("c", "blind", &[lack, "more"]),
        detection("d", "unknown", &[]), detection("e", "sees", &[]),
    ]});
    let said = told(
        &["server", "audit", "coverage", "prod"],
        "GET /api/v1/audit/clusters/prod/coverage",
        &answer,
    );
    insta::assert_snapshot!(said, @r"
    c (C): blind
      create pods is logged at Metadata, Request is needed
      more
    a (A): partly blind
      create pods is logged at Metadata, Request is needed
    By 7 events and the policy that was given: 2 detections see what they need, 1 are partly blind, 1 are blind, and of 1 nothing shows it.
    ");
}

//! What is exchanged with a server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use seareeve_webhook::Source;
use serde_json::{Value, json};

use crate::support::{folder, own_names, pod, serve, start, with_file};

fn policy(mode: &str, digest: &str) -> String {
    json!({
        "cluster": null, "digest": digest, "author": "ann", "changed": null,
        "policy": {"schema": "seareeve.admission/1", "mode": "off", "recommendations": {
            "kubernetes-privileged": {"mode": mode},
            "kubernetes-vulnerable-images": {"mode": "deny", "unscanned": "warn",
                "parameters": {"excluded_findings": ["CVE-2024-1"]}},
        }},
    })
    .to_string()
}

fn counts(image: &str, high: u64) -> Value {
    let none = json!({"fixable": 0, "unfixable": 0});
    let mut counts = json!({"image": image, "digest": null});
    for severity in ["critical", "high", "medium", "low", "unknown"] {
        counts[severity] = none.clone();
    }
    if image.contains("scanned") {
        counts["digest"] = json!("sha256:aa");
        counts["high"]["fixable"] = json!(high);
    }
    counts
}

/// What a server answers that has counted two grave findings in each image it scanned.
fn counted(asked: &Value) -> String {
    let images = asked["images"].as_array().unwrap().iter();
    let images: Vec<Value> = images
        .map(|image| counts(image.as_str().unwrap(), 2))
        .collect();
    json!({"images": images}).to_string()
}

#[test]
fn the_servers_policy_holds_also_while_it_is_away() {
    let (_guard, folder) = folder();
    let is_away = Arc::new(AtomicBool::new(false));
    let away = Arc::clone(&is_away);
    let server = serve(move |request, _| {
        if away.load(Ordering::SeqCst) {
            return ("503 Service Unavailable", "{}".to_owned());
        }
        match request {
            "GET /api/v1/admission/policy?cluster=test" => ("200 OK", policy("deny", "d1")),
            _ => ("200 OK", r#"{"new":true}"#.to_owned()),
        }
    });
    let webhook = start(&folder, own_names(), Source::Server, Some(&server));
    webhook.until(&pod("nginx", true), |answer| {
        answer["allowed"] == json!(false)
    });
    is_away.store(true, Ordering::SeqCst);
    assert_eq!(webhook.review(&pod("nginx", true))["allowed"], false);
    drop(webhook);
    // The next start finds nobody, and the policy that was kept.
    let webhook = start(&folder, own_names(), Source::Server, Some(&server));
    assert_eq!(webhook.review(&pod("nginx", true))["allowed"], false);
}

#[test]
fn without_a_policy_nothing_is_refused() {
    let (_guard, folder) = folder();
    let server = serve(|_, _| ("200 OK", "nonsense".to_owned()));
    let webhook = start(&folder, own_names(), Source::Server, Some(&server));
    let answer = webhook.review(&pod("nginx", true));
    assert_eq!(answer["allowed"], true);
    assert_eq!(
        answer["auditAnnotations"]["kubernetes-privileged"],
        "audited: container web is privileged"
    );
}

#[test]
fn a_policy_that_is_not_understood_changes_nothing() {
    let (_guard, folder) = folder();
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let server = serve(move |request, _| {
        if !request.starts_with("GET /api/v1/admission/policy") {
            return ("200 OK", r#"{"new":true}"#.to_owned());
        }
        *count.lock().unwrap() += 1;
        ("200 OK", policy("refuse", "d9"))
    });
    let webhook = start(&folder, own_names(), Source::Server, Some(&server));
    webhook.until(&pod("nginx", true), |_| *asked.lock().unwrap() > 0);
    assert_eq!(webhook.review(&pod("nginx", true))["allowed"], true);
}

#[test]
fn images_are_asked_for_beside_answers_and_then_known() {
    let (_guard, folder) = folder();
    let questions = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&questions);
    let server = serve(move |request, body| match request {
        "POST /api/v1/images/counts" => {
            let asked: Value = serde_json::from_str(body).unwrap();
            let known = counted(&asked);
            notes.lock().unwrap().push(asked);
            ("200 OK", known)
        }
        "GET /api/v1/admission/policy?cluster=test" => ("200 OK", policy("off", "d1")),
        _ => ("200 OK", r#"{"new":true}"#.to_owned()),
    });
    let webhook = start(&folder, own_names(), Source::Server, Some(&server));
    // While the policy is not known yet, all is let in; then it is refused.
    let refused = webhook.until(&pod("scanned:1", false), |answer| {
        answer["allowed"] == json!(false)
    });
    assert!(
        refused["status"]["message"]
            .as_str()
            .unwrap()
            .contains("container web runs scanned:1 with findings, 2 high")
    );
    let warned = webhook.until(&pod("new:1", false), |answer| !answer["warnings"].is_null());
    assert!(
        warned["warnings"][0]
            .as_str()
            .unwrap()
            .contains("has not been scanned")
    );
    let questions = questions.lock().unwrap();
    assert_eq!(
        questions[0]["images"],
        json!(["docker.io/library/scanned:1"])
    );
    assert_eq!(questions[0]["without"], json!(["CVE-2024-1"]));
}

#[test]
fn decisions_are_told_once_also_when_the_answer_was_lost() {
    let (_guard, folder) = folder();
    let reports = Arc::new(Mutex::new(Vec::<Value>::new()));
    let notes = Arc::clone(&reports);
    let server = serve(move |request, body| match request {
        "POST /api/v1/admission/decisions" => {
            let mut notes = notes.lock().unwrap();
            notes.push(serde_json::from_str(body).unwrap());
            match notes.len() {
                1 => ("502 Bad Gateway", "lost".to_owned()),
                _ => ("200 OK", r#"{"new":true}"#.to_owned()),
            }
        }
        _ => ("404 Not Found", "{}".to_owned()),
    });
    std::fs::write(
        folder.join("policy.yaml"),
        "schema: seareeve.admission/1\nmode: 'off'\nrecommendations: {kubernetes-privileged: {mode: deny}}",
    )
    .unwrap();
    let file = Source::File(folder.join("policy.yaml"));
    let webhook = start(&folder, own_names(), file, Some(&server));
    webhook.until(&pod("nginx", false), |_| {
        !reports.lock().unwrap().is_empty()
    });
    assert_eq!(webhook.review(&pod("nginx", true))["allowed"], false);
    // The end tells what is open: first the report that was lost, as it was.
    drop(webhook);
    let reports = reports.lock().unwrap();
    assert_eq!(reports[0], reports[1]);
    assert_eq!(reports[0]["cluster"], "test");
    assert_eq!(reports[0]["gate"], "gate-1");
    let last = reports.last().unwrap();
    assert_eq!(last["counts"][0]["effect"], "denied");
    assert_eq!(last["samples"][0]["user"], "alice");
}

#[test]
fn a_server_is_not_needed() {
    let (_guard, folder) = folder();
    let webhook = with_file(&folder, "mode: deny");
    assert_eq!(webhook.review(&pod("nginx", true))["allowed"], false);
}

/// A server that knows scans, and answers reports like this, is waited for by first reviews of images.
fn is_waited_for(status: &'static str, taken: &'static str) {
    let (_guard, folder) = folder();
    let server = serve(move |request, body| match request {
        "POST /api/v1/images/counts" => ("200 OK", counted(&serde_json::from_str(body).unwrap())),
        "GET /api/v1/admission/policy?cluster=test" => ("200 OK", policy("off", "d1")),
        _ => (status, taken.to_owned()),
    });
    let webhook = start(&folder, own_names(), Source::Server, Some(&server));
    webhook.until(&pod("new:1", false), |answer| !answer["warnings"].is_null());
    // Each of these is reviewed once. On a machine that is busy the moment may pass, but not each time.
    let is_refused = |number: u32| {
        let answer = webhook.review(&pod(&format!("scanned:{number}"), false));
        answer["allowed"] == json!(false)
    };
    assert!((1..50).any(is_refused));
}

#[test]
fn the_first_review_of_an_image_waits_for_what_is_known_of_it() {
    is_waited_for("200 OK", r#"{"new":true}"#);
}

#[test]
fn a_server_that_takes_no_reports_is_still_waited_for_while_it_knows_images() {
    is_waited_for("502 Bad Gateway", "full");
}

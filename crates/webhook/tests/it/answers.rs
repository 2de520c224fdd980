//! Answers over TLS.

use std::io::Write as _;
use std::net::TcpStream;

use serde_json::json;

use crate::support::{folder, pod, review, with_file};

const DENY: &str = "mode: 'off'\nrecommendations: {kubernetes-privileged: {mode: deny}}";

#[test]
fn reviews_are_answered_over_tls() {
    let (_guard, folder) = folder();
    let webhook = with_file(&folder, DENY);
    let refused = webhook.review(&pod("nginx", true));
    assert_eq!(refused["uid"], "u-1");
    assert_eq!(refused["allowed"], false);
    assert!(
        refused["status"]["message"]
            .as_str()
            .unwrap()
            .contains("container web is privileged")
    );
    assert_eq!(
        webhook.review(&pod("nginx", false)),
        json!({"uid": "u-1", "allowed": true})
    );
}

#[test]
fn bodies_that_are_no_reviews_are_refused() {
    let (_guard, folder) = folder();
    let webhook = with_file(&folder, DENY);
    for body in [
        &b""[..],
        b"{}",
        b"[[[[",
        b"\xff",
        b"{\"apiVersion\":\"admission.k8s.io/v1\"}",
    ] {
        let (status, why) = webhook.send(body);
        assert_eq!(status, 400, "{why}");
    }
    let (status, _) = webhook.send(&vec![b' '; 9 * 1024 * 1024]);
    assert_eq!(status, 413);
    // Somebody who does not speak TLS, and somebody who says nothing, hold up nobody.
    let mut plain = TcpStream::connect(&webhook.address).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let _silent = TcpStream::connect(&webhook.address).unwrap();
    assert_eq!(webhook.review(&pod("nginx", true))["allowed"], false);
}

#[test]
fn large_reviews_are_answered_too() {
    let (_guard, folder) = folder();
    let webhook = with_file(&folder, DENY);
    let mut large = pod("nginx", true);
    large["metadata"]["annotations"] = json!({"note": "x".repeat(500_000)});
    assert_eq!(webhook.review(&large)["allowed"], false);
}

#[test]
fn many_ask_at_once() {
    let (_guard, folder) = folder();
    let webhook = with_file(&folder, DENY);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let webhook = &webhook;
            scope.spawn(move || {
                for _ in 0..20 {
                    let is_allowed =
                        webhook.review(&pod("nginx", number % 2 == 0))["allowed"] == json!(true);
                    assert_eq!(is_allowed, number % 2 != 0);
                }
            });
        }
    });
}

#[test]
fn a_policy_that_changes_holds_and_one_that_is_wrong_does_not() {
    let (_guard, folder) = folder();
    let webhook = with_file(&folder, DENY);
    assert_eq!(webhook.review(&pod("nginx", true))["allowed"], false);
    let write = |text: &str| {
        std::fs::write(folder.join("policy.new"), text).unwrap();
        std::fs::rename(folder.join("policy.new"), folder.join("policy.yaml")).unwrap();
    };
    write(
        "schema: seareeve.admission/1\nmode: 'off'\nrecommendations: {kubernetes-privileged: {mode: warn}}",
    );
    let warned = webhook.until(&pod("nginx", true), |answer| {
        answer["allowed"] == json!(true)
    });
    assert_eq!(
        warned["warnings"],
        json!(["Seareeve: kubernetes-privileged: container web is privileged"])
    );
    write("schema: seareeve.admission/1\nmode: refuse everything");
    // Whatever is looked at next, the last one stays.
    for _ in 0..3 {
        assert_eq!(webhook.review(&pod("nginx", true)), warned);
    }
    assert_eq!(
        webhook
            .send(review(&pod("nginx", true)).to_string().as_bytes())
            .0,
        200
    );
}

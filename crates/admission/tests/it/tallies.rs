//! What is counted.

use seareeve_admission::{NoImages, Tally};
use serde_json::json;

use crate::support::{gate, now, pod, privileged, request, review};

#[test]
fn decisions_are_counted_and_sampled_within_limits_and_put_back() {
    let gate = gate("mode: 'off'\nrecommendations: {kubernetes-privileged: {mode: deny}}");
    let mut tally = Tally::default();
    assert!(tally.is_empty());
    for _ in 0..10 {
        let review = review(&request(
            "CREATE",
            &pod("shop", &json!([privileged("web")])),
            None,
        ));
        tally.add(&review, &gate.decide(&review, &NoImages, now()), now());
    }
    let report = tally.take();
    assert!(tally.is_empty());
    assert_eq!(
        (
            report.reviews,
            report.counts.len(),
            report.counts[0].count,
            report.samples.len()
        ),
        (10, 1, 10, 3)
    );
    insta::assert_json_snapshot!(report.samples[0], @r#"
    {
      "recommendation": "kubernetes-privileged",
      "namespace": "shop",
      "effect": "denied",
      "at": "2026-01-01T00:00:00Z",
      "operation": "create",
      "kind": "Pod",
      "name": "web",
      "user": "alice",
      "message": "container web is privileged"
    }
    "#);
    let mut again = Tally::default();
    again.put_back(report.clone());
    again.put_back(report);
    let sum = again.take();
    assert_eq!(
        (sum.reviews, sum.counts[0].count, sum.samples.len()),
        (20, 20, 3)
    );
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let gate = gate("mode: deny");
    let mut asked = request("CREATE", &pod("shop", &json!([privileged("web")])), None);
    asked["request"]["dryRun"] = json!(true);
    let review = review(&asked);
    let answer = gate.decide(&review, &NoImages, now());
    assert!(!answer.is_allowed);
    let mut tally = Tally::default();
    tally.add(&review, &answer, now());
    assert!(tally.is_empty());
}

#[test]
fn many_namespaces_are_counted_together() {
    let gate = gate("mode: 'off'\nrecommendations: {kubernetes-privileged: {mode: audit}}");
    let mut tally = Tally::default();
    for number in 0..5_010 {
        let review = review(&request(
            "CREATE",
            &pod(&format!("n{number}"), &json!([privileged("web")])),
            None,
        ));
        tally.add(&review, &gate.decide(&review, &NoImages, now()), now());
    }
    let report = tally.take();
    let others = report
        .counts
        .iter()
        .find(|count| count.namespace == "(others)")
        .unwrap();
    assert_eq!((others.count, report.counts.len()), (10, 5_001));
    assert!(report.samples.len() <= 200);
}

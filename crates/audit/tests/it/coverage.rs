//! What detections need of an audit policy.

use seareeve_audit::{Arrived, Policy, Record, Seen, coverage, policy_for, sight};
use seareeve_detect::Rule;

use crate::support::{builtin, lines};

/// What reads bodies of secrets on purpose stays blind to them: the log would hold credentials.
const BLIND_BY_CHOICE: &[&str] = &["token-secret-created"];

#[test]
fn every_detection_says_what_it_needs_and_its_examples_show_it() {
    let engine = builtin();
    let none = Policy::parse("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n").unwrap();
    let blind = coverage(&none, engine.rules());
    for rule in engine.rules() {
        let found = blind.iter().find(|blind| blind.id == rule.id);
        let found = found.unwrap_or_else(|| panic!("{} needs nothing", rule.id));
        assert!(found.is_whole, "{}", rule.id);
        // Fields of bodies are there from the level Request on.
        let looks_into_bodies = rule.fields.iter().any(|field| {
            [
                "kube.now.",
                "kube.added.",
                "kube.removed.",
                "kube.review",
                "kube.requester",
            ]
            .iter()
            .any(|start| field.starts_with(start))
        });
        assert!(
            !looks_into_bodies || rule.coverage.to_string().contains("Request"),
            "{}",
            rule.id
        );
    }
}

#[test]
fn the_policy_that_detections_need_is_enough_for_them() {
    let engine = builtin();
    let text = policy_for(engine.rules());
    let policy = Policy::parse(&text).unwrap();
    let blind = coverage(&policy, engine.rules());
    let blind: Vec<&str> = blind.iter().map(|blind| blind.id.as_str()).collect();
    assert_eq!(blind, BLIND_BY_CHOICE, "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_policy_without_bodies_blinds_who_looks_into_them() {
    let engine = builtin();
    let policy = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: None\n  resources: [{group: '', resources: ['pods/exec']}]\n- level: Metadata\n";
    let policy = Policy::parse(policy).unwrap();
    let blind = coverage(&policy, engine.rules());
    let reasons = |id: &str| {
        blind
            .iter()
            .find(|blind| blind.id == id)
            .map(|blind| blind.reasons.clone())
    };
    assert_eq!(
        reasons("exec-into-pod").unwrap(),
        [
            "create pods/exec is logged at None, Metadata is needed",
            "get pods/exec is logged at None, Metadata is needed"
        ]
    );
    assert_eq!(
        reasons("cron-job-created").unwrap(),
        [
            "create cronjobs.batch is logged at Metadata, Request is needed",
            "patch cronjobs.batch is logged at Metadata, Request is needed"
        ]
    );
    assert_eq!(reasons("events-deleted"), None);
}

#[test]
fn policies_are_read_as_the_api_server_reads_them() {
    for (text, wanted) in [
        ("[]", "failed to read the policy"),
        ("", "it is no audit policy but of kind \"\""),
        ("kind: Pod", "it is no audit policy but of kind \"Pod\""),
        (
            "kind: Policy\nrules: [{level: Some}]",
            "failed to read the policy",
        ),
    ] {
        assert_eq!(Policy::parse(text).unwrap_err().to_string(), wanted);
    }
}

#[test]
fn what_arrives_says_what_is_missing() {
    let Some(lines) = lines("a11-exec.jsonl") else {
        return;
    };
    let engine = builtin();
    let mut arrived = Arrived::default();
    for line in lines {
        arrived.see(&Record::read(&line).unwrap());
    }
    // This cluster logs whatever detections need, but for what lies in secrets.
    let rules = || {
        engine
            .rules()
            .filter(|rule: &&Rule| rule.id != "token-secret-created")
    };
    assert_eq!(arrived.coverage(rules()), []);
    let cut = br#"{"auditID":"1","level":"Metadata","verb":"create","user":{"username":"a"},"objectRef":{"resource":"cronjobs","apiGroup":"batch"}}"#;
    let mut arrived = Arrived::default();
    arrived.see(&Record::read(cut).unwrap());
    let blind = arrived.coverage(engine.rules());
    assert!(
        blind
            .iter()
            .any(|blind| blind.id == "cron-job-created" && blind.is_whole)
    );
}

#[test]
fn what_nothing_shows_is_not_known_rather_than_fine() {
    let engine = builtin();
    let rule = engine.rule("cron-job-created").unwrap();
    let nothing = Arrived::default();
    let unknown = sight(rule, &nothing, None);
    assert_eq!(unknown.seen, Seen::Unknown);
    assert!(unknown.lacks.is_empty() && !unknown.unknown.is_empty());
    // A policy says it before anything comes.
    let metadata = Policy::parse("kind: Policy\nrules: [{level: Metadata}]").unwrap();
    let whole = Policy::parse("kind: Policy\nrules: [{level: RequestResponse}]").unwrap();
    assert_eq!(sight(rule, &nothing, Some(&metadata)).seen, Seen::Blind);
    assert_eq!(sight(rule, &nothing, Some(&whole)).seen, Seen::Sees);
    // What came is believed rather than the policy, which may not be in force.
    let event = |level: &str| {
        format!(
            r#"{{"auditID":"1","level":"{level}","verb":"create","user":{{"username":"a"}},"objectRef":{{"resource":"cronjobs","apiGroup":"batch"}}}}"#
        )
    };
    let mut arrived = Arrived::default();
    arrived.see(&Record::read(event("Metadata").as_bytes()).unwrap());
    let blind = sight(rule, &arrived, None);
    assert_eq!(blind.seen, Seen::Blind);
    assert_eq!(
        blind.lacks,
        ["create cronjobs.batch is logged at Metadata, Request is needed"]
    );
    // Of patches, by which cron jobs are made too, there is only the policy to ask.
    assert_eq!(sight(rule, &arrived, Some(&whole)).seen, Seen::Partly);
    arrived.see(&Record::read(event("Request").as_bytes()).unwrap());
    assert_eq!(sight(rule, &arrived, None).seen, Seen::Sees);
}

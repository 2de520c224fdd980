//! Falco's own expectations over Falco's own events, with its rule file as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use seareeve_audit::AuditSource;
use seareeve_detect::{Content, Loader, Options};
use serde_json::Value;

use crate::support::{Watch, shared};

/// Expectations that are older than the rule file, with what it says by now and why.
const CHANGED: &[(&str, &[&str], &str)] = &[
    ("create_clusterrole", &["K8s ClusterRole Created"], SPLIT),
    ("delete_clusterrole", &["K8s ClusterRole Deleted"], SPLIT),
    (
        "create_clusterrolebinding",
        &["K8s ClusterRoleBinding Created"],
        SPLIT,
    ),
    (
        "delete_clusterrolebinding",
        &["K8s ClusterRoleBinding Deleted"],
        SPLIT,
    ),
    (
        "compat_engine_v4_create_privileged_trusted_pod",
        &["Create Privileged Pod"],
        TRUSTED,
    ),
    (
        "compat_engine_v4_create_hostnetwork_trusted_pod",
        &["Create HostNetwork Pod"],
        TRUSTED,
    ),
    (
        "create_privileged_trusted_pod",
        &["Create Privileged Pod"],
        TRUSTED,
    ),
    (
        "create_sensitive_mount_trusted_pod",
        &["Create Sensitive Mount Pod"],
        TRUSTED,
    ),
    (
        "create_hostnetwork_trusted_pod",
        &["Create HostNetwork Pod"],
        TRUSTED,
    ),
];

/// Why four of them changed.
const SPLIT: &str = "the rule over roles and cluster roles was split into one for each";
/// Why five of them changed.
const TRUSTED: &str = "the test's own file adds to falco_…_images, which the rule file calls k8s_audit_…_images by now";

#[test]
fn falcos_expectations_hold() {
    let Some(expectations) = shared("falco/expectations.jsonl") else {
        return;
    };
    let expectations = std::fs::read_to_string(expectations).unwrap();
    let mut faults = Vec::new();
    let mut count = 0;
    for line in expectations.lines() {
        count += 1;
        let expected: Value = serde_json::from_str(line).unwrap();
        if let Some(fault) = check(&expected) {
            faults.push(format!("{}: {fault}", expected["name"]));
        }
    }
    assert_eq!(count, 66);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn check(expected: &Value) -> Option<String> {
    let mut loader = Loader::new(vec![Arc::new(AuditSource)], Options::default());
    for rules in expected["rules"].as_array().unwrap() {
        let name = rules.as_str().unwrap();
        let path = shared(&format!("falco/rules/{name}"))?;
        loader.file(name, &std::fs::read_to_string(path).unwrap());
    }
    // Some of the tests' own files are as old as the expectations and name what is no longer there.
    let loaded = loader.finish();
    let mut watch = Watch::new(&Arc::new(loaded.engine));
    let path = shared(&format!(
        "falco/k8s_audit/{}",
        expected["events"].as_str().unwrap()
    ))?;
    let mut documents = seareeve_audit::Documents::new();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for line in std::fs::read(path).unwrap().split(|byte| *byte == b'\n') {
        documents.line(line, |document| {
            for alert in watch.see(document) {
                *seen.entry(alert.rule).or_default() += 1;
            }
        });
    }
    let name = expected["name"].as_str().unwrap();
    if let Some((_, rules, why)) = CHANGED.iter().find(|(changed, ..)| *changed == name) {
        let found: Vec<&str> = seen.keys().map(String::as_str).collect();
        return (found != *rules).then(|| format!("{seen:?}, although {why}"));
    }
    let wanted = expected["counts"].as_object().unwrap();
    for (rule, wanted) in wanted {
        let found = seen.get(rule).copied().unwrap_or(0);
        if found != wanted.as_u64().unwrap() {
            return Some(format!(
                "{rule}: {found} instead of {wanted}; there are {seen:?}"
            ));
        }
    }
    let is_quiet = expected["detect"] == false;
    (is_quiet && !seen.is_empty()).then(|| format!("it should be quiet: {seen:?}"))
}

#[test]
fn the_public_rule_file_loads_whole_alone_and_beside_ours() {
    let Some(path) = shared("falco/rules/k8s_audit_rules.yaml") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let rules = |content: Option<Content>| {
        let mut loader = Loader::new(vec![Arc::new(AuditSource)], Options::default());
        if let Some(content) = content {
            loader.content(&content);
        }
        loader.file("k8s_audit_rules.yaml", &text);
        let loaded = loader.finish();
        let words: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
        assert!(!loaded.has_errors(), "{}", words.join("\n"));
        let ids = loaded
            .engine
            .rules()
            .filter(|rule| rule.file == "k8s_audit_rules.yaml");
        ids.map(|rule| rule.id.clone()).collect::<Vec<String>>()
    };
    let (alone, beside) = (rules(None), rules(Some(Content::builtin())));
    assert_eq!((alone.len(), beside.len()), (48, 48));
    // Ours keep the ids that both would have.
    let others = alone
        .iter()
        .zip(&beside)
        .filter(|(alone, beside)| alone != beside);
    let others: Vec<&str> = others.map(|(_, beside)| beside.as_str()).collect();
    assert_eq!(
        others,
        ["rule-anonymous-request-allowed", "rule-port-forward"]
    );
}

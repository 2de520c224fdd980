//! Our detections by themselves.

use crate::support::{Watch, builtin};

#[test]
fn every_example_does_as_it_says() {
    let engine = builtin();
    let results = seareeve_audit::run_examples(&engine);
    let faults: Vec<String> = results
        .iter()
        .filter_map(|result| {
            let fault = result.fault.as_ref()?;
            Some(format!("{}: {}: {fault}", result.id, result.name))
        })
        .collect();
    assert!(results.len() > 150, "{}", results.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_an_alert_concerns_is_named_one_by_one() {
    let mut watch = Watch::new(&builtin());
    let event = r#"{"auditID":"1","stage":"ResponseComplete","requestURI":"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "verb":"create","user":{"username":"eve"},"sourceIPs":["203.0.113.7","127.0.0.1"],"userAgent":"kubectl/v1.30.0",
        "objectRef":{"resource":"clusterrolebindings","name":"b","apiGroup":"rbac.authorization.k8s.io"},
        "responseStatus":{"code":201},"requestReceivedTimestamp":"2026-01-01T00:00:00Z",
        "responseObject":{"kind":"ClusterRoleBinding","metadata":{"name":"b"},
        "roleRef":{"kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"kind":"User","name":"mallory"},
        {"kind":"ServiceAccount","namespace":"shop","name":"cart"}]}}"#
        .replace('\n', " ");
    let list = r#"{"auditID":"2","stage":"ResponseComplete","requestURI":"/api/v1/secrets","verb":"list",
        "user":{"username":"eve"},"sourceIPs":["203.0.113.7","127.0.0.1"],"userAgent":"kubectl/v1.30.0",
        "objectRef":{"resource":"secrets"},"responseStatus":{"code":200},
        "requestReceivedTimestamp":"2026-01-01T00:00:01Z"}"#
        .replace('\n', " ");
    let named = |alerts: &[seareeve_model::Alert], id: &str, kind: &str| -> Vec<String> {
        let alert = alerts.iter().find(|alert| alert.id == id).unwrap();
        let of_kind = alert.entities.iter().filter(|entity| entity.kind == kind);
        of_kind
            .flat_map(|entity| entity.fields.values().cloned())
            .collect()
    };
    let bound = watch.see(event.as_bytes());
    assert_eq!(
        named(&bound, "cluster-admin-binding", "account"),
        ["mallory", "system:serviceaccount:shop:cart", "eve"]
    );
    let listed = watch.see(list.as_bytes());
    assert_eq!(
        named(&listed, "secrets-listed-everywhere", "ip"),
        ["203.0.113.7", "127.0.0.1"]
    );
}

/// Techniques of ATT&CK that our detections name, with the tactics that they serve.
const TECHNIQUES: &[(&str, &[&str])] = &[
    ("T1021", &["lateral-movement"]),
    ("T1036", &["defense-evasion"]),
    ("T1046", &["discovery"]),
    (
        "T1053",
        &["execution", "persistence", "privilege-escalation"],
    ),
    ("T1059", &["execution"]),
    ("T1069", &["discovery"]),
    ("T1070", &["defense-evasion"]),
    ("T1071", &["command-and-control"]),
    (
        "T1078",
        &[
            "defense-evasion",
            "initial-access",
            "persistence",
            "privilege-escalation",
        ],
    ),
    ("T1090", &["command-and-control"]),
    ("T1098", &["persistence", "privilege-escalation"]),
    ("T1105", &["command-and-control"]),
    ("T1133", &["initial-access", "persistence"]),
    ("T1136", &["persistence"]),
    ("T1190", &["initial-access"]),
    ("T1204", &["execution"]),
    ("T1485", &["impact"]),
    ("T1489", &["impact"]),
    ("T1490", &["impact"]),
    ("T1496", &["impact"]),
    ("T1499", &["impact"]),
    ("T1525", &["persistence"]),
    ("T1528", &["credential-access"]),
    ("T1543", &["persistence", "privilege-escalation"]),
    ("T1550", &["defense-evasion", "lateral-movement"]),
    ("T1552", &["credential-access"]),
    (
        "T1556",
        &["credential-access", "defense-evasion", "persistence"],
    ),
    ("T1557", &["collection", "credential-access"]),
    ("T1562", &["defense-evasion"]),
    ("T1565", &["impact"]),
    ("T1567", &["exfiltration"]),
    ("T1572", &["command-and-control"]),
    ("T1595", &["reconnaissance"]),
    ("T1609", &["execution"]),
    ("T1610", &["defense-evasion", "execution"]),
    ("T1611", &["privilege-escalation"]),
    ("T1613", &["discovery"]),
];

#[test]
fn techniques_serve_a_tactic_that_is_named() {
    let engine = builtin();
    let mut wrong = Vec::new();
    for rule in engine.rules() {
        let ours = rule.techniques.iter().filter(|id| id.starts_with('T'));
        for id in ours {
            let base = id.split('.').next().unwrap_or_default();
            let known = TECHNIQUES.iter().find(|(known, _)| *known == base);
            let serves = known.is_some_and(|(_, tactics)| {
                let mut named = rule.tactics.iter();
                named.any(|tactic| tactics.contains(&tactic.as_str()))
            });
            if !serves {
                wrong.push(format!("{}: {id}", rule.id));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

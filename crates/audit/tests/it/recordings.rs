//! Our detections over the recordings of a real cluster: what was done is found, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Watch, builtin, labels, lines};

/// Detections, whose doing, how often.
type Counts = &'static [(&'static str, &'static str, usize)];

/// What the benign recordings raise, and why it is true.
///
/// b01, ten minutes of ordinary life, raises nothing. In b00 the cluster is set up: somebody becomes its administrator
/// and a registry comes into use, which is what these detections are for; the rest is informational.
const BENIGN: &[(&str, Counts)] = &[
    (
        "b00-setup",
        &[
            ("cluster-admin-binding", "ops-olga", 1),
            ("cron-job-created", "ops-olga", 1),
            ("namespace-without-pod-security", "ops-olga", 3),
            ("unknown-registry", "ops-olga", 1),
        ],
    ),
    ("b01-benign", &[]),
];

/// By scenario: which detections tell of it, and whose doing they say it is.
const ATTACKS: &[(&str, &[(&str, &str)])] = &[
    (
        "a01-privileged-pod",
        &[
            ("dangerous-capability", "mallory"),
            ("privileged-container", "mallory"),
        ],
    ),
    (
        "a02-hostpath",
        &[
            ("exec-into-privileged-pod", "mallory"),
            ("sensitive-mount", "mallory"),
        ],
    ),
    (
        "a03-host-namespaces",
        &[
            ("exec-into-privileged-pod", "mallory"),
            ("host-namespace", "mallory"),
            ("network-tool-image", "mallory"),
            ("privileged-container", "mallory"),
            ("sensitive-mount", "mallory"),
        ],
    ),
    (
        "a04-dashboard",
        &[
            ("cluster-admin-binding", "mallory"),
            ("exposed-dashboard", "mallory"),
            ("namespace-deleted", "mallory"),
            ("namespace-without-pod-security", "mallory"),
        ],
    ),
    (
        "a06-wildcard-role",
        &[
            ("default-role-changed", "mallory"),
            ("high-privilege-role", "mallory"),
            ("role-added-to-default-role", "mallory"),
        ],
    ),
    (
        "a07-bind-cluster-admin",
        &[
            ("admin-binding", "mallory"),
            ("cluster-admin-binding", "mallory"),
            ("default-service-account-binding", "mallory"),
            ("secrets-listed-everywhere", "eve"),
        ],
    ),
    (
        "a09-kube-system",
        &[
            ("new-workload-in-system-namespace", "mallory"),
            ("service-account-in-system-namespace", "mallory"),
            ("unknown-registry", "mallory"),
        ],
    ),
    ("a10-miner-images", &[("miner-image", "mallory")]),
    (
        "a11-exec",
        &[("exec-into-pod", "alice"), ("exec-into-pod", "mallory")],
    ),
    (
        "a13-anonymous",
        &[
            ("anonymous-access-granted", "mallory"),
            ("anonymous-probing", "system:anonymous"),
            ("anonymous-request-allowed", "system:anonymous"),
            ("secrets-listed-everywhere", "system:anonymous"),
        ],
    ),
    (
        "a14-secrets-list",
        &[
            ("malicious-exec", "mallory"),
            ("system-secrets-read", "mallory"),
            ("secret-enumeration", "mallory"),
            ("secrets-listed-everywhere", "mallory"),
            (
                "secrets-listed-everywhere",
                "system:serviceaccount:shop:cart",
            ),
            ("service-account-by-hand", "system:serviceaccount:shop:cart"),
            (
                "service-account-reads-secrets",
                "system:serviceaccount:shop:cart",
            ),
        ],
    ),
    ("a16-coredns", &[("coredns-changed", "mallory")]),
    (
        "a17-webhooks",
        &[
            ("admission-webhook-created", "mallory"),
            ("defence-deleted", "mallory"),
            ("webhook-outside", "mallory"),
            ("webhook-reads-secrets", "mallory"),
        ],
    ),
    (
        "a18-cronjob",
        &[
            ("cron-job-created", "mallory"),
            ("new-workload-in-system-namespace", "mallory"),
            ("suspicious-workload-command", "mallory"),
        ],
    ),
    ("a19-delete-events", &[("events-deleted", "mallory")]),
    (
        "a20-token-request",
        &[
            (
                "controller-account-elsewhere",
                "system:serviceaccount:kube-system:clusterrole-aggregation-controller",
            ),
            ("scripted-access", "mallory"),
            ("system-secret-changed", "mallory"),
            ("system-secrets-read", "mallory"),
            ("token-requested", "mallory"),
            ("token-secret-created", "mallory"),
        ],
    ),
    (
        "a21-csr",
        &[
            ("certificate-requested", "mallory"),
            ("certificate-self-approved", "mallory"),
            ("cluster-admin-binding", "mallory"),
            ("powerful-certificate-requested", "mallory"),
            ("secrets-listed-everywhere", "backdoor-admin"),
        ],
    ),
    (
        "a24-daemonset-hostpath",
        &[
            ("daemon-set-on-every-node", "mallory"),
            ("host-namespace", "mallory"),
            ("privileged-container", "mallory"),
            ("sensitive-mount", "mallory"),
        ],
    ),
    (
        "a26-user-agents",
        &[
            ("attack-tool-agent", "eve"),
            ("attack-tool-agent", "mallory"),
            ("attack-tool-agent", "system:anonymous"),
            ("kube-hunter", "eve"),
            ("kube-hunter", "mallory"),
            ("kube-hunter", "system:anonymous"),
            ("scripted-access", "eve"),
            ("scripted-access", "mallory"),
        ],
    ),
    (
        "a27-port-forward",
        &[("api-server-proxy", "mallory"), ("port-forward", "mallory")],
    ),
    (
        "a30-ssh",
        &[
            ("node-port-for-sensitive-port", "mallory"),
            ("ssh-server-in-container", "mallory"),
        ],
    ),
    ("a31-unknown-registry", &[("unknown-registry", "mallory")]),
    (
        "a33-mass-delete",
        &[
            ("mass-deletion", "mallory"),
            ("namespace-deleted", "mallory"),
        ],
    ),
    (
        "a37-configmap-credentials",
        &[
            ("credentials-in-config-map", "bob"),
            ("credentials-in-config-map", "mallory"),
        ],
    ),
    (
        "a46-namespaces",
        &[
            ("namespace-deleted", "mallory"),
            ("namespace-without-pod-security", "mallory"),
        ],
    ),
    (
        "a47-newer-kubectl",
        &[
            ("ephemeral-container", "mallory"),
            ("exec-into-pod", "mallory"),
            ("token-requested", "mallory"),
        ],
    ),
];

/// An event of these scenarios is told of and is not labelled as the attacker's: a developer does what the attacker does.
const OTHERS: &[(&str, &str, &str)] = &[("a11-exec", "exec-into-pod", "alice")];

#[test]
fn ordinary_life_raises_next_to_nothing() {
    for (scenario, expected) in BENIGN {
        let Some(alerts) = alerts_of(scenario) else {
            return;
        };
        let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
        for alert in alerts {
            *found.entry((alert.id, alert.actor)).or_default() += 1;
        }
        let found: Vec<(&str, &str, usize)> = found
            .iter()
            .map(|((id, actor), count)| (id.as_str(), actor.as_str(), *count))
            .collect();
        assert_eq!(found, *expected, "{scenario}");
    }
}

#[test]
fn every_attack_is_found_and_nothing_else_is() {
    let Some(labels) = labels() else { return };
    for (scenario, expected) in ATTACKS {
        let Some(alerts) = alerts_of(scenario) else {
            return;
        };
        let mut found: BTreeSet<(&str, &str)> = BTreeSet::new();
        for alert in &alerts {
            let key = ((*scenario).to_owned(), alert.audit_id.clone());
            let label = labels.get(&key).map_or("benign", String::as_str);
            let is_other = OTHERS.contains(&(*scenario, alert.id.as_str(), alert.actor.as_str()));
            // Precision: every alert is about an event of an attacker.
            assert!(
                label == "attack" || is_other,
                "{scenario}: {} about {label} {}",
                alert.id,
                alert.audit_id
            );
            found.insert((&alert.id, &alert.actor));
        }
        let expected: BTreeSet<(&str, &str)> = expected.iter().copied().collect();
        assert_eq!(found, expected, "{scenario}");
    }
}

/// An alert, and the event that raised it.
struct Raised {
    id: String,
    actor: String,
    audit_id: String,
}

fn alerts_of(scenario: &str) -> Option<Vec<Raised>> {
    let mut watch = Watch::new(&builtin());
    let mut raised = Vec::new();
    for line in lines(&format!("{scenario}.jsonl"))? {
        for alert in watch.see(&line) {
            let event: serde_json::Value = serde_json::from_slice(&line).unwrap();
            let text = |pointer| event.pointer(pointer).and_then(|text| text.as_str());
            raised.push(Raised {
                id: alert.id,
                actor: text("/user/username").unwrap_or_default().to_owned(),
                audit_id: text("/auditID").unwrap().to_owned(),
            });
        }
    }
    Some(raised)
}

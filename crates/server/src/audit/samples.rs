//! Sample alerts: to see what alerts look like, and to try out what is done with them. They are marked as such.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use seareeve_model::{Alert, AlertSeverity, Digest, Entity, Evidence, Priority};
use seareeve_store::alerts::NewAlert;
use serde_json::{Value, json};

use super::raise::{self, compromised, entities};
use crate::state::App;

/// The cluster that sample alerts are of. No real one can have this name.
const CLUSTER: &str = "Sample cluster";

/// What a sample tells.
struct Sample {
    rule: &'static str,
    title: &'static str,
    severity: AlertSeverity,
    tactic: &'static str,
    technique: &'static str,
    description: &'static str,
    step: &'static str,
    verb: &'static str,
    resource: &'static str,
    subresource: Option<&'static str>,
    name: &'static str,
}

/// One attack, step by step, so that the samples make an incident.
const SAMPLES: [Sample; 4] = [
    Sample {
        rule: "sample-privileged-pod",
        title: "Privileged container",
        severity: AlertSeverity::Low,
        tactic: "privilege-escalation",
        technique: "T1611",
        description: "sample-user made the pod sample-pod, whose container is privileged: it can do on its node what root can.",
        step: "Find out who sample-user is, and whether the pod needs to be privileged.",
        verb: "create",
        resource: "pods",
        subresource: None,
        name: "sample-pod",
    },
    Sample {
        rule: "sample-exec-in-pod",
        title: "Command run in a pod",
        severity: AlertSeverity::Medium,
        tactic: "execution",
        technique: "T1609",
        description: "sample-user ran `sh` in the pod sample-pod.",
        step: "Ask sample-user whether it was them.",
        verb: "create",
        resource: "pods",
        subresource: Some("exec"),
        name: "sample-pod",
    },
    Sample {
        rule: "sample-secrets-listed",
        title: "All secrets of the cluster listed",
        severity: AlertSeverity::High,
        tactic: "credential-access",
        technique: "T1552.007",
        description: "sample-user listed the secrets of all namespaces.",
        step: "Change the credentials that lie in secrets.",
        verb: "list",
        resource: "secrets",
        subresource: None,
        name: "",
    },
    Sample {
        rule: "sample-cluster-admin",
        title: "Account bound to cluster-admin",
        severity: AlertSeverity::Low,
        tactic: "persistence",
        technique: "T1098.006",
        description: "sample-user bound an account to the role cluster-admin.",
        step: "Delete the binding.",
        verb: "create",
        resource: "clusterrolebindings",
        subresource: None,
        name: "sample-binding",
    },
];

/// Makes the sample alerts anew. Returns their ids.
pub(crate) async fn create(app: &App) -> anyhow::Result<Vec<String>> {
    let now = app.now();
    let mut tx = app.store.begin().await?;
    let mut ids = Vec::new();
    for (minutes, sample) in (0_i64..).zip(&SAMPLES) {
        let at = now - SignedDuration::from_mins(3 - minutes);
        let said = said(sample, at);
        let key = u128::try_from(now.as_nanosecond()).unwrap_or_default();
        let new = NewAlert {
            id: raise::id(CLUSTER, key, sample.rule),
            cluster: None,
            cluster_name: CLUSTER.to_owned(),
            is_sample: true,
            compromised: compromised(&said),
            entities: entities(&said),
            evidence: event(sample, at).to_string(),
            suppression: None,
            said,
        };
        raise::raise(&mut tx, &new, &BTreeSet::new(), now).await?;
        ids.push(new.id);
    }
    tx.commit().await?;
    Ok(ids)
}

fn said(sample: &Sample, at: Timestamp) -> Alert {
    let named = |kind: &str, fields: &[(&str, &str)]| Entity {
        kind: kind.to_owned(),
        fields: fields
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let mut alert = alert(sample.rule, sample.title, at);
    alert.severity = sample.severity;
    alert.tactics = vec![sample.tactic.to_owned()];
    alert.techniques = vec![sample.technique.to_owned()];
    sample.description.clone_into(&mut alert.output);
    alert.description = format!(
        "This is a sample alert: nothing happened. {}",
        sample.description
    );
    alert.remediation = vec![sample.step.to_owned()];
    alert.entities = vec![
        named("pod", &[("namespace", "sample"), ("name", "sample-pod")]),
        named("account", &[("name", "sample-user")]),
        named("ip", &[("address", "192.0.2.1")]),
    ];
    alert
}

/// An alert without anything that would have to be known.
pub(super) fn alert(id: &str, title: &str, at: Timestamp) -> Alert {
    Alert {
        rule: title.to_owned(),
        id: id.to_owned(),
        time: at,
        priority: Priority::Informational,
        severity: AlertSeverity::Informational,
        tactics: Vec::new(),
        techniques: Vec::new(),
        output: title.to_owned(),
        output_fields: BTreeMap::new(),
        source: "k8s_audit".to_owned(),
        title: title.to_owned(),
        description: title.to_owned(),
        remediation: Vec::new(),
        tags: Vec::new(),
        entities: Vec::new(),
        key: id.to_owned(),
        evidence: Evidence {
            content: Digest::sha256(&[0; 32]),
            matched: Vec::new(),
            reasons: Vec::new(),
            correlated: None,
        },
    }
}

fn event(sample: &Sample, at: Timestamp) -> Value {
    let object = json!({
        "resource": sample.resource, "subresource": sample.subresource, "namespace": "sample",
        "name": sample.name, "apiVersion": "v1",
    });
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata",
        "auditID": format!("sample-{}", sample.rule), "stage": "ResponseComplete", "verb": sample.verb,
        "user": {"username": "sample-user", "groups": ["system:authenticated"]},
        "sourceIPs": ["192.0.2.1"], "userAgent": "sample", "objectRef": object,
        "responseStatus": {"code": 200}, "requestReceivedTimestamp": at.to_string(),
    })
}

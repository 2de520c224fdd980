//! How the API server is told of the webhook: a `ValidatingWebhookConfiguration`.

use serde_json::{Value, json};

/// Where the API server reaches the webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A service of the cluster.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its port.
        port: u16,
    },
    /// An address: `https://…`.
    Url(String),
}

/// What the configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The configuration's name.
    pub name: String,
    /// Where it is.
    pub reach: Reach,
    /// The authority that its certificate is checked by: PEM in base64.
    pub ca_bundle: String,
    /// How long the API server waits.
    pub timeout_seconds: u8,
    /// Whether nothing is let in while nobody answers.
    pub fails_closed: bool,
    /// Namespaces that are never asked about.
    pub excluded_namespaces: Vec<String>,
}

/// The configuration as an object of Kubernetes. Without an answer, the API server lets everything in, unless it is
/// told otherwise.
#[must_use]
pub fn configuration(webhook: &Webhook) -> Value {
    let mut client = match &webhook.reach {
        Reach::Service {
            namespace,
            name,
            port,
        } => {
            json!({"service": {"namespace": namespace, "name": name, "path": "/validate", "port": port}})
        }
        Reach::Url(url) => json!({"url": url}),
    };
    if let Some(client) = client.as_object_mut() {
        client.insert("caBundle".to_owned(), webhook.ca_bundle.as_str().into());
    }
    let rule = |groups: &[&str], resources: &[&str], operations: &[&str]| {
        json!({
            "apiGroups": groups, "apiVersions": ["*"], "operations": operations, "resources": resources,
            "scope": "Namespaced",
        })
    };
    let both = ["CREATE", "UPDATE"];
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": webhook.name, "labels": {"app.kubernetes.io/name": "seareeve"}},
        "webhooks": [{
            "name": "admission.seareeve.dev",
            "admissionReviewVersions": ["v1"],
            "clientConfig": client,
            "failurePolicy": if webhook.fails_closed { "Fail" } else { "Ignore" },
            "matchPolicy": "Equivalent",
            "namespaceSelector": {"matchExpressions": [{
                "key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": webhook.excluded_namespaces,
            }]},
            "rules": [
                rule(
                    &[""],
                    &["pods", "podtemplates", "replicationcontrollers", "serviceaccounts", "services"],
                    &both,
                ),
                rule(&[""], &["pods/ephemeralcontainers"], &["UPDATE"]),
                rule(&["apps"], &["daemonsets", "deployments", "replicasets", "statefulsets"], &both),
                rule(&["batch"], &["cronjobs", "jobs"], &both),
                rule(&["networking.k8s.io"], &["ingresses"], &both),
            ],
            // Decisions are counted, but for those on dry runs.
            "sideEffects": "NoneOnDryRun",
            "timeoutSeconds": webhook.timeout_seconds,
        }],
    })
}

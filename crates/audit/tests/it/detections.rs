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

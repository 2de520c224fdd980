//! What a server that is broken or means harm can do.

use std::net::TcpListener;
use std::time::Duration;

use seareeve_collect::azure::{AskError, Azure, Limits};
use seareeve_lab::azure::{Fault, documents};
use seareeve_model::CollectionStatus;
use serde_json::json;

use crate::support::{
    client, cloud, data, facts, fake, label, limits, principal, read, snapshot, try_read,
};

fn small() -> Limits {
    Limits {
        answer_bytes: 200_000,
        pages: 20,
        items: 50,
        ..limits()
    }
}

/// Reads the good subscription while the list that ends so is broken, and says what is told of it.
fn gap(end: &str, fault: Fault) -> (CollectionStatus, String) {
    let fake = fake();
    fake.fail(end, fault);
    let (mut azure, _) = client(&fake, principal(), small());
    let estate = azure.read(&["Shop".to_owned()]).unwrap();
    // Nothing else is lost.
    let snapshots = estate.snapshots(&label());
    let quay = snapshot(&snapshots, "kubernetes-cluster", "quay");
    assert_eq!(
        data(&quay, "azure.cluster")["properties"]["enableRBAC"],
        true
    );
    assert_eq!(
        data(&quay, "azure.cluster").get("diagnostic_settings"),
        None
    );
    let access = facts(&quay, "azure.access");
    assert_eq!(access.items.len(), 1, "{access:?}");
    (access.status, access.detail.clone().unwrap())
}

#[test]
fn a_broken_list_is_a_gap() {
    let cases = [
        (Fault::Endless, "is more than it should ever be"),
        (Fault::Pages, "is more than it should ever be"),
        (Fault::Bytes("not json"), "it is no list"),
        (Fault::Bytes("[]"), "it is no list"),
        (Fault::Bytes(r#"{"value": {"a": 1}}"#), "it is no list"),
        (Fault::Bytes(r#"{"value": "x"}"#), "it is no list"),
        (
            Fault::Bytes(r#"{"value": [], "nextLink": 7}"#),
            "it is no list",
        ),
        (Fault::Bytes(""), "it is no list"),
        (
            Fault::Next("https://management.elsewhere.example/x".to_owned()),
            "on another server",
        ),
        (
            Fault::Next("//elsewhere.example/x".to_owned()),
            "on another server",
        ),
        (Fault::Next("/relative".to_owned()), "on another server"),
        (
            Fault::Next("file:///etc/passwd".to_owned()),
            "on another server",
        ),
        (
            Fault::Elsewhere("http://127.0.0.1:1/".to_owned()),
            "status 307",
        ),
    ];
    for (fault, wanted) in cases {
        let name = format!("{fault:?}");
        let (status, detail) = gap("/diagnosticsettings", fault);
        assert_eq!(status, CollectionStatus::Error, "{name}");
        assert!(detail.contains(wanted), "{name}: {detail}");
    }
}

#[test]
fn a_document_is_never_quoted() {
    let secret = r#"{"value": ["hunter2"], "nextLink": {"hunter2": 1}}"#;
    let (_, detail) = gap("/diagnosticsettings", Fault::Bytes(secret));
    assert!(!detail.contains("hunter2"), "{detail}");
}

#[test]
fn pages_that_go_in_a_circle_end() {
    let fake = fake();
    let path = documents::good_cluster() + "/providers/Microsoft.Insights/diagnosticSettings";
    let itself = format!("{}{path}?api-version=2021-05-01-preview", fake.manager());
    fake.fail("/diagnosticsettings", Fault::Next(itself));
    let estate = try_read(&fake, &["Shop"]).unwrap();
    let gaps = estate.gaps();
    assert!(gaps[0].detail.contains("for ever"), "{}", gaps[0].detail);
}

#[test]
fn no_token_goes_to_another_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let other = format!("http://{}/x", listener.local_addr().unwrap());
    let fake = fake();
    fake.fail("/diagnosticsettings", Fault::Next(other.clone()));
    fake.fail("/pricings", Fault::Elsewhere(other));
    read(&fake);
    let error = listener.accept().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn what_is_too_slow_is_given_up() {
    let fake = fake();
    fake.fail("/pricings", Fault::Silent);
    let limits = Limits {
        silence: Duration::from_millis(200),
        answer: Duration::from_millis(400),
        ..limits()
    };
    let estate = client(&fake, principal(), limits)
        .0
        .read(&["Shop".to_owned()]);
    let estate = estate.unwrap();
    let gaps = estate.gaps();
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0].detail.contains("in time"), "{}", gaps[0].detail);
}

#[test]
fn azure_that_is_gone_is_not_asked_on_and_on() {
    let fake = fake();
    for end in [
        "/diagnosticsettings",
        "/roleassignments",
        "/extensions",
        "/privateendpointconnections",
        "/pricings",
        "/policyassignments",
        "/vaults",
    ] {
        fake.fail(end, Fault::Silent);
    }
    let limits = Limits {
        silence: Duration::from_millis(150),
        answer: Duration::from_millis(300),
        ..limits()
    };
    let estate = client(&fake, principal(), limits).0.read(&[]).unwrap();
    let silent = fake.asked();
    let silent = silent.iter().filter(|asked| {
        asked.path.ends_with("diagnosticSettings") || asked.path.ends_with("roleAssignments")
    });
    assert_eq!(silent.count(), 2);
    assert!(estate.gaps().len() > 3);
}

#[test]
fn all_of_it_has_an_end() {
    let fake = fake();
    let limits = Limits {
        total: Duration::ZERO,
        ..limits()
    };
    let error = client(&fake, principal(), limits).0.read(&[]).unwrap_err();
    assert!(matches!(error, AskError::TooSlow { .. }), "{error}");
    let limits = Limits {
        kept_bytes: 4_000,
        ..crate::support::limits()
    };
    let estate = client(&fake, principal(), limits).0.read(&[]).unwrap();
    let gaps = estate.gaps();
    assert!(
        gaps.iter()
            .all(|gap| gap.detail.contains("more than it should ever be"))
    );
    assert!(!gaps.is_empty());
}

#[test]
fn whoever_is_told_to_stop_stops() {
    let fake = fake();
    let asked = std::sync::atomic::AtomicU32::new(0);
    let pause =
        Box::new(move |_: Duration| asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 3);
    let mut azure = Azure::new(&cloud(&fake), principal(), limits(), None, pause).unwrap();
    let error = azure.read(&[]).unwrap_err();
    assert!(matches!(error, AskError::Stopped), "{error}");
    assert_eq!(fake.asked().len(), 4);
}

#[test]
fn ids_of_other_places_lead_nowhere() {
    let fake = fake();
    let path = format!(
        "/subscriptions/{}/providers/Microsoft.ContainerService/managedClusters",
        documents::GOOD
    );
    let with = |id: serde_json::Value| json!({"id": id, "name": "x", "properties": {}});
    let ids = [
        json!(documents::bad_cluster()),
        json!(format!("/subscriptions/{}/../../x", documents::GOOD)),
        json!(format!("/subscriptions/{}/x?y=z", documents::GOOD)),
        json!(7),
        json!(null),
    ];
    let mut list: Vec<_> = ids.into_iter().map(with).collect();
    list.push(json!("no document"));
    fake.set(&path, list);
    let estate = try_read(&fake, &["Shop"]).unwrap();
    let snapshots = estate.snapshots(&label());
    let registry = snapshot(&snapshots, "registry", "quayimages");
    let clusters = facts(&registry, "azure.cluster");
    assert_eq!(clusters.items.len(), 1);
    assert_eq!(clusters.status, CollectionStatus::Error);
    assert_eq!(
        clusters.detail.as_deref(),
        Some("6 documents have no id within the subscription")
    );
    assert!(fake.asked().iter().all(|asked| !asked.path.contains("..")));
}

#[test]
fn documents_of_wrong_types_are_facts_nevertheless() {
    let fake = fake();
    let path = format!(
        "/subscriptions/{}/providers/Microsoft.ContainerService/managedClusters",
        documents::GOOD
    );
    let odd = json!({
        "id": documents::good_cluster(), "name": 7, "type": ["x"], "sku": null, "tags": "y", "properties": [1, 2],
    });
    fake.set(&path, vec![odd]);
    let snapshots = try_read(&fake, &["Shop"]).unwrap().snapshots(&label());
    let quay = snapshot(&snapshots, "kubernetes-cluster", "quay");
    assert_eq!(data(&quay, "azure.cluster")["properties"], json!({}));
}

#[test]
fn without_subscriptions_there_is_an_error() {
    let fake = fake();
    fake.fail("/subscriptions", Fault::Status(403, "AuthorizationFailed"));
    let error = try_read(&fake, &[]).unwrap_err();
    assert!(
        matches!(error, AskError::Refused { status: 403, .. }),
        "{error}"
    );
    let port = fake.manager();
    drop(fake);
    let cloud = seareeve_collect::azure::Cloud::custom(&port, &port, None).unwrap();
    let mut gone = Azure::new(&cloud, principal(), limits(), None, Box::new(|_| true)).unwrap();
    let error = gone.read(&[]).unwrap_err();
    assert!(matches!(error, AskError::NoToken { .. }), "{error}");
}

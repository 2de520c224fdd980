//! Reading what Azure knows: pages, limits, refusals and hostile answers.

use std::time::Duration;

use seareeve_collect::azure::REQUESTS;
use seareeve_lab::azure::{Fault, documents};
use seareeve_model::CollectionStatus;
use serde_json::json;

use crate::support::{
    client, data, facts, fake, label, limits, principal, read, snapshot, try_read,
};

const CLUSTER: &str = "kubernetes-cluster";

#[test]
fn both_subscriptions_come_to_their_assets() {
    let snapshots = read(&fake()).snapshots(&label());
    let assets: Vec<(&str, &str)> = snapshots
        .iter()
        .map(|one| (one.asset_kind.as_str(), one.asset_name.as_str()))
        .collect();
    assert_eq!(
        assets,
        [
            (CLUSTER, "Rusty"),
            (CLUSTER, "cellar"),
            ("registry", "rustyimages"),
            ("environment", "Attic"),
            (CLUSTER, "quay"),
            (CLUSTER, "dockside"),
            ("registry", "quayimages"),
            ("environment", "Shop"),
        ]
    );
    for snapshot in &snapshots {
        assert_eq!(snapshot.asset_id, snapshot.asset_id.to_lowercase());
        for (kind, collection) in &snapshot.facts {
            assert_eq!(collection.status, CollectionStatus::Ok, "{kind}");
        }
    }
}

#[test]
fn a_cluster_has_what_is_attached_to_it() {
    let snapshots = read(&fake()).snapshots(&label());
    let quay = snapshot(&snapshots, CLUSTER, "quay");
    assert_eq!(quay.asset_id, documents::good_cluster().to_lowercase());
    let own = data(&quay, "azure.cluster");
    assert_eq!(
        own["diagnostic_settings"][0]["properties"]["logs"][0]["category"],
        "kube-audit-admin"
    );
    assert_eq!(own["role_assignments"][0]["role"], "Reader");
    assert_eq!(own["tags"], json!({"team": "shop"}));
    assert_eq!(
        own["node_group"],
        format!(
            "/subscriptions/{}/resourcegroups/mc_shop_quay_westeurope",
            documents::GOOD
        )
    );
    assert_eq!(
        own["endpoints"],
        json!(["quay-x1.privatelink.westeurope.azmk8s.io"])
    );
    // The registry that its nodes pull from, and the subscription that it is in.
    assert_eq!(
        data(&quay, "azure.registry")["role_assignments"][0],
        json!({
            "principal_id": "20000000-0000-0000-0000-000000000001", "principal_type": "ServicePrincipal",
            "role": "AcrPull", "scope": documents::good_registry().to_lowercase(),
        })
    );
    assert_eq!(
        data(&quay, "azure.subscription")["plans"][1]["name"],
        "Containers"
    );
    // Nothing of a cluster elsewhere is sent to diagnostic settings, so nothing is said of them.
    let dockside = snapshot(&snapshots, CLUSTER, "dockside");
    let own = data(&dockside, "azure.cluster");
    assert_eq!(own.get("diagnostic_settings"), None);
    assert_eq!(own["extensions"][0]["name"], "azurepolicy");
    // It pulls from nowhere that Azure knows of.
    assert_eq!(facts(&dockside, "azure.registry").items, []);
}

#[test]
fn nothing_that_is_secret_is_kept() {
    let text = serde_json::to_string(&read(&fake()).snapshots(&label())).unwrap();
    for secret in ["hunter2", "accessPolicies"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(!text.contains("null"));
}

#[test]
fn only_what_the_role_needs_is_asked_for() {
    let fake = fake();
    read(&fake);
    let asked: Vec<_> = fake
        .asked()
        .into_iter()
        .filter(|asked| !asked.path.starts_with("/login/"))
        .collect();
    assert!(
        asked
            .iter()
            .all(|asked| asked.method == "GET" && asked.body.is_empty())
    );
    let is_of = |path: &str, known: &str| {
        let (path, known) = (path.to_lowercase(), known.to_lowercase());
        path.ends_with(&known)
    };
    for asked in &asked {
        let known = REQUESTS.iter().any(|known| {
            is_of(&asked.path, known.path)
                && known
                    .versions
                    .iter()
                    .any(|version| asked.query.contains(&format!("api-version={version}")))
        });
        assert!(known, "{}?{}", asked.path, asked.query);
        let word = asked.path.to_lowercase();
        assert!(!word.contains("list") && !word.contains("credential") && !word.contains("key-"));
    }
    // And all of it is.
    for known in REQUESTS {
        assert!(
            asked.iter().any(|asked| is_of(&asked.path, known.path)),
            "{}",
            known.path
        );
    }
}

#[test]
fn the_role_that_is_shipped_has_these_actions() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/azure/reader-role.json"
    );
    let role: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut actions: Vec<&str> = REQUESTS.iter().map(|known| known.action).collect();
    actions.sort_unstable();
    assert_eq!(role["Actions"], json!(actions));
    for none in ["NotActions", "DataActions", "NotDataActions"] {
        assert_eq!(role[none], json!([]), "{none}");
    }
    assert!(actions.iter().all(|action| action.ends_with("/read")));
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/azure.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    for known in REQUESTS {
        let line = format!("| `{}` | {} |", known.action, known.purpose);
        assert!(guide.contains(&line), "{line}");
    }
}

#[test]
fn lists_come_in_pages() {
    let fake = fake();
    let whole = read(&fake);
    fake.set_page(1);
    assert_eq!(read(&fake), whole);
    let paged = fake.asked();
    assert!(
        paged
            .iter()
            .any(|asked| asked.query.contains("$skiptoken=3"))
    );
}

#[test]
fn subscriptions_can_be_chosen_by_id_and_name() {
    let fake = fake();
    for wanted in ["shop", documents::GOOD] {
        let estate = try_read(&fake, &[wanted]).unwrap();
        assert_eq!(estate.subscriptions.len(), 1);
        assert_eq!(estate.gap, None);
    }
    assert!(
        !fake
            .asked()
            .iter()
            .any(|asked| asked.path.contains(documents::BAD))
    );
    let estate = try_read(&fake, &["Shop", "Cupboard"]).unwrap();
    let gap = estate.gap.unwrap();
    assert_eq!(gap.status, CollectionStatus::Denied);
    assert_eq!(gap.detail, "Cupboard cannot be seen");
}

#[test]
fn what_may_not_be_read_is_missing_and_nothing_else_is() {
    let fake = fake();
    fake.fail(
        "/diagnosticsettings",
        Fault::Status(403, "AuthorizationFailed"),
    );
    fake.fail("/pricings", Fault::Status(403, "AuthorizationFailed"));
    let estate = read(&fake);
    let snapshots = estate.snapshots(&label());
    let quay = snapshot(&snapshots, CLUSTER, "quay");
    let own = data(&quay, "azure.cluster");
    assert_eq!(own.get("diagnostic_settings"), None);
    assert_eq!(own["extensions"], json!([]));
    assert_eq!(facts(&quay, "azure.cluster").status, CollectionStatus::Ok);
    assert_eq!(data(&quay, "azure.subscription").get("plans"), None);
    let access = facts(&quay, "azure.access");
    assert_eq!(access.status, CollectionStatus::Denied);
    assert_eq!(
        access.detail.as_deref(),
        Some(
            "the role lacks Microsoft.Insights/diagnosticSettings/read; the role lacks Microsoft.Security/pricings/read"
        )
    );
    assert_eq!(access.items.len(), 2);
    assert_eq!(estate.gaps().len(), 2);
    // Another cluster lacks nothing but what it shares.
    let dockside = snapshot(&snapshots, CLUSTER, "dockside");
    assert_eq!(facts(&dockside, "azure.access").items.len(), 1);
}

#[test]
fn without_the_names_of_roles_nobody_knows_who_may_what() {
    let fake = fake();
    fake.fail(
        "/roledefinitions",
        Fault::Status(403, "AuthorizationFailed"),
    );
    let snapshots = read(&fake).snapshots(&label());
    let quay = snapshot(&snapshots, CLUSTER, "quay");
    assert_eq!(data(&quay, "azure.cluster").get("role_assignments"), None);
    // It cannot be told that it does not pull from it.
    assert_eq!(facts(&quay, "azure.registry").items.len(), 1);
    assert_eq!(data(&quay, "azure.registry").get("role_assignments"), None);
}

#[test]
fn a_list_that_may_not_be_read_is_not_an_empty_one() {
    let fake = fake();
    fake.fail("/registries", Fault::Status(403, "AuthorizationFailed"));
    let snapshots = read(&fake).snapshots(&label());
    assert!(snapshots.iter().all(|one| one.asset_kind != "registry"));
    let quay = snapshot(&snapshots, CLUSTER, "quay");
    let registries = facts(&quay, "azure.registry");
    assert_eq!(registries.status, CollectionStatus::Denied);
    assert_eq!(
        registries.detail.as_deref(),
        Some("the role lacks Microsoft.ContainerRegistry/registries/read")
    );
}

#[test]
fn a_service_that_is_not_used_takes_nothing_away() {
    let fake = fake();
    let code = "MissingSubscriptionRegistration";
    fake.fail("/connectedclusters", Fault::Status(409, code));
    fake.fail("/pricings", Fault::Status(404, "SubscriptionNotFound"));
    let estate = read(&fake);
    assert_eq!(estate.gaps(), Vec::<&seareeve_collect::azure::Gap>::new());
    let snapshots = estate.snapshots(&label());
    let quay = snapshot(&snapshots, CLUSTER, "quay");
    assert_eq!(data(&quay, "azure.subscription")["plans"], json!([]));
}

#[test]
fn an_older_cloud_is_asked_in_its_own_version() {
    let fake = fake();
    fake.forget_version("/registries", "2025-04-01");
    let snapshots = read(&fake).snapshots(&label());
    snapshot(&snapshots, "registry", "quayimages");
    fake.forget_version("/registries", "2023-01-01-preview");
    fake.fail(
        "/registries",
        Fault::Status(400, "NoRegisteredProviderFound"),
    );
    let snapshots = read(&fake).snapshots(&label());
    let quay = snapshot(&snapshots, CLUSTER, "quay");
    let status = facts(&quay, "azure.registry").status;
    assert_eq!(status, CollectionStatus::Unsupported);
}

#[test]
fn azure_that_asks_to_wait_is_waited_for() {
    let fake = fake();
    let path = documents::good_registry() + "/privateEndpointConnections";
    fake.fail_once(&path, Fault::Wait(429, 7));
    fake.fail_once(&path, Fault::Wait(503, 9_999));
    fake.fail_once(&path, Fault::Status(500, "InternalServerError"));
    let (mut azure, pauses) = client(&fake, principal(), limits());
    let estate = azure.read(&[]).unwrap();
    assert_eq!(estate, read(&fake));
    // As long as it asks for, as long as we ever wait, and as long as such errors mostly last.
    let pauses = pauses.lock().unwrap().clone();
    let seconds: Vec<u64> = pauses.iter().map(Duration::as_secs).collect();
    assert_eq!(seconds, [7, 120, 8]);
}

#[test]
fn azure_that_never_has_time_is_given_up() {
    let fake = fake();
    fake.fail("/pricings", Fault::Wait(429, 1));
    let (mut azure, pauses) = client(&fake, principal(), limits());
    let estate = azure.read(&["Shop".to_owned()]).unwrap();
    assert_eq!(pauses.lock().unwrap().len(), 5);
    let gaps = estate.gaps();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].status, CollectionStatus::Error);
    assert!(
        gaps[0].detail.contains("has too much to do"),
        "{}",
        gaps[0].detail
    );
}

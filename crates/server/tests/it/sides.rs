//! One cluster seen from two sides: by a connector to Azure, and by an observer in it. Both are one asset.

use std::collections::BTreeMap;

use seareeve_api::{
    ChangeConnector, Client, Connector, ConnectorCredentials, NewConnector,
    NewRecommendationSettings,
};
use seareeve_lab::azure::{Fault, documents};
use seareeve_model::{Collection, Fact, FactDelta, FactIndex, FactKind};
use serde_json::{Value, json};

use crate::clouds::{World, world};
use crate::hosts::{admin, client, joined, refusal, until};
use crate::support::{Browser, Running};

const TIME: &str = "2030-01-01T00:00:00Z";
const RBAC: &str = "kubernetes-rbac";
const PRIVILEGED: &str = "kubernetes-privileged";

fn credentials() -> ConnectorCredentials {
    ConnectorCredentials::SecretFile {
        tenant: "t-1".to_owned(),
        client: "c-1".to_owned(),
        file: "azure".to_owned(),
    }
}

/// Reads Azure once.
fn connect(client: &Client) -> i64 {
    let made = client.create_connector(&NewConnector {
        kind: "azure".to_owned(),
        name: "cloud".to_owned(),
        cloud: "custom".to_owned(),
        credentials: credentials(),
        subscriptions: Vec::new(),
        every_hours: 0,
    });
    let id = made.unwrap().id;
    read(client, id, |one| one.state != "new");
    let judged = || client.cloud_assets().unwrap().assets;
    until(judged, |assets| {
        assets
            .iter()
            .all(|one| one.state != "unknown" || one.reason.is_some())
    });
    id
}

fn read(client: &Client, id: i64, is_it: impl Fn(&Connector) -> bool) -> Connector {
    let find = || {
        let all = client.connectors().unwrap().connectors;
        all.into_iter().find(|one| one.id == id).unwrap()
    };
    until(find, |one| !one.reading && is_it(one))
}

fn kind(text: &str) -> FactKind {
    FactKind::new(text).unwrap()
}

fn fact(id: &str, data: Value) -> Fact {
    Fact {
        id: id.to_owned(),
        name: id.to_owned(),
        data,
    }
}

/// What an observer in the cluster tells: itself, a node and a workload.
fn facts(uid: &str, node: Value) -> BTreeMap<FactKind, Vec<Fact>> {
    let mut own =
        json!({"kind": "Node", "name": "n1", "namespace": "", "kubelet": "v1.31.4", "os": "linux"});
    own.as_object_mut()
        .unwrap()
        .extend(node.as_object().unwrap().clone());
    BTreeMap::from([
        (
            kind("kubernetes.cluster"),
            vec![fact(
                "cluster",
                json!({
                    "uid": uid, "version": "v1.31.4", "minor": 31, "managed": true, "provider": "aks",
                    "nodes": {"count": 1, "versions": {}, "runtimes": {}, "os_images": {}}, "cni": [], "secret_stores": [],
                }),
            )],
        ),
        (kind("kubernetes.node"), vec![fact("Node/n1", own)]),
        (
            kind("kubernetes.workload"),
            vec![fact(
                "Pod/shop/a",
                json!({
                    "kind": "Pod", "apiVersion": "v1", "namespace": "shop", "name": "a",
                    "object": {"labels": {}, "annotations": {}}, "labels": {}, "annotations": {},
                    "spec": {"containers": [{"name": "a", "image": "a", "securityContext": {"privileged": true}}]},
                    "effective": {"pod": {}, "containers": []}, "images": [], "departs": [], "static": false,
                }),
            )],
        ),
    ])
}

/// A node where Azure keeps those of the cluster `quay`.
fn of_quay() -> Value {
    let set = "providers/Microsoft.Compute/virtualMachineScaleSets/aks-system-1-vmss";
    json!({"provider_id": format!("{}/{set}/virtualMachines/0", documents::GOOD_NODES)})
}

/// An observer joins and tells of a cluster. Returns its number.
fn observe(server: &Running, client: &Client, uid: &str, name: &str, node: Value) -> i64 {
    let sensor = joined(server, client);
    let facts = facts(uid, node);
    let hashes = facts.iter().map(|(kind, facts)| {
        let hashes = facts.iter().map(|fact| (fact.id.clone(), fact.hash()));
        (kind.clone(), hashes.collect())
    });
    let collections = facts
        .keys()
        .map(|kind| (kind.clone(), Collection::of("here", Vec::new())));
    let index = FactIndex {
        schema: FactIndex::SCHEMA.to_owned(),
        asset_kind: "kubernetes-cluster".to_owned(),
        asset_id: uid.to_owned(),
        asset_name: name.to_owned(),
        collected_at: TIME.parse().unwrap(),
        collector: "seareeve 0.1.0".to_owned(),
        collections: collections.collect(),
        hashes: hashes.collect(),
    };
    let indexed = sensor.put_fact_index(&index).unwrap();
    let mut delta = FactDelta::nothing(uid, &indexed.revision, TIME.parse().unwrap());
    delta.put = facts;
    sensor.patch_facts(&delta).unwrap();
    until(
        || health(client, indexed.asset, PRIVILEGED),
        |health| health == "unhealthy",
    );
    indexed.asset
}

fn health(client: &Client, asset: i64, recommendation: &str) -> String {
    let detail = client.asset(asset);
    let all = detail.map(|asset| asset.recommendations);
    let said = all.unwrap_or_default().into_iter();
    let mut said = said.filter(|one| one.id == recommendation);
    said.next().map(|one| one.health).unwrap_or_default()
}

/// The number of the asset that the connector knows the cluster as.
fn cloud(client: &Client, name: &str) -> i64 {
    let all = client.cloud_assets().unwrap().assets;
    all.into_iter().find(|one| one.name == name).unwrap().id
}

fn joined_to(client: &Client, cluster: i64) -> Option<i64> {
    let cluster = client.cluster(cluster).unwrap();
    cluster.summary.cloud.and_then(|cloud| cloud.asset)
}

/// How many assets count in a score group.
fn counted(client: &Client, group: &str) -> usize {
    let group = client.score_group(group).unwrap();
    group.healthy_assets.len() + group.unhealthy_assets.len()
}

/// Both sides stand on one asset: what Azure tells beside what is seen from within, and each once.
fn assert_one(client: &Client, cluster: i64, quay: i64) {
    until(|| joined_to(client, cluster), |side| *side == Some(quay));
    assert_eq!(health(client, cluster, RBAC), "healthy");
    assert_eq!(health(client, cluster, PRIVILEGED), "unhealthy");
    // The part says nothing by itself, is listed nowhere twice, and says what it is a part of.
    let part = client.asset(quay).unwrap();
    assert_eq!(part.recommendations, []);
    assert_eq!(part.summary.part_of, Some(cluster));
    let assets = client.assets(None).unwrap().assets;
    let ids: Vec<i64> = assets.iter().map(|one| one.id).collect();
    assert!(ids.contains(&cluster) && !ids.contains(&quay), "{ids:?}");
    let listed = client.clusters(None).unwrap().clusters;
    assert_eq!(listed.iter().filter(|one| one.id == quay).count(), 0);
    let shown = client.cloud_asset(quay).unwrap();
    assert_eq!(shown.summary.part_of.unwrap().id, cluster);
    assert!(shown.recommendations.iter().any(|one| one.id == PRIVILEGED));
    // The benchmark is told by both.
    let report = client.cluster_report(cluster, Some("cis-aks")).unwrap();
    let mut controls = report.controls.iter();
    let told = controls.any(|one| one.id.starts_with("5.") && one.status == "pass");
    assert!(told, "nothing of Azure is in the benchmark");
}

#[test]
fn a_cluster_of_azure_that_is_seen_from_within_later_is_one_asset() {
    let World { server, .. } = &world();
    let client = admin(server);
    let id = connect(&client);
    let quay = cloud(&client, "quay");
    until(|| health(&client, quay, RBAC), |health| health == "healthy");
    let before = counted(&client, "manage-access-and-permissions");
    client.move_asset(quay, "prod").unwrap();
    let cluster = observe(server, &client, "u1", "quay-within", of_quay());
    assert_one(&client, cluster, quay);
    assert_eq!(counted(&client, "manage-access-and-permissions"), before);
    // It is where its other side was put.
    assert_eq!(client.asset(cluster).unwrap().summary.environment, "prod");
    let side = client.cluster(cluster).unwrap().summary.cloud.unwrap();
    assert_eq!((side.how.as_str(), side.author), ("nodes", None));

    // Without the connector nobody tells what Azure knows, and nothing else is lost.
    client.delete_connector(id).unwrap();
    until(|| joined_to(&client, cluster), Option::is_none);
    until(
        || health(&client, cluster, RBAC),
        |health| health != "healthy",
    );
    assert_eq!(health(&client, cluster, PRIVILEGED), "unhealthy");
    // And when it comes back, they are one again.
    connect(&client);
    let quay = cloud(&client, "quay");
    assert_one(&client, cluster, quay);
}

#[test]
fn a_cluster_that_azure_tells_of_later_is_one_asset() {
    let World { server, .. } = &world();
    let client = admin(server);
    let cluster = observe(server, &client, "u1", "quay-within", of_quay());
    assert_eq!(joined_to(&client, cluster), None);
    assert_ne!(health(&client, cluster, RBAC), "healthy");
    connect(&client);
    let quay = cloud(&client, "quay");
    assert_one(&client, cluster, quay);
    // Whoever sees it from within goes: Azure still tells of it.
    client.delete_cluster(cluster).unwrap();
    until(|| health(&client, quay, RBAC), |health| health == "healthy");
    let part = client.asset(quay).unwrap();
    assert_eq!((part.summary.part_of, part.summary.within), (None, false));
    let listed = client.clusters(None).unwrap().clusters;
    let alone = listed.iter().find(|one| one.id == quay).unwrap();
    assert_eq!(alone.watch.by, "cloud");
    assert!(alone.version.is_some());
}

#[test]
fn people_can_say_which_cluster_it_is_and_that_it_is_none() {
    let World { server, .. } = &world();
    let client = admin(server);
    let cluster = observe(server, &client, "u1", "edge", json!({}));
    connect(&client);
    let (quay, rusty) = (cloud(&client, "quay"), cloud(&client, "Rusty"));
    until(
        || health(&client, rusty, RBAC),
        |health| health == "unhealthy",
    );
    assert_eq!(joined_to(&client, cluster), None);
    client.choose_cloud(cluster, Some(rusty)).unwrap();
    until(
        || health(&client, cluster, RBAC),
        |health| health == "unhealthy",
    );
    let side = client.cluster(cluster).unwrap().summary.cloud.unwrap();
    assert_eq!(
        (side.how.as_str(), side.author.as_deref()),
        ("chosen", Some("admin"))
    );
    until(
        || client.asset(rusty).unwrap().recommendations.len(),
        |count| *count == 0,
    );
    // Another one: the first is by itself again.
    client.choose_cloud(cluster, Some(quay)).unwrap();
    until(
        || health(&client, cluster, RBAC),
        |health| health == "healthy",
    );
    until(
        || health(&client, rusty, RBAC),
        |health| health == "unhealthy",
    );
    // What one was said to be cannot be another's.
    let other = observe(server, &client, "u2", "twin", of_quay());
    assert_eq!(joined_to(&client, other), None);
    assert_eq!(refusal(client.choose_cloud(other, Some(quay))), "conflict");
    assert_eq!(
        refusal(client.choose_cloud(other, Some(cluster))),
        "bad_request"
    );
    // Taken back, it is the one whose nodes lie there.
    client.unchoose_cloud(cluster).unwrap();
    until(|| joined_to(&client, other), |side| *side == Some(quay));
    assert_eq!(joined_to(&client, cluster), None);
    // Whatever looks like it, it is none.
    client.choose_cloud(other, None).unwrap();
    until(|| health(&client, quay, RBAC), |health| health == "healthy");
    assert_eq!(joined_to(&client, other), None);
}

#[test]
fn what_was_said_of_one_side_holds_for_both() {
    let World { server, .. } = &world();
    let client = admin(server);
    connect(&client);
    let rusty = cloud(&client, "Rusty");
    until(
        || health(&client, rusty, RBAC),
        |health| health == "unhealthy",
    );
    let exemption = serde_json::from_value(json!({
        "recommendation": RBAC, "asset": rusty, "kind": "waiver", "reason": "it goes next week",
    }));
    client.create_exemption(&exemption.unwrap()).unwrap();
    until(
        || health(&client, rusty, RBAC),
        |health| health == "not_applicable",
    );
    let cluster = observe(server, &client, "u1", "attic", json!({}));
    client.choose_cloud(cluster, Some(rusty)).unwrap();
    until(
        || health(&client, cluster, RBAC),
        |health| health == "not_applicable",
    );
}

#[test]
fn a_connector_is_changed_tried_and_paused() {
    let World { server, fake, .. } = &world();
    let client = admin(server);
    let id = connect(&client);
    let one = read(&client, id, |_| true);
    assert_eq!((one.every_hours, one.next, one.paused), (0, None, false));
    let names: Vec<&str> = one.seen.iter().map(|seen| seen.name.as_str()).collect();
    assert_eq!(names, ["Attic", "Shop"]);
    assert_eq!((one.seen[0].clusters, one.seen[0].registries), (2, 1));

    let change = ChangeConnector {
        name: Some("shop only".to_owned()),
        subscriptions: Some(vec!["Shop".to_owned()]),
        every_hours: Some(12),
        ..ChangeConnector::default()
    };
    client.change_connector(id, &change).unwrap();
    // It reads at once, since it sees something else.
    let one = read(&client, id, |one| one.seen.len() == 1);
    assert_eq!((one.name.as_str(), one.every_hours), ("shop only", 12));
    let pause = one.next.unwrap().duration_since(one.tried.unwrap());
    assert_eq!(pause.as_hours(), 12);
    let tested = client.test_connector(id).unwrap();
    assert_eq!((tested.ok, tested.problem), (true, None));
    assert_eq!(tested.subscriptions.len(), 1);

    let paused = ChangeConnector {
        paused: Some(true),
        subscriptions: Some(vec!["Nowhere".to_owned()]),
        ..ChangeConnector::default()
    };
    let one = client.change_connector(id, &paused).unwrap();
    assert_eq!((one.paused, one.next, one.reading), (true, None, false));
    let tested = client.test_connector(id).unwrap();
    assert_eq!(tested.problem.as_deref(), Some("Nowhere cannot be seen"));
    assert!(!tested.ok);

    // What goes wrong stands with its subscription.
    let open = ChangeConnector {
        paused: Some(false),
        subscriptions: Some(Vec::new()),
        ..ChangeConnector::default()
    };
    fake.fail(
        "Microsoft.ContainerRegistry/registries",
        Fault::Status(403, "AuthorizationFailed"),
    );
    client.change_connector(id, &open).unwrap();
    let one = read(&client, id, |one| one.state == "partial");
    assert_eq!(one.problems, Vec::<String>::new());
    assert!(
        one.seen.iter().all(|seen| !seen.problems.is_empty()),
        "{:?}",
        one.seen
    );

    let wrong = |change: Value| {
        let change: ChangeConnector = serde_json::from_value(change).unwrap();
        refusal(client.change_connector(id, &change))
    };
    assert_eq!(wrong(json!({"name": " "})), "bad_request");
    assert_eq!(wrong(json!({"every_hours": 721})), "bad_request");
    assert_eq!(wrong(json!({"cloud": "mars"})), "bad_request");
    let secret = json!({"kind": "secret_file", "tenant": "t", "client": "c", "file": "../x"});
    assert_eq!(wrong(json!({"credentials": secret})), "bad_request");
    assert_eq!(refusal(client.change_connector(99, &open)), "not_found");
    let twin = NewConnector {
        kind: "azure".to_owned(),
        name: "twin".to_owned(),
        cloud: "custom".to_owned(),
        credentials: credentials(),
        subscriptions: Vec::new(),
        every_hours: 0,
    };
    client.create_connector(&twin).unwrap();
    assert_eq!(wrong(json!({"name": "twin"})), "conflict");
}

#[test]
fn what_settings_would_change_is_told_before_they_are_kept() {
    let World { server, .. } = &world();
    let mut browser = Browser::signed_in(server);
    let client = client(server, &mut browser);
    let cluster = observe(server, &client, "u1", "edge", json!({}));
    let settings =
        |value: Value| -> NewRecommendationSettings { serde_json::from_value(value).unwrap() };
    const TRUSTED: &str = "kubernetes-trusted-images";
    until(
        || health(&client, cluster, TRUSTED),
        |health| health == "unhealthy",
    );
    let good = settings(json!({"params": {"allowed_images": "^a$"}}));
    let shown = client.preview_recommendation(TRUSTED, &good).unwrap();
    let one = &shown.clusters[0];
    assert_eq!(
        (one.health.as_deref(), one.health_after.as_deref()),
        (Some("unhealthy"), Some("healthy"))
    );
    assert_eq!((one.failing, one.failing_after, one.end_count), (1, 0, 1));
    assert_eq!(
        (one.end.as_slice(), one.begin_count),
        (["Pod/shop/a".to_owned()].as_slice(), 0)
    );
    assert!(shown.points_after >= shown.points);
    // Nothing is kept of it.
    assert_eq!(
        client.recommendation_settings(TRUSTED).unwrap().author,
        None
    );
    assert_eq!(health(&client, cluster, TRUSTED), "unhealthy");
    // What it says is what happens.
    client.set_recommendation(TRUSTED, &good).unwrap();
    until(
        || health(&client, cluster, TRUSTED),
        |health| health == "healthy",
    );
    let back = settings(json!({}));
    let one = client
        .preview_recommendation(TRUSTED, &back)
        .unwrap()
        .clusters
        .remove(0);
    assert_eq!((one.begin_count, one.end_count), (1, 0));
    let off = settings(json!({"enabled": false}));
    let one = client
        .preview_recommendation(TRUSTED, &off)
        .unwrap()
        .clusters
        .remove(0);
    assert_eq!((one.health_after, one.failing_after), (None, 0));
    let out = settings(json!({"excluded_namespaces": ["shop"]}));
    let one = client
        .preview_recommendation(TRUSTED, &out)
        .unwrap()
        .clusters
        .remove(0);
    assert_eq!(one.health_after.as_deref(), Some("not_applicable"));

    client.reset_recommendation(TRUSTED).unwrap();
    until(
        || health(&client, cluster, TRUSTED),
        |health| health == "unhealthy",
    );
    let history = client
        .recommendation_settings_history(TRUSTED)
        .unwrap()
        .changes;
    let told: Vec<bool> = history.iter().map(|change| change.set.is_some()).collect();
    assert_eq!(told, [false, true]);
    assert_eq!(history[1].set.as_ref(), Some(&good));
    assert_eq!(history[0].author, "admin");

    // What cannot be used is refused at its field.
    for (params, field) in [
        (json!({"allowed_images": "("}), "params.allowed_images"),
        (json!({"allowed_images": 7}), "params.allowed_images"),
        (json!({"other": "x"}), "params.other"),
    ] {
        let path = format!("/api/v1/recommendations/{TRUSTED}/settings");
        let answer = browser.send("PUT", &path, Some(json!({"params": params})));
        assert_eq!(
            (answer.status, &answer.body["error"]["field"]),
            (400, &json!(field)),
            "{}",
            answer.body
        );
    }
}

/// What would be refused now: of a cluster whose facts are kept one by one.
#[test]
fn admission_is_tried_on_what_an_observed_cluster_has() {
    let World { server, .. } = &world();
    let client = admin(server);
    let cluster = observe(server, &client, "u1", "edge", json!({}));
    let policy = json!({
        "schema": "seareeve.admission/1", "mode": "audit",
        "recommendations": {(PRIVILEGED): {"mode": "deny"}},
    });
    let asked = serde_json::from_value(json!({"asset": cluster, "policy": policy})).unwrap();
    let shown = client.preview_admission(&asked).unwrap();
    let rule = shown
        .rules
        .iter()
        .find(|one| one.recommendation == PRIVILEGED)
        .unwrap();
    assert_eq!(rule.denied, 1);
    let hit = shown
        .hits
        .iter()
        .find(|one| one.effect == "denied")
        .unwrap();
    assert_eq!((hit.namespace.as_str(), hit.name.as_str()), ("shop", "a"));
}

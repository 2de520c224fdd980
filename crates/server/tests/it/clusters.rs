//! Clusters: watched through a fake of the API server, or told of by a sensor; judged object by object.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use seareeve_api::{AuditJoin, Client, NewException, NewRecommendationSettings, WorkloadFilter};
use seareeve_kubernetes::{Reading, Resource};
use seareeve_model::{Collection, CollectionStatus, Fact, FactDelta, FactIndex, FactKind};
use seareeve_server::config::ClusterConfig;
use serde_json::{Value, json};

use crate::alerts::{cluster, event as event_of, exec, list, send};
use crate::fake::{Fake, Fault};
use crate::hosts::{admin, joined, refusal, until};
use crate::support::{Running, folder, start};

const DEPLOYMENTS: &str = "/apis/apps/v1/deployments";
const PRIVILEGED: &str = "kubernetes-privileged";
const CHECK: &str = "pod-security.privileged";

/// An API server that has every resource; two namespaces, a node and a workload.
pub(crate) fn fake() -> Fake {
    let fake = Fake::start();
    let asked = Resource::ALL.into_iter();
    for resource in asked.filter(|one| one.reading() != Reading::Never) {
        let api = resource.api();
        let root = match api.group {
            "" => "/api".to_owned(),
            group => format!("/apis/{group}"),
        };
        let path = format!("{root}/{}/{}", api.versions[0], api.plural);
        fake.put(&path, json!({"metadata": {"name": "x"}}));
        fake.remove(&path, "/x", true);
    }
    let namespace =
        |name: &str| json!({"metadata": {"name": name, "uid": format!("uid of {name}")}});
    fake.put("/api/v1/namespaces", namespace("kube-system"));
    fake.put("/api/v1/namespaces", namespace("shop"));
    let node = json!({
        "metadata": {"name": "n1", "uid": "n1"},
        "status": {"nodeInfo": {"kubeletVersion": "v1.31.4", "operatingSystem": "linux"}},
    });
    fake.put("/api/v1/nodes", node);
    fake.put(DEPLOYMENTS, deployment("web", false));
    fake
}

fn deployment(name: &str, privileged: bool) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "spec": {"replicas": 1, "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [
                {"name": "a", "image": "registry.example/a:1", "securityContext": {"privileged": privileged}},
            ]},
        }},
    })
}

/// The file by which a cluster is reached.
fn kubeconfig(data: &Utf8PathBuf, server: &str) -> Utf8PathBuf {
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t0ken"}}],
    });
    let file = data.with_extension("kubeconfig");
    std::fs::write(&file, text.to_string()).unwrap();
    file
}

/// A server that watches what listens there.
pub(crate) fn watching(data: &Utf8PathBuf, server: &str) -> Running {
    let file = kubeconfig(data, server);
    start(data, |config| {
        config.kubernetes.clusters = vec![ClusterConfig {
            name: "prod".to_owned(),
            kubeconfig: file,
            context: String::new(),
        }];
    })
}

/// What a recommendation says of the cluster.
fn health(client: &Client, cluster: i64, recommendation: &str) -> String {
    let detail = client.cluster(cluster).unwrap();
    let mut said = detail.recommendations.into_iter();
    let said = said.find(|one| one.id == recommendation);
    said.map(|one| one.health).unwrap_or_default()
}

/// The number of the one cluster, when it was judged.
pub(crate) fn judged(client: &Client) -> i64 {
    let page = until(
        || client.clusters(None).unwrap(),
        |page| page.clusters.iter().any(|one| one.workloads.is_some()),
    );
    page.clusters[0].id
}

#[test]
fn an_object_breaks_and_is_mended_and_the_score_follows() {
    let (_keep, data) = folder();
    let fake = fake();
    let server = watching(&data, &fake.connection().server);
    let client = admin(&server);
    let cluster = judged(&client);
    let detail = until(
        || client.cluster(cluster).unwrap(),
        |detail| detail.judged_at.is_some(),
    );
    assert_eq!(detail.summary.uid, "uid of kube-system");
    assert_eq!(detail.summary.version.as_deref(), Some("v1.31.4"));
    let summary = &detail.summary;
    assert_eq!(
        (summary.nodes, summary.namespaces, summary.workloads),
        (Some(1), Some(2), Some(1))
    );
    assert_eq!(
        (summary.watch.by.as_str(), summary.watch.state.as_str()),
        ("server", "watching")
    );
    assert_eq!(detail.node_list[0].version.as_deref(), Some("v1.31.4"));
    let editions: BTreeSet<&str> = detail
        .benchmarks
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    let all = [
        "cis-aks",
        "cis-kubernetes",
        "nsa-cisa",
        "pss-baseline",
        "pss-restricted",
    ];
    assert_eq!(editions, BTreeSet::from(all));
    let azure = detail
        .benchmarks
        .iter()
        .find(|one| one.id == "cis-aks")
        .unwrap();
    assert!(azure.left_out.is_some(), "the cluster is not Azure's");
    assert_eq!(health(&client, cluster, PRIVILEGED), "healthy");
    assert_eq!(
        health(&client, cluster, "kubernetes-rbac"),
        "not_applicable"
    );
    let before = client.score().unwrap();

    fake.put(DEPLOYMENTS, deployment("web", true));
    until(
        || health(&client, cluster, PRIVILEGED),
        |health| health == "unhealthy",
    );
    let report = client
        .cluster_report(cluster, Some("pss-baseline"))
        .unwrap();
    let broken: Vec<_> = report
        .controls
        .iter()
        .filter(|one| one.status == "fail")
        .collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert_eq!(broken[0].objects[0].id, "Deployment/shop/web");
    let said = client.cluster_recommendation(cluster, PRIVILEGED).unwrap();
    assert_eq!(
        (said.unhealthy_count, said.unhealthy[0].name.as_str()),
        (1, "web")
    );
    assert!(said.excluded_namespaces.contains(&"kube-system".to_owned()));
    let failing = WorkloadFilter {
        check: Some(CHECK.to_owned()),
        ..WorkloadFilter::default()
    };
    let page = client.workloads(cluster, &failing, None).unwrap();
    assert_eq!(
        (page.total, page.workloads[0].id.as_str()),
        (1, "Deployment/shop/web")
    );
    let nowhere = WorkloadFilter {
        namespace: Some("nowhere".to_owned()),
        ..WorkloadFilter::default()
    };
    assert_eq!(client.workloads(cluster, &nowhere, None).unwrap().total, 0);
    let facets = client.workload_facets(cluster).unwrap();
    assert_eq!(facets.kinds[0].value, "Deployment");
    assert!(
        facets
            .checks
            .iter()
            .any(|one| one.value == CHECK && one.count == 1)
    );
    let workload = client.workload(cluster, "Deployment/shop/web").unwrap();
    let result = workload
        .results
        .iter()
        .find(|one| one.object.check == CHECK)
        .unwrap();
    assert_eq!(result.object.status, "fail");
    assert_eq!(workload.fact["namespace"], "shop");
    assert_eq!(refusal(client.workload(cluster, "Pod/a/b")), "not_found");

    fake.put(DEPLOYMENTS, deployment("web", false));
    until(
        || health(&client, cluster, PRIVILEGED),
        |health| health == "healthy",
    );
    assert_eq!(client.score().unwrap(), before);
    let history = client.cluster_history(cluster).unwrap();
    let of_standard = history
        .changes
        .iter()
        .filter(|one| one.benchmark == "pss-baseline");
    let words: Vec<String> = of_standard
        .map(|one| format!("{} {}", one.was.as_deref().unwrap_or_default(), one.status))
        .collect();
    assert_eq!(words, ["fail pass", "pass fail"]);
    let causes: BTreeSet<String> = client
        .score_history(1, None)
        .unwrap()
        .points
        .into_iter()
        .flat_map(|point| point.causes)
        .map(|cause| cause.recommendation)
        .collect();
    assert!(causes.contains(PRIVILEGED), "{causes:?}");
}

#[test]
fn what_people_say_counts_for_clusters_too() {
    let (_keep, data) = folder();
    let fake = fake();
    fake.put(DEPLOYMENTS, deployment("web", true));
    let server = watching(&data, &fake.connection().server);
    let client = admin(&server);
    let cluster = judged(&client);
    until(
        || health(&client, cluster, PRIVILEGED),
        |health| health == "unhealthy",
    );
    let exception = NewException {
        check: CHECK.to_owned(),
        benchmark: None,
        asset: Some("prod".to_owned()),
        object: Some("web".to_owned()),
        reason: "it has to".to_owned(),
        expires: None,
    };
    let made = client.create_exception(&exception).unwrap();
    until(
        || health(&client, cluster, PRIVILEGED),
        |health| health == "healthy",
    );
    let said = client.cluster_recommendation(cluster, PRIVILEGED).unwrap();
    assert_eq!((said.unhealthy.len(), said.healthy_count), (0, 1));
    let workload = client.workload(cluster, "Deployment/shop/web").unwrap();
    let result = workload
        .results
        .iter()
        .find(|one| one.object.check == CHECK)
        .unwrap();
    assert_eq!(result.object.status, "excepted");
    client.delete_exception(made.id).unwrap();
    until(
        || health(&client, cluster, PRIVILEGED),
        |health| health == "unhealthy",
    );

    let mut set = NewRecommendationSettings {
        excluded_namespaces: Some(vec!["shop".to_owned()]),
        ..NewRecommendationSettings::default()
    };
    client.set_recommendation(PRIVILEGED, &set).unwrap();
    until(
        || health(&client, cluster, PRIVILEGED),
        |health| health == "not_applicable",
    );
    set.enabled = Some(false);
    client.set_recommendation(PRIVILEGED, &set).unwrap();
    until(
        || health(&client, cluster, PRIVILEGED),
        |health| health.is_empty(),
    );
    // A parameter: which images are trusted.
    const TRUSTED: &str = "kubernetes-trusted-images";
    assert_eq!(health(&client, cluster, TRUSTED), "unhealthy");
    let params = json!({"allowed_images": "^registry\\.example/"});
    let trusted = NewRecommendationSettings {
        params: params.as_object().unwrap().clone(),
        ..NewRecommendationSettings::default()
    };
    let answer = client.set_recommendation(TRUSTED, &trusted).unwrap();
    assert_eq!(answer.author.as_deref(), Some("admin"));
    until(
        || health(&client, cluster, TRUSTED),
        |health| health == "healthy",
    );
    for wrong in [json!({"allowed_images": 7}), json!({"else": "x"})] {
        let wrong = NewRecommendationSettings {
            params: wrong.as_object().unwrap().clone(),
            ..NewRecommendationSettings::default()
        };
        assert_eq!(
            refusal(client.set_recommendation(TRUSTED, &wrong)),
            "bad_request"
        );
    }
}

#[test]
fn a_hostile_or_broken_cluster_costs_itself_its_assessment_and_is_never_fine() {
    let (_keep, data) = folder();
    let fake = fake();
    // Deployments may not be read, services never end, a watch expires, another speaks nonsense.
    fake.refuse(DEPLOYMENTS, 403);
    fake.fault(
        "/api/v1/services",
        Fault::Bytes("{\"items\": [{\"metadata\": 7}"),
    );
    fake.fault("watch:/api/v1/nodes", Fault::Expired);
    fake.fault("watch:/api/v1/namespaces", Fault::Bytes("nonsense\n"));
    let server = watching(&data, &fake.connection().server);
    let client = admin(&server);
    let page = until(
        || client.clusters(None).unwrap(),
        |page| page.clusters.iter().any(|one| one.watch.state == "partial"),
    );
    let cluster = page.clusters[0].id;
    assert_eq!(page.clusters[0].workloads, None, "nobody knows how many");
    until(
        || health(&client, cluster, PRIVILEGED),
        |health| health == "unknown",
    );
    let report = client
        .cluster_report(cluster, Some("pss-baseline"))
        .unwrap();
    let fine = report.controls.iter().filter(|one| one.status == "pass");
    assert_eq!(fine.count(), 0, "what was not read is not fine");
    assert!(
        report
            .gaps
            .iter()
            .any(|gap| gap.kind == "kubernetes.workload" && gap.status == "denied")
    );
    assert_eq!(
        client.status().unwrap().version,
        env!("CARGO_PKG_VERSION"),
        "the server goes on"
    );
}

#[test]
fn a_cluster_that_cannot_be_reached_is_listed_and_says_so_until_it_can() {
    let (_keep, data) = folder();
    // Nobody listens on port 1.
    let server = watching(&data, "http://127.0.0.1:1");
    let client = admin(&server);
    let page = until(
        || client.clusters(None).unwrap(),
        |page| !page.clusters.is_empty(),
    );
    let listed = &page.clusters[0];
    assert_eq!(
        (listed.name.as_str(), listed.state.as_str()),
        ("prod", "unknown")
    );
    let listed = until(
        || client.clusters(None).unwrap().clusters.remove(0).watch,
        |watch| watch.state == "unreachable",
    );
    assert!(listed.reason.unwrap().contains("127.0.0.1:1"));
    assert!(listed.since.is_some());
    drop(server);

    let fake = fake();
    let server = watching(&data, &fake.connection().server);
    let client = admin(&server);
    judged(&client);
    let page = client.clusters(None).unwrap();
    let names: Vec<(&str, &str)> = page
        .clusters
        .iter()
        .map(|one| (one.name.as_str(), one.watch.state.as_str()))
        .collect();
    assert_eq!(names, [("prod", "watching")], "what stood for it is gone");
}

fn kind(text: &str) -> FactKind {
    FactKind::new(text).unwrap()
}

fn workload(name: &str, privileged: bool) -> Fact {
    Fact {
        id: format!("Pod/shop/{name}"),
        name: name.to_owned(),
        data: json!({
            "kind": "Pod", "apiVersion": "v1", "namespace": "shop", "name": name,
            "object": {"labels": {}, "annotations": {}}, "labels": {}, "annotations": {},
            "spec": {"containers": [{"name": "a", "image": "a", "securityContext": {"privileged": privileged}}]},
            "effective": {"pod": {}, "containers": []}, "images": [], "departs": [], "static": false,
        }),
    }
}

pub(crate) fn index(uid: &str, facts: &[&Fact]) -> FactIndex {
    let workloads = kind("kubernetes.workload");
    let hashes = facts.iter().map(|fact| (fact.id.clone(), fact.hash()));
    FactIndex {
        schema: FactIndex::SCHEMA.to_owned(),
        asset_kind: "kubernetes-cluster".to_owned(),
        asset_id: uid.to_owned(),
        asset_name: "edge".to_owned(),
        collected_at: "2030-01-01T00:00:00Z".parse().unwrap(),
        collector: "seareeve 0.1.0".to_owned(),
        collections: BTreeMap::from([(workloads.clone(), Collection::of("here", Vec::new()))]),
        hashes: BTreeMap::from([(workloads, hashes.collect())]),
    }
}

fn delta(base: &str, put: &[&Fact], gone: &[&str]) -> FactDelta {
    let mut delta = FactDelta::nothing("c1", base, "2030-01-01T00:00:00Z".parse().unwrap());
    let workloads = kind("kubernetes.workload");
    if !put.is_empty() {
        let facts = put.iter().map(|fact| (*fact).clone());
        delta.put.insert(workloads.clone(), facts.collect());
    }
    if !gone.is_empty() {
        let ids = gone.iter().map(|id| (*id).to_owned());
        delta.gone.insert(workloads, ids.collect());
    }
    delta
}

#[test]
fn a_sensor_sends_what_is_missing_and_then_what_changes() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let sensor = joined(&server, &client);
    let (a, b) = (workload("a", false), workload("b", true));
    let first = sensor.put_fact_index(&index("c1", &[&a, &b])).unwrap();
    let wanted = &first.wanted["kubernetes.workload"];
    assert_eq!(wanted, &BTreeSet::from([a.id.clone(), b.id.clone()]));
    let listed = client.clusters(None).unwrap().clusters.remove(0);
    assert_eq!(
        (listed.watch.state.as_str(), listed.watch.by.as_str()),
        ("reading", "sensor")
    );
    // In two parts: before the last one nothing is judged.
    let part = FactDelta {
        more: true,
        ..delta(&first.revision, &[&a], &[])
    };
    let second = sensor.patch_facts(&part).unwrap();
    assert_eq!(client.cluster(first.asset).unwrap().judged_at, None);
    let third = sensor
        .patch_facts(&delta(&second.revision, &[&b], &[]))
        .unwrap();
    until(
        || health(&client, first.asset, PRIVILEGED),
        |health| health == "unhealthy",
    );

    // The same again, after a restart of the sensor: nothing is wanted, nothing is new.
    let again = sensor.put_fact_index(&index("c1", &[&a, &b])).unwrap();
    assert_eq!(
        (again.wanted.len(), again.revision.as_str()),
        (0, third.revision.as_str())
    );
    let nothing = sensor
        .patch_facts(&delta(&again.revision, &[], &[]))
        .unwrap();
    assert_eq!(nothing.revision, third.revision);
    // What goes on from something else is refused, and taken after an index.
    let stale = sensor.patch_facts(&delta(&second.revision, &[], &[&b.id]));
    assert_eq!(refusal(stale), "stale_facts");
    let gone = sensor
        .patch_facts(&delta(&third.revision, &[], &[&b.id]))
        .unwrap();
    until(
        || health(&client, first.asset, PRIVILEGED),
        |health| health == "healthy",
    );
    // An index without it means that it is gone.
    let left = sensor.put_fact_index(&index("c1", &[])).unwrap();
    assert_ne!(left.revision, gone.revision);
    until(
        || health(&client, first.asset, PRIVILEGED),
        |health| health == "not_applicable",
    );

    assert_eq!(
        refusal(sensor.put_fact_index(&index("c2", &[]))),
        "conflict"
    );
    let mut wrong = index("c1", &[]);
    wrong
        .hashes
        .insert(kind("docker.container"), BTreeMap::new());
    assert_eq!(refusal(sensor.put_fact_index(&wrong)), "bad_request");
    let mut wrong = index("c1", &[]);
    wrong.schema = "seareeve.fact-index/9".to_owned();
    assert_eq!(refusal(sensor.put_fact_index(&wrong)), "bad_request");
    assert_eq!(
        refusal(client.put_fact_index(&index("c1", &[]))),
        "bad_credentials"
    );

    client.delete_cluster(first.asset).unwrap();
    assert_eq!(client.clusters(None).unwrap().clusters, []);
    assert_eq!(
        refusal(sensor.put_fact_index(&index("c1", &[]))),
        "bad_credentials"
    );
}

#[test]
fn a_sensor_says_that_its_cluster_is_away_and_that_it_is_back() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let sensor = joined(&server, &client);
    let broken = workload("b", true);
    let first = sensor.put_fact_index(&index("c1", &[&broken])).unwrap();
    let taken = sensor
        .patch_facts(&delta(&first.revision, &[&broken], &[]))
        .unwrap();
    until(
        || health(&client, first.asset, PRIVILEGED),
        |health| health == "unhealthy",
    );
    let away = FactDelta {
        trouble: Some("the API server does not answer".to_owned()),
        ..delta(&taken.revision, &[], &[])
    };
    sensor.patch_facts(&away).unwrap();
    let watch = || client.clusters(None).unwrap().clusters.remove(0).watch;
    assert_eq!(watch().state, "unreachable");
    assert_eq!(
        watch().reason.as_deref(),
        Some("the API server does not answer")
    );
    assert!(watch().since.is_some());
    until(
        || health(&client, first.asset, PRIVILEGED),
        |health| health == "unknown",
    );
    let wrong = FactDelta {
        trouble: Some("and yet it is seen".to_owned()),
        ..delta(&taken.revision, &[&broken], &[])
    };
    assert_eq!(refusal(sensor.patch_facts(&wrong)), "bad_request");
    sensor
        .patch_facts(&delta(&taken.revision, &[], &[]))
        .unwrap();
    assert_eq!(watch().state, "watching");
    until(
        || health(&client, first.asset, PRIVILEGED),
        |health| health == "unhealthy",
    );
}

#[test]
fn what_was_judged_is_there_again_after_a_restart() {
    let (_keep, data) = folder();
    let broken = workload("b", true);
    let cluster = {
        let server = start(&data, |_| {});
        let client = admin(&server);
        let sensor = joined(&server, &client);
        let taken = sensor.put_fact_index(&index("c1", &[&broken])).unwrap();
        sensor
            .patch_facts(&delta(&taken.revision, &[&broken], &[]))
            .unwrap();
        until(
            || health(&client, taken.asset, PRIVILEGED),
            |health| health == "unhealthy",
        );
        taken.asset
    };
    let server = start(&data, |_| {});
    let client = admin(&server);
    assert_eq!(health(&client, cluster, PRIVILEGED), "unhealthy");
    let page = client
        .workloads(cluster, &WorkloadFilter::default(), None)
        .unwrap();
    assert_eq!(page.workloads[0].id, "Pod/shop/b");
    assert!(page.workloads[0].failed.high + page.workloads[0].failed.critical > 0);
}

#[test]
fn what_a_nodes_sensor_tells_counts_for_its_cluster() {
    let (_keep, data) = folder();
    let fake = fake();
    let server = watching(&data, &fake.connection().server);
    let client = admin(&server);
    let cluster = judged(&client);
    let read_only = |client: &Client| {
        let report = client
            .cluster_report(cluster, Some("cis-kubernetes"))
            .unwrap();
        let is_it =
            |id: &Option<String>| id.as_deref() == Some("kubernetes.kubelet.anonymous-requests");
        let mut controls = report.controls.into_iter();
        controls.find(|one| is_it(&one.check)).unwrap().status
    };
    assert_eq!(read_only(&client), "not_collected");
    let sensor = joined(&server, &client);
    let fact = |id: &str, data: Value| json!({"id": id, "name": id, "data": data});
    let some = |items: Vec<Value>| json!({"status": "ok", "source": "a test", "items": items});
    let kubelet = |anonymous: bool| {
        json!({
            "component": "kubelet", "node": "n1", "source": "process", "flags": {}, "positional": [], "unresolved": [],
            "effective": {"authentication.anonymous.enabled": {"value": anonymous, "source": "file"},
                "anonymous-auth": {"value": anonymous, "source": "file"}},
        })
    };
    let machine = |uid: &str, anonymous: bool| {
        json!({
            "schema": "seareeve.facts/1", "asset_kind": "docker-host", "asset_id": "m1", "asset_name": "m1",
            "collected_at": "2030-01-01T00:00:00Z", "collector": "seareeve 0.1.0",
            "facts": {
                "host": some(vec![]),
                "kubernetes.membership": some(vec![fact("membership", json!({"node": "n1", "cluster_uid": uid, "authorities": []}))]),
                "kubernetes.kubelet": some(vec![fact("kubelet/n1", kubelet(anonymous))]),
            },
        })
    };
    let send = |machine: Value| {
        sensor
            .put_facts(machine.to_string().as_bytes())
            .unwrap()
            .host
    };
    // Of another cluster it says nothing.
    let host = send(machine("another", true));
    send(machine("uid of kube-system", true));
    until(|| read_only(&client), |status| status == "fail");
    let node = client.cluster(cluster).unwrap().node_list.remove(0);
    assert_eq!((node.name.as_str(), node.host), ("n1", Some(host)));
    send(machine("uid of kube-system", false));
    until(|| read_only(&client), |status| status == "pass");
    send(machine("another", true));
    until(|| read_only(&client), |status| status == "not_collected");
    let node = client.cluster(cluster).unwrap().node_list.remove(0);
    assert_eq!(node.host, None);
}

#[test]
fn nobody_is_told_that_all_is_well_of_what_is_denied() {
    let mut denied = index("c1", &[]);
    for collection in denied.collections.values_mut() {
        collection.status = CollectionStatus::Denied;
        collection.detail = Some("the role lacks `list` on `pods`".to_owned());
    }
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let sensor = joined(&server, &client);
    let taken = sensor.put_fact_index(&denied).unwrap();
    until(
        || health(&client, taken.asset, PRIVILEGED),
        |health| health == "unknown",
    );
    let said = client
        .cluster_recommendation(taken.asset, PRIVILEGED)
        .unwrap();
    assert!(said.said.reason.unwrap().contains("`list` on `pods`"));
}

#[test]
fn a_cluster_and_its_audit_events_are_one_thing() {
    let (_keep, data) = folder();
    let fake = fake();
    let server = watching(&data, &fake.connection().server);
    let client = admin(&server);
    let id = judged(&client);
    // By its name.
    let webhook = cluster(&client, "prod");
    let joined = |name: &str| client.audit_cluster(name).unwrap().cluster;
    let by_name = joined("prod").unwrap();
    assert_eq!((by_name.id, by_name.known_by.as_str()), (id, "name"));
    let detail = client.cluster(id).unwrap();
    assert_eq!(detail.audit.len(), 1);
    assert_eq!(detail.audit[0].name, "prod");
    assert!(detail.audit[0].on_since.is_some());
    assert!(detail.audit[0].open_alerts.is_empty());

    // An alert leads to it, and to the workload that the pod is of.
    let event = exec("a", "web-5d9f7c-x2x4z", "ls");
    assert_eq!(send(&server, &webhook, "identity", &list(&[event])), 200);
    let page = until(
        || client.alerts(&[("rule", "exec-into-pod")], None).unwrap(),
        |page| page.alerts.len() == 1,
    );
    let alert = client.alert(&page.alerts[0].id).unwrap();
    assert_eq!(alert.cluster_id, Some(id));
    let workloads: Vec<&str> = alert.workloads.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(workloads, ["Deployment/shop/web"]);
    let open = client.cluster(id).unwrap().audit[0].open_alerts.clone();
    assert_eq!(open.values().sum::<u64>(), 1, "{open:?}");

    // By the uid that an event shows, which counts for more than a name.
    let other = cluster(&client, "other");
    assert_eq!(joined("other"), None);
    let shown = |id: &str, uid: &str| {
        let object = json!({"resource": "namespaces", "namespace": "kube-system", "name": "kube-system",
            "apiVersion": "v1"});
        let mut event = event_of(id, "get", "/api/v1/namespaces/kube-system", object);
        event["responseObject"] =
            json!({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": uid}});
        event
    };
    // As the fake has it, it is no uid that an API server would give, and none that is believed.
    let event = shown("b", "uid of kube-system");
    assert_eq!(send(&server, &other, "identity", &list(&[event])), 200);
    let event = shown("c", "0f0f0f0f-0000-0000-0000-000000000000");
    assert_eq!(send(&server, &webhook, "identity", &list(&[event])), 200);
    until(|| joined("prod"), |joined| joined.is_none());

    // Somebody says so, whatever is found out; or that it is found out again.
    let said = AuditJoin::Cluster { id };
    let by_person = client.join_audit_cluster("prod", &said).unwrap().cluster;
    assert_eq!(by_person.unwrap().known_by, "person");
    client
        .join_audit_cluster("other", &AuditJoin::None)
        .unwrap();
    assert_eq!(joined("other"), None);
    client
        .join_audit_cluster("prod", &AuditJoin::FoundOut)
        .unwrap();
    until(|| joined("prod"), |joined| joined.is_none());
    let nobody = AuditJoin::Cluster { id: 99 };
    assert_eq!(
        refusal(client.join_audit_cluster("prod", &nobody)),
        "bad_request"
    );
}

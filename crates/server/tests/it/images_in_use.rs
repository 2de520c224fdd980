//! Images in use: what scans found in them becomes what is said of hosts, clusters and registries, and back.

use camino::Utf8Path;
use seareeve_api::{Client, NewRecommendationSettings};
use seareeve_scan::advisories::{Sources, build};
use seareeve_server::config::ScanInUse;
use serde_json::{Value, json};

use crate::clusters::{fake, watching};
use crate::hosts::{client, facts, joined, send, until};
use crate::support::{BOOKWORM, Browser, archive, debian, folder, start};

const RUNNING: &str = "running-image-vulnerabilities";
const REGISTRY: &str = "registry-image-vulnerabilities";
const PODS: &str = "/api/v1/pods";

/// A database that knows these vulnerabilities of Debian's `hello`.
fn database(folder: &Utf8Path, data: &Utf8Path, ids: &[&str], built: &str) {
    let records = folder.join(format!("records-{built}"));
    std::fs::create_dir_all(&records).unwrap();
    std::fs::create_dir_all(data).unwrap();
    for id in ids {
        let record = json!({
            "id": format!("DEBIAN-{id}"), "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
            "upstream": [id],
            "affected": [{ "package": { "ecosystem": "Debian:12", "name": "hello" },
                "ecosystem_specific": { "urgency": "high" },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "9" }] }] }],
        });
        std::fs::write(records.join(format!("{id}.json")), record.to_string()).unwrap();
    }
    let sources = Sources {
        records: vec![records],
        ..Sources::default()
    };
    let built = format!("{built}T12:00:00Z").parse().unwrap();
    let report = build(&sources, &data.join("advisories.db"), built, &|_| {}).unwrap();
    assert_eq!(report.problems, []);
}

fn image(name: &str) -> Vec<u8> {
    archive(
        name,
        &[
            ("etc/os-release", BOOKWORM),
            ("var/lib/dpkg/status", &debian(&[("hello", "2.10-3")])),
        ],
    )
}

/// Scans an image and says its digest, which of an archive is its configuration's.
fn scanned(browser: &mut Browser, name: &str) -> String {
    let scan = browser.scan(image(name));
    assert_eq!(scan["state"], json!("done"), "{scan}");
    scan["image"].as_str().unwrap().to_owned()
}

/// What the check says of the host's one image: status, and why or what was found.
fn on_host(client: &Client, host: i64, check: &str) -> (String, String) {
    let report = client.host_report(host, None).unwrap();
    let mut objects = report.controls.iter().flat_map(|control| &control.objects);
    let object = objects.find(|object| object.check == check).unwrap();
    let why = object.reason.clone().unwrap_or_default();
    (object.status.clone(), format!("{why}{}", object.actual))
}

#[test]
fn a_hosts_images_are_judged_by_what_scans_found() {
    let (keep, data) = folder();
    let folder = Utf8Path::from_path(keep.path()).unwrap();
    database(folder, &data, &["CVE-2030-1"], "2026-01-02");
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let client = client(&server, &mut browser);
    let sensor = joined(&server, &client);
    // The digest of the same archive on another server: it is what is in it.
    let digest = {
        let (keep, other) = crate::support::folder();
        let other_server = start(&other, |_| {});
        let digest = scanned(&mut Browser::signed_in(&other_server), "lab/web:1");
        drop((other_server, keep));
        digest
    };
    let mut sent = facts("build-1", false);
    sent["facts"]["docker.image"]["items"] = json!([{"id": digest, "name": "lab/web:1", "data": {
        "engine": "e1", "Id": digest, "RepoTags": ["lab/web:1"], "RepoDigests": [], "dangling": false,
        "used_by": ["c1"], "created_days": 1, "history": [], "env": [], "Config": {}}}]);
    sent["facts"]["docker.container"]["items"][0]["data"]["Image"] = json!(digest);
    let host = send(&sensor, &sent);
    until(
        || client.host(host).unwrap(),
        |host| host.judged_at.is_some(),
    );
    for check in [
        "docker.image.vulnerable",
        "docker.image.setuid-files",
        "docker.image.secret-files",
    ] {
        assert_eq!(
            on_host(&client, host, check),
            (
                "not_collected".to_owned(),
                "it has not been scanned".to_owned()
            ),
            "{check}"
        );
    }
    let images = client.asset_images(host, Some("unscanned"), None).unwrap();
    assert_eq!((images.images.len(), images.images[0].running), (1, 1));

    assert_eq!(scanned(&mut browser, "lab/web:1"), digest);
    until(
        || client.asset_images(host, None, None).unwrap(),
        |page| {
            page.tally
                .is_some_and(|tally| tally.unscanned == 0 && tally.affected == 1)
        },
    );
    let (status, what) = on_host(&client, host, "docker.image.vulnerable");
    assert_eq!(status, "fail", "{what}");
    assert!(
        what.contains("a high vulnerability could have been fixed"),
        "{what}"
    );
    assert_eq!(
        on_host(&client, host, "docker.image.setuid-files").0,
        "pass"
    );
    assert_eq!(
        on_host(&client, host, "docker.image.secret-files").0,
        "pass"
    );

    // And back: from the image to where it runs.
    let uses = client.image_uses(&digest, true, None).unwrap();
    let used = &uses.uses[0];
    assert_eq!(
        (
            uses.uses.len(),
            used.asset,
            used.kind.as_str(),
            used.name.as_str()
        ),
        (1, host, "docker.container", "web")
    );
    assert_eq!(
        client.image_uses(&digest, false, None).unwrap().uses.len(),
        2
    );
}

fn pod(name: &str, image: &str, image_id: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "spec": {"containers": [{"name": "a", "image": image}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "a", "image": image, "imageID": image_id}]},
    })
}

/// What a recommendation says of the cluster, and why.
fn said(client: &Client, cluster: i64, recommendation: &str) -> (String, String) {
    let detail = client.cluster(cluster).unwrap();
    let mut all = detail.recommendations.into_iter();
    let said = all.find(|one| one.id == recommendation);
    said.map(|one| (one.health, one.reason.unwrap_or_default()))
        .unwrap_or_default()
}

#[test]
fn running_images_make_a_cluster_unhealthy_until_their_findings_are_gone() {
    let (keep, data) = folder();
    let folder = Utf8Path::from_path(keep.path()).unwrap();
    database(folder, &data, &["CVE-2030-1"], "2026-01-02");
    let fake = fake();
    let server = watching(&data, &fake.connection().server);
    let mut browser = Browser::signed_in(&server);
    let client = client(&server, &mut browser);
    let cluster = crate::clusters::judged(&client);
    // A deployment without pods runs nothing.
    until(
        || said(&client, cluster, RUNNING),
        |said| said.0 == "not_applicable",
    );
    let digest = scanned(&mut browser, "lab/web:1");
    fake.put(PODS, pod("other", "r.example/other:1", "r.example/other@sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"));
    until(
        || said(&client, cluster, RUNNING),
        |said| *said == ("unknown".to_owned(), "1 of 1 image not scanned".to_owned()),
    );
    fake.put(PODS, pod("web", "lab/web:1", &digest));
    until(
        || said(&client, cluster, RUNNING),
        |said| {
            *said
                == (
                    "unhealthy".to_owned(),
                    "1 of 2 images with findings: 1 high; 1 not scanned".to_owned(),
                )
        },
    );
    let page = client
        .asset_images(cluster, Some("affected"), None)
        .unwrap();
    assert_eq!(page.images[0].image.as_deref(), Some(digest.as_str()));
    let asset = browser
        .get(&format!("/api/v1/recommendations/{RUNNING}/assets"))
        .body;
    let tally = &asset["assets"][0]["images"];
    assert_eq!(
        (&tally["findings"]["high"], &tally["images"]),
        (&json!(1), &json!(2))
    );
    let workload = client.workload(cluster, "Pod/shop/web").unwrap();
    assert_eq!(workload.images[0].findings.high, 1);
    let uses = client.image_uses(&digest, true, None).unwrap();
    let used = &uses.uses[0];
    assert_eq!(
        (used.asset, used.namespace.as_str(), used.id.as_str()),
        (cluster, "shop", "Pod/shop/web")
    );

    // The advisories change: no image is read again.
    drop(server);
    database(folder, &data, &["CVE-2030-1", "CVE-2030-2"], "2026-01-03");
    let server = watching(&data, &fake.connection().server);
    let mut browser = Browser::signed_in(&server);
    let client = crate::hosts::client(&server, &mut browser);
    until(
        || said(&client, cluster, RUNNING).1,
        |why| why.contains("2 high"),
    );
    // What VEX says does not matter is taken out.
    let statement = |id: &str| {
        json!({"vulnerability": {"name": id}, "products": [{"@id": "pkg:deb/debian/hello@2.10-3?arch=amd64&distro=debian-12"}],
            "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path"})
    };
    let document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1", "author": "us",
        "timestamp": "2030-01-01T00:00:00Z", "version": 1,
        "statements": [statement("CVE-2030-1"), statement("CVE-2030-2")],
    });
    let taken = browser.send_bytes(
        "POST",
        "/api/v1/vex?name=ours",
        "application/json",
        document.to_string().into_bytes(),
    );
    assert!(taken.status < 300, "{}", taken.body);
    until(
        || said(&client, cluster, RUNNING),
        |said| *said == ("unknown".to_owned(), "1 of 2 images not scanned".to_owned()),
    );
    fake.remove(PODS, "shop/other", true);
    until(
        || said(&client, cluster, RUNNING).0,
        |health| health == "healthy",
    );
    assert_eq!(
        client
            .asset_images(cluster, None, None)
            .unwrap()
            .tally
            .unwrap()
            .images,
        1
    );
}

#[test]
fn a_policy_is_tried_on_the_objects_of_an_observed_cluster() {
    let (keep, data) = folder();
    let folder = Utf8Path::from_path(keep.path()).unwrap();
    database(folder, &data, &["CVE-2030-1"], "2026-01-02");
    let fake = fake();
    fake.put(PODS, pod("web", "lab/web:1", ""));
    let mut root = pod("root", "lab/other:1", "");
    root["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    fake.put(PODS, root);
    let server = watching(&data, &fake.connection().server);
    let mut browser = Browser::signed_in(&server);
    let client = client(&server, &mut browser);
    scanned(&mut browser, "lab/web:1");
    let cluster = crate::clusters::judged(&client);
    let policy = json!({"schema": "seareeve.admission/1", "mode": "off", "recommendations": {
        "kubernetes-privileged": {"mode": "deny"},
        "kubernetes-vulnerable-images": {"mode": "deny", "unscanned": "warn"}}});
    let ask = json!({"asset": cluster, "policy": policy});
    let answer = browser.post("/api/v1/admission/preview", ask.clone());
    assert_eq!(answer.status, 200, "{}", answer.body);
    let preview = answer.body;
    // Two pods and a deployment.
    assert_eq!(preview["objects"], json!(3));
    assert_eq!(preview["gaps"], json!([]));
    let hits: Vec<String> = preview["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| {
            format!(
                "{} {} {}",
                hit["recommendation"].as_str().unwrap(),
                hit["effect"].as_str().unwrap(),
                hit["name"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        hits,
        [
            "kubernetes-privileged denied root",
            "kubernetes-vulnerable-images warned web",
            "kubernetes-vulnerable-images warned root",
            "kubernetes-vulnerable-images denied web",
        ]
    );
    // What changes there changes what would be denied now.
    fake.put(PODS, pod("root", "lab/other:1", ""));
    let preview = crate::hosts::until(
        || {
            client
                .preview_admission(&serde_json::from_value(ask.clone()).unwrap())
                .unwrap()
        },
        |preview| {
            preview
                .rules
                .iter()
                .any(|rule| rule.recommendation == "kubernetes-privileged" && rule.denied == 0)
        },
    );
    assert_eq!(preview.hits.len(), 3);
    // The recommendation of the same name says the same of the cluster, once it is switched on.
    let gate = "kubernetes-vulnerable-images";
    assert_eq!(said(&client, cluster, gate).0, "");
    let on = NewRecommendationSettings {
        enabled: Some(true),
        ..NewRecommendationSettings::default()
    };
    client.set_recommendation(gate, &on).unwrap();
    let (_, why) = until(
        || said(&client, cluster, gate),
        |said| said.0 == "unhealthy",
    );
    assert_eq!(why, "1 object fails");
}

#[test]
fn a_registry_of_the_settings_is_an_asset_and_its_running_images_are_scanned() {
    let (keep, data) = folder();
    let folder = Utf8Path::from_path(keep.path()).unwrap();
    database(folder, &data, &["CVE-2030-1"], "2026-01-02");
    let server = start(&data, |config| {
        config.scan.images_in_use = ScanInUse::Configured;
        config.scan.registries = vec![seareeve_server::registries::RegistryConfig {
            host: "registry.invalid:5000".to_owned(),
            ..seareeve_server::registries::RegistryConfig::default()
        }];
    });
    let mut browser = Browser::signed_in(&server);
    let list = browser.until("/api/v1/assets?kind=registry", |page| {
        !page["assets"][0]["reason"].is_null()
    });
    assert_eq!(list["assets"][0]["state"], json!("unknown"));
    assert_eq!(list["assets"][0]["name"], json!("registry.invalid:5000"));
    assert_eq!(
        list["assets"][0]["reason"],
        json!("no image of it has been scanned")
    );
    scanned(&mut browser, "registry.invalid:5000/web:1");
    browser.until("/api/v1/assets?kind=registry", |page| {
        page["assets"][0]["state"] == json!("unhealthy")
    });
    let about = browser
        .get(&format!("/api/v1/recommendations/{REGISTRY}"))
        .body;
    assert_eq!(about["unhealthy"], json!(1));
    assert_eq!(about["assets"][0]["images"]["findings"]["high"], json!(1));
    let group = browser
        .get("/api/v1/score/groups/remediate-vulnerabilities")
        .body;
    assert_eq!(
        group["unhealthy_assets"][0]["recommendations"],
        json!([REGISTRY])
    );
    let after = browser.get("/api/v1/score/what-if").body;
    assert_eq!(after["share"], json!(1.0));
}

//! What may enter clusters: policies, what webhooks ask and tell, and what a policy would make of a cluster.

use jiff::{SignedDuration, Timestamp};
use seareeve_admission::{
    Counts, Gate, Policy, PolicyFile, Review, Scanned, Severities, full_name,
};
use seareeve_posture::{Catalogue, Library};
use seareeve_store::{DatabaseUrl, Store, admission};
use serde_json::{Value, json};

use crate::support::{BOOKWORM, Browser, Running, archive, folder, start};

fn policy(mode: &str) -> Value {
    json!({"schema": "seareeve.admission/1", "mode": "off",
        "recommendations": {"kubernetes-privileged": {"mode": mode}}})
}

fn token(browser: &mut Browser) -> String {
    let made = browser.post("/api/v1/tokens", json!({"name": "webhook", "days": 1}));
    made.body["secret"].as_str().unwrap().to_owned()
}

#[test]
fn policies_are_kept_for_all_clusters_and_for_one() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let builtin = browser.get("/api/v1/admission/policy?cluster=prod").body;
    assert_eq!(
        (&builtin["author"], &builtin["policy"]["mode"]),
        (&json!(null), &json!("audit"))
    );

    let put = |browser: &mut Browser, cluster: Value, mode: &str, replaces: Value| {
        let body = json!({"cluster": cluster, "policy": policy(mode), "replaces": replaces});
        browser.send("PUT", "/api/v1/admission/policy", Some(body))
    };
    let first = put(&mut browser, json!(null), "warn", builtin["digest"].clone());
    assert_eq!(
        (first.status, &first.body["author"]),
        (200, &json!("admin")),
        "{}",
        first.body
    );
    assert_eq!(
        put(&mut browser, json!(null), "deny", builtin["digest"].clone()).status,
        409
    );
    let own = put(
        &mut browser,
        json!("prod"),
        "deny",
        first.body["digest"].clone(),
    );
    assert_eq!(own.status, 200, "{}", own.body);
    let in_force = |browser: &mut Browser, cluster: &str| {
        let said = browser
            .get(&format!("/api/v1/admission/policy?cluster={cluster}"))
            .body;
        said["policy"]["recommendations"]["kubernetes-privileged"]["mode"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (
            in_force(&mut browser, "prod"),
            in_force(&mut browser, "dev")
        ),
        ("deny".to_owned(), "warn".to_owned())
    );
    let list = browser.get("/api/v1/admission/policies").body;
    assert_eq!(list["policies"].as_array().unwrap().len(), 2);
    assert_eq!(
        browser
            .send("DELETE", "/api/v1/admission/policy?cluster=prod", None)
            .status,
        204
    );
    assert_eq!(in_force(&mut browser, "prod"), "warn");
    assert_eq!(
        browser
            .send("DELETE", "/api/v1/admission/policy?cluster=prod", None)
            .status,
        404
    );

    for wrong in [
        json!({"schema": "seareeve.admission/1", "mode": "refuse"}),
        json!({"mode": "deny"}),
        json!({"schema": "seareeve.admission/1", "recommendations": {"nothing": {}}}),
    ] {
        let refused = browser.send(
            "PUT",
            "/api/v1/admission/policy",
            Some(json!({"policy": wrong})),
        );
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
}

#[test]
fn rules_say_what_can_be_set_and_what_cannot_be_exported() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let rules = Browser::signed_in(&server)
        .get("/api/v1/admission/rules")
        .body;
    let rules = rules["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 18);
    let one = |id: &str| rules.iter().find(|rule| rule["id"] == id).unwrap();
    assert_eq!(one("kubernetes-privileged")["not_exported"], json!(null));
    assert_eq!(
        one("kubernetes-host-network")["parameters"]["max_port"]["default"],
        json!(0)
    );
    let waits = |id: &str| one(id)["waits"] == json!(true);
    assert!(waits("kubernetes-container-ports") && !waits("kubernetes-host-path"));
    let scans = one("kubernetes-vulnerable-images");
    assert_eq!(scans["about_scans"], json!(true));
    assert!(
        scans["not_exported"]
            .as_str()
            .unwrap()
            .contains("more than the object")
    );
}

#[test]
fn webhooks_tell_what_they_decided_once() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let count = json!({"recommendation": "kubernetes-privileged", "namespace": "shop", "effect": "denied", "count": 2});
    let report = json!({
        "id": "r1", "cluster": "prod", "gate": "pod-1", "version": "0.1.0", "policy": "sha256:old", "reviews": 5,
        "counts": [count], "samples": [{"recommendation": "kubernetes-privileged", "namespace": "shop",
            "effect": "denied", "at": "2100-01-01T00:00:00Z", "operation": "create", "kind": "Pod", "name": "web",
            "user": "alice", "message": "container web is privileged"}],
    });
    for new in [true, false] {
        let taken = browser.post("/api/v1/admission/decisions", report.clone());
        assert_eq!(
            (taken.status, &taken.body["new"]),
            (200, &json!(new)),
            "{}",
            taken.body
        );
    }
    let seen = browser.get("/api/v1/admission/decisions?cluster=prod").body;
    assert_eq!(seen["counts"][0]["count"], json!(2));
    let gate = &seen["gates"][0];
    assert_eq!(
        (&gate["current"], &gate["away"], &gate["certificate"]),
        (&json!(false), &json!(false), &Value::Null)
    );
    // Nothing happened later than now.
    assert!(seen["samples"][0]["at"].as_str().unwrap() < "2099");
    assert_eq!(
        browser
            .get("/api/v1/admission/decisions?namespace=other")
            .body["counts"],
        json!([])
    );

    let refusal = json!({"at": "2030-01-01T00:00:00Z", "by": "10.0.0.1", "why": "bad certificate"});
    let certificate = json!({
        "until": "2031-01-01T00:00:00Z", "late_from": "2030-12-18T00:00:00Z", "authority_until": null,
        "authority_late_from": null, "problem": null, "refusals": [refusal],
    });
    let mut second = report.clone();
    second["id"] = json!("r2");
    second["certificate"] = certificate.clone();
    assert_eq!(
        browser
            .post("/api/v1/admission/decisions", second.clone())
            .status,
        200
    );
    let seen = browser.get("/api/v1/admission/decisions").body;
    assert_eq!(seen["gates"][0]["certificate"], certificate);
    second["id"] = json!("r3");
    second["certificate"]["refusals"] = json!(vec![refusal.clone(); 101]);
    assert_eq!(
        browser
            .post("/api/v1/admission/decisions", second.clone())
            .status,
        400
    );
    second["certificate"]["refusals"] = json!([refusal]);
    second["certificate"]["refusals"][0]["why"] = json!("x".repeat(2_000));
    assert_eq!(
        browser
            .post("/api/v1/admission/decisions", second.clone())
            .status,
        400
    );
    // What an earlier version said of it, and a later one may.
    second["certificate"] = json!({"until": null, "refused": refusal, "colour": "red"});
    assert_eq!(
        browser.post("/api/v1/admission/decisions", second).status,
        200
    );
    let seen = browser.get("/api/v1/admission/decisions").body;
    assert_eq!(seen["gates"][0]["certificate"]["refusals"], json!([]));

    let mut wrong = report.clone();
    wrong["counts"][0]["effect"] = json!("eaten");
    assert_eq!(
        browser.post("/api/v1/admission/decisions", wrong).status,
        400
    );
    let mut stranger = Browser::new(&server);
    assert_eq!(
        stranger
            .post("/api/v1/admission/decisions", report.clone())
            .status,
        401
    );
    let reader = browser.post("/api/v1/users", json!({"name": "rita", "role": "reader"}));
    assert_eq!(reader.status, 201, "{}", reader.body);
}

#[test]
fn a_webhook_is_away_until_another_one_of_its_cluster_reports() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    // A pod that an upgrade took away: it reported three minutes ago, for the last time.
    let url = DatabaseUrl::Sqlite(data.join("seareeve.db"));
    let report = admission::Report {
        id: "r0".to_owned(),
        cluster: "prod".to_owned(),
        gate: "pod-1".to_owned(),
        ..admission::Report::default()
    };
    let ago = Timestamp::now() - SignedDuration::from_mins(3);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&url).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        admission::add_report(&mut tx, &report, ago).await.unwrap();
        tx.commit().await.unwrap();
    });
    let gates = |browser: &mut Browser| -> Vec<(Value, Value)> {
        let seen = browser.get("/api/v1/admission/decisions").body;
        let gates = seen["gates"].as_array().unwrap().iter();
        gates
            .map(|gate| (gate["name"].clone(), gate["away"].clone()))
            .collect()
    };
    assert_eq!(gates(&mut browser), [(json!("pod-1"), json!(true))]);
    let report = json!({"id": "r1", "cluster": "prod", "gate": "pod-2", "version": "0.1.0", "policy": "", "reviews": 0,
        "counts": [], "samples": []});
    let taken = browser.post("/api/v1/admission/decisions", report);
    assert_eq!(taken.status, 200, "{}", taken.body);
    assert_eq!(gates(&mut browser), [(json!("pod-2"), json!(false))]);
}

/// The webhook asks with a token, as the typed client does.
fn ask(server: &Running, secret: &str, images: &[&str], without: &[&str]) -> Vec<Value> {
    let client = seareeve_api::Client::new(&server.address, secret).unwrap();
    let names = |all: &[&str]| all.iter().map(|&name| name.to_owned()).collect();
    let request = seareeve_api::ImageCountsRequest {
        images: names(images),
        without: names(without),
    };
    let answer = client.image_counts(&request).unwrap();
    answer
        .images
        .iter()
        .map(|image| serde_json::to_value(image).unwrap())
        .collect()
}

#[test]
fn a_scanned_image_is_refused_by_what_its_scan_found() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let image = archive(
        "test/app:1",
        &[
            ("etc/os-release", BOOKWORM),
            (
                "opt/PyYAML-5.3.dist-info/METADATA",
                "Name: PyYAML\nVersion: 5.3\n",
            ),
        ],
    );
    let scan = browser.scan(image);
    assert_eq!(scan["state"], json!("done"), "{scan}");
    let secret = token(&mut browser);
    let digest = scan["image"].as_str().unwrap();
    let found = ask(
        &server,
        &secret,
        &["docker.io/test/app:1", digest, "test/other:1"],
        &[],
    );
    assert_eq!(found[0]["digest"], json!(digest));
    assert_eq!(found[1]["digest"], json!(digest));
    assert_eq!(found[2]["digest"], json!(null));
    let number = |image: &Value| -> u64 {
        let all = ["critical", "high", "medium", "low", "unknown"];
        let counts = all
            .iter()
            .flat_map(|severity| ["fixable", "unfixable"].map(|kind| &image[severity][kind]));
        counts.map(|count| count.as_u64().unwrap()).sum()
    };
    let listed = browser
        .get(&format!("/api/v1/images/{digest}/findings?limit=200"))
        .body;
    let findings = listed["findings"].as_array().unwrap();
    assert!(
        !findings.is_empty(),
        "the starter set knows nothing of this image"
    );
    assert_eq!(number(&found[0]), u64::try_from(findings.len()).unwrap());
    // What is excluded by id does not count.
    let id = findings[0]["id"].as_str().unwrap();
    let fewer = ask(&server, &secret, &["test/app:1"], &[id]);
    assert!(number(&fewer[0]) < number(&found[0]));

    // And the gate refuses a pod with it.
    let of = |severity: &str| Counts {
        fixable: found[0][severity]["fixable"].as_u64().unwrap(),
        unfixable: found[0][severity]["unfixable"].as_u64().unwrap(),
    };
    let findings = Severities {
        critical: of("critical"),
        high: of("high"),
        medium: of("medium"),
        low: of("low"),
    };
    let scanned = [(full_name("test/app:1").unwrap(), Scanned { findings })].into();
    let images: std::collections::BTreeMap<String, Scanned> = scanned;
    let library = Library::builtin();
    let file = PolicyFile::parse(
        "{schema: seareeve.admission/1, mode: 'off', recommendations: {kubernetes-vulnerable-images: {mode: deny}}}",
    );
    let policy = Policy::new(file.unwrap(), &library, &Catalogue::builtin()).unwrap();
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "kind": {"kind": "Pod"}, "operation": "CREATE", "namespace": "shop",
        "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
            "spec": {"containers": [{"name": "app", "image": "test/app:1"}]}}}});
    let review = Review::read(review.to_string().as_bytes()).unwrap();
    let answer = Gate::new(&library, &policy).decide(&review, &images, jiff::Timestamp::UNIX_EPOCH);
    assert!(!answer.is_allowed, "{answer:?}");
    assert!(
        answer
            .message
            .unwrap()
            .contains("container app runs test/app:1 with findings")
    );
}

#[test]
fn a_policy_is_tried_on_the_facts_of_a_cluster() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    assert_eq!(
        browser
            .post("/api/v1/admission/preview", json!({"asset": 99}))
            .status,
        404
    );
    let missing = browser.post(
        "/api/v1/admission/preview",
        json!({"asset": 1, "policy": {"mode": "x"}}),
    );
    assert_eq!(missing.status, 400);
}

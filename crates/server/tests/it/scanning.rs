//! From an archive, a registry or an SBOM to stored findings.

use serde_json::json;

use crate::support::{BOOKWORM, Browser, archive, debian, folder, start};

fn app() -> Vec<u8> {
    let status = debian(&[("bash", "5.2.15-2"), ("openssl", "3.0.9-1")]);
    let yaml = "Metadata-Version: 2.1\nName: PyYAML\nVersion: 5.3\n";
    archive(
        "test/app:1",
        &[
            ("etc/os-release", BOOKWORM),
            ("var/lib/dpkg/status", &status),
            (
                "usr/lib/python3/site-packages/PyYAML-5.3.dist-info/METADATA",
                yaml,
            ),
        ],
    )
}

#[test]
fn an_uploaded_archive_becomes_an_image_with_findings() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let scan = browser.scan(app());
    assert_eq!(
        (scan["state"].as_str(), scan["requested_by"].as_str()),
        (Some("done"), Some("admin")),
        "{scan}"
    );
    let digest = scan["image"].as_str().unwrap().to_owned();

    let image = browser.get(&format!("/api/v1/images/{digest}")).body;
    assert_eq!(image["references"], json!(["test/app:1"]));
    assert_eq!(image["distro"], "Debian GNU/Linux 12 (bookworm)");
    assert_eq!(
        (image["packages"].as_u64(), image["problems"].as_u64()),
        (Some(3), Some(0)),
        "{image}"
    );
    assert_eq!(image["layers"][0]["created_by"], "COPY . /");

    let findings = browser
        .get(&format!("/api/v1/images/{digest}/findings?q=yaml"))
        .body;
    let ids: Vec<&str> = findings["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"CVE-2020-14343"), "{ids:?}");
    let package = findings["findings"][0]["package_id"].as_i64().unwrap();
    let one = browser
        .get(&format!(
            "/api/v1/images/{digest}/findings/CVE-2020-14343?package={package}"
        ))
        .body;
    assert_eq!(one["package"]["version"], "5.3");
    assert_eq!(one["remediation"], "upgrade PyYAML to 5.4");
    assert_eq!(
        one["locations"][0]["path"],
        "usr/lib/python3/site-packages/PyYAML-5.3.dist-info/METADATA"
    );
    assert_eq!(one["images"], 1);
    assert!(!one["advisories"].as_array().unwrap().is_empty());

    let facets = browser
        .get(&format!("/api/v1/images/{digest}/facets?kind=pypi"))
        .body;
    let listed = browser
        .get(&format!(
            "/api/v1/images/{digest}/findings?kind=pypi&limit=200"
        ))
        .body;
    assert_eq!(
        facets["total"].as_u64().unwrap(),
        listed["findings"].as_array().unwrap().len() as u64
    );
    let packages = browser
        .get(&format!("/api/v1/images/{digest}/packages?vulnerable=true"))
        .body;
    assert!(
        packages["packages"]
            .as_array()
            .unwrap()
            .iter()
            .any(|p| p["name"] == "PyYAML")
    );

    let report = browser.get(&format!("/api/v1/images/{digest}/report")).body;
    let overview = browser.get("/api/v1/overview").body;
    assert_eq!(
        (overview["images"].as_u64(), overview["packages"].as_u64()),
        (Some(1), Some(3))
    );
    let counted: u64 = overview["findings"]
        .as_object()
        .unwrap()
        .values()
        .map(|n| n.as_u64().unwrap())
        .sum();
    assert_eq!(
        counted,
        report["findings"].as_array().unwrap().len() as u64,
        "each package lies at one path"
    );

    assert!(
        std::fs::read_dir(data.join("uploads"))
            .unwrap()
            .next()
            .is_none(),
        "the archive is not kept"
    );
    assert_eq!(
        browser
            .send("DELETE", &format!("/api/v1/images/{digest}"), None)
            .status,
        204
    );
    assert_eq!(browser.get(&format!("/api/v1/images/{digest}")).status, 404);
    assert_eq!(browser.get("/api/v1/overview").body["images"], 0);
}

#[test]
fn what_is_no_image_fails_with_its_reason() {
    let (_keep, data) = folder();
    let server = start(&data, |config| config.server.upload_limit_mib = 1);
    let mut browser = Browser::signed_in(&server);
    let scan = browser.scan(b"this is not an archive".to_vec());
    assert_eq!(scan["state"], "failed");
    let error = scan["error"].as_str().unwrap();
    assert!(
        error.contains("is not a docker save archive or an OCI layout"),
        "{error}"
    );
    assert!(
        !error.contains(data.as_str()),
        "the server's folders are no user's business: {error}"
    );
    assert!(error.starts_with("test.tar"), "{error}");

    let empty = browser.send_bytes(
        "POST",
        "/api/v1/scans/upload?name=x",
        "application/x-tar",
        Vec::new(),
    );
    assert_eq!(
        empty.body["error"]["detail"],
        "the body is empty: send the archive"
    );
    let large = browser.send_bytes(
        "POST",
        "/api/v1/scans/upload?name=x",
        "application/x-tar",
        vec![0; 1_100_000],
    );
    assert_eq!(
        (large.status, large.body["error"]["code"].as_str()),
        (413, Some("too_large"))
    );
    assert!(
        std::fs::read_dir(data.join("uploads"))
            .unwrap()
            .next()
            .is_none(),
        "nothing is left of them"
    );

    let asked = browser.post(
        "/api/v1/scans",
        json!({ "reference": "127.0.0.1:1/no/such" }),
    );
    assert_eq!(asked.status, 202);
    let id = asked.body["id"].as_i64().unwrap();
    assert_eq!(
        browser
            .send("DELETE", &format!("/api/v1/scans/{id}"), None)
            .status,
        204
    );
    let ended = browser.until(&format!("/api/v1/scans/{id}"), |scan| {
        scan["finished"].is_string()
    });
    // The registry may have been found out of reach before we said stop, but never after.
    assert!(
        ["cancelled", "failed"].contains(&ended["state"].as_str().unwrap()),
        "{ended}"
    );
}

#[test]
fn a_waiting_scan_survives_the_process() {
    let (_keep, data) = folder();
    let first = start(&data, |_| {});
    let mut browser = Browser::signed_in(&first);
    let asked = browser.send_bytes(
        "POST",
        "/api/v1/scans/upload?name=app.tar",
        "application/x-tar",
        app(),
    );
    let id = asked.body["id"].as_i64().unwrap();
    drop(first);
    let second = start(&data, |_| {});
    let mut browser = Browser::signed_in(&second);
    let scan = browser.until(&format!("/api/v1/scans/{id}"), |scan| {
        scan["finished"].is_string()
    });
    assert_eq!(scan["state"], "done", "{scan}");
}

#[test]
fn a_sent_sbom_is_kept_and_answered_with_the_same_report() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let token = browser
        .post("/api/v1/tokens", json!({ "name": "cli", "days": 1 }))
        .body["secret"]
        .clone();
    let client = seareeve_api::Client::new(&server.address, token.as_str().unwrap()).unwrap();

    let path = data.join("app.tar");
    std::fs::write(&path, app()).unwrap();
    let progress = |_| std::ops::ControlFlow::Continue(());
    let source = seareeve_image::Source::Archive(path);
    let contents = seareeve_image::read(
        &source,
        &seareeve_image::Options::default(),
        &seareeve_scan::Examiner::default(),
        &progress,
    )
    .unwrap();
    let inventory =
        seareeve_scan::ecosystems::inventory(contents.image, &contents.tree, contents.problems);
    let sbom = seareeve_api::Sbom::from(&inventory);
    let database = seareeve_scan::starter::database();
    let matches = seareeve_scan::match_inventory(database, &inventory);
    let mut local = seareeve_api::report(
        &inventory,
        &matches.findings,
        &matches.problems,
        database.info().into(),
    );
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let support = seareeve_scan::releases::support(inventory.distro.as_ref().unwrap());
    local.set_support(support.as_ref(), today.date());

    let sent = client.send_sbom(&sbom).unwrap();
    assert_eq!(sent, local);
    assert_eq!(client.report(&sent.image.digest).unwrap(), local);
    assert_eq!(client.send_sbom(&sbom).unwrap(), local);
    assert_eq!(client.images(None).unwrap().images.len(), 1);
    assert_eq!(
        browser.get("/api/v1/scans").body["scans"][0]["source"],
        json!({ "kind": "sbom", "name": "test/app:1" })
    );
}

#[test]
fn a_cancelled_scan_stays_cancelled_and_stores_nothing() {
    let (_keep, data) = folder();
    // A registry that takes the connection and never answers: the scan runs until it is stopped.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let reference = format!("{}/no/answer:1", silent.local_addr().unwrap());
    let id = {
        let server = start(&data, |_| {});
        let mut browser = Browser::signed_in(&server);
        let asked = browser.post("/api/v1/scans", json!({ "reference": reference }));
        let id = asked.body["id"].as_i64().unwrap();
        browser.until(&format!("/api/v1/scans/{id}"), |scan| {
            scan["state"] == "running"
        });
        assert_eq!(
            browser
                .send("DELETE", &format!("/api/v1/scans/{id}"), None)
                .status,
            204
        );
        assert_eq!(
            browser.get(&format!("/api/v1/scans/{id}")).body["state"],
            "cancelled",
            "at once"
        );
        assert_eq!(
            browser
                .send("DELETE", &format!("/api/v1/scans/{id}"), None)
                .status,
            409
        );
        id
    };
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let status = browser.until("/api/v1/status", |status| status["scans_pending"] == 0);
    assert_eq!(status["jobs_dead"], 0);
    assert_eq!(
        browser.get(&format!("/api/v1/scans/{id}")).body["state"],
        "cancelled"
    );
    assert_eq!(browser.get("/api/v1/overview").body["images"], 0);
}

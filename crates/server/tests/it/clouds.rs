//! Connectors to Azure, against a fake of it.

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_lab::azure::{Fake, Fault, SECRET, documents};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Browser, Running, folder, start};

pub(crate) struct World {
    pub(crate) fake: Fake,
    pub(crate) server: Running,
    data: Utf8PathBuf,
    _folder: TempDir,
}

pub(crate) fn world() -> World {
    let fake = Fake::start(documents::both());
    let (folder, data) = folder();
    let credentials = data.join("credentials");
    std::fs::create_dir_all(&credentials).unwrap();
    std::fs::write(credentials.join("azure"), format!("{SECRET}\n")).unwrap();
    let server = start(&data, |config| {
        config.connectors.azure_login_address = fake.login();
        config.connectors.azure_manager_address = fake.manager();
        config.connectors.azure_metadata_address = fake.metadata();
    });
    World {
        fake,
        server,
        data,
        _folder: folder,
    }
}

fn connector(name: &str) -> Value {
    json!({
        "kind": "azure", "name": name, "cloud": "custom", "every_hours": 0,
        "credentials": {"kind": "secret_file", "tenant": "t-1", "client": "c-1", "file": "azure"},
    })
}

fn create(browser: &mut Browser, body: Value) -> i64 {
    let made = browser.post("/api/v1/connectors", body);
    assert_eq!(made.status, 201, "{}", made.body);
    made.body["id"].as_i64().unwrap()
}

/// Waits for the end of a run, and gives the connector.
fn read(browser: &mut Browser, id: i64) -> Value {
    let find = |list: &Value| {
        let mut all = list["connectors"].as_array().unwrap().iter();
        all.find(|one| one["id"] == id).unwrap().clone()
    };
    let done = browser.until("/api/v1/connectors", |list| {
        let one = find(list);
        one["reading"] == false && one["state"] != "new"
    });
    find(&done)
}

fn again(browser: &mut Browser, id: i64) -> Value {
    let before = read(browser, id)["tried"].clone();
    let asked = browser.post(&format!("/api/v1/connectors/{id}/read"), json!({}));
    assert_eq!(asked.status, 202, "{}", asked.body);
    browser.until("/api/v1/connectors", |list| {
        let mut all = list["connectors"].as_array().unwrap().iter();
        let one = all.find(|one| one["id"] == id).unwrap();
        one["reading"] == false && one["tried"] != before
    });
    read(browser, id)
}

/// Names and states, once all are judged.
fn assets(browser: &mut Browser, number: usize) -> Vec<(String, String, String)> {
    let list = browser.until("/api/v1/cloud-assets", |list| {
        let all = list["assets"].as_array().unwrap();
        // A registry of which no image was scanned is unknown, and says why.
        let is_judged = |one: &Value| one["state"] != "unknown" || !one["reason"].is_null();
        all.len() == number && all.iter().all(is_judged)
    });
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let all = list["assets"].as_array().unwrap().iter();
    all.map(|one| (text(one, "name"), text(one, "kind"), text(one, "state")))
        .collect()
}

fn asset(browser: &mut Browser, name: &str) -> Value {
    let list = browser.get("/api/v1/cloud-assets").body;
    let mut all = list["assets"].as_array().unwrap().iter();
    all.find(|one| one["name"] == name).unwrap().clone()
}

fn health(browser: &mut Browser, name: &str) -> Vec<(String, String)> {
    let id = &asset(browser, name)["id"];
    let detail = browser.get(&format!("/api/v1/cloud-assets/{id}")).body;
    let all = detail["recommendations"].as_array().unwrap().iter();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    all.map(|one| (text(one, "id"), text(one, "health")))
        .collect()
}

#[test]
fn a_connector_brings_assets_that_are_judged() {
    let world = world();
    let mut browser = Browser::signed_in(&world.server);
    let id = create(&mut browser, connector("cloud"));
    let found = read(&mut browser, id);
    assert_eq!(
        (&found["state"], &found["assets"]),
        (&json!("ok"), &json!(8))
    );
    assert_eq!(found["problems"], json!([]));
    let states = assets(&mut browser, 8);
    let of = |name: &str| {
        let mut all = states.iter();
        all.find(|one| one.0 == name).unwrap().2.clone()
    };
    for good in ["quay", "dockside", "Shop"] {
        assert_eq!(of(good), "healthy", "{good}");
    }
    assert_eq!(
        of("quayimages"),
        "unknown",
        "no image of it has been scanned"
    );
    for bad in ["Rusty", "cellar", "rustyimages", "Attic"] {
        assert_eq!(of(bad), "unhealthy", "{bad}");
    }
    let wanted = |health: &str| {
        let ids = [
            "kubernetes-api-access",
            "kubernetes-audit-logs",
            "kubernetes-policy-addon",
            "kubernetes-rbac",
            "kubernetes-sensor",
            "kubernetes-version",
        ];
        let mut all: Vec<_> = ids.map(|id| (id.to_owned(), health.to_owned())).to_vec();
        all.insert(
            0,
            (
                "connected-cluster-policy".to_owned(),
                "not_applicable".to_owned(),
            ),
        );
        all
    };
    assert_eq!(health(&mut browser, "quay"), wanted("healthy"));
    assert_eq!(health(&mut browser, "Rusty"), wanted("unhealthy"));
    let plans = ["plan-containers", "plan-kubernetes", "plan-registries"];
    let plans = |health: &str| plans.map(|id| (id.to_owned(), health.to_owned())).to_vec();
    assert_eq!(health(&mut browser, "Shop"), plans("healthy"));
    assert_eq!(health(&mut browser, "Attic"), plans("unhealthy"));
    // The score is made of them, too.
    let score = browser.get("/api/v1/score").body;
    assert!(score["max"].as_f64().unwrap() > 0.0, "{score}");
    // Of a cluster that is seen from its cloud only one benchmark can say something.
    let id = asset(&mut browser, "quay")["id"].clone();
    let report = browser
        .get(&format!("/api/v1/cloud-assets/{id}/report"))
        .body;
    assert_eq!(report["benchmarks"].as_array().unwrap().len(), 1);
    assert_eq!(report["benchmarks"][0]["id"], "cis-aks");
    assert_eq!(report["controls"].as_array().unwrap().len(), 51);
    let facts = browser
        .get(&format!("/api/v1/cloud-assets/{id}/facts"))
        .body;
    assert_eq!(facts["asset_id"], documents::good_cluster().to_lowercase());
    // No secret is anywhere.
    let text = format!("{facts} {}", browser.get("/api/v1/connectors").body);
    assert!(!text.contains(SECRET) && !text.contains("hunter2"));
    for file in ["seareeve.db", "seareeve.db-wal"] {
        let stored = std::fs::read(world.data.join(file)).unwrap_or_default();
        let mut parts = stored.windows(SECRET.len());
        assert!(!parts.any(|part| part == SECRET.as_bytes()), "{file}");
    }
}

#[test]
fn what_is_gone_is_forgotten_and_what_is_out_of_sight_is_not() {
    let world = world();
    let mut browser = Browser::signed_in(&world.server);
    let id = create(&mut browser, connector("cloud"));
    read(&mut browser, id);
    assets(&mut browser, 8);
    let list = format!(
        "/subscriptions/{}/providers/Microsoft.ContainerRegistry/registries",
        documents::BAD
    );
    world
        .fake
        .fail_once(&list, Fault::Status(403, "AuthorizationFailed"));
    let found = again(&mut browser, id);
    assert_eq!(found["state"], "partial");
    // It stands with the subscription that it is about.
    let seen = found["seen"].as_array().unwrap();
    let of = |name: &str| &seen.iter().find(|one| one["name"] == name).unwrap()["problems"];
    assert_eq!(
        of("Attic"),
        &json!(["the role lacks Microsoft.ContainerRegistry/registries/read"])
    );
    assert_eq!((of("Shop"), &found["problems"]), (&json!([]), &json!([])));
    assets(&mut browser, 8);
    world.fake.set(&list, Vec::new());
    assert_eq!(again(&mut browser, id)["state"], "ok");
    let names: Vec<String> = assets(&mut browser, 7)
        .into_iter()
        .map(|one| one.0)
        .collect();
    assert!(!names.contains(&"rustyimages".to_owned()), "{names:?}");
    // A role that was taken away is no reason to forget.
    let shop = documents::both()["/subscriptions"][0].clone();
    world.fake.set("/subscriptions", vec![shop]);
    let found = again(&mut browser, id);
    assert_eq!(found["state"], "partial");
    let problem = format!(
        "/subscriptions/{} can no longer be seen: what was in it stays as it was",
        documents::BAD
    );
    assert_eq!(found["problems"], json!([problem]));
    assets(&mut browser, 7);
    // Nothing has changed, so nothing is judged.
    let before = asset(&mut browser, "quay");
    again(&mut browser, id);
    let after = asset(&mut browser, "quay");
    assert_eq!(before["first_seen"], after["first_seen"]);
    assert_ne!(before["last_seen"], after["last_seen"]);
}

#[test]
fn a_connector_that_fails_says_why_and_loses_nothing() {
    let world = world();
    let mut browser = Browser::signed_in(&world.server);
    let id = create(&mut browser, connector("cloud"));
    read(&mut browser, id);
    std::fs::write(world.data.join("credentials/azure"), "hunter2").unwrap();
    let found = again(&mut browser, id);
    assert_eq!(found["state"], "failed");
    let problem = found["problems"][0].as_str().unwrap();
    assert!(problem.contains("AADSTS7000215"), "{problem}");
    assert!(!problem.contains("hunter2"), "{problem}");
    assert_ne!(found["succeeded"], found["tried"]);
    assets(&mut browser, 8);
    std::fs::remove_file(world.data.join("credentials/azure")).unwrap();
    let found = again(&mut browser, id);
    let problem = found["problems"][0].as_str().unwrap();
    assert!(problem.contains("failed to read"), "{problem}");
}

#[test]
fn an_asset_lives_as_long_as_somebody_finds_it() {
    let world = world();
    let mut browser = Browser::signed_in(&world.server);
    let all = create(&mut browser, connector("all"));
    let mut one = connector("one");
    one["subscriptions"] = json!(["Shop"]);
    one["credentials"] = json!({"kind": "managed_identity"});
    let one = create(&mut browser, one);
    assert_eq!(read(&mut browser, all)["assets"], 8);
    assert_eq!(read(&mut browser, one)["assets"], 4);
    assert_eq!(
        asset(&mut browser, "quay")["connectors"],
        json!(["all", "one"])
    );
    let gone = browser.send("DELETE", &format!("/api/v1/connectors/{all}"), None);
    assert_eq!(gone.status, 204);
    assets(&mut browser, 4);
    let gone = browser.send("DELETE", &format!("/api/v1/connectors/{one}"), None);
    assert_eq!(gone.status, 204);
    assets(&mut browser, 0);
    let gone = browser.send("DELETE", &format!("/api/v1/connectors/{one}"), None);
    assert_eq!(gone.status, 404);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let world = world();
    let mut browser = Browser::signed_in(&world.server);
    let with = |key: &str, value: Value| {
        let mut body = connector("x");
        body[key] = value;
        body
    };
    let file =
        |file: &str| json!({"kind": "secret_file", "tenant": "t", "client": "c", "file": file});
    for body in [
        with("name", json!("")),
        with("kind", json!("aws")),
        with("cloud", json!("mars")),
        with("every_hours", json!(9_999)),
        with("subscriptions", json!([""])),
        with("secret", json!("hunter2")),
        with("credentials", file("/etc/shadow")),
        with("credentials", file("../seareeve.db")),
        with(
            "credentials",
            json!({"kind": "secret", "secret": "hunter2"}),
        ),
        with(
            "credentials",
            json!({"kind": "secret_variable", "tenant": "t", "client": "c", "variable": "PATH"}),
        ),
        with(
            "credentials",
            json!({"kind": "managed_identity", "client": "../x"}),
        ),
    ] {
        let refused = browser.post("/api/v1/connectors", body.clone());
        // What does not fit the API's document is refused before it is looked at.
        assert!([400, 422].contains(&refused.status), "{body}");
        assert!(!refused.body.to_string().contains("hunter2"));
    }
    create(&mut browser, connector("x"));
    assert_eq!(
        browser.post("/api/v1/connectors", connector("x")).status,
        409
    );
    assert_eq!(browser.get("/api/v1/cloud-assets/99").status, 404);
    assert_eq!(
        browser.post("/api/v1/connectors/99/read", json!({})).status,
        404
    );
    let mut stranger = Browser::new(&world.server);
    for path in ["/api/v1/connectors", "/api/v1/cloud-assets"] {
        assert_eq!(stranger.get(path).status, 401, "{path}");
    }
}

#[test]
fn only_those_who_may_touch_connectors() {
    let world = world();
    let mut browser = Browser::signed_in(&world.server);
    let id = create(&mut browser, connector("cloud"));
    read(&mut browser, id);
    for (role, facts_status, read, make) in [("reader", 403, 403, 403), ("operator", 200, 202, 403)]
    {
        let mut other = person(&mut browser, &world.server, role);
        assert_eq!(other.get("/api/v1/connectors").status, 200);
        let facts = format!(
            "/api/v1/cloud-assets/{}/facts",
            asset(&mut browser, "quay")["id"]
        );
        assert_eq!(other.get(&facts).status, facts_status, "{role}");
        let path = format!("/api/v1/connectors/{id}");
        let status = other.post(&format!("{path}/read"), json!({})).status;
        assert_eq!(status, read, "{role}");
        assert_eq!(
            other.post("/api/v1/connectors", connector("y")).status,
            make
        );
        assert_eq!(other.send("DELETE", &path, None).status, make);
    }
}

/// Somebody who is signed in with this role.
fn person(owner: &mut Browser, server: &Running, role: &str) -> Browser {
    let made = owner.post("/api/v1/users", json!({"name": role, "role": role}));
    let link = made.body["sign_in_path"].as_str().unwrap().to_owned();
    let mut browser = Browser::new(server);
    let token = link.split_once("#token=").unwrap().1;
    browser.post("/api/v1/session/link", json!({ "token": token }));
    browser
}

/// The folder is looked into when a secret is needed, and nowhere else.
#[test]
fn the_folder_of_credentials_can_be_elsewhere() {
    let fake = Fake::start(documents::both());
    let (folder, data) = folder();
    let own = Utf8Path::from_path(folder.path()).unwrap().join("mounted");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("azure"), SECRET).unwrap();
    let server = start(&data, |config| {
        config.connectors.azure_login_address = fake.login();
        config.connectors.azure_manager_address = fake.manager();
        config.connectors.credentials_dir = own.clone();
    });
    let mut browser = Browser::signed_in(&server);
    let id = create(&mut browser, connector("cloud"));
    assert_eq!(read(&mut browser, id)["state"], "ok");
}

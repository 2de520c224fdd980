//! Hosts: sensors that join and send facts, what is said of them, and what people say beside it.

use std::time::Duration;

use seareeve_api::{
    Client, ClientError, ComplianceScope, Join, NewAttestation, NewException, NewExemption,
    NewJoinToken, ScoreIf,
};
use serde_json::{Value, json};

use crate::support::{Browser, Running, folder, start};

/// A machine with Docker and one container.
pub(crate) fn facts(machine: &str, privileged: bool) -> Value {
    let fact = |id: &str, name: &str, data: Value| json!({"id": id, "name": name, "data": data});
    let some = |items: Vec<Value>| json!({"status": "ok", "source": "a test", "items": items});
    let host = json!({
        "hostname": machine, "kernel": "6.12.0", "architecture": "x86_64",
        "os": {"pretty_name": "Debian GNU/Linux 13"}, "managed": {"is": false, "by": "", "reason": ""},
    });
    let daemon = json!({
        "engine": "docker", "endpoint": "unix:///run/docker.sock", "local": true, "rootless": false,
        "version": {"Version": "29.1.0"}, "effective": {}, "hosts": [],
    });
    let container = json!({
        "engine": "e1", "State": {"Status": "running", "Running": true},
        "Config": {"Image": "web:1"},
        "HostConfig": {"Privileged": privileged, "NetworkMode": "bridge", "Memory": 1024},
        "user": {"name": "root", "is_root": true},
        "capabilities": {"added": ["NET_ADMIN"]},
        "ports": [{"host_ip": "0.0.0.0", "host_port": 80, "container_port": 8080, "protocol": "tcp"}],
        "mounts": [{"host_path": "/etc", "destination": "/host/etc", "rw": true},
            {"host_path": "", "destination": "/data", "rw": true}],
    });
    json!({
        "schema": "seareeve.facts/1", "asset_kind": "docker-host", "asset_id": machine, "asset_name": machine,
        "collected_at": "2030-01-01T00:00:00Z", "collector": "seareeve 0.1.0",
        "facts": {
            "host": some(vec![fact("host", machine, host)]),
            "docker.daemon": some(vec![fact("e1", "docker", daemon)]),
            "docker.container": some(vec![fact("c1", "web", container)]),
            "docker.image": some(vec![]),
        },
    })
}

/// A client of the user `admin`, and the join token's secret for one sensor after the other.
pub(crate) fn admin(server: &Running) -> Client {
    client(server, &mut Browser::signed_in(server))
}

/// The typed client of who is signed in.
pub(crate) fn client(server: &Running, browser: &mut Browser) -> Client {
    let token = browser.post("/api/v1/tokens", json!({"name": "test", "days": 1}));
    Client::new(&server.address, token.body["secret"].as_str().unwrap()).unwrap()
}

pub(crate) fn joined(server: &Running, admin: &Client) -> Client {
    let token = NewJoinToken {
        name: "test".to_owned(),
        hours: 1,
        most_uses: Some(1),
        environment: None,
    };
    let secret = admin.create_join_token(&token).unwrap().secret.unwrap();
    let join = Join {
        token: secret,
        name: "build-1".to_owned(),
        version: "0.1.0".to_owned(),
    };
    let stranger = Client::new(&server.address, "").unwrap();
    let joined = stranger.join(&join).unwrap();
    let again = stranger.join(&join).map(|joined| joined.id);
    assert_eq!(refusal(again), "bad_credentials", "it was for one");
    Client::new(&server.address, &joined.token).unwrap()
}

pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> String {
    match answer.unwrap_err() {
        ClientError::Refused { code, .. } => code,
        other => panic!("{other}"),
    }
}

pub(crate) fn send(sensor: &Client, facts: &Value) -> i64 {
    sensor.put_facts(facts.to_string().as_bytes()).unwrap().host
}

/// Asks until the answer is as wanted.
pub(crate) fn until<T: std::fmt::Debug>(ask: impl Fn() -> T, wanted: impl Fn(&T) -> bool) -> T {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let answer = ask();
        if wanted(&answer) {
            return answer;
        }
        assert!(std::time::Instant::now() < deadline, "it stayed {answer:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The status of the control that the check decides.
fn status(client: &Client, host: i64, check: &str) -> String {
    let report = client.host_report(host, None).unwrap();
    let control = report
        .controls
        .iter()
        .find(|control| control.check.as_deref() == Some(check))
        .unwrap();
    control.status.clone()
}

const PRIVILEGED: &str = "docker.container.privileged";
const RECOMMENDATION: &str = "docker-host-configuration";

#[test]
fn a_host_joins_and_is_judged_whenever_it_changes() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let sensor = joined(&server, &client);
    assert_eq!(client.hosts(None).unwrap().hosts, []);
    assert_eq!(client.score().unwrap().share, None);

    let host = send(&sensor, &facts("build-1", true));
    let page = until(
        || client.hosts(None).unwrap(),
        |page| page.hosts.iter().any(|host| host.state == "unhealthy"),
    );
    let listed = &page.hosts[0];
    assert_eq!(
        (listed.id, listed.containers, listed.running),
        (host, Some(1), Some(1))
    );
    assert_eq!(listed.engines[0].version, "29.1.0");
    let failed = listed.failed;
    assert!(failed.critical + failed.high + failed.medium + failed.low > 0);
    // The gravest first.
    let reason = listed.reason.clone().unwrap();
    assert!(
        reason.contains(" controls fail: 5.5, 4.1, 5.6, "),
        "{reason}"
    );

    let detail = client.host(host).unwrap();
    assert_eq!(detail.os.as_deref(), Some("Debian GNU/Linux 13"));
    let container = &detail.container_list[0];
    assert!(container.privileged && container.failed > 0);
    assert_eq!(container.ports, ["0.0.0.0:80->8080/tcp"]);
    assert_eq!(container.mounts, ["/etc->/host/etc (rw)"]);
    assert_eq!(container.engine, "unix:///run/docker.sock");
    assert_eq!(detail.recommendations[0].health, "unhealthy");
    assert_eq!(status(&client, host, PRIVILEGED), "fail");
    let older = client.host_report(host, Some("cis-docker@1.6.0")).unwrap();
    assert_eq!(older.benchmarks[0].version, "1.6.0");
    let unknown = client.host_report(host, Some("cis-docker@0.1"));
    assert_eq!(refusal(unknown), "bad_request");
    assert_eq!(client.host_facts(host).unwrap(), facts("build-1", true));

    let score = client.score().unwrap();
    assert_eq!(
        (score.points, score.max, score.share),
        (0.0, 4.0, Some(0.0))
    );
    assert_eq!(score.groups[0].unhealthy[0].name, "build-1");
    let after = client
        .score_if(&ScoreIf {
            recommendation: Some(RECOMMENDATION.to_owned()),
            assets: vec![host],
            ..ScoreIf::default()
        })
        .unwrap();
    assert_eq!((after.points, after.groups[0].healthy), (4.0, 1));
    let recommendation = client.recommendation(RECOMMENDATION).unwrap();
    assert_eq!(recommendation.summary.unhealthy, 1);
    assert_eq!(recommendation.assets[0].id, host);
    let first = &client.recommendations().unwrap().recommendations[0];
    assert_eq!((first.id.as_str(), first.potential), (RECOMMENDATION, 4.0));

    // The same again is no change; another time is none either.
    let mut again = facts("build-1", true);
    again["collected_at"] = json!("2030-01-02T00:00:00Z");
    let taken = sensor.put_facts(again.to_string().as_bytes()).unwrap();
    assert!(!taken.changed);

    send(&sensor, &facts("build-1", false));
    let history = until(
        || client.host_history(host).unwrap(),
        |history| !history.changes.is_empty(),
    );
    let change = &history.changes[0];
    assert_eq!(
        (
            change.was.as_deref(),
            change.status.as_str(),
            change.version.as_str()
        ),
        (Some("fail"), "pass", "1.8.0")
    );
    assert_eq!(status(&client, host, PRIVILEGED), "pass");

    let compliance = client
        .compliance("cis-docker", &ComplianceScope::default())
        .unwrap();
    let controls: usize = compliance
        .sections
        .iter()
        .map(|one| one.controls.len())
        .sum();
    assert_eq!((compliance.assets, controls), (1, 118));
    assert_eq!(compliance.versions, ["1.8.0", "1.7.0", "1.6.0", "1.2.0"]);
    let older = ComplianceScope {
        version: Some("1.7.0".to_owned()),
        ..ComplianceScope::default()
    };
    let csv = client.compliance_csv("cis-docker", &older).unwrap();
    assert!(csv.starts_with("benchmark,version,section,control,"));
    // What a spreadsheet would read as one number is two controls.
    for id in ["cis-docker 5.1", "cis-docker 5.10"] {
        let rows = csv
            .lines()
            .filter(|line| line.ends_with(&format!("\"{id}\"")));
        assert_eq!(rows.count(), 1, "{id}");
    }
    assert!(csv.contains("\"cis-docker\",1.7.0,"));

    client.delete_host(host).unwrap();
    assert_eq!(client.hosts(None).unwrap().hosts, []);
    assert_eq!(client.score().unwrap().share, None);
    let causes = &client.score_history(1, None).unwrap().points[0].causes;
    assert_eq!(
        (causes[0].was.as_deref(), &causes[0].health),
        (Some("unhealthy"), &None)
    );
    let ended = sensor.put_facts(facts("build-1", true).to_string().as_bytes());
    assert_eq!(refusal(ended), "bad_credentials");
}

#[test]
fn people_except_attest_and_exempt() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let sensor = joined(&server, &client);
    let host = send(&sensor, &facts("build-1", true));
    let health = || client.host(host).unwrap().recommendations;
    let is = |wanted: &'static str| {
        until(health, move |all| {
            all.first().is_some_and(|one| one.health == wanted)
        })
    };
    is("unhealthy");

    let exception = NewException {
        check: PRIVILEGED.to_owned(),
        benchmark: None,
        asset: Some("build-*".to_owned()),
        object: Some("web".to_owned()),
        reason: "it builds images".to_owned(),
        expires: None,
    };
    let exception = client.create_exception(&exception).unwrap();
    assert_eq!(status(&client, host, PRIVILEGED), "excepted");
    let history = until(
        || client.host_history(host).unwrap().changes,
        |changes| !changes.is_empty(),
    );
    assert_eq!(history[0].status, "excepted");
    assert_eq!(client.exceptions().unwrap().exceptions[0].author, "admin");
    client.delete_exception(exception.id).unwrap();
    assert_eq!(status(&client, host, PRIVILEGED), "fail");
    // What names a host and no other goes with it.
    let twin = send(&joined(&server, &client), &facts("build-2", true));
    for name in ["build-2", "build-1*"] {
        let named = NewException {
            asset: Some(name.to_owned()),
            ..exception.said.clone()
        };
        client.create_exception(&named).unwrap();
    }
    client.delete_host(twin).unwrap();
    let left = client.exceptions().unwrap().exceptions;
    let names: Vec<_> = left.iter().map(|one| one.said.asset.as_deref()).collect();
    assert_eq!(names, [Some("build-1*")]);
    client.delete_exception(left[0].id).unwrap();
    let nonsense = NewException {
        check: "no.such.check".to_owned(),
        ..exception.said.clone()
    };
    assert_eq!(refusal(client.create_exception(&nonsense)), "bad_request");
    let over = NewException {
        expires: Some(jiff::Timestamp::UNIX_EPOCH),
        ..exception.said
    };
    assert_eq!(refusal(client.create_exception(&over)), "bad_request");

    let report = client.host_report(host, None).unwrap();
    let open = report
        .controls
        .iter()
        .find(|control| control.status == "needs_review" && control.check.is_none())
        .unwrap();
    let attestation = NewAttestation {
        host,
        benchmark: open.benchmark.clone(),
        version: open.version.clone(),
        control: open.id.clone(),
        status: "pass".to_owned(),
        reason: "ticket 17".to_owned(),
        until: None,
        evidence: None,
    };
    let given = client.create_attestation(&attestation).unwrap();
    let answered = |id: &str| {
        let report = client.host_report(host, None).unwrap();
        let control = report.controls.iter().find(|control| control.id == id);
        control.unwrap().clone()
    };
    let control = answered(&attestation.control);
    assert_eq!(control.status, "pass");
    assert!(control.reason.unwrap().ends_with("ticket 17"));
    client.delete_attestation(given.id).unwrap();
    assert_eq!(answered(&attestation.control).status, "needs_review");
    let decided = report
        .controls
        .iter()
        .find(|one| one.check.as_deref() == Some(PRIVILEGED));
    let decided = NewAttestation {
        control: decided.unwrap().id.clone(),
        ..attestation
    };
    assert_eq!(refusal(client.create_attestation(&decided)), "bad_request");

    let exemption = NewExemption {
        recommendation: RECOMMENDATION.to_owned(),
        asset: Some(host),
        environment: None,
        kind: "waiver".to_owned(),
        reason: "a lab".to_owned(),
        expires: None,
    };
    let exemption = client.create_exemption(&exemption).unwrap();
    let exempt = is("not_applicable");
    assert_eq!(exempt[0].exemption, Some(exemption.id));
    assert_eq!(exempt[0].reason.as_deref(), Some("waiver: a lab (admin)"));
    assert_eq!(client.score().unwrap().share, None);
    client.delete_exemption(exemption.id).unwrap();
    is("unhealthy");
    assert_eq!(client.score().unwrap().share, Some(0.0));
    let points = client.score_history(1, None).unwrap().points;
    let told: Vec<_> = points
        .iter()
        .map(|point| (point.max, point.causes[0].was.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (4.0, Some("not_applicable")),
            (0.0, Some("unhealthy")),
            (4.0, None)
        ]
    );
}

#[test]
fn exceptions_and_answers_end_by_themselves() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let host = send(&joined(&server, &client), &facts("build-1", true));
    until(|| client.host(host).unwrap().judged_at, Option::is_some);
    let report = client.host_report(host, None).unwrap();
    let mut controls = report.controls.iter();
    let open = controls.find(|one| one.status == "needs_review" && one.check.is_none());
    let open = open.unwrap();
    let end = jiff::Timestamp::now() + Duration::from_secs(3);
    let exception = NewException {
        check: PRIVILEGED.to_owned(),
        benchmark: None,
        asset: Some("build-1".to_owned()),
        object: None,
        reason: "for a moment".to_owned(),
        expires: Some(end),
    };
    client.create_exception(&exception).unwrap();
    let answer = NewAttestation {
        host,
        benchmark: open.benchmark.clone(),
        version: open.version.clone(),
        control: open.id.clone(),
        status: "pass".to_owned(),
        reason: "ticket 17".to_owned(),
        until: Some(end),
        evidence: None,
    };
    client.create_attestation(&answer).unwrap();
    let changes = until(
        || client.host_history(host).unwrap().changes,
        |changes| changes.len() == 4,
    );
    let mut told: Vec<_> = changes
        .iter()
        .map(|one| (one.was.as_deref().unwrap_or_default(), one.status.as_str()))
        .collect();
    told.sort_unstable();
    let all = [
        ("excepted", "fail"),
        ("fail", "excepted"),
        ("needs_review", "pass"),
        ("pass", "needs_review"),
    ];
    assert_eq!(told, all);
}

#[test]
fn machines_that_benchmarks_are_not_about_are_listed_with_the_reason() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let mut managed = facts("aks-1", true);
    managed["facts"]["host"]["items"][0]["data"]["managed"] =
        json!({"is": true, "by": "aks", "reason": "/etc/kubernetes/azure.json is there"});
    let mut bare = facts("bare-1", true);
    for kind in ["docker.daemon", "docker.container", "docker.image"] {
        bare["facts"][kind] = json!({"status": "absent", "source": "sockets", "items": []});
    }
    // What nodes of clusters run is no engine that is asked.
    let mut node = managed.clone();
    node["asset_id"] = json!("aks-2");
    for kind in ["docker.daemon", "docker.container", "docker.image"] {
        node["facts"][kind] = bare["facts"][kind].clone();
    }
    let looked_after =
        "its provider looks after this machine (aks): /etc/kubernetes/azure.json is there";
    for (facts, kind, reason) in [
        (managed, "managed", looked_after),
        (node, "managed", looked_after),
        (bare, "none", "there is no container engine on this machine"),
    ] {
        let host = send(&joined(&server, &client), &facts);
        let detail = until(
            || client.host(host).unwrap(),
            |host| host.summary.state == "not_applicable",
        );
        assert_eq!(detail.kind, kind);
        assert_eq!(detail.summary.reason.as_deref(), Some(reason));
        assert_eq!(client.host_report(host, None).unwrap().controls, []);
    }
    let ours = send(&joined(&server, &client), &facts("ours", true));
    assert_eq!(client.host(ours).unwrap().kind, "unmanaged");
    until(
        || client.score().unwrap().share,
        |share| *share == Some(0.0),
    );
    client.delete_host(ours).unwrap();
    assert_eq!(client.score().unwrap().share, None);
}

#[test]
fn an_engine_that_stops_and_one_that_goes_leave_their_lines_in_the_history() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let sensor = joined(&server, &client);
    let host = send(&sensor, &facts("build-1", true));
    let seen = |state: &str| {
        let seen = until(
            || client.host(host).unwrap(),
            |host| host.summary.state == state,
        );
        seen.summary.reason.unwrap()
    };
    seen("unhealthy");
    let last = || {
        let history = client.host_history(host).unwrap();
        let mut changes = history.changes.into_iter();
        let change = changes.find(|change| change.control == "5.5").unwrap();
        (change.was, change.status)
    };
    let without = |status: &str, why: &str| {
        let mut facts = facts("build-1", true);
        for kind in ["docker.daemon", "docker.container", "docker.image"] {
            facts["facts"][kind] =
                json!({"status": status, "detail": why, "source": "sockets", "items": []});
        }
        facts
    };
    // Nothing can be told of one that does not run, which is not the same as none.
    let why = "Docker is installed (/usr/bin/dockerd) and does not run";
    send(&sensor, &without("error", why));
    assert_eq!(seen("unknown"), why);
    assert_eq!(status(&client, host, PRIVILEGED), "not_collected");
    let fail = Some("fail".to_owned());
    assert_eq!(last(), (fail, "not_collected".to_owned()));
    send(&sensor, &without("absent", "there is no engine"));
    seen("not_applicable");
    let open = Some("not_collected".to_owned());
    assert_eq!(last(), (open, "not_applicable".to_owned()));
    send(&sensor, &facts("build-1", true));
    seen("unhealthy");
    assert_eq!(last(), (None, "fail".to_owned()));
}

#[test]
fn hostile_facts_cost_their_sender_alone() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let (bad, good) = (joined(&server, &client), joined(&server, &client));
    let change = |path: &str, value: Value| {
        let mut facts = facts("bad", true);
        *facts.pointer_mut(path).unwrap() = value;
        facts.to_string()
    };
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        String::new(),
        "null".to_owned(),
        "{".to_owned(),
        change("/schema", json!("seareeve.facts/2")),
        change("/asset_kind", json!("azure-subscription")),
        change("/asset_id", json!("")),
        change("/asset_name", json!("a\u{7}b")),
        change("/facts/host/items", json!({})),
        change("/facts/host/status", json!("fine")),
        facts("bad", true).to_string().replace("\"c1\"", &deep),
    ] {
        let answer = bad.put_facts(body.as_bytes());
        assert_eq!(
            refusal(answer),
            "bad_request",
            "{}",
            &body[..body.len().min(90)]
        );
    }
    let large = vec![b' '; 33 * 1024 * 1024];
    assert!(joined(&server, &client).put_facts(&large).is_err());

    // Facts of the wrong types are judged as such, and hold nobody else up.
    let odd = change(
        "/facts/docker.container/items/0/data",
        json!([1, {"HostConfig": 7}]),
    );
    let odd = bad.put_facts(odd.as_bytes()).unwrap().host;
    let host = send(&good, &facts("good", true));
    for host in [odd, host] {
        until(
            || client.host(host).unwrap().judged_at,
            |judged| judged.is_some(),
        );
    }
    // It cannot be said which engine it belongs to.
    assert_eq!(status(&client, odd, PRIVILEGED), "not_collected");
    assert_eq!(status(&client, host, PRIVILEGED), "fail");
    // A sensor speaks for its own machine alone, and users are no sensors.
    let other = bad.put_facts(facts("good", false).to_string().as_bytes());
    assert_eq!(refusal(other), "conflict");
    assert_eq!(status(&client, host, PRIVILEGED), "fail");
    let user = client.put_facts(facts("good", false).to_string().as_bytes());
    assert_eq!(refusal(user), "bad_credentials");
    assert_eq!(refusal(bad.hosts(None)), "unauthorized");
}

#[test]
fn readers_change_nothing() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut owner = Browser::signed_in(&server);
    let made = owner.post("/api/v1/users", json!({"name": "rea", "role": "reader"}));
    let link = made.body["sign_in_path"].as_str().unwrap().to_owned();
    let mut reader = Browser::new(&server);
    let token = link.split_once("#token=").unwrap().1;
    reader.post("/api/v1/session/link", json!({ "token": token }));
    for path in [
        "hosts",
        "assets",
        "environments",
        "benchmarks",
        "checks",
        "recommendations",
        "score",
        "exceptions",
        "attestations",
        "exemptions",
        "sensors",
    ] {
        assert_eq!(reader.get(&format!("/api/v1/{path}")).status, 200, "{path}");
    }
    assert_eq!(reader.get("/api/v1/join-tokens").status, 403);
    // Whether there is such a host is not told either.
    assert_eq!(reader.get("/api/v1/hosts/1/facts").status, 403);
    assert_eq!(owner.get("/api/v1/hosts/1/facts").status, 404);
    let join = json!({"name": "x", "hours": 1});
    let exception = json!({"check": PRIVILEGED, "reason": "x"});
    let exemption = json!({"recommendation": RECOMMENDATION, "kind": "waiver", "reason": "x"});
    let attestation = json!({"host": 1, "benchmark": "cis-docker", "version": "1.8.0", "control": "1.2.1",
        "status": "pass", "reason": "x"});
    for (path, body) in [
        ("join-tokens", join),
        ("exceptions", exception),
        ("exemptions", exemption),
        ("attestations", attestation),
        ("checks", json!({})),
    ] {
        let answer = reader.post(&format!("/api/v1/{path}"), body);
        assert_eq!(answer.status, 403, "{path} {}", answer.body);
    }
    let mut stranger = Browser::new(&server);
    for path in [
        "hosts",
        "hosts/1/report",
        "score",
        "sensors",
        "compliance/cis-docker",
    ] {
        assert_eq!(
            stranger.get(&format!("/api/v1/{path}")).status,
            401,
            "{path}"
        );
    }
}

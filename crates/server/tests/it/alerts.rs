//! Audit events that are sent by an API server, the alerts that they raise, and what people do with those.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use seareeve_api::{
    AlertChange, AuditPlan, AuditSourceSettings, AuditWebhook, Client, ClientError, IncidentChange,
    NewAuditCluster, NewSuppressionRule, SuppressionCriterion,
};
use serde_json::{Value, json};

use crate::hosts::{admin, client, refusal, until};
use crate::support::{Browser, Running, folder, start};

/// A cluster that is on, and what its API server needs.
pub(crate) fn cluster(client: &Client, name: &str) -> AuditWebhook {
    let new = NewAuditCluster {
        name: name.to_owned(),
        cluster: None,
    };
    client.create_audit_cluster(&new).unwrap();
    let created = client.create_audit_source(name, &AuditSourceSettings::Webhook);
    let consented = AuditPlan {
        is_on: true,
        consent: true,
    };
    client.set_audit_plan(name, &consented).unwrap();
    created.unwrap().webhook.unwrap()
}

/// As an API server does: the answer's status.
pub(crate) fn send(server: &Running, webhook: &AuditWebhook, encoding: &str, body: &[u8]) -> u16 {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .new_agent();
    let answer = agent
        .post(format!("{}{}", server.address, webhook.path))
        .header("authorization", format!("Bearer {}", webhook.token))
        .header("content-type", "application/json")
        .header("content-encoding", encoding)
        .send(body);
    // Also whoever is refused while sending gets to read why.
    answer.unwrap().status().as_u16()
}

pub(crate) fn list(events: &[Value]) -> Vec<u8> {
    json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": events})
        .to_string()
        .into_bytes()
}

pub(crate) fn event(id: &str, verb: &str, path: &str, object: Value) -> Value {
    let at = jiff::Timestamp::now().to_string();
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": id,
        "stage": "ResponseComplete", "requestURI": path, "verb": verb,
        "user": {"username": "eve", "groups": ["system:authenticated"]},
        "sourceIPs": ["203.0.113.7"], "userAgent": "kubectl/v1.30.0", "objectRef": object,
        "responseStatus": {"code": 201}, "requestReceivedTimestamp": at, "stageTimestamp": at,
    })
}

pub(crate) fn exec(id: &str, pod: &str, command: &str) -> Value {
    let path = format!("/api/v1/namespaces/shop/pods/{pod}/exec?command={command}&stdout=true");
    let object = json!({"resource": "pods", "subresource": "exec", "namespace": "shop", "name": pod, "apiVersion": "v1"});
    let mut event = event(id, "create", &path, object);
    event["stage"] = json!("ResponseStarted");
    event["responseStatus"]["code"] = json!(101);
    event
}

/// The same a moment later: times are kept to the millisecond.
pub(crate) fn later(mut event: Value) -> Value {
    let at = jiff::Timestamp::now() + Duration::from_millis(5);
    for name in ["requestReceivedTimestamp", "stageTimestamp"] {
        event[name] = json!(at.to_string());
    }
    event
}

pub(crate) fn binding(id: &str) -> Value {
    let object = json!({"resource": "clusterrolebindings", "name": "x",
        "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1"});
    let path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    let mut event = event(id, "create", path, object);
    let body = json!({"kind": "ClusterRoleBinding", "metadata": {"name": "x"},
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin", "apiGroup": "rbac.authorization.k8s.io"},
        "subjects": [{"kind": "User", "name": "eve"}]});
    event["requestObject"] = body.clone();
    event["responseObject"] = body;
    event
}

fn rules(client: &Client, conditions: &[(&str, &str)]) -> Vec<String> {
    let page = client.alerts(conditions, None).unwrap();
    let mut rules: Vec<String> = page.alerts.into_iter().map(|alert| alert.rule).collect();
    rules.sort();
    rules
}

#[test]
fn events_raise_alerts_only_while_the_plan_is_on_and_each_once() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let new = |name: &str| NewAuditCluster {
        name: name.to_owned(),
        cluster: None,
    };
    for wrong in ["", "Prod", "a.b", "-a", "../x"] {
        assert_eq!(
            refusal(client.create_audit_cluster(&new(wrong))),
            "bad_request",
            "{wrong}"
        );
    }
    client.create_audit_cluster(&new("prod")).unwrap();
    assert_eq!(
        refusal(client.create_audit_cluster(&new("prod"))),
        "conflict"
    );
    let created = client.create_audit_source("prod", &AuditSourceSettings::Webhook);
    let webhook = created.unwrap().webhook.unwrap();
    assert!(webhook.kubeconfig.contains(&webhook.token));

    assert_eq!(
        send(
            &server,
            &webhook,
            "identity",
            &list(&[exec("early", "cart", "ls")])
        ),
        200
    );
    until(
        || client.audit_cluster("prod").unwrap(),
        |cluster| cluster.early_events == 1,
    );

    let without = AuditPlan {
        is_on: true,
        consent: false,
    };
    match client.set_audit_plan("prod", &without).unwrap_err() {
        ClientError::Refused { detail, .. } => {
            assert!(detail.contains("sensitive data"), "{detail}")
        }
        other => panic!("{other}"),
    }
    let consented = AuditPlan {
        is_on: true,
        consent: true,
    };
    let on = client.set_audit_plan("prod", &consented).unwrap();
    assert_eq!(
        (on.consent_by.as_deref(), on.on_since.is_some()),
        (Some("admin"), true)
    );

    let body = list(&[
        exec("a", "cart", "ls"),
        later(exec("b", "cart", "id")),
        binding("c"),
    ]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&body).unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(send(&server, &webhook, "gzip", &packed), 200);
    // It was not answered in time, and sends the batch again.
    assert_eq!(send(&server, &webhook, "identity", &body), 200);
    let cluster = until(
        || client.audit_cluster("prod").unwrap(),
        |cluster| cluster.repeated_events == 3,
    );
    assert_eq!(
        (cluster.events, cluster.broken_events, cluster.kept_events),
        (3, 0, 3)
    );
    let alerts = until(
        || client.alerts(&[("rule", "exec-into-pod")], None).unwrap(),
        |page| page.alerts.iter().any(|alert| alert.seen == 2),
    );
    let alert = client.alert(&alerts.alerts[0].id).unwrap();
    assert_eq!(
        (alert.summary.cluster.as_str(), alert.events.len()),
        ("prod", 2)
    );
    assert_eq!(alert.summary.compromised_entity, "pod shop/cart");
    assert!(alert.description.contains("eve"), "{}", alert.description);
    assert_eq!(alert.events[0].event.as_ref().unwrap()["auditID"], "a");

    // What eve did around it.
    let related = client.related_requests(&alert.summary.id, 10).unwrap();
    let requests: Vec<_> = related
        .requests
        .iter()
        .map(|request| (request.verb.as_str(), request.resource.as_str()))
        .collect();
    assert_eq!(related.user, "eve");
    assert_eq!(requests.len(), 3, "{requests:?}");
    assert!(requests.contains(&("create", "clusterrolebindings")));

    // Both are steps of one account.
    let incidents = client.incidents(true, None).unwrap().incidents;
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    let incident = client.incident(&incidents[0].id).unwrap();
    assert!(incident.timeline.len() >= 2);
    assert_eq!(
        incident.tactics.first().map(String::as_str),
        Some("execution")
    );
    let resolved = IncidentChange {
        state: Some("resolved".to_owned()),
        note: Some("it was a drill".to_owned()),
        ..IncidentChange::default()
    };
    client.change_incident(&incidents[0].id, &resolved).unwrap();
    assert_eq!(
        client.alert(&alert.summary.id).unwrap().summary.state,
        "resolved"
    );
    assert!(client.incidents(true, None).unwrap().incidents.is_empty());

    let coverage = client.audit_coverage("prod").unwrap();
    assert!(coverage.detections.len() > 50);
    client.delete_audit_cluster("prod").unwrap();
    assert_eq!(send(&server, &webhook, "identity", &body), 401);
    assert!(client.alert(&alert.summary.id).is_ok(), "alerts stay");
}

#[test]
fn strangers_and_nonsense_are_refused_and_what_is_broken_is_counted() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let (prod, test) = (cluster(&client, "prod"), cluster(&client, "test"));
    let body = list(&[exec("a", "cart", "ls")]);
    let crossed = AuditWebhook {
        token: test.token.clone(),
        ..prod.clone()
    };
    let wrong = AuditWebhook {
        token: "seareeve_audit_x".to_owned(),
        ..prod.clone()
    };
    for stranger in [crossed, wrong] {
        assert_eq!(send(&server, &stranger, "identity", &body), 401);
        let large = vec![b'{'; 20 << 20];
        assert_eq!(send(&server, &stranger, "identity", &large), 401);
    }
    assert_eq!(send(&server, &prod, "br", &body), 400);
    assert_eq!(send(&server, &prod, "gzip", &body), 400);
    assert_eq!(send(&server, &prod, "identity", b"<html>"), 400);
    assert_eq!(
        send(&server, &prod, "identity", &vec![b'{'; (32 << 20) + 1]),
        413
    );
    let broken = list(&[json!({"auditID": 7}), json!(3), exec("a", "cart", "ls")]);
    assert_eq!(send(&server, &prod, "identity", &broken), 200);
    let cluster = until(
        || client.audit_cluster("prod").unwrap(),
        |cluster| cluster.events == 1 && cluster.broken_events == 2,
    );
    assert!(cluster.problem.is_some());
}

#[test]
fn people_deal_with_alerts_and_suppress_those_that_are_noise() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let webhook = cluster(&client, "prod");
    let samples = client.create_sample_alerts().unwrap().alerts;
    assert_eq!(samples.len(), 4);
    let page = client.alerts(&[("state", "open")], None).unwrap();
    assert!(
        page.alerts
            .iter()
            .all(|alert| alert.is_sample && alert.state == "new")
    );
    assert_eq!(client.incidents(true, None).unwrap().incidents[0].alerts, 4);
    let change = AlertChange {
        ids: samples.clone(),
        state: Some("in_progress".to_owned()),
        owner: Some("ann".to_owned()),
        note: Some("looking".to_owned()),
    };
    assert_eq!(client.change_alerts(&change).unwrap().alerts, 4);
    let alert = client.alert(&samples[0]).unwrap();
    assert_eq!(alert.summary.owner.as_deref(), Some("ann"));
    let what: Vec<_> = alert
        .history
        .iter()
        .map(|line| line.what.as_str())
        .collect();
    assert_eq!(what, ["state", "owner", "note"]);
    let nonsense = AlertChange {
        state: Some("gone".to_owned()),
        ..change
    };
    assert_eq!(refusal(client.change_alerts(&nonsense)), "bad_request");

    assert_eq!(
        send(
            &server,
            &webhook,
            "identity",
            &list(&[exec("a", "cart-1", "ls")])
        ),
        200
    );
    until(
        || rules(&client, &[("cluster", "prod")]),
        |rules| !rules.is_empty(),
    );
    let rule = NewSuppressionRule {
        name: "carts".to_owned(),
        is_on: true,
        rule: Some("exec-into-pod".to_owned()),
        criteria: vec![SuppressionCriterion {
            kind: "pod".to_owned(),
            names: vec!["shop/cart-*".to_owned()],
        }],
        reason: "noise".to_owned(),
        comment: String::new(),
        expires: None,
    };
    let trial = client.try_suppression(&rule).unwrap();
    assert_eq!((trial.alerts, trial.events), (1, 1));
    let everything = NewSuppressionRule {
        rule: None,
        criteria: vec![],
        ..rule.clone()
    };
    assert_eq!(
        refusal(client.create_suppression(&everything)),
        "bad_request"
    );
    let made = client.create_suppression(&rule).unwrap();
    assert!(made.is_in_force);
    let more = list(&[exec("b", "cart-2", "ls"), exec("c", "db", "ls")]);
    assert_eq!(send(&server, &webhook, "identity", &more), 200);
    let page = until(
        || client.alerts(&[("rule", "exec-into-pod")], None).unwrap(),
        |page| page.alerts.len() == 3,
    );
    let dismissed: Vec<_> = page
        .alerts
        .iter()
        .filter(|alert| alert.state == "dismissed")
        .map(|alert| (alert.compromised_entity.as_str(), alert.suppressed_by))
        .collect();
    assert_eq!(dismissed, [("pod shop/cart-2", Some(made.id))]);
    client.delete_suppression(made.id).unwrap();
    assert!(client.suppressions().unwrap().rules.is_empty());
    let facets = client.alert_facets().unwrap();
    assert!(facets.severities.iter().any(|facet| facet.value == "low"));
}

/// Made up here; none of it may be found in anything that is stored or answered.
const SECRETS: [&str; 5] = [
    "hunter2-in-a-secret",
    "hunter2-in-environment",
    "hunter2-in-a-command",
    "hunter2-in-a-token",
    "hunter2-in-an-annotation",
];

fn secretive() -> Vec<Value> {
    let [secret, environment, command, token, annotation] = SECRETS;
    let object = |resource: &str| json!({"resource": resource, "namespace": "shop", "name": "x", "apiVersion": "v1"});
    let mut made = event(
        "s1",
        "create",
        "/api/v1/namespaces/shop/secrets",
        object("secrets"),
    );
    made["requestObject"] =
        json!({"kind": "Secret", "metadata": {"name": "x"}, "stringData": {"value": secret}});
    made["responseObject"] = made["requestObject"].clone();
    let mut pod = event(
        "s2",
        "create",
        "/api/v1/namespaces/shop/pods",
        object("pods"),
    );
    let last = json!({"kubectl.kubernetes.io/last-applied-configuration":
        json!({"spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": annotation}]}]}}).to_string()});
    pod["requestObject"] = json!({"kind": "Pod", "metadata": {"name": "x", "namespace": "shop", "annotations": last},
        "spec": {"containers": [{"name": "c", "image": "web", "securityContext": {"privileged": true},
            "env": [{"name": "DB_PASSWORD", "value": environment}]}]}});
    pod["responseObject"] = pod["requestObject"].clone();
    let path = "/api/v1/namespaces/shop/serviceaccounts/x/token";
    let account = json!({"resource": "serviceaccounts", "subresource": "token", "namespace": "shop", "name": "x", "apiVersion": "v1"});
    let mut asked = event("s3", "create", path, account);
    asked["responseObject"] = json!({"kind": "TokenRequest", "status": {"token": token}});
    let run = exec(
        "s4",
        "cart",
        &format!("mysql&command=--password%3D{command}"),
    );
    vec![made, pod, asked, run]
}

/// Every file below a folder.
fn files(folder: &camino::Utf8Path, found: &mut Vec<camino::Utf8PathBuf>) {
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn no_secret_of_an_event_is_stored_or_answered() {
    let (_keep, data) = folder();
    let (ids, answers) = {
        let server = start(&data, |_| {});
        let mut browser = Browser::signed_in(&server);
        let client = client(&server, &mut browser);
        let webhook = cluster(&client, "prod");
        assert_eq!(
            send(&server, &webhook, "identity", &list(&secretive())),
            200
        );
        let page = until(
            || client.alerts(&[], None).unwrap(),
            |page| {
                page.alerts
                    .iter()
                    .any(|alert| alert.rule.contains("privileged"))
            },
        );
        // The raw events are gone from the spool as soon as they are judged and it is not written to.
        until(
            || client.audit_cluster("prod").unwrap(),
            |cluster| cluster.backlog_bytes == 0,
        );
        let mut answers = Vec::new();
        let mut ids = Vec::new();
        for alert in page.alerts {
            for path in [
                format!("/api/v1/alerts/{}", alert.id),
                format!("/api/v1/alerts/{}/related", alert.id),
            ] {
                answers.push(browser.get(&path).body.to_string());
            }
            ids.push(alert.rule);
        }
        answers.push(browser.get("/api/v1/incidents").body.to_string());
        (ids, answers)
    };
    assert!(ids.len() > 1, "{ids:?}");
    let mut stored = Vec::new();
    files(&data, &mut stored);
    for secret in SECRETS {
        for answer in &answers {
            assert!(!answer.contains(secret), "{secret} was answered: {answer}");
        }
        for path in &stored {
            let mut content = Vec::new();
            std::fs::File::open(path)
                .unwrap()
                .read_to_end(&mut content)
                .unwrap();
            let is_there = content
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!is_there, "{secret} is in {path}");
        }
    }
}

#[test]
fn api_servers_are_listened_to_with_a_certificate_of_our_own() {
    let (_keep, data) = folder();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let settings = |config: &mut seareeve_server::config::Config| {
        config.audit.listen = format!("127.0.0.1:{port}");
    };
    let mut authority = String::new();
    for _ in 0..2 {
        let server = start(&data, settings);
        let client = admin(&server);
        let name = if authority.is_empty() {
            "first"
        } else {
            "second"
        };
        let webhook = cluster(&client, name);
        let certificate = webhook.ca_certificate.clone().unwrap();
        assert!(
            authority.is_empty() || authority == certificate,
            "it is kept"
        );
        authority = certificate;
        assert_eq!(
            webhook.address,
            format!("https://127.0.0.1:{port}/audit/{name}")
        );
        let trusted = ureq::tls::Certificate::from_pem(authority.as_bytes()).unwrap();
        let tls = ureq::tls::TlsConfig::builder()
            .root_certs(ureq::tls::RootCerts::new_with_certs(&[trusted]))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .build()
            .new_agent();
        let body = list(&[exec("a", "cart", "ls")]);
        let answer = agent
            .post(&webhook.address)
            .header("authorization", format!("Bearer {}", webhook.token))
            .send(&body);
        assert_eq!(answer.unwrap().status().as_u16(), 200);
        until(
            || client.audit_cluster(name).unwrap(),
            |cluster| cluster.events == 1,
        );
        // Nothing else of the server is there.
        let other = agent
            .get(format!("https://127.0.0.1:{port}/api/v1/status"))
            .call();
        assert!(
            matches!(other, Err(ureq::Error::StatusCode(404))),
            "{other:?}"
        );
    }
}

#[test]
fn a_file_is_followed() {
    let (keep, data) = folder();
    let log = keep.path().join("audit.log");
    let server = start(&data, |_| {});
    let client = admin(&server);
    cluster(&client, "prod");
    let settings = |path: &str| AuditSourceSettings::File {
        path: path.to_owned(),
        from_start: true,
    };
    let problem = |path: &str| {
        let sources = client.audit_cluster("prod").unwrap().sources;
        let found = sources
            .into_iter()
            .find(|source| source.settings == settings(path));
        found.unwrap().problem
    };
    // What is not there, or no file, is told at once.
    for (path, why) in [
        (log.to_str().unwrap(), "there is no file"),
        (data.as_str(), "it is no regular file"),
    ] {
        client.create_audit_source("prod", &settings(path)).unwrap();
        let told = until(|| problem(path), Option::is_some).unwrap();
        assert!(told.contains(why), "{told}");
    }
    std::fs::write(&log, "").unwrap();
    until(|| problem(log.to_str().unwrap()), Option::is_none);
    let mut file = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
    writeln!(
        file,
        "{}\n{}",
        exec("a", "cart", "ls"),
        exec("b", "db", "ls")
    )
    .unwrap();
    let page = until(
        || client.alerts(&[("rule", "exec-into-pod")], None).unwrap(),
        |page| page.alerts.len() == 2,
    );
    assert_eq!(page.alerts[0].cluster, "prod");
    assert_eq!(problem(log.to_str().unwrap()), None);
}

#[test]
fn an_address_that_nodes_speak_from_joins_nothing_and_who_showed_an_old_token_is_named() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let webhook = cluster(&client, "prod");
    let by = |mut event: Value, user: &str, from: &str| {
        event["user"]["username"] = json!(user);
        event["sourceIPs"] = json!([from]);
        event
    };
    let node = event(
        "n",
        "get",
        "/api/v1/nodes/n1",
        json!({"resource": "nodes", "name": "n1", "apiVersion": "v1"}),
    );
    let secrets = |id: &str| {
        let all = json!({"resource": "secrets", "apiVersion": "v1"});
        event(id, "list", "/api/v1/secrets", all)
    };
    let account = "system:serviceaccount:shop:cart";
    let mut stolen = by(exec("a", "cart", "ls"), account, "10.0.0.5");
    stolen["annotations"] = json!({"authentication.k8s.io/legacy-token": account});
    let events = [
        by(node, "system:node:n1", "10.0.0.5"),
        stolen,
        by(secrets("b"), "bob", "10.0.0.5"),
    ];
    assert_eq!(send(&server, &webhook, "identity", &list(&events)), 200);
    let raised = |account: &str| {
        let conditions = [("entity", account)];
        until(
            || client.alerts(&conditions, None).unwrap(),
            |page| !page.alerts.is_empty(),
        )
    };
    raised(account);
    raised("bob");
    let shared = || {
        let incidents = client.incidents(false, None).unwrap().incidents;
        let shared = incidents.into_iter().flat_map(|incident| incident.shared);
        shared.map(|entity| entity.name).collect::<Vec<_>>()
    };
    // What the account does belongs together, and bob's deed to nothing.
    assert_eq!(shared(), [account]);
    // From a machine of their own, two accounts are one attacker.
    let events = [
        by(exec("c", "db", "ls"), "carl", "10.0.0.9"),
        by(secrets("d"), "dora", "10.0.0.9"),
    ];
    assert_eq!(send(&server, &webhook, "identity", &list(&events)), 200);
    until(shared, |shared| shared.contains(&"10.0.0.9".to_owned()));
}

#[test]
fn clusters_that_are_made_at_the_same_time_are_all_judged() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let names: Vec<String> = (0..12).map(|number| format!("c{number}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            let (client, server) = (&client, &server);
            scope.spawn(move || {
                let webhook = cluster(client, name);
                let body = list(&[exec(name, "cart", "ls")]);
                assert_eq!(send(server, &webhook, "identity", &body), 200);
            });
        }
    });
    until(
        || client.alerts(&[("rule", "exec-into-pod")], None).unwrap(),
        |page| page.alerts.len() == names.len(),
    );
}

/// A broker that speaks Kafka's protocol: librdkafka's own mock cluster, in Debian's `kcat`. Dropping it kills it.
struct Broker {
    process: std::process::Child,
    address: String,
}

impl Broker {
    fn start() -> Option<Self> {
        // A producer that is never given anything, with a cluster in it.
        let started = std::process::Command::new("kcat")
            .args(["-P", "-t", "unused", "-b", "unused", "-d", "mock"])
            .args(["-X", "test.mock.num.brokers=1"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) => {
                let required = std::env::var("SEAREEVE_REQUIRE_SHARED").is_ok_and(|it| it == "1");
                assert!(!required, "kcat: {error}");
                eprintln!("NOT TESTED with Kafka: kcat: {error}");
                return None;
            }
        };
        let output = std::io::BufReader::new(process.stderr.take().unwrap());
        let mut lines = std::io::BufRead::lines(output);
        let address = lines
            .find_map(|line| Some(line.unwrap().split_once("bootstrap.servers=")?.1.to_owned()))
            .unwrap();
        // It goes on telling what it does, and must not be kept waiting.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, address })
    }

    fn produce(&self, topic: &str, message: &str) {
        let mut producer = std::process::Command::new("kcat")
            .args(["-P", "-b", &self.address, "-t", topic, "-X", "linger.ms=1"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = producer.stdin.take().unwrap();
        writeln!(input, "{message}").unwrap();
        drop(input);
        assert!(producer.wait().unwrap().success());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_topic_is_read_and_read_on_after_a_restart() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let (_keep, data) = folder();
    // As Azure has it: the event is text in a record.
    let record = |id: &str, pod: &str| {
        let log = exec(id, pod, "ls").to_string();
        json!({"records": [{"category": "kube-audit", "properties": {"log": log}},
            {"category": "guard", "properties": {"log": "I0101 something else"}}]})
        .to_string()
    };
    let wait_for = |client: &Client, alerts: usize| {
        until(
            || client.alerts(&[("rule", "exec-into-pod")], None).unwrap(),
            |page| page.alerts.len() == alerts,
        );
    };
    let first = start(&data, |_| {});
    let client = admin(&first);
    cluster(&client, "prod");
    broker.produce("audit", &record("a", "cart"));
    let source = AuditSourceSettings::Kafka {
        brokers: vec![broker.address.clone()],
        topic: "audit".to_owned(),
        tls: false,
        username: None,
        mechanism: None,
        password_file: None,
        ca_file: None,
        from_start: true,
    };
    client.create_audit_source("prod", &source).unwrap();
    wait_for(&client, 1);
    drop(first);
    broker.produce("audit", &record("b", "db"));
    let second = start(&data, |_| {});
    let client = admin(&second);
    wait_for(&client, 2);
    let cluster = client.audit_cluster("prod").unwrap();
    // What was read and not yet noted as read when the first one ended is read again, and raises nothing.
    assert!((2..=3).contains(&cluster.events), "{cluster:?}");
    assert_eq!(cluster.broken_events, 0);
    let alerts = client.alerts(&[("rule", "exec-into-pod")], None).unwrap();
    let seen = alerts.alerts.iter().map(|alert| alert.seen);
    assert_eq!(seen.collect::<Vec<_>>(), [1, 1]);
}

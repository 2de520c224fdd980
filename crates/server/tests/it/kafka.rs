//! A topic behind TLS and SASL, as Event Hubs is: a small broker of our own that speaks what of Kafka's protocol a
//! reader needs, byte by byte as its guide has it (<https://kafka.apache.org/protocol>).

mod broker;
mod scram;
mod wire;

use seareeve_api::{AuditSource, AuditSourceSettings, Client};
use serde_json::json;

use self::broker::{Broker, Mechanism};
use self::scram::Hash;
use crate::alerts::{cluster, exec};
use crate::hosts::{admin, refusal, until};
use crate::support::{folder, start};

const CONNECTION: &str =
    "Endpoint=sb://hub.example/;SharedAccessKeyName=read;SharedAccessKey=c2VjcmV0";

/// As Azure has it: the event is text in a record.
fn record(id: &str, pod: &str) -> Vec<u8> {
    let log = exec(id, pod, "ls").to_string();
    json!({"records": [{"category": "kube-audit", "properties": {"log": log}}]})
        .to_string()
        .into_bytes()
}

/// The source of a cluster that has one.
fn source(client: &Client) -> AuditSource {
    let sources = client.audit_cluster("prod").unwrap().sources;
    let mut of_topics = sources.into_iter();
    of_topics
        .find(|source| source.settings.kind() == "kafka")
        .unwrap()
}

/// A file in the server's folder of credentials, as sources name it.
fn password(data: &camino::Utf8Path, text: &str) -> String {
    let folder = data.join("credentials");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("password"), text).unwrap();
    "password".to_owned()
}

fn alerts(client: &Client, count: usize) {
    until(
        || client.alerts(&[("rule", "exec-into-pod")], None).unwrap(),
        |page| page.alerts.len() == count,
    );
}

#[test]
fn a_topic_behind_tls_and_sasl_is_read() {
    for (mechanism, word, user) in [
        (Mechanism::Plain, None, "$ConnectionString"),
        (
            Mechanism::Scram(Hash::Sha256),
            Some("scram-sha-256"),
            "reader",
        ),
        (
            Mechanism::Scram(Hash::Sha512),
            Some("scram-sha-512"),
            "reader",
        ),
    ] {
        let (keep, data) = folder();
        let broker = Broker::start(mechanism, user, CONNECTION);
        let ca_file = keep.path().join("ca.pem");
        std::fs::write(&ca_file, &broker.authority).unwrap();
        let password = password(&data, &format!("{CONNECTION}\n"));
        let server = start(&data, |_| {});
        let client = admin(&server);
        cluster(&client, "prod");
        broker.produce(record("a", "cart"));
        let settings = AuditSourceSettings::Kafka {
            brokers: vec![broker.address.clone()],
            topic: "audit".to_owned(),
            tls: true,
            username: Some(user.to_owned()),
            mechanism: word.map(str::to_owned),
            password_file: Some(password),
            ca_file: Some(ca_file.to_str().unwrap().to_owned()),
            from_start: true,
        };
        client.create_audit_source("prod", &settings).unwrap();
        alerts(&client, 1);
        broker.produce(record("b", "db"));
        alerts(&client, 2);
        assert_eq!(source(&client).problem, None);
        let shown = serde_json::to_string(&client.audit_cluster("prod").unwrap()).unwrap();
        assert!(!shown.contains("c2VjcmV0"), "{shown}");
    }
}

#[test]
fn a_wrong_password_is_told_whichever_way_it_is_shown() {
    for (asked, word, shown) in [
        // The password is wrong, and the way is another than the user is known for.
        (Hash::Sha256, "scram-sha-256", "SCRAM-SHA-256"),
        (Hash::Sha512, "scram-sha-512", "SCRAM-SHA-512"),
        (Hash::Sha256, "scram-sha-512", "SCRAM-SHA-512"),
    ] {
        let (keep, data) = folder();
        let broker = Broker::start(Mechanism::Scram(asked), "reader", "right");
        let ca_file = keep.path().join("ca.pem");
        std::fs::write(&ca_file, &broker.authority).unwrap();
        let password = password(&data, "wrong");
        let server = start(&data, |_| {});
        let client = admin(&server);
        cluster(&client, "prod");
        let settings = AuditSourceSettings::Kafka {
            brokers: vec![broker.address.clone()],
            topic: "audit".to_owned(),
            tls: true,
            username: Some("reader".to_owned()),
            mechanism: Some(word.to_owned()),
            password_file: Some(password),
            ca_file: Some(ca_file.to_str().unwrap().to_owned()),
            from_start: true,
        };
        client.create_audit_source("prod", &settings).unwrap();
        let told = until(|| source(&client), |source| source.problem.is_some());
        let problem = told.problem.unwrap();
        assert!(
            problem.contains("the broker refuses the user reader") && problem.contains(shown),
            "{problem}"
        );
        assert!(!problem.contains("wrong"), "{problem}");
    }
}

#[test]
fn a_wrong_password_is_told_and_not_tried_again_and_again() {
    let (keep, data) = folder();
    let broker = Broker::start(Mechanism::Plain, "reader", "right");
    let ca_file = keep.path().join("ca.pem");
    std::fs::write(&ca_file, &broker.authority).unwrap();
    let file = password(&data, "wrong");
    let server = start(&data, |_| {});
    let client = admin(&server);
    cluster(&client, "prod");
    let settings = |mechanism: Option<&str>, username: Option<&str>, ca_file: Option<&str>| {
        AuditSourceSettings::Kafka {
            brokers: vec![broker.address.clone()],
            topic: "audit".to_owned(),
            tls: true,
            username: username.map(str::to_owned),
            mechanism: mechanism.map(str::to_owned),
            password_file: username.map(|_| file.clone()),
            ca_file: ca_file.map(str::to_owned),
            from_start: true,
        }
    };
    // Whoever may add sources reads no file of the server's but those that are meant for it.
    let elsewhere = ["/etc/passwd", "../server.db", ""].map(|file| {
        let mut settings = settings(None, Some("reader"), None);
        if let AuditSourceSettings::Kafka { password_file, .. } = &mut settings {
            *password_file = Some(file.to_owned());
        }
        settings
    });
    let wrong = [
        settings(Some("digest-md5"), Some("reader"), None),
        settings(Some("plain"), None, None),
    ];
    for wrong in wrong.into_iter().chain(elsewhere) {
        assert_eq!(
            refusal(client.create_audit_source("prod", &wrong)),
            "bad_request"
        );
    }
    let given = settings(None, Some("reader"), ca_file.to_str());
    let made = client.create_audit_source("prod", &given).unwrap().source;
    let shown = until(|| source(&client), |source| source.problem.is_some());
    let problem = shown.problem.unwrap();
    assert!(
        problem.contains("the broker refuses the user reader") && problem.contains("PLAIN"),
        "{problem}"
    );
    assert!(!problem.contains("wrong"), "{problem}");
    let tried = broker.refused();
    assert!((1..=20).contains(&tried), "tried {tried} times");
    client.delete_audit_source("prod", made.id).unwrap();

    // An authority that nobody knows is another problem, and no crash either.
    client
        .create_audit_source("prod", &settings(None, Some("reader"), None))
        .unwrap();
    let shown = until(|| source(&client), |source| source.problem.is_some());
    let problem = shown.problem.unwrap();
    assert!(
        problem.contains("failed to connect to any broker"),
        "{problem}"
    );
    assert_eq!(
        broker.refused(),
        tried,
        "no password was shown to a stranger"
    );
}

//! Reviews of a Deployment with three containers under all recommendations, over TLS: one after the other, and by four
//! at a time. Limits of the issue: 10 ms for one, 1,000 in a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use seareeve_webhook::{Options, Source, Tls, Webhook};
use serde_json::{Value, json};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

const POLICY: &str = "schema: seareeve.admission/1\nmode: warn\nrecommendations:\n  \
    kubernetes-container-ports: {parameters: {allowed_ports: ['8080']}}\n  \
    kubernetes-trusted-images: {parameters: {allowed_images: '^registry[.]example[.]org/.+$'}}\n  \
    kubernetes-vulnerable-images: {mode: warn, unscanned: audit}\n";

fn body() -> Vec<u8> {
    let container = |name: &str| {
        json!({
            "name": name, "image": format!("registry.example.org/team/{name}:1.2.3"),
            "ports": [{"containerPort": 8080, "protocol": "TCP"}],
            "env": [{"name": "A", "value": "b"}],
            "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        })
    };
    let containers: Vec<Value> = ["web", "cache", "logs"].map(container).to_vec();
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "operation": "CREATE", "namespace": "shop", "name": "web",
            "kind": {"group": "apps", "version": "v1", "kind": "Deployment"}, "userInfo": {"username": "alice"},
            "object": {
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
                "spec": {"template": {"spec": {"containers": containers}}},
            },
        },
    })
    .to_string()
    .into_bytes()
}

fn agent(authority: &str) -> ureq::Agent {
    let certificates: Vec<_> = parse_pem(authority.as_bytes())
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates));
    ureq::Agent::config_builder()
        .tls_config(tls.build())
        .build()
        .new_agent()
}

fn send(agent: &ureq::Agent, url: &str, body: &[u8]) {
    let mut answer = agent.post(url).send(body).expect("it answers");
    let text = answer.body_mut().read_to_string().expect("it is text");
    assert!(text.contains("warnings"), "{text}");
}

/// By so many clients at a time, each with a connection that stays.
fn together(
    clients: u64,
    requests: u64,
    agents: &[ureq::Agent],
    url: &str,
    body: &[u8],
) -> Duration {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for (number, agent) in (0..clients).zip(agents) {
            let own = requests / clients + u64::from(number < requests % clients);
            scope.spawn(move || {
                for _ in 0..own {
                    send(agent, url, body);
                }
            });
        }
    });
    start.elapsed()
}

fn requests(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("there is room");
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("it is UTF-8");
    let file = path.join("policy.yaml");
    std::fs::write(&file, POLICY).expect("there is room");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads can be made");
    let options = Options {
        listen: ([127, 0, 0, 1], 0).into(),
        tls: Tls::Own(vec!["127.0.0.1".to_owned()]),
        policy: Source::File(file),
        server: None,
        cluster: "bench".to_owned(),
        name: "bench".to_owned(),
        folder: path,
        clock: Arc::new(Timestamp::now),
    };
    let webhook = runtime
        .block_on(Webhook::start(options))
        .expect("it starts");
    let (url, authority) = (
        format!("https://{}/validate", webhook.address()),
        webhook.authority(),
    );
    runtime.spawn(webhook.run_until(std::future::pending()));
    let body = body();
    let agents: Vec<ureq::Agent> = (0..4).map(|_| agent(&authority)).collect();
    let mut group = criterion.benchmark_group("reviews over TLS");
    group.throughput(Throughput::Elements(1));
    for clients in [1, 4] {
        group.bench_function(format!("{clients} at a time"), |bencher| {
            bencher.iter_custom(|requests| together(clients, requests, &agents, &url, &body));
        });
    }
    group.finish();
}

criterion_group!(benches, requests);
criterion_main!(benches);

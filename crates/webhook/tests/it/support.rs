//! A webhook of one's own, a client that trusts it, and a server that is made up.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use seareeve_api::Client;
use seareeve_webhook::{Clock, Options, Source, Tls, Webhook};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

pub(crate) struct Running {
    pub(crate) address: String,
    pub(crate) authority: String,
    agent: ureq::Agent,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

pub(crate) fn folder() -> (TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    (folder, path)
}

pub(crate) fn own_names() -> Tls {
    Tls::Own(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])
}

/// A webhook with the policy of a file.
pub(crate) fn with_file(folder: &Utf8Path, policy: &str) -> Running {
    let file = folder.join("policy.yaml");
    std::fs::write(&file, format!("schema: seareeve.admission/1\n{policy}")).unwrap();
    start(folder, own_names(), Source::File(file), None)
}

pub(crate) fn start(folder: &Utf8Path, tls: Tls, policy: Source, server: Option<&str>) -> Running {
    start_at(folder, tls, policy, server, Arc::new(Timestamp::now))
}

/// One that has the time from `clock`.
pub(crate) fn start_at(
    folder: &Utf8Path,
    tls: Tls,
    policy: Source,
    server: Option<&str>,
    clock: Clock,
) -> Running {
    let options = options(folder, tls, policy, server, clock);
    let (stop, stopped) = oneshot::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let webhook = Webhook::start(options).await.unwrap();
            tell.send((webhook.address().to_string(), webhook.authority()))
                .unwrap();
            let stopped = async {
                let _ = stopped.await;
            };
            webhook.run_until(stopped).await.unwrap();
        });
    });
    let (address, authority) = told.recv().unwrap();
    Running {
        agent: agent(&authority),
        address,
        authority,
        stop: Some(stop),
        thread: Some(thread),
    }
}

fn options(
    folder: &Utf8Path,
    tls: Tls,
    policy: Source,
    server: Option<&str>,
    clock: Clock,
) -> Options {
    Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls,
        policy,
        server: server.map(|address| Client::new(address, "token").unwrap()),
        cluster: "test".to_owned(),
        name: "gate-1".to_owned(),
        folder: folder.to_owned(),
        clock,
    }
}

/// Whether one would start.
pub(crate) fn started(
    folder: &Utf8Path,
    tls: Tls,
    policy: Source,
    clock: Clock,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let starting = Webhook::start(options(folder, tls, policy, None, clock));
    runtime.block_on(starting).map(|_webhook| ())
}

/// A client that trusts these authorities alone.
pub(crate) fn agent(authority: &str) -> ureq::Agent {
    let certificates: Vec<_> = parse_pem(authority.as_bytes())
        .filter_map(|item| match item.unwrap() {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates));
    ureq::Agent::config_builder()
        .tls_config(tls.build())
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .new_agent()
}

impl Running {
    /// Sends a body; the status, and the answer as JSON or text.
    pub(crate) fn send(&self, body: &[u8]) -> (u16, Value) {
        let url = format!("https://{}/validate", self.address);
        let mut answer = self.agent.post(&url).send(body).unwrap();
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().unwrap();
        (status, serde_json::from_str(&text).unwrap_or(json!(text)))
    }

    /// The answer to a review of a pod that is about to be made.
    pub(crate) fn review(&self, pod: &Value) -> Value {
        let (status, answer) = self.send(review(pod).to_string().as_bytes());
        assert_eq!(status, 200, "{answer}");
        answer["response"].clone()
    }

    /// Asks until the answer is as wanted.
    pub(crate) fn until(&self, pod: &Value, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.review(pod);
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{answer}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the webhook panicked"
            );
        }
    }
}

pub(crate) fn review(pod: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u-1", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "namespace": "shop", "name": "web",
            "operation": "CREATE", "userInfo": {"username": "alice"}, "object": pod,
        },
    })
}

pub(crate) fn pod(image: &str, privileged: bool) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"containers": [{"name": "web", "image": image, "securityContext": {"privileged": privileged}}]},
    })
}

/// Chooses an answer by the request line (`GET /api/…`) and the body: status and body.
pub(crate) type Answers = dyn Fn(&str, &str) -> (&'static str, String) + Send + Sync;

/// Serves `answers` on a loopback port; its address.
pub(crate) fn serve(
    answers: impl Fn(&str, &str) -> (&'static str, String) + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answers: Arc<Answers> = Arc::new(answers);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = Arc::clone(&answers);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut first, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                        break;
                    }
                    if first.is_empty() {
                        first.clone_from(&line);
                    }
                    if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
                        length = number.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                if reader.read_exact(&mut body).is_err() {
                    return;
                }
                let request = first.rsplit_once(' ').map_or("", |(request, _)| request);
                let (status, answer) = answers(request, &String::from_utf8_lossy(&body));
                let mut stream = stream;
                // A client that hung up does not want it.
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                    answer.len()
                );
            });
        }
    });
    address
}

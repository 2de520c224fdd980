//! The gate on vulnerable images, by the real programs: a server that scanned an image, and the webhook that asks it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use seareeve_api::NewAdmissionPolicy;
use serde_json::{Value, json};
use ureq::tls::TlsConfig;

use crate::audit::Server;
use crate::support::Home;

/// A webhook of its own process. Dropping it ends it.
struct Webhook {
    process: Child,
    address: String,
    agent: ureq::Agent,
}

impl Drop for Webhook {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Webhook {
    fn start(home: &Home, server: &str, token: &str) -> Self {
        let mut process = home
            .command(&[
                "--data-dir",
                "webhook",
                "admission",
                "--server",
                server,
                "--cluster",
                "prod",
                "--listen",
                "127.0.0.1:0",
            ])
            .env("SEAREEVE_TOKEN", token)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let address = line
            .split_whitespace()
            .find(|word| word.starts_with("https://"))
            .unwrap();
        // Its authority was made just now; who it is does not matter here.
        let tls = TlsConfig::builder().disable_verification(true).build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .new_agent();
        Self {
            address: address.trim_end_matches(['.', ',']).to_owned(),
            process,
            agent,
        }
    }

    /// The answer to a pod with this image.
    fn review(&self, image: &str) -> Value {
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "u", "kind": {"kind": "Pod"}, "operation": "CREATE", "namespace": "shop",
            "userInfo": {"username": "alice"},
            "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
                "spec": {"containers": [{"name": "app", "image": image}]}}}});
        let address = match self.address.ends_with("/validate") {
            true => self.address.clone(),
            false => format!("{}/validate", self.address),
        };
        let mut answer = self
            .agent
            .post(&address)
            .header("content-type", "application/json")
            .send(review.to_string())
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["response"].clone()
    }

    fn until(&self, image: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.review(image);
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "it stayed {answer}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn what_the_server_scanned_is_what_the_webhook_refuses() {
    let home = Home::new();
    home.image(&[
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
        (
            "opt/PyYAML-5.3.dist-info/METADATA",
            "Name: PyYAML\nVersion: 5.3\n",
        ),
    ]);
    let server = Server::start(&home, Vec::new());
    let (token, address) = (server.token(), server.address());
    let client = seareeve_api::Client::new(&address, &token).unwrap();
    let policy = json!({"schema": "seareeve.admission/1", "mode": "off", "recommendations": {
        "kubernetes-vulnerable-images": {"mode": "deny", "unscanned": "warn"}}});
    client
        .put_admission_policy(&NewAdmissionPolicy {
            cluster: Some("prod".to_owned()),
            policy: policy.as_object().unwrap().clone(),
            replaces: None,
        })
        .unwrap();
    let webhook = Webhook::start(&home, &address, &token);
    // Nobody scanned it: that is said, and nobody is held up.
    let warned = webhook.until("test/app:1", |answer| !answer["warnings"].is_null());
    assert_eq!(warned["allowed"], json!(true));
    assert!(
        warned["warnings"][0]
            .as_str()
            .unwrap()
            .contains("has not been scanned"),
        "{warned}"
    );

    let scanned = home
        .command(&["image", "--input", "app.tar", "--server", &address])
        .env("SEAREEVE_TOKEN", &token)
        .output()
        .unwrap();
    let digest = client.images(None).unwrap().images;
    assert_eq!(
        digest.len(),
        1,
        "{}",
        String::from_utf8_lossy(&scanned.stderr)
    );
    // What the webhook knows of an image it looks up again after a minute; a new one knows at once.
    drop(webhook);
    let webhook = Webhook::start(&home, &address, &token);
    let refused = webhook.until("test/app:1", |answer| answer["allowed"] == json!(false));
    let message = refused["status"]["message"].as_str().unwrap();
    assert!(
        message.contains("container app runs test/app:1 with findings"),
        "{message}"
    );
    // The same by its digest, whatever it is called.
    let pinned = format!("elsewhere.example/app@{}", digest[0].digest);
    webhook.until(&pinned, |answer| answer["allowed"] == json!(false));
}

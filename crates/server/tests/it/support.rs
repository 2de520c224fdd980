//! A server of one's own, a client that keeps its session, and images to send.

use std::io::Write as _;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_server::Server;
use seareeve_server::config::Config;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A running server on a free port. Dropping it stops it.
pub(crate) struct Running {
    pub(crate) address: String,
    pub(crate) link: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// A data folder that outlives servers.
pub(crate) fn folder() -> (TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().join("data")).unwrap();
    (folder, path)
}

/// Starts a server on `data`, with settings changed by `change`.
pub(crate) fn start(data: &Utf8Path, change: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config::default();
    config.server.listen.set_port(0);
    config.server.data_dir = data.to_owned();
    change(&mut config);
    let (stop, stopped) = oneshot::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let server = Server::start(config).await.unwrap();
            tell.send((
                server.address().to_owned(),
                server.sign_in_link().unwrap_or_default().to_owned(),
            ))
            .unwrap();
            let mut stopped = Some(stopped);
            let stop = async || match stopped.take() {
                Some(stopped) => {
                    let _ = stopped.await;
                }
                None => std::future::pending().await,
            };
            server.run_until(stop).await.unwrap();
        });
        // As the program does: a read that hangs in the network ends with the process.
        runtime.shutdown_background();
    });
    let (address, link) = told.recv().unwrap();
    Running {
        address,
        link,
        stop: Some(stop),
        thread: Some(thread),
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the server panicked"
            );
        }
    }
}

/// What a request got.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) headers: ureq::http::HeaderMap,
}

/// A browser: it keeps the cookie and sends the CSRF token.
pub(crate) struct Browser {
    agent: ureq::Agent,
    address: String,
    pub(crate) cookie: Option<String>,
    pub(crate) csrf: Option<String>,
}

impl Browser {
    pub(crate) fn new(server: &Running) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .new_agent();
        Self {
            agent,
            address: server.address.clone(),
            cookie: None,
            csrf: None,
        }
    }

    /// Signed in by the server's own link.
    pub(crate) fn signed_in(server: &Running) -> Self {
        let mut browser = Self::new(server);
        let token = server.link.split_once("#token=").unwrap().1;
        let answer = browser.send(
            "POST",
            "/api/v1/session/link",
            Some(json!({ "token": token })),
        );
        assert_eq!(answer.status, 200, "{}", answer.body);
        browser
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub(crate) fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body))
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string().into_bytes());
        self.send_bytes(method, path, "application/json", body.unwrap_or_default())
    }

    pub(crate) fn send_bytes(
        &mut self,
        method: &str,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address));
        request = request.header("content-type", kind);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(csrf) = &self.csrf {
            request = request.header("x-csrf-token", csrf);
        }
        let mut response = self.agent.run(request.body(body).unwrap()).unwrap();
        if let Some(cookie) = response.headers().get("set-cookie") {
            self.cookie = Some(
                cookie
                    .to_str()
                    .unwrap()
                    .split(';')
                    .next()
                    .unwrap()
                    .to_owned(),
            );
        }
        let headers = response.headers().clone();
        let text = response.body_mut().read_to_string().unwrap();
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if let Some(csrf) = body.get("csrf_token").and_then(Value::as_str) {
            self.csrf = Some(csrf.to_owned());
        }
        Answer {
            status: response.status().as_u16(),
            body,
            headers,
        }
    }

    /// Sends an archive and waits for its scan.
    pub(crate) fn scan(&mut self, archive: Vec<u8>) -> Value {
        let asked = self.send_bytes(
            "POST",
            "/api/v1/scans/upload?name=test.tar",
            "application/x-tar",
            archive,
        );
        assert_eq!(asked.status, 202, "{}", asked.body);
        let id = asked.body["id"].as_i64().unwrap();
        self.until(&format!("/api/v1/scans/{id}"), |scan| {
            !["queued", "running"].contains(&scan["state"].as_str().unwrap())
        })
    }

    /// Asks until the answer is as wanted.
    pub(crate) fn until(&mut self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.get(path).body;
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path} stayed {answer}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A `docker save` archive with one layer of these files.
pub(crate) fn archive(name: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let layer = tar(files.iter().map(|(path, text)| (*path, text.as_bytes())));
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [sha256(&layer)] },
        "history": [{ "created_by": "COPY . /" }],
    })
    .to_string();
    let manifest =
        json!([{ "Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"] }])
            .to_string();
    tar([
        ("layer.tar", layer.as_slice()),
        ("config.json", config.as_bytes()),
        ("manifest.json", manifest.as_bytes()),
    ])
}

/// The files of a Debian 12 with these packages.
pub(crate) fn debian(packages: &[(&str, &str)]) -> String {
    packages
        .iter()
        .map(|(name, version)| {
            format!("Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n")
        })
        .collect()
}

/// `os-release` of a Debian 12.
pub(crate) const BOOKWORM: &str =
    "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";

pub(crate) fn tar<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut tar = Vec::new();
    for (path, content) in files {
        let mut header = [0_u8; 512];
        header[..path.len()].copy_from_slice(path.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[108..116].copy_from_slice(b"0000000\0");
        header[116..124].copy_from_slice(b"0000000\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[136..148].copy_from_slice(b"00000000000\0");
        header[148..156].copy_from_slice(b"        ");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.write_all(&header).unwrap();
        tar.write_all(content).unwrap();
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let value: [u8; 32] = sha2::Sha256::digest(bytes).into();
    seareeve_model::Digest::sha256(&value).to_string()
}

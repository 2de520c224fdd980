//! Engines that say what they are told to say.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// What an engine does with a request for a path.
pub(crate) enum Reply {
    Json(Value),
    Text(&'static str),
    Status(u16, &'static str),
    /// As many bytes as anybody wants.
    Endless,
    /// One byte, then nothing for ever.
    Slow,
    /// One byte after the other, for ever, and never a long silence.
    Drip,
    /// Nothing for ever.
    Silent,
    Hangup,
}

/// A socket in a folder of its own.
pub(crate) struct Engine {
    folder: tempfile::TempDir,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Engine {
    pub(crate) fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("engine.sock")).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, reply) = (Arc::clone(&asked), Arc::new(reply));
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (log, reply) = (Arc::clone(&log), Arc::clone(&reply));
                std::thread::spawn(move || serve(stream, &*reply, &log));
            }
        });
        Self { folder, asked }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers requests of one connection until it ends.
fn serve(stream: UnixStream, reply: &dyn Fn(&str) -> Reply, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut lines = reader.by_ref().lines().map_while(Result::ok);
        let Some(first) = lines.next() else { return };
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        lines.take_while(|line| !line.is_empty()).for_each(drop);
        log.lock().unwrap().push(path.clone());
        // The client may be gone; that is for the test to judge.
        let is_over = match reply(&path) {
            Reply::Json(value) => whole(&mut stream, 200, &value.to_string()),
            Reply::Text(text) => whole(&mut stream, 200, text),
            Reply::Status(status, text) => whole(&mut stream, status, text),
            Reply::Endless => endless(&mut stream),
            Reply::Slow => stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[")
                .and_then(|()| wait()),
            Reply::Drip => drip(&mut stream),
            Reply::Silent => wait(),
            Reply::Hangup => return,
        };
        if is_over.is_err() {
            return;
        }
    }
}

fn whole(stream: &mut UnixStream, status: u16, text: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(text.as_bytes())
}

fn endless(stream: &mut UnixStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    stream.write_all(b"1\r\n[\r\n")?;
    loop {
        stream.write_all(b"8\r\n{\"a\":1},\r\n")?;
    }
}

fn drip(stream: &mut UnixStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n[")?;
    loop {
        stream.write_all(b" ")?;
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn wait() -> std::io::Result<()> {
    loop {
        std::thread::park();
    }
}

/// What a plain engine with one container and one image says.
pub(crate) fn plain(path: &str) -> Reply {
    let id = "c".repeat(64);
    let image = format!("sha256:{}", "1".repeat(64));
    let path = path.replace(&id, "ID").replace(&image, "IMAGE");
    match path.as_str() {
        "/version" => Reply::Json(json!({"Version": "28.5.2", "ApiVersion": "1.51"})),
        "/info" => Reply::Json(json!({
            "ID": "x", "ServerVersion": "28.5.2", "Driver": "overlay2", "DockerRootDir": "/data", "Debug": true,
            "LiveRestoreEnabled": true, "LoggingDriver": "local", "CgroupVersion": "2",
            "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=no-new-privileges"],
            "Plugins": {"Authorization": null}, "Swarm": {"LocalNodeState": "inactive"},
            "RegistryConfig": {"InsecureRegistryCIDRs": ["127.0.0.0/8"], "IndexConfigs": {}, "Mirrors": null},
        })),
        "/networks" => Reply::Json(json!([{
            "Id": "n1", "Name": "bridge", "Driver": "bridge",
            "Options": {"com.docker.network.bridge.default_bridge": "true", "com.docker.network.bridge.enable_icc": "false"},
        }])),
        "/volumes" => Reply::Json(json!({"Volumes": null})),
        "/containers/json?all=1" => Reply::Json(json!([{"Id": id}])),
        "/containers/ID/json" => Reply::Json(json!({
            "Id": id, "Name": "/web", "Image": image, "Created": "2026-12-01T00:00:00Z",
            "State": {"Status": "running", "Running": true, "Pid": 1, "Health": null},
            "Config": {"User": "app", "Image": "web", "Env": null},
            "HostConfig": {"CapAdd": null, "CapDrop": null, "Privileged": false, "SecurityOpt": null, "PortBindings": {}},
            "Mounts": [],
            "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "::", "HostPort": "80"}]}, "Networks": {"bridge": {"NetworkID": "n1"}}},
        })),
        "/containers/ID/top" => Reply::Json(json!({
            "Titles": ["UID", "PID", "CMD"], "Processes": [["0", "7", "nginx: master"]],
        })),
        "/images/json" => Reply::Json(json!([{"Id": image}])),
        "/images/IMAGE/json" => Reply::Json(json!({
            "Id": image, "RepoTags": [], "Config": {}, "Size": 7, "Created": "2026-12-31T00:00:00Z",
        })),
        "/images/IMAGE/history" => {
            Reply::Json(json!([{"CreatedBy": "ADD x / # buildkit", "Size": 7}]))
        }
        _ => Reply::Status(404, r#"{"message": "page not found"}"#),
    }
}

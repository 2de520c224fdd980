//! An engine that only says that it has so many containers, faster than any engine could: `many 500`. Says where it
//! listens, and ends when its standard input ends.
#![expect(clippy::print_stdout, reason = "it tells whoever started it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

fn main() -> Result<()> {
    let count = std::env::args().nth(1).context("how many containers?")?;
    let engine = Arc::new(Engine {
        containers: count.parse().context("the count is none")?,
    });
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("docker.sock");
    let listener = UnixListener::bind(&socket)?;
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let engine = Arc::clone(&engine);
            // A client that leaves is no failure.
            std::thread::spawn(move || engine.converse(stream));
        }
    });
    println!("{}", socket.display());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

struct Engine {
    containers: usize,
}

impl Engine {
    fn converse(&self, mut stream: UnixStream) -> Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let mut request = String::new();
            if reader.read_line(&mut request)? == 0 {
                return Ok(());
            }
            let mut header = String::new();
            while reader.read_line(&mut header)? > 2 {
                header.clear();
            }
            let path = request.split(' ').nth(1).unwrap_or_default();
            let body = self.answer(path).to_string();
            let length = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes())?;
        }
    }

    fn answer(&self, path: &str) -> Value {
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["", "version"] => json!({"Version": "28.5.2", "ApiVersion": "1.51"}),
            ["", "info"] => json!({
                "Driver": "overlay2", "DockerRootDir": "/var/lib/docker", "CgroupVersion": "2",
                "SecurityOptions": ["name=seccomp,profile=builtin"], "Swarm": {"LocalNodeState": "inactive"},
            }),
            ["", "networks"] => json!([{
                "Id": "n1", "Name": "bridge", "Driver": "bridge",
                "Options": {"com.docker.network.bridge.default_bridge": "true"},
            }]),
            ["", "volumes"] => json!({"Volumes": []}),
            ["", "containers", "json?all=1"] => (0..self.containers)
                .map(|number| json!({"Id": format!("c{number}")}))
                .collect(),
            ["", "containers", id, "json"] => container(id),
            ["", "images", "json"] => json!([{"Id": "sha256:1"}]),
            ["", "images", _, "json"] => json!({
                "Id": "sha256:1", "RepoTags": ["app:1"], "Config": {"User": "app"}, "Size": 7,
                "Created": "2026-01-01T00:00:00Z",
            }),
            _ => json!([]),
        }
    }
}

/// With some 4 KB, as engines give them.
fn container(id: &str) -> Value {
    let variables: Vec<String> = (0..20)
        .map(|number| format!("VARIABLE_{number}=value {number}"))
        .collect();
    let labels: serde_json::Map<String, Value> = (0..20)
        .map(|number| {
            (
                format!("com.example.label.{number}"),
                json!("a value of some length"),
            )
        })
        .collect();
    json!({
        "Id": id, "Name": format!("/{id}"), "Image": "sha256:1", "Created": "2026-01-01T00:00:00Z",
        "State": {"Status": "exited", "Running": false, "Pid": 0, "FinishedAt": "2026-01-02T00:00:00Z"},
        "Config": {"User": "app", "Image": "app:1", "Env": variables, "Labels": labels, "Cmd": ["/app", "--port", "80"]},
        "HostConfig": {
            "NetworkMode": "bridge", "CapAdd": ["SYS_TIME"], "CapDrop": ["MKNOD"], "Privileged": false, "Memory": 0,
            "SecurityOpt": ["no-new-privileges"], "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0},
            "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}, "ReadonlyRootfs": true,
        },
        "Mounts": [{"Type": "bind", "Source": "/srv/data", "Destination": "/data", "RW": true, "Propagation": "rprivate"}],
        "NetworkSettings": {"Ports": {}, "Networks": {"bridge": {"NetworkID": "n1"}}},
    })
}

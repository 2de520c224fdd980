//! Those who live in the lab. Each does one thing that it should not, and is otherwise as plain as an engine makes
//! them; `tidy` does nothing wrong.

use std::path::Path;

use serde_json::{Value, json};

use crate::rootfs::{APP, BASE};

/// The images of a furnished lab.
pub const IMAGES: &[&str] = &[APP, BASE];

/// A volume that is a folder of the host in disguise.
const DISGUISED: &str = "disguised";

/// A container.
#[derive(Clone, Debug)]
pub struct Lodger {
    /// Its name, which is also what is wrong with it.
    pub name: String,
    /// What "Create a container" is given.
    pub config: Value,
    /// Whether it is started. One that is privileged cannot be on every machine.
    pub runs: bool,
}

pub(crate) fn disguised() -> Value {
    json!({"Name": DISGUISED, "DriverOpts": {"type": "none", "o": "bind", "device": "/etc"}})
}

/// So many that are alike, as the engine makes them: for measuring.
#[must_use]
pub fn crowd(count: usize) -> Vec<Lodger> {
    (0..count)
        .map(|number| lodger(&format!("plain-{number}"), json!({}), json!({})))
        .collect()
}

/// All of them, in a lab that keeps its files in `folder`.
#[must_use]
pub fn lodgers(folder: &Path) -> Vec<Lodger> {
    let plain = |name, host: Value| lodger(name, json!({}), host);
    let bind = |from: &str, to: &str, read_only: bool| json!({"Mounts": [{"Type": "bind", "Source": from, "Target": to, "ReadOnly": read_only}]});
    let socket = folder.join("docker.sock").display().to_string();
    let mut all = vec![
        tidy(),
        // Root, without any limit: what `docker run` makes of an image that says nothing.
        plain("root", json!({})),
        lodger("root-by-number", json!({"User": "0:0"}), json!({})),
        lodger("root-by-name", json!({"User": "root:root"}), json!({})),
        lodger("user-by-name", json!({"User": "app"}), json!({})),
        plain("host-network", json!({"NetworkMode": "host"})),
        plain("host-pid", json!({"PidMode": "host"})),
        plain("host-ipc", json!({"IpcMode": "host"})),
        plain("host-uts", json!({"UTSMode": "host"})),
        plain("engine-socket", bind(&socket, "/run/docker.sock", false)),
        // The socket lies in the folder.
        plain(
            "engine-folder",
            bind(&folder.display().to_string(), "/lab", true),
        ),
        plain("sensitive-mount", bind("/etc", "/host/etc", true)),
        plain("sensitive-below", bind("/usr/share", "/host/share", false)),
        plain(
            "sensitive-volume",
            json!({"Mounts": [{"Type": "volume", "Source": DISGUISED, "Target": "/data"}]}),
        ),
        plain("added-capability", json!({"CapAdd": ["SYS_TIME"]})),
        plain(
            "dropped-capabilities",
            json!({"CapDrop": ["ALL"], "CapAdd": ["CAP_CHOWN"]}),
        ),
        plain(
            "seccomp-off",
            json!({"SecurityOpt": ["seccomp=unconfined"]}),
        ),
        plain(
            "new-privileges-denied",
            json!({"SecurityOpt": ["no-new-privileges"]}),
        ),
        plain(
            "restart-always",
            json!({"RestartPolicy": {"Name": "always"}}),
        ),
        plain(
            "restart-unless-stopped",
            json!({"RestartPolicy": {"Name": "unless-stopped"}}),
        ),
        plain("processor-quota", json!({"CpuQuota": 50_000})),
        plain(
            "own-limits",
            json!({"Ulimits": [{"Name": "nofile", "Soft": 4096, "Hard": 8192}]}),
        ),
        plain(
            "restart-some",
            json!({"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5}}),
        ),
        lodger(
            "health-check",
            json!({"Healthcheck": {"Test": ["CMD", "/bin/busybox", "true"], "Interval": 3_600_000_000_000_i64}}),
            json!({}),
        ),
        lodger("sshd-inside", json!({"Cmd": ["/usr/sbin/sshd"]}), json!({})),
        lodger(
            "credentials",
            json!({
                "Env": ["DB_PASSWORD=hunter2", "PORT=80"], "Cmd": ["/wait", "--api-key", "hunter2"],
                "Labels": {"traefik.basicauth.users": "a:hunter2"},
            }),
            json!({}),
        ),
        // Other tools leave out whatever has "nil" in its name.
        plain("vanilla", json!({"PidMode": "host"})),
        lodger(
            "listener",
            json!({"Cmd": ["/bin/busybox", "httpd", "-f", "-p", "8080"]}),
            json!({}),
        ),
        lodger("from-app", json!({"Image": APP}), json!({})),
    ];
    let mut shared = bind("/srv", "/shared", true);
    merge(
        &mut shared,
        json!({"Mounts": [{"Type": "bind", "Source": "/srv", "Target": "/shared",
        "BindOptions": {"Propagation": "rshared"}}]}),
    );
    let mut stopped = vec![
        plain("shared-propagation", shared),
        plain("privileged", json!({"Privileged": true})),
        plain("all-capabilities", json!({"CapAdd": ["ALL"]})),
        plain(
            "published",
            json!({"NetworkMode": "bridge", "PortBindings": {"80/tcp": [{"HostPort": "80"}], "8443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8443"}]}}),
        ),
        plain(
            "device",
            json!({"Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/x", "CgroupPermissions": "rwm"}]}),
        ),
    ];
    for lodger in &mut stopped {
        lodger.runs = false;
    }
    all.append(&mut stopped);
    all
}

fn tidy() -> Lodger {
    lodger(
        "tidy",
        json!({
            "User": "1000:1000",
            "Healthcheck": {"Test": ["CMD", "/bin/busybox", "true"], "Interval": 3_600_000_000_000_i64},
        }),
        json!({
            "ReadonlyRootfs": true, "Memory": 64 << 20, "NanoCpus": 500_000_000, "PidsLimit": 50,
            "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"],
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
        }),
    )
}

fn lodger(name: &str, config: Value, host: Value) -> Lodger {
    let mut whole = json!({"Image": BASE, "HostConfig": {"NetworkMode": "none"}});
    merge(&mut whole, config);
    merge(&mut whole, json!({"HostConfig": host}));
    Lodger {
        name: name.to_owned(),
        config: whole,
        runs: true,
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

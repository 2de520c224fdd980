//! What a machine is: its name, its system, what its kernel can.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::host::audit::Kernel;
use crate::host::managed;
use crate::host::root::Root;

/// Bytes of a shell's start file.
const FILE: u64 = 1 << 20;
/// What Docker's client asks for signatures by.
const CONTENT_TRUST: &str = "DOCKER_CONTENT_TRUST";

/// A machine.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) hostname: String,
    pub(crate) machine_id: Option<String>,
    pub(crate) data: Value,
}

/// What the machine is called. The kernel tells each reader the name of the reader's own namespace, also through the
/// machine's `/proc`: to a container that has the machine mounted somewhere, its own. The machine's file is right there.
fn hostname(root: &Root) -> String {
    let (kernel, file) = ("/proc/sys/kernel/hostname", "/etc/hostname");
    let order = match root.is_here() {
        true => [kernel, file],
        false => [file, kernel],
    };
    order
        .into_iter()
        .find_map(|path| root.line(path))
        .unwrap_or_default()
}

/// Reads all of it. What cannot be read is left out.
pub(crate) fn collect(root: &Root, kernel: Option<&Kernel>) -> Identity {
    let hostname = hostname(root);
    let machine_id = root.line("/etc/machine-id");
    let managed = managed::find(root, &hostname);
    let mut data = BTreeMap::from([
        ("hostname", json!(hostname)),
        ("architecture", json!(std::env::consts::ARCH)),
        (
            "kernel",
            json!(root.line("/proc/sys/kernel/osrelease").unwrap_or_default()),
        ),
        ("systemd", json!(root.exists("/run/systemd/system"))),
        (
            "apparmor",
            json!(
                root.line("/sys/module/apparmor/parameters/enabled")
                    .as_deref()
                    == Some("Y")
            ),
        ),
        ("selinux", selinux(root)),
        ("content_trust", json!(content_trust(root))),
        (
            "managed",
            json!({
                "is": managed.is_some(),
                "by": managed.as_ref().map(|managed| managed.by).unwrap_or_default(),
                "reason": managed.as_ref().map(|managed| managed.reason.clone()).unwrap_or_default(),
            }),
        ),
    ]);
    if let Some(id) = &machine_id {
        data.insert("machine_id", json!(id));
    }
    let release = ["/etc/os-release", "/usr/lib/os-release"]
        .into_iter()
        .find_map(|path| root.text(path, FILE).ok());
    if let Some(release) = release {
        data.insert("os", json!(os(&release)));
    }
    if root.exists("/sys/fs/cgroup") {
        let is_second = root.exists("/sys/fs/cgroup/cgroup.controllers");
        data.insert("cgroup_version", json!(if is_second { 2 } else { 1 }));
    }
    if let Some(kernel) = kernel {
        let audit = json!({"enabled": kernel.enabled, "locked": kernel.locked});
        data.insert("audit", audit);
    }
    Identity {
        hostname,
        machine_id,
        data: json!(data),
    }
}

fn selinux(root: &Root) -> Value {
    let enforce = root.line("/sys/fs/selinux/enforce");
    json!({"enabled": enforce.is_some(), "enforcing": enforce.as_deref() == Some("1")})
}

/// os-release(5).
fn os(text: &str) -> BTreeMap<&'static str, String> {
    let mut os = BTreeMap::new();
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let key = match key.trim() {
            "ID" => "id",
            "VERSION_ID" => "version_id",
            "NAME" => "name",
            "PRETTY_NAME" => "pretty_name",
            _ => continue,
        };
        let value = value.trim().trim_matches(['"', '\'']);
        os.insert(key, value.chars().take(200).collect());
    }
    os
}

/// Where everybody's environment is set.
fn content_trust(root: &Root) -> Vec<Value> {
    let mut files: Vec<String> = ["/etc/environment", "/etc/profile", "/etc/bash.bashrc"]
        .map(str::to_owned)
        .into();
    let names = root.names("/etc/profile.d").unwrap_or_default();
    let scripts = names.iter().filter(|name| name.ends_with(".sh"));
    files.extend(scripts.map(|name| format!("/etc/profile.d/{name}")));
    let mut found = Vec::new();
    for file in files {
        let text = root.text(&file, FILE).unwrap_or_default();
        for line in text.lines() {
            let line = line.trim();
            let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
            if let Some(value) = line
                .strip_prefix(CONTENT_TRUST)
                .and_then(|rest| rest.strip_prefix('='))
            {
                let value = value.split(['#', ';', ' ']).next().unwrap_or_default();
                found.push(json!({"file": file, "value": value.trim_matches(['"', '\''])}));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use camino::Utf8Path;

    use super::*;

    #[test]
    fn a_machine_is_read_from_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("etc/machine-id", "4f2a\n");
        write(
            "etc/os-release",
            "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian 12'\nX=y\nbad\n",
        );
        // A container's own name, and the machine's.
        write("proc/sys/kernel/hostname", "seareeve-sensor-x7k2p\n");
        write("etc/hostname", "build-1\n");
        write("proc/sys/kernel/osrelease", "6.1.0\n");
        write("sys/fs/cgroup/cgroup.controllers", "cpu\n");
        write("sys/fs/selinux/enforce", "1");
        write("sys/module/apparmor/parameters/enabled", "Y\n");
        write(
            "etc/profile.d/docker.sh",
            "#!/bin/sh\nexport DOCKER_CONTENT_TRUST=\"1\" # on\n",
        );
        write(
            "etc/environment",
            "DOCKER_CONTENT_TRUST_SERVER=x\nDOCKER_CONTENT_TRUST=0\n",
        );
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let kernel = Kernel {
            enabled: true,
            locked: false,
            rules: Vec::new(),
        };
        let found = collect(&root, Some(&kernel));
        assert_eq!(found.machine_id.as_deref(), Some("4f2a"));
        assert_eq!(
            found.data,
            json!({
                "hostname": "build-1", "machine_id": "4f2a", "kernel": "6.1.0",
                "architecture": std::env::consts::ARCH,
                "os": {"id": "debian", "version_id": "12", "pretty_name": "Debian 12"},
                "cgroup_version": 2, "systemd": false, "apparmor": true,
                "selinux": {"enabled": true, "enforcing": true},
                "audit": {"enabled": true, "locked": false},
                "managed": {"is": false, "by": "", "reason": ""},
                "content_trust": [
                    {"file": "/etc/environment", "value": "0"},
                    {"file": "/etc/profile.d/docker.sh", "value": "1"},
                ],
            })
        );
    }
}

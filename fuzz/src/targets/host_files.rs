//! The files of a machine with an engine: mounts, users, sudo's rules, audit rules, the engine's command line and
//! `daemon.json`, units, and what is set for everybody.

use std::fs;
use std::sync::LazyLock;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use seareeve_collect::docker_host::{Options, collect};
use tempfile::TempDir;

use super::docker_engine::sound;
use crate::made::parts;
use crate::server::{MARK, Server};
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "host_files",
    run,
    longest: 8 << 10,
    seeds: || made::seeds("host_files"),
    words: &[
        "\n====\n",
        "1 0 8:1 / / rw shared:1 - ext4 /dev/a rw\n",
        "\\040",
        "root:x:0:0:root:/root:/bin/sh\n",
        "docker:x:101:a,b\n",
        "%docker ALL=(ALL:ALL) NOPASSWD: ALL\n",
        "a ALL=(root) /usr/bin/docker\n",
        "User_Alias A = b, !c\n",
        "Cmnd_Alias",
        "#include /etc/sudoers\n",
        "@includedir /etc/sudoers.d\n",
        "-w /usr/bin/dockerd -p wa -k docker\n",
        "-a always,exit -F path=/usr/bin/runc -F perm=x\n",
        "-F dir=",
        "-D\n",
        "--config-file",
        "--host=fd://",
        "-H",
        "--log-level=debug",
        "--no-new-privileges=false",
        "--default-ulimit=nofile=1:2",
        "--log-opt",
        "splunk-token=",
        "\"hosts\":[\"tcp://0.0.0.0:2375\"]",
        "\"default-ulimits\":{\"a\":{\"Soft\":1,\"Hard\":2}}",
        "\"tlsverify\":true",
        "[Socket]\nListenStream=/run/docker.sock\n",
        "ExecStart=",
        "export DOCKER_CONTENT_TRUST=1\n",
    ],
};

/// Where the parts of an input are put. The command line has its words on lines.
const FILES: &[&str] = &[
    "proc/1/mountinfo",
    "etc/passwd",
    "etc/group",
    "etc/sudoers",
    "etc/audit/rules.d/a.rules",
    "proc/77/cmdline",
    "etc/docker/daemon.json",
    "etc/systemd/system/docker.socket",
    "etc/environment",
    "etc/os-release",
    "proc/77/status",
    "proc/77/stat",
];
const COMMAND_LINE: &str = "proc/77/cmdline";

/// What the engine says: little, and always the same.
const ENGINE: &[u8] = b"200\n\n{\"Version\":\"20.10.24\"}\n====\n200\n\n{\"Driver\":\"overlay2\",\"SecurityOptions\":[]}\n====\n200\n\n[]\n====\n200\n\n{}\n====\n200\n\n[]\n====\n200\n\n[]";

static MACHINE: LazyLock<(Server, TempDir)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    for file in FILES.iter().chain(&["run/docker.sock", "proc/77/comm"]) {
        let path = folder.path().join(file);
        let parent = path.parent().expect("a file has a folder");
        fs::create_dir_all(parent).expect("a folder below ours");
    }
    fs::write(folder.path().join("proc/77/comm"), "dockerd\n").expect("a file of ours");
    let server = Server::on_socket(&folder.path().join("run/docker.sock"));
    (server, folder)
});

fn run(input: &[u8]) {
    let (server, folder) = &*MACHINE;
    let root = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
    let parts = parts(input, MARK, FILES.len());
    for (number, file) in FILES.iter().enumerate() {
        let path = root.join(file);
        let Some(part) = parts.get(number) else {
            let _ = fs::remove_file(path);
            continue;
        };
        let mut content = part.to_vec();
        if *file == COMMAND_LINE {
            content
                .iter_mut()
                .filter(|byte| **byte == b'\n')
                .for_each(|byte| *byte = 0);
        }
        fs::write(path, content).expect("a file of ours");
    }
    server.set(ENGINE);
    let root: Utf8PathBuf = root.to_owned();
    let snapshot = collect(&Options {
        root: Some(root),
        parallel: 1,
        ..Options::here(Timestamp::UNIX_EPOCH)
    });
    sound(&snapshot);
}

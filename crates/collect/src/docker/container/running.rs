//! What the host's `/proc` tells of a running container, else what the engine does. Nothing is run inside.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use camino::Utf8Path;
use rustix::io::Errno;
use serde_json::{Map, Value, json};

use super::{Surroundings, capabilities, value};
use crate::host::processes::{Processes, Status, command_line};
use crate::host::root::Root;
use crate::host::{inside, sockets};
use seareeve_redact as redact;

/// Processes of one container that are told.
const PROCESSES: usize = 1_000;
/// Layers that are looked into.
const LAYERS: usize = 200;
/// Bytes of a container's `/etc/passwd`.
const PASSWD: u64 = 1 << 20;

/// Which processes belong to which of these containers. A process in a container of a container is the outer one's,
/// which is what this engine knows.
pub(crate) fn attribute(
    processes: &Processes,
    containers: &BTreeSet<&str>,
) -> BTreeMap<String, Vec<u32>> {
    let mut of: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (pid, ids) in &processes.of_containers {
        if let Some(id) = ids.iter().find(|id| containers.contains(id.as_str())) {
            of.entry(id.clone()).or_default().push(*pid);
        }
    }
    of
}

/// How a container can be looked at.
pub(super) struct Seen<'a> {
    id: &'a str,
    around: &'a Surroundings<'a>,
    is_running: bool,
    /// Its first process, when it is on this host and in its control group.
    pid: Option<u32>,
    shares_network: bool,
}

impl<'a> Seen<'a> {
    pub(super) fn find(
        id: &'a str,
        data: &Map<String, Value>,
        around: &'a Surroundings<'a>,
    ) -> Self {
        let state = |key: &str| value(data, &["State", key]);
        let is_running = state("Running").and_then(Value::as_bool) == Some(true);
        let pid = state("Pid").and_then(Value::as_u64);
        let pid = pid.and_then(|pid| u32::try_from(pid).ok());
        // The engine's word alone is not enough: it may be wrong, or be about another machine's process.
        let own = around.processes.get(id);
        let pid = pid.filter(|pid| is_running && own.is_some_and(|own| own.contains(pid)));
        let mode = value(data, &["HostConfig", "NetworkMode"]).and_then(Value::as_str);
        let mode = mode.unwrap_or_default();
        Self {
            id,
            around,
            is_running,
            pid,
            shares_network: mode == "host" || mode.starts_with("container:"),
        }
    }

    fn root(&self) -> Option<&'a Root> {
        Some(self.around.host?.root)
    }

    pub(super) fn told(&self) -> Vec<(&'static str, Value)> {
        let mut told = Vec::new();
        if let (Some(pid), Some(root)) = (self.pid, self.root()) {
            told.extend(proc(root, pid).map(|proc| ("proc", proc)));
            let pids = self.around.processes.get(self.id);
            let pids = pids.map(Vec::as_slice).unwrap_or_default();
            let processes = pids.iter().take(PROCESSES);
            let processes = processes.filter_map(|pid| process(root, *pid)).collect();
            told.push(("processes", Value::Array(processes)));
            told.push(("processes_from", "proc".into()));
            let others = self.shares_network.then_some(pids);
            let listeners = listeners(root, pid, others);
            told.extend(listeners.map(|listeners| ("listeners", listeners)));
        } else if let Some(processes) = self.top() {
            told.push(("processes", processes));
            told.push(("processes_from", "top".into()));
        }
        told
    }

    /// "List processes running inside a container": the engine runs `ps` on its host.
    fn top(&self) -> Option<Value> {
        if !self.is_running {
            return None;
        }
        let path = format!("/containers/{}/top", self.id);
        let top: Value = self.around.client.json(&path).ok()?;
        Some(from_top(&top))
    }

    /// A file of the container: through its process, else in its layers, else from the engine.
    pub(super) fn file(&self, path: &str, layers: Option<&Value>) -> Result<Vec<u8>, String> {
        if let (Some(pid), Some(root)) = (self.pid, self.root()) {
            let folder = root.place(Utf8Path::new(&format!("/proc/{pid}/root")));
            if let Ok(bytes) = inside::read(&folder, path, PASSWD) {
                return Ok(bytes);
            }
        }
        if let (Some(layers), Some(root)) = (layers, self.root())
            && let Some(bytes) = from_layers(root, layers, path)
        {
            return Ok(bytes);
        }
        let question = format!("/containers/{}/archive?path={path}", self.id);
        let archive = self.around.client.bytes(&question);
        let archive = archive.map_err(|error| error.to_string())?;
        first_file(&archive).ok_or_else(|| format!("the engine gave no {path}"))
    }
}

/// Sockets of the network that a container's first process is in. Where that is not the container's own alone, only
/// those of its `processes` count.
fn listeners(root: &Root, first: u32, processes: Option<&[u32]>) -> Option<Value> {
    let mut listening = sockets::listening(root, first).ok()?;
    if let Some(pids) = processes {
        let mut own = BTreeSet::new();
        for pid in pids {
            match sockets::open(root, *pid) {
                Ok(open) => own.extend(open),
                // Health checks and workers end since they were seen. The first process ends with its container.
                Err(error) if *pid != first && has_ended(&error) => {}
                Err(_unseen) => return None,
            }
        }
        listening.retain(|socket| own.contains(&socket.inode));
    }
    Some(listening.iter().map(sockets::Listening::data).collect())
}

/// Whether reading what `/proc` has of a process failed by its being gone.
fn has_ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || Errno::from_io_error(error) == Some(Errno::SRCH)
}

/// A file of an image or a container, in the folders of its layers (overlay2, overlay). The upper ones hide the
/// lower ones, also by a device that says that the file is gone.
pub(crate) fn from_layers(root: &Root, layers: &Value, path: &str) -> Option<Vec<u8>> {
    let folders = |key: &str| layers.get(key).and_then(Value::as_str).unwrap_or_default();
    let all = folders("UpperDir")
        .split(':')
        .chain(folders("LowerDir").split(':'));
    for folder in all.filter(|folder| folder.starts_with('/')).take(LAYERS) {
        match inside::read(&root.place(Utf8Path::new(folder)), path, PASSWD) {
            Ok(bytes) => return Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_hidden) => return None,
        }
    }
    None
}

/// The content of a tar archive's first entry, if that is a file: 512 bytes of header, of which the size is octal
/// digits from 124 on and the kind stands at 156 (POSIX, ustar).
fn first_file(archive: &[u8]) -> Option<Vec<u8>> {
    let size = std::str::from_utf8(archive.get(124..135)?).ok()?;
    let size = usize::from_str_radix(size.trim_matches([' ', '\0']), 8).ok()?;
    let is_file = matches!(archive.get(156)?, b'0' | 0);
    let end = size.checked_add(512)?;
    is_file.then(|| archive.get(512..end).map(<[u8]>::to_vec))?
}

fn proc(root: &Root, pid: u32) -> Option<Value> {
    let status = Status::read(root, pid)?;
    let mut data = BTreeMap::from([("pid", json!(pid)), ("uid", json!(status.uid))]);
    let seccomp = match status.seccomp {
        Some(0) => Some("none"),
        Some(1) => Some("strict"),
        Some(2) => Some("filter"),
        _ => None,
    };
    if let Some(seccomp) = seccomp {
        data.insert("seccomp", json!(seccomp));
    }
    if let Some(set) = status.no_new_privs {
        data.insert("no_new_privs", json!(set));
    }
    for (key, mask) in [("cap_eff", status.cap_eff), ("cap_bnd", status.cap_bnd)] {
        if let Some(mask) = mask {
            data.insert(key, json!(capabilities::names(mask)));
        }
    }
    Some(json!(data))
}

fn process(root: &Root, pid: u32) -> Option<Value> {
    let name = root.line(&format!("/proc/{pid}/comm"))?;
    let argv = command_line(root, pid).unwrap_or_default();
    let mut data = json!({
        "pid": pid, "name": name, "argv": redact::arguments(argv.iter().map(String::as_str)),
    });
    if let (Some(status), Value::Object(data)) = (Status::read(root, pid), &mut data) {
        data.insert("uid".to_owned(), json!(status.uid));
    }
    Some(data)
}

/// Columns are named, and which there are depends on the engine. Podman gives names of users instead of numbers.
fn from_top(top: &Value) -> Value {
    let titles: Vec<&str> = super::environment::texts(top.get("Titles")).collect();
    let column = |names: &[&str]| titles.iter().position(|title| names.contains(title));
    let (pid, uid) = (column(&["PID"]), column(&["UID"]));
    let command = column(&["CMD", "COMMAND"]);
    let rows = top.get("Processes").and_then(Value::as_array);
    let rows = rows.into_iter().flatten().take(PROCESSES);
    let told = rows.filter_map(|row| {
        let cell = |column: Option<usize>| row.get(column?)?.as_str();
        let line = redact::text(cell(command)?);
        let argv: Vec<&str> = line.split_whitespace().collect();
        // `sshd: user [priv]`, and names with their folder.
        let name = argv.first().copied().unwrap_or_default();
        let name = name
            .trim_end_matches(':')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let mut data = json!({"name": name, "argv": argv});
        if let Value::Object(data) = &mut data {
            for (key, column) in [("pid", pid), ("uid", uid)] {
                if let Some(number) = cell(column).and_then(|cell| cell.parse::<u32>().ok()) {
                    data.insert(key.to_owned(), json!(number));
                }
            }
        }
        Some(data)
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_read_from_the_engines_columns() {
        let docker = json!({
            "Titles": ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
            "Processes": [["0", "17", "1", "0", "10:00", "?", "00:00:00", "/usr/sbin/sshd -D --token x"], ["bad"], 7],
        });
        assert_eq!(
            from_top(&docker),
            json!([{"name": "sshd", "argv": ["/usr/sbin/sshd", "-D", "--token", "[redacted]"], "pid": 17, "uid": 0}])
        );
        let podman = json!({
            "Titles": ["USER", "PID", "COMMAND"], "Processes": [["app", "1", "sshd: app [priv]"]],
        });
        assert_eq!(
            from_top(&podman),
            json!([{"name": "sshd", "argv": ["sshd:", "app", "[priv]"], "pid": 1}])
        );
        assert_eq!(from_top(&json!({"Titles": 1})), json!([]));
    }

    #[test]
    fn what_a_container_listens_on_in_a_network_of_others_is_known_by_all_that_run() {
        let folder = tempfile::tempdir().unwrap();
        let own = |pid: u32, inode: u32| {
            let open = folder.path().join(format!("proc/{pid}/fd"));
            std::fs::create_dir_all(&open).unwrap();
            std::os::unix::fs::symlink(format!("socket:[{inode}]"), open.join("3")).unwrap();
        };
        own(7, 4711);
        own(8, 4713);
        own(99, 4712);
        let line = |port: &str, inode: u32| {
            format!("0: 00000000:{port} 00000000:0000 0A 0:0 0:0 0 0 0 {inode} 1\n")
        };
        let table = [
            "header\n",
            &line("0050", 4711),
            &line("0051", 4712),
            &line("0052", 4713),
        ];
        let net = folder.path().join("proc/7/net");
        std::fs::create_dir_all(&net).unwrap();
        std::fs::write(net.join("tcp"), table.concat()).unwrap();
        // One whose descriptors are there and may not be read.
        std::fs::create_dir_all(folder.path().join("proc/9")).unwrap();
        std::fs::write(folder.path().join("proc/9/fd"), "").unwrap();
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let ports = |first, processes: Option<&[u32]>| {
            let found = listeners(&root, first, processes)?;
            let ports = found.as_array().unwrap().iter();
            Some(ports.map(|one| one["port"].as_u64().unwrap()).collect())
        };
        for (processes, expected) in [
            (None, Some(vec![80, 81, 82])),
            (Some([7].as_slice()), Some(vec![80])),
            (Some(&[7, 8]), Some(vec![80, 82])),
            // One has ended since.
            (Some(&[6, 7, 8, 10]), Some(vec![80, 82])),
            (Some(&[7, 9]), None),
        ] {
            assert_eq!(ports(7, processes), expected, "{processes:?}");
        }
        // With the first one the container has.
        std::fs::remove_dir_all(folder.path().join("proc/7/fd")).unwrap();
        assert_eq!(ports(7, Some(&[7, 8])), None);
    }

    #[test]
    fn upper_layers_hide_lower_ones() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("a/etc/hosts", "");
        write("b/etc/passwd", "upper");
        write("c/etc/passwd", "lower");
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let layers = json!({"UpperDir": "/a", "LowerDir": "/b:/c"});
        assert_eq!(
            from_layers(&root, &layers, "/etc/passwd").unwrap(),
            b"upper"
        );
        assert_eq!(from_layers(&root, &layers, "/etc/shadow"), None);
        assert_eq!(from_layers(&root, &json!({}), "/etc/passwd"), None);
    }

    #[test]
    fn the_first_file_of_an_archive_is_read() {
        let mut archive = vec![0; 512];
        archive[124..135].copy_from_slice(b"00000000003");
        archive[156] = b'0';
        archive.extend(b"abc");
        assert_eq!(first_file(&archive).unwrap(), b"abc");
        assert_eq!(first_file(&archive[..514]), None);
        archive[156] = b'2';
        assert_eq!(first_file(&archive), None);
        assert_eq!(first_file(&[]), None);
    }
}

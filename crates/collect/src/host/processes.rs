//! Processes of the host, from `/proc` (proc(5)): the engines', and which belong to a container.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::host::root::Root;
use crate::host::users::Accounts;
use seareeve_redact as redact;

/// Programs whose processes are told, by the first fifteen letters, which the kernel keeps of a name.
const ENGINES: &[&str] = &[
    "dockerd",
    "containerd",
    "podman",
    "kubelet",
    "crio",
    "rootlesskit",
];
/// Processes that are looked at.
const PROCESSES: usize = 100_000;
/// Bytes of a command line.
const COMMAND_LINE: u64 = 256 << 10;
/// Bytes of the other files.
const FILE: u64 = 64 << 10;

/// A process of an engine.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) pid: u32,
    /// As it was started. It may hold credentials: only [`Process::data`] is for others.
    pub(crate) argv: Vec<String>,
    pub(crate) exe: Option<String>,
    pub(crate) uid: Option<u32>,
    pub(crate) started_unix: Option<i64>,
}

/// Whose engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Product {
    Docker,
    Podman,
}

/// What processes there are.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    pub(crate) engines: Vec<Process>,
    /// Of containers: the ids in the path of its control group, the outermost one first.
    pub(crate) of_containers: BTreeMap<u32, Vec<String>>,
    /// Whose containers run on this machine itself, and not in one of its containers.
    pub(crate) products: BTreeSet<Product>,
}

/// Looks at every process once.
pub(crate) fn collect(root: &Root) -> std::io::Result<Processes> {
    let mut found = Processes::default();
    let boot = boot_time(root);
    let names = root.names("/proc")?;
    let pids = names.iter().filter_map(|name| name.parse::<u32>().ok());
    for pid in pids.take(PROCESSES) {
        let Some(name) = root.line(&format!("/proc/{pid}/comm")) else {
            continue;
        };
        if ENGINES.contains(&name.as_str()) {
            found.engines.extend(process(root, pid, name, boot));
        }
        let groups = root.text(&format!("/proc/{pid}/cgroup"), FILE);
        let groups = groups.unwrap_or_default();
        found.products.extend(owner(&groups));
        let ids = containers(&groups);
        if !ids.is_empty() {
            found.of_containers.insert(pid, ids);
        }
    }
    found.engines.sort_by_key(|process| process.pid);
    Ok(found)
}

fn process(root: &Root, pid: u32, name: String, boot: Option<i64>) -> Option<Process> {
    let argv = command_line(root, pid)?;
    // Podman's other commands come and go, and say nothing of an engine.
    if name == "podman" && !argv.iter().any(|word| word == "service") {
        return None;
    }
    let exe = std::fs::read_link(root.place(Utf8Path::new(&format!("/proc/{pid}/exe"))));
    let exe = exe
        .ok()
        .and_then(|path| path.into_os_string().into_string().ok());
    let status = Status::read(root, pid);
    Some(Process {
        name,
        pid,
        argv,
        exe: exe.map(|exe| exe.trim_end_matches(" (deleted)").to_owned()),
        uid: status.map(|status| status.uid),
        started_unix: started(root, pid, boot),
    })
}

/// The words of a command line; none for what has left or is of the kernel.
pub(crate) fn command_line(root: &Root, pid: u32) -> Option<Vec<String>> {
    let text = root
        .text(&format!("/proc/{pid}/cmdline"), COMMAND_LINE)
        .ok()?;
    let text = text.trim_end_matches('\0');
    (!text.is_empty()).then(|| text.split('\0').map(str::to_owned).collect())
}

/// Variables of a process's environment that are asked for by name; the others are not looked at.
pub(crate) fn variable(root: &Root, pid: u32, name: &str) -> Option<String> {
    let text = root
        .text(&format!("/proc/{pid}/environ"), COMMAND_LINE)
        .ok()?;
    let mut all = text.split('\0').filter_map(|pair| pair.split_once('='));
    all.find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

fn boot_time(root: &Root) -> Option<i64> {
    let text = root.text("/proc/stat", 8 << 20).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

/// Field 22 of `stat`, in ticks since the machine started.
fn started(root: &Root, pid: u32, boot: Option<i64>) -> Option<i64> {
    let text = root.text(&format!("/proc/{pid}/stat"), FILE).ok()?;
    // The name may hold anything, also brackets.
    let (_, rest) = text.rsplit_once(')')?;
    let ticks: u64 = rest.split_whitespace().nth(19)?.parse().ok()?;
    let seconds = ticks.checked_div(rustix::param::clock_ticks_per_second())?;
    boot?.checked_add(i64::try_from(seconds).ok()?)
}

/// What is kept of a `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// The effective one, as the host counts.
    pub(crate) uid: u32,
    pub(crate) seccomp: Option<u8>,
    pub(crate) no_new_privs: Option<bool>,
    pub(crate) cap_eff: Option<u64>,
    pub(crate) cap_bnd: Option<u64>,
}

impl Status {
    pub(crate) fn read(root: &Root, pid: u32) -> Option<Self> {
        Self::parse(&root.text(&format!("/proc/{pid}/status"), FILE).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| {
            let lines = text.lines().filter_map(|line| line.split_once(':'));
            lines
                .filter(|(key, _)| *key == name)
                .map(|(_, value)| value.trim())
                .next()
        };
        let mask = |name| u64::from_str_radix(field(name)?, 16).ok();
        Some(Self {
            uid: field("Uid")?.split_whitespace().nth(1)?.parse().ok()?,
            seccomp: field("Seccomp").and_then(|value| value.parse().ok()),
            no_new_privs: field("NoNewPrivs").map(|value| value == "1"),
            cap_eff: mask("CapEff"),
            cap_bnd: mask("CapBnd"),
        })
    }
}

/// The ids of containers in the paths of a process's control groups.
fn containers(groups: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for line in groups.lines() {
        let path = line.splitn(3, ':').nth(2).unwrap_or_default();
        for part in path.split(['/', '-', '.']) {
            if is_id(part) && !ids.iter().any(|id| id == part) {
                ids.push(part.to_owned());
            }
        }
    }
    ids
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Who made the container of a process, where its control groups have a name that only one of them gives. Those of pods
/// say nothing: what is in them is a kubelet's. Neither do paths that lead up from our own control group (seen from a
/// control group namespace, cgroup_namespaces(7)): of the pods around a sensor in a pod they do not say that they are.
fn owner(groups: &str) -> Option<Product> {
    if groups.contains("kubepods") {
        return None;
    }
    let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let mut paths = paths.filter(|path| !path.starts_with("/.."));
    paths.find_map(|path| {
        let mut above = "";
        path.split('/').find_map(|part| {
            let name = part.strip_suffix(".scope").unwrap_or(part);
            // `libpod-ID`, `libpod-conmon-ID`, `libpod-payload-ID`
            let (kind, id) = name.rsplit_once('-').unwrap_or((above, name));
            above = part;
            match kind {
                "docker" if is_id(id) => Some(Product::Docker),
                "libpod" | "libpod-conmon" | "libpod-payload" if is_id(id) => Some(Product::Podman),
                _ => None,
            }
        })
    })
}

impl Process {
    pub(crate) fn data(&self, accounts: &Accounts) -> Value {
        let mut data = BTreeMap::from([
            ("name", json!(self.name)),
            ("pid", json!(self.pid)),
            (
                "argv",
                json!(redact::arguments(self.argv.iter().map(String::as_str))),
            ),
        ]);
        if let Some(uid) = self.uid {
            data.insert("uid", json!(uid));
            if let Some(user) = accounts.user_name(uid) {
                data.insert("user", json!(user));
            }
        }
        if let Some(exe) = &self.exe {
            data.insert("exe", json!(exe));
        }
        if let Some(started) = self.started_unix {
            data.insert("started_unix", json!(started));
        }
        json!(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_in_the_paths_of_control_groups() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        for (groups, ids) in [
            (format!("0::/system.slice/docker-{a}.scope"), vec![&a]),
            (format!("4:cpu:/docker/{a}\n3:pids:/docker/{a}"), vec![&a]),
            (
                format!("0::/machine.slice/libpod-{a}.scope/container"),
                vec![&a],
            ),
            // An engine in a container: the outer one is ours.
            (format!("0::/docker/{a}/docker/{b}"), vec![&a, &b]),
            ("0::/user.slice/session-1.scope".to_owned(), vec![]),
            ("garbage".to_owned(), vec![]),
        ] {
            assert_eq!(
                containers(&groups).iter().collect::<Vec<_>>(),
                ids,
                "{groups}"
            );
        }
    }

    #[test]
    fn whose_containers_run_is_known_by_names_that_only_one_gives() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let (docker, podman) = (Some(Product::Docker), Some(Product::Podman));
        for (groups, expected) in [
            (format!("0::/system.slice/docker-{a}.scope"), docker),
            (format!("0::/docker/{a}"), docker),
            (format!("0::/docker/{a}/init.scope"), docker),
            (format!("4:cpu:/\n3:pids:/docker/{a}"), docker),
            (
                format!(
                    "0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{a}.scope"
                ),
                docker,
            ),
            (
                format!("0::/machine.slice/libpod-{a}.scope/container"),
                podman,
            ),
            (format!("0::/machine.slice/libpod-conmon-{a}.scope"), podman),
            (format!("0::/libpod_parent/libpod-{a}"), podman),
            (
                format!("0::/system.slice/web.service/libpod-payload-{a}"),
                podman,
            ),
            // Pods, and Docker in one.
            (
                format!("0::/kubepods.slice/kubepods-pod7.slice/cri-containerd-{a}.scope"),
                None,
            ),
            (format!("0::/kubepods/burstable/pod7/{a}"), None),
            (format!("0::/kubepods/burstable/pod7/{a}/docker/{b}"), None),
            (
                format!("0::/kubepods.slice/kubepods-pod7.slice/docker-{a}.scope"),
                None,
            ),
            // The same as a pod's own namespace shows them.
            (format!("0::/../cri-containerd-{a}.scope"), None),
            (format!("0::/../../pod7/{a}"), None),
            (format!("0::/../../pod7/{a}/docker/{b}"), None),
            (format!("0::/../docker-{a}.scope"), None),
            // Others' containers.
            (format!("0::/system.slice/crio-conmon-{a}.scope"), None),
            (format!("0::/system.slice/crio-{a}.scope"), None),
            (format!("0::/default/{a}"), None),
            (format!("0::/system.slice/nerdctl-{a}.scope"), None),
            (format!("0::/{a}"), None),
            // Docker's own, which is in no container.
            ("0::/system.slice/docker.service".to_owned(), None),
            ("0::/docker/buildkit/x1".to_owned(), None),
            ("garbage".to_owned(), None),
        ] {
            assert_eq!(owner(&groups), expected, "{groups}");
        }
    }

    #[test]
    fn a_status_is_read() {
        let text = "Name:\tx\nUid:\t1000\t0\t0\t0\nCapEff:\t00000000a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2\n";
        let status = Status::parse(text).unwrap();
        assert_eq!(
            (status.uid, status.seccomp, status.no_new_privs),
            (0, Some(2), Some(true))
        );
        assert_eq!((status.cap_eff, status.cap_bnd), (Some(0xa804_25fb), None));
        assert_eq!(Status::parse("Name: x"), None);
    }

    #[test]
    fn our_own_process_is_seen() {
        let root = Root::new(Utf8Path::new("/"));
        let pid = std::process::id();
        let process = process(&root, pid, "dockerd".to_owned(), boot_time(&root)).unwrap();
        assert!(process.exe.unwrap().contains("seareeve_collect"));
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let age = i64::try_from(now.as_secs()).unwrap() - process.started_unix.unwrap();
        assert!((-5..3600).contains(&age), "{age}");
    }
}

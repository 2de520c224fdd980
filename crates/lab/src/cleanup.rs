//! Leaving nothing behind, whatever happened.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{Lab, together};

/// How long the engine may take to end by itself.
const END: Duration = Duration::from_secs(20);

impl Drop for Lab {
    fn drop(&mut self) {
        let ids = self.containers();
        let all: Vec<&String> = ids.iter().collect();
        // What is not removed here is killed below.
        let _ = together(&all, |id| {
            let _ = self.delete(&format!("/containers/{id}?force=1&v=1"));
            Ok(())
        });
        signal(self.daemon.id(), Signal::TERM);
        let started = Instant::now();
        while started.elapsed() < END && matches!(self.daemon.try_wait(), Ok(None)) {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        // containerd and its shims name our folder; processes of containers are in control groups named like them.
        for pid in ours(&self.folder, &ids) {
            signal(pid, Signal::KILL);
        }
        for point in mounts_below(&self.folder) {
            let _ = unmount(&point, UnmountFlags::DETACH);
        }
        for group in groups(&ids) {
            let _ = fs::remove_dir(group);
        }
    }
}

impl Lab {
    fn containers(&self) -> BTreeSet<String> {
        let listed = self.get("/containers/json?all=1").unwrap_or_default();
        let ids = listed.as_array().into_iter().flatten();
        ids.filter_map(|one| one.get("Id").and_then(Value::as_str))
            .map(str::to_owned)
            .collect()
    }
}

fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, signal);
    }
}

fn ours(folder: &Path, ids: &BTreeSet<String>) -> Vec<u32> {
    let folder = folder.display().to_string();
    let own = std::process::id();
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != own)
        .filter(|pid| {
            let text = |name: &str| {
                let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            };
            let groups = text("cgroup");
            let name = text("comm");
            let is_engines = name.starts_with("containerd") || name.starts_with("dockerd");
            (is_engines && text("cmdline").contains(&folder))
                || ids.iter().any(|id| groups.contains(id.as_str()))
        })
        .collect()
}

/// The innermost ones first.
fn mounts_below(folder: &Path) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = table.lines().filter_map(|line| line.split(' ').nth(4));
    let mut points: Vec<PathBuf> = points
        .map(PathBuf::from)
        .filter(|point| point.starts_with(folder))
        .collect();
    points.sort_unstable();
    points.reverse();
    points
}

/// Control groups that are named like these containers.
fn groups(ids: &BTreeSet<String>) -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let controllers = fs::read_dir(root).into_iter().flatten();
    let mut parents: Vec<PathBuf> = controllers
        .filter_map(|entry| Some(entry.ok()?.path().join("docker")))
        .collect();
    parents.push(root.join("docker"));
    let all = parents
        .iter()
        .flat_map(|parent| ids.iter().map(|id| parent.join(id)));
    all.filter(|group| group.is_dir()).collect()
}

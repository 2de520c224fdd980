//! Engines that are on a machine and cannot be asked: it must not be taken for a machine without one, of which there is
//! nothing to say.

use crate::host::processes::Processes;
use crate::host::root::Root;

/// Where packages put Docker's engine.
const DOCKERD: &[&str] = &[
    "/usr/bin/dockerd",
    "/usr/sbin/dockerd",
    "/usr/local/bin/dockerd",
    "/snap/docker/current/bin/dockerd",
];

/// Why there is an engine after all, where none answered.
pub(crate) fn why(root: &Root, processes: &Processes) -> Option<String> {
    // One in a container is not this machine's.
    let mut running = processes.engines.iter().filter(|process| {
        process.name == "dockerd" && !processes.of_containers.contains_key(&process.pid)
    });
    if running.next().is_some() {
        let why = "dockerd runs and does not answer: it is just starting, or listens where only DOCKER_HOST or --socket says";
        return Some(why.to_owned());
    }
    let program = DOCKERD.iter().find(|path| root.exists(path));
    // Pods are a kubelet's, which needs none of these engines.
    match (program, processes.has_loose) {
        (Some(program), true) => Some(format!(
            "Docker is installed ({program}) and does not run, though containers do"
        )),
        (Some(program), false) => Some(format!("Docker is installed ({program}) and does not run")),
        (None, true) => Some(
            "containers run here and no engine answers: Podman does while its service is on (podman.socket)"
                .to_owned(),
        ),
        (None, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;
    use crate::host::processes;

    #[test]
    fn an_engine_that_does_not_answer_is_not_taken_for_none() {
        let id = "a".repeat(64);
        let docker = format!("0::/system.slice/docker-{id}.scope\n");
        let podman = format!("0::/machine.slice/libpod-{id}.scope/container\n");
        let pod = format!("0::/kubepods.slice/kubepods-pod7.slice/cri-containerd-{id}.scope\n");
        for (files, expected) in [
            (vec![], None),
            (
                vec![("usr/bin/dockerd", "")],
                Some("Docker is installed (/usr/bin/dockerd) and does not run"),
            ),
            (
                vec![
                    ("usr/bin/dockerd", ""),
                    ("proc/7/comm", "app"),
                    ("proc/7/cgroup", &docker),
                ],
                Some(
                    "Docker is installed (/usr/bin/dockerd) and does not run, though containers do",
                ),
            ),
            (
                vec![("proc/7/comm", "app"), ("proc/7/cgroup", &podman)],
                Some(
                    "containers run here and no engine answers: Podman does while its service is on (podman.socket)",
                ),
            ),
            (vec![("proc/7/comm", "app"), ("proc/7/cgroup", &pod)], None),
            // It listens elsewhere.
            (
                vec![
                    ("proc/8/comm", "dockerd"),
                    ("proc/8/cmdline", "dockerd\0-H\0tcp://10.0.0.1:2376\0"),
                ],
                Some(
                    "dockerd runs and does not answer: it is just starting, or listens where only DOCKER_HOST or --socket says",
                ),
            ),
            // An engine in a pod.
            (
                vec![
                    ("proc/8/comm", "dockerd"),
                    ("proc/8/cmdline", "dockerd\0"),
                    ("proc/8/cgroup", &pod),
                ],
                None,
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("proc")).unwrap();
            for (path, text) in &files {
                let path = folder.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
            let processes = processes::collect(&root).unwrap();
            assert_eq!(why(&root, &processes).as_deref(), expected, "{files:?}");
        }
    }
}

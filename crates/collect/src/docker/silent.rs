//! Engines that are on a machine and cannot be asked: it must not be taken for a machine without one, of which there is
//! nothing to say, nor for one that has only what another engine tells.
//!
//! Podman needs no service to run, so one that is installed and off is none that is silent; containers of it that run
//! are. Of two engines of one product, such as a rootless Docker and the machine's, one that answers stands for both.
//! Programs in the homes of users are not looked for: a home may be far away, and who waits for it waits for ever.

use std::collections::BTreeSet;

use crate::host::processes::{Processes, Product};
use crate::host::root::Root;

/// Where packages put Docker's engine.
const DOCKERD: &[&str] = &[
    "/usr/bin/dockerd",
    "/usr/sbin/dockerd",
    "/usr/local/bin/dockerd",
    "/snap/docker/current/bin/dockerd",
];

/// Why there is an engine beside those that answered.
pub(crate) fn why(
    root: &Root,
    processes: &Processes,
    answered: &BTreeSet<Product>,
) -> Option<String> {
    let all = [Product::Docker, Product::Podman].into_iter();
    let silent = all.filter(|product| !answered.contains(product));
    let why: Vec<String> = silent
        .filter_map(|product| why_not(product, root, processes))
        .collect();
    (!why.is_empty()).then(|| why.join("; "))
}

fn why_not(product: Product, root: &Root, processes: &Processes) -> Option<String> {
    let name = match product {
        Product::Docker => "dockerd",
        Product::Podman => "podman",
    };
    // One in a container is not this machine's.
    let mut running = processes.engines.iter().filter(|process| {
        process.name == name && !processes.of_containers.contains_key(&process.pid)
    });
    if running.next().is_some() {
        return Some(format!(
            "{name} runs and does not answer: it is just starting, or listens where only DOCKER_HOST or --socket says"
        ));
    }
    let has_containers = processes.products.contains(&product);
    let program = DOCKERD
        .iter()
        .find(|path| product == Product::Docker && root.exists(path));
    match (product, program) {
        (_, Some(program)) if has_containers => Some(format!(
            "Docker is installed ({program}) and does not run, though containers do"
        )),
        (_, Some(program)) => Some(format!("Docker is installed ({program}) and does not run")),
        (_, None) if !has_containers => None,
        (Product::Docker, None) => {
            Some("containers of Docker run here, and its engine does not".to_owned())
        }
        (Product::Podman, None) => Some(
            "containers of Podman run here, and its engine does not answer: it does while its service is on (podman.socket)"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;
    use crate::host::processes;

    #[test]
    fn an_engine_that_does_not_answer_is_not_taken_for_none() {
        const STOPPED: &str = "Docker is installed (/usr/bin/dockerd) and does not run";
        const UNSERVED: &str = "containers of Podman run here, and its engine does not answer: it does while its service is on (podman.socket)";
        let id = "a".repeat(64);
        let docker = format!("0::/system.slice/docker-{id}.scope\n");
        let podman = format!("0::/machine.slice/libpod-{id}.scope/container\n");
        let pod = format!("0::/kubepods.slice/kubepods-pod7.slice/cri-containerd-{id}.scope\n");
        // From the namespace of another pod's control group.
        let other = format!("0::/../cri-containerd-{id}.scope\n");
        let running = |groups| vec![("proc/7/comm", "app"), ("proc/7/cgroup", groups)];
        let engine = |name, argv| vec![("proc/8/comm", name), ("proc/8/cmdline", argv)];
        let dockerd = || vec![("usr/bin/dockerd", "")];
        // Why Docker is silent, and why Podman is.
        for (files, of_docker, of_podman) in [
            (vec![], "", ""),
            (dockerd(), STOPPED, ""),
            (
                [dockerd(), running(&docker)].concat(),
                "Docker is installed (/usr/bin/dockerd) and does not run, though containers do",
                "",
            ),
            (
                running(&docker),
                "containers of Docker run here, and its engine does not",
                "",
            ),
            (running(&podman), "", UNSERVED),
            ([dockerd(), running(&podman)].concat(), STOPPED, UNSERVED),
            // Installed and off, as on any desktop.
            (vec![("usr/bin/podman", "")], "", ""),
            (running(&pod), "", ""),
            (running(&other), "", ""),
            // It listens elsewhere.
            (
                engine("dockerd", "dockerd\0-H\0tcp://10.0.0.1:2376\0"),
                "dockerd runs and does not answer: it is just starting, or listens where only DOCKER_HOST or --socket says",
                "",
            ),
            (
                engine("podman", "podman\0system\0service\0tcp://10.0.0.1:8080\0"),
                "",
                "podman runs and does not answer: it is just starting, or listens where only DOCKER_HOST or --socket says",
            ),
            // An engine in a pod.
            (
                [
                    engine("dockerd", "dockerd\0"),
                    vec![("proc/8/cgroup", &pod)],
                ]
                .concat(),
                "",
                "",
            ),
            (
                [
                    engine("dockerd", "dockerd\0"),
                    vec![("proc/8/cgroup", &other)],
                ]
                .concat(),
                "",
                "",
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
            let why = |answered: &[Product]| {
                let answered = answered.iter().copied().collect();
                why(&root, &processes, &answered).unwrap_or_default()
            };
            let both = format!("{of_docker}; {of_podman}");
            assert_eq!(why(&[]), both.trim_matches([';', ' ']), "{files:?}");
            assert_eq!(why(&[Product::Podman]), of_docker, "{files:?}");
            assert_eq!(why(&[Product::Docker]), of_podman, "{files:?}");
            assert_eq!(why(&[Product::Docker, Product::Podman]), "", "{files:?}");
        }
    }
}

//! Machines that somebody else looks after: nodes of managed Kubernetes clusters, and Databricks' machines. Their
//! engines are not their users' to harden.

use crate::host::root::Root;

/// Who looks after a machine, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Managed {
    pub(crate) by: &'static str,
    pub(crate) reason: String,
}

/// Files that only these machines have.
const FILES: &[(&str, &str)] = &[
    ("databricks", "/databricks/common"),
    ("databricks", "/databricks/spark"),
    ("databricks", "/etc/profile.d/databricks.sh"),
    ("aks", "/etc/kubernetes/azure.json"),
    ("eks", "/etc/eks/bootstrap.sh"),
    ("eks", "/etc/eks/image-credential-provider"),
    (
        "eks",
        "/etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf",
    ),
    ("gke", "/home/kubernetes/kube-env"),
    ("gke", "/home/kubernetes/kubelet-config.yaml"),
];

/// How such clusters name their nodes. A name alone proves nothing: the kubelet must have been here as well.
const NAMES: &[(&str, &str)] = &[("aks", "aks-"), ("gke", "gke-")];

/// Looks for signs of each.
pub(crate) fn find(root: &Root, hostname: &str) -> Option<Managed> {
    let file = FILES.iter().find(|(_, path)| root.exists(path));
    if let Some((by, path)) = file {
        return Some(Managed {
            by,
            reason: format!("{path} is there"),
        });
    }
    let (by, start) = NAMES
        .iter()
        .find(|(_, start)| hostname.starts_with(start))?;
    root.exists("/var/lib/kubelet").then(|| Managed {
        by,
        reason: format!("its name begins with {start}, and /var/lib/kubelet is there"),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use camino::Utf8Path;

    use super::*;

    #[test]
    fn managed_machines_are_known_by_what_only_they_have() {
        for (path, hostname, by) in [
            ("etc/kubernetes/azure.json", "x", Some("aks")),
            ("home/kubernetes/kube-env", "x", Some("gke")),
            ("etc/eks/bootstrap.sh", "x", Some("eks")),
            ("databricks/spark", "x", Some("databricks")),
            ("var/lib/kubelet", "aks-pool1-1-vmss0", Some("aks")),
            ("var/lib/kubelet", "build-1", None),
            ("var/lib/docker", "aks-pool1-1-vmss0", None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir_all(folder.path().join(path)).unwrap();
            let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
            assert_eq!(
                find(&root, hostname).map(|managed| managed.by),
                by,
                "{path}"
            );
        }
    }
}

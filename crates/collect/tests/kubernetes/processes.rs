//! The components of a machine, on a made-up one.

use std::os::unix::fs::symlink;

use camino::Utf8Path;
use seareeve_collect::kubernetes::components;
use seareeve_kubernetes::{Kind, State};

use crate::read::kind;

/// A process with its files; `mounts` says whose files it sees.
fn process(root: &Utf8Path, pid: u32, mounts: &str, command: &[&str], files: &[(&str, &str)]) {
    let own = root.join(format!("proc/{pid}"));
    std::fs::create_dir_all(own.join("ns")).unwrap();
    std::fs::create_dir_all(own.join("root")).unwrap();
    std::fs::write(own.join("cmdline"), format!("{}\0", command.join("\0"))).unwrap();
    symlink(format!("mnt:[{mounts}]"), own.join("ns/mnt")).unwrap();
    symlink("/usr/bin/it", own.join("exe")).unwrap();
    for (path, content) in files {
        let path = own.join("root").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

#[test]
fn components_are_seen_with_the_files_that_they_see() {
    let temporary = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(temporary.path()).unwrap();
    process(root, 1, "1", &["/sbin/init"], &[]);
    // A container that poses as the machine's kubelet, and comes earlier.
    process(
        root,
        20,
        "7",
        &["kubelet", "--config=/k.yaml"],
        &[("k.yaml", "readOnlyPort: 0")],
    );
    process(
        root,
        30,
        "1",
        &[
            "/usr/bin/kubelet",
            "--config",
            "/etc/k/config.yaml",
            "--config-dir=/etc/k/d",
        ],
        &[
            (
                "etc/k/real.yaml",
                "readOnlyPort: 10255\nseccompDefault: false\n",
            ),
            ("etc/k/d/20.conf", "seccompDefault: true"),
            ("etc/k/d/10.conf", "seccompDefault: false"),
            ("etc/k/d/README", "no: conf"),
        ],
    );
    symlink(
        "/etc/k/real.yaml",
        root.join("proc/30/root/etc/k/config.yaml"),
    )
    .unwrap();
    process(root, 40, "9", &["etcd", "--config-file=/up"], &[]);
    // No link leads out of what the process sees.
    std::fs::write(root.join("secret"), "hunter2: 1").unwrap();
    symlink("../../../../secret", root.join("proc/40/root/up")).unwrap();
    process(
        root,
        50,
        "9",
        &["kube-proxy", "--config=/p.yaml"],
        &[("p.yaml", "hunter2: [")],
    );
    process(root, 60, "9", &["nginx"], &[]);
    let (found, problems) = components(root, "n1", &[]);
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "process 20 (kubelet): another process of that name counts as the component"
    );
    let mut state = State::new(Kind::Cluster);
    for seen in found {
        state.observe(seen);
    }
    let fact = |name: &str| {
        let facts: Vec<_> = state.facts(&kind(name)).collect();
        assert_eq!(facts.len(), 1, "{name}");
        assert!(!facts[0].data.to_string().contains("hunter2"), "{name}");
        facts[0].data.clone()
    };
    let kubelet = fact("kubernetes.kubelet");
    assert_eq!(kubelet["pid"], 30);
    assert_eq!(kubelet["executable"], "/usr/bin/it");
    let option = |name: &str| {
        let option = &kubelet["effective"][name];
        format!(
            "{} {} {}",
            option["value"], option["source"], option["path"]
        )
    };
    assert_eq!(
        option("readOnlyPort"),
        r#"10255 "file" "/etc/k/config.yaml""#
    );
    assert_eq!(
        option("seccompDefault"),
        r#"true "drop-in" "/etc/k/d/20.conf""#
    );
    assert_eq!(option("authorization.mode"), r#""Webhook" "default" null"#);
    assert_eq!(fact("kubernetes.etcd")["config"]["status"], "absent");
    assert_eq!(
        fact("kubernetes.kube-proxy")["config"]["detail"],
        "it is no YAML"
    );
    let (found, problems) = components(&root.join("nothing"), "n1", &[]);
    assert_eq!((found.len(), problems.len()), (0, 1));
}

//! A folder of checks and benchmarks that somebody else can write to.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::Home;

fn check(id: &str) -> String {
    format!(
        r#"
id: {id}
title: Containers have names
severity: low
on: kubernetes.workload
fail_for: containers.filter(c, !has(c.name))
message: a container has no name
expected: a name
why: Nobody can tell which one it is.
fix: {{text: Name it.}}
examples:
  - {{name: none, it: {{kind: Pod, name: p, namespace: n, spec: {{containers: [{{image: i}}]}}}}, expect: fail}}
  - {{name: some, it: {{kind: Pod, name: p, namespace: n, spec: {{containers: [{{name: c}}]}}}}, expect: pass}}
"#
    )
}

#[test]
fn files_that_cannot_be_used_are_told_and_the_rest_is_tested() {
    let home = Home::new();
    let folder = home.path().join("own");
    home.write("own/own.good.yaml", check("own.good"));
    home.write("own/own.large.yaml", "x".repeat(2 << 20));
    home.write("secret", "root:hunter2\n");
    symlink(home.path().join("secret"), folder.join("own.link.yaml")).unwrap();
    symlink("/", folder.join("root.yaml")).unwrap();
    symlink("nowhere", folder.join("own.gone.yaml")).unwrap();
    std::fs::write(folder.join("own.bytes.yaml"), b"id: \xff").unwrap();
    let made = Command::new("mkfifo")
        .arg(folder.join("own.pipe.yaml"))
        .status();
    assert!(made.unwrap().success());

    let run = home.run(&["check", "test", "own"]);
    assert_eq!(run.code, 2, "{}", run.err);
    for wanted in [
        "own/own.bytes.yaml is not UTF-8",
        "failed to read own/own.gone.yaml: ",
        "failed to read the check or benchmark own/own.large.yaml: it has more than 1048576 bytes",
        "failed to use own/own.link.yaml: it is a link to what lies outside of own",
        "failed to use own/own.pipe.yaml: it is no file",
        "failed to use own/root.yaml: it is a link to what lies outside of own",
    ] {
        assert!(run.out.contains(wanted), "{wanted}: {}", run.out);
    }
    assert!(!run.out.contains("hunter2"), "{}", run.out);
    assert_eq!(run.out.lines().count(), 6, "{}", run.out);
    assert!(
        run.err.contains("1 checks, 2 examples, 6 faults"),
        "{}",
        run.err
    );
}

/// As the kubelet mounts a ConfigMap, and git keeps what it keeps.
#[test]
fn a_mounted_configmap_is_read_once() {
    let home = Home::new();
    home.write("own/..2026_11_22/own.good.yaml", check("own.good"));
    home.write("own/.git/config.yaml", "no: check\n");
    let folder = home.path().join("own");
    symlink("..2026_11_22", folder.join("..data")).unwrap();
    symlink("..data/own.good.yaml", folder.join("own.good.yaml")).unwrap();
    let run = home.run(&["check", "test", "own"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    home.write(
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{image: i}]}\n",
    );
    let run = home.run(&[
        "k8s",
        "-f",
        "pod.yaml",
        "--checks",
        "own",
        "--only",
        "own.good",
        "--fail-on",
        "low",
    ]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.out.contains("a container has no name"), "{}", run.out);
}

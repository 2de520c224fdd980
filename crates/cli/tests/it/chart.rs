//! The chart: what it installs keeps to what we ask of others.
//!
//! Helm is not there when tests run, so they look at what it rendered (`cargo xtask chart` writes it, and the step
//! `chart` of `cargo xtask test` compares), and at whether that was made from the chart as it is now.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::Home;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/chart");
const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/helm/seareeve");

/// What is rendered, with the workloads that it has.
const RENDERED: &[(&str, &[&str])] = &[
    ("server.yaml", &["StatefulSet/seareeve-server"]),
    (
        "everything.yaml",
        &[
            "DaemonSet/seareeve-sensor",
            "Deployment/seareeve-admission",
            "Deployment/seareeve-observer",
            "StatefulSet/seareeve-server",
        ],
    ),
    (
        "cluster.yaml",
        &["DaemonSet/seareeve-sensor", "Deployment/seareeve-observer"],
    ),
    ("webhook.yaml", &["Deployment/seareeve-admission"]),
    (
        "alone.yaml",
        &[
            "Deployment/seareeve-observer",
            "StatefulSet/seareeve-server",
        ],
    ),
];

/// What the sensor cannot do without, by the checks that it fails. `deploy/helm/seareeve/README.md` says why.
const OF_THE_SENSOR: &[&str] = &[
    // What others have open is hidden from containers by AppArmor's usual profile.
    "kubernetes.workload.apparmor",
    // Files of all users, what processes have open, the kernel's audit rules.
    "kubernetes.workload.capabilities",
    "pod-security.capabilities-kept",
    // The processes of engines and of the kubelet.
    "kubernetes.workload.host-namespaces",
    // The node's files, and a folder for its own token.
    "kubernetes.workload.host-path",
    "pod-security.volume-types",
    // Files of root, and sockets of engines.
    "kubernetes.workload.root-user",
];

fn report(file: &str, more: &[&str]) -> Value {
    let file = format!("{FOLDER}/{file}");
    let run = Home::new().run(&[&["k8s", "-f", &file, "--format", "json"], more].concat());
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["problems"], serde_json::json!([]));
    report
}

fn name(object: &Value) -> String {
    let text = |field: &str| object[field].as_str().unwrap();
    format!("{}/{}", text("kind"), text("name"))
}

#[test]
fn what_the_chart_installs_fails_no_check_of_ours() {
    for (file, workloads) in RENDERED {
        let report = report(file, &[]);
        let objects = report["objects"].as_array().unwrap();
        let mut seen = BTreeSet::new();
        for object in objects {
            let results = object["results"].as_array().unwrap();
            let failed: BTreeSet<&str> = results
                .iter()
                .filter(|result| {
                    !["pass", "not_applicable"].contains(&result["status"].as_str().unwrap())
                })
                .map(|result| result["check"].as_str().unwrap())
                .collect();
            let allowed = match object["kind"] == "DaemonSet" {
                true => OF_THE_SENSOR.iter().copied().collect(),
                false => BTreeSet::new(),
            };
            assert_eq!(failed, allowed, "{file}: {}", name(object));
            if ["DaemonSet", "Deployment", "StatefulSet"]
                .contains(&object["kind"].as_str().unwrap())
            {
                assert!(results.len() > 20, "{file}: {}", name(object));
                seen.insert(name(object));
            }
        }
        let workloads: BTreeSet<String> = workloads.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(seen, workloads, "{file}");
    }
}

#[test]
fn all_but_the_sensor_keep_to_restricted() {
    for (file, workloads) in RENDERED {
        let report = report(file, &["--standard", "pss-restricted@latest"]);
        let mut judged = 0;
        for object in report["objects"].as_array().unwrap() {
            let verdict = match object["kind"] == "DaemonSet" {
                true => "fail",
                false => "pass",
            };
            assert_eq!(object["verdict"], verdict, "{file}: {}", name(object));
            judged += usize::from(workloads.contains(&name(object).as_str()));
        }
        assert_eq!(judged, workloads.len(), "{file}");
    }
}

#[test]
fn what_was_rendered_is_of_the_chart_as_it_is() {
    let mut files = Vec::new();
    list(Path::new(CHART), &mut files);
    files.extend(
        RENDERED
            .iter()
            .map(|(file, _)| Path::new(FOLDER).join(file.replace(".yaml", ".values.yaml")))
            .filter(|file| file.exists()),
    );
    let mut lines: Vec<String> = files
        .iter()
        .map(|file| {
            let digest = seareeve_model::Digest::sha256(
                &Sha256::digest(std::fs::read(file).unwrap()).into(),
            );
            let name = file
                .strip_prefix(CHART)
                .or_else(|_| file.strip_prefix(FOLDER));
            format!("{digest} {}\n", name.unwrap().display())
        })
        .collect();
    lines.sort_unstable();
    let known = std::fs::read_to_string(format!("{FOLDER}/rendered-from.txt")).unwrap();
    assert_eq!(lines.concat(), known, "run `cargo xtask chart`");
}

/// What Helm reads of a chart: not what is for people.
fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => list(&path, files),
            false if path.extension().is_some_and(|ending| ending == "md") => {}
            false => files.push(path),
        }
    }
}

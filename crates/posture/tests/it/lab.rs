//! The benchmarks of clusters on the lab cluster as it was recorded, and on one of which nothing is known.

use std::collections::BTreeMap;
use std::path::PathBuf;

use seareeve_kubernetes::{Change, Kind, Label, Observed, State, documents, snapshot};
use seareeve_model::Snapshot;
use seareeve_posture::{Assessment, Library, Outcome, Statements, assess};
use serde_json::Value;

use crate::support::{asset, now};

/// The snapshot of the lab cluster, if the shared data is there.
fn shared() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var("SEAREEVE_SHARED").unwrap_or_else(|_| default.to_owned());
    let folder = PathBuf::from(root).join("data/kubernetes");
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("SEAREEVE_REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(
        !required,
        "shared data is required, and is not at {}",
        folder.display()
    );
    #[expect(clippy::print_stdout, reason = "a test that did not run says so")]
    {
        println!("NOT RUN: shared data is not at {}", folder.display());
    }
    None
}

/// Its objects, what its components were started with, and what its kubelet says of itself.
pub(crate) fn lab() -> Option<Snapshot> {
    let folder = shared()?;
    let packed = std::fs::read(folder.join("objects.json.zst")).unwrap();
    let found = documents("lab", &zstd::decode_all(packed.as_slice()).unwrap());
    assert_eq!(found.troubles, []);
    let mut state = State::new(Kind::Cluster);
    for object in found.objects {
        state.apply(Change::Put(object));
    }
    let json = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let arguments: BTreeMap<String, Vec<String>> =
        serde_json::from_slice(&json("process-arguments.json")).unwrap();
    let configz: Value = serde_json::from_slice(&json("kubelet-configz.json")).unwrap();
    for (component, arguments) in arguments {
        state.observe(Observed {
            configz: (component == "kubelet").then(|| configz.clone()),
            arguments: arguments.into_iter().skip(1).collect(),
            node: "lab-node".to_owned(),
            component,
            ..Observed::default()
        });
    }
    Some(snapshot(
        &state,
        Label {
            asset_id: "lab".to_owned(),
            asset_name: "lab".to_owned(),
            collected_at: now(),
            collector: "test".to_owned(),
            source: "the lab".to_owned(),
        },
    ))
}

fn by_outcome(assessment: &Assessment<'_>) -> BTreeMap<&'static str, Vec<String>> {
    let mut by_outcome: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for verdict in &assessment.controls {
        let ids = by_outcome.entry(verdict.outcome.as_str()).or_default();
        ids.push(verdict.control.id.clone());
    }
    by_outcome
}

#[test]
fn cis_kubernetes_on_the_lab_cluster() {
    let Some(lab) = lab() else { return };
    let library = Library::builtin();
    let benchmark = library.benchmark("cis-kubernetes", None).unwrap();
    let assessment = assess(&library, benchmark, &lab, &Statements::default(), now());
    let words = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let mut seen = by_outcome(&assessment);
    // Files of nodes are seen by the sensor, which was not there, as are policies of audit; nobody ran kube-proxy.
    let files = |id: &String| id.starts_with("1.1.") || id.starts_with("4.1.");
    let untold = seen.remove("not_collected").unwrap();
    let (of_files, untold): (Vec<String>, Vec<String>) = untold.into_iter().partition(files);
    assert_eq!(of_files.len(), 31);
    assert_eq!(untold, words(&["3.2.2", "4.3.1"]));
    // Judged by hand from what the components were started with, and the objects.
    let expected = BTreeMap::from([
        (
            "fail",
            words(&[
                "1.2.1", "1.2.3", "1.2.9", "1.2.11", "1.2.17", "1.2.18", "1.2.23", "1.2.26",
                "1.2.27", "1.2.28", "1.2.30", "1.3.2", "1.4.1", "2.1", "2.2", "2.4", "2.5", "2.7",
                "4.2.7", "4.2.10", "4.2.13", "4.2.14", "5.1.1", "5.1.2", "5.1.4", "5.1.5", "5.1.6",
                "5.2.3", "5.2.4", "5.2.5", "5.2.6", "5.2.7", "5.2.8", "5.2.9", "5.2.11", "5.3.2",
                "5.6.2", "5.6.3", "5.6.4",
            ]),
        ),
        (
            "needs_review",
            words(&[
                "1.2.29", "1.3.1", "3.1.1", "3.1.2", "4.2.12", "5.1.7", "5.1.8", "5.2.1", "5.3.1",
                "5.4.2", "5.5.1", "5.6.1",
            ]),
        ),
        (
            "pass",
            words(&[
                "1.2.2", "1.2.4", "1.2.5", "1.2.6", "1.2.7", "1.2.8", "1.2.10", "1.2.12", "1.2.13",
                "1.2.14", "1.2.15", "1.2.16", "1.2.19", "1.2.20", "1.2.21", "1.2.22", "1.2.24",
                "1.2.25", "1.3.3", "1.3.4", "1.3.5", "1.3.6", "1.3.7", "1.4.2", "2.3", "2.6",
                "3.1.3", "3.2.1", "4.2.1", "4.2.2", "4.2.3", "4.2.4", "4.2.5", "4.2.6", "4.2.8",
                "4.2.9", "4.2.11", "5.1.3", "5.1.9", "5.1.10", "5.1.11", "5.1.12", "5.1.13",
                "5.2.2", "5.2.10", "5.2.12", "5.4.1",
            ]),
        ),
    ]);
    assert_eq!(seen, expected);
}

/// Of an asset that nobody looked at nothing is said, neither good nor bad.
#[test]
fn what_was_not_collected_neither_passes_nor_fails() {
    let library = Library::builtin();
    for name in ["cis-kubernetes", "cis-aks", "nsa-cisa"] {
        let benchmark = library.benchmark(name, None).unwrap();
        let nothing = asset(&[]);
        let assessment = assess(&library, benchmark, &nothing, &Statements::default(), now());
        for verdict in &assessment.controls {
            let expected = if verdict.control.checks.is_empty() {
                Outcome::NeedsReview
            } else {
                Outcome::NotCollected
            };
            assert_eq!(verdict.outcome, expected, "{name} {}", verdict.control.id);
        }
    }
}

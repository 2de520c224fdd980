//! The gate on vulnerable images.

use std::collections::BTreeMap;

use seareeve_admission::{Counts, Scanned, Severities, full_name};
use serde_json::json;

use crate::support::{create, decide_with, gate, lines, pod, request};

fn scanned(high: u64, fixable: bool) -> Scanned {
    let counts = match fixable {
        true => Counts {
            fixable: high,
            unfixable: 0,
        },
        false => Counts {
            fixable: 0,
            unfixable: high,
        },
    };
    Scanned {
        findings: Severities {
            high: counts,
            ..Severities::default()
        },
    }
}

fn policy(parameters: &str, unscanned: &str) -> String {
    format!(
        "mode: 'off'\nrecommendations:\n  kubernetes-vulnerable-images:\n    mode: deny\n    unscanned: '{unscanned}'\n    \
         parameters: {parameters}\n"
    )
}

#[test]
fn images_with_too_many_findings_are_refused() {
    let images = BTreeMap::from([
        ("docker.io/library/old:1".to_owned(), scanned(3, true)),
        ("docker.io/library/good:1".to_owned(), scanned(0, true)),
        (
            "docker.io/library/unfixable:1".to_owned(),
            scanned(3, false),
        ),
    ]);
    let told = |parameters: &str, unscanned: &str, names: &[&str]| {
        let containers: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(at, image)| json!({"name": format!("c{at}"), "image": image}))
            .collect();
        let object = pod("shop", &json!(containers));
        let answer = decide_with(
            &gate(&policy(parameters, unscanned)),
            &request("CREATE", &object, None),
            &images,
        );
        (answer.is_allowed, lines(&answer))
    };
    let found =
        "kubernetes-vulnerable-images denied: container c0 runs old:1 with findings, 3 high"
            .to_owned();
    assert_eq!(
        told("{}", "warn", &["old:1", "good:1"]),
        (false, vec![found.clone()])
    );
    assert_eq!(
        told(
            "{most: {critical: 0, high: 3, medium: 0, low: 0}}",
            "warn",
            &["old:1"]
        ),
        (true, vec![])
    );
    assert_eq!(
        told("{unfixable_below: critical}", "warn", &["unfixable:1"]),
        (true, vec![])
    );
    assert!(!told("{unfixable_below: high}", "warn", &["unfixable:1"]).0);
    // One that was not scanned is told beside one that has too many.
    let missing =
        "kubernetes-vulnerable-images warned: container c1 runs new:1, which has not been scanned"
            .to_owned();
    assert_eq!(
        told("{}", "warn", &["old:1", "new:1"]),
        (false, vec![found, missing])
    );
    assert_eq!(told("{}", "off", &["new:1"]), (true, vec![]));
    assert!(!told("{}", "deny", &["new:1"]).0);
}

#[test]
fn nothing_is_asked_of_scans_where_the_gate_is_off() {
    let answer = create(
        &gate("mode: deny"),
        &pod("shop", &json!([{"name": "a", "image": "new:1"}])),
    );
    assert!(
        lines(&answer)
            .iter()
            .all(|line| !line.contains("vulnerable"))
    );
}

#[test]
fn images_have_one_name_however_they_are_written() {
    let digest = "sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a";
    for (image, name) in [
        ("nginx", Some("docker.io/library/nginx:latest".to_owned())),
        (
            "docker.io/library/nginx:latest",
            Some("docker.io/library/nginx:latest".to_owned()),
        ),
        (
            "127.0.0.1:5000/a/b:1",
            Some("127.0.0.1:5000/a/b:1".to_owned()),
        ),
        (
            &format!("r.example/a:1@{digest}"),
            Some(format!("r.example/a@{digest}")),
        ),
        ("Not An Image", None),
    ] {
        assert_eq!(full_name(image), name, "{image}");
    }
}

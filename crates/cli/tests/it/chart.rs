//! The chart of the observer of a cluster: what it installs keeps to what we ask of others.
//!
//! Helm is not there when tests run, so they look at the chart as Go's own templates rendered it once (`chart/`), and
//! at whether that still is what the templates say.

use std::path::Path;

use serde_json::Value;

use crate::support::Home;

const RENDERED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/chart/observer.yaml");

#[test]
fn what_the_chart_installs_is_restricted() {
    let run = Home::new().run(&[
        "k8s",
        "-f",
        RENDERED,
        "--standard",
        "pss-restricted@latest",
        "--format",
        "json",
    ]);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["problems"], serde_json::json!([]));
    let objects = report["objects"].as_array().unwrap();
    let judged: Vec<(&str, &str)> = objects
        .iter()
        .filter(|object| object["kind"] == "Deployment")
        .map(|object| {
            (
                object["name"].as_str().unwrap(),
                object["verdict"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(judged, [("seareeve-observer", "pass")]);
}

/// Each line of a template that Helm copies as it is stands in what was rendered: whoever changes one renders anew.
#[test]
fn what_was_rendered_is_what_the_templates_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/helm/seareeve/templates");
    let rendered = std::fs::read_to_string(RENDERED).unwrap();
    let rendered: Vec<&str> = rendered.lines().map(str::trim).collect();
    let mut templates = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        templates += 1;
        let template = std::fs::read_to_string(&path).unwrap();
        let mut depth = 0_i32;
        for line in template.lines() {
            let conditions = line.matches("{{- if").count() + line.matches("{{- with").count();
            depth += i32::try_from(conditions).unwrap();
            depth -= i32::try_from(line.matches("{{- end").count()).unwrap();
            // What stands under a condition may be left out by the values.
            let is_copied = depth <= 1 && !line.contains("{{") && !line.trim().is_empty();
            let is_optional =
                depth == 1 && path.file_stem().is_some_and(|name| name == "deployment");
            if is_copied && !is_optional {
                assert!(
                    rendered.contains(&line.trim()),
                    "{}: {line}",
                    path.display()
                );
            }
        }
    }
    assert_eq!(templates, 4);
}

//! The role that a cluster gives the reader: all that is asked for, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use seareeve_kubernetes::{Reading, Resource};
use serde_json::Value;

/// A file of `deploy`.
fn deployed(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    std::fs::read_to_string(folder.join(path)).unwrap()
}

#[test]
fn the_readers_role_grants_exactly_what_is_read() {
    grants_what_is_read(&deployed("kubernetes/reader-clusterrole.yaml"));
}

/// The rules of the chart's template hold nothing that Helm would fill in.
#[test]
fn the_charts_role_grants_exactly_what_is_read() {
    let template = deployed("helm/seareeve/templates/reader.yaml");
    let from = template.find("\nrules:").unwrap();
    let rules = &template[from..];
    let rules = &rules[..rules.find("\n{{- end").unwrap()];
    grants_what_is_read(rules);
}

fn grants_what_is_read(role: &str) {
    let role = seareeve_kubernetes::value(role.as_bytes()).unwrap();
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    let mut granted = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        for verb in texts(&rule["verbs"]) {
            for url in texts(&rule["nonResourceURLs"]) {
                granted.insert(format!("{verb} {url}"));
            }
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    granted.insert(format!("{verb} {group} {resource}"));
                }
            }
        }
    }
    let mut asked: BTreeSet<String> = ["/apis", "/version"].map(|url| format!("get {url}")).into();
    for resource in Resource::ALL {
        let api = resource.api();
        if resource.reading() != Reading::Never {
            for verb in ["list", "watch"] {
                asked.insert(format!("{verb} {} {}", api.group, api.plural));
            }
        }
    }
    assert_eq!(granted, asked);
    assert!(
        !granted
            .iter()
            .any(|grant| grant.contains("secret") || grant.contains('*'))
    );
}

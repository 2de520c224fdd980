//! Files as people and tools write them, and as nobody should.

use super::*;

/// `index:line Kind namespace/name` of objects and others, and `! index:line message`.
fn shown(content: &str) -> Vec<String> {
    shown_bytes(content.as_bytes())
}

fn shown_bytes(content: &[u8]) -> Vec<String> {
    let found = documents("f.yaml", content);
    let objects = found.objects.iter().map(|object| {
        let origin = object.origin().unwrap();
        let kind = object.resource().api().kind;
        let (index, line) = (origin.index, origin.line);
        format!(
            "{index}:{line} {kind} {}/{}",
            object.namespace(),
            object.name()
        )
    });
    let others = found.others.iter().map(|other| {
        let (index, line) = (other.origin.index, other.origin.line);
        format!(
            "{index}:{line} ({}) {}/{}",
            other.kind, other.namespace, other.name
        )
    });
    let troubles = found.troubles.iter().map(|trouble| {
        let (index, line) = (trouble.origin.index, trouble.origin.line);
        format!("! {index}:{line} {}", trouble.message)
    });
    let mut all: Vec<String> = objects.chain(others).chain(troubles).collect();
    all.sort_by_key(|line| line.trim_start_matches("! ").to_owned());
    all
}

#[test]
fn helm_output_is_read_past_its_comments_and_broken_parts() {
    let content = "\u{feff}# Helm says hello
---
# Source: app/templates/a.yaml
apiVersion: v1
kind: Service
metadata:
  name: a
  namespace: shop
---
# Source: app/templates/empty.yaml

--- # Source: app/templates/b.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: b}
---
kind: Broken
  apiVersion: [
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: c, namespace: shop}
...
---
apiVersion: v1
kind: ConfigMap
metadata: {name: d}
data:
  text: |
    a literal
     --- that is no mark
---
just words
---
apiVersion: v1
kind: Pod
";
    assert_eq!(
        shown(content),
        [
            "0:2 Service shop/a",
            "1:12 Deployment /b",
            "! 2:18 it is no YAML: mapping values are not allowed in this context",
            "3:19 (Certificate) shop/c",
            "4:24 ConfigMap /d",
            "! 5:32 it is no object of Kubernetes: it has no kind or no apiVersion",
            "! 6:34 it is no object of Kubernetes: it has no name",
        ]
    );
}

#[test]
fn lists_and_json_are_taken_apart() {
    let list = r#"{"apiVersion":"v1","kind":"List","items":[
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}},
        {"apiVersion":"v1","kind":"PodList","items":[]},
        {"apiVersion":"v1","kind":"List","items":[{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"in"}}]}]}, 7]}
{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{"name":"b"}}]}
nonsense"#;
    assert_eq!(
        shown(list),
        [
            "0:1 Pod /a",
            "1:1 Pod /in",
            "! 2:1 it is no object of Kubernetes: it has no kind or no apiVersion",
            "3:5 Pod /b",
            "! 4:6 it is no JSON from here on: expected ident at line 6 column 2",
        ]
    );
    let marked = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}
---
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}
--- # YAML
apiVersion: v1
kind: Pod
metadata: {name: c}
---
{"apiVersion":
"#;
    assert_eq!(
        shown(marked),
        [
            "0:1 Pod /a",
            "1:2 Pod /b",
            "2:4 Pod /c",
            "! 3:9 it is no YAML: unclosed bracket '{'",
        ]
    );
    assert_eq!(
        shown("{apiVersion: v1, kind: Pod, metadata: {name: flow}}"),
        ["0:1 Pod /flow"]
    );
    assert_eq!(
        shown(
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"
        ),
        ["0:1 Pod /a"]
    );
}

#[test]
fn truth_values_and_numbers_mean_what_they_mean_to_kubectl() {
    let content = "
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {n: '1'}}
spec:
  hostPID: yes
  containers:
  - name: c
    securityContext: &s {privileged: on, runAsUser: 0x10, runAsGroup: 010, procMount: null}
  - name: d
    securityContext: {<<: *s, privileged: off}
";
    let found = documents("f", content.as_bytes());
    let spec = &found.objects[0].value["spec"];
    assert_eq!(spec["hostPID"], true);
    assert_eq!(
        spec["containers"][0]["securityContext"],
        serde_json::json!({"privileged": true, "runAsUser": 16, "runAsGroup": 8})
    );
    assert_eq!(
        spec["containers"][1]["securityContext"],
        serde_json::json!({"privileged": false, "runAsUser": 16, "runAsGroup": 8})
    );
}

#[test]
fn hostile_files_cost_a_problem_and_nothing_else() {
    let good = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: good}\n";
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = level - 1;
        let nine = format!("*a{before}, ").repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{nine}]\n"));
    }
    let deep = "[".repeat(50_000);
    let deeper = format!("a: {}", "{a: ".repeat(5_000));
    let indented: String = (0..3_000)
        .map(|n| format!("{}a:\n", " ".repeat(n)))
        .collect();
    for bad in [bomb, deep, deeper, indented] {
        let found = shown(&format!("{bad}\n{good}"));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("! 0:"), "{found:?}");
        assert!(found[1].ends_with("Pod /good"), "{found:?}");
    }
    let mut bytes = b"apiVersion: v1\nkind: \xff\n".to_vec();
    bytes.extend(good.as_bytes());
    assert_eq!(
        shown_bytes(&bytes),
        ["! 0:2 it is no text in UTF-8", "1:3 Pod /good"]
    );
    let deep_json = format!("{{\"a\":{}", "[".repeat(100_000));
    assert_eq!(shown(&deep_json).len(), 1);
    let many = "x\n---\n".repeat(60_000);
    let found = documents("f", many.as_bytes());
    assert_eq!(found.troubles.len(), MAX_TROUBLES);
    assert_eq!(shown(""), Vec::<String>::new());
    assert_eq!(shown("---\n---\n# only\n"), Vec::<String>::new());
}

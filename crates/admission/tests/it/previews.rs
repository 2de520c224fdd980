//! What a policy would make of what is there.

use jiff::Timestamp;
use seareeve_admission::{NoImages, preview};
use seareeve_kubernetes::{Kind, Label, Object, State, snapshot};
use seareeve_model::Snapshot;
use serde_json::{Value, json};

use crate::support::{create, gate, now, plain, pod, privileged};

fn facts(objects: &[Value]) -> Snapshot {
    let mut state = State::new(Kind::Manifests);
    for object in objects {
        state.add(Object::read(object.clone(), None).unwrap());
    }
    let name = "test".to_owned();
    let label = Label {
        asset_id: name.clone(),
        asset_name: name.clone(),
        collected_at: Timestamp::UNIX_EPOCH,
        collector: name.clone(),
        source: name,
    };
    snapshot(&state, label)
}

fn named(name: &str, mut object: Value) -> Value {
    object["metadata"]["name"] = json!(name);
    object
}

const POLICY: &str = "mode: 'off'\nexcluded_containers: [agent]\nrecommendations:\n  kubernetes-privileged: \
    {mode: deny, namespaces: {dev: warn, scratch: 'off'}}\n  kubernetes-default-namespace: {mode: audit}\n  \
    kubernetes-vulnerable-images: {mode: deny, unscanned: warn, namespaces: {default: 'off', dev: 'off', kube-system: 'off'}}\n";

fn objects() -> Vec<Value> {
    vec![
        named("a", pod("shop", &json!([privileged("web")]))),
        named("b", pod("dev", &json!([privileged("web")]))),
        named("c", pod("scratch", &json!([privileged("web")]))),
        named("d", pod("kube-system", &json!([privileged("web")]))),
        named(
            "e",
            pod("default", &json!([plain("web"), privileged("agent")])),
        ),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "default"}, "spec": {}}),
    ]
}

#[test]
fn a_preview_says_what_would_become_of_each_object() {
    let preview = preview(&gate(POLICY), &facts(&objects()), &NoImages, now());
    let hits: Vec<String> = preview
        .hits
        .iter()
        .map(|hit| {
            format!(
                "{} {} {} {}/{}: {}",
                hit.recommendation,
                hit.effect,
                hit.kind,
                hit.namespace,
                hit.name,
                hit.messages.join("; ")
            )
        })
        .collect();
    insta::assert_snapshot!(hits.join("\n"), @"
    kubernetes-default-namespace audited Service default/s: is in the namespace default
    kubernetes-default-namespace audited Pod default/e: is in the namespace default
    kubernetes-privileged warned Pod dev/b: container web is privileged
    kubernetes-privileged denied Pod shop/a: container web is privileged
    kubernetes-vulnerable-images warned Pod scratch/c: container web runs registry.example.org/web:1, which has not been scanned
    kubernetes-vulnerable-images warned Pod shop/a: container web runs registry.example.org/web:1, which has not been scanned
    ");
    assert!(preview.gaps.is_empty(), "{:?}", preview.gaps);
    let privileged = preview
        .tallied
        .iter()
        .find(|one| one.recommendation == "kubernetes-privileged")
        .unwrap();
    assert_eq!(
        (privileged.denied, privileged.warned, privileged.audited),
        (1, 1, 0)
    );
}

#[test]
fn a_preview_says_what_the_gate_would_do() {
    let gate = gate(POLICY);
    let preview = preview(&gate, &facts(&objects()), &NoImages, now());
    for object in objects() {
        let answer = create(&gate, &object);
        for decision in &answer.decisions {
            let found = preview.hits.iter().find(|hit| {
                hit.recommendation == decision.recommendation
                    && hit.name == object["metadata"]["name"]
            });
            assert_eq!(
                found.map(|hit| (hit.effect, &hit.messages)),
                Some((decision.effect.as_str(), &decision.messages))
            );
        }
    }
}

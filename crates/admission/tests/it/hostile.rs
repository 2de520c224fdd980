//! Bodies that nobody should send.

use seareeve_admission::{NoImages, Review};
use serde_json::{Value, json};

use crate::support::{create, decide, gate, now, pod, privileged, request};

#[test]
fn what_is_no_review_is_an_error_and_no_panic() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","kind":{{"kind":"Pod"}},"operation":"CREATE","object":{deep}}}}}"#
    );
    for body in [
        "",
        "null",
        "{",
        "[]",
        "\u{0}",
        &deep,
        &nested,
        r#"{"request":7}"#,
    ] {
        assert!(Review::read(body.as_bytes()).is_err());
    }
    assert!(Review::read(&[0xff, 0xfe]).is_err());
    let long = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {"uid": "u".repeat(10_000), "kind": {"kind": "Pod"}, "operation": "CREATE"}});
    assert!(Review::read(long.to_string().as_bytes()).is_err());
}

#[test]
fn objects_of_any_shape_get_an_answer() {
    let gate = gate(
        "mode: deny\nrecommendations: {kubernetes-vulnerable-images: {mode: deny, unscanned: deny}}",
    );
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!("x"),
        json!([]),
        json!([[]]),
        json!({}),
        json!([{}, 1, null]),
    ];
    for value in &values {
        for place in [
            "/metadata",
            "/metadata/annotations",
            "/metadata/labels",
            "/metadata/ownerReferences",
            "/spec",
            "/spec/containers",
            "/spec/containers/0",
            "/spec/containers/0/image",
            "/spec/containers/0/name",
            "/spec/containers/0/securityContext",
            "/spec/containers/0/ports",
            "/spec/containers/0/env",
            "/spec/volumes",
            "/spec/securityContext",
            "/spec/hostNetwork",
            "/kind",
            "/apiVersion",
        ] {
            let mut object = pod("shop", &json!([privileged("web")]));
            object["metadata"]["annotations"] = json!({});
            object["metadata"]["labels"] = json!({});
            object["metadata"]["ownerReferences"] = json!([]);
            for name in ["ports", "env"] {
                object["spec"]["containers"][0][name] = json!([]);
            }
            for name in ["volumes", "securityContext", "hostNetwork"] {
                object["spec"][name] = json!({});
            }
            *object.pointer_mut(place).unwrap() = value.clone();
            let mut asked = request("UPDATE", &object, Some(&object));
            asked["request"]["kind"]["kind"] = json!("Pod");
            asked["request"]["namespace"] = json!("shop");
            asked["request"]["name"] = json!("web");
            // It is answered, one way or another.
            let _ = decide(&gate, &asked);
        }
    }
}

#[test]
fn an_object_that_takes_too_many_steps_is_let_in_and_said() {
    let gate = gate(
        "mode: 'off'\nrecommendations: {kubernetes-host-path: {mode: deny, parameters: {paths: [{path: /a}]}}}",
    );
    let volumes: Vec<Value> = (0..3_000)
        .map(|n| json!({"name": format!("v{n}"), "hostPath": {"path": format!("/b/{n}")}}))
        .collect();
    let mounts: Vec<Value> = (0..3_000)
        .map(|n| json!({"name": format!("w{n}"), "mountPath": "/x"}))
        .collect();
    let mut object = pod(
        "shop",
        &json!([{"name": "web", "image": "web", "volumeMounts": mounts}]),
    );
    object["spec"]["volumes"] = json!(volumes);
    let answer = create(&gate, &object);
    assert!(answer.is_allowed);
    assert_eq!(answer.decisions[0].effect.as_str(), "unchecked");
    assert!(
        answer.warnings[0].contains("could not be checked"),
        "{:?}",
        answer.warnings
    );
}

#[test]
fn the_same_review_has_the_same_answer() {
    let gate = gate("mode: warn");
    let asked = request("CREATE", &pod("default", &json!([privileged("web")])), None);
    let review = Review::read(asked.to_string().as_bytes()).unwrap();
    let first = gate.decide(&review, &NoImages, now());
    assert!(!first.decisions.is_empty());
    assert_eq!(first, gate.decide(&review, &NoImages, now()));
}

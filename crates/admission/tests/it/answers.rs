//! What becomes of requests.

use seareeve_admission::{Review, reply};
use serde_json::{Value, json};

use crate::support::{create, decide, gate, lines, plain, pod, privileged, request};

const DENY: &str = "mode: 'off'\nrecommendations: {kubernetes-privileged: {mode: deny}}";

fn mode(mode: &str) -> String {
    format!("mode: 'off'\nrecommendations: {{kubernetes-privileged: {{mode: '{mode}'}}}}")
}

#[test]
fn a_refusal_names_the_recommendation_the_container_and_the_remedy() {
    let answer = create(
        &gate(DENY),
        &pod("shop", &json!([plain("side"), privileged("web")])),
    );
    insta::assert_json_snapshot!(reply("0b4c7d1e", &answer), @r#"
    {
      "apiVersion": "admission.k8s.io/v1",
      "kind": "AdmissionReview",
      "response": {
        "allowed": false,
        "auditAnnotations": {
          "kubernetes-privileged": "denied: container web is privileged"
        },
        "status": {
          "code": 403,
          "message": "refused by Seareeve: Privileged containers should be avoided (kubernetes-privileged): container web is privileged. Remove `privileged`, and give single capabilities where they are needed.",
          "reason": "Forbidden"
        },
        "uid": "0b4c7d1e"
      }
    }
    "#);
}

#[test]
fn modes_refuse_warn_record_or_pass_over() {
    let object = pod("shop", &json!([privileged("web")]));
    let told = |word: &str| {
        let answer = create(&gate(&mode(word)), &object);
        (
            answer.is_allowed,
            answer.warnings.clone(),
            answer.annotations.len(),
            lines(&answer),
        )
    };
    let line = |effect: &str| {
        vec![format!(
            "kubernetes-privileged {effect}: container web is privileged"
        )]
    };
    let warning = "Seareeve: kubernetes-privileged: container web is privileged".to_owned();
    assert_eq!(told("deny"), (false, vec![], 1, line("denied")));
    assert_eq!(told("warn"), (true, vec![warning], 1, line("warned")));
    assert_eq!(told("audit"), (true, vec![], 1, line("audited")));
    assert_eq!(told("off"), (true, vec![], 0, vec![]));
}

#[test]
fn every_kind_with_a_pod_template_is_judged() {
    let template = json!({"spec": {"containers": [privileged("web")]}});
    let job = json!({"template": template});
    let metadata = json!({"name": "web", "namespace": "shop"});
    let gate = gate(DENY);
    for (version, kind, spec) in [
        ("apps/v1", "Deployment", json!({"template": template})),
        ("apps/v1", "StatefulSet", json!({"template": template})),
        ("apps/v1", "DaemonSet", json!({"template": template})),
        ("apps/v1", "ReplicaSet", json!({"template": template})),
        ("v1", "ReplicationController", json!({"template": template})),
        ("batch/v1", "Job", job.clone()),
        ("batch/v1", "CronJob", json!({"jobTemplate": {"spec": job}})),
    ] {
        let object =
            json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec});
        assert!(!create(&gate, &object).is_allowed, "{kind}");
    }
    let object = json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata, "template": template});
    assert!(!create(&gate, &object).is_allowed);
}

#[test]
fn a_pod_of_a_controller_has_no_name_yet_and_is_judged() {
    let mut object = pod("shop", &json!([privileged("web")]));
    object["metadata"] = json!({
        "generateName": "web-5d9c-",
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d9c", "uid": "u", "controller": true}],
    });
    let mut asked = request("CREATE", &object, None);
    asked["request"]["namespace"] = json!("shop");
    asked["request"]["name"] = Value::Null;
    assert!(!decide(&gate(DENY), &asked).is_allowed);
}

#[test]
fn namespaces_are_left_out_or_have_modes_of_their_own() {
    let gate = gate(
        "mode: 'off'\nexcluded_namespaces: ['ops-*']\nrecommendations:\n  kubernetes-privileged:\n    mode: warn\n    \
         namespaces: {prod: deny, 'prod-*': audit, 'prod-eu-*': deny, scratch: 'off'}\n",
    );
    for (namespace, wanted) in [
        ("shop", "warned"),
        ("prod", "denied"),
        ("prod-us", "audited"),
        ("prod-eu-1", "denied"),
        ("scratch", ""),
        ("ops-1", ""),
        ("kube-system", ""),
        ("gatekeeper-system", ""),
    ] {
        let answer = create(&gate, &pod(namespace, &json!([privileged("web")])));
        let found = answer
            .decisions
            .first()
            .map_or("", |decision| decision.effect.as_str());
        assert_eq!(found, wanted, "{namespace}");
    }
}

#[test]
fn containers_are_left_out_by_name_and_by_image() {
    let gate = gate(
        "mode: 'off'\nexcluded_containers: [istio-*]\nrecommendations:\n  kubernetes-privileged:\n    mode: deny\n    \
         excluded_images: ['registry.example.org/agents/*']\n",
    );
    let mut agent = privileged("agent");
    agent["image"] = json!("registry.example.org/agents/node:3");
    let left_out = json!([agent, privileged("istio-proxy"), plain("web")]);
    assert!(create(&gate, &pod("shop", &left_out)).is_allowed);
    let mut not = left_out.as_array().unwrap().clone();
    not.push(privileged("other"));
    let answer = create(&gate, &pod("shop", &json!(not)));
    assert_eq!(
        lines(&answer),
        ["kubernetes-privileged denied: container other is privileged"]
    );
}

#[test]
fn a_change_is_refused_for_what_it_brings_in() {
    let gate = gate(DENY);
    let before = pod("shop", &json!([privileged("old")]));
    let mut labelled = before.clone();
    labelled["metadata"]["labels"] = json!({"a": "b"});
    let answer = decide(&gate, &request("UPDATE", &labelled, Some(&before)));
    assert!(answer.is_allowed);
    assert_eq!(
        answer.warnings,
        ["Seareeve: kubernetes-privileged: container old is privileged"]
    );

    let more = pod("shop", &json!([privileged("old"), privileged("new")]));
    assert!(!decide(&gate, &request("UPDATE", &more, Some(&before))).is_allowed);

    let all = crate::support::gate(
        "mode: 'off'\nupdates: all\nrecommendations: {kubernetes-privileged: {mode: deny}}",
    );
    assert!(!decide(&all, &request("UPDATE", &labelled, Some(&before))).is_allowed);
}

#[test]
fn what_is_too_much_to_compare_is_new() {
    let many = |last: &str| {
        let mut containers: Vec<Value> = (0..150)
            .map(|number| privileged(&format!("c{number:03}")))
            .collect();
        containers.push(privileged(last));
        pod("shop", &json!(containers))
    };
    let answer = decide(
        &gate(DENY),
        &request("UPDATE", &many("y"), Some(&many("z"))),
    );
    assert!(!answer.is_allowed);
}

#[test]
fn ephemeral_containers_are_judged_and_other_subresources_are_not() {
    let gate = gate(DENY);
    let before = pod("shop", &json!([plain("web")]));
    let mut after = before.clone();
    after["spec"]["ephemeralContainers"] = json!([privileged("debugger")]);
    let mut asked = request("UPDATE", &after, Some(&before));
    asked["request"]["subResource"] = json!("ephemeralcontainers");
    assert_eq!(
        lines(&decide(&gate, &asked)),
        ["kubernetes-privileged denied: container debugger is privileged"]
    );
    asked["request"]["subResource"] = json!("status");
    assert!(decide(&gate, &asked).is_allowed);
}

#[test]
fn what_goes_is_let_go() {
    let gate = gate(DENY);
    let mut ending = pod("shop", &json!([privileged("web")]));
    let mut asked = request("DELETE", &ending, None);
    asked["request"]["object"] = Value::Null;
    asked["request"]["oldObject"] = ending.clone();
    assert!(decide(&gate, &asked).decisions.is_empty());
    ending["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let before = pod("shop", &json!([plain("web")]));
    assert!(
        decide(&gate, &request("UPDATE", &ending, Some(&before)))
            .decisions
            .is_empty()
    );
}

#[test]
fn what_cannot_be_judged_is_let_in_and_said_unless_the_policy_says_otherwise() {
    let rules = "recommendations: {kubernetes-trusted-images: {mode: deny, parameters: {allowed_images: '('}}}";
    let object = pod("shop", &json!([plain("web")]));
    let open = create(&gate(&format!("mode: 'off'\n{rules}")), &object);
    assert!(open.is_allowed);
    assert_eq!(open.decisions[0].effect.as_str(), "unchecked");
    assert!(
        open.warnings[0].contains("kubernetes-trusted-images could not be checked"),
        "{:?}",
        open.warnings
    );
    let closed = create(
        &gate(&format!("mode: 'off'\nunchecked: deny\n{rules}")),
        &object,
    );
    assert!(!closed.is_allowed);
}

#[test]
fn kinds_that_nobody_judges_are_let_in() {
    let object = json!({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"}});
    assert_eq!(create(&gate("mode: deny"), &object).decisions, []);
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}});
    assert_eq!(create(&gate("mode: deny"), &object).decisions, []);
}

#[test]
fn warnings_are_few_and_short_and_of_one_line() {
    let containers: Vec<Value> = (0..60)
        .map(|number| privileged(&format!("c{number}\n\u{1b}[31m{}", "x".repeat(300))))
        .collect();
    let answer = create(&gate(&mode("warn")), &pod("shop", &json!(containers)));
    assert!(answer.warnings.len() < 20);
    assert!(answer.warnings.iter().map(String::len).sum::<usize>() <= 4_096);
    assert!(
        answer
            .warnings
            .iter()
            .all(|line| line.len() <= 256 && !line.chars().any(char::is_control))
    );
    assert!(answer.warnings.last().unwrap().ends_with("more"));
    let annotation = &answer.annotations["kubernetes-privileged"];
    assert!(annotation.len() <= 1_024 && !annotation.chars().any(char::is_control));
}

#[test]
fn services_and_ingresses_are_judged_by_theirs() {
    let gate = gate(
        "mode: 'off'\nrecommendations:\n  kubernetes-service-ports: {mode: deny, parameters: {allowed_ports: ['80']}}\n  \
         kubernetes-https-only: {mode: warn}\n  kubernetes-default-namespace: {mode: audit}\n",
    );
    let metadata = json!({"name": "web", "namespace": "default"});
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 22}]}});
    assert_eq!(
        lines(&create(&gate, &service)),
        [
            "kubernetes-default-namespace audited: is in the namespace default",
            "kubernetes-service-ports denied: the service has port 22",
        ]
    );
    let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": {}});
    assert_eq!(
        lines(&create(&gate, &ingress)),
        ["kubernetes-https-only warned: it has no certificate; it also answers unencrypted"]
    );
}

#[test]
fn reviews_of_other_versions_are_refused() {
    for body in [
        json!({"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview", "request": {}}),
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {"uid": "u", "allowed": true}}),
        json!([]),
    ] {
        assert!(Review::read(body.to_string().as_bytes()).is_err(), "{body}");
    }
}

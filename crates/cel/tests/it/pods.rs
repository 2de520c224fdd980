//! The Pod Security Standards on pods, beside the crate `cel`.

pub(crate) mod rules;

use seareeve_cel::{Bindings, Budget, Environment, Limits, Value};
use serde_json::{Value as Json, json};

use crate::peer;
use crate::support::show;

fn environment() -> Environment {
    Environment::new()
        .variable("spec")
        .variable("cs")
        .variable("ann")
}

/// What the rules speak about, of a pod.
fn given(pod: &Json) -> Json {
    let spec = &pod["spec"];
    let kinds = ["initContainers", "containers", "ephemeralContainers"];
    let containers = kinds.iter().filter_map(|kind| spec[kind].as_array());
    json!({
        "spec": spec,
        "cs": containers.flatten().collect::<Vec<_>>(),
        "ann": pod["metadata"].get("annotations").cloned().unwrap_or(json!({})),
    })
}

/// Where in the pod what stands, and which rules are broken by it.
fn changes() -> Vec<(&'static str, Json, &'static [&'static str])> {
    let container = "/spec/containers/0/securityContext";
    vec![
        ("/spec/none", json!(null), &[]),
        (
            container,
            json!({"allowPrivilegeEscalation": false, "privileged": true, "capabilities": {"drop": ["ALL"]}}),
            &["privileged"],
        ),
        ("/spec/hostPID", json!(true), &["hostNamespaces"]),
        (
            "/spec/volumes",
            json!([{"name": "v", "hostPath": {"path": "/"}}]),
            &["hostPathVolumes", "restrictedVolumes"],
        ),
        (
            "/spec/volumes",
            json!([{"name": "v", "nfs": {}}]),
            &["restrictedVolumes"],
        ),
        (
            "/spec/containers/1/ports",
            json!([{"hostPort": 80}]),
            &["hostPorts"],
        ),
        (
            container,
            json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}),
            &[
                "capabilities_baseline",
                "capabilities_restricted_1.22",
                "capabilities_restricted_1.25",
            ],
        ),
        (
            container,
            json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}),
            &[
                "capabilities_restricted_1.22",
                "capabilities_restricted_1.25",
            ],
        ),
        (
            "/spec/securityContext",
            json!({"runAsNonRoot": true, "seccompProfile": {"type": "Unconfined"}}),
            &[
                "seccompProfile_baseline_1.19",
                "seccompProfile_restricted_1.19",
                "seccompProfile_restricted_1.25",
            ],
        ),
        (
            "/spec/securityContext",
            json!({"runAsNonRoot": true}),
            &[
                "seccompProfile_restricted_1.19",
                "seccompProfile_restricted_1.25",
            ],
        ),
        (
            "/metadata/annotations",
            json!({"container.apparmor.security.beta.kubernetes.io/web": "unconfined"}),
            &["appArmorProfile"],
        ),
        (
            "/metadata/annotations",
            json!({"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}),
            &["seccompProfile_baseline_1.0"],
        ),
        (
            "/spec/securityContext/seLinuxOptions",
            json!({"type": "container_engine_t"}),
            &["seLinuxOptions_1.0"],
        ),
        (
            "/spec/securityContext/seLinuxOptions",
            json!({"user": "root"}),
            &["seLinuxOptions_1.0", "seLinuxOptions_1.31"],
        ),
        (
            "/spec/securityContext/sysctls",
            json!([{"name": "net.ipv4.tcp_fin_timeout"}]),
            &["sysctls_1.0", "sysctls_1.27"],
        ),
        (
            "/spec/containers/0/livenessProbe",
            json!({"httpGet": {"host": "10.0.0.1", "port": 1}}),
            &["hostProbesAndHostLifecycle"],
        ),
        (
            "/spec/securityContext/runAsUser",
            json!(0),
            &["runAsUser_1.23", "runAsUser_1.35"],
        ),
        (
            "/spec/securityContext/runAsNonRoot",
            json!(false),
            &["runAsNonRoot_1.0", "runAsNonRoot_1.35"],
        ),
        (
            "/spec/securityContext/windowsOptions",
            json!({"hostProcess": true}),
            &["windowsHostProcess"],
        ),
        (
            "/spec/containers/0/securityContext/procMount",
            json!("Unmasked"),
            &["procMount_1.0", "procMount_1.35"],
        ),
        (
            "/spec/containers/0/securityContext/allowPrivilegeEscalation",
            json!(true),
            &[
                "allowPrivilegeEscalation_1.8",
                "allowPrivilegeEscalation_1.25",
            ],
        ),
    ]
}

/// The pod with a value put where a pointer says.
fn changed(pointer: &str, value: Json) -> Json {
    let mut pod: Json = serde_json::from_str(rules::POD).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = pod.pointer_mut(parent).expect("the parent is there");
    parent[name] = value;
    pod
}

#[test]
fn every_rule_says_what_is_wrong_and_agrees_with_the_peer() {
    let environment = environment();
    let limits = Limits::default();
    let programs: Vec<_> = rules::RULES
        .iter()
        .map(|(name, text)| (*name, environment.compile(text, &limits).expect(name)))
        .collect();
    for (pointer, value, broken) in changes() {
        let given = given(&changed(pointer, value));
        let mut bindings = Bindings::new(&environment);
        for (name, value) in given.as_object().unwrap() {
            bindings.set(name, value);
        }
        let mut found = Vec::new();
        for (name, program) in &programs {
            let mut budget = Budget::new(10_000, 100_000);
            let value = program.evaluate(&bindings, &mut budget).expect(name);
            if let Value::Bool(false) = value {
                found.push(*name);
            }
            assert_eq!(
                show(&value),
                peer::show_result(program.text(), &given),
                "{name}"
            );
        }
        assert_eq!(found, broken, "{pointer}");
    }
}

#[test]
fn offenders_come_out_by_name() {
    let pod = changed(
        "/spec/containers/1/securityContext",
        json!({"privileged": true}),
    );
    let given = given(&pod);
    let environment = environment();
    let bindings = Bindings::new(&environment).with("cs", &given["cs"]);
    let (_, text) = rules::RULES
        .iter()
        .find(|(name, _)| *name == "offenders_privileged")
        .unwrap();
    let program = environment.compile(text, &Limits::default()).unwrap();
    let mut budget = Budget::new(10_000, 100_000);
    let offenders = program.evaluate(&bindings, &mut budget).unwrap();
    assert_eq!(offenders.to_json(&mut budget).unwrap(), json!(["metrics"]));
}

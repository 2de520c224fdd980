//! What is exported says the same as the checks: both judge the same objects, the one as facts, the other as they are.

use std::collections::BTreeMap;
use std::io::Read as _;

use jiff::Timestamp;
use seareeve_cel::{Bindings, Budget, Environment, Limits, Program};
use seareeve_kubernetes::{Object, alone};
use seareeve_model::FactKind;
use seareeve_posture::{Catalogue, Check, Library, Outcome, judge};
use serde_json::{Map, Value, json};

use super::*;
use crate::facts;
use crate::policy::PolicyFile;

/// What a judge says of an object.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Fine,
    Wrong(String),
    Untold,
}

fn by_facts(check: &Check, params: &Map<String, Value>, object: &Value) -> Option<Said> {
    let object = Object::read(object.clone(), None).ok()?;
    let kind = FactKind::new(object.resource().fact()).unwrap();
    if kind != *check.on() {
        return None;
    }
    let snapshot = facts::snapshot(&kind, vec![alone(object)?]);
    let verdict = judge(check, params, &snapshot, Timestamp::UNIX_EPOCH);
    let Some(object) = verdict.objects.first() else {
        return Some(Said::Fine);
    };
    let messages: Vec<&str> = object
        .items
        .iter()
        .map(|item| item.message.as_str())
        .collect();
    Some(match object.outcome {
        Outcome::Fail => Said::Wrong(messages.join("; ")),
        Outcome::NotCollected | Outcome::Error => Said::Untold,
        Outcome::NeedsReview | Outcome::Excepted | Outcome::Pass | Outcome::NotApplicable => {
            Said::Fine
        }
    })
}

struct Compiled {
    environment: Environment,
    variables: Vec<(String, Program)>,
    validation: Program,
    message: Program,
    texts: Vec<String>,
}

fn compiled(translated: &Translated) -> Compiled {
    let limits = Limits {
        text_bytes: 64 * 1024,
        depth: 128,
        nodes: 20_000,
    };
    let mut environment = Environment::new();
    for name in ["object", "oldObject", "request"] {
        environment = environment.variable(name);
    }
    let mut variables = Vec::new();
    for (name, expression) in &translated.variables {
        let program = environment
            .compile(expression, &limits)
            .unwrap_or_else(|error| panic!("{name}: {expression}\n{error}"));
        let name = format!("variables.{name}");
        environment = environment.variable(&name);
        variables.push((name, program));
    }
    let compile = |text: &str| {
        environment
            .compile(text, &limits)
            .unwrap_or_else(|error| panic!("{text}\n{error}"))
    };
    Compiled {
        validation: compile(&translated.validation),
        message: compile(&translated.message),
        texts: translated
            .variables
            .iter()
            .map(|(_, text)| text.clone())
            .collect(),
        variables,
        environment,
    }
}

fn by_policy(compiled: &Compiled, object: &Value) -> Said {
    let namespace = object.pointer("/metadata/namespace").cloned();
    let request = match namespace {
        Some(namespace) => json!({"operation": "CREATE", "namespace": namespace}),
        None => json!({"operation": "CREATE"}),
    };
    let mut bindings = Bindings::new(&compiled.environment);
    bindings.set("object", object);
    bindings.set("oldObject", seareeve_cel::Value::Null);
    bindings.set("request", &request);
    for (name, program) in &compiled.variables {
        bindings.set_lazily(name, program);
    }
    let mut budget = Budget::new(10_000_000, 64 << 20);
    // Kubernetes selects nothing from an optional that a variable holds, where we do (seen with 1.36).
    for (name, program) in &compiled.variables {
        let value = program.evaluate(&bindings, &mut budget);
        let is_optional = matches!(value, Ok(seareeve_cel::Value::Optional(_)));
        let selected = format!("{name}.?");
        let is_selected = compiled.texts.iter().any(|text| text.contains(&selected));
        assert!(!(is_optional && is_selected), "{name} is an optional");
    }
    match compiled.validation.evaluate(&bindings, &mut budget) {
        Ok(seareeve_cel::Value::Bool(true)) => Said::Fine,
        Ok(seareeve_cel::Value::Bool(false)) => {
            let message = compiled.message.evaluate(&bindings, &mut budget);
            let message = message.unwrap_or_else(|error| panic!("{error}"));
            Said::Wrong(message.as_str().unwrap().to_owned())
        }
        Ok(other) => panic!("{other:?}"),
        Err(_) => Said::Untold,
    }
}

/// Checks with parameters, of every one that can be told by an object alone.
fn uses(library: &Library) -> Vec<(&Check, Map<String, Value>)> {
    let set: BTreeMap<&str, Value> = BTreeMap::from([
        (
            "kubernetes.workload.apparmor",
            json!({"allowed_profiles": ["runtime/default", "localhost/mine"]}),
        ),
        (
            "kubernetes.workload.capabilities",
            json!({"allowed": ["NET_BIND_SERVICE", "chown"], "required_drop": ["ALL"]}),
        ),
        (
            "kubernetes.workload.host-network",
            json!({"allow_host_network": true, "min_port": 8000, "max_port": 9000}),
        ),
        (
            "kubernetes.workload.host-path",
            json!({"paths": [{"path": "/var/log", "read_only": true}, {"path": "/srv/data/"}]}),
        ),
        (
            "kubernetes.workload.image-untrusted",
            json!({"allowed_images": "^registry\\.example\\.org/.+$"}),
        ),
        (
            "kubernetes.workload.limits-missing",
            json!({"cpu": "1", "memory": "512Mi"}),
        ),
        (
            "kubernetes.workload.ports-not-allowed",
            json!({"allowed_ports": ["80", "8080"]}),
        ),
        (
            "kubernetes.service.ports-not-allowed",
            json!({"allowed_ports": ["80", "443"]}),
        ),
        (
            "kubernetes.workload.privilege-escalation",
            json!({"strict": true}),
        ),
        (
            "kubernetes.workload.root-user",
            json!({
                "run_as_user": "MustRunAs", "user_ranges": [{"min": 1000, "max": 2000}], "run_as_group": "MayRunAs",
                "group_ranges": [{"min": 1, "max": 10}], "supplemental_groups": "MustRunAs",
                "supplemental_group_ranges": [{"min": 1, "max": 10}], "fs_group": "MustRunAs",
                "fs_group_ranges": [{"min": 1, "max": 10}],
            }),
        ),
        (
            "kubernetes.workload.default-namespace",
            json!({"namespaces": ["default", "shop"]}),
        ),
    ]);
    let of_objects = library.checks().filter(|check| {
        let on = check.on().as_str();
        resources(on).is_some()
    });
    let mut uses = Vec::new();
    for check in of_objects {
        uses.push((check, Map::new()));
        if let Some(params) = set.get(check.id()) {
            uses.push((check, params.as_object().unwrap().clone()));
        }
    }
    uses
}

/// Pods with one thing each that some check is about, and its near misses.
fn specs() -> Vec<Value> {
    let container = |fields: Value| {
        let mut one = json!({"name": "web", "image": "registry.example.org/web:1"});
        one.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        json!({"containers": [one, {"name": "side", "image": "busybox"}]})
    };
    let security = |fields: Value| container(json!({"securityContext": fields}));
    let mut specs = vec![
        json!({}),
        json!({"containers": []}),
        json!({"automountServiceAccountToken": false, "containers": [{"name": "a", "image": "a"}]}),
        json!({"hostNetwork": true, "hostPID": true, "containers": [{"name": "a", "image": "a"}]}),
        json!({"hostIPC": true, "hostUsers": false, "containers": [{"name": "a", "image": "a", "securityContext": {"procMount": "Unmasked", "runAsUser": 0}}]}),
        json!({"os": {"name": "windows"}, "containers": [{"name": "a", "image": "a", "securityContext": {"windowsOptions": {"hostProcess": true}}}]}),
        json!({"initContainers": [{"name": "i", "image": "i", "securityContext": {"privileged": true}}], "containers": [{"name": "a", "image": "a"}]}),
        json!({"containers": [{"name": "a", "image": "a"}], "ephemeralContainers": [{"name": "e", "image": "e", "securityContext": {"privileged": true, "capabilities": {"add": ["SYS_PTRACE"]}}}]}),
        container(
            json!({"ports": [{"containerPort": 80}, {"containerPort": 8443, "hostPort": 8443}, {"containerPort": 1, "hostPort": 1}]}),
        ),
        container(json!({"resources": {"limits": {"cpu": "2", "memory": "1Gi"}}})),
        container(json!({"resources": {"limits": {"cpu": "500m", "memory": "many"}}})),
        container(json!({"resources": {"requests": {"cpu": "500m"}}})),
        container(
            json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}], "envFrom": [{"secretRef": {"name": "t"}}]}),
        ),
        container(
            json!({"livenessProbe": {"httpGet": {"host": "10.0.0.1", "port": 80}}, "lifecycle": {"preStop": {"tcpSocket": {"host": "h", "port": 1}}}}),
        ),
    ];
    for fields in [
        json!({"privileged": true}),
        json!({"privileged": false}),
        json!({"allowPrivilegeEscalation": true}),
        json!({"allowPrivilegeEscalation": false}),
        json!({"readOnlyRootFilesystem": true}),
        json!({"runAsNonRoot": true}),
        json!({"runAsNonRoot": false}),
        json!({"runAsUser": 0}),
        json!({"runAsUser": 1500, "runAsGroup": 5}),
        json!({"runAsUser": 3000, "runAsGroup": 50}),
        json!({"capabilities": {"add": ["SYS_ADMIN"]}}),
        json!({"capabilities": {"add": ["CAP_sys_admin", "NET_BIND_SERVICE"], "drop": ["ALL"]}}),
        json!({"capabilities": {"add": ["ALL"], "drop": ["NET_RAW"]}}),
        json!({"capabilities": {"drop": ["ALL"]}}),
        json!({"seccompProfile": {"type": "Unconfined"}}),
        json!({"seccompProfile": {"type": "RuntimeDefault"}}),
        json!({"appArmorProfile": {"type": "Unconfined"}}),
        json!({"appArmorProfile": {"type": "Localhost", "localhostProfile": "mine"}}),
        json!({"seLinuxOptions": {"type": "spc_t"}}),
        json!({"seLinuxOptions": {"user": "u", "type": "container_t"}}),
        json!({"procMount": "Unmasked"}),
        json!({}),
    ] {
        specs.push(security(fields.clone()));
        specs.push(
            json!({"securityContext": fields, "containers": [{"name": "web", "image": "web"}]}),
        );
    }
    for fields in [
        json!({"supplementalGroups": [5, 50], "fsGroup": 5}),
        json!({"fsGroup": 50}),
        json!({"sysctls": [{"name": "kernel.msgmax", "value": "1"}, {"name": "net.ipv4.tcp_syncookies", "value": "1"}]}),
    ] {
        specs.push(
            json!({"securityContext": fields, "containers": [{"name": "web", "image": "web"}]}),
        );
    }
    for path in [
        "/",
        "/etc",
        "/var/log",
        "/var/logs",
        "//var/./log/app",
        "/var/log/../../etc",
        "/srv/data",
        "relative/path",
    ] {
        for read_only in [true, false] {
            specs.push(json!({
                "volumes": [{"name": "host", "hostPath": {"path": path}}, {"name": "tmp", "emptyDir": {}}, {"name": "nfs", "nfs": {"server": "s", "path": "/"}}],
                "containers": [{"name": "web", "image": "web", "volumeMounts": [{"name": "host", "mountPath": "/h", "readOnly": read_only}]}],
            }));
        }
    }
    specs
}

/// A pod spec as an object of each kind, with annotations.
fn workloads() -> Vec<Value> {
    let annotations = [
        json!({}),
        json!({"container.apparmor.security.beta.kubernetes.io/web": "unconfined", "seccomp.security.alpha.kubernetes.io/pod": "unconfined"}),
        json!({"container.apparmor.security.beta.kubernetes.io/web": "localhost/mine", "container.seccomp.security.alpha.kubernetes.io/web": "localhost/x"}),
    ];
    let mut objects = Vec::new();
    for (at, spec) in specs().into_iter().enumerate() {
        let annotations = &annotations[at % annotations.len()];
        let metadata =
            json!({"name": "web", "namespace": if at % 3 == 0 { "default" } else { "shop" }});
        let mut with = metadata.clone();
        with["annotations"] = annotations.clone();
        let template = json!({"metadata": {"annotations": annotations}, "spec": spec});
        objects.push(json!({"apiVersion": "v1", "kind": "Pod", "metadata": with, "spec": spec}));
        objects.push(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}}));
        objects.push(json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata, "template": template}));
        objects.push(json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"generateName": "web-"}, "spec": {"jobTemplate": {"spec": {"template": template}}}}));
    }
    objects.push(json!({"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "none"}, "spec": {"replicas": 0}}));
    objects
}

fn others() -> Vec<Value> {
    let mut objects = Vec::new();
    for namespace in ["default", "shop"] {
        for ports in [
            json!([]),
            json!([{"port": 80}, {"port": 22}]),
            json!([{"port": 443}]),
        ] {
            objects.push(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kubernetes", "namespace": namespace}, "spec": {"ports": ports}}));
        }
        objects.push(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}}));
        objects.push(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": namespace}}));
    }
    let rules = [
        json!([]),
        json!([{"host": "a.example.org"}]),
        json!([{"host": "a.example.org"}, {"host": "b.c.example.org"}, {}]),
        json!([{"host": "*.example.org"}, {"host": ""}]),
        json!([{"host": "localhost"}]),
    ];
    let tls = [
        json!(null),
        json!([]),
        json!([{"secretName": "s"}]),
        json!([{"hosts": ["*.example.org"]}]),
        json!([{"hosts": ["a.example.org", "localhost"]}]),
    ];
    let annotations = [
        json!({}),
        json!({"kubernetes.io/ingress.allow-http": "false"}),
        json!({"kubernetes.io/ingress.allow-http": "true", "haproxy.org/ssl-redirect": "TRUE"}),
        json!({"kubernetes.io/ingress.allow-http": "True"}),
        json!({"traefik.ingress.kubernetes.io/router.entrypoints": "websecure"}),
        json!({"alb.ingress.kubernetes.io/ssl-redirect": "443"}),
    ];
    for rules in &rules {
        for tls in &tls {
            for annotations in &annotations {
                for backend in [false, true] {
                    let mut spec = json!({"rules": rules});
                    if !tls.is_null() {
                        spec["tls"] = tls.clone();
                    }
                    if backend {
                        spec["defaultBackend"] = json!({"service": {"name": "s"}});
                    }
                    objects.push(json!({
                        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": spec,
                        "metadata": {"name": "web", "namespace": "shop", "annotations": annotations},
                    }));
                }
            }
        }
    }
    objects
}

/// The objects that the checks' own examples speak of, as they would stand in a cluster.
fn of_examples() -> Vec<Value> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../content/checks/kubernetes"
    );
    let mut objects = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        let check = seareeve_kubernetes::value(&text).unwrap();
        if check["on"] != "kubernetes.workload" {
            continue;
        }
        for example in check["examples"].as_array().unwrap() {
            let it = &example["it"];
            let mut metadata = json!({"name": "example", "annotations": it.get("annotations").cloned().unwrap_or(json!({}))});
            if let Some(namespace) = it.get("namespace").filter(|namespace| *namespace != "") {
                metadata["namespace"] = namespace.clone();
            }
            let spec = it.get("spec").cloned().unwrap_or(json!({}));
            objects.push(
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}),
            );
        }
    }
    objects
}

/// Objects of a real cluster, from the shared data.
#[expect(
    clippy::print_stderr,
    reason = "a test that compares less than it could says so"
)]
fn of_a_cluster() -> Vec<Value> {
    let shared = std::env::var("SEAREEVE_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    let path = format!("{shared}/data/kubernetes/objects.json.zst");
    let Ok(file) = std::fs::File::open(&path) else {
        let required = std::env::var("SEAREEVE_REQUIRE_SHARED").is_ok_and(|value| value == "1");
        assert!(!required, "{path} is not there");
        eprintln!("{path} is not there: objects of a real cluster are not compared");
        return Vec::new();
    };
    let mut text = String::new();
    zstd::Decoder::new(file)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let mut objects = Vec::new();
    gather(value, &mut objects);
    assert!(objects.len() > 20, "{}", objects.len());
    objects
}

/// Whatever says its kind and is no list.
fn gather(value: Value, objects: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.into_iter().for_each(|item| gather(item, objects)),
        Value::Object(mut fields) => {
            let items = fields.remove("items");
            let kind = fields
                .get("kind")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            match items {
                Some(Value::Array(items)) => {
                    let of_list = kind.strip_suffix("List").map(str::to_owned);
                    let version = fields.get("apiVersion").cloned();
                    for mut item in items {
                        if let (Some(kind), Some(version), Some(item)) =
                            (&of_list, &version, item.as_object_mut())
                        {
                            item.entry("kind").or_insert(json!(kind));
                            item.entry("apiVersion").or_insert(version.clone());
                        }
                        gather(item, objects);
                    }
                }
                _ if fields.contains_key("metadata") && !kind.is_empty() => {
                    objects.push(Value::Object(fields))
                }
                _ => fields
                    .into_iter()
                    .for_each(|(_, value)| gather(value, objects)),
            }
        }
        _ => {}
    }
}

#[test]
fn what_is_exported_judges_as_the_checks_do() {
    let library = Library::builtin();
    let mut objects = workloads();
    objects.extend(others());
    objects.extend(of_examples());
    objects.extend(of_a_cluster());
    let (mut compared, mut wrong) = (0, 0);
    for (check, params) in uses(&library) {
        let mut all = check.params().clone();
        all.extend(params.clone());
        let excluded = Excluded::default();
        let Ok(translated) = translate(
            &check.anatomy(),
            check.on().as_str(),
            &Value::Object(all),
            &excluded,
        ) else {
            continue;
        };
        // The compiler there takes such a call for one of a truth value, and fails when it is none (seen with 1.36).
        let texts = translated.variables.iter().map(|(_, text)| text);
        for text in texts.chain([&translated.validation, &translated.message]) {
            let is_safe = !text.replace(' ', "").contains(".value())");
            assert!(is_safe, "{}: {text}", check.id());
        }
        let policy = compiled(&translated);
        for object in &objects {
            let Some(by_facts) = by_facts(check, &params, object) else {
                continue;
            };
            let by_policy = by_policy(&policy, object);
            // The order and the number of hosts differ, the verdict does not.
            let is_same = match (&by_facts, &by_policy) {
                (Said::Wrong(_), Said::Wrong(_))
                    if check.id() == "kubernetes.ingress.plain-http" =>
                {
                    true
                }
                (facts, policy) => facts == policy,
            };
            assert!(
                is_same,
                "{} {params:?}\n{object:#}\nfacts: {by_facts:?}\npolicy: {by_policy:?}",
                check.id()
            );
            compared += 1;
            wrong += usize::from(matches!(by_facts, Said::Wrong(_)));
        }
    }
    // Enough of both, so that a test that compares nothing does not pass.
    assert!(compared > 10_000 && wrong > 2_000, "{compared} {wrong}");
}

#[test]
fn what_cannot_be_exported_says_why() {
    let library = Library::builtin();
    let mut reasons = Vec::new();
    for (check, _) in uses(&library)
        .into_iter()
        .filter(|(_, params)| params.is_empty())
    {
        let params = Value::Object(check.params().clone());
        let translated = translate(
            &check.anatomy(),
            check.on().as_str(),
            &params,
            &Excluded::default(),
        );
        if let Err(reason) = translated {
            reasons.push(format!("{}: {reason}", check.id()));
        }
    }
    insta::assert_snapshot!(reasons.join("\n"), @"
    kubernetes.service-account.default-used: it reads `automount`, which the facts work out and an object does not say
    kubernetes.service-account.lasting-token: it only says what a person should look at
    kubernetes.workload.api-token-mounted: it reads `effective`, which the facts work out and an object does not say
    kubernetes.workload.net-raw: it reads `effective`, which the facts work out and an object does not say
    kubernetes.workload.secret-in-environment: it reads `inline_credentials`, which the facts work out and an object does not say
    kubernetes.workload.vulnerable-image: it needs to know more than the object: `scans` is nothing that a policy of Kubernetes can ask for
    ");
}

#[test]
fn every_recommendation_but_the_one_about_scans_is_exported() {
    let (library, catalogue) = (Library::builtin(), Catalogue::builtin());
    let mut file = PolicyFile::default();
    for recommendation in Policy::enforceable(&catalogue) {
        let rule = file
            .recommendations
            .entry(recommendation.id.clone())
            .or_default();
        rule.mode = Some(Mode::Warn);
    }
    let policy = Policy::new(file, &library, &catalogue).unwrap();
    let export = export(&policy, &library);
    let left_out: Vec<&str> = export
        .not_exported
        .iter()
        .map(|one| one.recommendation.as_str())
        .collect();
    assert_eq!(left_out, ["kubernetes-vulnerable-images"]);
    let recommendations: std::collections::BTreeSet<&str> = export
        .exported
        .iter()
        .map(|one| one.recommendation.as_str())
        .collect();
    assert_eq!(recommendations.len(), 17);
}

#[test]
fn a_policy_and_its_bindings_in_yaml() {
    let (library, catalogue) = (Library::builtin(), Catalogue::builtin());
    let file = PolicyFile::parse(
        "{schema: seareeve.admission/1, mode: 'off', excluded_images: ['registry.example.org/agents/*'], \
         recommendations: {kubernetes-privileged: {mode: audit, namespaces: {prod: deny, dev: warn, scratch: 'off'}, \
         excluded_namespaces: [kube-system]}, kubernetes-vulnerable-images: {mode: warn}}}",
    )
    .unwrap();
    let policy = Policy::new(file, &library, &catalogue).unwrap();
    insta::assert_snapshot!(export(&policy, &library).to_yaml());
}

#[test]
fn patterns_become_expressions_for_whole_texts() {
    for (pattern, text, fits) in [
        ("web", "web", true),
        ("web", "web-1", false),
        ("registry.example.org/*", "registry.example.org/a/b:1", true),
        ("registry.example.org/*", "registryXexample.org/a", false),
        ("*", "", true),
        ("a+(b)", "a+(b)", true),
    ] {
        assert_eq!(
            seareeve_posture::fits(pattern, text),
            fits,
            "{pattern} {text}"
        );
        let program = Environment::new()
            .compile(
                &format!(
                    "{}.matches({})",
                    quoted(text),
                    quoted(&prelude::expression(pattern))
                ),
                &Limits::default(),
            )
            .unwrap();
        let environment = Environment::new();
        let bindings = Bindings::new(&environment);
        let value = program
            .evaluate(&bindings, &mut Budget::new(10_000, 10_000))
            .unwrap();
        assert!(
            matches!(value, seareeve_cel::Value::Bool(said) if said == fits),
            "{pattern} {text}"
        );
    }
}

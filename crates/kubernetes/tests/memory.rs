//! A large cluster fits into little memory, and its facts are made one at a time.

use seareeve_kubernetes::{Change, KINDS, Kind, Object, State};
use seareeve_model::FactKind;
use serde_json::{Value, json};

/// The most memory that this process has had, in MiB. Other systems than Linux do not say.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

fn metadata(name: &str, namespace: &str, owner: Option<(&str, &str)>) -> Value {
    let mut metadata = json!({
        "name": name, "namespace": namespace, "uid": format!("{name}-0000-1111-2222-333333333333"),
        "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "shop", "pod-template-hash": "5cbf77fd75"},
        "annotations": {"checksum/config": "d41d8cd98f00b204e9800998ecf8427e", "prometheus.io/scrape": "true"},
        "creationTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "123456",
        "managedFields": [{"manager": "kube-controller-manager", "fieldsV1": {"f:spec": {"f:containers": {}}}}],
    });
    if let Some((kind, owner)) = owner {
        metadata["ownerReferences"] = json!([{
            "apiVersion": "apps/v1", "kind": kind, "name": owner, "controller": true, "blockOwnerDeletion": true,
            "uid": format!("{owner}-0000-1111-2222-333333333333"),
        }]);
    }
    metadata
}

/// A pod spec such as clusters have: two containers with probes, environment, resources and mounts.
fn spec() -> Value {
    let container = |name: &str| {
        let variables: Vec<Value> = (0..8)
            .map(|n| json!({"name": format!("SETTING_NUMBER_{n}"), "value": format!("value of setting {n}")}))
            .collect();
        json!({
            "name": name, "image": format!("registry.example.org/team/{name}:1.2.3"), "env": variables,
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}, "periodSeconds": 10},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"}, "periodSeconds": 10},
            "securityContext": {"runAsNonRoot": true, "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [
                {"name": "config", "mountPath": "/etc/app"}, {"name": "data", "mountPath": "/var/lib/app"},
                {"name": "kube-api-access", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true},
            ],
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
        })
    };
    json!({
        "containers": [container("app"), container("helper")], "serviceAccountName": "runner", "restartPolicy": "Always",
        "volumes": [{"name": "config", "configMap": {"name": "config"}}, {"name": "data", "emptyDir": {}}],
        "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": {
            "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "app"}}, "topologyKey": "kubernetes.io/hostname"}}]}},
    })
}

#[test]
fn twenty_thousand_objects_fit_in_200_mib_with_their_facts() {
    let mut state = State::new(Kind::Cluster);
    let mut put = |value: Value| {
        let object = Object::read(value, None).unwrap();
        state.apply(Change::Put(object));
    };
    let spec = spec();
    let template = json!({"metadata": {"labels": {"app": "x"}}, "spec": spec});
    for number in 0..2_500 {
        let namespace = format!("team-{}", number % 50);
        let name = format!("workload-{number}");
        let set = format!("{name}-5cbf77fd75");
        put(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(&name, &namespace, None),
            "spec": {"replicas": 5, "template": template},
        }));
        put(json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata(&set, &namespace, Some(("Deployment", &name))),
            "spec": {"replicas": 5, "template": template},
        }));
        for pod in 0..5 {
            put(json!({
                "apiVersion": "v1", "kind": "Pod", "spec": spec,
                "metadata": metadata(&format!("{set}-{pod}"), &namespace, Some(("ReplicaSet", &set))),
                "status": {"phase": "Running", "containerStatuses": [
                    {"image": "registry.example.org/team/app:1.2.3", "imageID": "registry.example.org/team/app@sha256:0123456789abcdef"},
                ]},
            }));
        }
        put(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata(&name, &namespace, None),
            "roleRef": {"kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        }));
    }
    assert_eq!(state.len(), 20_000);
    let mut facts = 0;
    for kind in KINDS {
        facts += state.facts(&FactKind::new(kind).unwrap()).count();
    }
    assert_eq!(facts, 2_500 * 3 + 2);
    if let Some(most) = most_memory() {
        assert!(most < 200, "{most} MiB");
    }
}

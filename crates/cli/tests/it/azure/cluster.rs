//! A cluster as it is seen from within: one in which all is as CIS AKS wants it, and one in which nothing is.

use jiff::Timestamp;
use seareeve_kubernetes::{About, Change, Kind, Label, Object, Observed, Seen, State, snapshot};
use seareeve_lab::azure::documents;
use seareeve_model::{Collection, Fact, FactKind};
use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    Good,
    Bad,
}

/// Its facts, as `seareeve k8s --save-facts` and a sensor on its node see them.
pub(super) fn facts(care: Care) -> String {
    let mut state = State::new(Kind::Cluster);
    let is_good = care == Care::Good;
    state.set_about(About {
        version: Some("v1.36.3".to_owned()),
        endpoint: Some(match care {
            Care::Good => "https://10.0.0.1:443".to_owned(),
            Care::Bad => "https://rusty-1.hcp.westus.azmk8s.io:443".to_owned(),
        }),
        ..About::default()
    });
    let objects = match care {
        Care::Good => good(),
        Care::Bad => bad(),
    };
    for object in objects {
        state.apply(Change::Put(Object::read(object, None).unwrap()));
    }
    let timeout = if is_good { "4h0m0s" } else { "0s" };
    state.observe(Observed {
        component: "kubelet".to_owned(),
        node: "n1".to_owned(),
        source: Seen::Configz,
        configz: Some(json!({"kubeletconfig": {
            "authentication": {
                "anonymous": {"enabled": !is_good},
                "webhook": {"enabled": is_good},
                "x509": {"clientCAFile": if is_good { "/etc/kubernetes/certs/ca.crt" } else { "" }},
            },
            "authorization": {"mode": if is_good { "Webhook" } else { "AlwaysAllow" }},
            "readOnlyPort": if is_good { 0 } else { 10_255 },
            "streamingConnectionIdleTimeout": timeout,
            "makeIPTablesUtilChains": is_good,
            "eventRecordQPS": if is_good { 0 } else { 1 },
            "rotateCertificates": is_good,
            "serverTLSBootstrap": is_good,
            "featureGates": {"RotateKubeletServerCertificate": is_good},
        }})),
        ..Observed::default()
    });
    let label = Label {
        asset_id: "4f2a".to_owned(),
        asset_name: "within".to_owned(),
        collected_at: Timestamp::UNIX_EPOCH,
        collector: "test".to_owned(),
        source: "test".to_owned(),
    };
    let mut seen = snapshot(&state, label);
    let files = [
        ("kubeconfig.kubelet", "/var/lib/kubelet/kubeconfig"),
        ("cloud.azure", "/etc/kubernetes/azure.json"),
    ];
    let files = files.map(|(role, path)| Fact {
        id: path.to_owned(),
        name: path.to_owned(),
        data: json!({
            "role": role, "path": path, "node": "n1", "exists": true, "reachable_by_others": true,
            "mode": if is_good { "0600" } else { "0666" }, "mode_bits": if is_good { 0o600 } else { 0o666 },
            "uid": if is_good { 0 } else { 1000 }, "gid": if is_good { 0 } else { 1000 },
            "user": if is_good { "root" } else { "eve" }, "group": if is_good { "root" } else { "eve" },
        }),
    });
    seen.facts.insert(
        FactKind::new("kubernetes.node-file").unwrap(),
        Collection::of("test", files.into()),
    );
    serde_json::to_string(&seen).unwrap()
}

fn node(provider: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"},
        "spec": {"providerID": provider}, "status": {"nodeInfo": {"kubeletVersion": "v1.36.3", "operatingSystem": "linux"}}})
}

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

fn account(namespace: &str, name: &str, automount: Option<bool>) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace},
        "automountServiceAccountToken": automount})
}

fn good() -> Vec<Value> {
    let policy = |namespace: &str| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": "closed", "namespace": namespace},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}})
    };
    let machine = format!(
        "{}/providers/Microsoft.Compute/virtualMachineScaleSets/aks-system-vmss/virtualMachines/0",
        documents::GOOD_NODES
    );
    vec![
        node(&machine),
        namespace("shop"),
        namespace("default"),
        policy("shop"),
        policy("default"),
        account("shop", "default", Some(false)),
        account("default", "default", Some(false)),
        account("shop", "web", Some(false)),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": {
            "serviceAccountName": "web", "automountServiceAccountToken": false,
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "web", "image": "quayimages.azurecr.io/web:1",
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}],
        }}}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "external-secrets", "namespace": "kube-system"},
            "spec": {"template": {"spec": {"containers": [
                {"name": "c", "image": "ghcr.io/external-secrets/external-secrets:v0.9"}]}}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"ports": [{"port": 80}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "web", "namespace": "shop",
                "annotations": {"kubernetes.io/ingress.allow-http": "false"}},
            "spec": {"tls": [{"hosts": ["shop.example"], "secretName": "cert"}], "rules": [{"host": "shop.example"}]}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "reads", "namespace": "shop"},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "reads", "namespace": "shop"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reads"},
            "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "shop"}]}),
    ]
}

fn bad() -> Vec<Value> {
    let rule = |groups: &[&str], resources: &[&str], verbs: &[&str]| json!({"apiGroups": groups, "resources": resources, "verbs": verbs});
    let bound = |name: &str, role: &str, user: &str| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}]})
    };
    vec![
        node("azure:///subscriptions/elsewhere/resourceGroups/x/providers/y"),
        namespace("attic"),
        account("attic", "default", None),
        account("default", "robot", None),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root", "namespace": "default"}, "spec": {
        "hostPID": true, "hostIPC": true, "hostNetwork": true, "automountServiceAccountToken": true,
        "containers": [
            {"name": "a", "image": "anything", "securityContext": {"privileged": true}},
            {"name": "b", "image": "anything", "env": [{"name": "PASSWORD",
                "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
        ]}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "open", "namespace": "default"},
            "spec": {"ports": [{"port": 80}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "open", "namespace": "default"},
            "spec": {"rules": [{"host": "attic.example"}]}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "cluster-admin"},
            "rules": [rule(&["*"], &["*"], &["*"])]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "wide"},
            "rules": [rule(&[""], &["*"], &["get"])]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "power"},
        "rules": [
            rule(&[""], &["secrets"], &["get", "list", "watch"]),
            rule(&[""], &["pods", "persistentvolumes", "serviceaccounts/token"], &["create"]),
            rule(&[""], &["nodes/proxy"], &["get", "create"]),
            rule(&["certificates.k8s.io"], &["certificatesigningrequests/approval"], &["update"]),
            rule(&["certificates.k8s.io"], &["signers"], &["approve"]),
            rule(&["admissionregistration.k8s.io"],
                &["validatingwebhookconfigurations", "mutatingwebhookconfigurations"], &["create", "update", "patch"]),
            rule(&["rbac.authorization.k8s.io"], &["clusterroles", "roles"], &["bind", "escalate"]),
            rule(&[""], &["users", "groups"], &["impersonate"]),
        ]}),
        bound("eve", "cluster-admin", "eve"),
        bound("mallory", "power", "mallory"),
    ]
}

//! How a pod and its containers would run: what they say, what they inherit, and where each comes from.

use serde_json::{Map, Value, json};

use crate::json::text;
use crate::pods::{self, with_roles};

/// Where a value may come from, best first.
type Sources<'v> = [(&'static str, Option<Value>)];

/// What a pod's service account says about mounting its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Automount {
    /// The service account was not seen.
    Unknown,
    /// Nothing, which means yes.
    Unsaid,
    Says(bool),
}

/// `{pod, containers}` of a pod spec.
pub(super) fn effective(spec: &Value, annotations: &Value, automount: Automount) -> Value {
    let containers = with_roles(spec).map(|(role, container)| {
        let mut item = Map::new();
        crate::json::put(&mut item, "name", text(container, "/name"));
        item.insert("role".to_owned(), role.as_str().into());
        security(spec, container, annotations, &mut item);
        Value::Object(item)
    });
    let containers: Vec<Value> = containers.collect();
    json!({"pod": pod(spec, automount), "containers": containers})
}

fn pod(spec: &Value, automount: Automount) -> Value {
    let mut item = Map::new();
    for (name, default) in [
        ("hostNetwork", false),
        ("hostPID", false),
        ("hostIPC", false),
        ("shareProcessNamespace", false),
        ("hostUsers", true),
    ] {
        let own = spec.get(name).cloned();
        set(
            &mut item,
            name,
            &[("pod", own), ("default", Some(default.into()))],
        );
    }
    let has_account = ["serviceAccountName", "serviceAccount"]
        .into_iter()
        .any(|name| spec.get(name).is_some());
    let source = if has_account { "pod" } else { "default" };
    set(
        &mut item,
        "serviceAccountName",
        &[(source, Some(pods::account(spec).into()))],
    );
    let token = "automountServiceAccountToken";
    let by_account = match automount {
        Automount::Says(says) => ("service-account", Some(says.into())),
        Automount::Unsaid => ("default", Some(true.into())),
        Automount::Unknown => ("default", None),
    };
    set(
        &mut item,
        token,
        &[("pod", spec.get(token).cloned()), by_account],
    );
    let selected = spec
        .get("nodeSelector")
        .and_then(|selector| selector.get("kubernetes.io/os"));
    set(
        &mut item,
        "os",
        &[
            ("pod", spec.pointer("/os/name").cloned()),
            ("node-selector", selected.cloned()),
        ],
    );
    Value::Object(item)
}

fn security(spec: &Value, container: &Value, annotations: &Value, item: &mut Map<String, Value>) {
    let own = |name: &str| container.get("securityContext")?.get(name).cloned();
    let pods = |name: &str| spec.get("securityContext")?.get(name).cloned();
    // What only a container can say.
    for (name, default) in [
        ("privileged", Value::Bool(false)),
        ("readOnlyRootFilesystem", Value::Bool(false)),
        ("allowPrivilegeEscalation", Value::Bool(true)),
        ("procMount", "Default".into()),
    ] {
        set(
            item,
            name,
            &[("container", own(name)), ("default", Some(default))],
        );
    }
    // What it inherits.
    for (name, default) in [
        ("runAsNonRoot", Some(Value::Bool(false))),
        ("runAsUser", None),
        ("runAsGroup", None),
        ("seLinuxOptions", None),
    ] {
        set(
            item,
            name,
            &[
                ("container", own(name)),
                ("pod", pods(name)),
                ("default", default),
            ],
        );
    }
    let host_process = |options: Option<Value>| options?.get("hostProcess").cloned();
    set(
        item,
        "hostProcess",
        &[
            ("container", host_process(own("windowsOptions"))),
            ("pod", host_process(pods("windowsOptions"))),
            ("default", Some(false.into())),
        ],
    );
    let given = own("capabilities");
    let part = |name: &str| {
        let list = given.as_ref().and_then(|given| given.get(name));
        list.cloned().unwrap_or_else(|| json!([]))
    };
    let source = if given.is_some() {
        "container"
    } else {
        "default"
    };
    let capabilities = json!({"add": part("add"), "drop": part("drop")});
    set(item, "capabilities", &[(source, Some(capabilities))]);
    profiles(container, annotations, &own, &pods, item);
}

/// Seccomp and AppArmor were annotations before they were fields.
fn profiles(
    container: &Value,
    annotations: &Value,
    own: &dyn Fn(&str) -> Option<Value>,
    pods: &dyn Fn(&str) -> Option<Value>,
    item: &mut Map<String, Value>,
) {
    let name = text(container, "/name").unwrap_or_default();
    let annotation = |key: &str| profile(annotations.get(key)?.as_str()?);
    let seccomp = "seccomp.security.alpha.kubernetes.io";
    set(
        item,
        "seccompProfile",
        &[
            ("container", own("seccompProfile")),
            ("pod", pods("seccompProfile")),
            (
                "annotation",
                annotation(&format!("container.{seccomp}/{name}")),
            ),
            ("annotation", annotation(&format!("{seccomp}/pod"))),
        ],
    );
    let apparmor = format!("container.apparmor.security.beta.kubernetes.io/{name}");
    set(
        item,
        "appArmorProfile",
        &[
            ("container", own("appArmorProfile")),
            ("pod", pods("appArmorProfile")),
            ("annotation", annotation(&apparmor)),
        ],
    );
}

/// The field that an annotation stands for.
fn profile(annotation: &str) -> Option<Value> {
    match annotation {
        "" => None,
        "runtime/default" | "docker/default" => Some(json!({"type": "RuntimeDefault"})),
        "unconfined" => Some(json!({"type": "Unconfined"})),
        other => {
            let local = other.strip_prefix("localhost/").unwrap_or(other);
            Some(json!({"type": "Localhost", "localhostProfile": local}))
        }
    }
}

fn set(item: &mut Map<String, Value>, name: &str, sources: &Sources<'_>) {
    let found = sources
        .iter()
        .find_map(|(source, value)| Some((source, value.as_ref()?)));
    if let Some((source, value)) = found {
        item.insert(name.to_owned(), json!({"value": value, "source": source}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_inherit_and_say_from_where() {
        let spec = json!({
            "hostPID": true,
            "serviceAccount": "old",
            "nodeSelector": {"kubernetes.io/os": "windows"},
            "securityContext": {"runAsUser": 1, "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {"name": "own", "securityContext": {"runAsUser": 0, "runAsNonRoot": false, "privileged": true,
                    "capabilities": {"add": ["SYS_ADMIN"]}, "appArmorProfile": {"type": "Unconfined"}}},
                {"name": "heir"},
            ],
        });
        let annotations = json!({
            "container.apparmor.security.beta.kubernetes.io/own": "runtime/default",
            "container.apparmor.security.beta.kubernetes.io/heir": "localhost/k8s-nginx",
        });
        let seen = effective(&spec, &annotations, Automount::Unknown);
        let at = |pointer: &str| {
            let found = seen.pointer(pointer);
            found.map(|found| format!("{} {}", found["value"], found["source"].as_str().unwrap()))
        };
        for (pointer, wanted) in [
            ("/pod/hostPID", Some("true pod")),
            ("/pod/hostIPC", Some("false default")),
            ("/pod/hostUsers", Some("true default")),
            ("/pod/serviceAccountName", Some("\"old\" pod")),
            ("/pod/automountServiceAccountToken", None),
            ("/pod/os", Some("\"windows\" node-selector")),
            ("/containers/0/runAsUser", Some("0 container")),
            ("/containers/0/runAsNonRoot", Some("false container")),
            ("/containers/0/privileged", Some("true container")),
            (
                "/containers/0/seccompProfile",
                Some(r#"{"type":"RuntimeDefault"} pod"#),
            ),
            (
                "/containers/0/appArmorProfile",
                Some(r#"{"type":"Unconfined"} container"#),
            ),
            (
                "/containers/0/capabilities",
                Some(r#"{"add":["SYS_ADMIN"],"drop":[]} container"#),
            ),
            ("/containers/1/runAsUser", Some("1 pod")),
            ("/containers/1/runAsGroup", None),
            (
                "/containers/1/allowPrivilegeEscalation",
                Some("true default"),
            ),
            (
                "/containers/1/appArmorProfile",
                Some(r#"{"localhostProfile":"k8s-nginx","type":"Localhost"} annotation"#),
            ),
            (
                "/containers/1/capabilities",
                Some(r#"{"add":[],"drop":[]} default"#),
            ),
        ] {
            assert_eq!(at(pointer).as_deref(), wanted, "{pointer}");
        }
        let off = effective(&spec, &annotations, Automount::Says(false));
        assert_eq!(
            off.pointer("/pod/automountServiceAccountToken"),
            Some(&json!({"value": false, "source": "service-account"}))
        );
    }
}

//! Pod specs, wherever they stand.

use serde_json::Value;

use crate::json::text;
use crate::resource::Resource;

/// The lists of containers of a pod spec, in the order in which checks see them.
pub(crate) const CONTAINER_LISTS: [&str; 3] =
    ["initContainers", "containers", "ephemeralContainers"];

/// What a container is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Init,
    Sidecar,
    Regular,
    Ephemeral,
}

impl Role {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Sidecar => "sidecar",
            Self::Regular => "regular",
            Self::Ephemeral => "ephemeral",
        }
    }
}

/// All containers of a pod spec: init, regular, ephemeral ones, in this order. What is no map is passed over.
#[must_use]
pub fn containers(spec: &Value) -> Vec<&Value> {
    with_roles(spec).map(|(_, container)| container).collect()
}

/// As [`containers`], with what each is for.
pub(crate) fn with_roles(spec: &Value) -> impl Iterator<Item = (Role, &Value)> {
    CONTAINER_LISTS.into_iter().flat_map(move |kind| {
        let list = spec.get(kind).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter(|container| container.is_object())
            .map(move |container| {
                let role = match kind {
                    "initContainers" if text(container, "/restartPolicy") == Some("Always") => {
                        Role::Sidecar
                    }
                    "initContainers" => Role::Init,
                    "containers" => Role::Regular,
                    _ => Role::Ephemeral,
                };
                (role, container)
            })
    })
}

/// Where in an object of `resource` the pod template stands: a map with `metadata` and `spec`.
fn template_pointer(resource: Resource) -> Option<&'static str> {
    match resource {
        Resource::Pod => Some(""),
        Resource::PodTemplate => Some("/template"),
        Resource::CronJob => Some("/spec/jobTemplate/spec/template"),
        Resource::Deployment
        | Resource::StatefulSet
        | Resource::DaemonSet
        | Resource::ReplicaSet
        | Resource::ReplicationController
        | Resource::Job => Some("/spec/template"),
        _ => None,
    }
}

/// The pod template of an object; of a pod, the pod.
pub(crate) fn template(resource: Resource, value: &Value) -> Option<&Value> {
    value.pointer(template_pointer(resource)?)
}

pub(crate) fn template_mut(resource: Resource, value: &mut Value) -> Option<&mut Value> {
    value.pointer_mut(template_pointer(resource)?)
}

/// What of the pod template of an object has a type by which its containers cannot be seen. The API takes no such
/// object; to judge one as if it had no containers would let it pass.
pub(crate) fn misshapen(resource: Resource, value: &Value) -> Option<&'static str> {
    let template = template(resource, value)?;
    if !template.is_object() {
        return Some("its pod template is no map");
    }
    let spec = template.get("spec")?;
    if !spec.is_object() {
        return Some("its pod spec is no map");
    }
    let all = CONTAINER_LISTS.iter().all(|kind| {
        let list = spec.get(kind).map(Value::as_array);
        list.is_none_or(|list| list.is_some_and(|list| list.iter().all(Value::is_object)))
    });
    (!all).then_some("its containers are no list of maps")
}

/// The service account that a pod runs as.
pub(crate) fn account(spec: &Value) -> &str {
    // `serviceAccount` is the old name of the field, which the API still fills and takes.
    text(spec, "/serviceAccountName")
        .or_else(|| text(spec, "/serviceAccount"))
        .filter(|name| !name.is_empty())
        .unwrap_or("default")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn containers_come_in_one_order_with_their_roles() {
        let spec = json!({
            "ephemeralContainers": [{"name": "d"}],
            "containers": [{"name": "c"}, "no map"],
            "initContainers": [{"name": "a"}, {"name": "b", "restartPolicy": "Always"}],
        });
        let found: Vec<(&str, &str)> = with_roles(&spec)
            .map(|(role, container)| (role.as_str(), text(container, "/name").unwrap()))
            .collect();
        assert_eq!(
            found,
            [
                ("init", "a"),
                ("sidecar", "b"),
                ("regular", "c"),
                ("ephemeral", "d")
            ]
        );
        assert_eq!(containers(&spec).len(), 4);
        assert_eq!(containers(&json!({"containers": 3})), Vec::<&Value>::new());
    }
}

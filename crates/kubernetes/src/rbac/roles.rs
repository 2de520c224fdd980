//! Facts about roles and bindings.

use serde_json::{Map, Value, json};

use super::{Aggregation, Power, Rbac, Scope, Subject};
use crate::json::{list, text};
use crate::resource::Resource;
use crate::state::Key;

/// What is added to a role's own data.
pub(crate) fn role_fact(rbac: &Rbac, key: &Key, value: &Value, data: &mut Map<String, Value>) {
    let rules = rbac.rules(key).unwrap_or_default();
    let scope = if key.resource == Resource::ClusterRole {
        Scope::Cluster
    } else {
        Scope::Namespace(&key.namespace)
    };
    if rbac
        .roles
        .get(key)
        .is_some_and(|role| role.aggregates.is_some())
    {
        let names = rbac.aggregated(key).into_iter().map(|part| part.name);
        data.insert(
            "aggregates".to_owned(),
            names.collect::<Vec<String>>().into(),
        );
    }
    let wildcards = rules.iter().enumerate().filter_map(|(number, rule)| {
        let lists = rule.wildcards();
        (!lists.is_empty()).then(|| json!({"rule": number, "in": lists}))
    });
    data.insert("wildcards".to_owned(), wildcards.collect());
    let can = Power::ALL.into_iter().map(|power| {
        let given = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| power.is_given_by(rule, scope))
            .map(|(number, _)| Value::from(number));
        (power.as_str().to_owned(), given.collect())
    });
    data.insert("can".to_owned(), Value::Object(can.collect()));
    let rules = rules.iter().map(|rule| Value::Object(rule.to_json()));
    data.insert("rules".to_owned(), rules.collect());
    let is_default =
        text(value, "/metadata/labels/kubernetes.io~1bootstrapping") == Some("rbac-defaults");
    data.insert(
        "system".to_owned(),
        (is_default || key.name.starts_with("system:")).into(),
    );
    let bindings = rbac.bindings_to(key).map(Key::id);
    data.insert(
        "bindings".to_owned(),
        bindings.collect::<Vec<String>>().into(),
    );
}

/// What is added to a binding's own data. `account_exists` answers nothing where that is not known.
pub(crate) fn binding_fact(
    rbac: &Rbac,
    key: &Key,
    value: &Value,
    account_exists: impl Fn(&str, &str) -> Option<bool>,
    data: &mut Map<String, Value>,
) {
    let subjects: Vec<&Value> = list(value, "/subjects").iter().collect();
    let shown = subjects.iter().map(|subject| {
        let part = |pointer| text(subject, pointer).unwrap_or_default();
        if part("/kind") != "ServiceAccount" {
            return json!({"kind": part("/kind"), "name": part("/name")});
        }
        let namespace = match part("/namespace") {
            "" => &key.namespace,
            namespace => namespace,
        };
        json!({"kind": "ServiceAccount", "name": part("/name"), "namespace": namespace})
    });
    data.insert("subjects".to_owned(), shown.collect());
    let mut missing = Some(Vec::new());
    for subject in subjects
        .iter()
        .filter_map(|subject| Subject::read(subject, &key.namespace))
    {
        let Subject::ServiceAccount(namespace, name) = &subject else {
            continue;
        };
        match account_exists(namespace, name) {
            Some(true) => {}
            Some(false) => missing.iter_mut().for_each(|ids| ids.push(subject.id())),
            None => missing = None,
        }
    }
    crate::json::put(data, "missing", missing);
    if let Some(binding) = rbac.bindings.get(key) {
        data.insert("role".to_owned(), binding.role.id().into());
        let exists = rbac.roles.contains_key(&binding.role);
        // A role that is not among the manifests may be in the cluster.
        if exists || rbac.aggregation == Aggregation::Written {
            data.insert("role_exists".to_owned(), exists.into());
        }
    }
    let is_default =
        text(value, "/metadata/labels/kubernetes.io~1bootstrapping") == Some("rbac-defaults");
    data.insert(
        "system".to_owned(),
        (is_default || key.name.starts_with("system:")).into(),
    );
}

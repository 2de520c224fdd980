//! Facts about subjects: all that bindings add up to for one user, group or service account.

use serde_json::{Map, Value, json};

use super::{Aggregation, Power, Rbac, Scope, Subject};
use crate::json::put;
use crate::resource::Resource;
use crate::state::Key;

/// Most rules that are listed for one subject.
const MAX_PERMISSIONS: usize = 5_000;

/// Most pieces of evidence for one power. One is enough to have it.
const MAX_EVIDENCE: usize = 1_000;

/// One binding that concerns a subject.
struct Grant<'a> {
    binding: &'a Key,
    role: &'a Key,
    /// By which group, where not by its own name.
    group: Option<String>,
}

/// The data of a subject's fact. `exists` is for service accounts, where it is known.
pub(crate) fn subject_fact(rbac: &Rbac, subject: &Subject, exists: Option<bool>) -> Value {
    let (kind, namespace, name) = match subject {
        Subject::User(name) => ("User", "", name),
        Subject::Group(name) => ("Group", "", name),
        Subject::ServiceAccount(namespace, name) => ("ServiceAccount", namespace.as_str(), name),
    };
    let groups = subject.groups();
    let grants = grants(rbac, subject, &groups);
    let mut data = Map::new();
    data.insert("kind".to_owned(), kind.into());
    data.insert("name".to_owned(), name.as_str().into());
    data.insert("namespace".to_owned(), namespace.into());
    data.insert(
        "system".to_owned(),
        (name.starts_with("system:") || namespace == "kube-system").into(),
    );
    put(&mut data, "exists", exists);
    let shown = grants.iter().map(|grant| shown(rbac, grant)).collect();
    data.insert("grants".to_owned(), shown);
    evaluate(rbac, &grants, &mut data);
    data.insert("groups".to_owned(), groups.into());
    Value::Object(data)
}

fn grants<'a>(rbac: &'a Rbac, subject: &Subject, groups: &[String]) -> Vec<Grant<'a>> {
    let own = rbac.bindings_of(subject).map(|binding| (binding, None));
    let by_groups = groups.iter().flat_map(|group| {
        rbac.bindings_of(&Subject::Group(group.clone()))
            .map(move |binding| (binding, Some(group.clone())))
    });
    own.chain(by_groups)
        .filter_map(|(binding, group)| {
            let role = &rbac.bindings.get(binding)?.role;
            Some(Grant {
                binding,
                role,
                group,
            })
        })
        .collect()
}

fn scope<'a>(grant: &Grant<'a>) -> Scope<'a> {
    if grant.binding.resource == Resource::ClusterRoleBinding {
        Scope::Cluster
    } else {
        Scope::Namespace(&grant.binding.namespace)
    }
}

fn shown(rbac: &Rbac, grant: &Grant<'_>) -> Value {
    let mut item = Map::new();
    item.insert("binding".to_owned(), grant.binding.id().into());
    item.insert("role".to_owned(), grant.role.id().into());
    item.insert("namespace".to_owned(), scope(grant).as_str().into());
    let exists = rbac.roles.contains_key(grant.role);
    if exists || rbac.aggregation == Aggregation::Written {
        item.insert("role_exists".to_owned(), exists.into());
    }
    put(&mut item, "group", grant.group.as_deref());
    Value::Object(item)
}

/// Fills `permissions`, `can` and `truncated`.
fn evaluate(rbac: &Rbac, grants: &[Grant<'_>], data: &mut Map<String, Value>) {
    let mut permissions = Vec::new();
    let mut truncated = false;
    let mut can: Vec<(Power, Vec<Value>)> = Power::ALL
        .into_iter()
        .map(|power| (power, Vec::new()))
        .collect();
    for (number, grant) in grants.iter().enumerate() {
        let scope = scope(grant);
        for (index, rule) in rbac
            .rules(grant.role)
            .unwrap_or_default()
            .into_iter()
            .enumerate()
        {
            if !rule.gives_something(scope) {
                continue;
            }
            if permissions.len() < MAX_PERMISSIONS {
                let mut item = rule.to_json();
                item.insert("grant".to_owned(), number.into());
                item.insert("rule".to_owned(), index.into());
                item.insert("namespace".to_owned(), scope.as_str().into());
                permissions.push(Value::Object(item));
            } else {
                truncated = true;
            }
            for (power, evidence) in &mut can {
                if evidence.len() < MAX_EVIDENCE && power.is_given_by(rule, scope) {
                    let mut item = json!({
                        "namespace": scope.as_str(),
                        "grant": number,
                        "rule": index,
                        "binding": grant.binding.id(),
                        "role": grant.role.id(),
                    });
                    if let Some(item) = item.as_object_mut() {
                        put(item, "group", grant.group.as_deref());
                        if !rule.names.is_empty() {
                            item.insert("resourceNames".to_owned(), rule.names.clone().into());
                        }
                    }
                    evidence.push(item);
                }
            }
        }
    }
    data.insert("permissions".to_owned(), permissions.into());
    let can = can
        .into_iter()
        .map(|(power, evidence)| (power.as_str().to_owned(), evidence.into()));
    data.insert("can".to_owned(), Value::Object(can.collect()));
    if truncated {
        data.insert("truncated".to_owned(), true.into());
    }
}

//! Roles and what binds them.

use seareeve_kubernetes::powers_of;

use super::{Aspect, Portrait, items, texts};
use crate::json::Node;

impl Portrait {
    pub(super) fn role(&mut self, resource: &str, role: Node<'_>) {
        const TO: &str = "rbac.authorization.k8s.io/aggregate-to-";
        for (key, value) in texts(role.path(&["metadata", "labels"])) {
            if let Some(to) = key.strip_prefix(TO)
                && value == "true"
            {
                self.push(Aspect::Aggregate, to);
            }
        }
        for rule in items(role.get("rules")) {
            let list = |key| {
                items(rule.get(key))
                    .filter_map(Node::str)
                    .collect::<Vec<_>>()
                    .join(",")
            };
            let what = [list("resources"), list("nonResourceURLs")];
            let what: Vec<&str> = what.iter().map(String::as_str).collect();
            self.push(Aspect::Rule, format!("{} {}", list("verbs"), what.concat()));
        }
        // A selector that asks for no label means all roles, cluster-admin among them.
        let aggregated = items(role.path(&["aggregationRule", "clusterRoleSelectors"]));
        let means_all = |selector: Node<'_>| {
            selector.is_object()
                && texts(selector.get("matchLabels")).is_empty()
                && items(selector.get("matchExpressions")).next().is_none()
        };
        if aggregated.into_iter().any(means_all) {
            self.push(Aspect::Power, "everything");
        }
        let Some(rules) = role.get("rules") else {
            return;
        };
        // A body that is a tree is JSON for this reader too, but for surrogates that stand alone.
        let Ok(rules) = serde_json::from_slice(rules.raw()) else {
            return;
        };
        let namespace = (resource == "roles").then(|| {
            let namespace = role.path(&["metadata", "namespace"]).and_then(Node::str);
            namespace.unwrap_or_default().into_owned()
        });
        for power in powers_of(&rules, namespace.as_deref()) {
            self.push(Aspect::Power, power.as_str());
        }
    }

    pub(super) fn binding(&mut self, binding: Node<'_>) {
        let part = |node: Node<'_>, key| {
            let text = node.get(key).and_then(Node::str);
            text.unwrap_or_default().into_owned()
        };
        if let Some(role) = binding.get("roleRef") {
            let role = format!("{}/{}", part(role, "kind"), part(role, "name"));
            self.push(Aspect::Role, role);
        }
        for subject in items(binding.get("subjects")) {
            let (kind, name) = (part(subject, "kind"), part(subject, "name"));
            let namespace = part(subject, "namespace");
            // A service account is also the user of that name.
            let account = (kind == "User")
                .then(|| name.strip_prefix("system:serviceaccount:"))
                .flatten();
            self.push(
                Aspect::Subject,
                match account {
                    Some(account) => format!("ServiceAccount/{account}"),
                    None if kind == "ServiceAccount" => format!("{kind}/{namespace}:{name}"),
                    None => format!("{kind}/{name}"),
                },
            );
        }
    }
}

//! Roles and bindings as YAML, and who may do what by them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::state::{Change, FactKey, Kind, State};
use crate::{Subject, documents};

fn state(kind: Kind, manifests: &str) -> State {
    let found = documents("rbac.yaml", manifests.as_bytes());
    assert_eq!(found.troubles, []);
    let mut state = State::new(kind);
    for object in found.objects {
        state.apply(Change::Put(object));
    }
    state
}

fn fact(state: &State, subject: &Subject) -> Value {
    let key = FactKey::Subject(subject.clone());
    state
        .fact(&key)
        .expect("the subject is named by a binding")
        .data
}

/// `power in namespace by role` for each power that the user `u` has, but for wildcards.
fn powers(rules: &str, scope: &str) -> Vec<String> {
    let binding = match scope {
        "*" => "kind: ClusterRoleBinding\nmetadata: {name: b}",
        _ => "kind: RoleBinding\nmetadata: {name: b, namespace: shop}",
    };
    let manifests = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: r}}\nrules: {rules}\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\n{binding}\nroleRef: {{kind: ClusterRole, name: r}}\n\
         subjects: [{{kind: User, name: u}}]\n"
    );
    let state = state(Kind::Cluster, &manifests);
    let data = fact(&state, &Subject::User("u".to_owned()));
    let can = data["can"].as_object().unwrap();
    assert_eq!(can.len(), super::Power::ALL.len());
    let held = can.iter().filter(|(name, evidence)| {
        *name != "wildcards" && evidence.as_array().is_some_and(|list| !list.is_empty())
    });
    held.map(|(name, _)| name.clone()).collect()
}

#[test]
fn a_rule_gives_what_the_authorizer_would_allow_by_it() {
    let secrets =
        |verbs: &str| format!("[{{apiGroups: [''], resources: [secrets], verbs: [{verbs}]}}]");
    for (scope, rules, wanted) in [
        ("*", secrets("get").as_str(), &["secrets_read"][..]),
        ("shop", secrets("watch").as_str(), &["secrets_read"]),
        ("*", secrets("delete").as_str(), &[]),
        (
            "*",
            secrets("'*'").as_str(),
            &["secrets_read", "secrets_write"],
        ),
        // Another group's secrets are none.
        (
            "*",
            "[{apiGroups: [apps], resources: [secrets], verbs: [get]}]",
            &[],
        ),
        (
            "*",
            "[{apiGroups: ['*'], resources: [secrets], verbs: [get]}]",
            &["secrets_read"],
        ),
        // Names do not keep anybody from reading what they name; what is created has none yet.
        (
            "*",
            "[{apiGroups: [''], resources: [secrets], resourceNames: [a], verbs: [get, create]}]",
            &["secrets_read"],
        ),
        (
            "*",
            "[{apiGroups: [''], resources: [pods], resourceNames: [a], verbs: [create]}]",
            &[],
        ),
        (
            "*",
            "[{apiGroups: [''], resources: [pods/exec], resourceNames: [a], verbs: [create]}]",
            &["pods_exec"],
        ),
        // A resource is not its subresources, and the other way round.
        (
            "*",
            "[{apiGroups: [''], resources: [pods], verbs: [create, get]}]",
            &["pods_create"],
        ),
        (
            "*",
            "[{apiGroups: [''], resources: ['pods/*'], verbs: ['*']}]",
            &[],
        ),
        (
            "*",
            "[{apiGroups: [''], resources: ['*/exec'], verbs: [get]}]",
            &["pods_exec"],
        ),
        // What lies in no namespace cannot be given in one.
        (
            "*",
            "[{apiGroups: [''], resources: [nodes/proxy], verbs: [get]}]",
            &["nodes_proxy"],
        ),
        (
            "shop",
            "[{apiGroups: [''], resources: [nodes/proxy], verbs: [get]}]",
            &[],
        ),
        (
            "*",
            "[{apiGroups: [''], resources: ['*/proxy'], verbs: [get]}]",
            &["nodes_proxy", "pods_forward"],
        ),
        (
            "*",
            "[{apiGroups: [''], resources: [persistentvolumes], verbs: [create]}]",
            &["persistent_volumes_create"],
        ),
        (
            "shop",
            "[{apiGroups: [''], resources: [persistentvolumes], verbs: [create]}]",
            &[],
        ),
        (
            "*",
            "[{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update]}]",
            &["csr_approve"],
        ),
        (
            "*",
            "[{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests], verbs: [update]}]",
            &[],
        ),
        (
            "*",
            "[{apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], verbs: [patch]}]",
            &["webhooks_write"],
        ),
        (
            "shop",
            "[{apiGroups: [''], resources: [serviceaccounts/token], verbs: [create]}]",
            &["tokens_create"],
        ),
        (
            "*",
            "[{apiGroups: [''], resources: [serviceaccounts], verbs: [create]}]",
            &[],
        ),
        // Binding a ClusterRole in a namespace is checked in that namespace; changing one is not.
        (
            "shop",
            "[{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind, escalate, update]}]",
            &["bind"],
        ),
        (
            "*",
            "[{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind, escalate, update]}]",
            &["bind", "escalate", "rbac_write"],
        ),
        (
            "*",
            "[{apiGroups: [''], resources: [users], verbs: [impersonate]}]",
            &["impersonate"],
        ),
        (
            "shop",
            "[{apiGroups: [''], resources: [users], verbs: [impersonate]}]",
            &[],
        ),
        (
            "shop",
            "[{apiGroups: [''], resources: [serviceaccounts], verbs: [impersonate]}]",
            &["impersonate"],
        ),
        (
            "*",
            "[{apiGroups: [authentication.k8s.io], resources: [userextras/scopes], verbs: [impersonate]}]",
            &["impersonate"],
        ),
        (
            "*",
            "[{apiGroups: [batch], resources: [cronjobs], verbs: [patch]}]",
            &["workloads_create"],
        ),
        ("*", "[{nonResourceURLs: ['*'], verbs: ['*']}]", &[]),
        // Verbs are compared with their case.
        ("*", secrets("GET").as_str(), &[]),
    ] {
        assert_eq!(powers(rules, scope), wanted, "{scope} {rules}");
    }
    let all = "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]";
    assert_eq!(powers(all, "*").len(), super::Power::ALL.len() - 1);
    let within = powers(all, "shop");
    for gone in ["everything", "nodes_proxy", "webhooks_write", "csr_approve"] {
        assert!(!within.iter().any(|power| power == gone), "{gone}");
    }
    assert!(within.iter().any(|power| power == "escalate"));
}

const SHOP: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules:
- {apiGroups: [''], resources: [pods], verbs: [list]}
- {apiGroups: [''], resources: [secrets], resourceNames: [one], verbs: [get]}
- {nonResourceURLs: [/metrics], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects:
- {kind: ServiceAccount, name: web}
- {kind: User, name: 'system:serviceaccount:other:job'}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: all-accounts}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: Group, name: 'system:serviceaccounts:shop'}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
";

#[test]
fn subjects_have_what_their_bindings_and_groups_give_with_the_evidence() {
    let state = state(Kind::Cluster, SHOP);
    let web = Subject::ServiceAccount("shop".to_owned(), "web".to_owned());
    let mut data = fact(&state, &web);
    let can = data["can"].as_object_mut().unwrap();
    can.retain(|_, evidence| evidence.as_array().is_some_and(|list| !list.is_empty()));
    insta::assert_json_snapshot!(data);
    let job = Subject::ServiceAccount("other".to_owned(), "job".to_owned());
    let data = fact(&state, &job);
    assert_eq!(data["exists"], false);
    assert_eq!(data["grants"].as_array().unwrap().len(), 1);
}

#[test]
fn a_change_touches_those_that_it_concerns_and_no_others() {
    let mut state = state(Kind::Cluster, SHOP);
    let ids =
        |touched: BTreeSet<FactKey>| -> Vec<String> { touched.iter().map(FactKey::id).collect() };
    let change = |text: &str| {
        let mut found = documents("x", text.as_bytes());
        Change::Put(found.objects.pop().unwrap())
    };
    let role = SHOP.split("---").next().unwrap();
    assert_eq!(ids(state.apply(change(role))), Vec::<String>::new());
    assert_eq!(
        ids(state.apply(change(&role.replace("list", "watch")))),
        [
            "ClusterRole/reader",
            "ClusterRoleBinding/all-accounts",
            "RoleBinding/shop/readers",
            "Group/system:serviceaccounts:shop",
            "ServiceAccount/other/job",
            "ServiceAccount/shop/web",
        ]
    );
    let gone = Change::Gone(
        crate::Resource::RoleBinding,
        "shop".to_owned(),
        "readers".to_owned(),
    );
    let touched = state.apply(gone);
    let job = Subject::ServiceAccount("other".to_owned(), "job".to_owned());
    assert!(touched.contains(&FactKey::Subject(job.clone())));
    assert_eq!(state.fact(&FactKey::Subject(job)), None);
}

#[test]
fn aggregated_roles_are_what_the_controller_wrote_or_would_write() {
    let manifests = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: top}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: top}}]}
rules: [{apiGroups: [''], resources: [stale], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: middle, labels: {to: top}}
aggregationRule:
  clusterRoleSelectors:
  - matchExpressions: [{key: to, operator: In, values: [middle]}, {key: left-out, operator: DoesNotExist}]
  - matchLabels: {to: top}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {to: middle}}
rules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: not, labels: {to: middle, left-out: 'yes'}}
rules: [{apiGroups: [''], resources: [pods], verbs: [create]}]
";
    for (kind, resource, read) in [(Kind::Cluster, "stale", 0), (Kind::Manifests, "secrets", 1)] {
        let state = state(kind, manifests);
        let key = FactKey::Object(crate::state::Key::new(
            crate::Resource::ClusterRole,
            "",
            "top",
        ));
        let data = state.fact(&key).unwrap().data;
        assert_eq!(data["rules"].as_array().unwrap().len(), 1);
        assert_eq!(data["rules"][0]["resources"][0], resource);
        assert_eq!(data["aggregates"], serde_json::json!(["middle", "part"]));
        assert_eq!(data["can"]["secrets_read"].as_array().unwrap().len(), read);
    }
}

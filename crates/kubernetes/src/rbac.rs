//! Kubernetes' role-based access control, evaluated: who may do what, by which rule of which role, bound where.
//!
//! The rules are those of the authorizer itself (`pkg/registry/rbac` and `plugin/pkg/auth/authorizer/rbac` of
//! Kubernetes): what a rule says, and what it gives, differ where a resource has no namespace, a verb knows no
//! name, or a role is aggregated.

mod powers;
mod roles;
mod rule;
mod subjects;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use powers::{Power, powers_of};
pub(crate) use roles::{binding_fact, role_fact};
pub(crate) use rule::{Rule, Scope};
pub(crate) use subjects::subject_fact;

use crate::json::{list, text};
use crate::resource::Resource;
use crate::state::Key;

/// Most bindings' subjects, and rules of a role, that are looked at. The API takes objects of 1.5 MB at most.
const MAX_PARTS: usize = 20_000;

/// Who a binding names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// By name.
    User(String),
    /// By name.
    Group(String),
    /// By namespace and name.
    ServiceAccount(String, String),
}

impl Subject {
    /// What a user's name means: service accounts are users, too.
    fn user(name: &str) -> Self {
        let account = name
            .strip_prefix("system:serviceaccount:")
            .and_then(|rest| rest.split_once(':'))
            .filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty());
        match account {
            Some((namespace, name)) => Self::ServiceAccount(namespace.to_owned(), name.to_owned()),
            None => Self::User(name.to_owned()),
        }
    }

    /// The subject that `value`, in a binding in `namespace`, names.
    fn read(value: &Value, namespace: &str) -> Option<Self> {
        let name = text(value, "/name").filter(|name| !name.is_empty())?;
        match text(value, "/kind")? {
            "User" => Some(Self::user(name)),
            "Group" => Some(Self::Group(name.to_owned())),
            "ServiceAccount" => {
                let namespace = text(value, "/namespace")
                    .filter(|namespace| !namespace.is_empty())
                    .unwrap_or(namespace);
                // In a ClusterRoleBinding there is none to go on from.
                (!namespace.is_empty())
                    .then(|| Self::ServiceAccount(namespace.to_owned(), name.to_owned()))
            }
            _ => None,
        }
    }

    /// `Kind/name` or `Kind/namespace/name`.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::User(name) => format!("User/{name}"),
            Self::Group(name) => format!("Group/{name}"),
            Self::ServiceAccount(namespace, name) => format!("ServiceAccount/{namespace}/{name}"),
        }
    }

    /// The groups that it is in by what it is, without anybody's telling.
    fn groups(&self) -> Vec<String> {
        const AUTHENTICATED: &str = "system:authenticated";
        const ACCOUNTS: &str = "system:serviceaccounts";
        match self {
            Self::User(name) if name == "system:anonymous" => {
                vec!["system:unauthenticated".to_owned()]
            }
            Self::User(name) if name.starts_with("system:node:") => {
                vec![AUTHENTICATED.to_owned(), "system:nodes".to_owned()]
            }
            Self::User(_) => vec![AUTHENTICATED.to_owned()],
            Self::ServiceAccount(namespace, _) => vec![
                AUTHENTICATED.to_owned(),
                ACCOUNTS.to_owned(),
                format!("{ACCOUNTS}:{namespace}"),
            ],
            Self::Group(name) if name == ACCOUNTS => vec![AUTHENTICATED.to_owned()],
            Self::Group(name) if name.starts_with("system:serviceaccounts:") => {
                vec![AUTHENTICATED.to_owned(), ACCOUNTS.to_owned()]
            }
            // Of a group from outside it is not known whether its members come by a way that authenticates them.
            Self::Group(_) => Vec::new(),
        }
    }

    /// Whether others are in it by what they are.
    fn has_members_by_nature(&self) -> bool {
        match self {
            Self::Group(name) => {
                matches!(
                    name.as_str(),
                    "system:authenticated" | "system:unauthenticated" | "system:nodes"
                ) || name.starts_with("system:serviceaccounts")
            }
            Self::User(_) | Self::ServiceAccount(..) => false,
        }
    }
}

/// Whose rules of aggregated roles count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Aggregation {
    /// The API server's controller has written them into the role.
    #[default]
    Written,
    /// Nobody has yet: they are put together from the roles that are there.
    Here,
}

/// What a role says.
#[derive(Debug, Default)]
struct Role {
    rules: Vec<Rule>,
    labels: BTreeMap<String, String>,
    /// Selectors of an aggregated role.
    aggregates: Option<Vec<Value>>,
}

/// What a binding says.
#[derive(Debug)]
struct Binding {
    role: Key,
    subjects: Vec<Subject>,
}

/// Roles and bindings, and who they concern.
#[derive(Debug, Default)]
pub(crate) struct Rbac {
    aggregation: Aggregation,
    roles: BTreeMap<Key, Role>,
    bindings: BTreeMap<Key, Binding>,
    by_subject: BTreeMap<Subject, BTreeSet<Key>>,
    by_role: BTreeMap<Key, BTreeSet<Key>>,
}

impl Rbac {
    pub(crate) fn new(aggregation: Aggregation) -> Self {
        Self {
            aggregation,
            ..Self::default()
        }
    }

    pub(crate) fn put_role(&mut self, key: &Key, value: &Value) {
        let labels = crate::json::map(value, "/metadata/labels").into_iter();
        let role = Role {
            rules: list(value, "/rules")
                .iter()
                .take(MAX_PARTS)
                .map(Rule::read)
                .collect(),
            labels: labels
                .flatten()
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect(),
            aggregates: value
                .pointer("/aggregationRule/clusterRoleSelectors")
                .and_then(Value::as_array)
                .filter(|_| key.resource == Resource::ClusterRole)
                .cloned(),
        };
        self.roles.insert(key.clone(), role);
    }

    pub(crate) fn remove_role(&mut self, key: &Key) {
        self.roles.remove(key);
    }

    pub(crate) fn put_binding(&mut self, key: &Key, value: &Value) {
        self.remove_binding(key);
        let name = text(value, "/roleRef/name").unwrap_or_default();
        let role = match text(value, "/roleRef/kind") {
            Some("Role") => Key::new(Resource::Role, &key.namespace, name),
            _ => Key::new(Resource::ClusterRole, "", name),
        };
        let subjects: Vec<Subject> = list(value, "/subjects")
            .iter()
            .take(MAX_PARTS)
            .filter_map(|subject| Subject::read(subject, &key.namespace))
            .collect();
        for subject in &subjects {
            let bindings = self.by_subject.entry(subject.clone()).or_default();
            bindings.insert(key.clone());
        }
        let bindings = self.by_role.entry(role.clone()).or_default();
        bindings.insert(key.clone());
        self.bindings
            .insert(key.clone(), Binding { role, subjects });
    }

    pub(crate) fn remove_binding(&mut self, key: &Key) {
        let Some(binding) = self.bindings.remove(key) else {
            return;
        };
        for subject in &binding.subjects {
            if let Some(bindings) = self.by_subject.get_mut(subject) {
                bindings.remove(key);
                if bindings.is_empty() {
                    self.by_subject.remove(subject);
                }
            }
        }
        if let Some(bindings) = self.by_role.get_mut(&binding.role) {
            bindings.remove(key);
            if bindings.is_empty() {
                self.by_role.remove(&binding.role);
            }
        }
    }

    /// All subjects that a binding names.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.by_subject.keys()
    }

    pub(crate) fn has_subject(&self, subject: &Subject) -> bool {
        self.by_subject.contains_key(subject)
    }

    /// The bindings that name `subject` itself.
    pub(crate) fn bindings_of<'s>(
        &'s self,
        subject: &Subject,
    ) -> impl Iterator<Item = &'s Key> + use<'s> {
        self.by_subject.get(subject).into_iter().flatten()
    }

    /// The bindings of the role `key`.
    pub(crate) fn bindings_to<'s>(&'s self, key: &Key) -> impl Iterator<Item = &'s Key> + use<'s> {
        self.by_role.get(key).into_iter().flatten()
    }

    /// The role that the binding `key` refers to.
    pub(crate) fn role_of(&self, key: &Key) -> Option<&Key> {
        Some(&self.bindings.get(key)?.role)
    }

    /// The subjects whose permissions depend on the binding `key`: those that it names, and where it names a group
    /// whose members are known, those.
    pub(crate) fn concerned_by_binding(&self, key: &Key) -> BTreeSet<Subject> {
        let Some(binding) = self.bindings.get(key) else {
            return BTreeSet::new();
        };
        let mut concerned: BTreeSet<Subject> = binding.subjects.iter().cloned().collect();
        let groups: Vec<&str> = binding
            .subjects
            .iter()
            .filter(|subject| subject.has_members_by_nature())
            .filter_map(|subject| match subject {
                Subject::Group(name) => Some(name.as_str()),
                Subject::User(_) | Subject::ServiceAccount(..) => None,
            })
            .collect();
        if !groups.is_empty() {
            let members = self.by_subject.keys().filter(|subject| {
                let of = subject.groups();
                of.iter().any(|group| groups.contains(&group.as_str()))
            });
            concerned.extend(members.cloned());
        }
        concerned
    }

    /// The roles whose rules depend on the role `key`: itself, and what aggregates it.
    pub(crate) fn roles_with(&self, key: &Key) -> BTreeSet<Key> {
        let mut found = BTreeSet::from([key.clone()]);
        if self.aggregation == Aggregation::Here && key.resource == Resource::ClusterRole {
            let aggregated = self
                .roles
                .iter()
                .filter(|(_, role)| role.aggregates.is_some());
            let depending = aggregated.filter(|(name, _)| self.aggregated(name).contains(key));
            found.extend(depending.map(|(name, _)| name.clone()));
        }
        found
    }

    /// The rules of a role that count, or `None` where there is no such role.
    fn rules(&self, key: &Key) -> Option<Vec<&Rule>> {
        let role = self.roles.get(key)?;
        if self.aggregation == Aggregation::Written || role.aggregates.is_none() {
            return Some(role.rules.iter().collect());
        }
        let parts = self.aggregated(key);
        let rules = parts
            .iter()
            .filter_map(|part| self.roles.get(part))
            // What stands in an aggregated role is overwritten.
            .filter(|part| part.aggregates.is_none())
            .flat_map(|part| &part.rules);
        let mut seen = BTreeSet::new();
        Some(rules.filter(|rule| seen.insert(*rule)).collect())
    }

    /// The roles that the role `key` is made from, those included that these are made from. Circles end.
    fn aggregated(&self, key: &Key) -> BTreeSet<Key> {
        let mut found = BTreeSet::new();
        let mut open = vec![key.clone()];
        while let Some(next) = open.pop() {
            let Some(selectors) = self
                .roles
                .get(&next)
                .and_then(|role| role.aggregates.as_ref())
            else {
                continue;
            };
            for (name, role) in &self.roles {
                let is_part = name.resource == Resource::ClusterRole
                    && name != key
                    && selectors
                        .iter()
                        .any(|selector| selects(selector, &role.labels));
                if is_part && found.insert(name.clone()) {
                    open.push(name.clone());
                }
            }
        }
        found
    }
}

/// Whether a label selector takes an object with these labels. An empty one takes every object; one with an
/// operator that does not exist takes none.
fn selects(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    let equal = crate::json::map(selector, "/matchLabels")
        .into_iter()
        .flatten()
        .all(|(name, value)| labels.get(name).map(String::as_str) == value.as_str());
    equal
        && list(selector, "/matchExpressions").iter().all(|wanted| {
            let has = text(wanted, "/key").and_then(|key| labels.get(key));
            let among = || {
                crate::json::texts(wanted, "/values")
                    .any(|value| Some(value) == has.map(String::as_str))
            };
            match text(wanted, "/operator") {
                Some("In") => has.is_some() && among(),
                Some("NotIn") => has.is_none() || !among(),
                Some("Exists") => has.is_some(),
                Some("DoesNotExist") => has.is_none(),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests;

//! Which facts depend on an object.

use std::collections::BTreeSet;

use super::{FactKey, Key, State};
use crate::admission::is_engine;
use crate::rbac::Subject;
use crate::resource::Resource;

impl State {
    /// The facts that depend on what the object `key` says, as things stand.
    pub(super) fn touched(&self, key: &Key) -> BTreeSet<FactKey> {
        let mut touched = BTreeSet::new();
        match key.resource {
            resource if resource.is_workload() => self.touched_by_workload(key, &mut touched),
            Resource::ServiceAccount => {
                touched.insert(FactKey::Object(key.clone()));
                let subject = Subject::ServiceAccount(key.namespace.clone(), key.name.clone());
                let bindings = self.rbac.bindings_of(&subject).cloned();
                touched.extend(bindings.map(FactKey::Object));
                if self.rbac.has_subject(&subject) {
                    touched.insert(FactKey::Subject(subject));
                }
                for user in self.users_of(key) {
                    self.work_facts(user, &mut touched);
                }
            }
            Resource::Role | Resource::ClusterRole => {
                for role in self.rbac.roles_with(key) {
                    for binding in self.rbac.bindings_to(&role) {
                        touched.insert(FactKey::Object(binding.clone()));
                        let subjects = self.rbac.concerned_by_binding(binding).into_iter();
                        touched.extend(subjects.map(FactKey::Subject));
                    }
                    touched.insert(FactKey::Object(role));
                }
            }
            Resource::RoleBinding | Resource::ClusterRoleBinding => {
                touched.insert(FactKey::Object(key.clone()));
                if let Some(role) = self.rbac.role_of(key) {
                    touched.insert(FactKey::Object(role.clone()));
                }
                for subject in self.rbac.concerned_by_binding(key) {
                    if let Subject::ServiceAccount(namespace, name) = &subject {
                        let account = Key::new(Resource::ServiceAccount, namespace, name);
                        touched.insert(FactKey::Object(account));
                    }
                    touched.insert(FactKey::Subject(subject));
                }
            }
            Resource::Namespace => {
                touched.insert(FactKey::Object(key.clone()));
                touched.insert(FactKey::Admission);
            }
            Resource::Node => {
                touched.insert(FactKey::Object(key.clone()));
                touched.insert(FactKey::Cluster);
            }
            Resource::ValidatingWebhookConfiguration
            | Resource::MutatingWebhookConfiguration
            | Resource::ValidatingAdmissionPolicy
            | Resource::ValidatingAdmissionPolicyBinding => {
                touched.insert(FactKey::Admission);
                touched.insert(FactKey::Cluster);
            }
            _ => {
                touched.insert(FactKey::Object(key.clone()));
            }
        }
        touched
    }

    /// The facts that depend on whether the object `key` is there.
    pub(super) fn touched_by_coming(&self, key: &Key) -> BTreeSet<FactKey> {
        let mut touched = BTreeSet::new();
        if !key.namespace.is_empty() {
            let namespace = Key::new(Resource::Namespace, "", &key.namespace);
            if self.objects.contains_key(&namespace) {
                touched.insert(FactKey::Object(namespace));
            }
        } else if key.resource == Resource::Namespace && key.name == "kube-system" {
            touched.insert(FactKey::Cluster);
        }
        touched
    }

    fn touched_by_workload(&self, key: &Key, touched: &mut BTreeSet<FactKey>) {
        self.work_facts(key, touched);
        let mut open = vec![key];
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            for owned in self.owned.get(next).into_iter().flatten() {
                if seen.insert(owned) {
                    self.work_facts(owned, touched);
                    open.push(owned);
                }
            }
        }
        let work = self.objects.get(key).and_then(|entry| entry.work.as_ref());
        if let Some(work) = work {
            let account = Key::new(Resource::ServiceAccount, &key.namespace, &work.account);
            touched.insert(FactKey::Object(account));
            if let Some((component, node)) = &work.component {
                let node = node.to_string();
                touched.insert(FactKey::Component((*component).to_owned(), node));
            }
        }
        if work.is_some_and(|work| !work.marks.is_empty()) {
            touched.insert(FactKey::Cluster);
        }
        if key.resource == Resource::Deployment && is_engine(key) {
            touched.insert(FactKey::Admission);
        }
    }

    /// The facts in which the workload `key` is seen.
    fn work_facts(&self, key: &Key, touched: &mut BTreeSet<FactKey>) {
        let Some(controller) = self.controller(key) else {
            touched.insert(FactKey::Object(key.clone()));
            return;
        };
        touched.insert(FactKey::Object(controller.clone()));
        if key.resource == Resource::Pod
            && let Some(way) = self.departure(key, controller)
        {
            touched.insert(FactKey::Departed(controller.clone(), way));
        }
    }

    /// The workloads that run as the service account `key`, pods of controllers included.
    pub(super) fn users_of<'s>(&'s self, account: &'s Key) -> impl Iterator<Item = &'s Key> {
        Resource::ALL
            .into_iter()
            .filter(|resource| resource.is_workload())
            .flat_map(|resource| self.within(resource, &account.namespace))
            .filter(|(_, entry)| {
                let work = entry.work.as_ref();
                work.is_some_and(|work| *work.account == *account.name)
            })
            .map(|(key, _)| key)
    }
}

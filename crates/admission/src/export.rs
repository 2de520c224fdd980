//! The rules of a policy as Kubernetes' own: ValidatingAdmissionPolicies and their bindings
//! (`admissionregistration.k8s.io/v1`, so from Kubernetes 1.30 on).
//!
//! The checks' own expressions are translated, not written again. What cannot be translated is told with its reason.
//! The API server evaluates within limits of its own, at run time: 1,000,000 units of cost for one expression and
//! 10,000,000 for one policy and object. It estimates no costs of policies beforehand, as it does of custom resources,
//! so lists need no `maxItems` here.

mod prelude;
mod translate;

use std::collections::BTreeMap;

use seareeve_cel::quoted;
use seareeve_posture::Library;
use serde_json::{Value, json};

use self::prelude::Excluded;
use self::translate::{Translated, translate};
use crate::policy::{Mode, Policy, Rule, RuleCheck, Updates};
use crate::yaml;

/// What an export holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Export {
    /// Policies with their bindings.
    pub exported: Vec<Exported>,
    /// What could not be exported.
    pub not_exported: Vec<NotExported>,
}

/// One check as a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// The recommendation's id.
    pub recommendation: String,
    /// The check's id.
    pub check: String,
    /// A `ValidatingAdmissionPolicy`.
    pub policy: Value,
    /// One `ValidatingAdmissionPolicyBinding` for each mode and its namespaces.
    pub bindings: Vec<Value>,
}

/// What could not be exported, or not in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotExported {
    /// The recommendation's id.
    pub recommendation: String,
    /// The check's id.
    pub check: String,
    /// Why.
    pub reason: String,
}

/// The rules of a policy that are not off, as Kubernetes' own.
#[must_use]
pub fn export(policy: &Policy, library: &Library) -> Export {
    let mut export = Export::default();
    for rule in policy.rules() {
        for used in &rule.checks {
            let Some(check) = library.check(&used.id) else {
                continue;
            };
            let mut params = check.params().clone();
            params.extend(used.params.clone());
            let excluded = Excluded {
                containers: rule.excluded_containers.clone(),
                images: rule.excluded_images.clone(),
            };
            let params = Value::Object(params);
            let translated = translate(&check.anatomy(), used.on.as_str(), &params, &excluded)
                .and_then(|made| {
                    let resources = resources(used.on.as_str())
                        .ok_or_else(|| format!("nothing is known of {}", used.on))?;
                    Ok((made, resources))
                });
            let (translated, resources) = match translated {
                Ok(made) => made,
                Err(reason) => {
                    export.not_exported.push(NotExported {
                        recommendation: rule.id.clone(),
                        check: used.id.clone(),
                        reason,
                    });
                    continue;
                }
            };
            match bindings(policy, rule, used) {
                Ok(bindings) => export.exported.push(Exported {
                    recommendation: rule.id.clone(),
                    check: used.id.clone(),
                    policy: written(policy, rule, used, translated, &resources),
                    bindings,
                }),
                Err(reason) => export.not_exported.push(NotExported {
                    recommendation: rule.id.clone(),
                    check: used.id.clone(),
                    reason,
                }),
            }
        }
    }
    export
}

impl Export {
    /// Everything as YAML documents, with what could not be exported as comments before them.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        for missing in &self.not_exported {
            text.push_str(&yaml::comment(&format!(
                "Not exported: {} of {}: {}.",
                missing.check, missing.recommendation, missing.reason
            )));
        }
        for exported in &self.exported {
            for object in std::iter::once(&exported.policy).chain(&exported.bindings) {
                text.push_str("---\n");
                text.push_str(&yaml::document(object));
            }
        }
        text
    }
}

/// The name of a check's policy: unique, and the same next time.
fn name(rule: &Rule, used: &RuleCheck) -> String {
    match rule.checks.len() {
        1 => format!("seareeve-{}", rule.id),
        _ => {
            let kind = used.on.as_str();
            let kind = kind.rsplit_once('.').map_or(kind, |(_, last)| last);
            format!("seareeve-{}-{kind}", rule.id)
        }
    }
}

fn written(
    policy: &Policy,
    rule: &Rule,
    used: &RuleCheck,
    translated: Translated,
    resources: &[Value],
) -> Value {
    let variables = translated.variables.iter();
    let variables: Vec<Value> = variables
        .map(|(name, expression)| json!({"name": name, "expression": expression}))
        .collect();
    // What is being deleted only waits for its finalizers.
    let mut conditions = vec![json!({
        "name": "not-being-deleted", "expression": "!has(object.metadata.deletionTimestamp)",
    })];
    if policy.file().updates == Updates::Introduced {
        // What a change brings in cannot be told from what was there; a change of something else can.
        conditions.push(json!({
            "name": "changes-what-is-judged",
            "expression": format!(
                "request.operation != 'UPDATE' || !({} && object.metadata.?annotations.orValue({{}}) \
                 == oldObject.metadata.?annotations.orValue({{}}))",
                unchanged(used.on.as_str())
            ),
        }));
    }
    let message = format!("{} ({})", rule.title, rule.id);
    let dynamic = format!(
        "{} + {} + {}",
        quoted(&format!("{message}: ")),
        translated.message,
        quoted(&format!(". {}", used.remedy)),
    );
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {
            "name": name(rule, used),
            "labels": {"app.kubernetes.io/managed-by": "seareeve"},
            "annotations": {
                "seareeve.dev/recommendation": rule.id,
                "seareeve.dev/check": used.id,
                "seareeve.dev/severity": rule.severity.as_str(),
            },
        },
        "spec": {
            "failurePolicy": "Ignore",
            "matchConstraints": {"matchPolicy": "Equivalent", "resourceRules": resources},
            "matchConditions": conditions,
            "variables": variables,
            "validations": [{
                "expression": translated.validation,
                "message": message,
                "messageExpression": dynamic,
                "reason": "Forbidden",
            }],
        },
    })
}

/// Whether an object has of what is judged what it had before.
fn unchanged(on: &str) -> &'static str {
    match on {
        "kubernetes.workload" => {
            "(object.kind == 'Pod' ? object.spec == oldObject.spec \
             : object.kind == 'PodTemplate' ? object.template == oldObject.template \
             : object.kind == 'CronJob' ? object.spec.jobTemplate == oldObject.spec.jobTemplate \
             : object.?spec.?template.orValue({}) == oldObject.?spec.?template.orValue({}))"
        }
        _ => "object.?spec.orValue({}) == oldObject.?spec.orValue({})",
    }
}

/// One binding for each mode: of the namespaces that have one of their own, and of all others.
fn bindings(policy: &Policy, rule: &Rule, used: &RuleCheck) -> Result<Vec<Value>, String> {
    let mut out = policy.file().excluded_namespaces.clone();
    out.extend(rule.excluded_namespaces().iter().cloned());
    let patterns = out
        .iter()
        .chain(rule.namespaces().iter().map(|(pattern, _)| pattern));
    if let Some(pattern) = patterns.into_iter().find(|pattern| pattern.contains('*')) {
        return Err(format!(
            "the binding of a policy selects namespaces by whole names, and the policy says `{pattern}`"
        ));
    }
    let mut named: BTreeMap<Mode, Vec<&str>> = BTreeMap::new();
    for (namespace, mode) in rule.namespaces() {
        if !out.contains(namespace) {
            named.entry(*mode).or_default().push(namespace);
        }
    }
    let own: Vec<&str> = named.values().flatten().copied().collect();
    let all_others: Vec<&str> = out.iter().map(String::as_str).chain(own).collect();
    let mut bindings = Vec::new();
    let mut add = |suffix: &str, mode: Mode, operator: &str, namespaces: &[&str]| {
        let action = match mode {
            Mode::Off => return,
            Mode::Audit => "Audit",
            Mode::Warn => "Warn",
            Mode::Deny => "Deny",
        };
        let mut names = namespaces.to_vec();
        names.sort_unstable();
        names.dedup();
        let selector = json!({"matchExpressions": [{
            "key": "kubernetes.io/metadata.name", "operator": operator, "values": names,
        }]});
        bindings.push(json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {
                "name": format!("{}-{suffix}", name(rule, used)),
                "labels": {"app.kubernetes.io/managed-by": "seareeve"},
            },
            "spec": {
                "policyName": name(rule, used),
                "validationActions": [action],
                "matchResources": {"namespaceSelector": selector},
            },
        }));
    };
    add("others", rule.default_mode(), "NotIn", &all_others);
    for (mode, namespaces) in &named {
        add(mode.as_str(), *mode, "In", namespaces);
    }
    Ok(bindings)
}

/// Which resources become a kind of fact.
fn resources(on: &str) -> Option<Vec<Value>> {
    let rule = |group: &str, versions: &[&str], resources: &[&str], operations: &[&str]| {
        json!({
            "apiGroups": [group], "apiVersions": versions, "operations": operations, "resources": resources,
            "scope": "Namespaced",
        })
    };
    let both = ["CREATE", "UPDATE"];
    Some(match on {
        "kubernetes.workload" => vec![
            rule(
                "",
                &["v1"],
                &["pods", "podtemplates", "replicationcontrollers"],
                &both,
            ),
            rule("", &["v1"], &["pods/ephemeralcontainers"], &["UPDATE"]),
            rule(
                "apps",
                &["v1"],
                &["daemonsets", "deployments", "replicasets", "statefulsets"],
                &both,
            ),
            rule("batch", &["v1"], &["cronjobs", "jobs"], &both),
        ],
        "kubernetes.service" => vec![rule("", &["v1"], &["services"], &both)],
        "kubernetes.service-account" => vec![rule("", &["v1"], &["serviceaccounts"], &both)],
        "kubernetes.ingress" => {
            vec![rule("networking.k8s.io", &["v1"], &["ingresses"], &both)]
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests;

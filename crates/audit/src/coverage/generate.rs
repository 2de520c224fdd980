//! The audit policy that detections need: as much as they look at, and nothing that only fills disks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use seareeve_detect::Rule;

use super::{Level, needs, split};

/// What is never logged with its body, whatever asks for it: the log would hold credentials.
const NEVER_WITH_BODY: &[&str] = &["secrets", "tokenreviews", "serviceaccounts/token"];

/// What comes first: traffic of the system itself that no detection looks at.
const HEAD: &str = "\
# The audit policy that Seareeve's detections need. Generated: `seareeve k8s audit-setup`.
apiVersion: audit.k8s.io/v1
kind: Policy
# Nothing is known yet when a request is received.
omitStages: [RequestReceived]
rules:
  # Heartbeats and bookkeeping of the system.
  - level: None
    userGroups: [\"system:nodes\", \"system:serviceaccounts:kube-system\"]
    verbs: [get, list, watch, update, patch]
    resources:
      - {group: coordination.k8s.io, resources: [leases]}
      - {group: \"\", resources: [endpoints, \"nodes/status\"]}
      - {group: discovery.k8s.io, resources: [endpointslices]}
  - level: None
    users: [\"system:kube-proxy\", \"system:kube-scheduler\", \"system:kube-controller-manager\", \"system:apiserver\"]
    verbs: [get, list, watch]
  - level: None
    userGroups: [\"system:nodes\"]
    verbs: [watch]
    resources:
      - {group: \"\", resources: [nodes, pods, configmaps, services]}
  - level: None
    userGroups: [\"system:nodes\"]
    verbs: [get]
    resources:
      - {group: \"\", resources: [nodes]}
  # Events: only that they are deleted.
  - level: None
    verbs: [get, list, watch, create, update, patch]
    resources:
      - {group: \"\", resources: [events]}
      - {group: events.k8s.io, resources: [events]}
  - level: None
    nonResourceURLs: [\"/healthz*\", \"/livez*\", \"/readyz*\", /version, \"/openapi*\", /metrics]
  # Credentials: who read or wrote them, never what is in them. Detections that would look into them are blind to that.
  - level: Metadata
    resources:
      - {group: \"\", resources: [secrets, \"serviceaccounts/token\"]}
      - {group: authentication.k8s.io, resources: [tokenreviews]}
";

/// What comes last: everything else, without bodies.
const TAIL: &str = "  # Everything else: who did what.\n  - level: Metadata\n";

/// The policy that these rules need, in YAML with comments.
#[must_use]
pub fn policy_for<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> String {
    // By verbs, the resources of each group that are needed with their bodies.
    let mut verbs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for rule in rules {
        for need in needs(rule) {
            if need.level < Level::Request {
                continue;
            }
            for resource in &need.resources {
                if resource != "*" && !NEVER_WITH_BODY.contains(&resource.as_str()) {
                    let own = verbs.entry(resource.clone()).or_default();
                    own.extend(need.verbs.iter().cloned());
                }
            }
        }
    }
    let mut by_verbs: BTreeMap<Vec<String>, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (resource, verbs) in verbs {
        let (name, part, group) = split(&resource);
        let name = if part.is_empty() {
            name.to_owned()
        } else {
            format!("{name}/{part}")
        };
        by_verbs
            .entry(verbs.into_iter().collect())
            .or_default()
            .entry(group.to_owned())
            .or_default()
            .push(name);
    }
    let mut policy = HEAD.to_owned();
    policy.push_str("  # What detections look into. With the response, names that the server makes up are known,\n");
    policy.push_str("  # and patches are judged by what became of them.\n");
    for (verbs, groups) in by_verbs {
        let _infallible = write!(
            policy,
            "  - level: RequestResponse\n    verbs: [{}]\n    resources:\n",
            verbs.join(", ")
        );
        for (group, resources) in groups {
            let resources: Vec<String> = resources.iter().map(|name| quoted(name)).collect();
            let _infallible = writeln!(
                policy,
                "      - {{group: {}, resources: [{}]}}",
                quoted(&group),
                resources.join(", ")
            );
        }
    }
    policy.push_str(TAIL);
    policy
}

fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains(['/', '*']) {
        format!("\"{text}\"")
    } else {
        text.to_owned()
    }
}

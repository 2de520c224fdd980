//! What detections need of an audit policy, and which are blind under a given one.
//!
//! Each detection says in `coverage` which requests it has to see, and how much of them. A policy answers for made-up
//! requests of that kind as the API server would; what really arrives answers the same question by what was seen.

mod generate;
mod policy;

use std::collections::BTreeMap;

use seareeve_detect::Rule;
use serde::Deserialize;

use crate::fields::SOURCE;
use crate::record::Record;
use crate::user::UserKind;

pub use generate::policy_for;
pub use policy::{Level, Policy, PolicyError, Request};

/// Requests that a detection has to see.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Need {
    level: Level,
    /// `*` stands for all.
    verbs: Vec<String>,
    /// `pods`, `pods/exec`, `deployments.apps`, `certificatesigningrequests/approval.certificates.k8s.io`; `*` stands
    /// for all.
    resources: Vec<String>,
    #[serde(default)]
    users: Users,
}

/// Whose requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Users {
    #[default]
    People,
    Accounts,
    Anonymous,
    Nodes,
    Controllers,
}

/// A detection that does not see all that it has to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blind {
    /// The detection.
    pub id: String,
    /// Whether it sees nothing at all of it.
    pub is_whole: bool,
    /// What it does not see: `create deployments.apps is logged at None, Request is needed`.
    pub reasons: Vec<String>,
}

/// Most reasons that are told of one detection.
const MAX_REASONS: usize = 8;

/// What stands for all verbs and all resources: what people ask for.
const SOME_VERBS: &[&str] = &["get", "list", "create", "update", "patch", "delete"];
const SOME_RESOURCES: &[&str] = &[
    "pods",
    "secrets",
    "configmaps",
    "namespaces",
    "deployments.apps",
    "clusterroles.rbac.authorization.k8s.io",
];

/// The detections that are blind under a policy, wholly or in part.
///
/// Rules without `coverage`, and those over other sources, are not judged.
#[must_use]
pub fn coverage<'r>(policy: &Policy, rules: impl IntoIterator<Item = &'r Rule>) -> Vec<Blind> {
    judge(rules, |need, verb, resource| {
        let request = request(need.users, verb, resource);
        Some(policy.level(&request))
    })
}

/// How much of requests arrived, by kind of request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// By users, verb and resource, the most that was seen.
    seen: BTreeMap<(Users, String, String), Level>,
}

/// Most kinds of requests that are remembered.
const MAX_KINDS: usize = 20_000;

impl Arrived {
    /// Takes note of an event.
    pub fn see(&mut self, record: &Record<'_>) {
        let (Some(target), Some(level)) = (record.target, Level::parse(&record.level())) else {
            return;
        };
        let Some(resource) = target.resource else {
            return;
        };
        let users = match UserKind::of(&record.user) {
            UserKind::Anonymous | UserKind::None => Users::Anonymous,
            UserKind::Node => Users::Nodes,
            UserKind::ServiceAccount => Users::Accounts,
            UserKind::Controller | UserKind::System => Users::Controllers,
            UserKind::Human => Users::People,
        };
        let mut name = resource.decode().into_owned();
        for (mark, part) in [('/', target.subresource), ('.', target.group)] {
            if let Some(part) = part.filter(|part| !part.is_empty()) {
                name.push(mark);
                name.push_str(&part.decode());
            }
        }
        let key = (users, record.verb.decode().into_owned(), name);
        if let Some(known) = self.seen.get_mut(&key) {
            *known = (*known).max(level);
        } else if self.seen.len() < MAX_KINDS {
            self.seen.insert(key, level);
        }
    }

    /// The detections whose requests arrived, but with less than they need. Of requests that nobody made nothing can
    /// be said.
    #[must_use]
    pub fn coverage<'r>(&self, rules: impl IntoIterator<Item = &'r Rule>) -> Vec<Blind> {
        judge(rules, |need, verb, resource| {
            self.level(need, verb, resource)
        })
    }

    fn level(&self, need: &Need, verb: &str, resource: &str) -> Option<Level> {
        let key = (need.users, verb.to_owned(), resource.to_owned());
        self.seen.get(&key).copied()
    }
}

/// What a detection sees of what it has to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// In one word.
    pub seen: Seen,
    /// What it lacks: `create deployments.apps is logged at None, Request is needed`.
    pub lacks: Vec<String>,
    /// What nothing shows either way: `create deployments.apps at Request`.
    pub unknown: Vec<String>,
}

/// How much of what it needs a detection sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Something of it, and nothing shows that it lacks anything.
    Sees,
    /// Some of it, and lacks other parts.
    Partly,
    /// Nothing: of all that is known it lacks what it needs.
    Blind,
    /// Nothing shows it either way.
    Unknown,
}

impl Seen {
    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sees => "sees",
            Self::Partly => "partial",
            Self::Blind => "blind",
            Self::Unknown => "unknown",
        }
    }
}

/// What a detection sees, by what arrived, and where that says nothing by the policy, if it is known. What arrived
/// comes first: it is true, and a policy may not be the one that is in force.
///
/// A rule without `coverage` does not say what it needs, so nothing can be said of it.
#[must_use]
pub fn sight(rule: &Rule, arrived: &Arrived, policy: Option<&Policy>) -> Sight {
    let by_policy = |need: &Need, verb: &str, resource: &str| {
        Some(policy?.level(&request(need.users, verb, resource)))
    };
    let found = compare(rule, &|need, verb, resource| {
        let level = arrived.level(need, verb, resource);
        level.or_else(|| by_policy(need, verb, resource))
    });
    let seen = match (found.sees_some, found.lacks.is_empty()) {
        (true, true) => Seen::Sees,
        (true, false) => Seen::Partly,
        (false, false) => Seen::Blind,
        (false, true) => Seen::Unknown,
    };
    Sight {
        seen,
        lacks: told(found.lacks),
        unknown: told(found.unknown),
    }
}

/// How what a rule needs compares with what there is.
#[derive(Default)]
struct Compared {
    lacks: Vec<String>,
    unknown: Vec<String>,
    sees_some: bool,
}

fn compare(rule: &Rule, level: &impl Fn(&Need, &str, &str) -> Option<Level>) -> Compared {
    let mut compared = Compared::default();
    for need in needs(rule) {
        for (verb, resource) in need.pairs() {
            let wanted = need.level.as_str();
            match level(&need, verb, resource) {
                Some(found) if found < need.level => compared.lacks.push(format!(
                    "{verb} {resource} is logged at {}, {wanted} is needed",
                    found.as_str(),
                )),
                Some(_) => compared.sees_some = true,
                None => compared
                    .unknown
                    .push(format!("{verb} {resource} at {wanted}")),
            }
        }
    }
    compared
}

/// Some of the reasons, each once.
fn told(mut reasons: Vec<String>) -> Vec<String> {
    reasons.sort();
    reasons.dedup();
    reasons.truncate(MAX_REASONS);
    reasons
}

/// `level` says how much there is of a request; `None`, that it cannot be said.
fn judge<'r>(
    rules: impl IntoIterator<Item = &'r Rule>,
    level: impl Fn(&Need, &str, &str) -> Option<Level>,
) -> Vec<Blind> {
    let mut blind = Vec::new();
    for rule in rules {
        if rule.source != SOURCE || !rule.is_enabled {
            continue;
        }
        let found = compare(rule, &level);
        if !found.lacks.is_empty() {
            blind.push(Blind {
                id: rule.id.clone(),
                is_whole: !found.sees_some,
                reasons: told(found.lacks),
            });
        }
    }
    blind
}

/// What a rule says it needs. A `coverage` of another form is none of ours.
fn needs(rule: &Rule) -> Vec<Need> {
    serde_json::from_value(rule.coverage.clone()).unwrap_or_default()
}

impl Need {
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        fn spread<'a>(list: &'a [String], all: &'static [&'static str]) -> Vec<&'a str> {
            if list.iter().any(|item| item == "*") {
                all.to_vec()
            } else {
                list.iter().map(String::as_str).collect()
            }
        }
        let verbs = spread(&self.verbs, SOME_VERBS);
        spread(&self.resources, SOME_RESOURCES)
            .into_iter()
            .flat_map(move |resource| verbs.clone().into_iter().map(move |verb| (verb, resource)))
    }
}

/// A request as such users make it.
fn request<'n>(users: Users, verb: &'n str, resource: &'n str) -> Request<'n> {
    let (user, groups): (&str, &[&str]) = match users {
        Users::People => ("somebody", &["system:authenticated"]),
        Users::Accounts => (
            "system:serviceaccount:default:some",
            &[
                "system:serviceaccounts",
                "system:serviceaccounts:default",
                "system:authenticated",
            ],
        ),
        Users::Anonymous => ("system:anonymous", &["system:unauthenticated"]),
        Users::Nodes => (
            "system:node:some",
            &["system:nodes", "system:authenticated"],
        ),
        Users::Controllers => (
            "system:serviceaccount:kube-system:replicaset-controller",
            &[
                "system:serviceaccounts",
                "system:serviceaccounts:kube-system",
                "system:authenticated",
            ],
        ),
    };
    let (resource, part, group) = split(resource);
    Request {
        user,
        groups,
        verb,
        group,
        resource,
        part,
        namespace: "default",
        name: "some",
    }
}

/// `deployments/scale.apps` is resource, part and group.
fn split(name: &str) -> (&str, &str, &str) {
    let (path, group) = name.split_once('.').unwrap_or((name, ""));
    let (resource, part) = path.split_once('/').unwrap_or((path, ""));
    (resource, part, group)
}

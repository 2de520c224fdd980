//! One rule of a role, and what it matches.

use serde_json::{Map, Value};

use crate::json::texts;

/// Most entries of each list of a rule that are looked at.
const MAX_ENTRIES: usize = 5_000;

/// A rule as a role has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    pub(crate) verbs: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) names: Vec<String>,
    pub(crate) urls: Vec<String>,
}

/// Where a rule is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scope<'a> {
    Cluster,
    Namespace(&'a str),
}

impl<'a> Scope<'a> {
    pub(crate) fn as_str(self) -> &'a str {
        match self {
            Self::Cluster => "*",
            Self::Namespace(name) => name,
        }
    }
}

impl Rule {
    pub(crate) fn read(value: &Value) -> Self {
        let list = |pointer| {
            texts(value, pointer)
                .take(MAX_ENTRIES)
                .map(str::to_owned)
                .collect()
        };
        Self {
            verbs: list("/verbs"),
            groups: list("/apiGroups"),
            resources: list("/resources"),
            names: list("/resourceNames"),
            urls: list("/nonResourceURLs"),
        }
    }

    pub(crate) fn has_verb(&self, verb: &str) -> bool {
        has(&self.verbs, verb)
    }

    pub(crate) fn has_group(&self, group: &str) -> bool {
        has(&self.groups, group)
    }

    /// Whether it is about `resource`, which may be `pods` or `pods/exec`. A star before a slash stands for all
    /// resources; one behind it is a name like any other, and matches nothing.
    pub(crate) fn has_resource(&self, resource: &str) -> bool {
        let subresource = resource.split_once('/').map(|(_, sub)| sub);
        self.resources.iter().any(|own| {
            own == "*"
                || own == resource
                || subresource.is_some_and(|sub| own.strip_prefix("*/") == Some(sub))
        })
    }

    /// Whether it could give anything at all in `scope`. URLs belong to no namespace.
    pub(crate) fn gives_something(&self, scope: Scope<'_>) -> bool {
        let on_resources = !self.groups.is_empty() && !self.resources.is_empty();
        let on_urls = !self.urls.is_empty() && scope == Scope::Cluster;
        !self.verbs.is_empty() && (on_resources || on_urls)
    }

    /// The lists of it that are everything.
    pub(crate) fn wildcards(&self) -> Vec<&'static str> {
        [
            ("verbs", &self.verbs),
            ("apiGroups", &self.groups),
            ("resources", &self.resources),
            ("nonResourceURLs", &self.urls),
        ]
        .into_iter()
        .filter(|(_, list)| list.iter().any(|entry| entry == "*"))
        .map(|(name, _)| name)
        .collect()
    }

    /// As a role has it, without lists that are empty.
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let mut map = Map::new();
        for (name, list) in [
            ("verbs", &self.verbs),
            ("apiGroups", &self.groups),
            ("resources", &self.resources),
            ("resourceNames", &self.names),
            ("nonResourceURLs", &self.urls),
        ] {
            if !list.is_empty() {
                map.insert(name.to_owned(), list.clone().into());
            }
        }
        map
    }
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|entry| entry == "*" || entry == wanted)
}

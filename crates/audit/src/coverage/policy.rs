//! Audit policies (`audit.k8s.io/v1`), evaluated as the API server does: the first rule that matches decides.

use serde::Deserialize;

/// How much of a request is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Level {
    /// Nothing.
    None,
    /// Who asked for what, and what came of it.
    Metadata,
    /// And what was sent.
    Request,
    /// And what was answered.
    RequestResponse,
}

/// An audit policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    omit_stages: Vec<String>,
    #[serde(default)]
    rules: Vec<PolicyRule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyRule {
    level: Level,
    #[serde(default)]
    users: Vec<String>,
    #[serde(default)]
    user_groups: Vec<String>,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    resources: Vec<GroupResources>,
    #[serde(default)]
    namespaces: Vec<String>,
    #[serde(default, rename = "nonResourceURLs")]
    non_resource_urls: Vec<String>,
    #[serde(default)]
    omit_stages: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupResources {
    #[serde(default)]
    group: String,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    resource_names: Vec<String>,
}

/// Why a text is no policy. The fault of who wrote it.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Larger than any policy.
    #[error("the policy has {0} bytes, of which {MAX_BYTES} are read")]
    Large(usize),
    /// No YAML of this form.
    #[error("failed to read the policy")]
    Form(#[source] serde_saphyr::Error),
    /// Something else than a policy.
    #[error("it is no audit policy but of kind {0:?}")]
    Kind(String),
}

/// Largest policy.
const MAX_BYTES: usize = 1 << 20;

/// A request, as far as policies look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The user's groups.
    pub groups: &'a [&'a str],
    /// What is asked for.
    pub verb: &'a str,
    /// The API group; empty for the core's.
    pub group: &'a str,
    /// The resource.
    pub resource: &'a str,
    /// Its part: `exec`; empty for the whole.
    pub part: &'a str,
    /// The namespace; empty for what is in none.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
}

impl Level {
    /// As policies and events write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Metadata => "Metadata",
            Self::Request => "Request",
            Self::RequestResponse => "RequestResponse",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [
            Self::None,
            Self::Metadata,
            Self::Request,
            Self::RequestResponse,
        ]
        .into_iter()
        .find(|level| level.as_str() == text)
    }
}

impl Policy {
    /// Reads a policy in YAML.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > MAX_BYTES {
            return Err(PolicyError::Large(text.len()));
        }
        let policy: Self = serde_saphyr::from_str(text).map_err(PolicyError::Form)?;
        if policy.kind != "Policy" {
            return Err(PolicyError::Kind(policy.kind.chars().take(64).collect()));
        }
        Ok(policy)
    }

    /// How much of a request is logged when it is over, or when it began to be answered.
    #[must_use]
    pub fn level(&self, request: &Request<'_>) -> Level {
        let Some(rule) = self.rules.iter().find(|rule| rule.matches(request)) else {
            return Level::None;
        };
        let is_omitted = |stage: &str| {
            let both = rule.omit_stages.iter().chain(&self.omit_stages);
            both.into_iter().any(|omitted| omitted == stage)
        };
        if is_omitted("ResponseComplete") && is_omitted("ResponseStarted") {
            return Level::None;
        }
        rule.level
    }
}

impl PolicyRule {
    fn matches(&self, request: &Request<'_>) -> bool {
        let allows = |list: &[String], what: &str| list.is_empty() || has(list, what);
        let in_group = self.user_groups.is_empty()
            || request
                .groups
                .iter()
                .any(|group| has(&self.user_groups, group));
        if !allows(&self.users, request.user) || !in_group || !allows(&self.verbs, request.verb) {
            return false;
        }
        if self.resources.is_empty() && self.namespaces.is_empty() {
            // A rule about other addresses is not about resources.
            return self.non_resource_urls.is_empty();
        }
        allows(&self.namespaces, request.namespace)
            && (self.resources.is_empty()
                || self.resources.iter().any(|some| some.matches(request)))
    }
}

impl GroupResources {
    fn matches(&self, request: &Request<'_>) -> bool {
        let Request { resource, part, .. } = *request;
        if self.group != request.group {
            return false;
        }
        let is_one = |name: &String| {
            let is_same = match name.split_once('/') {
                None => name == "*" || (part.is_empty() && name == resource),
                Some(("*", own)) => !part.is_empty() && own == part,
                Some((own, "*")) => own == resource,
                Some((own, below)) => own == resource && below == part,
            };
            is_same && (self.resource_names.is_empty() || has(&self.resource_names, request.name))
        };
        self.resources.is_empty() || self.resources.iter().any(is_one)
    }
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|item| item == wanted)
}

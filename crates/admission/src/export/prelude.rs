//! What a policy's variables make of an object, so that checks find what facts would tell them.
//!
//! It says again, in CEL, what `crates/kubernetes` works out in Rust: where pod specs stand, what containers there are,
//! what an ingress leaves unencrypted. The tests hold the two together, object by object.

use std::collections::BTreeSet;

use seareeve_cel::quoted;

const WORKLOAD: &str = "kubernetes.workload";
const INGRESS: &str = "kubernetes.ingress";
const ACCOUNT: &str = "kubernetes.service-account";

/// Containers that are left out, with `*` for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Excluded {
    pub(super) containers: Vec<String>,
    pub(super) images: Vec<String>,
}

/// A variable: its name, those that it needs, its expression.
type Variable = (&'static str, &'static [&'static str], &'static str);

/// Of workloads. In an order in which each stands after those that it needs.
const OF_WORKLOADS: &[Variable] = &[
    (
        "template",
        &["own"],
        "variables.own.kind == 'Pod' ? variables.own : variables.own.kind == 'PodTemplate' ? variables.own.template \
         : variables.own.kind == 'CronJob' ? variables.own.spec.jobTemplate.spec.template \
         : variables.own.?spec.?template.orValue({})",
    ),
    ("pod", &["template"], "variables.template.?spec.orValue({})"),
    (
        "annotations",
        &["template"],
        "variables.template.?metadata.?annotations.orValue({})",
    ),
    (
        "labels",
        &["template"],
        "variables.template.?metadata.?labels.orValue({})",
    ),
];

/// Of all other objects.
const OF_OTHERS: &[Variable] = &[
    ("spec", &["own"], "variables.own.?spec.orValue({})"),
    (
        "annotations",
        &["own"],
        "variables.own.metadata.?annotations.orValue({})",
    ),
];

/// Of ingresses besides.
const OF_INGRESSES: &[Variable] = &[
    (
        "hosts",
        &["spec"],
        "variables.spec.?rules.orValue([]).map(r, r.?host.orValue('') == '' ? '*' : r.host) \
         + (size(variables.spec.?rules.orValue([])) == 0 || has(variables.spec.defaultBackend) \
         || has(variables.spec.backend) ? ['*'] : [])",
    ),
    (
        "hosts_without_tls",
        &["spec", "hosts"],
        "variables.hosts.filter(h, !variables.spec.?tls.orValue([]).exists(t, size(t.?hosts.orValue([])) == 0 \
         || t.hosts.exists(n, n == h || (n.startsWith('*.') && h.contains('.') && !h.startsWith('*.') \
         && h.substring(h.indexOf('.') + 1) == n.substring(2)))))",
    ),
    (
        "allow_http",
        &["annotations"],
        "['nginx.ingress.kubernetes.io/ssl-redirect', 'nginx.ingress.kubernetes.io/force-ssl-redirect', \
         'appgw.ingress.kubernetes.io/ssl-redirect', 'haproxy.org/ssl-redirect']\
         .exists(a, variables.annotations[?a].orValue('').lowerAscii() == 'true') \
         || variables.annotations[?'traefik.ingress.kubernetes.io/router.entrypoints'].orValue('') == 'websecure' \
         || 'alb.ingress.kubernetes.io/ssl-redirect' in variables.annotations ? optional.of(false) \
         : variables.annotations[?'kubernetes.io/ingress.allow-http'].orValue('') == 'true' ? optional.of(true) \
         : variables.annotations[?'kubernetes.io/ingress.allow-http'].orValue('') == 'false' ? optional.of(false) \
         : optional.none()",
    ),
];

/// Of every object.
const OF_ALL: &[Variable] = &[
    ("own", &[], "dyn(object)"),
    (
        "own_namespace",
        &[],
        "has(request.namespace) ? request.namespace : ''",
    ),
    (
        "own_name",
        &["own"],
        "variables.own.metadata.?name.orValue(variables.own.metadata.?generateName.orValue(''))",
    ),
    ("kind", &["own"], "variables.own.kind"),
    (
        "is_default",
        &["own_name"],
        "variables.own_name == 'default'",
    ),
];

/// The variable that stands for a name of checks on this kind of fact.
pub(super) fn name(on: &str, name: &str) -> Option<&'static str> {
    match (name, on == WORKLOAD) {
        ("kind", _) => Some("kind"),
        ("spec", true) => Some("judged"),
        ("spec", false) => Some("spec"),
        ("containers", true) => Some("containers"),
        ("annotations", true) => Some("annotations"),
        ("labels", true) => Some("labels"),
        _ => None,
    }
}

/// The variable that stands for a field of the fact, and whether it is an optional value.
pub(super) fn field(on: &str, field: &str) -> Option<(&'static str, bool)> {
    match (field, on) {
        ("namespace", _) => Some(("own_namespace", false)),
        ("name", _) => Some(("own_name", false)),
        ("hosts_without_tls", INGRESS) => Some(("hosts_without_tls", false)),
        ("default", ACCOUNT) => Some(("is_default", false)),
        ("allow_http", INGRESS) => Some(("allow_http", true)),
        ("kind" | "spec" | "annotations" | "labels", _) => {
            name(on, field).map(|name| (name, false))
        }
        _ => None,
    }
}

/// The variables that are used, with those that they need.
pub(super) fn variables(
    on: &str,
    used: &BTreeSet<&'static str>,
    excluded: &Excluded,
) -> Result<Vec<(String, String)>, String> {
    let mut fixed: Vec<Variable> = OF_ALL.to_vec();
    if on == WORKLOAD {
        fixed.extend(OF_WORKLOADS);
    } else {
        fixed.extend(OF_OTHERS);
    }
    if on == INGRESS {
        fixed.extend(OF_INGRESSES);
    }
    let mut wanted: BTreeSet<&'static str> = used.clone();
    for made in ["containers", "judged"] {
        if wanted.contains(made) {
            wanted.insert("pod");
        }
    }
    // What is needed stands before what needs it.
    for (name, needs, _) in fixed.iter().rev() {
        if wanted.contains(name) {
            wanted.extend(*needs);
        }
    }
    let mut variables: Vec<(String, String)> = fixed
        .iter()
        .filter(|(name, ..)| wanted.contains(name))
        .map(|(name, _, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    if wanted.contains("containers") {
        variables.push(("containers".to_owned(), containers(excluded)));
    }
    if wanted.contains("judged") {
        // What checks read of the spec beside its containers. Where they read lists of containers themselves, these
        // would hold those that are left out, too.
        variables.push(("judged".to_owned(), "variables.pod".to_owned()));
    }
    Ok(variables)
}

fn containers(excluded: &Excluded) -> String {
    let all = ["initContainers", "containers", "ephemeralContainers"]
        .map(|list| format!("variables.pod.?{list}.orValue([])"))
        .join(" + ");
    let mut out = Vec::new();
    for (patterns, field) in [
        (&excluded.containers, "c.?name.orValue('')"),
        (&excluded.images, "c.?image.orValue('')"),
    ] {
        for pattern in patterns {
            out.push(format!("{field}.matches({})", quoted(&expression(pattern))));
        }
    }
    match out.is_empty() {
        true => all,
        false => format!("({all}).filter(c, !({}))", out.join(" || ")),
    }
}

/// A pattern with `*` as a regular expression (RE2) for the whole text.
pub(super) fn expression(pattern: &str) -> String {
    let mut expression = "^".to_owned();
    for character in pattern.chars() {
        match character {
            '*' => expression.push_str("(?s:.*)"),
            other if other.is_ascii_alphanumeric() || "-_/:@ ".contains(other) => {
                expression.push(other);
            }
            other if other.is_ascii() => {
                expression.push('\\');
                expression.push(other);
            }
            other => expression.push(other),
        }
    }
    expression.push('$');
    expression
}

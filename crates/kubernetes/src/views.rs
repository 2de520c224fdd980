//! What checks see of a fact beside its data: parts of it under names of their own, without a copy.

use serde_json::Value;

use crate::pods;

/// A variable that a check on a fact can use.
#[derive(Clone, Debug, PartialEq)]
pub enum View<'d> {
    /// A part of the data.
    Part(&'d Value),
    /// Parts of the data that make a list together.
    List(Vec<&'d Value>),
}

/// The variables for a fact of `kind`. A part that the data does not have is not there.
#[must_use]
pub fn views<'d>(kind: &str, data: &'d Value) -> Vec<(&'static str, View<'d>)> {
    let names: &[&str] = match kind {
        "kubernetes.workload" => &[
            "spec",
            "annotations",
            "labels",
            "kind",
            "namespace",
            "object",
            "effective",
        ],
        _ if kind.starts_with("kubernetes.") => &["spec", "kind", "namespace", "object"],
        _ => &[],
    };
    let parts = names
        .iter()
        .filter_map(|name| Some((*name, View::Part(data.get(*name)?))));
    let containers = (kind == "kubernetes.workload").then(|| {
        let spec = data.get("spec").unwrap_or(&Value::Null);
        ("containers", View::List(pods::containers(spec)))
    });
    parts.chain(containers).collect()
}

//! What checks say of manifests, in each format.

mod html;
mod junit;
mod sarif;
mod table;

use seareeve_api::{ManifestObject, ManifestReport, ManifestResult};
use seareeve_posture::Library;

use super::{json, words};
use crate::args::PostureFormat;

/// A report in one of the formats. `library` says what its checks are about, for formats that tell that.
pub(crate) fn report(
    report: &ManifestReport,
    library: &Library,
    format: PostureFormat,
) -> anyhow::Result<String> {
    match format {
        PostureFormat::Table => Ok(table::report(report)),
        PostureFormat::Json => json::text(report),
        PostureFormat::Sarif => json::text(&sarif::log(report, library)),
        PostureFormat::Junit => Ok(junit::report(report)),
        PostureFormat::Html => Ok(html::page(report, library)),
    }
}

/// `Deployment shop/web`.
fn name_of(object: &ManifestObject) -> String {
    match object.namespace.as_str() {
        "" => format!("{} {}", object.kind, object.name),
        namespace => format!("{} {namespace}/{}", object.kind, object.name),
    }
}

/// `deploy.yaml:12`, where an object stands; nothing for those of a cluster.
fn place_of(object: &ManifestObject) -> Option<String> {
    (!object.file.is_empty()).then(|| format!("{}:{}", object.file, object.line))
}

/// Results that somebody should look at: neither passed nor not applicable.
fn told(object: &ManifestObject) -> impl Iterator<Item = &ManifestResult> {
    let results = object.results.iter();
    results.filter(|result| !matches!(result.status.as_str(), "pass" | "not_applicable"))
}

/// `1 object: 2 failed, 3 passed`, of all objects' results.
fn counted(report: &ManifestReport) -> String {
    let results = || report.objects.iter().flat_map(|object| &object.results);
    let count = |status: &str| results().filter(|result| result.status == status).count();
    let parts: Vec<String> = [
        ("fail", "failed"),
        ("error", "could not be evaluated"),
        ("not_collected", "not collected"),
        ("needs_review", "to review"),
        ("pass", "passed"),
        ("not_applicable", "not applicable"),
    ]
    .into_iter()
    .map(|(status, what)| (count(status), what))
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    let results = match parts.is_empty() {
        true => "nothing to judge".to_owned(),
        false => parts.join(", "),
    };
    format!(
        "{}: {results}",
        words::counted(report.objects.len(), "object")
    )
}

//! Our findings beside those of the peer scanner on the same image and the same advisories, finding by finding.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::differences::Difference;
use crate::shell::Shell;

/// What one side found in one image.
pub(super) struct Found {
    pub(super) packages: BTreeSet<Package>,
    pub(super) findings: Vec<Finding>,
}

/// A package at its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) version: String,
    /// The file that says so. Empty for packages of an operating system, which share one.
    pub(super) place: String,
}

/// A vulnerability of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) package: Package,
    /// The id it goes by, then the others.
    pub(super) ids: Vec<String>,
    pub(super) fixed: BTreeSet<String>,
}

/// What our report says.
pub(super) fn ours(report: &Value) -> Result<Found> {
    let package = |value: &Value| -> Result<Package> {
        let kind = text(value, "kind")?;
        let is_of_system = matches!(kind.as_str(), "deb" | "apk" | "rpm");
        Ok(Package {
            name: text(value, "name")?,
            version: text(value, "version")?,
            place: if is_of_system {
                String::new()
            } else {
                text(value, "path")?
            },
            kind,
        })
    };
    let finding = |value: &Value| -> Result<Finding> {
        let mut ids = vec![text(value, "id")?];
        ids.extend(
            items(&value["aliases"])
                .filter_map(Value::as_str)
                .map(str::to_owned),
        );
        for record in items(&value["advisories"]) {
            ids.push(text(record, "id")?);
        }
        let fixed = items(&value["fixed_versions"]).filter_map(Value::as_str);
        Ok(Finding {
            package: package(&value["package"])?,
            ids,
            fixed: fixed.map(str::to_owned).collect(),
        })
    };
    // The peer has no word for what does not count.
    let findings = items(&report["findings"]).chain(items(&report["suppressed"]));
    Ok(Found {
        packages: items(&report["packages"])
            .map(package)
            .collect::<Result<_>>()?,
        findings: findings.map(finding).collect::<Result<_>>()?,
    })
}

/// Runs the peer on `image`.
pub(super) fn theirs(shell: &Shell, image: &Path) -> Result<Found> {
    let mut command = shell.command(shell.workspace.shared()?.join("tools/trivy.sh"));
    command
        .arg(image)
        .args(["--cache-backend", "memory", "--list-all-pkgs"]);
    let report: Value = serde_json::from_slice(&shell.capture(&mut command)?)
        .with_context(|| format!("failed to parse the peer's report of {}", image.display()))?;
    read(&report)
}

fn read(report: &Value) -> Result<Found> {
    let mut found = Found {
        packages: BTreeSet::new(),
        findings: Vec::new(),
    };
    for result in items(&report["Results"]) {
        let kind = kind(&text(result, "Type")?).to_owned();
        let is_of_system = result["Class"] == "os-pkgs";
        let target = text(result, "Target")?;
        let package = |value: &Value, name: &str, version: &str, place: &str| -> Result<Package> {
            let mut version = text(value, version)?;
            // The epoch and the revision stand apart in the list of packages, and together in findings.
            if let Some(release) = value["Release"].as_str() {
                version = format!("{version}-{release}");
            }
            if let Some(epoch) = value["Epoch"].as_u64().filter(|epoch| *epoch > 0) {
                version = format!("{epoch}:{version}");
            }
            let place = match (is_of_system, value[place].as_str()) {
                (true, _) => String::new(),
                // Packages in a binary have no file of their own.
                (false, None) => target.clone(),
                (false, Some(place)) => place.to_owned(),
            };
            Ok(Package {
                kind: kind.clone(),
                name: text(value, name)?,
                version,
                place,
            })
        };
        for value in items(&result["Packages"]) {
            found
                .packages
                .insert(package(value, "Name", "Version", "FilePath")?);
        }
        for value in items(&result["Vulnerabilities"]) {
            let fixed = value["FixedVersion"].as_str().unwrap_or_default();
            found.findings.push(Finding {
                package: package(value, "PkgName", "InstalledVersion", "PkgPath")?,
                ids: vec![text(value, "VulnerabilityID")?],
                fixed: fixed
                    .split(", ")
                    .filter(|version| !version.is_empty())
                    .map(str::to_owned)
                    .collect(),
            });
        }
    }
    Ok(found)
}

/// The peer's words for kinds of packages, in ours.
fn kind(word: &str) -> &str {
    match word {
        "debian" | "ubuntu" => "deb",
        "alpine" | "wolfi" | "chainguard" => "apk",
        "node-pkg" => "npm",
        "python-pkg" => "pypi",
        "gemspec" => "gem",
        "gobinary" => "golang",
        "rustbinary" => "cargo",
        "jar" => "maven",
        "composer-vendor" => "composer",
        "dotnet-core" => "nuget",
        other => other,
    }
}

/// Everything on which the two sides disagree. What is the same vulnerability, ids decide: the peer's one id must
/// be among all of ours.
pub(super) fn compare(image: &str, ours: &Found, theirs: &Found) -> Vec<Difference> {
    let mut differences = Vec::new();
    let package = |what, package: &Package, detail: String| Difference {
        image: image.to_owned(),
        what,
        kind: package.kind.clone(),
        package: package.name.clone(),
        version: package.version.clone(),
        place: package.place.clone(),
        id: String::new(),
        detail,
    };
    for missed in theirs.packages.difference(&ours.packages) {
        differences.push(package("package missed", missed, String::new()));
    }
    for extra in ours.packages.difference(&theirs.packages) {
        differences.push(package("package extra", extra, String::new()));
    }
    let mut places: BTreeMap<&Package, Vec<usize>> = BTreeMap::new();
    for (at, finding) in ours.findings.iter().enumerate() {
        places.entry(&finding.package).or_default().push(at);
    }
    let mut theirs_of = vec![Vec::new(); ours.findings.len()];
    for finding in &theirs.findings {
        let same: Vec<usize> = places
            .get(&finding.package)
            .into_iter()
            .flatten()
            .copied()
            .filter(|at| {
                let ours = ours.findings.get(*at);
                ours.is_some_and(|ours| finding.ids.iter().any(|id| ours.ids.contains(id)))
            })
            .collect();
        let id = finding.ids.first().cloned().unwrap_or_default();
        match same.as_slice() {
            [] => differences.push(Difference {
                id,
                ..package("finding missed", &finding.package, joined(&finding.fixed))
            }),
            [one] => {
                if let Some(of) = theirs_of.get_mut(*one) {
                    of.push(finding);
                }
            }
            several => {
                let count = format!("{} of ours", several.len());
                for one in several {
                    if let Some(of) = theirs_of.get_mut(*one) {
                        of.push(finding);
                    }
                }
                differences.push(Difference {
                    id,
                    ..package("finding split", &finding.package, count)
                });
            }
        }
    }
    for (finding, theirs) in ours.findings.iter().zip(theirs_of) {
        let id = finding.ids.first().cloned().unwrap_or_default();
        if theirs.is_empty() {
            differences.push(Difference {
                id,
                ..package("finding extra", &finding.package, joined(&finding.fixed))
            });
            continue;
        }
        if theirs.len() > 1 {
            let ids = theirs.iter().flat_map(|finding| &finding.ids);
            let ids: Vec<&str> = ids.map(String::as_str).collect();
            differences.push(Difference {
                id: id.clone(),
                ..package("finding merged", &finding.package, ids.join(" "))
            });
        }
        let fixed: BTreeSet<String> = theirs.iter().flat_map(|one| one.fixed.clone()).collect();
        if fixed != finding.fixed {
            let what = if !finding.fixed.is_empty() && finding.fixed.is_subset(&fixed) {
                "fewer fixes"
            } else {
                "other fixes"
            };
            let detail = format!("{} instead of {}", joined(&finding.fixed), joined(&fixed));
            differences.push(Difference {
                id,
                ..package(what, &finding.package, detail)
            });
        }
    }
    differences
}

fn joined(versions: &BTreeSet<String>) -> String {
    if versions.is_empty() {
        return "no fix".to_owned();
    }
    let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
    versions.join(", ")
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A field that must be there: a finding would be lost silently.
fn text(value: &Value, field: &str) -> Result<String> {
    let text = value[field].as_str();
    text.map(str::to_owned)
        .with_context(|| format!("{field} is missing: {value}"))
}

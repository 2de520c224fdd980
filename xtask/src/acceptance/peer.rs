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
            // Versions of Go's own library are written as those of modules.
            if kind == "golang" && value[name] == "stdlib" {
                version = version.trim_start_matches('v').to_owned();
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
            // Of gems it tells what a Gemfile would have to ask for (`>= 1.2`).
            let fixed = value["FixedVersion"].as_str().unwrap_or_default();
            let fixed = fixed.split(", ").map(|version| {
                let bare = version.trim_start_matches([' ', '~', '>', '=']);
                bare.to_owned()
            });
            found.findings.push(Finding {
                package: package(value, "PkgName", "InstalledVersion", "PkgPath")?,
                ids: vec![text(value, "VulnerabilityID")?],
                fixed: fixed.filter(|version| !version.is_empty()).collect(),
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
            let detail = if is_backport(finding) {
                "backport".to_owned()
            } else {
                joined(&finding.fixed)
            };
            differences.push(Difference {
                id,
                ..package("finding extra", &finding.package, detail)
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

/// Whether the installed version is one that mends, built again for a stable release of Debian: `1.2-3~deb12u1`
/// sorts before `1.2-3`, and has all that it has.
fn is_backport(finding: &Finding) -> bool {
    let of = |fixed: &String| finding.package.version.strip_prefix(fixed.as_str());
    let is_of = |fixed| of(fixed).is_some_and(|rest| rest.starts_with("~deb"));
    finding.package.kind == "deb" && !finding.fixed.is_empty() && finding.fixed.iter().all(is_of)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(ours: &Value, theirs: &Value) -> Vec<String> {
        let (ours, theirs) = (super::ours(ours).unwrap(), read(theirs).unwrap());
        let differences = compare("image", &ours, &theirs);
        differences.iter().map(ToString::to_string).collect()
    }

    fn finding(id: &str, aliases: &[&str], name: &str, version: &str, fixed: &[&str]) -> Value {
        json!({
            "id": id, "aliases": aliases, "fixed_versions": fixed, "advisories": [],
            "package": {"kind": "gem", "name": name, "version": version, "path": "p"},
        })
    }

    #[test]
    fn the_same_vulnerability_is_known_by_any_of_its_ids() {
        let ours = json!({
            "packages": [{"kind": "gem", "name": "uri", "version": "1", "path": "p"}],
            "findings": [
                finding("CVE-1", &["GHSA-1"], "uri", "1", &["2"]),
                finding("CVE-2", &[], "uri", "1", &["2"]),
                finding("CVE-4", &[], "uri", "1", &["2", "3"]),
            ],
            "suppressed": [finding("CVE-3", &[], "uri", "1", &[])],
        });
        let theirs = |id: &str, fixed: &str| json!({"VulnerabilityID": id, "PkgName": "uri", "InstalledVersion": "1", "PkgPath": "p", "FixedVersion": fixed});
        let theirs = json!({"Results": [{
            "Type": "gemspec", "Class": "lang-pkgs", "Target": "Ruby",
            "Packages": [
                {"Name": "uri", "Version": "1", "FilePath": "p"},
                {"Name": "cgi", "Version": "1", "FilePath": "p"},
            ],
            "Vulnerabilities": [
                theirs("GHSA-1", "~> 0.5, >= 2"),
                theirs("CVE-3", ""),
                theirs("CVE-4", ">= 2, >= 4"),
                theirs("CVE-5", ">= 2"),
            ],
        }]});
        assert_eq!(
            lines(&ours, &theirs),
            [
                "package missed: gem cgi 1 · p",
                "finding missed: gem uri 1 · CVE-5 · p · 2",
                "fewer fixes: gem uri 1 · CVE-1 · p · 2 instead of 0.5, 2",
                "finding extra: gem uri 1 · CVE-2 · p · 2",
                "other fixes: gem uri 1 · CVE-4 · p · 2, 3 instead of 2, 4",
            ]
        );
    }

    #[test]
    fn versions_are_put_together_as_debian_writes_them() {
        let theirs = json!({"Results": [{
            "Type": "debian", "Class": "os-pkgs", "Target": "image",
            "Packages": [{"Name": "tar", "Version": "1.34", "Release": "1", "Epoch": 2}],
        }]});
        let found = read(&theirs).unwrap();
        let packages: Vec<&Package> = found.packages.iter().collect();
        assert_eq!(packages[0].version, "2:1.34-1");
        assert_eq!(packages[0].place, "");
    }

    #[test]
    fn a_version_built_again_for_a_stable_release_has_what_it_was_built_of() {
        let finding = |version: &str, fixed: &str| Finding {
            package: Package {
                kind: "deb".to_owned(),
                name: "redis".to_owned(),
                version: version.to_owned(),
                place: String::new(),
            },
            ids: Vec::new(),
            fixed: BTreeSet::from([fixed.to_owned()]),
        };
        assert!(is_backport(&finding("7.0.15-1~deb12u10", "7.0.15-1")));
        assert!(!is_backport(&finding("7.0.15-1~deb12u10", "7.0.16-1")));
        assert!(!is_backport(&finding("7.0.15-1+deb12u1", "7.0.15-1")));
    }
}

//! Our own dependencies against RustSec's advisories, read from the shared data: `cargo deny` would fetch them, and
//! neither our machines nor a clone's have to reach its source.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use semver::Version;
use serde_json::Value;
use zip::ZipArchive;

use crate::shell::Shell;
use crate::steps::Done;

/// Advisories that we live with: id and reason. An entry that hits nothing is an error.
const ALLOWED: &[(&str, &str)] = &[];

/// Fails when a dependency in `Cargo.lock` has a vulnerability or is unsound; names what is unmaintained.
pub(crate) fn check(shell: &Shell) -> Result<Done> {
    let Some(shared) = &shell.workspace.shared else {
        return Ok(Done::NotRun("no shared data (SEAREEVE_SHARED)".to_owned()));
    };
    let packages = locked(&shell.workspace.root.join("Cargo.lock"))?;
    let advisories = read(&shared.join("data/osv/crates.io/all.zip"))?;
    let hits = hits(&packages, &advisories)?;
    shell.say(&format!(
        "{} packages against {} advisories: {} hit",
        packages.values().map(Vec::len).sum::<usize>(),
        advisories.len(),
        hits.len()
    ))?;
    let problems = judge(&hits, ALLOWED);
    for hit in &hits {
        shell.say(&format!(
            "  {} {} {} {}: {}",
            hit.kind.word(),
            hit.id,
            hit.package,
            hit.version,
            hit.summary
        ))?;
    }
    for (id, reason) in ALLOWED {
        shell.say(&format!("  allowed {id}: {reason}"))?;
    }
    if problems.is_empty() {
        return Ok(Done::Passed);
    }
    bail!("RustSec: {}", problems.join("; "));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Vulnerable,
    Unsound,
    /// Unmaintained, or a notice: told, and no reason to fail.
    Informational,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Vulnerable => "vulnerable",
            Self::Unsound => "unsound",
            Self::Informational => "informational",
        }
    }
}

#[derive(Debug)]
struct Hit {
    id: String,
    kind: Kind,
    package: String,
    version: Version,
    summary: String,
}

fn judge(hits: &[Hit], allowed: &[(&str, &str)]) -> Vec<String> {
    let bad = hits
        .iter()
        .filter(|hit| {
            hit.kind != Kind::Informational && !allowed.iter().any(|(id, _)| *id == hit.id)
        })
        .map(|hit| {
            format!(
                "{} {} is {} ({})",
                hit.package,
                hit.version,
                hit.kind.word(),
                hit.id
            )
        });
    let idle = allowed
        .iter()
        .filter(|(id, _)| !hits.iter().any(|hit| hit.id == *id))
        .map(|(id, _)| format!("{id} is allowed and hits nothing: remove it"));
    bad.chain(idle).collect()
}

/// Name to versions of the packages from a registry.
fn locked(path: &Path) -> Result<BTreeMap<String, Vec<Version>>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    let lock: toml::Table = text
        .parse()
        .with_context(|| format!("failed to parse {}", path.display()))?;
    let mut packages: BTreeMap<String, Vec<Version>> = BTreeMap::new();
    for package in lock
        .get("package")
        .and_then(toml::Value::as_array)
        .context("no packages in Cargo.lock")?
    {
        let field = |name: &str| package.get(name).and_then(toml::Value::as_str);
        if field("source").is_some() {
            let name = field("name").context("a package in Cargo.lock has no name")?;
            let version = field("version").context("a package in Cargo.lock has no version")?;
            packages
                .entry(name.to_owned())
                .or_default()
                .push(version.parse()?);
        }
    }
    Ok(packages)
}

fn read(path: &Path) -> Result<Vec<Value>> {
    let file = File::open(path).with_context(|| format!("failed to open {}", path.display()))?;
    let mut archive = ZipArchive::new(file)?;
    (0..archive.len())
        .map(|index| Ok(serde_json::from_reader(archive.by_index(index)?)?))
        .collect::<Result<_>>()
        .with_context(|| format!("failed to read {}", path.display()))
}

fn hits(packages: &BTreeMap<String, Vec<Version>>, advisories: &[Value]) -> Result<Vec<Hit>> {
    let mut hits = Vec::new();
    for advisory in advisories
        .iter()
        .filter(|advisory| advisory["withdrawn"].is_null())
    {
        let id = advisory["id"].as_str().context("an advisory has no id")?;
        for affected in list(&advisory["affected"]) {
            let name = affected["package"]["name"].as_str().unwrap_or_default();
            for version in packages.get(name).into_iter().flatten() {
                let mut is_hit = list(&affected["versions"])
                    .iter()
                    .any(|listed| *listed == version.to_string());
                for range in list(&affected["ranges"])
                    .iter()
                    .filter(|range| range["type"] == "SEMVER")
                {
                    is_hit |=
                        in_range(version, range).with_context(|| format!("failed to read {id}"))?;
                }
                if is_hit {
                    hits.push(Hit {
                        id: id.to_owned(),
                        kind: match affected["database_specific"]["informational"].as_str() {
                            None => Kind::Vulnerable,
                            Some("unsound") => Kind::Unsound,
                            Some(_) => Kind::Informational,
                        },
                        package: name.to_owned(),
                        version: version.clone(),
                        summary: advisory["summary"].as_str().unwrap_or_default().to_owned(),
                    });
                }
            }
        }
    }
    Ok(hits)
}

/// OSV's evaluation: the last event at or before the version decides.
fn in_range(version: &Version, range: &Value) -> Result<bool> {
    let mut events: Vec<(Version, bool)> = Vec::new();
    for event in list(&range["events"]) {
        for (kind, at) in event.as_object().into_iter().flatten() {
            let at = at.as_str().context("an event's version is no text")?;
            let at: Version = if at == "0" {
                Version::new(0, 0, 0)
            } else {
                at.parse()?
            };
            match kind.as_str() {
                "introduced" => events.push((at, true)),
                "fixed" => events.push((at, false)),
                other => bail!("unknown event {other}"),
            }
        }
    }
    events.sort();
    Ok(events
        .iter()
        .rfind(|(at, _)| at <= version)
        .is_some_and(|(_, starts)| *starts))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn advisory(id: &str, events: Value, informational: Value) -> Value {
        json!({"id": id, "summary": "text", "affected": [{
            "package": {"ecosystem": "crates.io", "name": "demo"},
            "database_specific": {"informational": informational},
            "ranges": [{"type": "SEMVER", "events": events}],
        }]})
    }

    /// The ids that hit version `version` of `demo`.
    fn check(version: &str, advisories: &[Value]) -> Vec<String> {
        let packages = BTreeMap::from([("demo".to_owned(), vec![version.parse().unwrap()])]);
        hits(&packages, advisories)
            .unwrap()
            .into_iter()
            .map(|hit| hit.id)
            .collect()
    }

    #[test]
    fn ranges_start_and_end_where_their_events_say() {
        let events = json!([{"introduced": "0.0.0-0"}, {"fixed": "1.2.0"}, {"introduced": "2.0.0"}, {"fixed": "2.0.3"}]);
        let advisories = [advisory("R-1", events, Value::Null)];
        for (version, is_hit) in [
            ("0.1.0", true),
            ("1.2.0-rc.1", true),
            ("1.2.0", false),
            ("2.0.2", true),
            ("2.0.3", false),
        ] {
            assert_eq!(!check(version, &advisories).is_empty(), is_hit, "{version}");
        }
    }

    #[test]
    fn real_advisories_hit_real_versions() {
        let Some(shared) = crate::workspace::Workspace::find().unwrap().shared else {
            assert!(
                std::env::var_os("SEAREEVE_REQUIRE_SHARED").is_none(),
                "the shared data is promised and not there"
            );
            eprintln!("not run: no shared data (SEAREEVE_SHARED)");
            return;
        };
        let advisories = read(&shared.join("data/osv/crates.io/all.zip")).unwrap();
        let old_and_new = ["1.6.0", "1.6.1"].map(|version| version.parse().unwrap());
        let packages = BTreeMap::from([("smallvec".to_owned(), old_and_new.to_vec())]);
        let hits: Vec<String> = hits(&packages, &advisories)
            .unwrap()
            .iter()
            .map(|hit| format!("{} {} {}", hit.id, hit.version, hit.kind.word()))
            .collect();
        assert_eq!(hits, ["RUSTSEC-2021-0003 1.6.0 vulnerable"]);
    }

    #[test]
    fn withdrawn_advisories_and_other_packages_do_not_hit() {
        let mut withdrawn = advisory("R-1", json!([{"introduced": "0"}]), Value::Null);
        withdrawn["withdrawn"] = json!("2024-01-01T00:00:00Z");
        let mut other = advisory("R-2", json!([{"introduced": "0"}]), Value::Null);
        other["affected"][0]["package"]["name"] = json!("another");
        assert!(check("1.0.0", &[withdrawn, other]).is_empty());
    }

    #[test]
    fn unmaintained_is_told_and_does_not_fail_and_idle_entries_do() {
        let packages = BTreeMap::from([("demo".to_owned(), vec![Version::new(1, 0, 0)])]);
        let all = json!([{"introduced": "0"}]);
        let hits = hits(
            &packages,
            &[
                advisory("R-1", all.clone(), Value::Null),
                advisory("R-2", all.clone(), json!("unmaintained")),
                advisory("R-3", all, json!("unsound")),
            ],
        )
        .unwrap();
        assert_eq!(
            judge(&hits, &[("R-1", "not reached"), ("R-9", "gone")]),
            [
                "demo 1.0.0 is unsound (R-3)",
                "R-9 is allowed and hits nothing: remove it"
            ]
        );
    }
}

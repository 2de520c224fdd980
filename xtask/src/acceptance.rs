//! Our findings against the oracle's, pair by pair, and the peer's, finding by finding; our memory against its
//! limit.

mod differences;
mod oracle;
mod peer;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::fixtures::{self, Image};
use crate::server::Server;
use crate::shell::{Shell, is_root};
use crate::steps::Done;
use crate::workspace::is_current;
use crate::{apt, builds, measure, setup, ui};

use differences::Reasons;
use oracle::Expected;

/// The advisories that the oracle knows how to judge.
const ECOSYSTEMS: &[&str] = &["Debian", "PyPI", "npm"];

/// Everything that the shared maker of images makes.
const IMAGES: &[&str] = &[
    "tiny",
    "hostile-whiteouts",
    "bookworm-app",
    "bullseye-app",
    "bookworm-large",
];

/// The old ones of them that get a patched twin.
const TWINS: &[&str] = &["hostile-whiteouts", "bookworm-app", "bullseye-app"];

/// A scan of a gigabyte, and the idle server, must stay below this.
const LIMIT_MIB: f64 = 150.0;

/// A package by type, name and version, with an advisory's id or without.
type Pair = Vec<String>;

/// The small images, as part of the tests.
pub(crate) fn small(shell: &Shell) -> Result<Done> {
    let Some(shared) = shell.workspace.shared.clone() else {
        const REASON: &str = "no shared data (SEAREEVE_SHARED)";
        if std::env::var_os("SEAREEVE_REQUIRE_SHARED").is_some_and(|value| value == "1") {
            bail!("{REASON}, and SEAREEVE_REQUIRE_SHARED is set");
        }
        return Ok(Done::NotRun(REASON.to_owned()));
    };
    let binary = builds::debug(shell)?;
    let folder = fixtures::folder(shell);
    let images = fixtures::small(shell)?;
    let advisories = subset(&shared.join("data/osv"), &folder.join("osv"))?;
    let check = Check {
        shell,
        database: database(shell, &binary, &advisories, &folder.join("small.db"))?,
        binary,
        advisories,
    };
    check.compare_all(&images)?;
    Ok(Done::Passed)
}

/// The large images, with the release binary, beside the oracle and the peer; and memory.
pub(crate) fn large(shell: &Shell) -> Result<()> {
    if !is_root() {
        bail!("making the large images needs root (debootstrap)");
    }
    setup::for_tests(shell)?;
    apt::ensure(shell, setup::ACCEPTANCE)?;
    ui::build(shell)?;
    let folder = shell.workspace.target.join("acceptance");
    fs::create_dir_all(&folder).context("failed to make the folder of images")?;
    let binary = builds::release(shell)?;
    let advisories = shell.workspace.shared()?.join("data/osv");
    let mut images = fixtures::shared(shell, &folder, IMAGES)?;
    let records = advisories.join("Debian/all.zip");
    for name in TWINS {
        let old = images.iter().find(|image| image.name == *name);
        let old = old.with_context(|| format!("{name} is not in the list of images"))?;
        let twin = fixtures::twin(shell, old, release(old), &records)?;
        images.push(twin);
    }
    let check = Check {
        shell,
        database: database(shell, &binary, &advisories, &folder.join("all.db"))?,
        binary,
        advisories,
    };
    let compared = check.compare_all(&images);
    let beside_peer = check.beside_peer(&images);
    let memory = check.memory(&folder);
    compared.and(beside_peer).and(memory)
}

/// What one comparison needs.
struct Check<'a> {
    shell: &'a Shell,
    binary: PathBuf,
    database: PathBuf,
    advisories: PathBuf,
}

impl Check<'_> {
    /// Every image in both forms beside the oracle. All differences are printed before the first error is returned.
    fn compare_all(&self, images: &[Image]) -> Result<()> {
        let mut differences = 0;
        let mut anything = false;
        for image in images {
            let expected = oracle::expected(self.shell, image, &self.advisories)?;
            let pairs = expected.set();
            if image.name.ends_with("-patched") && !pairs.is_empty() {
                bail!(
                    "the oracle finds something in {}: it is not patched",
                    image.name
                );
            }
            anything |= !pairs.is_empty();
            let installed = installed(image)?;
            for archive in [&image.docker, &image.oci] {
                let report = self.scan(archive)?;
                let found = hits(&report)?;
                let known = |pair: &Pair| is_listed(image, pair);
                let packages = packages(&report)?.into_iter().filter(known).collect();
                let found_pairs = found.keys().filter(|pair| known(pair)).cloned().collect();
                let name = archive.file_name().unwrap_or_default().to_string_lossy();
                let lines: Vec<String> = difference("package", &packages, &installed)
                    .chain(difference("pair", &found_pairs, &pairs))
                    .chain(other_fixes(&found, &expected))
                    .collect();
                self.shell.say(&format!(
                    "{name}: {} packages, {} pairs, {} of the oracle, {} differences",
                    packages.len(),
                    found_pairs.len(),
                    pairs.len(),
                    lines.len()
                ))?;
                for line in &lines {
                    self.shell.say(&format!("  {line}"))?;
                }
                differences += lines.len();
            }
        }
        // An oracle that found nothing would agree with a scanner that finds nothing.
        if !anything {
            bail!("the oracle found nothing in any image");
        }
        if differences > 0 {
            bail!("{differences} differences from the oracle (listed above)");
        }
        Ok(())
    }

    /// Every image beside the peer, finding by finding, and its two forms beside each other.
    fn beside_peer(&self, images: &[Image]) -> Result<()> {
        let mut reasons = Reasons::read()?;
        let mut unexplained = 0;
        for image in images {
            let report = self.scan(&image.docker)?;
            let ours = peer::ours(&report)?;
            let of_layout = peer::ours(&self.scan(&image.oci)?)?;
            if ours.packages != of_layout.packages || ours.findings != of_layout.findings {
                bail!("{}: its two forms have different findings", image.name);
            }
            let theirs = peer::theirs(self.shell, &image.docker)?;
            let mut differences = peer::compare(&image.name, &ours, &theirs);
            differences.sort();
            self.shell.say(&format!(
                "{}: {} packages and {} findings, {} and {} of the peer, {} differences",
                image.name,
                ours.packages.len(),
                ours.findings.len(),
                theirs.packages.len(),
                theirs.findings.len(),
                differences.len()
            ))?;
            unexplained += reasons.tell(self.shell, &differences)?;
            for problem in report["problems"].as_array().into_iter().flatten() {
                self.shell.say(&format!("  problem: {problem}"))?;
            }
        }
        let unused: Vec<&str> = reasons.unused().collect();
        if !unused.is_empty() {
            bail!(
                "reasons in explained.toml that explain nothing: {}",
                unused.join("; ")
            );
        }
        if unexplained > 0 {
            bail!("{unexplained} differences from the peer that nothing explains (listed above)");
        }
        Ok(())
    }

    fn scan(&self, archive: &Path) -> Result<Value> {
        let output = self.shell.output(&mut self.scan_command(archive))?;
        // 3: something could not be read, which the report says.
        if !matches!(output.status.code(), Some(0 | 3)) {
            bail!("scanning {} failed ({})", archive.display(), output.status);
        }
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("failed to parse the report of {}", archive.display()))
    }

    fn scan_command(&self, archive: &Path) -> std::process::Command {
        let mut command = self.shell.product(&self.binary);
        command.arg("image").arg("--input").arg(archive);
        command.args(["--scanners", "vuln", "--no-cache", "--format", "json"]);
        command.arg("--db").arg(&self.database);
        command
    }

    fn memory(&self, folder: &Path) -> Result<()> {
        let archive = fixtures::gigabyte(self.shell, folder)?;
        let mut everything = self.scan_command(&archive);
        everything.args(["--scanners", "secret"]);
        let usage = measure::usage(self.shell, &everything)?;
        let server = Server::start(self.shell, &self.binary)?;
        let idle = measure::mib(server.resident_kib()?);
        server.stop()?;
        self.shell.say(&format!(
            "a gigabyte: {:.0} MiB at most, {:.1} s of CPU, {:.1} s in all; the idle server: {idle:.0} MiB",
            usage.peak_mib(),
            usage.cpu.as_secs_f64(),
            usage.wall.as_secs_f64()
        ))?;
        if usage.peak_mib() >= LIMIT_MIB || idle >= LIMIT_MIB {
            bail!("above the limit of {LIMIT_MIB:.0} MiB");
        }
        Ok(())
    }
}

/// OSV's name of the release that an image is of.
fn release(image: &Image) -> &'static str {
    if image.name.starts_with("bullseye") {
        "Debian:11"
    } else {
        "Debian:12"
    }
}

/// Whether the maker of images lists packages of this kind: of the largest only what dpkg knows.
fn is_listed(image: &Image, pair: &Pair) -> bool {
    !image.name.ends_with("-large") || pair.first().is_some_and(|kind| kind == "deb")
}

/// What is in the image, by its maker.
fn installed(image: &Image) -> Result<BTreeSet<Pair>> {
    let list = read_json(&image.packages)?;
    let list = list.as_array().context("the list of packages is no list")?;
    list.iter()
        .map(|package| words(package, &["type", "name", "version"]))
        .collect()
}

fn packages(report: &Value) -> Result<BTreeSet<Pair>> {
    let list = report["packages"]
        .as_array()
        .context("the report has no packages")?;
    list.iter()
        .map(|package| words(package, &["kind", "name", "version"]))
        .collect()
}

/// The pairs of our report, with the versions that mend by the finding of the pair. What does not count was found
/// all the same.
fn hits(report: &Value) -> Result<BTreeMap<Pair, BTreeSet<String>>> {
    let mut hits: BTreeMap<Pair, BTreeSet<String>> = BTreeMap::new();
    for list in ["findings", "suppressed"] {
        for finding in report[list]
            .as_array()
            .with_context(|| format!("the report has no {list}"))?
        {
            let package = words(&finding["package"], &["kind", "name", "version"])?;
            let records = finding["advisories"]
                .as_array()
                .filter(|records| !records.is_empty());
            for record in records.context("a finding has no advisory")? {
                let mut pair = package.clone();
                pair.extend(words(record, &["id"])?);
                let fixed = finding["fixed_versions"].as_array().into_iter().flatten();
                let fixed = fixed.filter_map(Value::as_str).map(str::to_owned);
                hits.entry(pair).or_default().extend(fixed);
            }
        }
    }
    Ok(hits)
}

/// Versions that mend by the oracle and not by us, or the other way round. A finding of several records has those
/// of all.
fn other_fixes<'a>(
    found: &'a BTreeMap<Pair, BTreeSet<String>>,
    expected: &'a Expected,
) -> impl Iterator<Item = String> + 'a {
    let of_package = |pair: &Pair| {
        let package = pair.get(..3).unwrap_or_default().to_vec();
        let of = expected
            .pairs
            .iter()
            .filter(move |(pair, _)| pair.starts_with(&package));
        of.flat_map(|(_, fixed)| fixed.clone())
            .collect::<BTreeSet<String>>()
    };
    expected.pairs.iter().filter_map(move |(pair, fixed)| {
        let ours = found.get(pair)?;
        let wrong = !fixed.is_subset(ours) || !ours.is_subset(&of_package(pair));
        wrong.then(|| {
            format!(
                "other fixes: {} {ours:?} instead of {fixed:?}",
                pair.join(" ")
            )
        })
    })
}

/// A database of `advisories`, kept until they or the binary that built it change.
pub(crate) fn database(
    shell: &Shell,
    binary: &Path,
    advisories: &Path,
    output: &Path,
) -> Result<PathBuf> {
    let mut inputs = zips(advisories)?;
    inputs.push(binary.to_path_buf());
    if !is_current(output, &inputs) {
        let mut command = shell.product(binary);
        command
            .args(["db", "build", "--from"])
            .arg(advisories)
            .arg("-o")
            .arg(output);
        shell.run(&mut command)?;
    }
    Ok(output.to_path_buf())
}

/// The archives of a folder of advisories.
pub(crate) fn zips(advisories: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(advisories)
        .and_then(|folders| {
            folders
                .map(|folder| Ok(folder?.path().join("all.zip")))
                .collect()
        })
        .with_context(|| format!("failed to list {}", advisories.display()))
}

/// Copies the ecosystems that the small images hold: building a database of all takes a debug binary long.
fn subset(from: &Path, to: &Path) -> Result<PathBuf> {
    for ecosystem in ECOSYSTEMS {
        let (source, folder) = (from.join(ecosystem).join("all.zip"), to.join(ecosystem));
        let copy = folder.join("all.zip");
        if !is_current(&copy, std::slice::from_ref(&source)) {
            fs::create_dir_all(&folder)?;
            let content = fs::read(&source)
                .with_context(|| format!("failed to read {}", source.display()))?;
            fs::write(&copy, content)
                .with_context(|| format!("failed to write {}", copy.display()))?;
        }
    }
    Ok(to.to_path_buf())
}

fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("failed to parse {}", path.display()))
}

/// Fields of an object. One that lacks a field is an error: a pair would be lost silently.
fn words(object: &Value, fields: &[&str]) -> Result<Pair> {
    let word = |field: &&str| object[*field].as_str().map(str::to_owned);
    fields
        .iter()
        .map(word)
        .collect::<Option<_>>()
        .with_context(|| format!("a field is missing: {object}"))
}

fn difference<'a>(
    what: &'a str,
    found: &'a BTreeSet<Pair>,
    expected: &'a BTreeSet<Pair>,
) -> impl Iterator<Item = String> + 'a {
    let missed = expected
        .difference(found)
        .map(move |pair| format!("missed {what}: {}", pair.join(" ")));
    let extra = found
        .difference(expected)
        .map(move |pair| format!("extra {what}: {}", pair.join(" ")));
    missed.chain(extra)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pairs_are_compared_in_both_directions() {
        let package = |name: &str| json!({"kind": "npm", "name": name, "version": "1"});
        let report = json!({
            "packages": [package("ws"), package("ms")],
            "findings": [{"package": package("ms"), "advisories": [{"id": "A-1"}], "fixed_versions": ["2"]}],
            "suppressed": [],
        });
        let theirs = BTreeSet::from([["deb", "tar", "1", "A-2"].map(str::to_owned).to_vec()]);
        let ours = hits(&report).unwrap().into_keys().collect();
        let lines: Vec<String> = difference("pair", &ours, &theirs).collect();
        assert_eq!(
            lines,
            ["missed pair: deb tar 1 A-2", "extra pair: npm ms 1 A-1"]
        );
        assert_eq!(packages(&report).unwrap().len(), 2);
    }

    #[test]
    fn a_finding_without_its_fields_is_an_error() {
        for broken in [
            json!({"findings": [{"package": {"kind": "npm", "name": "ws"}}], "suppressed": []}),
            json!({"findings": [{"package": {"kind": "npm", "name": "ws", "version": "1"}, "advisories": []}], "suppressed": []}),
            json!({"findings": []}),
        ] {
            assert!(hits(&broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn the_versions_that_mend_are_those_of_all_records_of_a_finding() {
        let pair = |id: &str| ["npm", "ws", "1", id].map(str::to_owned).to_vec();
        let versions = |list: &[&str]| {
            list.iter()
                .map(|text| (*text).to_owned())
                .collect::<BTreeSet<_>>()
        };
        let expected = Expected {
            pairs: BTreeMap::from([
                (pair("A-1"), versions(&["2"])),
                (pair("B-1"), versions(&["3"])),
            ]),
        };
        let lines = |ours: &[&str]| {
            let found = BTreeMap::from([(pair("A-1"), versions(ours))]);
            other_fixes(&found, &expected).collect::<Vec<_>>()
        };
        assert!(lines(&["2"]).is_empty());
        assert!(lines(&["2", "3"]).is_empty());
        assert_eq!(
            lines(&["3"]),
            [r#"other fixes: npm ws 1 A-1 {"3"} instead of {"2"}"#]
        );
        assert_eq!(lines(&["2", "4"]).len(), 1);
    }
}

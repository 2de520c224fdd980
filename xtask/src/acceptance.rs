//! Our findings against the oracle's, pair by pair, and our memory against its limit.

use std::collections::BTreeSet;
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

/// The advisories that the oracle knows how to judge.
const ECOSYSTEMS: &[&str] = &["Debian", "PyPI", "npm"];

/// Node's own version order, for the oracle.
const NODE_SEMVER: &str = "semver@7.7.2";

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

/// The large images, with the release binary, and memory.
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
    let names = ["bookworm-app", "bullseye-app", "hostile-whiteouts"];
    let images = fixtures::shared(shell, &folder, &names)?;
    let advisories = shell.workspace.shared()?.join("data/osv");
    let check = Check {
        shell,
        database: database(shell, &binary, &advisories, &folder.join("all.db"))?,
        binary,
        advisories,
    };
    let compared = check.compare_all(&images);
    let memory = check.memory(&folder);
    compared?;
    memory
}

/// What one comparison needs.
struct Check<'a> {
    shell: &'a Shell,
    binary: PathBuf,
    database: PathBuf,
    advisories: PathBuf,
}

impl Check<'_> {
    /// Every image in both forms. All differences are printed before the first error is returned.
    fn compare_all(&self, images: &[Image]) -> Result<()> {
        let mut differences = 0;
        for image in images {
            let expected = self.expected(image)?;
            let installed: Value = read_json(&image.packages)?;
            let installed = pairs(&installed, |package| vec![truth(package, None)])?;
            for archive in [&image.docker, &image.oci] {
                let report = self.scan(archive)?;
                let found = pairs(&report["findings"], |finding| {
                    match finding["advisories"].as_array() {
                        Some(records) if !records.is_empty() => records
                            .iter()
                            .map(|record| ours(&finding["package"], Some(&record["id"])))
                            .collect(),
                        _ => vec![None],
                    }
                })?;
                let packages = pairs(&report["packages"], |package| vec![ours(package, None)])?;
                let name = archive.file_name().unwrap_or_default().to_string_lossy();
                let lines: Vec<String> = difference("package", &packages, &installed)
                    .chain(difference("pair", &found, &expected))
                    .collect();
                self.shell.say(&format!(
                    "{name}: {} packages, {} pairs, {} of the oracle, {} differences",
                    packages.len(),
                    found.len(),
                    expected.len(),
                    lines.len()
                ))?;
                for line in &lines {
                    self.shell.say(&format!("  {line}"))?;
                }
                differences += lines.len();
            }
        }
        if differences > 0 {
            bail!("{differences} differences from the oracle (listed above)");
        }
        Ok(())
    }

    /// What the oracle says, kept until something it reads changes.
    fn expected(&self, image: &Image) -> Result<BTreeSet<Pair>> {
        let oracle = self.shell.workspace.shared()?.join("tools/oracle.py");
        let output = image
            .packages
            .with_file_name(format!("{}.expected.json", image.name));
        let mut inputs = zips(&self.advisories)?;
        inputs.extend([oracle.clone(), image.packages.clone()]);
        if !is_current(&output, &inputs) {
            let python =
                apt::python_with(&["packaging"]).context("python3-packaging is not installed")?;
            let modules = node_semver(self.shell)?;
            let distro = if image.name.starts_with("bullseye") {
                "Debian:11"
            } else {
                "Debian:12"
            };
            let mut command = self.shell.command(python);
            command
                .arg(&oracle)
                .arg(&image.packages)
                .arg(&self.advisories);
            command.args(["--distro", distro]).env("NODE_PATH", modules);
            let answer = self.shell.capture(&mut command)?;
            fs::write(&output, answer)
                .with_context(|| format!("failed to write {}", output.display()))?;
        }
        let expected = read_json(&output)?;
        let expected = pairs(&expected, |hit| vec![truth(hit, Some(&hit["advisory"]))])?;
        // An oracle that found nothing would agree with a scanner that finds nothing.
        if expected.is_empty() {
            bail!("the oracle found nothing in {}", image.name);
        }
        Ok(expected)
    }

    fn scan(&self, archive: &Path) -> Result<Value> {
        let report = self.shell.capture(&mut self.scan_command(archive))?;
        serde_json::from_slice(&report)
            .with_context(|| format!("failed to parse the report of {}", archive.display()))
    }

    fn scan_command(&self, archive: &Path) -> std::process::Command {
        let mut command = self.shell.product(&self.binary);
        command.arg("image").arg("--input").arg(archive);
        command
            .arg("--db")
            .arg(&self.database)
            .args(["--format", "json"]);
        command
    }

    fn memory(&self, folder: &Path) -> Result<()> {
        let archive = fixtures::gigabyte(self.shell, folder)?;
        let usage = measure::usage(self.shell, &self.scan_command(&archive))?;
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
fn zips(advisories: &Path) -> Result<Vec<PathBuf>> {
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

/// Installs Node's semver for the oracle; the value of `NODE_PATH`.
fn node_semver(shell: &Shell) -> Result<PathBuf> {
    let folder = shell.workspace.tools().join("oracle");
    let modules = folder.join("node_modules");
    if !modules.join("semver/package.json").is_file() {
        fs::create_dir_all(&folder)?;
        let mut command = shell.command("npm");
        command
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(NODE_SEMVER);
        shell.run(&mut command)?;
    }
    Ok(modules)
}

fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("failed to parse {}", path.display()))
}

/// The pairs of all items of an array. An item that lacks a field is an error: a pair would be lost silently.
fn pairs(items: &Value, pairs_of: impl Fn(&Value) -> Vec<Option<Pair>>) -> Result<BTreeSet<Pair>> {
    items
        .as_array()
        .context("not an array")?
        .iter()
        .flat_map(|item| pairs_of(item).into_iter().map(move |pair| (item, pair)))
        .map(|(item, pair)| pair.with_context(|| format!("a field is missing: {item}")))
        .collect()
}

/// A package of the oracle's or the maker of images' making.
fn truth(package: &Value, advisory: Option<&Value>) -> Option<Pair> {
    pair(&package["type"], package, advisory)
}

/// A package of our report.
fn ours(package: &Value, advisory: Option<&Value>) -> Option<Pair> {
    pair(&package["kind"], package, advisory)
}

fn pair(kind: &Value, package: &Value, advisory: Option<&Value>) -> Option<Pair> {
    [kind, &package["name"], &package["version"]]
        .into_iter()
        .chain(advisory)
        .map(|word| word.as_str().map(str::to_owned))
        .collect()
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
        let ours = pairs(
            &json!([{"kind": "npm", "name": "ws", "version": "1.1.0"}, {"kind": "npm", "name": "ms", "version": "1"}]),
            |package| vec![ours(package, Some(&json!("A-1")))],
        )
        .unwrap();
        let theirs = pairs(
            &json!([{"type": "npm", "name": "ws", "version": "1.1.0", "advisory": "A-1"},
                    {"type": "deb", "name": "tar", "version": "1.34", "advisory": "A-2"}]),
            |hit| vec![truth(hit, Some(&hit["advisory"]))],
        )
        .unwrap();
        let lines: Vec<String> = difference("pair", &ours, &theirs).collect();
        assert_eq!(
            lines,
            ["missed pair: deb tar 1.34 A-2", "extra pair: npm ms 1 A-1"]
        );
    }

    #[test]
    fn a_finding_without_its_fields_is_an_error() {
        let broken = json!([{"kind": "npm", "name": "ws"}]);
        let error = pairs(&broken, |package| vec![ours(package, None)]).unwrap_err();
        assert!(
            error.to_string().starts_with("a field is missing"),
            "{error}"
        );
        assert!(pairs(&Value::Null, |_| Vec::new()).is_err());
    }
}

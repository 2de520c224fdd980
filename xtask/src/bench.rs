//! Benchmarks: criterion's, and our release binary beside the peer scanner on the same images and advisories.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};

use crate::measure::{Usage, usage};
use crate::shell::Shell;
use crate::{acceptance, apt, builds, fixtures, setup, ui};

/// The crates that have benchmarks.
const CRATES: &[&str] = &["seareeve-image", "seareeve-scan", "seareeve-store"];

/// Each program scans each image so often; the fastest run counts.
const RUNS: usize = 3;

/// `scan`, or criterion's benchmarks whose names contain `name`.
pub(crate) fn bench(shell: &Shell, name: Option<&str>) -> Result<()> {
    if name == Some("scan") {
        return scan(shell);
    }
    let mut command = shell.cargo(&["bench"]);
    for package in CRATES {
        command.args(["--package", package]);
    }
    // Without the unit tests' own harness, which does not know criterion's arguments.
    command.args(["--bench", "*"]);
    if let Some(name) = name {
        command.args(["--", name]);
    }
    shell.run(&mut command)
}

/// Prints a table, and writes it to `target/bench.md`.
fn scan(shell: &Shell) -> Result<()> {
    apt::ensure(shell, setup::ACCEPTANCE)?;
    ui::build(shell)?;
    let binary = builds::release(shell)?;
    let folder = shell.workspace.target.join("acceptance");
    fs::create_dir_all(&folder).context("failed to make the folder of images")?;
    let shared = shell.workspace.shared()?;
    let database = acceptance::database(
        shell,
        &binary,
        &shared.join("data/osv"),
        &folder.join("all.db"),
    )?;
    let mut table = String::from(
        "| archive | scanner | CPU s | wall s | peak MiB | CPU × | wall × | memory × |\n|---|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for image in fixtures::shared(shell, &folder, &["bookworm-app"])? {
        // The peer reads OCI layouts as folders only.
        let layout = image.oci.with_extension("");
        tar::Archive::new(fs::File::open(&image.oci)?)
            .unpack(&layout)
            .with_context(|| format!("failed to unpack {}", image.oci.display()))?;
        for archive in [&image.docker, &layout] {
            let mut our = shell.product(&binary);
            our.arg("image")
                .arg("--input")
                .arg(archive)
                .arg("--db")
                .arg(&database);
            our.args(["--format", "json"]);
            let mut peer = shell.command(shared.join("tools/trivy.sh"));
            // Its cache of finished images would be timed otherwise, not the scan.
            peer.arg(archive).args(["--cache-backend", "memory"]);
            // The first run of the peer unpacks it; both then have the files in memory.
            shell.capture(&mut peer)?;
            let (our, peer) = (
                fastest(|| usage(shell, &our))?,
                fastest(|| usage(shell, &peer))?,
            );
            let name = archive.file_name().unwrap_or_default().to_string_lossy();
            row(&mut table, &name, "seareeve", our, our)?;
            row(&mut table, &name, "trivy", peer, our)?;
        }
    }
    let file = shell.workspace.target.join("bench.md");
    fs::write(&file, &table).with_context(|| format!("failed to write {}", file.display()))?;
    shell.say(&table)
}

fn fastest(mut run: impl FnMut() -> Result<Usage>) -> Result<Usage> {
    let runs = (0..RUNS).map(|_| run()).collect::<Result<Vec<Usage>>>()?;
    runs.into_iter()
        .min_by_key(|usage| usage.cpu)
        .context("no run")
}

fn row(table: &mut String, archive: &str, scanner: &str, usage: Usage, base: Usage) -> Result<()> {
    writeln!(
        table,
        "| {archive} | {scanner} | {:.2} | {:.2} | {:.0} | {:.1} | {:.1} | {:.1} |",
        usage.cpu.as_secs_f64(),
        usage.wall.as_secs_f64(),
        usage.peak_mib(),
        usage.cpu.as_secs_f64() / base.cpu.as_secs_f64(),
        usage.wall.as_secs_f64() / base.wall.as_secs_f64(),
        usage.peak_mib() / base.peak_mib(),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ratios_are_of_ours() {
        let our = Usage {
            cpu: Duration::from_secs(1),
            wall: Duration::from_secs(2),
            peak_kib: 50 * 1024,
        };
        let peer = Usage {
            cpu: Duration::from_secs(4),
            wall: Duration::from_secs(3),
            peak_kib: 200 * 1024,
        };
        let mut table = String::new();
        row(&mut table, "a.tar", "peer", peer, our).unwrap();
        assert_eq!(
            table,
            "| a.tar | peer | 4.00 | 3.00 | 200 | 4.0 | 1.5 | 4.0 |\n"
        );
    }
}

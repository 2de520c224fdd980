//! Benchmarks: criterion's, our release binary beside the peers on the same images and advisories and on the same
//! Docker host, and judging audit events beside merely parsing them.

mod docker;
mod scan;

use anyhow::Result;

use crate::shell::Shell;

/// The crates that have benchmarks.
const CRATES: &[&str] = &[
    "seareeve-admission",
    "seareeve-cel",
    "seareeve-detect",
    "seareeve-image",
    "seareeve-inflate",
    "seareeve-posture",
    "seareeve-scan",
    "seareeve-store",
    "seareeve-webhook",
];
/// Those of answers to admission requests: judging alone, and over TLS.
const ADMISSION: &[&str] = &["seareeve-admission", "seareeve-webhook"];

/// `audit`, `scan`, `docker`, `admission`, or criterion's benchmarks whose names contain `name`; without a name,
/// criterion's and `audit`.
pub(crate) fn bench(shell: &Shell, name: Option<&str>) -> Result<()> {
    match name {
        Some("audit") => return audit(shell),
        Some("docker") => return docker::docker(shell),
        Some("scan") => return scan::scan(shell),
        _ => {}
    }
    let is_all = name.is_none();
    let (packages, name) = match name {
        Some("admission") => (ADMISSION, None),
        name => (CRATES, name),
    };
    let mut command = shell.cargo(&["bench"]);
    for package in packages {
        command.args(["--package", package]);
    }
    // Without the unit tests' own harness, which does not know criterion's arguments.
    command.args(["--bench", "*"]);
    if let Some(name) = name {
        command.args(["--", name]);
    }
    shell.run(&mut command)?;
    if is_all { audit(shell) } else { Ok(()) }
}

/// All rules over the recorded background, beside the fastest libraries that only parse it; prints the ratios.
fn audit(shell: &Shell) -> Result<()> {
    let mut command = shell.cargo(&["bench"]);
    command.args(["--package", "seareeve-audit", "--bench", "events"]);
    command.env("SEAREEVE_SHARED", shell.workspace.shared()?);
    shell.run(&mut command)
}

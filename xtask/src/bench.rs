//! Benchmarks: criterion's, and our release binary beside the peers on the same images and
//! advisories, and on the same Docker host.

mod docker;
mod scan;

use anyhow::Result;

use crate::shell::Shell;

/// The crates that have benchmarks.
const CRATES: &[&str] = &[
    "seareeve-admission",
    "seareeve-audit",
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

/// `scan`, `docker`, `admission`, or criterion's benchmarks whose names contain `name`.
pub(crate) fn bench(shell: &Shell, name: Option<&str>) -> Result<()> {
    match name {
        Some("docker") => return docker::docker(shell),
        Some("scan") => return scan::scan(shell),
        _ => {}
    }
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
    shell.run(&mut command)
}

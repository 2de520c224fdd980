//! Benchmarks: criterion's, and our release binary beside the peer scanner on the same images and advisories.

mod scan;

use anyhow::Result;

use crate::shell::Shell;

/// The crates that have benchmarks.
const CRATES: &[&str] = &["seareeve-image", "seareeve-scan", "seareeve-store"];

/// `scan`, or criterion's benchmarks whose names contain `name`.
pub(crate) fn bench(shell: &Shell, name: Option<&str>) -> Result<()> {
    if name == Some("scan") {
        return scan::scan(shell);
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

//! `cargo xtask up`: from a fresh machine with a Rust toolchain to a running Seareeve.

use std::os::unix::process::CommandExt as _;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::shell::Shell;
use crate::{apt, builds, ui};

/// Installs what is missing, builds, and becomes `seareeve up`.
pub(crate) fn up(shell: &Shell, arguments: &[String]) -> Result<()> {
    apt::ensure(shell, apt::UI)?;
    ui::build(shell)?;
    let started = Instant::now();
    shell.say("building the release binary …")?;
    let binary = builds::release(shell)?;
    shell.say(&format!(
        "built the release binary in {:.1} s",
        started.elapsed().as_secs_f64()
    ))?;
    // We step aside: signals, the exit code and the terminal are the server's own.
    let error = shell.command(&binary).arg("up").args(arguments).exec();
    Err(error).with_context(|| format!("failed to start {}", binary.display()))
}

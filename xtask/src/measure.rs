//! Time and memory of a process, by GNU time and by /proc.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::shell::Shell;

/// What a finished program used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Usage {
    /// User and system time.
    pub(crate) cpu: Duration,
    /// From start to end.
    pub(crate) wall: Duration,
    /// The most memory it had at once, in KiB.
    pub(crate) peak_kib: u64,
}

impl Usage {
    /// The peak in MiB.
    pub(crate) fn peak_mib(&self) -> f64 {
        mib(self.peak_kib)
    }
}

/// KiB as MiB.
#[expect(
    clippy::cast_precision_loss,
    reason = "memory of a process is far below 2^52 KiB"
)]
pub(crate) fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// Runs `command` under GNU time. Its standard output is thrown away.
pub(crate) fn usage(shell: &Shell, command: &Command) -> Result<Usage> {
    let report = tempfile::NamedTempFile::new().context("failed to make a temporary file")?;
    let mut timed = shell.command("/usr/bin/time");
    timed
        .args(["--format", "%U %S %e %M", "--output"])
        .arg(report.path())
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    let status = shell.output(&mut timed)?.status;
    // 3 is our own for a scan that could not read everything.
    if !matches!(status.code(), Some(0 | 3)) {
        bail!("{command:?} failed ({status})");
    }
    let report = fs::read_to_string(report.path()).context("failed to read the report of time")?;
    parse(&report).with_context(|| format!("failed to read the report of time: {report}"))
}

fn parse(report: &str) -> Option<Usage> {
    // Above it stands what time has to say of an exit code other than 0.
    let mut words = report.lines().next_back()?.split_whitespace();
    let mut seconds = || {
        words
            .next()?
            .parse::<f64>()
            .ok()
            .map(Duration::from_secs_f64)
    };
    let (user, system, wall) = (seconds()?, seconds()?, seconds()?);
    Some(Usage {
        cpu: user + system,
        wall,
        peak_kib: words.next()?.parse().ok()?,
    })
}

/// Resident memory of a running process, in KiB.
pub(crate) fn resident_kib(process: u32) -> Result<u64> {
    memory_kib(process, "VmRSS:")
}

/// The part of it that is the process's own, in KiB: without the pages of its program, which in a debug build are many
/// times those of what is shipped.
pub(crate) fn own_kib(process: u32) -> Result<u64> {
    memory_kib(process, "RssAnon:")
}

fn memory_kib(process: u32, name: &str) -> Result<u64> {
    let path = format!("/proc/{process}/status");
    let status =
        fs::read_to_string(Path::new(&path)).with_context(|| format!("failed to read {path}"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("{path} has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_of_time_is_read() {
        let usage = parse("1.25 0.25 2.00 51200\n").unwrap();
        assert_eq!(usage.cpu, Duration::from_millis(1500));
        assert_eq!(usage.wall, Duration::from_secs(2));
        assert!((usage.peak_mib() - 50.0).abs() < f64::EPSILON);
        assert_eq!(
            parse("Command exited with non-zero status 3\n1.25 0.25 2.00 51200\n"),
            Some(usage)
        );
        assert_eq!(parse("Command exited with non-zero status 1"), None);
    }

    #[test]
    fn our_own_memory_is_read() {
        assert!(resident_kib(std::process::id()).unwrap() > 100);
    }
}

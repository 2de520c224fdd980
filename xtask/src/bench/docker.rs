//! Our release binary beside docker-bench-security on the same engine, and alone before an engine with very many
//! containers.
//!
//! The limits stand beside the figures. Nothing fails when one is not met: figures of a busy machine prove nothing.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::measure::{Usage, usage};
use crate::shell::Shell;
use crate::{apt, builds, setup};

/// Names a folder with a checkout of docker-bench-security.
const PEER: &str = "SEAREEVE_DOCKER_BENCH";
/// Ours is started so often; the run with the least CPU counts. The peer takes its time, and is started once.
const RUNS: usize = 5;
/// Containers of the engine that both look at.
const CONTAINERS: &str = "20";
/// Containers of the engine that we look at alone.
const MANY: &str = "500";
/// Which part of the peer's CPU time ours may be.
const PART: f64 = 20.0;
/// How long very many containers may take.
const LONGEST: Duration = Duration::from_secs(2);

/// Prints figures, and writes them to `target/bench-docker.md`.
pub(super) fn docker(shell: &Shell) -> Result<()> {
    apt::ensure(shell, setup::LAB)?;
    let binary = builds::release(shell)?;
    shell.run(&mut shell.cargo(&["build", "--package", "seareeve-lab", "--examples"]))?;
    let mut text = String::new();
    {
        let engine = Example::start(shell, "lab", &["crowd", CONTAINERS])?;
        let ours = least(shell, &binary, &engine.socket)?;
        writeln!(text, "{CONTAINERS} containers: {}", told(&ours))?;
        match peer()? {
            Some(folder) => {
                let peer = theirs(shell, &folder, &engine.socket)?;
                let ratio = peer.cpu.as_secs_f64() / ours.cpu.as_secs_f64();
                writeln!(text, "  docker-bench-security: {}", told(&peer))?;
                writeln!(
                    text,
                    "  CPU 1 : {ratio:.0} (limit 1 : {PART:.0}){}",
                    missed(ratio < PART)
                )?;
            }
            None => writeln!(
                text,
                "  docker-bench-security was not measured: {PEER} names no checkout of it"
            )?,
        }
    }
    let engine = Example::start(shell, "many", &[MANY])?;
    let ours = least(shell, &binary, &engine.socket)?;
    let part = ours.wall.as_secs_f64() / LONGEST.as_secs_f64();
    writeln!(text, "{MANY} containers: {}", told(&ours))?;
    let limit = LONGEST.as_secs();
    writeln!(
        text,
        "  {part:.2} of the limit of {limit} s{}",
        missed(part > 1.0)
    )?;
    let file = shell.workspace.target.join("bench-docker.md");
    fs::write(&file, &text).with_context(|| format!("failed to write {}", file.display()))?;
    shell.say(&text)
}

fn told(usage: &Usage) -> String {
    let (cpu, wall) = (usage.cpu.as_secs_f64(), usage.wall.as_secs_f64());
    format!("{cpu:.2} s CPU, {wall:.2} s, {:.0} MiB", usage.peak_mib())
}

fn missed(is_missed: bool) -> &'static str {
    if is_missed { " MISSED" } else { "" }
}

fn least(shell: &Shell, binary: &Path, socket: &Path) -> Result<Usage> {
    let mut command = Command::new(binary);
    command
        .args(["docker", "--format", "json", "--socket"])
        .arg(socket)
        // What begins like our settings and is none would be refused.
        .env_remove(PEER);
    let runs: Vec<Usage> = (0..RUNS)
        .map(|_| usage(shell, &command))
        .collect::<Result<_>>()?;
    let least = runs.into_iter().min_by_key(|run| run.cpu);
    least.context("nothing was run")
}

/// The peer's folder, where the environment names one.
fn peer() -> Result<Option<PathBuf>> {
    let Some(folder) = std::env::var_os(PEER).filter(|folder| !folder.is_empty()) else {
        return Ok(None);
    };
    let folder = PathBuf::from(folder);
    if !folder.join("docker-bench-security.sh").is_file() {
        bail!(
            "{PEER} is {}, where no docker-bench-security.sh lies",
            folder.display()
        );
    }
    Ok(Some(folder))
}

/// The processes that it starts count, since it waits for each of them.
fn theirs(shell: &Shell, folder: &Path, socket: &Path) -> Result<Usage> {
    let log = tempfile::tempdir().context("failed to make a folder")?;
    // It looks for its parts in the folder that it is started in.
    let mut command = Command::new("env");
    command
        .arg("--chdir")
        .arg(folder)
        .args(["bash", "docker-bench-security.sh", "-b", "-l"])
        .arg(log.path().join("log"))
        .env("DOCKER_HOST", format!("unix://{}", socket.display()));
    usage(shell, &command)
}

/// A running example of the lab.
struct Example {
    child: Child,
    socket: PathBuf,
}

impl Example {
    fn start(shell: &Shell, name: &str, arguments: &[&str]) -> Result<Self> {
        let program = shell.workspace.target.join("debug/examples").join(name);
        let mut command = shell.command(program);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("failed to start {name}"))?;
        let output = child.stdout.take().context("its output is piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let example = Self {
            child,
            socket: PathBuf::from(line.trim_end()),
        };
        if line.is_empty() {
            bail!("{name} did not start");
        }
        Ok(example)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // It ends with its input, and takes everything that it made along.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

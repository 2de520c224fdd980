//! `cargo xtask fuzz`: the fuzz targets under libFuzzer, with the stable toolchain.
//!
//! The compiler counts edges and compares by the passes that cargo-fuzz names too; they need no nightly toolchain, only
//! sanitizers do, and those find nothing in safe Rust. Findings are panics (with overflow checks and debug assertions),
//! inputs that take minutes, and memory beyond [`MEMORY_MIB`]. What reaches new code is kept, as few and as small
//! inputs as do, in `fuzz/corpus`. A target runs in rounds until it has had its minutes of processor time without a
//! finding, over as many calls as that takes.

mod ledger;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};

use self::ledger::{Account, Ledger};
use crate::shell::Shell;

/// Inline counters and tables of edges, and the operands of comparisons: what libFuzzer lives on.
const INSTRUMENT: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// What the whole process may hold: the product's own limit of 150 MiB, and what the fuzzer itself needs.
const MEMORY_MIB: u64 = 512;
/// Seconds after which an input is a finding. Those are of the clock, and other work comes first, so they are many;
/// what is slow is found by [`SLOW`].
const TIMEOUT: u64 = 120;
/// What is lost at most when it is interrupted.
const ROUND: Duration = Duration::from_secs(600);
/// Known inputs that are grown to a megabyte after each run, and how long each of them may take.
const GROWN: &str = "60";
const SLOW: Duration = Duration::from_secs(5);

/// What to run.
pub(crate) struct Wish<'a> {
    /// Names of targets; all when none is named.
    pub(crate) targets: &'a [String],
    /// Of processor time without a finding, for each target, with what earlier calls ran.
    pub(crate) minutes: f64,
    /// Targets at the same time.
    pub(crate) jobs: usize,
}

/// Runs the targets and keeps what they found out. Fails when there is a finding.
pub(crate) fn fuzz(shell: &Shell, wish: &Wish<'_>) -> Result<()> {
    let programs = Programs::build(shell)?;
    let known = programs.targets(shell)?;
    let targets: Vec<&Target> = match wish.targets {
        [] => known.iter().collect(),
        names => names
            .iter()
            .map(|name| {
                let target = known.iter().find(|target| target.name == *name);
                target.with_context(|| format!("there is no fuzz target {name}"))
            })
            .collect::<Result<_>>()?,
    };
    let started = Instant::now();
    let next = AtomicUsize::new(0);
    let ledger = Ledger::open(shell.workspace.root.join("fuzz/ledger"))?;
    let ledger = Mutex::new(ledger);
    let outcomes: Mutex<Vec<(usize, Result<Vec<PathBuf>>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..wish.jobs.clamp(1, targets.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(target) = targets.get(at) else {
                        break;
                    };
                    let outcome = programs.rounds(shell, target, wish.minutes, &ledger);
                    if let Err(error) = &outcome {
                        // The terminal is the only way it can fail.
                        let _ = shell.say(&format!("{:18}FAILED: {error:#}", target.name));
                    }
                    if let Ok(mut outcomes) = outcomes.lock() {
                        outcomes.push((at, outcome));
                    }
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap_or_default();
    let mut findings = Vec::new();
    for (at, outcome) in outcomes {
        let name = targets.get(at).map_or("", |target| target.name.as_str());
        for file in outcome? {
            findings.push(format!(
                "{name}: repeat it with `cargo run -p seareeve-fuzz -- replay {name} {}`",
                file.display()
            ));
        }
    }
    shell.say(&format!("in {} s", started.elapsed().as_secs()))?;
    for finding in &findings {
        shell.say(finding)?;
    }
    if !findings.is_empty() {
        bail!("{} findings", findings.len());
    }
    Ok(())
}

/// A target as `seareeve-fuzz list` says it.
struct Target {
    name: String,
    /// Bytes of an input at most.
    longest: String,
}

/// What came of one target.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    account: Account,
    /// Edges reached, and those with how often they are passed.
    edges: u64,
    features: u64,
    /// Inputs that are kept, and their packed bytes.
    inputs: usize,
    bytes: u64,
    slowest_ms: u64,
    findings: Vec<PathBuf>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>5} s {:>10} runs {:>6} edges {:>6} features, {:>4} inputs kept in {:>6} bytes, a megabyte in {:>5} ms, {} findings",
            self.account.seconds,
            self.account.executions,
            self.edges,
            self.features,
            self.inputs,
            self.bytes,
            self.slowest_ms,
            self.findings.len()
        )
    }
}

struct Programs {
    fuzzer: PathBuf,
    /// The same targets in an ordinary build: seeds, corpora.
    tool: PathBuf,
}

impl Programs {
    fn build(shell: &Shell) -> Result<Self> {
        let host = host(shell)?;
        let package = ["--package", "seareeve-fuzz"];
        let mut tool = shell.cargo(&["build", "--bin", "seareeve-fuzz"]);
        shell.run(tool.args(package))?;
        let mut fuzzer = shell.cargo(&["build", "--bin", "seareeve-libfuzzer"]);
        // With a target named, build scripts and macros are not instrumented.
        let arguments = ["--features", "libfuzzer", "--profile", "fuzz", "--target"];
        fuzzer.args(package).args(arguments).arg(&host);
        shell.run(fuzzer.env("RUSTFLAGS", INSTRUMENT))?;
        let target = &shell.workspace.target;
        Ok(Self {
            fuzzer: target.join(host).join("fuzz/seareeve-libfuzzer"),
            tool: target.join("debug/seareeve-fuzz"),
        })
    }

    fn targets(&self, shell: &Shell) -> Result<Vec<Target>> {
        let listed = shell.capture(shell.command(&self.tool).arg("list"))?;
        let listed = String::from_utf8(listed).context("a target's name is no UTF-8")?;
        let targets = listed.lines().filter_map(|line| {
            let (name, longest) = line.split_once(' ')?;
            let (name, longest) = (name.to_owned(), longest.to_owned());
            Some(Target { name, longest })
        });
        Ok(targets.collect())
    }

    /// Rounds until the target has had its minutes, or there is a finding. Returns the findings.
    fn rounds(
        &self,
        shell: &Shell,
        target: &Target,
        minutes: f64,
        ledger: &Mutex<Ledger>,
    ) -> Result<Vec<PathBuf>> {
        let ledger = || ledger.lock().map_err(|_| anyhow!("the ledger is lost"));
        let wanted = Duration::from_secs_f64(minutes * 60.0).as_secs();
        let mut had = ledger()?.account(&target.name);
        while had.seconds < wanted {
            // A round takes longer by the clock, beside other work: else the last ones would be ever shorter.
            let left = (wanted - had.seconds).max(wanted / 10);
            let seconds = left.min(ROUND.as_secs());
            let outcome = self.run(shell, target, seconds)?;
            let round = outcome.findings.is_empty().then_some(outcome.account);
            had = ledger()?.enter(&target.name, round)?;
            shell.say(&format!(
                "{:18}{outcome}; {} of {wanted} s",
                target.name, had.seconds
            ))?;
            if round.is_none() {
                return Ok(outcome.findings);
            }
        }
        Ok(Vec::new())
    }

    fn run(&self, shell: &Shell, target: &Target, seconds: u64) -> Result<Outcome> {
        let shell = shell.logged(&format!("fuzz-{}", target.name))?;
        let log = shell.log().context("no log")?;
        let folder = shell.workspace.target.join("fuzz-runs").join(&target.name);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("failed to empty {}", folder.display()))?;
        }
        let [corpus, kept, grown] = ["corpus", "kept", "grown"].map(|name| folder.join(name));
        fs::create_dir_all(&kept).context("failed to make the folder of inputs")?;
        self.tool(&shell, &["prepare", &target.name], &[&folder])?;

        let artifacts = shell.workspace.root.join("fuzz/artifacts");
        let artifacts = artifacts.join(&target.name);
        fs::create_dir_all(&artifacts).context("failed to make the folder of findings")?;
        let before = files(&artifacts)?;
        let mut command = self.fuzzer(&shell, target, &artifacts);
        command
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-dict={}", folder.join("words").display()))
            .args(["-print_final_stats=1", "-report_slow_units=5"])
            .arg(&corpus);
        // A finding makes it fail, and stands in a file.
        let result = shell.run(&mut command);
        let mut outcome = Outcome::default();
        outcome.read_statistics(&fs::read_to_string(log)?);
        outcome.findings = new_files(&artifacts, &before)?;
        if outcome.findings.is_empty() {
            result?;
        }

        let mut merge = self.fuzzer(&shell, target, &artifacts);
        // The fewest inputs that reach every edge; how often one is passed is found again soon.
        merge.args(["-set_cover_merge=1", "-use_counters=0"]);
        merge.arg(&kept).arg(&corpus);
        shell.run(&mut merge)?;
        outcome.inputs = files(&kept)?.len();
        outcome.bytes = self
            .tool(&shell, &["keep", &target.name], &[&kept])?
            .parse()?;

        let count = [grown.as_path(), Path::new(GROWN)];
        self.tool(&shell, &["swell", &target.name], &count)?;
        let length = fs::metadata(log)?.len();
        let inputs = files(&grown)?;
        let swollen = shell.run(self.fuzzer(&shell, target, &artifacts).args(&inputs));
        let text = fs::read(log)?;
        let text = text.get(usize::try_from(length)?..).unwrap_or_default();
        for (file, took) in times(&String::from_utf8_lossy(text)) {
            outcome.slowest_ms = outcome.slowest_ms.max(took);
            // By the clock, which also counts what other programs did: so it is asked again, by its own time.
            if Duration::from_millis(took) > SLOW
                && self.is_slow(&shell, target, &artifacts, &file)?
            {
                let kept = artifacts.join(format!("slow-{took}"));
                fs::copy(&file, &kept).context("failed to keep a slow input")?;
            }
        }
        outcome.findings = new_files(&artifacts, &before)?;
        if outcome.findings.is_empty() {
            swollen?;
        }
        fs::remove_dir_all(&grown).context("failed to remove the grown inputs")?;
        Ok(outcome)
    }

    /// Whether an input takes more than [`SLOW`] of processor time.
    fn is_slow(
        &self,
        shell: &Shell,
        target: &Target,
        artifacts: &Path,
        file: &Path,
    ) -> Result<bool> {
        shell.run(self.fuzzer(shell, target, artifacts).arg(file))?;
        let log = fs::read_to_string(shell.log().context("no log")?)?;
        let seconds = processor_seconds(&log).context("the shell does not say its times")?;
        Ok(seconds > SLOW.as_secs())
    }

    /// The fuzzer for one target, at the lowest priority: it runs for hours beside other work.
    fn fuzzer(&self, shell: &Shell, target: &Target, artifacts: &Path) -> Command {
        // Memory that is asked for and not touched does not show in what is resident, so the system refuses it.
        let limit = format!(
            "ulimit -d {}; nice -n 19 \"$@\"; code=$?; times; exit $code",
            MEMORY_MIB * 1024
        );
        let mut command = shell.command("sh");
        command
            .args(["-c", &limit, "sh"])
            .arg(&self.fuzzer)
            .env("SEAREEVE_FUZZ_TARGET", &target.name)
            .arg(format!("-max_len={}", target.longest))
            .arg(format!("-timeout={TIMEOUT}"))
            .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()));
        // Some targets write files, which need not touch a disk.
        let memory = Path::new("/dev/shm");
        if memory.is_dir() {
            command.env("TMPDIR", memory);
        }
        command
    }

    fn tool(&self, shell: &Shell, arguments: &[&str], paths: &[&Path]) -> Result<String> {
        let mut command = shell.command(&self.tool);
        let printed = shell.capture(command.args(arguments).args(paths))?;
        Ok(String::from_utf8_lossy(&printed).trim().to_owned())
    }
}

impl Outcome {
    /// Reads what libFuzzer prints at the end.
    fn read_statistics(&mut self, log: &str) {
        let last = |word: &str| {
            let line = log.lines().rev().find(|line| line.contains(word))?;
            let (_, rest) = line.split_once(word)?;
            rest.split_whitespace().next()?.parse().ok()
        };
        self.account.executions = last("stat::number_of_executed_units:").unwrap_or_default();
        self.account.seconds = processor_seconds(log).unwrap_or_default();
        self.edges = last(" cov: ").unwrap_or_default();
        self.features = last(" ft: ").unwrap_or_default();
    }
}

/// The last line of the shell's `times`: user and system time of what it ran, each as `1m2.5s`.
fn processor_seconds(log: &str) -> Option<u64> {
    let seconds = log.lines().rev().find_map(|line| {
        let mut sum = 0.0;
        let mut words = 0;
        for word in line.split_whitespace() {
            let (minutes, seconds) = word.strip_suffix('s')?.split_once('m')?;
            sum += minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?;
            words += 1;
        }
        (words == 2).then_some(sum)
    })?;
    Some(Duration::try_from_secs_f64(seconds).ok()?.as_secs())
}

/// `Executed FILE in N ms`, for each file.
fn times(log: &str) -> Vec<(PathBuf, u64)> {
    let lines = log.lines().filter_map(|line| {
        let (file, took) = line.strip_prefix("Executed ")?.rsplit_once(" in ")?;
        Some((file.into(), took.strip_suffix(" ms")?.parse().ok()?))
    });
    lines.collect()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed =
        fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))?;
    let mut files: Vec<PathBuf> = listed
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}

fn new_files(folder: &Path, before: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = files(folder)?;
    files.retain(|file| !before.contains(file));
    Ok(files)
}

/// The target that this machine's compiler builds for.
fn host(shell: &Shell) -> Result<String> {
    let printed = shell.capture(shell.command("rustc").arg("-vV"))?;
    let printed = String::from_utf8_lossy(&printed);
    let host = printed.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .context("rustc does not say its host")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read_from_the_end_of_a_log() {
        let log = "#2 INITED cov: 10 ft: 11 corp: 1/1b exec/s: 0 rss: 40Mb\n\
            #266473 DONE   cov: 216 ft: 275 corp: 64/28Kb lim: 2000 exec/s: 16654 rss: 40Mb\n\
            stat::number_of_executed_units: 266473\nstat::peak_rss_mb: 40\n\
            0m0.000s 0m0.000s\n29m1.250s 0m3.900s\n";
        let mut outcome = Outcome::default();
        outcome.read_statistics(log);
        assert_eq!(
            outcome,
            Outcome {
                account: Account {
                    seconds: 1_745,
                    executions: 266_473,
                },
                edges: 216,
                features: 275,
                ..Outcome::default()
            }
        );
    }

    #[test]
    fn times_are_read_per_file() {
        let log = "Running: /a b/c\nExecuted /a b/c in 12 ms\nExecuted nothing\n***\n";
        assert_eq!(times(log), [(PathBuf::from("/a b/c"), 12)]);
    }
}

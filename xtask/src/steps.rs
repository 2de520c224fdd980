//! Steps one after the other: each with a log, a time and a place in the closing table.

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::shell::Shell;

/// How many lines of a failed step's log are printed.
const TAIL: usize = 80;

/// One step.
pub(crate) struct Step {
    /// The word that names it: in the table, as the log's name, as `cargo xtask test <name>`.
    pub(crate) name: &'static str,
    /// What it runs, for the reader.
    pub(crate) what: &'static str,
    /// Lines of its log that hold one of these go to standard output even when it passes.
    pub(crate) echo: &'static [&'static str],
    /// Does it.
    pub(crate) run: fn(&Shell) -> Result<Done>,
}

/// How a step that did not fail came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// All is well.
    Passed,
    /// It could not run here, and why. Not the same as passed.
    NotRun(String),
}

/// Runs the steps named in `chosen`, or all when it is empty, up to the first that fails.
pub(crate) fn run(shell: &Shell, steps: &[Step], chosen: &[String]) -> Result<ExitCode> {
    if let Some(unknown) = chosen
        .iter()
        .find(|name| !steps.iter().any(|step| step.name == **name))
    {
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        bail!(
            "no step is named {unknown}; there are: {}",
            names.join(", ")
        );
    }
    let started = Instant::now();
    let mut rows: Vec<(&Step, Duration, Result<Done>)> = Vec::new();
    for step in steps {
        if !chosen.is_empty() && !chosen.iter().any(|name| name == step.name) {
            continue;
        }
        println!("==> {}: {}", step.name, step.what);
        let begun = Instant::now();
        let logged = shell.logged(step.name)?;
        let outcome = (step.run)(&logged);
        let took = begun.elapsed();
        let log = logged
            .log()
            .map(fs::read_to_string)
            .transpose()?
            .unwrap_or_default();
        for line in log
            .lines()
            .filter(|line| step.echo.iter().any(|word| line.contains(word)))
        {
            println!("    {}", line.trim());
        }
        match &outcome {
            Ok(Done::Passed) => println!("    ok, {}", seconds(took)),
            Ok(Done::NotRun(reason)) => println!("    NOT RUN: {reason}"),
            Err(error) => {
                print!("{}", tail(&log));
                println!("    FAILED after {}: {error:#}", seconds(took));
                if let Some(file) = logged.log() {
                    println!("    whole log: {}", file.display());
                }
                println!("    repeat it: cargo xtask test {}", step.name);
            }
        }
        let failed = outcome.is_err();
        rows.push((step, took, outcome));
        if failed {
            break;
        }
    }
    println!("\n{}", table(&rows));
    println!("in {}", seconds(started.elapsed()));
    let failed = rows
        .iter()
        .filter(|(_, _, outcome)| outcome.is_err())
        .count();
    let passed = rows
        .iter()
        .filter(|(_, _, outcome)| matches!(outcome, Ok(Done::Passed)))
        .count();
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn table(rows: &[(&Step, Duration, Result<Done>)]) -> String {
    let width = rows
        .iter()
        .map(|(step, _, _)| step.name.len())
        .max()
        .unwrap_or(0);
    rows.iter()
        .map(|(step, took, outcome)| {
            let word = match outcome {
                Ok(Done::Passed) => "ok",
                Ok(Done::NotRun(_)) => "NOT RUN",
                Err(_) => "FAILED",
            };
            format!("{:width$}  {:>9}  {word}\n", step.name, seconds(*took))
        })
        .collect()
}

fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(TAIL);
    lines
        .iter()
        .skip(from)
        .map(|line| format!("    | {line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    fn step(name: &'static str, run: fn(&Shell) -> Result<Done>) -> Step {
        Step {
            name,
            what: "",
            echo: &[],
            run,
        }
    }

    /// Runs three steps, the second as given, and returns the exit code and which logs came to be.
    fn check(
        second: fn(&Shell) -> Result<Done>,
        chosen: &[&str],
    ) -> (Result<ExitCode>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let shell = Shell::terminal(Workspace {
            root: folder.path().to_path_buf(),
            target: folder.path().to_path_buf(),
            shared: None,
        });
        let steps = [
            step("first", |_| Ok(Done::Passed)),
            step("second", second),
            step("third", |_| Ok(Done::Passed)),
        ];
        let chosen: Vec<String> = chosen.iter().map(|&name| name.to_owned()).collect();
        let code = run(&shell, &steps, &chosen);
        let mut logs: Vec<String> = fs::read_dir(folder.path().join("xtask-logs"))
            .map(|logs| {
                logs.map(|log| log.unwrap().file_name().to_string_lossy().into_owned())
                    .collect()
            })
            .unwrap_or_default();
        logs.sort();
        (code, logs)
    }

    #[test]
    fn all_run_when_none_fails() {
        let (code, logs) = check(|_| Ok(Done::NotRun("no data".to_owned())), &[]);
        assert_eq!(code.unwrap(), ExitCode::SUCCESS);
        assert_eq!(logs, ["first.log", "second.log", "third.log"]);
    }

    #[test]
    fn a_failure_stops_the_rest() {
        let (code, logs) = check(|_| bail!("broken"), &[]);
        assert_eq!(code.unwrap(), ExitCode::FAILURE);
        assert_eq!(logs, ["first.log", "second.log"]);
    }

    #[test]
    fn chosen_steps_run_alone_and_unknown_names_are_errors() {
        let (code, logs) = check(|_| bail!("broken"), &["third"]);
        assert_eq!(code.unwrap(), ExitCode::SUCCESS);
        assert_eq!(logs, ["third.log"]);
        let (code, logs) = check(|_| Ok(Done::Passed), &["fourth"]);
        assert_eq!(
            code.unwrap_err().to_string(),
            "no step is named fourth; there are: first, second, third"
        );
        assert!(logs.is_empty());
    }

    #[test]
    fn times_and_tails_are_short() {
        assert_eq!(seconds(Duration::from_millis(1250)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
        let log: String = (0..200).map(|line| format!("{line}\n")).collect();
        let tail = tail(&log);
        assert_eq!(tail.lines().count(), TAIL);
        assert!(tail.ends_with("| 199\n"));
    }
}

//! The project's own commands: `cargo xtask up | image | test | fixtures | acceptance | fuzz | gen | chart | tidy | bench`.
//!
//! A plain program over `std::process`: it is the first thing that is compiled on a fresh machine, so it keeps
//! few dependencies and never depends on the product's crates.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's tool talks through its terminal"
)]

mod acceptance;
mod advisories;
mod apt;
mod bench;
mod builds;
mod chart;
mod fixtures;
mod fuzz;
mod generated;
mod image;
mod measure;
mod postgres;
mod server;
mod setup;
mod shell;
mod steps;
mod test;
mod tidy;
mod ui;
mod up;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::shell::Shell;
use crate::workspace::Workspace;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing, build the UI and the release binary, and start Seareeve
    Up {
        /// Passed on to `seareeve up`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build an image of the release binary, without an engine: an archive for `docker load` and its like
    Image {
        /// Where it goes
        #[arg(short, long, default_value = "seareeve-image.tar")]
        output: PathBuf,
        /// What it is called; the chart's default is this
        #[arg(long, default_value = concat!("seareeve:", env!("CARGO_PKG_VERSION")))]
        reference: String,
        /// A binary that was built already, on this machine
        #[arg(long)]
        binary: Option<PathBuf>,
    },
    /// Everything that CI checks, with its set-up
    Test {
        /// Only these steps (names as in the summary); all of them when none is named
        steps: Vec<String>,
    },
    /// Make the small images that tests scan
    Fixtures,
    /// Scan the large images and compare with the oracle; measure memory. Takes minutes, needs root
    Acceptance,
    /// Run the fuzz targets, and keep the inputs that reach new code. Takes hours for all
    Fuzz {
        /// Only these targets; all when none is named
        targets: Vec<String>,
        /// Of processor time without a finding for each target, with what earlier calls ran
        #[arg(long, default_value_t = 30.0)]
        minutes: f64,
        /// Targets at the same time
        #[arg(long, default_value_t = 2)]
        jobs: usize,
    },
    /// Write the generated files
    Gen {
        /// Write nothing; fail and name the files that are not current
        #[arg(long)]
        check: bool,
    },
    /// Render the Helm chart anew for the tests that judge it
    Chart,
    /// The house rules that a tool can hold
    Tidy,
    /// Run the benchmarks; or `scan` or `docker`: our release binary beside the peer; `audit`: judging beside parsing;
    /// `admission`: only those of admission
    Bench {
        /// `audit`, `scan`, `docker`, `admission`, or a filter on the names of the benchmarks
        name: Option<String>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let shell = Shell::terminal(Workspace::find()?);
    match command {
        Command::Up { arguments } => up::up(&shell, &arguments)?,
        Command::Image {
            output,
            reference,
            binary,
        } => image::image(
            &shell,
            &image::Wish {
                output: &output,
                reference: &reference,
                binary: binary.as_deref(),
            },
        )?,
        Command::Test { steps } => return test::test(&shell, &steps),
        Command::Fixtures => {
            let images = fixtures::small(&shell)?;
            println!(
                "made {} images in {}",
                images.len(),
                fixtures::folder(&shell).display()
            );
        }
        Command::Acceptance => acceptance::large(&shell)?,
        Command::Fuzz {
            targets,
            minutes,
            jobs,
        } => fuzz::fuzz(
            &shell,
            &fuzz::Wish {
                targets: &targets,
                minutes,
                jobs,
            },
        )?,
        Command::Gen { check: false } => generated::write(&shell)?,
        Command::Gen { check: true } => generated::check(&shell)?,
        Command::Chart => chart::write(&shell)?,
        Command::Tidy => tidy::check(&shell)?,
        Command::Bench { name } => bench::bench(&shell, name.as_deref())?,
    }
    Ok(ExitCode::SUCCESS)
}

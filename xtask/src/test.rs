//! `cargo xtask test`: everything that CI checks, in the order in which mistakes are cheapest to find.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::postgres::Postgres;
use crate::server::Server;
use crate::shell::Shell;
use crate::steps::{self, Done, Step};
use crate::{acceptance, advisories, builds, chart, fixtures, generated, measure, setup, tidy, ui};

/// The whole process with the UI idle must stay below this.
const IDLE_MIB: f64 = 150.0;

const STEPS: &[Step] = &[
    Step {
        name: "setup",
        what: "Debian packages and Cargo tools",
        echo: &["installing"],
        run: |shell| passed(setup::for_tests(shell)),
    },
    Step {
        name: "fmt",
        what: "cargo fmt --check",
        echo: &[],
        run: |shell| passed(shell.run(&mut shell.cargo(&["fmt", "--all", "--check"]))),
    },
    Step {
        name: "tidy",
        what: "the house rules",
        echo: &[],
        run: |shell| passed(tidy::check(shell)),
    },
    Step {
        name: "chart",
        what: "helm lint, and the chart renders to what the tests judge",
        echo: &["fetching"],
        run: chart::check,
    },
    Step {
        // Before anything of the server is compiled: it embeds the UI.
        name: "ui",
        what: "npm ci, npm run build (when changed)",
        echo: &[],
        run: |shell| passed(ui::build(shell)),
    },
    Step {
        name: "ui-check",
        what: "npm run check",
        echo: &[],
        run: |shell| npm(shell, "check"),
    },
    Step {
        name: "ui-test",
        what: "npm test",
        echo: &["Tests "],
        run: |shell| npm(shell, "test"),
    },
    Step {
        name: "ui-budget",
        what: "npm run budget",
        echo: &[],
        run: |shell| npm(shell, "budget"),
    },
    Step {
        name: "clippy",
        what: "cargo clippy --workspace --all-targets -- -D warnings",
        echo: &[],
        run: |shell| {
            passed(shell.run(&mut shell.cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ])))
        },
    },
    Step {
        name: "build",
        what: "cargo build --workspace --bins --tests",
        echo: &[],
        run: |shell| passed(builds::debug(shell).map(drop)),
    },
    Step {
        name: "gen",
        what: "generated files are current",
        echo: &[],
        run: |shell| passed(generated::check(shell)),
    },
    Step {
        name: "nextest",
        what: "cargo nextest run --workspace, with a PostgreSQL of its own",
        echo: &["Summary ["],
        run: nextest,
    },
    Step {
        name: "doc-tests",
        what: "cargo test --workspace --doc",
        echo: &[],
        run: |shell| passed(shell.run(&mut shell.cargo(&["test", "--workspace", "--doc"]))),
    },
    Step {
        name: "deny",
        what: "cargo deny check licenses bans sources",
        echo: &[],
        run: |shell| {
            passed(shell.run(&mut shell.cargo(&["deny", "check", "licenses", "bans", "sources"])))
        },
    },
    Step {
        name: "advisories",
        what: "our own dependencies against RustSec's advisories, read from the shared data",
        echo: &["advisories", "allowed"],
        run: advisories::check,
    },
    Step {
        name: "oracle",
        what: "our findings on small images against the oracle's",
        echo: &["pairs"],
        run: acceptance::small,
    },
    Step {
        name: "e2e",
        what: "Playwright in Chromium against the real binary",
        echo: &[" passed", "MiB"],
        run: e2e,
    },
];

/// Runs all steps, or the named ones.
pub(crate) fn test(shell: &Shell, chosen: &[String]) -> Result<ExitCode> {
    steps::run(shell, STEPS, chosen)
}

fn passed(result: Result<()>) -> Result<Done> {
    result.map(|()| Done::Passed)
}

fn npm(shell: &Shell, script: &str) -> Result<Done> {
    ui::install(shell)?;
    passed(shell.run(&mut shell.npm(&["run", script])))
}

fn nextest(shell: &Shell) -> Result<Done> {
    let postgres = Postgres::start()?;
    let mut command = shell.cargo(&["nextest", "run", "--workspace", "--profile", "ci"]);
    passed(shell.run(command.env("SEAREEVE_TEST_POSTGRES", postgres.address())))
}

/// The UI's tests against the server as a user starts it; it must stay small and end cleanly.
fn e2e(shell: &Shell) -> Result<Done> {
    ui::build(shell)?;
    let binary = builds::debug(shell)?;
    let image = fixtures::small_app(shell)?;
    let server = Server::start(shell, &binary)?;
    let result = shell.run(
        shell
            .npm(&["run", "e2e"])
            .env("SEAREEVE_E2E_URL", &server.address)
            .env("SEAREEVE_E2E_LINK", &server.link)
            .env("SEAREEVE_E2E_IMAGE", &image.docker),
    );
    if let Err(error) = result {
        shell.say(&format!("--- the server printed:\n{}", server.printed()))?;
        return Err(error);
    }
    let resident = measure::mib(server.resident_kib()?);
    let own = measure::mib(server.own_kib()?);
    shell.say(&format!(
        "the server holds {own:.0} MiB after the tests, and {resident:.0} MiB with its program"
    ))?;
    server.stop()?;
    if own >= IDLE_MIB {
        bail!("the server holds {own:.0} MiB when idle; the limit is {IDLE_MIB:.0} MiB");
    }
    Ok(Done::Passed)
}

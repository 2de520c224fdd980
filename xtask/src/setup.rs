//! What `cargo xtask test` needs beyond the Rust toolchain: Debian packages and two Cargo tools.

use std::process::Stdio;

use anyhow::{Context as _, Result};

use crate::apt::{self, Need, Probe};
use crate::shell::Shell;

/// Debian packages of the tests.
const TEST: &[Need] = &[
    ("git", Probe::Program("git")),
    ("nodejs", Probe::Node),
    ("npm", Probe::Npm),
    // The end-to-end tests' browser, and letters for it to draw.
    ("chromium", Probe::Program("chromium")),
    (
        "fonts-dejavu-core",
        Probe::Path("/usr/share/fonts/truetype/dejavu"),
    ),
    // The second database of the store's tests.
    ("postgresql", Probe::Postgres),
    // The other bus, and a broker that speaks Kafka's protocol (kcat's own mock cluster).
    ("nats-server", Probe::Program("nats-server")),
    ("kcat", Probe::Program("kcat")),
    // Real registries and clients for the tests of reading images.
    ("docker-registry", Probe::Program("docker-registry")),
    ("skopeo", Probe::Program("skopeo")),
    // A real engine, and what its containers run.
    ("docker.io", Probe::Program("dockerd")),
    (
        "busybox-static",
        Probe::Path("/usr/share/doc/busybox-static"),
    ),
    // The oracle and the maker of images.
    ("python3", Probe::Program("python3")),
    ("python3-packaging", Probe::PythonModule("packaging")),
    ("time", Probe::Path("/usr/bin/time")),
    ("zstd", Probe::Program("zstd")),
];

/// A real engine to measure on.
pub(crate) const LAB: &[Need] = &[
    ("docker.io", Probe::Program("dockerd")),
    (
        "busybox-static",
        Probe::Path("/usr/share/doc/busybox-static"),
    ),
    ("time", Probe::Path("/usr/bin/time")),
];

/// What the large images need on top.
pub(crate) const ACCEPTANCE: &[Need] = &[
    ("debootstrap", Probe::Path("/usr/sbin/debootstrap")),
    ("mmdebstrap", Probe::Program("mmdebstrap")),
    ("python3-pip", Probe::PythonModule("pip")),
];

/// A Cargo subcommand that we install for ourselves when the machine has none of this version or at all.
struct Tool {
    name: &'static str,
    /// Any version will do where there is `None`.
    version: Option<&'static str>,
    /// Extra arguments of `cargo install`.
    arguments: &'static [&'static str],
}

/// Debug builds: they take a third of the time to make and are fast enough.
const TOOLS: &[Tool] = &[
    Tool {
        name: "nextest",
        version: None,
        arguments: &[],
    },
    Tool {
        name: "deny",
        version: Some("0.20.2"),
        // Without its default features it cannot fetch advisories; those are matched by `advisories`.
        arguments: &["--no-default-features"],
    },
];

/// Everything for `cargo xtask test`.
pub(crate) fn for_tests(shell: &Shell) -> Result<()> {
    apt::ensure(shell, TEST)?;
    for tool in TOOLS {
        install(shell, tool)?;
    }
    Ok(())
}

fn install(shell: &Shell, tool: &Tool) -> Result<()> {
    if is_installed(shell, tool) {
        return Ok(());
    }
    let tools = shell.workspace.tools();
    let build = tools.join("build");
    let package = format!("cargo-{}", tool.name);
    shell.say(&format!("installing {package}"))?;
    let mut command = shell.cargo(&["install", &package, "--locked", "--debug", "--root"]);
    command.arg(&tools).arg("--target-dir").arg(&build);
    if let Some(version) = tool.version {
        command.args(["--version", version]);
    }
    shell.run(command.args(tool.arguments))?;
    std::fs::remove_dir_all(&build).with_context(|| format!("failed to remove {}", build.display()))
}

fn is_installed(shell: &Shell, tool: &Tool) -> bool {
    let output = shell
        .cargo(&[tool.name, "--version"])
        .stdin(Stdio::null())
        .output();
    let Ok(output) = output else {
        return false;
    };
    let printed = String::from_utf8_lossy(&output.stdout);
    output.status.success()
        && tool
            .version
            .is_none_or(|version| printed.split_whitespace().any(|word| word == version))
}

//! Running other programs: where they run, what they inherit, and where their output goes.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// Starts programs in the workspace, with their output on the terminal or in a log file.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    /// Where we are.
    pub(crate) workspace: Workspace,
    log: Option<PathBuf>,
}

impl Shell {
    /// Output goes to the terminal.
    pub(crate) fn terminal(workspace: Workspace) -> Self {
        Self {
            workspace,
            log: None,
        }
    }

    /// The same workspace with output in `target/xtask-logs/<name>.log`, emptied first.
    pub(crate) fn logged(&self, name: &str) -> Result<Self> {
        let folder = self.workspace.target.join("xtask-logs");
        fs::create_dir_all(&folder).context("failed to make the folder of logs")?;
        let log = folder.join(format!("{name}.log"));
        File::create(&log).with_context(|| format!("failed to empty {}", log.display()))?;
        Ok(Self {
            workspace: self.workspace.clone(),
            log: Some(log),
        })
    }

    /// The log file, when there is one.
    pub(crate) fn log(&self) -> Option<&Path> {
        self.log.as_deref()
    }

    /// A line for whoever reads along.
    pub(crate) fn say(&self, line: &str) -> Result<()> {
        match &self.log {
            None => println!("{line}"),
            Some(_) => writeln!(self.appended()?, "{line}")?,
        }
        Ok(())
    }

    /// A command in the workspace's root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.workspace.root);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = vec![self.workspace.tools().join("bin")];
        folders.extend(std::env::split_paths(&path));
        // A PATH that cannot be joined (a folder with a colon in its name) stays as it was.
        if let Ok(path) = std::env::join_paths(folders) {
            command.env("PATH", path);
        }
        if let Some(shared) = &self.workspace.shared {
            command.env("SEAREEVE_SHARED", shared);
        }
        // What `cargo run` says about xtask itself would make build scripts below look changed.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_")
                || text.starts_with("CARGO_MANIFEST_")
                || text == "CARGO_BIN_NAME"
                || text == "CARGO_CRATE_NAME"
                || text == "CARGO_PRIMARY_PACKAGE"
            {
                command.env_remove(&name);
            }
        }
        command
    }

    /// The product, free of a developer's own settings, in their environment or their home.
    pub(crate) fn product(&self, binary: &Path) -> Command {
        let mut command = self.command(binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SEAREEVE_") {
                command.env_remove(&name);
            }
        }
        command.env(
            "XDG_CONFIG_HOME",
            self.workspace.target.join("xtask-no-settings"),
        );
        command
    }

    /// `cargo` with arguments.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        command
    }

    /// `npm` with arguments, in `ui/`.
    pub(crate) fn npm(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("npm");
        command
            .args(arguments)
            .current_dir(self.workspace.root.join("ui"))
            .env("npm_config_update_notifier", "false");
        command
    }

    /// Runs a command to its end; an exit code other than 0 is an error.
    pub(crate) fn run(&self, command: &mut Command) -> Result<()> {
        self.direct(command)?;
        let status = command
            .status()
            .with_context(|| format!("failed to start `{}`", shown(command)))?;
        if !status.success() {
            bail!("`{}` failed ({status})", shown(command));
        }
        Ok(())
    }

    /// Runs a command and returns what it printed to standard output.
    pub(crate) fn capture(&self, command: &mut Command) -> Result<Vec<u8>> {
        let output = self.output(command)?;
        if !output.status.success() {
            bail!("`{}` failed ({})", shown(command), output.status);
        }
        Ok(output.stdout)
    }

    /// Runs a command and returns standard output and the exit code, whatever it is.
    pub(crate) fn output(&self, command: &mut Command) -> Result<Output> {
        self.direct(command)?;
        command.stdout(Stdio::piped());
        command
            .output()
            .with_context(|| format!("failed to start `{}`", shown(command)))
    }

    fn direct(&self, command: &mut Command) -> Result<()> {
        command.stdin(Stdio::null());
        if self.log.is_some() {
            let mut log = self.appended()?;
            writeln!(log, "$ {}", shown(command))?;
            command.stdout(log.try_clone()?).stderr(log);
            command.env("NO_COLOR", "1").env("TERM", "dumb");
        } else {
            // `Command::output` would catch it otherwise.
            command.stderr(Stdio::inherit());
        }
        Ok(())
    }

    fn appended(&self) -> Result<File> {
        let log = self.log.as_ref().context("no log file")?;
        File::options()
            .append(true)
            .open(log)
            .with_context(|| format!("failed to open {}", log.display()))
    }
}

/// The command as one could type it, without its environment.
fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| {
            let word = word.to_string_lossy();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+".contains(c);
            if !word.is_empty() && word.chars().all(plain) {
                word.into_owned()
            } else {
                format!("'{}'", word.replace('\'', r"'\''"))
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The program's file, looked up as a shell would.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // The owner of this entry is the effective user; asking libc would take `unsafe`.
    fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

/// Sends a signal by the shell's own `kill`, which every machine has.
pub(crate) fn signal(name: &str, process: u32) -> Result<()> {
    let status = Command::new("sh")
        .args(["-c", &format!("kill -{name} {process}")])
        .stderr(Stdio::null())
        .status()
        .context("failed to start sh")?;
    if !status.success() {
        bail!("failed to send {name} to process {process}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(root: &Path) -> Shell {
        Shell::terminal(Workspace {
            root: root.to_path_buf(),
            target: root.join("target"),
            shared: None,
        })
    }

    #[test]
    fn command_is_shown_as_one_types_it() {
        let mut command = Command::new("cargo");
        command.args(["nextest", "run", "it's", "a b", ""]);
        assert_eq!(shown(&command), r"cargo nextest run 'it'\''s' 'a b' ''");
    }

    #[test]
    fn output_and_failure_stand_in_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let shell = shell(folder.path()).logged("demo").unwrap();
        shell
            .run(shell.command("sh").args(["-c", "echo out; echo err >&2"]))
            .unwrap();
        let error = shell
            .run(shell.command("sh").args(["-c", "exit 3"]))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sh -c 'exit 3'` failed (exit status: 3)"
        );
        let log = fs::read_to_string(shell.log().unwrap()).unwrap();
        assert_eq!(
            log,
            "$ sh -c 'echo out; echo err >&2'\nout\nerr\n$ sh -c 'exit 3'\n"
        );
    }

    #[test]
    fn captured_output_is_whole_and_errors_go_to_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let shell = shell(folder.path()).logged("demo").unwrap();
        let output = shell
            .capture(
                shell
                    .command("sh")
                    .args(["-c", "printf data; echo err >&2"]),
            )
            .unwrap();
        assert_eq!(output, b"data");
        let log = fs::read_to_string(shell.log().unwrap()).unwrap();
        assert!(log.ends_with("err\n"), "{log}");
    }
}

//! What users see: results to standard output, messages to standard error.

pub(crate) mod log;
mod progress;
pub(crate) mod table;

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::process::ExitCode;

use anyhow::Context as _;
use camino::Utf8Path;

pub(crate) use progress::Bar;

/// Standard error, for people. Nothing here is a result.
pub(crate) struct Messages {
    quiet: bool,
}

impl Messages {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Something a user may want to know. Lost messages are no reason to fail.
    pub(crate) fn note(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{}", safe_lines(&text.to_string()));
        }
    }

    /// Why the command failed: the whole chain, once.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let style = anstyle::AnsiColor::Red.on_default().bold();
        let _ = writeln!(
            anstream::stderr(),
            "{style}error{style:#}: {}",
            safe_lines(&format!("{error:#}"))
        );
    }

    /// A progress bar, where a person looks at standard error.
    pub(crate) fn bar(&self) -> Bar {
        Bar::new(self.quiet)
    }
}

/// Prints a result to `file`, or to standard output. A regular file is replaced only when all of it is written.
pub(crate) fn result(file: Option<&Utf8Path>, text: &str) -> anyhow::Result<()> {
    let Some(path) = file else {
        let mut out = anstream::stdout().lock();
        return match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            // The reader went away (`seareeve … | head`): no failure, and the exit code says what it would have said.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        };
    };
    let plain = anstream::adapter::strip_str(text).to_string();
    let failed = || format!("failed to write {path}");
    let is_special = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    if is_special {
        // A device or pipe is written to, never replaced.
        return std::fs::write(path, plain).with_context(failed);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_str().is_empty())
        .unwrap_or(Utf8Path::new("."));
    let mut file = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .with_context(failed)?;
    file.write_all(plain.as_bytes()).with_context(failed)?;
    file.persist(path).with_context(failed)?;
    Ok(())
}

/// Makes text from images and networks harmless for a terminal and a table: control characters, line feeds among
/// them, become U+FFFD.
pub(crate) fn safe(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// The same for messages, whose line feeds are ours.
fn safe_lines(text: &str) -> String {
    text.split('\n').map(safe).collect::<Vec<_>>().join("\n")
}

/// Prints what clap has to say: help and version are results, the rest is our failure 1.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}

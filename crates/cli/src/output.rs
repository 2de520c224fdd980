//! What users see: results to standard output, messages to standard error.

pub(crate) mod log;
mod progress;
pub(crate) mod table;

use std::io::{self, Write};
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
            let _ = writeln!(anstream::stderr(), "{}", safe(&text.to_string()));
        }
    }

    /// Why the command failed: the whole chain, once.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let style = anstyle::AnsiColor::Red.on_default().bold();
        let _ = writeln!(
            anstream::stderr(),
            "{style}error{style:#}: {}",
            safe(&format!("{error:#}"))
        );
    }

    /// A progress bar, where a person looks at standard error.
    pub(crate) fn bar(&self) -> Bar {
        Bar::new(self.quiet)
    }
}

/// Prints a result to `file`, or to standard output. A file is replaced only when all of it is written.
pub(crate) fn result(file: Option<&Utf8Path>, text: &str) -> anyhow::Result<()> {
    match file {
        None => {
            let mut out = anstream::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
        Some(path) => {
            let plain = anstream::adapter::strip_str(text).to_string();
            let partial = Utf8Path::new(path.as_str()).with_extension("part");
            std::fs::write(&partial, plain)
                .with_context(|| format!("failed to write {partial}"))?;
            std::fs::rename(&partial, path).with_context(|| format!("failed to write {path}"))?;
        }
    }
    Ok(())
}

/// Makes text from images and networks harmless for a terminal: control characters become U+FFFD.
pub(crate) fn safe(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
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

/// Whether the reader of our output went away (`seareeve … | head`), which is no failure.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let pipe = |io: &io::Error| io.kind() == io::ErrorKind::BrokenPipe;
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(pipe))
}

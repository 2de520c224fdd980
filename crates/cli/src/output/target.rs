//! Where a result goes: standard output, or what the user names.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use tempfile::NamedTempFile;

/// A place that takes a result in pieces.
pub(super) enum Target {
    Stdout(Box<dyn Write>),
    /// The reader went away (`seareeve … | head`): no failure, and the exit code says what it would have said.
    Nobody,
    /// A device or pipe, which is written to, never replaced.
    Special(File, Utf8PathBuf),
    /// A regular file, which is replaced only when all of the result is written.
    Regular(NamedTempFile, Utf8PathBuf),
}

impl Target {
    /// `file`, or standard output. What is written there has no styles.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(super) fn open(file: Option<&Utf8Path>) -> anyhow::Result<Self> {
        let Some(path) = file else {
            return Ok(Self::Stdout(Box::new(io::stdout().lock())));
        };
        let failed = || format!("failed to write {path}");
        if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            let file = File::options().write(true).truncate(true).open(path);
            return Ok(Self::Special(file.with_context(failed)?, path.to_owned()));
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_str().is_empty())
            .unwrap_or(Utf8Path::new("."));
        let file = tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .with_context(failed)?;
        Ok(Self::Regular(file, path.to_owned()))
    }

    /// Standard output, whose styles stay where a terminal shows them.
    pub(super) fn styled() -> Self {
        Self::Stdout(Box::new(anstream::stdout().lock()))
    }

    /// Puts the result in its place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.flush().map_err(|error| self.failed(error.into()))?;
        match self {
            Self::Stdout(_) | Self::Nobody | Self::Special(..) => Ok(()),
            Self::Regular(file, path) => match file.persist(&path) {
                Ok(_file) => Ok(()),
                Err(error) => Err(error.error).with_context(|| format!("failed to write {path}")),
            },
        }
    }

    /// Says of an error where it was.
    pub(super) fn failed(&self, error: anyhow::Error) -> anyhow::Error {
        match self {
            Self::Stdout(_) | Self::Nobody => error,
            Self::Special(_, path) | Self::Regular(_, path) => {
                error.context(format!("failed to write {path}"))
            }
        }
    }

    fn or_nobody<T>(&mut self, written: io::Result<T>, all: T) -> io::Result<T> {
        match (&*self, written) {
            (Self::Stdout(_), Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                *self = Self::Nobody;
                Ok(all)
            }
            (_, written) => written,
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self {
            Self::Stdout(out) => out.write(bytes),
            Self::Nobody => Ok(bytes.len()),
            Self::Special(file, _) => file.write(bytes),
            Self::Regular(file, _) => file.write(bytes),
        };
        self.or_nobody(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = match self {
            Self::Stdout(out) => out.flush(),
            Self::Nobody => Ok(()),
            Self::Special(file, _) => file.flush(),
            Self::Regular(file, _) => file.flush(),
        };
        self.or_nobody(flushed, ())
    }
}

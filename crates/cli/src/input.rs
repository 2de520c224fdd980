//! Files that a user names, read whole but never without a bound: a name may be that of a device.

use std::fs::File;
use std::io::{self, Read};

use anyhow::{Context as _, bail};
use camino::Utf8Path;

/// Reads `path`, or standard input where it is `-`; `what` says in errors what it should be.
pub(crate) fn file_or_stdin(
    what: &str,
    path: &Utf8Path,
    most_bytes: usize,
) -> anyhow::Result<Vec<u8>> {
    if path == "-" {
        return bounded(io::stdin().lock(), most_bytes)
            .with_context(|| format!("failed to read the {what} from standard input"));
    }
    file(what, path, most_bytes)
}

/// Reads `path`.
pub(crate) fn file(what: &str, path: &Utf8Path, most_bytes: usize) -> anyhow::Result<Vec<u8>> {
    let file = File::open(path).with_context(|| format!("failed to read the {what} {path}"))?;
    opened(what, path, file, most_bytes)
}

/// Reads what was opened at `path`.
pub(crate) fn opened(
    what: &str,
    path: &Utf8Path,
    file: File,
    most_bytes: usize,
) -> anyhow::Result<Vec<u8>> {
    bounded(file, most_bytes).with_context(|| format!("failed to read the {what} {path}"))
}

/// The first line of standard input, as `--password-stdin` of other programs takes it.
pub(crate) fn password() -> anyhow::Result<String> {
    let bytes = bounded(io::stdin().lock(), MOST_PASSWORD_BYTES)
        .context("failed to read the password from standard input")?;
    let text = String::from_utf8(bytes).context("the password is not UTF-8")?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("standard input holds no password");
    }
    Ok(password.to_owned())
}

/// Tokens of clouds have some kilobytes.
const MOST_PASSWORD_BYTES: usize = 64 << 10;

fn bounded(from: impl Read, most_bytes: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(most_bytes).unwrap_or(u64::MAX);
    from.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > most_bytes {
        bail!("it has more than {most_bytes} bytes");
    }
    Ok(bytes)
}

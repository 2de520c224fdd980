//! What users see: results to standard output, messages to standard error.
//!
//! Each format of a result stands in one file. All texts of a result may come from an image, a registry or an
//! advisory, so each format says how it keeps them from being anything but text.

mod html;
pub(crate) mod json;
mod junit;
pub(crate) mod log;
mod manifests;
mod markup;
mod posture;
mod progress;
mod sarif;
pub(crate) mod table;
mod words;

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::process::ExitCode;

use anyhow::Context as _;
use camino::Utf8Path;
use seareeve_scan::sbom;

use crate::args::ReportFormat;
use crate::judge::Judged;

pub(crate) use manifests::report as manifest_report;
pub(crate) use posture::report as posture_report;
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

/// A judged image in one of the formats; `name` is what the user calls it.
pub(crate) fn report(
    judged: &Judged,
    name: &str,
    format: ReportFormat,
    show_suppressed: bool,
) -> anyhow::Result<String> {
    let report = &judged.report;
    match format {
        ReportFormat::Table => Ok(table::image_report(report, name, show_suppressed)),
        ReportFormat::Json => json::text(report),
        ReportFormat::Sarif => json::text(&sarif::log(report, name)),
        ReportFormat::Cyclonedx => document(judged, sbom::Format::CycloneDx),
        ReportFormat::SpdxJson => document(judged, sbom::Format::Spdx),
        ReportFormat::Junit => Ok(junit::report(report, name)),
        ReportFormat::Html => Ok(html::page(report, name)),
    }
}

fn document(judged: &Judged, format: sbom::Format) -> anyhow::Result<String> {
    let inventory = &judged.inventory;
    let time = judged
        .source_date
        .unwrap_or_else(|| sbom::time_of(inventory));
    let mut bytes = Vec::new();
    sbom::write(format, inventory, Some(&judged.findings), time, &mut bytes)?;
    Ok(json::printable(String::from_utf8(bytes)?))
}

/// Prints a result to `file`, or to standard output. A regular file is replaced only when all of it is written.
pub(crate) fn result(file: Option<&Utf8Path>, text: &str) -> anyhow::Result<()> {
    let Some(path) = file else {
        // Looking through the whole of a report for styles to strip takes as long as making it.
        let mut out: Box<dyn Write> = if text.contains('\u{1b}') {
            Box::new(anstream::stdout().lock())
        } else {
            Box::new(io::stdout().lock())
        };
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
/// them, and those that turn the direction of what follows, become U+FFFD.
pub(crate) fn safe(text: &str) -> String {
    let harmless = |c: char| {
        if c.is_control() || turns(c) {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(harmless).collect()
}

/// Whether what follows is shown in another order than it stands (Unicode Standard Annex 9, "Directional
/// Formatting Characters").
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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

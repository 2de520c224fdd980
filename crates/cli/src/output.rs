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
mod target;
mod words;

use std::borrow::Cow;
use std::io::Write;
use std::process::ExitCode;

use camino::Utf8Path;
use seareeve_scan::sbom;

use crate::args::{ReportArgs, ReportFormat};
use crate::judge::Judged;

pub(crate) use manifests::report as manifest_report;
pub(crate) use posture::report as posture_report;
pub(crate) use progress::Bar;
use target::Target;

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

/// Prints a judged image in one of the formats; `name` is what the user calls it.
pub(crate) fn report(judged: &Judged, name: &str, args: &ReportArgs) -> anyhow::Result<()> {
    let report = &judged.report;
    let text = match args.format {
        ReportFormat::Table => table::image_report(report, name, args.show_suppressed),
        ReportFormat::Junit => junit::report(report, name),
        ReportFormat::Html => html::page(report, name),
        ReportFormat::Json => return json_result(args, |out| json::write(report, out)),
        ReportFormat::Sarif => {
            let log = sarif::log(report, name);
            return json_result(args, |out| json::write(&log, out));
        }
        ReportFormat::Cyclonedx => return document(judged, sbom::Format::CycloneDx, args),
        ReportFormat::SpdxJson => return document(judged, sbom::Format::Spdx, args),
    };
    result(args.output.as_deref(), &text)
}

fn document(judged: &Judged, format: sbom::Format, args: &ReportArgs) -> anyhow::Result<()> {
    let inventory = &judged.inventory;
    let time = judged
        .source_date
        .unwrap_or_else(|| sbom::time_of(inventory));
    json_result(args, |out| {
        let mut out = json::Printable::new(out);
        let findings = Some(judged.findings.as_slice());
        sbom::write(format, inventory, findings, time, &mut out)?;
        Ok(out.flush()?)
    })
}

/// Prints JSON, which is not made in one piece: there may be much of it. It has no escape character to begin a style
/// with.
fn json_result(
    args: &ReportArgs,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut target = Target::open(args.output.as_deref())?;
    write(&mut target).map_err(|error| target.failed(error))?;
    target.finish()
}

/// Prints a result to `file`, or to standard output.
pub(crate) fn result(file: Option<&Utf8Path>, text: &str) -> anyhow::Result<()> {
    // Looking through the whole of a report for styles to strip takes as long as making it.
    let has_styles = text.contains('\u{1b}');
    let (mut target, text) = match file {
        None if has_styles => (Target::styled(), Cow::Borrowed(text)),
        Some(_) if has_styles => {
            let plain = anstream::adapter::strip_str(text).to_string();
            (Target::open(file)?, Cow::Owned(plain))
        }
        Some(_) | None => (Target::open(file)?, Cow::Borrowed(text)),
    };
    target
        .write_all(text.as_bytes())
        .map_err(|error| target.failed(error.into()))?;
    target.finish()
}

/// Results that are printed one a line, as they come.
pub(crate) struct Lines {
    target: Target,
}

impl Lines {
    /// To standard output.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let target = Target::open(None)?;
        Ok(Self { target })
    }

    /// Prints a value as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl serde::Serialize) -> anyhow::Result<()> {
        json::line(value, &mut self.target)
    }

    pub(crate) fn finish(self) -> anyhow::Result<()> {
        self.target.finish()
    }
}

/// Prints what is no text to standard output.
pub(crate) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut target = Target::open(None)?;
    target.write_all(bytes)?;
    target.finish()
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

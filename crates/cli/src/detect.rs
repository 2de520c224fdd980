//! Rules from files, and events from files, for `detect` and `rules`.

mod audit;
mod feed;
pub(crate) mod intel;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use seareeve_audit::AuditSource;
use seareeve_detect::sources::FlatSource;
use seareeve_detect::{Content, Loaded, Loader, Matching, Options, Source, UnknownFields};
use seareeve_intel::Joined;

use crate::args::{EventSource, HowArgs, Match, Unknown};
use crate::input;
use crate::output::Messages;

pub(crate) use self::feed::{Seen, feed};

/// Bytes of a file of rules at most.
const MOST_BYTES: usize = 16 << 20;
/// Folders below each other.
const DEEPEST: usize = 8;
/// Files of a folder, whatever they hold.
const MOST_FILES: usize = 20_000;

/// The sources that rules can be about.
pub(crate) fn sources() -> Vec<Arc<dyn Source>> {
    vec![Arc::new(FlatSource::syscall()), Arc::new(AuditSource)]
}

/// What rules call a source.
pub(crate) fn name(source: EventSource) -> &'static str {
    match source {
        EventSource::Audit => "k8s_audit",
        EventSource::Host => "syscall",
    }
}

pub(crate) fn options(how: &HowArgs) -> Options {
    Options {
        unknown_fields: match how.unknown_fields {
            Unknown::Error => UnknownFields::Error,
            Unknown::Disable => UnknownFields::Disable,
        },
        matching: match how.matching {
            Match::All => Matching::All,
            Match::First => Matching::First,
        },
        on: how.on.clone(),
        off: how.off.clone(),
        least_priority: None,
    }
}

/// The rules of these files, or what is built in when there are none. What is wrong with them is in the result.
pub(crate) fn load(paths: &[Utf8PathBuf], options: Options) -> anyhow::Result<Loaded> {
    load_with(paths, options, &Joined::default())
}

/// The same, with what lists of threat intelligence add.
pub(crate) fn load_with(
    paths: &[Utf8PathBuf],
    options: Options,
    joined: &Joined,
) -> anyhow::Result<Loaded> {
    let mut loader = Loader::new(sources(), options);
    if paths.is_empty() {
        loader.content(&Content::builtin());
    } else {
        loader.content(&Content::shared());
    }
    for (list, items) in joined.added() {
        if !loader.extend(list, items) {
            bail!("there is no list {list}, or no room in it");
        }
    }
    if paths.is_empty() {
        return Ok(loader.finish());
    }
    for path in paths {
        let mut files = Vec::new();
        if path.is_dir() {
            find(path, DEEPEST, &mut files)?;
            // Lists first: all conditions see them anyway, but detections may not have their names.
            files.sort();
        } else {
            files.push(path.clone());
        }
        for file in files {
            match text(&file) {
                Ok(text) => loader.file(file.as_str(), &text),
                Err(error) => loader.unreadable(file.as_str(), &format!("{error:#}")),
            }
        }
    }
    Ok(loader.finish())
}

/// Rules that can be used. Warnings are told; what is wrong with one of them is an error, since a rule that is silently
/// left out looks as if nothing had happened.
pub(crate) fn usable(loaded: Loaded, messages: &Messages) -> anyhow::Result<Loaded> {
    if loaded.has_errors() {
        let lines = loaded
            .diagnostics
            .iter()
            .filter(|found| found.code.is_error());
        let lines: Vec<String> = lines.map(|found| format!("\n  {found}")).collect();
        bail!("the rules cannot be used:{}", lines.concat());
    }
    for found in &loaded.diagnostics {
        messages.note(found);
    }
    Ok(loaded)
}

fn text(path: &Utf8Path) -> anyhow::Result<String> {
    let bytes = input::file_or_stdin("rules", path, MOST_BYTES)?;
    String::from_utf8(bytes).with_context(|| format!("{path} is not UTF-8"))
}

fn find(folder: &Utf8Path, depth: usize, files: &mut Vec<Utf8PathBuf>) -> anyhow::Result<()> {
    let failed = || format!("failed to list {folder}");
    for entry in folder.read_dir_utf8().with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let kind = entry.file_type().with_context(failed)?;
        let path = entry.into_path();
        if kind.is_dir() && depth > 0 {
            find(&path, depth - 1, files)?;
        } else if matches!(path.extension(), Some("yaml" | "yml")) {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            bail!("{folder} holds more than {MOST_FILES} files");
        }
    }
    Ok(())
}

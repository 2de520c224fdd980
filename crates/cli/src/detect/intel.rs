//! Lists of threat intelligence from files, for events from files.

use anyhow::{Context as _, bail};
use camino::Utf8Path;
use jiff::Timestamp;
use seareeve_detect::Content;
use seareeve_intel::{Entry, Format, Joined, Joiner, Kind, MOST_BYTES, Named, Source, read};

use crate::input;
use crate::output::{Messages, safe};

/// What stands before a file of what is never bad.
const EXCLUSIONS: &str = "exclusions";
/// The lists that are extended where none is named.
const BAD: &str = "known_bad_";

/// What these files come to: each is a path, with the list that it extends before it (`LIST=FILE`).
pub(crate) fn lists(files: &[String], messages: &Messages) -> anyhow::Result<Joined> {
    let named = named();
    let (mut excluded, mut lists) = (Vec::new(), Vec::new());
    for given in files {
        let (list, path) = match given.split_once('=') {
            Some((list, path)) => (Some(list), path),
            None => (None, given.as_str()),
        };
        let into: Vec<String> = named
            .iter()
            .map(|named| named.name.clone())
            .filter(|name| list.map_or(name.starts_with(BAD), |list| name == list))
            .collect();
        if into.is_empty() && list != Some(EXCLUSIONS) {
            let known: Vec<&str> = named.iter().map(|named| named.name.as_str()).collect();
            let (list, known) = (list.unwrap_or_default(), known.join(", "));
            bail!("{list} is no list that files extend: {known}, {EXCLUSIONS}");
        }
        let wanted = wanted(&named, &into);
        let entries = entries(Utf8Path::new(path), &wanted, messages)?;
        if into.is_empty() {
            excluded.extend(entries);
        } else {
            lists.push((path.to_owned(), entries, into));
        }
    }
    let mut joiner = Joiner::new(Timestamp::now(), named, &excluded);
    for (path, entries, into) in &lists {
        let source = Source {
            name: path.clone(),
            from: "a file".to_owned(),
            at: None,
        };
        joiner.add(source, entries, into);
    }
    let joined = joiner.finish();
    for (path, ..) in &lists {
        for (why, count) in joined.left_out(path) {
            messages.note(format!("{path}: {count} entries are not used: {why}"));
        }
    }
    Ok(joined)
}

fn wanted(named: &[Named], into: &[String]) -> Vec<Kind> {
    if into.is_empty() {
        return Kind::ALL.to_vec();
    }
    let extended = named.iter().filter(|one| into.contains(&one.name));
    extended.flat_map(|one| one.takes.iter().copied()).collect()
}

fn entries(path: &Utf8Path, wanted: &[Kind], messages: &Messages) -> anyhow::Result<Vec<Entry>> {
    let bytes = input::file_or_stdin("list", path, MOST_BYTES)?;
    let reading = read(&bytes, &Format::Auto, wanted);
    let reading = reading.with_context(|| format!("failed to read the list {path}"))?;
    for (why, unused) in &reading.unused {
        messages.note(format!(
            "{path}: {} entries are not used: {why}, such as {}",
            unused.count,
            safe(&unused.example)
        ));
    }
    Ok(reading.entries)
}

/// The lists of detections that others may extend.
fn named() -> Vec<Named> {
    let lists = Content::builtin().extendable().into_iter();
    let named = lists.map(|list| Named {
        name: list.name,
        title: list.title,
        takes: list
            .takes
            .iter()
            .filter_map(|kind| Kind::parse(kind))
            .collect(),
        own: list.items,
    });
    named.collect()
}

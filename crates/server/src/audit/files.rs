//! Rule files that people bring. They are hostile until they are compiled, and limited after it; nothing that is built
//! in is replaced.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use seareeve_api::DetectionFault;
use seareeve_audit::{SOURCE, run_examples_of};
use seareeve_detect::{Loaded, Rule, Tuning};
use seareeve_store::detections::OwnFile;

use super::content::{self, Given, fault_of_own, own_name, whole_fault};

/// The largest file, in bytes.
pub(crate) const MOST_BYTES: usize = 1 << 20;
/// Files, and bytes of them all.
pub(crate) const MOST_FILES: usize = 500;
pub(crate) const MOST_TOTAL: usize = 8 << 20;
/// Detections of people's.
const MOST_RULES: usize = 2_000;
/// Faults that are told.
const MOST_FAULTS: usize = 50;

/// What came of trying a file.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    pub(crate) detections: Vec<String>,
    pub(crate) examples: u32,
    pub(crate) faults: Vec<DetectionFault>,
}

impl Tried {
    pub(crate) fn has_errors(&self) -> bool {
        self.faults.iter().any(|fault| fault.is_error)
    }
}

/// Whether a text can be a file's name.
pub(crate) fn is_name(name: &str) -> bool {
    let stem = name.strip_suffix(".yaml").or(name.strip_suffix(".yml"));
    stem.is_some_and(|stem| {
        (1..=100).contains(&stem.len())
            && stem.starts_with(|c: char| c.is_ascii_alphanumeric())
            && stem
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    })
}

/// What is given, with a file in place of the one of its name.
pub(crate) fn with(given: &Given, name: &str, content: &str, now: Timestamp) -> Given {
    let mut with = given.clone();
    with.files.retain(|file| file.name != name);
    with.files.push(OwnFile {
        name: name.to_owned(),
        content: content.to_owned(),
        author: String::new(),
        created: now,
        changed: now,
    });
    with.files.sort_by(|a, b| a.name.cmp(&b.name));
    with
}

/// Tries a file beside everything else, and runs its examples. Takes a while.
pub(crate) fn try_out(given: &Given, name: &str, text: &str, now: Timestamp) -> Tried {
    let mut tried = Tried::default();
    if text.len() > MOST_BYTES {
        let why = format!("{} bytes, of which {MOST_BYTES} are taken", text.len());
        tried.faults.push(whole_fault(name, &why));
        return tried;
    }
    let with = with(given, name, text, now);
    let total: usize = with.files.iter().map(|file| file.content.len()).sum();
    if with.files.len() > MOST_FILES || total > MOST_TOTAL {
        let why = format!(
            "{MOST_FILES} files with {} MiB are kept at most",
            MOST_TOTAL >> 20
        );
        tried.faults.push(whole_fault(name, &why));
        return tried;
    }
    let (loaded, _) = content::load(&with, &with.files, &Tuning::default());
    // What others' files have wrong already is not this one's fault, but what it breaks in them is.
    let before: BTreeSet<String> = {
        let (before, _) = content::load(given, &given.files, &Tuning::default());
        before.diagnostics.iter().map(ToString::to_string).collect()
    };
    let own = loaded.diagnostics.iter().filter_map(|found| {
        let fault = fault_of_own(found)?;
        let is_new = fault.is_error && !before.contains(&found.to_string());
        (fault.file == name || is_new).then_some(fault)
    });
    tried.faults.extend(own);
    // What is wrong in the file itself is told already, and may be why something of ours is missing.
    if let Some(why) = content::is_whole(&loaded)
        .err()
        .filter(|_| !tried.has_errors())
    {
        tried.faults.push(whole_fault(name, &why));
    }
    check_rules(&mut tried, &loaded, name);
    if !tried.has_errors() {
        run(&mut tried, loaded, name);
    }
    tried.faults.sort_by_key(|fault| !fault.is_error);
    tried.faults.truncate(MOST_FAULTS);
    tried
}

/// There is an end to them.
fn check_rules(tried: &mut Tried, loaded: &Loaded, name: &str) {
    let rules = loaded.engine.rules();
    let own = rules.filter_map(|rule| Some((own_name(&rule.file)?, &rule.id)));
    let own: Vec<(&str, &String)> = own.collect();
    if own.len() > MOST_RULES {
        let why = format!("{MOST_RULES} rules are kept at most");
        tried.faults.push(whole_fault(name, &why));
    }
    let here = own.into_iter().filter(|(file, _)| *file == name);
    tried.detections.extend(here.map(|(_, id)| id.clone()));
}

fn run(tried: &mut Tried, loaded: Loaded, name: &str) {
    let engine = Arc::new(loaded.engine);
    let is_it = |rule: &Rule| own_name(&rule.file) == Some(name);
    for result in run_examples_of(&engine, is_it) {
        tried.examples = tried.examples.saturating_add(1);
        if let Some(why) = result.fault {
            let mut fault = whole_fault(name, &format!("example '{}': {why}", result.name));
            fault.code = "EXAMPLE".to_owned();
            fault.item = format!("detection '{}'", result.id);
            tried.faults.push(fault);
        }
    }
}

/// The detections that stand in a file.
pub(crate) fn detections_of(content: &content::Content, name: &str) -> Vec<String> {
    let rules = content.shared().rules();
    rules
        .filter(|rule| rule.source == SOURCE && own_name(&rule.file) == Some(name))
        .map(|rule| rule.id.clone())
        .collect()
}

/// What others' files would have wrong if a file were gone: the first of it.
pub(crate) fn broken_without(given: &Given, name: &str) -> Option<DetectionFault> {
    let nothing = Tuning::default();
    let (before, _) = content::load(given, &given.files, &nothing);
    let before: BTreeSet<String> = before.diagnostics.iter().map(ToString::to_string).collect();
    let rest: Vec<OwnFile> = given
        .files
        .iter()
        .filter(|file| file.name != name)
        .cloned()
        .collect();
    let (after, _) = content::load(given, &rest, &nothing);
    let new = after
        .diagnostics
        .iter()
        .filter(|found| found.code.is_error() && !before.contains(&found.to_string()));
    new.filter_map(fault_of_own).next()
}

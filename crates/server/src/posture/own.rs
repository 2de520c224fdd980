//! Checks and benchmarks that people bring: kept in the store, tried as `seareeve check test` tries them, and used beside
//! what is built in. They are hostile until they are compiled, and limited after it; nothing of ours is replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use seareeve_api::OwnFault;
use seareeve_posture::{Catalogue, ContentKind, Described, Library, run_examples};
use seareeve_store::own_content::{self, OwnContent, OwnKind};
use seareeve_store::{Store, StoreError};

use super::Content;
use crate::state::App;

/// Documents of one upload at most.
const MOST_DOCUMENTS: usize = 200;
/// All that people brought, at most.
const MOST_KEPT: usize = 1_000;
/// Faults that are told of one upload.
const MOST_FAULTS: usize = 50;

/// A document that can be used, if the rest of its upload can.
#[derive(Clone, Debug)]
pub(crate) struct Brought {
    /// Its kind.
    pub(crate) kind: OwnKind,
    /// See [`OwnContent::name`].
    pub(crate) name: String,
    /// For people.
    pub(crate) title: String,
    /// Its YAML.
    pub(crate) content: String,
}

/// What came of trying an upload.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    /// Its documents.
    pub(crate) brought: Vec<Brought>,
    /// How many examples were run.
    pub(crate) examples: u32,
    /// What is wrong.
    pub(crate) faults: Vec<OwnFault>,
}

/// What is built in, and what people brought as far as it is enabled and can be used.
pub(crate) fn content(own: &[OwnContent]) -> Content {
    let mut library = Library::builtin();
    let mut problems = BTreeMap::new();
    let builtin_benchmarks = library.benchmarks().map(|one| one.id.clone()).collect();
    let (theirs, allowed): (Vec<_>, Vec<_>) = own
        .iter()
        .filter(|one| one.enabled)
        .partition(|one| is_ours(&library, one));
    for one in theirs {
        let why = "the program has a benchmark of this name by now: give it another".to_owned();
        problems.insert(one.name.clone(), why);
    }
    for error in add(&mut library, &allowed) {
        problems.insert(stem(&error.0), error.1);
    }
    Content {
        digest: library.digest(),
        catalogue: Catalogue::builtin(),
        library,
        problems,
        builtin_benchmarks,
        own: fingerprint(own),
    }
}

/// Reads what people brought from the store, and makes content with it.
pub(crate) async fn load(store: &Store) -> anyhow::Result<Content> {
    let own = own_content::list(store).await?;
    Ok(tokio::task::spawn_blocking(move || content(&own)).await?)
}

/// Takes what stands in the store into use, if it is not. Returns whether it was not.
pub(crate) async fn refresh(app: &App) -> anyhow::Result<bool> {
    let own = own_content::list(&app.store).await?;
    if fingerprint(&own) == app.content().own {
        return Ok(false);
    }
    let made = tokio::task::spawn_blocking(move || content(&own)).await?;
    app.judge_by(made);
    Ok(true)
}

/// Tries an upload against what would be used beside it. `known` is what the store holds; documents of it with a name
/// of the upload are replaced. What cannot be used already is not the upload's fault.
pub(crate) fn try_out(text: &str, known: &[OwnContent], in_use: &Content) -> Tried {
    let mut tried = Tried::default();
    let documents = documents(text);
    if documents.is_empty() || documents.len() > MOST_DOCUMENTS {
        let fault = format!("1 to {MOST_DOCUMENTS} documents are wanted");
        tried.faults.push(fault_of("upload", fault));
        return tried;
    }
    let library = Library::builtin();
    let mut names = BTreeSet::new();
    for (at, document) in documents.iter().enumerate() {
        match Described::read(document) {
            Ok(described) => {
                let fault = if is_built_in(&library, &described) {
                    Some("its name is built in, and stays what it is: choose another")
                } else if names.insert(described.name.clone()) {
                    None
                } else {
                    Some("the upload has two of this name")
                };
                match fault {
                    Some(fault) => tried
                        .faults
                        .push(fault_of(&described.name, fault.to_owned())),
                    None => tried.brought.push(Brought {
                        kind: kind(described.kind),
                        name: described.name,
                        title: described.title,
                        content: (*document).to_owned(),
                    }),
                }
            }
            Err(reason) => {
                let name = format!("document {}", at + 1);
                tried.faults.push(fault_of(&name, chain(reason)));
            }
        }
    }
    let others = known
        .iter()
        .filter(|one| !names.contains(&one.name) && !in_use.problems.contains_key(&one.name));
    if others.clone().count() + names.len() > MOST_KEPT {
        let fault = format!("{MOST_KEPT} checks and benchmarks are kept at most");
        tried.faults.push(fault_of("upload", fault));
    }
    if tried.faults.is_empty() {
        use_with(&mut tried, library, others);
    }
    tried.faults.truncate(MOST_FAULTS);
    tried
}

/// Adds the upload to what is there, and runs its examples.
fn use_with<'k>(
    tried: &mut Tried,
    mut library: Library,
    others: impl Iterator<Item = &'k OwnContent>,
) {
    let mut all: Vec<OwnContent> = others.filter(|one| one.enabled).cloned().collect();
    all.extend(tried.brought.iter().map(|one| OwnContent {
        name: one.name.clone(),
        kind: one.kind,
        title: one.title.clone(),
        content: one.content.clone(),
        enabled: true,
        author: String::new(),
        created: jiff::Timestamp::UNIX_EPOCH,
        changed: jiff::Timestamp::UNIX_EPOCH,
    }));
    let refs: Vec<&OwnContent> = all.iter().collect();
    for (file, why) in add(&mut library, &refs) {
        tried.faults.push(fault_of(&stem(&file), why));
    }
    for check in tried
        .brought
        .iter()
        .filter_map(|one| library.check(&one.name))
    {
        for result in run_examples(check) {
            tried.examples = tried.examples.saturating_add(1);
            if let Some(fault) = result.fault {
                tried.faults.push(OwnFault {
                    name: result.check,
                    example: Some(result.name),
                    fault,
                });
            }
        }
    }
}

/// What would not be usable any more if `without` were gone: names, and why.
pub(crate) fn broken_without(known: &[OwnContent], without: &str) -> BTreeMap<String, String> {
    let before = content(known).problems;
    let rest: Vec<OwnContent> = known
        .iter()
        .filter(|one| one.name != without)
        .cloned()
        .collect();
    let mut after = content(&rest).problems;
    after.retain(|name, _| !before.contains_key(name));
    after
}

fn add(library: &mut Library, own: &[&OwnContent]) -> Vec<(String, String)> {
    let of = |kind: OwnKind| {
        let all = own.iter().filter(move |one| one.kind == kind);
        all.map(|one| (format!("own/{}.yaml", one.name), one.content.clone()))
    };
    let errors = library.add(of(OwnKind::Check), of(OwnKind::Benchmark));
    errors
        .into_iter()
        .map(|error| (error.file, chain(error.reason)))
        .collect()
}

/// Whether a benchmark's id is one of ours: another edition of it would count as the newest.
fn is_ours(builtin: &Library, own: &OwnContent) -> bool {
    own.kind == OwnKind::Benchmark
        && Described::read(&own.content)
            .is_ok_and(|described| builtin.benchmark(&described.id, None).is_some())
}

fn is_built_in(builtin: &Library, described: &Described) -> bool {
    match described.kind {
        ContentKind::Check => builtin.check(&described.id).is_some(),
        ContentKind::Benchmark => builtin.benchmark(&described.id, None).is_some(),
    }
}

/// The documents of a YAML stream. A line of three hyphens ends a document even within a block of text (YAML 1.2,
/// section 9.1.4), so that no parser is needed to find it.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        let is_mark = line == "---" || line.starts_with("--- ");
        match documents.last_mut() {
            Some(last) if !is_mark => {
                last.push_str(line);
                last.push('\n');
            }
            // A document may begin behind its mark.
            _ => documents.push(line.trim_start_matches('-').trim_start().to_owned() + "\n"),
        }
    }
    let says_something = |document: &String| {
        let mut lines = document.lines().map(str::trim);
        lines.any(|line| !line.is_empty() && !line.starts_with('#'))
    };
    documents.retain(says_something);
    documents
}

fn fingerprint(own: &[OwnContent]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for one in own {
        (&one.name, one.kind.as_str(), one.enabled, &one.content).hash(&mut hasher);
    }
    hasher.finish()
}

fn kind(kind: ContentKind) -> OwnKind {
    match kind {
        ContentKind::Check => OwnKind::Check,
        ContentKind::Benchmark => OwnKind::Benchmark,
    }
}

fn stem(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".yaml").unwrap_or(name).to_owned()
}

fn fault_of(name: &str, fault: String) -> OwnFault {
    OwnFault {
        name: name.to_owned(),
        example: None,
        fault,
    }
}

/// An error with its causes, cut: an excerpt of a hostile file may be long.
fn chain(reason: seareeve_posture::Reason) -> String {
    let text = format!("{:#}", anyhow::Error::from(reason));
    text.chars().take(2_000).collect()
}

/// Keeps an upload, in the transaction of the request.
pub(crate) async fn keep(
    tx: &mut seareeve_store::Tx,
    brought: Vec<Brought>,
    known: &[OwnContent],
    author: &str,
    now: jiff::Timestamp,
) -> Result<(), StoreError> {
    for one in brought {
        let before = known.iter().find(|known| known.name == one.name);
        let own = OwnContent {
            name: one.name,
            kind: one.kind,
            title: one.title,
            content: one.content,
            enabled: true,
            author: author.to_owned(),
            created: before.map_or(now, |before| before.created),
            changed: now,
        };
        own_content::put(tx, &own).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_cut_into_documents() {
        let text = "# only a comment\n---\nid: a\n--- # b\nid: b\ntext: |\n  ---\n  more\n---\n\n";
        assert_eq!(
            documents(text),
            ["\nid: a\n", "# b\nid: b\ntext: |\n  ---\n  more\n"]
        );
        assert_eq!(documents("\n# nothing\n"), Vec::<String>::new());
    }
}

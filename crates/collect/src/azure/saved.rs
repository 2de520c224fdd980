//! Documents that somebody saved: replies of Resource Manager, exported templates, and what `az` prints.
//!
//! `az` prints many resources in a form of its own: what Resource Manager has under `properties` stands beside `name`,
//! and names are written as its own code spells them (`authorizedIpRanges`). Both forms come to the same documents here.
//! What is attached to a resource is found by its id or scope, wherever it lies.

mod shape;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_model::{Problem, ProblemCode};
use serde_json::Value;

use self::shape::Document;
use super::estate::{Cluster, Estate, Part, Registry, Subscription};
use super::id::ResourceId;

/// Bytes of one file, and of all files.
const MOST_BYTES: u64 = 64 << 20;
const MOST_ALL: u64 = 256 << 20;
/// Files of all folders.
const MOST_FILES: usize = 10_000;
/// Folders below each other.
const DEEPEST: usize = 16;

/// What saved documents come to.
#[derive(Debug, Default)]
pub struct Saved {
    /// What they say.
    pub estate: Estate,
    /// Files and documents that cannot be used.
    pub problems: Vec<Problem>,
}

/// Reads files and folders. What cannot be read or understood is a problem. Of files that are named themselves every one
/// has to be JSON, of those in folders each whose name ends with `.json`.
#[must_use]
pub fn saved(paths: &[Utf8PathBuf]) -> Saved {
    let mut reading = Reading::default();
    for path in paths {
        if path.is_dir() {
            reading.folder(path, DEEPEST);
        } else {
            reading.file(path);
        }
    }
    let source: Vec<&str> = paths.iter().map(|path| path.as_str()).take(5).collect();
    let estate = assemble(reading.documents, source.join(", "), &mut reading.problems);
    Saved {
        estate,
        problems: reading.problems,
    }
}

#[derive(Default)]
struct Reading {
    documents: Vec<Document>,
    problems: Vec<Problem>,
    bytes: u64,
    files: usize,
}

impl Reading {
    fn folder(&mut self, folder: &Utf8Path, depth: usize) {
        let entries = match folder.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) => return self.problem(folder, &error.to_string()),
        };
        let mut paths = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => paths.push(entry.into_path()),
                Err(error) => self.problem(folder, &error.to_string()),
            }
        }
        paths.sort();
        for path in paths {
            if self.files >= MOST_FILES {
                return self.problem(folder, "it holds more files than are read");
            }
            let is_link = path.is_symlink();
            if path.is_dir() && !is_link {
                match depth.checked_sub(1) {
                    Some(depth) => self.folder(&path, depth),
                    None => self.problem(&path, "it is too deep"),
                }
            } else if path.extension() == Some("json") {
                self.file(&path);
            }
        }
    }

    fn file(&mut self, path: &Utf8Path) {
        self.files = self.files.saturating_add(1);
        let bytes = match read(path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return self.problem(path, "it is too large"),
            Err(error) => return self.problem(path, &error.to_string()),
        };
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > MOST_ALL {
            return self.problem(path, "all files together are too large");
        }
        // What is wrong with a document could quote it.
        let value: Value = match serde_json::from_slice(&bytes) {
            Ok(value) => value,
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                let why = format!("it is no JSON (line {line}, column {column})");
                return self.problem(path, &why);
            }
        };
        let mut left_out = 0;
        shape::documents(value, &mut self.documents, &mut left_out);
        if left_out > 0 {
            let why = format!("{left_out} of its documents are of no kind that is known");
            self.problem(path, &why);
        }
    }

    fn problem(&mut self, path: &Utf8Path, why: &str) {
        let problem = Problem::new(ProblemCode::FileUnreadable, path.to_string(), why);
        self.problems.push(problem);
    }
}

fn read(path: &Utf8Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MOST_BYTES.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MOST_BYTES).then_some(bytes))
}

/// By subscription, and there by id.
fn assemble(documents: Vec<Document>, source: String, problems: &mut Vec<Problem>) -> Estate {
    let mut subscriptions: BTreeMap<String, Subscription> = BTreeMap::new();
    let (mut clusters, mut registries) = (BTreeMap::new(), BTreeMap::new());
    let (mut attached, mut roles) = (Vec::new(), BTreeMap::new());
    let within = |subscriptions: &mut BTreeMap<String, Subscription>, id: &ResourceId| {
        let found = id.within_subscription();
        // An exported template names no subscription.
        let id = found.or_else(|| ResourceId::subscription("template"));
        let key = id.as_ref().map(ResourceId::lower).unwrap_or_default();
        let entry = subscriptions.entry(key.clone()).or_default();
        if entry.document.is_null() {
            entry.document = serde_json::json!({"id": key});
        }
        key
    };
    for document in documents {
        match document {
            Document::Subscription(id, document) => {
                let key = within(&mut subscriptions, &id);
                if let Some(entry) = subscriptions.get_mut(&key) {
                    entry.document = document;
                }
            }
            Document::Cluster(id, document) => {
                within(&mut subscriptions, &id);
                clusters.insert(id.lower(), (id, cluster_of(document)));
            }
            Document::Registry(id, document) => {
                within(&mut subscriptions, &id);
                registries.insert(id.lower(), (id, registry_of(document)));
            }
            Document::Role(id, name) => {
                roles.insert(id, name);
            }
            Document::Plan(id, document) => {
                let key = match id {
                    Some(id) => within(&mut subscriptions, &id),
                    // `az security pricing list` of the one subscription.
                    None => String::new(),
                };
                attached.push((key, Attached::Plan, document));
            }
            Document::Policy(id, document) => {
                let key = within(&mut subscriptions, &id);
                attached.push((key, Attached::Policy, document));
            }
            Document::Vault(id, document) => {
                let key = within(&mut subscriptions, &id);
                attached.push((key, Attached::Vault, document));
            }
            Document::Diagnostics(owner, document) => {
                attached.push((owner.lower(), Attached::Diagnostics, document));
            }
            Document::Extension(owner, document) => {
                attached.push((owner.lower(), Attached::Extension, document));
            }
            Document::PrivateEndpoint(owner, document) => {
                attached.push((owner.lower(), Attached::PrivateEndpoint, document));
            }
            Document::Assignment(scope, document) => {
                attached.push((scope.lower(), Attached::Assignment, document));
            }
        }
    }
    let only = match subscriptions.len() {
        1 => subscriptions.keys().next().cloned(),
        _ => None,
    };
    let mut homeless = 0_usize;
    for (owner, kind, document) in attached {
        let owner = match (owner.is_empty(), &only) {
            (true, Some(only)) => only.clone(),
            _ => owner,
        };
        let subscription = subscriptions.get_mut(&owner);
        let cluster = clusters.get_mut(&owner).map(|(_, cluster)| cluster);
        let registry = registries.get_mut(&owner).map(|(_, registry)| registry);
        let part = match kind {
            Attached::Plan => subscription.map(|it| &mut it.plans),
            Attached::Policy => subscription.map(|it| &mut it.policies),
            Attached::Vault => subscription.map(|it| &mut it.vaults),
            Attached::Diagnostics => cluster.map(|it| &mut it.diagnostics),
            Attached::Extension => cluster.map(|it| &mut it.extensions),
            Attached::PrivateEndpoint => registry.map(|it| &mut it.private_endpoints),
            Attached::Assignment => {
                let document = named(document, &roles);
                // What is assigned to a group or a subscription holds for all that is in it.
                let clusters = clusters
                    .iter_mut()
                    .map(|(id, (_, it))| (id, &mut it.assignments));
                let registries = registries
                    .iter_mut()
                    .map(|(id, (_, it))| (id, &mut it.assignments));
                for (id, part) in clusters.chain(registries) {
                    let rest = id.strip_prefix(owner.as_str());
                    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                        put(part, document.clone());
                    }
                }
                continue;
            }
        };
        match part {
            Some(part) => put(part, document),
            None => homeless = homeless.saturating_add(1),
        }
    }
    if homeless > 0 {
        problems.push(Problem::new(
            ProblemCode::FileUnreadable,
            source.clone(),
            format!("{homeless} documents belong to resources whose own documents are not there"),
        ));
    }
    for (id, cluster) in clusters.into_values() {
        let key = within(&mut subscriptions, &id);
        if let Some(subscription) = subscriptions.get_mut(&key) {
            subscription.clusters.push(cluster);
        }
    }
    for (id, registry) in registries.into_values() {
        let key = within(&mut subscriptions, &id);
        if let Some(subscription) = subscriptions.get_mut(&key) {
            subscription.registries.push(registry);
        }
    }
    Estate {
        subscriptions: subscriptions.into_values().collect(),
        gap: None,
        source,
    }
}

#[derive(Clone, Copy)]
enum Attached {
    Plan,
    Policy,
    Vault,
    Diagnostics,
    Extension,
    PrivateEndpoint,
    Assignment,
}

fn put(part: &mut Part, document: Value) {
    let documents = part.documents.get_or_insert_default();
    // Replies for several resources have what holds for all of them.
    if !documents.contains(&document) {
        documents.push(document);
    }
}

/// An assignment whose role has a number only, with its name if the definitions were saved, too.
fn named(mut assignment: Value, roles: &BTreeMap<String, String>) -> Value {
    let name = assignment
        .get("role")
        .and_then(Value::as_str)
        .and_then(|role| roles.get(role));
    if let (Some(name), Some(fields)) = (name.cloned(), assignment.as_object_mut()) {
        fields.insert("role".to_owned(), name.into());
    }
    assignment
}

fn cluster_of(document: Value) -> Cluster {
    Cluster {
        document,
        ..Cluster::default()
    }
}

fn registry_of(document: Value) -> Registry {
    Registry {
        document,
        ..Registry::default()
    }
}

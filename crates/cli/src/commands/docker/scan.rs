//! `seareeve docker --scan-images`: the images of a machine's engines, scanned and told as facts (`image.scan`).

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;
use seareeve_image::{Endpoint, EngineImage, LayerCache, Options, Source};
use seareeve_model::{
    Collection, CollectionStatus, Fact, FactKind, Finding, FindingStatus, ImageReference,
    Inventory, SecretPlace, Severity, Snapshot,
};
use seareeve_scan::advisories::Database;
use seareeve_scan::ecosystems::JavaIndex;
use seareeve_scan::{Examined, Examiner, Scanner, match_inventory, purpose};
use seareeve_server::config::Config;
use serde_json::{Value, json};

use crate::args::DockerArgs;
use crate::commands::{db, java_index};
use crate::output::Messages;
use crate::surroundings::Surroundings;

/// Bytes that remembered layers may take on disk.
const CACHE_BYTES: u64 = 1 << 30;
/// Findings of one image that are told one by one.
const MOST_FINDINGS: usize = 5_000;
/// Secrets and files with setuid of one image that are told, and gaps.
const MOST_PLACES: usize = 1_000;
const MOST_GAPS: usize = 100;

/// All that scanning needs.
pub(super) struct Scanning {
    database: Arc<Database>,
    java: Option<JavaIndex>,
    examiner: Examiner,
    options: Options,
    now: Timestamp,
}

impl Scanning {
    /// Opens the database.
    ///
    /// # Errors
    /// When it cannot be used.
    pub(super) fn new(
        args: &DockerArgs,
        config: &Config,
        surroundings: &Surroundings,
        messages: &Messages,
    ) -> anyhow::Result<Self> {
        let examiner =
            Examiner::new(&[Scanner::Vulnerabilities, Scanner::Secrets, Scanner::Raising]);
        let cache = surroundings.layer_cache.as_ref().and_then(|folder| {
            let opened = LayerCache::open(folder, &examiner.version(), CACHE_BYTES);
            opened
                .map_err(|error| messages.note(format!("layers are not remembered: {error}")))
                .ok()
        });
        let defaults = Options::default();
        Ok(Self {
            database: db::open(args.db.as_deref(), config)?,
            java: java_index::open(None, config)?,
            options: Options {
                cache: cache.map(Arc::new),
                temporary: surroundings
                    .temporary
                    .clone()
                    .unwrap_or_else(|| defaults.temporary.clone()),
                ..defaults
            },
            examiner,
            now: surroundings.now(),
        })
    }

    /// Scans each image of the snapshot, and adds what was found. One that cannot be read is told, and the others are
    /// scanned.
    pub(super) fn add(&self, snapshot: &mut Snapshot, messages: &Messages) {
        let images = images(snapshot);
        let count = images.len();
        let mut items: BTreeMap<String, Fact> = BTreeMap::new();
        let mut failures: Vec<String> = Vec::new();
        for (number, image) in images.into_iter().enumerate() {
            if items.contains_key(&image.id) {
                continue;
            }
            messages.note(format!(
                "scanning image {} of {count}: {}",
                number.saturating_add(1),
                image.name
            ));
            match self.scan(&image, messages) {
                Ok(fact) => {
                    items.insert(image.id, fact);
                }
                Err(error) => failures.push(format!("{}: {error}", image.name)),
            }
        }
        let collection = Collection {
            status: match failures.is_empty() {
                true => CollectionStatus::Ok,
                // Those that were scanned count; the others have no fact.
                false => CollectionStatus::Error,
            },
            detail: (!failures.is_empty()).then(|| failures.join("; ")),
            source: format!("seareeve {}", env!("CARGO_PKG_VERSION")),
            items: items.into_values().collect(),
        };
        // Checks ask for the scan of one image: that of another one's failure keeps none from its verdict.
        let collection = match collection.items.is_empty() {
            true => collection,
            false => Collection {
                status: CollectionStatus::Ok,
                ..collection
            },
        };
        for failure in &failures {
            messages.note(format!("not scanned: {failure}"));
        }
        let kind = FactKind::new("image.scan").expect("the name is a constant of that form");
        snapshot.facts.insert(kind, collection);
    }

    fn scan(&self, image: &Image, messages: &Messages) -> Result<Fact, seareeve_image::ReadError> {
        let source = Source::Engine(EngineImage {
            endpoint: image.endpoint.clone(),
            name: image.id.clone(),
        });
        let bar = messages.bar();
        let progress = |progress: seareeve_image::Progress| {
            bar.show(
                image.name.clone(),
                progress.bytes_read,
                progress.bytes_total,
            );
            ControlFlow::Continue(())
        };
        let contents = seareeve_image::read(&source, &self.options, &self.examiner, &progress);
        bar.clear();
        let examined = self.examiner.examine(contents?, self.java.as_ref());
        let matches = match_inventory(&self.database, &examined.inventory);
        let problems = examined.inventory.problems.iter().chain(&matches.problems);
        let incomplete = problems.take(MOST_GAPS).map(ToString::to_string);
        let mut data = json!({
            "image": image.id,
            "names": image.names,
            "scanned": self.now.to_string(),
            "scanned_days": 0,
            "packages": packages(&examined.inventory),
            "secrets": secrets(&examined),
            "setuid": raising(&examined),
            "incomplete": incomplete.collect::<Vec<_>>(),
        });
        if let Some(data) = data.as_object_mut() {
            data.extend(vulnerabilities(&matches.findings, self.now));
        }
        Ok(Fact {
            id: image.id.clone(),
            name: image.name.clone(),
            data,
        })
    }
}

/// An image to scan.
struct Image {
    endpoint: Endpoint,
    id: String,
    name: String,
    names: Vec<String>,
}

/// Those that checks are about: all but what is left over.
fn images(snapshot: &Snapshot) -> Vec<Image> {
    let facts = snapshot.facts.iter();
    let facts = facts.filter(|(kind, _)| kind.as_str() == "docker.image");
    let facts = facts.flat_map(|(_, facts)| &facts.items);
    facts
        .filter_map(|fact| {
            let text = |name: &str| fact.data.get(name).and_then(Value::as_str);
            let list = |name: &str| fact.data.get(name).and_then(Value::as_array);
            let is_left = fact.data.get("dangling").and_then(Value::as_bool) == Some(true)
                && list("used_by").is_none_or(Vec::is_empty);
            let names = ["RepoTags", "RepoDigests"].map(|name| list(name).into_iter().flatten());
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            let names = names.map(|name| match name.parse::<ImageReference>() {
                Ok(reference) => reference.to_string(),
                Err(_odd) => name.to_owned(),
            });
            (!is_left).then_some(Image {
                endpoint: text("engine")?.parse().ok()?,
                id: text("Id")?.to_owned(),
                name: fact.name.clone(),
                names: names.collect(),
            })
        })
        .collect()
}

/// How many findings count, and the list of them.
fn vulnerabilities(findings: &[Vec<Finding>], now: Timestamp) -> serde_json::Map<String, Value> {
    let mut worst: BTreeMap<&str, &Finding> = BTreeMap::new();
    // A vulnerability in several packages is one, as grave as the gravest.
    let counting = findings.iter().flatten();
    for finding in counting.filter(|finding| finding.suppressed.is_none()) {
        let entry = worst
            .entry(finding.vulnerability.id.as_str())
            .or_insert(finding);
        if finding.severity > entry.severity {
            *entry = finding;
        }
    }
    let is_fixable = |finding: &Finding| finding.status == FindingStatus::Fixed;
    let mut counts = serde_json::Map::new();
    let mut fixable = serde_json::Map::new();
    let mut oldest = serde_json::Map::new();
    for severity in Severity::ALL {
        let of = || worst.values().filter(move |one| one.severity == severity);
        let name = severity.as_str().to_lowercase();
        counts.insert(name.clone(), json!(of().count()));
        let fixed = || of().filter(|one| is_fixable(one));
        fixable.insert(name.clone(), json!(fixed().count()));
        let published = fixed().filter_map(|one| one.vulnerability.published);
        if let Some(first) = published.min() {
            let days = now.duration_since(first).as_hours().div_euclid(24).max(0);
            oldest.insert(name, json!(days));
        }
    }
    counts.insert("fixable".to_owned(), Value::Object(fixable));
    counts.insert("fixable_oldest_days".to_owned(), Value::Object(oldest));
    let listed = worst.values().take(MOST_FINDINGS).map(|one| {
        json!({
            "id": one.vulnerability.id,
            "severity": one.severity.as_str().to_lowercase(),
            "fixable": is_fixable(one),
        })
    });
    let mut data = serde_json::Map::new();
    data.insert("findings".to_owned(), listed.collect());
    data.insert("vulnerabilities".to_owned(), Value::Object(counts));
    data
}

fn packages(inventory: &Inventory) -> Value {
    let names = inventory.packages.iter();
    let names = names.map(|installed| installed.package.name.as_str());
    let mut told = serde_json::Map::new();
    told.insert("count".to_owned(), json!(inventory.packages.len()));
    for (purpose, found) in purpose::sorted(names) {
        told.insert(purpose.to_owned(), json!(found));
    }
    Value::Object(told)
}

fn secrets(examined: &Examined) -> Vec<Value> {
    let layers = &examined.inventory.image.layers;
    let found = examined.secrets.iter().flatten().take(MOST_PLACES);
    found
        .map(|secret| {
            let (path, layer) = match &secret.place {
                SecretPlace::Configuration { field } => (format!("configuration: {field}"), None),
                SecretPlace::File { path, layer, .. } => {
                    let index = usize::try_from(*layer).ok();
                    (
                        format!("/{path}"),
                        index.and_then(|index| layers.get(index)),
                    )
                }
            };
            let layer = layer.map(|layer| layer.diff_id.to_string());
            json!({"kind": secret.title, "path": path, "layer": layer.unwrap_or_default()})
        })
        .collect()
}

fn raising(examined: &Examined) -> Vec<Value> {
    let name = |number: u64| match number {
        0 => "root".to_owned(),
        number => number.to_string(),
    };
    let found = examined.raising.iter().flatten().take(MOST_PLACES);
    found
        .map(|file| {
            // A program with setgid alone raises its group.
            let owner = match file.mode & 0o4000 {
                0 => format!("group {}", name(file.gid)),
                _ => name(file.uid),
            };
            let path = format!("/{}", file.path);
            json!({"path": path, "mode": format!("{:04o}", file.mode), "owner": owner})
        })
        .collect()
}

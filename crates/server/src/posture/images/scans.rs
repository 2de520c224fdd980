//! Stored scans as facts: `image.scan` of `docs/reference/facts.md`.

use jiff::Timestamp;
use seareeve_model::{Collection, DatabaseInfo, Fact, Severity};
use seareeve_scan::purpose;
use seareeve_store::AssetId;
use seareeve_store::image_uses::{self, ImageFacts};
use serde_json::{Map, Value, json};

use super::{MOST_FINDINGS, MOST_IMAGES};
use crate::posture::images::names::spellings;
use crate::state::App;

/// Names of one image that are told.
const MOST_NAMES: usize = 100;

/// What scans found in the images that an asset uses, one fact for each name that the asset has for one.
pub(super) async fn read(app: &App, asset: AssetId, now: Timestamp) -> anyhow::Result<Collection> {
    let prefixes: Vec<&str> = purpose::prefixes().collect();
    let found = image_uses::facts(&app.store, asset, &prefixes, MOST_IMAGES, MOST_FINDINGS).await?;
    let database = app.advisories.get().await.info();
    let making = move || {
        let mut items: Vec<Fact> = found
            .iter()
            .flat_map(|image| facts(image, &database, now))
            .collect();
        items.sort_by(|one, other| one.id.cmp(&other.id));
        Collection::of("the server's scans", items)
    };
    Ok(tokio::task::spawn_blocking(making).await?)
}

fn facts(image: &ImageFacts, database: &DatabaseInfo, now: Timestamp) -> Vec<Fact> {
    let data = data(image, database, now);
    let fact = |(identity, name): &(String, String)| {
        let mut names: Vec<String> = spellings(name);
        names.extend(image.references.iter().flat_map(|name| spellings(name)));
        names.sort_unstable();
        names.dedup();
        names.truncate(MOST_NAMES);
        let mut data = data.clone();
        data.insert("image".to_owned(), json!(identity));
        data.insert("names".to_owned(), json!(names));
        Fact {
            id: identity.clone(),
            name: name.clone(),
            data: Value::Object(data),
        }
    };
    image.named.iter().map(fact).collect()
}

fn data(image: &ImageFacts, database: &DatabaseInfo, now: Timestamp) -> Map<String, Value> {
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| {
        data.insert(name.to_owned(), value);
    };
    put("digest", json!(image.digest));
    if let Some(scanned) = image.scanned {
        put("scanned", json!(scanned.to_string()));
    }
    // What is in an image never changes: its packages are compared with each new database, without reading it again.
    let compared = image.scanned.unwrap_or(database.built).max(database.built);
    put("scanned_days", json!(days(compared, now)));
    put("advisories_days", json!(days(database.built, now)));
    put("packages", packages(image));
    if let Some(secrets) = &image.secrets {
        let secrets = secrets.iter();
        let secrets =
            secrets.map(|(kind, path, layer)| json!({"kind": kind, "path": path, "layer": layer}));
        put("secrets", secrets.collect());
    }
    if let Some(raising) = &image.raising {
        let name = |number: u64| match number {
            0 => "root".to_owned(),
            number => number.to_string(),
        };
        let raising = raising.iter().map(|file| {
            // A program with setgid alone raises its group.
            let owner = match file.mode & 0o4000 {
                0 => format!("group {}", name(file.gid)),
                _ => name(file.uid),
            };
            json!({"path": file.path, "mode": format!("{:04o}", file.mode), "owner": owner})
        });
        put("setuid", raising.collect());
    }
    put("incomplete", json!(image.problems));
    let (vulnerabilities, findings) = found(image, now);
    put("vulnerabilities", vulnerabilities);
    put("findings", findings);
    data
}

fn days(since: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(since).as_hours().div_euclid(24).max(0)
}

fn packages(image: &ImageFacts) -> Value {
    let mut told = Map::new();
    told.insert("count".to_owned(), json!(image.packages));
    let names = image.package_names.iter().map(String::as_str);
    for (purpose, found) in purpose::sorted(names) {
        told.insert(purpose.to_owned(), json!(found));
    }
    Value::Object(told)
}

/// How many findings count, and the list of them.
fn found(image: &ImageFacts, now: Timestamp) -> (Value, Value) {
    let (mut counts, mut fixable, mut oldest) = (Map::new(), Map::new(), Map::new());
    for severity in Severity::ALL {
        let of = || {
            let all = image.findings.iter();
            all.filter(move |found| found.severity == severity)
        };
        let fixed = || of().filter(|found| found.is_fixable);
        let name = severity.as_str().to_lowercase();
        counts.insert(name.clone(), json!(of().count()));
        fixable.insert(name.clone(), json!(fixed().count()));
        if let Some(first) = fixed().filter_map(|found| found.published).min() {
            oldest.insert(name, json!(days(first, now)));
        }
    }
    counts.insert("fixable".to_owned(), Value::Object(fixable));
    counts.insert("fixable_oldest_days".to_owned(), Value::Object(oldest));
    let listed = image.findings.iter().map(|found| {
        json!({
            "id": found.id,
            "severity": found.severity.as_str().to_lowercase(),
            "fixable": found.is_fixable,
        })
    });
    (Value::Object(counts), listed.collect())
}

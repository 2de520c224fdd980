//! The starter set: the advisories of `content/advisories`, built into the program, so that a machine without
//! a network gets a true first answer. Far from complete, and it says so ([`DatabaseKind::Starter`]).
//!
//! It is part of the program as a finished database, `starter.db`, which takes no time to open. [`build`] makes that file,
//! and a test says when it no longer holds what the content says.

use std::sync::{Arc, OnceLock};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use seareeve_model::DatabaseKind;

use crate::advisories::{BuildError, Builder, Database, OsvRecord};

/// The day of the newest fact, 2026-11-22, in seconds since 1970. To be moved on with every change of the
/// content.
const FACTS_FROM: i64 = 1_795_305_600;

static STARTER: &[u8] = include_bytes!("starter.db");

/// Why the starter set could not be built.
#[derive(Debug, thiserror::Error)]
pub enum StarterError {
    /// The folder or a file in it cannot be read.
    #[error("failed to read {path}")]
    File {
        /// Which.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not an OSV record in YAML.
    #[error("failed to read the advisory {file}")]
    Record {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// The records are no database.
    #[error("failed to build the starter set")]
    Build(#[from] BuildError),
    /// A record holds something that the database cannot use.
    #[error("the starter set has problems: {0}")]
    Problems(String),
}

/// The starter set.
///
/// # Panics
/// Never in a program whose tests passed: the file is part of the program.
#[must_use]
pub fn database() -> &'static Arc<Database> {
    static DATABASE: OnceLock<Arc<Database>> = OnceLock::new();
    DATABASE.get_or_init(|| {
        let database = Database::from_bytes(STARTER);
        Arc::new(database.expect("the file was read by the tests of this crate"))
    })
}

/// Builds the file of the advisories in `folder`. Their order does not matter: the builder sorts.
///
/// # Errors
/// When one of them cannot be read or used.
pub fn build(folder: &Utf8Path) -> Result<Vec<u8>, StarterError> {
    let built = Timestamp::from_second(FACTS_FROM).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut builder = Builder::new(DatabaseKind::Starter, built);
    for (file, content) in files(folder)? {
        let record: OsvRecord = serde_saphyr::from_slice(&content).map_err(|source| {
            let (file, source) = (file.clone(), Box::new(source));
            StarterError::Record { file, source }
        })?;
        builder.add_record(&file, record)?;
    }
    let (bytes, report) = builder.finish()?;
    if !report.problems.is_empty() {
        let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        return Err(StarterError::Problems(problems.join("; ")));
    }
    Ok(bytes)
}

/// Names and contents of the files in `folder`.
fn files(folder: &Utf8Path) -> Result<Vec<(String, Vec<u8>)>, StarterError> {
    let failed = |path: &Utf8Path| {
        let path = path.to_owned();
        move |source| StarterError::File { path, source }
    };
    let mut files = Vec::new();
    for entry in folder.read_dir_utf8().map_err(failed(folder))? {
        let entry = entry.map_err(failed(folder))?;
        let content = std::fs::read(entry.path()).map_err(failed(entry.path()))?;
        files.push((entry.file_name().to_owned(), content));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use seareeve_model::{Package, PackageKind, Purl, Severity, SourcePackage};
    use serde::Deserialize;

    use super::*;
    use crate::advisories::changed_names;
    use crate::match_package;

    /// What an advisory file must hold. Unlike [`OsvRecord`], which takes what the world writes.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Advisory {
        #[serde(rename = "schema_version")]
        _schema_version: String,
        id: String,
        #[serde(default, rename = "aliases")]
        _aliases: Vec<String>,
        #[serde(rename = "published")]
        _published: Timestamp,
        modified: Timestamp,
        summary: String,
        details: String,
        #[serde(rename = "severity")]
        _severity: Vec<serde_json::Value>,
        affected: Vec<Affected>,
        references: Vec<Reference>,
        database_specific: BTreeMap<String, bool>,
        examples: Examples,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Affected {
        package: Name,
        ranges: Vec<Range>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Name {
        ecosystem: String,
        name: String,
    }

    #[derive(Deserialize)]
    struct Range {
        #[serde(rename = "type")]
        kind: String,
        events: Vec<BTreeMap<String, String>>,
    }

    #[derive(Deserialize)]
    struct Reference {
        url: String,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Examples {
        fires: Vec<Example>,
        quiet: Vec<Example>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        ecosystem: String,
        name: String,
        version: String,
    }

    const CONTENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../content/advisories");

    #[test]
    fn the_file_holds_what_the_content_says() {
        // Not byte by byte: it is packed, and other versions of what packs it pack otherwise.
        let fresh = build(Utf8Path::new(CONTENT)).unwrap();
        let fresh = Database::from_bytes(fresh).unwrap();
        let kept = database();
        kept.verify().unwrap();
        let stale = "run `cargo xtask gen`";
        assert_eq!(changed_names(Some(&fresh), kept).unwrap(), [], "{stale}");
        let facts = |database: &Database| {
            let info = database.info();
            (info.kind, info.built, info.advisories, info.sources)
        };
        assert_eq!(facts(&fresh), facts(kept), "{stale}");
    }

    #[test]
    fn every_advisory_is_complete_and_its_examples_hold() {
        let database = database();
        let mut files = 0;
        for (file, content) in super::files(Utf8Path::new(CONTENT)).unwrap() {
            files += 1;
            let advisory: Advisory = serde_saphyr::from_slice(&content)
                .unwrap_or_else(|error| panic!("{file}: {error}"));
            assert_eq!(format!("{}.yaml", advisory.id), file);
            assert!(
                advisory.modified <= database.info().built,
                "{file} is newer than FACTS_FROM"
            );
            check_words(&file, &advisory);
            check_affected(&file, &advisory.affected);
            for example in &advisory.examples.fires {
                assert!(
                    fires(database, &advisory.id, example),
                    "{file}: {} stays quiet",
                    example.version
                );
            }
            for example in &advisory.examples.quiet {
                assert!(
                    !fires(database, &advisory.id, example),
                    "{file}: {} fires",
                    example.version
                );
            }
            let has_both =
                !advisory.examples.fires.is_empty() && !advisory.examples.quiet.is_empty();
            assert!(
                has_both,
                "{file} has no example that fires and one that stays quiet"
            );
        }
        assert!((140..=170).contains(&files), "{files} advisories");
        assert_eq!(database.info().advisories, files);
        assert_eq!(database.info().kind, DatabaseKind::Starter);
    }

    fn check_words(file: &str, advisory: &Advisory) {
        let (title, text) = (&advisory.summary, &advisory.details);
        assert!(
            title.len() <= 90 && !title.ends_with('.'),
            "{file}: title {title:?}"
        );
        let is_paragraph = text.len() >= 80 && !text.contains('\n') && text.ends_with('.');
        assert!(is_paragraph, "{file}: description {text:?}");
        let links = &advisory.references;
        assert!(
            (1..=3).contains(&links.len()),
            "{file}: {} references",
            links.len()
        );
        assert!(
            links.iter().all(|link| link.url.starts_with("https://")),
            "{file}"
        );
        let known = database().vulnerabilities(&advisory.id).unwrap();
        let [known] = known.as_slice() else {
            panic!("{file}: {} vulnerabilities", known.len());
        };
        assert_eq!(known.id, advisory.id);
        assert_eq!(
            known.known_exploited.is_some(),
            advisory.database_specific["known_exploited"],
            "{file}"
        );
        let rated = known.cvss.iter().all(|vector| vector.score > 0.0) && !known.cvss.is_empty();
        assert!(rated, "{file}: no severity vector that can be read");
    }

    fn check_affected(file: &str, affected: &[Affected]) {
        assert!(!affected.is_empty(), "{file}: nothing is affected");
        for Affected { package, ranges } in affected {
            let Name { ecosystem, name } = package;
            let (base, release) = ecosystem.split_once(':').unwrap_or((ecosystem, ""));
            let (is_known, kind) = match base {
                "Debian" => (release.parse::<u32>().is_ok(), "ECOSYSTEM"),
                "Ubuntu" => (release.ends_with(".04:LTS"), "ECOSYSTEM"),
                "Alpine" => (release.starts_with("v3."), "ECOSYSTEM"),
                "PyPI" => (
                    release.is_empty() && *name == name.to_lowercase(),
                    "ECOSYSTEM",
                ),
                "npm" => (release.is_empty(), "SEMVER"),
                _ => (false, ""),
            };
            assert!(is_known, "{file}: {ecosystem} {name}");
            for range in ranges {
                assert_eq!(range.kind, kind, "{file}: {ecosystem} {name}");
                let events: Vec<&str> = range
                    .events
                    .iter()
                    .flat_map(BTreeMap::keys)
                    .map(String::as_str)
                    .collect();
                assert_eq!(
                    events,
                    ["introduced", "fixed"],
                    "{file}: {ecosystem} {name}"
                );
            }
        }
    }

    fn fires(database: &Database, id: &str, example: &Example) -> bool {
        let Example {
            ecosystem,
            name,
            version,
        } = example;
        let kind = match ecosystem.split(':').next().unwrap() {
            "Debian" | "Ubuntu" => PackageKind::Deb,
            "Alpine" => PackageKind::Apk,
            "PyPI" => PackageKind::Pypi,
            "npm" => PackageKind::Npm,
            other => panic!("{id}: unknown ecosystem {other}"),
        };
        let source = SourcePackage {
            name: name.clone(),
            version: version.clone(),
        };
        let package = Package {
            kind,
            name: name.clone(),
            version: version.clone(),
            source: kind.is_operating_system().then_some(source),
            ecosystem: ecosystem.clone(),
            purl: Purl::new(kind.as_str(), "", name, version, &[]).unwrap(),
        };
        let (findings, problems) = match_package(database, &package);
        assert_eq!(problems, [], "{id}: {ecosystem} {name} {version}");
        let finding = findings
            .iter()
            .find(|finding| finding.vulnerability.id == id);
        if let Some(finding) = finding {
            assert!(
                finding.severity > Severity::Unknown && !finding.fixed_versions.is_empty(),
                "{id}"
            );
        }
        finding.is_some()
    }
}

//! What CISA's and FIRST's feeds add to a database.

use std::collections::BTreeSet;

use jiff::civil::date;
use seareeve_model::{DatabaseFeed, KnownExploited};

use super::*;
use crate::advisories::{Catalogue, FeedError, Scores};

const EXPLOITED: &str = r#"{"dateReleased": "2025-08-25T17:04:19.9796Z", "vulnerabilities": [
    {"cveID": "CVE-2020-1", "dateAdded": "2021-12-10", "dueDate": "2021-12-24", "knownRansomwareCampaignUse": "Known"},
    {"cveID": "CVE-2020-2", "dateAdded": "2022-01-01", "dueDate": "2022-02-01", "knownRansomwareCampaignUse": "Unknown"},
    {"cveID": "CVE-1999-9", "dateAdded": "2022-01-01", "dueDate": "2022-02-01", "knownRansomwareCampaignUse": "Unknown"}]}"#;

const SCORES: &str = "#model_version:v2025.03.14,score_date:2025-08-25T12:55:00Z\ncve,epss,percentile\n\
    CVE-2020-1,0.94358,0.99961\nCVE-2020-2,0.00042,0.05\nCVE-1999-9,0.1,0.2\n";

/// Gives a builder both feeds.
pub(super) fn set(builder: &mut Builder) {
    builder.set_known_exploited("kev", Catalogue::parse(EXPLOITED.as_bytes()).unwrap());
    builder.set_epss("epss", Scores::parse(SCORES.as_bytes()).unwrap());
}

fn records() -> Vec<Value> {
    let mut second = record("A-2", "b");
    second["aliases"] = json!(["CVE-2020-3", "CVE-2020-2"]);
    let mut first = record("A-1", "a");
    first["aliases"] = json!(["CVE-2020-1"]);
    vec![first, second, record("C-3", "c")]
}

fn with_feeds(exploited: &str, scores: &str) -> Database {
    let mut builder = Builder::new(DatabaseKind::Full, NOW);
    for record in records() {
        builder
            .add_json("test", record.to_string().as_bytes())
            .unwrap();
    }
    builder.set_known_exploited("kev", Catalogue::parse(exploited.as_bytes()).unwrap());
    builder.set_epss("epss", Scores::parse(scores.as_bytes()).unwrap());
    let (bytes, report) = builder.finish().unwrap();
    assert_eq!(report.problems, []);
    Database::from_bytes(bytes).unwrap()
}

#[test]
fn findings_say_what_the_feeds_say() {
    let database = with_feeds(EXPLOITED, SCORES);
    let info = database.info();
    let feed = |used| {
        Some(DatabaseFeed {
            date: date(2025, 8, 25),
            entries: 3,
            used,
        })
    };
    assert_eq!((info.known_exploited, info.epss), (feed(2), feed(2)));
    let found = match_package(&database, &package("a")).0.remove(0);
    assert_eq!(
        found.vulnerability.known_exploited,
        Some(KnownExploited {
            date_added: Some(date(2021, 12, 10)),
            due_date: Some(date(2021, 12, 24)),
            ransomware: true,
        })
    );
    let epss = found.vulnerability.epss.clone().unwrap();
    assert_eq!(
        (epss.score.get(), epss.percentile.get()),
        (0.94358, 0.99961)
    );
    assert_eq!(epss.date, date(2025, 8, 25));
    // Of two CVEs that one record has for aliases: what is said of one is not said of the other.
    let second = database.vulnerabilities("CVE-2020-2").unwrap().remove(0);
    assert!(!second.known_exploited.unwrap().ransomware);
    let epss = database.epss("A-2").unwrap();
    assert_eq!(epss, second.epss);
    assert_eq!(epss.unwrap().score.get(), 0.00042);
    let other = database.vulnerabilities("CVE-2020-3").unwrap().remove(0);
    assert_eq!((other.known_exploited, other.epss), (None, None));
    assert_eq!(database.vulnerabilities("A-2").unwrap().len(), 2);
    let third = database.vulnerabilities("C-3").unwrap().remove(0);
    assert_eq!((third.known_exploited, third.epss), (None, None));
    assert_eq!(database.epss("CVE-1999-9").unwrap(), None);
}

#[test]
fn the_catalogue_changes_packages_and_the_scores_do_not() {
    let old = with_feeds(EXPLOITED, SCORES);
    let names = |new: &Database| -> BTreeSet<String> {
        let changed = changed_names(Some(&old), new).unwrap();
        changed.into_iter().map(|(_, name)| name).collect()
    };
    let tomorrow = with_feeds(EXPLOITED, &SCORES.replace("0.94358", "0.1"));
    assert_eq!(names(&tomorrow), BTreeSet::new());
    assert_ne!(tomorrow.info().digest, old.info().digest);
    assert_eq!(
        tomorrow.epss("CVE-2020-1").unwrap().unwrap().score.get(),
        0.1
    );
    let known = with_feeds(&EXPLOITED.replace("Known\"", "Unknown\""), SCORES);
    assert_eq!(names(&known), BTreeSet::from(["a".to_owned()]));
}

#[test]
fn a_feed_that_is_none_is_told_and_the_rest_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let path = |name: &str, content: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let packed = {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(SCORES.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let out = folder.join("advisories.db");
    let mut sources = Sources {
        records: vec![path("one.json", records()[0].to_string().as_bytes())],
        known_exploited: Some(path("kev.json", b"<html>sign in</html>")),
        epss: Some(path("epss.csv.gz", &packed)),
    };
    let report = build(&sources, &out, NOW, &|_| {}).unwrap();
    let place = folder.file_name().unwrap();
    let problem = report.problems[0].to_string();
    assert!(
        problem.starts_with(&format!("{place}/kev.json: this is not CISA's catalogue")),
        "{problem}"
    );
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.info.epss.unwrap().used, 1);
    assert_eq!(report.info.known_exploited, None);

    sources.known_exploited = Some(folder.join("gone.json"));
    assert!(matches!(
        build(&sources, &out, NOW, &|_| {}),
        Err(BuildError::Input { .. })
    ));
    // Cut in the middle.
    sources.known_exploited = None;
    sources.epss = Some(path("cut.csv.gz", &packed[..packed.len() / 2]));
    let report = build(&sources, &out, NOW, &|_| {}).unwrap();
    assert!(report.problems[0].message.starts_with("failed to read: "));
}

#[test]
fn the_real_catalogue_is_read_whole() {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = std::env::var("SEAREEVE_SHARED").unwrap_or_else(|_| default.to_owned());
    let file = Utf8Path::new(&shared).join("data/kev/known_exploited_vulnerabilities.json");
    let Ok(json) = fs::read(&file) else {
        let required = std::env::var("SEAREEVE_REQUIRE_SHARED").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "shared data is required, and {file} is not there"
        );
        #[expect(clippy::print_stdout, reason = "a test that did not run says so")]
        {
            println!("NOT RUN: shared data is not at {file}");
        }
        return;
    };
    let catalogue = Catalogue::parse(&json).unwrap();
    assert_eq!(catalogue.unreadable, 0);
    let mut builder = Builder::new(DatabaseKind::Full, NOW);
    let mut log4j = record("A-1", "a");
    log4j["aliases"] = json!(["CVE-2021-44228"]);
    builder
        .add_json("test", log4j.to_string().as_bytes())
        .unwrap();
    builder.set_known_exploited("kev", catalogue);
    let (bytes, report) = builder.finish().unwrap();
    let feed = report.info.known_exploited.unwrap();
    assert!(feed.entries >= 1_404 && feed.used == 1);
    let database = Database::from_bytes(bytes).unwrap();
    let known = database.vulnerabilities("A-1").unwrap().remove(0);
    let known = known.known_exploited.unwrap();
    assert_eq!(known.date_added, Some(date(2021, 12, 10)));
    assert!(known.ransomware);
    // The other feed is no catalogue.
    let error = Catalogue::parse(SCORES.as_bytes()).unwrap_err();
    assert!(matches!(error, FeedError::Format { .. }));
}

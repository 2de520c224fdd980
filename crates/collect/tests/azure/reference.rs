//! `docs/reference/facts-azure.md` says what the collector gives.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{fake, label, read};

/// The fields that the page names below the heading of each kind.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/facts-azure.md"
    );
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut kind = String::new();
    for line in std::fs::read_to_string(file).unwrap().lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            heading.clone_into(&mut kind);
            found.entry(kind.clone()).or_default();
        }
        let cell = line
            .strip_prefix("| ")
            .and_then(|rest| rest.split('|').next());
        for name in cell.unwrap_or_default().split(',') {
            let name = name.trim().trim_matches('`');
            if !name.is_empty() && name != "Field" && !kind.is_empty() {
                found.get_mut(&kind).unwrap().insert(name.to_owned());
            }
        }
    }
    found
}

#[test]
fn the_page_names_every_kind_and_field() {
    let documented = documented();
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for snapshot in read(&fake()).snapshots(&label()) {
        for (kind, facts) in &snapshot.facts {
            let fields = given.entry(kind.to_string()).or_default();
            for fact in &facts.items {
                fields.extend(fact.data.as_object().unwrap().keys().cloned());
            }
        }
    }
    // Nothing was refused.
    let refused = ["action", "status", "detail"].map(str::to_owned);
    given.get_mut("azure.access").unwrap().extend(refused);
    assert_eq!(given, documented);
}

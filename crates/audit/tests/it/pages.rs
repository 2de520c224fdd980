//! Generated pages of the reference. `SEAREEVE_REWRITE=1` writes them anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use seareeve_audit::AuditSource;
use seareeve_detect::{ArgumentInfo, Kind, Shape, Source as _};
use seareeve_model::AlertSeverity;

use crate::support::builtin;

fn is_current(page: &str, text: &str) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("../../docs/reference").join(page);
    if std::env::var_os("SEAREEVE_REWRITE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "docs/reference/{page} is out of date: run this test with SEAREEVE_REWRITE=1"
    );
}

#[test]
fn the_page_of_fields_is_current() {
    let mut page = include_str!("pages/fields-audit.md").to_owned();
    let families: &[(&str, &str)] = &[
        ("kube.", "Ours"),
        ("ka.", "Falco's `k8saudit`"),
        ("jevt.", "Falco's `json`"),
        ("json.", "The same by their other names"),
        ("evt.", "Falco's own"),
    ];
    for (start, title) in families {
        writeln!(page, "\n## {title}\n\n| Field | Values | |\n|---|---|---|").unwrap();
        let source = AuditSource;
        let mut fields: Vec<_> = source
            .fields()
            .iter()
            .filter(|field| field.name.starts_with(start))
            .collect();
        fields.sort_by(|one, other| one.name.cmp(&other.name));
        for field in fields {
            let brackets = match field.argument {
                ArgumentInfo::None => "",
                ArgumentInfo::Optional => "[…]?",
                ArgumentInfo::Required => "[…]",
            };
            let kind = match field.kind {
                Kind::Text => "text",
                Kind::Path => "path",
                Kind::Bool => "yes or no",
                Kind::Unsigned | Kind::Signed | Kind::Double => "number",
                Kind::Time => "time",
                Kind::Duration => "duration",
                Kind::Address | Kind::Network => "address",
            };
            let shape = match field.shape {
                Shape::One => "",
                Shape::List => ", list",
                Shape::Any | Shape::Either => ", any of several",
            };
            let about = field.about.replace('|', "\\|");
            writeln!(
                page,
                "| `{}{brackets}` | {kind}{shape} | {about} |",
                field.name
            )
            .unwrap();
        }
    }
    is_current("fields-audit.md", &page);
}

#[test]
fn the_page_of_detections_is_current() {
    let engine = builtin();
    let mut page = include_str!("pages/detections-audit.md").to_owned();
    let mut by_severity: BTreeMap<AlertSeverity, Vec<_>> = BTreeMap::new();
    for rule in engine.rules() {
        by_severity.entry(rule.severity).or_default().push(rule);
    }
    for (severity, mut rules) in by_severity.into_iter().rev() {
        writeln!(
            page,
            "\n## {}\n\n| Detection | Tells of | ATT&CK | Others call it |\n|---|---|---|---|",
            capital(severity.as_str())
        )
        .unwrap();
        rules.sort_by(|one, other| one.id.cmp(&other.id));
        for rule in rules {
            let editions = rule
                .severities
                .iter()
                .map(|(year, severity)| format!("{year}: {severity}"));
            let editions: Vec<String> = editions.collect();
            let others = match (rule.aliases.is_empty(), editions.is_empty()) {
                (true, _) => String::new(),
                (false, true) => rule.aliases.join(", "),
                (false, false) => format!("{} ({})", rule.aliases.join(", "), editions.join(", ")),
            };
            writeln!(
                page,
                "| `{}` | {} | {} | {others} |",
                rule.id,
                rule.name,
                rule.techniques.join(", ")
            )
            .unwrap();
        }
    }
    is_current("detections-audit.md", &page);
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

//! What is built in: every list, every macro and every detection can be used and does what its examples say.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use seareeve_detect::{Content, Diagnostic, Loader, Options, run_examples};

use crate::support::{event, sources};

#[test]
fn detections_about_hosts_do_what_their_examples_say() {
    let mut loader = Loader::new(sources(), Options::default());
    loader.content(&Content::builtin());
    let loaded = loader.finish();
    // Those of other sources are tested where these are.
    let wrong: Vec<String> = loaded
        .diagnostics
        .iter()
        .filter(|found| found.code.as_str() != "LOAD_UNKNOWN_SOURCE")
        .filter(|found| !found.file.starts_with("detections/audit/"))
        .map(Diagnostic::to_string)
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
    let engine = Arc::new(loaded.engine);
    let faults: Vec<String> =
        run_examples(&engine, "syscall", |fields| Ok(Box::new(event(fields))))
            .into_iter()
            .filter_map(|result| Some(format!("{}: {}: {}", result.id, result.name, result.fault?)))
            .collect();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn every_file_of_the_folders_is_built_in() {
    let content = Content::builtin();
    let built: BTreeSet<&str> = [&content.lists, &content.macros, &content.detections]
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content");
    let mut found = BTreeSet::new();
    for folder in ["lists", "macros", "detections"] {
        walk(&root.join(folder), folder, &mut found);
    }
    assert_eq!(built, found.iter().map(String::as_str).collect());
    // A folder of detections is one source's.
    for (name, text) in &content.detections {
        let folder = name.split('/').nth(1).unwrap();
        let source = match folder {
            "host" => "syscall",
            "audit" => "k8s_audit",
            other => panic!("{other} is no source"),
        };
        assert!(text.contains(&format!("\nsource: {source}\n")), "{name}");
    }
}

fn walk(folder: &Path, name: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), &name, found);
        } else {
            found.insert(name);
        }
    }
}

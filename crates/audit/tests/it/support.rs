//! What the tests share: shared data, engines, and events one after the other.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::sync::Arc;

use seareeve_audit::{AuditSource, Record, SOURCE, State, unpack};
use seareeve_detect::{Content, Detector, Engine, Loader, Options};
use seareeve_model::Alert;

/// A file of the shared data; `None`, said aloud, where there is none.
#[expect(clippy::print_stderr, reason = "what is left out is said")]
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SEAREEVE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let file = root.join("data").join(path);
    if file.exists() {
        return Some(file);
    }
    assert_ne!(
        std::env::var("SEAREEVE_REQUIRE_SHARED").as_deref(),
        Ok("1"),
        "{} is missing",
        file.display()
    );
    eprintln!("left out: {} is missing", file.display());
    None
}

/// Our detections as they lie in the tree, without a word of complaint.
pub(crate) fn builtin() -> Arc<Engine> {
    let content = Content {
        lists: files("lists"),
        macros: vec![read("macros", "k8s_audit.yaml")],
        detections: files("detections/audit"),
    };
    let mut loader = Loader::new(vec![Arc::new(AuditSource)], Options::default());
    loader.content(&content);
    let loaded = loader.finish();
    let words: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert!(words.is_empty(), "{}", words.join("\n"));
    Arc::new(loaded.engine)
}

fn content(folder: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("../../content").join(folder)
}

fn read(folder: &str, name: &str) -> (String, String) {
    let text = std::fs::read_to_string(content(folder).join(name)).unwrap();
    (format!("{folder}/{name}"), text)
}

fn files(folder: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(content(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".yaml")).collect();
    names.sort();
    names.iter().map(|name| read(folder, name)).collect()
}

/// A cluster's state and a detector, and what they were shown.
pub(crate) struct Watch {
    state: State,
    detector: Detector,
}

impl Watch {
    pub(crate) fn new(engine: &Arc<Engine>) -> Self {
        Self {
            state: State::default(),
            detector: Detector::new(Arc::clone(engine)),
        }
    }

    /// What the detector remembers, as it is saved.
    pub(crate) fn memory(&self) -> Vec<u8> {
        self.detector.save().unwrap()
    }

    /// The alerts of everything in a document.
    pub(crate) fn see(&mut self, document: &[u8]) -> Vec<Alert> {
        let mut alerts = Vec::new();
        unpack(document, &mut |found| {
            let seareeve_audit::Found::Event(event) = found else {
                return;
            };
            let Ok(record) = Record::read(&event) else {
                return;
            };
            if let Some(event) = self.state.observe(record) {
                alerts.extend(self.detector.see(SOURCE, &event));
            }
        });
        alerts
    }
}

/// The lines of a recording.
pub(crate) fn lines(name: &str) -> Option<impl Iterator<Item = Vec<u8>> + use<>> {
    let file = shared(&format!("audit/{name}.zst"))?;
    let file = std::fs::File::open(file).unwrap();
    let mut reader = zstd::Decoder::new(file).unwrap();
    reader.window_log_max(31).unwrap();
    Some(BufReader::new(reader).split(b'\n').map(Result::unwrap))
}

/// What the recording says of each event: by scenario and id.
pub(crate) fn labels() -> Option<HashMap<(String, String), String>> {
    let lines = lines("labels.tsv")?;
    let labels = lines.skip(1).filter_map(|line| {
        let line = String::from_utf8(line).unwrap();
        let mut columns = line.split('\t');
        let (id, scenario, label) = (columns.next()?, columns.next()?, columns.next()?);
        Some(((scenario.to_owned(), id.to_owned()), label.to_owned()))
    });
    Some(labels.collect())
}

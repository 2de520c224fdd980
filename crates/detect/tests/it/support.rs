//! What the tests share: rules about flat events, and what they say.

use std::path::PathBuf;
use std::sync::Arc;

use seareeve_detect::sources::{FlatEvent, FlatSource};
use seareeve_detect::{Detector, Diagnostic, Loaded, Loader, Options, Source};
use seareeve_model::Alert;
use serde_json::{Map, Value};

/// The source of all tests here.
pub(crate) fn sources() -> Vec<Arc<dyn Source>> {
    vec![Arc::new(FlatSource::syscall())]
}

/// Loads files by name and text.
pub(crate) fn load(files: &[(&str, &str)]) -> Loaded {
    load_with(files, Options::default())
}

pub(crate) fn load_with(files: &[(&str, &str)], options: Options) -> Loaded {
    let mut loader = Loader::new(sources(), options);
    for (name, text) in files {
        loader.file(name, text);
    }
    loader.finish()
}

/// A file of one rule with this condition.
pub(crate) fn rule(condition: &str) -> String {
    let condition = condition.replace('\'', "''");
    format!(
        "- rule: r\n  desc: d\n  condition: '{condition}'\n  output: o\n  priority: INFO\n  warn_evttypes: false\n"
    )
}

/// The errors of a load, as people see them.
pub(crate) fn errors(loaded: &Loaded) -> Vec<String> {
    let errors = loaded
        .diagnostics
        .iter()
        .filter(|found| found.code.is_error());
    errors.map(Diagnostic::to_string).collect()
}

/// The names of everything that is wrong or odd.
pub(crate) fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded
        .diagnostics
        .iter()
        .map(|found| found.code.as_str())
        .collect()
}

pub(crate) fn event(fields: &Value) -> FlatEvent {
    FlatEvent::new(fields.as_object().cloned().unwrap_or_else(Map::new))
}

/// A detector of rules that load without an error.
pub(crate) fn detector(files: &[(&str, &str)]) -> Detector {
    let loaded = load(files);
    assert_eq!(errors(&loaded), Vec::<String>::new());
    Detector::new(Arc::new(loaded.engine))
}

/// Whether a condition holds of an event.
pub(crate) fn holds(condition: &str, fields: &Value) -> bool {
    let mut detector = detector(&[("rules.yaml", &rule(condition))]);
    !detector.see("syscall", &event(fields)).is_empty()
}

/// What a detector says of events, one after the other.
pub(crate) fn see(detector: &mut Detector, events: &[Value]) -> Vec<Alert> {
    let events = events.iter();
    events
        .flat_map(|fields| detector.see("syscall", &event(fields)))
        .collect()
}

/// A file of the shared data; nothing where there is none, which CI does not accept.
pub(crate) fn shared(path: &str) -> Option<String> {
    let folder = std::env::var_os("SEAREEVE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    match std::fs::read_to_string(folder.join("data").join(path)) {
        Ok(text) => Some(text),
        Err(error) => {
            let is_required =
                std::env::var("SEAREEVE_REQUIRE_SHARED").is_ok_and(|value| value == "1");
            assert!(!is_required, "{path}: {error}");
            None
        }
    }
}

//! Secrets in the configuration of an image: environment, labels, commands, and the history of its building,
//! which keeps build arguments for everyone who can pull. Fields: OCI image specification, `config.md`; Docker
//! adds `Healthcheck`, `OnBuild`, `Shell` and `container_config`.

use seareeve_model::SecretPlace;
use serde_json::Value;

use super::{Detector, Secrets};

/// Fields looked at in one configuration. Real ones have a few hundred.
const MOST_FIELDS: usize = 20_000;
/// Longest name of a variable or label that is shown.
const LONGEST_NAME: usize = 64;

/// The configuration is no JSON. The fault of who made the image; nothing was checked. The parser's own message
/// is left out, because it may quote what it read.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to look for secrets in the configuration: it is no JSON at line {line}, column {column}"
)]
pub struct ConfigurationError {
    line: usize,
    column: usize,
}

impl Detector {
    /// Looks for secrets in the raw configuration of an image.
    ///
    /// # Errors
    /// When it is not JSON. `serde_json` bounds its nesting.
    pub fn configuration(&self, json: &[u8]) -> Result<Secrets, ConfigurationError> {
        let config: Value = serde_json::from_slice(json).map_err(|error| ConfigurationError {
            line: error.line(),
            column: error.column(),
        })?;
        let mut reading = Reading {
            detector: self,
            secrets: Secrets::default(),
            fields: 0,
        };
        reading.config("config", config.get("config"));
        reading.config("container_config", config.get("container_config"));
        for (index, step) in items(config.get("history")) {
            reading.field(&format!("history[{index}]"), step.get("created_by"));
            reading.field(&format!("history[{index}].comment"), step.get("comment"));
        }
        reading.secrets.findings.sort_unstable();
        Ok(reading.secrets)
    }
}

struct Reading<'d> {
    detector: &'d Detector,
    secrets: Secrets,
    fields: usize,
}

impl Reading<'_> {
    fn config(&mut self, at: &str, config: Option<&Value>) {
        let Some(config) = config else {
            return;
        };
        for (index, variable) in items(config.get("Env")) {
            let text = variable.as_str().unwrap_or_default();
            let (name, _) = text.split_once('=').unwrap_or_default();
            self.named(&format!("{at}.Env[{index}]"), name, text);
        }
        let labels = config.get("Labels").and_then(Value::as_object);
        for (index, (name, value)) in labels.into_iter().flatten().enumerate() {
            let text = format!("{name}={}", value.as_str().unwrap_or_default());
            self.named(&format!("{at}.Labels[{index}]"), name, &text);
        }
        for list in ["Entrypoint", "Cmd", "Shell", "OnBuild"] {
            self.command(&format!("{at}.{list}"), config.get(list));
        }
        let test = config
            .get("Healthcheck")
            .and_then(|check| check.get("Test"));
        self.command(&format!("{at}.Healthcheck.Test"), test);
    }

    /// A command is searched as one text, because a secret is often told by the word before it.
    fn command(&mut self, at: &str, words: Option<&Value>) {
        let words: Vec<&str> = items(words).filter_map(|(_, word)| word.as_str()).collect();
        self.text(at, &words.join(" "));
    }

    /// A variable or label: its name is shown, unless the secret is in the name.
    fn named(&mut self, at: &str, name: &str, text: &str) {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
        let shown = !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(is_plain);
        let in_name = |secrets: &Secrets| {
            secrets
                .findings
                .iter()
                .any(|finding| (finding.column as usize) <= name.len())
        };
        let place = SecretPlace::Configuration {
            field: at.to_owned(),
        };
        let named = SecretPlace::Configuration {
            field: format!("{at} {name}"),
        };
        if self.is_full() {
            return;
        }
        let mut found = self.detector.scan_text(&named, text.as_bytes());
        if !shown || in_name(&found) {
            for finding in &mut found.findings {
                finding.place = place.clone();
            }
        }
        self.add(found);
    }

    fn field(&mut self, at: &str, text: Option<&Value>) {
        self.text(at, text.and_then(Value::as_str).unwrap_or_default());
    }

    fn text(&mut self, at: &str, text: &str) {
        if text.is_empty() || self.is_full() {
            return;
        }
        let place = SecretPlace::Configuration {
            field: at.to_owned(),
        };
        let found = self.detector.scan_text(&place, text.as_bytes());
        self.add(found);
    }

    fn is_full(&mut self) -> bool {
        self.fields += 1;
        let full = self.fields > MOST_FIELDS;
        if full {
            self.secrets.more = self.secrets.more.saturating_add(1);
        }
        full
    }

    fn add(&mut self, mut found: Secrets) {
        self.secrets.findings.append(&mut found.findings);
        self.secrets.more = self.secrets.more.saturating_add(found.more);
    }
}

/// The items of a list with their indexes; a text that stands where a list should is its only item.
fn items(list: Option<&Value>) -> impl Iterator<Item = (usize, &Value)> {
    let items = match list {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one @ Value::String(_)) => std::slice::from_ref(one),
        _ => &[],
    };
    items.iter().enumerate()
}

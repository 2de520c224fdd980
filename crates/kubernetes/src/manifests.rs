//! Manifests: from the bytes of a file to objects. Each document stands for itself; what is wrong with one is said,
//! and the others are read.

use seareeve_model::{Problem, ProblemCode};
use serde::Deserialize as _;
use serde_json::Value;

use crate::json::{Slim, text};
use crate::object::{NotRead, Object, Origin};

/// Most documents of one file.
const MAX_DOCUMENTS: usize = 50_000;

/// Most problems that are told of one file. Something that is no manifest at all would have one for each line.
const MAX_TROUBLES: usize = 1_000;

/// What a file holds.
#[derive(Debug, Default)]
pub struct Documents {
    /// What facts are made from.
    pub objects: Vec<Object>,
    /// Objects of kinds that no facts are made from.
    pub others: Vec<Other>,
    /// What could not be read.
    pub troubles: Vec<Trouble>,
}

/// An object of a kind that no facts are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Where it stands.
    pub origin: Origin,
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its `kind`.
    pub kind: String,
    /// `""` where it says none.
    pub namespace: String,
    /// `""` where it says none.
    pub name: String,
}

/// What could not be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The document; its `line` is where the fault is, if that is known, else where the document begins.
    pub origin: Origin,
    /// A sentence without a full stop.
    pub message: String,
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        let Origin { file, index, line } = trouble.origin;
        let place = format!("{file}:{line} (document {index})");
        Self::new(ProblemCode::FileUnreadable, place, trouble.message)
    }
}

/// Reads a file of YAML or JSON documents, as people write it, or Helm, Kustomize or kubectl.
#[must_use]
pub fn documents(file: &str, content: &[u8]) -> Documents {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut reader = Reader {
        file,
        next: 0,
        found: Documents::default(),
    };
    let is_json = content.trim_ascii_start().first() == Some(&b'{');
    let yaml = if is_json {
        reader.json(content)
    } else {
        Some(0)
    };
    let Some((before, content)) = yaml.and_then(|offset| content.split_at_checked(offset)) else {
        return reader.found;
    };
    for (number, mut part) in split(content).into_iter().enumerate() {
        part.line = part.line.saturating_add(newlines(before));
        if number >= MAX_DOCUMENTS {
            reader.trouble(
                part.line,
                format!("the file has more than {MAX_DOCUMENTS} documents: the rest was not read"),
            );
            break;
        }
        reader.yaml(&part);
    }
    reader.found
}

/// The value in a file of one YAML or JSON document, such as a kubelet's configuration.
///
/// # Errors
/// What is wrong with it, for people.
pub fn value(content: &[u8]) -> Result<Value, String> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let text = std::str::from_utf8(content).map_err(|error| error.to_string())?;
    let Slim(value) = parse(text).map_err(|error| error.to_string())?;
    Ok(value.unwrap_or_default())
}

/// One document of a file.
struct Part<'c> {
    content: &'c [u8],
    line: u64,
}

struct Reader<'f> {
    file: &'f str,
    next: usize,
    found: Documents,
}

impl Reader<'_> {
    fn origin(&self, line: u64) -> Origin {
        Origin {
            file: self.file.to_owned(),
            index: self.next,
            line,
        }
    }

    fn trouble(&mut self, line: u64, message: impl Into<String>) {
        let mut message: String = message.into();
        match self.found.troubles.len() {
            MAX_TROUBLES.. => return,
            count if count.saturating_add(1) == MAX_TROUBLES => {
                message = "there is more that could not be read".to_owned();
            }
            _ => {}
        }
        let origin = self.origin(line);
        self.found.troubles.push(Trouble { origin, message });
    }

    /// JSON documents, one after the other; from where on it is YAML, if it is: braces begin YAML, too, and marks of YAML
    /// may stand between documents of JSON.
    fn json(&mut self, content: &[u8]) -> Option<usize> {
        let mut stream = serde_json::Deserializer::from_slice(content).into_iter::<Slim>();
        let mut line = Lines::default();
        loop {
            let offset = stream.byte_offset();
            let at = line.of(content, offset);
            match stream.next() {
                None => return None,
                Some(Ok(Slim(value))) => self.take(value, at),
                Some(Err(error)) => {
                    let rest = content.get(offset..).unwrap_or_default();
                    let is_first = self.next == 0 && self.found.troubles.is_empty();
                    if is_first || rest.trim_ascii_start().starts_with(b"---") {
                        return Some(offset);
                    }
                    let line = u64::try_from(error.line()).unwrap_or(at);
                    self.trouble(line, format!("it is no JSON from here on: {error}"));
                    return None;
                }
            }
        }
    }

    fn yaml(&mut self, part: &Part<'_>) {
        let text = match std::str::from_utf8(part.content) {
            Ok(text) => text,
            Err(error) => {
                let good = part.content.get(..error.valid_up_to()).unwrap_or_default();
                let line = part.line.saturating_add(newlines(good));
                self.trouble(line, "it is no text in UTF-8");
                self.next = self.next.saturating_add(1);
                return;
            }
        };
        match parse(text) {
            Ok(Slim(value)) => self.take(value, part.line),
            Err(error) => {
                let within = error
                    .location()
                    .map_or(1, |location| location.line())
                    .max(1);
                let line = part.line.saturating_add(within.saturating_sub(1));
                self.trouble(line, fault(&error));
                self.next = self.next.saturating_add(1);
            }
        }
    }

    /// Takes a document in: an object, a list of them or of lists, or nothing. It is no deeper than its text may be.
    fn take(&mut self, value: Option<Value>, line: u64) {
        let Some(mut value) = value else {
            return;
        };
        let kind = text(&value, "/kind").unwrap_or_default();
        let Some(of) = kind.strip_suffix("List").map(str::to_owned) else {
            self.object(value, line);
            return;
        };
        let version = text(&value, "/apiVersion").unwrap_or_default().to_owned();
        let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) else {
            self.object(value, line);
            return;
        };
        for mut item in items {
            // The items of a `PodList` do not say that they are pods.
            if let Some(item) = item.as_object_mut()
                && !of.is_empty()
            {
                item.entry("kind").or_insert_with(|| of.clone().into());
                item.entry("apiVersion")
                    .or_insert_with(|| version.clone().into());
            }
            self.take(Some(item), line);
        }
    }

    fn object(&mut self, value: Value, line: u64) {
        match Object::read(value, Some(self.origin(line))) {
            Ok(object) => self.found.objects.push(object),
            Err(NotRead::UnknownKind {
                api_version,
                kind,
                namespace,
                name,
            }) => {
                let origin = self.origin(line);
                self.found.others.push(Other {
                    origin,
                    api_version,
                    kind,
                    namespace,
                    name,
                });
            }
            Err(error @ NotRead::NoObject(_)) => self.trouble(line, error.to_string()),
        }
        self.next = self.next.saturating_add(1);
    }
}

/// Reads YAML as kubectl does: with the truth values and octal numbers of YAML 1.1, by which `privileged: yes` is
/// true. Aliases are allowed, but not as many as make a small text large.
fn parse(text: &str) -> Result<Slim, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 8_000_000,
            max_nodes: 4_000_000,
            max_depth: 64,
            flow_nesting_limit: 64,
            max_aliases: 5_000,
            max_anchors: 5_000,
            max_documents: 1,
            max_total_scalar_bytes: 128 << 20,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
            max_replay_stack_depth: 16,
            max_alias_expansions_per_anchor: 5_000,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        legacy_octal_numbers: true,
        with_snippet: false,
    };
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |document| {
        Slim::deserialize(document)
    })
}

fn fault(error: &serde_saphyr::Error) -> String {
    match error {
        serde_saphyr::Error::Budget { .. } => {
            "it has more levels, aliases or entries than any manifest has".to_owned()
        }
        other => {
            let text = other.to_string();
            // The place is within the document, and told apart.
            let text = text
                .rsplit_once(" at line ")
                .map_or(text.as_str(), |(what, _)| what);
            let text: String = text.chars().take(300).collect();
            format!("it is no YAML: {text}")
        }
    }
}

/// The documents between lines that begin with `---`, or end with `...`. What is only comments is none.
fn split(content: &[u8]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut start_line = 1;
    let mut offset: usize = 0;
    let mut number: u64 = 0;
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        number = number.saturating_add(1);
        let is_mark = |mark: &[u8]| {
            line.strip_prefix(mark)
                .is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
        };
        if is_mark(b"---") || is_mark(b"...") {
            parts.push(Part {
                content: content.get(start..offset).unwrap_or_default(),
                line: start_line,
            });
            // What stands on the line of the mark belongs to the document: nearly always a comment.
            start = offset.saturating_add(3);
            start_line = number;
        }
        offset = offset.saturating_add(line.len());
        if parts.len() > MAX_DOCUMENTS.saturating_mul(4) {
            break;
        }
    }
    parts.push(Part {
        content: content.get(start..).unwrap_or_default(),
        line: start_line,
    });
    parts.retain(|part| {
        let mut lines = part.content.split(|byte| *byte == b'\n');
        lines.any(|line| {
            let line = line.trim_ascii();
            !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"%")
        })
    });
    parts
}

/// Counts lines while going through a text.
#[derive(Default)]
struct Lines {
    offset: usize,
    line: u64,
}

impl Lines {
    fn of(&mut self, content: &[u8], offset: usize) -> u64 {
        let more = content.get(self.offset..offset).unwrap_or_default();
        self.line = self.line.saturating_add(newlines(more));
        self.offset = offset.max(self.offset);
        // A document begins behind the white space after the one before.
        let rest = content.get(self.offset..).unwrap_or_default();
        let white = rest.len().saturating_sub(rest.trim_ascii_start().len());
        let white = rest.get(..white).unwrap_or_default();
        self.line.saturating_add(newlines(white)).saturating_add(1)
    }
}

fn newlines(content: &[u8]) -> u64 {
    let count = content.iter().filter(|byte| **byte == b'\n').count();
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

//! Files → an engine: what rules, detections and lists say, checked, resolved and compiled.

mod behaviour;
mod compile;
mod ids;
mod info;
mod macros;
mod refusal;
mod templates;
mod tuning;

use std::collections::BTreeMap;
use std::sync::Arc;

use seareeve_model::{AlertSeverity, Priority};

use crate::content::Content;
use crate::detection::{read_detection, read_list};
use crate::engine::{Engine, Matching};
use crate::rules::{Book, Code, Diagnostic, FileId, MOST_BYTES, Spot, read_document};
use crate::source::Source;
use crate::yaml::{self, Node};

pub use tuning::{NamedList, TunedException, TunedList, TunedValue, Tuning};

/// How files are loaded.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What becomes of rules that name a field which no source has.
    pub unknown_fields: UnknownFields,
    /// Rules that are less urgent are off.
    pub least_priority: Option<Priority>,
    /// Whether rules are asked after one has raised an alert.
    pub matching: Matching,
    /// Rules with one of these ids, names or tags are off.
    pub off: Vec<String>,
    /// Rules with one of these ids, names or tags are on, whatever else is said.
    pub on: Vec<String>,
}

/// What becomes of rules that name a field which no source has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// They are errors.
    #[default]
    Error,
    /// They are left out, with a warning.
    Disable,
}

/// Takes files one after the other, and makes an engine of them. Later files may change what earlier ones say.
pub struct Loader {
    sources: Vec<Arc<dyn Source>>,
    options: Options,
    book: Book,
    severities: BTreeMap<String, AlertSeverity>,
}

/// An engine, and what was wrong with its files.
#[derive(Debug)]
pub struct Loaded {
    /// With all rules that could be used.
    pub engine: Engine,
    /// What is wrong or odd, by file and line.
    pub diagnostics: Vec<Diagnostic>,
}

impl Loader {
    /// A loader of rules about these sources.
    #[must_use]
    pub fn new(sources: Vec<Arc<dyn Source>>, options: Options) -> Self {
        Self {
            sources,
            options,
            book: Book::default(),
            severities: BTreeMap::new(),
        }
    }

    /// Adds what is built in.
    pub fn content(&mut self, content: &Content) {
        for (name, text) in &content.lists {
            self.file(name, text);
        }
        for (name, text) in &content.macros {
            self.shared(name, text);
        }
        for (name, text) in &content.detections {
            self.file(name, text);
        }
    }

    /// Adds a file: a list of ours, a detection, or rules of Falco's, by what is in it.
    pub fn file(&mut self, name: &str, text: &str) {
        let Some((file, documents)) = self.parsed(name, text) else {
            return;
        };
        let (label, read) = match documents.as_slice() {
            [node] if node.get("items").is_some() && node.get("list").is_none() => {
                ("list", read_list(&mut self.book, file, node))
            }
            [node] if node.pairs().is_some() => (
                "detection",
                read_detection(&mut self.book, file, node, text),
            ),
            documents => {
                for document in documents {
                    read_document(&mut self.book, file, document, &self.sources, false);
                }
                return;
            }
        };
        if let Err(fault) = read {
            self.book.note(fault.code, fault.spot, label, fault.message);
        }
    }

    /// The documents of a file. That it is none that can be read is noted.
    fn parsed(&mut self, name: &str, text: &str) -> Option<(FileId, Vec<Node>)> {
        let file = self.book.files.add(name, text);
        let mut spot = Spot {
            file,
            ..Spot::default()
        };
        if text.len() > MOST_BYTES {
            let message = format!("{} bytes, of which {MOST_BYTES} are allowed", text.len());
            self.book.note(Code::Limit, spot, "", message);
            return None;
        }
        match yaml::parse(text) {
            Ok(documents) => Some((file, documents)),
            Err(error) => {
                spot.at = error.at;
                self.book.note(Code::YamlParse, spot, "", error.message);
                None
            }
        }
    }

    /// Adds items to a list that was loaded, of whatever length: what stands in files of others is not put into YAML
    /// first. Says whether there is such a list and room for them.
    pub fn extend(&mut self, list: &str, items: &[String]) -> bool {
        self.book.extend_list(list, items)
    }

    /// Adds macros and lists that are there for others to use, or not to.
    fn shared(&mut self, name: &str, text: &str) {
        if let Some((file, documents)) = self.parsed(name, text) {
            for document in &documents {
                read_document(&mut self.book, file, document, &self.sources, true);
            }
        }
    }

    /// Notes a file that could not be read.
    pub fn unreadable(&mut self, name: &str, why: &str) {
        let file = self.book.files.add(name, "");
        let spot = Spot {
            file,
            ..Spot::default()
        };
        self.book.note(Code::FileRead, spot, "", why);
    }

    /// The engine of all files so far.
    #[must_use]
    pub fn finish(self) -> Loaded {
        let mut loaded = compile::compile(self.book, &self.sources, &self.options);
        tuning::weigh(&mut loaded.engine, &self.severities);
        loaded
    }
}

impl Loaded {
    /// Whether something is left out for being wrong.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|found| found.code.is_error())
    }
}

//! Files → an engine: what rules, detections and lists say, checked, resolved and compiled.

mod behaviour;
mod compile;
mod info;
mod macros;
mod refusal;
mod templates;

use std::sync::Arc;

use seareeve_model::Priority;

use crate::content::Content;
use crate::detection::{read_detection, read_list};
use crate::engine::{Engine, Matching};
use crate::rules::{Book, Code, Diagnostic, MOST_BYTES, Spot, read_document, read_file};
use crate::source::Source;
use crate::yaml;

/// How files are loaded.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What becomes of rules that name a field which no source has.
    pub unknown_fields: UnknownFields,
    /// Rules that are less urgent are off.
    pub least_priority: Option<Priority>,
    /// Whether rules are asked after one has matched.
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
        let documents = if text.len() > MOST_BYTES {
            Vec::new()
        } else {
            yaml::parse(text).unwrap_or_default()
        };
        let [node] = documents.as_slice() else {
            read_file(&mut self.book, name, text, &self.sources);
            return;
        };
        let is_list = node.get("items").is_some() && node.get("list").is_none();
        if node.pairs().is_none() {
            read_file(&mut self.book, name, text, &self.sources);
            return;
        }
        let file = self.book.files.add(name, text);
        let (label, read) = if is_list {
            ("list", read_list(&mut self.book, file, node))
        } else {
            (
                "detection",
                read_detection(&mut self.book, file, node, text),
            )
        };
        if let Err(fault) = read {
            self.book.note(fault.code, fault.spot, label, fault.message);
        }
    }

    /// Adds items to a list that was loaded, of whatever length: what stands in files of others is not put into YAML
    /// first. Says whether there is such a list and room for them.
    pub fn extend(&mut self, list: &str, items: &[String]) -> bool {
        self.book.extend_list(list, items)
    }

    /// Adds macros and lists that are there for others to use, or not to.
    fn shared(&mut self, name: &str, text: &str) {
        let file = self.book.files.add(name, text);
        match yaml::parse(text) {
            Ok(documents) => {
                for document in &documents {
                    read_document(&mut self.book, file, document, &self.sources, true);
                }
            }
            Err(error) => {
                let spot = Spot { file, at: error.at };
                self.book.note(Code::YamlParse, spot, "", error.message);
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
        compile::compile(self.book, &self.sources, &self.options)
    }
}

impl Loaded {
    /// Whether something is left out for being wrong.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|found| found.code.is_error())
    }
}

//! Finds credentials that an image carries: in its files, while they pass, and in its configuration. Reports of
//! which kind and where, never what: no type of this module that outlives the search holds a byte of a secret.
//!
//! The rules are data, one file each in `content/secrets`; what a rule needs beyond a regular expression has a
//! name in `checks.rs`. `keywords.rs` finds the few places at which a rule can apply, `search.rs` applies it
//! there. Regular expressions are compiled when their keyword is first seen, run in linear time, and only within
//! a window around it.

mod assignment;
mod checks;
mod configuration;
mod inspector;
mod keywords;
mod paths;
mod placeholders;
mod rule;
mod search;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use rust_embed::Embed;
use seareeve_image::{FileFacts, Inspector};
use seareeve_model::{ImagePath, SecretFinding, SecretPlace};
use serde::de::DeserializeOwned;

pub use configuration::ConfigurationError;
pub use rule::{Rule, RuleError};

use inspector::{Extract, SecretInspector};
use keywords::{Keyword, Keywords};
use paths::{Set, Territories, Territory};
use placeholders::Placeholders;
use rule::Scope;
use search::{Hits, Search};

#[derive(Embed)]
#[folder = "../../content/secrets"]
struct Content;

/// The rules, ready for any number of texts at once.
pub struct Detector {
    /// Sorted by id; a hit names its rule by the index.
    rules: Vec<Rule>,
    /// Which rules are for which files only.
    files: Set,
    territories: Territories,
    placeholders: Placeholders,
    /// One for each [`Scope`].
    keywords: [OnceLock<Keywords>; 3],
}

/// Secrets of one file or text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// In the order of their places.
    pub findings: Vec<SecretFinding>,
    /// How many more there are at least: one text has so many told one by one.
    pub more: u32,
}

/// The detector with the rules of the house, made at the first call.
///
/// # Panics
/// Never in a program whose tests passed: the rules are part of the program.
#[must_use]
pub fn detector() -> &'static Detector {
    static DETECTOR: OnceLock<Detector> = OnceLock::new();
    DETECTOR.get_or_init(|| {
        let (detector, errors) = Detector::with_rules(std::iter::empty());
        debug_assert!(errors.is_empty());
        detector
    })
}

impl Detector {
    /// A detector with the rules of the house and those of a user, given as names and contents of files. A rule
    /// of a user replaces that of the house with the same id. What is wrong with a rule is returned, and the
    /// others are used.
    ///
    /// # Panics
    /// As [`detector`].
    pub fn with_rules<'a>(
        files: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> (Self, Vec<RuleError>) {
        let mut rules = BTreeMap::new();
        let mut errors = Vec::new();
        for file in Content::iter().filter(|file| !file.contains('/')) {
            let content =
                Content::get(&file).unwrap_or_else(|| unreachable!("{file} was just listed"));
            match Rule::read(&file, without_examples(&content.data)) {
                Ok(rule) => _ = rules.insert(rule.id.clone(), rule),
                Err(error) => errors.push(error),
            }
        }
        for (file, content) in files {
            // Those of the house are compiled when needed, and by the tests.
            let checked = Rule::read(file, content).and_then(|rule| rule.compile().map(|()| rule));
            match checked {
                Ok(rule) => _ = rules.insert(rule.id.clone(), rule),
                Err(error) => errors.push(error),
            }
        }
        let mut rules: Vec<Rule> = rules.into_values().collect();
        rules.truncate(usize::from(u16::MAX));
        let numbered = rules.iter().zip(0..);
        let files = numbered.filter_map(|(rule, number)| Some((number, rule.files.as_ref()?)));
        let detector = Self {
            files: Set::new(files),
            rules,
            territories: Territories::new(list("paths")),
            placeholders: Placeholders::new(list("placeholders")),
            keywords: Default::default(),
        };
        (detector, errors)
    }

    /// The rules, sorted by id.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Who looks for secrets in the file at `path`; `None` where nobody does.
    #[must_use]
    pub fn inspector(&self, path: &ImagePath, file: FileFacts) -> Option<Box<dyn Inspector + '_>> {
        if file.size == 0 {
            return None;
        }
        let scope = match self.territories.of(path) {
            Territory::PassedOver => return None,
            Territory::Packaged => Scope::Anywhere,
            Territory::Own => Scope::OwnFiles,
        };
        let mut whole = Vec::new();
        self.files.each(path, |rule| whole.push(rule));
        let search = Search::new(self, self.keywords(scope), whole);
        Some(Box::new(SecretInspector::new(search, file.size)))
    }

    /// What an inspector of ours found in the file at `place`. `None` for bytes that are not from one.
    #[must_use]
    pub fn decode(&self, place: &SecretPlace, extract: &[u8]) -> Option<Secrets> {
        let extract: Extract = postcard::from_bytes(extract).ok()?;
        Some(self.secrets(place, extract))
    }

    /// Looks for secrets in a text that stands at `place`.
    #[must_use]
    pub fn scan_text(&self, place: &SecretPlace, text: &[u8]) -> Secrets {
        let scope = match place {
            SecretPlace::Configuration { .. } => Scope::Configuration,
            SecretPlace::File { .. } => Scope::OwnFiles,
        };
        self.secrets(place, Extract::from(&self.search(scope).text(text)))
    }

    fn search(&self, scope: Scope) -> Search<'_> {
        Search::new(self, self.keywords(scope), Vec::new())
    }

    /// The keywords of the rules for texts of this scope, put together when first needed.
    fn keywords(&self, scope: Scope) -> &Keywords {
        let [anywhere, own, configuration] = &self.keywords;
        let keywords = match scope {
            Scope::Anywhere => anywhere,
            Scope::OwnFiles => own,
            Scope::Configuration => configuration,
        };
        keywords.get_or_init(|| {
            // Rules for certain files search them as a whole.
            let rules = self.rules.iter().zip(0..);
            let used = rules.filter(|(rule, _)| rule.files.is_none() && rule.scope <= scope);
            Keywords::new(used.flat_map(|(rule, number)| {
                rule.keywords.iter().map(move |word| Keyword {
                    text: word.as_bytes(),
                    ignores_case: rule.ignores_case,
                    rule: number,
                })
            }))
        })
    }

    fn secrets(&self, place: &SecretPlace, extract: Extract) -> Secrets {
        let finding = |(rule, line, column): (u16, u32, u32)| {
            let rule = self.rules.get(usize::from(rule))?;
            Some(SecretFinding {
                place: place.clone(),
                line,
                column,
                rule: rule.id.clone(),
                title: rule.title.clone(),
                provider: rule.provider.clone(),
                severity: rule.severity,
                confidence: rule.confidence,
            })
        };
        let mut findings: Vec<SecretFinding> =
            extract.hits.into_iter().filter_map(finding).collect();
        findings.sort_unstable();
        Secrets {
            findings,
            more: extract.more,
        }
    }
}

impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector")
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

impl From<&Hits> for Extract {
    fn from(found: &Hits) -> Self {
        Self {
            hits: found
                .hits
                .iter()
                .map(|hit| (hit.rule, hit.line, hit.column))
                .collect(),
            more: found.more,
        }
    }
}

/// A rule of the house without its examples, its last and longest part: reading them all would be most of what a
/// start costs.
fn without_examples(content: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(content, b"\nexamples:\n").unwrap_or(content.len());
    content.get(..end).unwrap_or(content)
}

/// Reads a list of the house.
fn list<T: DeserializeOwned>(name: &str) -> T {
    let file =
        Content::get(&format!("lists/{name}.yaml")).expect("the list is part of the program");
    serde_saphyr::from_slice(&file.data).expect("the list was checked by the tests of this module")
}

//! A rule: one file of `content/secrets`, or of a user's own folder, and the same ready for use.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};
use seareeve_model::{Confidence, Severity};
use serde::{Deserialize, Deserializer, de};

use super::checks::{Candidate, Check, entropy};
use super::keywords;
use super::paths::Patterns;
use super::placeholders::Placeholders;

/// The most bytes that a window may have on each side of a keyword: what a search carries from piece to piece.
pub(super) const MOST_BEFORE: usize = 1024;
pub(super) const MOST_AFTER: usize = 16 * 1024;

/// Memory for one compiled expression, and for its automaton while it runs.
const MOST_REGEX_BYTES: usize = 1 << 20;

/// Why a rule cannot be used. The fault of who wrote it.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// It is not YAML, or a field is missing, unknown or of the wrong type; the source says which.
    #[error("failed to read the rule {file}")]
    Format {
        /// The rule's file.
        file: String,
        /// Why, with line and column.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// A field has a value that makes no sense.
    #[error("failed to use the rule {file}: {field} {why}")]
    Field {
        /// The rule's file.
        file: String,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A field is no regular expression, or one that takes too much memory.
    #[error("failed to use the rule {file}: {field} is no usable regular expression")]
    Regex {
        /// The rule's file.
        file: String,
        /// The field.
        field: &'static str,
        /// Why.
        #[source]
        source: Box<regex::Error>,
    },
}

/// Which texts a rule is for.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Scope {
    /// All of them: the form says enough.
    #[default]
    Anywhere,
    /// Not what package managers brought: there it would find tests, documentation and code.
    OwnFiles,
    /// The image's configuration only.
    Configuration,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    id: String,
    title: String,
    provider: String,
    #[serde(deserialize_with = "severity")]
    severity: Severity,
    #[serde(deserialize_with = "confidence")]
    confidence: Confidence,
    #[serde(default, rename = "where")]
    scope: Scope,
    #[serde(default)]
    files: Option<Patterns>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    before: usize,
    #[serde(default = "after")]
    after: usize,
    regex: String,
    #[serde(default)]
    check: Option<Check>,
    #[serde(default)]
    entropy: f64,
    #[serde(default)]
    placeholders: PlaceholderUse,
    #[serde(default)]
    allow: Vec<String>,
    remediation: String,
    /// For the tests.
    #[serde(default, rename = "examples")]
    _examples: Option<de::IgnoredAny>,
}

/// Whether the list of placeholders is asked.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum PlaceholderUse {
    #[default]
    Refused,
    /// For keys whose encoding repeats characters, and where a checksum says more.
    Ignored,
}

fn after() -> usize {
    512
}

fn severity<'de, D: Deserializer<'de>>(from: D) -> Result<Severity, D::Error> {
    String::deserialize(from)?
        .parse()
        .map_err(de::Error::custom)
}

fn confidence<'de, D: Deserializer<'de>>(from: D) -> Result<Confidence, D::Error> {
    let text = String::deserialize(from)?;
    Confidence::parse(&text).ok_or_else(|| de::Error::custom("confidence is low, medium or high"))
}

/// What people are told of a rule, and what the search needs of it.
pub struct Rule {
    /// Kebab-case, stable.
    pub id: String,
    /// What it finds, in a few words.
    pub title: String,
    /// Who issues such secrets.
    pub provider: String,
    /// What the loss of one would mean.
    pub severity: Severity,
    /// How sure the rule can be.
    pub confidence: Confidence,
    /// What to do with a secret that was found.
    pub remediation: String,
    pub(super) scope: Scope,
    pub(super) files: Option<Patterns>,
    pub(super) keywords: Vec<String>,
    pub(super) ignores_case: bool,
    pub(super) before: usize,
    pub(super) after: usize,
    pattern: String,
    check: Option<Check>,
    least_entropy: f64,
    placeholders: PlaceholderUse,
    allowed: Vec<String>,
    /// Compiled when its keyword is first seen: most rules never are.
    compiled: OnceLock<Option<Compiled>>,
}

/// A rule's expressions.
pub(super) struct Compiled {
    pub(super) regex: Regex,
    /// The group that is the secret.
    pub(super) secret: usize,
    allowed: Vec<Regex>,
}

impl Rule {
    /// Reads a rule. `file` is its name, which has to be its id with `.yaml`.
    pub(super) fn read(file: &str, content: &[u8]) -> Result<Self, RuleError> {
        let rule: RuleFile = serde_saphyr::from_slice(content).map_err(|source| {
            let (file, source) = (file.to_owned(), Box::new(source));
            RuleError::Format { file, source }
        })?;
        let wrong = |field, why: &str| {
            let (file, why) = (file.to_owned(), why.to_owned());
            Err(RuleError::Field { file, field, why })
        };
        let is_kebab =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if rule.id.is_empty() || !rule.id.bytes().all(is_kebab) {
            return wrong("id", "is not kebab-case");
        }
        if file.strip_suffix(".yaml") != Some(&rule.id) {
            return wrong("id", "differs from the file's name");
        }
        if rule.title.is_empty() {
            return wrong("title", "is empty");
        }
        if rule
            .keywords
            .iter()
            .any(|word| word.len() < keywords::SHORTEST)
        {
            return wrong("keywords", "have less than 3 bytes");
        }
        if rule.keywords.is_empty() && rule.files.is_none() {
            return wrong("keywords", "are missing, and no files are named");
        }
        if rule.before > MOST_BEFORE {
            return wrong("before", "is more than 1024 bytes");
        }
        if rule.after > MOST_AFTER {
            return wrong("after", "is more than 16384 bytes");
        }
        Ok(Self {
            id: rule.id,
            title: rule.title,
            provider: rule.provider,
            severity: rule.severity,
            confidence: rule.confidence,
            remediation: rule.remediation,
            scope: rule.scope,
            files: rule.files,
            keywords: rule.keywords,
            ignores_case: rule.ignore_case,
            before: rule.before,
            after: rule.after,
            pattern: rule.regex,
            check: rule.check,
            least_entropy: rule.entropy,
            placeholders: rule.placeholders,
            allowed: rule.allow,
            compiled: OnceLock::new(),
        })
    }

    /// Compiles the expressions now, so that what is wrong with them is said.
    pub(super) fn compile(&self) -> Result<(), RuleError> {
        let file = || format!("{}.yaml", self.id);
        let compile = |field, pattern: &String| {
            build(pattern).map_err(|source| {
                let (file, source) = (file(), Box::new(source));
                RuleError::Regex {
                    file,
                    field,
                    source,
                }
            })
        };
        let regex = compile("regex", &self.pattern)?;
        let Some(secret) = group(&regex) else {
            let (file, why) = (file(), "has no group named secret".to_owned());
            return Err(RuleError::Field {
                file,
                field: "regex",
                why,
            });
        };
        let allowed = self.allowed.iter().map(|pattern| compile("allow", pattern));
        let allowed = allowed.collect::<Result<_, _>>()?;
        let _already = self.compiled.set(Some(Compiled {
            regex,
            secret,
            allowed,
        }));
        Ok(())
    }

    /// The compiled expressions. `None` for a rule that [`Rule::compile`] would refuse.
    pub(super) fn compiled(&self) -> Option<&Compiled> {
        let compile = || {
            let regex = build(&self.pattern).ok()?;
            let secret = group(&regex)?;
            let allowed = self.allowed.iter().map(|pattern| build(pattern).ok());
            let allowed = allowed.collect::<Option<_>>()?;
            Some(Compiled {
                regex,
                secret,
                allowed,
            })
        };
        self.compiled.get_or_init(compile).as_ref()
    }

    /// Whether what the expression found is a secret.
    pub(super) fn accepts(&self, candidate: Candidate<'_>, placeholders: &Placeholders) -> bool {
        let secret = candidate.secret;
        let refused = match self.placeholders {
            PlaceholderUse::Refused => placeholders.is_placeholder(secret),
            PlaceholderUse::Ignored => false,
        };
        let Some(compiled) = self.compiled() else {
            return false;
        };
        !refused
            && (self.least_entropy <= 0.0 || entropy(secret) >= self.least_entropy)
            && !compiled.allowed.iter().any(|regex| regex.is_match(secret))
            && self
                .check
                .is_none_or(|check| check.passes(candidate, placeholders))
    }
}

/// Bytes, not characters: what is searched may have any encoding, and credentials are ASCII.
fn build(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .size_limit(MOST_REGEX_BYTES)
        .dfa_size_limit(MOST_REGEX_BYTES)
        .build()
}

fn group(regex: &Regex) -> Option<usize> {
    regex
        .capture_names()
        .position(|name| name == Some("secret"))
}

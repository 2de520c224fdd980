//! A check: one file of `content/checks` or of a user's folder, compiled.
//!
//! Checks of users are hostile until compiled: their size, nesting and steps are limited, and there is nothing in the
//! language that reaches out.

mod file;

use std::collections::BTreeMap;

use seareeve_cel::{CompileError, Environment, Limits, Program};
use seareeve_model::{FactKind, Severity};
use serde_json::{Map, Value};

pub use self::file::Fix;
use self::file::{Absent, CheckFile};
use crate::functions;
use crate::text::{Text, TextError};
use crate::verdict::Outcome;
use crate::views;

/// Bytes of a file at most.
const MOST_BYTES: usize = 64 * 1024;
/// Examples of a check at most: each is judged.
const MOST_EXAMPLES: usize = 200;
/// Of each expression.
const LIMITS: Limits = Limits {
    text_bytes: 8 * 1024,
    depth: 64,
    nodes: 2_048,
};

/// A check, ready to judge.
#[derive(Debug)]
pub struct Check {
    id: String,
    title: String,
    severity: Severity,
    on: FactKind,
    needs: Vec<Need>,
    of: Option<Program>,
    when: Option<Program>,
    unless: Option<String>,
    untold: Option<Program>,
    takes: Option<String>,
    params: Map<String, Value>,
    wants_params: bool,
    standards_only: bool,
    parts: Vec<(String, Program)>,
    fail: Option<Condition>,
    review: Option<Condition>,
    absent: Outcome,
    message: Text,
    actual: Option<Text>,
    expected: Text,
    expected_text: String,
    why: String,
    fix: Fix,
    command: Option<Text>,
    mode: Option<Text>,
    owner: Option<Text>,
    refs: Vec<String>,
    techniques: Vec<String>,
    examples: Vec<Example>,
    /// All names that its expressions may use.
    environment: Environment,
}

/// Another fact that a check reads.
#[derive(Debug)]
pub(crate) struct Need {
    pub(crate) name: String,
    pub(crate) kind: FactKind,
    /// A list of all of them, rather than the one that belongs to the object.
    pub(crate) is_list: bool,
    pub(crate) is_optional: bool,
}

/// What is found fault with.
#[derive(Debug)]
pub(crate) enum Condition {
    /// A list of things.
    For(Program),
    /// The object itself, or not.
    If(Program),
}

/// What a check says of a made-up object.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) name: String,
    pub(crate) it: Value,
    pub(crate) needs: BTreeMap<String, Value>,
    pub(crate) params: Map<String, Value>,
    pub(crate) now: jiff::Timestamp,
    pub(crate) expect: Outcome,
    pub(crate) items: Option<usize>,
    pub(crate) message: Option<String>,
}

/// Why a check cannot be used. The fault of who wrote it.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The file is larger than any check has to be.
    #[error("{0} bytes, of which {MOST_BYTES} are allowed")]
    Large(usize),
    /// It is not YAML, or a field is missing, unknown or of the wrong type.
    #[error("not a check")]
    Format(#[source] Box<serde_saphyr::Error>),
    /// A field has a value that makes no sense.
    #[error("`{field}`: {why}")]
    Field {
        /// Which one.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// An expression cannot be compiled.
    #[error("`{field}` is no usable expression")]
    Expression {
        /// Which one.
        field: String,
        /// Where and why.
        #[source]
        source: Box<CompileError>,
    },
}

impl Check {
    /// Reads and compiles a check.
    ///
    /// # Errors
    /// When it is no check, too large, or an expression of it cannot be used.
    pub fn parse(yaml: &str) -> Result<Self, CheckError> {
        if yaml.len() > MOST_BYTES {
            return Err(CheckError::Large(yaml.len()));
        }
        let file: CheckFile =
            serde_saphyr::from_str(yaml).map_err(|error| CheckError::Format(Box::new(error)))?;
        compile(file)
    }

    /// Its name, stable over versions.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What holds when it passes, in a few words.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// How bad it is when it does not hold.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The kind of fact that it judges.
    #[must_use]
    pub fn on(&self) -> &FactKind {
        &self.on
    }

    /// All kinds of facts that it reads.
    pub fn reads(&self) -> impl Iterator<Item = &FactKind> {
        std::iter::once(&self.on).chain(self.needs.iter().map(|need| &need.kind))
    }

    /// Its parameters and their defaults.
    #[must_use]
    pub fn params(&self) -> &Map<String, Value> {
        &self.params
    }

    /// Whether its own parameters say nothing: it is of use once somebody sets them.
    #[must_use]
    pub fn wants_params(&self) -> bool {
        self.wants_params
    }

    /// Whether it is there for a standard alone, because another check says the same otherwise.
    #[must_use]
    pub fn standards_only(&self) -> bool {
        self.standards_only
    }

    /// What it wants, as its file says it: with expressions.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected_text
    }

    /// Why it matters.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// How what it finds is mended.
    #[must_use]
    pub fn fix(&self) -> &Fix {
        &self.fix
    }

    /// Where to read more.
    #[must_use]
    pub fn refs(&self) -> &[String] {
        &self.refs
    }

    /// Techniques of MITRE ATT&CK that it makes harder.
    #[must_use]
    pub fn techniques(&self) -> &[String] {
        &self.techniques
    }

    /// The expressions, by the name of their field, for people who ask why.
    pub fn expressions(&self) -> impl Iterator<Item = (&str, &str)> {
        let of = self.of.as_ref().map(|of| ("of", of));
        let when = self.when.as_ref().map(|when| ("when", when));
        let parts = self.parts.iter().map(|(name, part)| (name.as_str(), part));
        let fail = self.fail.as_ref().map(|fail| match fail {
            Condition::For(program) => ("fail_for", program),
            Condition::If(program) => ("fail_if", program),
        });
        let review = self.review.as_ref().map(|review| match review {
            Condition::For(program) => ("review_for", program),
            Condition::If(program) => ("review_if", program),
        });
        let untold = self.untold.as_ref().map(|untold| ("untold", untold));
        let all = parts.chain(of).chain(when).chain(untold).chain(fail);
        let all = all.chain(review);
        all.map(|(name, program)| (name, program.text()))
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(crate) fn needs(&self) -> &[Need] {
        &self.needs
    }

    pub(crate) fn of(&self) -> Option<&Program> {
        self.of.as_ref()
    }

    pub(crate) fn when(&self) -> Option<&Program> {
        self.when.as_ref()
    }

    pub(crate) fn unless(&self) -> Option<&str> {
        self.unless.as_deref()
    }

    pub(crate) fn untold(&self) -> Option<&Program> {
        self.untold.as_ref()
    }

    /// Why there are no facts of a kind that nobody asked for.
    pub(crate) fn missing(&self, kind: &FactKind) -> String {
        match &self.takes {
            Some(takes) => format!("{kind} was not collected: that takes {takes}"),
            None => format!("{kind} was not collected"),
        }
    }

    pub(crate) fn parts(&self) -> &[(String, Program)] {
        &self.parts
    }

    pub(crate) fn fail(&self) -> Option<&Condition> {
        self.fail.as_ref()
    }

    pub(crate) fn review(&self) -> Option<&Condition> {
        self.review.as_ref()
    }

    pub(crate) fn absent(&self) -> Outcome {
        self.absent
    }

    pub(crate) fn message(&self) -> &Text {
        &self.message
    }

    pub(crate) fn actual(&self) -> Option<&Text> {
        self.actual.as_ref()
    }

    /// `actual`, where it says what there is of an object as a whole, also where nothing is wrong.
    pub(crate) fn actual_of_object(&self) -> Option<&Text> {
        let is_whole = |condition: &&Condition| matches!(condition, Condition::If(_));
        let mut conditions = self.fail.iter().chain(&self.review);
        let actual = self.actual.as_ref().filter(|text| text.is_filled_in());
        actual.filter(|_| conditions.all(|condition| is_whole(&condition)))
    }

    pub(crate) fn expected_in(&self) -> &Text {
        &self.expected
    }

    pub(crate) fn command(&self) -> Option<&Text> {
        self.command.as_ref()
    }

    pub(crate) fn mode(&self) -> Option<&Text> {
        self.mode.as_ref()
    }

    pub(crate) fn owner(&self) -> Option<&Text> {
        self.owner.as_ref()
    }

    pub(crate) fn examples(&self) -> &[Example] {
        &self.examples
    }
}

fn compile(file: CheckFile) -> Result<Check, CheckError> {
    check_id(&file.id)?;
    let wrong = |field: &str, why: String| CheckError::Field {
        field: field.to_owned(),
        why,
    };
    if file.examples.len() > MOST_EXAMPLES {
        let why = format!("{MOST_EXAMPLES} are allowed");
        return Err(wrong("examples", why));
    }
    let severity = match file.severity.as_str() {
        "critical" => Severity::Critical,
        "high" => Severity::High,
        "medium" => Severity::Medium,
        "low" => Severity::Low,
        _ => {
            return Err(wrong(
                "severity",
                "use critical, high, medium or low".to_owned(),
            ));
        }
    };
    let mut needs = Vec::new();
    for (name, text) in &file.needs {
        let (text, is_optional) = cut_end(text, "?");
        let (text, is_list) = cut_end(text, "[]");
        let kind = FactKind::new(text)
            .map_err(|error| wrong(&format!("needs.{name}"), error.to_string()))?;
        needs.push(Need {
            name: name.clone(),
            kind,
            is_list,
            is_optional,
        });
    }
    if file.when.is_some() != file.unless.is_some() {
        let why = "`when` and `unless`, its reason, go together".to_owned();
        return Err(wrong("when", why));
    }

    let mut environment = functions::environment();
    let own = ["it", "id", "name", "params", "now"];
    let mut taken: Vec<&str> = own.to_vec();
    taken.extend(views::names(&file.on));
    for name in taken.clone() {
        environment = environment.variable(name);
    }
    for need in &needs {
        if taken.contains(&need.name.as_str()) {
            return Err(wrong("needs", format!("`{}` is taken", need.name)));
        }
        environment = environment.variable(&need.name);
    }
    let expression = |field: &str, text: &str, environment: &Environment| {
        environment
            .compile(text, &LIMITS)
            .map_err(|source| CheckError::Expression {
                field: field.to_owned(),
                source: Box::new(source),
            })
    };
    let mut parts = Vec::new();
    for (name, text) in in_order(&file.parts) {
        if taken.contains(&name) || file.needs.contains_key(name) {
            return Err(wrong("let", format!("`{name}` is taken")));
        }
        parts.push((
            name.to_owned(),
            expression(&format!("let.{name}"), text, &environment)?,
        ));
        environment = environment.variable(name);
    }
    let condition = |for_text: &Option<String>, if_text: &Option<String>, word: &str| {
        Ok(match (for_text, if_text) {
            (None, None) => None,
            (Some(text), None) => Some(Condition::For(expression(
                &format!("{word}_for"),
                text,
                &environment,
            )?)),
            (None, Some(text)) => Some(Condition::If(expression(
                &format!("{word}_if"),
                text,
                &environment,
            )?)),
            (Some(_), Some(_)) => {
                let why = format!("`{word}_for` and `{word}_if` exclude each other");
                return Err(wrong(&format!("{word}_if"), why));
            }
        })
    };
    let fail = condition(&file.fail_for, &file.fail_if, "fail")?;
    let review = condition(&file.review_for, &file.review_if, "review")?;
    if fail.is_none() && review.is_none() {
        let why = "one of `fail_for`, `fail_if`, `review_for`, `review_if` is needed".to_owned();
        return Err(wrong("fail_for", why));
    }
    let optional = |field: &str, text: &Option<String>| match text {
        Some(text) => expression(field, text, &environment).map(Some),
        None => Ok(None),
    };
    let of = optional("of", &file.of)?;
    let when = optional("when", &file.when)?;
    let untold = optional("untold", &file.untold)?;
    let text = |field: &str, text: &str, environment: &Environment| {
        Text::compile(text, environment, &LIMITS).map_err(|error| match error {
            TextError::Open => wrong(field, error.to_string()),
            TextError::Expression(source) => CheckError::Expression {
                field: field.to_owned(),
                source: Box::new(source),
            },
        })
    };
    let expected = text("expected", &file.expected, &environment)?;
    let filled = |field: &str, wanted: &Option<String>| match wanted {
        Some(wanted) => text(field, wanted, &environment).map(Some),
        None => Ok(None),
    };
    let command = filled("fix.command", &file.fix.command)?;
    let mode = filled("fix.mode", &file.fix.mode)?;
    let owner = filled("fix.owner", &file.fix.owner)?;
    let environment = environment.variable("f");
    let message = text("message", &file.message, &environment)?;
    let actual = match &file.actual {
        Some(actual) => Some(text("actual", actual, &environment)?),
        None => None,
    };
    if file.examples.is_empty() {
        let why = "at least one that fails and one that does not are needed".to_owned();
        return Err(wrong("examples", why));
    }
    let mut examples = Vec::new();
    for example in file.examples {
        let Some(expect) = Outcome::parse(&example.expect) else {
            let why = format!("`{}` is no verdict", example.expect);
            return Err(wrong(&format!("examples.{}", example.name), why));
        };
        examples.push(Example {
            name: example.name,
            it: example.it,
            needs: example.needs,
            params: example.params,
            // The first second of 2026.
            now: example
                .now
                .unwrap_or(jiff::Timestamp::constant(1_767_225_600, 0)),
            expect,
            items: example.items,
            message: example.message,
        });
    }
    Ok(Check {
        id: file.id,
        title: file.title,
        severity,
        on: file.on,
        needs,
        of,
        when,
        unless: file.unless,
        untold,
        takes: file.takes,
        params: file.params,
        wants_params: file.wants_params,
        standards_only: file.standards_only,
        parts,
        fail,
        review,
        absent: match file.absent {
            Absent::NotApplicable => Outcome::NotApplicable,
            Absent::Fail => Outcome::Fail,
            Absent::Pass => Outcome::Pass,
        },
        message,
        actual,
        expected,
        expected_text: file.expected,
        why: file.why,
        fix: file.fix,
        command,
        mode,
        owner,
        refs: file.refs,
        techniques: file.techniques,
        examples,
        environment,
    })
}

/// Lower case words of letters, digits and hyphens, joined by points: a file's name, and a word on a command line.
pub(crate) fn check_id(id: &str) -> Result<(), CheckError> {
    let is_word = |word: &str| {
        !word.is_empty()
            && !word.starts_with('-')
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if id.len() <= 100 && id.split('.').all(is_word) {
        Ok(())
    } else {
        Err(CheckError::Field {
            field: "id".to_owned(),
            why: "lower case words with hyphens, joined by points, are wanted".to_owned(),
        })
    }
}

fn cut_end<'t>(text: &'t str, end: &str) -> (&'t str, bool) {
    match text.strip_suffix(end) {
        Some(rest) => (rest, true),
        None => (text, false),
    }
}

/// Parts in an order in which each stands after those that it names: YAML's maps have none. A circle stays as it is,
/// and is then told as a name that is not known.
fn in_order(parts: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    let mut left: Vec<(&str, &str)> = parts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let ready = left.iter().position(|(name, text)| {
            let mut others = left.iter().filter(|(other, _)| other != name);
            others.all(|(other, _)| !names(text, other))
        });
        ordered.push(left.remove(ready.unwrap_or(0)));
    }
    ordered
}

/// Whether `text` has `name` as a word of its own. More than the language would say (it may stand in a string), which
/// does no harm.
fn names(text: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text
            .get(at + name.len()..)
            .and_then(|text| text.chars().next());
        // `.name` and `.?name` are fields.
        !before.is_some_and(|c| is_word(c) || matches!(c, '.' | '?')) && !after.is_some_and(is_word)
    })
}

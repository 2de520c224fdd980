//! A policy, checked against what there is, and asked for each namespace.

mod file;

use std::collections::BTreeSet;

use seareeve_model::{FactKind, Severity};
use seareeve_posture::{Catalogue, Library, Recommendation, fits};
use serde_json::{Map, Value};

pub use self::file::{Mode, PolicyFile, RuleFile, Unchecked, Updates};

/// Bytes of a policy at most.
const MOST_BYTES: usize = 1 << 20;
/// Names in one list of a policy at most.
const MOST_NAMES: usize = 1_000;

/// A policy in use.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    file: PolicyFile,
    rules: Vec<Rule>,
}

/// One recommendation as a rule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    /// The recommendation's id.
    pub(crate) id: String,
    /// The recommendation's title.
    pub(crate) title: String,
    pub(crate) severity: Severity,
    pub(crate) checks: Vec<RuleCheck>,
    pub(crate) excluded_containers: Vec<String>,
    pub(crate) excluded_images: Vec<String>,
    /// What becomes of what a person should look at: of images that were not scanned.
    pub(crate) unscanned: Mode,
    mode: Mode,
    namespaces: Vec<(String, Mode)>,
    excluded_namespaces: Vec<String>,
}

/// A check of a rule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RuleCheck {
    /// The check's id: the library has it.
    pub(crate) id: String,
    pub(crate) on: FactKind,
    /// What to do, in words.
    pub(crate) remedy: String,
    /// Those that differ from the check's own.
    pub(crate) params: Map<String, Value>,
    /// Whether it reads what scans of images found.
    pub(crate) reads_scans: bool,
}

/// Why a policy cannot be used. The fault of who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is not YAML or JSON, or not of the form.
    #[error("not a policy: {0}")]
    Format(String),
    /// It names what is not there, or sets what cannot be set: all such places.
    #[error("{}", .0.join("; "))]
    Content(Vec<String>),
}

impl PolicyFile {
    /// Reads a policy: YAML, of which JSON is a part.
    ///
    /// # Errors
    /// When it is none, or too large.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > MOST_BYTES {
            let why = format!("{} bytes, of which {MOST_BYTES} are allowed", text.len());
            return Err(PolicyError::Format(why));
        }
        // By way of a plain value: what parameters hold is anybody's JSON.
        let value = seareeve_kubernetes::value(text.as_bytes()).map_err(PolicyError::Format)?;
        serde_json::from_value(value).map_err(|error| PolicyError::Format(error.to_string()))
    }
}

impl Policy {
    /// A policy over what there is to recommend and to check.
    ///
    /// # Errors
    /// [`PolicyError::Content`].
    pub fn new(
        file: PolicyFile,
        library: &Library,
        catalogue: &Catalogue,
    ) -> Result<Self, PolicyError> {
        let mut wrong = Vec::new();
        if file.schema != PolicyFile::SCHEMA {
            wrong.push(format!(
                "`schema` is {}, and {} is known here",
                file.schema,
                PolicyFile::SCHEMA
            ));
        }
        for (id, rule) in &file.recommendations {
            match catalogue.recommendation(id).filter(is_enforceable) {
                Some(recommendation) => check_rule(recommendation, rule, &mut wrong),
                None => wrong.push(format!(
                    "`recommendations.{id}`: no recommendation that admission can enforce has this id"
                )),
            }
        }
        let lists = [
            ("excluded_namespaces", &file.excluded_namespaces),
            ("excluded_containers", &file.excluded_containers),
            ("excluded_images", &file.excluded_images),
        ];
        for (name, list) in lists {
            check_list(name, list, &mut wrong);
        }
        if !wrong.is_empty() {
            return Err(PolicyError::Content(wrong));
        }
        let rules = Self::enforceable(catalogue)
            .filter_map(|recommendation| rule(&file, recommendation, library))
            .collect();
        Ok(Self { file, rules })
    }

    /// The recommendations that admission can enforce: those about objects of clusters.
    pub fn enforceable(catalogue: &Catalogue) -> impl Iterator<Item = &Recommendation> {
        catalogue.recommendations().filter(is_enforceable)
    }

    /// As it was written.
    #[must_use]
    pub fn file(&self) -> &PolicyFile {
        &self.file
    }

    /// The recommendations' ids with the mode that a namespace has for each.
    pub fn modes<'p>(&'p self, namespace: &'p str) -> impl Iterator<Item = (&'p str, Mode)> {
        let rules = self.rules.iter();
        rules.map(|rule| (rule.id.as_str(), self.mode(rule, namespace)))
    }

    /// The kinds of facts that any rule is about.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<FactKind> {
        let checks = self.rules.iter().flat_map(|rule| &rule.checks);
        checks.map(|check| check.on.clone()).collect()
    }

    /// Whether anything reads what scans of images found.
    #[must_use]
    pub fn reads_scans(&self) -> bool {
        let mut checks = self.rules.iter().flat_map(|rule| &rule.checks);
        checks.any(|check| check.reads_scans)
    }

    /// Whether a recommendation does.
    #[must_use]
    pub fn is_about_scans(&self, recommendation: &str) -> bool {
        let mut rules = self.rules.iter().filter(|rule| rule.id == recommendation);
        rules.any(|rule| rule.checks.iter().any(|check| check.reads_scans))
    }

    /// Findings that do not count, wherever the policy says so.
    #[must_use]
    pub fn excluded_findings(&self) -> Vec<String> {
        let checks = self.rules.iter().flat_map(|rule| &rule.checks);
        let mut ids: Vec<String> = checks
            .filter_map(|check| check.params.get("excluded_findings")?.as_array())
            .flatten()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Only the rules that are not off everywhere.
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What becomes of a rule's violations in a namespace.
    pub(crate) fn mode(&self, rule: &Rule, namespace: &str) -> Mode {
        let is_out = |list: &[String]| list.iter().any(|pattern| fits(pattern, namespace));
        if is_out(&self.file.excluded_namespaces) || is_out(&rule.excluded_namespaces) {
            return Mode::Off;
        }
        let own = rule
            .namespaces
            .iter()
            .find(|(pattern, _)| fits(pattern, namespace));
        own.map_or(rule.mode, |(_, mode)| *mode)
    }
}

impl Rule {
    /// Patterns of namespaces with modes of their own, those that count before others first.
    pub(crate) fn namespaces(&self) -> &[(String, Mode)] {
        &self.namespaces
    }

    /// The mode where no namespace has one of its own.
    pub(crate) fn default_mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn excluded_namespaces(&self) -> &[String] {
        &self.excluded_namespaces
    }
}

fn is_enforceable(recommendation: &&Recommendation) -> bool {
    recommendation.deny && recommendation.asset == "kubernetes-cluster"
}

/// A recommendation as the policy wants it; nothing, where it is off.
fn rule(file: &PolicyFile, recommendation: &Recommendation, library: &Library) -> Option<Rule> {
    let given = file.recommendations.get(&recommendation.id);
    let mut params = Map::new();
    for (name, parameter) in &recommendation.parameters {
        let default = parameter.get("default").cloned().unwrap_or(Value::Null);
        params.insert(name.clone(), default);
    }
    let own = given
        .map(|rule| rule.parameters.clone())
        .unwrap_or_default();
    let has_params = !own.is_empty();
    params.extend(own);
    let uses = recommendation.checks.iter();
    let found: Vec<_> = uses
        .filter_map(|used| Some((library.check(&used.check)?, used.params())))
        .collect();
    let wants_params = found.iter().any(|(check, _)| check.wants_params());
    let said = given.and_then(|rule| rule.mode);
    // What says nothing before somebody sets it, or is not judged before somebody asks for it, stays off.
    let unasked = match recommendation.enabled && (has_params || !wants_params) {
        true => file.mode,
        false => Mode::Off,
    };
    let mode = said.unwrap_or(unasked);
    let mut namespaces: Vec<(String, Mode)> = given
        .map(|rule| rule.namespaces.clone().into_iter().collect())
        .unwrap_or_default();
    namespaces.sort_by_key(|(pattern, _)| {
        let stars = pattern.matches('*').count();
        // A whole name before a pattern, a longer pattern before a shorter one.
        (stars > 0, std::cmp::Reverse(pattern.len()), pattern.clone())
    });
    let is_off = mode == Mode::Off && namespaces.iter().all(|(_, mode)| *mode == Mode::Off);
    if is_off || found.is_empty() {
        return None;
    }
    let checks = found.into_iter().map(|(check, of_use)| {
        let mut own = of_use;
        for (name, value) in &params {
            if check.params().contains_key(name) {
                own.insert(name.clone(), value.clone());
            }
        }
        RuleCheck {
            id: check.id().to_owned(),
            on: check.on().clone(),
            remedy: check.fix().text.clone(),
            params: own,
            reads_scans: check.reads().any(|kind| kind.as_str() == "image.scan"),
        }
    });
    let joined = |own: Option<&Vec<String>>, all: &[String]| {
        own.into_iter().flatten().chain(all).cloned().collect()
    };
    Some(Rule {
        id: recommendation.id.clone(),
        title: recommendation.title.clone(),
        severity: recommendation.severity,
        checks: checks.collect(),
        excluded_containers: joined(
            given.map(|rule| &rule.excluded_containers),
            &file.excluded_containers,
        ),
        excluded_images: joined(
            given.map(|rule| &rule.excluded_images),
            &file.excluded_images,
        ),
        unscanned: given.and_then(|rule| rule.unscanned).unwrap_or(Mode::Audit),
        mode,
        namespaces,
        excluded_namespaces: given
            .and_then(|rule| rule.excluded_namespaces.clone())
            .unwrap_or_else(|| recommendation.excluded_namespaces.clone()),
    })
}

/// Notes what of a rule makes no sense.
fn check_rule(recommendation: &Recommendation, rule: &RuleFile, wrong: &mut Vec<String>) {
    let id = &recommendation.id;
    for (name, value) in &rule.parameters {
        let Some(parameter) = recommendation.parameters.get(name) else {
            let known: Vec<&str> = recommendation
                .parameters
                .keys()
                .map(String::as_str)
                .collect();
            let known = match known.is_empty() {
                true => "it has none".to_owned(),
                false => format!("it has {}", known.join(", ")),
            };
            wrong.push(format!("`recommendations.{id}.parameters.{name}`: {known}"));
            continue;
        };
        let default = parameter.get("default").unwrap_or(&Value::Null);
        if let Some(wanted) = differs(default, value) {
            wrong.push(format!(
                "`recommendations.{id}.parameters.{name}`: {wanted} is wanted"
            ));
        }
    }
    let names: Vec<String> = rule.namespaces.keys().cloned().collect();
    let none = Vec::new();
    for (field, list) in [
        ("namespaces", &names),
        (
            "excluded_namespaces",
            rule.excluded_namespaces.as_ref().unwrap_or(&none),
        ),
        ("excluded_containers", &rule.excluded_containers),
        ("excluded_images", &rule.excluded_images),
    ] {
        check_list(&format!("recommendations.{id}.{field}"), list, wrong);
    }
    if rule.unscanned.is_some() && recommendation.findings.is_none() && !about_scans(recommendation)
    {
        wrong.push(format!(
            "`recommendations.{id}.unscanned`: it is not about what scans of images find"
        ));
    }
}

/// Whether a recommendation has the parameters of one about findings.
fn about_scans(recommendation: &Recommendation) -> bool {
    recommendation.parameters.contains_key("excluded_findings")
}

fn check_list(field: &str, list: &[String], wrong: &mut Vec<String>) {
    if list.len() > MOST_NAMES {
        wrong.push(format!("`{field}`: more than {MOST_NAMES} names"));
    }
    if list.iter().any(|name| name.is_empty() || name.len() > 512) {
        wrong.push(format!("`{field}`: a name has 1 to 512 characters"));
    }
}

/// What type a parameter has to be of, where it is of another.
fn differs(default: &Value, given: &Value) -> Option<&'static str> {
    match (default, given) {
        (Value::Bool(_), Value::Bool(_))
        | (Value::String(_), Value::String(_))
        | (Value::Array(_), Value::Array(_))
        | (Value::Object(_), Value::Object(_))
        | (Value::Null, _) => None,
        (Value::Number(_), Value::Number(number)) if number.is_i64() => None,
        (Value::Bool(_), _) => Some("true or false"),
        (Value::String(_), _) => Some("text"),
        (Value::Array(_), _) => Some("a list"),
        (Value::Object(_), _) => Some("a map"),
        (Value::Number(_), _) => Some("a whole number"),
    }
}

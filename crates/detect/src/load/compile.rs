//! The book of a load → the engine.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use seareeve_model::{AlertSeverity, Digest};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::macros::{Lists, Macros, Parsed};
use super::templates::{TextFault, Texts, field, grouping};
use super::{Loaded, Options, UnknownFields};
use crate::compile::{Builder, CompileError, NodeId};
use crate::detection::{Counting, Details, Habit};
use crate::engine::{Behaviour, Compiled, Engine, Grouping, Rule, RuleKind, Target};
use crate::language::Expr;
use crate::memory::Goal;
use crate::rules::{Book, Code, Diagnostic, Exception, Fault, FileId, Located, RuleEntry, Spot};
use crate::source::Source;

/// Compiles everything. What cannot be used is noted and left out.
pub(super) fn compile(mut book: Book, sources: &[Arc<dyn Source>], options: &Options) -> Loaded {
    let noted = std::mem::take(&mut book.diagnostics);
    let lists = Lists::new(&book);
    let macros = Macros::new(&book, &lists);
    let mut work = Work {
        book: &book,
        lists: &lists,
        macros: &macros,
        options,
        builders: sources
            .iter()
            .map(|source| Builder::new(source.as_ref()))
            .collect(),
        sources,
        rules: Vec::new(),
        targets: Vec::new(),
        by_id: HashMap::new(),
        steps: Vec::new(),
        diagnostics: noted,
    };
    work.macros_themselves();
    for rule in &book.rules.entries {
        if let Err(fault) = work.rule(rule) {
            work.note(fault, &label(rule));
        }
    }
    work.join();
    work.unused();
    work.finish()
}

struct Work<'w> {
    book: &'w Book,
    lists: &'w Lists<'w>,
    macros: &'w Macros<'w>,
    options: &'w Options,
    sources: &'w [Arc<dyn Source>],
    builders: Vec<Builder<'w>>,
    rules: Vec<Compiled>,
    targets: Vec<Target>,
    by_id: HashMap<String, usize>,
    /// Steps that are other rules: the correlation, the step, the other's id and where it is named.
    steps: Vec<(usize, u8, String, Spot)>,
    diagnostics: Vec<Diagnostic>,
}

/// A rule that is not loaded, and whether that is an error.
struct Refusal {
    code: Code,
    place: Place,
    message: String,
}

enum Place {
    Spot(Spot),
    At(FileId, usize, usize),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self {
            code: fault.code,
            place: Place::Spot(fault.spot),
            message: fault.message,
        }
    }
}

impl<'w> Work<'w> {
    /// Macros that are no conditions are told once, whoever uses them.
    fn macros_themselves(&mut self) {
        for (entry, parsed) in self.book.macros.entries.iter().zip(&self.macros.parsed) {
            if let Err(error) = &parsed.expr {
                let refusal =
                    self.syntax(&entry.condition, parsed, error.at, error.message.clone());
                self.note(refusal, &format!("macro '{}'", entry.name));
            }
        }
    }

    fn rule(&mut self, rule: &'w RuleEntry) -> Result<(), Refusal> {
        let source = self
            .sources
            .iter()
            .position(|source| source.name() == rule.source);
        let Some(source) = source else {
            return Err(Refusal {
                code: Code::UnknownSource,
                place: Place::Spot(rule.spot),
                message: format!("unknown source {}, skipping", rule.source),
            });
        };
        let details = rule.details.as_deref();
        let id = details.map_or_else(|| slug(&rule.name), |details| details.id.clone());
        if details.is_some() && self.by_id.contains_key(&id) {
            return Err(Refusal {
                code: Code::Validate,
                place: Place::Spot(rule.spot),
                message: format!("there is another detection {id}"),
            });
        }
        let number = self.rules.len();
        let has_steps = details
            .and_then(|details| details.correlation.as_ref())
            .is_some_and(|correlation| !correlation.steps.is_empty());
        let condition = rule.whole_condition()?;
        let root = if has_steps {
            None
        } else {
            for exception in &rule.exceptions {
                self.exception_fields(rule, exception, source)?;
            }
            Some(self.condition(rule, &condition, source)?)
        };
        let texts = self.with(rule, source, |builder| Texts::compile(rule, builder))?;
        if rule.output.text.contains("%container.info") {
            let message = "%container.info stands for nothing by now: what it stood for comes with every alert";
            self.warn(Code::DeprecatedItem, &rule.output, 0, rule, message);
        }
        let (behaviour, steps) = self.behaviour(rule, details, source)?;
        let is_enabled = self.is_enabled(rule, &id);
        let mut content = Sha256::new();
        for text in [
            &rule.name,
            &rule.source,
            &rule.output.text,
            &rule.description,
        ] {
            content.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            content.update(text);
        }
        content.update(rule.priority.as_str());
        if let Some(details) = details {
            content.update(details.digest);
        }
        if let Some(builder) = self.builders.get_mut(source) {
            for root in root
                .iter()
                .chain(steps.iter().filter_map(|step| step.1.as_ref()))
            {
                content.update(builder.digest(*root));
            }
        }
        self.type_warning(rule, root, source);
        let content = Digest::sha256(&content.finalize().into());
        let info = self.info(
            rule,
            details,
            id.clone(),
            is_enabled,
            &condition,
            content,
            root,
            source,
        );
        self.rules.push(Compiled {
            info,
            program: source,
            root,
            output: texts.output,
            description: texts.description,
            remediation: texts.remediation,
            entities: texts.entities,
            properties: texts.properties,
            aggregate: texts.aggregate,
            behaviour,
            feeds: Vec::new(),
        });
        self.by_id.entry(id).or_insert(number);
        for (step, root, other) in steps {
            if let Some(root) = root.filter(|_| is_enabled) {
                self.target(source, root, number, Some(step));
            }
            if let Some((other, spot)) = other {
                self.steps.push((number, step, other, spot));
            }
        }
        Ok(())
    }

    /// Adds what rules of a source are asked.
    fn target(&mut self, source: usize, root: NodeId, rule: usize, step: Option<u8>) {
        let number = u32::try_from(self.targets.len()).unwrap_or(u32::MAX);
        self.targets.push(Target { rule, step });
        if let Some(builder) = self.builders.get_mut(source) {
            builder.rule(root, number);
        }
    }

    /// Joins correlations with the rules that are their steps, and gives every rule that is asked its place.
    fn join(&mut self) {
        for (correlation, step, other, spot) in std::mem::take(&mut self.steps) {
            let found = self.by_id.get(&other).copied();
            let programs = |number: usize| self.rules.get(number).map(|rule| rule.program);
            let fits = found.filter(|found| programs(*found) == programs(correlation));
            let has_steps = |number: usize| {
                self.rules
                    .get(number)
                    .is_none_or(|rule| rule.root.is_none())
            };
            match fits.filter(|found| !has_steps(*found)) {
                Some(found) => {
                    if let Some(rule) = self.rules.get_mut(found) {
                        rule.feeds.push((correlation, step));
                    }
                }
                None => {
                    let name = self.rules.get(correlation).map(|rule| rule.info.id.clone());
                    let label = format!("detection '{}'", name.unwrap_or_default());
                    let refusal = Refusal {
                        code: Code::Validate,
                        place: Place::Spot(spot),
                        message: format!(
                            "there is no detection {other} of this source and without steps"
                        ),
                    };
                    self.note(refusal, &label);
                }
            }
        }
        for number in 0..self.rules.len() {
            let Some(rule) = self.rules.get(number) else {
                continue;
            };
            let is_fed = rule.feeds.iter().any(|(other, _)| {
                self.rules
                    .get(*other)
                    .is_some_and(|other| other.info.is_enabled)
            });
            let is_asked = rule.info.is_enabled || is_fed;
            if let Some(root) = rule.root.filter(|_| is_asked) {
                self.target(rule.program, root, number, None);
            }
        }
    }

    fn condition(
        &mut self,
        rule: &RuleEntry,
        condition: &Located,
        source: usize,
    ) -> Result<NodeId, Refusal> {
        let parsed = self.lists.parse(&condition.text);
        let expr = match &parsed.expr {
            Ok(expr) => expr,
            Err(error) => {
                return Err(self.syntax(condition, &parsed, error.at, error.message.clone()));
            }
        };
        let Some(builder) = self.builders.get_mut(source) else {
            return Err(self.syntax(condition, &parsed, 0, "no such source".to_owned()));
        };
        let compiled = builder.condition(expr, self.macros);
        let warnings = std::mem::take(&mut builder.warnings);
        for warning in warnings {
            let code = if warning.is_unsafe {
                Code::UnsafeNaCheck
            } else {
                Code::SuspiciousCondition
            };
            let within = warning.in_macro.and_then(|number| self.macros.get(number));
            let (text, parsed) = within.unwrap_or((condition, &parsed));
            let at = parsed.substituted.original(warning.at);
            self.warn(code, text, at, rule, &warning.message);
        }
        compiled.map_err(|error| self.compile_error(rule, condition, &parsed, error))
    }

    /// Fields of exceptions are checked even where there are no values.
    fn exception_fields(
        &mut self,
        rule: &RuleEntry,
        exception: &Exception,
        source: usize,
    ) -> Result<(), Refusal> {
        for name in exception.field_names() {
            let text = Located::made(name.to_owned(), exception.spot);
            self.with(rule, source, |builder| field(&text, builder))
                .map_err(|mut refusal| {
                    refusal.place = Place::Spot(exception.spot);
                    if refusal.code == Code::CompileOutput {
                        refusal.code = Code::Validate;
                    }
                    refusal.message = format!(
                        "'{name}' is not a supported filter field: {}",
                        refusal.message
                    );
                    refusal
                })?;
        }
        Ok(())
    }

    /// Compiles a text of a rule.
    fn with<T>(
        &mut self,
        rule: &RuleEntry,
        source: usize,
        compile: impl FnOnce(&mut Builder<'w>) -> Result<T, TextFault>,
    ) -> Result<T, Refusal> {
        let Some(builder) = self.builders.get_mut(source) else {
            return Err(Refusal {
                code: Code::UnknownSource,
                place: Place::Spot(rule.spot),
                message: "no such source".to_owned(),
            });
        };
        compile(builder).map_err(|(text, error)| {
            let (file, line, column) = self.book.files.locate(&text, error.at);
            Refusal {
                code: self.code(rule, &error, Code::CompileOutput),
                place: Place::At(file, line, column),
                message: error.message,
            }
        })
    }

    /// A rule with an unknown field is left out where that was asked for, and otherwise an error.
    fn code(&self, rule: &RuleEntry, error: &CompileError, otherwise: Code) -> Code {
        let may_skip =
            rule.switch.skips_unknown || self.options.unknown_fields == UnknownFields::Disable;
        if error.is_unknown && may_skip {
            Code::UnknownFilter
        } else {
            otherwise
        }
    }

    fn behaviour(
        &mut self,
        rule: &'w RuleEntry,
        details: Option<&'w Details>,
        source: usize,
    ) -> Result<(Behaviour, Vec<StepRoot>), Refusal> {
        let Some(details) = details else {
            return Ok((Behaviour::Alert, Vec::new()));
        };
        if let Some(baseline) = &details.baseline {
            let group = self.with(rule, source, |builder| {
                grouping(&baseline.group_by, builder)
            })?;
            let fields = self.with(rule, source, |builder| grouping(&baseline.fields, builder))?;
            let digest = digest(&[
                &habit_text(&baseline.habit),
                &names(&group),
                &names(&fields),
                &rule.condition.text,
            ]);
            let behaviour = Behaviour::Learn {
                habit: baseline.habit,
                group,
                fields,
                digest,
            };
            return Ok((behaviour, Vec::new()));
        }
        let Some(correlation) = &details.correlation else {
            return Ok((Behaviour::Alert, Vec::new()));
        };
        let group = self.with(rule, source, |builder| {
            grouping(&correlation.group_by, builder)
        })?;
        let mut groups = Vec::new();
        let mut steps = Vec::new();
        let mut described = rule.condition.text.clone();
        for (number, step) in (0_u8..).zip(&correlation.steps) {
            groups.push(match &step.group_by {
                None => group.clone(),
                Some(fields) => self.with(rule, source, |builder| grouping(fields, builder))?,
            });
            match &step.condition {
                Ok(condition) => {
                    described.push_str(&condition.text);
                    let root = self.condition(rule, condition, source)?;
                    steps.push((number, Some(root), None));
                }
                Err((other, place)) => {
                    described.push_str(other);
                    steps.push((number, None, Some((other.clone(), place.spot()))));
                }
            }
        }
        if groups.is_empty() {
            groups.push(group);
        }
        let (goal, value) = match &correlation.counting {
            Counting::Events(least) => (Goal::Events(*least), None),
            Counting::Values(least, text) => {
                let slot = self.with(rule, source, |builder| field(text, builder))?;
                described.push_str(&text.text);
                (Goal::Values(*least), Some(slot))
            }
            Counting::Steps { is_ordered } => {
                let count = u8::try_from(correlation.steps.len()).unwrap_or(u8::MAX);
                let goal = Goal::Steps {
                    count,
                    is_ordered: *is_ordered,
                };
                (goal, None)
            }
        };
        let grouped: Vec<String> = groups.iter().map(names).collect();
        let digest = digest(&[
            &goal_text(goal),
            &correlation.timespan.to_string(),
            &grouped.join(";"),
            &described,
        ]);
        let behaviour = Behaviour::Correlate {
            goal,
            timespan: correlation.timespan,
            groups,
            names: correlation
                .steps
                .iter()
                .map(|step| step.name.clone())
                .collect(),
            value,
            digest,
        };
        Ok((behaviour, steps))
    }

    fn is_enabled(&self, rule: &RuleEntry, id: &str) -> bool {
        let named = |names: &[String]| {
            names
                .iter()
                .any(|name| name == id || *name == rule.name || rule.tags.contains(name))
        };
        if named(&self.options.on) {
            return true;
        }
        let least = self.options.least_priority;
        rule.switch.is_enabled
            && !named(&self.options.off)
            && least.is_none_or(|least| rule.priority <= least)
    }

    /// A rule about events of a kernel that can be of any type is slow, or wrong.
    fn type_warning(&mut self, rule: &RuleEntry, root: Option<NodeId>, source: usize) {
        let is_keyed = self
            .sources
            .get(source)
            .is_some_and(|source| source.wants_keys());
        let (Some(root), Some(builder)) = (root, self.builders.get_mut(source)) else {
            return;
        };
        if is_keyed && rule.switch.warns_of_types && !builder.is_keyed(root) {
            let message = "rule matches too many evt.type values, which has a significant performance penalty";
            self.warn(Code::NoEvtType, &rule.condition, 0, rule, message);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "everything that is told of a rule comes from somewhere"
    )]
    fn info(
        &self,
        rule: &RuleEntry,
        details: Option<&Details>,
        id: String,
        is_enabled: bool,
        condition: &Located,
        content: Digest,
        root: Option<NodeId>,
        source: usize,
    ) -> Rule {
        let texts = |texts: &[Located]| {
            texts
                .iter()
                .map(|text| text.text.trim().to_owned())
                .collect()
        };
        let kind = match details.map(|details| (&details.correlation, &details.baseline)) {
            Some((Some(_), _)) => RuleKind::Correlation,
            Some((None, Some(_))) => RuleKind::Baseline,
            Some((None, None)) | None => RuleKind::Single,
        };
        let (tactics, techniques) = match details {
            Some(details) => (details.tactics.clone(), details.techniques.clone()),
            None => attack(&rule.tags),
        };
        let builder = self.builders.get(source);
        let fields = builder
            .zip(root)
            .map(|(builder, root)| builder.field_names(root));
        let condition = match details.and_then(|details| details.correlation.as_ref()) {
            Some(correlation) if !correlation.steps.is_empty() => {
                let steps = correlation.steps.iter().map(|step| match &step.condition {
                    Ok(condition) => format!("{}: {}", step.name, condition.text.trim()),
                    Err((other, _)) => format!("{}: rule {other}", step.name),
                });
                steps.collect::<Vec<_>>().join("\n")
            }
            Some(_) | None => condition.text.trim().to_owned(),
        };
        Rule {
            id,
            name: rule.name.clone(),
            source: rule.source.clone(),
            is_enabled,
            priority: rule.priority,
            severity: details.map_or_else(|| rule.priority.severity(), |details| details.severity),
            severities: details.map_or_else(BTreeMap::<String, AlertSeverity>::new, |details| {
                details.severities.clone()
            }),
            aliases: details
                .map(|details| details.aliases.clone())
                .unwrap_or_default(),
            tactics,
            techniques,
            tags: rule.tags.iter().cloned().collect(),
            description: details.map_or_else(
                || rule.description.trim().to_owned(),
                |details| details.description.text.trim().to_owned(),
            ),
            remediation: details
                .map(|details| texts(&details.remediation))
                .unwrap_or_default(),
            false_positives: details
                .map(|details| details.false_positives.clone())
                .unwrap_or_default(),
            references: details
                .map(|details| details.references.clone())
                .unwrap_or_default(),
            condition,
            output: rule.output.text.trim().to_owned(),
            coverage: details.map_or(Value::Null, |details| details.coverage.clone()),
            kind,
            examples: details
                .map(|details| details.examples.clone())
                .unwrap_or_default(),
            fields: fields.unwrap_or_default(),
            content,
            file: self.book.files.name(rule.spot.file).to_owned(),
            line: rule.spot.at.line,
            is_detection: details.is_some(),
        }
    }

    /// Tells of lists and macros that nobody uses; of shared ones nobody has to.
    fn unused(&mut self) {
        let used = self.lists.used();
        for (number, list) in self.book.lists.entries.iter().enumerate() {
            if !list.is_shared && !used.contains(&number) {
                let message = "list not referred to by any other rule/macro";
                self.warn_at(
                    Code::UnusedList,
                    list.spot,
                    &format!("list '{}'", list.name),
                    message,
                );
            }
        }
        let builders = self.builders.iter();
        let used: BTreeSet<usize> = builders
            .flat_map(|builder| builder.used_macros.iter().copied())
            .collect();
        let mut named = BTreeSet::new();
        for parsed in &self.macros.parsed {
            if let Ok(expr) = &parsed.expr {
                named_macros(expr, &mut named);
            }
        }
        for (number, entry) in self.book.macros.entries.iter().enumerate() {
            let is_used = used.contains(&number) || named.contains(entry.name.as_str());
            if !entry.is_shared && !is_used {
                let message = "macro not referred to by any other rule/macro";
                let item = format!("macro '{}'", entry.name);
                self.warn_at(Code::UnusedMacro, entry.spot, &item, message);
            }
        }
    }

    fn finish(mut self) -> Loaded {
        let mut programs = Vec::with_capacity(self.builders.len());
        for (builder, source) in std::mem::take(&mut self.builders)
            .into_iter()
            .zip(self.sources)
        {
            match builder.finish() {
                Ok(program) => programs.push((source.name().to_owned(), program)),
                Err(error) => {
                    programs.push((source.name().to_owned(), Default::default()));
                    let message = format!("the rules of {} cannot be used: {error}", source.name());
                    self.warn_at(Code::Limit, Spot::default(), "", &message);
                }
            }
        }
        let mut diagnostics = self.diagnostics;
        diagnostics.sort();
        diagnostics.dedup();
        Loaded {
            engine: Engine {
                programs,
                rules: self.rules,
                targets: self.targets,
                matching: self.options.matching,
            },
            diagnostics,
        }
    }

    fn syntax(&self, text: &Located, parsed: &Parsed, at: usize, message: String) -> Refusal {
        let at = parsed.substituted.original(at);
        let (file, line, column) = self.book.files.locate(text, at);
        Refusal {
            code: Code::CompileCondition,
            place: Place::At(file, line, column),
            message,
        }
    }

    fn compile_error(
        &mut self,
        rule: &RuleEntry,
        condition: &Located,
        parsed: &Parsed,
        error: CompileError,
    ) -> Refusal {
        let code = self.code(rule, &error, Code::CompileCondition);
        // What is wrong in a macro is told where it stands, and who uses it.
        if let Some((text, parsed)) = error.in_macro.and_then(|number| self.macros.get(number)) {
            let mut refusal = self.syntax(text, parsed, error.at, error.message);
            refusal.code = code;
            return refusal;
        }
        let mut refusal = self.syntax(condition, parsed, error.at, error.message);
        refusal.code = code;
        refusal
    }

    fn warn(&mut self, code: Code, text: &Located, at: usize, rule: &RuleEntry, message: &str) {
        let (file, line, column) = self.book.files.locate(text, at);
        let refusal = Refusal {
            code,
            place: Place::At(file, line, column),
            message: message.to_owned(),
        };
        self.note(refusal, &label(rule));
    }

    fn warn_at(&mut self, code: Code, spot: Spot, item: &str, message: &str) {
        let refusal = Refusal {
            code,
            place: Place::Spot(spot),
            message: message.to_owned(),
        };
        self.note(refusal, item);
    }

    fn note(&mut self, refusal: Refusal, item: &str) {
        let (file, line, column) = match refusal.place {
            Place::Spot(spot) => (spot.file, spot.at.line, spot.at.column),
            Place::At(file, line, column) => (file, line, column),
        };
        self.diagnostics.push(Diagnostic {
            file: self.book.files.name(file).to_owned(),
            line,
            column,
            code: refusal.code,
            item: item.to_owned(),
            message: refusal.message,
        });
    }
}

/// A step of a correlation: its number, its condition, or the other rule that it is.
type StepRoot = (u8, Option<NodeId>, Option<(String, Spot)>);

fn label(rule: &RuleEntry) -> String {
    match &rule.details {
        Some(details) => format!("detection '{}'", details.id),
        None => format!("rule '{}'", rule.name),
    }
}

fn names(grouping: &Grouping) -> String {
    let names: Vec<&str> = grouping.0.iter().map(|(name, _)| name.as_str()).collect();
    names.join(",")
}

fn goal_text(goal: Goal) -> String {
    match goal {
        Goal::Events(least) => format!("events {least}"),
        Goal::Values(least) => format!("values {least}"),
        Goal::Steps { count, is_ordered } => format!("steps {count} {is_ordered}"),
    }
}

fn habit_text(habit: &Habit) -> String {
    let share = habit.share.unwrap_or_default();
    let (learning, events, forget) = (habit.learning, habit.learning_events, habit.forget);
    format!(
        "{share} {learning} {events} {forget} {}",
        habit.alerts_on_new_groups
    )
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The macros that a condition names.
fn named_macros<'e>(expr: &'e Expr, names: &mut BTreeSet<&'e str>) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => {
            parts.iter().for_each(|part| named_macros(part, names));
        }
        Expr::Not(inner) => named_macros(inner, names),
        Expr::Macro(name, _) => {
            names.insert(name);
        }
        Expr::Check(_) => {}
    }
}

/// A name as an id.
fn slug(name: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric();
    let words = name.split(|c| !is_part(c)).filter(|word| !word.is_empty());
    words
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .join("-")
}

/// What tags say of ATT&CK: `mitre_privilege_escalation`, `T1059.004`.
fn attack(tags: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
    let tactics = tags.iter().filter_map(|tag| tag.strip_prefix("mitre_"));
    let is_technique = |tag: &&String| {
        let number = tag.strip_prefix('T').unwrap_or_default();
        number.len() >= 4 && number.starts_with(|c: char| c.is_ascii_digit())
    };
    (
        tactics.map(|tactic| tactic.replace('_', "-")).collect(),
        tags.iter().filter(is_technique).cloned().collect(),
    )
}

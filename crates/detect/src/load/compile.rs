//! The book of a load → the engine.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use seareeve_model::Digest;
use sha2::{Digest as _, Sha256};

use super::ids::Ids;
use super::macros::{Lists, Macros};
use super::refusal::{Place, Refusal, label};
use super::templates::{TextFault, Texts, field};
use super::{Loaded, Options};
use crate::compile::{Builder, NodeId};
use crate::engine::{Compiled, Engine, Target};
use crate::language::Expr;
use crate::rules::{Book, Code, Diagnostic, Exception, Located, RuleEntry, Spot};
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
        ids: Ids::of(&book),
        by_id: HashMap::new(),
        steps: Vec::new(),
        diagnostics: noted,
        rule_lists: BTreeSet::new(),
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

pub(super) struct Work<'w> {
    pub(super) book: &'w Book,
    pub(super) lists: &'w Lists<'w>,
    pub(super) macros: &'w Macros<'w>,
    pub(super) options: &'w Options,
    pub(super) sources: &'w [Arc<dyn Source>],
    pub(super) builders: Vec<Builder<'w>>,
    pub(super) rules: Vec<Compiled>,
    pub(super) targets: Vec<Target>,
    ids: Ids<'w>,
    pub(super) by_id: HashMap<String, usize>,
    /// Steps that are other rules: the correlation, the step, the other's id and where it is named.
    pub(super) steps: Vec<(usize, u8, String, Spot)>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The lists that the rule at hand names.
    pub(super) rule_lists: BTreeSet<usize>,
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
        self.rule_lists.clear();
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
        let id = self.ids.id(rule);
        if self.by_id.contains_key(&id) {
            return Err(Refusal {
                code: Code::Validate,
                place: Place::Spot(rule.spot),
                message: format!(
                    "there is another detection with the id {id}: choose another name"
                ),
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
        self.by_id.insert(id, number);
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

    pub(super) fn condition(
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
        self.macros.lists_of(&parsed, &mut self.rule_lists);
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
    pub(super) fn with<T>(
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

    /// The names of the lists that the rule at hand names.
    pub(super) fn lists_in_use(&self) -> Vec<String> {
        let entries = &self.book.lists.entries;
        let lists = self.rule_lists.iter().filter_map(|list| entries.get(*list));
        let mut names: Vec<String> = lists.map(|list| list.name.clone()).collect();
        names.sort();
        names
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
}

/// The macros that a condition names.
pub(super) fn named_macros<'e>(expr: &'e Expr, names: &mut BTreeSet<&'e str>) {
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

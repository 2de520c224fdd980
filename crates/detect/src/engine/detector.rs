//! The engine: all rules, compiled; and a detector, which is an engine with a memory.

use std::sync::Arc;

use seareeve_model::{Alert, Correlated, Sample};

use super::alert::Story;
use super::evidence::short;
use super::reasons::{baseline, correlation, timestamp};
use super::rule::{Behaviour, Compiled, Grouping, Rule, Target};
use super::run::{Run, Scratch};
use crate::compile::{Program, RuleRoot};
use crate::memory::{Entry, Memory, MemoryError, MemoryUse};
use crate::source::{Event, Source};
use crate::template::shown;

/// Characters of one value that groups are made by.
const MOST_CHARACTERS: usize = 512;

/// All rules, compiled. Any number of detectors share it.
#[derive(Debug, Default)]
pub struct Engine {
    pub(crate) programs: Vec<(String, Program)>,
    pub(crate) rules: Vec<Compiled>,
    /// What the roots of the programs are for.
    pub(crate) targets: Vec<Target>,
    pub(crate) matching: Matching,
}

/// Whether rules are asked after one has raised an alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// All are: a rule of a user is not hidden by one of somebody else.
    #[default]
    All,
    /// The first one that does is enough, as Falco has it unless told otherwise.
    First,
}

/// An engine with what it remembers of the events before.
#[derive(Debug)]
pub struct Detector {
    engine: Arc<Engine>,
    /// By program: for the event itself, and for the event as it may be told.
    scratch: Vec<(Scratch, Scratch)>,
    memory: Memory,
    matched: Vec<u32>,
}

impl Engine {
    /// All rules, in the order of their definition, with those that are off.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|rule| &rule.info)
    }

    /// The rule with this id or name.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules()
            .find(|rule| rule.id == name || rule.name == name)
    }

    /// Whether any rule looks at events of this source.
    #[must_use]
    pub fn watches(&self, source: &dyn Source) -> bool {
        let program = self.programs.iter().find(|(name, _)| name == source.name());
        program.is_some_and(|(_, program)| !program.rules.is_empty())
    }

    fn program(&self, source: &str) -> Option<usize> {
        self.programs.iter().position(|(name, _)| name == source)
    }
}

impl Detector {
    /// A detector that remembers nothing yet.
    #[must_use]
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            scratch: scratch(&engine),
            engine,
            memory: Memory::default(),
            matched: Vec::new(),
        }
    }

    /// The rules that it detects by.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Other rules from now on. What the unchanged ones remember is kept.
    pub fn replace(&mut self, engine: Arc<Engine>) {
        self.scratch = scratch(&engine);
        self.memory
            .retain(|id| engine.rules.iter().any(|rule| rule.info.id == id));
        self.engine = engine;
    }

    /// What an event of the source `source` raises, in the order of the rules' definition.
    pub fn see<E: Event + ?Sized>(&mut self, source: &str, event: &E) -> Vec<Alert> {
        let engine = &*self.engine;
        let Some(number) = engine.program(source) else {
            return Vec::new();
        };
        let (Some((_, program)), Some((scratch, told))) =
            (engine.programs.get(number), self.scratch.get_mut(number))
        else {
            return Vec::new();
        };
        let mut run = Run::new(program, event, scratch);
        self.matched.clear();
        run.matching(&mut self.matched);
        if self.matched.is_empty() {
            run.finish();
            return Vec::new();
        }
        let mut seeing = Seeing {
            engine,
            memory: &mut self.memory,
            alerts: Vec::new(),
        };
        let matches = seeing.matches(&self.matched, &mut run);
        if !matches.is_empty() {
            match event.told() {
                Some(event) => {
                    let mut told = Run::new(program, &*event, told);
                    seeing.tell(matches, &mut run, &mut told);
                    told.finish();
                }
                None => {
                    let mut told = Run::new(program, event, told);
                    seeing.tell(matches, &mut run, &mut told);
                    told.finish();
                }
            }
        }
        run.finish();
        let alerts = seeing.alerts;
        self.memory.shrink();
        alerts
    }

    /// What it remembers, as bytes that [`Detector::restore`] reads.
    ///
    /// # Errors
    /// Never, but for a bug.
    pub fn save(&self) -> Result<Vec<u8>, MemoryError> {
        self.memory.save()
    }

    /// Remembers what another one did. Rules that have changed since learn anew.
    ///
    /// # Errors
    /// When the bytes are no memory of this version; then nothing has changed.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), MemoryError> {
        let mut memory = Memory::load(bytes)?;
        memory.retain(|id| self.engine.rules.iter().any(|rule| rule.info.id == id));
        memory.shrink();
        self.memory = memory;
        Ok(())
    }

    /// How much it remembers.
    #[must_use]
    pub fn usage(&self) -> MemoryUse {
        self.memory.usage()
    }
}

/// What comes of the rules that match one event.
struct Seeing<'a> {
    engine: &'a Engine,
    memory: &'a mut Memory,
    alerts: Vec<Alert>,
}

/// A rule, and by what it matched.
#[derive(Clone, Copy)]
struct Match<'a> {
    rule: &'a Compiled,
    root: &'a RuleRoot,
}

/// What is left to do about a match.
enum Next {
    /// It is a step of a correlation.
    Step(u8),
    /// Whatever the rule does.
    Rule,
    /// An alert about what was learned.
    Raise(Story),
}

impl<'a> Seeing<'a> {
    /// The rules with these places in the program. Those that learn only what can be told as it is have learned it then,
    /// and are left out unless it was odd: nearly every event is learned from.
    fn matches<'r, E: Event + ?Sized>(
        &mut self,
        places: &[u32],
        run: &mut Run<'r, '_, E>,
    ) -> Vec<(Match<'r>, Next)>
    where
        'a: 'r,
    {
        let engine: &'r Engine = self.engine;
        let mut matches = Vec::new();
        for place in places {
            let place = usize::try_from(*place).ok();
            let root = place.and_then(|place| run.program().rules.get(place));
            let target = root.and_then(|root| {
                let index = usize::try_from(root.rule).ok()?;
                let found = engine.targets.get(index)?;
                let rule = engine.rules.get(found.rule)?;
                Some((Match { rule, root }, found.step))
            });
            let Some((matched, step)) = target else {
                continue;
            };
            let next = match (step, &matched.rule.behaviour) {
                (Some(step), _) => Some(Next::Step(step)),
                (None, Behaviour::Learn { is_plain: true, .. }) => {
                    self.learn(run, matched.rule).map(Next::Raise)
                }
                (None, _) => Some(Next::Rule),
            };
            matches.extend(next.map(|next| (matched, next)));
        }
        matches
    }

    /// What comes of them. `run` is the event that they matched, `told` the same as it may be told.
    fn tell<E: Event + ?Sized, T: Event + ?Sized>(
        &mut self,
        matches: Vec<(Match<'_>, Next)>,
        run: &mut Run<'_, '_, E>,
        told: &mut Run<'_, '_, T>,
    ) {
        for (matched, next) in matches {
            if self.engine.matching == Matching::First && !self.alerts.is_empty() {
                return;
            }
            match (next, &matched.rule.behaviour) {
                (Next::Step(step), _) => self.correlate(run, told, matched, step, None),
                (Next::Raise(story), _) => self.raise(run, told, matched, story),
                (Next::Rule, Behaviour::Alert) => {
                    self.raise(run, told, matched, Story::default());
                }
                (Next::Rule, Behaviour::Correlate { .. }) => {
                    self.correlate(run, told, matched, 0, None);
                }
                (Next::Rule, Behaviour::Learn { .. }) => {
                    if let Some(story) = self.learn(told, matched.rule) {
                        self.raise(run, told, matched, story);
                    }
                }
            }
        }
    }

    /// Learns from an event, and says what is odd about it.
    fn learn<E: Event + ?Sized>(
        &mut self,
        run: &mut Run<'_, '_, E>,
        rule: &Compiled,
    ) -> Option<Story> {
        let Behaviour::Learn {
            habit,
            group,
            fields,
            digest,
            ..
        } = &rule.behaviour
        else {
            return None;
        };
        let group_values = values(group, run, true)?;
        let field_values = values(fields, run, false)?;
        let time = run.event().time();
        let habits = self.memory.habits(&rule.info.id, digest);
        let surprise = habits.add(&joined(&group_values), &field_values, time, habit)?;
        Some(Story {
            reasons: baseline(&surprise, group, &group_values, fields, &field_values),
            ..Story::default()
        })
    }

    /// An event that counts towards a correlation. `sample` is what is said of it, when another rule says it.
    fn correlate<E: Event + ?Sized, T: Event + ?Sized>(
        &mut self,
        run: &mut Run<'_, '_, E>,
        told: &mut Run<'_, '_, T>,
        matched: Match<'_>,
        step: u8,
        sample: Option<(String, String)>,
    ) {
        let rule = matched.rule;
        let Behaviour::Correlate {
            goal,
            timespan,
            groups,
            names,
            value,
            digest,
        } = &rule.behaviour
        else {
            return;
        };
        let Some(group) = groups.get(usize::from(step)) else {
            return;
        };
        let Some(group_values) = values(group, told, true) else {
            return;
        };
        let counted = match value {
            None => None,
            Some(slot) => match shown(*slot, told) {
                Some(value) => Some(clipped(value)),
                None => return,
            },
        };
        let sample = sample.unwrap_or_else(|| {
            let name = names.get(usize::from(step)).unwrap_or(&rule.info.name);
            (name.clone(), short(rule.output.render(told, 0)))
        });
        let entry = Entry {
            time: told.event().time(),
            step,
            value: counted,
            sample,
        };
        let windows = self.memory.windows(&rule.info.id, digest);
        let Some(completed) = windows.add(&joined(&group_values), entry, *goal, *timespan) else {
            return;
        };
        let reasons = correlation(&completed, *goal, names);
        // Groups are told by the names of the first step.
        let first = groups.first().unwrap_or(group);
        let named = first.0.iter().map(|(name, _)| name.clone());
        let samples = completed
            .samples
            .into_iter()
            .map(|(time, rule, output)| Sample {
                time: timestamp(time),
                rule,
                output,
            });
        let story = Story {
            reasons,
            count: completed.count,
            correlated: Some(Correlated {
                group: named.zip(group_values).collect(),
                events: completed.events,
                first: timestamp(completed.first),
                last: timestamp(completed.last),
                samples: samples.collect(),
            }),
        };
        self.raise(run, told, matched, story);
    }

    /// The alert, unless the rule is off, and what it means for correlations of which the rule is a step.
    fn raise<E: Event + ?Sized, T: Event + ?Sized>(
        &mut self,
        run: &mut Run<'_, '_, E>,
        told: &mut Run<'_, '_, T>,
        matched: Match<'_>,
        story: Story,
    ) {
        let rule = matched.rule;
        let alert = told.alert(rule, &run.decided(matched.root), story);
        let sample = || (rule.info.name.clone(), short(alert.output.clone()));
        for (other, step) in &rule.feeds {
            if let Some(rule) = self.engine.rules.get(*other) {
                let other = Match { rule, ..matched };
                self.correlate(run, told, other, *step, Some(sample()));
            }
        }
        if rule.info.is_enabled {
            self.alerts.push(alert);
        }
    }
}

fn scratch(engine: &Engine) -> Vec<(Scratch, Scratch)> {
    engine.programs.iter().map(|_| Default::default()).collect()
}

/// The values of fields; nothing when one is missing and all must be there.
fn values<E: Event + ?Sized>(
    fields: &Grouping,
    run: &mut Run<'_, '_, E>,
    is_strict: bool,
) -> Option<Vec<String>> {
    let mut values = Vec::with_capacity(fields.0.len());
    for (_, slot) in &fields.0 {
        match shown(*slot, run) {
            Some(value) => values.push(clipped(value)),
            None if is_strict => return None,
            None => values.push(String::new()),
        }
    }
    Some(values)
}

fn clipped(mut value: String) -> String {
    if let Some((at, _)) = value.char_indices().nth(MOST_CHARACTERS) {
        value.truncate(at);
    }
    value
}

fn joined(values: &[String]) -> String {
    values.join("\u{1f}")
}

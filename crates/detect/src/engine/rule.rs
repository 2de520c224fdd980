//! A rule as others see it, and as the engine has it.

use std::collections::BTreeMap;

use seareeve_model::{AlertSeverity, Digest, Priority};
use serde_json::Value;

use crate::compile::SlotId;
use crate::detection::{Example, Habit};
use crate::memory::Goal;
use crate::template::Template;

/// What there is to know about a rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The detection's id; made of the name for rules that have none.
    pub id: String,
    /// Its name, unique among all; a detection's title.
    pub name: String,
    /// Which events it looks at.
    pub source: String,
    /// Whether it can raise alerts.
    pub is_enabled: bool,
    /// As Falco rates it.
    pub priority: Priority,
    /// As people sort it.
    pub severity: AlertSeverity,
    /// As others rated it, by edition.
    pub severities: BTreeMap<String, AlertSeverity>,
    /// What others call it.
    pub aliases: Vec<String>,
    /// ATT&CK's tactics.
    pub tactics: Vec<String>,
    /// ATT&CK's techniques.
    pub techniques: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// What it is about, with the names of fields.
    pub description: String,
    /// What to do, with the names of fields.
    pub remediation: Vec<String>,
    /// Who does this for good reasons.
    pub false_positives: Vec<String>,
    /// Addresses with more about it.
    pub references: Vec<String>,
    /// Its condition as it is written.
    pub condition: String,
    /// Its output as it is written.
    pub output: String,
    /// What the source has to deliver for it; not looked at here.
    pub coverage: Value,
    /// Whether one event is enough.
    pub kind: RuleKind,
    /// What it says of made-up events.
    pub examples: Vec<Example>,
    /// The fields that its condition names.
    pub fields: Vec<String>,
    /// The lists that its condition and the macros in it name.
    pub lists: Vec<String>,
    /// Of everything that it is made of.
    pub content: Digest,
    /// The file that it stands in.
    pub file: String,
    /// The line at which it begins.
    pub line: usize,
    /// Whether it is a detection rather than a rule of Falco's.
    pub is_detection: bool,
}

/// What of several events a rule wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// One is enough.
    Single,
    /// Several together.
    Correlation,
    /// One that is out of the habit.
    Baseline,
}

/// A rule in the engine.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) info: Rule,
    /// Of its source, among the engine's.
    pub(crate) program: usize,
    /// What it matches, in the program; nothing for a correlation with steps.
    pub(crate) root: Option<crate::compile::NodeId>,
    pub(crate) output: Template,
    pub(crate) description: Template,
    pub(crate) remediation: Vec<Template>,
    pub(crate) entities: Vec<CompiledEntity>,
    pub(crate) properties: Vec<(String, Template)>,
    /// By what its alerts are the same one again.
    pub(crate) aggregate: Vec<SlotId>,
    pub(crate) behaviour: Behaviour,
    /// Correlations of which it is a step.
    pub(crate) feeds: Vec<(usize, u8)>,
}

#[derive(Debug)]
pub(crate) struct CompiledEntity {
    pub(crate) kind: String,
    pub(crate) fields: Vec<(String, Result<SlotId, String>)>,
}

/// What happens when a rule matches an event.
#[derive(Debug)]
pub(crate) enum Behaviour {
    Alert,
    Correlate {
        goal: Goal,
        timespan: u64,
        /// By step; one for those without.
        groups: Vec<Grouping>,
        names: Vec<String>,
        /// Whose values are counted.
        value: Option<SlotId>,
        digest: [u8; 32],
    },
    Learn {
        habit: Habit,
        group: Grouping,
        fields: Grouping,
        /// What is learned can be told as it is.
        is_plain: bool,
        digest: [u8; 32],
    },
}

/// Fields whose values belong together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grouping(pub(crate) Vec<(String, SlotId)>);

/// What a root of a program is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) rule: usize,
    /// A step of it.
    pub(crate) step: Option<u8>,
}

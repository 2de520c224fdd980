//! What people change about rules and lists without touching the files: rules go on and off, weigh more or less, do not
//! match what is expected, and lists have more or fewer items.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_model::{AlertSeverity, Digest};
use sha2::{Digest as _, Sha256};

use super::Loader;
use super::ids::Ids;
use crate::engine::{Engine, Rule};
use crate::language::Operation;
use crate::rules::{Code, Entry, Exception, Fault, MOST_EXCEPTIONS, RuleEntry, Spot, literal};

/// Items of a list that are added at most.
const MOST_ADDED: usize = 100_000;

/// Changes to what files say. Rules are known by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    /// Rules that are on or off, whatever their file says.
    pub switches: BTreeMap<String, bool>,
    /// How much the alerts of rules weigh.
    pub severities: BTreeMap<String, AlertSeverity>,
    /// What rules do not match although their condition holds.
    pub exceptions: Vec<TunedException>,
    /// Lists, by name.
    pub lists: BTreeMap<String, TunedList>,
}

/// An exception, as Falco has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunedException {
    /// The rule's id.
    pub rule: String,
    /// By what messages name it.
    pub name: String,
    /// The fields that are compared.
    pub fields: Vec<String>,
    /// How: one operator for each field; `=` for all when there are none.
    pub comparisons: Vec<String>,
    /// Rows, of which one has to fit: one value for each field.
    pub rows: Vec<Vec<TunedValue>>,
}

/// What a field of an exception is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TunedValue {
    /// A text, or the name of a list.
    One(String),
    /// Several, for operators that take a list.
    Many(Vec<String>),
}

/// Changes to a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TunedList {
    /// Items that are there, too.
    pub added: BTreeSet<String>,
    /// Items that are not.
    pub removed: BTreeSet<String>,
}

/// A list as conditions see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedList {
    /// By which conditions name it.
    pub name: String,
    /// Its items; those that are lists by their names.
    pub items: Vec<String>,
    /// The file that it stands in.
    pub file: String,
}

impl Loader {
    /// All lists of the files so far.
    #[must_use]
    pub fn lists(&self) -> Vec<NamedList> {
        let lists = self.book.lists.entries.iter();
        let info = lists.map(|list| NamedList {
            name: list.name.clone(),
            items: list.items.clone(),
            file: self.book.files.name(list.spot.file).to_owned(),
        });
        info.collect()
    }

    /// Changes what the files so far say. What cannot be done is noted, under the name `named` in place of a file's.
    /// A change of something that is not there is a warning: it may have been there in another version.
    pub fn tune(&mut self, tuning: &Tuning, named: &str) {
        let file = self.book.files.add(named, "");
        let spot = Spot {
            file,
            ..Spot::default()
        };
        for (name, change) in &tuning.lists {
            if let Err(fault) = self.tune_list(name, change, spot) {
                let item = format!("list '{name}'");
                self.book.note(fault.code, fault.spot, &item, fault.message);
            }
        }
        for (id, is_on) in &tuning.switches {
            match self.entry(id) {
                Some(entry) => entry.switch.is_enabled = *is_on,
                None => self.not_there(spot, id),
            }
        }
        for exception in &tuning.exceptions {
            if let Err(fault) = self.except(exception, spot) {
                let item = format!("rule '{}'", exception.rule);
                self.book.note(fault.code, fault.spot, &item, fault.message);
            }
        }
        for id in tuning.severities.keys() {
            if self.entry(id).is_none() {
                self.not_there(spot, id);
            }
        }
        self.severities.clone_from(&tuning.severities);
    }

    fn not_there(&mut self, spot: Spot, id: &str) {
        let message = format!("there is no rule {id}, so that nothing is changed about it");
        self.book.note(Code::UnknownItem, spot, "", message);
    }

    fn entry(&mut self, id: &str) -> Option<&mut RuleEntry> {
        let ids = Ids::of(&self.book);
        let entries = &self.book.rules.entries;
        let place = entries.iter().position(|entry| ids.id(entry) == id)?;
        self.book.rules.entries.get_mut(place)
    }

    fn tune_list(&mut self, name: &str, change: &TunedList, spot: Spot) -> Result<(), Fault> {
        let Some(list) = self.book.lists.get_mut(name) else {
            let message = format!("there is no list {name}, so that nothing is changed about it");
            return Err(Fault::new(Code::UnknownItem, spot, message));
        };
        if change.added.len() > MOST_ADDED {
            let message = format!("{MOST_ADDED} items are added at most");
            return Err(Fault::new(Code::Limit, spot, message));
        }
        list.items.retain(|item| !change.removed.contains(item));
        let known: BTreeSet<String> = list.items.iter().cloned().collect();
        let new = change.added.iter().filter(|item| !known.contains(*item));
        list.items.extend(new.map(|item| literal(item)));
        Ok(())
    }

    fn except(&mut self, given: &TunedException, spot: Spot) -> Result<(), Fault> {
        let Some(entry) = self.entry(&given.rule) else {
            self.not_there(spot, &given.rule);
            return Ok(());
        };
        let fault = |message: &str| Fault::new(Code::Validate, spot, message);
        let has_steps = entry
            .details
            .as_ref()
            .and_then(|details| details.correlation.as_ref())
            .is_some_and(|correlation| !correlation.steps.is_empty());
        if has_steps {
            return Err(fault(
                "a correlation of steps has no condition of its own: except something from the rules that are its steps",
            ));
        }
        if entry.exceptions.len() >= MOST_EXCEPTIONS {
            let message = format!("more than {MOST_EXCEPTIONS} exceptions");
            return Err(Fault::new(Code::Limit, spot, message));
        }
        let texts = |texts: &[String]| texts.iter().cloned().map(Entry::One).collect();
        let wants_list: Vec<bool> = given
            .comparisons
            .iter()
            .map(|text| Operation::parse(text).is_some_and(Operation::wants_list))
            .collect();
        let row = |row: &Vec<TunedValue>| {
            let values = row.iter().enumerate().map(|(at, value)| match value {
                TunedValue::Many(items) => {
                    Entry::Many(items.iter().map(|item| Entry::One(literal(item))).collect())
                }
                // Of one text, too, a list: what begins with a parenthesis would be taken for one.
                TunedValue::One(text) if wants_list.get(at) == Some(&true) => {
                    Entry::Many(vec![Entry::One(literal(text))])
                }
                TunedValue::One(text) => Entry::One(literal(text)),
            });
            Entry::Many(values.collect())
        };
        let mut exception = Exception {
            name: given.name.clone(),
            fields: Some(Entry::Many(texts(&given.fields))),
            comparisons: (!given.comparisons.is_empty())
                .then(|| Entry::Many(texts(&given.comparisons))),
            values: given.rows.iter().map(row).collect(),
            spot,
        };
        exception.complete()?;
        entry.exceptions.push(exception);
        Ok(())
    }
}

/// Gives rules the severities that people chose.
pub(super) fn weigh(engine: &mut Engine, severities: &BTreeMap<String, AlertSeverity>) {
    for rule in &mut engine.rules {
        if let Some(severity) = severities.get(&rule.info.id) {
            weigh_rule(&mut rule.info, *severity);
        }
    }
}

fn weigh_rule(rule: &mut Rule, severity: AlertSeverity) {
    if rule.severity == severity {
        return;
    }
    rule.severity = severity;
    let mut content = Sha256::new();
    content.update(rule.content.to_string());
    content.update(severity.as_str());
    rule.content = Digest::sha256(&content.finalize().into());
}

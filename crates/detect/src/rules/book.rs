//! All lists, macros and rules of a load, by name and in order: later files redefine, append to and override what
//! earlier ones say.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_model::Priority;

use super::diagnostic::{Code, Diagnostic};
use super::exceptions::{Exception, except};
use super::item::Fault;
use super::lists::{MOST_TEXT, literal};
use super::located::{Files, Located, Spot};
use crate::detection::Details;

/// Rules, macros and lists of one load at most, each.
const MOST: usize = 30_000;
/// Items of all lists at most.
const MOST_ITEMS: usize = 1_000_000;

/// What files said so far.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) files: Files,
    pub(crate) lists: Named<ListEntry>,
    pub(crate) macros: Named<MacroEntry>,
    pub(crate) rules: Named<RuleEntry>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    items: usize,
    order: usize,
}

/// Things by name, in the order of their first definition.
#[derive(Debug)]
pub(crate) struct Named<T> {
    pub(crate) entries: Vec<T>,
    names: BTreeMap<String, usize>,
}

#[derive(Debug)]
pub(crate) struct ListEntry {
    pub(crate) name: String,
    pub(crate) items: Vec<String>,
    pub(crate) spot: Spot,
    pub(crate) scope: Scope,
    /// Ours: nobody is told when it is not used.
    pub(crate) is_shared: bool,
}

#[derive(Debug)]
pub(crate) struct MacroEntry {
    pub(crate) name: String,
    pub(crate) condition: Located,
    pub(crate) spot: Spot,
    pub(crate) scope: Scope,
    /// Ours: nobody is told when it is not used.
    pub(crate) is_shared: bool,
}

/// A rule as files say it.
#[derive(Clone, Debug)]
pub(crate) struct RuleEntry {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) condition: Located,
    pub(crate) output: Located,
    pub(crate) description: String,
    pub(crate) priority: Priority,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) switch: Switch,
    pub(crate) spot: Spot,
    /// What a detection says beyond a rule of Falco's.
    pub(crate) details: Option<Box<Details>>,
}

/// What is on or off for a rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switch {
    pub(crate) is_enabled: bool,
    pub(crate) warns_of_types: bool,
    pub(crate) skips_unknown: bool,
}

/// What of earlier definitions something sees.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scope {
    /// When it was first defined.
    pub(crate) index: usize,
    /// When it was last changed: it sees what was defined before.
    pub(crate) visibility: usize,
}

pub(crate) trait HasName {
    fn name(&self) -> &str;
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            names: BTreeMap::new(),
        }
    }
}

impl<T: HasName> Named<T> {
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.entries.get(self.position(name)?)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        let at = self.position(name)?;
        self.entries.get_mut(at)
    }

    /// Adds something, in the place of what has its name.
    fn put(&mut self, entry: T) -> bool {
        if let Some(known) = self.get_mut(entry.name()) {
            *known = entry;
            return true;
        }
        if self.entries.len() >= MOST {
            return false;
        }
        self.names
            .insert(entry.name().to_owned(), self.entries.len());
        self.entries.push(entry);
        true
    }
}

impl HasName for ListEntry {
    fn name(&self) -> &str {
        &self.name
    }
}

impl HasName for MacroEntry {
    fn name(&self) -> &str {
        &self.name
    }
}

impl HasName for RuleEntry {
    fn name(&self) -> &str {
        &self.name
    }
}

impl RuleEntry {
    /// The condition with the exceptions.
    ///
    /// # Errors
    /// When values of an exception do not fit their fields.
    pub(crate) fn whole_condition(&self) -> Result<Located, Fault> {
        except(&self.condition, &self.exceptions)
    }
}

impl Book {
    fn next(&mut self) -> usize {
        let order = self.order;
        self.order = order.saturating_add(1);
        order
    }

    /// Defines a list, or replaces its items.
    pub(crate) fn define_list(&mut self, mut entry: ListEntry) -> Result<(), Fault> {
        self.count(entry.items.len(), entry.spot)?;
        let visibility = self.next();
        let known = self.lists.get(&entry.name);
        entry.scope = Scope {
            index: known.map_or(visibility, |known| known.scope.index),
            visibility,
        };
        let spot = entry.spot;
        self.lists
            .put(entry)
            .then_some(())
            .ok_or_else(|| too_many(spot, "lists"))
    }

    pub(super) fn append_list(&mut self, entry: ListEntry) -> Result<(), Fault> {
        self.count(entry.items.len(), entry.spot)?;
        let visibility = self.next();
        let Some(known) = self.lists.get_mut(&entry.name) else {
            return Err(Fault::new(
                Code::Validate,
                entry.spot,
                "list uses 'append' or 'override', but no list by that name already exists",
            ));
        };
        known.items.extend(entry.items);
        known.scope.visibility = visibility;
        Ok(())
    }

    /// Adds items of others to a list that is there. Its place among others stays: they are texts, whatever is in them,
    /// and no names of lists.
    pub(crate) fn extend_list(&mut self, name: &str, items: &[String]) -> bool {
        let total = self.items.saturating_add(items.len());
        if total > MOST_ITEMS {
            return false;
        }
        let texts = items.iter().map(|item| match self.lists.get(item) {
            Some(_) => format!("\"{item}\""),
            None => literal(item),
        });
        let texts: Vec<String> = texts.collect();
        let Some(known) = self.lists.get_mut(name) else {
            return false;
        };
        // A list that is too long for a condition would cost the rules that name it.
        let bytes = known.items.iter().chain(&texts).map(|text| text.len() + 2);
        if bytes.sum::<usize>() > MOST_TEXT {
            return false;
        }
        known.items.extend(texts);
        self.items = total;
        true
    }

    pub(crate) fn define_macro(&mut self, mut entry: MacroEntry) -> Result<(), Fault> {
        let visibility = self.next();
        let known = self.macros.get(&entry.name);
        entry.scope = Scope {
            index: known.map_or(visibility, |known| known.scope.index),
            visibility,
        };
        let spot = entry.spot;
        self.macros
            .put(entry)
            .then_some(())
            .ok_or_else(|| too_many(spot, "macros"))
    }

    pub(super) fn append_macro(&mut self, entry: &MacroEntry) -> Result<(), Fault> {
        let visibility = self.next();
        let Some(known) = self.macros.get_mut(&entry.name) else {
            return Err(Fault::new(
                Code::Validate,
                entry.spot,
                "macro uses 'append' or 'override', but no macro by that name already exists",
            ));
        };
        known.condition.push_str(" ");
        known.condition.push(&entry.condition);
        known.scope.visibility = visibility;
        Ok(())
    }

    /// Defines a rule, or replaces it whole.
    pub(crate) fn define_rule(&mut self, mut entry: RuleEntry) -> Result<(), Fault> {
        for exception in &mut entry.exceptions {
            exception.complete()?;
        }
        self.same_source(&entry.name, &entry.source, entry.spot)?;
        let spot = entry.spot;
        self.rules
            .put(entry)
            .then_some(())
            .ok_or_else(|| too_many(spot, "rules"))
    }

    /// Whether a rule of this name has this source, when both are known.
    pub(super) fn same_source(&self, name: &str, source: &str, spot: Spot) -> Result<(), Fault> {
        let known = self.rules.get(name);
        let differs = known.is_some_and(|known| !source.is_empty() && known.source != source);
        if differs {
            return Err(Fault::new(
                Code::Validate,
                spot,
                "rule has been re-defined with a different source",
            ));
        }
        Ok(())
    }

    /// Notes what is wrong.
    pub(crate) fn note(&mut self, code: Code, spot: Spot, item: &str, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic {
            file: self.files.name(spot.file).to_owned(),
            line: spot.at.line,
            column: spot.at.column,
            code,
            item: item.to_owned(),
            message: message.into(),
        });
    }

    fn count(&mut self, items: usize, spot: Spot) -> Result<(), Fault> {
        self.items = self.items.saturating_add(items);
        if self.items > MOST_ITEMS {
            let message = format!("more than {MOST_ITEMS} items of lists");
            return Err(Fault::new(Code::Limit, spot, message));
        }
        Ok(())
    }
}

fn too_many(spot: Spot, what: &str) -> Fault {
    Fault::new(Code::Limit, spot, format!("more than {MOST} {what}"))
}

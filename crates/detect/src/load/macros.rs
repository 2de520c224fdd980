//! Lists and macros, ready for conditions to use them.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use super::compile::named_macros;
use crate::compile::{MacroResolver, Resolved};
use crate::language::{Expr, SyntaxError, parse_condition};
use crate::rules::{Book, Located, Substituted, substitute};

/// Bytes of all conditions with their lists at most, and of the items of all lists with those of the lists in them.
const MOST_TEXT: usize = 256 << 20;
/// Bytes that an item takes beside its text.
const ITEM: usize = 64;

/// The lists of a load with the items of those within them.
pub(super) struct Lists<'b> {
    numbers: HashMap<&'b str, usize>,
    items: Vec<Vec<String>>,
    /// Lists that have no items here, since they have more than can be kept.
    too_long: BTreeSet<usize>,
    used: RefCell<BTreeSet<usize>>,
    text: RefCell<usize>,
}

/// A condition as it was read.
pub(super) struct Parsed {
    pub(super) expr: Result<Expr, SyntaxError>,
    pub(super) substituted: Substituted,
}

/// The macros of a load.
pub(super) struct Macros<'b> {
    book: &'b Book,
    pub(super) parsed: Vec<Parsed>,
}

impl<'b> Lists<'b> {
    pub(super) fn new(book: &'b Book) -> Self {
        let entries = &book.lists.entries;
        let names = entries.iter().enumerate();
        let numbers: HashMap<&str, usize> = names
            .map(|(number, list)| (list.name.as_str(), number))
            .collect();
        let weight = |items: &[String]| -> usize {
            let weights = items.iter().map(|item| item.len().saturating_add(ITEM));
            weights.fold(0, usize::saturating_add)
        };
        let mut items: Vec<Vec<String>> = Vec::with_capacity(entries.len());
        let mut weights: Vec<usize> = Vec::with_capacity(entries.len());
        let mut used = BTreeSet::new();
        let mut too_long = BTreeSet::new();
        let mut total = 0_usize;
        for (place, list) in entries.iter().enumerate() {
            let mut own = Vec::with_capacity(list.items.len());
            let mut bytes = 0_usize;
            for item in &list.items {
                let number = numbers.get(item.as_str()).copied();
                let known = number.and_then(|number| Some((number, entries.get(number)?)));
                let known = known.filter(|(_, other)| other.scope.index < list.scope.visibility);
                let (added, weighs) = match known {
                    None => (std::slice::from_ref(item), item.len().saturating_add(ITEM)),
                    Some((number, other)) => {
                        used.insert(number);
                        if too_long.contains(&number) {
                            too_long.insert(place);
                        }
                        // Earlier ones have the items of those within them by now.
                        match (items.get(number), weights.get(number)) {
                            (Some(items), Some(weight)) => (items.as_slice(), *weight),
                            _ => (other.items.as_slice(), weight(&other.items)),
                        }
                    }
                };
                bytes = bytes.saturating_add(weighs);
                if bytes.saturating_add(total) > MOST_TEXT || too_long.contains(&place) {
                    too_long.insert(place);
                    (own, bytes) = (Vec::new(), 0);
                    break;
                }
                own.extend_from_slice(added);
            }
            total = total.saturating_add(bytes);
            items.push(own);
            weights.push(bytes);
        }
        Self {
            numbers,
            items,
            too_long,
            used: RefCell::new(used),
            text: RefCell::new(0),
        }
    }

    /// Reads a condition with its lists.
    pub(super) fn parse(&self, condition: &str) -> Parsed {
        let too_long = || SyntaxError {
            at: 0,
            message: "too long with the items of its lists".to_owned(),
        };
        let Some(substituted) = substitute(condition, &self.numbers, &self.items) else {
            return Parsed {
                expr: Err(too_long()),
                substituted: Substituted::default(),
            };
        };
        self.used.borrow_mut().extend(&substituted.used);
        let mut text = self.text.borrow_mut();
        *text = text.saturating_add(substituted.text.len());
        if *text > MOST_TEXT || !self.too_long.is_disjoint(&substituted.used) {
            return Parsed {
                expr: Err(too_long()),
                substituted,
            };
        }
        Parsed {
            expr: parse_condition(&substituted.text),
            substituted,
        }
    }

    /// The lists that somebody uses.
    pub(super) fn used(&self) -> BTreeSet<usize> {
        self.used.borrow().clone()
    }
}

impl<'b> Macros<'b> {
    pub(super) fn new(book: &'b Book, lists: &Lists<'_>) -> Self {
        let entries = book.macros.entries.iter();
        Self {
            book,
            parsed: entries
                .map(|entry| lists.parse(&entry.condition.text))
                .collect(),
        }
    }

    /// The lists that a condition and the macros in it name.
    pub(super) fn lists_of(&self, parsed: &Parsed, lists: &mut BTreeSet<usize>) {
        lists.extend(&parsed.substituted.used);
        let mut seen = BTreeSet::new();
        let mut names = BTreeSet::new();
        if let Ok(expr) = &parsed.expr {
            named_macros(expr, &mut names);
        }
        while let Some(name) = names.pop_first() {
            let Some(number) = self.book.macros.position(name).filter(|n| seen.insert(*n)) else {
                continue;
            };
            let Some(parsed) = self.parsed.get(number) else {
                continue;
            };
            lists.extend(&parsed.substituted.used);
            if let Ok(expr) = &parsed.expr {
                named_macros(expr, &mut names);
            }
        }
    }

    /// A macro's condition as it is written, and what it was read as.
    pub(super) fn get(&self, number: usize) -> Option<(&Located, &Parsed)> {
        let entry = self.book.macros.entries.get(number)?;
        Some((&entry.condition, self.parsed.get(number)?))
    }
}

impl MacroResolver for Macros<'_> {
    fn resolve(&self, name: &str, within: Option<usize>) -> Result<Resolved<'_>, String> {
        let unknown = || format!("undefined macro '{name}' used in filter");
        let number = self.book.macros.position(name).ok_or_else(unknown)?;
        let entries = &self.book.macros.entries;
        let entry = entries.get(number).ok_or_else(unknown)?;
        // Rules see all macros; macros those that were there when they were written.
        let user = within.and_then(|within| entries.get(within));
        if user.is_some_and(|user| entry.scope.index > user.scope.visibility) {
            return Err(unknown());
        }
        match self.parsed.get(number).map(|parsed| &parsed.expr) {
            Some(Ok(condition)) => Ok(Resolved { number, condition }),
            Some(Err(_)) | None => Err(format!("macro '{name}' cannot be used")),
        }
    }
}

//! `override` and the older `append`: later files change single keys of what earlier ones define.

use std::collections::BTreeMap;

use super::book::{Book, RuleEntry};
use super::diagnostic::Code;
use super::exceptions::Exception;
use super::item::{Fault, Item};
use super::reader::{MOST_EXCEPTIONS, priority, read_exceptions};

/// The keys of rules that can be appended to.
pub(super) const RULE_APPEND: &[&str] = &["condition", "output", "desc", "tags", "exceptions"];
/// The keys of rules that can be replaced.
pub(super) const RULE_REPLACE: &[&str] = &[
    "condition",
    "output",
    "desc",
    "priority",
    "capture",
    "capture_duration",
    "tags",
    "exceptions",
    "enabled",
    "warn_evttypes",
    "skip-if-unknown-filter",
];

/// What is done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Append,
    Replace,
}

/// The `override` of an item: what is done with which key.
#[derive(Debug, Default)]
pub(super) struct Overrides(BTreeMap<String, Mode>);

impl Overrides {
    pub(super) fn read(item: Item<'_>, append: &[&str], replace: &[&str]) -> Result<Self, Fault> {
        let Some(node) = item.node.get("override") else {
            return Ok(Self::default());
        };
        let Some(pairs) = node.pairs() else {
            return Err(item.fault(node, "the value of 'override' must be a mapping"));
        };
        let mut modes = BTreeMap::new();
        for (key, value) in pairs {
            let name = key.text().unwrap_or_default();
            let (may_append, may_replace) = (append.contains(&name), replace.contains(&name));
            let mode = match value.text() {
                Some("append") if may_append => Mode::Append,
                Some("append") => {
                    let message =
                        format!("key '{name}' cannot be appended to, use 'replace' instead");
                    return Err(item.fault(key, message));
                }
                Some("replace") if may_replace => Mode::Replace,
                Some("replace") => {
                    return Err(item.fault(key, format!("key '{name}' cannot be replaced")));
                }
                other => {
                    let operation = other.unwrap_or_default();
                    let message =
                        format!("invalid override operation for key '{name}': '{operation}'");
                    return Err(item.fault(value, message));
                }
            };
            modes.insert(name.to_owned(), mode);
        }
        Ok(Self(modes))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn mode(&self, key: &str) -> Option<Mode> {
        self.0.get(key).copied()
    }
}

/// `append` and `override` at once.
pub(super) fn both(item: Item<'_>) -> Fault {
    item.fault(
        item.node,
        "keys 'override' and 'append' cannot be used together",
    )
}

/// Whether a list or a macro, which have one key, is appended to.
pub(super) fn simple(
    book: &mut Book,
    item: Item<'_>,
    key: &str,
    label: &str,
) -> Result<Mode, Fault> {
    let is_append = item.flag("append")?.unwrap_or_default();
    if is_append {
        let message = "'append' key is deprecated, use 'override' instead";
        book.note(Code::DeprecatedItem, item.spot(), label, message);
    }
    let overrides = Overrides::read(item, &[key], &[key])?;
    if is_append && !overrides.is_empty() {
        return Err(both(item));
    }
    let is_append = is_append || overrides.mode(key) == Some(Mode::Append);
    Ok(if is_append {
        Mode::Append
    } else {
        Mode::Replace
    })
}

/// `append: true` of a rule: its condition and exceptions are added.
pub(super) fn append_rule(
    book: &mut Book,
    item: Item<'_>,
    name: &str,
    label: &str,
) -> Result<(), Fault> {
    let exceptions = read_exceptions(book, item, label, true)?;
    let condition = item.has("condition").then(|| item.located("condition"));
    let condition = condition.transpose()?;
    change(book, item, name, |known| {
        if condition.is_none() && !item.has("exceptions") {
            let message = "appended rule must have exceptions or condition property";
            return Err(Fault::new(Code::Validate, item.spot(), message));
        }
        if let Some(condition) = &condition {
            known.condition.push_str(" ");
            known.condition.push(condition);
        }
        append_exceptions(known, exceptions)
    })
}

/// `override` of a rule. All keys that it has are named there, and all that are named there it has.
pub(super) fn rule(
    book: &mut Book,
    item: Item<'_>,
    name: &str,
    overrides: &Overrides,
    label: &str,
) -> Result<(), Fault> {
    for (key, mode) in &overrides.0 {
        if !item.has(key) {
            let mode = match mode {
                Mode::Append => "append",
                Mode::Replace => "replace",
            };
            let message =
                format!("an {mode} override for '{key}' was specified but '{key}' is not defined");
            return Err(item.fault(item.node, message));
        }
    }
    for key in RULE_APPEND.iter().chain(RULE_REPLACE) {
        if let Some(node) = item.node.get(key).filter(|_| overrides.mode(key).is_none()) {
            let message = format!(
                "unexpected key '{key}': no corresponding entry under 'override' is defined"
            );
            return Err(item.fault(node, message));
        }
    }
    let is_append = overrides.mode("exceptions") == Some(Mode::Append);
    let exceptions = read_exceptions(book, item, label, is_append)?;
    change(book, item, name, |known| {
        apply(item, overrides, exceptions, known)
    })
}

fn apply(
    item: Item<'_>,
    overrides: &Overrides,
    mut exceptions: Vec<Exception>,
    known: &mut RuleEntry,
) -> Result<(), Fault> {
    for key in ["condition", "output"] {
        let Some(mode) = overrides.mode(key) else {
            continue;
        };
        let text = item.located(key)?;
        let target = if key == "output" {
            &mut known.output
        } else {
            &mut known.condition
        };
        match mode {
            Mode::Replace => *target = text,
            Mode::Append => {
                target.push_str(" ");
                target.push(&text);
            }
        }
    }
    match overrides.mode("desc") {
        None => {}
        Some(Mode::Replace) => item.text("desc")?.clone_into(&mut known.description),
        Some(Mode::Append) => {
            known.description.push(' ');
            known.description.push_str(item.text("desc")?);
        }
    }
    if let Some(mode) = overrides.mode("tags") {
        if mode == Mode::Replace {
            known.tags.clear();
        }
        known.tags.extend(item.list("tags")?.unwrap_or_default());
    }
    if overrides.mode("priority").is_some() {
        known.priority = priority(item)?;
    }
    let switches = [
        ("enabled", &mut known.switch.is_enabled),
        ("warn_evttypes", &mut known.switch.warns_of_types),
        ("skip-if-unknown-filter", &mut known.switch.skips_unknown),
    ];
    for (key, switch) in switches {
        if overrides.mode(key).is_some()
            && let Some(value) = item.flag(key)?
        {
            *switch = value;
        }
    }
    match overrides.mode("exceptions") {
        None => Ok(()),
        Some(Mode::Append) => append_exceptions(known, exceptions),
        Some(Mode::Replace) => {
            for exception in &mut exceptions {
                exception.complete()?;
            }
            known.exceptions = exceptions;
            Ok(())
        }
    }
}

/// Changes a rule that is there. One that cannot be changed as the item says stays as it is.
fn change(
    book: &mut Book,
    item: Item<'_>,
    name: &str,
    change: impl FnOnce(&mut RuleEntry) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let source = item.node.get("source").and_then(|node| node.text());
    book.same_source(name, source.unwrap_or_default(), item.spot())?;
    let Some(known) = book.rules.get_mut(name) else {
        let message = "rule uses 'append' or 'override', but no rule by that name already exists";
        return Err(Fault::new(Code::Validate, item.spot(), message));
    };
    let mut changed = known.clone();
    change(&mut changed)?;
    *known = changed;
    Ok(())
}

fn append_exceptions(known: &mut RuleEntry, exceptions: Vec<Exception>) -> Result<(), Fault> {
    for mut exception in exceptions {
        let fault = |message: &str| Fault::new(Code::Validate, exception.spot, message);
        let mut before = known.exceptions.iter_mut();
        let Some(before) = before.find(|before| before.name == exception.name) else {
            if exception.fields.is_none() {
                return Err(fault(
                    "rule exception must have fields property with a list of fields",
                ));
            }
            if exception.values.is_empty() {
                return Err(fault(
                    "rule exception must have values property with a list of values",
                ));
            }
            if known.exceptions.len() >= MOST_EXCEPTIONS {
                let message = format!("more than {MOST_EXCEPTIONS} exceptions");
                return Err(Fault::new(Code::Limit, exception.spot, message));
            }
            exception.complete()?;
            known.exceptions.push(exception);
            continue;
        };
        if exception.fields.is_some() {
            return Err(fault(
                "can not append exception fields to existing exception, only values",
            ));
        }
        if exception.comparisons.is_some() {
            return Err(fault(
                "can not append exception comps to existing exception, only values",
            ));
        }
        before.values.extend(exception.values);
    }
    Ok(())
}

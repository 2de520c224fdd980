//! Falco's rule files: one sequence of objects per document.

use std::collections::BTreeSet;

use seareeve_model::Priority;

use super::book::{Book, ListEntry, MacroEntry, RuleEntry, Scope, Switch};
use super::diagnostic::Code;
use super::exceptions::{Entry, Exception};
use super::item::{Fault, Item};
use super::located::FileId;
use super::overrides::{self, Mode, Overrides};
use crate::source::Source;
use crate::yaml::Node;
use std::sync::Arc;

/// The version of Falco's engine whose files these are: what `required_engine_version` asks for.
pub(crate) const ENGINE: (u32, u32, u32) = (0, 63, 0);
/// Bytes of a file at most.
pub(crate) const MOST_BYTES: usize = 16 << 20;

/// Exceptions of a rule at most.
pub(crate) const MOST_EXCEPTIONS: usize = 1_000;

const LIST_KEYS: &[&str] = &["list", "items", "append", "override"];
const MACRO_KEYS: &[&str] = &["macro", "condition", "append", "override"];
const RULE_KEYS: &[&str] = &[
    "rule",
    "condition",
    "output",
    "desc",
    "priority",
    "source",
    "enabled",
    "capture",
    "capture_duration",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "tags",
    "exceptions",
    "override",
    "append",
];
const APPEND: &str = "'append' key is deprecated, use 'override' instead";

/// Reads one document. `is_shared`: what it defines is there for others to use, or not to.
pub(crate) fn read_document(
    book: &mut Book,
    file: FileId,
    document: &Node,
    sources: &[Arc<dyn Source>],
    is_shared: bool,
) {
    if document.is_null() {
        return;
    }
    let whole = Item {
        file,
        node: document,
    };
    let Some(items) = document.items() else {
        let message = "rules content is not a yaml array of objects";
        book.note(Code::YamlValidate, whole.spot(), "", message);
        return;
    };
    for node in items.iter().filter(|node| !node.is_null()) {
        let item = Item { file, node };
        let label = label(item);
        match read_item(book, item, sources, &label, is_shared) {
            Ok(()) => {}
            Err(fault) => {
                book.note(fault.code, fault.spot, &label, fault.message);
                // The file says itself that it is not for us.
                if item.has("required_engine_version") {
                    return;
                }
            }
        }
    }
}

/// What an item is called in messages.
fn label(item: Item<'_>) -> String {
    let named = |key: &str| {
        let name = item.node.get(key)?.text()?;
        Some(format!("{key} '{name}'"))
    };
    let kinds = ["rule", "macro", "list"];
    kinds.into_iter().find_map(named).unwrap_or_default()
}

fn read_item(
    book: &mut Book,
    item: Item<'_>,
    sources: &[Arc<dyn Source>],
    label: &str,
    is_shared: bool,
) -> Result<(), Fault> {
    if item.node.pairs().is_none() {
        let message = "unexpected element type, each element should be a yaml associative array";
        return Err(item.fault(item.node, message));
    }
    let known: &[&str] = if item.has("required_engine_version") {
        engine_version(item)?;
        &["required_engine_version"]
    } else if item.has("required_plugin_versions") {
        plugin_versions(book, item, sources)?;
        &["required_plugin_versions"]
    } else if item.has("list") {
        read_list(book, item, label, is_shared)?;
        LIST_KEYS
    } else if item.has("macro") {
        read_macro(book, item, label, is_shared)?;
        MACRO_KEYS
    } else if item.has("rule") {
        read_rule(book, item, label)?;
        RULE_KEYS
    } else {
        book.note(Code::UnknownItem, item.spot(), "", "unknown top level item");
        return Ok(());
    };
    for key in item.unknown(known) {
        let name = key.text().unwrap_or("?");
        let message = format!("unknown key '{name}', which is ignored");
        book.note(Code::UnknownKey, item.at(key), label, message);
    }
    for key in item.repeated() {
        let name = key.text().unwrap_or("?");
        let message = format!("key '{name}' a second time, which is ignored");
        book.note(Code::UnknownKey, item.at(key), label, message);
    }
    Ok(())
}

/// A number N stands for 0.N.0.
fn engine_version(item: Item<'_>) -> Result<(), Fault> {
    let text = item.text("required_engine_version")?;
    let node = item
        .node
        .get("required_engine_version")
        .unwrap_or(item.node);
    let wanted = match text.parse::<u32>() {
        Ok(minor) => Some((0, minor, 0)),
        Err(_) => version(text),
    };
    let Some(wanted) = wanted else {
        let message = format!("unable to parse engine version '{text}' as x.y.z");
        return Err(item.fault(node, message));
    };
    if wanted > ENGINE || wanted.0 != ENGINE.0 {
        let (major, minor, patch) = ENGINE;
        let message = format!(
            "rules require engine version {text}, but this engine's is {major}.{minor}.{patch}"
        );
        return Err(Fault::new(Code::Validate, item.at(node), message));
    }
    Ok(())
}

/// `1.2.3`, with a pre-release or build behind it or not.
fn version(text: &str) -> Option<(u32, u32, u32)> {
    let core = text.split(['-', '+']).next()?;
    let mut parts = core.split('.').map(str::parse::<u32>);
    let mut next = || parts.next()?.ok();
    let version = (next()?, next()?, next()?);
    parts.next().is_none().then_some(version)
}

fn plugin_versions(
    book: &mut Book,
    item: Item<'_>,
    sources: &[Arc<dyn Source>],
) -> Result<(), Fault> {
    let Some(node) = item.node.get("required_plugin_versions") else {
        return Ok(());
    };
    let Some(plugins) = node.items() else {
        return Err(item.fault(
            node,
            "the value of required_plugin_versions must be a sequence",
        ));
    };
    for plugin in plugins {
        let mut alternatives = vec![plugin];
        if let Some(others) = plugin.get("alternatives") {
            let Some(others) = others.items() else {
                let message = "the value of plugin version alternatives must be a sequence";
                return Err(item.fault(others, message));
            };
            alternatives.extend(others);
        }
        let (mut is_met, mut seen, mut names) = (false, None, BTreeSet::new());
        for node in alternatives {
            let wanted = Item { node, ..item };
            if node.pairs().is_none() {
                return Err(item.fault(node, "a plugin version must be a mapping"));
            }
            let (name, text) = (wanted.text("name")?, wanted.text("version")?);
            let Some(wants) = version(text) else {
                let message = format!("invalid required version '{text}' for plugin '{name}'");
                return Err(Fault::new(Code::Validate, item.at(node), message));
            };
            if !names.insert(name) {
                let message = format!(
                    "defined multiple alternative version requirements for plugin '{name}'"
                );
                return Err(Fault::new(Code::Validate, item.at(node), message));
            }
            let provided = sources.iter().flat_map(|source| source.provides());
            for (_, have) in provided.filter(|(known, _)| *known == name) {
                let fits = version(have).is_some_and(|have| have.0 == wants.0 && have >= wants);
                is_met |= fits;
                seen = Some((name, text, *have));
            }
        }
        if is_met {
            continue;
        }
        let names: Vec<&str> = names.into_iter().collect();
        match seen {
            Some((name, wants, have)) => {
                let message = format!("wants plugin {name} {wants}, and there is {have}");
                return Err(Fault::new(Code::Extension, item.at(plugin), message));
            }
            None => {
                let names = names.join(" or ");
                let message = format!("wants plugin {names}, of which no source has the fields");
                book.note(Code::UnknownSource, item.at(plugin), "", message);
            }
        }
    }
    Ok(())
}

fn read_list(book: &mut Book, item: Item<'_>, label: &str, is_shared: bool) -> Result<(), Fault> {
    let name = item.text("list")?.to_owned();
    let is_odd = |c: char| "()\"'=,".contains(c) || c.is_ascii_whitespace();
    if name.contains(is_odd) {
        let message = "a list's name has no blanks, quotes, parentheses, commas or equals signs";
        book.note(Code::InvalidListName, item.spot(), label, message);
    }
    let Some(items) = item.list("items")? else {
        return Err(item.fault(item.node, "there is no value for the key 'items'"));
    };
    let entry = ListEntry {
        name,
        items,
        spot: item.spot(),
        scope: Scope::default(),
        is_shared,
    };
    match overrides::simple(book, item, "items", label)? {
        Mode::Append => book.append_list(entry),
        Mode::Replace => book.define_list(entry),
    }
}

fn read_macro(book: &mut Book, item: Item<'_>, label: &str, is_shared: bool) -> Result<(), Fault> {
    let name = item.text("macro")?.to_owned();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(is_part) {
        let message = "a macro's name is letters, digits and underscores, a letter first";
        book.note(Code::InvalidMacroName, item.spot(), label, message);
    }
    let entry = MacroEntry {
        name,
        condition: item.located("condition")?,
        spot: item.spot(),
        scope: Scope::default(),
        is_shared,
    };
    match overrides::simple(book, item, "condition", label)? {
        Mode::Append => book.append_macro(&entry),
        Mode::Replace => book.define_macro(entry),
    }
}

fn read_rule(book: &mut Book, item: Item<'_>, label: &str) -> Result<(), Fault> {
    let name = item.text("rule")?.to_owned();
    let is_append = item.flag("append")?.unwrap_or_default();
    if is_append {
        book.note(Code::DeprecatedItem, item.spot(), label, APPEND);
    }
    let overrides = Overrides::read(item, overrides::RULE_APPEND, overrides::RULE_REPLACE)?;
    if is_append && !overrides.is_empty() {
        return Err(overrides::both(item));
    }
    if !overrides.is_empty() {
        return overrides::rule(book, item, &name, &overrides, label);
    }
    if is_append {
        return overrides::append_rule(book, item, &name, label);
    }
    let is_switch = ["condition", "output", "desc", "priority"]
        .into_iter()
        .all(|key| !item.has(key));
    if is_switch {
        let Some(is_enabled) = item.flag("enabled")? else {
            return Err(item.fault(item.node, "there is no value for the key 'enabled'"));
        };
        let message = "the standalone 'enabled' key usage is deprecated, use 'override' instead";
        book.note(Code::DeprecatedItem, item.spot(), label, message);
        let Some(known) = book.rules.get_mut(&name) else {
            let message = "rule has 'enabled' key but no rule by that name already exists";
            return Err(Fault::new(Code::Validate, item.spot(), message));
        };
        known.switch.is_enabled = is_enabled;
        return Ok(());
    }
    let source = match item.node.get("source") {
        Some(node) if !node.is_null() && node.text() != Some("") => item.text("source")?,
        _ => "syscall",
    };
    let entry = RuleEntry {
        name,
        source: source.to_owned(),
        condition: item.located("condition")?,
        output: item.located("output")?,
        description: item.text("desc")?.to_owned(),
        priority: priority(item)?,
        tags: item.list("tags")?.unwrap_or_default().into_iter().collect(),
        exceptions: read_exceptions(book, item, label, false)?,
        switch: Switch {
            is_enabled: item.flag("enabled")?.unwrap_or(true),
            warns_of_types: item.flag("warn_evttypes")?.unwrap_or(true),
            skips_unknown: item.flag("skip-if-unknown-filter")?.unwrap_or_default(),
        },
        spot: item.spot(),
        details: None,
    };
    item.flag("capture")?;
    item.optional("capture_duration")?;
    book.define_rule(entry)
}

pub(super) fn priority(item: Item<'_>) -> Result<Priority, Fault> {
    let text = item.text("priority")?;
    Priority::parse(text).ok_or_else(|| {
        let node = item.node.get("priority").unwrap_or(item.node);
        item.fault(node, format!("invalid priority '{text}'"))
    })
}

/// The exceptions of a rule. `is_append`: they may leave out their fields, since the rule has them already.
pub(crate) fn read_exceptions(
    book: &mut Book,
    item: Item<'_>,
    label: &str,
    is_append: bool,
) -> Result<Vec<Exception>, Fault> {
    let Some(node) = item.node.get("exceptions").filter(|node| !node.is_null()) else {
        return Ok(Vec::new());
    };
    let Some(nodes) = node.items() else {
        return Err(item.fault(node, "rule exceptions must be a sequence"));
    };
    if nodes.len() > MOST_EXCEPTIONS {
        let message = format!("more than {MOST_EXCEPTIONS} exceptions");
        return Err(Fault::new(Code::Limit, item.at(node), message));
    }
    let mut exceptions: Vec<Exception> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let inner = Item { node, ..item };
        if node.pairs().is_none() {
            return Err(item.fault(node, "a rule exception must be a mapping"));
        }
        let name = inner.text("name")?.to_owned();
        if exceptions.iter().any(|known| known.name == name) {
            let message = format!("multiple definitions of exception '{name}' in the same rule");
            book.note(Code::ExceptionNameNotUnique, item.at(node), label, message);
        }
        let values = match node.get("values") {
            None => {
                if is_append {
                    let message = format!("exception '{name}' is appended to without values");
                    book.note(Code::AppendNoValues, item.at(node), label, message);
                }
                Vec::new()
            }
            Some(values) => match entry(inner, values)? {
                Entry::Many(values) => values,
                Entry::One(_) => {
                    return Err(item.fault(values, "rule exception values must be a sequence"));
                }
            },
        };
        exceptions.push(Exception {
            name,
            fields: optional_entry(inner, "fields")?,
            comparisons: optional_entry(inner, "comps")?,
            values,
            spot: item.at(node),
        });
    }
    Ok(exceptions)
}

fn optional_entry(item: Item<'_>, key: &str) -> Result<Option<Entry>, Fault> {
    match item.node.get(key) {
        None => Ok(None),
        Some(node) => entry(item, node).map(Some),
    }
}

fn entry(item: Item<'_>, node: &Node) -> Result<Entry, Fault> {
    if let Some(items) = node.items() {
        let entries = items.iter().map(|node| entry(item, node));
        return Ok(Entry::Many(entries.collect::<Result<_, _>>()?));
    }
    match node.text() {
        Some("") => Err(item.fault(node, "a value must not be empty")),
        Some(text) => Ok(Entry::One(text.to_owned())),
        None => Err(item.fault(node, "a text or a list is wanted")),
    }
}

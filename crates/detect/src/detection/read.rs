//! Reading a detection's file, and a list's.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_model::{AlertSeverity, Priority};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::details::{Details, EntityText, Example};
use super::together::{baseline, correlation};
use crate::rules::{
    Book, Fault, FileId, Item, ListEntry, Located, MacroEntry, RuleEntry, Scope, Switch,
    read_exceptions,
};
use crate::yaml::Node;

/// Bytes of a detection's file at most.
const MOST_BYTES: usize = 64 << 10;
/// Fields of a group, a baseline or an entity at most.
pub(super) const MOST_FIELDS: usize = 8;
/// Events of an example at most.
const MOST_EVENTS: usize = 200;

const KEYS: &[&str] = &[
    "id",
    "title",
    "source",
    "condition",
    "output",
    "severity",
    "severities",
    "priority",
    "aliases",
    "tactics",
    "techniques",
    "description",
    "remediation",
    "entities",
    "false_positives",
    "examples",
    "tags",
    "enabled",
    "exceptions",
    "lists",
    "macros",
    "properties",
    "aggregate_by",
    "coverage",
    "references",
    "correlation",
    "baseline",
];
/// ATT&CK's tactics.
const TACTICS: &[&str] = &[
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "defense-evasion",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
];

/// What entries of lists of threat intelligence are, by which our lists may be extended.
const TAKEN: &[&str] = &["address", "domain", "url", "hash", "text"];

/// Reads a detection into the book.
///
/// # Errors
/// When a key is missing, unknown or makes no sense.
pub(crate) fn read_detection(
    book: &mut Book,
    file: FileId,
    node: &Node,
    text: &str,
) -> Result<(), Fault> {
    let item = Item { file, node };
    if text.len() > MOST_BYTES {
        let message = format!("{} bytes, of which {MOST_BYTES} are allowed", text.len());
        return Err(item.fault(node, message));
    }
    only(item, KEYS)?;
    let id = item.text("id")?.to_owned();
    let title = item.text("title")?.to_owned();
    if !is_id(&id) {
        let message = "an id is lower-case words and digits joined by hyphens";
        return Err(item.fault(node.get("id").unwrap_or(node), message));
    }
    let stem = stem(book.files.name(file));
    if stem != id {
        let message = format!("its id is {id}, and its file's name {stem}");
        return Err(item.fault(node.get("id").unwrap_or(node), message));
    }
    if book.rules.get(&title).is_some() {
        let message = format!("there is another rule '{title}'");
        return Err(item.fault(node.get("title").unwrap_or(node), message));
    }
    let severity = severity(item, node.get("severity"))?;
    let tactics = must_list(item, "tactics")?;
    if let Some(wrong) = tactics
        .iter()
        .find(|tactic| !TACTICS.contains(&tactic.as_str()))
    {
        let message = format!("'{wrong}' is no tactic of ATT&CK");
        return Err(item.fault(node.get("tactics").unwrap_or(node), message));
    }
    let techniques = must_list(item, "techniques")?;
    if let Some(wrong) = techniques.iter().find(|technique| !is_technique(technique)) {
        let message = format!("'{wrong}' is no technique: T1610, T1552.007 or MS-TA9018 are");
        return Err(item.fault(node.get("techniques").unwrap_or(node), message));
    }
    let correlation = match node.get("correlation") {
        None => None,
        Some(node) => Some(correlation(Item { file, node })?),
    };
    let baseline = match node.get("baseline") {
        None => None,
        Some(node) => Some(baseline(Item { file, node })?),
    };
    if correlation.is_some() && baseline.is_some() {
        return Err(item.fault(
            node,
            "a detection has a correlation or a baseline, not both",
        ));
    }
    let has_steps = correlation
        .as_ref()
        .is_some_and(|found| !found.steps.is_empty());
    if has_steps && item.has("condition") {
        return Err(item.fault(node, "a correlation with steps has no condition of its own"));
    }
    let condition = if has_steps {
        Located::made(String::new(), item.spot())
    } else {
        item.located("condition")?
    };
    shared(book, item)?;
    let details = Details {
        severities: severities(item)?,
        aliases: item.list("aliases")?.unwrap_or_default(),
        description: item.located("description")?,
        remediation: located_list(item, "remediation")?.unwrap_or_default(),
        entities: entities(item)?,
        properties: named(item, "properties")?,
        aggregate_by: located_list(item, "aggregate_by")?,
        false_positives: must_list(item, "false_positives")?,
        references: item.list("references")?.unwrap_or_default(),
        coverage: node.get("coverage").map_or(Value::Null, Node::to_json),
        examples: examples(item)?,
        digest: Sha256::digest(text).into(),
        id,
        severity,
        tactics,
        techniques,
        correlation,
        baseline,
    };
    must_list(item, "remediation")?;
    let mut tags: BTreeSet<String> = item.list("tags")?.unwrap_or_default().into_iter().collect();
    let tactic_tags = details
        .tactics
        .iter()
        .map(|tactic| format!("mitre_{}", tactic.replace('-', "_")));
    tags.extend(tactic_tags);
    tags.extend(details.techniques.iter().cloned());
    let label = format!("detection '{}'", details.id);
    let entry = RuleEntry {
        name: title,
        source: item.text("source")?.to_owned(),
        condition,
        output: item.located("output")?,
        description: String::new(),
        priority: priority(item, severity)?,
        tags,
        exceptions: read_exceptions(book, item, &label, false)?,
        switch: Switch {
            is_enabled: item.flag("enabled")?.unwrap_or(true),
            warns_of_types: true,
            skips_unknown: false,
        },
        spot: item.spot(),
        details: Some(Box::new(details)),
    };
    book.define_rule(entry)
}

/// Reads a list's file into the book.
///
/// # Errors
/// When a key is missing, unknown or makes no sense.
pub(crate) fn read_list(book: &mut Book, file: FileId, node: &Node) -> Result<(), Fault> {
    let item = Item { file, node };
    only(item, &["name", "title", "takes", "items"])?;
    if let Some(wrong) = item
        .list("takes")?
        .unwrap_or_default()
        .iter()
        .find(|kind| !TAKEN.contains(&kind.as_str()))
    {
        let message = format!(
            "'{wrong}' is nothing that lists of others hold: {}",
            TAKEN.join(", ")
        );
        return Err(item.fault(node.get("takes").unwrap_or(node), message));
    }
    let name = item.text("name")?.to_owned();
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(is_part) {
        let message = "a list's name is lower-case letters, digits and underscores";
        return Err(item.fault(node.get("name").unwrap_or(node), message));
    }
    let stem = stem(book.files.name(file));
    if stem != name {
        let message = format!("its name is {name}, and its file's name {stem}");
        return Err(item.fault(node.get("name").unwrap_or(node), message));
    }
    item.text("title")?;
    let Some(nodes) = node.get("items").and_then(Node::items) else {
        return Err(item.fault(node, "`items` is a list of items with their reasons"));
    };
    let mut items = Vec::with_capacity(nodes.len());
    for node in nodes {
        let inner = Item { file, node };
        if node.pairs().is_none() {
            return Err(item.fault(node, "an item is {item: …, reason: …}"));
        }
        only(inner, &["item", "reason"])?;
        inner.text("reason")?;
        items.push(inner.text("item")?.to_owned());
    }
    book.define_list(ListEntry {
        name,
        items,
        spot: item.spot(),
        scope: Scope::default(),
        is_shared: true,
    })
}

/// Refuses keys that are not known, or there twice: a detection with a misspelt key would silently do something else.
pub(super) fn only(item: Item<'_>, known: &[&str]) -> Result<(), Fault> {
    if let Some(key) = item.repeated().next() {
        let name = key.text().unwrap_or("?");
        return Err(item.fault(key, format!("key '{name}' a second time")));
    }
    match item.unknown(known).next() {
        None => Ok(()),
        Some(key) => {
            let name = key.text().unwrap_or("?");
            Err(item.fault(key, format!("unknown key '{name}'")))
        }
    }
}

/// A file's name without folder and extension.
fn stem(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.strip_suffix(".yaml")
        .or_else(|| name.strip_suffix(".yml"))
        .unwrap_or(name)
}

fn is_id(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    text.len() <= 80 && text.split('-').all(is_word)
}

fn is_technique(text: &str) -> bool {
    let digits = |text: &str, count: usize| {
        text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if let Some(number) = text.strip_prefix("MS-TA") {
        return digits(number, 4);
    }
    let Some(number) = text.strip_prefix('T') else {
        return false;
    };
    match number.split_once('.') {
        Some((number, sub)) => digits(number, 4) && digits(sub, 3),
        None => digits(number, 4),
    }
}

fn must_list(item: Item<'_>, key: &str) -> Result<Vec<String>, Fault> {
    match item.list(key)? {
        Some(list) => Ok(list),
        None => Err(item.fault(item.node, format!("there is no value for the key '{key}'"))),
    }
}

fn severity(item: Item<'_>, node: Option<&Node>) -> Result<AlertSeverity, Fault> {
    let text = node.and_then(Node::text).unwrap_or_default();
    AlertSeverity::parse(text).ok_or_else(|| {
        let message = format!("'{text}' is no severity: informational, low, medium or high are");
        item.fault(node.unwrap_or(item.node), message)
    })
}

fn severities(item: Item<'_>) -> Result<BTreeMap<String, AlertSeverity>, Fault> {
    let Some(node) = item.node.get("severities") else {
        return Ok(BTreeMap::new());
    };
    let Some(pairs) = node.pairs() else {
        return Err(item.fault(node, "`severities` is a mapping of editions"));
    };
    let pairs = pairs.iter().map(|(edition, value)| {
        let edition = edition.text().unwrap_or_default().to_owned();
        Ok((edition, severity(item, Some(value))?))
    });
    pairs.collect()
}

fn priority(item: Item<'_>, severity: AlertSeverity) -> Result<Priority, Fault> {
    let Some(node) = item.optional("priority")? else {
        return Ok(match severity {
            AlertSeverity::High => Priority::Critical,
            AlertSeverity::Medium => Priority::Warning,
            AlertSeverity::Low => Priority::Notice,
            AlertSeverity::Informational => Priority::Informational,
        });
    };
    let text = node.text().unwrap_or_default();
    Priority::parse(text).ok_or_else(|| item.fault(node, format!("invalid priority '{text}'")))
}

/// A list of texts with their places.
pub(super) fn located_list(item: Item<'_>, key: &str) -> Result<Option<Vec<Located>>, Fault> {
    item.list(key)?;
    let nodes = item.node.get(key).and_then(Node::items);
    Ok(nodes.map(|nodes| {
        let texts = nodes.iter().map(|node| Located::scalar(item.file, node));
        texts.collect()
    }))
}

/// A mapping of names to texts.
fn named(item: Item<'_>, key: &str) -> Result<Vec<(String, Located)>, Fault> {
    let Some(node) = item.node.get(key) else {
        return Ok(Vec::new());
    };
    let Some(pairs) = node.pairs() else {
        return Err(item.fault(node, format!("`{key}` is a mapping")));
    };
    let pairs = pairs.iter().map(|(name, value)| {
        if value.text().is_none() {
            return Err(item.fault(value, format!("a value of `{key}` is not a text")));
        }
        let name = name.text().unwrap_or_default().to_owned();
        Ok((name, Located::scalar(item.file, value)))
    });
    pairs.collect()
}

fn entities(item: Item<'_>) -> Result<Vec<EntityText>, Fault> {
    let Some(nodes) = item.node.get("entities").and_then(Node::items) else {
        return Err(item.fault(item.node, "`entities` is a list of {kind: …, fields: {…}}"));
    };
    let mut entities = Vec::with_capacity(nodes.len());
    for node in nodes {
        let inner = Item { node, ..item };
        if node.pairs().is_none() {
            return Err(item.fault(node, "an entity is {kind: …, fields: {…}}"));
        }
        only(inner, &["kind", "fields"])?;
        let fields = named(inner, "fields")?;
        if fields.is_empty() || fields.len() > MOST_FIELDS {
            let message = format!("an entity has 1 to {MOST_FIELDS} fields");
            return Err(item.fault(node, message));
        }
        entities.push(EntityText {
            kind: inner.text("kind")?.to_owned(),
            fields,
        });
    }
    Ok(entities)
}

/// The lists and macros of one file. Their names are those of everybody, so nobody else may have them.
fn shared(book: &mut Book, item: Item<'_>) -> Result<(), Fault> {
    if let Some(node) = item.node.get("lists") {
        let inner = Item { node, ..item };
        let Some(pairs) = node.pairs() else {
            return Err(item.fault(node, "`lists` is a mapping"));
        };
        for (key, _) in pairs {
            let name = key.text().unwrap_or_default().to_owned();
            if book.lists.get(&name).is_some() {
                return Err(item.fault(key, format!("there is another list '{name}'")));
            }
            let items = must_list(inner, &name)?;
            book.define_list(ListEntry {
                name,
                items,
                spot: item.at(key),
                scope: Scope::default(),
                is_shared: false,
            })?;
        }
    }
    for (name, condition) in named(item, "macros")? {
        if book.macros.get(&name).is_some() {
            return Err(item.fault(item.node, format!("there is another macro '{name}'")));
        }
        book.define_macro(MacroEntry {
            spot: condition.spot(),
            name,
            condition,
            scope: Scope::default(),
            is_shared: false,
        })?;
    }
    Ok(())
}

fn examples(item: Item<'_>) -> Result<Vec<Example>, Fault> {
    let Some(nodes) = item.node.get("examples").and_then(Node::items) else {
        return Err(item.fault(item.node, "`examples` is a list"));
    };
    let mut examples = Vec::with_capacity(nodes.len());
    for node in nodes {
        let inner = Item { node, ..item };
        if node.pairs().is_none() {
            return Err(item.fault(node, "an example is {fires: …, event: {…}}"));
        }
        only(
            inner,
            &["fires", "quiet", "event", "events", "alerts", "output"],
        )?;
        let (name, fires) = match (inner.has("fires"), inner.has("quiet")) {
            (true, false) => (inner.text("fires")?.to_owned(), true),
            (false, true) => (inner.text("quiet")?.to_owned(), false),
            _ => return Err(item.fault(node, "an example has `fires` or `quiet`")),
        };
        let events = match (node.get("event"), node.get("events").and_then(Node::items)) {
            (Some(event), None) => vec![event.to_json()],
            (None, Some(events)) if events.len() <= MOST_EVENTS => {
                events.iter().map(Node::to_json).collect()
            }
            (None, Some(_)) => {
                let message = format!("an example has at most {MOST_EVENTS} events");
                return Err(item.fault(node, message));
            }
            _ => return Err(item.fault(node, "an example has an `event` or `events`")),
        };
        let alerts = match inner.optional("alerts")? {
            None => None,
            Some(node) => {
                let number = node.text().unwrap_or_default().parse::<usize>();
                Some(number.map_err(|_| item.fault(node, "'alerts' is a number"))?)
            }
        };
        let output = match inner.has("output") {
            true => Some(inner.text("output")?.to_owned()),
            false => None,
        };
        examples.push(Example {
            name,
            fires,
            events,
            alerts,
            output,
        });
    }
    let has = |fires: bool| examples.iter().any(|example| example.fires == fires);
    if !has(true) || !has(false) {
        let message = "at least one example fires, and at least one is quiet";
        return Err(item.fault(item.node, message));
    }
    Ok(examples)
}

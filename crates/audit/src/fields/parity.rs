//! Falco's `ka.*`, as plugins k8saudit 0.18 extracts them (spec: `runtime.md`, 2.4).
//!
//! The quirks are kept on purpose: rules that people have rest on them. A repository is cut at the first colon, also
//! at that of a port; effective users are read from the container itself and not from its security context; the source
//! addresses are looked for in the rules of a role and so never found.

mod record;
mod table;

use std::borrow::Cow;

use seareeve_detect::{Argument, Presence, Values};

use super::Definition;
use crate::event::{AuditEvent, key, text};
use crate::json::Node;

/// All of them.
pub(super) fn definitions() -> Vec<Definition> {
    let mut all: Vec<Definition> = record::definitions().collect();
    all.extend(table::definitions());
    all
}

/// A way through an event, and what becomes of what is found.
pub(crate) struct Walk {
    from: From,
    path: &'static [&'static str],
    style: Style,
}

/// Which body it begins in.
#[derive(Clone, Copy)]
pub(super) enum From {
    Request,
    Response,
}

/// What a walk makes of what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// The value; the items of a list.
    Value,
    /// All values, through lists on the way. Items without one are left out.
    Each,
    /// The same, but one item without a value and there is none at all.
    All,
    /// The same as `All`, cut at the first colon, then at the first at sign.
    Repository,
    /// Lists of texts, each joined with blanks. None at all when there is no list, or anything else among them.
    Joined,
    /// The items of lists.
    Items,
    /// Keys of objects but `name`.
    Keys,
    /// `hostPort`, or else `containerPort`, of the items of lists.
    HostPorts,
    /// With the pod's own value in place of those that are missing, or else 0.
    Effective,
    /// Whether any is true.
    AnyTrue,
    /// The first of `All`.
    First,
    /// The first of `Repository`.
    FirstRepository,
    /// Whether the argument, which may end with `*`, is one of `Each`.
    HasPath,
}

/// The values of a walk.
pub(super) fn extract<'e>(
    event: &'e AuditEvent<'_>,
    walk: &Walk,
    argument: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    let body = match walk.from {
        From::Request => event.request(),
        From::Response => event.response(),
    };
    let Some(body) = body else {
        return Presence::Absent;
    };
    if walk.style == Style::Value {
        let Some(value) = walk.path.iter().try_fold(body, |node, key| node.get(key)) else {
            return Presence::Absent;
        };
        if value.is_list()
            && matches!(
                walk.path,
                ["rules" | "subjects"] | [.., "supplementalGroups"]
            )
        {
            for item in value.items() {
                out.push(text(item.rendered()));
            }
        } else {
            out.push(text(value.rendered()));
        }
        return Presence::Present;
    }
    let index = match argument {
        Argument::Index(index) => usize::try_from(*index).ok(),
        Argument::None | Argument::Key(_) | Argument::Path(_) => None,
    };
    let mut found = Vec::new();
    if !flat(body, walk.path, index, &mut found) {
        return Presence::Absent;
    }
    finish(event, walk, argument, &found, out)
}

fn finish<'e>(
    event: &'e AuditEvent<'_>,
    walk: &Walk,
    argument: &Argument,
    found: &[Option<Node<'e>>],
    out: &mut Values<'e>,
) -> Presence {
    let some = || found.iter().copied().flatten();
    let repository = |image: Cow<'e, str>| {
        let end = image.find(':').unwrap_or(image.len());
        let end = image.find('@').map_or(end, |at| at.min(end));
        image.get(..end).unwrap_or_default().to_owned()
    };
    match walk.style {
        Style::Value => {}
        Style::Each => some().for_each(|node| out.push(text(node.rendered()))),
        Style::All | Style::Repository => {
            for node in found {
                let Some(node) = node else {
                    return Presence::Absent;
                };
                if walk.style == Style::All {
                    out.push(text(node.rendered()));
                } else {
                    out.owned(repository(node.rendered()));
                }
            }
        }
        Style::First | Style::FirstRepository => {
            let Some(Some(node)) = found.first() else {
                return Presence::Absent;
            };
            if walk.style == Style::First {
                out.push(text(node.rendered()));
            } else {
                out.owned(repository(node.rendered()));
            }
        }
        Style::Joined => {
            let lines = some().map(|list| {
                let words = list.items().map(Node::str).collect::<Option<Vec<_>>>();
                words
                    .filter(|_| list.is_list())
                    .map(|words| words.join(" "))
            });
            let Some(lines) = lines.collect::<Option<Vec<String>>>() else {
                return Presence::Absent;
            };
            lines.into_iter().for_each(|line| out.owned(line));
        }
        Style::Items => {
            for item in some().filter(|node| node.is_list()).flat_map(Node::items) {
                out.push(text(item.rendered()));
            }
        }
        Style::Keys => {
            for (name, _) in some().flat_map(Node::members) {
                if !name.is("name") {
                    out.push(text(name.decode()));
                }
            }
        }
        Style::HostPorts => {
            for list in some() {
                if !list.is_list() {
                    return Presence::Absent;
                }
                for port in list.items() {
                    let number = port.get("hostPort").or_else(|| port.get("containerPort"));
                    if let Some(number) = number {
                        out.push(text(number.rendered()));
                    }
                }
            }
        }
        Style::Effective => {
            let own = walk.path.last().copied().unwrap_or_default();
            let pod = event.request().and_then(|body| body.path(&["spec", own]));
            let pod = pod.map_or(Cow::Borrowed("0"), Node::rendered);
            for node in found {
                out.push(text(node.map_or_else(|| pod.clone(), Node::rendered)));
            }
        }
        Style::AnyTrue => out.text(truth(some().any(Node::is_true))),
        Style::HasPath => {
            let wanted = key(argument);
            let start = wanted.strip_suffix('*');
            let is_one = some().any(|node| {
                let path = node.rendered();
                path == wanted || start.is_some_and(|start| path.starts_with(start))
            });
            out.text(truth(is_one));
        }
    }
    Presence::Present
}

/// Goes along `path`, through lists: with `index` through that item of the first list, without it through all. An item
/// at which the way ends is `None`. False: there is no such way at all.
fn flat<'t>(
    node: Node<'t>,
    path: &[&str],
    index: Option<usize>,
    found: &mut Vec<Option<Node<'t>>>,
) -> bool {
    let mut node = node;
    let mut path = path;
    while let [key, rest @ ..] = path {
        if node.is_list() {
            match index {
                None => {
                    // Lists stand in lists only where somebody wrote nonsense.
                    for item in node.items().take(MAX_ITEMS) {
                        let before = found.len();
                        if item.is_list() || !flat(item, path, None, found) {
                            found.truncate(before);
                            found.push(None);
                        }
                    }
                    return true;
                }
                Some(index) => match node.items().nth(index) {
                    Some(item) => node = item,
                    None => return false,
                },
            }
        }
        if !key.is_empty() {
            match node.get(key) {
                Some(value) => node = value,
                None => return false,
            }
        }
        path = rest;
    }
    found.push(Some(node));
    true
}

/// Most items of one list that are walked through.
const MAX_ITEMS: usize = 10_000;

fn truth(holds: bool) -> &'static str {
    if holds { "true" } else { "false" }
}

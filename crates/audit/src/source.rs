//! Finds the events in whatever brings them: lists of a webhook, lines of a log file, envelopes of log services.
//!
//! Which form it is shows in the document, so nobody has to say it. Everything in a document that is no event is told,
//! and the rest is still read.

mod documents;
mod gke;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::json::{Node, Scanner, Text, Tree};
use crate::record::Unreadable;

pub use documents::Documents;

/// How deep envelopes are unpacked: a message of a queue holds a batch, which holds texts, which hold events.
const MAX_ENVELOPES: usize = 4;
/// Most entries of one envelope.
const MAX_ENTRIES: usize = 1_000_000;

/// Something in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// The text of an event, to be read by [`Record::read`](crate::Record::read).
    Event(Cow<'a, [u8]>),
    /// An entry of a log service that is about something else: another log of the control plane, a heartbeat.
    Other,
    /// Neither.
    Broken(Unreadable),
}

/// Calls `each` for everything in `document`, which is one JSON value.
///
/// Knows events themselves, `EventList`s, arrays of events, Azure's `records` (categories `kube-audit` and
/// `kube-audit-admin`), CloudWatch's subscriptions, queries and exports to S3 of EKS, GKE's log entries, and Pub/Sub's envelope.
pub fn unpack<'a>(document: &'a [u8], each: &mut dyn FnMut(Found<'a>)) {
    unpack_at(document, 0, each);
}

fn unpack_at<'a>(document: &'a [u8], depth: usize, each: &mut dyn FnMut(Found<'a>)) {
    if let Some(rest) = stamped(document) {
        return match rest {
            Stamped::Message(message) => unpack_at(message, depth, each),
            Stamped::Other => each(Found::Other),
        };
    }
    let mut scanner = Scanner::new(document);
    match scanner.peek() {
        Some(b'{') => {}
        Some(b'[') => return items(document, scanner, depth, each),
        _ => return each(Found::Broken(Unreadable::Syntax)),
    }
    let Some(envelope) = Envelope::of(&mut scanner.clone()) else {
        // An event that was cut off is one still.
        return each(Found::Event(Cow::Borrowed(document)));
    };
    match envelope {
        Envelope::None => each(Found::Event(Cow::Borrowed(document))),
        Envelope::Items(at) => items(document, Scanner::starting_at(document, at), depth, each),
        Envelope::Wrapped => wrapped(document, depth, each),
    }
}

/// A line of an export of CloudWatch to S3, or of `aws logs tail`.
enum Stamped<'a> {
    /// An event, behind its time and, of the latter, the name of its stream.
    Message(&'a [u8]),
    /// A line of another log of the control plane.
    Other,
}

/// `2026-01-01T00:00:00.000Z {"kind":"Event"…`: what stands behind the time. Nothing, if the line begins otherwise.
fn stamped(line: &[u8]) -> Option<Stamped<'_>> {
    let (time, rest) = split(line)?;
    if !is_time(time) {
        return None;
    }
    if rest.starts_with(b"{") {
        return Some(Stamped::Message(rest));
    }
    Some(match split(rest) {
        Some((stream, rest))
            if stream.starts_with(b"kube-apiserver-audit") && rest.starts_with(b"{") =>
        {
            Stamped::Message(rest)
        }
        _ => Stamped::Other,
    })
}

/// The first word of a line, and what stands behind the blank after it.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().take(200).position(|byte| *byte == b' ')?;
    let (word, rest) = line.split_at_checked(end)?;
    Some((word, rest.trim_ascii_start()))
}

/// Whether a word is a time as log services write them (RFC 3339).
pub(super) fn is_time(word: &[u8]) -> bool {
    let form = b"0000-00-00T00:00:00";
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        sign => byte == sign,
    };
    word.len() > form.len() && word.len() < 40 && word.iter().zip(form).all(fits)
}

/// Where the first item of the list is that a document is or holds, behind its bracket; nothing for other documents, and
/// where what there is of it does not tell.
pub(crate) fn list_at(document: &[u8]) -> Option<usize> {
    let mut scanner = Scanner::new(document);
    if scanner.peek()? == b'{' {
        let Envelope::Items(at) = Envelope::of(&mut scanner)? else {
            return None;
        };
        scanner = Scanner::starting_at(document, at);
    }
    scanner.expect(b'[')?;
    Some(scanner.at())
}

/// Calls `each` for everything in an item of such a list.
pub(crate) fn unpack_item<'a>(item: &'a [u8], each: &mut dyn FnMut(Found<'a>)) {
    unpack_at(item, 1, each);
}

/// What a document is, by the keys that it begins with.
enum Envelope {
    /// None: the document is the event.
    None,
    /// A list of events, which begins here.
    Items(usize),
    /// One of a log service.
    Wrapped,
}

impl Envelope {
    fn of(scanner: &mut Scanner<'_>) -> Option<Self> {
        scanner.expect(b'{')?;
        let mut is_first = true;
        while let Some((key, _)) = scanner.key(is_first)? {
            is_first = false;
            match key.raw() {
                b"auditID" | b"objectRef" | b"requestURI" | b"stage" | b"verb" => {
                    return Some(Self::None);
                }
                // Azure's records stand each for itself, as events of a list do.
                b"items" | b"records" => {
                    scanner.peek()?;
                    return Some(Self::Items(scanner.at()));
                }
                b"logEvents" | b"events" | b"message" | b"@message" | b"protoPayload"
                | b"messageType" | b"logGroup" | b"insertId" | b"properties" => {
                    return Some(Self::Wrapped);
                }
                _ => drop(scanner.value()?),
            }
        }
        Some(Self::None)
    }
}

fn items<'a>(
    document: &'a [u8],
    mut scanner: Scanner<'a>,
    depth: usize,
    each: &mut dyn FnMut(Found<'a>),
) {
    if scanner.expect(b'[').is_none() {
        return each(Found::Broken(Unreadable::Type { member: "items" }));
    }
    let mut is_first = true;
    loop {
        match scanner.item(is_first) {
            Some(true) => {}
            Some(false) => return,
            None => return each(Found::Broken(Unreadable::Syntax)),
        }
        is_first = false;
        let start = scanner.at();
        let Some(span) = scanner.value() else {
            // The list was cut off in the middle of this one.
            return each(Found::Broken(Unreadable::Syntax));
        };
        debug_assert!(span.start >= start);
        let item = span.of(document);
        if depth < MAX_ENVELOPES {
            unpack_at(item, depth.saturating_add(1), each);
        } else {
            each(Found::Broken(Unreadable::Syntax));
        }
    }
}

/// Entries of log services: small, but for the texts in them.
fn wrapped<'a>(document: &'a [u8], depth: usize, each: &mut dyn FnMut(Found<'a>)) {
    let Ok(tree) = Tree::read(document) else {
        return each(Found::Broken(Unreadable::Syntax));
    };
    if let Some(root) = tree.root() {
        entry(root, depth, &mut |found| each(found.into_owned()));
    }
}

fn entry(node: Node<'_>, depth: usize, each: &mut dyn FnMut(Found<'_>)) {
    if depth >= MAX_ENVELOPES {
        return each(Found::Broken(Unreadable::Syntax));
    }
    let depth = depth.saturating_add(1);
    let is = |key: &str, wanted: &str| {
        let text = node.get(key).and_then(Node::text);
        text.is_some_and(|text| text.is(wanted))
    };
    if let Some(records) = node.get("records") {
        return each_entry(records, depth, each);
    }
    if node.get("protoPayload").is_some() {
        return match gke::event(node) {
            Some(event) => each(Found::Event(Cow::Owned(event.into_bytes()))),
            None => each(Found::Other),
        };
    }
    if let Some(properties) = node.get("properties") {
        if !is("category", "kube-audit") && !is("category", "kube-audit-admin") {
            return each(Found::Other);
        }
        return text_of(properties.get("log").and_then(Node::text), each);
    }
    if is("messageType", "CONTROL_MESSAGE") {
        return each(Found::Other);
    }
    if let Some(events) = node.get("logEvents").or_else(|| node.get("events")) {
        let stream = node.get("logStream").and_then(Node::str);
        if stream.is_some_and(|stream| !stream.contains("kube-apiserver-audit")) {
            return each(Found::Other);
        }
        return each_entry(events, depth, each);
    }
    let Some(message) = node.get("message").or_else(|| node.get("@message")) else {
        // Without any of it, it can only be an event with its members in an unusual order.
        return each(Found::Event(Cow::Owned(node.raw().to_vec())));
    };
    let stream = node.get("logStreamName").and_then(Node::str);
    if stream.is_some_and(|stream| !stream.contains("kube-apiserver-audit")) {
        return each(Found::Other);
    }
    match message.get("data").and_then(Node::str) {
        // Pub/Sub: the message is bytes in Base64.
        Some(data) => match STANDARD.decode(data.as_ref()) {
            Ok(inner) => unpack_at(&inner, depth, &mut |found| each(found.into_owned())),
            Err(_) => each(Found::Broken(Unreadable::Syntax)),
        },
        None => text_of(message.text(), each),
    }
}

fn each_entry(list: Node<'_>, depth: usize, each: &mut dyn FnMut(Found<'_>)) {
    for item in list.items().take(MAX_ENTRIES) {
        entry(item, depth, each);
    }
}

/// An event as text in a member. CloudWatch cuts long ones and says so at the end.
fn text_of(text: Option<Text<'_>>, each: &mut dyn FnMut(Found<'_>)) {
    let Some(text) = text else {
        return each(Found::Broken(Unreadable::Syntax));
    };
    let text = text.decode();
    let event = text.trim();
    let event = event.strip_suffix("[Truncated...]").unwrap_or(event);
    if event.starts_with('{') {
        each(Found::Event(Cow::Owned(event.as_bytes().to_vec())));
    } else {
        // Other lines of the same log.
        each(Found::Other);
    }
}

impl Found<'_> {
    /// The same, on its own.
    fn into_owned<'b>(self) -> Found<'b> {
        match self {
            Self::Event(event) => Found::Event(Cow::Owned(event.into_owned())),
            Self::Other => Found::Other,
            Self::Broken(why) => Found::Broken(why),
        }
    }
}

#[cfg(test)]
mod tests;

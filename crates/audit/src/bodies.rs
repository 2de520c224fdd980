//! What came in one piece, taken apart into events: the body of a request, or lines of a file or a topic.
//!
//! A packed list is unpacked as it is read, so that no more of it is in memory than one event, and what comes before the
//! place where it breaks off is not lost. Whatever is no event has a [`Fault`] with a name, by which it is counted.

mod list;

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use self::list::{List, Step};
use crate::record::Unreadable;
use crate::source::{self, Found};

/// Bytes of a packed body, unpacked.
pub const MOST_UNPACKED: u64 = 64 << 20;
/// Bytes of an event. etcd takes objects of 1.5 MiB, but lists of them are bodies too.
pub const MOST_EVENT: usize = 8 << 20;
/// Bytes of what is packed and no list of events, unpacked: it is looked at whole.
const MOST_WHOLE: usize = 16 << 20;
/// Bytes that are unpacked in one go. By the first of them it shows whether it is a list.
const PIECE: usize = 64 << 10;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON: a list of events, or one, or what a log service made of them.
    Json,
    /// The same as gzip.
    Gzip,
    /// What stood in a file or a topic: JSON documents, one on a line.
    Lines,
}

/// Something in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The text of an event, to be read by [`Record::read`](crate::Record::read).
    Event(&'a [u8]),
    /// An entry of a log service that is about something else.
    Other,
    /// Neither.
    Broken(Fault),
}

/// Why something that came is not judged, or not in full. The fault of who sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It cannot be read as an event.
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    /// An event is larger than any is.
    #[error("an event has {bytes} bytes, of which {MOST_EVENT} are read")]
    Large {
        /// How large.
        bytes: usize,
    },
    /// A body is larger than any is: what comes later in it was not read.
    #[error("a body is larger than is read, unpacked: what comes later in it is left out")]
    LargeBody,
    /// A packed body is none, or is broken: what comes later in it could not be read.
    #[error("a body cannot be unpacked: {why}")]
    Packing {
        /// What is wrong with it.
        why: String,
    },
    /// A body is said to be packed in a way that is not known.
    #[error("a body is of the unknown form {tag}")]
    Form {
        /// What it says.
        tag: u8,
    },
    /// It does not say when it happened, or that was before 1970 or after 2554.
    #[error("the event does not say when it happened")]
    NoTime,
    /// It says that it happens long after it came.
    #[error("the event says that it happened long after it came")]
    Ahead,
    /// What was asked for and answered is nested too deeply, or has too many values: it is judged without.
    #[error("what was asked for and answered is nested too deeply or has too many values")]
    Bodies,
    /// A log service cut it off: what is there is judged.
    #[error("an event was cut off on its way: it is judged by what is there of it")]
    Cut,
    /// What may not be kept of it could not be told from the rest.
    #[error("an event could not be taken clean of secrets")]
    Secrets,
}

impl Fault {
    /// All names.
    pub const NAMES: [&'static str; 15] = [
        "no-json",
        "other-kind",
        "unknown-version",
        "wrong-type",
        "no-audit-id",
        "too-many-members",
        "event-too-large",
        "body-too-large",
        "body-not-unpacked",
        "unknown-form",
        "no-time",
        "time-ahead",
        "deep-or-many-values",
        "cut-off",
        "not-taken-clean",
    ];

    /// The stable word by which it is counted.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unreadable(Unreadable::Syntax) => "no-json",
            Self::Unreadable(Unreadable::Kind { .. }) => "other-kind",
            Self::Unreadable(Unreadable::Version { .. }) => "unknown-version",
            Self::Unreadable(Unreadable::Type { .. }) => "wrong-type",
            Self::Unreadable(Unreadable::NoId) => "no-audit-id",
            Self::Unreadable(Unreadable::Members) => "too-many-members",
            Self::Large { .. } => "event-too-large",
            Self::LargeBody => "body-too-large",
            Self::Packing { .. } => "body-not-unpacked",
            Self::Form { .. } => "unknown-form",
            Self::NoTime => "no-time",
            Self::Ahead => "time-ahead",
            Self::Bodies => "deep-or-many-values",
            Self::Cut => "cut-off",
            Self::Secrets => "not-taken-clean",
        }
    }
}

/// Calls `each` for everything in a body.
pub fn events_in(form: Form, body: &[u8], each: &mut dyn FnMut(Part<'_>)) {
    match form {
        Form::Json => document(body, each),
        Form::Lines => {
            let lines = body.split(|byte| *byte == b'\n');
            for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
                document(line, each);
            }
        }
        Form::Gzip => packed(body, each),
    }
}

fn document(text: &[u8], each: &mut dyn FnMut(Part<'_>)) {
    source::unpack(text, &mut |found| part(found, each));
}

fn part(found: Found<'_>, each: &mut dyn FnMut(Part<'_>)) {
    match found {
        Found::Event(text) if text.len() > MOST_EVENT => {
            let bytes = text.len();
            each(Part::Broken(Fault::Large { bytes }));
        }
        Found::Event(text) => each(Part::Event(&text)),
        Found::Other => each(Part::Other),
        Found::Broken(why) => each(Part::Broken(why.into())),
    }
}

fn packed(body: &[u8], each: &mut dyn FnMut(Part<'_>)) {
    let mut unpacked = Unpacked {
        reader: MultiGzDecoder::new(body).take(MOST_UNPACKED.saturating_add(1)),
        error: None,
    };
    let first = unpacked.next(PIECE);
    let outcome = match source::list_at(&first) {
        Some(at) => pieces(first, at, &mut unpacked, each),
        None => whole(first, &mut unpacked, each),
    };
    // Why it breaks off is the better answer than that it does.
    let outcome = match unpacked.error {
        Some(error) => Err(error.into()),
        None => outcome,
    };
    if let Err(fault) = outcome {
        each(Part::Broken(fault));
    }
}

/// What is being unpacked, up to where it breaks off.
struct Unpacked<'a> {
    reader: io::Take<MultiGzDecoder<&'a [u8]>>,
    /// Why it breaks off.
    error: Option<io::Error>,
}

impl Unpacked<'_> {
    /// The next bytes, fewer only at the end or where it breaks off.
    fn next(&mut self, most: usize) -> Vec<u8> {
        let mut piece = Vec::with_capacity(most.min(PIECE));
        if self.error.is_none() {
            let most = u64::try_from(most).unwrap_or(u64::MAX);
            let read = self.reader.by_ref().take(most).read_to_end(&mut piece);
            self.error = read.err();
        }
        piece
    }
}

/// A list that begins in `first`, behind its bracket.
fn pieces(
    mut first: Vec<u8>,
    at: usize,
    unpacked: &mut Unpacked<'_>,
    each: &mut dyn FnMut(Part<'_>),
) -> Result<(), Fault> {
    let mut list = List::default();
    let mut item = |step: Step<'_>| match step {
        Step::Item(text) => source::unpack_item(text, &mut |found| part(found, each)),
        Step::Large(bytes) => each(Part::Broken(Fault::Large { bytes })),
    };
    let mut next = first.split_off(at.min(first.len()));
    loop {
        if !list.take(&next, &mut item)? {
            return Ok(());
        }
        next = unpacked.next(PIECE);
        if unpacked.reader.limit() == 0 {
            return Err(Fault::LargeBody);
        }
        if next.is_empty() {
            return list.end(&mut item).map_err(Fault::from);
        }
    }
}

/// Something else than a list.
fn whole(
    mut text: Vec<u8>,
    unpacked: &mut Unpacked<'_>,
    each: &mut dyn FnMut(Part<'_>),
) -> Result<(), Fault> {
    text.append(&mut unpacked.next(MOST_WHOLE));
    if text.len() > MOST_WHOLE {
        return Err(Fault::LargeBody);
    }
    document(&text, each);
    Ok(())
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Packing {
            why: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;

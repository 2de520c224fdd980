//! One audit event as it was logged: its metadata read in place, its bodies left alone until somebody wants them.
//!
//! The API server writes an event's members in the order of its Go type: a kilobyte of metadata, the bodies, and a
//! tail of two timestamps and some annotations. So the reader goes forward to the first body and then looks for the
//! tail from behind, which spares it the bodies. Whoever wrote the members in another order (log shippers sort them)
//! has them read all in the order they come.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::LazyLock;

use jiff::Timestamp;
use memchr::memmem::Finder;

use crate::json::{Scanner, Span, Text};

/// How far from the end the tail is looked for. Annotations are short; longer ones cost stepping over the bodies.
const TAIL: usize = 8 << 10;
/// Where nearly all of them begin.
const SHORT_TAIL: usize = 512;
/// How the tail begins.
static BEGINNING: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new(b",\"requestReceivedTimestamp\":\""));
/// Most members of an event: there are seventeen.
const MAX_MEMBERS: usize = 256;
/// Most groups, addresses or annotations of one event.
const MAX_ENTRIES: usize = 1_024;

/// Why an event is not evaluated. The fault of who logged it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, not an object, or something behind it.
    #[error("the event is no JSON object")]
    Syntax,
    /// An object, but no audit event: it says that it is of another kind.
    #[error("it is no audit event but of kind {kind:?}")]
    Kind {
        /// What it says.
        kind: String,
    },
    /// A version of the API that is not known: v1 is the only one since Kubernetes 1.24, v1beta1 reads alike.
    #[error("it is of the unknown version {version:?}")]
    Version {
        /// What it says.
        version: String,
    },
    /// A member of the wrong type.
    #[error("{member} is of the wrong type")]
    Type {
        /// Which.
        member: &'static str,
    },
    /// Nothing says which request it is about.
    #[error("the event has no auditID")]
    NoId,
    /// More members than any event has.
    #[error("the event has too many members")]
    Members,
}

/// When in a request an event was logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Before it was handled.
    RequestReceived,
    /// The answer began: watches, exec, attach, port forwarding, proxies, logs.
    ResponseStarted,
    /// It is over.
    ResponseComplete,
    /// The server failed over it.
    Panic,
}

/// An audit event, borrowed from its text.
#[derive(Clone, Debug, Default)]
pub struct Record<'a> {
    text: &'a [u8],
    pub(crate) audit_id: Text<'a>,
    pub(crate) level: Text<'a>,
    pub(crate) stage: Option<Stage>,
    pub(crate) stage_text: Text<'a>,
    pub(crate) verb: Text<'a>,
    pub(crate) uri: Text<'a>,
    pub(crate) agent: Option<Text<'a>>,
    pub(crate) user: User<'a>,
    pub(crate) impersonated: Option<User<'a>>,
    pub(crate) target: Option<Target<'a>>,
    pub(crate) status: Option<Status<'a>>,
    pub(crate) addresses: Vec<Text<'a>>,
    pub(crate) received: Option<Text<'a>>,
    pub(crate) staged: Option<Text<'a>>,
    pub(crate) annotations: Vec<(Text<'a>, Text<'a>)>,
    bodies: Bodies,
    /// The event ends before it is over: a log service cut it.
    pub(crate) is_cut: bool,
}

/// Who asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct User<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) uid: Option<Text<'a>>,
    pub(crate) groups: Vec<Text<'a>>,
    /// Each with its first value: there is hardly ever another.
    pub(crate) extra: Vec<(Text<'a>, Text<'a>)>,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Target<'a> {
    pub(crate) resource: Option<Text<'a>>,
    pub(crate) namespace: Option<Text<'a>>,
    pub(crate) name: Option<Text<'a>>,
    pub(crate) uid: Option<Text<'a>>,
    pub(crate) group: Option<Text<'a>>,
    pub(crate) version: Option<Text<'a>>,
    pub(crate) subresource: Option<Text<'a>>,
}

/// What was answered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Status<'a> {
    /// As it stands in the text: rules compare it as text.
    pub(crate) code: Option<&'a [u8]>,
    pub(crate) reason: Option<Text<'a>>,
    pub(crate) message: Option<Text<'a>>,
}

/// Where the bodies are.
#[derive(Clone, Copy, Debug, Default)]
enum Bodies {
    #[default]
    None,
    /// Each was stepped over.
    Known {
        request: Option<Span>,
        response: Option<Span>,
    },
    /// The text between the metadata and the tail, beginning with the value of the member that is named; the other
    /// one may follow.
    Together { first: Body, span: Span },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Request,
    Response,
}

/// The texts of both bodies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BodyTexts<'a> {
    pub(crate) request: Option<&'a [u8]>,
    pub(crate) response: Option<&'a [u8]>,
}

impl<'a> Record<'a> {
    /// Reads the event that `text` is.
    ///
    /// # Errors
    /// When it is none. An event that was cut off somewhere behind what says who did what is one: what is there
    /// counts.
    pub fn read(text: &'a [u8]) -> Result<Self, Unreadable> {
        let mut record = Self {
            text,
            ..Self::default()
        };
        let mut scanner = Scanner::new(text);
        scanner.expect(b'{').ok_or(Unreadable::Syntax)?;
        match record.members(&mut scanner)? {
            Some(()) if scanner.is_at_end() => {}
            Some(()) => return Err(Unreadable::Syntax),
            None if record.target.is_some() => record.is_cut = true,
            None => return Err(Unreadable::Syntax),
        }
        if record.audit_id.is_empty() {
            return Err(Unreadable::NoId);
        }
        Ok(record)
    }

    /// The event's text.
    #[must_use]
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// What tells the events of one request from those of others.
    #[must_use]
    pub fn audit_id(&self) -> Cow<'a, str> {
        self.audit_id.decode()
    }

    /// When in its request it was logged; `None` when it says something unknown.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        self.stage
    }

    /// How much of the request was logged: `Metadata`, `Request`, `RequestResponse`.
    #[must_use]
    pub fn level(&self) -> Cow<'a, str> {
        self.level.decode()
    }

    /// Whether it ends before it is over.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// When the request arrived, or what was logged of it, in nanoseconds since 1970; 0 when nothing says so.
    #[must_use]
    pub fn time(&self) -> u64 {
        [self.received, self.staged]
            .into_iter()
            .flatten()
            .find_map(|text| text.decode().parse::<Timestamp>().ok())
            .and_then(|time| u64::try_from(time.as_nanosecond()).ok())
            .unwrap_or(0)
    }

    /// Where the request came from and through: first what the client says, last what the server sees.
    pub(crate) fn source_addresses(&self) -> impl Iterator<Item = IpAddr> {
        let parsed = self
            .addresses
            .iter()
            .filter_map(|text| text.decode().parse().ok());
        parsed.map(|address: IpAddr| address.to_canonical())
    }

    /// The value of an annotation of the event.
    pub(crate) fn annotation(&self, name: &str) -> Option<Text<'a>> {
        let mut annotations = self.annotations.iter();
        annotations.find_map(|(key, value)| key.is(name).then_some(*value))
    }

    /// The texts of the bodies. Looked for each time.
    pub(crate) fn bodies(&self) -> BodyTexts<'a> {
        let (request, response) = self.spans();
        BodyTexts {
            request: request.map(|span| span.of(self.text)),
            response: response.map(|span| span.of(self.text)),
        }
    }

    /// Where the bodies are.
    fn spans(&self) -> (Option<Span>, Option<Span>) {
        match self.bodies {
            Bodies::None => (None, None),
            Bodies::Known { request, response } => (request, response),
            Bodies::Together { first, span } => {
                let until = self.text.get(..span.end).unwrap_or_default();
                let mut scanner = Scanner::starting_at(until, span.start);
                let one = scanner.value();
                let key = scanner.key(false).flatten();
                let other = match (key, first) {
                    (Some((key, _)), Body::Request) if key.is("responseObject") => scanner.value(),
                    (Some((key, _)), Body::Response) if key.is("requestObject") => scanner.value(),
                    _ => None,
                };
                match first {
                    Body::Request => (one, other),
                    Body::Response => (other, one),
                }
            }
        }
    }

    /// Reads members up to the end of the event. `None`: the text ends before.
    fn members(&mut self, scanner: &mut Scanner<'a>) -> Result<Option<()>, Unreadable> {
        let mut is_first = true;
        for _ in 0..MAX_MEMBERS {
            let Some(next) = scanner.key(is_first) else {
                return Ok(None);
            };
            is_first = false;
            let Some((key, _)) = next else {
                return Ok(Some(()));
            };
            let body = match key.raw() {
                b"requestObject" => Some(Body::Request),
                b"responseObject" => Some(Body::Response),
                _ => None,
            };
            let stepped = match body {
                Some(body) => self.step_over(body, scanner),
                None => self.member(key, scanner)?,
            };
            if stepped.is_none() {
                return Ok(None);
            }
        }
        Err(Unreadable::Members)
    }

    fn member(
        &mut self,
        key: Text<'a>,
        scanner: &mut Scanner<'a>,
    ) -> Result<Option<()>, Unreadable> {
        let text = |scanner: &mut Scanner<'a>, member: &'static str| match scanner.peek() {
            Some(b'"') => Ok(scanner.string()),
            Some(b'n') => Ok(scanner.scalar().map(|()| Text::default())),
            Some(_) => Err(Unreadable::Type { member }),
            None => Ok(None),
        };
        match key.raw() {
            b"kind" => {
                let kind = text(scanner, "kind")?;
                if let Some(kind) = kind
                    && !kind.is("Event")
                {
                    let kind = shorten(kind);
                    return Err(Unreadable::Kind { kind });
                }
                Ok(kind.map(|_| ()))
            }
            b"apiVersion" => {
                let version = text(scanner, "apiVersion")?;
                if let Some(version) = version
                    && !version.raw().starts_with(b"audit.k8s.io/v1")
                {
                    let version = shorten(version);
                    return Err(Unreadable::Version { version });
                }
                Ok(version.map(|_| ()))
            }
            b"auditID" => Ok(put(&mut self.audit_id, text(scanner, "auditID")?)),
            b"level" => Ok(put(&mut self.level, text(scanner, "level")?)),
            b"stage" => {
                let stage = text(scanner, "stage")?;
                let stepped = put(&mut self.stage_text, stage);
                self.stage = Stage::parse(self.stage_text);
                Ok(stepped)
            }
            b"verb" => Ok(put(&mut self.verb, text(scanner, "verb")?)),
            b"requestURI" => Ok(put(&mut self.uri, text(scanner, "requestURI")?)),
            b"userAgent" => Ok(put(&mut self.agent, text(scanner, "userAgent")?)),
            b"requestReceivedTimestamp" => Ok(put(
                &mut self.received,
                text(scanner, "requestReceivedTimestamp")?,
            )),
            b"stageTimestamp" => Ok(put(&mut self.staged, text(scanner, "stageTimestamp")?)),
            b"user" => {
                is_object(scanner, "user")?;
                Ok(put(&mut self.user, User::read(scanner)))
            }
            b"impersonatedUser" => {
                is_object(scanner, "impersonatedUser")?;
                Ok(put(&mut self.impersonated, User::read(scanner)))
            }
            b"objectRef" => {
                is_object(scanner, "objectRef")?;
                Ok(put(&mut self.target, Target::read(scanner)))
            }
            b"responseStatus" => {
                is_object(scanner, "responseStatus")?;
                Ok(put(&mut self.status, Status::read(scanner)))
            }
            b"sourceIPs" => Ok(put(&mut self.addresses, strings(scanner))),
            b"annotations" => Ok(put(&mut self.annotations, pairs(scanner))),
            _ => Ok(scanner.value().map(|_| ())),
        }
    }

    /// Steps over the body whose key was read, and over the other one too if the tail is found.
    fn step_over(&mut self, body: Body, scanner: &mut Scanner<'a>) -> Option<()> {
        if matches!(self.bodies, Bodies::None)
            && self.is_past_metadata()
            && let Some(tail) = self.tail(scanner.at())
        {
            self.bodies = Bodies::Together {
                first: body,
                span: Span {
                    start: scanner.at(),
                    end: tail,
                },
            };
            *scanner = Scanner::starting_at(self.text, tail);
            return Some(());
        }
        let span = scanner.value()?;
        let (mut request, mut response) = self.spans();
        match body {
            Body::Request => request = Some(span),
            Body::Response => response = Some(span),
        }
        self.bodies = Bodies::Known { request, response };
        Some(())
    }

    /// Whether what the API server writes before the bodies was read: of another order, nothing may be passed over.
    fn is_past_metadata(&self) -> bool {
        let metadata = [self.audit_id, self.verb, self.uri, self.user.name];
        metadata.iter().all(|text| !text.is_empty())
            && self.target.is_some()
            && self.status.is_some()
    }

    /// Where the tail begins, with its comma.
    ///
    /// Such a place is in the event itself and not in a body: what follows it are members up to one closing bracket
    /// that ends the text, so exactly one is open there.
    fn tail(&self, from: usize) -> Option<usize> {
        let mut tails = [SHORT_TAIL, TAIL].into_iter().map(|length| {
            let start = from.max(self.text.len().saturating_sub(length));
            let found = BEGINNING.find_iter(self.text.get(start..)?).last()?;
            Some(start.saturating_add(found))
        });
        let tail = tails.find_map(|tail| tail)?;
        let mut scanner = Scanner::starting_at(self.text, tail);
        for _ in 0..MAX_MEMBERS {
            if scanner.key(false)?.is_none() {
                return scanner.is_at_end().then_some(tail);
            }
            scanner.value()?;
        }
        None
    }
}

impl Stage {
    fn parse(text: Text<'_>) -> Option<Self> {
        match text.raw() {
            b"RequestReceived" => Some(Self::RequestReceived),
            b"ResponseStarted" => Some(Self::ResponseStarted),
            b"ResponseComplete" => Some(Self::ResponseComplete),
            b"Panic" => Some(Self::Panic),
            _ => None,
        }
    }
}

impl<'a> User<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Option<Self> {
        let mut user = Self::default();
        each_member(scanner, |key, scanner| {
            match key.raw() {
                b"username" => user.name = optional(scanner)?.unwrap_or_default(),
                b"uid" => user.uid = optional(scanner)?,
                b"groups" => user.groups = strings(scanner)?,
                b"extra" => user.extra = first_strings(scanner)?,
                _ => drop(scanner.value()?),
            }
            Some(())
        })?;
        Some(user)
    }

    /// The first value of what the authenticator added under `name`.
    pub(crate) fn extra(&self, name: &str) -> Option<Text<'a>> {
        let mut extra = self.extra.iter();
        extra.find_map(|(key, value)| key.is(name).then_some(*value))
    }
}

impl<'a> Target<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Option<Self> {
        let mut target = Self::default();
        each_member(scanner, |key, scanner| {
            let place = match key.raw() {
                b"resource" => &mut target.resource,
                b"namespace" => &mut target.namespace,
                b"name" => &mut target.name,
                b"uid" => &mut target.uid,
                b"apiGroup" => &mut target.group,
                b"apiVersion" => &mut target.version,
                b"subresource" => &mut target.subresource,
                _ => return scanner.value().map(|_| ()),
            };
            *place = optional(scanner)?;
            Some(())
        })?;
        Some(target)
    }
}

impl<'a> Status<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Option<Self> {
        let mut status = Self::default();
        let text = scanner.text();
        each_member(scanner, |key, scanner| {
            match key.raw() {
                b"code" => status.code = Some(scanner.value()?.of(text)),
                b"reason" => status.reason = optional(scanner)?,
                b"message" => status.message = optional(scanner)?,
                _ => drop(scanner.value()?),
            }
            Some(())
        })?;
        Some(status)
    }
}

fn put<T, V: Into<T>>(place: &mut T, value: Option<V>) -> Option<()> {
    *place = value?.into();
    Some(())
}

fn is_object(scanner: &mut Scanner<'_>, member: &'static str) -> Result<(), Unreadable> {
    match scanner.peek() {
        Some(b'{' | b'n') | None => Ok(()),
        Some(_) => Err(Unreadable::Type { member }),
    }
}

/// Calls `each` for every member of the object that comes; `null` has none.
fn each_member<'a>(
    scanner: &mut Scanner<'a>,
    mut each: impl FnMut(Text<'a>, &mut Scanner<'a>) -> Option<()>,
) -> Option<()> {
    if scanner.peek()? != b'{' {
        return scanner.value().map(|_| ());
    }
    scanner.expect(b'{')?;
    let mut is_first = true;
    while let Some((key, _)) = scanner.key(is_first)? {
        is_first = false;
        each(key, scanner)?;
    }
    Some(())
}

/// The string that comes; nothing in place of anything else.
fn optional<'a>(scanner: &mut Scanner<'a>) -> Option<Option<Text<'a>>> {
    if scanner.peek()? == b'"' {
        return scanner.string().map(Some);
    }
    scanner.value().map(|_| None)
}

/// The strings of the list that comes.
fn strings<'a>(scanner: &mut Scanner<'a>) -> Option<Vec<Text<'a>>> {
    let mut found = Vec::new();
    if scanner.peek()? != b'[' {
        scanner.value()?;
        return Some(found);
    }
    scanner.expect(b'[')?;
    let mut is_first = true;
    while scanner.item(is_first)? {
        is_first = false;
        if let Some(text) = optional(scanner)?
            && found.len() < MAX_ENTRIES
        {
            found.push(text);
        }
    }
    Some(found)
}

/// The members of the object that comes whose values are strings.
fn pairs<'a>(scanner: &mut Scanner<'a>) -> Option<Vec<(Text<'a>, Text<'a>)>> {
    let mut found = Vec::new();
    each_member(scanner, |key, scanner| {
        if let Some(value) = optional(scanner)?
            && found.len() < MAX_ENTRIES
        {
            found.push((key, value));
        }
        Some(())
    })?;
    Some(found)
}

/// The members of the object that comes whose values are lists of strings, each with its first.
fn first_strings<'a>(scanner: &mut Scanner<'a>) -> Option<Vec<(Text<'a>, Text<'a>)>> {
    let mut found = Vec::new();
    each_member(scanner, |key, scanner| {
        if let Some(value) = strings(scanner)?.first()
            && found.len() < MAX_ENTRIES
        {
            found.push((key, *value));
        }
        Some(())
    })?;
    Some(found)
}

/// What a stranger wrote, for a message.
fn shorten(text: Text<'_>) -> String {
    text.decode().chars().take(64).collect()
}

#[cfg(test)]
mod tests;

//! The contract between the engine and what feeds it.
//!
//! A [`Source`] resolves the fields that rules name, once, when rules are loaded. An [`Event`] gives the values of such
//! a [`Field`] when the engine first needs them, and is asked at most once per field and event. Values borrow from the
//! event wherever they stand in it as they are, so that looking at an event that no rule matches allocates nothing.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

/// Where events come from: what `source:` of a rule names, and which fields there are.
pub trait Source: Send + Sync {
    /// What rules call it: `k8s_audit`, `syscall`.
    fn name(&self) -> &str;

    /// The field `name`, or `name[argument]`. Called when rules are loaded, never while events are evaluated: whatever
    /// can be parsed of the argument is parsed here.
    ///
    /// # Errors
    /// When there is no such field, or not with this argument.
    fn field(&self, name: &str, argument: Option<&str>) -> Result<Field, FieldError>;

    /// All fields, for `seareeve rules`, for suggestions and for generated pages.
    fn fields(&self) -> &[FieldInfo];

    /// The plugins whose fields these are, with the version that they are compatible with:
    /// what `required_plugin_versions` asks for.
    fn provides(&self) -> &[(&'static str, &'static str)] {
        &[]
    }

    /// Whether a rule that says nothing about any key field is worth a warning, because it has to look at every event.
    fn wants_keys(&self) -> bool {
        false
    }
}

/// One event, seen through the fields of its source.
///
/// All methods are pure: asked twice, they say the same.
pub trait Event {
    /// Appends the values of `field`: one for [`Shape::One`], any number (none, too) for the others.
    ///
    /// A field that the event does not have is [`Presence::Absent`], which makes every comparison with it false, `!=`
    /// included, and `exists` too. What was pushed before `Absent` is returned is dropped by the engine.
    fn extract<'e>(&'e self, field: &Field, out: &mut Values<'e>) -> Presence;

    /// When it happened, in nanoseconds since 1970.
    fn time(&self) -> u64;

    /// The event as it may be told: without what nobody may keep. Whether rules match is asked of the event itself, and
    /// all that is said or remembered of it afterwards of this one, but for fields that are plain. Asked for only when a
    /// rule matches; `None`: the event may be told as it is.
    fn told(&self) -> Option<Box<dyn Event + '_>> {
        None
    }
}

/// Whether an event has a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It has, and the values were pushed. A list may be present and empty.
    Present,
    /// It has not.
    Absent,
}

/// A field as its source resolved it. Two that are equal have the same values in any event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The source's own number for the field's name.
    pub id: u32,
    /// What stood in brackets, parsed.
    pub argument: Argument,
    /// What its values are.
    pub kind: Kind,
    /// How many there are, and what a comparison with several means.
    pub shape: Shape,
    /// Whether most rules ask for it and few values of it concern a rule (verb, resource, event type): rules are
    /// sorted by it before anything else is looked at. It must be cheap to extract, since it is for every event.
    pub is_key: bool,
    /// Whether its values can be told as they are, whatever the event: names and addresses, never what stands in a body.
    /// What is learned of such fields alone needs no [`Event::told`].
    pub is_plain: bool,
}

/// What stands in brackets behind a field's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Argument {
    /// No brackets.
    #[default]
    None,
    /// `[3]`
    Index(u32),
    /// `[command]`
    Key(Arc<str>),
    /// `[/requestObject/spec/0]`, split and unescaped.
    Path(Arc<[Box<str>]>),
}

/// What the values of a field are, and so how text in a rule is read and compared with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Any bytes; of UTF-8 as a rule. [`Value::Text`].
    Text,
    /// Text that is a path. [`Value::Text`].
    Path,
    /// [`Value::Unsigned`]
    Unsigned,
    /// [`Value::Signed`]
    Signed,
    /// [`Value::Double`]
    Double,
    /// [`Value::Bool`]
    Bool,
    /// A point in time: [`Value::Unsigned`], nanoseconds since 1970.
    Time,
    /// A span of time: [`Value::Unsigned`], nanoseconds.
    Duration,
    /// An address. [`Value::Address`]; version 4 and 6 never equal each other.
    Address,
    /// An address that rules compare with networks (`fd.snet = 10.0.0.0/8`). [`Value::Address`].
    Network,
}

/// How many values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Exactly one.
    One,
    /// A list: only `in` (all of them), `intersects` (one of them) and `exists` can be asked of it.
    List,
    /// Several of which one suffices, for any operator: all ancestors of a process (`proc.aname`).
    Any,
    /// Both sides of something: one suffices for all operators but `!=`, which needs both (`fd.ip`, `fd.port`).
    Either,
}

/// One value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'e> {
    /// Of [`Kind::Text`] and [`Kind::Path`].
    Text(Cow<'e, [u8]>),
    /// Of [`Kind::Unsigned`], [`Kind::Time`] and [`Kind::Duration`].
    Unsigned(u64),
    /// Of [`Kind::Signed`].
    Signed(i64),
    /// Of [`Kind::Double`].
    Double(f64),
    /// Of [`Kind::Bool`].
    Bool(bool),
    /// Of [`Kind::Address`] and [`Kind::Network`].
    Address(IpAddr),
}

/// Where an event puts the values of a field.
#[derive(Debug, Default)]
pub struct Values<'e> {
    items: Vec<Value<'e>>,
    /// Where the values of the field begin that is being asked for.
    start: usize,
}

/// A field that there is, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Without brackets.
    pub name: Cow<'static, str>,
    /// What stands in its brackets, if it has some.
    pub argument: ArgumentInfo,
    /// What its values are.
    pub kind: Kind,
    /// How many there are.
    pub shape: Shape,
    /// One sentence about it, or nothing.
    pub about: Cow<'static, str>,
}

/// Whether a field has brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentInfo {
    /// It must not.
    None,
    /// It may.
    Optional,
    /// It must.
    Required,
}

/// Why a source does not resolve a field. The fault of who wrote the rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// There is no field of this name.
    #[error("there is no field {name}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// It has no brackets.
    #[error("{name} takes no argument")]
    NoArgument {
        /// The field's name.
        name: String,
    },
    /// It needs brackets.
    #[error("{name} needs an argument: {name}[…]")]
    NeedsArgument {
        /// The field's name.
        name: String,
    },
    /// What stands in the brackets makes no sense.
    #[error("{name} does not take the argument {argument:?}: {why}")]
    Argument {
        /// The field's name.
        name: String,
        /// What stood in brackets.
        argument: String,
        /// What is wrong with it.
        why: String,
    },
}

impl<'e> Values<'e> {
    /// Appends a value.
    pub fn push(&mut self, value: Value<'e>) {
        self.items.push(value);
    }

    /// Appends text that stands in the event.
    pub fn text(&mut self, text: &'e str) {
        self.push(Value::Text(Cow::Borrowed(text.as_bytes())));
    }

    /// Appends bytes that stand in the event.
    pub fn bytes(&mut self, bytes: &'e [u8]) {
        self.push(Value::Text(Cow::Borrowed(bytes)));
    }

    /// Appends text that was put together.
    pub fn owned(&mut self, text: String) {
        self.push(Value::Text(Cow::Owned(text.into_bytes())));
    }

    pub(crate) fn reuse(items: Vec<Value<'static>>) -> Self {
        Self { items, start: 0 }
    }

    /// Gives the memory back, for the next event.
    pub(crate) fn recycle(self) -> Vec<Value<'static>> {
        // Of another lifetime, and empty: the allocation stays the same.
        self.items.into_iter().map_while(|_| None).collect()
    }

    /// Begins a field; says where its values will be.
    pub(crate) fn begin(&mut self) -> usize {
        self.start = self.items.len();
        self.start
    }

    pub(crate) fn end(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn drop_from(&mut self, start: usize) {
        self.items.truncate(start);
    }

    pub(crate) fn range(&self, start: usize, end: usize) -> &[Value<'e>] {
        self.items.get(start..end).unwrap_or_default()
    }

    /// What was pushed for this field so far.
    #[must_use]
    pub fn as_slice(&self) -> &[Value<'e>] {
        self.items.get(self.start..).unwrap_or_default()
    }
}

impl Value<'_> {
    /// The bytes of a text.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            Self::Unsigned(_) | Self::Signed(_) | Self::Double(_) | Self::Bool(_) => None,
            Self::Address(_) => None,
        }
    }
}

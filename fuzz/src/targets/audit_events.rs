//! Audit events and the envelopes that they come in: read, looked at through every field, and taken clean.

use seareeve_audit::{
    AuditSource, Documents, Found, Policy, Record, SOURCE, State, cluster_uid, redact,
    redact_bodies, unpack,
};
use seareeve_detect::{ArgumentInfo, Event, Source as _, Values};

use crate::Target;
use crate::made;

const WORDS: &[&str] = &[
    "{\"auditID\":\"1\",",
    "\"stage\":\"ResponseStarted\"",
    "\"verb\":\"patch\"",
    "\"objectRef\":{\"resource\":\"pods\",\"subresource\":\"exec\"}",
    "\"requestURI\":\"/x?command=\"",
    "\"requestObject\":",
    "\"responseObject\":",
    ",\"requestReceivedTimestamp\":\"",
    "\"items\":[",
    "\"records\":[",
    "\"logEvents\":[",
    "\"protoPayload\":{",
    "\"message\":{\"data\":\"",
    "[Truncated...]",
    "{\"op\":\"add\",\"path\":\"/spec/template/spec/containers/0\",\"value\":",
    "\"spec\":{\"containers\":[{",
    "\\ud83d",
    "\"data\":{\"password\":\"",
];

pub(super) const TARGET: Target = Target {
    name: "audit_events",
    run,
    longest: 8 << 10,
    seeds: || made::seeds("audit_events"),
    words: WORDS,
};

fn run(input: &[u8]) {
    let mut documents = Documents::new();
    let mut state = State::default();
    let mut each = |document: &[u8]| {
        unpack(document, &mut |found| match found {
            Found::Event(event) => event_of(&event, &mut state),
            Found::Broken(why) => assert!(!why.to_string().is_empty()),
            Found::Other => {}
        });
    };
    each(input);
    for line in input.split(|byte| *byte == b'\n') {
        documents.line(line, &mut each);
    }
    documents.end();
    let _ = Policy::parse(&String::from_utf8_lossy(input));
}

/// Whatever is read has a time, every field of it can be asked for twice with the same answer, and what is kept of it is
/// an event again, in which there is nothing more to take out.
fn event_of(event: &[u8], state: &mut State) {
    if let Some(clean) = redact(event) {
        let again = redact(clean.json.as_bytes()).expect("what is kept of an event is one");
        assert_eq!(again.json, clean.json);
    }
    let record = match Record::read(event) {
        Ok(record) => record,
        Err(why) => {
            assert!(!why.to_string().is_empty());
            return;
        }
    };
    let _ = cluster_uid(&record, event);
    let short = redact_bodies(event).expect("what is read can be kept without its bodies");
    assert!(Record::read(short.json.as_bytes()).is_ok());
    let Some(event) = state.observe(record) else {
        return;
    };
    let _ = event.time();
    // As it may be told, every field of it can be asked for, too.
    fields_of(&event);
    if let Some(told) = event.told() {
        assert_eq!(told.time(), event.time());
        fields_of(told.as_ref());
    }
}

/// Asks for every field, twice.
fn fields_of(event: &dyn Event) {
    let source = AuditSource;
    assert_eq!(source.name(), SOURCE);
    for info in source.fields() {
        let argument = match info.argument {
            ArgumentInfo::None => None,
            ArgumentInfo::Optional => Some("0"),
            ArgumentInfo::Required if info.name == "jevt.value" => Some("/requestObject/spec"),
            ArgumentInfo::Required => Some("command"),
        };
        let field = source
            .field(&info.name, argument)
            .expect("a field that is told of can be asked for");
        let mut values = Values::default();
        let mut again = Values::default();
        let presence = event.extract(&field, &mut values);
        assert_eq!(event.extract(&field, &mut again), presence);
        assert_eq!(values.as_slice(), again.as_slice());
    }
}

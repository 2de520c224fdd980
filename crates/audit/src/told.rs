//! An event as it may be told: without its credentials.
//!
//! To take them out of the whole of an event is most of the work that an alert makes, and most alerts speak of nothing
//! but its metadata. What stands there as it is gets cleaned by itself, and the whole only when something else is asked.

use std::borrow::Cow;
use std::cell::OnceCell;

use seareeve_detect::{Argument, Event, Field, Presence, Value, Values};

use crate::event::AuditEvent;
use crate::fields;
use crate::record::Record;
use crate::redact;

/// Fields with texts of the metadata as they stand there. What is made of such a text, or of more than one, is not
/// among them: it may no longer look like the credential that it was a part of.
const VERBATIM: &[&str] = &[
    "ka.auditid",
    "ka.impuser.name",
    "ka.response.code",
    "ka.response.reason",
    "ka.stage",
    "ka.target.name",
    "ka.target.namespace",
    "ka.target.resource",
    "ka.target.subresource",
    ADDRESS,
    "ka.user.name",
    "ka.useragent",
    "ka.verb",
    "jevt.rawtime",
    "kube.actor",
    "kube.source",
    "kube.source.class",
    "kube.source.peer",
    "kube.user.kind",
];

/// Members of the event that `jevt.value` leads to, of which the same holds.
const MEMBERS: &[&str] = &["auditID", "level", "stage", "verb"];
/// The address of the request, in whose parameters there are credentials.
const ADDRESS: &str = "ka.uri";

/// An event without its credentials.
#[derive(Debug)]
pub(crate) struct Told<'e, 'a> {
    event: &'e AuditEvent<'a>,
    whole: OnceCell<Option<AuditEvent<'e>>>,
}

impl<'e, 'a> Told<'e, 'a> {
    pub(crate) fn new(event: &'e AuditEvent<'a>) -> Self {
        Self {
            event,
            whole: OnceCell::new(),
        }
    }

    /// The event read again without its credentials; `None` when there are none in it.
    fn whole(&self) -> Option<&AuditEvent<'e>> {
        let whole = self.whole.get_or_init(|| {
            let clean = self.event.redacted().map(|clean| clean.json.as_bytes());
            if clean == Some(self.event.record().text()) {
                return None;
            }
            // What cannot be read without its credentials raises an alert that says nothing but when.
            let record = clean.and_then(|clean| Record::read(clean).ok());
            Some(self.event.read_as(record.unwrap_or_default()))
        });
        whole.as_ref()
    }
}

impl Event for Told<'_, '_> {
    fn extract<'x>(&'x self, field: &Field, out: &mut Values<'x>) -> Presence {
        let name = fields::name(field).unwrap_or_default();
        if is_verbatim(name, &field.argument) {
            let mut raw = Values::default();
            let presence = fields::extract(self.event, field, &mut raw);
            let values = raw.as_slice().iter();
            let clean: Option<Vec<Value<'x>>> = values
                .map(|value| cleaned(value, name == ADDRESS))
                .collect();
            if let Some(clean) = clean {
                clean.into_iter().for_each(|value| out.push(value));
                return presence;
            }
        }
        match self.whole() {
            Some(whole) => fields::extract(whole, field, out),
            None => fields::extract(self.event, field, out),
        }
    }

    fn time(&self) -> u64 {
        self.event.time()
    }
}

fn is_verbatim(name: &str, argument: &Argument) -> bool {
    let is_member = |path: &[Box<str>]| match path {
        [member] => MEMBERS.contains(&&**member),
        _ => false,
    };
    VERBATIM.contains(&name)
        || matches!(argument, Argument::Path(path) if name == "jevt.value" && is_member(path))
}

/// A text without its credentials; `None` when it is of a form that only the whole event is looked through for.
fn cleaned<'e>(value: &Value<'e>, is_address: bool) -> Option<Value<'e>> {
    let Value::Text(bytes) = value else {
        return Some(value.clone());
    };
    let text = std::str::from_utf8(bytes).ok()?;
    let clean = redact::metadata(text, is_address)?;
    Some(match clean {
        Cow::Borrowed(_) => value.clone(),
        Cow::Owned(clean) => Value::Text(Cow::Owned(clean.into_bytes())),
    })
}

#[cfg(test)]
mod tests {
    use seareeve_detect::Source as _;
    use serde_json::json;

    use super::*;
    use crate::AuditSource;

    #[test]
    fn what_is_cleaned_by_itself_is_told_as_the_whole_event_tells_it() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJQTEFOVCJ9.UExBTlRQTEFOVFBMQU5U";
        let texts = [
            "mallory",
            "--password=PLANT1234",
            "mysql -pPLANT1234",
            "https://u:PLANT1234@host/",
            "/x?token=PLANT1234",
            r#"{"password": "PLANT1234"}"#,
            jwt,
        ];
        let mut taken_out = 0;
        for text in texts {
            let event = json!({
                "kind": "Event", "auditID": text, "stage": "ResponseComplete", "level": "Request", "verb": text,
                "requestURI": format!("/api/v1/x?command=mysql&command=-pPLANT1234&token={text}"),
                "user": {"username": text}, "impersonatedUser": {"username": text}, "userAgent": text,
                "sourceIPs": ["203.0.113.7"], "responseStatus": {"code": 200, "reason": text},
                "objectRef": {"resource": text, "namespace": text, "name": text, "subresource": text},
            })
            .to_string();
            let event = AuditEvent::new(Record::read(event.as_bytes()).unwrap());
            let told = Told::new(&event);
            let clean = event.redacted().unwrap().json.clone();
            let whole = AuditEvent::new(Record::read(clean.as_bytes()).unwrap());
            let members = MEMBERS.iter().map(|member| ("jevt.value", Some(*member)));
            for (name, argument) in VERBATIM.iter().map(|name| (*name, None)).chain(members) {
                let field = AuditSource.field(name, argument).unwrap();
                let (mut told_values, mut values) = (Values::default(), Values::default());
                let presence = told.extract(&field, &mut told_values);
                assert_eq!(presence, fields::extract(&whole, &field, &mut values));
                assert_eq!(told_values.as_slice(), values.as_slice(), "{name} {text}");
                let mut raw = Values::default();
                fields::extract(&event, &field, &mut raw);
                taken_out += usize::from(told_values.as_slice() != raw.as_slice());
            }
        }
        assert!(taken_out > 40, "{taken_out}");
    }
}

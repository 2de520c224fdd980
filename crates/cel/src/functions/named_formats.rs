//! Named formats, as in Kubernetes.

use super::{Builtin, Call, global, member};
use crate::error::Reason;
use crate::objects::named_format::NamedFormat;
use crate::objects::{Kind, Object};
use crate::value::Value;

type Result<'a> = std::result::Result<Value<'a>, Reason>;

pub(super) const FUNCTIONS: &[Builtin] = &[
    global("format.named", 1, 1, named),
    global("format.dns1123Label", 0, 0, own),
    global("format.dns1123Subdomain", 0, 0, own),
    global("format.dns1035Label", 0, 0, own),
    global("format.dns1123LabelPrefix", 0, 0, own),
    global("format.dns1123SubdomainPrefix", 0, 0, own),
    global("format.dns1035LabelPrefix", 0, 0, own),
    global("format.qualifiedName", 0, 0, own),
    global("format.labelValue", 0, 0, own),
    global("format.uri", 0, 0, own),
    global("format.uuid", 0, 0, own),
    global("format.byte", 0, 0, own),
    global("format.date", 0, 0, own),
    global("format.datetime", 0, 0, own),
    member("validate", 2, 2, validate),
];

fn value(format: NamedFormat) -> Value<'static> {
    Value::Object(Object::new(Kind::Format(format)))
}

fn named<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::String(name)] = call.arguments else {
        return Err(call.mismatch());
    };
    let found = NamedFormat::find(name).map(value);
    Ok(found.map_or(Value::Optional(None), Value::some))
}

/// The format that has the function's name.
fn own<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let name = call.name.strip_prefix("format.").unwrap_or_default();
    let found = NamedFormat::find(name).map(value);
    found.ok_or_else(|| call.mismatch())
}

/// What is wrong with a text, as a list; none if nothing is.
fn validate<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::Object(object), Value::String(text)] = call.arguments else {
        return Err(call.mismatch());
    };
    let Kind::Format(format) = object.kind() else {
        return Err(call.mismatch());
    };
    call.budget.take_bytes(text.len())?;
    Ok(match format.problem(text) {
        Some(problem) => Value::some(Value::list([Value::from(problem)])),
        None => Value::Optional(None),
    })
}

//! URLs, as in Kubernetes.

use super::{Builtin, Call, global, member};
use crate::error::{Reason, cut};
use crate::evaluate::VALUE_BYTES;
use crate::objects::url::Url;
use crate::objects::{Kind, Object};
use crate::value::{Key, Map, Text, Value};

type Result<'a> = std::result::Result<Value<'a>, Reason>;

pub(super) const FUNCTIONS: &[Builtin] = &[
    global("url", 1, 1, url),
    global("isURL", 1, 1, is_url),
    member("getScheme", 1, 1, |call| {
        part(call, |url| url.scheme.to_string())
    }),
    member("getHost", 1, 1, |call| {
        part(call, |url| url.host.to_string())
    }),
    member("getHostname", 1, 1, |call| {
        part(call, |url| url.hostname().to_owned())
    }),
    member("getPort", 1, 1, |call| {
        part(call, |url| url.port().to_owned())
    }),
    member("getEscapedPath", 1, 1, |call| part(call, Url::escaped_path)),
    member("getQuery", 1, 1, query),
];

fn url<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::String(text)] = call.arguments else {
        return Err(call.mismatch());
    };
    call.budget.take_bytes(text.len().saturating_mul(2))?;
    match Url::parse(text) {
        Some(url) => Ok(Value::Object(Object::new(Kind::Url(url)))),
        None => Err(Reason::invalid(format!("not a URL: {}", cut(text)))),
    }
}

fn is_url<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::String(text)] = call.arguments else {
        return Err(call.mismatch());
    };
    call.budget.take_bytes(text.len().saturating_mul(2))?;
    Ok(Value::Bool(Url::parse(text).is_some()))
}

fn receiver<'c>(call: &Call<'c, '_>) -> std::result::Result<&'c Url, Reason> {
    match call.arguments {
        [Value::Object(object)] => match object.kind() {
            Kind::Url(url) => Ok(url),
            _ => Err(call.mismatch()),
        },
        _ => Err(call.mismatch()),
    }
}

fn part<'a>(call: &mut Call<'_, 'a>, part: fn(&Url) -> String) -> Result<'a> {
    let text = part(receiver(call)?);
    call.budget.take_bytes(text.len())?;
    Ok(Value::String(Text::from(text)))
}

/// Each parameter with all its values.
fn query<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for parameter in receiver(call)?.parameters() {
        let bytes = parameter.0.len() + parameter.1.len() + 4 * VALUE_BYTES;
        call.budget.take_steps(4)?;
        call.budget.take_bytes(bytes)?;
        parameters.push(parameter);
    }
    // Stable: the values of one name keep their order.
    parameters.sort_by(|left, right| left.0.cmp(&right.0));
    let entries = parameters.chunk_by(|left, right| left.0 == right.0);
    let entries = entries.filter_map(|same| {
        let (name, _) = same.first()?;
        let values = same.iter().map(|(_, value)| Value::from(value.clone()));
        Some((Key::String(Text::from(name.clone())), Value::list(values)))
    });
    Ok(Value::Map(Map::made(entries.collect())))
}

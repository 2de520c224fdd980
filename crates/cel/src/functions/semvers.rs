//! Versions, as in Kubernetes. They are compared by the functions that quantities have.

use super::{Builtin, Call, global, member};
use crate::error::{Reason, cut};
use crate::objects::{Kind, Object, semver};
use crate::value::Value;

type Result<'a> = std::result::Result<Value<'a>, Reason>;

pub(super) const FUNCTIONS: &[Builtin] = &[
    global("semver", 1, 2, |call| {
        let (text, version) = read(call)?;
        match version {
            Some(version) => Ok(Value::Object(Object::new(Kind::Semver(version)))),
            None => Err(Reason::invalid(format!(
                "not a semantic version: {}",
                cut(text)
            ))),
        }
    }),
    global("isSemver", 1, 2, |call| {
        Ok(Value::Bool(read(call)?.1.is_some()))
    }),
    member("major", 1, 1, |call| number(call, |version| version.major)),
    member("minor", 1, 1, |call| number(call, |version| version.minor)),
    member("patch", 1, 1, |call| number(call, |version| version.patch)),
];

/// The text, and the version that it is; the second argument says whether it may be written loosely.
fn read<'c>(
    call: &Call<'c, '_>,
) -> std::result::Result<(&'c str, Option<::semver::Version>), Reason> {
    match call.arguments {
        [Value::String(text)] => Ok((text, semver::parse(text, false))),
        [Value::String(text), Value::Bool(normalize)] => {
            Ok((text, semver::parse(text, *normalize)))
        }
        _ => Err(call.mismatch()),
    }
}

fn number<'a>(call: &mut Call<'_, 'a>, number: fn(&::semver::Version) -> u64) -> Result<'a> {
    match call.arguments {
        [Value::Object(object)] => match object.kind() {
            Kind::Semver(version) => match i64::try_from(number(version)) {
                Ok(number) => Ok(Value::Int(number)),
                Err(_) => Err(Reason::Overflow("int")),
            },
            _ => Err(call.mismatch()),
        },
        _ => Err(call.mismatch()),
    }
}

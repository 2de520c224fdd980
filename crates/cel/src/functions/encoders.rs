//! base64, as in cel-go's `ext.Encoders`.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Builtin, Call, global};
use crate::error::Reason;
use crate::value::{Octets, Text, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    global("base64.encode", 1, 1, encode),
    global("base64.decode", 1, 1, decode),
];

/// With the padding and without it.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn encode<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    let [Value::Bytes(bytes)] = call.arguments else {
        return Err(call.mismatch());
    };
    call.budget.take_bytes(bytes.len().saturating_mul(2))?;
    Ok(Value::String(Text::from(ENGINE.encode(&**bytes))))
}

fn decode<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    let [Value::String(text)] = call.arguments else {
        return Err(call.mismatch());
    };
    call.budget.take_bytes(text.len())?;
    let bytes = ENGINE.decode(text.as_bytes());
    bytes
        .map(|bytes| Value::Bytes(Octets::from(bytes)))
        .map_err(|error| Reason::invalid(format!("not base64: {error}")))
}

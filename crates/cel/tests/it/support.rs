//! What the tests share: evaluating a text, and showing values as they are written.

use seareeve_cel::{Bindings, Budget, Environment, Limits, Value};
use serde_json::Value as Json;

/// What evaluating a text gives: its value as it is written, or what is wrong.
pub(crate) fn show_result(text: &str, given: &Json) -> String {
    let mut environment = Environment::new();
    let object = given.as_object().expect("bindings are an object");
    for name in object.keys() {
        environment = environment.variable(name);
    }
    let program = match environment.compile(text, &Limits::default()) {
        Ok(program) => program,
        Err(error) => return format!("refused at {}: {}", error.position, error.message),
    };
    let mut bindings = Bindings::new(&environment);
    for (name, value) in object {
        assert!(bindings.set(name, value));
    }
    let mut budget = Budget::new(100_000, 1_000_000);
    match program.evaluate(&bindings, &mut budget) {
        Ok(value) => show(&value),
        Err(error) => format!("error at {}: {}", error.position, error.reason),
    }
}

/// A value as it is written, as far as it can be.
pub(crate) fn show(value: &Value<'_>) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => format!("{value}u"),
        Value::Double(value) if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.1}"),
        Value::Double(value) => format!("{value:e}").replace("e0", ""),
        Value::String(text) => format!("'{}'", text.escape_default()),
        Value::Bytes(bytes) => format!("b'{}'", bytes.escape_ascii()),
        Value::Duration(span) => format!("duration({span})"),
        Value::Timestamp(time) => format!("timestamp({time})"),
        Value::Type(named) => named.name().to_owned(),
        Value::List(list) => format!(
            "[{}]",
            joined(list.iter().map(|each| show(&each)).collect())
        ),
        Value::Map(map) => {
            let entry = |(key, value): (seareeve_cel::Key<'_>, Value<'_>)| {
                format!("{}: {}", show(&key.value()), show(&value))
            };
            format!("{{{}}}", joined(map.iter().map(entry).collect()))
        }
        Value::Optional(None) => "none".to_owned(),
        Value::Optional(Some(value)) => format!("optional({})", show(value)),
        Value::Object(object) => format!("{}({object})", value.type_of().name()),
    }
}

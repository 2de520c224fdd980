//! The crate `cel` beside ours: where it implements what an expression needs, both say the same.

use std::collections::HashMap;
use std::sync::Arc;

use cel::{Context, Env, Value as Theirs};
use serde_json::{Value as Json, json};

use crate::support;

/// What the peer makes of a text, written as ours are. Only what JSON can say is compared.
pub(crate) fn show_result(text: &str, given: &Json) -> String {
    let environment = Arc::new(Env::stdlib());
    let program = match environment.compile(text) {
        Ok(program) => program,
        Err(error) => return format!("refused: {error}"),
    };
    let mut context = Context::with_env(environment);
    for (name, value) in given.as_object().expect("bindings are an object") {
        context.add_variable_from_value(name, theirs(value));
    }
    match program.execute(&context) {
        Ok(value) => show(&value),
        Err(_) => "error".to_owned(),
    }
}

/// JSON as the peer's value. Its own conversion makes `uint` of whole numbers without a sign.
fn theirs(json: &Json) -> Theirs {
    match json {
        Json::Null => Theirs::Null,
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => match number.as_i64() {
            Some(int) => int.into(),
            None => number.as_f64().expect("a number").into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(values) => values.iter().map(theirs).collect::<Vec<_>>().into(),
        Json::Object(object) => {
            let entries = object
                .iter()
                .map(|(key, value)| (key.clone(), theirs(value)));
            entries.collect::<HashMap<String, Theirs>>().into()
        }
    }
}

fn show(value: &Theirs) -> String {
    match value.json() {
        Ok(json) => support::show(&seareeve_cel::Value::from(&json)),
        Err(_) => "not comparable".to_owned(),
    }
}

/// Where the peer and the specification's own tests differ, or the peer lacks something, ours are not here.
const EXPRESSIONS: &[&str] = &[
    "1 + 2 * 3 - 4 / 2 % 3",
    "1.5 * 2.0 == 3.0",
    "9223372036854775807 + 1",
    "1 / 0",
    "1 + 1u",
    "true || 1 / 0 == 1",
    "1 / 0 == 1 || true",
    "false && it.none",
    "it.none && false",
    "it.name == 'web' ? 'yes' : 'no'",
    "it.name + '-' + string(it.count)",
    "it.count in [1, 2, 3]",
    "'a' in it.map",
    "it.list[1]",
    "it.list[9]",
    "it.map['b']",
    "it.map.c",
    "has(it.map.a) && !has(it.map.c)",
    "it.?map.?a.orValue(0)",
    "it.?gone.?a.orValue(0)",
    "it.list.map(x, x * 2)",
    "it.list.filter(x, x > 1)",
    "it.list.all(x, x > 0)",
    "it.list.exists(x, x == 2)",
    "it.list.exists_one(x, x > 1)",
    "it.map.map(k, it.map[k]).all(v, v in [1, 2])",
    "size(it.list) + it.name.size()",
    "it.name.startsWith('w') && it.name.endsWith('b') && it.name.contains('e')",
    "it.name.matches('^w.b$')",
    "[1, 2] + [3] == [1, 2, 3]",
    "{'a': 1}.a",
    "-it.count < 0 && !false",
    "'\\u00e9\\n\\x41' + r'\\d' + '''it's'''",
    "int('42') + int(3.7) + int(2u)",
    "double('1.5')",
    "string(1.5) + string(true)",
    "it.nested[0].name",
    "it.nested.filter(n, n.on).map(n, n.name)",
    "it.nested.all(n, it.list.exists(x, x == n.id))",
    "timestamp('2024-02-29T12:00:00Z').getFullYear()",
    "timestamp('2024-01-01T00:00:00Z') + duration('1h') > timestamp('2024-01-01T00:30:00Z')",
    "duration('1h30m') > duration('89m')",
    "[1, 2, 3].exists(x, x / 0 == 1)",
    "type(1) == int && type('a') == string",
    "null == it.nil",
];

#[test]
fn expressions_have_the_same_value() {
    let given = json!({"it": {
        "name": "web", "count": 3, "list": [1, 2, 3], "map": {"a": 1, "b": 2}, "nil": null,
        "nested": [{"id": 1, "name": "x", "on": true}, {"id": 3, "name": "y", "on": false}],
    }});
    for text in EXPRESSIONS {
        let ours = support::show_result(text, &given);
        let ours = match ours.starts_with("error at") {
            true => "error",
            false => &ours,
        };
        assert_eq!(ours, show_result(text, &given), "{text}");
    }
}

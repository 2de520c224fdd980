//! Writing expressions with other names: the structure stays, and so does what they say.

use seareeve_cel::{Call, Field, Limits, Renamed, Rewriting, rewrite};
use serde_json::json;

use crate::support::show_result;

/// `it` becomes `object`, `it.spec` becomes `s`; `within` is called `below`; all else is kept.
struct Names;

impl Rewriting for Names {
    fn name(&mut self, name: &str, field: Option<Field<'_>>) -> Result<Renamed, String> {
        let (text, takes_field) = match (name, field.map(|field| field.name)) {
            ("it", Some("spec")) => ("s", true),
            ("it", _) => ("object", false),
            ("secret", _) => return Err("nobody may know".to_owned()),
            (name, _) => (name, false),
        };
        Ok(Renamed {
            text: text.to_owned(),
            takes_field,
        })
    }

    fn call(&mut self, call: &Call<'_>) -> Result<Option<String>, String> {
        Ok((call.name == "within").then(|| format!("below({})", call.arguments.join(", "))))
    }

    fn mixed(&mut self, element: String) -> String {
        format!("dyn({element})")
    }
}

fn rewritten(text: &str) -> String {
    rewrite(text, &Limits::default(), &mut Names).unwrap_or_else(|error| error.to_string())
}

#[test]
fn names_change_but_for_those_of_macros() {
    for (text, wanted) in [
        ("it.name", "object.name"),
        ("it.?spec.ports[0]", "s.ports[0]"),
        ("it.list.map(it, it.spec)", "object.list.map(it, it.spec)"),
        ("a.filter(x, x.it == it)", "a.filter(x, x.it == object)"),
        ("within(it.a, '/etc')", "below(object.a, '/etc')"),
        ("a.?b[?c].orValue(-1)", "a.?b[?c].orValue(-1)"),
        ("{'a': 1, 'b': it}", "{'a': dyn(1), 'b': dyn(object)}"),
        ("x in ['a', \"b'\\n\"]", "x in ['a', 'b\\'\\n']"),
        ("secret.x", "nobody may know"),
    ] {
        assert_eq!(rewritten(text), wanted, "{text}");
    }
    assert!(rewritten("a +").contains("expected an expression, found the end"));
}

#[test]
fn brackets_keep_what_binds_together_together() {
    let given =
        json!({"a": 7, "b": 2, "c": 3, "t": true, "f": false, "l": [1, 2, 3], "m": {"x-y": 4}});
    for text in [
        "a - (b - c)",
        "a - b - c",
        "(a + b) * c % 4",
        "-(a - b)",
        "!(t && f) || f && t",
        "t ? f ? 1 : 2 : 3",
        "(t ? l : []).size()",
        "(f || t) && !f",
        "l.filter(x, x > 1).map(x, x * (b + c)).exists(y, y == 15)",
        "m['x-y'] + 1",
        "has(m.x) || -1 < b",
        "[1.5, 2.0, 1e20][b - 1]",
        "{1: 'a', 2: 'b'}[b]",
        "1u + 2u",
        "(a == 7) == (b == 2)",
    ] {
        assert_eq!(
            show_result(&rewritten(text), &given),
            show_result(text, &given),
            "{text}"
        );
    }
}

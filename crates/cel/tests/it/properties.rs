//! What must hold of any text and any values.

use proptest::prelude::*;
use seareeve_cel::{Bindings, Budget, Environment, Limits};
use serde_json::{Value as Json, json};

const STEPS: u64 = 20_000;
const BYTES: u64 = 200_000;

/// Compiles if it can, evaluates within the budget, and writes what came out.
fn run(text: &str, document: &Json) {
    let environment = Environment::new().variable("it").variable("l");
    let limits = Limits {
        text_bytes: 4_096,
        ..Limits::default()
    };
    let Ok(program) = environment.compile(text, &limits) else {
        return;
    };
    let list = json!([1, "a", [2.5], {"k": null}]);
    let bindings = Bindings::new(&environment)
        .with("it", document)
        .with("l", &list);
    let mut budget = Budget::new(STEPS, BYTES);
    let result = program.evaluate(&bindings, &mut budget);
    assert!(budget.steps_used() <= STEPS && budget.bytes_used() <= BYTES);
    if let Ok(value) = &result {
        let _ = value.to_text(&mut Budget::new(STEPS, BYTES));
        let _ = value.to_json(&mut Budget::new(STEPS, BYTES));
    }
    // Again it is the same, to the step.
    let mut again = Budget::new(STEPS, BYTES);
    let repeated = program.evaluate(&bindings, &mut again);
    assert_eq!(result.as_ref().err(), repeated.as_ref().err());
    assert_eq!(budget.steps_used(), again.steps_used());
}

/// Pieces that expressions are made of, so that many of the texts are expressions.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "it",
        "l",
        "it.a",
        "l[0]",
        "1",
        "-1",
        "2u",
        "1.5",
        "0.0",
        "'a'",
        "b'x'",
        "null",
        "true",
        "9223372036854775807",
        "[]",
        "{}",
        "[1, 2]",
        "{'k': 1}",
        "duration('1h')",
        "timestamp(0)",
        "quantity('1Gi')",
        "ip('::1')",
        "optional.of(1)",
        "optional.none()",
        "type(1)",
        "x",
        ".",
        "..",
        "?",
        ":",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
    ]);
    words.prop_map(str::to_owned)
}

fn expression() -> impl Strategy<Value = String> {
    piece().prop_recursive(6, 48, 3, |inner| {
        let method = prop::sample::select(vec![
            "size()",
            "sort()",
            "sum()",
            "min()",
            "max()",
            "flatten()",
            "distinct()",
            "reverse()",
            "first()",
            "last()",
            "hasValue()",
            "value()",
            "trim()",
            "join()",
            "split('')",
            "getHours()",
            "getScheme()",
            "isSorted()",
            "k",
            "?k",
            "lowerAscii()",
            "family()",
            "asInteger()",
            "masked()",
            "isLoopback()",
            "unwrapOpt()",
        ]);
        let binary = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||",
        ]);
        let call = prop::sample::select(vec![
            "size",
            "type",
            "string",
            "int",
            "uint",
            "double",
            "bytes",
            "bool",
            "dyn",
            "duration",
            "timestamp",
            "optional.of",
            "optional.ofNonZeroValue",
            "math.abs",
            "math.ceil",
            "math.greatest",
            "lists.range",
            "base64.encode",
            "base64.decode",
            "strings.quote",
            "quantity",
            "ip",
            "cidr",
            "url",
            "semver",
            "-",
            "!",
        ]);
        let two = prop::sample::select(vec![
            "contains",
            "startsWith",
            "indexOf",
            "lastIndexOf",
            "split",
            "charAt",
            "substring",
            "format",
            "matches",
            "findAll",
            "orValue",
            "or",
            "compareTo",
            "add",
            "flatten",
            "join",
        ]);
        let macros = prop::sample::select(vec![
            "all",
            "exists",
            "exists_one",
            "map",
            "filter",
            "sortBy",
            "optMap",
            "optFlatMap",
        ]);
        prop_oneof![
            (inner.clone(), binary, inner.clone()).prop_map(|(l, o, r)| format!("{l} {o} {r}")),
            (inner.clone(), method).prop_map(|(e, m)| format!("{e}.{m}")),
            (call, inner.clone()).prop_map(|(f, e)| format!("{f}({e})")),
            (inner.clone(), two, inner.clone()).prop_map(|(e, f, a)| format!("{e}.{f}({a})")),
            (inner.clone(), macros, inner.clone()).prop_map(|(e, m, b)| format!("{e}.{m}(x, {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a}) ? ({b}) : ({c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, ?{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{{a}: {b}}}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("cel.bind(x, {a}, {b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}).transformMap(k, x, {b})")),
        ]
    })
}

fn document() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(|value| json!(value)),
        "[a-z%\\\\é]{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[ak]", inner, 0..3)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        run(&text, &Json::Null);
    }

    #[test]
    fn texts_of_pieces_are_read_or_refused(pieces in prop::collection::vec(piece(), 0..40)) {
        run(&pieces.join(" "), &Json::Null);
    }

    #[test]
    fn expressions_stay_within_their_budget(text in expression(), document in document()) {
        run(&text, &document);
    }

    #[test]
    fn patterns_mean_what_they_mean_to_everyone(text in "[ab\\-\\[1 ]{0,6}", class in "[ab1]{1,3}") {
        let environment = Environment::new().variable("text");
        let program = environment
            .compile(&format!("text.matches(r'^[{class}\\d]+$')"), &Limits::default())
            .unwrap();
        let bindings = Bindings::new(&environment).with("text", text.as_str());
        let found = program.evaluate(&bindings, &mut Budget::new(1_000, 1_000)).unwrap();
        let expected = !text.is_empty() && text.chars().all(|c| class.contains(c) || c.is_ascii_digit());
        prop_assert_eq!(found.as_bool(), Some(expected));
    }
}

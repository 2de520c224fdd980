//! Bindings, functions of the application, and what becomes of values.

use seareeve_cel::{
    Bindings, Budget, Duration, Environment, EvaluationError, Function, Limits, Program, Reason,
    Resource, Style, Timestamp, Value,
};
use serde_json::json;

use crate::support::show;

fn budget() -> Budget {
    Budget::new(10_000, 100_000)
}

fn compile(environment: &Environment, text: &str) -> Program {
    environment
        .compile(text, &Limits::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn reason(result: Result<Value<'_>, EvaluationError>) -> Reason {
    result.expect_err("no value").reason
}

#[test]
fn programs_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Program>();
}

#[test]
fn a_program_knows_its_text_and_its_variables() {
    let environment = Environment::new()
        .variable("a")
        .variable("b")
        .variable("params.size")
        .variable("c");
    let program = compile(
        &environment,
        "c.x + params.size.y > 1 && [1].all(b, b + a > 0)",
    );
    assert!(program.text().starts_with("c.x"));
    let used: Vec<&str> = program.variables().collect();
    assert_eq!(used, ["a", "params.size", "c"]);
}

#[test]
fn the_longest_known_name_is_the_variable() {
    let environment = Environment::new()
        .variable("params")
        .variable("params.a.b")
        .constant("limits.most", Value::Int(3));
    let document = json!({"a": {"c": 1}});
    let bindings = Bindings::new(&environment)
        .with("params", &document)
        .with("params.a.b", 2i64);
    let program = compile(&environment, "[params.a.b, params.a.c, limits.most]");
    let value = program.evaluate(&bindings, &mut budget()).unwrap();
    assert_eq!(show(&value), "[2, 1, 3]");
}

#[test]
fn a_variable_without_a_value_is_an_error_only_where_it_is_used() {
    let environment = Environment::new().variable("a");
    let bindings = Bindings::new(&environment);
    let used = compile(&environment, "a == 1");
    assert_eq!(
        reason(used.evaluate(&bindings, &mut budget())),
        Reason::Unbound("a".into())
    );
    let hidden = compile(&environment, "true || a == 1");
    assert_eq!(
        show(&hidden.evaluate(&bindings, &mut budget()).unwrap()),
        "true"
    );
}

#[test]
fn bindings_of_another_environment_are_not_mistaken() {
    let mine = Environment::new().variable("a").variable("b");
    let program = compile(&mine, "b");
    let other = Environment::new().variable("b").variable("a");
    let bindings = Bindings::new(&other).with("a", 1i64).with("b", 2i64);
    assert_eq!(
        reason(program.evaluate(&bindings, &mut budget())),
        Reason::Unbound("b".into())
    );
    // An environment that was extended keeps what it had.
    let extended = mine.clone().variable("c");
    let bindings = Bindings::new(&extended).with("b", 3i64);
    assert_eq!(
        show(&program.evaluate(&bindings, &mut budget()).unwrap()),
        "3"
    );
    let mut bindings = Bindings::new(&mine);
    assert!(!bindings.set("z", 1i64));
}

#[test]
fn lazy_variables_are_evaluated_once_and_when_they_are_used() {
    let environment = Environment::new()
        .variable("it")
        .variable("variables.sum")
        .variable("variables.broken");
    let document = json!([1, 2, 3]);
    let sum = compile(&environment, "it.sum()");
    let broken = compile(&environment, "1 +\n it.none");
    let mut bindings = Bindings::new(&environment);
    bindings.set("it", &document);
    assert!(bindings.set_lazily("variables.sum", &sum));
    assert!(bindings.set_lazily("variables.broken", &broken));

    let twice = compile(&environment, "variables.sum + variables.sum");
    let mut budget = Budget::new(10_000, 0);
    let value = twice.evaluate(&bindings, &mut budget).unwrap();
    assert_eq!(show(&value), "12");
    let first = budget.steps_used();
    twice.evaluate(&bindings, &mut budget).unwrap();
    assert!(
        budget.steps_used() - first < first,
        "it was evaluated again"
    );

    let hidden = compile(&environment, "variables.sum == 6 || variables.broken");
    assert!(hidden.evaluate(&bindings, &mut budget).is_ok());
    let used = compile(&environment, "variables.broken == 1");
    let error = used.evaluate(&bindings, &mut budget).unwrap_err();
    // The position is in the variable's own text.
    assert_eq!((error.position.line, error.position.column), (2, 4));
}

#[test]
fn lazy_variables_cannot_go_round_in_circles_or_too_deep() {
    let mut environment = Environment::new().variable("a").variable("b");
    let (a, b) = (
        compile(&environment, "b + 1"),
        compile(&environment, "a + 1"),
    );
    let mut bindings = Bindings::new(&environment);
    bindings.set_lazily("a", &a);
    bindings.set_lazily("b", &b);
    assert_eq!(
        reason(a.evaluate(&bindings, &mut budget())),
        Reason::Cycle("b".into())
    );

    let names: Vec<String> = (0..400).map(|number| format!("v{number}")).collect();
    for name in &names {
        environment = environment.variable(name);
    }
    let programs: Vec<Program> = (1..400)
        .map(|number| compile(&environment, &format!("[v{number}].map(x, x)[0] + 1")))
        .collect();
    let mut bindings = Bindings::new(&environment).with("v399", 0i64);
    for (name, program) in names.iter().zip(&programs) {
        bindings.set_lazily(name, program);
    }
    let last = compile(&environment, "v390");
    assert_eq!(show(&last.evaluate(&bindings, &mut budget()).unwrap()), "9");
    let first = compile(&environment, "v0");
    assert_eq!(
        reason(first.evaluate(&bindings, &mut budget())),
        Reason::BudgetExceeded(Resource::Depth)
    );
}

#[test]
fn functions_of_the_application_take_values_and_refuse() {
    let within = Function::new("path.within", Style::Global, 2..=2, |arguments, budget| {
        let [Value::String(child), Value::String(parent)] = arguments else {
            return Err(Reason::NoSuchOverload("path.within".into()));
        };
        budget.take_text(child.len())?;
        let rest = child.strip_prefix(&**parent);
        Ok(Value::Bool(rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with('/')
        })))
    });
    let double = Function::new(
        "doubled",
        Style::Member,
        1..=1,
        |arguments, _| match arguments {
            [Value::List(list)] => Ok(Value::list(list.iter().chain(list.iter()))),
            _ => Err(Reason::Function("only lists".into())),
        },
    );
    let environment = Environment::new()
        .variable("it")
        .function(within)
        .function(double);
    let document = json!({"Mounts": [
        {"Type": "bind", "Source": "/run"},
        {"Type": "bind", "Source": "/srv"},
        {"Type": "volume", "Source": "/run"},
    ]});
    let bindings = Bindings::new(&environment).with("it", &document);
    let text = "it.Mounts.filter(m, m.Type == 'bind' && path.within('/run/docker.sock', m.Source))";
    let program = compile(&environment, text);
    let value = program.evaluate(&bindings, &mut budget()).unwrap();
    assert_eq!(
        value.to_json(&mut budget()).unwrap(),
        json!([{"Type": "bind", "Source": "/run"}])
    );
    let program = compile(&environment, "it.Mounts.doubled().size()");
    assert_eq!(
        show(&program.evaluate(&bindings, &mut budget()).unwrap()),
        "6"
    );
    let program = compile(&environment, "it.doubled()");
    let error = program.evaluate(&bindings, &mut budget()).unwrap_err();
    assert_eq!(error.to_string(), "1:4: only lists");
    let error = environment
        .compile("path.within('a')", &Limits::default())
        .unwrap_err();
    assert_eq!(error.message, "`path.within` takes 2 arguments, not 1");
}

#[test]
fn values_become_json_and_text() {
    let environment = Environment::new();
    let cases = [
        ("null", "null", "null"),
        ("[1, 2u, 2.5, true]", "[1,2,2.5,true]", "[1, 2, 2.5, true]"),
        (
            "18446744073709551615u",
            "18446744073709551615",
            "18446744073709551615",
        ),
        ("0.0 / 0.0", "\"NaN\"", "NaN"),
        ("-1.0 / 0.0", "\"-Infinity\"", "-Infinity"),
        ("b'ab'", "\"YWI=\"", "ab"),
        ("duration('90s')", "\"90s\"", "90s"),
        (
            "timestamp(0)",
            "\"1970-01-01T00:00:00Z\"",
            "1970-01-01T00:00:00Z",
        ),
        (
            "{'b': [1], 'a': 'x'}",
            "{\"a\":\"x\",\"b\":[1]}",
            "{a: x, b: [1]}",
        ),
        ("optional.of(1)", "1", "1"),
        ("optional.none()", "null", "none"),
        ("quantity('1Gi')", "\"1Gi\"", "1Gi"),
        ("cidr('10.0.0.0/8')", "\"10.0.0.0/8\"", "10.0.0.0/8"),
    ];
    for (text, json, shown) in cases {
        let program = compile(&environment, text);
        let bindings = Bindings::new(&environment);
        let value = program.evaluate(&bindings, &mut budget()).unwrap();
        assert_eq!(
            value.to_json(&mut budget()).unwrap().to_string(),
            json,
            "{text}"
        );
        assert_eq!(value.to_text(&mut budget()).unwrap(), shown, "{text}");
    }
    let typed = Value::Type(Value::Null.type_of());
    assert_eq!(
        typed.to_json(&mut budget()).unwrap_err().reason,
        Reason::NotJson("a type".into())
    );
    let program = compile(&environment, "{1: 2}");
    let value = program
        .evaluate(&Bindings::new(&environment), &mut budget())
        .unwrap();
    assert!(value.to_json(&mut budget()).is_err());
    assert!(value.to_text(&mut Budget::new(1, 100)).is_err());
}

#[test]
fn values_are_made_of_rust() {
    let value = Value::list([
        Value::from(true),
        Value::from(1u64),
        Value::from("text"),
        Value::from(Duration::from_nanoseconds(1_500_000_000)),
        Value::from(Timestamp::from_nanoseconds(0).unwrap()),
        Value::map([
            ("b", Value::Null),
            ("a", Value::from(1.5)),
            ("b", Value::from(2i64)),
        ]),
    ]);
    assert_eq!(
        show(&value),
        "[true, 1u, 'text', duration(1.5s), timestamp(1970-01-01T00:00:00Z), {'a': 1.5e, 'b': 2}]"
            .replace("1.5e", "1.5")
    );
    let list = value.as_list().unwrap();
    assert_eq!(
        (list.len(), list.get(2).unwrap().as_str()),
        (6, Some("text"))
    );
    let map = list.get(5).unwrap();
    let map = map.as_map().unwrap();
    assert_eq!(show(&map.get("a").unwrap()), "1.5");
    assert!(map.get("z").is_none());
    assert_eq!(Timestamp::from_nanoseconds(i128::MAX), None);
}

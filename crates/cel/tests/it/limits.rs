//! Hostile expressions: refused before they run, or stopped when their budget is used up.

use std::fmt::Write as _;

use seareeve_cel::{Bindings, Budget, Environment, Limits, Reason, Resource};
use serde_json::{Value as Json, json};

const STEPS: u64 = 100_000;
const BYTES: u64 = 1_000_000;

fn refused(text: &str) -> String {
    let environment = Environment::new().variable("a");
    match environment.compile(text, &Limits::default()) {
        Ok(_) => panic!("compiled"),
        Err(error) => error.message,
    }
}

/// What an expression with a budget ends with; never more than it was given.
fn ends(text: &str, given: &Json) -> Result<(), Reason> {
    let mut environment = Environment::new();
    for name in given.as_object().unwrap().keys() {
        environment = environment.variable(name);
    }
    let program = environment
        .compile(text, &Limits::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let mut bindings = Bindings::new(&environment);
    for (name, value) in given.as_object().unwrap() {
        bindings.set(name, value);
    }
    let mut budget = Budget::new(STEPS, BYTES);
    let result = program.evaluate(&bindings, &mut budget);
    assert!(budget.steps_used() <= STEPS && budget.bytes_used() <= BYTES);
    result.map(|_| ()).map_err(|error| error.reason)
}

fn runs_out(text: &str, resource: Resource) {
    let given = json!({
        "a": "a".repeat(1_000),
        "l": (0..1_000).collect::<Vec<u64>>(),
    });
    assert_eq!(
        ends(text, &given),
        Err(Reason::BudgetExceeded(resource)),
        "{text}"
    );
}

#[test]
fn texts_that_are_too_long_are_refused() {
    assert_eq!(
        refused(&"a".repeat(16 * 1024 + 1)),
        "expression is longer than 16384 bytes"
    );
    let sum = format!("a{}", " + a".repeat(4_000));
    assert_eq!(refused(&sum), "expression has more than 4096 parts");
    assert_eq!(
        refused(&format!("a{}", ".a".repeat(5_000))),
        "expression has more than 4096 parts"
    );
    assert_eq!(
        refused(&format!("[{}]", "1,".repeat(5_000))),
        "expression has more than 4096 parts"
    );
}

#[test]
fn nesting_is_refused_wherever_it_is() {
    let deep = "expression is nested more than 64 levels deep";
    for (open, inner, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{1: ", "1", "}"),
        ("size(", "a", ")"),
        ("a[", "1", "]"),
        ("a.all(x, ", "true", ")"),
        ("true ? (", "1", ") : 2"),
        ("-(", "1", ")"),
        ("!(", "true", ")"),
        ("1 + (", "1", ")"),
        ("true && (", "true", ")"),
        ("cel.bind(x, 1, ", "x", ")"),
    ] {
        let nested =
            |levels: usize| format!("{}{inner}{}", open.repeat(levels), close.repeat(levels));
        assert_eq!(refused(&nested(500)), deep, "{open}");
        let environment = Environment::new().variable("a");
        let least = environment.compile(&nested(15), &Limits::default());
        assert!(least.is_ok(), "{open}: {least:?}");
    }
    assert_eq!(refused(&format!("a{}", ".size()".repeat(500))), deep);
    assert_eq!(refused(&format!("a{}", ".map(x, x)".repeat(500))), deep);
    assert_eq!(refused(&"(".repeat(16_000)), deep);
    assert_eq!(refused(&"[".repeat(16_000)), deep);
}

#[test]
fn chains_are_not_nesting() {
    let given = json!({"a": {"a": true}});
    for text in [
        format!("1{} == 1001", " + 1".repeat(1_000)),
        format!("true{}", " && true".repeat(1_000)),
        format!("false{} || true", " || false".repeat(1_000)),
        format!("{}true", "!".repeat(10_000)),
        format!("{}1 == 1", "-".repeat(10_000)),
        format!("{}true", "false ? true : ".repeat(800)),
        format!("has({}.a)", "{'a': {'a': 1}}.a"),
        format!("true{}", " == true".repeat(1_000)),
    ] {
        assert_eq!(ends(&text, &given), Ok(()), "{}", text.get(..40).unwrap());
    }
    let path = format!("a{}", ".a".repeat(2_000));
    assert!(matches!(ends(&path, &given), Err(Reason::NoSuchKey(_))));
}

/// The most that the limits allow, on three quarters of the stack that threads have.
#[test]
fn the_deepest_there_is_fits_on_the_stack() {
    fn deepest() {
        let limits = Limits {
            depth: usize::MAX,
            ..Limits::default()
        };
        let mut environment = Environment::new().variable("v0");
        for (open, close) in [("[", "]"), ("(", ")"), ("{1: ", "}"), ("size([", "])")] {
            let nested = |levels| format!("{}v0{}", open.repeat(levels), close.repeat(levels));
            let text = nested(120 / open.len().min(2));
            let program = environment.compile(&text, &limits).unwrap();
            let bindings = Bindings::new(&environment).with("v0", 1i64);
            let value = program
                .evaluate(&bindings, &mut Budget::new(STEPS, BYTES))
                .unwrap();
            let _ = value.to_json(&mut Budget::new(STEPS, BYTES));
            assert!(value.to_text(&mut Budget::new(STEPS, BYTES)).is_ok());
            assert!(environment.compile(&nested(130), &limits).is_err());
        }
        // Variables over variables, each as deep as what is inside of a macro.
        for number in 1..100 {
            environment = environment.variable(&format!("v{number}"));
        }
        let text = |number| format!("[1].map(x, cel.bind(y, x, y + v{number}))[0]");
        let programs: Vec<_> = (0..99)
            .map(|number| environment.compile(&text(number), &limits).unwrap())
            .collect();
        let mut bindings = Bindings::new(&environment).with("v0", 0i64);
        for (number, program) in programs.iter().enumerate() {
            bindings.set_lazily(&format!("v{}", number + 1), program);
        }
        let mut ends = programs.iter().rev().map(|program| {
            let result = program.evaluate(&bindings, &mut Budget::new(STEPS, BYTES));
            result.err().map(|error| error.reason)
        });
        assert_eq!(
            ends.next(),
            Some(Some(Reason::BudgetExceeded(Resource::Depth)))
        );
        assert!(ends.any(|end| end.is_none()));
    }
    let thread = std::thread::Builder::new().stack_size(1536 * 1024);
    thread.spawn(deepest).unwrap().join().unwrap();
}

#[test]
fn loops_in_loops_run_out_of_steps() {
    runs_out("l.all(x, l.all(y, l.all(z, true)))", Resource::Steps);
    runs_out("l.exists(x, l.exists(y, x + y < 0))", Resource::Steps);
    runs_out("lists.range(2000).distinct().size() == 0", Resource::Steps);
    runs_out("l.all(x, sets.contains(l, l))", Resource::Steps);
    runs_out("l.all(x, l.indexOf(-1) == -1)", Resource::Steps);
    runs_out("l.all(x, l == l)", Resource::Steps);
    runs_out("l.all(x, !(-1 in l))", Resource::Steps);
    runs_out("l.all(x, l.sort().size() == 1000)", Resource::Steps);
}

#[test]
fn what_runs_out_cannot_be_hidden() {
    runs_out(
        "l.all(x, l.all(y, l.all(z, true))) || true",
        Resource::Steps,
    );
    runs_out(
        "l.exists(i, l.all(x, l.all(y, true)) || i == 999)",
        Resource::Steps,
    );
}

#[test]
fn text_that_grows_runs_out_of_memory() {
    let mut doubling = "a".to_owned();
    for level in 0..20 {
        doubling = format!("cel.bind(v{level}, {doubling}, v{level} + v{level})");
    }
    runs_out(&doubling, Resource::Bytes);
    runs_out("l.map(x, a + a + a)", Resource::Bytes);
    runs_out("l.map(x, a.replace('a', a))", Resource::Bytes);
    runs_out("l.map(x, '%s%s'.format([a, a]))", Resource::Bytes);
    runs_out("l.map(x, '%.999f'.format([x]))", Resource::Bytes);
    runs_out("l.map(x, '%.999e'.format([x]).size())", Resource::Bytes);
    runs_out("l.map(x, a.split(''))", Resource::Bytes);
    runs_out("l.map(x, base64.encode(bytes(a)))", Resource::Bytes);
    runs_out(
        "l.map(x, l.map(y, a)).map(x, x.join()).join()",
        Resource::Bytes,
    );
}

#[test]
fn lists_that_grow_run_out_of_memory() {
    let mut tower = "['a', 'b']".to_owned();
    for _ in 0..20 {
        tower += ".map(x, [x, x, x])";
        tower = format!("({tower} + {})", "[]");
    }
    // Shared lists are not copied: what is made is small, and its text is not.
    assert_eq!(ends(&tower, &json!({})), Ok(()));
    runs_out(&format!("'%s'.format([{tower}])"), Resource::Steps);
    runs_out(&format!("{tower} == {tower}"), Resource::Steps);
    runs_out("l.map(x, l.map(y, y))", Resource::Bytes);
    runs_out("l.map(x, l + l)", Resource::Bytes);
    runs_out("lists.range(1000000)", Resource::Steps);
    runs_out("lists.range(90000)", Resource::Bytes);
}

#[test]
fn patterns_are_bounded_however_they_come() {
    runs_out("l.all(x, !'a'.matches('b' + string(x)))", Resource::Steps);
    runs_out(
        "l.all(x, l.all(y, a.matches('^(a|aa|aaa|aaaa|aaaaa|aaaaaa)*$')))",
        Resource::Steps,
    );
    let given = json!({"a": "(a{100}){100}"});
    assert!(matches!(
        ends("'a'.matches(a)", &given),
        Err(Reason::InvalidArgument(_))
    ));
    let given = json!({"a": "(".repeat(3_000)});
    assert!(matches!(
        ends("'a'.matches(a)", &given),
        Err(Reason::InvalidArgument(_))
    ));
    let mut many = String::from("true");
    for number in 0..100 {
        let _ = write!(many, " || a.matches('{number}')");
    }
    assert_eq!(refused(&many), "expression has more than 64 patterns");
}

#[test]
fn values_cannot_lie_in_each_other_without_end() {
    let mut environment = Environment::new().variable("v0");
    for number in 1..20 {
        environment = environment.variable(&format!("v{number}"));
    }
    let programs: Vec<_> = (1..20)
        .map(|number| {
            let text = format!("{}v{}{}", "[".repeat(20), number - 1, "]".repeat(20));
            environment.compile(&text, &Limits::default()).unwrap()
        })
        .collect();
    let mut bindings = Bindings::new(&environment).with("v0", 1i64);
    for (number, program) in programs.iter().enumerate() {
        bindings.set_lazily(&format!("v{}", number + 1), program);
    }
    let fits = environment.compile("v5", &Limits::default()).unwrap();
    assert!(
        fits.evaluate(&bindings, &mut Budget::new(STEPS, BYTES))
            .is_ok()
    );
    let deep = environment.compile("v8", &Limits::default()).unwrap();
    let error = deep
        .evaluate(&bindings, &mut Budget::new(STEPS, BYTES))
        .unwrap_err();
    assert_eq!(error.reason, Reason::BudgetExceeded(Resource::Depth));
}

#[test]
fn the_same_costs_the_same() {
    let environment = Environment::new().variable("l");
    let document = json!((0..50).collect::<Vec<u32>>());
    let program = environment
        .compile(
            "l.filter(x, x % 3 == 0).map(x, string(x)).join(',')",
            &Limits::default(),
        )
        .unwrap();
    let cost = || {
        let bindings = Bindings::new(&environment).with("l", &document);
        let mut budget = Budget::new(STEPS, BYTES);
        program.evaluate(&bindings, &mut budget).unwrap();
        (budget.steps_used(), budget.bytes_used())
    };
    assert_eq!(cost(), cost());
    let (steps, bytes) = cost();
    let bindings = Bindings::new(&environment).with("l", &document);
    assert!(
        program
            .evaluate(&bindings, &mut Budget::new(steps, bytes))
            .is_ok()
    );
    assert!(
        program
            .evaluate(&bindings, &mut Budget::new(steps - 1, bytes))
            .is_err()
    );
    assert!(
        program
            .evaluate(&bindings, &mut Budget::new(steps, bytes - 1))
            .is_err()
    );
}

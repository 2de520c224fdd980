//! Cases by area, as data: an expression, an arrow, and its value or what is wrong with it.
//!
//! A line `given {…}` says what the expressions below it are about.

use serde_json::{Value as Json, json};

use crate::support::show_result;

fn check(cases: &str) {
    let mut given = json!({});
    let mut count = 0;
    let mut wrong = Vec::new();
    for (number, line) in cases.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(bindings) = line.strip_prefix("given ") {
            given = serde_json::from_str::<Json>(bindings).expect("bindings are JSON");
            continue;
        }
        let (text, expected) = line.split_once(" => ").expect("an arrow in the line");
        let found = show_result(text.trim(), &given);
        if found != expected.trim() {
            wrong.push(format!("{}: {} => {found}", number + 1, text.trim()));
        }
        count += 1;
    }
    assert!(count > 0, "no case");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn literals_and_syntax() {
    check(include_str!("cases/syntax.txt"));
}

#[test]
fn operators() {
    check(include_str!("cases/operators.txt"));
}

#[test]
fn json_and_paths() {
    check(include_str!("cases/json.txt"));
}

#[test]
fn macros() {
    check(include_str!("cases/macros.txt"));
}

#[test]
fn optionals() {
    check(include_str!("cases/optionals.txt"));
}

#[test]
fn conversions_and_times() {
    check(include_str!("cases/conversions.txt"));
}

#[test]
fn strings_and_patterns() {
    check(include_str!("cases/strings.txt"));
}

#[test]
fn lists_sets_and_mathematics() {
    check(include_str!("cases/lists.txt"));
}

#[test]
fn kubernetes_libraries() {
    check(include_str!("cases/kubernetes.txt"));
}

#[test]
fn texts_that_are_refused() {
    check(include_str!("cases/refused.txt"));
}

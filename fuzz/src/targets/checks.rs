//! Checks, benchmarks and exceptions that a stranger wrote, applied to facts that a stranger saw.

use jiff::Timestamp;
use seareeve_api::posture_report;
use seareeve_model::Snapshot;
use seareeve_posture::{Exceptions, Library, Statements, assess, run_examples};

use crate::made::parts;
use crate::server::MARK;
use crate::{Target, made};

const WORDS: &[&str] = &[
    "\n====\n",
    "id: ",
    "on: thing\n",
    "needs: {a: house.other}\n",
    "when: ",
    "of: ",
    "absent: fail\n",
    "params: {most: 2}\n",
    "let: {a: it.n}\n",
    "fail_if: it.n > 2\n",
    "fail_for: it.list\n",
    "review_for: ",
    "message: \"{{f}}\"\n",
    "examples: [{name: n, it: {}, expect: pass}]\n",
    ".filter(x, x > 2)",
    ".map(x, x)",
    ".?a.orValue('')",
    "has(it.n)",
    "within(",
    ".matches('a*')",
    "controls:\n",
    "checks: [thing.wrong]\n",
    "left_out_by: [thing.wrong]\n",
    "like: \"1\"\n",
    "&a ",
    "*a",
    "<<: ",
    "exceptions: [{check: thing.wrong, reason: r}]",
    "until: 2026-01-01T00:00:00Z",
];

pub(super) const TARGET: Target = Target {
    name: "checks",
    run,
    longest: 6 << 10,
    seeds: || made::seeds("checks"),
    words: WORDS,
};

/// A check, a benchmark, exceptions and facts, in this order.
fn run(input: &[u8]) {
    let parts = parts(input, MARK, 4);
    let text = |number: usize| {
        let part = parts.get(number).copied().unwrap_or_default();
        String::from_utf8_lossy(part).into_owned()
    };
    let (check, benchmark) = (text(0), text(1));
    let mut library = Library::default();
    // Files are called as what is in them, which a fuzzer does not guess.
    let name = |yaml: &str, key: &str| {
        let mut lines = yaml.lines();
        let value = lines.find_map(|line| line.strip_prefix(key));
        value
            .unwrap_or_default()
            .trim_matches(['"', '\'', ' '])
            .to_owned()
    };
    let check_file = format!("{}.yaml", name(&check, "id: "));
    let benchmark_file = format!(
        "{}-{}.yaml",
        name(&benchmark, "id: "),
        name(&benchmark, "version: ")
    );
    let errors = library.add([(check_file, check)], [(benchmark_file, benchmark)]);
    // Whatever is wrong can be told.
    for error in errors {
        assert!(!error.to_string().is_empty());
    }
    for check in library.checks() {
        let _ = run_examples(check);
    }
    let statements = Statements {
        exceptions: Exceptions::parse(&text(2)).unwrap_or_default(),
        ..Statements::default()
    };
    let Ok(snapshot) = serde_json::from_str::<Snapshot>(&text(3)) else {
        return;
    };
    judged(&library, &snapshot, &statements);
}

/// Every benchmark has a verdict for each of its controls, which can be written, and is the same the next time.
pub(super) fn judged(library: &Library, snapshot: &Snapshot, statements: &Statements) {
    for benchmark in library.benchmarks() {
        let assess = || {
            assess(
                library,
                benchmark,
                snapshot,
                statements,
                Timestamp::UNIX_EPOCH,
            )
        };
        let assessment = assess();
        assert_eq!(assessment.controls.len(), benchmark.controls.len());
        let report = posture_report(library, snapshot, std::slice::from_ref(&assessment));
        let text = serde_json::to_string(&report).expect("a report can be written");
        let again = posture_report(library, snapshot, &[assess()]);
        assert_eq!(
            serde_json::to_string(&again).expect("a report can be written"),
            text
        );
    }
}

//! Rule files of somebody who means harm: refused within bounds of time, memory and depth.

use serde_json::json;

use crate::support::{detector, errors, holds, load, rule, see};

#[test]
fn macros_do_not_explode() {
    // Each twice the one before: as text, more than all memory there is.
    let mut file = "- macro: m0\n  condition: proc.name = a\n".to_owned();
    for number in 1..90 {
        let before = number - 1;
        file.push_str(&format!("- macro: m{number}\n  condition: (m{before} or proc.pname = p{number}) and (m{before} or proc.exe = e{number})\n"));
    }
    file.push_str(&rule("m89"));
    let mut detector = detector(&[("r.yaml", &file)]);
    assert_eq!(
        see(
            &mut detector,
            &[json!({"proc.name": "a"}), json!({"proc.name": "b"})]
        )
        .len(),
        1
    );
    // And not without end, either.
    for number in 90..5_000 {
        let before = number - 1;
        file.push_str(&format!(
            "- macro: m{number}\n  condition: not (m{before} and proc.pname = p{number})\n"
        ));
    }
    let deep = file.replace("'m89'", "'m4999'");
    let errors = errors(&load(&[("r.yaml", &deep)]));
    assert!(errors[0].contains("within each other"), "{errors:?}");
}

#[test]
fn lists_do_not_explode() {
    let mut file = "- list: l0\n  items: [a, b, c, d, e, f, g, h, i, j]\n".to_owned();
    for number in 1..12 {
        let before = format!("l{}", number - 1);
        let items = vec![before; 10].join(", ");
        file.push_str(&format!("- list: l{number}\n  items: [{items}]\n"));
    }
    let bomb = format!("{file}{}", rule("proc.name in (l11)"));
    let errors = errors(&load(&[("r.yaml", &bomb)]));
    assert!(
        errors.iter().any(|error| error.contains("too long")),
        "{errors:?}"
    );
}

#[test]
fn lists_of_nothing_and_of_long_texts_do_not_explode() {
    // Each names the next one twice, and the last one has nothing.
    let mut file = String::new();
    for number in 0..60 {
        let next = number + 1;
        file.push_str(&format!("- list: l{number}\n  items: [l{next}, l{next}]\n"));
    }
    file.push_str("- list: l60\n  items: []\n");
    file.push_str(&rule("proc.name in (l0)"));
    let found = errors(&load(&[("r.yaml", &file)]));
    assert!(found[0].contains("too long"), "{found:?}");
    // A text of a megabyte, ten thousand times; the rules that do not name it are there.
    let long = "x".repeat(1 << 20);
    let many = vec!["long"; 10_000].join(", ");
    let other = rule("proc.name = a").replace("rule: r", "rule: other");
    let file = format!(
        "- list: long\n  items: [{long}]\n- list: many\n  items: [{many}]\n- list: more\n  items: [many]\n{}{other}",
        rule("proc.name in (more)")
    );
    let loaded = load(&[("r.yaml", &file)]);
    let found = errors(&loaded);
    assert!(
        found.len() == 1 && found[0].contains("too long"),
        "{found:?}"
    );
    assert!(loaded.engine.rule("other").is_some());
}

#[test]
fn a_rule_with_a_pattern_that_is_too_long_costs_no_other() {
    let long = rule(&format!("fd.name pmatch (/{}*)", "a".repeat(2_000)));
    let other = rule("proc.name = a").replace("rule: r", "rule: other");
    let loaded = load(&[("r.yaml", &format!("{long}{other}"))]);
    let found = errors(&loaded);
    assert!(
        found.len() == 1 && found[0].contains("rule 'r'") && found[0].contains("1024"),
        "{found:?}"
    );
    let mut detector = seareeve_detect::Detector::new(std::sync::Arc::new(loaded.engine));
    assert_eq!(see(&mut detector, &[json!({"proc.name": "a"})]).len(), 1);
}

#[test]
fn large_lists_are_fine() {
    let items: Vec<String> = (0..50_000)
        .map(|number| {
            format!(
                "10.{}.{}.{}",
                number / 65_536,
                number / 256 % 256,
                number % 256
            )
        })
        .collect();
    let file = format!(
        "- list: bad\n  items: [{}]\n{}",
        items.join(", "),
        rule("fd.sip in (bad)")
    );
    let mut detector = detector(&[("r.yaml", &file)]);
    assert_eq!(
        see(
            &mut detector,
            &[
                json!({"fd.sip": "10.0.195.79"}),
                json!({"fd.sip": "10.0.195.80"})
            ]
        )
        .len(),
        1
    );
}

#[test]
fn files_that_are_no_rules() {
    let long = "a".repeat(20 << 20);
    let deep = "[".repeat(5_000);
    let cases = [
        "",
        "\0",
        "a: b",
        "- - -",
        "'",
        "- rule",
        "- rule: [a]",
        "- list: {a: b}\n  items: c",
        "&a [*a]",
        "- !!binary x",
        "id: a",
        "items: 3",
        "\u{feff}",
        long.as_str(),
        deep.as_str(),
    ];
    for text in cases {
        let loaded = load(&[("r.yaml", text)]);
        assert_eq!(loaded.engine.rules().count(), 0);
        for found in loaded.diagnostics {
            assert!(!found.to_string().is_empty());
        }
    }
}

#[test]
fn expressions_take_linear_time() {
    let text = "a".repeat(100_000);
    let fields = json!({"proc.cmdline": text, "proc.name": text});
    assert!(!holds("proc.cmdline regex \"(a*)*(a*)*b\"", &fields));
    assert!(!holds("proc.cmdline glob *a*a*a*a*a*a*a*b", &fields));
    assert!(holds(
        "proc.cmdline icontains AAAA and proc.name endswith a",
        &fields
    ));
    let many: Vec<String> = (0..1_100)
        .map(|number| format!("proc.name regex \"x{number}.*\""))
        .collect();
    let loaded = load(&[("r.yaml", &rule(&many.join(" or ")))]);
    assert!(errors(&loaded)[0].contains("more than 1000 regular expressions"));
}

/// Rules that are sound, and words that rules are made of.
const SOUND: &str = include_str!("../../../../fuzz/seeds/detection_rules/falco");
const WORDS: &[&str] = &[
    " and ",
    " or ",
    "not ",
    "(",
    ")",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "\\",
    "%",
    "*",
    ": ",
    "\n",
    "  ",
    "- ",
    "{",
    "}",
    "&a ",
    "*a",
    "proc.name",
    "shells",
    "spawned",
    " in (",
    " pmatch (",
    "join(",
    "val(",
    "0x",
    "\u{e9}",
    "\0",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_files_do_no_harm(
        edits in proptest::collection::vec((0_usize..1_200, 0_usize..12, proptest::sample::select(WORDS)), 1..12),
    ) {
        let mut text: Vec<char> = SOUND.chars().collect();
        for (at, gone, word) in edits {
            let at = at.min(text.len());
            let end = (at + gone).min(text.len());
            text.splice(at..end, word.chars());
        }
        let text: String = text.into_iter().collect();
        let mut parts = text.split("\n====\n");
        let files = ["a.yaml", "b.yaml"].map(|name| (name, parts.next().unwrap_or_default()));
        let loaded = load(&files);
        for found in &loaded.diagnostics {
            proptest::prop_assert!(!found.to_string().is_empty());
        }
        let mut detector = seareeve_detect::Detector::new(std::sync::Arc::new(loaded.engine));
        let events = [json!({"evt.type": "execve", "proc.name": "fish", "proc.cmdline": "x", "fd.types": ["a", "b"]})];
        see(&mut detector, &events);
    }
}

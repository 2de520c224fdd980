//! What people change about rules and lists without touching their files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seareeve_detect::{
    Detector, Loaded, Loader, Options, TunedException, TunedList, TunedValue, Tuning,
};
use seareeve_model::AlertSeverity;
use serde_json::{Value, json};

use crate::support::{errors, event, see, sources};

const RULES: &str = "
- list: shells
  items: [sh, bash]
- macro: is_shell
  condition: proc.name in (shells)
- rule: A shell
  desc: d
  condition: evt.type = execve and is_shell
  output: '%user.name ran %proc.name'
  priority: WARNING
- rule: Anything
  desc: d
  condition: evt.type = execve
  output: o
  priority: INFO
  enabled: false
";

fn load(tuning: &Tuning) -> Loaded {
    let mut loader = Loader::new(sources(), Options::default());
    loader.file("rules.yaml", RULES);
    loader.tune(tuning, "tuning");
    loader.finish()
}

fn detector(tuning: &Tuning) -> Detector {
    let loaded = load(tuning);
    assert_eq!(errors(&loaded), Vec::<String>::new());
    Detector::new(Arc::new(loaded.engine))
}

fn ran(user: &str, program: &str) -> Value {
    json!({"evt.type": "execve", "user.name": user, "proc.name": program})
}

fn ids(detector: &mut Detector, user: &str, program: &str) -> Vec<String> {
    let alerts = see(detector, &[ran(user, program)]);
    alerts.into_iter().map(|alert| alert.id).collect()
}

fn exception(rows: Vec<Vec<TunedValue>>, comparisons: &[&str]) -> TunedException {
    TunedException {
        rule: "a-shell".to_owned(),
        name: "tuning 1".to_owned(),
        fields: vec!["user.name".to_owned(), "proc.name".to_owned()],
        comparisons: comparisons.iter().map(|text| (*text).to_owned()).collect(),
        rows,
    }
}

fn one(text: &str) -> TunedValue {
    TunedValue::One(text.to_owned())
}

#[test]
fn rules_are_switched_and_weighed_and_what_they_are_made_of_says_so() {
    let plain = load(&Tuning::default());
    let rule = plain.engine.rule("a-shell").unwrap();
    assert_eq!(rule.lists, ["shells"]);
    let tuning = Tuning {
        switches: BTreeMap::from([("anything".to_owned(), true), ("a-shell".to_owned(), false)]),
        severities: BTreeMap::from([("anything".to_owned(), AlertSeverity::High)]),
        ..Tuning::default()
    };
    let tuned = load(&tuning);
    let content = |loaded: &Loaded, id: &str| loaded.engine.rule(id).unwrap().content.clone();
    assert_eq!(content(&plain, "a-shell"), content(&tuned, "a-shell"));
    assert_ne!(content(&plain, "anything"), content(&tuned, "anything"));
    let mut detector = detector(&tuning);
    let alerts = see(&mut detector, &[ran("a", "sh")]);
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].severity, AlertSeverity::High);
    assert_eq!(alerts[0].evidence.content, content(&tuned, "anything"));
}

#[test]
fn lists_have_more_and_fewer_items() {
    let tuning = Tuning {
        lists: BTreeMap::from([(
            "shells".to_owned(),
            TunedList {
                added: BTreeSet::from(["fish".to_owned(), "sh".to_owned(), "a b".to_owned()]),
                removed: BTreeSet::from(["bash".to_owned()]),
            },
        )]),
        ..Tuning::default()
    };
    let mut detector = detector(&tuning);
    for (program, fires) in [("sh", 1), ("fish", 1), ("a b", 1), ("bash", 0)] {
        assert_eq!(ids(&mut detector, "a", program).len(), fires, "{program}");
    }
}

#[test]
fn exceptions_hold_together_and_texts_stay_texts() {
    let rows = vec![
        vec![
            one("root"),
            TunedValue::Many(vec!["sh".to_owned(), "zsh".to_owned()]),
        ],
        vec![one("ann"), one("shells")],
    ];
    let tuning = Tuning {
        exceptions: vec![exception(rows, &["=", "in"])],
        ..Tuning::default()
    };
    let mut quiet = detector(&tuning);
    for (user, program, fires) in [
        ("root", "sh", 0),
        ("root", "bash", 1),
        ("ann", "bash", 0),
        ("bob", "sh", 1),
    ] {
        assert_eq!(
            ids(&mut quiet, user, program).len(),
            fires,
            "{user} {program}"
        );
    }
    // Nothing that is typed ends the comparison and goes on as a condition.
    for text in [
        "\"x\" or evt.type = execve",
        "'x' or evt.type = execve",
        "(x) or (evt.type = execve",
        "x) or (evt.type = execve",
        "\"",
        "\\\"",
    ] {
        for comparison in ["=", "in"] {
            let rows = vec![vec![one(text), one("sh")]];
            let tuning = Tuning {
                exceptions: vec![exception(rows, &[comparison, "="])],
                ..Tuning::default()
            };
            let loaded = load(&tuning);
            if errors(&loaded).is_empty() {
                let mut detector = Detector::new(Arc::new(loaded.engine));
                assert_eq!(
                    ids(&mut detector, "bob", "sh"),
                    ["a-shell"],
                    "{comparison} {text}"
                );
                assert!(ids(&mut detector, text, "sh").len() <= 1);
            }
        }
    }
}

#[test]
fn what_cannot_be_changed_is_told_and_the_rest_is() {
    let tuning = Tuning {
        switches: BTreeMap::from([("nothing".to_owned(), true)]),
        severities: BTreeMap::from([("nothing".to_owned(), AlertSeverity::High)]),
        lists: BTreeMap::from([("nothing".to_owned(), TunedList::default())]),
        exceptions: vec![exception(vec![vec![one("a")]], &["=", "="])],
    };
    let loaded = load(&tuning);
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    let lines = told.iter().filter(|line| line.contains("there is no"));
    assert_eq!(lines.count(), 2, "{told:?}");
    assert_eq!(
        errors(&loaded),
        [
            "tuning: error: rule 'A shell': fields and values lists must have equal length [LOAD_ERR_VALIDATE]"
        ]
    );
}

#[test]
fn what_is_remembered_outlives_an_exception() {
    let file = "id: many\ntitle: Many\nsource: syscall\nseverity: medium\ntactics: []\ntechniques: []\n\
        description: d\nremediation: [ask]\nfalse_positives: []\nentities:\n- {kind: account, fields: {name: user.name}}\n\
        examples:\n- {fires: x, event: {}}\n- {quiet: x, event: {}}\noutput: o\ncondition: evt.type = execve\n\
        correlation:\n  type: event_count\n  group-by: [user.name]\n  timespan: 1m\n  condition: {gte: 3}\n";
    let load = |tuning: &Tuning| {
        let mut loader = Loader::new(sources(), Options::default());
        loader.file("many.yaml", file);
        loader.tune(tuning, "tuning");
        let loaded = loader.finish();
        assert_eq!(errors(&loaded), Vec::<String>::new());
        Arc::new(loaded.engine)
    };
    let mut detector = Detector::new(load(&Tuning::default()));
    let at = |second: u64, program: &str| {
        let mut fields = ran("a", program);
        fields["evt.rawtime"] = json!(second * 1_000_000_000);
        fields
    };
    for second in 0..2 {
        assert!(detector.see("syscall", &event(&at(second, "x"))).is_empty());
    }
    let mut quiet = exception(vec![vec![one("a"), one("y")]], &[]);
    quiet.rule = "many".to_owned();
    detector.replace(load(&Tuning {
        exceptions: vec![quiet],
        ..Tuning::default()
    }));
    // What is excepted does not count, and what was counted before still does.
    assert!(detector.see("syscall", &event(&at(3, "y"))).is_empty());
    assert_eq!(detector.see("syscall", &event(&at(4, "x"))).len(), 1);
}

#[test]
fn texts_with_backslashes_stay_texts() {
    // The first would hide the quote that ends it, and the second go on as a condition.
    let rows = vec![vec![
        one("a b\\"),
        one(" or evt.type exists or user.name = \""),
    ]];
    let tuning = Tuning {
        exceptions: vec![exception(rows, &[])],
        ..Tuning::default()
    };
    let mut detector = detector(&tuning);
    assert_eq!(ids(&mut detector, "a", "sh"), ["a-shell"]);
    let tuning = Tuning {
        exceptions: vec![exception(vec![vec![one("a b\\"), one("sh")]], &[])],
        ..Tuning::default()
    };
    let mut detector = self::detector(&tuning);
    assert!(ids(&mut detector, "a b\\", "sh").is_empty());
    assert_eq!(ids(&mut detector, "a b", "sh"), ["a-shell"]);
}

#[test]
fn what_others_add_to_a_list_is_text_whatever_it_is() {
    let odd = [
        "a b\\",
        "\"",
        "'x",
        "others",
        "x) or evt.type exists or (proc.name = y",
        "",
    ];
    let mut loader = Loader::new(sources(), Options::default());
    loader.file("rules.yaml", RULES);
    loader.file("more.yaml", "- list: others\n  items: [zsh]\n");
    assert!(loader.extend("shells", &odd.map(str::to_owned)));
    let loaded = loader.finish();
    assert_eq!(errors(&loaded), Vec::<String>::new());
    let mut detector = Detector::new(Arc::new(loaded.engine));
    for program in odd {
        assert_eq!(ids(&mut detector, "a", program), ["a-shell"], "{program}");
    }
    for program in ["zsh", "y", "a b"] {
        assert!(ids(&mut detector, "a", program).is_empty(), "{program}");
    }
}

#[test]
fn a_list_that_would_become_too_long_stays_as_it_is() {
    let mut loader = Loader::new(sources(), Options::default());
    loader.file("rules.yaml", RULES);
    let long: Vec<String> = (0..9_000)
        .map(|number| format!("{number}{}", "\\".repeat(500)))
        .collect();
    assert!(!loader.extend("shells", &long));
    assert!(loader.extend("shells", &["zsh".to_owned()]));
    let mut detector = Detector::new(Arc::new(loader.finish().engine));
    for program in ["sh", "zsh"] {
        assert_eq!(ids(&mut detector, "a", program), ["a-shell"]);
    }
}

//! The engine against a plain reading of the same conditions: whatever is shared, skipped or looked up, the result is
//! that of asking every rule.

use std::cell::Cell;
use std::sync::Arc;

use proptest::prelude::*;
use seareeve_detect::sources::FlatEvent;
use seareeve_detect::{Detector, Event, Field, Matching, Options, Presence, Values};
use serde_json::{Map, Value, json};

use crate::support::{errors, event, load, load_with, rule};

/// A condition, and what it is of an event by definition.
#[derive(Clone, Debug)]
enum Plain {
    Text(&'static str, &'static str, &'static str),
    In(&'static str, Vec<&'static str>),
    Exists(&'static str),
    Not(Box<Plain>),
    And(Vec<Plain>),
    Or(Vec<Plain>),
}

const FIELDS: &[&str] = &["evt.type", "proc.name", "proc.exe", "user.name"];
const TEXTS: &[&str] = &["open", "close", "op", "pen", "a", "e", "/a/b", "/a"];
const OPERATORS: &[&str] = &[
    "=",
    "!=",
    "startswith",
    "endswith",
    "contains",
    "icontains",
    "glob",
    "pmatch",
];

impl Plain {
    fn text(&self) -> String {
        let joined = |parts: &[Self], word: &str| {
            let texts: Vec<String> = parts.iter().map(Self::text).collect();
            format!("({})", texts.join(&format!(" {word} ")))
        };
        match self {
            Self::Text(field, "pmatch", text) => format!("{field} pmatch ({text})"),
            Self::Text(field, operator, text) => format!("{field} {operator} {text}"),
            Self::In(field, texts) => format!("{field} in ({})", texts.join(", ")),
            Self::Exists(field) => format!("{field} exists"),
            Self::Not(inner) => format!("not {}", inner.text()),
            Self::And(parts) => joined(parts, "and"),
            Self::Or(parts) => joined(parts, "or"),
        }
    }

    fn holds(&self, event: &Map<String, Value>) -> bool {
        let value = |field: &str| event.get(field).and_then(Value::as_str);
        match self {
            Self::Text(field, operator, text) => {
                value(field).is_some_and(|value| match *operator {
                    "=" | "glob" => value == *text,
                    "!=" => value != *text,
                    "startswith" => value.starts_with(text),
                    "endswith" => value.ends_with(text),
                    "contains" => value.contains(text),
                    "icontains" => value.to_lowercase().contains(&text.to_lowercase()),
                    _ => {
                        let parts = |text: &str| -> Vec<String> {
                            text.split('/')
                                .filter(|part| !part.is_empty())
                                .map(str::to_owned)
                                .collect()
                        };
                        parts(value).starts_with(&parts(text))
                    }
                })
            }
            Self::In(field, texts) => value(field).is_some_and(|value| texts.contains(&value)),
            Self::Exists(field) => value(field).is_some(),
            Self::Not(inner) => !inner.holds(event),
            Self::And(parts) => parts.iter().all(|part| part.holds(event)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(event)),
        }
    }
}

fn plain() -> impl Strategy<Value = Plain> {
    let field = || prop::sample::select(FIELDS);
    let text = || prop::sample::select(TEXTS);
    let leaf = prop_oneof![
        4 => (field(), prop::sample::select(OPERATORS), text()).prop_map(|(field, operator, text)| Plain::Text(field, operator, text)),
        2 => (field(), prop::collection::vec(text(), 1..4)).prop_map(|(field, texts)| Plain::In(field, texts)),
        1 => field().prop_map(Plain::Exists),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Plain::Not(Box::new(inner))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Plain::And),
            prop::collection::vec(inner, 2..4).prop_map(Plain::Or),
        ]
    })
}

fn events() -> impl Strategy<Value = Map<String, Value>> {
    let text = prop::option::weighted(
        0.8,
        prop::sample::select(&["open", "OPEN", "close", "a", "", "/a/b", "/a/bc", "openat"][..]),
    );
    prop::collection::vec(text, FIELDS.len()).prop_map(|texts| {
        let pairs = FIELDS.iter().zip(texts);
        let pairs = pairs.filter_map(|(field, text)| Some(((*field).to_owned(), json!(text?))));
        pairs.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn says_what_every_rule_by_itself_says(
        conditions in prop::collection::vec(plain(), 1..80),
        events in prop::collection::vec(events(), 1..20),
    ) {
        let rules: Vec<String> = conditions
            .iter()
            .enumerate()
            .map(|(number, condition)| {
                rule(&condition.text()).replace("rule: r\n", &format!("rule: r{number}\n"))
            })
            .collect();
        let loaded = load(&[("r.yaml", &rules.concat())]);
        prop_assert_eq!(errors(&loaded), Vec::<String>::new());
        let mut detector = Detector::new(Arc::new(loaded.engine));
        for fields in &events {
            let alerts = detector.see("syscall", &event(&Value::Object(fields.clone())));
            let found: Vec<String> = alerts.iter().map(|alert| alert.rule.clone()).collect();
            let expected: Vec<String> = conditions
                .iter()
                .enumerate()
                .filter(|(_, condition)| condition.holds(fields))
                .map(|(number, _)| format!("r{number}"))
                .collect();
            prop_assert_eq!(&found, &expected);
            // What is told as the reason is so.
            for alert in alerts {
                for matched in alert.evidence.matched.iter().filter(|matched| matched.operator == "=") {
                    let is_equal = matched.seen.first().is_some_and(|seen| matched.wanted.contains(seen));
                    prop_assert_eq!(is_equal, matched.holds);
                }
            }
        }
    }
}

#[test]
fn many_rules_are_told_apart() {
    let names: Vec<String> = (0..300)
        .map(|number| {
            let condition =
                format!("evt.type = execve and proc.name = p{number} and not user.name = root");
            rule(&condition).replace("rule: r\n", &format!("rule: r{number}\n"))
        })
        .collect();
    let loaded = load(&[("r.yaml", &names.concat())]);
    let mut detector = Detector::new(Arc::new(loaded.engine));
    for number in [0, 63, 64, 299] {
        let fields =
            json!({"evt.type": "execve", "proc.name": format!("p{number}"), "user.name": "www"});
        let alerts = detector.see("syscall", &event(&fields));
        assert_eq!(alerts.len(), 1);
        let alert = &alerts[0];
        assert_eq!(alert.rule, format!("r{number}"));
        let told: Vec<String> = alert
            .evidence
            .matched
            .iter()
            .map(|matched| {
                format!(
                    "{} {} {} {}",
                    matched.field,
                    matched.operator,
                    matched.wanted.join(","),
                    matched.holds
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "evt.type = execve true".to_owned(),
                format!("proc.name = p{number} true"),
                "user.name = root false".to_owned()
            ]
        );
    }
    let root = json!({"evt.type": "execve", "proc.name": "p1", "user.name": "root"});
    assert!(detector.see("syscall", &event(&root)).is_empty());
}

#[test]
fn expressions_of_one_field_are_told_apart() {
    let rules: Vec<String> = (0..70)
        .map(|number| {
            let condition = format!("proc.name regex \"p[0-9]*{}|all\"", number % 10 + number);
            rule(&condition).replace("rule: r\n", &format!("rule: r{number}\n"))
        })
        .collect();
    let loaded = load(&[("r.yaml", &rules.concat())]);
    let mut detector = Detector::new(Arc::new(loaded.engine));
    let mut count = |name: &str| {
        let event = event(&json!({"proc.name": name}));
        detector.see("syscall", &event).len()
    };
    assert_eq!(
        (count("all"), count("pall"), count("p"), count("xp1")),
        (70, 0, 0, 0)
    );
    // 0 to 9 are asked for by one rule each as 2n, and from 10 on by others.
    let wanted = |name: &str| {
        (0..70_u32)
            .filter(|number| name.ends_with(&(number % 10 + number).to_string()))
            .count()
    };
    for name in ["p0", "p18", "p128", "p77"] {
        assert_eq!(count(name), wanted(name), "{name}");
    }
}

/// A detection that learns of names alone.
const LEARNS: &str = "id: learns\ntitle: learns\nsource: syscall\nseverity: low\ntactics: []\ntechniques: []\ndescription: d\nremediation: []\nfalse_positives: []\nentities: []\nexamples:\n- {fires: x, event: {}}\n- {quiet: x, event: {}}\noutput: o\ncondition: proc.name exists\nbaseline: {type: first_seen, group-by: [user.name], fields: [proc.name], learning: 1h}\n";

#[test]
fn the_first_match_can_be_enough() {
    let file = format!(
        "{}{}",
        rule("proc.name = a"),
        rule("proc.name exists").replace("rule: r\n", "rule: s\n")
    );
    let options = Options {
        matching: Matching::First,
        ..Options::default()
    };
    // What only learns, and is asked first, hides nothing.
    let files = [("learns.yaml", LEARNS), ("r.yaml", file.as_str())];
    let mut detector = Detector::new(Arc::new(load_with(&files, options).engine));
    let names = |alerts: Vec<seareeve_model::Alert>| {
        alerts
            .into_iter()
            .map(|alert| alert.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(detector.see("syscall", &event(&json!({"proc.name": "a"})))),
        ["r"]
    );
    assert_eq!(
        names(detector.see("syscall", &event(&json!({"proc.name": "b"})))),
        ["s"]
    );
}

#[test]
fn rules_are_switched_by_id_name_and_tag() {
    let file = format!(
        "{}{}",
        rule("proc.name = a").replace("  output", "  tags: [noisy]\n  output"),
        rule("proc.name = a").replace("rule: r\n", "rule: Other Rule\n  enabled: false\n")
    );
    let on = |options: Options| -> Vec<String> {
        let loaded = load_with(&[("r.yaml", &file)], options);
        loaded
            .engine
            .rules()
            .filter(|rule| rule.is_enabled)
            .map(|rule| rule.id.clone())
            .collect()
    };
    let named = |name: &str| vec![name.to_owned()];
    assert_eq!(on(Options::default()), ["r"]);
    assert_eq!(
        on(Options {
            off: named("noisy"),
            ..Options::default()
        }),
        Vec::<String>::new()
    );
    assert_eq!(
        on(Options {
            on: named("other-rule"),
            ..Options::default()
        }),
        ["r", "other-rule"]
    );
    let urgent = Options {
        least_priority: Some(seareeve_model::Priority::Error),
        ..Options::default()
    };
    assert_eq!(on(urgent), Vec::<String>::new());
}

#[test]
fn alerts_are_the_same_bytes_and_change_with_their_rule() {
    let fields = json!({"evt.type": "execve", "proc.name": "a", "evt.rawtime": 1_700_000_000_000_000_000_u64});
    let alert = |file: &str| {
        let mut detector = Detector::new(Arc::new(load(&[("r.yaml", file)]).engine));
        detector.see("syscall", &event(&fields)).remove(0)
    };
    let file = rule("proc.name = a").replace("output: o", "output: '%proc.name %evt.num'");
    let first = alert(&file);
    assert_eq!(
        serde_json::to_string(&first).unwrap(),
        serde_json::to_string(&alert(&file)).unwrap()
    );
    insta::assert_json_snapshot!(first);
    // What it is made of is part of it, however it is written.
    let listed = file.replace("proc.name = a", "proc.name in (a, b)");
    let by_list = format!(
        "- list: l\n  items: [a, b]\n{}",
        file.replace("proc.name = a", "proc.name in (l)")
    );
    assert_ne!(alert(&listed).evidence.content, first.evidence.content);
    assert_eq!(
        alert(&listed).evidence.content,
        alert(&by_list).evidence.content
    );
    assert_eq!(alert(&listed).key, first.key);
}

/// An event with a password, which may be told without.
struct Guarded {
    event: FlatEvent,
    asked: Cell<usize>,
}

impl Event for Guarded {
    fn extract<'e>(&'e self, field: &Field, out: &mut Values<'e>) -> Presence {
        self.event.extract(field, out)
    }

    fn time(&self) -> u64 {
        self.event.time()
    }

    fn told(&self) -> Option<Box<dyn Event + '_>> {
        self.asked.set(self.asked.get() + 1);
        Some(Box::new(event(
            &json!({"proc.name": "psql", "proc.cmdline": "psql [redacted]", "user.name": "eve"}),
        )))
    }
}

#[test]
fn what_is_said_is_taken_from_what_may_be_told() {
    let says = rule("proc.cmdline contains hunter2")
        .replace("output: o", "output: '%user.name ran %proc.cmdline'");
    let loaded = load(&[("learns.yaml", LEARNS), ("r.yaml", &says)]);
    assert_eq!(errors(&loaded), Vec::<String>::new());
    let mut detector = Detector::new(Arc::new(loaded.engine));
    let mut see = |line: &str| {
        let guarded = Guarded {
            event: event(&json!({"proc.name": "psql", "proc.cmdline": line, "user.name": "eve"})),
            asked: Cell::new(0),
        };
        let alerts = detector.see("syscall", &guarded);
        (alerts, guarded.asked.get())
    };
    let (alerts, asked) = see("psql hunter2");
    assert_eq!((alerts.len(), asked), (1, 1));
    assert_eq!(alerts[0].output, "eve ran psql [redacted]");
    assert_eq!(alerts[0].evidence.matched[0].wanted, ["hunter2"]);
    assert_eq!(alerts[0].evidence.matched[0].seen, ["psql [redacted]"]);
    // What is learned of names alone needs nobody's leave.
    let (alerts, asked) = see("psql");
    assert_eq!((alerts.len(), asked), (0, 0));
}

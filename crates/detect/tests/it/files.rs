//! Rule files: lists, macros, exceptions, appending, overriding, requirements; and what is said of mistakes.

use serde_json::{Value, json};

use seareeve_detect::{Options, UnknownFields};

use crate::support::{codes, detector, errors, event, load, load_with, rule, see};

/// A rule with more keys than usual.
fn with(condition: &str, more: &str) -> String {
    format!(
        "- rule: r\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n  warn_evttypes: false\n{more}"
    )
}

fn fires(file: &str, fields: &Value) -> bool {
    let mut detector = detector(&[("r.yaml", file)]);
    !see(&mut detector, std::slice::from_ref(fields)).is_empty()
}

fn process(name: &str) -> Value {
    json!({"evt.type": "execve", "proc.name": name})
}

#[test]
fn lists_are_put_into_conditions() {
    let lists = "- list: shells\n  items: [bash, zsh]\n- list: all\n  items: [shells, vim, 'a b']\n- list: none\n  items: []\n";
    let cases = [
        ("proc.name in (shells)", "zsh", true),
        ("proc.name in (fish, shells)", "fish", true),
        ("proc.name in (all)", "bash", true),
        ("proc.name in (all)", "a b", true),
        ("proc.name in (none, fish)", "fish", true),
        ("proc.name in (fish,none)", "fish", true),
        ("proc.name in (none)", "fish", false),
        // Not in quotes, and only whole names.
        ("proc.name = \"shells\"", "shells", true),
        ("proc.name in (myshells)", "bash", false),
        // Replaced wherever it stands, as text.
        ("proc.name in (x) or proc.name in (all)", "vim", true),
    ];
    for (condition, name, expected) in cases {
        let file = format!("{lists}{}", with(&format!("'{condition}'"), ""));
        assert_eq!(fires(&file, &process(name)), expected, "{condition} {name}");
    }
    // Items that would fall apart are kept together.
    let odd = "- list: odd\n  items: ['--a=b', 'c(d)', 'e\\f', 'it''s', 42]\n";
    for name in ["--a=b", "c(d)", "e\\f", "it's", "42"] {
        let file = format!("{odd}{}", with("proc.name in (odd)", ""));
        assert!(fires(&file, &process(name)), "{name}");
    }
}

#[test]
fn lists_within_lists_see_what_was_before() {
    let file = format!(
        "- list: a\n  items: [x]\n- list: b\n  items: [a]\n- list: c\n  items: [b]\n{}",
        with("proc.name in (c)", "")
    );
    assert!(fires(&file, &process("x")));
    let later = format!(
        "- list: b\n  items: [a]\n- list: a\n  items: [x]\n{}",
        with("proc.name in (b)", "")
    );
    assert!(fires(&later, &process("x")));
}

#[test]
fn macros_see_what_was_before_and_rules_see_all() {
    let macros = "- macro: is_cat\n  condition: proc.name = cat\n- macro: not_cat\n  condition: not is_cat\n";
    assert!(fires(
        &format!("{macros}{}", with("not_cat", "")),
        &process("vim")
    ));
    assert!(fires(
        &format!("{}{macros}", with("is_cat and not not_cat", "")),
        &process("cat")
    ));
    let backward = "- macro: not_cat\n  condition: not is_cat\n- macro: is_cat\n  condition: proc.name = cat\n";
    let loaded = load(&[("r.yaml", &format!("{backward}{}", with("not_cat", "")))]);
    assert_eq!(
        errors(&loaded),
        [
            "r.yaml:2:18: error: rule 'r': undefined macro 'is_cat' used in filter [LOAD_ERR_COMPILE_CONDITION]"
        ]
    );
    // A macro that is appended to sees what was there by then.
    let appended = format!(
        "{backward}- macro: not_cat\n  condition: and not is_cat\n  override: {{condition: append}}\n{}",
        with("not_cat", "")
    );
    assert!(fires(&appended, &process("vim")));
    let looped =
        "- macro: a\n  condition: b\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n";
    let loaded = load(&[("r.yaml", &format!("{looped}{}", with("a", "")))]);
    assert!(
        errors(&loaded)[0].contains("reference loop in macro"),
        "{:?}",
        errors(&loaded)
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let file = "- macro: wide\n  condition: >\n    proc.name = cat and\n    proc.nome = dog\n- rule: folded\n  desc: d\n  condition: >\n    evt.type = open and\n      (proc.name = a or\n      fd.num = b)\n  output: o\n  priority: INFO\n- rule: plain\n  desc: d\n  condition: evt.type = open and wide\n  output: o\n  priority: INFO\n- rule: out\n  desc: d\n  condition: evt.type = open\n  output: \"a %proc.name\n    and %proc.nome\"\n  priority: INFO\n- rule: shouts\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: LOUD\n";
    let loaded = load(&[("rules/x.yaml", file)]);
    assert_eq!(
        errors(&loaded),
        [
            "rules/x.yaml:4:5: error: rule 'plain': there is no field proc.nome; proc.name is there [LOAD_ERR_COMPILE_CONDITION]",
            "rules/x.yaml:10:7: error: rule 'folded': 'b' is not a number [LOAD_ERR_COMPILE_CONDITION]",
            "rules/x.yaml:22:10: error: rule 'out': there is no field proc.nome; proc.name is there [LOAD_ERR_COMPILE_OUTPUT]",
            "rules/x.yaml:28:13: error: rule 'shouts': invalid priority 'LOUD' [LOAD_ERR_YAML_VALIDATE]",
        ]
    );
    // The good ones are there.
    assert_eq!(loaded.engine.rules().count(), 0);
}

#[test]
fn one_that_is_wrong_does_not_take_the_others_along() {
    let file = format!(
        "- rule: broken\n  desc: d\n- 17\n- list: l\n{}",
        with("proc.name = cat", "")
    );
    let loaded = load(&[("r.yaml", &file)]);
    assert_eq!(errors(&loaded).len(), 3);
    assert_eq!(loaded.engine.rules().count(), 1);
}

#[test]
fn exceptions() {
    let file = with(
        "evt.type = execve",
        "  exceptions:\n  - name: one\n    fields: proc.name\n    values: [cat, 'my prog']\n  - name: two\n    fields: [proc.pname, proc.name]\n    comps: [=, startswith]\n    values:\n    - [sshd, ls]\n    - [cron, run]\n  - name: three\n    fields: [user.name, proc.name]\n    comps: [in, in]\n    values:\n    - [[alice, bob], awk]\n  - name: four\n    fields: proc.exepath\n    comps: pmatch\n    values: [/opt/tools]\n  - name: empty\n    fields: proc.cwd\n",
    );
    let cases = [
        (json!({"proc.name": "dog"}), true),
        (json!({"proc.name": "cat"}), false),
        (json!({"proc.name": "my prog"}), false),
        (json!({"proc.name": "lsof", "proc.pname": "sshd"}), false),
        (json!({"proc.name": "runner", "proc.pname": "cron"}), false),
        (json!({"proc.name": "runner", "proc.pname": "sshd"}), true),
        (json!({"proc.name": "awk", "user.name": "bob"}), false),
        (json!({"proc.name": "awk", "user.name": "eve"}), true),
        (
            json!({"proc.name": "x", "proc.exepath": "/opt/tools/x"}),
            false,
        ),
    ];
    let mut detector = detector(&[("r.yaml", &file)]);
    for (mut fields, expected) in cases {
        fields["evt.type"] = json!("execve");
        assert_eq!(
            !detector.see("syscall", &event(&fields)).is_empty(),
            expected,
            "{fields}"
        );
    }
}

#[test]
fn exceptions_are_appended_to_by_their_values() {
    let base = with(
        "evt.type = execve",
        "  exceptions:\n  - {name: e, fields: proc.name, values: [cat]}\n",
    );
    let appended = format!(
        "{base}- rule: r\n  exceptions:\n  - {{name: e, values: [dog]}}\n  - {{name: f, fields: [user.name], values: [[root]]}}\n  override: {{exceptions: append}}\n"
    );
    assert!(!fires(&appended, &process("dog")));
    assert!(!fires(&appended, &process("cat")));
    assert!(!fires(
        &appended,
        &json!({"evt.type": "execve", "proc.name": "x", "user.name": "root"})
    ));
    assert!(fires(&appended, &process("x")));
    let cases = [
        (
            "{name: e, fields: proc.name, values: [dog]}",
            "can not append exception fields",
        ),
        (
            "{name: e, comps: in, values: [dog]}",
            "can not append exception comps",
        ),
        ("{name: g, values: [[x]]}", "must have fields"),
        ("{name: g, fields: [proc.name]}", "must have values"),
        (
            "{name: g, fields: [proc.name, user.name], values: [[x]]}",
            "equal length",
        ),
        (
            "{name: g, fields: proc.name, comps: =, values: [x]}",
            "in, pmatch, intersects",
        ),
        (
            "{name: g, fields: [proc.name], comps: [like], values: [[x]]}",
            "not a supported comparison operator",
        ),
        (
            "{name: g, fields: [proc.nome], values: [[x]]}",
            "not a supported filter field",
        ),
        ("{fields: [proc.name], values: [[x]]}", "'name'"),
    ];
    for (exception, message) in cases {
        let file = format!(
            "{base}- rule: r\n  exceptions: [{exception}]\n  override: {{exceptions: append}}\n"
        );
        let loaded = load(&[("r.yaml", &file)]);
        let errors = errors(&loaded);
        assert!(
            errors.len() == 1 && errors[0].contains(message),
            "{exception}: {errors:?}"
        );
    }
}

#[test]
fn overriding() {
    let base = with("evt.type = execve", "  tags: [a]\n");
    let changed = format!(
        "{base}- rule: r\n  condition: and proc.name = cat\n  output: and %proc.name\n  desc: more\n  tags: [b]\n  priority: ERROR\n  override: {{condition: append, output: append, desc: append, tags: append, priority: replace}}\n"
    );
    let loaded = load(&[("r.yaml", &changed)]);
    assert_eq!(errors(&loaded), Vec::<String>::new());
    let rule = loaded.engine.rule("r").unwrap();
    assert_eq!(rule.tags, ["a", "b"]);
    assert_eq!(
        (rule.priority.as_str(), rule.description.as_str()),
        ("Error", "d more")
    );
    assert_eq!(rule.output, "o and %proc.name");
    assert!(fires(&changed, &process("cat")) && !fires(&changed, &process("dog")));
    let off = format!("{base}- rule: r\n  enabled: false\n  override: {{enabled: replace}}\n");
    assert!(!fires(&off, &process("cat")));
    let replaced = format!(
        "{base}- rule: r\n  condition: proc.name = dog\n  override: {{condition: replace}}\n"
    );
    assert!(fires(&replaced, &process("dog")) && !fires(&replaced, &process("cat")));

    let cases = [
        (
            "condition: and x\n  override: {condition: prepend}",
            "invalid override operation",
        ),
        (
            "priority: INFO\n  override: {priority: append}",
            "cannot be appended to",
        ),
        (
            "source: x\n  override: {source: replace}",
            "cannot be replaced",
        ),
        (
            "desc: x\n  output: y\n  override: {desc: replace}",
            "unexpected key 'output'",
        ),
        ("override: {desc: replace}", "'desc' is not defined"),
        (
            "append: true\n  desc: x\n  override: {desc: append}",
            "cannot be used together",
        ),
    ];
    for (keys, message) in cases {
        let loaded = load(&[("r.yaml", &format!("{base}- rule: r\n  {keys}\n"))]);
        let errors = errors(&loaded);
        assert!(
            errors.len() == 1 && errors[0].contains(message),
            "{keys}: {errors:?}"
        );
    }
    for item in [
        "- rule: q\n  condition: and x\n  append: true\n",
        "- list: q\n  items: [x]\n  append: true\n",
        "- macro: q\n  condition: x\n  override: {condition: append}\n",
        "- rule: q\n  enabled: true\n",
    ] {
        let loaded = load(&[("r.yaml", item)]);
        assert!(
            errors(&loaded)[0].contains("by that name already exists"),
            "{item}"
        );
    }
}

#[test]
fn later_files_change_earlier_ones() {
    let files = [
        (
            "a.yaml",
            format!(
                "- list: names\n  items: [cat]\n{}",
                with("proc.name in (names)", "")
            ),
        ),
        (
            "b.yaml",
            "- list: names\n  items: [dog]\n  override: {items: append}\n".to_owned(),
        ),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let mut detector = detector(&files);
    assert_eq!(
        see(
            &mut detector,
            &[process("cat"), process("dog"), process("x")]
        )
        .len(),
        2
    );
    let off = load(&[files[0], ("c.yaml", "- rule: r\n  enabled: false\n")]);
    assert_eq!(codes(&off), ["LOAD_DEPRECATED_ITEM"]);
    assert!(!off.engine.rule("r").unwrap().is_enabled);
    let other = load(&[
        files[0],
        (
            "d.yaml",
            "- rule: r\n  source: other\n  desc: d\n  condition: x\n  output: o\n  priority: INFO\n",
        ),
    ]);
    assert!(errors(&other)[0].contains("different source"));
}

#[test]
fn requirements() {
    let cases: &[(&str, &[&str])] = &[
        ("- required_engine_version: 15\n", &[]),
        ("- required_engine_version: 0.57.0\n", &[]),
        ("- required_engine_version: 64\n", &["LOAD_ERR_VALIDATE"]),
        ("- required_engine_version: 1.0.0\n", &["LOAD_ERR_VALIDATE"]),
        (
            "- required_engine_version: seven\n",
            &["LOAD_ERR_YAML_VALIDATE"],
        ),
        (
            "- required_plugin_versions:\n  - {name: container, version: 0.4.0}\n",
            &[],
        ),
        (
            "- required_plugin_versions:\n  - {name: container, version: 9.4.0}\n",
            &["LOAD_ERR_EXTENSION"],
        ),
        (
            "- required_plugin_versions:\n  - {name: other, version: 1.0.0, alternatives: [{name: container, version: 0.4.0}]}\n",
            &[],
        ),
        (
            "- required_plugin_versions:\n  - {name: other, version: 1.0.0}\n",
            &["LOAD_UNKNOWN_SOURCE"],
        ),
        (
            "- required_plugin_versions:\n  - {name: container, version: new}\n",
            &["LOAD_ERR_VALIDATE"],
        ),
        (
            "- required_plugin_versions: container\n",
            &["LOAD_ERR_YAML_VALIDATE"],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(codes(&load(&[("r.yaml", text)])), *expected, "{text}");
    }
    // A file for another engine is not for us.
    let file = format!(
        "- required_engine_version: 99\n{}",
        with("proc.name = x", "")
    );
    assert_eq!(load(&[("r.yaml", &file)]).engine.rules().count(), 0);
}

#[test]
fn warnings() {
    let cases: &[(&str, &[&str])] = &[
        ("- list: l\n  items: [a]\n", &["LOAD_UNUSED_LIST"]),
        (
            "- macro: m\n  condition: proc.name = a\n",
            &["LOAD_UNUSED_MACRO"],
        ),
        (
            "- macro: m-n\n  condition: proc.name = a\n",
            &["LOAD_UNUSED_MACRO", "LOAD_INVALID_MACRO_NAME"],
        ),
        ("- thing: x\n", &["LOAD_UNKNOWN_ITEM"]),
        ("# nothing\n", &[]),
        ("---\n---\n- thing: x\n", &["LOAD_UNKNOWN_ITEM"]),
    ];
    for (text, expected) in cases {
        assert_eq!(codes(&load(&[("r.yaml", text)])), *expected, "{text}");
    }
    let rules: &[(&str, &str, &[&str])] = &[
        ("proc.name = x", "  colour: red\n", &["LOAD_UNKNOWN_KEY"]),
        (
            "proc.name = x",
            "  source: other\n",
            &["LOAD_UNKNOWN_SOURCE"],
        ),
        ("proc.name = \"<NA>\"", "", &["LOAD_UNSAFE_NA_CHECK"]),
        ("proc.name = fd.name", "", &["LOAD_COMPILE_CONDITION"]),
        (
            "proc.name = 'tolower(fd.name)'",
            "",
            &["LOAD_COMPILE_CONDITION"],
        ),
        (
            "evt.type = execve",
            "  exceptions:\n  - {name: a, fields: proc.name, values: [x]}\n  - {name: a, fields: proc.name, values: [y]}\n",
            &["LOAD_EXCEPTION_NAME_NOT_UNIQUE"],
        ),
        (
            "proc.nome = x",
            "  skip-if-unknown-filter: true\n",
            &["LOAD_UNKNOWN_FILTER"],
        ),
    ];
    for (condition, more, expected) in rules {
        assert_eq!(
            codes(&load(&[("r.yaml", &with(condition, more))])),
            *expected,
            "{condition}"
        );
    }
    let types = [
        ("proc.name = x", true),
        ("evt.type != open", true),
        ("evt.type in (open, close)", false),
        ("not evt.type = open", true),
        ("evt.num=0", false),
        (
            "(evt.type = open or evt.type = close) and proc.name = x",
            false,
        ),
    ];
    for (condition, warns) in types {
        let file = with(condition, "").replace("  warn_evttypes: false\n", "");
        assert_eq!(
            codes(&load(&[("r.yaml", &file)])).contains(&"LOAD_NO_EVTTYPE"),
            warns,
            "{condition}"
        );
    }
}

#[test]
fn unknown_fields_can_be_left_out() {
    let file = format!(
        "{}{}",
        with("proc.nome = x", ""),
        with("proc.name = x", "").replace("rule: r", "rule: s")
    );
    let options = Options {
        unknown_fields: UnknownFields::Disable,
        ..Options::default()
    };
    let loaded = load_with(&[("r.yaml", &file)], options);
    assert_eq!(errors(&loaded), Vec::<String>::new());
    assert_eq!(codes(&loaded), ["LOAD_UNKNOWN_FILTER"]);
    assert!(loaded.diagnostics[0].message.contains("proc.nome"));
    let names: Vec<&str> = loaded
        .engine
        .rules()
        .map(|rule| rule.name.as_str())
        .collect();
    assert_eq!(names, ["s"]);
}

#[test]
fn outputs() {
    let fields = json!({
        "evt.type": "execve", "proc.name": "cat", "fd.num": 7, "evt.arg.flags": "O_RDONLY",
        "fd.types": ["file", "pipe"], "proc.aname[2]": "sshd",
    });
    let cases = [
        ("%proc.name.", "cat."),
        ("*%proc.name %fd.name", "cat <NA>"),
        ("%evt.arg.flags %evt.arg[flags]", "O_RDONLY O_RDONLY"),
        ("[%5proc.name] [%2proc.name]", "[cat  ] [ca]"),
        ("%toupper(proc.name)/%len(proc.name)", "CAT/3"),
        ("%fd.num %fd.types %proc.aname[2]", "7 (file,pipe) sshd"),
        ("100%% sure", "!"),
        ("ends with %", "!"),
        ("%nothing", "!"),
        ("%proc.name%fd.num", "cat7"),
        ("a %container.info b", "a  b"),
    ];
    for (output, expected) in cases {
        let file =
            with("evt.type = execve", "").replace("output: o", &format!("output: '{output}'"));
        let loaded = load(&[("r.yaml", &file)]);
        if expected == "!" {
            assert_eq!(codes(&loaded), ["LOAD_ERR_COMPILE_OUTPUT"], "{output}");
            continue;
        }
        let alerts = see(
            &mut detector(&[("r.yaml", &file)]),
            std::slice::from_ref(&fields),
        );
        assert_eq!(alerts[0].output, expected);
    }
}

#[test]
fn a_change_that_cannot_be_made_changes_nothing() {
    let base = "- rule: r\n  desc: d\n  condition: proc.name = a\n  output: o\n  priority: INFO\n  warn_evttypes: false\n  exceptions:\n    - {name: e, fields: [proc.exe], values: [[x]]}\n";
    for change in [
        "- rule: r\n  condition: or proc.name = b\n  priority: NOTHING\n  override: {condition: append, priority: replace}\n",
        "- rule: r\n  append: true\n  condition: or proc.name = b\n  exceptions:\n    - {name: e, fields: [proc.exe], values: [[y]]}\n",
    ] {
        let loaded = load(&[("r.yaml", base), ("change.yaml", change)]);
        assert_eq!(errors(&loaded).len(), 1, "{:?}", loaded.diagnostics);
        let mut detector = seareeve_detect::Detector::new(std::sync::Arc::new(loaded.engine));
        let events = [json!({"proc.name": "a"}), json!({"proc.name": "b"})];
        assert_eq!(see(&mut detector, &events).len(), 1, "{change}");
    }
}

#[test]
fn rules_have_ids_of_their_own() {
    let named = |name: &str, condition: &str| {
        rule(condition).replace("rule: r", &format!("rule: \"{name}\""))
    };
    let file = [
        named("A shell", "proc.name = a"),
        named("a-SHELL!", "proc.name = b"),
        named("\u{58f3}", "proc.name = c"),
        named("\u{8c9d}", "proc.name = d"),
    ]
    .concat();
    let loaded = load(&[("r.yaml", &file)]);
    let found = errors(&loaded);
    assert!(
        found.len() == 1 && found[0].contains("a-SHELL!") && found[0].contains("id a-shell"),
        "{found:?}"
    );
    let ids: Vec<&str> = loaded.engine.rules().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[1].starts_with("rule-") && ids[1] != ids[2], "{ids:?}");
}

#[test]
fn a_key_that_is_there_twice_is_told() {
    let file = rule("proc.name = a") + "  output: other\n";
    assert_eq!(codes(&load(&[("r.yaml", &file)])), ["LOAD_UNKNOWN_KEY"]);
}

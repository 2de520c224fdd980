//! Checks that somebody else wrote: refused with a reason, or stopped at a limit.

use seareeve_posture::{Check, Library, Outcome};
use serde_json::json;

use crate::support::{asset, check, judged, things, yaml};

fn refused(rest: &str) -> String {
    let mut error: Box<dyn std::error::Error> = Box::new(Check::parse(&yaml(rest)).unwrap_err());
    let mut text = error.to_string();
    while let Some(source) = error.source() {
        text.push_str(&format!(": {source}"));
        // Errors own their sources, which are read as text only.
        error = source.to_string().into();
    }
    text
}

#[test]
fn what_cannot_be_used_is_refused_with_its_reason() {
    let deep = format!("fail_if: {}true{}", "(".repeat(500), ")".repeat(500));
    let long = format!("fail_if: '{}'", "true && ".repeat(2_000));
    let cases = [
        ("fail_if: it.n >", "`fail_if` is no usable expression"),
        ("fail_if: that.n", "unknown variable"),
        (
            "fail_if: file('/etc/shadow')",
            "`fail_if` is no usable expression",
        ),
        (deep.as_str(), "`fail_if` is no usable expression"),
        (long.as_str(), "`fail_if` is no usable expression"),
        ("fail_if: true\nfail_for: '[]'", "exclude each other"),
        ("", "is needed"),
        ("fail_if: true\nwhen: 'true'", "go together"),
        ("fail_if: true\nlet: {it: '1'}", "is taken"),
        ("fail_if: true\nlet: {a: b, b: a}", "unknown variable"),
        ("fail_if: true\nneeds: {x: Not A Kind}", "no kind of fact"),
        ("fail_if: true\nshell: rm -rf /", "not a check"),
    ];
    for (rest, reason) in cases {
        let said = refused(rest);
        assert!(said.contains(reason), "{rest:.60}: {said}");
    }
    assert!(matches!(
        Check::parse(&"#".repeat(1 << 20)).unwrap_err(),
        seareeve_posture::CheckError::Large(_)
    ));
}

#[test]
fn an_expression_that_never_ends_is_stopped() {
    let list: Vec<i32> = (0..2_000).collect();
    let snapshot = asset(&[(
        "thing",
        things(&[json!({ "list": list }), json!({ "list": [] })]),
    )]);
    let cases = [
        "fail_if: it.list.exists(a, it.list.exists(b, it.list.exists(c, it.list.exists(d, a + b + c + d < 0))))",
        "fail_for: it.list.map(a, it.list.map(b, it.list))",
        "let: {a: \"'xxxxxxxxxxxxxxxx'\", b: a + a + a + a + a + a + a + a, c: b + b + b + b + b + b + b + b, d: c + c + c + c + c + c + c + c, e: d + d + d + d + d + d + d + d, f2: e + e + e + e + e + e + e + e}\nfail_if: size(it.list) > 0 && f2 + f2 + f2 + f2 + f2 + f2 + f2 + f2 == ''",
    ];
    for rest in cases {
        let verdict = judged(&check(rest), &snapshot);
        assert_eq!(verdict.objects[0].outcome, Outcome::Error, "{rest:.60}");
        assert_eq!(verdict.objects[1].outcome, Outcome::Pass, "{rest:.60}");
        // What was made before the limit is not kept.
        assert!(verdict.objects[0].items.is_empty());
    }
}

#[test]
fn one_bad_file_leaves_the_rest() {
    let good = yaml("fail_if: it.n > 2");
    let mut library = Library::default();
    let before = library.checks().count();
    let errors = library.add(
        [
            ("thing.wrong.yaml".to_owned(), good.clone()),
            ("other.yaml".to_owned(), good.clone()),
            ("bad.yaml".to_owned(), "id: [".to_owned()),
            ("again/thing.wrong.yaml".to_owned(), good),
        ],
        [
            (
                "b-1.yaml".to_owned(),
                "{id: b, version: '1', title: t, asset: a, controls: [{id: '1', title: t, checks: [thing.absent]}]}".to_owned(),
            ),
            (
                "c-1.yaml".to_owned(),
                "{id: c, version: '1', title: t, asset: a, controls: [{id: '1', title: t, checks: [{check: thing.wrong, params: {most: 1}}]}]}".to_owned(),
            ),
        ],
    );
    let told: Vec<String> = errors
        .iter()
        .map(|error| error.reason.to_string())
        .collect();
    assert_eq!(library.checks().count(), before + 1);
    assert_eq!(
        told,
        [
            "its id is thing.wrong, which is not the file's name",
            "not a check",
            "there is another thing.wrong",
            "control 1 wants the check thing.absent, which is not there",
            "control 1 sets most, which the check thing.wrong does not have",
        ]
    );
}

#[test]
fn a_benchmark_takes_no_name_of_ours_and_sets_parameters_to_what_they_are() {
    let mut library = Library::builtin();
    let benchmark = |id: &str, version: &str, params: &str| {
        let check = format!("{{check: pod-security.privileged, params: {params}}}");
        let text = format!(
            "{{id: {id}, version: '{version}', title: t, asset: a, controls: [{{id: '1', title: t, checks: [{check}]}}]}}"
        );
        (format!("{id}-{version}.yaml"), text)
    };
    let errors = library.add(
        [],
        [
            // It would be what `pss-restricted` means, and let everything else pass.
            benchmark("pss-restricted", "9.9", "{}"),
            benchmark("own", "1", "{excluded_namespaces: {shop: true}}"),
            benchmark("own", "2", "{excluded_namespaces: [shop]}"),
        ],
    );
    let told: Vec<String> = errors
        .iter()
        .map(|error| format!("{}: {}", error.file, error.reason))
        .collect();
    assert_eq!(
        told,
        [
            "pss-restricted-9.9.yaml: there is another pss-restricted",
            "own-1.yaml: control 1 sets excluded_namespaces of the check pod-security.privileged to something that is no list",
        ]
    );
    assert_eq!(library.benchmark("own", None).unwrap().version, "2");
}

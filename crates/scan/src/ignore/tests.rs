//! Each form of ignore file, and what it does to findings.

use super::*;
use crate::vex::sample;

const NOW: &str = "2026-06-15T12:00:00Z";

/// Which of the sample's four findings a file takes out, and the notices.
fn said(name: &str, text: &str) -> (String, Vec<String>) {
    let file = parse(name, text.as_bytes()).unwrap();
    let (inventory, mut matches) = sample();
    apply(&[file], &inventory, &[], &mut matches, NOW.parse().unwrap());
    let mark = |findings: &Vec<Finding>| match findings[0].suppressed {
        Some(_) => 'x',
        None => '-',
    };
    let notices = matches.notices.iter().map(ToString::to_string).collect();
    (matches.findings.iter().map(mark).collect(), notices)
}

/// The first suppression that a file brings about.
fn first(name: &str, text: &str) -> Suppression {
    let file = parse(name, text.as_bytes()).unwrap();
    let (inventory, mut matches) = sample();
    apply(&[file], &inventory, &[], &mut matches, NOW.parse().unwrap());
    let mut all = matches.findings.into_iter().flatten();
    all.find_map(|finding| finding.suppressed).unwrap()
}

#[test]
fn a_plain_list_is_read_as_trivy_does() {
    let text = "# accepted: behind a proxy\nCVE-2024-1 exp:2026-12-31\n\n# not there\nCVE-2020-9\nGHSA-2 # nor this\n";
    let (row, notices) = said(".trivyignore", text);
    assert_eq!(row, "xxxx");
    assert_eq!(
        notices,
        [
            ".trivyignore:5: CVE-2020-9 fits no finding: the entry can go",
            ".trivyignore:6: GHSA-2 fits no finding: the entry can go"
        ]
    );
    let suppressed = first(".trivyignore", text);
    assert_eq!(suppressed.by, SuppressedBy::IgnoreFile);
    assert_eq!(suppressed.reason, "accepted: behind a proxy");
    assert_eq!(suppressed.source, ".trivyignore:2");
    assert_eq!(
        suppressed.expires,
        Some("2026-12-31T00:00:00Z".parse().unwrap())
    );
    assert_eq!(first(".trivyignore", "DSA-1 # known\n").reason, "known");
    assert_eq!(
        first(".trivyignore", "GHSA-1\n").reason,
        "listed without a reason"
    );
}

#[test]
fn an_entry_past_its_day_hides_nothing_and_says_so() {
    let (row, notices) = said(".trivyignore", "CVE-2024-1 exp:2026-06-15\n");
    assert_eq!(row, "----");
    assert_eq!(
        notices,
        [".trivyignore:1: CVE-2024-1 is ignored no longer, since 2026-06-15"]
    );
    assert_eq!(
        said(".trivyignore", "CVE-2024-1 exp:2026-06-16\n").0,
        "xxxx"
    );
}

#[test]
fn trivys_yaml_narrows_by_package_and_path() {
    let entry = |rest: &str| {
        said(
            "a.yaml",
            &format!("vulnerabilities:\n  - id: CVE-2024-1\n{rest}"),
        )
        .0
    };
    assert_eq!(entry(""), "xxxx");
    assert_eq!(
        entry("    purls: [\"pkg:golang/example.org/parser\"]\n"),
        "--xx"
    );
    assert_eq!(entry("    paths: [\"usr/bin/a*\"]\n"), "-xx-");
    assert_eq!(
        entry("    purls: [\"pkg:golang/example.org/parser\"]\n    paths: [\"**/other\"]\n"),
        "---x"
    );
    assert_eq!(entry("    expired_at: 2026-01-01\n"), "----");
    let other = "misconfigurations:\n  - id: AVD-DS-0002\nlicenses:\n  - id: x\n";
    assert_eq!(said("a.yaml", other), ("----".to_owned(), Vec::new()));
    let text = "vulnerabilities:\n  - id: CVE-2024-1\n    statement: fine\n";
    let suppressed = first("dir/.trivyignore.yaml", text);
    assert_eq!(suppressed.reason, "fine");
    assert_eq!(
        suppressed.source,
        "dir/.trivyignore.yaml entry 1 (CVE-2024-1)"
    );
}

#[test]
fn our_own_form_needs_a_reason() {
    let entry = |rest: &str| {
        let text = format!("ignore:\n  - id: GHSA-1\n    reason: never called\n{rest}");
        said("seareeve-ignore.yaml", &text).0
    };
    assert_eq!(entry(""), "xxxx");
    assert_eq!(entry("    package: libssl3\n"), "x---");
    assert_eq!(entry("    package: openssl\n"), "x---");
    assert_eq!(entry("    purl: pkg:golang/example.org/app\n"), "-x--");
    assert_eq!(
        entry("    paths: [usr/bin/**]\n    expires: 2027-01-01\n"),
        "-xxx"
    );
    let error = |text: &str| {
        let error = parse("i.yaml", text.as_bytes()).unwrap_err();
        match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        }
    };
    let entry = |rest: &str| format!("ignore:\n  - id: CVE-2024-1\n{rest}");
    let cases = [
        (entry(""), "missing field"),
        (
            entry("    reason: \" \"\n"),
            "the ignore file i.yaml entry 1 (CVE-2024-1): the reason is empty: say why this is accepted",
        ),
        (
            entry("    reason: x\n    expires: soon\n"),
            "the ignore file i.yaml entry 1 (CVE-2024-1): \"soon\" is not a day such as 2026-12-31",
        ),
        (
            entry("    reason: x\n    purl: openssl\n"),
            "\"openssl\" is not a package URL",
        ),
        (
            entry("    reason: x\n    paths: [\"a[b]\"]\n"),
            "of wildcards *, ** and ? are known",
        ),
        (entry("    reason: x\n    pakage: y\n"), "pakage"),
        (
            "ignore:\n  - id: \"\"\n    reason: x\n".to_owned(),
            "there is no id",
        ),
        (
            "- CVE-2024-1\n".to_owned(),
            "failed to read the ignore file i.yaml",
        ),
    ];
    for (text, expected) in cases {
        let error = error(&text);
        assert!(error.contains(expected), "{error}");
    }
    let plain = |text: &[u8]| parse(".trivyignore", text).is_err();
    assert!(plain(b"CVE-2024-1 because\n") && plain(b"CVE-2024-1 exp:never\n") && plain(b"\xff"));
}

#[test]
fn what_is_out_already_keeps_its_first_reason() {
    let (inventory, mut matches) = sample();
    let earlier = Suppression {
        by: SuppressedBy::Distribution,
        reason: "no impact".to_owned(),
        source: "DSA-1".to_owned(),
        expires: None,
    };
    for findings in &mut matches.findings {
        findings[0].suppressed = Some(earlier.clone());
    }
    let file = parse(".trivyignore", b"CVE-2024-1\n").unwrap();
    apply(&[file], &inventory, &[], &mut matches, NOW.parse().unwrap());
    assert_eq!(matches.findings[0][0].suppressed, Some(earlier));
    assert_eq!(matches.notices, [], "the entry fits, so it is not useless");
}

#[test]
fn secrets_are_named_by_their_rule() {
    let secret = |rule: &str, place| SecretFinding {
        place,
        line: 1,
        column: 1,
        rule: rule.to_owned(),
        title: String::new(),
        provider: String::new(),
        severity: seareeve_model::Severity::High,
        confidence: seareeve_model::Confidence::High,
    };
    let file = |path: &str| SecretPlace::File {
        path: seareeve_model::ImagePath::parse(path.as_bytes()).unwrap(),
        layer: 0,
        is_hidden: false,
    };
    let field = SecretPlace::Configuration {
        field: "config.Env[0] A".to_owned(),
    };
    let secrets = [
        secret("private-key", file("opt/tests/a.pem")),
        secret("private-key", file("etc/a.pem")),
        secret("private-key", field),
        secret("jwt", file("opt/tests/a")),
    ];
    for (name, text, row) in [
        (".trivyignore", "private-key\n", "xxx-"),
        (
            "a.yaml",
            "ignore:\n  - id: private-key\n    paths: [\"opt/**\"]\n    reason: made for tests\n",
            "x---",
        ),
        (
            "a.yaml",
            "secrets:\n  - id: private-key\n    paths: [\"etc/*\"]\n  - id: jwt\n",
            "-x-x",
        ),
        (
            "a.yaml",
            "ignore:\n  - id: jwt\n    package: openssl\n    reason: a package has no secrets\n",
            "----",
        ),
        (".trivyignore", "jwt exp:2026-06-01\n", "----"),
    ] {
        let file = parse(name, text.as_bytes()).unwrap();
        let (inventory, mut matches) = sample();
        let now = NOW.parse().unwrap();
        let why = apply(&[file], &inventory, &secrets, &mut matches, now);
        let mark = |why: &Option<Suppression>| if why.is_some() { 'x' } else { '-' };
        assert_eq!(why.iter().map(mark).collect::<String>(), row, "{text}");
        let unused = row.contains('x');
        assert_eq!(
            matches.notices.is_empty(),
            unused,
            "{text}: {:?}",
            matches.notices
        );
    }
}

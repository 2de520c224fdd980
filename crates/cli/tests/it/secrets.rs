//! Secrets of images: told by kind and place in every format, never by value.

use serde_json::Value;

use crate::support::{APP, Home};

/// Not in one piece, so that nobody takes this file for a leak.
const KEY: &str = concat!("AKIA", "E23Y5GMDZ", "NN36XGY");

/// A home with an image that holds a key, and a folder with the same.
fn home() -> Home {
    let home = Home::new();
    let text = format!("debug=1\naws_access_key_id = {KEY}\n");
    let files = [
        APP[0],
        APP[1],
        APP[2],
        ("srv/app/settings.ini", text.as_str()),
    ];
    home.image(&files);
    home.rootfs("root", &files);
    home
}

fn report(home: &Home, more: &[&str]) -> Value {
    let arguments = [&["image", "--input", "app.tar", "-f", "json"], more].concat();
    let run = home.run(&arguments);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    serde_json::from_str(&run.out).unwrap()
}

#[test]
fn a_secret_is_told_by_kind_and_place_and_never_itself() {
    let home = home();
    let told = report(&home, &[]);
    insta::assert_json_snapshot!(told["secrets"]);
    for format in [
        "table",
        "json",
        "sarif",
        "cyclonedx",
        "spdx-json",
        "junit",
        "html",
    ] {
        let run = home.run(&["image", "--input", "app.tar", "-f", format]);
        assert_eq!(run.code, 0);
        assert!(!run.out.contains(&KEY[4..]), "{format}");
        let can_say = !matches!(format, "cyclonedx" | "spdx-json");
        assert_eq!(
            run.out.contains("srv/app/settings.ini"),
            can_say,
            "{format}"
        );
    }
    let table = home.run(&["image", "--rootfs", "root", "--scanners", "secret"]);
    assert_eq!(table.code, 0, "{}", table.out);
    insta::assert_snapshot!(table.out);
}

#[test]
fn only_what_is_asked_for_is_looked_for() {
    let home = home();
    let vulnerabilities = report(&home, &["--scanners", "vuln"]);
    assert_eq!(vulnerabilities["secrets"], Value::Null, "nobody looked");
    assert_eq!(vulnerabilities["findings"].as_array().unwrap().len(), 2);
    let secrets = report(&home, &["--scanners", "secret"]);
    assert_eq!(secrets["secrets"].as_array().unwrap().len(), 1);
    assert_eq!(secrets["packages"].as_array().unwrap().len(), 0);
    assert_eq!(secrets["distro"]["id"], "debian");
}

#[test]
fn secrets_fail_gates_unless_they_are_accepted() {
    let home = home();
    let scan = ["image", "--input", "app.tar", "-q", "--scanners", "secret"];
    let code = |more: &[&str]| home.run(&[&scan[..], more].concat()).code;
    assert_eq!(code(&["--fail-on", "high"]), 2);
    assert_eq!(code(&["--fail-on", "critical"]), 0);
    assert_eq!(code(&["--exit-code", "9"]), 9);
    assert_eq!(code(&["--exit-code", "9", "--severity", "low"]), 0);
    home.write(
        "accepted.yaml",
        "ignore:\n  - id: aws-access-key-id\n    paths: [\"srv/**\"]\n    reason: revoked\n",
    );
    assert_eq!(
        code(&["--fail-on", "low", "--ignore-file", "accepted.yaml"]),
        0
    );
    let told = report(&home, &["--ignore-file", "accepted.yaml"]);
    assert_eq!(told["secrets"].as_array().unwrap().len(), 0);
    assert_eq!(
        told["suppressed_secrets"][0]["suppression"]["reason"],
        "revoked"
    );
    let arguments = [
        &scan[..],
        &["--ignore-file", "accepted.yaml", "--show-suppressed"],
    ]
    .concat();
    let table = home.run(&arguments).out;
    assert!(
        table.contains("0 secrets · not counted: 1 by ignore file\n") && table.contains("revoked"),
        "{table}"
    );
}

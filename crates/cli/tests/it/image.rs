//! `seareeve image`.

use serde_json::Value;

use crate::support::{APP, Home};

#[test]
fn the_table_says_what_was_found_and_with_what() {
    let home = Home::new();
    home.image(&APP);
    let run = home.run(&["image", "--input", "app.tar", "--severity", "CRITICAL"]);
    assert_eq!(run.code, 0, "{}", run.err);
    insta::assert_snapshot!(run.out);
    assert_eq!(run.err, "");
}

#[test]
fn json_fits_its_published_schema_and_is_the_same_twice() {
    let home = Home::new();
    home.image(&APP);
    let arguments = ["image", "--input", "app.tar", "--format", "json"];
    let (first, second) = (home.run(&arguments), home.run(&arguments));
    assert_eq!((first.code, first.err.as_str()), (0, ""));
    assert_eq!(
        first.out, second.out,
        "the same input and database give the same bytes"
    );
    let report: Value = serde_json::from_str(&first.out).unwrap();
    let schema: Value = serde_json::from_str(&home.run(&["schema", "image-report"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    let mut broken = report.clone();
    broken["findings"][0]["severity"] = Value::Null;
    assert!(
        !validator.is_valid(&broken),
        "a schema that accepts anything is none"
    );

    let yaml = &report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["id"] == "CVE-2020-14343")
        .unwrap();
    assert_eq!(yaml["package"]["purl"], "pkg:pypi/pyyaml@5.3");
    assert_eq!(
        yaml["package"]["path"],
        "usr/lib/python3/PyYAML-5.3.dist-info/METADATA"
    );
    assert_eq!(
        (&yaml["status"], &yaml["fixed_versions"][0]),
        (&"fixed".into(), &"5.4".into())
    );
    assert_eq!(yaml["layer"], report["image"]["layers"][0]["diff_id"]);

    let file = home.run(&[
        "image",
        "--input",
        "app.tar",
        "--format",
        "json",
        "-o",
        "report.json",
    ]);
    assert_eq!((file.code, file.out.as_str()), (0, ""));
    assert_eq!(
        std::fs::read_to_string(home.path().join("report.json")).unwrap(),
        first.out
    );
}

#[test]
fn exit_codes_tell_findings_from_failures() {
    let home = Home::new();
    home.image(&APP);
    let code = |more: &[&str]| {
        home.run(&[&["image", "--input", "app.tar", "-q"], more].concat())
            .code
    };
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--fail-on", "high"]), 2);
    assert_eq!(
        code(&["--fail-on", "high", "--severity", "LOW"]),
        0,
        "a gate judges what is shown"
    );
    assert_eq!(code(&["--exit-code", "7"]), 7);
    assert_eq!(code(&["--exit-code", "7", "--severity", "LOW"]), 0);
    assert_eq!(code(&["--exit-code", "0"]), 0);
    assert_eq!(code(&["--fail-on", "high", "--ignore-unfixed"]), 2);
    assert_eq!(code(&["--exit-code", "7", "--fail-on", "high"]), 1);
    assert_eq!(home.run(&["image", "--input", "absent.tar"]).code, 1);
    assert_eq!(home.run(&["image", "--fail-on", "severe", "x"]).code, 1);
    assert_eq!(home.run(&["image"]).code, 1);

    home.image(&[APP[1]]);
    let unknown = home.run(&["image", "--input", "app.tar"]);
    assert_eq!(
        unknown.code, 3,
        "packages of an unknown distribution were not judged"
    );
    assert!(unknown.out.contains("INCOMPLETE"), "{}", unknown.out);
    let gate = home.run(&["image", "--input", "app.tar", "--exit-code", "0"]);
    assert_eq!(gate.code, 3, "no exit code makes a part the whole");
    let sarif = home
        .run(&["image", "--input", "app.tar", "-f", "sarif"])
        .out;
    assert!(sarif.contains(r#""executionSuccessful": false"#), "{sarif}");
    let junit = home
        .run(&["image", "--input", "app.tar", "-f", "junit"])
        .out;
    assert!(junit.contains(r#"<error type="distro_unknown""#), "{junit}");
    let html = home.run(&["image", "--input", "app.tar", "-f", "html"]).out;
    assert!(
        html.contains("Incomplete: not everything could be read or judged"),
        "{html}"
    );
}

#[test]
fn what_an_image_says_cannot_command_the_terminal() {
    let home = Home::new();
    let name = (
        "usr/lib/python3/x.dist-info/METADATA",
        "Name: PyYAML\u{1b}[2J\nVersion: 5.3\n",
    );
    home.image(&[
        APP[0],
        name,
        (
            "usr/lib/python3/y.dist-info/METADATA",
            "Name: PyYAML\nVersion: 5.3\u{1b}]0;x\u{9b}2J\n",
        ),
    ]);
    let json = home.run(&["image", "--input", "app.tar", "--format", "json"]);
    assert!(
        !json.out.contains(|c: char| c.is_control() && c != '\n'),
        "{json:?}"
    );
    assert!(json.out.contains("\\u009b"), "{json:?}");
    let run = home.run(&["image", "--input", "app.tar"]);
    assert!(
        !run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'),
        "{run:?}"
    );
}

#[test]
fn mistakes_are_named() {
    let home = Home::new();
    std::fs::write(home.path().join("Text.txt"), "no image").unwrap();
    let message = |arguments: &[&str]| home.run(arguments).err;
    assert_eq!(
        message(&["image", "Text.txt"]),
        "error: Text.txt is a file: use --input Text.txt: \"Text.txt\" is not an image reference such as alpine:3.19 or \
         registry.example/team/app@sha256:…: a repository is lower-case letters, digits, and single . _ - between them\n"
    );
    assert!(
        message(&["image", "--input", "Text.txt"])
            .starts_with("error: Text.txt is not a docker save archive or an OCI layout")
    );
    assert_eq!(
        message(&["image", "alpine", "--server", "http://127.0.0.1:1"]),
        "error: SEAREEVE_TOKEN is not set: make an API token in the UI under Settings and put it there\n"
    );
    let address = home
        .command(&["image", "alpine", "--server", "http://10.0.0.1"])
        .env("SEAREEVE_TOKEN", "x")
        .output()
        .unwrap();
    assert!(
        String::from_utf8(address.stderr)
            .unwrap()
            .contains("use https")
    );
    std::fs::write(home.path().join("bad.db"), "no database").unwrap();
    assert!(
        message(&["image", "--input", "Text.txt", "--db", "bad.db"])
            .starts_with("error: failed to open the advisory database bad.db")
    );
}

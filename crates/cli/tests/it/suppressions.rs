//! What takes findings out: VEX documents and ignore files.

use serde_json::{Value, json};

use crate::support::{APP, Home};

const SCAN: [&str; 3] = ["image", "--input", "app.tar"];

fn vex(status: &str) -> String {
    json!({ "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://a.example/vex", "author": "Ann",
        "timestamp": "2026-01-04T00:00:00Z", "version": 1, "statements": [{
            "vulnerability": { "name": "CVE-2020-14343" }, "products": [{ "@id": "pkg:pypi/pyyaml" }],
            "status": status, "justification": "vulnerable_code_not_in_execute_path", "action_statement": "wait" }] })
    .to_string()
}

fn ids(list: &Value) -> Vec<&str> {
    let findings = list.as_array().unwrap().iter();
    findings
        .map(|finding| finding["id"].as_str().unwrap())
        .collect()
}

#[test]
fn a_gate_does_not_count_what_is_suppressed() {
    let home = Home::new();
    home.image(&APP);
    home.write("vex.json", vex("not_affected"));
    home.write("affected.json", vex("affected"));
    home.write("list", "CVE-2020-1747\n");
    let code = |more: &[&str]| {
        home.run(&[&SCAN[..], &["-q", "--fail-on", "low"], more].concat())
            .code
    };
    assert_eq!(code(&[]), 2);
    assert_eq!(code(&["--vex", "vex.json"]), 2, "the other one is left");
    assert_eq!(code(&["--vex", "vex.json", "--ignore-file", "list"]), 0);
    assert_eq!(
        code(&["--vex", "affected.json", "--ignore-file", "list"]),
        2
    );

    let run = home.run(&[&SCAN[..], &["-f", "json", "--vex", "vex.json"]].concat());
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(ids(&report["findings"]), ["CVE-2020-1747"]);
    assert_eq!(ids(&report["suppressed"]), ["CVE-2020-14343"]);
    let run = home.run(&[&SCAN[..], &["-f", "json", "--vex", "vex.json", "-s", "low"]].concat());
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(
        ids(&report["suppressed"]),
        [""; 0],
        "filters are for both lists"
    );
}

#[test]
fn the_usual_ignore_files_are_read_and_named() {
    let home = Home::new();
    home.image(&APP);
    home.write(".trivyignore", "# we know\nCVE-2020-1747\n");
    home.write(
        "seareeve-ignore.yaml",
        "ignore:\n  - id: CVE-2020-14343\n    reason: never called\n    expires: 2026-06-01\n",
    );
    let on = |day: &str, more: &[&str]| {
        let arguments = [&SCAN[..], &["--fail-on", "low"], more].concat();
        let output = home
            .command(&arguments)
            .env("SOURCE_DATE_EPOCH", day)
            .output();
        crate::support::Run::from(output.unwrap())
    };
    // Before and after the first of June.
    let (before, after) = (on("1780000000", &[]), on("1790000000", &[]));
    assert_eq!((before.code, after.code), (0, 2));
    assert_eq!(
        before.err,
        "findings that .trivyignore lists do not count (--ignore-file names other lists)\n\
         findings that seareeve-ignore.yaml lists do not count (--ignore-file names other lists)\n"
    );
    assert!(
        before.out.contains("0 findings") && before.out.contains("Not counted: 2 by ignore file"),
        "{}",
        before.out
    );
    assert!(
        after
            .out
            .contains("IGNORE EXPIRED: seareeve-ignore.yaml entry 1 (CVE-2020-14343)"),
        "{}",
        after.out
    );
    let named = on("1780000000", &["--ignore-file", "/dev/null"]);
    assert_eq!(
        (named.code, named.err.as_str()),
        (2, ""),
        "a named list replaces the usual ones"
    );
}

#[test]
fn what_cannot_be_used_is_a_failure_before_anything_is_read() {
    let home = Home::new();
    home.write("broken.json", "{");
    home.write("broken.yaml", "ignore:\n  - id: CVE-1\n");
    let says = |flag: &str, file: &str| {
        let run = home.run(&["image", "--input", "absent.tar", flag, file]);
        assert_eq!(run.code, 1);
        run.err
    };
    let read = says("--vex", "broken.json");
    assert!(
        read.contains("failed to read the VEX document broken.json as JSON"),
        "{read}"
    );
    let read = says("--ignore-file", "broken.yaml");
    assert!(
        read.contains("failed to read the ignore file broken.yaml"),
        "{read}"
    );
    let read = says("--vex", "absent.json");
    assert!(
        read.starts_with("error: failed to read the VEX document absent.json: "),
        "{read}"
    );
    let read = says("--ignore-file", "/dev/zero");
    assert!(read.contains("it has more than"), "{read}");
}

#[test]
fn a_list_for_many_images_is_not_told_entry_by_entry() {
    let home = Home::new();
    home.image(&APP);
    let list: String = (1..=20)
        .map(|number| format!("CVE-1999-{number}\n"))
        .collect();
    home.write(".trivyignore", list);
    let run = home.run(&SCAN);
    assert!(
        run.out
            .contains("IGNORE UNUSED\n  .trivyignore:1: CVE-1999-1 ")
            && run.out.contains("  and 15 more\n"),
        "{}",
        run.out
    );
}

//! `--server`: somebody else matches, the result looks the same.

use serde_json::Value;

use crate::formats;
use crate::support::{APP, Home, Run, serve};

#[test]
fn a_servers_answer_is_printed_in_every_format_as_our_own() {
    let home = Home::new();
    home.image(&APP);
    home.write(".trivyignore", "CVE-2020-1747\n");
    let arguments = ["image", "--input", "app.tar", "-q", "-f"];
    // The server knows nothing of the user's ignore file.
    let answer = home.run(&[&arguments[..], &["json", "--ignore-file", "/dev/null"]].concat());
    let answer = answer.out.into_bytes();
    let server = serve(Box::new(move |request, head| {
        assert!(head.contains("authorization: bearer token"), "{head}");
        match request {
            "POST /api/v1/sboms" => ("200 OK", "application/json", answer.clone()),
            _ => ("404 Not Found", "application/json", Vec::new()),
        }
    }));
    for format in [
        "table",
        "json",
        "sarif",
        "cyclonedx",
        "spdx-json",
        "junit",
        "html",
    ] {
        let own = home.run(&[&arguments[..], &[format]].concat());
        let output = home
            .command(&[&arguments[..], &[format]].concat())
            .env("SEAREEVE_SERVER", format!("http://{server}"))
            .env("SEAREEVE_TOKEN", "token")
            .output();
        let asked = Run::from(output.unwrap());
        assert_eq!((asked.code, asked.err.as_str()), (0, ""), "{format}");
        assert_eq!(asked.out, own.out, "{format}");
    }
}

#[test]
fn an_answer_about_something_else_is_refused() {
    let home = Home::new();
    home.image(&APP);
    let other = Home::new();
    other.image(&[
        APP[0],
        APP[1],
        ("opt/PyYAML-5.3.dist-info/METADATA", APP[2].1),
    ]);
    let answer = other
        .run(&["image", "--input", "app.tar", "-f", "json"])
        .out;
    let server = serve(Box::new(move |_, _| {
        ("200 OK", "application/json", answer.clone().into_bytes())
    }));
    let output = home
        .command(&[
            "image",
            "--input",
            "app.tar",
            "--server",
            &format!("http://{server}"),
        ])
        .env("SEAREEVE_TOKEN", "token")
        .output();
    let run = Run::from(output.unwrap());
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert_eq!(
        run.err,
        "error: failed to understand the server's answer: CVE-2020-14343 is said of pkg:pypi/pyyaml@5.3 in \
         opt/PyYAML-5.3.dist-info/METADATA, which the image does not hold\n"
    );
}

#[test]
fn nothing_that_a_server_says_is_lost() {
    let home = formats::home();
    let answer = formats::printed(&home, "json", &[]);
    let theirs: Value = serde_json::from_str(&answer).unwrap();
    for (what, word) in [("exploited", "known_exploited"), ("rated", "epss")] {
        assert!(!theirs["findings"][0][word].is_null(), "{what}");
    }
    assert_eq!(theirs["suppressed"].as_array().unwrap().len(), 2);
    let server = serve(Box::new(move |_, _| {
        ("200 OK", "application/json", answer.clone().into_bytes())
    }));
    let ask = || {
        let output = home
            .command(&["image", "--input", "app.tar", "-f", "json", "--server"])
            .arg(format!("http://{server}"))
            .env("SEAREEVE_TOKEN", "token")
            .output();
        Run::from(output.unwrap())
    };
    let run = ask();
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let ours: Value = serde_json::from_str(&run.out).unwrap();
    for list in ["findings", "suppressed", "packages", "problems", "database"] {
        assert_eq!(ours[list], theirs[list], "{list}");
    }
}

//! What every command has in common.

use std::process::Stdio;

use crate::support::{APP, Home};

#[test]
fn help_teaches_and_version_answers() {
    let home = Home::new();
    let help = home.run(&["image", "--help"]);
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    assert!(help.out.contains(
        "docker save team/app:1.2 -o app.tar && seareeve image --input app.tar --fail-on high"
    ));
    assert_eq!(
        home.run(&["--version"]).out,
        format!("seareeve {}\n", env!("CARGO_PKG_VERSION"))
    );
    let wrong = home.run(&["imagine"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (1, ""));
    assert!(
        wrong.err.contains("a similar subcommand exists: 'image'"),
        "{}",
        wrong.err
    );
}

#[test]
fn completions_and_manual_pages_are_made() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            home.run(&["completions", shell]).out.contains("seareeve"),
            "{shell}"
        );
    }
    assert_eq!(home.run(&["man", "man1"]).code, 0);
    let page = std::fs::read_to_string(home.path().join("man1/seareeve-image.1")).unwrap();
    assert!(page.contains(".TH"), "{page}");
}

#[test]
fn doctor_names_the_remedy() {
    let home = Home::new();
    let run = home.run(&["doctor"]);
    assert_eq!(run.code, 0, "{}", run.out);
    assert!(
        run.out
            .contains("only the built-in starter set of 168 advisories: run seareeve db update"),
        "{}",
        run.out
    );
    let folder = home.path().join("file/data");
    std::fs::write(home.path().join("file"), "").unwrap();
    let broken = home.run(&["doctor", "--data-dir", folder.to_str().unwrap()]);
    assert_eq!(broken.code, 1);
    assert!(
        broken
            .out
            .contains("choose another with --data-dir or SEAREEVE_SERVER_DATA_DIR"),
        "{}",
        broken.out
    );
}

#[test]
fn settings_show_their_origin_but_no_password() {
    let home = Home::new();
    let output = home
        .command(&["config", "show", "--data-dir", "elsewhere"])
        .env(
            "SEAREEVE_SERVER_DATABASE",
            "postgres://me:secret@db.example/seareeve",
        )
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("server.data_dir = \"elsewhere\"  # flag"),
        "{text}"
    );
    let database = "server.database = postgres://…@db.example/seareeve  # environment variable SEAREEVE_SERVER_DATABASE";
    assert!(
        text.contains(database) && !text.contains("secret"),
        "{text}"
    );
    let unknown = home
        .command(&["doctor"])
        .env("SEAREEVE_COLOUR", "red")
        .output()
        .unwrap();
    assert_eq!(unknown.status.code(), Some(1));
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let home = Home::new();
    home.image(&APP);
    let mut child = home
        .command(&["image", "--input", "app.tar", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap()
        ),
        (Some(0), String::new())
    );
}

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
fn a_reader_that_went_away_is_no_failure_and_hides_no_gate() {
    let home = Home::new();
    home.image(&APP);
    for (gate, code) in [("--quiet", 0), ("--fail-on=high", 2)] {
        let mut child = home
            .command(&["image", "--input", "app.tar", "--format", "json", gate])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said),
            (Some(code), String::new()),
            "{gate}"
        );
    }
}

#[test]
fn a_device_is_written_to_and_never_replaced() {
    let home = Home::new();
    home.image(&APP);
    let run = home.run(&[
        "image",
        "--input",
        "app.tar",
        "--format",
        "json",
        "-o",
        "/dev/stdout",
    ]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.starts_with('{'), "{}", run.out);
    let file = std::fs::metadata("/dev/null").unwrap();
    assert_eq!(
        home.run(&["image", "--input", "app.tar", "-o", "/dev/null"])
            .code,
        0
    );
    assert_eq!(
        std::fs::metadata("/dev/null").unwrap().file_type(),
        file.file_type()
    );
    assert_eq!(
        home.run(&["image", "--input", "app.tar", "-o", "absent/report"])
            .code,
        1
    );
}

#[test]
fn a_link_is_made_only_for_a_user_of_the_servers_store() {
    let home = Home::new();
    let run = home.run(&["user", "link"]);
    assert_eq!(run.code, 1);
    assert!(
        run.err
            .starts_with("error: there is no user admin in sqlite:"),
        "{}",
        run.err
    );
}

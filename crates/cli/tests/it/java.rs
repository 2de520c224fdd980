//! Java archives that do not say what they are, and the index that knows them.

use serde_json::Value;

use crate::support::{APP, Home, Run};

/// A Java archive that holds a class and no word about itself.
const MYSTERY: &str = concat!(
    "PK\x03\x04\x0a\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0",
    "com/example/A.class",
    "PK\x01\x02\x0a\0\x0a\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    "com/example/A.class",
    "PK\x05\x06\0\0\0\0\x01\0\x01\0\x41\0\0\0\x31\0\0\0\0\0"
);

fn home() -> Home {
    let home = Home::new();
    home.image(&[APP[0], APP[1], ("opt/app/mystery.jar", MYSTERY)]);
    home
}

/// The problems at the archive, and the packages in it.
fn told(run: &Run) -> (Vec<String>, Vec<String>) {
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let of_archive = |list: &str, place: &str, text: &str| {
        let items = report[list].as_array().unwrap().iter();
        let items = items.filter(|item| item[place] == "opt/app/mystery.jar");
        items
            .map(|item| item[text].as_str().unwrap().to_owned())
            .collect()
    };
    (
        of_archive("problems", "place", "message"),
        of_archive("packages", "path", "purl"),
    )
}

#[test]
fn an_index_names_what_does_not_name_itself() {
    let home = home();
    let scan = ["image", "--input", "app.tar", "--format", "json"];
    let (problems, packages) = told(&home.run(&scan));
    let (before, rest) = problems[0].split_once("(SHA-1 ").unwrap();
    assert_eq!(
        before,
        "identity unknown: the archive does not say group, artifact and version "
    );
    let (sha1, after) = rest.split_once(')').unwrap();
    assert_eq!(
        after,
        ", and there is no Java index to look it up in: seareeve db java-index makes one"
    );
    assert_eq!((problems.len(), packages), (1, vec![]));

    // An index that knows others only.
    let other = format!("{},org.example,other,1\n", "0".repeat(40));
    home.write("list.csv", &other);
    let built = home.run(&["db", "java-index", "--from", "list.csv"]);
    assert_eq!((built.code, built.err.as_str()), (0, ""));
    assert!(
        built.out.ends_with("java-index.db: 1 archives\n"),
        "{}",
        built.out
    );
    let (problems, _) = told(&home.run(&scan));
    assert!(
        problems[0].ends_with(", and the Java index does not know it either"),
        "{problems:?}"
    );

    // The layer is not read again, and named all the same.
    let list = format!("{other}{sha1},org.apache.logging.log4j,log4j-core,2.14.1\nnonsense\n");
    home.write("list.csv", list);
    let built = home.run(&["db", "java-index", "--from", "list.csv"]);
    assert_eq!(
        (built.code, built.err.as_str()),
        (
            3,
            "not used: line 3: it is not a SHA-1 with group, artifact and version\n"
        )
    );
    let named = (
        Vec::new(),
        vec!["pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1".to_owned()],
    );
    assert_eq!(told(&home.run(&scan)), named);

    let status = home.run(&["db", "status"]);
    let line = status
        .out
        .lines()
        .find(|line| line.starts_with("java "))
        .unwrap();
    assert!(
        line.starts_with("java        index of 2 archives, built ")
            && line.contains(" (0 days ago): ")
            && line.ends_with("/java-index.db"),
        "{line}"
    );
    let status = home.run(&["db", "status", "--format", "json"]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(
        (&status["kind"], &status["java_index"]["archives"]),
        (&Value::from("starter"), &Value::from(2))
    );

    // Elsewhere, and named by the user.
    let moved = home.run(&[
        "db",
        "java-index",
        "--from",
        "list.csv",
        "--output",
        "other.db",
    ]);
    assert_eq!(moved.code, 3);
    let fresh = self::home();
    let file = home.path().join("other.db");
    let file = file.to_str().unwrap();
    let run = fresh.run(&[&scan[..], &["--java-index", file]].concat());
    assert_eq!(told(&run), named);
}

#[test]
fn an_index_that_cannot_be_used_is_an_error_and_an_absent_one_is_none() {
    let home = home();
    let scan = ["image", "--input", "app.tar"];
    assert_eq!(home.run(&scan).code, 3, "the archive is a problem");
    let status = home.run(&["db", "status"]);
    assert!(
        status
            .out
            .ends_with("java        no index of archives (seareeve db java-index)\n"),
        "{}",
        status.out
    );
    let absent = home.run(&[&scan[..], &["--java-index", "absent.db"]].concat());
    assert_eq!(absent.code, 1);
    assert!(
        absent.err.starts_with("error: failed to use the Java index absent.db: `seareeve db java-index` makes a new one: "),
        "{}",
        absent.err
    );
    home.write("list.csv", "nothing of the kind\n");
    let none = home.run(&["db", "java-index", "--from", "list.csv"]);
    assert_eq!(none.code, 1);
    assert_eq!(
        none.err,
        "error: list.csv names no Java archives: it must be Trivy's Java database, or a list of SHA-1, group, artifact and version\n"
    );
    home.write("damaged.db", "seareeve-java");
    let damaged = home.run(&[&scan[..], &["--java-index", "damaged.db"]].concat());
    assert_eq!(damaged.code, 1);
}

//! `seareeve azure` on documents and on a fake of Azure, and all controls of CIS AKS against a table that a person wrote:
//! `azure/cis-aks.txt`.

mod cluster;

use std::collections::BTreeMap;

use seareeve_lab::azure::{Fake, Fault, SECRET, documents};
use serde_json::{Value, json};

use self::cluster::{Care, facts};
use crate::support::{Home, Run};

const TABLE: &str = include_str!("azure/cis-aks.txt");

/// A home with all documents of the fake in a folder.
fn home() -> Home {
    let home = Home::new();
    for (number, list) in documents::both().into_values().enumerate() {
        let reply = json!({"value": list}).to_string();
        home.write(&format!("documents/{number:02}.json"), reply);
    }
    home
}

/// A home with what is read of the fake: a list that is empty is known to be so.
fn read_home() -> Home {
    let home = Home::new();
    let fake = Fake::start(documents::both());
    let run = ask(&home, &fake, SECRET, &["--save-facts", "facts.json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    home
}

fn ask(home: &Home, fake: &Fake, secret: &str, more: &[&str]) -> Run {
    let (login, manager) = (fake.login(), fake.manager());
    let flags = [
        "azure",
        "--login-address",
        &login,
        "--manager-address",
        &manager,
        "-F",
        "json",
    ];
    let mut command = home.command(&[&flags[..], more].concat());
    command
        .env("AZURE_TENANT_ID", "t-1")
        .env("AZURE_CLIENT_ID", "c-1")
        .env("AZURE_CLIENT_SECRET", secret);
    Run::from(command.output().unwrap())
}

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}", run.err))
}

/// Statuses of the controls by number, in a word.
fn verdicts(report: &Value) -> BTreeMap<String, String> {
    let controls = report["controls"].as_array().unwrap().iter();
    let controls = controls.map(|control| {
        let word = match control["status"].as_str().unwrap() {
            "not_applicable" => "n/a",
            "not_collected" => "unknown",
            "needs_review" => "review",
            other => other,
        };
        (control["id"].as_str().unwrap().to_owned(), word.to_owned())
    });
    controls.collect()
}

/// The rows of the table: level, mark, then one word for each column.
fn table() -> BTreeMap<String, Vec<&'static str>> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let rows = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.collect()))
    });
    rows.collect()
}

#[test]
fn all_controls_are_judged_as_the_table_says() {
    let home = read_home();
    home.write("good.json", facts(Care::Good));
    home.write("bad.json", facts(Care::Bad));
    let judged = |cluster: &str, facts: Option<&str>| {
        let mut arguments = vec![
            "azure",
            "--facts",
            "facts.json",
            "--cluster",
            cluster,
            "--benchmark",
            "cis-aks",
            "-F",
            "json",
        ];
        if let Some(facts) = facts {
            arguments.extend(["--cluster-facts", facts]);
        }
        json_of(&home.run(&arguments))
    };
    let reports = [
        judged("quay", Some("good.json")),
        judged("rusty", Some("bad.json")),
        judged("quay", None),
        judged("rusty", None),
    ];
    let table = table();
    let controls = reports[0]["controls"].as_array().unwrap();
    let count = |key: &str, value: Value| {
        let fitting = controls.iter().filter(|control| control[key] == value);
        fitting.count()
    };
    assert_eq!((controls.len(), table.len()), (51, 51));
    assert_eq!(
        (count("level", json!(1)), count("level", json!(2))),
        (39, 12)
    );
    let marks = ["automated", "manual"].map(|mark| count("assessment", json!(mark)));
    assert_eq!(marks, [21, 30]);
    let mut wrong = Vec::new();
    for control in controls {
        let row = &table[control["id"].as_str().unwrap()];
        let mark = if control["assessment"] == "manual" {
            "M"
        } else {
            "A"
        };
        let level = control["level"].to_string();
        if row[0] != level || row[1] != mark {
            wrong.push(format!("{} is {mark} {}", control["id"], control["level"]));
        }
    }
    for (column, report) in reports.iter().enumerate() {
        for (id, is) in verdicts(report) {
            let wanted = table[&id][column + 2];
            if is != wanted {
                wrong.push(format!("{id} of column {column} is {is}, not {wanted}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn each_asset_is_judged_by_itself() {
    let home = read_home();
    let run = home.run(&["azure", "--facts", "facts.json", "-F", "json"]);
    let report = json_of(&run);
    let schema = json_of(&home.run(&["schema", "manifest-report"]));
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&report));
    let objects = report["objects"].as_array().unwrap();
    let names: Vec<(&str, &str, &str)> = objects
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap();
            (text("kind"), text("namespace"), text("name"))
        })
        .collect();
    assert_eq!(
        names,
        [
            ("Cluster", "attic", "Rusty"),
            ("Cluster", "attic", "cellar"),
            ("Registry", "attic", "rustyimages"),
            ("Subscription", "", "Attic"),
            ("Cluster", "shop", "quay"),
            ("Cluster", "shop", "dockside"),
            ("Registry", "shop", "quayimages"),
            ("Subscription", "", "Shop"),
        ]
    );
    let with = |name: &str, status: &str| -> Vec<String> {
        let one = objects.iter().find(|one| one["name"] == name).unwrap();
        let results = one["results"].as_array().unwrap().iter();
        let fitting = results.filter(|result| result["status"] == status);
        fitting
            .map(|result| result["check"].as_str().unwrap().to_owned())
            .collect()
    };
    for good in ["quay", "dockside", "quayimages", "Shop"] {
        assert_eq!(with(good, "fail"), Vec::<String>::new(), "{good}");
    }
    // All checks about clusters find fault with the bad one, but for what is about clusters elsewhere.
    let failed: std::collections::BTreeSet<String> = with("Rusty", "fail").into_iter().collect();
    let passed = with("Rusty", "pass");
    assert_eq!(passed, Vec::<String>::new());
    assert_eq!(failed.len(), 15, "{failed:?}");
    assert_eq!(
        with("cellar", "fail"),
        [
            "azure.cluster.arc-policy-extension-missing",
            "azure.cluster.sensor-off",
            "azure.cluster.version-vulnerable",
        ]
    );
    let failed = with("rustyimages", "fail");
    assert_eq!(
        failed,
        [
            "azure.registry.cluster-pushes",
            "azure.registry.customer-key-missing",
            "azure.registry.network-open",
            "azure.registry.people-push",
            "azure.registry.people-push",
            "azure.registry.private-link-missing",
        ]
    );
    assert_eq!(with("Attic", "fail"), ["azure.subscription.plan-off"]);
    assert_eq!(run.code, 0, "{}", run.err);
    // Lists that are empty leave no trace in files, and what nobody can tell is not fine.
    let home = self::home();
    let run = home.run(&["azure", "-f", "documents", "-F", "json"]);
    assert_eq!(run.code, 3, "{}", run.err);
    assert_eq!(json_of(&run)["problems"], json!([]));
}

#[test]
fn every_format_prints_and_the_gate_holds() {
    let home = home();
    for (format, begin) in [
        ("table", "Cluster"),
        ("json", "{"),
        ("sarif", "{"),
        ("junit", "<?xml"),
        ("html", "<!DOCTYPE html>"),
    ] {
        let run = home.run(&[
            "azure",
            "-f",
            "documents",
            "-F",
            format,
            "--fail-on",
            "high",
        ]);
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(run.out.contains(begin), "{format}: {}", run.out);
        let benchmark = ["--cluster", "quay", "-b", "cis-aks", "-F", format];
        let run = home.run(&[&["azure", "-f", "documents"][..], &benchmark].concat());
        assert!(!run.out.is_empty(), "{format}: {}", run.err);
    }
    let only = ["--only", "azure.cluster.rbac-off", "--cluster", "quay"];
    let run = home.run(&[&["azure", "-f", "documents", "--fail-on", "low"][..], &only].concat());
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    // On nothing it would always hold.
    for (wanted, why) in [
        (
            &["--only", "azure.cluster.rbac-off,azure.cluster.rbac-of"][..],
            "there is no check azure.cluster.rbac-of",
        ),
        (
            &["--only", "pod-security.privileged"],
            "pod-security.privileged would judge nothing here",
        ),
        (
            &["--only", "azure.cluster.rbac-off", "--severity", "LOW"],
            "azure.cluster.rbac-off would judge nothing here",
        ),
        (
            &["--cluster", "quay", "-b", "cis-aks", "--only", "9.9"],
            "has no control or check 9.9",
        ),
        (
            &["--cluster", "quay", "-b", "cis-aks", "--severity", "LOW"],
            "cannot be used with",
        ),
    ] {
        let run = home.run(&[&["azure", "-f", "documents", "--fail-on", "low"], wanted].concat());
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.err);
        assert!(run.err.contains(why), "{}", run.err);
    }
}

#[test]
fn facts_are_saved_and_judged_again() {
    let home = home();
    let saved = [
        "azure",
        "-f",
        "documents",
        "--save-facts",
        "facts.json",
        "-F",
        "json",
    ];
    let first = home.run(&saved);
    let text = std::fs::read_to_string(home.path().join("facts.json")).unwrap();
    assert_eq!(text.lines().count(), 8);
    assert!(!text.contains("hunter2"));
    let again = home.run(&["azure", "--facts", "facts.json", "-F", "json"]);
    assert_eq!(json_of(&first)["objects"], json_of(&again)["objects"]);
    // One of them is what other commands read, too.
    let one = [
        "azure",
        "-f",
        "documents",
        "--cluster",
        "quay",
        "--save-facts",
        "one.json",
    ];
    home.run(&one);
    let explained = home.run(&[
        "check",
        "explain",
        "azure.cluster.rbac-off",
        "--facts",
        "one.json",
    ]);
    assert_eq!(explained.code, 0, "{}", explained.err);
}

#[test]
fn azure_itself_is_asked_with_what_the_environment_says() {
    let home = Home::new();
    let fake = Fake::start(documents::both());
    let command = |secret: &str, more: &[&str]| ask(&home, &fake, secret, more);
    let run = command(SECRET, &[]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(json_of(&run)["objects"].as_array().unwrap().len(), 8);
    assert!(
        run.err.contains("the application c-1 of t-1"),
        "{}",
        run.err
    );
    let run = command(SECRET, &["--subscription", "Shop"]);
    assert_eq!(json_of(&run)["objects"].as_array().unwrap().len(), 4);
    fake.fail(
        "/diagnosticsettings",
        Fault::Status(403, "AuthorizationFailed"),
    );
    let run = command(SECRET, &["--subscription", "Shop"]);
    assert_eq!(run.code, 3, "{}", run.err);
    let problem = &json_of(&run)["problems"][0];
    let lacks = "the role lacks Microsoft.Insights/diagnosticSettings/read";
    assert_eq!(problem["message"], lacks);
    let run = command("hunter2", &[]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("AADSTS7000215"), "{}", run.err);
    assert!(!format!("{}{}", run.out, run.err).contains("hunter2"));
    let mut half = home.command(&["azure"]);
    half.env("AZURE_CLIENT_SECRET", "hunter2");
    let run = Run::from(half.output().unwrap());
    assert_eq!(run.code, 1);
    assert!(
        run.err.contains("AZURE_TENANT_ID is missing"),
        "{}",
        run.err
    );
}

#[test]
fn what_cannot_be_meant_is_said() {
    let home = home();
    home.write("good.json", facts(Care::Good));
    let files = ["azure", "-f", "documents"];
    for (more, wanted) in [
        (
            vec!["--benchmark", "cis-aks"],
            "choose it with --cluster from Rusty, cellar, quay",
        ),
        (vec!["--cluster", "nobody"], "there is no cluster nobody"),
        (
            vec!["--cluster", "rusty", "--cluster-facts", "good.json"],
            "are not the same cluster",
        ),
        (
            vec!["--cluster", "quay", "--benchmark", "nothing"],
            "there is no benchmark nothing",
        ),
    ] {
        let run = home.run(&[&files[..], &more].concat());
        assert_eq!(run.code, 1, "{more:?}");
        assert!(run.err.contains(wanted), "{more:?}: {}", run.err);
    }
    let run = home.run(&["azure", "-f", "nowhere.json"]);
    assert_eq!(run.code, 1);
    // What is seen from within finds its cluster by itself.
    let run = home.run(&["azure", "-f", "documents", "--cluster-facts", "good.json"]);
    assert_eq!(run.code, 3, "{}", run.err);
}

//! `seareeve server` about what assets need: what is asked, and what is printed or written of the answer.

use std::sync::{Arc, Mutex};

use crate::support::{Home, Run, serve};

const JSON: &str = "application/json";
const CHECK: &str = "id: acme.web\n";

type Asked = Arc<Mutex<Vec<String>>>;

/// A server that notes what it is asked, and knows some answers.
fn server() -> (String, Asked) {
    let asked = Asked::default();
    let notes = Arc::clone(&asked);
    let address = serve(Box::new(move |request, _| {
        notes.lock().unwrap().push(request.to_owned());
        match request {
            "GET /api/v1/compliance/cis-docker/pdf?environment=prod&asset=7" => {
                ("200 OK", "application/pdf", b"%PDF-1.7\xff\n".to_vec())
            }
            "POST /api/v1/checks?replace=true" => (
                "201 Created",
                JSON,
                br#"{"checks":["acme.web"],"examples":2,"faults":[],"saved":true}"#.to_vec(),
            ),
            "POST /api/v1/checks?dry_run=true" => (
                "200 OK",
                JSON,
                br#"{"checks":[],"examples":1,"saved":false,
                    "faults":[{"name":"acme.web","example":"bad\u001b[2J","fault":"it is pass, not fail"}]}"#
                    .to_vec(),
            ),
            "PUT /api/v1/assets/7/environment" => ("204 No Content", JSON, Vec::new()),
            "GET /api/v1/environments" => (
                "200 OK",
                JSON,
                br#"{"environments":[{"name":"lab","assets":3,"points":1.5,"max":6.0,"share":0.25},
                    {"name":"new","assets":1,"points":0.0,"max":0.0,"share":null}]}"#
                    .to_vec(),
            ),
            _ => ("404 Not Found", JSON, b"{}".to_vec()),
        }
    }));
    (format!("http://{address}"), asked)
}

fn ask(home: &Home, server: &str, arguments: &[&str]) -> Run {
    let all = [&["server", "--server", server][..], arguments].concat();
    let output = home.command(&all).env("SEAREEVE_TOKEN", "token").output();
    Run::from(output.unwrap())
}

#[test]
fn a_report_is_written_where_it_is_wanted() {
    let home = Home::new();
    let (server, asked) = server();
    let scope = [
        "--environment",
        "prod",
        "--asset",
        "7",
        "--pdf",
        "report.pdf",
    ];
    let run = ask(
        &home,
        &server,
        &[&["compliance", "cis-docker"][..], &scope].concat(),
    );
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    let written = std::fs::read(home.path().join("report.pdf")).unwrap();
    assert_eq!(written, b"%PDF-1.7\xff\n");
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[test]
fn checks_are_brought_from_files_and_folders() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("rules/deep")).unwrap();
    home.write("rules/deep/acme.web.yaml", CHECK);
    home.write("rules/notes.txt", "no check");
    let (server, _) = server();
    let run = ask(&home, &server, &["checks", "add", "rules", "--replace"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    assert_eq!(
        run.err,
        "1 checks and benchmarks, 2 examples, 0 faults; kept\n"
    );
    let run = ask(&home, &server, &["checks", "add", "rules", "--dry-run"]);
    assert_eq!(run.code, 2, "a fault fails the gate");
    assert!(
        run.out.starts_with("acme.web: bad") && run.out.contains("it is pass, not fail"),
        "{}",
        run.out
    );
    assert!(
        !run.out.contains('\u{1b}'),
        "nothing of it drives the terminal"
    );
    let run = ask(&home, &server, &["checks", "add", "nowhere.yaml"]);
    assert_eq!(run.code, 1);
}

#[test]
fn environments_are_listed_and_assets_moved() {
    let home = Home::new();
    let (server, asked) = server();
    let run = ask(&home, &server, &["environments"]);
    assert_eq!(
        run.out,
        "lab  25%  1.50 of 6 points  3 assets\nnew  no score  0.00 of 0 points  1 assets\n"
    );
    let run = ask(&home, &server, &["move-asset", "7", "lab"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let run = ask(
        &home,
        &server,
        &["score", "--if-host", "7,8", "--environment", "a&b"],
    );
    assert_eq!(run.code, 1);
    assert_eq!(
        asked.lock().unwrap()[2],
        "GET /api/v1/score/what-if?asset=7%2C8&environment=a%26b"
    );
}

//! `seareeve db`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::support::{APP, Home};

/// Shared data, or `None` with a word about it; absence is a failure where the data is required.
fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("SEAREEVE_SHARED").map(PathBuf::from);
    let path =
        path.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    if path.join("data/osv").is_dir() {
        return Some(path);
    }
    let required = std::env::var("SEAREEVE_REQUIRE_SHARED").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "shared data is required, and {} is not there",
        path.display()
    );
    #[expect(clippy::print_stdout, reason = "a test that did not run says so")]
    {
        println!("NOT RUN: shared data is not at {}", path.display());
    }
    None
}

#[test]
fn without_a_file_the_starter_set_answers_and_says_so() {
    let home = Home::new();
    let run = home.run(&["db", "status"]);
    assert_eq!(run.code, 0);
    assert!(
        run.out.starts_with(
            "database    starter set (built in; get all advisories: seareeve db update)"
        ),
        "{}",
        run.out
    );
    home.image(&APP);
    let scan = home.run(&["image", "--input", "app.tar"]);
    assert!(
        scan.out.contains("built-in starter set of 168 advisories"),
        "{}",
        scan.out
    );
}

#[test]
fn a_built_database_is_used_and_a_bad_record_is_said() {
    let home = Home::new();
    let record = r#"{"id":"DEBIAN-CVE-2030-1","modified":"2026-01-01T00:00:00Z","upstream":["CVE-2030-1"],
        "affected":[{"package":{"ecosystem":"Debian:12","name":"hello"},
        "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.10-4"}]}]}]}"#;
    std::fs::create_dir(home.path().join("records")).unwrap();
    std::fs::write(home.path().join("records/good.json"), record).unwrap();
    std::fs::write(home.path().join("records/bad.json"), "{").unwrap();
    let built = home.run(&["db", "build", "--from", "records"]);
    assert_eq!(built.code, 3, "part of the input was not used");
    assert!(
        built.out.contains("advisories.db: 1 advisories, sha256:"),
        "{}",
        built.out
    );
    assert!(built.err.starts_with("not used: "), "{}", built.err);

    home.image(&[APP[0], APP[1]]);
    let scan = home.run(&["image", "--input", "app.tar"]);
    assert!(
        scan.out.contains("CVE-2030-1") && !scan.out.contains("starter set"),
        "{}",
        scan.out
    );
    let gone = home.run(&["db", "build", "--from", "absent"]);
    assert_eq!(gone.code, 1);
    assert_eq!(
        home.run(&["db", "status"]).code,
        0,
        "the database from before is still there"
    );

    let file = home.path().join(".local/share/seareeve/advisories.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let damaged = home.run(&["db", "status"]);
    assert_eq!(damaged.code, 1);
    assert!(
        damaged.err.contains("the advisory database is damaged"),
        "{}",
        damaged.err
    );
}

#[test]
fn update_fetches_from_a_server_in_osvs_layout() {
    let Some(shared) = shared() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let line = BufReader::new(stream.try_clone().unwrap())
                .lines()
                .next()
                .unwrap()
                .unwrap();
            let path = line
                .split(' ')
                .nth(1)
                .unwrap()
                .trim_start_matches('/')
                .replace("%20", " ");
            let file = match path.as_str() {
                "kev.json" => shared.join("data/kev/known_exploited_vulnerabilities.json"),
                path => shared.join("data/osv").join(path),
            };
            match std::fs::File::open(file) {
                Ok(mut file) => {
                    let mut body = Vec::new();
                    file.read_to_end(&mut body).unwrap();
                    write!(
                        stream,
                        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                        body.len()
                    )
                    .unwrap();
                    stream.write_all(&body).unwrap();
                }
                Err(_) => {
                    write!(
                        stream,
                        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                    )
                    .unwrap();
                }
            }
        }
    });
    let home = Home::new();
    let run = home.run(&[
        "db",
        "update",
        "--address",
        &address,
        "--ecosystems",
        "npm,PyPI",
        "--kev-address",
        &format!("{address}/kev.json"),
        "--epss-address",
        "",
    ]);
    assert_eq!(run.code, 0, "{}", run.err);
    let status: serde_json::Value =
        serde_json::from_str(&home.run(&["db", "status", "--format", "json"]).out).unwrap();
    let sources: Vec<&str> = status["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["ecosystem"].as_str().unwrap())
        .collect();
    assert_eq!(
        (status["kind"].as_str(), sources),
        (Some("full"), vec!["Hex", "PyPI", "npm"])
    );
    assert_eq!(status["known_exploited"]["date"], "2025-08-25");
    assert!(status["known_exploited"]["used"].as_u64().unwrap() > 0);
    assert_eq!(status["epss"], serde_json::Value::Null);
    let table = home.run(&["db", "status"]).out;
    assert!(
        table.contains("\nexploited   CISA's catalogue of 2025-08-25 (")
            && table.contains("\nepss        without FIRST's scores\n"),
        "{table}"
    );

    let partial = home.run(&[
        "db",
        "update",
        "--address",
        &address,
        "--ecosystems",
        "npm,Ubuntu",
        "--kev-address",
        &format!("{address}/gone.json"),
        "--epss-address",
        "",
    ]);
    assert_eq!(
        partial.code, 3,
        "Ubuntu's archive is not there, and that is said"
    );
    assert!(
        partial
            .err
            .contains("Ubuntu: failed to fetch the advisories"),
        "{}",
        partial.err
    );
    assert!(
        partial
            .err
            .contains("KEV: failed to fetch the catalogue of exploited vulnerabilities")
            && partial.err.contains("the file from before stays in use"),
        "{}",
        partial.err
    );
    let none = home.run(&[
        "db",
        "update",
        "--address",
        &address,
        "--ecosystems",
        "Ubuntu",
        "--kev-address",
        "",
        "--epss-address",
        "",
    ]);
    assert_eq!(none.code, 1);
    assert_eq!(
        home.run(&["db", "status"]).code,
        0,
        "the database from before is still there"
    );
}

#[test]
fn the_proxy_of_the_environment_is_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        write!(
            stream,
            "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        line
    });
    let home = Home::new();
    let arguments = [
        "db",
        "update",
        "--address",
        "http://osv.example",
        "--ecosystems",
        "npm",
        "--kev-address",
        "",
        "--epss-address",
        "",
    ];
    let mut command = home.command(&arguments);
    let output = command.env("HTTP_PROXY", &proxy).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = asked.join().unwrap();
    assert!(line.contains("osv.example"), "{line}");
}

#[test]
fn scores_and_the_catalogue_are_built_in_and_said() {
    let home = Home::new();
    let record = r#"{"id":"DEBIAN-CVE-2030-1","modified":"2026-01-01T00:00:00Z","upstream":["CVE-2030-1"],
        "affected":[{"package":{"ecosystem":"Debian:12","name":"hello"},
        "ecosystem_specific":{"urgency":"unimportant"},
        "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]},
        {"package":{"ecosystem":"Debian:12","name":"other"},
        "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}"#;
    let kev = r#"{"dateReleased":"2026-02-01T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2030-1",
        "dateAdded":"2026-01-05","dueDate":"2026-01-26","knownRansomwareCampaignUse":"Unknown"}]}"#;
    let epss = "#model_version:v2026.01.01,score_date:2026-02-02T12:00:00Z\ncve,epss,percentile\n\
        CVE-2030-1,0.5,0.9\nCVE-2030-2,0.1,0.2\nbroken\n";
    for (name, text) in [("r.json", record), ("kev.json", kev), ("epss.csv", epss)] {
        std::fs::write(home.path().join(name), text).unwrap();
    }
    let from = ["db", "build", "--from", "r.json", "--kev", "kev.json"];
    let built = home.run(&[&from[..], &["--epss", "epss.csv"]].concat());
    assert_eq!(built.code, 3, "a row of the scores was not used");
    assert!(
        built.err.contains("epss.csv: 1 rows could not be read"),
        "{}",
        built.err
    );
    let status = home.run(&["db", "status"]).out;
    assert!(
        status.contains("\nexploited   CISA's catalogue of 2026-02-01 (")
            && status.contains(" old): 1 entries, 1 for these advisories\n")
            && status.contains("\nepss        FIRST's scores of 2026-02-02 (")
            && status.contains(" old): 2 entries, 1 for these advisories\n"),
        "{status}"
    );
    home.image(&[APP[0], APP[1]]);
    let scan = home.run(&[
        "image",
        "--input",
        "app.tar",
        "--format",
        "json",
        "--fail-on",
        "unknown",
    ]);
    let report: serde_json::Value = serde_json::from_str(&scan.out).unwrap();
    assert_eq!(
        scan.code, 0,
        "what is unimportant fails no gate: {}",
        scan.err
    );
    assert_eq!(report["findings"], serde_json::json!([]));
    let finding = &report["suppressed"][0];
    assert_eq!(finding["id"], "CVE-2030-1");
    assert_eq!(finding["suppression"]["by"], "distribution");
    assert_eq!(finding["known_exploited"]["date_added"], "2026-01-05");
    assert_eq!(
        (&finding["epss"]["score"], &finding["epss"]["date"]),
        (&serde_json::json!(0.5), &serde_json::json!("2026-02-02"))
    );
}

//! Checks and benchmarks that people bring: tried, used beside ours, and kept over a start.

use seareeve_api::{Client, ComplianceScope};
use serde_json::json;

use crate::hosts::{admin, facts, joined, refusal, send, until};
use crate::support::{Browser, folder, start};

const CHECK: &str = r#"
id: acme.container-name
title: Containers do not run the first web server
severity: low
on: docker.container
fail_if: it.Config.Image == "web:1"
message: It runs web:1.
expected: another image
why: The house has rules.
fix: {text: Give it another name.}
examples:
  - {name: bad, it: {Config: {Image: "web:1"}}, expect: fail}
  - {name: good, it: {Config: {Image: "web:2"}}, expect: pass}
"#;
const BENCHMARK: &str = r#"
id: acme-hosts
version: "1.0"
title: Acme's own rules
asset: docker-host
sections: [{id: "1", title: Containers}]
controls:
  - {id: "1.1", title: Containers have proper names, checks: [acme.container-name]}
  - {id: "1.2", title: Containers are not privileged, checks: [docker.container.privileged]}
"#;

#[test]
fn own_checks_are_judged_by_beside_ours() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let token = browser.post("/api/v1/tokens", json!({"name": "test", "days": 1}));
    let token = token.body["secret"].as_str().unwrap();
    let client = Client::new(&server.address, token).unwrap();
    let host = send(&joined(&server, &client), &facts("build-1", true));
    until(|| client.host(host).unwrap().judged_at, Option::is_some);

    // Alone, the benchmark wants a check that is not there.
    let told = client.bring_checks(BENCHMARK, false, true).unwrap();
    assert!(
        told.faults[0].fault.contains("acme.container-name"),
        "{told:?}"
    );
    assert_eq!(
        refusal(client.bring_checks(BENCHMARK, false, false)),
        "bad_request"
    );
    let both = format!("{CHECK}---\n{BENCHMARK}");
    let tested = client.bring_checks(&both, false, true).unwrap();
    assert_eq!(
        (tested.examples, tested.faults.len(), tested.saved),
        (2, 0, false)
    );
    assert_eq!(client.own_checks().unwrap().checks, []);
    assert!(client.bring_checks(&both, false, false).unwrap().saved);

    let scope = ComplianceScope::default();
    let compliance = until(
        || client.compliance("acme-hosts", &scope).unwrap(),
        |all| all.assets == 1,
    );
    assert_eq!((compliance.counts.fail, compliance.sections.len()), (2, 1));
    let entry = client.benchmarks().unwrap().benchmarks;
    let entry = entry.iter().find(|one| one.id == "acme-hosts").unwrap();
    assert!(!entry.built_in);
    // They change neither the score nor what is built in.
    assert_eq!(client.score().unwrap().max, 4.0);
    let listed = client.own_checks().unwrap().checks;
    let told: Vec<_> = listed
        .iter()
        .map(|one| (one.name.as_str(), one.kind.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("acme-hosts-1.0", "benchmark"),
            ("acme.container-name", "check")
        ]
    );
    assert_eq!(
        client.own_check("acme.container-name").unwrap().trim(),
        CHECK.trim()
    );

    // The same name again is a conflict, unless it is said to be meant.
    assert_eq!(
        refusal(client.bring_checks(CHECK, false, false)),
        "conflict"
    );
    let renamed = CHECK.replace("web:1", "web:0");
    client.bring_checks(&renamed, true, false).unwrap();
    until(
        || client.compliance("acme-hosts", &scope).unwrap().counts.pass,
        |passed| *passed == 1,
    );

    // What a benchmark needs stays; the benchmark goes first.
    assert_eq!(
        refusal(client.delete_own_check("acme.container-name")),
        "conflict"
    );
    assert_eq!(
        refusal(client.switch_own_check("acme.container-name", false)),
        "conflict"
    );
    assert!(
        !client
            .switch_own_check("acme-hosts-1.0", false)
            .unwrap()
            .enabled
    );
    assert_eq!(
        refusal(client.compliance("acme-hosts", &scope)),
        "not_found"
    );
    client.switch_own_check("acme-hosts-1.0", true).unwrap();

    // It is all there after a start.
    drop(server);
    let server = start(&data, |_| {});
    let client = Client::new(&server.address, token).unwrap();
    until(
        || client.compliance("acme-hosts", &scope).unwrap(),
        |all| all.assets == 1,
    );
    client.delete_own_check("acme-hosts-1.0").unwrap();
    client.delete_own_check("acme.container-name").unwrap();
    assert_eq!(
        refusal(client.delete_own_check("acme-hosts-1.0")),
        "not_found"
    );
    assert_eq!(client.own_checks().unwrap().checks, []);
}

#[test]
fn malicious_checks_are_refused_with_their_reason() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let with = |from: &str, to: &str| CHECK.replace(from, to);
    let deep = format!("fail_if: {}true{}", "(".repeat(500), ")".repeat(500));
    let hungry = "fail_if: \"[1,2,3,4,5,6,7,8,9,0].all(a, [1,2,3,4,5,6,7,8,9,0].all(b, [1,2,3,4,5,6,7,8,9,0].all(c, \
        [1,2,3,4,5,6,7,8,9,0].all(d, [1,2,3,4,5,6,7,8,9,0].all(e, [1,2,3,4,5,6,7,8,9,0].all(f, \
        [1,2,3,4,5,6,7,8,9,0].all(g, a+b+c+d+e+f+g >= 0)))))))\"";
    let many = "  - {name: bad, it: {}, expect: fail}\n".repeat(300);
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
        d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    let condition = "fail_if: it.Config.Image == \"web:1\"";
    for (text, reason) in [
        (
            with("id: acme.container-name", "id: docker.container.privileged"),
            "built in",
        ),
        (BENCHMARK.replace("acme-hosts", "cis-docker"), "built in"),
        (with("acme.container-name", "../../etc/passwd"), "`id`"),
        (with(condition, &deep), "`fail_if`"),
        (with(condition, hungry), "bad"),
        (
            with(condition, "fail_if: open(\"/etc/passwd\") != \"\""),
            "`fail_if`",
        ),
        (format!("{CHECK}{many}"), "200 are allowed"),
        (
            format!("{CHECK}{}", "#".repeat(70_000)),
            "65536 are allowed",
        ),
        (with("expect: fail", "expect: pass"), "it is fail, not pass"),
        (bomb.to_owned(), "not a check"),
        ("[".repeat(100_000), "65536 are allowed"),
        ("[".repeat(50_000), "not a check"),
        (String::new(), "1 to 200 documents"),
        ("---\nid: x\n".repeat(300), "1 to 200 documents"),
        (format!("{CHECK}---{CHECK}"), "two of this name"),
    ] {
        let tested = client.bring_checks(&text, false, true).unwrap();
        let told: Vec<_> = tested.faults.iter().map(|one| format!("{one:?}")).collect();
        let told = told.join("\n");
        assert!(
            told.contains(reason),
            "{reason}: {told} {}",
            &text[..text.len().min(200)]
        );
        assert_eq!(
            refusal(client.bring_checks(&text, false, false)),
            "bad_request"
        );
    }
    assert_eq!(client.own_checks().unwrap().checks, []);
    let large = " ".repeat(5 * 1024 * 1024);
    assert!(client.bring_checks(&large, false, false).is_err());
}

//! `seareeve docker` and `seareeve check` on saved facts, whose every text tries to be more than text.

use serde_json::{Value, json};

use crate::support::{Home, Run, gives_files_away, serve_socket};

const HOSTILE: &str = "web\"><script>alert('x')</script> ]]> [a](b) \u{1b}[2J\u{202e}";

fn fact(id: &str, name: &str, data: Value) -> Value {
    json!({ "id": id, "name": name, "data": data })
}

fn collection(items: &[Value]) -> Value {
    json!({ "status": "ok", "source": "here", "items": items })
}

/// An engine with one privileged container and one that is not, and files that could not be looked at.
fn facts(home: &Home, live_restore: bool) -> Value {
    let daemon_json = home.path().join("etc/daemon.json");
    let daemon = json!({
        "engine": "docker", "endpoint": "unix:///run/docker.sock", "local": true, "rootless": false,
        "userns_remap": false,
        "info": { "Driver": "overlay2", "Swarm": { "LocalNodeState": "inactive" } },
        "version": { "Version": "29.3.1" },
        "security": { "apparmor": false, "selinux": false, "no_new_privileges": false, "seccomp": "default" },
        "config": { "path": daemon_json, "exists": true, "status": "ok", "keys": {} },
        "effective": {
            "live-restore": { "value": live_restore, "source": "default" },
            "userland-proxy": { "value": true, "source": "flag" },
        },
        "unresolved": {}, "conflicts": [], "hosts": [],
    });
    let container = |name: &str, privileged: bool| {
        json!({
            "engine": "e1", "Name": name, "State": { "Status": "running" },
            "HostConfig": { "Privileged": privileged, "Memory": 0 }, "Mounts": [],
        })
    };
    json!({
        "schema": "seareeve.facts/1", "asset_kind": "docker-host", "asset_id": "m1", "asset_name": "build-1",
        "collected_at": "2026-01-01T00:00:00Z", "collector": "a test",
        "facts": {
            "docker.daemon": collection(&[fact("e1", "unix:///run/docker.sock", daemon)]),
            "docker.container": collection(&[
                fact("c1", HOSTILE, container("web", true)),
                fact("c2", "db", container("db", false)),
            ]),
            "docker.image": collection(&[]),
            "host.file": { "status": "denied", "detail": "not root", "source": "/etc", "items": [] },
        },
    })
}

fn home() -> Home {
    let home = Home::new();
    home.write("facts.json", facts(&home, false).to_string());
    home
}

fn docker(home: &Home, arguments: &[&str]) -> Run {
    let all = [&["docker", "--facts", "facts.json"], arguments].concat();
    home.run(&all)
}

fn control<'r>(report: &'r Value, id: &str) -> &'r Value {
    let mut controls = report["controls"].as_array().unwrap().iter();
    controls.find(|control| control["id"] == id).unwrap()
}

#[test]
fn the_report_is_as_its_schema_says_and_holds_every_control() {
    let home = home();
    let run = docker(&home, &["--format", "json"]);
    // The files of the host could not be seen.
    assert_eq!(run.code, 3, "{}", run.err);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let schema = home.run(&["schema", "posture-report"]);
    let schema: Value = serde_json::from_str(&schema.out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());

    assert_eq!(report["controls"].as_array().unwrap().len(), 118);
    let privileged = control(&report, "5.5");
    assert_eq!(
        (&privileged["status"], &privileged["check"]),
        (&json!("fail"), &json!("docker.container.privileged"))
    );
    let statuses: Vec<&Value> = privileged["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| &object["status"])
        .collect();
    // By name.
    assert_eq!(statuses, [&json!("pass"), &json!("fail")]);
    assert_eq!(control(&report, "3.1")["status"], "not_collected");
    assert_eq!(control(&report, "4.6")["status"], "not_applicable");
    assert_eq!(control(&report, "1.2.1")["status"], "needs_review");
    assert_eq!(report["gaps"][0]["kind"], "host.file");
    assert_eq!(docker(&home, &["--format", "json"]).out, run.out);
}

#[test]
fn older_editions_have_their_own_numbers() {
    let home = home();
    for (edition, count, number) in [("1.8.0", 118, "2.16"), ("1.6.0", 117, "2.15")] {
        let benchmark = format!("cis-docker@{edition}");
        let run = docker(&home, &["--format", "json", "--benchmark", &benchmark]);
        let report: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(report["controls"].as_array().unwrap().len(), count);
        let check = &control(&report, number)["check"];
        assert_eq!(check, "docker.daemon.live-restore-off", "{edition}");
    }
    let run = docker(&home, &["--benchmark", "cis-docker@9"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("cis-docker@1.8.0"), "{}", run.err);
}

#[test]
fn gates_and_filters_decide_the_exit_code_and_what_is_shown() {
    let home = home();
    assert_eq!(docker(&home, &["--only", "5.5"]).code, 0);
    assert_eq!(
        docker(&home, &["--only", "5.5", "--fail-on", "critical"]).code,
        2
    );
    assert_eq!(
        docker(&home, &["--only", "2.16", "--fail-on", "critical"]).code,
        0
    );
    assert_eq!(docker(&home, &["--only", "3.1"]).code, 3);
    // A gate on nothing would always hold.
    let run = docker(&home, &["--only", "5.5,99.1", "--fail-on", "low"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(
        run.err
            .contains("cis-docker 1.8.0 has no control or check 99.1"),
        "{}",
        run.err
    );
    // 5.30 is of the second level.
    let level = |level: &str, only: &str| {
        docker(
            &home,
            &["--only", only, "--level", level, "--fail-on", "low"],
        )
    };
    let run = level("1", "5.5,5.30");
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(
        run.err
            .contains("cis-docker 1.8.0 has no control or check 5.30 up to level 1"),
        "{}",
        run.err
    );
    // It is judged, and cannot be told.
    assert_eq!(level("2", "5.30").code, 3);
    assert_eq!(level("1", "5.5").code, 2);
    let shown = docker(
        &home,
        &[
            "--status",
            "fail",
            "--only",
            "docker.container.privileged,3.1",
        ],
    );
    assert!(shown.out.contains("5.5"), "{}", shown.out);
    assert!(!shown.out.contains("3.1 "), "{}", shown.out);
}

#[test]
fn an_exception_is_told_and_fails_no_gate() {
    let home = home();
    home.write(
        "exceptions.yaml",
        "exceptions: [{check: docker.container.privileged, object: 'web*', reason: it is the lab}]",
    );
    let run = docker(
        &home,
        &[
            "--only",
            "5.5",
            "--fail-on",
            "low",
            "--exceptions",
            "exceptions.yaml",
        ],
    );
    assert_eq!(run.code, 0);
    assert!(
        run.out.contains("EXCEPTED") && run.out.contains("it is the lab"),
        "{}",
        run.out
    );
    home.write("bad.yaml", "exceptions: [{check: x}]");
    let run = docker(&home, &["--exceptions", "bad.yaml"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("reason"), "{}", run.err);
}

#[test]
fn no_format_lets_a_name_be_more_than_text() {
    let home = home();
    for format in ["table", "sarif", "junit", "html", "json"] {
        let run = docker(&home, &["--format", format]);
        assert!(run.out.contains("web"), "{format}");
        assert!(!run.out.contains(['\u{1b}', '\u{202e}']), "{format}");
        if matches!(format, "junit" | "html") {
            assert!(!run.out.contains("<script>"), "{format}");
        }
    }
    let sarif: Value = serde_json::from_str(&docker(&home, &["--format", "sarif"]).out).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let kinds = |kind: &str| {
        results
            .iter()
            .filter(|result| result["kind"] == kind)
            .count()
    };
    assert!(kinds("fail") > 0 && kinds("pass") > 0 && kinds("open") > 0);
    assert!(
        results
            .iter()
            .all(|result| { (result["kind"] == "fail") == (result["level"] != "none") })
    );
    let is_linked = |result: &Value| result["message"]["text"].as_str().unwrap().contains("](b)");
    assert!(!results.iter().any(is_linked));
}

/// A machine's file system with next to nothing in it.
fn machine(home: &Home) {
    home.write(
        "host/proc/1/mountinfo",
        "1 0 8:1 / / rw - ext4 /dev/vda rw\n",
    );
    home.write("host/etc/hostname", "build-1\n");
    home.write("host/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    home.write("host/etc/group", "root:x:0:\n");
}

#[test]
fn a_machine_without_an_engine_is_not_applicable() {
    let home = Home::new();
    machine(&home);
    let run = home.run(&["docker", "--root", "host"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.out
            .contains("Not applicable: there is no engine on this machine."),
        "{}",
        run.out
    );
    let run = home.run(&["docker", "--root", "host", "--format", "json"]);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let counts = &report["benchmarks"][0]["counts"];
    assert_eq!(
        (&counts["not_applicable"], &counts["fail"]),
        (&json!(118), &json!(0))
    );
    let control = control(&report, "5.5");
    assert_eq!(control["check"], "docker.container.privileged");
    assert_eq!(control["reason"], "there is no engine on this machine");
}

/// An engine that says nothing but its name.
fn engine(home: &Home, path: &str, answers: &'static [(&'static str, &'static str)]) {
    let place = home.path().join(path);
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    let answer = move |request: &str, _: &str| {
        let found = answers.iter().find(|(start, _)| request == *start);
        let body = found.map_or("[]", |(_, body)| body).as_bytes().to_vec();
        ("200 OK", "application/json", body)
    };
    serve_socket(&place, Box::new(answer));
}

const QUIET: &[(&str, &str)] = &[
    ("GET /version", r#"{"Version": "29.3.1"}"#),
    (
        "GET /info",
        r#"{"Driver": "overlay2", "SecurityOptions": [], "Swarm": {"LocalNodeState": "inactive"}}"#,
    ),
    ("GET /volumes", r#"{"Volumes": null}"#),
];

#[test]
fn a_machine_that_somebody_else_looks_after_is_left_out() {
    let home = Home::new();
    machine(&home);
    engine(&home, "host/run/docker.sock", QUIET);
    let shown = |home: &Home| home.run(&["docker", "--root", "host", "--only", "2.6,5.5"]);
    let run = shown(&home);
    assert!(run.out.contains("2.6"), "{}\n{}", run.out, run.err);
    home.write("host/etc/kubernetes/azure.json", "{}");
    let run = shown(&home);
    assert_eq!(run.code, 0, "{}", run.err);
    let reason =
        "Not applicable: aks looks after this machine: /etc/kubernetes/azure.json is there.";
    assert!(run.out.contains(reason), "{}", run.out);
}

#[test]
fn docker_host_names_the_engine_and_what_is_lost_is_said_once() {
    let home = Home::new();
    machine(&home);
    engine(&home, "host/run/docker.sock", QUIET);
    engine(
        &home,
        "host/run/rubbish.sock",
        &[("GET /version", "<html>")],
    );
    let with = |host: &str| -> Run {
        let mut command = home.command(&["docker", "--root", "host"]);
        command.env("DOCKER_HOST", host).output().unwrap().into()
    };
    let run = with("unix:///run/docker.sock");
    assert!(run.out.contains("Passed"), "{}", run.out);
    for (host, why) in [
        ("unix:///run/rubbish.sock", "rubbish.sock"),
        ("unix:///run/gone.sock", "gone.sock"),
    ] {
        let run = with(host);
        // It was named: that it does not answer is no absence.
        assert_eq!(run.code, 3, "{}", run.out);
        assert_eq!(run.out.matches(why).count(), 1, "{}", run.out);
        assert!(!run.out.contains("Failed"), "{}", run.out);
    }
    let run = with("ssh://host");
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("DOCKER_HOST"), "{}", run.err);
}

/// A socket that is named from where one stands is the same engine as the one that the process beside it listens on.
#[test]
fn a_socket_is_known_by_its_whole_path() {
    let home = Home::new();
    engine(&home, "engine.sock", QUIET);
    let run = home.run(&[
        "docker",
        "--socket",
        "engine.sock",
        "--only",
        "2.6",
        "--format",
        "json",
    ]);
    let report: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}", run.err));
    let whole = format!("unix://{}", home.path().join("engine.sock").display());
    assert_eq!(control(&report, "2.6")["objects"][0]["name"], json!(whole));
}

#[test]
fn what_is_the_same_for_many_is_said_once_and_the_worst_first() {
    let home = Home::new();
    let mut facts = facts(&home, false);
    let containers = &mut facts["facts"]["docker.container"]["items"];
    let model = containers[1].clone();
    for number in 0..12 {
        let mut one = model.clone();
        one["id"] = json!(format!("n{number}"));
        one["name"] = json!(format!("web-{number:02}"));
        containers.as_array_mut().unwrap().push(one);
    }
    home.write("facts.json", facts.to_string());
    let out = docker(&home, &["--only", "2.16,5.5,5.11"]).out;
    let at = |text: &str| out.find(text).unwrap_or_else(|| panic!("no {text}: {out}"));
    assert!(at("CRITICAL  5.5") < at("MEDIUM    5.11") && at("5.11") < at("LOW       2.16"));
    assert_eq!(
        out.matches("may use all memory of the host").count(),
        1,
        "{out}"
    );
    assert!(out.contains(": db, web\"><script>"), "{out}");
    assert!(out.contains("web-05 and 6 more"), "{out}");
}

#[test]
fn what_are_no_facts_is_refused() {
    let home = Home::new();
    for (content, why) in [
        ("{}", "holds no facts"),
        ("[", "holds no facts"),
        (
            &*facts(&home, true).to_string().replace("facts/1", "facts/2"),
            "seareeve.facts/2",
        ),
    ] {
        home.write("facts.json", content);
        let run = docker(&home, &[]);
        assert_eq!(run.code, 1);
        assert!(run.err.contains(why), "{}", run.err);
    }
}

#[test]
fn facts_that_differ_are_compared_with_what_follows_from_it() {
    let home = home();
    home.write("after.json", facts(&home, true).to_string());
    let run = home.run(&["check", "diff", "facts.json", "after.json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.out
            .contains("effective.live-restore.value: false → true"),
        "{}",
        run.out
    );
    assert!(run.out.contains("2.16"), "{}", run.out);
    assert!(run.out.contains("fail → pass"), "{}", run.out);
    // Below the control, which of its objects.
    let object = "\n    unix:///run/docker.sock: fail → pass\n";
    assert!(run.out.contains(object), "{}", run.out);
    assert_eq!(
        home.run(&["check", "diff", "facts.json", "facts.json"]).out,
        ""
    );
    // What came into a list and went, and what can no longer be seen.
    let mut blind = facts(&home, false);
    let daemon = &mut blind["facts"]["docker.daemon"]["items"][0]["data"];
    daemon["conflicts"] = json!(["icc"]);
    blind["facts"]["docker.image"] =
        json!({ "status": "error", "detail": "it hung up", "source": "here", "items": [] });
    home.write("blind.json", blind.to_string());
    let run = home.run(&["check", "diff", "facts.json", "blind.json"]);
    assert!(run.out.contains("conflicts: + \"icc\""), "{}", run.out);
    let lost = "! docker.image: ok → error (it hung up)";
    assert!(run.out.contains(lost), "{}", run.out);
}

#[test]
fn a_check_is_explained_with_what_it_read() {
    let home = home();
    let run = home.run(&[
        "check",
        "explain",
        "docker.daemon.live-restore-off",
        "--facts",
        "facts.json",
    ]);
    assert_eq!(run.code, 0, "{}", run.err);
    for wanted in [
        "docker.daemon",
        "live-restore",
        "cis-docker@1.8.0 2.16",
        "build-1: fail",
    ] {
        assert!(run.out.contains(wanted), "{wanted}: {}", run.out);
    }
    assert_eq!(home.run(&["check", "explain", "docker.nothing"]).code, 1);
}

const OWN: &str = r#"
id: own.rule
title: Containers have a memory limit
severity: low
on: docker.container
fail_if: it.HostConfig.Memory == 0
message: "{{name}} has none"
expected: a limit
why: One container takes all.
fix: {text: Set one.}
examples:
  - {name: none, it: {HostConfig: {Memory: 0}}, expect: fail}
  - {name: some, it: {HostConfig: {Memory: 64}}, expect: pass}
"#;

#[test]
fn checks_and_benchmarks_of_ones_own_are_tested_and_used() {
    let home = home();
    home.write("own/checks/own.rule.yaml", OWN);
    home.write(
        "own/own-1.yaml",
        "id: own\nversion: '1'\ntitle: Own rules\nasset: docker-host\ncontrols:\n  - {id: '1', title: Limits, checks: [own.rule]}\n",
    );
    let run = home.run(&["check", "test", "own"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    assert!(
        run.err.contains("1 checks, 2 examples, 0 faults"),
        "{}",
        run.err
    );
    let run = docker(
        &home,
        &["--checks", "own", "--benchmark", "own", "--fail-on", "low"],
    );
    assert_eq!(run.code, 2);
    assert!(run.out.contains("db has none"), "{}", run.out);

    // A wrong expectation, an expression that cannot be used, and a file that would never end.
    home.write(
        "own/checks/own.rule.yaml",
        OWN.replace("Memory: 64}}, expect: pass", "Memory: 64}}, expect: fail"),
    );
    home.write(
        "own/checks/own.bad.yaml",
        OWN.replace("own.rule", "own.bad")
            .replace("it.HostConfig", "that"),
    );
    home.write("own/checks/own.loop.yaml", OWN.replace("own.rule", "own.loop").replace(
        "it.HostConfig.Memory == 0",
        "true && [1,2,3,4,5,6,7,8,9].map(a, [1,2,3,4,5,6,7,8,9].map(b, [1,2,3,4,5,6,7,8,9].map(c, [1,2,3,4,5,6,7,8,9].map(d, [1,2,3,4,5,6,7,8,9].map(e, [1,2,3,4,5,6,7,8,9].map(g, [1,2,3,4,5,6,7,8,9].map(h, h))))))).size() == 0",
    ));
    let run = home.run(&["check", "test", "own"]);
    assert_eq!(run.code, 2);
    for wanted in [
        "own.rule: some: it is pass, not fail",
        "unknown variable `that`",
        "own.loop: none: it is error, not fail",
    ] {
        assert!(run.out.contains(wanted), "{wanted}: {}", run.out);
    }
    // Nothing is judged by a folder that cannot be used as a whole.
    let run = docker(&home, &["--checks", "own", "--benchmark", "own"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("own.bad.yaml"), "{}", run.err);
}

#[test]
fn a_node_of_a_providers_cluster_is_not_mended() {
    let home = home();
    let text = std::fs::read_to_string(home.path().join("facts.json")).unwrap();
    let mut facts: Value = serde_json::from_str(&text).unwrap();
    let managed = json!({"is": true, "by": "aks", "reason": "/etc/kubernetes/azure.json is there"});
    facts["facts"]["host"] = json!({
        "status": "ok", "source": "files", "items": [{"id": "m", "name": "m", "data": {"managed": managed}}],
    });
    home.write("facts.json", facts.to_string());
    for more in [&[][..], &["--apply"]] {
        let arguments = ["docker", "fix", "2.16", "--facts", "facts.json"];
        let run = home.run(&[&arguments[..], more].concat());
        assert_eq!((run.code, run.out.as_str()), (1, ""));
        assert!(
            run.err
                .contains("its provider looks after this machine (aks)"),
            "{}",
            run.err
        );
    }
}

#[test]
fn what_is_mended_by_hand_says_for_whom_and_can_be_typed() {
    let home = home();
    let mut facts = facts(&home, false);
    facts["facts"]["docker.container"]["items"][1]["data"]["HostConfig"]["Privileged"] =
        json!(true);
    let folder = json!({
        "role": "docker.config-dir", "path": "/etc/docker", "exists": true,
        "audit": { "persisted": [], "loaded": [], "rules": [] },
    });
    facts["facts"]["host.file"] = collection(&[fact("f1", "/etc/docker", folder)]);
    facts["facts"]["host"] = collection(&[fact("h1", "build-1", json!({}))]);
    home.write("facts.json", facts.to_string());
    let fix = |id: &str| {
        let run = home.run(&["docker", "fix", id, "--facts", "facts.json"]);
        assert_eq!(run.code, 0, "{}", run.err);
        run.out
    };
    let out = fix("5.5");
    assert_eq!(out.matches("docker run").count(), 1, "{out}");
    assert!(out.contains(", db\n"), "{out}");
    let typed = "  # /etc/docker\n  echo '-w /etc/docker -p wa -k docker' >> /etc/audit/rules.d/docker.rules\n  \
        augenrules --load\n";
    let out = fix("1.1.6");
    assert!(out.ends_with(typed), "{out}");
}

#[test]
fn a_fix_is_shown_applied_and_taken_back() {
    let home = home();
    let before = "{\n  \"debug\": false\n}\n";
    home.write("etc/daemon.json", before);
    let file = home.path().join("etc/daemon.json");
    let fix = |arguments: &[&str]| {
        home.run(
            &[
                &["docker", "fix", "2.16", "--facts", "facts.json"],
                arguments,
            ]
            .concat(),
        )
    };
    let shown = fix(&[]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(
        shown.out.contains("+   \"live-restore\": true"),
        "{}",
        shown.out
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);

    assert_eq!(fix(&["--apply"]).code, 0);
    let after: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(after, json!({"debug": false, "live-restore": true}));
    assert_eq!(fix(&["--rollback"]).code, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    assert_eq!(fix(&["--rollback"]).code, 1);

    // Somebody else changed it since: nobody's work is lost.
    assert_eq!(fix(&["--apply"]).code, 0);
    home.write("etc/daemon.json", "{}");
    let run = fix(&["--rollback"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("changed since"), "{}", run.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{}");

    // dockerd would no longer start.
    let run = home.run(&["docker", "fix", "2.17", "--facts", "facts.json", "--apply"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("command line"), "{}", run.err);
    // What only a person can mend is told; what needs nobody is too.
    let run = home.run(&["docker", "fix", "5.5", "--facts", "facts.json", "--apply"]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("by hand"), "{}", run.out);
    assert_eq!(
        home.run(&["docker", "fix", "../../x", "--facts", "facts.json"])
            .code,
        1
    );
}

#[test]
fn rights_of_files_are_mended_and_brought_back() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

    if !gives_files_away() {
        return;
    }
    let home = Home::new();
    machine(&home);
    engine(&home, "host/run/docker.sock", QUIET);
    home.write("host/etc/docker/daemon.json", "{}");
    let file = home.path().join("host/etc/docker/daemon.json");
    let rights = || {
        let metadata = std::fs::symlink_metadata(&file).unwrap();
        (metadata.mode() & 0o7777, metadata.uid(), metadata.gid())
    };
    let give = |mode, owner| {
        chown(&file, Some(owner), Some(owner)).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let docker =
        |arguments: &[&str]| home.run(&[&["docker"], arguments, &["--root", "host"]].concat());
    let status = |id: &str| {
        let report = docker(&["--format", "json"]);
        let report: Value = serde_json::from_str(&report.out).unwrap();
        control(&report, id)["status"].clone()
    };
    give(0o666, 1000);
    assert_eq!(
        (status("3.17"), status("3.18")),
        (json!("fail"), json!("fail"))
    );

    let run = docker(&["fix", "3.18"]);
    assert!(
        run.out.contains("- 0666 1000:1000\n+ 0644 1000:1000"),
        "{}\n{}",
        run.out,
        run.err
    );
    assert_eq!(rights(), (0o666, 1000, 1000));
    for id in ["3.18", "3.17"] {
        let run = docker(&["fix", id, "--apply"]);
        assert_eq!(run.code, 0, "{}", run.err);
        // It is the file itself that changes, and no engine has to learn of it.
        assert!(!run.err.contains("restart"), "{}", run.err);
    }
    assert_eq!(rights(), (0o644, 0, 0));
    assert_eq!(
        (status("3.17"), status("3.18")),
        (json!("pass"), json!("pass"))
    );
    let run = docker(&["fix", "3.18", "--apply"]);
    assert!(run.out.contains("nothing to mend"), "{}", run.out);

    // The later one first.
    let run = docker(&["fix", "3.18", "--rollback"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("later fix"), "{}", run.err);
    for id in ["3.17", "3.18"] {
        assert_eq!(docker(&["fix", id, "--rollback"]).code, 0);
    }
    assert_eq!(rights(), (0o666, 1000, 1000));

    // Rights are only taken away, also where some of them are narrower than wanted.
    give(0o4606, 0);
    assert_eq!(docker(&["fix", "3.18", "--apply"]).code, 0);
    assert_eq!(rights(), (0o604, 0, 0));
    // Another file under the same name is none of ours, and a link leads nowhere.
    let other = home.path().join("other");
    std::fs::write(&other, "x").unwrap();
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&other, &file).unwrap();
    let before = std::fs::metadata(&other).unwrap().mode();
    let run = docker(&["fix", "3.18", "--rollback"]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert_eq!(std::fs::metadata(&other).unwrap().mode(), before);
}

#[test]
fn fixes_of_one_file_stand_on_each_other_and_keep_what_it_says() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = home();
    let before = "{\n  \"debug\": false\n}\n";
    home.write("etc/daemon.json", before);
    let file = home.path().join("etc/daemon.json");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut facts = facts(&home, false);
    let effective = &mut facts["facts"]["docker.daemon"]["items"][0]["data"]["effective"];
    effective["no-new-privileges"] = json!({"value": false, "source": "default"});
    home.write("facts.json", facts.to_string());
    let fix = |id: &str, how: &str| home.run(&["docker", "fix", id, "--facts", "facts.json", how]);
    assert_eq!(fix("2.16", "--apply").code, 0);
    assert_eq!(fix("2.15", "--apply").code, 0);
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let after: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(
        after,
        json!({"debug": false, "live-restore": true, "no-new-privileges": true})
    );
    assert_eq!(mode(&file), 0o600);
    for entry in std::fs::read_dir(home.path().join(".local/share/seareeve/fixes")).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let run = fix("2.16", "--rollback");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("later fix"), "{}", run.err);
    assert_eq!(fix("2.15", "--rollback").code, 0);
    assert_eq!(fix("2.16", "--rollback").code, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    assert_eq!(mode(&file), 0o600);
}

/// After the first fix nobody can tell what only the file would say, and the next one still knows what to write there.
#[test]
fn a_fix_can_follow_one_that_the_engine_has_not_read() {
    let home = home();
    home.write("etc/daemon.json", r#"{"no-new-privileges": true}"#);
    let mut facts = facts(&home, false);
    let daemon = &mut facts["facts"]["docker.daemon"]["items"][0]["data"];
    daemon["effective"] = json!({});
    daemon["unresolved"] =
        json!({"no-new-privileges": "it was changed", "userland-proxy": "it was changed"});
    daemon["config"]["keys"] = json!({"no-new-privileges": true});
    let mut fix = |id: &str, is_unread: bool| {
        facts["facts"]["docker.daemon"]["items"][0]["data"]["config"]["changed_since_start"] =
            json!(is_unread);
        home.write("facts.json", facts.to_string());
        home.run(&["docker", "fix", id, "--facts", "facts.json"])
    };
    let run = fix("2.17", true);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.out.contains("+   \"userland-proxy\": false"),
        "{}",
        run.out
    );
    let run = fix("2.15", true);
    assert!(run.err.contains("says it already"), "{}", run.err);
    // Without that reason it is not known whether there is something to mend, and nothing is said of it.
    let run = fix("2.17", false);
    assert_eq!((run.code, run.out.as_str()), (3, ""));
    let why = "not collected: `userland-proxy` cannot be told: it was changed";
    assert!(run.err.contains(why), "{}", run.err);
    let run = home.run(&["docker", "fix", "2.9", "--rollback"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("no fix of it"), "{}", run.err);
}

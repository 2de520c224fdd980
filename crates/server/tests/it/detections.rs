//! The catalogue of detections: what they see and raise, what people change about them while events are judged, the rule
//! files that people bring, and rules that are tried on kept events.

use std::io::Read as _;
use std::time::Duration;

use camino::Utf8PathBuf;
use seareeve_api::{
    AuditWebhook, Backtest, BacktestFile, Client, ClientError, DetectionSummary, NewBacktest,
    NewTuning, TuningChange, TuningValue,
};
use serde_json::{Value, json};

use crate::alerts::{binding, cluster, exec, later, list, send};
use crate::hosts::{admin, refusal, until};
use crate::support::{Browser, Running, folder, start};

const EXEC: &str = "exec-into-pod";

/// Rules of Falco's, as people bring them.
const RULES: &str = r#"
- list: watched_namespaces
  items: [shop]
- rule: Shell in a shop
  desc: somebody runs a command in a watched namespace
  condition: ka.verb = create and ka.target.subresource = exec and ka.target.namespace in (watched_namespaces)
  output: shell in %ka.target.namespace by %ka.user.name
  priority: WARNING
  source: k8s_audit
"#;

fn told<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> String {
    match answer.unwrap_err() {
        ClientError::Refused { detail, .. } => detail,
        other => panic!("{other}"),
    }
}

fn summary(client: &Client, id: &str) -> DetectionSummary {
    let all = client.detections().unwrap().detections;
    all.into_iter().find(|one| one.id == id).unwrap()
}

fn tuning(target: &str, change: TuningChange) -> NewTuning {
    NewTuning {
        target: target.to_owned(),
        change,
        cluster: None,
        reason: "because".to_owned(),
        expires: None,
    }
}

fn switch(is_on: bool) -> NewTuning {
    tuning(EXEC, TuningChange::Switch { is_on })
}

fn except_eve() -> NewTuning {
    tuning(
        EXEC,
        TuningChange::Exception {
            fields: vec!["ka.user.name".to_owned(), "kube.namespace".to_owned()],
            comps: vec!["=".to_owned(), "in".to_owned()],
            values: vec![vec![
                TuningValue::One("eve".to_owned()),
                TuningValue::Many(vec!["shop".to_owned(), "other".to_owned()]),
            ]],
        },
    )
}

/// Sends events and waits until they are judged.
fn judge(server: &Running, client: &Client, webhook: &AuditWebhook, events: &[Value]) {
    let name = webhook.path.rsplit('/').next().unwrap();
    let before = client.audit_cluster(name).unwrap().events;
    assert_eq!(send(server, webhook, "identity", &list(events)), 200);
    let wanted = before + u64::try_from(events.len()).unwrap();
    until(
        || client.audit_cluster(name).unwrap().events,
        |events| *events >= wanted,
    );
}

/// How many events a rule raised alerts for in all.
fn seen(client: &Client, rule: &str, cluster: &str) -> u64 {
    let page = client
        .alerts(&[("rule", rule), ("cluster", cluster)], None)
        .unwrap();
    page.alerts.iter().map(|alert| alert.seen).sum()
}

/// The events of a recording; nothing where recordings are not there.
fn recording(name: &str, most: usize) -> Option<Vec<Value>> {
    let shared = std::env::var("SEAREEVE_SHARED").unwrap_or_else(|_| "../../../shared".to_owned());
    let path = Utf8PathBuf::from(shared).join(format!("data/audit/{name}.jsonl.zst"));
    let Ok(packed) = std::fs::read(&path) else {
        let is_required = std::env::var("SEAREEVE_REQUIRE_SHARED").is_ok_and(|value| value == "1");
        assert!(!is_required, "{path} is not there");
        eprintln!("NOT TESTED: {path} is not there");
        return None;
    };
    let mut text = String::new();
    zstd::stream::read::Decoder::new(packed.as_slice())
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let events = text.lines().take(most);
    Some(
        events
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

/// The same as if it happened now.
fn now(events: &mut [Value]) {
    let begin = jiff::Timestamp::now();
    for (event, at) in events.iter_mut().zip(0_u64..) {
        let time = begin + Duration::from_micros(at * 10);
        for name in ["requestReceivedTimestamp", "stageTimestamp"] {
            event[name] = json!(time.to_string());
        }
    }
}

fn done(client: &Client, asked: &NewBacktest) -> Backtest {
    let id = client.backtest(asked).unwrap().id;
    until(
        || client.backtest_state(id).unwrap(),
        |one| one.ended.is_some(),
    )
}

#[test]
fn the_catalogue_says_what_detections_see_and_raise() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let all = client.detections().unwrap();
    assert!(all.detections.len() > 50 && all.problems.is_empty());
    assert!(
        all.detections
            .iter()
            .all(|one| one.is_on && !one.is_tuned && one.coverage == "unknown"),
        "nothing has arrived anywhere"
    );
    let webhook = cluster(&client, "prod");
    judge(
        &server,
        &client,
        &webhook,
        &[exec("a", "cart", "ls"), binding("b")],
    );
    until(|| seen(&client, EXEC, "prod"), |seen| *seen == 1);
    let exec = summary(&client, EXEC);
    assert_eq!(
        (exec.coverage.as_str(), exec.origin.as_str()),
        ("sees", "built_in")
    );
    let noise = &exec.noise;
    assert_eq!((noise.alerts_7_days, noise.alerts_30_days), (1, 1));
    assert_eq!((noise.days.len(), noise.days.last()), (30, Some(&1)));
    assert!(noise.last.is_some());
    // Samples are no noise.
    client.create_sample_alerts().unwrap();
    assert_eq!(summary(&client, EXEC).noise, exec.noise);

    // Nothing came of cron jobs; the policy says that too little of them will.
    let id = "cron-job-created";
    assert_eq!(summary(&client, id).coverage, "unknown");
    let policy = "kind: Policy\nrules: [{level: Metadata}]\n";
    client.put_audit_policy("prod", policy).unwrap();
    assert_eq!(client.audit_policy("prod").unwrap().content, policy);
    let blind = summary(&client, id);
    assert_eq!(
        (blind.coverage.as_str(), blind.blind_in.as_slice()),
        ("blind", ["prod".to_owned()].as_slice())
    );
    let detail = client.detection(id).unwrap();
    let sight = &detail.coverage_by_cluster[0];
    assert!(sight.has_policy && sight.is_on);
    assert_eq!(
        sight.lacks,
        [
            "create cronjobs.batch is logged at Metadata, Request is needed",
            "patch cronjobs.batch is logged at Metadata, Request is needed"
        ]
    );
    assert_eq!(detail.needs[0].resources, ["cronjobs.batch"]);
    assert!(detail.examples.iter().any(|example| example.fires));
    assert!(!detail.remediation.is_empty() && !detail.fields.is_empty());
    assert_eq!(
        refusal(client.put_audit_policy("prod", "kind: Pod")),
        "bad_request"
    );
    client.delete_audit_policy("prod").unwrap();
    assert_eq!(summary(&client, id).coverage, "unknown");
    assert_eq!(refusal(client.audit_policy("prod")), "not_found");

    // By an id of others, too.
    let alias = all
        .detections
        .iter()
        .find_map(|one| Some((one, one.aliases.first()?)));
    let (aliased, alias) = alias.unwrap();
    assert_eq!(client.detection(alias).unwrap().summary.id, aliased.id);
    assert_eq!(refusal(client.detection("nothing")), "not_found");
    let lists = client.detection_lists().unwrap().lists;
    let suspicious = lists
        .iter()
        .find(|one| one.name == "suspicious_command_marks");
    assert!(suspicious.unwrap().detections.contains(&EXEC.to_owned()));
}

#[test]
fn what_people_change_counts_for_running_judges_and_is_in_the_history() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let (prod, test) = (cluster(&client, "prod"), cluster(&client, "test"));
    let both = |pod: &str| {
        judge(
            &server,
            &client,
            &prod,
            &[exec(&format!("p-{pod}"), pod, "ls")],
        );
        judge(
            &server,
            &client,
            &test,
            &[exec(&format!("t-{pod}"), pod, "ls")],
        );
    };
    let counts = || (seen(&client, EXEC, "prod"), seen(&client, EXEC, "test"));
    both("one");
    until(counts, |counts| *counts == (1, 1));

    // Off in one cluster, without a restart.
    let mut off = switch(false);
    off.cluster = Some("test".to_owned());
    let made = client.tune(&off).unwrap();
    both("two");
    until(counts, |counts| *counts == (2, 1));
    let told_of = summary(&client, EXEC);
    assert!(told_of.is_on && told_of.is_tuned);
    assert_eq!(told_of.differs_in, ["test"]);
    // Off for all, and on in that one: what is said of one cluster wins.
    let all_off = client.tune(&switch(false)).unwrap();
    let mut on = off.clone();
    on.change = TuningChange::Switch { is_on: true };
    let on = client.tune(&on).unwrap();
    assert_eq!(
        client.tunings().unwrap().tunings.len(),
        2,
        "one took the place of another"
    );
    both("three");
    until(counts, |counts| *counts == (2, 2));
    client.untune(on.id).unwrap();
    client.untune(all_off.id).unwrap();
    assert_eq!(refusal(client.untune(made.id)), "not_found");
    assert!(!summary(&client, EXEC).is_tuned);

    // An exception, with two fields of which one is compared with a list.
    let exception = client.tune(&except_eve()).unwrap();
    let mut others = exec("p-four", "four", "ls");
    others["user"]["username"] = json!("mallory");
    judge(
        &server,
        &client,
        &prod,
        &[exec("p-five", "five", "ls"), later(others)],
    );
    until(|| seen(&client, EXEC, "prod"), |seen| *seen == 3);
    let detail = client.detection(EXEC).unwrap();
    assert!(detail.summary.is_tuned && detail.condition.contains("not"));
    assert_eq!(detail.tunings.len(), 1);
    client.untune(exception.id).unwrap();

    // How much it weighs.
    let weigh = |severity: &str| {
        let severity = severity.to_owned();
        tuning(EXEC, TuningChange::Severity { severity })
    };
    assert_eq!(refusal(client.tune(&weigh("critical"))), "bad_request");
    client.tune(&weigh("high")).unwrap();
    judge(&server, &client, &prod, &[exec("p-six", "six", "ls")]);
    until(
        || {
            client
                .alerts(&[("rule", EXEC), ("severity", "high")], None)
                .unwrap()
                .alerts
                .len()
        },
        |alerts| *alerts == 1,
    );
    let weighed = summary(&client, EXEC);
    assert_eq!(
        (weighed.severity.as_str(), weighed.given_severity.as_str()),
        ("high", "low")
    );

    // A list that it names: this command counts as suspicious, which is another detection.
    let change = TuningChange::List {
        add: vec!["frobnicate".to_owned()],
        remove: vec![],
    };
    client
        .tune(&tuning("suspicious_command_marks", change))
        .unwrap();
    let before = seen(&client, EXEC, "prod");
    judge(
        &server,
        &client,
        &prod,
        &[
            exec("p-seven", "seven", "frobnicate"),
            later(exec("p-eight", "eight", "ls")),
        ],
    );
    until(|| seen(&client, EXEC, "prod"), |seen| *seen == before + 1);
    let lists = client.detection_lists().unwrap().lists;
    let list = lists
        .iter()
        .find(|one| one.name == "suspicious_command_marks")
        .unwrap();
    assert!(list.items.contains(&"frobnicate".to_owned()) && list.tunings.len() == 1);

    // All of it is in the history, the last first, with who and why.
    let history = client.detection_history(Some(EXEC)).unwrap().changes;
    let lines: Vec<_> = history
        .iter()
        .map(|one| (one.what.as_str(), one.text.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            ("tuned", "severity high"),
            (
                "taken_back",
                "except ka.user.name = eve and kube.namespace in (shop, other)"
            ),
            (
                "tuned",
                "except ka.user.name = eve and kube.namespace in (shop, other)"
            ),
            ("taken_back", "switched off"),
            ("taken_back", "switched on"),
            ("tuned", "switched on"),
            ("tuned", "switched off"),
            ("tuned", "switched off"),
        ]
    );
    assert!(
        history
            .iter()
            .all(|one| one.author == "admin" && one.reason == "because")
    );
    assert_eq!(history[5].cluster.as_deref(), Some("test"));
}

#[test]
fn changes_that_make_no_sense_are_refused_and_those_with_an_end_end() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut owner = Browser::signed_in(&server);
    let client = crate::hosts::client(&server, &mut owner);
    let exception = |field: &str, comp: &str, value: &str| {
        let change = TuningChange::Exception {
            fields: vec![field.to_owned()],
            comps: vec![comp.to_owned()],
            values: vec![vec![TuningValue::One(value.to_owned())]],
        };
        tuning(EXEC, change)
    };
    assert!(told(client.tune(&exception("ka.user.nam", "=", "eve"))).contains("ka.user.name"));
    assert!(told(client.tune(&exception("ka.user.name", "likes", "eve"))).contains("likes"));
    // Texts stay texts, whatever they look like.
    for text in [
        "\"x\" or ka.verb exists",
        "(x) or (ka.verb exists",
        "'",
        "\\",
        "a \"b\" c",
    ] {
        let made = client.tune(&exception("ka.user.name", "=", text));
        if let Ok(made) = made {
            assert!(client.detections().unwrap().problems.is_empty(), "{text}");
            client.untune(made.id).unwrap();
        }
    }
    let mut unreasoned = switch(false);
    unreasoned.reason = " ".to_owned();
    let mut elsewhere = switch(false);
    elsewhere.cluster = Some("mars".to_owned());
    let mut over = switch(false);
    over.expires = Some(jiff::Timestamp::now() - Duration::from_secs(1));
    let nothing = tuning("nothing", TuningChange::Switch { is_on: false });
    let empty = TuningChange::List {
        add: vec![],
        remove: vec![],
    };
    for (wrong, code) in [
        (unreasoned, "bad_request"),
        (elsewhere, "not_found"),
        (over, "bad_request"),
        (nothing, "not_found"),
        (tuning("system_namespaces", empty.clone()), "bad_request"),
        (tuning("no_list", empty), "not_found"),
    ] {
        assert_eq!(refusal(client.tune(&wrong)), code, "{wrong:?}");
    }
    // Operators try things, and change nothing.
    let made = owner.post("/api/v1/users", json!({"name": "olga", "role": "operator"}));
    let path = made.body["sign_in_path"].as_str().unwrap();
    let token = path.split_once("#token=").unwrap().1;
    let mut operator = Browser::new(&server);
    operator.post("/api/v1/session/link", json!({ "token": token }));
    let change =
        json!({"target": EXEC, "change": {"kind": "switch", "is_on": false}, "reason": "x"});
    assert_eq!(
        operator.post("/api/v1/detection-tunings", change).status,
        403
    );
    let file = operator.send_bytes(
        "PUT",
        "/api/v1/detection-files/shop.yaml",
        "application/yaml",
        RULES.as_bytes().to_vec(),
    );
    assert_eq!(file.status, 403);
    let trying = operator.post("/api/v1/backtests", json!({ "detection": EXEC }));
    assert_eq!(trying.status, 202, "{}", trying.body);

    let mut short = switch(false);
    short.expires = Some(jiff::Timestamp::now() + Duration::from_secs(2));
    client.tune(&short).unwrap();
    assert!(!summary(&client, EXEC).is_on);
    until(
        || client.detection_history(Some(EXEC)).unwrap().changes,
        |changes| changes.first().is_some_and(|one| one.what == "ended"),
    );
    let ended = client.detection_history(Some(EXEC)).unwrap().changes;
    assert_eq!(ended[0].author, "seareeve");
    // The line is there before it is judged by.
    until(|| summary(&client, EXEC).is_on, |is_on| *is_on);
    assert!(client.tunings().unwrap().tunings.is_empty());
}

#[test]
fn rule_files_are_tried_and_kept_whole_or_not_at_all() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let token =
        Browser::signed_in(&server).post("/api/v1/tokens", json!({"name": "test", "days": 1}));
    let token = token.body["secret"].as_str().unwrap();
    let client = Client::new(&server.address, token).unwrap();
    let webhook = cluster(&client, "prod");
    for wrong in ["rules", ".yaml", "a b.yaml", "x.txt"] {
        assert_eq!(
            refusal(client.put_detection_file(wrong, RULES, false)),
            "bad_request",
            "{wrong}"
        );
    }
    let misspelt = RULES.replace("ka.target.namespace in", "ka.target.namespac in");
    let tested = client
        .put_detection_file("shop.yaml", &misspelt, true)
        .unwrap();
    let fault = &tested.faults[0];
    assert!(fault.is_error && !tested.saved);
    assert_eq!((fault.file.as_str(), fault.line), ("shop.yaml", 6));
    assert!(fault.message.contains("ka.target.namespac"), "{fault:?}");
    let why = told(client.put_detection_file("shop.yaml", &misspelt, false));
    assert!(why.starts_with("shop.yaml:6:"), "{why}");
    assert!(client.detection_files().unwrap().files.is_empty());

    // Nothing that is built in is replaced, and no id is taken twice.
    let title = summary(&client, EXEC).title;
    let same = RULES.replace("Shell in a shop", &title);
    assert_eq!(
        refusal(client.put_detection_file("shop.yaml", &same, false)),
        "bad_request"
    );
    let (_, rule) = RULES.split_once("- rule").unwrap();
    let twice = format!("{RULES}- rule{}", rule.replace("Shell", "shell"));
    let why = told(client.put_detection_file("shop.yaml", &twice, false));
    assert!(
        why.contains("another detection with the id shell-in-a-shop"),
        "{why}"
    );
    // A rule of Falco's beside a detection that would have its id has one of its own.
    let beside = RULES.replace("Shell in a shop", "exec into pod");
    let tried = client
        .put_detection_file("shop.yaml", &beside, true)
        .unwrap();
    assert_eq!(tried.detections, ["rule-exec-into-pod"]);
    // Hostile ones end.
    let mut lists = String::from("- list: l0\n  items: [a, b]\n");
    for number in 1..40 {
        let before = number - 1;
        lists.push_str(&format!(
            "- list: l{number}\n  items: [l{before}, l{before}]\n"
        ));
    }
    let bomb = format!("{lists}{}", RULES.replace("watched_namespaces)", "l39)"));
    let deep = format!("- {}x{}\n", "[".repeat(100_000), "]".repeat(100_000));
    for hostile in [
        bomb.as_str(),
        deep.as_str(),
        "&a [*a, *a]",
        "\u{0}",
        "%",
        "- rule: {}",
    ] {
        assert_eq!(
            refusal(client.put_detection_file("bomb.yaml", hostile, false)),
            "bad_request"
        );
    }
    let large = "# ".repeat(600_000);
    assert_eq!(
        refusal(client.put_detection_file("large.yaml", &large, false)),
        "bad_request"
    );
    assert!(client.detections().unwrap().problems.is_empty());

    let kept = client
        .put_detection_file("shop.yaml", RULES, false)
        .unwrap();
    assert_eq!(
        (kept.detections.as_slice(), kept.saved),
        (["shell-in-a-shop".to_owned()].as_slice(), true)
    );
    assert_eq!(client.detection_file("shop.yaml").unwrap(), RULES);
    let own = summary(&client, "shell-in-a-shop");
    assert_eq!(
        (own.origin.as_str(), own.severity.as_str()),
        ("shop.yaml", "medium")
    );
    judge(&server, &client, &webhook, &[exec("a", "cart", "ls")]);
    until(
        || seen(&client, "shell-in-a-shop", "prod"),
        |seen| *seen == 1,
    );
    // Over a start, too.
    drop(server);
    let server = start(&data, |_| {});
    let client = Client::new(&server.address, token).unwrap();
    assert_eq!(summary(&client, "shell-in-a-shop").origin, "shop.yaml");

    // A detection of ours runs its examples.
    let detection = |fires: &str| {
        format!(
            "id: acme-delete\ntitle: Something deleted\nsource: k8s_audit\nseverity: low\ntactics: [impact]\n\
             techniques: [T1485]\ncondition: ka.verb = delete\noutput: deleted\ndescription: x\nremediation: [y]\n\
             entities: [{{kind: account, fields: {{name: ka.user.name}}}}]\nfalse_positives: [z]\nexamples:\n\
             - {{fires: a, event: {{auditID: \"1\", verb: {fires}, user: {{username: a}}}}}}\n\
             - {{quiet: b, event: {{auditID: \"2\", verb: get, user: {{username: a}}}}}}\n"
        )
    };
    let wrong = client
        .put_detection_file("acme-delete.yaml", &detection("create"), true)
        .unwrap();
    assert_eq!(
        (wrong.examples, wrong.faults[0].code.as_str()),
        (2, "EXAMPLE"),
        "{wrong:?}"
    );
    let right = client
        .put_detection_file("acme-delete.yaml", &detection("delete"), false)
        .unwrap();
    assert_eq!((right.examples, right.saved), (2, true));

    // What another file needs stays.
    let macros = "- macro: in_shop\n  condition: ka.target.namespace = shop\n";
    client
        .put_detection_file("a-macros.yaml", macros, false)
        .unwrap();
    let user = RULES
        .replace("Shell in a shop", "Shell there")
        .replace("watched_namespaces", "others")
        .replace("ka.target.namespace in (others)", "in_shop");
    client
        .put_detection_file("user.yaml", &user, false)
        .unwrap();
    assert_eq!(
        refusal(client.delete_detection_file("a-macros.yaml")),
        "conflict"
    );
    client.delete_detection_file("user.yaml").unwrap();
    client.delete_detection_file("a-macros.yaml").unwrap();
    client.delete_detection_file("shop.yaml").unwrap();
    assert_eq!(refusal(client.detection("shell-in-a-shop")), "not_found");
    let history = client.detection_history(Some("shop.yaml")).unwrap().changes;
    let what: Vec<_> = history.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(what, ["file_deleted", "file_saved"]);
}

#[test]
fn rules_with_unknown_fields_are_left_out_where_that_is_set() {
    let (_keep, data) = folder();
    let server = start(&data, |config| {
        config.audit.unknown_fields = "disable".to_owned();
    });
    let client = admin(&server);
    let misspelt = RULES.replace("ka.target.namespace in", "ka.target.namespac in");
    let kept = client
        .put_detection_file("shop.yaml", &misspelt, false)
        .unwrap();
    assert!(kept.saved && kept.detections.is_empty());
    let files = client.detection_files().unwrap().files;
    let fault = files[0]
        .faults
        .iter()
        .find(|fault| fault.code == "LOAD_UNKNOWN_FILTER");
    assert!(!fault.unwrap().is_error);
}

#[test]
fn rules_are_tried_on_kept_events_before_they_are_in_force() {
    let Some(mut events) = recording("a11-exec", 4_000) else {
        return;
    };
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let nothing = done(
        &client,
        &NewBacktest {
            detection: Some(EXEC.to_owned()),
            ..NewBacktest::default()
        },
    );
    assert_eq!(nothing.state, "done", "{nothing:?}");
    let result = nothing.result.unwrap();
    assert_eq!(result.span.events, 0);
    assert!(
        result.notes[0].contains("No event is kept"),
        "{:?}",
        result.notes
    );

    let webhook = cluster(&client, "prod");
    now(&mut events);
    for part in events.chunks(500) {
        assert_eq!(send(&server, &webhook, "identity", &list(part)), 200);
    }
    let kept = until(
        || client.audit_cluster("prod").unwrap(),
        |cluster| {
            let known = cluster.events + cluster.repeated_events + cluster.broken_events;
            known >= u64::try_from(events.len()).unwrap() && cluster.backlog_bytes == 0
        },
    );
    assert_eq!(kept.early_events, 0);
    assert_eq!(kept.kept_events, kept.events);

    // As it is: everything that it raises now, and nothing else.
    let as_it_is = done(
        &client,
        &NewBacktest {
            detection: Some(EXEC.to_owned()),
            ..NewBacktest::default()
        },
    );
    let result = as_it_is.result.unwrap();
    let raised = seen(&client, EXEC, "prod");
    assert!(raised > 0);
    assert_eq!((result.counts.now, result.counts.then), (raised, raised));
    assert_eq!((result.counts.added, result.counts.gone), (0, 0));
    let alerts = client.alerts(&[("rule", EXEC)], None).unwrap().alerts.len();
    assert_eq!(result.counts.alerts_then, u64::try_from(alerts).unwrap());
    assert_eq!(result.span.events, kept.kept_events);
    let sample = &result.same[0];
    assert_eq!(
        (sample.rule.as_str(), sample.cluster.as_str()),
        (EXEC, "prod")
    );
    assert!(sample.event.is_some() && sample.evidence["matched"].is_array());
    assert_eq!(result.step, "hour");
    assert_eq!(
        result.times.iter().map(|time| time.then).sum::<u64>(),
        raised
    );
    assert!(client.detection(EXEC).unwrap().cost_ns.is_some());

    // An exception for who did it takes all of that away, before it is made.
    let user = sample.user.clone();
    let change = TuningChange::Exception {
        fields: vec!["ka.user.name".to_owned()],
        comps: vec![],
        values: vec![vec![TuningValue::One(user.clone())]],
    };
    let excepted = done(
        &client,
        &NewBacktest {
            tuning: Some(tuning(EXEC, change)),
            ..NewBacktest::default()
        },
    );
    let result = excepted.result.unwrap();
    let of_user = result.users.iter().find(|one| one.name == user).unwrap();
    assert!(of_user.gone > 0 && of_user.then == 0, "{:?}", result.users);
    assert_eq!(result.counts.gone, result.counts.now - result.counts.then);
    assert!(!result.gone.is_empty());
    assert!(client.tunings().unwrap().tunings.is_empty());

    // A new rule: all that it raises is additional. Nothing of it is in force.
    let file = BacktestFile {
        name: "new.yaml".to_owned(),
        content: RULES.replace(" and ka.target.namespace in (watched_namespaces)", ""),
    };
    let new = done(
        &client,
        &NewBacktest {
            file: Some(file.clone()),
            ..NewBacktest::default()
        },
    );
    let result = new.result.unwrap();
    assert_eq!((result.counts.now, result.counts.gone), (0, 0));
    assert!(result.counts.added > 0 && result.added[0].rule == "shell-in-a-shop");
    assert_eq!(refusal(client.detection("shell-in-a-shop")), "not_found");
    // One that learns says that it begins with nothing.
    let baseline = client
        .detections()
        .unwrap()
        .detections
        .into_iter()
        .find(|one| one.kind != "single")
        .unwrap();
    let learned = done(
        &client,
        &NewBacktest {
            detection: Some(baseline.id),
            ..NewBacktest::default()
        },
    );
    let notes = learned.result.unwrap().notes;
    assert!(
        notes.iter().any(|note| note.contains("empty memory")),
        "{notes:?}"
    );

    // What cannot be tried is refused at once; what has ended cannot be stopped.
    let broken = BacktestFile {
        content: "- rule: x\n".to_owned(),
        ..file
    };
    for (asked, code) in [
        (NewBacktest::default(), "bad_request"),
        (
            NewBacktest {
                file: Some(broken),
                ..NewBacktest::default()
            },
            "bad_request",
        ),
        (
            NewBacktest {
                detection: Some("nothing".to_owned()),
                ..NewBacktest::default()
            },
            "not_found",
        ),
        (
            NewBacktest {
                detection: Some(EXEC.to_owned()),
                clusters: vec!["mars".to_owned()],
                ..NewBacktest::default()
            },
            "not_found",
        ),
    ] {
        assert_eq!(refusal(client.backtest(&asked)), code, "{asked:?}");
    }
    assert_eq!(refusal(client.cancel_backtest(as_it_is.id)), "conflict");
    assert_eq!(client.backtests().unwrap().backtests.len(), 5);
}

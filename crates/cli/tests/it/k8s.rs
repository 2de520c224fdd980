//! `seareeve k8s` on manifests.

use serde_json::{Value, json};

use crate::support::{Home, Run};

const WEB: &str = r#"# Source: app/templates/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      hostNetwork: true
      initContainers:
      - {name: first, image: "busybox:1"}
      containers:
      - {name: a, image: nginx, securityContext: {privileged: true}}
---
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: example.org/v1
kind: Widget
metadata: {name: "<b>\u001b[2J"}
"#;

fn home() -> Home {
    let home = Home::new();
    home.write("app/web.yaml", WEB);
    home
}

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap()
}

fn results<'r>(object: &'r Value, status: &str) -> Vec<(&'r str, &'r str)> {
    let results = object["results"].as_array().unwrap().iter();
    results
        .filter(|result| result["status"] == status)
        .map(|result| {
            let field = |name: &str| result[name].as_str().unwrap();
            (field("check"), field("path"))
        })
        .collect()
}

#[test]
fn each_object_is_judged_at_its_place() {
    let home = home();
    let run = home.run(&["k8s", "-f", "app", "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let report = json_of(&run);
    let schema = home.run(&["schema", "manifest-report"]);
    let validator = jsonschema::validator_for(&json_of(&schema)).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());

    let places: Vec<Value> = report["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| {
            json!([
                object["file"],
                object["line"],
                object["kind"],
                object["namespace"]
            ])
        })
        .collect();
    assert_eq!(
        places,
        [
            json!(["app/web.yaml", 1, "Deployment", "shop"]),
            json!(["app/web.yaml", 14, "Service", ""]),
            json!(["app/web.yaml", 19, "Widget", ""]),
        ]
    );
    let web = &report["objects"][0];
    let failed = results(web, "fail");
    assert!(
        failed.contains(&(
            "pod-security.privileged",
            "spec.template.spec.containers[0]"
        )),
        "{failed:?}"
    );
    assert!(
        failed.contains(&(
            "kubernetes.workload.root-filesystem-writable",
            "spec.template.spec.initContainers[0]"
        )),
        "{failed:?}"
    );
    assert_eq!(web["verdict"], Value::Null);
    assert_eq!(report["objects"][2]["results"], json!([]));
    let again = home.run(&["k8s", "-f", "app", "--format", "json"]);
    assert_eq!(again.out, run.out);
}

#[test]
fn a_standard_is_that_of_its_version() {
    let home = Home::new();
    let pod = |more: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}, sysctls: [{{name: net.ipv4.tcp_keepalive_time, value: '1'}}]}}\n  containers:\n  - {{name: a, image: x, securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}{more}}}}}\n"
        )
    };
    home.write("pod.yaml", pod(""));
    let verdict = |standard: &str| {
        let run = home.run(&[
            "k8s",
            "-f",
            "pod.yaml",
            "--standard",
            standard,
            "--format",
            "json",
        ]);
        assert_eq!(run.code, 0, "{}", run.err);
        let report = json_of(&run);
        (
            report["standard"].as_str().unwrap().to_owned(),
            report["objects"][0]["verdict"].as_str().unwrap().to_owned(),
        )
    };
    let pair = |standard: &str, verdict: &str| (standard.to_owned(), verdict.to_owned());
    // The sysctl is safe from 1.29 on.
    assert_eq!(
        verdict("pss-restricted@1.28"),
        pair("pss-restricted@1.28", "fail")
    );
    assert_eq!(
        verdict("pss-restricted@v1.29"),
        pair("pss-restricted@1.29", "pass")
    );
    assert_eq!(
        verdict("pss-baseline@1.28"),
        pair("pss-baseline@1.28", "fail")
    );
    let newest = verdict("pss-restricted@latest");
    assert_eq!(newest, verdict("pss-restricted"));
    assert_eq!(newest.1, "pass");
    // A version that nobody knows yet is taken for the newest that is known.
    assert_eq!(verdict("pss-restricted@1.99").1, "pass");
    // Clusters say more of their version than a standard knows.
    for version in ["1.28.7", "v1.28.7-gke.100", "1.28+"] {
        let said = verdict(&format!("pss-restricted@{version}"));
        assert_eq!(said, pair("pss-restricted@1.28", "fail"));
    }
    home.write("pod.yaml", pod(", runAsUser: 0"));
    assert_eq!(verdict("pss-restricted@1.22").1, "fail");
    assert_eq!(verdict("pss-baseline@latest").1, "pass");

    for (standard, why) in [
        ("pss-strict", "there is no standard"),
        ("pss-baseline@new", "no version"),
        ("pss-baseline@", "no version"),
        ("pss-baseline@01.30", "no version"),
        ("pss-baseline@1.030", "no version"),
        ("pss-baseline@1.+30", "no version"),
        ("pss-baseline@2.0", "no version"),
        // By these an object without a word about it would pass.
        ("cis-docker", "use --benchmark cis-docker"),
        ("cis-kubernetes@1.30", "use --benchmark cis-kubernetes"),
    ] {
        let run = home.run(&["k8s", "-f", "pod.yaml", "--standard", standard]);
        assert_eq!(run.code, 1);
        assert!(run.err.contains(why), "{}", run.err);
    }
}

#[test]
fn a_standard_that_no_check_decides_gives_no_verdict() {
    let home = home();
    let standard = |id: &str, control: &str| {
        home.write(
            &format!("own/{id}-1.30.yaml"),
            format!(
                "id: {id}\nversion: '1.30'\ntitle: House rules\nasset: kubernetes-cluster\ncontrols:\n  - {{id: '1', title: privileged, checks: [pod-security.privileged]}}\n  - {{id: '2', title: more, {control}}}\n"
            ),
        );
        let of = format!("{id}@1.29");
        home.run(&[
            "k8s",
            "-f",
            "app",
            "--checks",
            "own",
            "--standard",
            &of,
            "--format",
            "json",
        ])
    };
    let run = standard("own-told", "checks: [pod-security.host-namespaces]");
    assert_eq!(
        json_of(&run)["objects"][0]["verdict"],
        "fail",
        "{}",
        run.err
    );
    let asked = [
        ("own-manual", "ask: Is it right?"),
        (
            "own-half",
            "ask: Is it right?, checks: [pod-security.privileged]",
        ),
    ];
    for (id, control) in asked {
        let run = standard(id, control);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{id}: {}", run.err);
        assert!(
            run.err.contains(&format!("use --benchmark {id}")),
            "{}",
            run.err
        );
    }
    // What begins later asks for nothing yet.
    home.write(
        "own/own-later-1.30.yaml",
        "id: own-later\nversion: '1.30'\ntitle: House rules\nasset: kubernetes-cluster\ncontrols:\n  - {id: '1', title: privileged, checks: [pod-security.privileged], since: '1.30'}\n",
    );
    let later = |of: &str| home.run(&["k8s", "-f", "app", "--checks", "own", "--standard", of]);
    assert_eq!(later("own-later@1.30").code, 0);
    let run = later("own-later@1.29");
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(
        run.err
            .contains("own-later asks for nothing of Kubernetes 1.29"),
        "{}",
        run.err
    );
}

#[test]
fn a_broken_document_leaves_the_rest_and_is_told() {
    let home = home();
    home.write("app/bad.yaml", "kind: Pod\nmetadata: [\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: ok}\nspec: {containers: []}\n");
    let run = home.run(&["k8s", "-f", "app", "--format", "json"]);
    assert_eq!(run.code, 3);
    let report = json_of(&run);
    assert_eq!(report["problems"].as_array().unwrap().len(), 1);
    assert!(
        report["problems"][0]["place"]
            .as_str()
            .unwrap()
            .starts_with("app/bad.yaml:")
    );
    let names: Vec<&Value> = report["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| &object["name"])
        .collect();
    assert!(names.contains(&&json!("ok")) && names.contains(&&json!("web")));
    assert_eq!(home.run(&["k8s", "-f", "nowhere.yaml"]).code, 1);
    // Neither a benchmark nor facts that are kept look whole.
    let benchmark = ["k8s", "-f", "app", "--benchmark", "pss-baseline"];
    let run = home.run(&[&benchmark[..], &["--save-facts", "kept.json"]].concat());
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(
        run.out.contains("of the documents 1 could not be read"),
        "{}",
        run.out
    );
    let run = home.run(&["k8s", "--facts", "kept.json", "--format", "json"]);
    assert_eq!(run.code, 3);
    assert!(!json_of(&run)["problems"].as_array().unwrap().is_empty());
}

#[test]
fn gates_filters_and_parameters_choose_what_counts() {
    let home = home();
    let k8s = |arguments: &[&str]| home.run(&[&["k8s", "-f", "app/web.yaml"], arguments].concat());
    assert_eq!(k8s(&["--fail-on", "critical"]).code, 2);
    assert_eq!(k8s(&["--fail-on", "critical", "--severity", "LOW"]).code, 0);
    let only = k8s(&["--only", "pod-security.privileged", "--format", "json"]);
    assert_eq!(
        json_of(&only)["objects"][0]["results"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    // Said once by default, and by the standard's check when it is named.
    let twice = "pod-security.host-namespaces";
    assert!(!k8s(&[]).out.contains(twice));
    assert!(k8s(&["--only", twice]).out.contains(twice));

    let untrusted = "kubernetes.workload.image-untrusted";
    assert!(!k8s(&[]).out.contains(untrusted));
    home.write(
        "params.yaml",
        format!("{untrusted}: {{allowed_images: '^nginx$'}}"),
    );
    let run = k8s(&[
        "--params",
        "params.yaml",
        "--only",
        untrusted,
        "--format",
        "json",
    ]);
    let report = json_of(&run);
    let failed = results(&report["objects"][0], "fail");
    assert_eq!(
        failed,
        [(untrusted, "spec.template.spec.initContainers[0]")]
    );
    // A gate on nothing would always hold.
    home.write("none.yaml", "{}");
    for (wanted, why) in [
        (
            &["--only", "pod-security.privileged,pod-security.priviledged"][..],
            "there is no check pod-security.priviledged",
        ),
        (
            &["--only", untrusted, "--params", "none.yaml"],
            "image-untrusted would judge nothing here: it is about kubernetes.workload, of severity high, and says nothing without parameters",
        ),
        (
            &["--only", "pod-security.privileged", "--severity", "LOW"],
            "pod-security.privileged would judge nothing here: it is about kubernetes.workload, of severity critical",
        ),
        (
            &["--only", "docker.container.privileged"],
            "docker.container.privileged would judge nothing here: it is about docker.container",
        ),
        (
            &["--severity", "UNKNOWN"],
            "no check is of these severities",
        ),
    ] {
        let run = k8s(&[&["--fail-on", "low"], wanted].concat());
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.err);
        assert!(run.err.contains(why), "{}", run.err);
    }
    // A verdict by a part of a standard would be none, and what is not used is not taken.
    for by in [
        &[
            "--standard",
            "pss-baseline",
            "--only",
            "pod-security.privileged",
        ][..],
        &["--standard", "pss-baseline", "--severity", "LOW"],
        &["--standard", "pss-baseline", "--params", "none.yaml"],
        &["--benchmark", "pss-baseline", "--severity", "LOW"],
        &["--benchmark", "pss-baseline", "--params", "none.yaml"],
    ] {
        let run = k8s(by);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.err);
        assert!(run.err.contains("cannot be used with"), "{}", run.err);
    }

    for (params, why) in [
        ("none.such: {a: 1}", "there is no check none.such"),
        ("pod-security.privileged: {a: 1}", "has no parameter a"),
        ("[1]", "not of the form"),
        (
            "kubernetes.workload.limits-missing: {cpu: 0.5}",
            "cannot be used with its parameters",
        ),
        (
            "kubernetes.workload.image-untrusted: {allowed_images: '('}",
            "cannot be used with its parameters",
        ),
    ] {
        home.write("params.yaml", params);
        let run = k8s(&["--params", "params.yaml"]);
        assert_eq!(run.code, 1);
        assert!(run.err.contains(why), "{}", run.err);
    }
}

#[test]
fn standard_input_is_read_and_no_format_lets_a_name_be_more_than_text() {
    let home = Home::new();
    for format in ["table", "json", "sarif", "junit", "html"] {
        let run = home.run_with_input(
            &["k8s", "-f", "-", "--format", format],
            WEB.replace("name: web,", "name: \"<b>]]>\\e[2J\",")
                .as_bytes(),
        );
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(!run.out.contains('\u{1b}'), "{format}");
        if matches!(format, "junit" | "html") {
            assert!(!run.out.contains("<b>]]>"), "{format}");
        }
        if format == "sarif" {
            let location = &json_of(&run)["runs"][0]["results"][0]["locations"][0];
            assert_eq!(location["physicalLocation"]["region"]["startLine"], 1);
        }
    }
}

#[test]
fn who_reads_a_result_elsewhere_is_told_what_the_check_is_about() {
    let home = home();
    let printed = |format: &str| {
        home.run(&[
            "k8s",
            "-f",
            "./app",
            "--only",
            "pod-security.privileged",
            "--format",
            format,
        ])
    };
    let log = json_of(&printed("sarif"));
    let run = &log["runs"][0];
    let rule = &run["tool"]["driver"]["rules"][0];
    assert_eq!(
        rule["shortDescription"]["text"],
        "Containers are not privileged"
    );
    for part in ["fullDescription", "help"] {
        assert!(!rule[part]["text"].as_str().unwrap().is_empty(), "{part}");
    }
    // As code scanning finds the file in the repository.
    let location = &run["results"][0]["locations"][0]["physicalLocation"];
    let uri = location["artifactLocation"]["uri"].as_str().unwrap();
    assert!(uri.starts_with("app/"), "{uri}");
    let page = printed("html").out;
    for part in [
        "<h2>What to do</h2>",
        "<code>privileged</code>",
        "href=\"#pod-security.privileged\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn saved_facts_are_judged_as_the_manifests_were() {
    let home = home();
    let first = home.run(&[
        "k8s",
        "-f",
        "app",
        "--save-facts",
        "facts.json",
        "--format",
        "json",
    ]);
    let again = home.run(&["k8s", "--facts", "facts.json", "--format", "json"]);
    assert_eq!(again.code, 0, "{}", again.err);
    let judged = |run: &Run| -> Vec<Value> {
        let report = json_of(run);
        let objects = report["objects"].as_array().unwrap().iter();
        // What no check is about has no facts.
        objects
            .filter(|object| object["results"] != json!([]))
            .map(|object| object["results"].clone())
            .collect()
    };
    assert_eq!(judged(&first), judged(&again));

    let run = home.run(&[
        "k8s",
        "--facts",
        "facts.json",
        "--benchmark",
        "pss-baseline",
        "--format",
        "json",
    ]);
    let controls = json_of(&run)["controls"].as_array().unwrap().clone();
    let privileged = controls
        .iter()
        .find(|control| control["id"] == "privileged")
        .unwrap();
    assert_eq!(privileged["status"], "fail");
}

#[test]
fn a_cluster_that_is_not_there_is_told() {
    let home = Home::new();
    let run = home.run(&["k8s"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("no cluster to read"), "{}", run.err);
    home.write(
        ".kube/config",
        "{current-context: c, contexts: [{name: c, context: {cluster: k}}], clusters: [{name: k, cluster: {server: 'http://127.0.0.1:1'}}]}",
    );
    let run = home.run(&["k8s"]);
    assert_eq!(run.code, 1);
    assert!(
        run.err.contains("failed to read the cluster c"),
        "{}",
        run.err
    );
    let run = home.run(&["k8s", "--context", "other"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("other"), "{}", run.err);
}

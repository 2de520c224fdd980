//! Command lines, files and configz, and what they come to.

use super::*;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn file(path: &str, yaml: &str) -> ConfigFile {
    ConfigFile {
        path: path.to_owned(),
        content: Some(crate::value(yaml.as_bytes()).unwrap()),
        status: "ok",
        detail: None,
    }
}

fn seen(component: &str, arguments: &str) -> Observed {
    Observed {
        component: component.to_owned(),
        arguments: words(arguments),
        ..Observed::default()
    }
}

/// `value source path` of an option.
fn option(data: &Value, name: &str) -> Option<String> {
    let option = data["effective"].get(name)?;
    let mut shown = format!("{} {}", option["value"], option["source"].as_str().unwrap());
    if let Some(path) = option.get("path") {
        shown = format!("{shown} {}", path.as_str().unwrap());
    }
    Some(shown)
}

fn check(seen: &Observed, wanted: &[(&str, Option<&str>)]) {
    let data = data(seen);
    for (name, wanted) in wanted {
        assert_eq!(option(&data, name).as_deref(), *wanted, "{name}");
    }
}

#[test]
fn a_kubelet_without_a_file_has_its_old_defaults() {
    check(
        &seen("kubelet", "--read-only-port=0 --pod-max-pids -1"),
        &[
            ("authentication.anonymous.enabled", Some("true default")),
            ("authorization.mode", Some("\"AlwaysAllow\" default")),
            ("readOnlyPort", Some("0 flag")),
            ("podPidsLimit", Some("-1 flag")),
            ("eventRecordQPS", None),
        ],
    );
}

#[test]
fn a_kubelets_flags_go_over_drop_ins_and_those_over_the_file() {
    let mut kubelet = seen(
        "kubelet",
        "--config=/k.yaml --config-dir=/k.d --anonymous-auth=true --anonymous-auth=false \
         --feature-gates=A=false --hostname-override=n --streaming-connection-idle-timeout=0",
    );
    kubelet.config = Some(file(
        "/k.yaml",
        "kind: KubeletConfiguration\nauthentication: {anonymous: {enabled: true}, x509: {clientCAFile: /ca}}\n\
         readOnlyPort: 10255\nstreamingConnectionIdleTimeout: 0s\nseccompDefault: false\nfeatureGates: {A: true, B: true}\n\
         tlsCipherSuites: [a]\nevictionHard: {memory.available: 1Gi}\n",
    ));
    kubelet.drop_ins = vec![
        file(
            "/k.d/10.conf",
            "seccompDefault: true\ntlsCipherSuites: [b, c]\n",
        ),
        file("/k.d/20.conf", "readOnlyPort: 0\n"),
    ];
    check(
        &kubelet,
        &[
            ("authentication.anonymous.enabled", Some("false flag")),
            ("authentication.webhook.enabled", Some("true default")),
            (
                "authentication.x509.clientCAFile",
                Some("\"/ca\" file /k.yaml"),
            ),
            ("authorization.mode", Some("\"Webhook\" default")),
            ("readOnlyPort", Some("0 drop-in /k.d/20.conf")),
            ("seccompDefault", Some("true drop-in /k.d/10.conf")),
            ("tlsCipherSuites", Some(r#"["b","c"] drop-in /k.d/10.conf"#)),
            ("streamingConnectionIdleTimeout", Some("0 flag")),
            ("hostname-override", Some("\"n\" flag")),
            (
                "evictionHard",
                Some(r#"{"memory.available":"1Gi"} file /k.yaml"#),
            ),
        ],
    );
    let data = data(&kubelet);
    assert_eq!(data["feature_gates"], json!({"A": false, "B": true}));
    // In the file, a timeout of zero is one that is not given.
    kubelet.arguments.pop();
    check(
        &kubelet,
        &[("streamingConnectionIdleTimeout", Some("\"4h0m0s\" default"))],
    );
}

#[test]
fn a_file_that_cannot_be_read_leaves_options_unresolved() {
    let mut kubelet = seen("kubelet", "--config=/k.yaml --read-only-port=0");
    kubelet.config = Some(ConfigFile {
        path: "/k.yaml".to_owned(),
        status: "denied",
        detail: Some("permission denied".to_owned()),
        content: None,
    });
    check(
        &kubelet,
        &[
            ("readOnlyPort", Some("0 flag")),
            ("authentication.anonymous.enabled", None),
        ],
    );
    let data = data(&kubelet);
    assert_eq!(
        data["unresolved"]["authentication.anonymous.enabled"],
        "/k.yaml could not be read: permission denied"
    );
    assert_eq!(data["config"]["status"], "denied");
}

#[test]
fn the_labs_kubelet_is_what_configz_says() {
    let Some(folder) = crate::state::tests::shared() else {
        return;
    };
    let read = |name: &str| -> Value {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    let arguments = read("process-arguments.json");
    let command = |component: &str| -> Vec<String> {
        serde_json::from_value(arguments[component].clone()).unwrap()
    };
    let (component, own) = of_command(&command("kubelet")).unwrap();
    assert_eq!(component, "kubelet");
    let mut kubelet = Observed {
        component: component.to_owned(),
        node: "lab-node".to_owned(),
        arguments: own,
        configz: Some(read("kubelet-configz.json")),
        ..Observed::default()
    };
    check(
        &kubelet,
        &[
            ("authentication.anonymous.enabled", Some("false configz")),
            ("readOnlyPort", Some("0 configz")),
            ("rotateCertificates", Some("false configz")),
            ("eventRecordQPS", Some("5 configz")),
            ("podPidsLimit", Some("-1 configz")),
            ("hostname-override", Some("\"lab-node\" flag")),
            (
                "tlsCertFile",
                Some("\"/var/lib/lab/pki/kubelet-server.crt\" configz"),
            ),
        ],
    );
    assert_eq!(
        data(&kubelet)["effective"]["streamingConnectionIdleTimeout"],
        json!({"value": "4h0m0s", "seconds": 14_400.0, "source": "configz"})
    );
    assert_eq!(data(&kubelet)["unresolved"], json!({}));
    // What a file says, and configz too, comes from the file.
    kubelet.config = Some(file(
        "/k.yaml",
        "eventRecordQPS: 5\nauthorization: {mode: AlwaysAllow}\n",
    ));
    check(
        &kubelet,
        &[
            ("eventRecordQPS", Some("5 file /k.yaml")),
            ("authorization.mode", Some("\"Webhook\" configz")),
        ],
    );
    for (component, wanted) in [
        (
            "kube-apiserver",
            &[
                ("authorization-mode", Some(r#"["Node","RBAC"] flag"#)),
                (
                    "enable-admission-plugins",
                    Some(r#"["NodeRestriction"] flag"#),
                ),
                ("profiling", Some("false flag")),
                ("anonymous-auth", Some("true flag")),
                ("service-account-lookup", Some("true default")),
                (
                    "service-account-key-file",
                    Some(r#"["/var/lib/lab/pki/sa.pub"] flag"#),
                ),
                ("audit-log-maxage", Some("0 default")),
                ("token-auth-file", None),
            ][..],
        ),
        (
            "etcd",
            &[
                ("client-cert-auth", Some("false default")),
                ("data-dir", Some("\"/var/lib/lab/etcd/data\" flag")),
                ("quota-backend-bytes", Some("1500000000 flag")),
            ],
        ),
        ("kube-scheduler", &[("profiling", Some("true default"))]),
    ] {
        let (component, own) = of_command(&command(component)).unwrap();
        let seen = Observed {
            component: component.to_owned(),
            arguments: own,
            ..Observed::default()
        };
        check(&seen, wanted);
        assert_eq!(data(&seen)["positional"], json!([]), "{component}");
    }
}

#[test]
fn files_of_other_components_go_over_flags_where_the_program_does_so() {
    let mut scheduler = seen("kube-scheduler", "--config=/s.yaml --profiling=false");
    check(&scheduler, &[("profiling", None)]);
    scheduler.config = Some(file("/s.yaml", "enableProfiling: true"));
    check(&scheduler, &[("profiling", Some("true file /s.yaml"))]);
    let mut proxy = seen(
        "kube-proxy",
        "--config=/p.yaml --metrics-bind-address=0.0.0.0 --v=2",
    );
    check(
        &proxy,
        &[("metricsBindAddress", None), ("v", Some("2 flag"))],
    );
    proxy.config = Some(file("/p.yaml", "metricsBindAddress: ''\nmode: ipvs"));
    check(
        &proxy,
        &[
            ("metricsBindAddress", Some("\"127.0.0.1:10249\" default")),
            ("mode", Some("\"ipvs\" file /p.yaml")),
        ],
    );
    let mut etcd = seen("etcd", "--config-file /e.yaml --client-cert-auth");
    etcd.config = Some(file(
        "/e.yaml",
        "peer-transport-security: {client-cert-auth: true}\nclient-transport-security: {auto-tls: true}\n",
    ));
    check(
        &etcd,
        &[
            ("client-cert-auth", Some("false default")),
            ("peer-client-cert-auth", Some("true file /e.yaml")),
            ("auto-tls", Some("true file /e.yaml")),
        ],
    );
    let api = seen("kube-apiserver", "--authorization-config=/a.yaml");
    check(&api, &[("authorization-mode", None)]);
    assert_eq!(
        data(&api)["unresolved"]["authorization-mode"],
        "/a.yaml says it, which was not read"
    );
}

#[test]
fn components_are_found_behind_shells_and_wrappers() {
    for (command, wanted) in [
        ("/usr/bin/kubelet --a", Some(("kubelet", 1))),
        ("hyperkube kube-proxy --a --b", Some(("kube-proxy", 2))),
        ("/bin/tini -- etcd --a", Some(("etcd", 1))),
        ("nginx", None),
        ("", None),
    ] {
        let found = of_command(&words(command));
        let found = found.map(|(name, arguments)| (name, arguments.len()));
        assert_eq!(found, wanted, "{command}");
    }
    let shell = [
        "/bin/sh",
        "-c",
        "exec /usr/local/bin/kube-apiserver --a=1 --b 1>>/var/log/x 2>&1",
    ];
    assert_eq!(
        of_command(&shell.map(str::to_owned)),
        Some(("kube-apiserver", words("--a=1 --b")))
    );
    let pod = json!({
        "spec": {"nodeName": "n1", "containers": [{"command": ["kube-scheduler"], "args": ["--profiling=false"]}]},
    });
    let seen = of_pod(&pod).unwrap();
    assert_eq!(
        (seen.component.as_str(), seen.node.as_str()),
        ("kube-scheduler", "n1")
    );
    check(&seen, &[("profiling", Some("false flag"))]);
}

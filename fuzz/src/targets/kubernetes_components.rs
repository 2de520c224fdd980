//! A component of Kubernetes: its command line, the files that it was told to read, and what it says of itself.

use std::collections::BTreeMap;

use seareeve_kubernetes::{
    COMPONENTS, ConfigFile, Flags, Observed, Seen, TOLD_FILES, component, of_command, reduced,
    value,
};
use serde_json::Value;

use crate::made::parts;
use crate::server::MARK;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "kubernetes_components",
    run,
    longest: 8 << 10,
    seeds: || made::seeds("kubernetes_components"),
    words: &[
        "\n====\n",
        "kubelet\n--config=/a\n",
        "kube-apiserver\n",
        "kube-proxy\n",
        "etcd\n--config-file\n/a\n",
        "sh\n-c\nexec kube-scheduler --profiling=false >> log\n",
        "--feature-gates=A=true,B=false\n",
        "--authorization-mode=Node,RBAC\n",
        "--encryption-provider-config=/a\n",
        "--config-dir=/a\n",
        "--streaming-connection-idle-timeout=4h0m0s\n",
        "--token=a\n",
        "-v\n-1\n",
        "--\n",
        "authentication: {anonymous: {enabled: false}}\n",
        "readOnlyPort: 10255\n",
        "featureGates: {A: true}\n",
        "staticPodURLHeader: {a: [b]}\n",
        "enableProfiling: false\n",
        "client-transport-security: {cert-file: a}\n",
        "kubeletconfig: {}\n",
        "resources: [{resources: [secrets], providers: [{aescbc: {keys: [{secret: a}]}}]}]\n",
        "rules: [{level: None}]\n",
        "authorizers: [{type: Node}]\n",
        "9223372036854775808",
    ],
};

fn file(content: &[u8]) -> ConfigFile {
    let read = value(content);
    ConfigFile {
        path: "/a".to_owned(),
        status: if read.is_ok() { "ok" } else { "error" },
        detail: read.is_err().then(|| "it is no YAML".to_owned()),
        content: read.ok(),
    }
}

fn run(input: &[u8]) {
    let parts = parts(input, MARK, 5);
    let part = |number: usize| parts.get(number).copied().unwrap_or_default();
    let line = String::from_utf8_lossy(part(0));
    let words: Vec<String> = line.lines().map(str::to_owned).collect();
    let flags = Flags::parse(&words);
    assert_eq!(flags, Flags::parse(&words));
    let (name, arguments) = match of_command(&words) {
        Some((name, arguments)) => (name, arguments),
        None => (COMPONENTS[words.len() % COMPONENTS.len()], words),
    };
    let told = TOLD_FILES.into_iter().map(|flag| {
        let mut file = file(part(3));
        file.content = file.content.map(|content| reduced(flag, &content));
        (flag, file)
    });
    let told: BTreeMap<&str, ConfigFile> = told.collect();
    let mut observed = Observed {
        component: name.to_owned(),
        node: "n1".to_owned(),
        source: Seen::Process,
        arguments,
        config: Some(file(part(1))),
        drop_ins: vec![file(part(2))],
        files: told,
        ..Observed::default()
    };
    let plain = fact(&observed);
    observed.configz = value(part(4)).ok();
    fact(&observed);
    observed.config = None;
    observed.drop_ins.clear();
    observed.configz = None;
    fact(&observed);
    // What an option comes to and why it is not known exclude each other.
    let names = |field: &str| plain.get(field).and_then(Value::as_object);
    for name in names("unresolved").into_iter().flat_map(|map| map.keys()) {
        let known = names("effective").is_some_and(|map| map.contains_key(name));
        assert!(!known, "{name} is known and is not");
    }
}

fn fact(observed: &Observed) -> Value {
    let (_, fact) = component(observed).expect("it is one of the six");
    fact.data
}

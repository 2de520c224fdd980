//! Components whose options are flags: the API server, the controller manager, the scheduler, etcd.

use serde_json::{Value, json};

use super::{Effective, Observed, Setting};
use crate::flags::{Flags, Shape};
use crate::json::text;

/// Flags of which several make a list, by commas.
const LISTS: &[&str] = &[
    "authorization-mode",
    "enable-admission-plugins",
    "disable-admission-plugins",
    "admission-control",
    "tls-cipher-suites",
    "cipher-suites",
    "kubelet-preferred-address-types",
    "etcd-servers",
    "controllers",
    "api-audiences",
    "requestheader-allowed-names",
    "requestheader-username-headers",
    "requestheader-group-headers",
    "requestheader-extra-headers-prefix",
    "cors-allowed-origins",
    "listen-client-urls",
    "listen-peer-urls",
    "advertise-client-urls",
    "initial-advertise-peer-urls",
    "listen-metrics-urls",
];

/// Flags of which each is an entry of a list.
const ENTRIES: &[&str] = &[
    "service-account-key-file",
    "service-account-issuer",
    "tls-sni-cert-key",
    "egress-selector-config-file",
];

pub(super) fn shape(name: &str) -> Shape {
    if LISTS.contains(&name) {
        Shape::List
    } else if ENTRIES.contains(&name) {
        Shape::Entries
    } else if name == "feature-gates" || name == "runtime-config" {
        Shape::Map
    } else {
        Shape::One
    }
}

/// Defaults that have been the same from 1.21 to 1.35 (etcd: 3.4 to 3.6).
fn defaults(component: &str) -> Vec<(&'static str, Value)> {
    match component {
        "kube-apiserver" => vec![
            ("anonymous-auth", json!(true)),
            ("authorization-mode", json!(["AlwaysAllow"])),
            ("enable-admission-plugins", json!([])),
            ("disable-admission-plugins", json!([])),
            ("profiling", json!(true)),
            ("request-timeout", json!("1m0s")),
            ("service-account-lookup", json!(true)),
            ("service-account-extend-token-expiration", json!(true)),
            ("audit-log-maxage", json!(0)),
            ("audit-log-maxbackup", json!(0)),
            ("audit-log-maxsize", json!(0)),
            ("bind-address", json!("0.0.0.0")),
        ],
        "kube-controller-manager" => vec![
            ("bind-address", json!("0.0.0.0")),
            ("profiling", json!(true)),
            ("terminated-pod-gc-threshold", json!(12_500)),
            ("use-service-account-credentials", json!(false)),
        ],
        "kube-scheduler" => vec![
            ("bind-address", json!("0.0.0.0")),
            ("profiling", json!(true)),
        ],
        "etcd" => vec![
            ("auto-tls", json!(false)),
            ("client-cert-auth", json!(false)),
            ("peer-auto-tls", json!(false)),
            ("peer-client-cert-auth", json!(false)),
        ],
        _ => Vec::new(),
    }
}

pub(super) fn effective(component: &str, seen: &Observed, flags: &Flags) -> Effective {
    let mut effective = Effective::default();
    for (name, value) in defaults(component) {
        effective.set(
            name,
            Setting {
                value,
                source: "default",
                path: None,
            },
        );
    }
    if component == "kube-apiserver" && flags.has("authorization-config") {
        // The file says the modes then, and the flag must not be given.
        effective.options.remove("authorization-mode");
    }
    for name in flags.names() {
        if let Some(value) = flags.value(name, shape(name)) {
            effective.set(
                name,
                Setting {
                    value,
                    source: "flag",
                    path: None,
                },
            );
        }
    }
    effective.gates = flags.map("feature-gates");
    files(component, seen, flags, &mut effective);
    effective
}

/// What files say over flags.
fn files(component: &str, seen: &Observed, flags: &Flags, effective: &mut Effective) {
    let not_read = |effective: &mut Effective, name: &str, flag: &str| {
        let path = flags.last(flag).unwrap_or_default();
        let file = seen.files.get(flag).or(seen.config.as_ref());
        let why = match file.and_then(|file| file.detail.as_deref()) {
            Some(detail) => format!("{path} says it: {detail}"),
            None => format!("{path} says it, which was not read"),
        };
        effective.options.remove(name);
        effective.unresolved.insert(name.to_owned(), why.into());
    };
    match component {
        "kube-apiserver" => {
            for (flag, name, part) in [
                ("authorization-config", "authorization-mode", "authorizers"),
                ("authentication-config", "anonymous-auth", "anonymous"),
            ] {
                // Both ways to say whether nobody is let in exclude each other, but not until the file says it.
                if !flags.has(flag) || (name == "anonymous-auth" && flags.has(name)) {
                    continue;
                }
                let file = seen.files.get(flag);
                let Some(content) = file.and_then(|file| file.content.as_ref()) else {
                    not_read(effective, name, flag);
                    continue;
                };
                let path = file.map(|file| file.path.clone());
                match content.get(part) {
                    Some(value) if !value.is_null() => effective.set(
                        name,
                        Setting {
                            value: value.clone(),
                            source: "file",
                            path,
                        },
                    ),
                    // A file that does not say it leaves the default.
                    _ => {}
                }
            }
        }
        // With a file, the flags that it can say are not looked at.
        "kube-scheduler" if flags.has("config") => {
            match seen.config.as_ref().and_then(|file| file.content.as_ref()) {
                Some(content) => {
                    let says = content.get("enableProfiling").and_then(Value::as_bool);
                    let path = seen.config.as_ref().map(|file| file.path.clone());
                    effective.set(
                        "profiling",
                        Setting {
                            value: says.unwrap_or(true).into(),
                            source: if says.is_some() { "file" } else { "default" },
                            path: path.filter(|_| says.is_some()),
                        },
                    );
                }
                None => not_read(effective, "profiling", "config"),
            }
        }
        // A file makes etcd ignore all flags.
        "etcd" if flags.has("config-file") => {
            let names: Vec<String> = effective.options.keys().cloned().collect();
            let content = seen.config.as_ref().and_then(|file| file.content.as_ref());
            let Some(content) = content else {
                for name in names {
                    not_read(effective, &name, "config-file");
                }
                return;
            };
            effective.options.clear();
            etcd_file(
                content,
                seen.config.as_ref().map(|file| file.path.clone()),
                effective,
            );
        }
        _ => {}
    }
}

/// etcd's file has sections where its flags have longer names.
fn etcd_file(content: &Value, path: Option<String>, effective: &mut Effective) {
    for (name, value) in defaults("etcd") {
        effective.set(
            name,
            Setting {
                value,
                source: "default",
                path: None,
            },
        );
    }
    let mut set = |name: &str, value: &Value| {
        let setting = Setting {
            value: value.clone(),
            source: "file",
            path: path.clone(),
        };
        effective.set(name, setting);
    };
    for (section, prefix) in [
        ("client-transport-security", ""),
        ("peer-transport-security", "peer-"),
    ] {
        for (key, value) in crate::json::map(content, &format!("/{section}"))
            .into_iter()
            .flatten()
        {
            set(&format!("{prefix}{key}"), value);
        }
    }
    for name in ["data-dir", "listen-client-urls", "listen-peer-urls", "name"] {
        if let Some(value) = text(content, &format!("/{name}")) {
            set(name, &value.into());
        }
    }
}

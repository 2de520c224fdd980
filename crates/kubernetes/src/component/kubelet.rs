//! The kubelet and kube-proxy, whose options are keys of a configuration, given by file or by flag.

use serde_json::{Map, Value, json};

use super::{ConfigFile, Effective, Observed, Setting};
use crate::flags::{Flags, Shape, seconds};
use seareeve_redact as redact;

/// Flags of the kubelet that say what its configuration can say, too.
const FLAGS: &[(&str, &str, Shape)] = &[
    ("address", "address", Shape::One),
    (
        "allowed-unsafe-sysctls",
        "allowedUnsafeSysctls",
        Shape::List,
    ),
    (
        "anonymous-auth",
        "authentication.anonymous.enabled",
        Shape::One,
    ),
    (
        "authentication-token-webhook",
        "authentication.webhook.enabled",
        Shape::One,
    ),
    ("authorization-mode", "authorization.mode", Shape::One),
    ("cgroup-driver", "cgroupDriver", Shape::One),
    (
        "client-ca-file",
        "authentication.x509.clientCAFile",
        Shape::One,
    ),
    ("cluster-dns", "clusterDNS", Shape::List),
    ("cluster-domain", "clusterDomain", Shape::One),
    (
        "container-runtime-endpoint",
        "containerRuntimeEndpoint",
        Shape::One,
    ),
    (
        "enable-debugging-handlers",
        "enableDebuggingHandlers",
        Shape::One,
    ),
    ("enable-server", "enableServer", Shape::One),
    ("event-burst", "eventBurst", Shape::One),
    ("event-qps", "eventRecordQPS", Shape::One),
    ("fail-swap-on", "failSwapOn", Shape::One),
    ("healthz-bind-address", "healthzBindAddress", Shape::One),
    ("healthz-port", "healthzPort", Shape::One),
    (
        "make-iptables-util-chains",
        "makeIPTablesUtilChains",
        Shape::One,
    ),
    ("manifest-url", "staticPodURL", Shape::One),
    ("max-pods", "maxPods", Shape::One),
    ("pod-manifest-path", "staticPodPath", Shape::One),
    ("pod-max-pids", "podPidsLimit", Shape::One),
    ("port", "port", Shape::One),
    (
        "protect-kernel-defaults",
        "protectKernelDefaults",
        Shape::One,
    ),
    ("read-only-port", "readOnlyPort", Shape::One),
    ("rotate-certificates", "rotateCertificates", Shape::One),
    (
        "rotate-server-certificates",
        "serverTLSBootstrap",
        Shape::One,
    ),
    ("seccomp-default", "seccompDefault", Shape::One),
    (
        "streaming-connection-idle-timeout",
        "streamingConnectionIdleTimeout",
        Shape::One,
    ),
    ("tls-cert-file", "tlsCertFile", Shape::One),
    ("tls-cipher-suites", "tlsCipherSuites", Shape::List),
    ("tls-min-version", "tlsMinVersion", Shape::One),
    ("tls-private-key-file", "tlsPrivateKeyFile", Shape::One),
];

/// Keys of the configuration that hold maps of the user's own.
const MAPS: &[&str] = &[
    "featureGates",
    "evictionHard",
    "evictionSoft",
    "evictionSoftGracePeriod",
    "evictionMinimumReclaim",
    "kubeReserved",
    "systemReserved",
    "qosReserved",
    "staticPodURLHeader",
    "cpuManagerPolicyOptions",
    "topologyManagerPolicyOptions",
];

/// Values that `configz` leaves out when they are these.
const ZEROS: [(&str, bool); 5] = [
    ("readOnlyPort", false),
    ("rotateCertificates", true),
    ("serverTLSBootstrap", true),
    ("protectKernelDefaults", true),
    ("seccompDefault", true),
];

/// The options of a kubelet, from `--config` (with the defaults of its form), the drop-ins in order, flags over
/// both (`cmd/kubelet/app/server.go`), and what `configz` says over all.
pub(super) fn effective(seen: &Observed, flags: &Flags) -> Effective {
    let mut effective = Effective::default();
    let is_told_file = flags.has("config") || flags.has("config-dir");
    let files = files(seen);
    let unread = seen
        .config
        .iter()
        .chain(&seen.drop_ins)
        .find(|file| file.content.is_none());
    if seen.configz.is_none() && (seen.source != super::Seen::Configz) {
        for (name, value) in defaults(is_told_file) {
            set(&mut effective, name, value, "default", None);
        }
    }
    for (file, source) in &files {
        let content = file.content.as_ref().unwrap_or(&Value::Null);
        for (name, value) in flat(content) {
            // Zero means unsaid in the file, but not as a flag.
            let is_unsaid = name == "streamingConnectionIdleTimeout"
                && value.as_str().and_then(seconds) == Some(0.0);
            if !is_unsaid {
                set(&mut effective, &name, value, source, Some(&file.path));
            }
        }
        merge_gates(content, &mut effective);
    }
    // What a file that was not read might say is not known; what comes by flag is.
    if is_told_file && seen.configz.is_none() && (files.is_empty() || unread.is_some()) {
        effective.options.clear();
        let path = flags.last("config").or_else(|| flags.last("config-dir"));
        let path = path.unwrap_or_default();
        let detail = unread.and_then(|file| file.detail.as_deref());
        let why = format!(
            "{path} could not be read: {}",
            detail.unwrap_or("it was not looked at")
        );
        for (name, _) in defaults(true) {
            effective
                .unresolved
                .insert(name.to_owned(), why.clone().into());
        }
    }
    for name in flags.names() {
        let (option, shape) = FLAGS
            .iter()
            .find(|(flag, ..)| *flag == name)
            .map_or((name, super::options::shape(name)), |(_, option, shape)| {
                (*option, *shape)
            });
        if let Some(value) = flags.value(name, shape) {
            effective.unresolved.remove(option);
            set(&mut effective, option, value, "flag", None);
        }
    }
    effective.gates.extend(flags.map("feature-gates"));
    if let Some(configz) = &seen.configz {
        overrule(configz, &mut effective);
    }
    effective
}

/// What the kubelet says itself is what counts. Where it agrees with what was read, that is still the source.
fn overrule(configz: &Value, effective: &mut Effective) {
    let config = configz.get("kubeletconfig").unwrap_or(configz);
    effective.unresolved.clear();
    let said: Map<String, Value> = flat(config).into_iter().collect();
    for (name, value) in &said {
        let known = effective
            .options
            .get(name)
            .and_then(|known| known.get("value"));
        if known != Some(value) {
            set(effective, name, value.clone(), "configz", None);
        }
    }
    for (name, is_truth) in ZEROS {
        if !said.contains_key(name) {
            let zero = if is_truth { json!(false) } else { json!(0) };
            let known = effective
                .options
                .get(name)
                .and_then(|known| known.get("value"));
            if known != Some(&zero) {
                set(effective, name, zero, "configz", None);
            }
        }
    }
    merge_gates(config, effective);
}

/// Defaults that have been the same from 1.21 to 1.35. Without a file, the kubelet keeps those that it had before
/// there were files (`applyLegacyDefaults`).
fn defaults(has_file: bool) -> Vec<(&'static str, Value)> {
    let mut defaults = vec![
        ("address", json!("0.0.0.0")),
        ("enableDebuggingHandlers", json!(true)),
        ("enableServer", json!(true)),
        ("healthzBindAddress", json!("127.0.0.1")),
        ("makeIPTablesUtilChains", json!(true)),
        ("podPidsLimit", json!(-1)),
        ("port", json!(10_250)),
        ("protectKernelDefaults", json!(false)),
        ("rotateCertificates", json!(false)),
        ("seccompDefault", json!(false)),
        ("serverTLSBootstrap", json!(false)),
        ("streamingConnectionIdleTimeout", json!("4h0m0s")),
    ];
    defaults.extend([
        ("authentication.anonymous.enabled", json!(!has_file)),
        ("authentication.webhook.enabled", json!(has_file)),
        (
            "authorization.mode",
            json!(if has_file { "Webhook" } else { "AlwaysAllow" }),
        ),
        ("readOnlyPort", json!(if has_file { 0 } else { 10_255 })),
    ]);
    defaults
}

/// kube-proxy with a file does not look at the flags that the file can say.
pub(super) fn proxy(seen: &Observed, flags: &Flags) -> Effective {
    const FLAGS: &[(&str, &str)] = &[
        ("bind-address", "bindAddress"),
        ("cluster-cidr", "clusterCIDR"),
        ("healthz-bind-address", "healthzBindAddress"),
        ("hostname-override", "hostnameOverride"),
        ("kubeconfig", "clientConnection.kubeconfig"),
        ("metrics-bind-address", "metricsBindAddress"),
        ("profiling", "enableProfiling"),
        ("proxy-mode", "mode"),
    ];
    let mut effective = Effective::default();
    let defaults = [
        ("metricsBindAddress", json!("127.0.0.1:10249")),
        ("enableProfiling", json!(false)),
    ];
    for (name, value) in defaults.clone() {
        set(&mut effective, name, value, "default", None);
    }
    for name in flags.names() {
        let option = FLAGS.iter().find(|(flag, _)| *flag == name);
        if option.is_some() && name != "hostname-override" && flags.has("config") {
            continue;
        }
        let option = option.map_or(name, |(_, option)| option);
        if let Some(value) = flags.value(name, super::options::shape(name)) {
            set(&mut effective, option, value, "flag", None);
        }
    }
    effective.gates = flags.map("feature-gates");
    let files = files(seen);
    if flags.has("config") && files.is_empty() {
        let path = flags.last("config").unwrap_or_default();
        let detail = seen.config.as_ref().and_then(|file| file.detail.as_deref());
        let why = format!(
            "{path} could not be read: {}",
            detail.unwrap_or("it was not looked at")
        );
        for (name, _) in defaults {
            effective.options.remove(name);
            effective
                .unresolved
                .insert(name.to_owned(), why.clone().into());
        }
    }
    for (file, source) in files {
        let content = file.content.as_ref().unwrap_or(&Value::Null);
        for (name, value) in flat(content) {
            // An empty text is the same as none.
            if value.as_str() != Some("") {
                set(&mut effective, &name, value, source, Some(&file.path));
            }
        }
        merge_gates(content, &mut effective);
    }
    effective
}

/// The files that were read, and what they are, in the order in which they count.
fn files(seen: &Observed) -> Vec<(&ConfigFile, &'static str)> {
    let main = seen.config.iter().map(|file| (file, "file"));
    let drop_ins = seen.drop_ins.iter().map(|file| (file, "drop-in"));
    main.chain(drop_ins)
        .filter(|(file, _)| file.content.is_some())
        .collect()
}

fn merge_gates(config: &Value, effective: &mut Effective) {
    for (name, value) in crate::json::map(config, "/featureGates")
        .into_iter()
        .flatten()
    {
        effective.gates.insert(name.clone(), value.clone());
    }
}

fn set(
    effective: &mut Effective,
    name: &str,
    value: Value,
    source: &'static str,
    path: Option<&str>,
) {
    let path = path.map(str::to_owned);
    let setting = Setting {
        value,
        source,
        path,
    };
    effective.set(name, setting);
}

/// The leaves of a configuration by their path: `authentication.anonymous.enabled`.
fn flat(config: &Value) -> Vec<(String, Value)> {
    let mut leaves = Vec::new();
    let mut open: Vec<(String, &Value)> = vec![(String::new(), config)];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(map) if !MAPS.contains(&path.as_str()) => {
                for (key, value) in map {
                    let path = match path.as_str() {
                        "" if matches!(key.as_str(), "kind" | "apiVersion") => continue,
                        "" => key.clone(),
                        above => format!("{above}.{key}"),
                    };
                    open.push((path, value));
                }
            }
            Value::Null => {}
            _ if path.is_empty() => {}
            // Headers may be credentials.
            _ if path == "staticPodURLHeader" => leaves.push((path, redact::REDACTED.into())),
            other => leaves.push((path, other.clone())),
        }
    }
    leaves
}

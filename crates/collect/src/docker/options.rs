//! The options of `dockerd`, and the one place that says what they come to: what the engine reports over the
//! command line over `daemon.json` over the environment over the default of this version.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::command_line;
use super::config_file::ConfigFile;
use crate::redact;

/// What values an option has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Bool,
    Number,
    List,
    Map,
    Ulimits,
    Runtimes,
}

/// An option.
#[derive(Debug)]
pub(crate) struct Known {
    /// On the command line, without dashes.
    pub(crate) flag: &'static str,
    /// In the file.
    pub(crate) key: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) kind: Kind,
    /// Whether checks want it: only then it has a default here.
    pub(crate) is_told: bool,
}

const fn told(flag: &'static str, kind: Kind) -> Known {
    Known {
        flag,
        key: flag,
        short: None,
        kind,
        is_told: true,
    }
}

const fn keyed(flag: &'static str, key: &'static str, kind: Kind) -> Known {
    Known {
        key,
        ..told(flag, kind)
    }
}

const fn short(short: char, of: Known) -> Known {
    Known {
        short: Some(short),
        ..of
    }
}

/// Only needed to read the command line.
const fn other(flag: &'static str, kind: Kind) -> Known {
    Known {
        is_told: false,
        ..told(flag, kind)
    }
}

/// All options of `dockerd` from 19.03 to 29.
pub(crate) const OPTIONS: &[Known] = &[
    keyed("add-runtime", "runtimes", Kind::Runtimes),
    other("allow-direct-routing", Kind::Bool),
    other("allow-nondistributable-artifacts", Kind::List),
    other("api-cors-header", Kind::Text),
    keyed("authorization-plugin", "authorization-plugins", Kind::List),
    told("bip", Kind::Text),
    other("bip6", Kind::Text),
    short('b', told("bridge", Kind::Text)),
    other("bridge-accept-fwmark", Kind::Text),
    other("cdi-spec-dir", Kind::List),
    told("cgroup-parent", Kind::Text),
    other("cluster-advertise", Kind::Text),
    other("cluster-store", Kind::Text),
    other("cluster-store-opt", Kind::Map),
    other("config-file", Kind::Text),
    told("containerd", Kind::Text),
    other("containerd-namespace", Kind::Text),
    other("containerd-plugins-namespace", Kind::Text),
    other("cpu-rt-period", Kind::Number),
    other("cpu-rt-runtime", Kind::Number),
    other("cri-containerd", Kind::Bool),
    told("data-root", Kind::Text),
    short('D', told("debug", Kind::Bool)),
    other("default-address-pool", Kind::List),
    told("default-cgroupns-mode", Kind::Text),
    other("default-gateway", Kind::Text),
    other("default-gateway-v6", Kind::Text),
    told("default-ipc-mode", Kind::Text),
    other("default-network-opt", Kind::List),
    told("default-runtime", Kind::Text),
    other("default-shm-size", Kind::Text),
    keyed("default-ulimit", "default-ulimits", Kind::Ulimits),
    told("dns", Kind::List),
    other("dns-opt", Kind::List),
    other("dns-search", Kind::List),
    keyed("exec-opt", "exec-opts", Kind::List),
    told("exec-root", Kind::Text),
    told("experimental", Kind::Bool),
    keyed("feature", "features", Kind::Map),
    other("firewall-backend", Kind::Text),
    other("fixed-cidr", Kind::Text),
    other("fixed-cidr-v6", Kind::Text),
    // The name of `data-root` before Docker 17.05.
    short(
        'g',
        Known {
            key: "data-root",
            ..other("graph", Kind::Text)
        },
    ),
    short('G', told("group", Kind::Text)),
    other("help", Kind::Bool),
    short('H', keyed("host", "hosts", Kind::List)),
    other("host-gateway-ip", Kind::List),
    other("http-proxy", Kind::Text),
    other("https-proxy", Kind::Text),
    told("icc", Kind::Bool),
    told("init", Kind::Bool),
    told("init-path", Kind::Text),
    keyed("insecure-registry", "insecure-registries", Kind::List),
    other("ip", Kind::Text),
    told("ip-forward", Kind::Bool),
    other("ip-forward-no-drop", Kind::Bool),
    told("ip-masq", Kind::Bool),
    told("ip6tables", Kind::Bool),
    told("iptables", Kind::Bool),
    told("ipv6", Kind::Bool),
    keyed("label", "labels", Kind::List),
    told("live-restore", Kind::Bool),
    told("log-driver", Kind::Text),
    other("log-format", Kind::Text),
    short('l', told("log-level", Kind::Text)),
    keyed("log-opt", "log-opts", Kind::Map),
    other("max-concurrent-downloads", Kind::Number),
    other("max-concurrent-uploads", Kind::Number),
    other("max-download-attempts", Kind::Number),
    told("metrics-addr", Kind::Text),
    other("mtu", Kind::Number),
    other("network-control-plane-mtu", Kind::Number),
    other("network-diagnostic-port", Kind::Number),
    told("no-new-privileges", Kind::Bool),
    other("no-proxy", Kind::Text),
    other("node-generic-resource", Kind::List),
    other("oom-score-adjust", Kind::Number),
    short('p', told("pidfile", Kind::Text)),
    told("raw-logs", Kind::Bool),
    keyed("registry-mirror", "registry-mirrors", Kind::List),
    told("rootless", Kind::Bool),
    told("seccomp-profile", Kind::Text),
    told("selinux-enabled", Kind::Bool),
    other("shutdown-timeout", Kind::Number),
    short('s', told("storage-driver", Kind::Text)),
    keyed("storage-opt", "storage-opts", Kind::List),
    other("swarm-default-advertise-addr", Kind::Text),
    told("tls", Kind::Bool),
    told("tlscacert", Kind::Text),
    told("tlscert", Kind::Text),
    told("tlskey", Kind::Text),
    told("tlsverify", Kind::Bool),
    told("userland-proxy", Kind::Bool),
    other("userland-proxy-path", Kind::Text),
    told("userns-remap", Kind::Text),
    other("validate", Kind::Bool),
    short('v', other("version", Kind::Bool)),
];

/// All that decides.
pub(crate) struct Sources<'a> {
    /// The command line, or why it is not known.
    pub(crate) argv: Result<&'a [String], String>,
    pub(crate) file: &'a ConfigFile,
    /// `DOCKER_TLS_VERIFY` is set.
    pub(crate) tls_verify_set: bool,
    /// `DOCKER_CERT_PATH`.
    pub(crate) cert_path: Option<String>,
    /// Of the user that the engine runs as.
    pub(crate) home: Option<String>,
    pub(crate) uid: Option<u32>,
    pub(crate) rootless: bool,
    /// The engine's, as numbers.
    pub(crate) version: &'a [u32],
    pub(crate) cgroup_version: u32,
    /// What the engine says itself.
    pub(crate) reported: BTreeMap<&'static str, Value>,
    /// Whether there is a file on the host: certificates by default are used where they exist.
    pub(crate) exists: &'a dyn Fn(&str) -> bool,
}

/// What the options come to.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) effective: BTreeMap<&'static str, Value>,
    pub(crate) unresolved: BTreeMap<&'static str, String>,
    pub(crate) conflicts: Vec<&'static str>,
    /// What of the command line was not understood.
    pub(crate) problems: Vec<String>,
}

impl Resolved {
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.effective.get(key)?.get("value")
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.value(key)?.as_str().filter(|text| !text.is_empty())
    }

    pub(crate) fn bool(&self, key: &str) -> Option<bool> {
        self.value(key)?.as_bool()
    }

    /// Takes what an engine does over what is configured.
    pub(crate) fn report(&mut self, key: &'static str, reported: Value) {
        self.unresolved.remove(key);
        let configured = self.effective.remove(key);
        self.effective
            .insert(key, settled(configured, Some(&reported)));
    }

    pub(crate) fn source(&self, key: &str) -> Option<&str> {
        self.effective.get(key)?.get("source")?.as_str()
    }
}

/// Resolves all options that are told.
pub(crate) fn resolve(sources: &Sources<'_>) -> Resolved {
    let mut resolved = Resolved::default();
    let flags = match &sources.argv {
        Ok(argv) => {
            let (flags, problems) = command_line::parse(argv);
            resolved.problems = problems;
            Ok(flags)
        }
        Err(why) => Err(why.clone()),
    };
    for known in OPTIONS.iter().filter(|known| known.is_told) {
        let configured = configured(known, flags.as_ref(), sources, &mut resolved.conflicts);
        let reported = sources.reported.get(known.key);
        match (configured, reported) {
            (Err(why), None) => {
                resolved.unresolved.insert(known.key, why);
            }
            (configured, reported) => {
                let entry = redacted(known.key, settled(configured.ok(), reported));
                resolved.effective.insert(known.key, entry);
            }
        }
    }
    tls(&mut resolved, sources);
    resolved
}

/// The entry of an option that is configured, reported, or both.
fn settled(configured: Option<Value>, reported: Option<&Value>) -> Value {
    let (Some(mut configured), Some(reported)) = (configured.clone(), reported) else {
        return configured.unwrap_or_else(|| json!({"value": reported, "source": "api"}));
    };
    if configured
        .get("value")
        .is_some_and(|value| same(value, reported))
    {
        return configured;
    }
    let conflict = configured
        .as_object_mut()
        .and_then(|map| map.remove("conflict"));
    let mut entry = json!({"value": reported, "source": "api", "configured": configured});
    if let (Some(conflict), Value::Object(entry)) = (conflict, &mut entry) {
        entry.insert("conflict".to_owned(), conflict);
    }
    entry
}

/// What flag, file, environment and default say.
fn configured(
    known: &Known,
    flags: Result<&BTreeMap<&'static str, Value>, &String>,
    sources: &Sources<'_>,
    conflicts: &mut Vec<&'static str>,
) -> Result<Value, String> {
    let flags = flags.map_err(Clone::clone)?;
    let in_file = sources.file.get(known.key);
    if let Some(flag) = flags.get(known.key) {
        let mut entry = json!({"value": flag, "source": "flag"});
        // Runtimes of both are put together (dockerd's findConfigurationConflicts).
        if let (Some(file), Value::Object(entry)) = (in_file, &mut entry) {
            if known.kind == Kind::Runtimes {
                let both = merged(file, flag);
                entry.insert("value".to_owned(), both);
            } else {
                entry.insert("conflict".to_owned(), file.clone());
                conflicts.push(known.key);
            }
        }
        return Ok(entry);
    }
    if let Some(why) = sources.file.why() {
        return Err(why);
    }
    if let Some(value) = in_file {
        let Some(value) = of_kind(value, known.kind) else {
            let path = &sources.file.path;
            return Err(format!(
                "{} in {path} has a value of the wrong type",
                known.key
            ));
        };
        return Ok(json!({"value": value, "source": "file", "path": sources.file.path}));
    }
    if known.key == "tlsverify" && sources.tls_verify_set {
        return Ok(json!({"value": true, "source": "environment"}));
    }
    match default(known, sources) {
        Some(value) => Ok(json!({"value": value, "source": "default"})),
        None => Err("its default is not known".to_owned()),
    }
}

fn merged(a: &Value, b: &Value) -> Value {
    let (Value::Object(a), Value::Object(b)) = (a, b) else {
        return b.clone();
    };
    let mut both = a.clone();
    both.extend(b.clone());
    both.into()
}

/// The value in the form that the command line gives it, if it has the right type.
fn of_kind(value: &Value, kind: Kind) -> Option<Value> {
    match (kind, value) {
        (Kind::Text, Value::String(_))
        | (Kind::Bool, Value::Bool(_))
        | (Kind::Number, Value::Number(_))
        | (Kind::Map | Kind::Runtimes, Value::Object(_)) => Some(value.clone()),
        (Kind::List, Value::Array(items)) if items.iter().all(Value::is_string) => {
            Some(value.clone())
        }
        (Kind::Ulimits, Value::Object(limits)) => {
            let limits = limits.iter().map(|(name, limit)| {
                let (soft, hard) = (limit.get("Soft")?.as_i64()?, limit.get("Hard")?.as_i64()?);
                Some((name.clone(), json!({"soft": soft, "hard": hard})))
            });
            limits.collect::<Option<_>>().map(Value::Object)
        }
        _ => None,
    }
}

/// Lists that mean sets are equal in any order; engines say `/data/` as `/data`.
fn same(configured: &Value, reported: &Value) -> bool {
    match (configured, reported) {
        (Value::Array(a), Value::Array(b)) => {
            let set = |list: &[Value]| -> BTreeSet<String> {
                let texts = list.iter().filter_map(Value::as_str);
                texts
                    .map(|text| text.trim_end_matches('/').to_owned())
                    .collect()
            };
            set(a) == set(b)
        }
        (Value::String(a), Value::String(b)) => a.trim_end_matches('/') == b.trim_end_matches('/'),
        (a, b) => a == b,
    }
}

fn redacted(key: &str, mut entry: Value) -> Value {
    if key == "log-opts" || key == "labels" || key == "registry-mirrors" || key == "runtimes" {
        if let Value::Object(entry) = &mut entry {
            redact::map(entry);
        }
    }
    entry
}

/// What `dockerd` of this version takes where nothing is said.
fn default(known: &Known, sources: &Sources<'_>) -> Option<Value> {
    let major = sources.version.first().copied();
    let in_runtime_dir = |name: &str| Some(format!("/run/user/{}/{name}", sources.uid?));
    Some(match (known.key, sources.rootless) {
        ("log-level", _) => "info".into(),
        ("log-driver", _) => "json-file".into(),
        ("default-runtime", _) => "runc".into(),
        ("default-ipc-mode", _) => "private".into(),
        ("group", _) => "docker".into(),
        ("data-root", false) => "/var/lib/docker".into(),
        ("data-root", true) => format!("{}/.local/share/docker", sources.home.as_ref()?).into(),
        ("exec-root", false) => "/var/run/docker".into(),
        ("exec-root", true) => in_runtime_dir("docker")?.into(),
        ("pidfile", false) => "/var/run/docker.pid".into(),
        ("pidfile", true) => in_runtime_dir("docker.pid")?.into(),
        ("hosts", false) => json!(["unix:///var/run/docker.sock"]),
        ("hosts", true) => json!([format!("unix://{}", in_runtime_dir("docker.sock")?)]),
        ("default-cgroupns-mode", _) => match sources.cgroup_version {
            1 => "host".into(),
            2 => "private".into(),
            _ => return None,
        },
        ("ip6tables", _) => (major? >= 27).into(),
        ("iptables" | "ip-forward" | "ip-masq" | "icc" | "userland-proxy", _) => true.into(),
        ("rootless", rootless) => rootless.into(),
        (_, _) => match known.kind {
            Kind::Text => "".into(),
            Kind::Bool => false.into(),
            Kind::List => json!([]),
            Kind::Map | Kind::Ulimits | Kind::Runtimes => json!({}),
            Kind::Number => return None,
        },
    })
}

/// Saying anything of `tlsverify` switches `tls` on, even saying no. Certificates that are not named are looked for
/// where the client's are, and are left out where they are not.
fn tls(resolved: &mut Resolved, sources: &Sources<'_>) {
    if let (Some(source), Some(tls)) = (
        resolved.source("tlsverify").map(str::to_owned),
        resolved.source("tls"),
    ) {
        if source != "default" && tls == "default" {
            let mut entry = json!({"value": true, "source": source});
            if let (true, Value::Object(entry)) = (source == "file", &mut entry) {
                entry.insert("path".to_owned(), json!(sources.file.path));
            }
            resolved.effective.insert("tls", entry);
        }
    }
    if resolved.bool("tls") != Some(true) {
        return;
    }
    let (folder, source) = match (&sources.cert_path, &sources.home) {
        (Some(folder), _) => (folder.clone(), "environment"),
        (None, Some(home)) => (format!("{home}/.docker"), "default"),
        (None, None) => return,
    };
    for (key, name) in [
        ("tlscacert", "ca.pem"),
        ("tlscert", "cert.pem"),
        ("tlskey", "key.pem"),
    ] {
        let path = format!("{folder}/{name}");
        if resolved.source(key) == Some("default") && (sources.exists)(&path) {
            let entry = json!({"value": path, "source": source});
            resolved.effective.insert(key, entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::config_file::State;
    use super::*;

    struct Case<'a> {
        line: Option<&'a str>,
        file: State,
        reported: &'a [(&'static str, Value)],
        tls_verify_set: bool,
    }

    fn file(keys: Value) -> State {
        let Value::Object(keys) = keys else { panic!() };
        State::Read(keys)
    }

    fn resolved(case: Case<'_>) -> Resolved {
        let file = ConfigFile {
            path: "/etc/docker/daemon.json".into(),
            state: case.file,
            modified_unix: None,
        };
        let argv: Option<Vec<String>> = case
            .line
            .map(|line| line.split(' ').map(str::to_owned).collect());
        resolve(&Sources {
            argv: argv
                .as_deref()
                .ok_or_else(|| "who it is is not known".to_owned()),
            file: &file,
            tls_verify_set: case.tls_verify_set,
            cert_path: None,
            home: Some("/root".to_owned()),
            uid: Some(0),
            rootless: false,
            version: &[20, 10, 24],
            cgroup_version: 2,
            reported: case.reported.iter().cloned().collect(),
            exists: &|path| path == "/root/.docker/ca.pem",
        })
    }

    fn simple(line: &str, keys: Value) -> Resolved {
        resolved(Case {
            line: Some(line),
            file: file(keys),
            reported: &[],
            tls_verify_set: false,
        })
    }

    #[test]
    fn flags_count_over_the_file_and_the_file_over_defaults() {
        for (line, keys, key, expected) in [
            (
                "dockerd",
                json!({}),
                "log-level",
                json!({"value": "info", "source": "default"}),
            ),
            (
                "dockerd",
                json!({"log-level": "warn"}),
                "log-level",
                json!({"value": "warn", "source": "file", "path": "/etc/docker/daemon.json"}),
            ),
            (
                "dockerd -l debug",
                json!({}),
                "log-level",
                json!({"value": "debug", "source": "flag"}),
            ),
            (
                "dockerd -l debug",
                json!({"log-level": "warn"}),
                "log-level",
                json!({"value": "debug", "source": "flag", "conflict": "warn"}),
            ),
            (
                "dockerd --no-new-privileges=false",
                json!({}),
                "no-new-privileges",
                json!({"value": false, "source": "flag"}),
            ),
            (
                "dockerd",
                json!({"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1, "Hard": 2}}}),
                "default-ulimits",
                json!({"value": {"nofile": {"soft": 1, "hard": 2}}, "source": "file", "path": "/etc/docker/daemon.json"}),
            ),
            (
                "dockerd --add-runtime a=/a",
                json!({"runtimes": {"b": {"path": "/b"}}}),
                "runtimes",
                json!({"value": {"a": {"path": "/a"}, "b": {"path": "/b"}}, "source": "flag"}),
            ),
            (
                "dockerd --log-opt splunk-token=x",
                json!({}),
                "log-opts",
                json!({"value": {"splunk-token": "[redacted]"}, "source": "flag"}),
            ),
            (
                "dockerd",
                json!({}),
                "ip6tables",
                json!({"value": false, "source": "default"}),
            ),
            (
                "dockerd",
                json!({}),
                "hosts",
                json!({"value": ["unix:///var/run/docker.sock"], "source": "default"}),
            ),
        ] {
            let resolved = simple(line, keys);
            assert_eq!(resolved.effective[key], expected, "{line} {key}");
            let conflicts: &[&str] = if expected.get("conflict").is_some() {
                &[key]
            } else {
                &[]
            };
            assert_eq!(resolved.conflicts, conflicts, "{line}");
        }
    }

    #[test]
    fn every_option_is_told_or_said_to_be_unknown() {
        let wanted = OPTIONS.iter().filter(|known| known.is_told).count();
        let all = simple("dockerd", json!({}));
        assert_eq!((all.effective.len(), all.unresolved.len()), (wanted, 0));
        let none = resolved(Case {
            line: None,
            file: file(json!({"icc": true})),
            reported: &[("live-restore", json!(true))],
            tls_verify_set: false,
        });
        assert_eq!(none.unresolved.len(), wanted - 1);
        assert_eq!(none.unresolved["icc"], "who it is is not known");
        assert_eq!(
            none.effective["live-restore"],
            json!({"value": true, "source": "api"})
        );
    }

    #[test]
    fn a_broken_file_leaves_only_what_does_not_depend_on_it() {
        let broken = resolved(Case {
            line: Some("dockerd --icc=false"),
            file: State::Broken("x".to_owned()),
            reported: &[],
            tls_verify_set: false,
        });
        assert_eq!(broken.effective.keys().collect::<Vec<_>>(), [&"icc"]);
        let why = "/etc/docker/daemon.json is not understood: x";
        assert_eq!(broken.unresolved["live-restore"], why);
        let wrong = simple("dockerd", json!({"icc": "no", "hosts": "tcp://a:1"}));
        let why = "icc in /etc/docker/daemon.json has a value of the wrong type";
        assert_eq!(wrong.unresolved["icc"], why);
        assert!(wrong.unresolved.contains_key("hosts"));
    }

    #[test]
    fn what_the_engine_reports_counts() {
        let resolved = resolved(Case {
            line: Some("dockerd --storage-driver=overlay2 --data-root /data/"),
            file: file(json!({"live-restore": true})),
            reported: &[
                ("storage-driver", json!("overlay2")),
                ("data-root", json!("/data")),
                ("live-restore", json!(false)),
            ],
            tls_verify_set: false,
        });
        assert_eq!(resolved.source("storage-driver"), Some("flag"));
        assert_eq!(resolved.source("data-root"), Some("flag"));
        assert_eq!(
            resolved.effective["live-restore"],
            json!({"value": false, "source": "api", "configured":
                {"value": true, "source": "file", "path": "/etc/docker/daemon.json"}})
        );
    }

    #[test]
    fn tls_is_switched_on_by_saying_anything_of_verifying() {
        for (line, keys, set, tls, source) in [
            ("dockerd", json!({}), false, false, "default"),
            ("dockerd --tlsverify=false", json!({}), false, true, "flag"),
            ("dockerd", json!({"tlsverify": true}), false, true, "file"),
            ("dockerd", json!({}), true, true, "environment"),
            (
                "dockerd --tls=false --tlsverify",
                json!({}),
                false,
                false,
                "flag",
            ),
        ] {
            let resolved = resolved(Case {
                line: Some(line),
                file: file(keys),
                reported: &[],
                tls_verify_set: set,
            });
            assert_eq!(resolved.bool("tls"), Some(tls), "{line}");
            assert_eq!(resolved.source("tls"), Some(source), "{line}");
            let ca = if tls { "/root/.docker/ca.pem" } else { "" };
            assert_eq!(resolved.value("tlscacert"), Some(&json!(ca)), "{line}");
            // There is none.
            assert_eq!(resolved.value("tlskey"), Some(&json!("")), "{line}");
        }
    }

    #[test]
    fn options_are_listed_once() {
        let mut seen = BTreeSet::new();
        let mut letters = BTreeSet::new();
        for known in OPTIONS {
            assert!(seen.insert(known.flag), "{}", known.flag);
            assert!(known.short.is_none_or(|short| letters.insert(short)));
        }
    }
}

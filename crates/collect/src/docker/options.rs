//! What the options of `dockerd` come to, said in this one place: what the engine reports over the command line over
//! `daemon.json` over the environment over the default of this version.

mod known;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::command_line;
use super::config_file::ConfigFile;
use seareeve_redact as redact;

pub(crate) use known::{Kind, Known, OPTIONS};

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
    if let Some(why) = sources.file.uncertain() {
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
    let may_hold = ["labels", "log-opts", "registry-mirrors", "runtimes"];
    if let (true, Value::Object(entry)) = (may_hold.contains(&key), &mut entry) {
        redact::map(entry);
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
    let source = resolved.source("tlsverify").map(str::to_owned);
    if let Some(source) = source.filter(|source| source != "default")
        && resolved.source("tls") == Some("default")
    {
        let mut entry = json!({"value": true, "source": source});
        if let (true, Value::Object(entry)) = (source == "file", &mut entry) {
            entry.insert("path".to_owned(), json!(sources.file.path));
        }
        resolved.effective.insert("tls", entry);
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
mod tests;

//! What Kubernetes' components were told, and what that comes to: flags, files, defaults.

mod files;
mod kubelet;
mod options;

use std::collections::BTreeMap;

use seareeve_model::{Fact, FactKind};
use serde_json::{Map, Value, json};

use crate::flags::{Flags, seconds};
use crate::json::{put, text, texts};
use crate::state::COMPONENT_KINDS;

/// The programs that are components.
pub const COMPONENTS: [&str; 6] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "etcd",
    "kubelet",
    "kube-proxy",
];

/// What was seen of one component.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Observed {
    /// One of [`COMPONENTS`].
    pub component: String,
    /// The name of the node that it runs on, `""` where that is not known.
    pub node: String,
    /// How it was seen.
    pub source: Seen,
    /// Of a process.
    pub executable: Option<String>,
    /// Of a process.
    pub pid: Option<u64>,
    /// What it was started with, the program's name not among them.
    pub arguments: Vec<String>,
    /// The file that `--config` names.
    pub config: Option<ConfigFile>,
    /// The files in the folder that `--config-dir` names, in the order of their names.
    pub drop_ins: Vec<ConfigFile>,
    /// Other files that it was told to read, by the flag that names them: those of [`TOLD_FILES`]. Only
    /// [`reduced`] content.
    pub files: BTreeMap<&'static str, ConfigFile>,
    /// What the component itself says (`/configz`).
    pub configz: Option<Value>,
}

/// How a component was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Seen {
    /// As a process of this machine.
    #[default]
    Process,
    /// As a static pod, through the API.
    Pod,
    /// As a static pod's file on this machine, of which no process was seen.
    Manifest,
    /// By what it says of itself, through the API.
    Configz,
}

/// A configuration file.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConfigFile {
    /// Where it lies.
    pub path: String,
    /// What is in it, or why that is not known: `absent`, `denied` or `error`, and a text for people.
    pub content: Option<Value>,
    /// `ok`, `absent`, `denied`, `error`.
    pub status: &'static str,
    /// Why there is no content.
    pub detail: Option<String>,
}

/// An option's value, and who gave it.
#[derive(Clone, Debug, PartialEq)]
struct Setting {
    value: Value,
    source: &'static str,
    path: Option<String>,
}

/// What an option comes to, by name.
#[derive(Debug, Default)]
struct Effective {
    options: Map<String, Value>,
    gates: Map<String, Value>,
    unresolved: Map<String, Value>,
}

impl Effective {
    fn set(&mut self, name: &str, setting: Setting) {
        let mut item = json!({"value": setting.value, "source": setting.source});
        let duration = setting.value.as_str().and_then(seconds);
        if let Some(item) = item.as_object_mut() {
            put(item, "path", setting.path);
            put(item, "seconds", duration);
        }
        self.options.insert(name.to_owned(), item);
    }
}

/// The data of its fact.
pub(crate) fn data(seen: &Observed) -> Value {
    let flags = Flags::parse(&seen.arguments);
    let effective = match seen.component.as_str() {
        "kubelet" => kubelet::effective(seen, &flags),
        "kube-proxy" => kubelet::proxy(seen, &flags),
        other => options::effective(other, seen, &flags),
    };
    let mut data = Map::new();
    data.insert("component".to_owned(), seen.component.as_str().into());
    data.insert("node".to_owned(), seen.node.as_str().into());
    let source = match seen.source {
        Seen::Process => "process",
        Seen::Pod => "pod",
        Seen::Manifest => "manifest",
        Seen::Configz => "configz",
    };
    data.insert("source".to_owned(), source.into());
    put(&mut data, "executable", seen.executable.as_deref());
    put(&mut data, "pid", seen.pid);
    data.insert("flags".to_owned(), flags.to_json());
    data.insert("positional".to_owned(), flags.positional().into());
    data.insert("effective".to_owned(), Value::Object(effective.options));
    data.insert("feature_gates".to_owned(), Value::Object(effective.gates));
    data.insert("unresolved".to_owned(), Value::Object(effective.unresolved));
    if let Some(config) = &seen.config {
        let mut item = Map::new();
        item.insert("path".to_owned(), config.path.as_str().into());
        item.insert("status".to_owned(), config.status.into());
        put(&mut item, "detail", config.detail.as_deref());
        data.insert("config".to_owned(), Value::Object(item));
    }
    files::tell(&seen.files, &mut data);
    Value::Object(data)
}

/// Its fact, and the kind of that.
#[must_use]
pub fn component(seen: &Observed) -> Option<(FactKind, Fact)> {
    let name = seen.component.as_str();
    let (_, kind) = COMPONENT_KINDS.iter().find(|(known, _)| *known == name)?;
    let id = format!("{name}/{}", seen.node);
    let fact = Fact {
        id,
        name: match seen.node.as_str() {
            "" => name.to_owned(),
            node => format!("{name} on {node}"),
        },
        data: data(seen),
    };
    Some((FactKind::new(*kind).ok()?, fact))
}

/// The component that a command line starts, and its arguments: also by way of a shell, or of one program for all.
#[must_use]
pub fn of_command(command: &[String]) -> Option<(&'static str, Vec<String>)> {
    let (program, arguments) = command.split_first()?;
    let name = program.rsplit('/').next()?;
    if let Some(component) = COMPONENTS.into_iter().find(|known| *known == name) {
        return Some((component, arguments.to_vec()));
    }
    match (name, arguments) {
        ("hyperkube" | "kube" | "tini" | "dumb-init", rest) => of_command(without_dashes(rest)),
        ("sh" | "bash" | "dash", [flag, script, ..]) if flag.ends_with('c') => {
            let words: Vec<String> = script.split_whitespace().map(str::to_owned).collect();
            // `exec kube-apiserver …`, `/usr/local/bin/kube-apiserver … >> log 2>&1`
            let start = words.iter().position(|word| {
                let name = word.rsplit('/').next();
                COMPONENTS.into_iter().any(|known| Some(known) == name)
            })?;
            let own = words.get(start..)?;
            let end = own
                .iter()
                .position(|word| word.contains(['>', '<', '|', ';', '&']))
                .unwrap_or(own.len());
            of_command(own.get(..end)?)
        }
        _ => None,
    }
}

fn without_dashes(arguments: &[String]) -> &[String] {
    match arguments.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => arguments,
    }
}

/// The component that a static pod runs.
pub(crate) fn of_pod(pod: &Value) -> Option<Observed> {
    let node = text(pod, "/spec/nodeName").unwrap_or_default();
    crate::json::list(pod, "/spec/containers")
        .iter()
        .find_map(|container| {
            let command: Vec<String> = texts(container, "/command")
                .chain(texts(container, "/args"))
                .map(str::to_owned)
                .collect();
            let (component, arguments) = of_command(&command)?;
            Some(Observed {
                component: component.to_owned(),
                node: node.to_owned(),
                source: Seen::Pod,
                arguments,
                ..Observed::default()
            })
        })
}

pub use files::{TOLD_FILES, reduced};

#[cfg(test)]
mod tests;

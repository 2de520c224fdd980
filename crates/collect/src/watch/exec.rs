//! Commands that were started in containers: kept as facts, since nothing tells of them later.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use seareeve_model::{Collection, CollectionStatus, Fact, Snapshot};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::redact;

/// How many are kept, and for how long.
const MOST: usize = 1_000;
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Characters of a command.
const COMMAND: usize = 1_000;

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exec {
    engine: String,
    container: String,
    name: String,
    id: Option<String>,
    started: Option<Timestamp>,
    /// As the engine tells it, else as the event does.
    command: String,
    asked: Option<Asked>,
}

/// What the engine says when it is asked about a command.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Asked {
    #[serde(rename = "ProcessConfig")]
    process: Process,
    #[serde(rename = "OpenStdin", default)]
    open_stdin: bool,
    #[serde(rename = "OpenStdout", default)]
    open_stdout: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Process {
    #[serde(default)]
    entrypoint: String,
    #[serde(default)]
    arguments: Option<Vec<String>>,
    #[serde(default)]
    privileged: Option<bool>,
    #[serde(default)]
    user: Option<String>,
}

impl Exec {
    pub(super) fn new(
        engine: &str,
        container: String,
        name: String,
        id: Option<String>,
        command: String,
        started: Option<Timestamp>,
        asked: Option<Asked>,
    ) -> Self {
        Self {
            engine: engine.to_owned(),
            container,
            name,
            id,
            started,
            command,
            asked,
        }
    }

    fn words(&self) -> Option<Vec<&str>> {
        let process = &self.asked.as_ref()?.process;
        let arguments = process.arguments.iter().flatten().map(String::as_str);
        Some(
            [process.entrypoint.as_str()]
                .into_iter()
                .chain(arguments)
                .collect(),
        )
    }

    fn fact(&self, containers: &BTreeMap<String, Known>) -> Fact {
        let command = match self.words() {
            Some(words) => redact::arguments(words).join(" "),
            None => redact::text(&self.command),
        };
        let command: String = command.chars().take(COMMAND).collect();
        let started = self.started.map(|at| at.to_string()).unwrap_or_default();
        let mut data = Map::new();
        let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
        put("engine", json!(self.engine));
        put("container", json!(self.container));
        put("container_name", json!(self.name));
        put("started", json!(started));
        put("command", json!(command));
        put("from", json!("events"));
        if let Some(id) = &self.id {
            put("exec", json!(id));
        }
        if let Some(asked) = &self.asked {
            let user = asked.process.user.clone().unwrap_or_default();
            // Docker's own default, which it leaves out.
            put(
                "privileged",
                json!(asked.process.privileged.unwrap_or(false)),
            );
            put("detached", json!(!asked.open_stdin && !asked.open_stdout));
            let number = user.split(':').next().unwrap_or_default();
            let uid = match number {
                "" => containers.get(&self.container).and_then(|known| known.uid),
                "root" => Some(0),
                number => number.parse().ok(),
            };
            if let Some(uid) = uid {
                put("uid", json!(uid));
            }
            put("user", json!(user));
        }
        let id = self.id.clone();
        Fact {
            id: id.unwrap_or_else(|| format!("{} {started}", self.container)),
            name: format!("{command} in {}", self.name),
            data: Value::Object(data),
        }
    }
}

/// What is known of a container.
#[derive(Debug)]
struct Known {
    uid: Option<u64>,
    /// What looks after its health, which is nobody entering it.
    health: Option<Vec<String>>,
}

/// Those that are kept.
#[derive(Debug, Default)]
pub(super) struct Execs {
    kept: VecDeque<Exec>,
    containers: BTreeMap<String, Known>,
    is_cut: bool,
}

impl Execs {
    /// Learns who containers' users are, and what looks after their health.
    pub(super) fn learn(&mut self, snapshot: &Snapshot) {
        let facts = snapshot.facts.iter();
        let facts = facts.filter(|(kind, _)| kind.as_str() == "docker.container");
        let containers = facts.flat_map(|(_, facts)| &facts.items).map(|fact| {
            let known = Known {
                uid: fact.data.pointer("/user/uid").and_then(Value::as_u64),
                health: health(&fact.data),
            };
            let id = fact.data.get("Id").and_then(Value::as_str);
            (id.unwrap_or(&fact.id).to_owned(), known)
        });
        self.containers = containers.collect();
    }

    /// Takes new ones in. Says whether there are any.
    pub(super) fn take(&mut self, new: Vec<Exec>, lost: bool) -> bool {
        self.is_cut |= lost;
        let before = self.kept.len();
        let containers = &self.containers;
        self.kept.extend(new.into_iter().filter(|exec| {
            let health = containers.get(&exec.container);
            let health = health.and_then(|known| known.health.as_ref());
            health.is_none()
                || exec.words() != health.map(|all| all.iter().map(String::as_str).collect())
        }));
        let is_any = self.kept.len() > before;
        while self.kept.len() > MOST {
            self.kept.pop_front();
            self.is_cut = true;
        }
        is_any
    }

    pub(super) fn collection(
        &mut self,
        engines: &BTreeMap<String, Option<String>>,
        now: Timestamp,
    ) -> Collection {
        self.kept
            .retain(|exec| exec.started.is_none_or(|at| now.duration_since(at) < KEPT));
        let mut items: Vec<Fact> = self
            .kept
            .iter()
            .map(|exec| exec.fact(&self.containers))
            .collect();
        items.sort_by(|a, b| a.id.cmp(&b.id));
        items.dedup_by(|a, b| a.id == b.id);
        let unheard = engines.iter().filter_map(|(endpoint, why)| {
            Some(format!("{endpoint} is not heard: {}", why.as_ref()?))
        });
        let cut = self
            .is_cut
            .then(|| format!("more than {MOST} commands were started: the oldest are not kept"));
        let details: Vec<String> = unheard.chain(cut).collect();
        let status = match (engines.is_empty(), details.is_empty()) {
            (true, _) => CollectionStatus::Absent,
            (false, true) => CollectionStatus::Ok,
            (false, false) => CollectionStatus::Error,
        };
        let detail = match engines.is_empty() {
            true => Some("there is no engine on this machine".to_owned()),
            false => (!details.is_empty()).then(|| details.join("; ")),
        };
        Collection {
            status,
            detail,
            source: "events of engines".to_owned(),
            items,
        }
    }
}

/// The words of the command by which an engine looks after a container's health.
fn health(container: &Value) -> Option<Vec<String>> {
    let test = container.pointer("/Config/Healthcheck/Test")?.as_array()?;
    let mut words = test.iter().filter_map(Value::as_str).map(str::to_owned);
    match words.next()?.as_str() {
        "CMD" => Some(words.collect()),
        "CMD-SHELL" => {
            let shell = ["/bin/sh", "-c"].map(str::to_owned);
            Some(shell.into_iter().chain(words).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec(number: usize, asked: Option<Value>) -> Exec {
        let asked = asked.map(|asked| serde_json::from_value(asked).unwrap());
        let at = Timestamp::from_second(1_000).unwrap();
        Exec::new(
            "unix:///run/docker.sock",
            "c1".to_owned(),
            "web".to_owned(),
            Some(format!("{number:05}")),
            "sh -c 'x --password hunter2'".to_owned(),
            Some(at),
            asked,
        )
    }

    fn snapshot() -> Snapshot {
        let container = json!({
            "Id": "c1", "user": {"uid": 10}, "Config": {"Healthcheck": {"Test": ["CMD-SHELL", "curl x"]}},
        });
        let fact = Fact {
            id: "c1".to_owned(),
            name: "web".to_owned(),
            data: container,
        };
        let kind = seareeve_model::FactKind::new("docker.container").unwrap();
        Snapshot {
            schema: Snapshot::SCHEMA.to_owned(),
            asset_kind: String::new(),
            asset_id: String::new(),
            asset_name: String::new(),
            collected_at: Timestamp::UNIX_EPOCH,
            collector: String::new(),
            facts: [(kind, Collection::of("", vec![fact]))].into(),
        }
    }

    #[test]
    fn commands_become_facts_and_looking_after_health_does_not() {
        let mut execs = Execs::default();
        execs.learn(&snapshot());
        let health =
            json!({"ProcessConfig": {"entrypoint": "/bin/sh", "arguments": ["-c", "curl x"]}});
        assert!(!execs.take(vec![exec(1, Some(health))], false));
        let root = json!({
            "ProcessConfig": {"entrypoint": "id", "arguments": null, "privileged": true, "user": "root:adm"},
            "OpenStdin": true,
        });
        let own = json!({"ProcessConfig": {"entrypoint": "mysql", "arguments": ["-phunter2"], "user": ""}});
        let new = vec![exec(2, Some(root)), exec(3, Some(own)), exec(4, None)];
        assert!(execs.take(new, false));
        let now = Timestamp::from_second(2_000).unwrap();
        let heard = BTreeMap::from([("unix:///run/docker.sock".to_owned(), None)]);
        let facts = execs.collection(&heard, now);
        assert_eq!(facts.status, CollectionStatus::Ok);
        let [root, own, unknown] = facts.items.as_slice() else {
            panic!("{facts:?}");
        };
        assert_eq!(
            root.data,
            json!({
                "engine": "unix:///run/docker.sock", "container": "c1", "container_name": "web", "exec": "00002",
                "started": "1970-01-01T00:16:40Z", "command": "id", "privileged": true, "user": "root:adm", "uid": 0,
                "detached": false, "from": "events",
            })
        );
        assert_eq!(own.data["uid"], 10);
        assert_eq!(own.data["command"], "mysql -p[redacted]");
        // It was over before anybody could ask.
        assert_eq!(unknown.data.get("privileged"), None);
        assert_eq!(unknown.data.get("user"), None);
        assert!(!unknown.data.to_string().contains("hunter2"));
        let later = Timestamp::from_second(2_000 + 8 * 86_400).unwrap();
        assert_eq!(execs.collection(&heard, later).items.len(), 0);
    }

    #[test]
    fn an_engine_that_is_not_heard_is_told_and_so_is_what_was_cut() {
        let mut execs = Execs::default();
        let now = Timestamp::from_second(2_000).unwrap();
        let none = execs.collection(&BTreeMap::new(), now);
        assert_eq!(none.status, CollectionStatus::Absent);
        let unheard = BTreeMap::from([("tcp://a:1".to_owned(), Some("no".to_owned()))]);
        let facts = execs.collection(&unheard, now);
        assert_eq!(facts.status, CollectionStatus::Error);
        assert_eq!(facts.detail.as_deref(), Some("tcp://a:1 is not heard: no"));
        execs.take(
            (0..MOST + 5).map(|number| exec(number, None)).collect(),
            false,
        );
        let heard = BTreeMap::from([("tcp://a:1".to_owned(), None)]);
        let facts = execs.collection(&heard, now);
        assert_eq!(
            (facts.items.len(), facts.status),
            (MOST, CollectionStatus::Error)
        );
    }
}

//! Hosts: machines with container engines whose configuration is judged.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::SeverityCounts;

/// A host in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostSummary {
    /// In addresses.
    pub id: i64,
    /// What its sensor recognises it by: the machine id.
    pub machine_id: String,
    /// The machine's name.
    pub name: String,
    /// Its container engines.
    pub engines: Vec<HostEngine>,
    /// Containers on it; absent where that is not known, as for the next two.
    pub containers: Option<u64>,
    /// Of them, those that run.
    pub running: Option<u64>,
    /// Images on it.
    pub images: Option<u64>,
    /// `healthy`, `unhealthy`, `not_applicable` or `unknown`.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// Its failed controls of the newest edition, by severity; `unknown` are those that a person says fail.
    pub failed: SeverityCounts,
    /// When its facts came first.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// When they came last.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
}

/// A container engine of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostEngine {
    /// `docker` or `podman`.
    pub product: String,
    /// As it says.
    pub version: String,
    /// Where it listens.
    pub endpoint: String,
    /// Whether it runs without root.
    pub rootless: bool,
}

/// A page of hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostPage {
    /// The rows.
    pub hosts: Vec<HostSummary>,
    /// To be sent as `cursor` for the next page; absent at the end.
    pub next: Option<String>,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostDetail {
    /// As in the list.
    #[serde(flatten)]
    pub summary: HostSummary,
    /// `unmanaged`: benchmarks are about it; `managed`: its provider looks after it; `none`: it has no container engine.
    pub kind: String,
    /// The operating system's name.
    pub os: Option<String>,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// As the kernel names it.
    pub architecture: Option<String>,
    /// The program that collected its facts.
    pub collector: String,
    /// When they were collected.
    #[schema(value_type = String, format = DateTime)]
    pub collected_at: Timestamp,
    /// When they were judged last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub judged_at: Option<Timestamp>,
    /// Its containers by name, with what matters of their settings.
    pub container_list: Vec<HostContainer>,
    /// What recommendations say of it.
    pub recommendations: Vec<HostRecommendation>,
}

/// A container and its settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostContainer {
    /// The engine's id of it.
    pub id: String,
    /// Without the slash.
    pub name: String,
    /// The engine's endpoint.
    pub engine: String,
    /// The image as it was asked for.
    pub image: String,
    /// `running`, `exited`, …
    pub state: String,
    /// What it runs as.
    pub user: String,
    /// Whether that is root; absent where that could not be told.
    pub is_root: Option<bool>,
    /// Whether it has all rights on the host.
    pub privileged: bool,
    /// Whether its root file system can be written.
    pub read_only: bool,
    /// `bridge`, `host`, a network's name, …
    pub network: String,
    /// `host` where it shares the host's processes.
    pub pid_mode: String,
    /// `host` where it shares the host's memory.
    pub ipc_mode: String,
    /// `host` where it can rename the host.
    pub uts_mode: String,
    /// `host` where its users are the host's though the engine keeps them apart.
    pub userns_mode: String,
    /// Capabilities beyond the engine's own.
    pub capabilities: Vec<String>,
    /// Capabilities of the engine's own that it does without.
    pub dropped: Vec<String>,
    /// Whether its processes can gain no privileges; absent where that could not be told.
    pub no_new_privileges: Option<bool>,
    /// Its seccomp profile.
    pub seccomp: String,
    /// Its AppArmor profile.
    pub apparmor: String,
    /// Bytes of memory that it may use; 0 without a limit.
    pub memory_bytes: u64,
    /// What limits its use of processors, as `1.5 processors`, `512 shares` or `processors 0-1`; empty without a limit.
    pub processors: String,
    /// Processes that it may have; absent without a limit.
    pub pids_limit: Option<u64>,
    /// When it is started again, as `always` or `on-failure:5`.
    pub restart: String,
    /// What its health check says, as `healthy`; empty where nothing checks it.
    pub health: String,
    /// Published ports, as `0.0.0.0:80->8080/tcp`.
    pub ports: Vec<String>,
    /// What is mounted from the host, as `/etc->/host/etc (rw)`.
    pub mounts: Vec<String>,
    /// Devices of the host that it is given.
    pub devices: Vec<String>,
    /// Checks that fail on it.
    pub failed: u32,
}

/// What a recommendation says of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostRecommendation {
    /// The recommendation.
    pub id: String,
    /// What should be so.
    pub title: String,
    /// `high`, `medium` or `low`.
    pub severity: String,
    /// `healthy`, `unhealthy`, `not_applicable` or `unknown`.
    pub health: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// The exemption that takes it out.
    pub exemption: Option<i64>,
}

/// How the controls of a host changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostHistory {
    /// The last one first.
    pub changes: Vec<ControlChange>,
    /// To be sent as `cursor` for the next page; absent at the end.
    pub next: Option<String>,
}

/// One change of a control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ControlChange {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The benchmark.
    pub benchmark: String,
    /// Its edition.
    pub version: String,
    /// The control.
    pub control: String,
    /// What it asks for; empty where it is no longer known.
    pub title: String,
    /// What it was before; absent for one that was not judged.
    pub was: Option<String>,
    /// What it is since.
    pub status: String,
}
